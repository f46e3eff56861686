"""Whether an event starts a workflow, by its triggers and their filters."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Mapping
from typing import Any

from gen_workflow.explain.events import Event
from gen_workflow.explain.filters import matches, only_name
from gen_workflow.explain.words import listed
from gen_workflow.expressions.values import Open
from gen_workflow.named_tuple import NamedTuple

# What GitHub starts a run for when `types` says nothing; for all other events each type counts.
_USUAL_TYPES = {"pull_request": ("opened", "synchronize", "reopened")}


class Start(NamedTuple):
    """Whether a run starts; None when that depends on what `why` says. `inputs` are its inputs.

    `why` also says why no run starts, and when one does.
    """

    starts: bool | None
    why: str = ""
    inputs: Mapping[str, Any] = {}


_YES = Start(starts=True)
_CALLED = Start(
    starts=None, why="when a workflow that starts on this event calls it", inputs=Open("inputs")
)


def _no(why: str) -> Start:
    return Start(starts=False, why=why)


def start(on: Mapping[str, Any], event: Event, file: str = "") -> Start:
    """Return whether an event starts a workflow with some triggers, and if not, why."""
    if event.workflow not in ("", file):
        return _no(f"a person starts {event.workflow}")
    if event.name not in on:
        return _CALLED if "workflow_call" in on else _no(f"{event.name} does not start it")
    settings = on[event.name] or {}
    if event.name == "schedule":
        times = (f"{one['cron']} in {one.get('timezone', 'UTC')}" for one in settings)
        return Start(starts=True, why=f"at {listed(times, 'and')}")
    if event.name == "workflow_dispatch":
        return _by_hand(settings.get("inputs") or {}, event)
    if no := _types(settings, event) or _refs(settings, event):
        return _no(no)
    return _paths(settings.get("paths", ()), event)


def _types(settings: Mapping[str, Any], event: Event) -> str:
    wanted = settings.get("types") or _USUAL_TYPES.get(event.name) or event.types
    if not event.types or set(wanted) & set(event.types):
        return ""
    return f"only {listed(wanted, 'and')} of {event.name} start it"


def _refs(settings: Mapping[str, Any], event: Event) -> str:
    """Return why a filter of branches or tags does not take the event; empty when it does."""
    branches, tags = settings.get("branches", ()), settings.get("tags", ())
    kind, patterns, name = ("branch", branches, event.branch)
    if event.tag:
        kind, patterns, name = ("tag", tags, event.tag)
    if event.name == "release" or matches(patterns, name) or not (branches or tags):
        return ""
    many = {"branch": "branches", "tag": "tags"}
    if not patterns:
        other = "tag" if kind == "branch" else "branch"
        return f"{event.name} starts it for {many[other]} only"
    one_of = many[kind] if len(patterns) > 1 else kind
    names = listed((only_name(each) or each for each in patterns), "and")
    return f"{event.name} starts it for the {one_of} {names} only"


def _paths(patterns: tuple[str, ...], event: Event) -> Start:
    if not patterns or event.tag:  # GitHub does not look at the paths of a tag
        return _YES
    if event.files is None:
        return Start(starts=None, why=f"when it changes {listed(patterns, 'or')}")
    if any(matches(patterns, file) for file in event.files):
        return _YES
    return _no(f"it changes nothing of {listed(patterns, 'and')}")


def _by_hand(asked: Mapping[str, Any], event: Event) -> Start:
    given = dict(event.given)
    found: dict[str, Any] = {}
    for name in given:
        if name not in asked:
            return _no(f"it has no input {name}")
    for name, about in asked.items():
        value = given.get(name, str(_default(about)))
        if about.get("options") and value not in about["options"]:
            return _no(f"the input {name} is one of {listed(about['options'], 'or')}")
        if about.get("required") and not value:
            return _no(f"the input {name} has to be given")
        found[name] = value.lower() == "true" if about.get("type") == "boolean" else value
    return Start(starts=True, inputs=found)


def _default(about: Mapping[str, Any]) -> Any:
    """Return what GitHub fills in for an input that a person leaves as it is."""
    usual = next(iter(about.get("options") or ("",)))
    return about.get("default", usual)
