"""An event from its payload, the JSON that GitHub gives a run in GITHUB_EVENT_PATH."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.explain import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.explain.events import Event

# The key by which a payload shows what it is of; no other event that we know has it.
_KEYS = {
    "pull_request": "pull_request",
    "release": "release",
    "merge_group": "merge_group",
    "schedule": "schedule",
    "inputs": "workflow_dispatch",
    "workflow": "workflow_dispatch",
    "commits": "push",
    "ref": "push",
}


def read(path: str, name: str = "") -> Event:
    """Return the event of a payload; raises UserError for what is none."""
    payload = _object(path)
    name = name or next((event for key, event in _KEYS.items() if key in payload), "")
    try:
        event = _OF[name](payload)
    except (KeyError, TypeError, AttributeError):
        what = f"is not the payload of {name or 'an event that explain knows'}"
        hint = "give GitHub's own JSON of the event, and its name with --event"
        raise _refused(path, what, hint) from None
    known = {"event": payload, "sha": payload.get("after"), **_of_repository(payload)}
    event.github.update({key: value for key, value in known.items() if value is not None})
    return event._replace(types=(payload["action"],) if "action" in payload else event.types)


def _object(path: str) -> Mapping[str, Any]:
    raw = files.read(path)
    if raw is None:
        raise _refused(path, "is not there", "give the path of a file with the JSON of an event")
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise _refused(path, f"is not JSON: {error}", "give GitHub's JSON of the event") from None
    if not isinstance(found, Mapping):
        raise _refused(path, "is no JSON object", "give GitHub's JSON of the event")
    return found


def _refused(path: str, what: str, hint: str) -> UserError:
    return UserError(what, where=shown(path), hint=hint, anchor=Heading.OPTION)


def _of_repository(payload: Mapping[str, Any]) -> dict[str, Any]:
    repository = payload.get("repository") or {}
    owner = repository.get("owner") or {}
    return {
        "repository": repository.get("full_name"),
        "repository_owner": owner.get("login") or owner.get("name"),
        "actor": (payload.get("sender") or {}).get("login"),
    }


def _push(payload: Mapping[str, Any]) -> Event:
    kind, _, name = payload["ref"].removeprefix("refs/").partition("/")
    event = events.tag(name) if kind == "tags" else events.push(name)
    keys = ("added", "modified", "removed")
    commits = payload.get("commits") or ()
    if not commits or not all(any(key in one for key in keys) for one in commits):
        return event  # a run gets the commits without their files
    changed = (file for one in commits for key in keys for file in one.get(key) or ())
    return event._replace(files=tuple(dict.fromkeys(changed)))


def _pull_request(payload: Mapping[str, Any]) -> Event:
    about = payload["pull_request"]
    base, head = about["base"], about["head"]
    ours = (base.get("repo") or payload.get("repository") or {}).get("full_name")
    fork = (head.get("repo") or {}).get("full_name") != ours
    event = events.pull_request(base["ref"], fork=fork, number=str(about["number"]))
    event.github["head_ref"] = head["ref"]
    return event


def _merge_group(payload: Mapping[str, Any]) -> Event:
    about = payload["merge_group"]
    event = events.merge_group(about["base_ref"].removeprefix("refs/heads/"))
    event.github.update(ref=about["head_ref"], ref_name=about["head_ref"].split("/", 2)[-1])
    return event


def _release(payload: Mapping[str, Any]) -> Event:
    about = payload["release"]
    return events.release(about["tag_name"], prerelease=bool(about.get("prerelease")))


def _schedule(payload: Mapping[str, Any]) -> Event:
    return events.schedule((payload.get("repository") or {}).get("default_branch") or events.MAIN)


def _by_hand(payload: Mapping[str, Any]) -> Event:
    given = (payload.get("inputs") or {}).items()
    file = str(payload.get("workflow") or "").rpartition("/")[2]
    return events.by_hand(payload["ref"], ((name, str(value)) for name, value in given), file)


_OF: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "push": _push,
    "pull_request": _pull_request,
    "merge_group": _merge_group,
    "release": _release,
    "schedule": _schedule,
    "workflow_dispatch": _by_hand,
}
