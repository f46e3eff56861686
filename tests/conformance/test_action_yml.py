"""action.yml is the truth for inputs: it, its env block and the code that reads it are one."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bed.action_file import ROOT, ActionFile, action_folders, read_action
from ship.runner.main import ACTIONS

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = [folder for folder in action_folders() if folder.parent.name == "actions"]
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
USED = re.compile(r"\b(inputs|steps)\.([A-Za-z0-9_-]+)")
# What may be said of an input and of an output, and by GitHub's rules nothing else.
INPUT_KEYS = {"description", "required", "default", "deprecationMessage"}

every_action = pytest.mark.parametrize(
    "action",
    [read_action(folder) for folder in action_folders()],
    ids=lambda each: each.folder.name,
)


@every_action
def test_names_are_kebab_case(action: ActionFile) -> None:
    for name in (*action.inputs, *action.outputs):
        assert KEBAB.fullmatch(name), name


@every_action
def test_every_description_is_text_that_ends_as_a_sentence(action: ActionFile) -> None:
    for name, each in {**action.inputs, **action.outputs, "": action.document}.items():
        text = each.get("description", "")
        assert re.fullmatch(r"[A-Z\"`].*\.", text), f"{name}: {text!r}"


@every_action
def test_an_input_is_required_or_has_a_default_that_is_text(action: ActionFile) -> None:
    for name, each in action.inputs.items():
        assert set(each) <= INPUT_KEYS, name
        if each.get("required", False):
            assert "default" not in each, name
        else:
            assert isinstance(each.get("default"), str), name


@every_action
def test_there_is_one_step_with_one_line_and_no_expression_in_it(action: ActionFile) -> None:
    (step,) = action.steps
    assert action.document["runs"]["using"] == "composite"
    assert step["shell"] == "bash"
    assert len(step["run"].splitlines()) == 1
    assert "${{" not in step["run"]


@every_action
def test_every_input_is_mapped_to_a_variable_of_its_name(action: ActionFile) -> None:
    wanted = {
        "INPUT_" + name.upper().replace("-", "_"): f"${{{{ inputs.{name} }}}}"
        for name in action.inputs
    }
    held = {name: value for name, value in action.steps[0]["env"].items() if name[:6] == "INPUT_"}
    assert held == wanted


@every_action
def test_what_an_expression_names_is_there(action: ActionFile) -> None:
    known: dict[str, set[Any]] = {
        "inputs": set(action.inputs),
        "steps": {step.get("id") for step in action.steps},
    }
    for kind, name in USED.findall(action.path.read_text("utf-8")):
        assert name in known[kind], f"{kind}.{name}"


@every_action
def test_every_output_comes_from_the_output_of_the_step_with_its_name(action: ActionFile) -> None:
    for name, each in action.outputs.items():
        assert each["value"] == f"${{{{ steps.{action.steps[0]['id']}.outputs.{name} }}}}"


def test_the_tables_in_the_readmes_are_what_action_yml_says() -> None:
    argv = (sys.executable, str(ROOT / "docs" / "tables.py"), "--check")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_code_reads_the_inputs_that_action_yml_has(folder: Path) -> None:
    action = read_action(folder)
    module = importlib.import_module(ACTIONS[action.folder.name])
    assert sorted(module.INPUTS) == sorted(action.inputs)
