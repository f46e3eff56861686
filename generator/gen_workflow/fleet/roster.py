"""The file of a fleet: which repositories there are, and what their specs have in common."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Form, Schema, Text, entries
from gen_workflow.spec.hints import Keys
from gen_workflow.spec.sections import Fields, Key, Later, Section, sections

FILE = "fleet.yml"
EXAMPLE = """\
owner: acme
defaults:
  image: .
  deploy:
    ssh: vps
    compose: compose.yml
    dir: /srv/{repo}
repos:
  orders: {}
  web:
    test: {node: 22}
  legacy: own
"""
_ROOM = 20  # a file of a fleet may hold as much as so many specs
_OWN = "own"
_NAME = r"[A-Za-z0-9._-]+"
_PLACES = re.compile(r"\{(owner|repo)\}")


class Member(NamedTuple):
    """A repository of the fleet.

    `given` is the root of its spec before the names are filled in; None when the repository keeps a
    spec of its own. `where` is its key in the file of the fleet.
    """

    slug: str
    where: Value
    given: Value | None

    @property
    def spec(self) -> Value | None:
        """Its spec, whose values know their places in the file of the fleet.

        It is made each time, because the copies of a large fleet would fill the memory.
        """
        return _filled(self.given, self.slug) if self.given else None


class _Common(Form[Value]):
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


class _Repositories(Form[tuple[tuple[Value, Value], ...]]):
    """The repositories by their names, each with what is different in its spec."""

    def read(self, value: Value, reading: Reading) -> tuple[tuple[Value, Value], ...] | None:
        if value.kind == "a list":
            return tuple((item, item) for item in value.items() if self._is_name(item, reading))
        if value.kind == "a mapping":
            found = entries(value, reading)
            return tuple((key, item) for key, item in found if self._fits(key, item, reading))
        what = f"should be a mapping of repositories, but is {value.kind}"
        reading.problem(value, what, "write for example repos: {orders: {}}", Heading.WRONG_KIND)
        return None

    def _fits(self, key: Value, item: Value, reading: Reading) -> bool:
        if not self._is_name(key, reading):
            return False
        word = item.text if item.kind == "text" else ""
        if item.kind in ("a mapping", "nothing") or word == _OWN:
            return True
        what = f"should be a mapping with what is different, but is {item.kind}"
        hint = f"write {{}} when nothing is, or `{_OWN}` for a repository that has its own spec"
        reading.problem(item, what, hint, Heading.WRONG_KIND)
        return False

    def _is_name(self, key: Value, reading: Reading) -> bool:
        if key.kind == "text" and re.fullmatch(f"{SLUG}|{_NAME}", key.text):
            return True
        found = repr(key.text) if key.kind == "text" else key.kind
        what = f"{found} is not the name of a repository"
        reading.problem(key, what, "write NAME, or OWNER/NAME", Heading.WRONG_VALUE)
        return False

    def schema(self) -> Schema:
        item = {"anyOf": [{"type": "object"}, {"type": "null"}, {"const": _OWN}]}
        name = {"type": "string", "pattern": f"^(?:{SLUG}|{_NAME})$"}
        many = {"type": "object", "propertyNames": name, "additionalProperties": item}
        return {"anyOf": [many, {"type": "array", "items": name}]}


class _Fleet(NamedTuple):
    """The keys of the file of a fleet."""

    repos: Annotated[
        tuple[tuple[Value, Value], ...],
        Key(
            "The repositories, each with what is different in its spec; `own` for one with a spec "
            "of its own",
            _Repositories(),
            "{orders: {}, web: {test: {node: 22}}}",
            "0.2.0",
            missing="name the repositories: repos: {orders: {}}",
        ),
    ]
    owner: Annotated[
        str,
        Key(
            "Owner of the repositories that are named without one",
            Text("the name of an owner", r"[A-Za-z0-9][A-Za-z0-9_-]*", "acme"),
            "acme",
            "0.2.0",
        ),
    ] = ""
    defaults: Annotated[
        Value | None,
        Key(
            "What all specs have in common; `{repo}` and `{owner}` stand for the names",
            _Common(),
            "{image: ., deploy: {ssh: vps, compose: compose.yml, dir: '/srv/{repo}'}}",
            "0.2.0",
        ),
    ] = None


def _rule(fields: Fields, reading: Reading) -> None:
    """Note repositories that have no owner, or appear twice."""
    owner = fields.read.get("owner") or ""
    first: dict[str, Value] = {}
    for key, _ in fields.read.get("repos") or ():
        slug = _slug(key.text, owner)
        if "/" not in slug:
            what, hint = f"{key.text!r} has no owner", f"write OWNER/{key.text}, or the key `owner`"
            reading.problem(key, what, hint, Heading.MISSING_KEY)
        elif slug.lower() in first:
            what = f"{slug} appears twice, first on line {first[slug.lower()].mark.line}"
            reading.problem(key, what, "keep one of them", Heading.TWICE)
        first.setdefault(slug.lower(), key)


FLEET = Section(_Fleet, Later("select rings"), rule=_rule)


def read(raw: bytes, source: str) -> tuple[Member, ...]:
    """Return the repositories in the file of a fleet, in its order.

    Raises SpecError with everything that is wrong with the file itself; the specs are not read yet.
    """
    root = document.parse(document.decode(raw, source), source, specs=_ROOM)
    if root is None or root.kind == "nothing":
        hint = "it can be as short as this:\n" + "".join(
            f"      {line}\n" for line in EXAMPLE.splitlines()
        )
        empty = Problem(source, 1, 1, "is empty", hint=hint.rstrip())
        raise SpecError({empty: Heading.NO_SPEC})
    reading = Reading(source, keys=_keys)
    reading.kind = "the file of a fleet"
    found = FLEET.read(root, reading)
    reading.raise_problems()
    if found is None:  # pragma: no cover - a file that is refused has problems
        raise SpecError({f"{source}:1:1 cannot be read": Heading.WRONG_VALUE})
    return tuple(_member(key, item, found) for key, item in found.repos)


def _keys() -> dict[str, Keys]:
    return {path: section.names for path, section in sections(FLEET)}


def _member(key: Value, item: Value, fleet: _Fleet) -> Member:
    slug = _slug(key.text, fleet.owner)
    differs = item.kind == "a mapping" and bool(item.node.value)
    if item.kind == "text" and item is not key:
        return Member(slug, key, None)
    if fleet.defaults is None:
        return Member(slug, key, item if differs else None)
    return Member(slug, key, item.over(fleet.defaults) if differs else fleet.defaults)


def _slug(name: str, owner: str) -> str:
    return name if "/" in name or not owner else f"{owner}/{name}"


def _filled(value: Value, slug: str) -> Value:
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
