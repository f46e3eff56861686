"""The event that the options of `explain` and `graph` name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, UserError
from gen_workflow.explain import events, overview, payload
from gen_workflow.spec.hints import closest

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options
    from gen_workflow.explain.events import Event
    from gen_workflow.workflow.records import Workflow

# The options that go with an event; none of them goes with a payload, which says it all.
_WITH = {
    "push": ("--ref", "--tag"),
    "pull_request": ("--base", "--fork"),
    "merge_group": ("--base",),
    "release": ("--tag",),
    "schedule": ("--ref",),
    "workflow_dispatch": ("--ref", "--tag", "--input", "--workflow"),
}


def named(options: Options, workflows: tuple[Workflow, ...]) -> Event | None:
    """Return the event, or None when the options name none; raises UserError for a wrong one."""
    _check(options)
    if options.payload:
        return payload.read(options.payload, options.event)
    if not options.event:
        return None
    main = overview.main_branch(workflows)
    base = options.base or main
    ref = f"refs/tags/{options.tag}" if options.tag else _whole(options.ref or main)
    made = {
        "pull_request": lambda: events.pull_request(base, fork=options.fork),
        "merge_group": lambda: events.merge_group(base),
        "release": lambda: events.release(options.tag, prerelease="-" in options.tag),
        "schedule": lambda: events.schedule(ref.removeprefix("refs/heads/")),
        "workflow_dispatch": lambda: events.by_hand(
            ref, map(_pair, options.given), options.workflow.rpartition("/")[2]
        ),
    }
    return made.get(options.event, lambda: _push(ref))()


def _push(ref: str) -> Event:
    _, kind, name = ref.split("/", 2)
    return events.tag(name) if kind == "tags" else events.push(name)


def _whole(ref: str) -> str:
    return ref if ref.startswith(("refs/heads/", "refs/tags/")) else f"refs/heads/{ref}"


def _check(options: Options) -> None:
    """Raise UserError when the options do not fit together."""
    if options.event and options.event not in _WITH:
        near = closest(options.event, tuple(_WITH))
        hint = f"did you mean {near}?" if near else f"say one of {', '.join(_WITH)}"
        raise _refused("--event", f"{options.event!r} is no event that explain knows", hint)
    fits = () if options.payload else _WITH.get(options.event, ())
    values = {
        "--ref": options.ref,
        "--tag": options.tag,
        "--base": options.base,
        "--fork": options.fork,
        "--input": options.given,
        "--workflow": options.workflow,
    }
    for word, value in values.items():
        if value and word not in fits:
            with_it = [event for event, words in _WITH.items() if word in words]
            hint = f"it goes with --event {' or '.join(with_it)}"
            if options.payload:
                hint = "leave it out: the payload says it"
            raise _refused(word, "has no meaning here", hint)
    if options.event == "release" and not (options.tag or options.payload):
        raise _refused("--event", "a release has a tag", "say which: --tag v1.2.3")


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not name or not equals:
        raise _refused("--input", f"{given!r} is no input", "write it as NAME=VALUE")
    return name, value


def _refused(where: str, what: str, hint: str) -> UserError:
    return UserError(what, where=where, hint=hint, anchor=Heading.OPTION)
