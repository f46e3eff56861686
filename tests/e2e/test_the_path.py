"""The whole path: spec, pull request, workflow, image, host; nothing of it is played.

`gen-workflow commit` opens a pull request at a GitHub-shaped server over real git; it is merged;
what a clone of that repository holds is executed by act: the image is built by a real engine,
pushed to a registry that answers as ghcr.io, and deployed over SSH to a host, where it answers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed import Bed, tools
from bed.deploys import clean
from bed.github import FakeGitHub
from bed.http import body

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("packages", "engine", "npm")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/ssh-run"
SLUG = "acme/shop"
TOKEN = "ghs_job_token_of_the_run_0123456789"
GREETING = "Good $(date) 'morning'"
OURS = "gen-workflow/gen-workflow"


class Outcome(NamedTuple):
    """What a person sees of a run: whether it is green, the log, and the job summaries."""

    code: int
    log: str

    @property
    def summary(self) -> str:
        """The lines of the summaries, as act prints them in the log."""
        return "\n".join(re.findall(r"Summary - ([\s\S]*?)(?=\n\[|\Z)", self.log))


class Project:
    """A repository on the server, the person who works on it, and the runner that runs it."""

    def __init__(self, bed: Bed, github: FakeGitHub, folder: Path) -> None:
        self.bed = bed
        self.github = github
        self.folder = folder
        self.work = bed.work / "path"
        self.work.mkdir()
        # Variables of the repository that a test sets otherwise.
        self.changed: dict[str, str] = {}

    def git(self, *argv: str) -> str:
        author = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
        argv = ("git", "-C", str(self.folder), *author, *argv)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def gen_workflow(self, *argv: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
        }
        command = (sys.executable, "-m", "gen_workflow", *argv, "-C", str(self.folder))
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        print(done.stdout, done.stderr)
        return done

    def push(self, version: str, *, healthy: bool = True) -> Outcome:
        """Push a version to main, as a person does, and run what GitHub would run."""
        (self.folder / "VERSION").write_text(version + "\n")
        health = self.folder / "rootfs/www/health"
        health.write_text("ok\n") if healthy else health.unlink(missing_ok=True)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"Version {version}")
        self.git("push", "-q", "origin", "HEAD:main")
        return self.run()

    def run(self) -> Outcome:
        """Execute the workflow of main's head on the runner."""
        checkout = self.work / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        source = self.github.clone_url(SLUG)
        subprocess.run(("git", "clone", "-q", source, str(checkout)), check=True)
        origin = ("remote", "set-url", "origin", f"https://github.com/{SLUG}.git")
        subprocess.run(("git", "-C", str(checkout), *origin), check=True)
        done = self.bed.runner.run(*self._act(checkout), cwd=checkout, check=False)
        log = done.stdout + done.stderr
        print(log)  # seen in a demo, and when the test fails
        return Outcome(done.returncode, log)

    def _act(self, checkout: Path) -> tuple[str, ...]:
        text = (checkout / ".github/workflows/ci-cd.yml").read_text()
        (pin,) = set(re.findall(rf"{OURS}/actions/[a-z-]+@([0-9a-f]{{40}})", text))
        self._write_event(checkout)
        return (
            str(self._program()),
            "push",
            "--platform=ubuntu-24.04=-self-hosted",
            f"--local-repository={OURS}@{pin}={self._actions()}",
            f"--eventpath={self.work / 'event.json'}",
            f"--secret-file={self.work / 'secrets'}",
            f"--var-file={self.work / 'vars'}",
            f"--action-cache-path={self.work / 'act'}",
            "--actor=octocat",
            "--container-daemon-socket=-",
            "--no-cache-server",
        )

    def _program(self) -> Path:
        """Copy act to where the runner sees it."""
        target = self.work / "bin/act"
        if not target.exists():
            target.parent.mkdir()
            shutil.copy2(tools.act(), target)
        return target

    def _actions(self) -> Path:
        """Copy what a user of the actions gets; act copies the folder again for every step."""
        target = self.work / "gen-workflow"
        if not target.exists():
            shutil.copytree(ROOT / "actions", target / "actions")
        return target

    def _write_event(self, checkout: Path) -> None:
        head = subprocess.check_output(("git", "-C", str(checkout), "rev-parse", "HEAD"), text=True)
        owner, _, name = SLUG.partition("/")
        repository = {"name": name, "full_name": SLUG, "owner": {"login": owner}}
        event = {"ref": "refs/heads/main", "after": head.strip(), "repository": repository}
        (self.work / "event.json").write_text(json.dumps(event))
        host = self.bed.host
        secrets = {"GITHUB_TOKEN": TOKEN, "VPS_SSH_KEY": host.private_key, "GREETING": GREETING}
        variables = {"VPS_HOST": host.name, "VPS_USER": host.user, **self.changed}
        variables.setdefault("VPS_KNOWN_HOSTS", host.known_hosts)
        for file, values in (("secrets", secrets), ("vars", variables)):
            lines = (f"{key}={json.dumps(value)}\n" for key, value in values.items())
            (self.work / file).write_text("".join(lines))


