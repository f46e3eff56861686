"""Composes the nodes of a YAML text: by the line breaks of YAML 1.2, and within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import ScalarNode

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# A workflow needs some hundred. So many are read in half a second.
MOST_VALUES = 10_000
MOST_CHARACTERS = 1_000_000  # as many as a file of a spec can have without aliases
# A spec needs five.
DEEPEST = 50
# ruamel ends a line at these, as YAML 1.1 does. YAML 1.2 and editors do not (yaml.org/spec/1.2.2,
# 5.4), so a comment could hide a key there.
_NO_BREAKS = "\x85\u2028\u2029"
_LAST_CHARACTER = 0x10FFFF


class Mark(NamedTuple):
    """A place in the spec; lines and columns count from 1, as editors do."""

    line: int
    column: int


def mark_of(mark: Any) -> Mark:
    """Return a place of ruamel's, which counts from 0."""
    return Mark(mark.line + 1, mark.column + 1)


class OutOfBounds(Exception):  # noqa: N818 - named after what it is
    """A text has more values, or deeper ones, than it may; `mark` is the first of them."""

    def __init__(self, mark: Any, what: str, hint: str) -> None:
        super().__init__(what)
        self.mark = mark_of(mark)
        self.what = what
        self.hint = hint


def compose(text: str, *, bounded: bool = True, specs: int = 1) -> Any:
    """Return the root node of a text, None when it is empty.

    Raises what ruamel raises, and OutOfBounds when it is deeper than DEEPEST; with `bounded` also
    when it holds more than so many `specs` may.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Composer
    yaml.composer.bounded, yaml.composer.specs = bounded, specs
    if not any(character in text for character in _NO_BREAKS):
        return yaml.compose(text)
    unused = _unused(text)
    stand_ins = {ord(character): next(unused) for character in _NO_BREAKS}
    root = yaml.compose(text.translate(stand_ins))
    _restore(root, {ord(one): chr(meant) for meant, one in stand_ins.items()})
    return root


def _unused(text: str) -> Iterator[str]:
    """Yield characters that a text holds neither as they are nor as an escape."""
    escapes = text.lower()
    numbers = range(_LAST_CHARACTER - 2, 0, -1)  # the last two of a plane are no characters
    return (chr(n) for n in numbers if chr(n) not in text and f"{n:08x}" not in escapes)


def _restore(root: Any, meant: dict[int, str]) -> None:
    for node in each(root):
        if isinstance(node, ScalarNode):
            node.value = node.value.translate(meant)


def each(root: Any) -> Iterator[Any]:
    """Yield each node once, however many aliases lead to it; none for an empty text."""
    todo, seen = [root] if root else [], set()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if not isinstance(node, ScalarNode):
            for item in node.value:
                todo += item if isinstance(item, tuple) else (item,)


class _Composer(Composer):
    """Composes nodes and counts them; an alias counts as all that it stands for.

    That is what the readers of values go through, and what is written into the workflow.
    """

    bounded = True
    specs = 1

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML allows an anchor to be set twice
        self._level = 0
        self._values = self._characters = 0
        # By the id of a node, once it is whole.
        self._sizes: dict[int, tuple[int, int]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark = self.parser.peek_event().start_mark
        is_alias = self.parser.check_event(AliasEvent)
        before = (self._values, self._characters)
        self._level += 1
        self._add(mark, 0 if is_alias else 1, 0)
        node = super().compose_node(parent, index)
        self._level -= 1
        if is_alias and id(node) not in self._sizes:
            what = "is an alias of a value that it is a part of, which would have no end"
            raise OutOfBounds(mark, what, "write what is meant here")
        if is_alias:
            self._add(mark, *self._sizes[id(node)])
        else:
            self._add(mark, 0, len(node.value) if isinstance(node, ScalarNode) else 0)
            self._sizes[id(node)] = (self._values - before[0], self._characters - before[1])
        return node

    def _add(self, mark: Any, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._level > DEEPEST:
            what = f"is nested more than {DEEPEST} levels deep"
            raise OutOfBounds(mark, what, "check the brackets, or the indentation, before this")
        for found, most, unit in (
            (self._values, MOST_VALUES * self.specs, "values"),
            (self._characters, MOST_CHARACTERS * self.specs, "characters"),
        ):
            if self.bounded and found > most:
                holder = "a spec" if self.specs == 1 else "the file of a fleet"
                what = (
                    f"is too much: {holder} holds at most {most:,} {unit}, and an alias counts as "
                    "all that it stands for"
                )
                raise OutOfBounds(mark, what, "use the alias less often, or write less")
