"""The JSON Schema of the spec: what it takes, and the names of all that it knows.

A part of the schema has a name, as `deploy|1/kubernetes|0/apply`: `/` leads to a key, to NAME for
one that a person chooses and to ITEM in a list; `|` leads to one of several alternatives, and `=`
to one of several words.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema

from gen_workflow.spec import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]
SCHEMA: Schema = json.loads(schema.text())
# GitHub's syntax, which means something as a whole.
_GITHUBS = ("job", "step", "steps")


class Part(NamedTuple):
    """A part of the schema and its name."""

    schema: Schema
    name: str = ""

    @property
    def of_github(self) -> bool:
        """Tell whether it is GitHub's syntax."""
        return self.schema.get("$ref", "").rpartition("/")[2] in _GITHUBS

    def resolved(self) -> Part:
        """Return the part, or the one that it refers to."""
        if "$ref" not in self.schema:
            return self
        name = self.schema["$ref"].rpartition("/")[2]
        return Part(SCHEMA["definitions"][name], self.name).resolved()

    def alternatives(self) -> list[Part]:
        """Return the alternatives, each a part; none when there is but one."""
        if "properties" in self.schema:
            return []  # there, they say which keys have to be there
        several = next((key for key in ("anyOf", "oneOf") if key in self.schema), "")
        return [Part(one, f"{self.name}|{n}") for n, one in enumerate(self.schema.get(several, ()))]

    def words(self) -> dict[str, Any]:
        """Return the values of which it is one, each by its name."""
        words = self.schema.get("enum") or [True, False] * (self.schema.get("type") == "boolean")
        return {f"{self.name}={json.dumps(word)}": word for word in words}

    def below(self, key: Any) -> Part | None:
        """Return what is said of a key or an item; None when the part knows none such."""
        if isinstance(key, int):
            found, name = self.schema.get("items"), "ITEM"
        elif key in self.schema.get("properties", {}):
            found, name = self.schema["properties"][key], key
        else:
            found, name = self.schema.get("additionalProperties"), "NAME"
        return Part(found, f"{self.name}/{name}") if isinstance(found, dict) else None

    def inside(self) -> Iterator[Part]:
        """Yield what is said of all keys and items."""
        keys: list[Any] = [*self.schema.get("properties", ()), 0, ""]
        yield from (one for one in map(self.below, keys) if one)


ROOT = Part(SCHEMA)


def names(part: Part = ROOT) -> Iterator[str]:
    """Yield the name of every part, but of those inside of GitHub's syntax."""
    yield part.name
    if part.of_github:
        return
    part = part.resolved()
    yield from part.words()
    for one in (*part.alternatives(), *part.inside()):
        yield from names(one)


def met(value: Any, part: Part = ROOT) -> Iterator[str]:
    """Yield the names of the parts that take a value, and what is in it."""
    if part.of_github:
        yield part.name
        return
    part = part.resolved()
    yield part.name
    yield from (name for name, word in part.words().items() if word == value)
    for one in part.alternatives():
        if fits(value, one.schema):
            yield from met(value, one)
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else pairs:
        inside = part.below(key)
        if inside:
            yield from met(item, inside)


def fits(value: Any, part: Schema) -> bool:
    """Tell whether a value keeps to a part of the schema."""
    if id(part) not in _validators:
        whole = {"definitions": SCHEMA["definitions"], "allOf": [part]}
        _validators[id(part)] = (part, jsonschema.Draft7Validator(whole))
    return _validators[id(part)][1].is_valid(value)


# By the identity of a part of the schema, which is kept so that no other gets the same.
_validators: dict[int, tuple[Schema, jsonschema.Draft7Validator]] = {}
