"""Errors as annotations of GitHub: on the line of the spec, in the run and in the pull request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.errors import GenWorkflowError

# GitHub shows no more of one kind and step.
_MOST = 10


def of(error: GenWorkflowError, folder: str) -> str:
    """Return the workflow commands for an error of a run in a folder; one a line."""
    return "".join(f"{line}\n" for line in list(_lines(error, folder))[:_MOST])


def _lines(error: GenWorkflowError, folder: str) -> Iterator[str]:
    for problem in error.found:
        place: dict[str, str | int] = {"line": problem.line, "col": problem.column}
        if problem.file:
            path = os.path.join(folder, problem.file)  # noqa: PTH118 - pathlib is slow to load
            place = {"file": os.path.normpath(path), **place}
        yield command(problem.without_place, **{name: one for name, one in place.items() if one})


def command(text: str, **properties: str | int) -> str:
    """Return the command for an annotation; nothing of the text can end it, or begin another.

    The escapes are those of actions/toolkit, packages/core/src/command.ts.
    """
    given = {**properties, "title": "gen-workflow"}
    named = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in given.items())
    return f"::error {named}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    # `%` first: the others are written with it.
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
