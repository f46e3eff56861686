"""What `explain` says is what others do: act runs the same jobs, build-push sets the same tags.

act gets the triggers, the conditions and the order of the jobs, with steps that do nothing. It
does not look at filters and concurrency groups, so those are not compared here.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bed import tools
from conformance.subjects import ROOT, Subject, rendered
from gen_workflow.commands.project import Project
from gen_workflow.explain import events, jobs, overview, page, starts, tags
from gen_workflow.graph import model, terminal
from gen_workflow.graph.widths import cells
from ship.images.tags.facts import facts_of
from ship.images.tags.metadata import Wanted, describe
from ship.runner.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gen_workflow.explain.events import Event

FOLDERS = sorted(path.parent for path in (ROOT / "tests" / "cases").glob("*/gen-workflow.yml"))
SHA = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = {"full_name": "acme/shop", "default_branch": "main", "name": "shop"}


class Case(NamedTuple):
    """An event as `explain` makes it, and the payload that GitHub has for it."""

    event: Event
    payload: Mapping[str, Any]


def pull_request(*, fork: bool) -> dict[str, Any]:
    repo = {"full_name": "someone/shop" if fork else "acme/shop", "fork": fork}
    head = {"ref": "topic", "repo": repo}
    return {"number": 7, "pull_request": {"number": 7, "head": head, "base": {"ref": "main"}}}


CASES = {
    "push to main": Case(events.push("main"), {"ref": "refs/heads/main"}),
    "push to release": Case(events.push("release"), {"ref": "refs/heads/release"}),
    "push to c++": Case(events.push("c++"), {"ref": "refs/heads/c++"}),
    "push to topic": Case(events.push("topic"), {"ref": "refs/heads/topic"}),
    "tag": Case(events.tag("v1.2.3"), {"ref": "refs/tags/v1.2.3"}),
    "pull request": Case(events.pull_request("main", number="7"), pull_request(fork=False)),
    "fork": Case(events.pull_request("main", fork=True, number="7"), pull_request(fork=True)),
    "release": Case(
        events.release("v1.2.3"),
        {"action": "published", "release": {"tag_name": "v1.2.3", "prerelease": False}},
    ),
    "by hand for main": Case(events.by_hand("main"), {"ref": "refs/heads/main"}),
    "by hand for topic": Case(events.by_hand("topic"), {"ref": "refs/heads/topic"}),
    "schedule": Case(events.schedule("main"), {"schedule": "0 4 * * 1"}),
}
# Jobs that our own specs do not have yet, in all forms of `needs` and of conditions.
ODD: dict[str, Any] = {
    "on": {
        "push": {},
        "pull_request": {},
        "release": {},
        "schedule": [{"cron": "0 4 * * 1"}],
        "workflow_dispatch": {
            "inputs": {
                "where": {"type": "choice", "options": ["as-pushed", "staging"]},
                "dry-run": {"type": "boolean", "default": True},
            }
        },
    },
    "jobs": {
        "build": {"if": "${{ github.event_name != 'pull_request' }}"},
        "check": {"if": "github.event_name == 'PULL_REQUEST'"},
        "always": {"needs": ["build", "check"], "if": "always()"},
        "one": {"needs": ["build", "check"], "if": "!failure() && !cancelled()"},
        "both": {"needs": ["build", "check"]},
        "result": {"needs": "check", "if": "always() && needs.check.result == 'skipped'"},
        "tag": {"needs": "build", "if": "startsWith(github.ref, 'refs/tags/v')"},
        "branches": {"if": 'contains(fromJSON(\'["main", "release"]\'), github.ref_name)'},
        "failed": {"needs": "build", "if": "failure()"},
        "text": {"if": "${{ github.ref }} == 'never'"},
        "fork": {"if": "github.event.pull_request.head.repo.fork"},
        "kind": {"if": "github.ref_type == 'tag' || github.base_ref == 'main'"},
        "asked": {"if": "inputs.where == 'staging' || (inputs.dry-run && github.ref != '')"},
        "late": {"needs": ["tag", "branches"], "if": "success() || github.ref == 'refs/heads/x'"},
    },
}


def explained(workflow: Mapping[str, Any], event: Event) -> set[str]:
    """Return the jobs that `explain` says run when all is well."""
    inputs = starts.start(workflow["on"], event).inputs
    found = jobs.verdicts(workflow["jobs"], event, inputs)
    assert not [one for one in found if one.runs == jobs.DEPENDS]
    return {one.job for one in found if one.runs == jobs.RUNS}


def filled_in(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """Return what GitHub's form has when a person changes nothing; act knows defaults alone."""
    asked = (workflow["on"].get("workflow_dispatch") or {}).get("inputs") or {}
    return {
        name: str(about.get("default", next(iter(about.get("options", ())), ""))).lower()
        for name, about in asked.items()
    }


