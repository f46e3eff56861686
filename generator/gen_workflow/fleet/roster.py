"""The file of a fleet: which repositories there are, and what their specs have in common."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from collections.abc import Sequence
from typing import Annotated

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.fleet.differences import Common, Difference, filled, given
from gen_workflow.fleet.rings import Ring, Rings
from gen_workflow.fleet.selection import OWNER, SELECT, Found, Selection
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Form, Schema, entries
from gen_workflow.spec.hints import Keys
from gen_workflow.spec.sections import Fields, Key, Section, sections

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
_NAME = r"[A-Za-z0-9._-]+"
_DIFFERENCE = Difference()


class Member(NamedTuple):
    """A repository of the fleet.

    `given` is the root of its spec before the names are filled in; None when the repository keeps a
    spec of its own.
    """

    slug: str
    given: Value | None

    @property
    def spec(self) -> Value | None:
        """Its spec, whose values know their places in the file of the fleet.

        It is made each time, because the copies of a large fleet would fill the memory.
        """
        return filled(self.given, self.slug) if self.given else None


class Roster(NamedTuple):
    """What the file of a fleet says: the repositories that it names, and which ones it selects."""

    members: tuple[Member, ...]
    selections: tuple[Selection, ...] = ()
    rings: tuple[Ring, ...] = ()
    defaults: Value | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose repositories it names or selects, each once, as it is written first."""
        names = [one.slug.partition("/")[0] for one in self.members]
        names += [one.owner for one in self.selections]
        return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]

    def selected(self, selection: Selection, found: Sequence[Found]) -> "Roster":
        """Return it with the repositories that a selection finds, in the order of their names.

        One that is in the fleet already stays as it is there.
        """
        known = {one.slug.lower() for one in self.members}
        new = {
            one.slug.lower(): Member(one.slug, given(selection.spec, self.defaults))
            for one in found
            if selection.fits(one) and one.slug.lower() not in known
        }
        return self._replace(members=(*self.members, *(new[name] for name in sorted(new))))


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
        return self._is_name(key, reading) and _DIFFERENCE.read(item, reading) is not None

    def _is_name(self, key: Value, reading: Reading) -> bool:
        if key.kind == "text" and re.fullmatch(f"{SLUG}|{_NAME}", key.text):
            return True
        found = repr(key.text) if key.kind == "text" else key.kind
        what = f"{found} is not the name of a repository"
        reading.problem(key, what, "write NAME, or OWNER/NAME", Heading.WRONG_VALUE)
        return False

    def schema(self) -> Schema:
        item = _DIFFERENCE.schema()
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
            missing="name the repositories: repos: {orders: {}}; or select them",
            unless="select",
        ),
    ] = ()
    select: Annotated[
        tuple[Selection, ...],
        Key(
            "Repositories by what GitHub says of them, beside those that are named",
            SELECT,
            "{topic: deploy}",
            "0.2.0",
        ),
    ] = ()
    rings: Annotated[
        tuple[Ring, ...],
        Key(
            "Parts of the fleet that are changed one after the other",
            Rings(),
            "{first: [orders], early: 10%, all: rest}",
            "0.2.0",
        ),
    ] = ()
    owner: Annotated[
        str,
        Key("Owner of the repositories that are named without one", OWNER, "acme", "0.2.0"),
    ] = ""
    defaults: Annotated[
        Value | None,
        Key(
            "What all specs have in common; `{repo}` and `{owner}` stand for the names",
            Common(),
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
    for selection in fields.read.get("select") or ():
        if not (selection.owner or owner):
            where = selection.where
            hint = "write for example select: {owner: acme, topic: deploy}, or the key `owner`"
            reading.problem(where, "the selection has no owner", hint, Heading.MISSING_KEY)


FLEET = Section(_Fleet, rule=_rule)


def read(raw: bytes, source: str) -> Roster:
    """Return what the file of a fleet says, its repositories in their order.

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
    named = ((_slug(key.text, found.owner), key, item) for key, item in found.repos)
    members = (
        Member(slug, given(None if item is key else item, found.defaults))
        for slug, key, item in named
    )
    selections = (one._replace(owner=one.owner or found.owner) for one in found.select)
    return Roster(tuple(members), tuple(selections), found.rings, found.defaults)


def _keys() -> dict[str, Keys]:
    return {path: section.names for path, section in sections(FLEET)}


def _slug(name: str, owner: str) -> str:
    return name if "/" in name or not owner else f"{owner}/{name}"
