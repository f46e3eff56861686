"""All events that matter for some workflows, and what runs on each, as a table."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from gen_workflow.explain import answer, events, jobs
from gen_workflow.explain.filters import matches, only_name
from gen_workflow.explain.page import WIDTH
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_workflow.explain.events import Event
    from gen_workflow.workflow.records import Workflow

# A name that a filter of branches or tags takes for one that it does not name itself.
_OTHER_BRANCHES = ("another-branch", "feature/other", "topic")
_TAGS = ("v1.2.3", "1.2.3", "release-1.2.3")
# What marks a job in the table.
_MARKS = {jobs.RUNS: "", jobs.DEPENDS: " (?)", jobs.ON_FAILURE: " (!)"}
_LEGEND = {
    " (?)": "(?) it depends on what only a run knows: --event says on what",
    " (!)": "(!) only when something before it fails",
    " *": "* only when what `paths` names is changed, or when another workflow calls it",
}


def of(workflows: Sequence[Workflow]) -> list[dict[str, Any]]:
    """Return the answers to all events that matter."""
    found = {(event.words, event.workflow): event for event in _events(workflows)}
    return [answer.of(workflows, event) for event in found.values()]


def main_branch(workflows: Sequence[Workflow]) -> str:
    """Return the branch that stands for the default branch: the first that a push is for."""
    return _main(as_data(one)["on"] for one in workflows)


def _main(triggers: Any) -> str:
    names = (only_name(each) for on in triggers for each in _filter(on, "push", "branches"))
    return next(filter(None, names), events.MAIN)


def _events(workflows: Sequence[Workflow]) -> Iterator[Event]:
    """Yield the events, those of each kind only when a workflow has it."""
    triggers = [as_data(one)["on"] for one in workflows]
    main = _main(triggers)
    for name in _named(triggers, "branches", main):
        yield events.push(name)
    yield events.push(_another(triggers))._replace(words="push to another branch")
    yield from (events.tag(name) for name in _named(triggers, "tags", _TAGS[0]))
    if any("pull_request" in on or "workflow_call" in on for on in triggers):
        yield from (events.pull_request(main), events.pull_request(main, fork=True))
    if any("merge_group" in on for on in triggers):
        yield events.merge_group(main)
    yield events.release(_TAGS[0])
    if any("schedule" in on for on in triggers):
        yield events.schedule(main)
    yield from _by_hand(workflows, main, _another(triggers))


def _named(triggers: Sequence[Mapping[str, Any]], kind: str, usual: str) -> Iterator[str]:
    """Yield the names that the filters have; for a pattern a name that it takes."""
    found = False
    for on in triggers:
        patterns = _filter(on, "push", kind)
        for pattern in patterns:
            if not pattern.startswith("!") and (name := _example(pattern)):
                found = True
                yield name
    if not found:
        yield usual


def _example(pattern: str) -> str:
    guessed = pattern.replace("\\", "").replace("**", "x").replace("*", "x")
    names = (only_name(pattern), *_TAGS, *_OTHER_BRANCHES, guessed)
    return next((name for name in names if name and matches((pattern,), name)), "")


def _another(triggers: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of a branch that no filter takes, if there is one."""
    patterns = [each for on in triggers for each in _filter(on, "push", "branches")]
    free = (name for name in _OTHER_BRANCHES if not matches(patterns, name))
    return next(free, _OTHER_BRANCHES[0])


def _by_hand(workflows: Sequence[Workflow], main: str, other: str) -> Iterator[Event]:
    """Yield the runs that a person can start, one for each choice."""
    several = sum("workflow_dispatch" in as_data(one)["on"] for one in workflows) > 1
    for one in workflows:
        on = as_data(one)["on"]
        if "workflow_dispatch" not in on:
            continue
        file = one.path.rpartition("/")[2] if several else ""
        asked = (on["workflow_dispatch"] or {}).get("inputs") or {}
        choices = [(key, str(each)) for key, of in asked.items() for each in of.get("options", ())]
        for key, choice in choices:
            event = events.by_hand(main, ((key, choice),), file)
            yield event._replace(words=f"by hand, {key}={choice}")
        if not choices:
            yield events.by_hand(main, workflow=file)._replace(words=f"by hand, for {main}")
        if "push" in on:
            event = events.by_hand(other, workflow=file)
            yield event._replace(words="by hand, for another branch")