@pytest.fixture(scope="module")
def project(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("path")
    files = {
        str(path.relative_to(EXAMPLE)): path.read_bytes()
        for path in EXAMPLE.rglob("*")
        if path.is_file() and ".github" not in path.parts
    }
    spec = files.pop("gen-workflow.yml")
    files["rootfs/bin/busybox"] = Path("/bin/busybox").read_bytes()
    with FakeGitHub(root / "server") as github:
        github.create_repository(SLUG, files)
        folder = root / "clone"
        subprocess.run(("git", "clone", "-q", github.clone_url(SLUG), str(folder)), check=True)
        for name in ("rootfs/bin/busybox", "rootfs/bin/serve", "rootfs/www/cgi-bin/index.cgi"):
            (folder / name).chmod(0o755)
        made = Project(bed, github, folder)
        made.git("commit", "-qam", "Make the programs executable")
        made.git("push", "-q", "origin", "HEAD:main")
        (folder / "gen-workflow.yml").write_bytes(spec)
        bed.registry.allow(TOKEN, f"{SLUG}:pull,push")
        yield made
        clean(bed.host)


def replace(spec: Path, before: str, after: str) -> None:
    assert before in spec.read_text()
    spec.write_text(spec.read_text().replace(before, after))


def wait_less(project: Project) -> None:
    """Let a sick version be found out within seconds instead of the whole minute."""
    replace(project.folder / "gen-workflow.yml", "[GREETING]", "[GREETING], health-timeout: 6")
    assert project.gen_workflow("generate").returncode == 0


def write_to_a_volume(project: Project) -> None:
    """Change the spec so that no candidate runs: both containers would write to the volume."""
    spec = project.folder / "gen-workflow.yml"
    replace(spec, "[GREETING]", '[GREETING], volumes: ["state:/s"]')
    assert project.gen_workflow("generate").returncode == 0


def logins(bed: Bed) -> list[str]:
    """Return the configurations of Docker's client that are on the runner and the host."""
    show = ("sh", "-c", "cat /root/.docker/config.json /home/*/.docker/config.json")
    return [machine.run(*show, check=False).stdout for machine in (bed.runner, bed.host)]


def answer(bed: Bed, path: str = "/version") -> str:
    return body(f"http://{bed.host.ip}:8080{path}")


def test_from_five_lines_to_a_running_healthy_container(bed: Bed, project: Project) -> None:
    """One story, because each part stands on the one before."""
    before = logins(bed)
    spec = (project.folder / "gen-workflow.yml").read_text()
    assert len([line for line in spec.splitlines() if line and not line.startswith("#")]) <= 5

    # The workflow gets to main through a pull request with one verified commit.
    done = project.gen_workflow("commit", "--repo", SLUG)
    assert done.returncode == 0, done.stdout + done.stderr
    project.github.merge(SLUG, 1)
    (project.folder / "gen-workflow.yml").unlink()
    project.git("pull", "-q", "origin", "main")
    assert project.gen_workflow("check").returncode == 0
    again = project.gen_workflow("commit", "--repo", SLUG)
    assert again.returncode == 0
    assert len(project.github.repository(SLUG).pulls) == 1

    # Version 1.
    first = project.push("1")
    assert first.code == 0, first.log
    assert answer(bed) == "1"
    assert answer(bed, "/cgi-bin/index.cgi") == f"{GREETING} from version 1"
    digest = bed.registry.digest(SLUG, "main")
    image = bed.host.docker("inspect", "--format", "{{.Config.Image}}", "shop").stdout.strip()
    assert image == f"ghcr.io/{SLUG}@{digest}", "deployed by the digest that was pushed"

    # Version 2 replaces it.
    second = project.push("2")
    assert second.code == 0, second.log
    assert answer(bed) == "2"

    # Version 3 is broken: version 2 serves, the step is red, and the summary says why.
    wait_less(project)
    third = project.push("3", healthy=False)
    assert third.code != 0
    assert answer(bed) == "2"
    assert "the new version is not healthy: GET /health gave status 404" in third.summary
    assert "the service was not touched" in third.summary, "the candidate was found out"
    assert "version 3 listens on port 8080" in third.summary, "the dead container's last words"

    # Version 4 is broken too, and has no candidate: version 2 is brought back.
    write_to_a_volume(project)
    fourth = project.push("4", healthy=False)
    assert fourth.code != 0
    assert answer(bed) == "2"
    assert "the previous version serves again" in fourth.summary, fourth.log
    assert "both would write to state:/s" in fourth.summary
    assert "version 4 listens on port 8080" in fourth.summary

    # No login is left on either machine, and no secret in any log.
    assert logins(bed) == before
    for log in (first.log, second.log, third.log, fourth.log):
        assert bed.host.name in log or bed.host.ip in log, "it is the log of a deploy"
        for secret in (TOKEN, GREETING, bed.host.private_key.splitlines()[2]):
            assert secret not in log


def test_a_host_that_shows_another_key_gets_nothing(bed: Bed, project: Project) -> None:
    before = bed.host.docker("ps", "-a", "--format", "{{.ID}} {{.Names}}").stdout
    wrong = (bed.authority.parent / "deploy.pub").read_text().strip()
    project.changed = {"VPS_KNOWN_HOSTS": f"{bed.host.name} {wrong}"}
    outcome = project.push("5")
    assert outcome.code != 0
    assert "shows another host key: seen ED25519" in outcome.summary
    assert bed.host.docker("ps", "-a", "--format", "{{.ID}} {{.Names}}").stdout == before
