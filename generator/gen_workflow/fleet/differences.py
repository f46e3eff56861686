"""What is different in the spec of one repository, and the spec that follows from the defaults."""

# No `from __future__ import annotations` here: records that name these are read by `sections`.

import re

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gen_workflow.errors import Heading
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Form, Schema

OWN = "own"
_PLACES = re.compile(r"\{(owner|repo)\}")


class Common(Form[Value]):
    """A part of a spec, which is kept as it is: only the whole of it can be checked."""

    def read(self, value: Value, reading: Reading) -> Value | None:
        if value.kind == "a mapping":
            return value
        what = f"should be a mapping with keys of the spec, but is {value.kind}"
        hint = "write for example defaults: {image: ., deploy: {...}}"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"type": "object"}


class Difference(Form[Value]):
    """What is different in a spec: a mapping, nothing, or the word for a spec of its own."""

    def read(self, value: Value, reading: Reading) -> Value | None:
        if value.kind in ("a mapping", "nothing") or is_own(value):
            return value
        what = f"should be a mapping with what is different, but is {value.kind}"
        hint = f"write {{}} when nothing is, or `{OWN}` for a repository that has its own spec"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "object"}, {"type": "null"}, {"const": OWN}]}


def is_own(value: Value) -> bool:
    """Tell whether a repository keeps the spec that it has."""
    return value.kind == "text" and value.text == OWN


def given(difference: Value | None, defaults: Value | None) -> Value | None:
    """Return the spec of a repository without its names; None for one that keeps its own.

    A mapping is merged with that of the defaults; without both, the repository has its own spec.
    """
    differs = difference is not None and difference.kind == "a mapping" and difference.node.value
    if difference is not None and is_own(difference):
        return None
    if difference is None or not differs:
        return defaults
    return difference.over(defaults) if defaults else difference


def filled(value: Value, slug: str) -> Value:
    """Return a spec for one repository: with its names, and without what it has set to nothing.

    A key that is set to nothing takes a default away, as in RFC 7396.
    """
    owner, _, repo = slug.partition("/")
    return value._replace(node=_copy(value.node, {"owner": owner, "repo": repo}), path="")


def _copy(node: object, names: dict[str, str]) -> object:
    if isinstance(node, ScalarNode):
        text = _PLACES.sub(lambda found: names[found[1]], node.value)
        return ScalarNode(node.tag, text, node.start_mark, node.end_mark, style=node.style)
    if isinstance(node, MappingNode):
        kept = [
            (_copy(key, names), _copy(item, names))
            for key, item in node.value
            if not _is_nothing(item)
        ]
        return MappingNode(node.tag, kept, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, SequenceNode):
        items = [_copy(item, names) for item in node.value]
        return SequenceNode(node.tag, items, node.start_mark, node.end_mark, node.flow_style)
    return node  # pragma: no cover - YAML has no other nodes


def _is_nothing(node: object) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag) == "tag:yaml.org,2002:null"
