"""Environments: what their deploys wait for, and from which branches and tags they may come."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen_workflow.bootstrap.settings import MOST_REVIEWERS
from gen_workflow.bootstrap.steps import Part, Step, together
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.settings import Gate
    from gen_workflow.github.answer import Part as Shown

# Reviewers and wait timers of a private repository need GitHub Enterprise, branch policies any paid
# plan: docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments.
_WITHOUT_GATES = ("free", "pro", "team")
_WITHOUT_POLICIES = ("free",)
_CUSTOM = {"protected_branches": False, "custom_branch_policies": True}


class Ref(NamedTuple):
    """A branch or a tag from which a deploy may come, as a pattern; `kind` is GitHub's word."""

    name: str
    kind: str = "branch"


class Wanted(NamedTuple):
    """An environment that the spec has; without `refs` a deploy may come from any."""

    name: str
    refs: tuple[Ref, ...]
    gate: Gate


class There(NamedTuple):
    """An environment as GitHub holds it; `reviewers` are kind and number of each.

    `policy` is none, protected or custom, and with custom `refs` are its patterns.
    """

    wait: int = 0
    prevent_self_review: bool = False
    reviewers: tuple[tuple[str, int], ...] = ()
    policy: str = ""
    refs: tuple[Ref, ...] = ()


class Found(NamedTuple):
    """The environments by name, and the reviewers by name, as far as GitHub knows them."""

    there: Mapping[str, There]
    reviewers: Mapping[str, tuple[str, int]]
    shown: bool = True


def read(api: Api, wanted: Sequence[Wanted], *, exists: bool) -> Found:
    """Return the environments, and the numbers of those who shall approve."""
    names = {name for one in wanted for name in one.gate.reviewers}
    reviewers = {name: who for name in sorted(names) if (who := _reviewer(api, name))}
    if not exists:
        return Found({}, reviewers)
    listed = api.all(api.below("environments"), "environments", "the environments", "Environments")
    ours = {one.name.lower() for one in wanted}
    there = {}
    for shown in listed or ():
        name = shown.text("name")
        if name.lower() in ours:  # GitHub compares the names without case
            there[name.lower()] = _there(api, name, shown)
    return Found(there, reviewers, shown=listed is not None)


def _reviewer(api: Api, name: str) -> tuple[str, int] | None:
    owner, _, team = name.partition("/")
    path = f"/orgs/{owner}/teams/{quote(team)}" if team else f"/users/{owner}"
    shown = api.look(path, f"the reviewer {name}", "Members (of the organisation)")
    return ("Team" if team else "User", shown.top.number("id")) if shown.there else None


def _there(api: Api, name: str, shown: Shown) -> There:
    wait, self_review, reviewers = 0, False, []
    for rule in shown.parts("protection_rules") if shown.maybe("protection_rules") else ():
        kind = rule.text("type")
        if kind == "wait_timer" and rule.maybe("wait_timer"):
            wait = rule.number("wait_timer")
        if kind == "required_reviewers":
            given = rule.maybe("prevent_self_review")
            self_review = bool(given and given.value)
            reviewers += [
                (one.text("type"), one.part("reviewer").number("id"))
                for one in rule.parts("reviewers")
            ]
    policy = shown.maybe("deployment_branch_policy")
    if policy is None:
        return There(wait, self_review, tuple(reviewers))
    if policy.flag("protected_branches"):
        return There(wait, self_review, tuple(reviewers), "protected")
    path = api.below("environments", name, "deployment-branch-policies")
    listed = api.all(path, "branch_policies", f"the branches of {name}", "Environments") or []
    refs = tuple(Ref(one.text("name"), _kind(one)) for one in listed)
    return There(wait, self_review, tuple(reviewers), "custom", refs)


def _kind(shown: Shown) -> str:
    return shown.text("type") if shown.maybe("type") else "branch"


def plan(api_path: str, wanted: Iterable[Wanted], found: Found, limited: str) -> Part:
    """Return what is to be set; what is stricter stays.

    `limited` is the plan of the owner of a private repository, "" when nothing is limited.
    """
    parts = [_one(api_path, one, found, limited) for one in wanted]
    return together(*parts)


def _one(api_path: str, wanted: Wanted, found: Found, limited: str) -> Part:
    there = found.there.get(wanted.name.lower())
    path = f"{api_path}/environments/{quote(wanted.name, safe='')}"
    return together(
        _gate(path, wanted, there, found, limited), _refs(path, wanted, there, found, limited)
    )


def _gate(path: str, wanted: Wanted, there: There | None, found: Found, limited: str) -> Part:
    """Return what makes the environment, with all that its deploys wait for."""
    if refused := _refused(wanted, there, found, limited):
        return Part(refused=tuple(refused))
    merged = _merged(wanted.gate, there or There(), found)
    words = _in_words(wanted.gate)
    if there is not None and merged == there:
        return Part(already=(f"the environment {wanted.name} is there{words}",))
    what = f"create the environment {wanted.name}{words}"
    if there is not None:
        what = f"change the environment {wanted.name}:{words.removeprefix(',')}"
    return Part((Step(what, "PUT", path, _body(merged)),))


