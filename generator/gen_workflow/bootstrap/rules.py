"""The rules of the default branch: a ruleset of ours beside those that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.bootstrap.steps import Part, Step
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.settings import Settings
    from gen_workflow.github.answer import Part as Shown

NAME = "gen-workflow: default branch"
_SPARE = "the ruleset of the default branch"
_WITHOUT = "a private repository needs GitHub Pro, Team or Enterprise for rules"
_COUNT = "required_approving_review_count"
_BY_PULLS = {"pull_request", "update", "required_status_checks", "merge_queue"}
_PULLS = {
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}
Rules = dict[str, dict[str, Any]]  # the parameters of each rule, by its type


class Found(NamedTuple):
    """What holds for the default branch, from whatever source, and our own ruleset.

    `ours` is its number, 0 without one. `shown` is false where the plan has no rulesets.
    """

    active: Mapping[str, Mapping[str, Any]] = {}
    ours: int = 0
    own: Mapping[str, Mapping[str, Any]] = {}
    shown: bool = True

    @property
    def refuse_commits(self) -> bool:
        """Whether no commit goes on the default branch but by a pull request."""
        return bool({*self.active} & _BY_PULLS)


def read(api: Api, branch: str) -> Found:
    """Return what holds for the default branch."""
    path = f"{api.below('rules', 'branches', branch)}?per_page=100"
    active = api.look(path, "the rules of the default branch", "Metadata")
    if not active.there:
        return Found(shown=False)
    path = f"{api.below('rulesets')}?includes_parents=false&per_page=100"
    listed = api.look(path, "the rulesets", "Metadata")
    named = [one for one in listed.items if one.text("name") == NAME] if listed.there else []
    if not named:
        return Found(_rules(active.items))
    number = named[0].number("id")
    own = api.look(api.below("rulesets", f"{number}"), "our ruleset", "Metadata")
    there = own.top.parts("rules") if own.there and own.top.maybe("rules") else ()
    return Found(_rules(active.items), number, _rules(there))


def _rules(shown: Iterable[Shown]) -> Rules:
    found: Rules = {}
    for one in shown:
        kind, given = one.text("type"), one.maybe("parameters")
        parameters = given.value if given and isinstance(given.value, dict) else {}
        found[kind] = _stricter(found.get(kind, {}), parameters)
    return found


def plan(api_path: str, found: Found, settings: Settings, limited: str) -> Part:
    """Return what makes the rules hold; those of others stay, and the stricter ones with them.

    `limited` is the plan of the owner of a private repository, "" when nothing is limited.
    """
    if not found.shown or limited == "free":
        if settings.approvals:
            hint = "take `approvals` out of bootstrap.yml, or make the repository public"
            return Part(refused=(f"`approvals` cannot be required: {_WITHOUT}: {hint}",))
        return Part(left=(f"the default branch is not protected: {_WITHOUT}",))
    wanted = _wanted(settings)
    says = _in_words(settings)
    if all(kind in found.active and _holds(found.active[kind], wanted[kind]) for kind in wanted):
        return Part(already=(f"the default branch {says}",))
    rules = {
        kind: _stricter(found.own.get(kind, {}), wanted.get(kind, {}))
        for kind in (*wanted, *found.own)
    }
    body = {
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [_rule(kind, rules[kind]) for kind in rules],
    }
    path = f"{api_path}/rulesets/{found.ours}" if found.ours else f"{api_path}/rulesets"
    words = f"add a ruleset by which the default branch {says}"
    verb = "PUT" if found.ours else "POST"
    return Part((Step(words, verb, path, body, spare="" if settings.approvals else _SPARE),))


def _wanted(settings: Settings) -> Rules:
    rules: Rules = {"deletion": {}, "non_fast_forward": {}}
    if settings.approvals:
        rules["pull_request"] = {**_PULLS, _COUNT: int(settings.approvals)}
    return rules


def _in_words(settings: Settings) -> str:
    words = "cannot be deleted or moved back"
    if not settings.approvals:
        return words
    many = "approval" if settings.approvals == "1" else "approvals"
    return f"{words}, and needs a pull request with {settings.approvals} {many}"


def _rule(kind: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, **({"parameters": {**parameters}} if parameters else {})}


def _holds(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a rule is at least as strict as another one."""
    numbers = {name: value for name, value in there.items() if isinstance(value, int)}
    return all(numbers.get(name, 0) >= value for name, value in wanted.items())


def _stricter(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of both, of flags and numbers the greater ones."""
    both = {**other, **one}
    for name in {*one} & {*other}:
        if isinstance(one[name], int) and isinstance(other[name], int):
            both[name] = max(one[name], other[name])
    return both
