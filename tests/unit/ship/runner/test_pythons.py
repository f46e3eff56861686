"""The actions on every Python that this machine has, started as action.yml starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).parents[4] / "actions/lib"
# Where Pythons are: the PATH, and what pyenv has beside it.
FOLDERS = (*os.get_exec_path(), *map(str, Path.home().glob(".pyenv/versions/*/bin")))


def found(*names: str) -> list[str]:
    """Return the first of each name that really runs: a shim may lead nowhere."""
    return [path for name in names if (path := next(filter(runs, candidates(name)), ""))]


def candidates(name: str) -> list[str]:
    return [path for folder in FOLDERS if os.access(path := f"{folder}/{name}", os.X_OK)]


def runs(path: str) -> bool:
    return subprocess.run((path, "-c", ""), check=False, capture_output=True).returncode == 0


SUPPORTED = tuple(f"python3.{minor}" for minor in range(10, 15))
OLD = tuple(f"python3.{minor}" for minor in range(6, 10))


def start(python: str, tmp_path: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "Dockerfile").touch()
    env = {"PATH": "/usr/bin:/bin", "GITHUB_WORKSPACE": str(tmp_path), **inputs}
    argv = (python, "-Iu", str(LIB), "build-push")
    return subprocess.run(argv, env=env, cwd=tmp_path, check=False, capture_output=True, text=True)


def test_every_supported_python_plans_the_same(tmp_path: Path) -> None:
    given = {
        "INPUT_IMAGE": "ghcr.io/acme/app",
        "INPUT_TAGS": "1",
        "INPUT_PUSH": "auto",
        "INPUT_DRY_RUN": "true",
    }
    for python in (sys.executable, *found(*SUPPORTED)):
        done = start(python, tmp_path, **given)
        assert done.returncode == 0, f"{python}: {done.stdout}{done.stderr}"
        assert "\n1. build app and push it to ghcr.io/acme/app\n" in done.stdout, python


def test_a_dry_run_does_not_load_what_starts_programs(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    env = {"PATH": "/usr/bin:/bin", "GITHUB_WORKSPACE": str(tmp_path), "INPUT_PUSH": "false"}
    argv = (sys.executable, "-X", "importtime", "-Iu", str(LIB), "build-push")
    loaded = {}
    for dry_run in ("true", "false"):
        given = {**env, "INPUT_IMAGE": "ghcr.io/acme/app", "INPUT_TAGS": "1"}
        given |= {"INPUT_DRY_RUN": dry_run, "RUNNER_TEMP": str(tmp_path)}
        done = subprocess.run(argv, env=given, check=False, capture_output=True, text=True)
        loaded[dry_run] = "ship.runner.process" in done.stderr
    assert loaded == {"true": False, "false": True}


def test_an_old_python_gets_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    # This one in disguise, for machines that have no old one.
    disguise = "import sys; sys.version_info = (3, 9, 0); exec(open(sys.argv[1]).read())"
    played = (sys.executable, "-c", disguise, str(LIB / "__main__.py"))
    done = subprocess.run(played, check=False, capture_output=True, text=True)
    for each in [done, *(start(python, tmp_path) for python in found(*OLD))]:
        assert each.returncode == 2
        assert "needs python3 3.10 or newer on the runner, and found 3." in each.stdout
        assert "Traceback" not in each.stdout + each.stderr


def test_a_module_of_the_workspace_is_never_imported(tmp_path: Path) -> None:
    for name in ("json.py", "re.py", "subprocess.py"):
        (tmp_path / name).write_text("print('HIJACKED')\n")
    (tmp_path / "ship").mkdir()
    (tmp_path / "ship" / "__init__.py").write_text("print('HIJACKED')\n")
    argv, env = (sys.executable, "-c", "import json"), {"PYTHONPATH": str(tmp_path)}
    fooled = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    assert fooled.stdout == "HIJACKED\n", "another program does import it"
    done = start(sys.executable, tmp_path, PYTHONPATH=str(tmp_path), INPUT_DRY_RUN="true")
    assert "HIJACKED" not in done.stdout + done.stderr
