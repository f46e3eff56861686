"""An action.yml as the runner reads it, and the few expressions that ours use.

The runner's own evaluator is GitHub's @actions/expressions; tests/conformance holds this small one
to it. What is not in the table of names here is an error, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
Contexts = dict[str, Any]


class UnknownExpressionError(Exception):
    """An action.yml says more than a plain name, which this evaluator does not know."""


@dataclass(frozen=True)
class ActionFile:
    """One composite action: where it is and what its action.yml says."""

    folder: Path
    document: Mapping[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / "action.yml"

    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.document.get("inputs") or {}

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.document.get("outputs") or {}

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        return list(self.document["runs"]["steps"])

    def with_defaults(self, given: Mapping[str, str], contexts: Contexts) -> dict[str, str]:
        """Return all inputs; a default is for an absent one only, not for an empty one."""
        return {
            name: given[name] if name in given else evaluate(_text(each.get("default")), contexts)
            for name, each in self.inputs.items()
        }


def action_folders() -> list[Path]:
    """Return the folder of every action of this repository, the root one first when it exists."""
    return [
        path.parent
        for path in (ROOT / "action.yml", *sorted(ROOT.glob("actions/*/action.yml")))
        if path.exists()
    ]


@cache
def read_action(folder: Path) -> ActionFile:
    """Read the action.yml of a folder; scalars stay the text the runner takes them for."""
    with (folder / "action.yml").open(encoding="utf-8") as file:
        return ActionFile(folder, YAML(typ="safe").load(file))


def evaluate(template: str, contexts: Contexts) -> str:
    """Put the value of each `${{ a.b.c }}` in place; an unset last name is an empty string."""
    return EXPRESSION.sub(lambda match: _value(match[1], contexts), template)


def _value(expression: str, contexts: Contexts) -> str:
    if not re.fullmatch(r"[a-z]+(\.[A-Za-z0-9_-]+)+", expression):
        raise UnknownExpressionError(expression)
    first, *names = expression.split(".")
    if first not in contexts:
        raise UnknownExpressionError(f"{expression}: no context {first}")
    value: Any = contexts[first]
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
