"""What imports what: the two halves of the project stay apart, and the quick path stays quick."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gen_workflow.sync import fingerprint

ROOT = Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "generator" / "gen_workflow"
ACTIONS = ROOT / "actions" / "lib"
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


# Each floor imports from lower floors only, and from its own room. docs/design.md says why.
FLOORS = (
    ("errors", "version", "first_use"),
    ("files",),
    ("workflow", "spec"),
    ("pins", "render", "report"),
    ("plan", "sync"),
    ("github",),
    ("commands",),
    ("cli",),
    ("__main__",),
)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(GENERATOR.parent).with_suffix("").parts)


MODULES = {module_of(path).removesuffix(".__init__"): path for path in GENERATOR.rglob("*.py")}
# Those of its own modules that each one imports, for types alone or inside a function too.
IMPORTS = {
    name: {one for one in imported(path) if one in MODULES} - {"gen_workflow"}
    for name, path in MODULES.items()
}


def room(module: str) -> str:
    return module.split(".")[1]


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room(name) for name in MODULES if name != "gen_workflow"}
    assert rooms == {name for floor in FLOORS for name in floor}


def test_no_module_imports_from_its_own_floor_or_a_higher_one() -> None:
    height = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    wrong = [
        f"{importer} imports {one}"
        for importer, found in IMPORTS.items()
        for one in found
        if room(importer) != room(one) and height[room(importer)] <= height[room(one)]
    ]
    assert wrong == []


def test_no_imports_make_a_circle() -> None:
    left = {name: set(found) for name, found in IMPORTS.items()}
    while free := [name for name, found in left.items() if not found & set(left)]:
        for name in free:
            del left[name]
    assert left == {}


def test_a_room_says_in_one_line_what_it_holds() -> None:
    for path in GENERATOR.rglob("__init__.py"):
        assert re.fullmatch(r'"""[A-Z].*\."""\n', path.read_text()), path


def test_the_fingerprint_covers_every_module_that_decides_what_is_rendered() -> None:
    seen: set[str] = set()
    todo = {
        f"gen_workflow.{name}" for name in ("render.template", "spec.load", "plan.pipeline")
    } | {"gen_workflow.pins.table"}
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= IMPORTS[name] - seen
    rooms = {room(name) for name in seen} - {"errors", "files"}
    assert rooms == {
        *fingerprint.ROOMS,
        *(name.removesuffix(".py") for name in fingerprint.MODULES),
    }


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
