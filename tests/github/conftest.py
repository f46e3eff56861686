"""A project on disk, a GitHub that has its repository, and the command as a person types it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bed.github import FakeGitHub, Repository
from bed.skipped_time import SkippedTime
from gen_workflow import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SPEC = b"""\
image: .
deploy:
  ssh: vps
  run: {ports: ["8080:8080"], env: [GREETING]}
  health: /health
"""
SMALL = b"image: .\ndeploy: {ssh: vps, run: {ports: ['8080:8080']}, health: /health}\n"
# What the small spec needs.
HOST = {
    "VPS_HOST": "vps.example.com",
    "VPS_USER": "app",
    "VPS_KNOWN_HOSTS": "vps.example.com ssh-ed25519 AAAA",
    "VPS_SSH_KEY": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END",
}


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what goes to the loopback interface off a proxy that the machine may have."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as server:
        yield server


@pytest.fixture
def skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SkippedTime:
    """Let nobody wait: what sleeps goes on at once, and finds the clock ahead by as much."""
    time = SkippedTime.begin(tmp_path)
    time.drive(monkeypatch.setattr)
    return time


@pytest.fixture
def app(github: FakeGitHub) -> Repository:
    return github.create_repository("acme/app", files={"Dockerfile": b"FROM scratch\n"})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_bytes(b"FROM scratch\n")
    (folder / "gen-workflow.yml").write_bytes(SPEC)
    return folder


@pytest.fixture
def command(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run `gen-workflow` with a token for this GitHub, which it must never print."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("GITHUB_API_URL", github.url)

    def run(*words: str, token: str = github.token) -> Ran:
        monkeypatch.setenv("GH_TOKEN", token)
        code = cli.main([*words])
        said = capsys.readouterr()
        assert not token or token not in said.out + said.err
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def fleet(
    command: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run `gen-workflow fleet` beside its file, which the test writes; options may follow."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return partial(command, "fleet")


@pytest.fixture
def commit(command: Callable[..., Ran], project: Path) -> Callable[..., Ran]:
    """Run `gen-workflow commit` on the project; options may follow."""

    def run(*options: str, repo: str = "acme/app", **given: str) -> Ran:
        named = ("--repo", repo) if repo else ()
        return command("commit", "-C", str(project), *named, *options, **given)

    return run


@pytest.fixture
def acme(github: FakeGitHub) -> None:
    github.add_account("acme", organization=True, teams=("platform",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small spec, as `bootstrap` gets it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_bytes(b"FROM scratch\n")
    (folder / "gen-workflow.yml").write_bytes(SMALL)
    return folder


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Export what the small spec needs."""
    for name, value in HOST.items():
        monkeypatch.setenv(name, value)
    return HOST


@pytest.fixture
def bootstrap(command: Callable[..., Ran], folder: Path) -> Callable[..., Ran]:
    """Run `gen-workflow bootstrap acme/shop` on the folder; options may follow."""
    return partial(command, "bootstrap", "acme/shop", "-C", str(folder))
