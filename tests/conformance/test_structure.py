"""The structure of the actions, drawn from their imports and their syntax."""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LIB = Path(__file__).parents[2] / "actions" / "lib"
# From the bottom to the top: a room may use what is in lower layers and in itself.
LAYERS = (("runner",), ("images", "ssh"), ("build_push", "ssh_deploy"))
ROOMS = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
STARTS = ("subprocess.", "Popen", "os.system", "os.popen", "os.fork", "os.posix_spawn", "os.exec")
# In lines: the median, what nine of ten functions have at most, and the longest.
LIMITS = (7, 17, 47)


def name_of(path: Path) -> str:
    parts = path.relative_to(LIB).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(LIB.glob("ship/**/*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def imported(name: str) -> Iterator[str]:
    """Yield the modules that a module imports anywhere, also for its types only."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{name} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in FILES else node.module


IMPORTS = {name: {each for each in imported(name) if each in FILES} for name in FILES}


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def users_of(*names: str) -> set[str]:
    """Return the modules that use a name, such as `os.environ`, by any import."""
    return {name for name, tree in TREES.items() if set(names) & set(dotted(tree))}


def froms(tree: ast.AST) -> Iterator[str]:
    """Yield `module.name` of each import from a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(tree: ast.AST) -> Iterator[str]:
    """Yield each name and each dotted name in a module, and `module.name` of what it imports."""
    yield from froms(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield ast.unparse(node)


def test_every_room_has_a_place_in_the_layers() -> None:
    assert {room(name) for name in FILES} - {""} == set(ROOMS)


@pytest.mark.parametrize("name", FILES)
def test_only_the_standard_library_is_imported(name: str) -> None:
    # For types only: Python has `Self` from 3.11 on.
    allowed = {*sys.stdlib_module_names, "ship", "typing_extensions"}
    assert {each.partition(".")[0] for each in imported(name)} <= allowed


@pytest.mark.parametrize("name", FILES)
def test_no_import_goes_up_or_to_a_neighbour(name: str) -> None:
    own = room(name)
    for each in IMPORTS[name]:
        other = room(each)
        assert other in ("", own) or ROOMS[other] < ROOMS[own], f"{name} imports {each}"


def test_only_main_names_the_actions() -> None:
    actions = ("build_push", "ssh_deploy")
    naming = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(tuple(f"ship.{action}" for action in actions))
    }
    assert naming == {"ship.runner.main"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    open_names: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        assert name not in open_names, " → ".join((*open_names[open_names.index(name) :], name))
        if name in done:
            return
        open_names.append(name)
        for each in sorted(IMPORTS[name]):
            visit(each)
        open_names.pop()
        done.add(name)

    for name in FILES:
        visit(name)
    assert done == set(FILES)


def test_only_main_reads_the_environment() -> None:
    assert users_of("os.environ", "os.getenv", "os.environb") == {"ship.runner.main"}


def test_only_process_starts_programs() -> None:
    # Others may name `subprocess.Popen` as a type.
    starting = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(STARTS)
    }
    assert starting == {"ship.runner.process"}
    starters = {"multiprocessing", "pty", "asyncio", "concurrent.futures"}
    assert [name for name in FILES if starters & set(imported(name))] == []


def test_only_workflow_commands_prints_workflow_commands() -> None:
    commands = ("::error", "::warning", "::notice", "::group", "::endgroup", "::add-mask",
                "::stop-commands", "::set-output", "::debug")  # fmt: skip
    printing = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(commands)
    }
    assert printing == {"ship.runner.workflow_commands"}
    # The usage of the entry point, which no runner reads, is all that is printed without it.
    assert users_of("print", "sys.stdout.write") <= {"ship.runner.main"}


def test_functions_stay_short() -> None:
    sizes = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    found = (statistics.median(sizes), sizes[len(sizes) * 9 // 10], sizes[-1])
    assert all(size <= limit for size, limit in zip(found, LIMITS, strict=True)), found
