"""Reads YAML as nodes that know their line and column.

Only nodes are made, no Python values: that is twice as fast as ruamel's round trip, keeps every
scalar as it was written (`1.10` stays `1.10`), and lets each reader say what it expects.

Data is in named tuples throughout the generator: they are as immutable and typed as frozen
dataclasses and five times cheaper to define, which is a tenth of the time `generate` takes.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gen_workflow.errors import Heading, Problem, SpecError, shown
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.nodes import Mark, OutOfBounds, compose, each, mark_of
from gen_workflow.spec.tree import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_workflow.spec.hints import Keys
    from gen_workflow.spec.symptoms import Fault
    from gen_workflow.spec.tree import Tree

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

_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16 and, for the first, of UTF-32
_SAVE = "save the file as UTF-8"
_LONGEST = 400  # characters of what is wrong


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
            found.append(
                (
                    Value(key, path, _place(key)),
                    Value(value, path, _place(written)),
                )
            )
        return found

    @property
    def rest_of_line(self) -> str:
        """What is behind a scalar on its line, such as a comment."""
        mark = self.node.end_mark
        return str(mark.buffer[mark.pointer :]).rstrip("\0").partition("\n")[0]

    def items(self) -> list[Value]:
        """Return the items of a list."""
        return [
            Value(node, f"{self.path}/{index}", _place(node))
            for index, node in enumerate(self.node.value)
        ]

    def over(self, other: Value) -> Value:
        """Return a mapping with the entries of both, where this one goes before the other.

        Keys that are wrong are kept, so that who reads the mapping reports them.
        """
        below = {key.value: item for key, item in other.node.value if isinstance(key, ScalarNode)}
        own = []
        for key, item in self.node.value:
            under = below.pop(key.value, None) if isinstance(key, ScalarNode) else None
            if isinstance(item, MappingNode) and isinstance(under, MappingNode):
                mine, theirs = Value(item, "", self.mark), Value(under, "", self.mark)
                own.append((key, mine.over(theirs).node))
            else:
                own.append((key, item))
        names = {key.value for key, _ in own if isinstance(key, ScalarNode)}
        kept = [
            (key, item)
            for key, item in other.node.value
            if not isinstance(key, ScalarNode) or key.value not in names
        ]
        node = MappingNode(self.node.tag, [*kept, *own], self.node.start_mark)
        return Value(node, self.path, self.mark)

    def named(self, name: str) -> Value:
        """Return the key, or the item of a list, of a name; the value itself without one."""
        for item in self.items() if self.kind == "a list" else [self]:
            for key in (key for key, _ in item.pairs()) if item.kind == "a mapping" else [item]:
                if key.node.value == name:
                    return key
        return self

    def below(self, names: list[str]) -> Value:
        """Return the value that these keys lead to, or the last one on the way that is there.

        In a list, a key leads to the item of this name, or to a key of an item. A key with `/` in
        it is several of the names, and goes before the key that is the first of them.
        """
        pairs = self.pairs() if self.kind == "a mapping" else []
        for item in self.items() if self.kind == "a list" else []:
            pairs += item.pairs() if item.kind == "a mapping" else [(item, item)]
        for many in range(len(names), 0, -1):
            for key, value in pairs:
                if key.node.value == "/".join(names[:many]):
                    return value.below(names[many:])
        return self


class Reading:
    """One reading of a spec: where it is, and everything that is wrong with it.

    `tree` are the files of the repository, `keys` returns the keys of each section by its path,
    `shared` is what all environments have in common, by the keys in `shared_keys`, `commands_alone`
    says that no deploy needs an image, `images` are the names of several images, `kind` is what is
    read, and `files` are the other files that were read, by path; None for one that cannot be.
    """

    def __init__(
        self,
        source: str,
        tree: Tree = Folder(),  # noqa: B008 - immutable
        keys: Callable[[], Mapping[str, Keys]] = dict,
    ) -> None:
        self.source = source
        self.tree = tree
        self._keys = keys
        self.shared: Mapping[str, Value] = {}
        self.shared_keys: Mapping[str, Value] = {}
        self.commands_alone = False
        self.images: tuple[str, ...] = ()
        self.kind = "the spec"
        self.files: dict[str, Value | None] = {}
        self._found: list[tuple[Mark, Problem, str]] = []

    @cached_property
    def keys(self) -> Mapping[str, Keys]:
        """The keys of each section by its path; only hints need them, which loads all sections."""
        return self._keys()

    def section_of(self, value: Value) -> str:
        """Return the path under which the section of a value is declared.

        There, a name that the user chooses is NAME, and the items of a list have no number.
        """
        if value.path in self.keys:
            return value.path
        parts = value.path.split("/")
        # The longest goes first: a name may hold `/`, and could be all of the others.
        paths = sorted(self.keys, key=lambda path: path.count("/"), reverse=True)
        return next((path for path in paths if _is_at(parts, path.split("/"))), value.path)

    def problem(self, value: Value, what: str, hint: str, anchor: str) -> None:
        """Note a problem at a value (or key) of the spec; `anchor` is its heading in the docs."""
        self.problem_at(value.mark, what, hint, anchor, path=value.path)

    def problem_at(self, mark: Mark, what: str, hint: str, anchor: str, *, path: str = "") -> None:
        """Note a problem at a place; of a long value, the message holds only the two ends."""
        half = _LONGEST // 2
        short = what if len(what) <= _LONGEST else f"{what[:half]} ... {what[-half:]}"
        problem = Problem(self.source, mark.line, mark.column, short, hint=hint, path=path)
        self._found.append((mark, problem, anchor))

    def fault(self, fault: Fault) -> None:
        """Note what is no YAML, or too much of it."""
        self.problem_at(fault.mark, fault.what, fault.hint, fault.anchor)

    def raise_problems(self) -> None:
        """Raise SpecError when there is any problem."""
        if self._found:
            ordered = sorted(self._found, key=lambda found: (found[0].line, found[0].column))
            raise SpecError({text: anchor for _, text, anchor in ordered})


def _is_at(parts: list[str], names: list[str]) -> bool:
    """Tell whether the parts of a path lead to a section, whose path has these names."""
    if not names or not parts:
        return not names and all(part.isdigit() for part in parts)
    if names[0] == "NAME":
        return any(_is_at(parts[many:], names[1:]) for many in range(1, len(parts) + 1))
    is_item = parts[0].isdigit() and _is_at(parts[1:], names)
    return is_item or (parts[0] == names[0] and _is_at(parts[1:], names[1:]))


def _place(node: Any) -> Mark:
    return mark_of(node.start_mark)


def decode(raw: bytes, source: str) -> str:
    """Return the text of a spec, without a byte order mark and with plain line ends."""
    if raw.startswith(_OTHER_MARKS) or b"\0" in raw[:4]:
        what = "is text in UTF-16 or UTF-32, and a spec is UTF-8"
        raise SpecError({Problem(source, 1, 1, what, hint=_SAVE): Heading.NO_YAML})
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zero = raw.find(b"\0")
        at = error.start if zero < 0 else zero
        line, before = raw.count(b"\n", 0, at) + 1, raw[:at]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        what, hint = f"is not UTF-8 text (byte {raw[at]:#04x})", _SAVE
        if zero >= 0:
            what = "holds a zero byte, so it is a binary file, and a spec is text"
            hint = "name the file that holds the spec"
        raise SpecError({Problem(source, line, column, what, hint=hint): Heading.NO_YAML}) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, source: str, *, bounded: bool = True, specs: int = 1) -> Value | None:
    """Return the root of a YAML text, or None when the text is empty.

    Raises SpecError when it is not YAML, is nested too deeply, or, with `bounded`, holds more
    than so many `specs` may.
    """
    reading = Reading(source)
    _note_other_version(text, reading)
    reading.raise_problems()
    try:
        root = compose(text, bounded=bounded, specs=specs)
    except (OutOfBounds, YAMLError, ValueError) as error:  # ValueError: of chr()
        from gen_workflow.spec.symptoms import explain  # noqa: PLC0415 - 1.2 ms, for errors only

        reading.fault(explain(error, text))
    else:
        if root is None:
            return None
        _look_through(root, reading)
        reading.raise_problems()
        return Value(root, "", _place(root))
    reading.raise_problems()
    return None


def _note_other_version(text: str, reading: Reading) -> None:
    """Note that a text says that it is another YAML than 1.2, in which `no` is not a text."""
    head = text.partition("\n---")[0]
    if match := re.search(r"^%YAML[ \t]+(?!1\.2\s)", head, re.MULTILINE):
        mark = Mark(head.count("\n", 0, match.start()) + 1, 1)
        what = "asks for another version of YAML, and a spec is YAML 1.2"
        reading.problem_at(mark, what, "remove the line", Heading.NO_YAML)


def _look_through(root: Any, reading: Reading) -> None:
    """Note each value that is not what its tag says, and each half of a surrogate pair."""
    for node in each(root):
        kind = Value(node, "", _place(node)).kind
        if not isinstance(node, _NODES.get(kind, ScalarNode)) and not kind.startswith("a value"):
            reading.problem_at(
                _place(node),
                f"is not {kind}, although its tag says so",
                "remove the tag",
                Heading.NO_YAML,
            )
        elif isinstance(node, ScalarNode) and not _is_whole(node.value):
            reading.problem_at(
                _place(node),
                "holds an incomplete character",
                "write the whole character",
                Heading.NO_YAML,
            )


def _is_whole(text: str) -> bool:
    """Tell whether a text holds no half of a surrogate pair, which no encoding has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
            what = f"{key.mark.line}:{key.mark.column} {key.path}: is {key.kind}"
            raise SpecError({what: Heading.NO_YAML})
        if key.text in found:
            what = f"{key.mark.line}:{key.mark.column} {key.path}: appears twice"
            raise SpecError({what: Heading.TWICE})
        found[key.text] = plain(item)
    return found
