"""Specs drawn from the JSON Schema of the spec, and a repository with the files that they name.

The schema says the shape. Half of the values are those that the examples and the cases have under
the same key, where the schema takes them; so most specs mean something, and a new section needs no
word here.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema
from hypothesis import strategies as st

from conformance.spec_examples import FILES, ROOT
from gen_workflow.errors import SpecError
from gen_workflow.spec import document, schema
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.paths import PATH_SCHEMA
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]
SCHEMA: Schema = json.loads(schema.text())
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
_CHARACTERS = st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"])
# How many keys that may be left out a mapping has, by its depth: the top level has most.
_KEYS = ((3, 8), (0, 5), (0, 4), (0, 3), (0, 3))


class Found(NamedTuple):
    """The values that examples have under each key, and the names in mappings under it."""

    values: Mapping[str, list[Any]]
    names: Mapping[str, list[str]]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a spec that keeps to the schema."""
    spec: dict[str, Any] = _mapping(draw, SCHEMA, "", ())
    return spec


def resolved(part: Schema) -> Schema:
    """Return a part of the schema, or the one that it refers to."""
    if "$ref" in part:
        return resolved(SCHEMA["definitions"][part["$ref"].rpartition("/")[2]])
    return part


def fits(value: Any, part: Schema) -> bool:
    """Tell whether a value keeps to a part of the schema."""
    return _validator(json.dumps(part)).is_valid(value)


@cache
def _validator(part: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(
        {"definitions": SCHEMA.get("definitions", {}), "allOf": [json.loads(part)]}
    )


def is_path(part: Schema) -> bool:
    """Tell whether the schema takes a path of the repository, alone, in a list or by name."""
    part = resolved(part)
    several = (part.get(key) for key in ("items", "additionalProperties"))
    inside = [*part.get("anyOf", ()), *(one for one in several if isinstance(one, dict))]
    return part.get("pattern") == PATH_SCHEMA["pattern"] or any(is_path(one) for one in inside)


# --- drawing ---------------------------------------------------------------------------------


def _value(draw: st.DrawFn, part: Schema, key: str, within: tuple[str, ...]) -> Any:
    is_githubs = _is_githubs(part)
    part = resolved(part)
    known = _known(key, json.dumps(part))
    # The gates look at what is at a commit, so only those of the examples will do.
    at_a_commit = "[0-9a-f]{40}" in part.get("pattern", "")
    whole = at_a_commit or is_githubs
    if known and (whole or draw(st.integers(0, 9)) < (3 if "properties" in part else 7)):
        return draw(st.sampled_from(known))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in part and "properties" not in part:
            return _value(draw, draw(st.sampled_from(part[several])), key, within)
    if "enum" in part or "const" in part:
        return draw(st.sampled_from(part.get("enum") or [part["const"]]))
    kind = part.get("type", "string")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "object":
        return _mapping(draw, part, key, within)
    if kind == "array":
        return _list(draw, part, key, within)
    return _scalar(draw, part, kind)


def _mapping(draw: st.DrawFn, part: Schema, key: str, within: tuple[str, ...]) -> dict[str, Any]:
    keys: dict[str, Schema] = part.get("properties", {})
    names = list(part.get("required", ()))
    for choice in part.get("allOf", ()):  # one of some keys is needed
        names += draw(st.sampled_from(choice["anyOf"]))["required"]
    either = {
        name
        for choice in part.get("allOf", ())
        for one in choice["anyOf"]
        for name in one["required"]
        if "properties" not in one
    }
    optional = [name for name in keys if name not in {*names, *either}]
    if optional and len(within) < len(_KEYS):
        least, most = _KEYS[len(within)]
        several = st.lists(st.sampled_from(optional), unique=True, min_size=least, max_size=most)
        names += draw(several) if len(optional) >= least else optional
    inside = (*within, key)
    found = {name: _value(draw, keys[name], name, inside) for name in keys if name in names}
    more = part.get("additionalProperties")
    if not keys and isinstance(more, dict):
        named = _names(key, part.get("propertyNames", {}), more)
        for name in draw(st.lists(named, unique=True, min_size=1, max_size=3)):
            found[name] = _value(draw, more, name, inside)
    return found


def _list(draw: st.DrawFn, part: Schema, key: str, within: tuple[str, ...]) -> list[Any]:
    number = draw(st.integers(part.get("minItems", 0), 3))
    found = [_value(draw, part.get("items", {}), key, within) for _ in range(number)]
    if part.get("uniqueItems"):
        found = list({json.dumps(item): item for item in found}.values())
    return found


def _scalar(draw: st.DrawFn, part: Schema, kind: str) -> Any:
    if kind == "boolean":
        return draw(st.booleans())
    if kind in ("integer", "number"):
        return draw(st.integers(part.get("minimum", 0), part.get("maximum", 70_000)))
    if part.get("pattern") == PATH_SCHEMA["pattern"]:
        return draw(st.sampled_from(paths()))
    return draw(_of_pattern(part["pattern"]) if "pattern" in part else st.sampled_from(WORDS))


@cache
def _of_pattern(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True, alphabet=_CHARACTERS)


def _names(key: str, part: Schema, value: Schema) -> st.SearchStrategy[str]:
    known = [name for name in _found().names.get(key, ()) if fits(name, part)]
    if _is_githubs(value):  # of such names only, the examples have a value
        return st.sampled_from(
            [name for name in known if _known(name, json.dumps(resolved(value)))]
        )
    drawn = _of_pattern(part["pattern"]) if "pattern" in part else st.sampled_from(("a", "b", "c"))
    return st.one_of(st.sampled_from(known), drawn) if known else drawn


def _is_githubs(part: Schema) -> bool:
    """Tell whether a part of the schema is GitHub's syntax, which means something as a whole."""
    return part.get("$ref", "").rpartition("/")[2] in ("job", "step", "steps")


# --- what the examples have -------------------------------------------------------------------


@cache
def _known(key: str, part: str) -> list[Any]:
    return [value for value in _found().values.get(key, ()) if fits(value, json.loads(part))]


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
    parts = [keys[key] for keys in _properties(SCHEMA) if key in keys and beside <= {*keys}]
    fitting = (value for part in parts for value in _known(key, json.dumps(part)))
    return next(fitting, None)


@cache
def paths() -> tuple[str, ...]:
    """Return the paths that the examples name; a folder has a / at its end."""
    found = {"Dockerfile"}
    for key, part in (pair for keys in _properties(SCHEMA) for pair in keys.items()):
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
