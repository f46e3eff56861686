"""Plain words for what expressions name: refs, events, variables, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A pull request that is not opened yet has no number.
NUMBER = "N"
# What a ref is, and several of them.
_PLACES = {
    "refs/heads/": ("the branch ", "branches"),
    "refs/tags/": ("the tag ", "tags"),
    "refs/pull/": ("the pull request ", "pull requests"),
}
_EVENTS = {
    "push": "a push",
    "pull_request": "a pull request",
    "merge_group": "a merge queue",
    "release": "a release",
    "schedule": "a schedule",
    "workflow_dispatch": "a run by hand",
}
_NAMES = {
    "github.event_name": "the event",
    "github.ref": "the ref",
    "github.ref_name": "the name of the branch or tag",
    "github.ref_type": "the kind of ref",
    "github.base_ref": "the base branch",
    "github.head_ref": "the branch of the pull request",
    "github.repository": "the name of the repository",
    "github.event.repository.name": "the name of the repository",
    "github.sha": "the commit",
    "github.run_id": "the number of the run",
    "github.actor": "who started the run",
    "github.event.action": "what happened",
    "hashFiles": "the content of files",
}


def listed(items: Iterable[str], last: str) -> str:
    """Return some words as a person lists them, with `and` or `or` before the last one."""
    *before, end = dict.fromkeys(items)
    return f"{', '.join(before)} {last} {end}" if before else end


def ref(name: str) -> str:
    """Return what a ref is in words."""
    for prefix, (kind, _) in _PLACES.items():
        if name.startswith(prefix):
            rest = name.removeprefix(prefix).removesuffix("/merge" if "pull" in prefix else "")
            return "a pull request" if rest == NUMBER else kind + rest
    return name


def beginning(part: str) -> str:
    """Return in words the refs that begin with a text."""
    for prefix, (_, many) in _PLACES.items():
        if part.startswith(prefix):
            rest = part.removeprefix(prefix)
            return f"{many} that begin with {rest}" if rest else many
    return f"refs that begin with {part}"


def same_kind(names: Iterable[str]) -> str:
    """Return several things in words, and their kind once when they are all branches or tags."""
    names = list(dict.fromkeys(names))
    for kind, many in _PLACES.values():
        if len(names) > 1 and all(name.startswith(kind) for name in names):
            return f"the {many} {listed((name.removeprefix(kind) for name in names), 'and')}"
    return listed(names, "or")


def event(name: str) -> str:
    """Return what an event is in words."""
    return _EVENTS.get(name, name)


def of(name: str) -> str:
    """Return in words what an expression names, such as `vars.REGION`."""
    context, _, rest = name.partition(".")
    job, _, part = rest.partition(".")
    if context == "vars" and rest:
        return f"the variable {rest}"
    if context == "secrets" and rest:
        return f"the secret {rest}"
    if context == "inputs" and rest:
        return f"the input {rest}"
    if context == "needs" and part == "result":
        return f"the result of {job}"
    if context == "needs" and part.startswith("outputs."):
        return f"the output {part.removeprefix('outputs.')} of {job}"
    return _NAMES.get(name, f"`{name}`")


def value(name: str, text: str) -> str:
    """Return a value of what an expression names in words."""
    if name == "github.ref":
        return ref(text)
    if name == "github.event_name":
        return event(text)
    return text or "empty"
