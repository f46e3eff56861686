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
_NEW = {
    "name": NAME,
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
}
_KEPT = (*_NEW, "bypass_actors")  # of a ruleset that is changed
Rules = dict[str, dict[str, Any]]  # the parameters of each rule, by its type


class Found(NamedTuple):
    """What holds for the default branch, from whatever source, and our own ruleset.

    `ours` is its number, 0 without one, and `own` are its rules; `kept` is the rest of it, which
    stays. `applies` is false where somebody has switched it off, or has made it for other branches.
    `shown` is false where the plan has no rulesets.
    """

    active: Mapping[str, Mapping[str, Any]] = {}
    ours: int = 0
    own: Mapping[str, Mapping[str, Any]] = {}
    shown: bool = True
    kept: Mapping[str, Any] = {}
    applies: bool = True

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
    kept = {name: own.value[name] for name in _KEPT if own.there and own.value.get(name)}
    applies = _applies(kept, branch)
    return Found(_rules(active.items), number, _rules(there), kept=kept, applies=applies)


def _applies(kept: Mapping[str, Any], branch: str) -> bool:
    """Tell whether a ruleset holds for the default branch."""
    names = (kept.get("conditions") or {}).get("ref_name") or {}
    ours = {"~DEFAULT_BRANCH", "~ALL", f"refs/heads/{branch}"} & {*(names.get("include") or ())}
    active = kept.get("enforcement") == "active" and kept.get("target") == "branch"
    return active and bool(ours) and not names.get("exclude")


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
    if found.ours and not found.applies:
        what = f"the ruleset `{NAME}` is switched off, or is about other branches"
        return Part(left=(f"{what}: change it under Settings > Rules, or rename it there",))
    rules = {
        kind: _stricter(found.own.get(kind, {}), wanted.get(kind, {}))
        for kind in (*wanted, *found.own)
    }
    spare = "" if settings.approvals else _SPARE
    body = {**(found.kept or _NEW), "rules": [_rule(kind, rules[kind]) for kind in rules]}
    if found.ours:
        words = f"change the ruleset `{NAME}`, so that the default branch {says}"
        return Part((Step(words, "PUT", f"{api_path}/rulesets/{found.ours}", body, spare=spare),))
    words = f"add a ruleset by which the default branch {says}"
    return Part((Step(words, "POST", f"{api_path}/rulesets", body, spare=spare),))


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
