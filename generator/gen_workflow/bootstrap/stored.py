"""Secrets and variables: those that are there stay, and those that are missing are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from gen_workflow.bootstrap.steps import Part, Step, together
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.values import Given, Values
    from gen_workflow.workflow.records import Need, Needs

_SECRETS, _VARIABLES = "secrets", "variables"
_WORDS = {_SECRETS: "secret", _VARIABLES: "variable"}


class Found(NamedTuple):
    """The names in capitals that there are, by kind and by environment, "" for the repository.

    Those of the organisation that the repository may read have the place `of the organisation`.
    """

    names: Mapping[tuple[str, str], frozenset[str]]

    def has(self, kind: str, place: str, name: str) -> bool:
        """Tell whether a place has a name."""
        return name.upper() in self.names.get((kind, place), ())


_ORGANISATION = "of the organisation"


def read(api: Api, needs: Sequence[Needs], environments: Collection[str], *, org: bool) -> Found:
    """Return the names that there are; `environments` are those there, in small letters."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for kind in (_SECRETS, _VARIABLES):
        wanted = [one.environment for one in needs if getattr(one, kind)]
        if not wanted:
            continue
        right = kind.capitalize()
        for place in dict.fromkeys(("", *wanted)):
            if place and place.lower() not in environments:
                continue
            path = api.below(*(("environments", place) if place else ("actions",)), kind)
            what = f"the {kind} of {place or 'the repository'}"
            found[kind, place] = _names(api, path, kind, what, "Environments" if place else right)
        if org:
            path = api.below("actions", f"organization-{kind}")
            what = f"the {kind} of the organisation"
            found[kind, _ORGANISATION] = _names(api, path, kind, what, right)
    return Found(found)


def _names(api: Api, path: str, kind: str, what: str, right: str) -> frozenset[str]:
    listed = api.all(path, kind, what, right) or ()
    return frozenset(one.text("name").upper() for one in listed)


class _Wanted(NamedTuple):
    """A secret or a variable that is wanted in a place, "" for the repository itself."""

    place: str
    kind: str
    need: Need

    @property
    def named(self) -> str:
        """Its name as people read it."""
        of = f" of {self.place}" if self.place else ""
        return f"{_WORDS[self.kind]} {self.need.name}{of}"


def plan(
    api_path: str,
    needs: Sequence[Needs],
    values: Values,
    found: Found,
    replaced: Collection[str] = (),
) -> Part:
    """Return what is to be stored; `replaced` are names in capitals that are written again."""
    every = [
        _Wanted(place.environment, kind, need)
        for kind in (_VARIABLES, _SECRETS)
        for place in needs
        for need in (place.variables if kind == _VARIABLES else place.secrets)
    ]
    return together(*(_one(api_path, one, values, found, replaced) for one in every))


def _one(
    api_path: str, wanted: _Wanted, values: Values, found: Found, replaced: Collection[str]
) -> Part:
    place, kind, need = wanted
    given = values.of(place, need.name)
    there = found.has(kind, place, need.name)
    if given and (not there or need.name.upper() in replaced):
        return Part((_step(api_path, wanted, given, there=there),))
    if there:
        return Part(already=(f"the {wanted.named} is there",))
    if elsewhere := next(_elsewhere(wanted, found), ""):
        return Part(already=(f"the {wanted.named} is there, as one {elsewhere}",))
    if need.optional:
        return Part()
    return Part(left=(f"a value for the {wanted.named}: {need.purpose}",))


def _elsewhere(wanted: _Wanted, found: Found) -> Iterator[str]:
    if wanted.place and found.has(wanted.kind, "", wanted.need.name):
        yield "of the repository"
    if found.has(wanted.kind, _ORGANISATION, wanted.need.name):
        yield _ORGANISATION


def _step(api_path: str, wanted: _Wanted, given: Given, *, there: bool) -> Step:
    place, kind, name = wanted.place, wanted.kind, wanted.need.name
    below = f"{api_path}/environments/{quote(place, safe='')}" if place else f"{api_path}/actions"
    says = f"{'replace' if there else 'store'} the {wanted.named}, from {given.source}"
    path = f"{below}/{kind}"
    if kind == _SECRETS:
        return Step(says, "PUT", f"{path}/{name}", secret=given.value, keys=f"{path}/public-key")
    body = {"name": name, "value": given.value.reveal()}
    return Step(says, "PATCH" if there else "POST", f"{path}/{name}" if there else path, body)
