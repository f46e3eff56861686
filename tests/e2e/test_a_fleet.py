"""The example of a fleet, as its README says: proposed, deployed, changed in one place, in step.

Three repositories at a GitHub-shaped server over real git, of which two have their specs in the
file of the fleet. act runs what their clones hold, with real builds, the registry and a host.
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
from project import TOKEN, WORKFLOWS, create

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed
    from project import Project

pytestmark = pytest.mark.needs("packages", "engine", "npm")

EXAMPLE = ROOT / "examples/fleet"
PORTS = {"orders": 8080, "web": 8081, "status": 8082}


class Fleet:
    """The folder of a person with the file of the fleet, and the repositories that it names."""

    def __init__(self, bed: Bed, github: FakeGitHub, root: Path) -> None:
        self.github = github
        self.file = root / "fleet.yml"
        shutil.copy2(EXAMPLE / "fleet.yml", self.file)
        self.projects = {
            name: create(f"acme/{name}", EXAMPLE / name, bed, github, root / name) for name in PORTS
        }

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of `gen-workflow fleet`."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "generator"),
            "XDG_STATE_HOME": str(self.file.parent / "state"),
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
        }
        command = (sys.executable, "-m", "gen_workflow", "fleet", *argv)
        done = subprocess.run(
            command, cwd=self.file.parent, env=env, check=False, capture_output=True, text=True
        )
        print(done.stdout, done.stderr)
        return done

    def stands(self) -> dict[str, str]:
        """Return where each repository stands, by its name."""
        found: dict[str, Any] = json.loads(self.run("plan", "--json").stdout)
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
        bed.registry.allow(TOKEN, "acme/*:pull,push")
        made = Fleet(bed, github, tmp_path)
        for project in made.projects.values():
            project.logs_in_to("VPS", bed.host)
        committed(made.projects["status"], "Say how it is deployed")
        yield made
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
def test_three_repositories_are_deployed_changed_in_one_place_and_in_step_again(
    bed: Bed, fleet: Fleet
) -> None:
    """One story, because each part stands on the one before."""
    everywhere = [f"acme/{name}" for name in PORTS]
    assert fleet.stands() == dict.fromkeys(everywhere, "new")
    assert fleet.run("apply").returncode == 0
    assert fleet.stands() == dict.fromkeys(everywhere, "proposed")
    fleet.merge()
    assert fleet.stands() == dict.fromkeys(everywhere, "in step")
    for project in fleet.projects.values():
        assert project.gen_workflow("check").returncode == 0
        deployed(project, "1")
    assert versions(bed) == dict.fromkeys(PORTS, "1")

    # One change for the two that have their specs in the file of the fleet.
    text = fleet.file.read_text()
    fleet.file.write_text(text.replace("health: /health\n", "health: /health\n    keep: 7\n"))
    assert fleet.stands() == {
        "acme/orders": "behind", "acme/web": "behind", "acme/status": "in step"
    }  # fmt: skip
    assert fleet.run("apply").returncode == 0
    fleet.merge()
    assert fleet.run("plan").returncode == 0
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
    assert fleet.run("apply").returncode == 1
    assert fleet.stands()["acme/orders"] == "edited"
    assert orders.gen_workflow("generate", "--force").returncode == 0
    committed(orders, "Keep what the fleet keeps")
    assert fleet.run("plan").returncode == 0
