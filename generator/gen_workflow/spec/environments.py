"""The environments of a spec: when each is deployed to, and what differs there."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import TYPE_CHECKING, Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.deploy import DEPLOY, GitopsDeploy, KubernetesDeploy
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.events import WHEN, When
from gen_workflow.spec.expressions import EXPRESSION, OrExpression
from gen_workflow.spec.forms import Elsewhere, Schema, part_of_a_whole
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.sections import Key, Named, Section

if TYPE_CHECKING:
    from gen_workflow.spec.connect import Connect

# The choice of a person who starts a run: as a push of this branch would do, or one environment.
AS_PUSHED = "as a push"
# GitHub takes these names for the number 0 where it compares them with no choice at all.
_ZERO = r"0[0.]*(?:e[0-9]+)?|0[xob]0*"
# GitHub takes the id of a job with fewer than 100 characters, and one begins with `rollback-`.
_LONGEST = 99 - len("rollback-")


class _Url(OrExpression):
    """An address that GitHub shows, so it has no secrets there."""

    def read(self, value: Value, reading: Reading) -> str | None:
        found = super().read(value, reading)
        if found and any(one.strip().startswith("secrets.") for one in EXPRESSION.findall(found)):
            what = "GitHub shows this address, and takes no secret for it"
            hint = "use a variable: ${{ vars.NAME }}"
            reading.problem(value, what, hint, Heading.NOT_ALLOWED)
            return None
        return found


class Environment(NamedTuple):
    """An environment of GitHub, when it is deployed to, and how.

    `key` is its name, and `first` that of the one that its run begins with, which is itself or
    before it. `deploy` is what all environments share, with what differs in this one.
    """

    on: Annotated[
        When,
        Key(
            "What deploys to it: a branch, `tags`, `release`, `pre-release`, `manual`, or several "
            "in a list",
            WHEN,
            "main",
            "0.1.0",
            default="what deploys to the environment that `after` names, or else the branch `main`",
        ),
    ] = When()
    after: Annotated[
        str,
        Key(
            "The environment that has to get the same image in the same run before this one",
            values.ENVIRONMENT,
            "staging",
            "0.1.0",
        ),
    ] = ""
    url: Annotated[
        str,
        Key(
            "Address that GitHub shows for the deployment",
            _Url("an address", r"https?://\S+", "write for example url: https://shop.example.com"),
            "https://shop.example.com",
            "0.1.0",
        ),
    ] = ""
    connect: Annotated[
        "Connect | None",
        Key(
            "What lets the runner reach this target, in place of `connect` of the whole spec; "
            "`none` leaves it out",
            Elsewhere("gen_workflow.spec.connect", "OF_AN_ENVIRONMENT"),
            "{tailscale: {ping: prod}}",
            "0.1.0",
            default="`connect` of the whole spec",
        ),
    ] = None
    key: str = ""
    first: str = ""
    deploy: SshDeploy | KubernetesDeploy | GitopsDeploy | None = None


class _Environments(Section[Environment]):
    """A section with keys of its own, and all of `deploy`."""

    def __init__(self) -> None:
        super().__init__(Environment)
        # `after` of a deploy are commands, and here it is the environment before this one.
        self.own = dict(self.keys)
        self.keys = self.own | {k: key for k, key in DEPLOY.keys.items() if k not in self.own}
        self.planned = DEPLOY.planned

    def default(self, name: str) -> object:
        return super().default(name) if name in self.own else DEPLOY.default(name)

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> Environment | None:
        its_own = {name: item for name, item in values.items() if name in self.own}
        own = Section(Environment).of(where, its_own, reading)
        shared = dict(reading.shared)
        for name, item in values.items():
            if name not in self.own:
                both = (item, shared.get(name))
                may_merge = all(one and one.kind == "a mapping" for one in both)
                shared[name] = item.over(shared[name]) if may_merge else item
        deploy = DEPLOY.of(where, shared, reading)
        # Without a deploy, which has a problem of its own, others still refer to it.
        return own and own._replace(deploy=deploy)

    def schema(self) -> Schema:
        """Return a schema in which nothing is required: it may be said in `deploy`."""
        return part_of_a_whole(super().schema())


def word_of(name: str) -> str:
    """Return the name of an environment as a part of the id of its job."""
    small = name.lower()
    in_ascii = small if small.isascii() else small.encode("punycode").decode()
    return re.sub(r"[^a-z0-9]+", "-", in_ascii).strip("-")


def _fit_each_other(found: tuple[Environment, ...], where: Value, reading: Reading) -> None:
    """Note a problem for environments that do not fit each other; the rule of `environments`."""
    _can_be_told_apart(found, where, reading)
    _in_order(found, where, reading)


def _can_be_told_apart(found: tuple[Environment, ...], where: Value, reading: Reading) -> None:
    """Note a problem for each name of which no job, no container or no choice can be made."""
    keys = {key.text: key for key, _ in where.pairs()}
    names = {word_of(AS_PUSHED): f"`{AS_PUSHED}`, which a run by hand offers beside it"}
    for one in found:
        word = word_of(one.key)
        other = names.setdefault(word, repr(one.key))
        what = ""
        if other != repr(one.key):
            what = f"{one.key!r} cannot be told apart from {other}"
        elif len(word) > _LONGEST:
            what = f"makes the id of a job too long: {len(word)} characters, and {_LONGEST} fit"
        elif re.fullmatch(_ZERO, one.key, re.IGNORECASE):
            what = f"{one.key!r} is no choice: GitHub takes it for none"
        if what:
            reading.problem(keys[one.key], what, "give it another name", Heading.WRONG_VALUE)


def _in_order(found: tuple[Environment, ...], where: Value, reading: Reading) -> None:
    """Note a problem for each `after` that leads nowhere, or has a condition of its own."""
    known = {one.key: one for one in found}
    for one in found:
        if one.after:
            _has_one_before(one, known, where, reading)
        if one.after and any(one.on):
            what = "cannot be beside `after`: the same run deploys to both"
            hint = "remove `on`, or remove `after`"
            reading.problem(where.below([one.key, "on"]), what, hint, Heading.TOGETHER)


def _has_one_before(
    one: Environment, known: dict[str, Environment], where: Value, reading: Reading
) -> None:
    """Note a problem when `after` names no environment, or leads back to itself."""
    place, seen, here = where.below([one.key, "after"]), [one.key], one
    while here.after in known and here.after not in seen:
        seen.append(here.after)
        here = known[here.after]
    written = tuple(name.text for name, _ in where.pairs())
    if one.after not in written:
        others = tuple(name for name in written if name != one.key)
        some = (
            f"use one of {listed(others)}" if others else "remove it: there is no other environment"
        )
        hint = near(one.after, others) or some
        what = f"{one.after!r} is not one of the environments"
        reading.problem(place, what, hint, Heading.WRONG_VALUE)
    elif here.after in seen:
        what = f"goes in a circle: {' after '.join([*seen, here.after])}"
        reading.problem(place, what, "remove one `after`", Heading.TOGETHER)


ENVIRONMENT = _Environments()
ENVIRONMENTS = Named(
    values.ENVIRONMENT,
    ENVIRONMENT,
    "environments: {staging: {on: main, ssh: staging}, production: {on: release, ssh: prod}}",
    rule=_fit_each_other,
)