def _refused(wanted: Wanted, there: There | None, found: Found, limited: str) -> list[str]:
    gate, name = wanted.gate, wanted.name
    unknown = [one for one in gate.reviewers if one not in found.reviewers]
    problems = [
        f"{one}, who shall approve deploys to {name}, is not known to GitHub, or the token may not "
        "see it: correct the name in bootstrap.yml"
        for one in unknown
    ]
    if len(_merged(gate, there or There(), found).reviewers) > MOST_REVIEWERS:
        problems.append(
            f"{name} would have more than {MOST_REVIEWERS} reviewers, the most that GitHub takes: "
            "name a team in bootstrap.yml"
        )
    if limited in _WITHOUT_GATES and (gate.reviewers or gate.wait or gate.prevent_self_review):
        problems.append(
            f"deploys to {name} cannot wait for approval or time: a private repository needs "
            f"GitHub Enterprise for that, and the plan is {limited}: take {name} out of "
            "bootstrap.yml, or make the repository public"
        )
    return problems


def _merged(gate: Gate, there: There, found: Found) -> There:
    """Return what there is with what is asked for, where the stricter of the two goes before."""
    asked = tuple(found.reviewers[one] for one in gate.reviewers if one in found.reviewers)
    return there._replace(
        wait=max(there.wait, int(gate.wait or 0)),
        prevent_self_review=there.prevent_self_review or bool(gate.prevent_self_review),
        reviewers=tuple(dict.fromkeys((*there.reviewers, *asked))),
    )


def _in_words(gate: Gate) -> str:
    parts = []
    if gate.reviewers:
        parts.append(f"approved by {' or '.join(gate.reviewers)}")
    if gate.prevent_self_review:
        parts.append("never by who started the run")
    if gate.wait:
        parts.append(f"after {gate.wait} minutes")
    return "".join(f", {part}" for part in parts)


def _body(there: There) -> dict[str, Any]:
    """Return the body that sets all of it: GitHub takes what is left out for not wanted.

    What is not set is left out, because GitHub refuses it where the plan has not got it, even with
    its default (https://github.com/alchemy-run/alchemy/pull/1373).
    """
    body: dict[str, Any] = {}
    if there.wait:
        body["wait_timer"] = there.wait
    if there.prevent_self_review:
        body["prevent_self_review"] = True
    if there.reviewers:
        body["reviewers"] = [{"type": kind, "id": number} for kind, number in there.reviewers]
    if there.policy:
        custom = there.policy == "custom"
        body["deployment_branch_policy"] = {
            "protected_branches": not custom,
            "custom_branch_policies": custom,
        }
    return body


def _refs(path: str, wanted: Wanted, there: There | None, found: Found, limited: str) -> Part:
    """Return what limits an environment to the branches and tags that the spec deploys from."""
    now = there or There()
    named = _listed(wanted.refs)
    if not wanted.refs:
        return Part()
    if now.policy == "protected":
        return Part(already=(f"{wanted.name} takes deploys from protected branches only",))
    lacking = [one for one in wanted.refs if not any(_covers(each, one) for each in now.refs)]
    if now.policy and not lacking:
        return Part(already=(f"{wanted.name} takes deploys from {_listed(now.refs)} only",))
    if not {*now.refs} <= {*wanted.refs}:
        hint = f"add {_listed(lacking)} under Settings > Environments > {wanted.name}"
        what = f"{wanted.name} takes deploys from {_listed(now.refs)} only, which somebody has set"
        return Part(left=(f"{what}: {hint}, or no deploy from there will start",))
    if limited in _WITHOUT_POLICIES:
        what = f"{wanted.name} takes deploys from every branch: to limit it to {named}, a private"
        return Part(left=(f"{what} repository needs GitHub Pro, Team or Enterprise",))
    merged = _merged(wanted.gate, now, found)
    return Part(tuple(_limiting(path, wanted.name, merged, lacking, named)))


def _limiting(
    path: str, name: str, there: There, lacking: Iterable[Ref], named: str
) -> Iterator[Step]:
    """Yield the steps by which only some branches and tags may deploy to an environment."""
    spare = f"the limit of {name} to {named}"
    if not there.policy:
        body = {**_body(there), "deployment_branch_policy": _CUSTOM}
        yield Step(f"limit deploys to {name} to {named}", "PUT", path, body, spare=spare)
    for one in lacking:
        says = f"let the {one.kind} {one.name} deploy to {name}"
        body = {"name": one.name, "type": one.kind}
        yield Step(says, "POST", f"{path}/deployment-branch-policies", body, spare=spare)


def _covers(there: Ref, wanted: Ref) -> bool:
    """Tell whether a pattern allows what another one names, which may be a pattern as well."""
    return there.kind == wanted.kind and (
        there.name == wanted.name or fnmatchcase(wanted.name, there.name)
    )


def _listed(refs: Iterable[Ref]) -> str:
    return " and ".join(f"the {one.kind} {one.name}" for one in refs) or "nothing"
