"""Specs drawn from the JSON Schema of the spec: each has a number, which always gives the same one.

The schema says the shape. Half of the values are those that the examples and the cases have under
the same key, where the schema takes them; so most specs mean something, and a new section needs no
word here. Each spec has to have one part of the schema, so that all are drawn in turn.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.drawn_texts import text_of
from conformance.spec_examples import FILES, ROOT
from conformance.spec_schema import ROOT as WHOLE
from conformance.spec_schema import Part, fits, names
from gen_workflow.errors import SpecError
from gen_workflow.spec import document
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.paths import PATH_SCHEMA
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.spec_schema import Schema

SPECS = (*FILES, *sorted(ROOT.glob("tests/cases/*/gen-workflow.yml")))
# Where the schema says no more than that it is a text: what a person may write there, right or not.
WORDS = (
    "shop",
    "two words",
    "10",
    "no",
    "é",
    "#a: b",
    "",
    "${{ vars.NAME }}",
    "${{ secrets.NAME }}",
)
# How the pattern of a script ends; what is no shell is not ours.
_SCRIPT = r"[\s\S]*\S"
# What else a key may be named where any name will do.
_NAMES = ("a", "b", "c")
# How many keys that may be left out a mapping has, by its depth: the top level has most.
_KEYS = ((2, 6), (0, 4), (0, 3), (0, 2), (0, 2))


class Found(NamedTuple):
    """The values that examples have under each key, and the names in mappings under it."""

    values: Mapping[str, list[Any]]
    names: Mapping[str, list[str]]


def drawn(number: int) -> dict[str, Any]:
    """Return the spec of a number, which keeps to the schema."""
    wanted = _wanted()
    spec: dict[str, Any] = _Drawing(Random(number), wanted[number % len(wanted)]).mapping(  # noqa: S311 - not a secret
        WHOLE, "", 0
    )
    return spec


@cache
def _wanted() -> list[str]:
    """Return the names of all parts of the schema, mixed: a few of them are of all kinds."""
    found = list(names())
    Random(0).shuffle(found)  # noqa: S311 - not a secret
    return found


def is_path(part: Schema) -> bool:
    """Tell whether the schema takes a path of the repository, alone, in a list or by name."""
    part = Part(part).resolved().schema
    several = (part.get(key) for key in ("items", "additionalProperties"))
    inside = [*part.get("anyOf", ()), *(one for one in several if isinstance(one, dict))]
    return part.get("pattern") == PATH_SCHEMA["pattern"] or any(is_path(one) for one in inside)


# --- drawing ---------------------------------------------------------------------------------


class _Drawing:
    """A spec that is drawn, and the part of the schema that it has to have."""

    def __init__(self, chance: Random, wanted: str) -> None:
        self.chance = chance
        self.wanted = wanted

    def _leads_to_it(self, part: Part) -> bool:
        rest = self.wanted.removeprefix(part.name)
        return rest != self.wanted and (not rest or rest[0] in "/|=")

    def value(self, part: Part, key: str, depth: int) -> Any:
        is_githubs = part.of_github
        part = part.resolved()
        # The gates look at what is at a commit, so only those of the examples will do.
        whole = is_githubs or "[0-9a-f]{40}" in part.schema.get("pattern", "")
        often = 3 if "properties" in part.schema else 7
        if whole or (not self._leads_to_it(part) and self.chance.randrange(10) < often):
            known = _known(key, part)
            if known:
                return self.chance.choice(known)
        if several := part.alternatives():
            needed = [one for one in several if self._leads_to_it(one)]
            return self.value(needed[0] if needed else self.chance.choice(several), key, depth)
        if words := part.words():
            return words.get(self.wanted, self.chance.choice([*words.values()]))
        kind = part.schema.get("type", "string")
        kind = self.chance.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self.mapping(part, key, depth)
        if kind == "array":
            return self._list(part, key, depth)
        return self._scalar(part.schema, kind)

    def mapping(self, part: Part, key: str, depth: int) -> dict[str, Any]:
        keys = part.schema.get("properties", {})
        chosen = self._chosen(part, depth)
        below = [(name, part.below(name)) for name in keys if name in chosen]
        found = {name: self.value(one, name, depth + 1) for name, one in below if one}
        more = part.below("") if not keys else None
        if more:
            names_of = self._names(key, part.schema.get("propertyNames", {}), more)
            for name in names_of:
                found[name] = self.value(more, name, depth + 1)
        return found

    def _chosen(self, part: Part, depth: int) -> list[str]:
        """Return the names of the keys that a mapping has."""
        keys = part.schema.get("properties", {})
        names = list(part.schema.get("required", ()))
        either = set()
        for choice in part.schema.get("allOf", ()):  # one of some keys is needed
            names += self.chance.choice(choice["anyOf"])["required"]
            several = (one for one in choice["anyOf"] if "properties" not in one)
            either |= {name for one in several for name in one["required"]}
        optional = [name for name in keys if name not in {*names, *either}]
        if depth < len(_KEYS):
            least, most = _KEYS[depth]
            many = self.chance.randint(least, most)
            names += self.chance.sample(optional, min(many, len(optional)))
        wanted = [key for key in keys if self._leads_to_it(Part({}, f"{part.name}/{key}"))]
        if either & {*wanted}:
            names = [name for name in names if name not in either]
        return names + wanted

    def _list(self, part: Part, key: str, depth: int) -> list[Any]:
        item = part.below(0) or Part({})
        least = max(part.schema.get("minItems", 0), self._leads_to_it(item))
        found = [self.value(item, key, depth) for _ in range(self.chance.randint(least, 3))]
        if part.schema.get("uniqueItems"):
            found = list({json.dumps(item): item for item in found}.values())
        return found

    def _scalar(self, part: Schema, kind: str) -> Any:
        if kind in ("integer", "number"):
            return self.chance.randint(part.get("minimum", 0), part.get("maximum", 70_000))
        if part.get("pattern") == PATH_SCHEMA["pattern"]:
            return self.chance.choice(paths())
        pattern = part.get("pattern", _SCRIPT)
        found = None if _SCRIPT in pattern else text_of(pattern, self.chance)
        return self.chance.choice(WORDS) if found is None else found

    def _names(self, key: str, part: Schema, value: Part) -> list[str]:
        known = [name for name in _found().names.get(key, ()) if fits(name, part)]
        if value.of_github:  # of such names only, the examples have a value
            some = [name for name in known if _known(name, value.resolved())]
        else:
            some = [self._name(known, part) for _ in range(3)]
        some = list(dict.fromkeys(some))
        return self.chance.sample(some, self.chance.randint(1, min(3, len(some))))

    def _name(self, known: list[str], part: Schema) -> str:
        if known and self.chance.random() < 0.5:
            return self.chance.choice(known)
        return text_of(part.get("pattern", ""), self.chance) or self.chance.choice(_NAMES)


# --- what the examples have -------------------------------------------------------------------


def _known(key: str, part: Part) -> list[Any]:
    place = (key, id(part.schema))
    if place not in _knowns:
        found = [value for value in _found().values.get(key, ()) if fits(value, part.schema)]
        _knowns[place] = found
    return _knowns[place]


# By key and the identity of the part of the schema, which `fits` keeps.
_knowns: dict[tuple[str, int], list[Any]] = {}


@cache
def _found() -> Found:
    found = Found({}, {})
    for file in SPECS:
        _collect(_read(file.read_text("utf-8-sig")), "", found)
    for _, section in sections(SPEC):
        for name, key in section.keys.items():
            with suppress(SpecError):  # an example may be words
                _collect({name: _read(key.example)}, "", found)
    return found


def _read(text: str) -> Any:
    root = document.parse(text, "example")
    return root and document.plain(root)


def _collect(value: Any, key: str, found: Found) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, key, found)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if isinstance(name, str) and not name.startswith("x-"):
            _add(found.names, key, name)
            _add(found.values, name, item)
            _collect(item, name, found)


def _add(found: Mapping[str, list[Any]], key: str, value: Any) -> None:
    assert isinstance(found, dict)
    values = found.setdefault(key, [])
    if not any(type(one) is type(value) and one == value for one in values):
        values.append(value)


@cache
def example(key: str, beside: frozenset[str]) -> Any:
    """Return a value that an example has under a key, for a mapping that has others already."""
    parts = [keys[key] for keys in _properties(WHOLE.schema) if key in keys and beside <= {*keys}]
    fitting = (value for part in parts for value in _known(key, Part(part)))
    return next(fitting, None)


@cache
def paths() -> tuple[str, ...]:
    """Return the paths that the examples name; a folder has a / at its end."""
    found = {"Dockerfile"}
    for key, part in (pair for keys in _properties(WHOLE.schema) for pair in keys.items()):
        for value in _found().values.get(key, ()) if is_path(part) else ():
            items = value.values() if isinstance(value, dict) else value
            items = [items] if isinstance(items, str) else items
            found |= {item for item in items if isinstance(item, str) and fits(item, PATH_SCHEMA)}
    return tuple(sorted(found))


def _properties(part: Schema) -> Iterator[dict[str, Schema]]:
    """Yield what the schema says of the keys of each mapping."""
    yield part.get("properties", {})
    for value in part.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from _properties(one)
