"""The structure of the actions and of the generator is the one that docs/design.md describes."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.structure import ACTIONS, GENERATOR, HALVES, Half, room
from gen_workflow.sync import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS = ("subprocess.", "Popen", "os.system", "os.popen", "os.fork", "os.posix_spawn", "os.exec")

of_both = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.package)


@of_both
def test_every_room_has_a_place_in_the_layers(half: Half) -> None:
    assert {room(name) for name in half.files} - {""} == set(half.heights)


@of_both
def test_no_import_goes_up_or_to_a_neighbour(half: Half) -> None:
    height = half.heights
    wrong = [
        f"{name} imports {each}"
        for name, found in half.imports.items()
        for each in found
        if room(each) not in ("", room(name)) and height[room(each)] >= height[room(name)]
    ]
    assert wrong == []


@of_both
def test_no_modules_import_each_other_in_a_circle(half: Half) -> None:
    left = {name: found - {half.package} for name, found in half.imports.items()}
    while free := [name for name, found in left.items() if not found & set(left)]:
        for name in free:
            del left[name]
    assert left == {}


@of_both
def test_the_actions_and_the_generator_never_import_each_other(half: Half) -> None:
    packages = {each.partition(".")[0] for name in half.files for each in half.imported(name)}
    assert packages & {each.package for each in HALVES} == {half.package}


@of_both
def test_a_room_says_in_one_line_what_it_holds(half: Half) -> None:
    for name, path in half.files.items():
        first, _, rest = (ast.get_docstring(half.trees[name]) or "").partition("\n")
        assert re.fullmatch(r"\w.*\.", first), path
        assert not rest or rest.startswith("\n"), f"{path}: the first sentence is one line"


@of_both
def test_functions_stay_short(half: Half) -> None:
    sizes = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for tree in half.trees.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    found = (statistics.median(sizes), sizes[len(sizes) * 9 // 10], sizes[-1])
    assert all(size <= limit for size, limit in zip(found, half.sizes, strict=True)), found


@pytest.mark.parametrize("name", ACTIONS.files)
def test_an_action_imports_only_the_standard_library(name: str) -> None:
    # For types only: Python has `Self` from 3.11 on.
    allowed = {*sys.stdlib_module_names, "ship", "typing_extensions"}
    assert {each.partition(".")[0] for each in ACTIONS.imported(name)} <= allowed


def test_only_main_names_the_actions() -> None:
    actions = tuple(f"ship.{action}" for action in ACTIONS.layers[-1])
    assert modules_with_text(actions) == {"ship.runner.main"}


def test_only_main_reads_the_environment() -> None:
    assert users_of("os.environ", "os.getenv", "os.environb") == {"ship.runner.main"}


def test_all_named_tuples_are_made_fast() -> None:
    assert users_of("typing.NamedTuple") == {"ship.runner.named_tuple"}


def test_only_process_starts_programs() -> None:
    # Others may name `subprocess.Popen` as a type.
    starting = {
        name
        for name, tree in ACTIONS.trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(STARTS)
    }
    assert starting == {"ship.runner.process"}
    starters = {"multiprocessing", "pty", "asyncio", "concurrent.futures"}
    assert [name for name in ACTIONS.files if starters & set(ACTIONS.imported(name))] == []


def test_only_workflow_commands_prints_workflow_commands() -> None:
    commands = ("::error", "::warning", "::notice", "::group", "::endgroup", "::add-mask",
                "::stop-commands", "::set-output", "::debug")  # fmt: skip
    assert modules_with_text(commands) == {"ship.runner.workflow_commands"}
    # The usage of the entry point, which no runner reads, is all that is printed without it.
    assert users_of("print", "sys.stdout.write") <= {"ship.runner.main"}


def test_the_fingerprint_covers_every_module_that_decides_what_is_rendered() -> None:
    seen: set[str] = set()
    todo = {"render.template", "spec.load", "plan.pipeline", "pins.table"}
    todo = {f"gen_workflow.{name}" for name in todo}
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= GENERATOR.imports[name] - seen
    rooms = {room(name) for name in seen} - {"", "errors", "files"}
    assert rooms == {
        *fingerprint.ROOMS,
        *(name.removesuffix(".py") for name in fingerprint.MODULES),
    }


def modules_with_text(beginnings: tuple[str, ...]) -> set[str]:
    """Return the modules of the actions with a text that begins like one of these."""
    return {
        name
        for name, tree in ACTIONS.trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(beginnings)
    }


def users_of(*names: str) -> set[str]:
    """Return the modules of the actions that use a name, such as `os.environ`, by any import."""
    return {name for name, tree in ACTIONS.trees.items() if set(names) & set(dotted(tree))}


def dotted(tree: ast.AST) -> Iterator[str]:
    """Yield each name and each dotted name in a module, and `module.name` of what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield ast.unparse(node)
