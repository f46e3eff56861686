"""The answer on a page of 80 columns."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gen_workflow.explain import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 80
_LABEL = 12


def text(answer: Mapping[str, Any]) -> str:
    """Return an answer as a person reads it."""
    event = answer["event"]
    title = event["says"]
    first = f"{title[0].upper()}{title[1:]} ({event['name']}, {event['ref']})"
    blocks = ["".join(f"{line}\n" for line in _wrapped(first))]
    blocks += ["".join(f"{line}\n" for line in _workflow(one)) for one in answer["workflows"]]
    return "\n".join(blocks)


def _workflow(workflow: Mapping[str, Any]) -> Iterator[str]:
    starts = {True: "starts", False: "does not start", None: "starts"}[workflow["starts"]]
    why = workflow["why"]
    between = ": " if workflow["starts"] is False else " "
    yield from _wrapped(f"{workflow['path']} {starts}{between if why else ''}{why}.")
    if workflow["starts"] is not False:
        yield from _run(workflow)


def _run(workflow: Mapping[str, Any]) -> Iterator[str]:
    skipped = [job for job in workflow["jobs"] if job["runs"] == jobs.SKIPPED]
    for job in workflow["jobs"]:
        if job not in skipped:
            yield ""
            yield from _job(job)
    if skipped:
        yield from ("", "These jobs do not run:")
        width = max(len(job["id"]) for job in skipped) + 1
        for job in skipped:
            yield from _row(job["id"], job["why"], max(width, _LABEL))
    for note in (workflow["group"], workflow["note"]):
        if note:
            yield ""
            yield from _wrapped(f"{note[0].upper()}{note[1:]}.")
    yield from _needs(workflow)


def _needs(workflow: Mapping[str, Any]) -> Iterator[str]:
    for place, needs in groupby(workflow["needs"], lambda one: one["place"]):
        yield ""
        yield from _wrapped(f"{place} must hold:")
        for need in needs:
            optional = " (optional)" if need["optional"] else ""
            yield from _row(need["kind"], f"{need['name']}{optional}: {need['purpose']}")


def _job(job: Mapping[str, Any]) -> Iterator[str]:
    after = f", after {' and '.join(job['after'])}" if job["after"] else ""
    yield from _wrapped(f"{job['stage']}. {job['id']}: {job['name']}{after}")
    if job["why"]:
        yield from _row("if", job["why"])
    if job["environment"]:
        yield from _row("environment", f"{job['environment']}, which may ask for an approval")
    if job["url"]:
        yield from _row("url", job["url"])
    for one in job["does"]:
        yield from _row(one["what"], one["says"])
    if job["order"]:
        yield from _row("order", job["order"])
    if job["group"]:
        yield from _row("group", job["group"])
    label = "permissions"
    for one in job["permissions"]:
        reason = f", to {one['reason']}" if one["reason"] else ""
        yield from _row(label, f"{one['scope']}: {one['level']}{reason}")
        label = ""


def _row(label: str, value: str, width: int = _LABEL) -> Iterator[str]:
    """Yield a value beside its label, or below it when the label leaves too little room."""
    if width > WIDTH // 2:
        yield f"   {label}"
        label, width = "", _LABEL
    yield from _wrapped(value, f"   {label:<{width}}", " " * (width + 3))


def _wrapped(line: str, before: str = "", indent: str = "   ") -> Iterator[str]:
    yield from textwrap.wrap(
        line,
        WIDTH,
        initial_indent=before,
        subsequent_indent=indent if before else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
