"""Finds and reads .dockerignore files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.build_push.dockerignore.patterns import Patterns, clean, fault
from ship.runner.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = ".dockerignore"
_MOST_LINKS = 40


def read(text: str) -> tuple[str, ...]:
    """Return the patterns in the text of a .dockerignore file."""
    found = []
    for line in text.removeprefix("\ufeff").split("\n"):
        # Only a `#` in the first column starts a comment.
        pattern = "" if line.startswith("#") else line.strip()
        if not pattern:
            continue
        exception = pattern.startswith("!")
        pattern = pattern[exception:].strip()
        pattern = clean(pattern) if pattern else ""
        pattern = pattern[1:] if len(pattern) > 1 and pattern.startswith("/") else pattern
        found.append("!" + pattern if exception else pattern)
    return tuple(found)


def load(context: str, dockerfile: str = "") -> Patterns:
    """Return the patterns of a context. The Dockerfile may have its own file of patterns.

    Raises UserError when a pattern is not supported.
    """
    # The Dockerfile's own file takes precedence, even when it is empty.
    for folder, name in _candidates(context, dockerfile):
        text = _text(resolved(folder, name))
        if text is not None:
            return _checked(name, read(text))
    return Patterns(())


def _candidates(context: str, dockerfile: str) -> Iterator[tuple[str, str]]:
    if dockerfile:
        folder, name = os.path.split(dockerfile)
        yield folder or ".", name + NAME
    yield context, NAME


def _text(path: str) -> str | None:
    try:
        # Only a regular file: opening anything else may wait for ever.
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def resolved(root: str, name: str) -> str:
    """Follow the links of a path as the engine does: for the engine, the folder is the root `/`.

    The result is empty when there are too many links.
    """
    done: list[str] = []
    todo = [name]
    for _ in range(_MOST_LINKS):
        while todo:
            part = todo.pop()
            path = os.path.join(root, *done, part)
            if part == "..":
                done = done[:-1]
            elif os.path.islink(path):
                break
            elif part not in ("", "."):
                done.append(part)
        else:
            return os.path.join(root, *done)
        target = os.readlink(path)
        done = [] if target.startswith("/") else done
        todo += reversed(target.split("/"))
    return ""


_PAGE = "a-pattern-that-is-not-supported"


def _checked(name: str, patterns: Sequence[str]) -> Patterns:
    hint = "write the pattern in a simpler form, or remove `skip-unchanged`"
    problems = [
        Problem(name, f"the pattern {pattern!r} is not supported: {reason}", hint, _PAGE)
        for pattern in patterns
        if (reason := fault(pattern))
    ]
    if problems:
        raise UserError(*problems)
    return Patterns(patterns)
