"""A repository on a server, the person who works on it, and the runner that runs its workflows.

The server is GitHub-shaped and speaks real git. What a clone of the repository holds is executed by
act on the runner of the bed. act does not know environments: the secrets and variables of all of
them are one set, and nobody approves a deploy.
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
from typing import TYPE_CHECKING, Any, NamedTuple

from bed import tools
from bed.action_file import ROOT
from bed.github import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bed import Bed, Host

SLUG = "acme/shop"
TOKEN = "ghs_job_token_of_the_run_0123456789"
GREETING = "Good $(date) 'morning'"
SPEC = "gen-workflow.yml"
OURS = "gen-workflow/gen-workflow"
BUSYBOX = "rootfs/bin/busybox"
HEALTH = "rootfs/www/health"
WORKFLOWS = ".github/workflows"
# What act refuses, because it does not know it yet: no deployment is recorded for such a job.
UNKNOWN_TO_ACT = re.compile(r"^ +deployment: false\n", re.MULTILINE)
# What a case of tests/cases has beside the files of its repository.
GOLDEN = ("ci-cd.yml", "rollback.yml", "cleanup.yml", "build.yml")


class Outcome(NamedTuple):
    """What a person sees of a run: whether it is green, the log, and the job summaries."""

    code: int
    log: str

    @property
    def summary(self) -> str:
        """The lines of the summaries, as act prints them in the log."""
        return "\n".join(re.findall(r"Summary - ([\s\S]*?)(?=\n\[|\Z)", self.log))

    def jobs(self) -> dict[str, bool]:
        """Return the jobs that ran, by their names, and whether each has succeeded.

        act says WORKFLOW/JOB, and of a job that calls a workflow JOB/WORKFLOW/JOB THERE.
        """
        said = re.findall(r"^\[([^]\n]+)\].*Job (succeeded|failed)", self.log, re.MULTILINE)
        names = [(prefix.split("/"), result) for prefix, result in said]
        return {
            name[0 if len(name) == 3 else 1].strip(): result == "succeeded"
            for name, result in names
        }


class Project:
    """A repository, `slug`. `secrets` and `variables` are what GitHub holds for it.

    `platforms` are the labels of runners, of which each is the runner of the bed.
    """

    def __init__(self, bed: Bed, github: FakeGitHub, root: Path, slug: str = SLUG) -> None:
        self.slug = slug
        self.bed = bed
        self.github = github
        self.folder = root / "clone"
        self.secrets = {"GITHUB_TOKEN": TOKEN, "GREETING": GREETING}
        self.variables: dict[str, str] = {}
        self.platforms = ["ubuntu-24.04"]
        self._replaced: dict[str, Path] = {}
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
        done = self.gen_workflow("commit", "--repo", self.slug)
        assert done.returncode == 0, done.stdout + done.stderr
        self.github.merge(self.slug, 1)
        (self.folder / SPEC).unlink()
        self.git("pull", "-q", "origin", "main")

    def generate(self) -> None:
        """Generate the workflows of the spec. The next push has them."""
        done = self.gen_workflow("generate")
        assert done.returncode == 0, done.stdout + done.stderr

    def change(self, file: str, before: str, after: str) -> None:
        """Replace a part of a file."""
        path = self.folder / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))

    def change_the_spec(self, before: str, after: str) -> None:
        """Replace a part of the spec, and generate the workflows from it."""
        self.change(SPEC, before, after)
        self.generate()

    def logs_in_to(self, name: str, host: Host) -> None:
        """Let GitHub hold what a deploy needs for `ssh: name`."""
        self.secrets[f"{name}_SSH_KEY"] = host.private_key
        self.variables[f"{name}_HOST"] = host.name
        self.variables[f"{name}_USER"] = host.user
        self.variables[f"{name}_KNOWN_HOSTS"] = host.known_hosts

    def push(
        self, version: str, *folders: str, healthy: bool = True, branch: str = "main"
    ) -> Outcome:
        """Push a version of the app, or of the apps in folders, and run what GitHub would run."""
        for folder in folders or (".",):
            (self.folder / folder / "VERSION").write_text(version + "\n")
            health = self.folder / folder / HEALTH
            health.parent.mkdir(exist_ok=True)
            health.write_text("ok\n") if healthy else health.unlink(missing_ok=True)
        return self.push_files(f"Version {version}", branch=branch)

    def push_files(self, message: str, *, branch: str = "main") -> Outcome:
        """Push the files as they are, and run what GitHub would run."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "origin", f"HEAD:{branch}")
        return self.run(ref=f"refs/heads/{branch}")

    def release(self, tag: str) -> Outcome:
        """Publish a release of the last commit, and run what GitHub would run.

        GitHub tells it as `published` and as `released`; a workflow asks for one of them.
        """
        self.git("tag", tag)
        self.git("push", "-q", "origin", tag)
        asked = (self.folder / WORKFLOWS / "ci-cd.yml").read_text("utf-8")
        action = "released" if "- released\n" in asked else "published"
        payload = {"action": action, "release": {"tag_name": tag, "prerelease": False}}
        return self.run("release", ref=f"refs/tags/{tag}", payload=payload)

    def by_hand(self, workflow: str = "ci-cd.yml", **inputs: str) -> Outcome:
        """Start a run of main by hand. A person who changes nothing sends the defaults."""
        payload = {"inputs": inputs, "workflow": f"{WORKFLOWS}/{workflow}"}
        return self.run("workflow_dispatch", workflow=workflow, payload=payload)

    def run(
        self,
        event: str = "push",
        *,
        workflow: str = "ci-cd.yml",
        ref: str = "refs/heads/main",
        payload: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Execute a workflow of the commit that a ref has on the runner."""
        checkout = self._work / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        branch = ("--branch", ref.split("/", 2)[2])
        source = self.github.clone_url(self.slug)
        subprocess.run(("git", "clone", "-q", *branch, source, str(checkout)), check=True)
        origin = ("remote", "set-url", "origin", f"https://github.com/{self.slug}.git")
        subprocess.run(("git", "-C", str(checkout), *origin), check=True)
        path = checkout / WORKFLOWS / workflow
        path.write_text(UNKNOWN_TO_ACT.sub("", path.read_text()))
        self._write_event(checkout, ref, payload or {})
        with_programs = ("sh", "-c", 'PATH="$0:$PATH" exec "$@"', str(self._programs))
        act = self._act(event, path)
        done = self.bed.runner.run(*with_programs, *act, cwd=checkout, check=False)
        log = done.stdout + done.stderr
        print(log)  # seen in a demo, and when the test fails
        outcome = Outcome(done.returncode, log)
        if outcome.code == 0:
            self._compare_with_explain(event, set(outcome.jobs()))
        return outcome

    def _compare_with_explain(self, event: str, ran: set[str]) -> None:
        """Compare the jobs of a green run with what `explain` says of GitHub's JSON of its event.

        For some jobs it only says what they depend on, such as whether another one fails.
        """
        file = str(self._work / "event.json")
        said = self.gen_workflow("explain", "--json", "--event", event, "--payload", file)
        (answer,) = json.loads(said.stdout)["events"]
        (one,) = [each for each in answer["workflows"] if each["starts"]]
        jobs = {job["name"]: job["runs"] for job in one["jobs"]}
        certain = {name for name, runs in jobs.items() if runs == "runs"}
        assert certain <= ran <= {name for name, runs in jobs.items() if runs != "skipped"}

    def install(self, program: Path) -> None:
        """Give the runner a program that lies where it sees it, such as in the cache."""
        (self._programs / program.name).symlink_to(program)

    def replace(self, repository: str, files: Mapping[str, str]) -> None:
        """Let act take a repository of actions or workflows, at its pin, from these files."""
        folder = self._work / "replaced" / repository
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        workflows = [path.read_text() for path in (self.folder / WORKFLOWS).glob("*.yml")]
        (pin,) = set(re.findall(rf"{repository}(?:/\S+)?@([0-9a-f]{{40}})", "\n".join(workflows)))
        self._replaced[f"{repository}@{pin}"] = folder

    def _act(self, event: str, workflow: Path) -> tuple[str, ...]:
        replaced = self._replaced | {f"{OURS}@{pin}": self._actions() for pin in self._pins()}
        return (
            "act",
            event,
            f"--workflows={workflow}",
            *(f"--platform={label}=-self-hosted" for label in self.platforms),
            *(f"--local-repository={name}={folder}" for name, folder in replaced.items()),
            f"--eventpath={self._work / 'event.json'}",
            f"--secret-file={self._write('secrets', self.secrets)}",
            f"--var-file={self._write('vars', self.variables)}",
            f"--action-cache-path={self._work / 'act'}",
            "--actor=octocat",
            "--container-daemon-socket=-",
            "--no-cache-server",
        )

    def _pins(self) -> set[str]:
        """Return the commit of our actions in all workflows, and in those that these call."""
        folders = (self.folder / WORKFLOWS, *(each / WORKFLOWS for each in self._replaced.values()))
        texts = [path.read_text() for folder in folders for path in folder.glob("*.yml")]
        return set(re.findall(rf"{OURS}/actions/[a-z-]+@([0-9a-f]{{40}})", "\n".join(texts)))

    def _actions(self) -> Path:
        """Copy what a user of the actions gets; act copies the folder again for every step."""
        target = self._work / "gen-workflow"
        if not target.exists():
            shutil.copytree(ROOT / "actions", target / "actions")
        return target

    def _write_event(self, checkout: Path, ref: str, payload: Mapping[str, Any]) -> None:
        head = subprocess.check_output(("git", "-C", str(checkout), "rev-parse", "HEAD"), text=True)
        owner, _, name = self.slug.partition("/")
        repository = {"name": name, "full_name": self.slug, "owner": {"login": owner}}
        event = {"ref": ref, "after": head.strip(), "repository": repository, **payload}
        (self._work / "event.json").write_text(json.dumps(event))

    def _write(self, file: str, values: Mapping[str, str]) -> Path:
        lines = (f"{key}={json.dumps(value)}\n" for key, value in values.items())
        path = self._work / file
        path.write_text("".join(lines))
        return path


@contextlib.contextmanager
def project_of(example: Path, bed: Bed, root: Path) -> Iterator[Project]:
    """Make the repository `acme/shop` of an example: see `create`. It has a GitHub of its own.

    The job token may push and pull its images.
    """
    with FakeGitHub(root / "server") as github:
        bed.registry.allow(TOKEN, f"{SLUG}:pull,push", f"{SLUG}/*:pull,push")
        yield create(SLUG, example, bed, github, root)


def create(slug: str, example: Path, bed: Bed, github: FakeGitHub, root: Path) -> Project:
    """Make a repository of an example, as its README says, with a clone of it in `root`.

    The spec is in the clone, and not committed yet.
    """
    files = {
        str(path.relative_to(example)): path
        for path in example.rglob("*")
        if path.is_file() and ".github" not in path.parts and path.name not in GOLDEN
    }
    for folder in apps(example):
        files[str(folder / BUSYBOX)] = Path("/bin/busybox")
    spec = files.pop(SPEC, None)
    github.create_repository(slug, {name: path.read_bytes() for name, path in files.items()})
    made = Project(bed, github, root, slug)
    source = github.clone_url(slug)
    subprocess.run(("git", "clone", "-q", source, str(made.folder)), check=True)
    for name, path in files.items():
        (made.folder / name).chmod(path.stat().st_mode)
    made.git("commit", "-qam", "Make the programs executable", "--allow-empty")
    made.git("push", "-q", "origin", "HEAD:main")
    if spec:
        (made.folder / SPEC).write_bytes(spec.read_bytes())
    return made


def apps(example: Path) -> list[Path]:
    """Return the folders that an example builds, relative to it: those that get `VERSION`."""
    found = [path.parent.relative_to(example) for path in example.rglob("Dockerfile")]
    return [Path() if folder.name in ("docker", "") else folder for folder in found]
