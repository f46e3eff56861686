"""What `make test` says is true: nothing is skipped unseen, and nothing missing passes for run."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.tools import Cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TESTS = Path(__file__).parents[1]
SETUP = TESTS / "bed" / "setup.py"
TEST = """\
import pytest

@pytest.mark.parametrize("reason", [None, {reason!r}])
def test_one(reason):
    if reason:
        pytest.skip(reason)
"""
Pytest = subprocess.CompletedProcess[str]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Pytest]:
    """Run a small project of two tests under our conftest.py."""

    def start(reason: str, **env: str) -> Pytest:
        (tmp_path / "tests" / "unit").mkdir(parents=True, exist_ok=True)
        shutil.copy(TESTS / "conftest.py", tmp_path / "tests")
        (tmp_path / "tests" / "unit" / "test_one.py").write_text(TEST.format(reason=reason))
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\n")
        argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests")
        return _run(argv, {"CI": "", **env}, tmp_path)

    return start


def _run(argv: tuple[str, ...], env: Mapping[str, str], folder: Path) -> Pytest:
    return subprocess.run(
        argv, cwd=folder, env=os.environ | env, capture_output=True, text=True, check=False
    )


def test_the_table_says_what_was_skipped_and_why(run: Callable[..., Pytest]) -> None:
    done = run("no such luck")
    assert "unit              1       1       0        1" in done.stdout
    assert "1 skipped: no such luck" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout.splitlines()[-1]


def test_under_ci_a_skip_is_a_failure(run: Callable[..., Pytest]) -> None:
    done = run("no such luck", CI="true")
    assert done.returncode == 1
    assert "skipped, which is a failure under CI: no such luck" in done.stdout


def test_under_ci_what_a_machine_cannot_is_skipped(run: Callable[..., Pytest]) -> None:
    done = run(f"act: {Cannot.GO_PROXY.reason} (dial tcp)", CI="true")
    assert done.returncode == 0
    assert Cannot.GO_PROXY.reason in done.stdout


@pytest.mark.parametrize("name", ["actionlint", "kubebed"])
def test_a_go_program_without_the_module_proxy_is_what_this_machine_cannot(
    tmp_path: Path, name: str
) -> None:
    env = {"GOPROXY": "off", "GOMODCACHE": str(tmp_path), "GEN_WORKFLOW_CACHE": str(tmp_path)}
    done = _run((sys.executable, str(SETUP), "--install", name), env, tmp_path)
    assert done.returncode == 3, done.stderr
    assert Cannot.GO_PROXY.reason in done.stdout.splitlines()[-1]
    assert not list(tmp_path.glob("go/*"))


def test_a_program_that_is_missing_never_stops_the_other_components(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    env = {"PATH": str(empty), "GEN_WORKFLOW_CACHE": str(tmp_path / "cache")}
    done = _run((sys.executable, str(SETUP), "npm", "actionlint"), env, tmp_path)
    assert done.returncode == 0, done.stderr
    for name, program in (("npm", "node --version"), ("actionlint", "go version")):
        assert f"set-up: {name:11} FAILED" in done.stdout
        assert f"`{program}` does not work" in done.stdout


def test_no_folder_of_tests_is_passed_over(request: pytest.FixtureRequest) -> None:
    passed_over = request.config.getini("norecursedirs")
    files = list(TESTS.rglob("test_*.py"))
    assert Path(__file__) in files
    for path in files:
        for part in path.relative_to(TESTS).parts:
            assert not any(fnmatch.fnmatch(part, pattern) for pattern in passed_over), path
