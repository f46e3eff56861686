"""The example of a fleet, as its README says: set up, deployed, changed in one place, in step.

Three repositories at a GitHub-shaped server over real git, of which two have their specs in the
file of the fleet. `bootstrap` creates them with all that GitHub holds for them. act runs what their
clones hold, with these secrets and variables, real builds, the registry and a host.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bed.action_file import ROOT
from bed.deploys import clean, served
from bed.github import FakeGitHub
from project import BUSYBOX, SPEC, TOKEN, WORKFLOWS, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host
    from project import Outcome

pytestmark = pytest.mark.needs("packages", "engine", "npm")

EXAMPLE = ROOT / "examples/fleet"
PORTS = {"orders": 8080, "web": 8081, "status": 8082}


class Fleet:
    """The folder of a person with the file of the fleet, and a folder for each repository."""

    def __init__(self, bed: Bed, github: FakeGitHub, root: Path) -> None:
        self.github = github
        self.root = root / "fleet"
        shutil.copytree(EXAMPLE, self.root)
        self.file = self.root / "fleet.yml"
        self.projects = {}
        for name in PORTS:
            project = Project(bed, github, root / name, f"acme/{name}")
            project.folder = self.root / name
            busybox = project.folder / BUSYBOX
            busybox.parent.mkdir(parents=True)
            shutil.copy2("/bin/busybox", busybox)
            self.projects[name] = project

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run gen-workflow in the folder of the fleet."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "generator"),
            "XDG_STATE_HOME": str(self.root / "state"),
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
        }
        command = (sys.executable, "-m", "gen_workflow", *argv)
        done = subprocess.run(
            command, cwd=self.root, env=env, check=False, capture_output=True, text=True
        )
        print(done.stdout, done.stderr)
        return done

    def bootstrap(self, name: str, host: Host) -> Outcome:
        """Set a repository up as the README says, and run what its first push runs."""
        project = self.projects[name]
        if name != "status":
            made = self.run("fleet", "spec", name).stdout
            (project.folder / SPEC).write_text(made)
        values = {
            "VPS_SSH_KEY": host.private_key,
            "VPS_HOST": host.name,
            "VPS_USER": host.user,
            "VPS_KNOWN_HOSTS": host.known_hosts,
        }
        file = self.root / "values.yml"
        file.write_text(json.dumps(values))
        assert self.run("generate", "--dependabot", "-C", name).returncode == 0
        project.git("init", "-q", "-b", "main")
        project.git("add", "-A")
        project.git("commit", "-qm", "Begin")
        command = ("bootstrap", project.slug, "-C", name, "--yes")
        first = self.run(*command, "--values", str(file))
        assert first.returncode == 1, "the push is left"
        project.git("remote", "add", "origin", self.github.clone_url(project.slug))
        project.git("push", "-q", "origin", "main")
        second = self.run(*command)
        assert second.returncode == 0, second.stdout + second.stderr
        writes = len(self.github.writes)
        assert self.run(*command).returncode == 0
        assert len(self.github.writes) == writes, "a third run changes nothing"
        kept = self.github.repository(project.slug).kept
        project.secrets |= {key: value for (_, key), value in kept.secrets.items()}
        project.variables |= {key: value for (_, key), value in kept.variables.items()}
        assert project.secrets.items() | project.variables.items() >= values.items()
        return project.run()

    def stands(self) -> dict[str, str]:
        """Return where each repository stands, by its name."""
        found: dict[str, Any] = json.loads(self.run("fleet", "plan", "--json").stdout)
        return {each["repository"]: each["stands"] for each in found["repositories"]}

    def merge(self) -> None:
        """Merge what is open in every repository, and pull it."""
        for project in self.projects.values():
            for pull in self.github.repository(project.slug).pulls:
                if pull.state == "open":
                    self.github.merge(project.slug, pull.number)
            project.git("pull", "-q", "origin", "main")


@pytest.fixture
def fleet(bed: Bed, tmp_path: Path) -> Iterator[Fleet]:
    with FakeGitHub(tmp_path / "server") as github:
        github.add_account("acme", organization=True)
        bed.registry.allow(TOKEN, "acme/*:pull,push")
        yield Fleet(bed, github, tmp_path)
    clean(bed.host)
    bed.host.run("rm", "-rf", "/home/deploy/web")


def versions(bed: Bed) -> dict[str, str]:
    return {name: served(bed.host, "/version", port) for name, port in PORTS.items()}


def committed(project: Project, message: str) -> None:
    """Commit all files and push them, without a run."""
    project.git("add", "-A")
    project.git("commit", "-qm", message)
    project.git("push", "-q", "origin", "HEAD:main")


def deployed(project: Project, version: str) -> None:
    outcome = project.push(version)
    assert outcome.code == 0, outcome.log


@pytest.mark.test_all
def test_three_repositories_are_set_up_changed_in_one_place_and_in_step_again(
    bed: Bed, fleet: Fleet
) -> None:
    """One story, because each part stands on the one before."""
    everywhere = [f"acme/{name}" for name in PORTS]
    for name in PORTS:
        outcome = fleet.bootstrap(name, bed.host)
        assert outcome.code == 0, outcome.log
    assert versions(bed) == dict.fromkeys(PORTS, "1")
    assert fleet.stands() == dict.fromkeys(everywhere, "in step")

    # One change for the two that have their specs in the file of the fleet.
    text = fleet.file.read_text()
    fleet.file.write_text(text.replace("health: /health\n", "health: /health\n    keep: 7\n"))
    assert fleet.stands() == {
        "acme/orders": "behind", "acme/web": "behind", "acme/status": "in step"
    }  # fmt: skip
    assert fleet.run("fleet", "apply").returncode == 0
    fleet.merge()
    assert fleet.run("fleet", "plan").returncode == 0
    for name in ("orders", "web"):
        project = fleet.projects[name]
        assert 'keep: "7"\n' in (project.folder / WORKFLOWS / "ci-cd.yml").read_text()
        deployed(project, "2")
    assert versions(bed) == {"orders": "2", "web": "2", "status": "1"}

    # A workflow that somebody edits by hand is found. `generate` there keeps the edit, as a person
    # may want it; here it is taken back, and the repository is in step again.
    orders = fleet.projects["orders"]
    orders.change(f"{WORKFLOWS}/ci-cd.yml", 'keep: "7"', 'keep: "9"')
    committed(orders, "Keep more")
    assert fleet.run("fleet", "apply").returncode == 1
    assert fleet.stands()["acme/orders"] == "edited"
    assert orders.gen_workflow("generate", "--force").returncode == 0
    committed(orders, "Keep what the fleet keeps")
    assert fleet.run("fleet", "plan").returncode == 0
