"""The input `images`: several images of one repository, as YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ship.build_push.records import records
from ship.runner.errors import Problem, near_match
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"


class Entry(NamedTuple):
    """One image as it was written, not yet checked."""

    context: str = "."
    file: str = ""
    target: str = ""
    build_args: Mapping[str, str] = {}
    platforms: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tags: str = ""
    image: str = ""


def read_entries(text: str, common: Entry, problems: list[Problem]) -> dict[str, Entry]:
    """Read the mapping; what an image does not say is as for all.

    What is wrong goes to `problems`; everything else is returned.
    """
    from ship.runner import mini_yaml  # noqa: PLC0415 - 1 ms, and most workflows have one image

    try:
        found = mini_yaml.load(text)
    except mini_yaml.Invalid as error:
        where = f"images:{error.line}:{error.column}"
        problems.append(Problem("input `images`", f"{where}: {error.message}"))
        return {}
    return _Reading(found, common, problems).entries()


class _Reading:
    def __init__(self, found: Any, common: Entry, problems: list[Problem]) -> None:
        self._found = found
        self._common = common
        self._problems = problems
        self._where = "images"

    def entries(self) -> dict[str, Entry]:
        if not isinstance(self._found, dict) or not self._found:
            hint = (
                "write `name: folder` lines, or `name:` with `context`, `file` and so on below it"
            )
            if isinstance(self._found, str):
                hint += "; for a single image use the input `image`"
            self._problems.append(
                Problem("input `images`", "is not a mapping of image names to folders", hint)
            )
            return {}
        read: dict[str, Entry] = {}
        for name, value in self._found.items():
            self._at(self._found, name)
            read[name] = self._entry(name, value)
        return read

    def _at(self, found: dict[str, Any], key: str) -> None:
        line, column = found.positions[key]  # type: ignore[attr-defined]
        self._where = f"images:{line}:{column}"

    def _problem(self, what: str, hint: str = "") -> None:
        self._problems.append(Problem("input `images`", f"{self._where}: {what}", hint))

    def _entry(self, name: str, value: Any) -> Entry:
        if not re.fullmatch(KEY, name):
            hint = "use small letters and digits, with single `.`, `_` or `-` between them"
            self._problem(f"{name!r} is not a valid name for an image", hint)
        below = "\n".join(f"{line}/{name}" for line in self._common.image.split())
        entry = self._common._replace(image=below)
        if value is None or isinstance(value, str):
            return entry._replace(context=value or name)
        if not isinstance(value, dict):
            self._problem(f"{name} is neither a folder nor a mapping")
            return entry
        return entry._replace(**self._changes(value))

    def _changes(self, value: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for key, what in value.items():
            self._at(value, key)
            field = _FIELDS.get(key)
            if field is None:
                self._problem(f"{key!r} is not a key of an image", near_match(key, _FIELDS))
                continue
            attribute, kind = field
            made = kind(what)
            if made is None:
                self._problem(f"{key} is not {_KINDS[kind]}")
                continue
            changes[attribute] = made
        if "build_args" in changes:
            changes["build_args"] = {**self._common.build_args, **changes["build_args"]}
        return changes


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[\s,]+", value) if word)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _rows(value: Any) -> tuple[str, ...] | None:
    """Return a list; of a text its lines."""
    if isinstance(value, str):
        return tuple(line.strip() for line in value.splitlines() if line.strip())
    return _list(value)


def _lines(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return _text(value)


def _pairs(value: Any) -> dict[str, str] | None:
    if isinstance(value, dict) and all(v is None or isinstance(v, str) for v in value.values()):
        return {name: v or "" for name, v in value.items()}
    lines = _arguments(value) if isinstance(value, str) else _list(value)
    if lines is None or not all("=" in line for line in lines):
        return None
    return dict(line.split("=", 1) for line in lines)


def _arguments(text: str) -> tuple[str, ...]:
    return tuple(each.text for each in records(text) if not each.text.startswith("#"))


_KINDS: dict[Any, str] = {
    _text: "a text",
    _list: "a list of texts",
    _rows: "a list of texts",
    _lines: "a text or a list of texts",
    _pairs: "a mapping of names to values",
}
_FIELDS = {
    "context": ("context", _text),
    "file": ("file", _text),
    "dockerfile": ("file", _text),
    "target": ("target", _text),
    "build-args": ("build_args", _pairs),
    "args": ("build_args", _pairs),
    "platforms": ("platforms", _list),
    "paths": ("paths", _rows),
    "tags": ("tags", _lines),
    "image": ("image", _text),
}
