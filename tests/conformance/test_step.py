"""The bed's shell step gives an action what the real runner gives it, and not one variable more."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bed.step import Run, StepTimeoutError, parse_outputs, run_action, start_action
from bed.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

ACTION = """\
name: Try
description: Try.
inputs:
  who:
    description: Who.
    default: ${{ github.actor }}
  not-mapped:
    description: Not mapped.
    default: hidden
outputs:
  said:
    description: What was said.
    value: ${{ steps.run.outputs.said }}
runs:
  using: composite
  steps:
    - id: run
      shell: bash
      run: SCRIPT
      env:
        INPUT_WHO: ${{ inputs.who }}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def action(tmp_path: Path, script: str) -> str:
    """Write an action that runs a line of shell, and return the folder that names it."""
    (tmp_path / "action.yml").write_text(ACTION.replace("SCRIPT", script))
    return str(tmp_path)


def test_the_environment_is_the_runners_and_the_steps_alone(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "leaked")
    monkeypatch.setenv("VIRTUAL_ENV", "leaked")
    result = run_action(action(tmp_path, "env"), {}, workspace=workspace, env={"GREETING": "hi"})
    names = {line.partition("=")[0] for line in result.log.splitlines()}
    assert {name for name in names if name.startswith("INPUT_")} == {"INPUT_WHO"}
    assert {"GREETING", "GITHUB_OUTPUT", "RUNNER_TEMP", "HOME", "PATH"} <= names
    assert "leaked" not in result.log
    assert not names & {"GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL"}


def test_a_default_is_for_an_input_that_is_absent_and_not_for_an_empty_one(
    tmp_path: Path, workspace: Path
) -> None:
    folder = action(tmp_path, 'echo "<$INPUT_WHO>"')
    run = Run(actor="mona")
    assert run_action(folder, {}, workspace=workspace, run=run).log == "<mona>\n"
    assert run_action(folder, {"who": ""}, workspace=workspace, run=run).log == "<>\n"


def test_an_input_that_does_not_exist_is_an_error(tmp_path: Path, workspace: Path) -> None:
    with pytest.raises(ValueError, match="has no input nope"):
        run_action(action(tmp_path, "env"), {"nope": "1"}, workspace=workspace)


def test_outputs_summary_and_masks_are_read_back(tmp_path: Path, workspace: Path) -> None:
    script = (
        'printf "said<<X\\na\\nb\\nX\\n" >> "$GITHUB_OUTPUT"; '
        'echo "# Hi" >> "$GITHUB_STEP_SUMMARY"; echo "::add-mask::s3cret"; echo "it is s3cret"; '
        'echo "::error title=No::one%0Atwo"; exit 4'
    )
    folder = action(tmp_path, f"|\n        {script}")
    result = run_action(folder, {}, workspace=workspace)
    assert (result.code, result.outputs, result.summary) == (4, {"said": "a\nb"}, "# Hi\n")
    assert result.shown.startswith("it is ***\n")
    assert result.errors == ["one\ntwo"]


def test_a_step_that_fails_in_a_pipe_fails(tmp_path: Path, workspace: Path) -> None:
    assert run_action(action(tmp_path, "false | true"), {}, workspace=workspace).code == 1


def test_python3_is_the_one_that_is_asked_for(tmp_path: Path, workspace: Path) -> None:
    folder = action(tmp_path, 'python3 -c "import sys; print(sys.version_info[:2])"')
    result = run_action(folder, {}, workspace=workspace, python=sys.executable)
    assert result.log == f"{sys.version_info[:2]}\n"


def test_a_cancelled_step_gets_an_interrupt_and_then_a_termination(
    tmp_path: Path, workspace: Path
) -> None:
    wait = (
        "trap 'echo int' INT; trap 'echo term; exit 143' TERM; echo up; while :; do sleep 0.1; done"
    )
    step = start_action(action(tmp_path, f'"{wait}"'), {}, workspace=workspace)
    wait_until(lambda: "up" in step.log(), "the step is up", seen=step.log)
    step.cancel(seconds_to_term=0.5)
    result = step.result()
    assert (result.code, result.log.split()) == (143, ["up", "int", "term"])


def test_a_step_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, workspace: Path
) -> None:
    folder = action(tmp_path, '"echo $$ > pid; sleep 600"')
    step = start_action(folder, {}, workspace=workspace)
    pid = workspace / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), "the step has written its pid")
    group = pid.read_text().strip()
    assert alive(group), "a group that runs is found"
    with pytest.raises(StepTimeoutError):
        step.result(timeout=0)
    assert not alive(group)


def alive(group: str) -> list[str]:
    """Return the states of the processes of a group, without those that only wait for a burial."""
    listed = subprocess.check_output(("ps", "-eo", "pgid=,stat="), text=True)
    lines = [line.split() for line in listed.splitlines()]
    return [state for pgid, state in lines if pgid == group and not state.startswith("Z")]


@pytest.mark.parametrize("text", ["no equals sign\n", "name<<END\nvalue\n", "=value\n"])
def test_a_broken_output_file_is_an_error_as_on_the_runner(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid format|delimiter not found"):
        parse_outputs(text)


def test_nothing_of_a_step_is_left_behind(tmp_path: Path, workspace: Path) -> None:
    shown = run_action(action(tmp_path, 'echo "$RUNNER_TEMP"'), {}, workspace=workspace).log
    assert subprocess.run(("ls", shown.strip()), capture_output=True, check=False).returncode