def _filter(on: Mapping[str, Any], event: str, key: str) -> Sequence[str]:
    return tuple((on.get(event) or {}).get(key, ()))


def text(answers: list[dict[str, Any]]) -> str:
    """Return a table of 80 columns for each workflow: each event, and what runs on it."""
    paths = [one["path"] for one in answers[0]["workflows"]]
    tables = [_rows(answers, number) for number in range(len(paths))]
    left = max(len(event) for rows in tables for event, _ in rows) + 2
    left = min(left, WIDTH // 2)
    lines: list[str] = []
    for path, rows in zip(paths, tables, strict=True):
        lines += ["", path, ""] if len(paths) > 1 else []
        lines.append(f"{'event':<{left}}what runs")
        for event, runs in rows:
            lines += _row(event, runs, left)
    shown = [runs for rows in tables for _, runs in rows]
    used = [says for mark, says in _LEGEND.items() if any(mark in runs for runs in shown)]
    lines += ["", *used] if used else []
    return "".join(f"{line.rstrip()}\n" for line in lines).lstrip("\n")


def markdown(answers: list[dict[str, Any]]) -> str:
    """Return the same as a table in Markdown, as the text of a pull request has it."""
    several = len(answers[0]["workflows"]) > 1
    lines = [f"| event |{' workflow |' * several} what runs |"]
    lines.append(f"| --- |{' --- |' * several} --- |")
    used: list[str] = []
    for number, workflow in enumerate(answers[0]["workflows"]):
        for event, runs in _rows(answers, number):
            file = f" `{workflow['path'].rpartition('/')[2]}` |" if several else ""
            lines.append(f"| {_cell(event)} |{file} {_cell(runs)} |")
            used.append(runs)
    legend = [says for mark, says in _LEGEND.items() if any(mark in runs for runs in used)]
    return "\n".join([*lines, *(f"\n{_cell(says)}" for says in legend)])


def _cell(text: str) -> str:
    """Return a text that Markdown shows as it is, also in a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!@])", r"\\\1", text)


def _rows(answers: list[dict[str, Any]], number: int) -> list[tuple[str, str]]:
    """Return the rows of a workflow; what starts none is in the table of the first."""
    found = []
    for one in answers:
        started = [each["starts"] is not False for each in one["workflows"]]
        if started[number] or (number == 0 and not any(started)):
            found.append((one["event"]["says"], _what_runs(one["workflows"][number])))
    return found


def _row(event: str, runs: str, left: int) -> list[str]:
    first = textwrap.wrap(event, left - 2, break_on_hyphens=False)
    second = textwrap.wrap(runs, WIDTH - left, break_on_hyphens=False)
    height = max(len(first), len(second))
    first, second = (cell + [""] * (height - len(cell)) for cell in (first, second))
    return [f"{one:<{left}}{other}" for one, other in zip(first, second, strict=True)]


def _what_runs(workflow: Mapping[str, Any]) -> str:
    """Return the jobs that run: those of one stage side by side, then those that wait for them."""
    if workflow["starts"] is False:
        return "nothing"
    stages: dict[int, list[str]] = {}
    for job in workflow["jobs"]:
        if job["runs"] in _MARKS:
            stages.setdefault(job["stage"], []).append(job["id"] + _MARKS[job["runs"]])
    steps = " → ".join(", ".join(names) for names in stages.values()) or "no job"
    return steps + (" *" if workflow["starts"] is None else "")
