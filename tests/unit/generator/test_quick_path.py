"""A command that has nothing to do loads nothing slow, and no verb loads what another needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gen_workflow

FOLDER = Path(gen_workflow.__file__).parents[1]
SLOW = (
    "argparse",
    "dataclasses",
    "github",
    "hashlib",
    "jinja2",
    "json",
    "pathlib",
    "ruamel.yaml",
    "typing",
)


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_where_all_is_in_step_nothing_slow_is_imported(verb: str, tmp_path: Path) -> None:
    (tmp_path / "gen-workflow.yml").write_text("image: .\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    program = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r}); base = set(sys.modules);"
        f"sys.argv[1:] = [{verb!r}, '-C', {str(tmp_path)!r}];"
        "from gen_workflow.__main__ import main; main(); print(*(set(sys.modules) - base))"
    )
    python = (sys.executable, "-I", "-c", program)
    subprocess.run(python, check=True, capture_output=True)
    subprocess.run(
        (sys.executable, "-m", "gen_workflow", "generate", "-C", str(tmp_path)),
        check=True,
        capture_output=True,
    )
    done = subprocess.run(python, check=True, capture_output=True, text=True)
    modules = done.stdout.splitlines()[-1].split()
    assert "gen_workflow.sync.stamp" in modules
    assert not {name for name in modules if name in SLOW}


def test_generate_never_imports_what_only_commit_needs() -> None:
    program = (
        "import sys; from gen_workflow import cli;"
        "from gen_workflow.commands import check, generate;"
        "print('github' in sys.modules, 'requests' in sys.modules, 'argparse' in sys.modules)"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False"] * 3
