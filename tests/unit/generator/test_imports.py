"""What imports what: the two halves of the project stay apart, and the quick path stays quick."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from gen_workflow import stamp

ROOT = Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "generator" / "gen_workflow"
ACTIONS = ROOT / "actions" / "lib"
SLOW = ("argparse", "dataclasses", "github", "hashlib", "jinja2", "json", "pathlib", "ruamel.yaml")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_generator_and_the_actions_never_import_each_other() -> None:
    of_the_generator = packages(GENERATOR)
    of_the_actions = packages(ACTIONS)
    assert "gen_workflow" in of_the_generator, "imports are found"
    assert "ship" in of_the_actions, "imports are found"
    assert "ship" not in of_the_generator
    assert "gen_workflow" not in of_the_actions


def packages(folder: Path) -> set[str]:
    """Return the packages that the files of a folder import."""
    return {name.split(".")[0] for path in folder.rglob("*.py") for name in imported(path)}


def test_the_fingerprint_covers_every_module_that_decides_what_is_rendered() -> None:
    seen: set[str] = set()
    todo = ["render", "spec", "plan", "pins"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        own = {
            one.split(".")[1] for one in imported(GENERATOR / f"{name}.py") if "workflow." in one
        }
        todo += [one for one in own if (GENERATOR / f"{one}.py").exists()]
    assert {f"{name}.py" for name in seen} - {"errors.py"} == set(stamp.RENDERING) - {"pins.json"}


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_where_all_is_in_step_nothing_slow_is_imported(verb: str, tmp_path: Path) -> None:
    (tmp_path / "gen-workflow.yml").write_text("image: .\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    program = (
        f"import sys; sys.path.insert(0, {str(GENERATOR.parent)!r}); base = set(sys.modules);"
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
    assert "gen_workflow.stamp" in modules
    assert not {name for name in modules if name in SLOW}


def test_generate_never_imports_what_only_commit_needs() -> None:
    program = (
        "import sys; from gen_workflow import cli, generate, render;"
        "print('github' in sys.modules, 'requests' in sys.modules, 'argparse' in sys.modules)"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False"] * 3
