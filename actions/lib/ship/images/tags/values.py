"""The names that every expression can use, and their values in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.tags.expressions import BadExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ship.images.tags.expressions import Value
    from ship.images.tags.facts import Facts

    Tell = Callable[[str], None]

# These events are for the last commit of the default branch, whatever the ref is:
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
_OF_DEFAULT_BRANCH = ("create", "discussion", "issues", "schedule")


def values_of(facts: Facts, tell: Tell) -> dict[str, Value]:
    """Return all names and their values. `tell` gets a sentence for each missing fact in use."""
    texts = {
        "branch": facts.branch,
        "tag": facts.tag,
        "sha": short_sha(facts),
        "base_ref": facts.base_ref,
    }

    def is_default() -> bool:
        return _is_default_branch(facts, tell)

    def commit_date(form: str | None, options: Mapping[str, str]) -> str:
        if facts.commit_time is None:
            tell("the event has no time of the commit, so commit_date is the time of the run")
        seconds = facts.now if facts.commit_time is None else facts.commit_time
        return _date(seconds, form, options)

    return {
        **{name: constant(text) for name, text in texts.items()},
        "is_default_branch": lambda *_: "true" if is_default() else "false",
        "is_not_default_branch": lambda *_: "false" if is_default() else "true",
        "date": lambda form, options: _date(facts.now, form, options),
        "commit_date": commit_date,
    }


def constant(text: str) -> Value:
    """Return the value of a name that takes no arguments."""
    return lambda *_: text


def short_sha(facts: Facts) -> str:
    """Return the first digits of the commit."""
    return facts.sha[: facts.short_sha]


def _is_default_branch(facts: Facts, tell: Tell) -> bool:
    # For another kind of ref the whole name is compared, and that is never equal to a branch.
    name = facts.ref.removeprefix("refs/heads/")
    if not name:
        return False
    if facts.default_branch == name or any(e in facts.event_name for e in _OF_DEFAULT_BRANCH):
        return True
    if not facts.default_branch:
        tell("the event does not name the default branch, so is_default_branch is false")
    return False


def _date(seconds: float, form: str | None, options: Mapping[str, str]) -> str:
    from ship.images.tags import dates  # noqa: PLC0415 - 7 ms, and few tags have a date

    unknown = [name for name in options if name != "tz"]
    if unknown:
        hint = "its only option is tz, a time zone"
        raise BadExpressionError(f"a date has no option {unknown[0]!r}", hint)
    zone = options.get("tz", "UTC")
    try:
        return dates.written(dates.moment(seconds, zone), form or "")
    except dates.UnknownZoneError:
        hint = "use a name of the tz database, such as Europe/Berlin"
        raise BadExpressionError(f"{zone!r} is not a time zone", hint) from None
