"""Tells whether lines of a workflow that changed say the value of the spec that was changed.

A line says it when it has a word of it, or the key of a truth value. What else may follow is in
`_FOLLOWS` and in the functions below, each with its reason, and nothing else may.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML

from gen_workflow.spec.events import WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.written_specs import Place

_OPERATORS = r"&&|\|\||[ ()]"
_WAIT = r"timeout|stop-timeout|drain|stability|rollback-timeout|timeout-minutes|lock-timeout"
# The limits of a job and of the lock: they have room for all waits, so a wait moves them.
_LIMIT = r"(?<=timeout-minutes: )\d+|(?<=lock-timeout: \")\d+|(?<=lock-expiry: \")\d+"


class Change(NamedTuple):
    """The place of a value in a spec, what it was, and what it became."""

    place: Place
    old: Any
    new: Any


class _Follows(NamedTuple):
    """Which keys change a line that does not say them, and the only part of it that they change."""

    keys: str
    part: str


_FOLLOWS = (
    # A condition says an event in GitHub's words: `plan.deploy` and `plan.build`.
    _Follows(
        "on/(?:pre-)?release",
        rf"github\.event_name == 'release'|!?github\.event\.release\.prerelease|{_OPERATORS}",
    ),
    _Follows("on/merge-queue", rf"github\.event_name [!=]= 'merge_group'|{_OPERATORS}"),
    _Follows("on/pull-request", rf"github\.event_name [!=]= 'pull_request'|{_OPERATORS}"),
    # Nobody is told of what is only proposed, in either way: `plan.notify`.
    _Follows(
        "on/(?:pull-request|merge-queue)",
        r"(?<=if: always\(\)) && github\.event_name != 'pull_request' "
        r"&& github\.event_name != 'merge_group'",
    ),
    # Where an environment is chosen by hand, each of the others says that it is not the chosen one.
    _Follows(
        r"on/(?:\d+/)?manual",
        r"inputs\.environment == '[^']+'|github\.event_name != 'workflow_dispatch'"
        rf"|{_OPERATORS}",
    ),
    # Where tags or releases are deployed, their run takes the image over: `plan.image`.
    _Follows(r"on/(?:\d+/)?(?:tags|(?:pre-)?release)", r"(?<= {10}skip-unchanged: ).+"),
    # The build has an anchor for the check of pull requests and of the merge queue alone.
    _Follows("on/(?:pull-request|merge-queue)", r"(?<=    steps:) &[\w-]+"),
    # Two Secrets with one value of one name share a variable of the step: `plan.kubernetes`.
    _Follows("kubernetes/secret/.+", r"(?<=: )[A-Z0-9_]+(?=[,}])"),
    # The header says what the token is for: `plan.gitops`.
    _Follows("gitops/pull-request", r"(?<=may write contents) and pull requests(?= of )"),
)


def unsaid(before: Sequence[str], after: Sequence[str], change: Change) -> list[str]:
    """Return the changes in lines that neither say the changed value nor may follow from it."""
    pushes = set()
    if _ends(change, "gitops/pull-request"):
        pushes = _pushing(before) | _pushing(after)
    found = []
    for kind, begin, end, first, last in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        was, becomes = [*before[begin:end]], [*after[first:last]]
        may = {*was, *becomes} <= pushes or any(rule(was, becomes, change) for rule in _RULES)
        if kind == "replace" and not may:
            found.append("\n".join(["changed, and does not say it:", *was, *becomes]))
    return found


def _says(was: list[str], becomes: list[str], change: Change) -> bool:
    """Tell whether lines have a word of either value, all of a number, or the key of a truth."""
    is_number = isinstance(change.old, int)  # or a truth value, which its key may stand for
    key = change.place[-1] if isinstance(change.old, bool) else ""
    words = re.findall(r"[\w-]+" if is_number else r"\w+", f"{change.old} {change.new} {key}")
    pattern = "|".join(map(re.escape, words))
    if is_number:
        pattern = rf"(?<!\w)(?:{pattern})(?!\w)"
    return bool(words) and bool(re.search(pattern, "\n".join([*was, *becomes]), re.IGNORECASE))


def _follows(was: list[str], becomes: list[str], change: Change) -> bool:
    """Tell whether lines differ only in a part that may follow from the changed key."""
    return any(
        _without(one.part, was) == _without(one.part, becomes)
        for one in _FOLLOWS
        if _ends(change, one.keys)
    )


def _is_a_limit(was: list[str], becomes: list[str], change: Change) -> bool:
    """Tell whether lines differ only in limits that move with a wait, and in its direction.

    Hosts that are switched at the same time are waited for once: with more of them it is shorter.
    """
    at_once = _ends(change, "max-parallel")
    if not (at_once or _ends(change, _WAIT)) or _without(_LIMIT, was) != _without(_LIMIT, becomes):
        return False
    first, second = (map(int, re.findall(_LIMIT, "\n".join(some))) for some in (was, becomes))
    old, new = (int(str(one).rstrip("%")) for one in (change.old, change.new))
    longer = (new > old) != at_once
    return all(one == two or (two > one) == longer for one, two in zip(first, second, strict=True))


def _is_the_head_of_a_block(was: list[str], becomes: list[str], change: Change) -> bool:
    """Tell whether lines differ only in what YAML says of the last line break of the value."""
    ends = [str(one).endswith("\n") for one in (change.old, change.new)]
    return ends[0] != ends[1] and _without(r"(?<=: \|)-$", was) == _without(r"(?<=: \|)-$", becomes)


_RULES = (_says, _follows, _is_a_limit, _is_the_head_of_a_block)


def _ends(change: Change, keys: str) -> bool:
    """Tell whether the place of the change ends with keys of a pattern.

    A word of a short `on` counts as the key that it stands for.
    """
    place = [*change.place, *([change.old] if change.old in WORDS else [])]
    return bool(re.search(rf"(?:^|/)(?:{keys})$", "/".join(map(str, place))))


def _without(part: str, lines: list[str]) -> list[str]:
    return [re.sub(part, "", line) for line in lines]


def _pushing(lines: Sequence[str]) -> set[str]:
    """Return the lines of the scripts that commit to manifests: a pull request has other commands.

    `plan.gitops` makes them.
    """
    jobs = YAML(typ="safe").load("\n".join(lines))["jobs"].values()
    scripts = [step.get("run", "") for job in jobs for step in job.get("steps", ())]
    pushing = [one for one in scripts if "git push" in one]
    return {f"{' ' * 10}{line}" if line else "" for one in pushing for line in one.split("\n")}
