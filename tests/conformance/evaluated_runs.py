"""What runs for an event when GitHub's own evaluator decides, and every job that runs succeeds.

It knows nothing of `explain`, whose answers are held against it.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_workflow.explain import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.github_parser import GithubParser
    from gen_workflow.explain.events import Event

_ALWAYS = re.compile(r"\b(always|success|failure|cancelled)\(\)")


class Happening(NamedTuple):
    """An event as `explain` makes it, and what GitHub tells a run of it.

    `types` are its activities, of which a trigger may want one.
    """

    event: Event
    github: Mapping[str, Any]
    types: tuple[str, ...] = ()
    inputs: Mapping[str, Any] | None = None


def happenings(document: Mapping[str, Any]) -> Iterator[Happening]:
    """Yield events that matter for a workflow: for each branch it names, and for others."""
    on = document["on"]
    pushed = (on.get("push") or {}).get("branches") or []
    for branch in {"main", "topic", *pushed}:
        yield Happening(events.push(branch), _github("push", f"refs/heads/{branch}"))
    for tag in ("v1.2.3", "v2.0.0-rc.1", "other"):
        yield Happening(events.tag(tag), _github("push", f"refs/tags/{tag}"))
        beta = "-" in tag
        released = {"release": {"tag_name": tag, "prerelease": beta, "draft": False}}
        types = ("published", "created") + (() if beta else ("released",))
        yield Happening(
            events.release(tag, prerelease=beta), _github("release", f"refs/tags/{tag}", released),
            types,
        )  # fmt: skip
    for fork in (False, True):
        opened = {"number": 7, "pull_request": {"number": 7, "head": {"repo": {"fork": fork}}}}
        yield Happening(
            events.pull_request("main", fork=fork, number="7"),
            _github("pull_request", "refs/pull/7/merge", opened, "main"),
            ("opened", "synchronize", "reopened"),
        )
    yield Happening(
        events.merge_group("main"),
        _github("merge_group", "refs/heads/gh-readonly-queue/main/pr-N"), ("checks_requested",),
    )  # fmt: skip
    yield Happening(events.schedule("main"), _github("schedule", "refs/heads/main"))
    yield from _by_hand(on)


def _by_hand(on: Mapping[str, Any]) -> Iterator[Happening]:
    asked = (on.get("workflow_dispatch") or {}).get("inputs") or {}
    choices: list[tuple[tuple[str, str], ...]] = [()]
    choices += [((key, str(one)),) for key, of in asked.items() for one in of.get("options", ())]
    for given in choices:
        for ref in ("refs/heads/main", "refs/heads/topic", "refs/tags/v1.2.3"):
            inputs = {name: _filled_in(about) for name, about in asked.items()} | dict(given)
            yield Happening(
                events.by_hand(ref, given), _github("workflow_dispatch", ref), (), inputs
            )


def _filled_in(about: Mapping[str, Any]) -> Any:
    """Return what GitHub's form has when a person changes nothing."""
    usual = next(iter(about.get("options", ("",))))
    value = about.get("default", usual)
    return str(value).lower() == "true" if about.get("type") == "boolean" else str(value)


def _github(
    name: str, ref: str, event: Mapping[str, Any] | None = None, base: str = ""
) -> dict[str, Any]:
    short = "7/merge" if ref.startswith("refs/pull/") else ref.split("/", 2)[-1]
    return {
        "event_name": name,
        "ref": ref,
        "ref_name": short,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "base_ref": base,
        "run_attempt": "1",
        "event": event or {},
    }


def starts(on: Mapping[str, Any], happening: Happening) -> bool:
    """Tell whether a workflow starts for an event; what it changes is what `paths` wants."""
    name = happening.event.name
    if name not in on:
        return False
    settings = on[name]
    if name == "schedule" or not settings:
        return True
    wanted = settings.get("types") or (
        ["opened", "synchronize", "reopened"] if name == "pull_request" else happening.types
    )
    if happening.types and not {*wanted} & {*happening.types}:
        return False
    filters = {key: settings[key] for key in ("branches", "tags") if key in settings}
    if name not in ("push", "pull_request", "merge_group") or not filters:
        return True
    kind, ref = ("tags", happening.event.tag) if happening.event.tag else (
        "branches", happening.event.branch)  # fmt: skip
    return any(fnmatchcase(ref, pattern.replace("\\", "")) for pattern in filters.get(kind, ()))


def runs(
    jobs: Mapping[str, Any], happening: Happening, parser: GithubParser, unknown: set[str]
) -> set[str]:
    """Return the jobs that run, but of those of which only a run can say it: they are `unknown`."""
    results: dict[str, str] = {}
    while left := [name for name in jobs if name not in results]:
        for name in left:
            if all(one in results for one in _needs(jobs[name])):
                wanted = name not in unknown and _wanted(jobs, name, happening, results, parser)
                results[name] = "success" if wanted else "skipped"
    return {name for name, result in results.items() if result == "success"}


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _before(jobs: Mapping[str, Any], name: str) -> set[str]:
    """Return all jobs before one."""
    needs = _needs(jobs[name])
    return {*needs, *(one for each in needs for one in _before(jobs, each))}


def _wanted(
    jobs: Mapping[str, Any],
    name: str,
    happening: Happening,
    results: Mapping[str, str],
    parser: GithubParser,
) -> bool:
    condition = str(jobs[name].get("if", "")).strip()
    condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition, flags=re.DOTALL).strip()
    well = all(results[one] == "success" for one in _before(jobs, name))
    if not _ALWAYS.search(condition):
        if not well:
            return False
        condition = condition or "true"
    status: dict[str, Callable[[], bool]] = {
        "always": lambda: True,
        "success": lambda: well,
        "failure": lambda: False,
        "cancelled": lambda: False,
    }
    condition = _ALWAYS.sub(lambda found: str(status[found[1]]()).lower(), condition)
    needs = {one: {"result": results[one], "outputs": {}} for one in _needs(jobs[name])}
    contexts = {
        "github": happening.github, "inputs": happening.inputs or {}, "needs": needs, "vars": {},
    }  # fmt: skip
    said = parser.evaluate(f"${{{{ !!({condition}) }}}}", contexts)
    return said == "true"
