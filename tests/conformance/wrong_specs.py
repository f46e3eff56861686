"""Makes a right spec wrong, in one place and by one mistake."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.spec_schema import ROOT, Part, fits
from conformance.written_specs import Place, Written, below
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    Places = list[tuple[int, int]]

# What a person might write where it does not belong; the schema says where it does not.
OTHER_KINDS: tuple[Any, ...] = (
    None,
    [],
    {},
    [[1]],
    {"a": 1},
    True,
    12,
    -3,
    1.5,
    "two words",
    [None],
    [{"a": None}],
)
OTHER_TEXTS = (
    "",
    " ",
    "-",
    "../x",
    "/etc",
    "a b",
    "a\nb",
    "${{ secrets.X }}",
    "${{",
    "é",
    "x" * 300,
)
DEEP = 2_000
# What is no YAML, or no value of a spec, wherever it stands; each with what is wrong with it.
RAW = {
    "an alias of nothing": "*nothing",
    "an alias of itself": "&a [*a]",
    "a tag of another program": "!!python/object/apply:os.system [ls]",
    "a tag that nobody knows": "!secret x",
    "a tag that is not true": "!!map x",
    "a list that does not end": "[a, b",
    "a quote that does not end": '"a',
    "an escape that there is not": '"\\q"',
    "half of a character": '"\\ud800"',
    "a character beyond the last one": '"\\U00110000"',
    "a byte of zero": "a\0b",
    "a character that moves the cursor": "a\x1b[31mb",
    "a second value behind the first": '"a" "b"',
    "a mapping in the line of a key": "a: b: c",
    "a tab before a key": "\n\ta: b",
    "a character that may not begin a text": "@a",
    "brackets of thousands of levels": "[" * DEEP + "]" * DEEP,
    "braces of thousands of levels": "{a: " * DEEP + "}" * DEEP,
    "a list of thousands of levels": "\n" + "- " * DEEP + "a",
    "a list as a key": "{[a]: b}",
    "a merge of YAML 1.1": "{<<: {a: b}}",
}
NEEDED = {name for _, one in sections(SPEC) for name, key in one.keys.items() if key.missing}


class Wrong(NamedTuple):
    """A spec with a mistake: what was done, and where it may be reported as line and column."""

    mistake: str
    text: str
    places: Places


class _Node(NamedTuple):
    """A value of a spec, what the schema says of it, and the alternatives that take it."""

    path: Place
    value: Any
    parts: tuple[Part, ...]
    taken: tuple[Part, ...]

    @property
    def known(self) -> set[str]:
        """The keys that the schema names here."""
        return {key for part in self.taken for key in part.schema.get("properties", {})}

    @property
    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self.value) if isinstance(self.value, dict) else []

    def takes(self, value: Any) -> bool:
        """Tell whether the schema takes another value here."""
        return any(fits(value, part.schema) for part in self.parts)


def mistake_in(spec: dict[str, Any], number: int, chance: Random) -> Wrong:
    """Return a spec with a mistake, one that the schema, or YAML, does not take.

    Numbers that follow each other give all kinds in turn.
    """
    nodes = list(_nodes(spec, (ROOT,), ()))
    kinds: list[Callable[[], Wrong | None]] = [
        *(partial(_changed, one, spec, nodes, chance) for one in _CHANGES),
        *(partial(_raw, one, spec, chance) for one in RAW),
        lambda: _doubled(spec, nodes, chance),
    ]
    made = kinds[number % len(kinds)]()
    return made or _doubled(spec, nodes, chance)


def _nodes(value: Any, parts: tuple[Part, ...], path: Place) -> Iterator[_Node]:
    taken = tuple(one for part in parts for one in _alternatives(value, part))
    yield _Node(path, value, parts, taken)
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else pairs:
        inside = tuple(one for one in (each.below(key) for each in taken) if one)
        if inside:
            yield from _nodes(item, inside, (*path, key))


def _alternatives(value: Any, part: Part) -> Iterator[Part]:
    """Yield the parts of the schema that take a value, each without alternatives."""
    part = part.resolved()
    several = part.alternatives()
    for one in several:
        if fits(value, one.schema):
            yield from _alternatives(value, one)
    if not several:
        yield part


Changed = tuple[dict[str, Any], Place]


def _changed(
    mistake: str, spec: dict[str, Any], nodes: list[_Node], chance: Random
) -> Wrong | None:
    found = _CHANGES[mistake](spec, nodes, chance)
    if found is None:
        return None
    data, place = found
    written = Written.of(data)
    return Wrong(mistake, written.text, written.places_of(place))


def _with(spec: dict[str, Any], path: Place, value: Any) -> dict[str, Any]:
    """Return a copy of a spec with another value at a path."""
    if not path:
        return dict(value)
    copy = deepcopy(spec)
    below(copy, path[:-1])[path[-1]] = value
    return copy


def _misspelt(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Changed | None:
    found = [(node, key) for node in nodes for key in node.keys if key in node.known]
    node, key = chance.choice(found)
    # YAML has no keys of more than 1,024 characters.
    words = (f"{key}s", key[:-1], key[0] + key, key.replace("e", "a", 1), key.upper(),
             key.replace("e", "\u0435") + " ", f"{key}\u00a0", "y" * 1_000)  # fmt: skip
    free = [word for word in words if word and word not in {*node.known, *node.keys}]
    word = chance.choice(free)
    renamed = {word if one == key else one: item for one, item in node.value.items()}
    return _with(spec, node.path, renamed), (*node.path, word)


def _another_kind(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Changed | None:
    return _replaced(spec, nodes, OTHER_KINDS, chance)


def _another_text(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Changed | None:
    texts = [node for node in nodes if isinstance(node.value, str)]
    return _replaced(spec, texts, OTHER_TEXTS, chance)


def _out_of_limits(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Changed | None:
    """Change a number to one below or above those that the schema takes."""
    bounded = [
        (node, bound)
        for node in nodes
        for part in node.parts
        for one in (part.resolved(), *part.resolved().alternatives())
        for bound in (one.schema.get("minimum", 0) - 1, one.schema.get("maximum", 0) + 1)
        if "minimum" in one.schema and not node.takes(bound)
    ]
    if not bounded:
        return None
    node, bound = chance.choice(bounded)
    return _with(spec, node.path, bound), node.path


def _replaced(
    spec: dict[str, Any], nodes: list[_Node], values: tuple[Any, ...], chance: Random
) -> Changed | None:
    inside = [node for node in nodes if node.path]
    node = chance.choice(inside) if inside else nodes[0]
    others = [other for other in values if inside and not node.takes(other)]
    return (_with(spec, node.path, chance.choice(others)), node.path) if others else None


def _missing(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Changed | None:
    found = [(node, key) for node in nodes for key in node.keys if key in NEEDED & node.known]
    rests = []
    for node, key in found:
        rest = {name: item for name, item in node.value.items() if name != key}
        changed = _with(spec, node.path, rest)
        if changed and not fits(changed, ROOT.schema):
            rests.append((changed, node.path))
    return chance.choice(rests) if rests else None


_CHANGES: dict[str, Callable[[dict[str, Any], list[_Node], Random], Changed | None]] = {
    "a key misspelt": _misspelt,
    "a value of another kind": _another_kind,
    "a text out of its pattern": _another_text,
    "a number out of its limits": _out_of_limits,
    "a key missing": _missing,
}


def _doubled(spec: dict[str, Any], nodes: list[_Node], chance: Random) -> Wrong:
    places = [(*node.path, key) for node in nodes for key in node.keys]
    place = chance.choice(places)
    twice = Written.of(spec).doubled(place)
    return Wrong("a key doubled", twice.text, twice.places_of(place))


def _raw(mistake: str, spec: dict[str, Any], chance: Random) -> Wrong:
    """Write a value in a way that no reader takes."""
    written = Written.of(spec)
    line = chance.choice([line for line in written.lines if line.has_a_value])
    changed, places = written.rewritten(line.path, RAW[mistake])
    return Wrong(f"{mistake} at {json.dumps(line.path)}", changed, places)
