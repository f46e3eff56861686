"""Writes the data of a spec as YAML, and knows which line says what."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[Any, ...]
# What a comment has to say behind: a repository or a workflow at a commit.
_AT_A_COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40}")


class Line(NamedTuple):
    """A line of a spec, and the path of the value that begins there.

    `head` is what is before the value: the key, or the dash of an item.
    """

    path: Place
    head: str
    value: str = ""

    @property
    def text(self) -> str:
        """The whole line."""
        return f"{self.head} {self.value}" if self.has_a_value else self.head

    @property
    def has_a_value(self) -> bool:
        """Tell whether the value is on the line, and not below it."""
        return bool(self.value)

    @property
    def columns(self) -> tuple[int, int]:
        """The columns of the key, or the dash, and of the value; they count from 1."""
        return len(self.head) - len(self.head.lstrip()) + 1, len(self.head) + 2


class Written(NamedTuple):
    """The lines of a spec."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Written:
        """Write data, each key and each item on a line of its own."""
        return cls(tuple(_lines(data, (), 0)))

    @property
    def text(self) -> str:
        """The text of the spec."""
        return "".join(f"{line.text}\n" for line in self.lines)

    def path_at(self, line: int) -> Place:
        """Return the path of the value that begins on a line, which counts from 1."""
        return self.lines[line - 1].path

    def places_of(self, path: Place) -> list[tuple[int, int]]:
        """Return where a value and all in it may be reported, as line and column.

        Those of all lines when nothing is left of it.
        """
        numbered = [*enumerate(self.lines, 1)]
        inside = [(n, line) for n, line in numbered if line.path[: len(path)] == path]
        return [(n, column) for n, line in inside or numbered for column in line.columns]

    def rewritten(self, path: Place, value: str) -> tuple[str, list[tuple[int, int]]]:
        """Return the text with a value written in another way, and all places of it."""
        number = next(n for n, line in enumerate(self.lines) if line.path == path)
        instead = f"{self.lines[number].head} {value}"
        lines = [line.text for line in self.lines]
        text = "".join(f"{line}\n" for line in (*lines[:number], instead, *lines[number + 1 :]))
        first = self.lines[number].columns[0]
        places = [
            (number + 1 + n, column)
            for n, line in enumerate(instead.split("\n"))
            for column in range(1 if n else first, len(line) + 2)
        ]
        return text, places

    def doubled(self, path: Place) -> Written:
        """Return the spec with an entry written twice, one below the other."""
        inside = [line for line in self.lines if line.path[: len(path)] == path]
        last = self.lines.index(inside[-1]) + 1
        return Written((*self.lines[:last], *inside, *self.lines[last:]))


def _lines(value: Any, path: Place, indent: int) -> Iterator[Line]:
    margin = " " * indent
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        head = f"{margin}{_scalar(key)}:" if isinstance(value, dict) else f"{margin}-"
        if isinstance(item, (dict, list)) and item:
            yield Line((*path, key), head)
            yield from _lines(item, (*path, key), indent + 2)
        else:
            yield Line((*path, key), head, _scalar(item))


def _scalar(value: Any) -> str:
    """Return a value as JSON, which is YAML; a commit with the comment that has to be behind it."""
    comment = isinstance(value, str) and _AT_A_COMMIT.fullmatch(value)
    return f"{json.dumps(value)} # v1.2.3" if comment else json.dumps(value)


def below(data: Any, path: Place) -> Any:
    """Return what is at a path of data."""
    for key in path:
        data = data[key]
    return data


def without(data: Any, path: Place) -> Any:
    """Return data without one entry or item, and without a mapping or list that it leaves empty."""
    if not path:
        return None
    kept = dict(data) if isinstance(data, dict) else dict(enumerate(data))
    inside = without(kept[path[0]], path[1:])
    if inside is None or inside in ({}, []):
        del kept[path[0]]
    else:
        kept[path[0]] = inside
    return kept if isinstance(data, dict) else list(kept.values())
