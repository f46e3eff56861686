"""Measures what a fleet costs: requests and time against loops over PyGithub, and memory.

The rivals are what one writes by hand with the same library: a loop that gets each file of each
repository and compares it, and the API of contents, which makes one commit a file. The GitHub is
that of the tests, where an answer is 60 ms on its way. The time of a loop is that of its requests
without any pacing, so that of its changes is not what GitHub would allow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from paired import INSTALLED, ROOT, read_rounds

SIZE = 100
# Before the imports of what only .venv has, so that --help prints help with any Python.
ASKED = read_rounds(__doc__, SIZE) if __name__ == "__main__" else SIZE

from github import Auth, Github, UnknownObjectException  # noqa: E402 - as said above

sys.path[:0] = [str(ROOT / "tests")]

from bed.github import FakeGitHub  # noqa: E402 - found in the folder of the tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LATENCY = 0.06  # seconds
MOST_REQUESTS = 20  # for a thousand repositories
# Of memory, from a hundred repositories to five thousand: the file, and where each stands.
MOST_GROWTH = 1.3
SIZES = (100, 1000, 5000)
DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
PATHS = ("gen-workflow.yml", ".github/workflows/ci-cd.yml", ".github/workflows/rollback.yml")
FILE = """\
owner: acme
defaults:
  name: "{repo}"
  image: .
  deploy: {ssh: vps, run: {ports: ["8080:8080"]}, health: /health}
repos:
"""
# Runs the command, and tells last how much memory it had at most: that of its parent is not in it.
PROGRAM = """\
import sys
from pathlib import Path
from gen_workflow.__main__ import main
code = main()
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024, file=sys.stderr)
sys.exit(code)
"""


class Cost(NamedTuple):
    """Requests, seconds, and MiB of memory at the highest."""

    requests: int
    seconds: float
    memory: float = 0.0


def main() -> int:
    """Print the tables. Return 1 when a thousand need too many requests, or memory grows."""
    looks = {"gen-workflow fleet plan": _plan, "PyGithub, a loop": _loop, "PyGithub, lazy": _lazy}
    _show(f"to look at {ASKED} repositories, three files each", looks)
    writes = {"gen-workflow fleet apply": _apply, "PyGithub, API of contents": _contents}
    _show(f"to open {ASKED // 10} pull requests, three files each", writes)
    print("\nto look at more")
    costs = {size: _with(size, _plan) for size in SIZES}
    for size, cost in costs.items():
        print(
            f"{size:>6} {cost.requests:>5} requests {cost.seconds:>7.1f} s {cost.memory:>6.0f} MiB"
        )
    growth = costs[SIZES[-1]].memory / costs[SIZES[0]].memory
    print(f"memory x {growth:.2f}, budget x {MOST_GROWTH}")
    return int(costs[1000].requests > MOST_REQUESTS or growth > MOST_GROWTH)


def _show(what: str, commands: Mapping[str, Callable[[FakeGitHub, Path, list[str]], Cost]]) -> None:
    print(f"\n{what}")
    for name, command in commands.items():
        cost = _with(ASKED, command)
        print(f"{name:<26} {cost.requests:>5} requests {cost.seconds:>7.1f} s")


def _with(size: int, command: Callable[[FakeGitHub, Path, list[str]], Cost]) -> Cost:
    """Return what a command costs on a fresh GitHub."""
    with tempfile.TemporaryDirectory(prefix="gen-workflow-bench-") as name:
        folder = Path(name)
        with FakeGitHub(folder / "github", latency=LATENCY) as github:
            slugs = [f"acme/app{number:04}" for number in range(size)]
            for slug in slugs:
                github.create_repository(slug, DOCKERFILE)
            repos = "".join(f"  {slug.partition('/')[2]}: {{}}\n" for slug in slugs)
            (folder / "fleet.yml").write_text(FILE + repos)
            return command(github, folder, slugs)


def _plan(github: FakeGitHub, folder: Path, _: list[str]) -> Cost:
    return _ours(github, folder, "plan")


def _apply(github: FakeGitHub, folder: Path, slugs: list[str]) -> Cost:
    """Look at all, and open a tenth of the pull requests: more in a minute would have to wait."""
    return _ours(github, folder, "apply", "--limit", f"{len(slugs) // 10}")


def _ours(github: FakeGitHub, folder: Path, *words: str) -> Cost:
    environment = {
        **os.environ,
        "GH_TOKEN": github.token,
        "GITHUB_API_URL": github.url,
        "XDG_STATE_HOME": str(folder / "state"),
    }
    argv = (str(INSTALLED.with_name("python")), "-c", PROGRAM, "fleet", *words)
    before, begun = len(github.calls), time.perf_counter()
    ran = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    assert ran.returncode in (0, 1), ran.stderr
    return Cost(len(github.calls) - before, seconds, float(ran.stderr.splitlines()[-1]))


def _loop(github: FakeGitHub, _: Path, slugs: list[str]) -> Cost:
    return _of_files(github, slugs, lazy=False)


def _lazy(github: FakeGitHub, _: Path, slugs: list[str]) -> Cost:
    return _of_files(github, slugs, lazy=True)


def _of_files(github: FakeGitHub, slugs: list[str], *, lazy: bool) -> Cost:
    begun, client = time.perf_counter(), _client(github, lazy=lazy)
    for slug in slugs:
        repository = client.get_repo(slug)
        for path in PATHS:
            with suppress(UnknownObjectException):  # it has no such file
                repository.get_contents(path)
    client.close()
    return Cost(len(github.calls), time.perf_counter() - begun)


def _contents(github: FakeGitHub, _: Path, slugs: list[str]) -> Cost:
    """Make a branch, a commit for each file and a pull request; the repositories were looked at."""
    begun, client = time.perf_counter(), _client(github)
    for slug in slugs[: len(slugs) // 10]:
        repository = client.get_repo(slug)
        head = repository.get_git_ref(f"heads/{repository.default_branch}").object.sha
        repository.create_git_ref("refs/heads/update", head)
        for path in PATHS:
            repository.create_file(path, f"Add {path}", "text\n", branch="update")
        repository.create_pull(repository.default_branch, "update", title="Update")
    client.close()
    return Cost(len(github.calls), time.perf_counter() - begun)


def _client(github: FakeGitHub, *, lazy: bool = False) -> Github:
    """Return a client that does not wait between requests, as PyGithub does by itself."""
    return Github(
        auth=Auth.Token(github.token),
        base_url=github.url,
        lazy=lazy,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


if __name__ == "__main__":
    sys.exit(main())
