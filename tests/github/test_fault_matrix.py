"""Every request of every flow meets every fault: the flow converges, or stops with a clear message.

What a cut run has left behind is mended by the next one, which ends where an uncut run does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.github import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed.github import FakeGitHub, Repository
    from bed.skipped_time import SkippedTime

BRANCH = "gen-workflow/update"
DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
SPEC = (
    "image: .\ndeploy: {ssh: vps, run: {ports: ['8080:8080'], env: [GREETING]}, health: /health}\n"
)
OLD = SPEC.replace("/health", "/old")
VALUES = """\
GREETING: hello
VPS_HOST: vps.example.com
VPS_USER: app
VPS_KNOWN_HOSTS: vps ssh-ed25519 AAAA
VPS_SSH_KEY: "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Blbg\\n-----END OPENSSH PRIVATE KEY-----\\n"
"""
# Seconds: longer than the client waits for an answer in these tests.
NEVER = 1.5
FAULTS: dict[str, dict[str, Any]] = {
    "502": {"status": 502, "message": "Server Error"},
    "502 after the effect": {"status": 502, "message": "Server Error", "lost": True},
    "reset": {"status": 0, "cut": True},
    "reset after the effect": {"status": 0, "cut": True, "lost": True},
    "secondary limit": {
        "status": 403,
        "message": "You have exceeded a secondary rate limit.",
        "headers": {"Retry-After": "60"},
    },
    "401": {"status": 401, "message": "Bad credentials"},
    "404": {"status": 404, "message": "Not Found"},
    "409": {"status": 409, "message": "Conflict"},
    "422": {"status": 422, "message": "Validation Failed"},
    "slow": {"status": 0, "delay": 0.1},
    "no answer in time": {"status": 0, "delay": NEVER},
}
# A run that meets one of these goes on by itself.
PASSES = {
    "502",
    "502 after the effect",
    "reset",
    "reset after the effect",
    "slow",
    "no answer in time",
}


@dataclass(frozen=True)
class Run:
    """One run of one flow on repositories of its own."""

    github: FakeGitHub
    command: Callable[..., Any]
    folder: Path
    name: str

    @property
    def slug(self) -> str:
        return f"acme/{self.name}"

    @property
    def slugs(self) -> list[str]:
        return [one for one in self.github.slugs if one.startswith(self.slug)]

    def create(self, slug: str = "") -> None:
        self.github.create_repository(slug or self.slug, DOCKERFILE)

    def commit(self, spec: str = SPEC, *options: str) -> Any:
        self.folder.joinpath("Dockerfile").write_bytes(DOCKERFILE["Dockerfile"])
        self.folder.joinpath("gen-workflow.yml").write_text(spec)
        return self.command("commit", "-C", str(self.folder), "--repo", self.slug, *options)

    def fleet(self, act: str, spec: str = SPEC) -> Any:
        names = [one.removeprefix("acme/") for one in self.slugs]
        repos = "".join(f"  {name}: {{}}\n" for name in names)
        defaults = spec.replace("\n", "\n  ").rstrip()
        text = f"owner: acme\ndefaults:\n  {defaults}\nrepos:\n{repos}"
        self.folder.joinpath("fleet.yml").write_text(text)
        return self.command("fleet", act)

    def bootstrap(self, *options: str) -> Any:
        self.folder.joinpath("Dockerfile").write_bytes(DOCKERFILE["Dockerfile"])
        self.folder.joinpath("gen-workflow.yml").write_text(SPEC)
        values = self.folder / "values.yml"
        values.write_text(VALUES)
        values.chmod(0o600)
        given = ("-C", str(self.folder), "--values", str(values), "--yes")
        return self.command("bootstrap", self.slug, *given, *options)

    def state(self) -> list[Any]:
        """Return what the run has come to, but for the names of commits."""
        return [self._state(slug) for slug in self.slugs]

    def _files(self, of: Repository, branch: str) -> dict[str, bytes]:
        names = of.git.files(branch)
        return {name: of.git.content(of.git.oid(f"{branch}:{name}") or "") for name in names}

    def _state(self, slug: str) -> Any:
        of = self.github.repository(slug)
        heads = of.git.below("refs/heads")
        made = of.git.history(of.git.head(BRANCH) or "main", of.git.head("main") or "")
        files = [self._files(of, name.removeprefix("refs/heads/")) for name in heads]
        pulls = [
            (one.number, one.state, one.head, one.base, one.title, one.body) for one in of.pulls
        ]
        handled = [(one.labels, one.requested) for one in of.pulls]
        messages = [of.git.message(one) for one in made]
        return heads, messages, files, pulls, handled, of.private, of.kept.settings()


def commit(run: Run) -> Callable[[], Any]:
    run.create()
    return run.commit


def commit_over_an_older_one(run: Run) -> Callable[[], Any]:
    """Their pull request was merged meanwhile, so that our branch has to start again."""
    run.create()
    assert run.commit().code == 0
    assert run.commit(OLD, "--branch", "theirs").code == 0
    of = run.github.repository(run.slug)
    theirs = {
        path: of.git.content(of.git.oid(f"theirs:{path}") or "") for path in of.git.files("theirs")
    }
    of.change("main", theirs)
    of.git.delete("refs/heads/theirs")
    of.pulls.pop()
    return run.commit


def plan(run: Run) -> Callable[[], Any]:
    """The file of a spec of its own is in a folder, so that there is a second question."""
    run.create()
    spec = SPEC.replace("image: .", "image: web")
    run.github.repository(run.slug).change("main", {"web/Dockerfile": b"FROM scratch\n"})
    return lambda: run.fleet("plan", spec)


def apply(run: Run) -> Callable[[], Any]:
    run.create(f"{run.slug}-one")
    run.create(f"{run.slug}-two")
    return lambda: run.fleet("apply")


def apply_over_an_older_one(run: Run) -> Callable[[], Any]:
    run.create()
    assert run.fleet("apply", OLD).code == 0
    return lambda: run.fleet("apply")


def apply_after_a_merge(run: Run) -> Callable[[], Any]:
    """Our branch was merged and is still there."""
    run.create()
    assert run.fleet("apply", OLD).code == 0
    run.github.merge(run.slug, 1)
    return lambda: run.fleet("apply")


def commit_with_labels(run: Run) -> Callable[[], Any]:
    run.create()
    run.github.repository(run.slug).access.add("octodog")
    return lambda: run.commit(SPEC, "--label", "ci", "--reviewer", "octodog")


def bootstrap(run: Run) -> Callable[[], Any]:
    """Nothing is there yet."""
    run.github.add_account("acme", organization=True)
    return run.bootstrap


def bootstrap_what_is_there(run: Run) -> Callable[[], Any]:
    run.create()
    return run.bootstrap


FLOWS = (
    commit,
    commit_with_labels,
    bootstrap,
    bootstrap_what_is_there,
    commit_over_an_older_one,
    plan,
    apply,
    apply_over_an_older_one,
    apply_after_a_merge,
)
IN_EVERY_RUN = {
    (apply, "reset after the effect"),
    (apply, "secondary limit"),
    (apply, "422"),
    (commit, "reset"),
}


def cells() -> Iterator[Any]:
    for flow in FLOWS:
        for fault in FAULTS:
            few = () if (flow, fault) in IN_EVERY_RUN else (pytest.mark.test_all,)
            yield pytest.param(flow, fault, marks=few, id=f"{flow.__name__}: {fault}")


@pytest.fixture
def runs(
    github: FakeGitHub,
    skipped: SkippedTime,
    command: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    github.limits.clock = skipped.now
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def made(number: int) -> Run:
        folder = tmp_path / f"{number}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        skipped.sleep(2 * 3600)  # until GitHub has forgotten what the run before has changed
        return Run(github, command, folder, f"app{number:03}")

    return map(made, count(1))


@pytest.mark.parametrize(("flow", "fault"), list(cells()))
def test_a_fault_of_any_request_is_passed_or_told_and_mended_by_the_next_run(
    github: FakeGitHub,
    runs: Iterator[Run],
    flow: Callable[[Run], Callable[[], Any]],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uncut = next(runs)
    act = flow(uncut)
    begin = len(github.calls)
    ran = act()
    code = ran.code
    assert code in (0, 1), ran.stderr
    wanted = _plain(uncut)
    requests = github.operations[begin:]
    assert len(requests) > 0
    if fault == "no answer in time":
        monkeypatch.setattr(connection, "_TIMEOUT", 1)
    for at, operation in enumerate(requests):
        run = next(runs)
        act = flow(run)
        github.fail("", after=at, **FAULTS[fault])
        cut = act()
        told = f"{at}: {operation}\n{cut.stdout}{cut.stderr}"
        assert cut.code in (0, 1, 2), told
        assert not github.faults, f"it was not met: {told}"
        if fault in PASSES:
            assert (cut.code, _plain(run)) == (code, wanted), told
        elif cut.code != code:
            # An empty repository answers with 409, and what is not set with 404: then all is done
            # that is possible for such a repository, and the next run does the rest.
            assert "hint: " in cut.stdout + cut.stderr or "left for you:" in cut.stdout, told
        again = act()
        assert again.code == code, f"{told}\n---\n{again.stdout}{again.stderr}"
        assert _plain(run) == wanted, told


def _plain(run: Run) -> str:
    return f"{run.state()}".replace(run.name, "app")
