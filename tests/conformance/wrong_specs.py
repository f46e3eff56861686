"""Makes a right spec wrong, in one place and by one mistake."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from conformance.drawn_specs import SCHEMA, Schema, fits, resolved
from conformance.written_specs import Place, Written, below
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

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
NEEDED = {name for _, one in sections(SPEC) for name, key in one.keys.items() if key.missing}


class Wrong(NamedTuple):
    """A spec with a mistake: what was done, and the lines on which the mistake is."""

    mistake: str
    text: str
    lines: range


class _Node(NamedTuple):
    """A value of a spec, what the schema says of it, and the alternatives that take it."""

    path: Place
    value: Any
    part: Schema
    taken: tuple[Schema, ...]

    @property
    def known(self) -> set[str]:
        """The keys that the schema names here."""
        return {key for part in self.taken for key in part.get("properties", {})}

    @property
    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self.value) if isinstance(self.value, dict) else []


@st.composite
def mistakes_in(draw: st.DrawFn, spec: dict[str, Any]) -> Wrong:
    """Draw a mistake in a spec, one that the schema, or YAML, does not take."""
    nodes = list(_nodes(spec, SCHEMA, ()))
    mistakes = {"a key misspelt": _misspelt, "a value of another kind": _another_kind,
                "a text out of its pattern": _another_text, "a key missing": _missing}  # fmt: skip
    mistake = draw(st.sampled_from((*mistakes, "a key doubled")))
    found = mistakes[mistake](draw, spec, nodes) if mistake in mistakes else None
    if found is None:
        return _doubled(draw, spec, nodes)
    data, place = found
    written = Written.of(data)
    return Wrong(mistake, written.text, written.lines_of(place))


def _nodes(value: Any, part: Schema, path: Place) -> Iterator[_Node]:
    taken = tuple(_alternatives(value, part))
    yield _Node(path, value, part, taken)
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else pairs:
        inside = [one for one in (_below(each, key) for each in taken) if one is not None]
        if inside:
            yield from _nodes(item, {"anyOf": inside}, (*path, key))


def _alternatives(value: Any, part: Schema) -> Iterator[Schema]:
    """Yield the parts of the schema that take a value, each without alternatives."""
    part = resolved(part)
    several = [*part.get("anyOf", ()), *part.get("oneOf", ())]
    for one in several:
        if fits(value, one):
            yield from _alternatives(value, one)
    if not several:
        yield part


def _below(part: Schema, key: Any) -> Schema | None:
    named = None if isinstance(key, int) else part.get("properties", {}).get(key)
    found = named or part.get("items" if isinstance(key, int) else "additionalProperties")
    return found if isinstance(found, dict) else None


Changed = tuple[dict[str, Any], Place]


def _with(spec: dict[str, Any], path: Place, value: Any) -> dict[str, Any]:
    """Return a copy of a spec with another value at a path."""
    if not path:
        return dict(value)
    copy = deepcopy(spec)
    below(copy, path[:-1])[path[-1]] = value
    return copy


def _misspelt(draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node]) -> Changed | None:
    found = [(node, key) for node in nodes for key in node.keys if key in node.known]
    node, key = draw(st.sampled_from(found))
    words = (f"{key}s", key[:-1], key[0] + key, key.replace("e", "a", 1), key.upper())
    free = [word for word in words if word and word not in {*node.known, *node.keys}]
    word = draw(st.sampled_from(free))
    renamed = {word if one == key else one: item for one, item in node.value.items()}
    return _with(spec, node.path, renamed), (*node.path, word)


def _another_kind(draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node]) -> Changed | None:
    return _replaced(draw, spec, nodes, OTHER_KINDS)


def _another_text(draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node]) -> Changed | None:
    texts = [node for node in nodes if isinstance(node.value, str)]
    return _replaced(draw, spec, texts, OTHER_TEXTS)


def _replaced(
    draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node], values: tuple[Any, ...]
) -> Changed | None:
    inside = [node for node in nodes if node.path]
    node = draw(st.sampled_from(inside)) if inside else nodes[0]
    others = [other for other in values if inside and not fits(other, node.part)]
    return (_with(spec, node.path, draw(st.sampled_from(others))), node.path) if others else None


def _missing(draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node]) -> Changed | None:
    found = [(node, key) for node in nodes for key in node.keys if key in NEEDED & node.known]
    rests = []
    for node, key in found:
        rest = {name: item for name, item in node.value.items() if name != key}
        changed = _with(spec, node.path, rest)
        if changed and not fits(changed, SCHEMA):
            rests.append((changed, node.path))
    return draw(st.sampled_from(rests)) if rests else None


def _doubled(draw: st.DrawFn, spec: dict[str, Any], nodes: list[_Node]) -> Wrong:
    places = [(*node.path, key) for node in nodes for key in node.keys]
    place = draw(st.sampled_from(places))
    twice = Written.of(spec).doubled(place)
    return Wrong("a key doubled", twice.text, twice.lines_of(place))
