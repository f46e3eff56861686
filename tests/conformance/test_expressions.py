"""The small evaluator of the bed says what GitHub's own says, on the very texts of our actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bed.action_file import (
    ActionFile,
    UnknownExpressionError,
    action_folders,
    evaluate,
    read_action,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.github_parser import GithubParser

# Values that a shell, a template or YAML might trip over.
VALUES = ("", "plain", "two words", "a'b\"c`d$(e)\n f", "${{ github.token }}", "true", "0", "ä")
GITHUB = {"actor": "o'cat", "token": "ghs_x", "repository": "acme/Shop", "action_path": "/a b"}


def _contexts(action: ActionFile, value: str) -> dict[str, Any]:
    return {
        "github": GITHUB,
        "inputs": dict.fromkeys(action.inputs, value),
        "steps": {"run": {"outputs": dict.fromkeys(action.outputs, value)}},
    }


def _texts(action: ActionFile) -> list[str]:
    env = [str(value) for value in (action.steps[0].get("env") or {}).values()]
    defaults = [str(each.get("default", "")) for each in action.inputs.values()]
    return [*env, *defaults, *(each["value"] for each in action.outputs.values())]


@pytest.mark.needs("npm")
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("folder", action_folders(), ids=lambda folder: folder.name)
def test_ours_and_githubs_evaluator_agree(
    folder: Path, value: str, github_parser: GithubParser
) -> None:
    action = read_action(folder)
    contexts = _contexts(action, value)
    for text in _texts(action):
        assert evaluate(text, contexts) == github_parser.evaluate(text, contexts), text


@pytest.mark.needs("npm")
@pytest.mark.parametrize("folder", action_folders(), ids=lambda folder: folder.name)
def test_githubs_evaluator_gives_each_input_to_its_variable(
    folder: Path, github_parser: GithubParser
) -> None:
    action = read_action(folder)
    given = {name: f"value of {name}" for name in action.inputs}
    for name, text in action.steps[0]["env"].items():
        value = github_parser.evaluate(text, {"github": GITHUB, "inputs": given})
        if name.startswith("INPUT_"):
            assert value == f"value of {name[6:].lower().replace('_', '-')}"


@pytest.mark.parametrize("text", ["${{ format('x') }}", "${{ a && b }}", "${{ secrets.X }}"])
def test_what_the_small_evaluator_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(UnknownExpressionError):
        evaluate(text, {"github": GITHUB})
