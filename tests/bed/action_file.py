"""Reads an action.yml as the runner does, and evaluates the few expressions that our actions use.

The runner's own evaluator is GitHub's @actions/expressions. tests/conformance compares this small
evaluator with it. A name that is not in the table of names here is an error, never a guess.
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
    """An action.yml has an expression that is not a plain name. This evaluator has no others."""


@dataclass(frozen=True)
class ActionFile:
    """One composite action: its folder and the content of its action.yml."""

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
        """Return all inputs. An absent input gets its default; an empty one stays empty."""
        return {
            name: given[name] if name in given else evaluate(_text(each.get("default")), contexts)
            for name, each in self.inputs.items()
        }


def action_folders() -> list[Path]:
    """Return the folders of all actions of this repository; the root one first, if it exists."""
    return [
        path.parent
        for path in (ROOT / "action.yml", *sorted(ROOT.glob("actions/*/action.yml")))
        if path.exists()
    ]


@cache
def read_action(folder: Path) -> ActionFile:
    """Read the action.yml of a folder. Scalars stay text, as in the runner."""
    with (folder / "action.yml").open(encoding="utf-8") as file:
        return ActionFile(folder, YAML(typ="safe").load(file))


def evaluate(template: str, contexts: Contexts) -> str:
    """Replace each `${{ a.b.c }}` by its value. A last name that is not set is an empty text."""
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
