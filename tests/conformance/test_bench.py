"""Every measurement says what it is, whatever Python is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conformance.structure import ROOT

BENCHES = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "paired")


def start(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start a bench with a Python that has no packages."""
    argv = (sys.executable, "-S", str(ROOT / "bench" / f"{name}.py"), *arguments)
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", BENCHES)
def test_help_is_help(name: str) -> None:
    done = start(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {name}.py")
    assert "Measures" in done.stdout


@pytest.mark.parametrize("name", ["build_push", "ssh_deploy", "kubectl_set_image", "generate"])
def test_a_python_without_the_packages_is_told_so_in_a_sentence(name: str) -> None:
    done = start(name)
    assert done.returncode == 2
    assert "run it as .venv/bin/python" in done.stderr
