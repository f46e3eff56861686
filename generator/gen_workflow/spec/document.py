"""Reads YAML as nodes that know their line and column.

Only nodes are made, no Python values: that is twice as fast as ruamel's round trip, keeps every
scalar as it was written (`1.10` stays `1.10`), and lets each reader say what it expects.

Data is in named tuples throughout the generator: they are as immutable and typed as frozen
dataclasses and five times cheaper to define, which is a tenth of the time `generate` takes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gen_workflow.errors import SpecError, shown
from gen_workflow.spec.nodes import OutOfBounds, compose, each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.hints import Keys

_TAG = "tag:yaml.org,2002:"
_KINDS = {
    "map": "a mapping",
    "seq": "a list",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
}

_NODES = {"a mapping": MappingNode, "a list": SequenceNode}

# What ruamel says, what that means, and the next act.
_SYMPTOMS = (
    (
        "mapping values are not allowed",
        "a `:` is in a place where YAML allows no key",
        "begin keys of one level in the same column; quote a text that holds `: `",
    ),
    (
        "expected a single document",
        "a second document begins here",
        "a spec is one document; remove the `---`",
    ),
    (
        "expected <block end>",
        "begins in a column in which no line above begins",
        "begin keys, or items, of one level in the same column",
    ),
    ("cannot start any token", "begins with a character that YAML reserves", "quote it"),
)


_LONGEST = 400  # characters of what is wrong
_SURROGATE = re.compile("[\ud800-\udfff]")


class Mark(NamedTuple):
    """A place in the spec; lines and columns count from 1, as editors do."""

    line: int
    column: int


class Value(NamedTuple):
    """A value of the spec: what kind it is, its line and column, and its path."""

    node: Any
    path: str
    mark: Mark

    @property
    def kind(self) -> str:
        """The name of its kind in messages: a mapping, a list, text, a number, …."""
        tag = str(self.node.tag)
        return _KINDS.get(tag.removeprefix(_TAG), f"a value with the tag {shown(tag)}")

    @property
    def text(self) -> str:
        """A scalar as it was written, without its quotes."""
        return str(self.node.value)

    def pairs(self) -> list[tuple[Value, Value]]:
        """Return the keys and values of a mapping; a key carries the path of its value."""
        found = []
        for key, value in self.node.value:
            name = shown(key.value) if isinstance(key, ScalarNode) else "?"
            path = f"{self.path}/{name}" if self.path else name
            # An empty value has no place of its own, so it is reported at its key.
            written = value if value.value != "" or value.style else key
            found.append((Value(key, path, mark_of(key)), Value(value, path, mark_of(written))))
        return found

    @property
    def rest_of_line(self) -> str:
        """What is behind a scalar on its line, such as a comment."""
        mark = self.node.end_mark
        return str(mark.buffer[mark.pointer :]).rstrip("\0").partition("\n")[0]

    def items(self) -> list[Value]:
        """Return the items of a list."""
        return [
            Value(node, f"{self.path}/{index}", mark_of(node))
            for index, node in enumerate(self.node.value)
        ]

    def below(self, names: list[str]) -> Value:
        """Return the value that these keys lead to, or the last one on the way that is there.

        In a list, a key leads to the item of this name, or to a key of an item.
        """
        for name in names[:1]:
            pairs = self.pairs() if self.kind == "a mapping" else []
            for item in self.items() if self.kind == "a list" else []:
                pairs += item.pairs() if item.kind == "a mapping" else [(item, item)]
            for key, value in pairs:
                if key.node.value == name:
                    return value.below(names[1:])
        return self


class Reading:
    """One reading of a spec: where it is, and everything that is wrong with it.

    `folder` is the repository, `keys` are the keys of each section by its path.
    """

    def __init__(
        self, source: str, folder: str = ".", keys: Mapping[str, Keys] | None = None
    ) -> None:
        self.source = source
        self.folder = folder
        self.keys = keys or {}
        self._found: list[tuple[Mark, str]] = []

    def problem(self, value: Value, what: str, hint: str = "") -> None:
        """Note a problem at a value (or key) of the spec."""
        where = f" {value.path}:" if value.path else ""
        self.problem_at(value.mark, f"{where} {what}", hint)

    def problem_at(self, mark: Mark, what: str, hint: str = "") -> None:
        """Note a problem at a place; of a long value, the message holds only the two ends."""
        half = _LONGEST // 2
        short = what if len(what) <= _LONGEST else f"{what[:half]} ... {what[-half:]}"
        text = f"{self.source}:{mark.line}:{mark.column}{short}"
        self._found.append((mark, f"{text}\n  hint: {hint}" if hint else text))

    def raise_problems(self) -> None:
        """Raise SpecError when there is any problem."""
        if self._found:
            ordered = sorted(self._found, key=lambda found: (found[0].line, found[0].column))
            raise SpecError(tuple(dict.fromkeys(text for _, text in ordered)))


def mark_of(node: Any) -> Mark:
    """Return where a node begins."""
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def decode(raw: bytes, source: str) -> str:
    """Return the text of a spec, without a byte order mark and with plain line ends."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"{source}:{line}:1 is not UTF-8 text (byte {raw[error.start]:#04x})"
        raise SpecError((f"{what}\n  hint: save the file as UTF-8",)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, source: str, *, bounded: bool = True) -> Value | None:
    """Return the root of a YAML text, or None when the text is empty.

    Raises SpecError when it is not YAML, is nested too deeply, or, with `bounded`, holds too much.
    """
    reading = Reading(source)
    try:
        root = compose(text, bounded=bounded)
    except OutOfBounds as error:
        reading.problem_at(_mark(error.mark), f" {error.what}", error.hint)
    except MarkedYAMLError as error:
        reading.problem_at(*_explained(error, text))
    except ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        reading.problem_at(
            mark, f" holds the character U+{ord(text[error.position]):04X}, which YAML forbids"
        )
    except YAMLError as error:
        reading.problem_at(Mark(1, 1), f" is not YAML: {error}")
    except ValueError:  # of chr(), for "\\U00110000"
        reading.problem_at(Mark(1, 1), " holds an escape of a character that does not exist")
    else:
        if root is None:
            return None
        _look_through(root, reading)
        reading.raise_problems()
        return Value(root, "", mark_of(root))
    reading.raise_problems()
    return None


def _look_through(root: Any, reading: Reading) -> None:
    """Note each value that is not what its tag says, and each half of a surrogate pair."""
    for node in each(root):
        kind = Value(node, "", mark_of(node)).kind
        if not isinstance(node, _NODES.get(kind, ScalarNode)) and not kind.startswith("a value"):
            reading.problem_at(
                mark_of(node), f" is not {kind}, although its tag says so", "remove the tag"
            )
        elif isinstance(node, ScalarNode) and _SURROGATE.search(node.value):
            reading.problem_at(
                mark_of(node), " holds an incomplete character", "write the whole character"
            )


def _explained(error: MarkedYAMLError, text: str) -> tuple[Mark, str, str]:
    """Return the place of an error of YAML, what is wrong there, and what to do about it."""
    mark = _mark(error.problem_mark or error.context_mark)
    said = " ".join(str(part) for part in (error.problem, error.context) if part)
    line = "".join(text.split("\n")[mark.line - 1 : mark.line])
    if line[mark.column - 1 : mark.column] == "\t" and line[: mark.column - 1].strip():
        return mark, " there is a tab where YAML wants a space", "replace it with a space"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return (
            mark,
            " there is a tab where YAML wants spaces",
            "indent with two spaces for each level",
        )
    if "stream end" in said or "end of stream" in said:
        begin = _mark(error.context_mark or error.problem_mark)
        return (
            begin,
            " a quote or bracket is opened here and not closed",
            "add the missing quote or bracket",
        )
    for symptom, what, hint in _SYMPTOMS:
        if symptom in said:
            return mark, f" {what}", hint
    return mark, f" {said}", ""


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


def plain(value: Value) -> Any:
    """Return a rendered document as plain data; a key that appears twice raises SpecError."""
    kind = value.kind
    if kind == "a mapping":
        return _mapping(value)
    if kind == "a list":
        return [plain(item) for item in value.items()]
    if kind == "true or false":
        return value.text.lower() == "true"
    if kind == "nothing":
        return None
    return int(value.text) if str(value.node.tag).endswith(":int") else value.text


def _mapping(value: Value) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.pairs():
        if key.kind != "text":
            raise SpecError((f"{key.mark.line}:{key.mark.column} {key.path}: is {key.kind}",))
        if key.text in found:
            raise SpecError((f"{key.mark.line}:{key.mark.column} {key.path}: appears twice",))
        found[key.text] = plain(item)
    return found
