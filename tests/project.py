"""A repository on a server, the person who works on it, and the runner that runs its workflow.

The server is GitHub-shaped and speaks real git. What a clone of the repository holds is executed by
act on the runner of the bed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bed import tools
from bed.action_file import ROOT
from bed.github import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bed import Bed

SLUG = "acme/shop"
TOKEN = "ghs_job_token_of_the_run_0123456789"
GREETING = "Good $(date) 'morning'"
SPEC = "gen-workflow.yml"
OURS = "gen-workflow/gen-workflow"
BUSYBOX = "rootfs/bin/busybox"


class Outcome(NamedTuple):
    """What a person sees of a run: whether it is green, the log, and the job summaries."""

    code: int
    log: str

    @property
    def summary(self) -> str:
        """The lines of the summaries, as act prints them in the log."""
        return "\n".join(re.findall(r"Summary - ([\s\S]*?)(?=\n\[|\Z)", self.log))


class Project:
    """The repository `acme/shop`. `secrets` and `variables` are what GitHub holds for it."""

    def __init__(self, bed: Bed, github: FakeGitHub, root: Path) -> None:
        self.bed = bed
        self.github = github
        self.folder = root / "clone"
        self.secrets = {"GITHUB_TOKEN": TOKEN, "GREETING": GREETING}
        self.variables: dict[str, str] = {}
        self._work = bed.work / root.name
        self._programs = self._work / "bin"
        self._programs.mkdir(parents=True)
        shutil.copy2(tools.act(), self._programs)

    def git(self, *argv: str) -> str:
        author = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
        argv = ("git", "-C", str(self.folder), *author, *argv)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def gen_workflow(self, *argv: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "generator"),
            "HOME": str(self.folder),
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
        }
        command = (sys.executable, "-m", "gen_workflow", *argv, "-C", str(self.folder))
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        print(done.stdout, done.stderr)
        return done

    def commit_the_workflow(self) -> None:
        """Get the workflow to main through a pull request with one verified commit."""
        done = self.gen_workflow("commit", "--repo", SLUG)
        assert done.returncode == 0, done.stdout + done.stderr
        self.github.merge(SLUG, 1)
        (self.folder / SPEC).unlink()
        self.git("pull", "-q", "origin", "main")

    def change_the_spec(self, before: str, after: str) -> None:
        """Replace a part of the spec, and generate the workflow from it."""
        spec = self.folder / SPEC
        assert before in spec.read_text()
        spec.write_text(spec.read_text().replace(before, after))
        assert self.gen_workflow("generate").returncode == 0

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
        checkout = self._work / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        source = self.github.clone_url(SLUG)
        subprocess.run(("git", "clone", "-q", source, str(checkout)), check=True)
        origin = ("remote", "set-url", "origin", f"https://github.com/{SLUG}.git")
        subprocess.run(("git", "-C", str(checkout), *origin), check=True)
        with_programs = ("sh", "-c", 'PATH="$0:$PATH" exec "$@"', str(self._programs))
        act = self._act(checkout)
        done = self.bed.runner.run(*with_programs, *act, cwd=checkout, check=False)
        log = done.stdout + done.stderr
        print(log)  # seen in a demo, and when the test fails
        return Outcome(done.returncode, log)

    def install(self, program: Path) -> None:
        """Give the runner a program that lies where it sees it, such as in the cache."""
        (self._programs / program.name).symlink_to(program)

    def _act(self, checkout: Path) -> tuple[str, ...]:
        text = (checkout / ".github/workflows/ci-cd.yml").read_text()
        (pin,) = set(re.findall(rf"{OURS}/actions/[a-z-]+@([0-9a-f]{{40}})", text))
        self._write_event(checkout)
        return (
            "act",
            "push",
            "--platform=ubuntu-24.04=-self-hosted",
            f"--local-repository={OURS}@{pin}={self._actions()}",
            f"--eventpath={self._work / 'event.json'}",
            f"--secret-file={self._write('secrets', self.secrets)}",
            f"--var-file={self._write('vars', self.variables)}",
            f"--action-cache-path={self._work / 'act'}",
            "--actor=octocat",
            "--container-daemon-socket=-",
            "--no-cache-server",
        )

    def _actions(self) -> Path:
        """Copy what a user of the actions gets; act copies the folder again for every step."""
        target = self._work / "gen-workflow"
        if not target.exists():
            shutil.copytree(ROOT / "actions", target / "actions")
        return target

    def _write_event(self, checkout: Path) -> None:
        head = subprocess.check_output(("git", "-C", str(checkout), "rev-parse", "HEAD"), text=True)
        owner, _, name = SLUG.partition("/")
        repository = {"name": name, "full_name": SLUG, "owner": {"login": owner}}
        event = {"ref": "refs/heads/main", "after": head.strip(), "repository": repository}
        (self._work / "event.json").write_text(json.dumps(event))

    def _write(self, file: str, values: Mapping[str, str]) -> Path:
        lines = (f"{key}={json.dumps(value)}\n" for key, value in values.items())
        path = self._work / file
        path.write_text("".join(lines))
        return path


@contextlib.contextmanager
def project_of(example: Path, bed: Bed, root: Path) -> Iterator[Project]:
    """Make a repository of an example, as its README says, with a clone of it in `root`.

    The spec is not committed yet. The job token may push and pull the image.
    """
    files = {
        str(path.relative_to(example)): path
        for path in example.rglob("*")
        if path.is_file() and ".github" not in path.parts
    }
    files[BUSYBOX] = Path("/bin/busybox")
    spec = files.pop(SPEC).read_bytes()
    with FakeGitHub(root / "server") as github:
        github.create_repository(SLUG, {name: path.read_bytes() for name, path in files.items()})
        made = Project(bed, github, root)
        source = github.clone_url(SLUG)
        subprocess.run(("git", "clone", "-q", source, str(made.folder)), check=True)
        for name, path in files.items():
            (made.folder / name).chmod(path.stat().st_mode)
        made.git("commit", "-qam", "Make the programs executable")
        made.git("push", "-q", "origin", "HEAD:main")
        (made.folder / SPEC).write_bytes(spec)
        bed.registry.allow(TOKEN, f"{SLUG}:pull,push")
        yield made