def executed(workflow: Mapping[str, Any], case: Case, folder: Path) -> set[str]:
    """Return the jobs that act runs."""
    nothing = {"runs-on": "ubuntu-24.04", "steps": [{"run": "true"}]}
    plain = {
        name: {key: job[key] for key in ("needs", "if") if key in job} | nothing
        for name, job in workflow["jobs"].items()
    }
    place = folder / ".github" / "workflows" / "ci-cd.yml"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"on": workflow["on"], "jobs": plain}))
    payload = {"repository": REPOSITORY, "inputs": filled_in(workflow), **case.payload}
    (folder / "event.json").write_text(json.dumps(payload))
    git = ("git", "-C", str(folder), "-c", "user.name=Dev", "-c", "user.email=dev@example.com")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "First")):
        subprocess.run((*git, *words), check=True)
    argv = (str(tools.act()), case.event.name, "-n", "--json", "--eventpath=event.json")
    more = ("--platform=ubuntu-24.04=-self-hosted", "--no-cache-server", "--defaultbranch=main")
    done = subprocess.run(
        (*argv, *more, "--container-daemon-socket=-"), cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return {line["jobID"] for line in lines if line.get("jobResult") == "success"}


@pytest.mark.parametrize("name", CASES)
def test_act_runs_the_jobs_that_explain_names(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    assert explained(ODD, case.event) == executed(ODD, case, tmp_path)


@pytest.mark.test_all
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_act_runs_the_jobs_of_every_example_that_explain_names(
    subject: Subject, name: str, tmp_path: Path
) -> None:
    workflow, case = subject.document, CASES[name]
    if starts.start(workflow["on"], case.event).starts is not True:
        return  # act knows no filters, and runs nothing for an event that no trigger names
    assert explained(workflow, case.event) == executed(workflow, case, tmp_path)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: str(each.name))
def test_every_example_is_explained_and_drawn_within_80_columns(folder: Path) -> None:
    workflows = Project(str(folder), "gen-workflow.yml").planned()
    answers = overview.of(workflows)
    json.dumps(answers)
    pages = [overview.text(answers), *map(page.text, answers)]
    pages.append(terminal.text([model.of(one) for one in workflows]))
    for text in pages:
        words = [line for line in text.splitlines() if cells(line) > page.WIDTH]
        assert words == []
    for one in answers:
        for found in one["workflows"]:
            why = [job["why"] for job in found["jobs"] if job["runs"] != jobs.RUNS]
            assert all(why), "each job that does not run says why"
            assert not any("`" in each for each in why), "in words, and not as an expression"


REFS = ("main", "v1.2.3", "feat/cart", "1.2", "latest", "pr-7", "sha-0123", "Ä/ö", "1.2.3-rc.1",
        "v0.4.0", "0.0.1", "v1.2.3+5", "99.0.0", "x" * 140, "release-1", "buildcache-x", "v1",
        "-x.", "v1.2.3-01", "01.2.3", "v1.2.3-rc/1")  # fmt: skip


MAKERS: dict[str, Callable[[str], Event]] = {
    "branch": events.push,
    "tag": events.tag,
    "schedule": events.schedule,
    "release": events.release,
    "pre-release": lambda name: events.release(name, prerelease=True),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("ref", REFS)
def test_build_push_sets_the_tags_that_explain_names(kind: str, ref: str) -> None:
    event = MAKERS[kind](ref)
    said = tags.of(event)
    assert _shown(set(said.always)) == _shown(_set(event, kind, published=None))
    forward = _set(event, kind, published=()) - _set(event, kind, published=None)
    assert set(said.forward) == forward


def _set(event: Event, kind: str, published: tuple[str, ...] | None) -> set[str]:
    payload = {"release": {"prerelease": kind == "pre-release"}} if "release" in kind else {}
    context = Context(
        repository="acme/shop", sha=SHA, ref=event.ref, event_name=event.name, payload=payload
    )
    facts = facts_of(context, {})
    return set(describe(Wanted("ghcr.io/acme/shop"), facts, published).tag_names)


def _shown(names: set[str]) -> set[str]:
    """Return tags without what only a run knows: the commit, and the digest of a long name."""
    return {"sha" if name in (tags.SHA, f"sha-{SHA[:12]}") else name[:119] for name in names}
