"""Events of GitHub: what is known of each before it happens, or from its payload."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterable
from typing import Any

from gen_workflow.explain.words import NUMBER
from gen_workflow.expressions.values import Open
from gen_workflow.named_tuple import NamedTuple

NAMES = (
    "push",
    "pull_request",
    "merge_group",
    "release",
    "schedule",
    "workflow_dispatch",
)
# The branch that a repository has when nothing else says which.
MAIN = "main"
# What happens with a release that is published, in GitHub's words; the last is for no pre-release.
_OF_A_RELEASE = ("published", "created", "released")
# What the payloads of all other events lack.
_OF_ONE_EVENT = ("pull_request", "release", "merge_group", "schedule", "inputs")
# What a pull request goes through when it is opened.
_OF_A_PULL_REQUEST = ("opened", "synchronize", "reopened")


class Event(NamedTuple):
    """An event: its name, what a person calls it, and the context `github` of its runs.

    `branch` and `tag` are what filters look at; one of them is empty. `types` are the kinds of it
    that happen, and `files` what it changes, if that is known. `given` is what a person fills in,
    and `workflow` the file of the workflow that a person starts, if that is known.
    """

    name: str
    words: str
    github: dict[str, Any]
    branch: str = ""
    tag: str = ""
    types: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] | None = None
    fork: bool = False
    workflow: str = ""

    @property
    def ref(self) -> str:
        """The ref of its runs."""
        return str(self.github["ref"])


def push(branch: str) -> Event:
    """Return a push to a branch."""
    ref = f"refs/heads/{branch}"
    return Event("push", f"push to {branch}", _github("push", ref), branch=branch)


def tag(name: str) -> Event:
    """Return a push of a tag of git."""
    return Event("push", f"push of the tag {name}", _github("push", f"refs/tags/{name}"), tag=name)


def pull_request(base: str, *, fork: bool = False, number: str = NUMBER) -> Event:
    """Return a pull request that is opened, or gets a new commit."""
    head = Open("github.event.pull_request.head")
    head["repo"] = Open("github.event.pull_request.head.repo", {"fork": fork})
    about = Open(
        "github.event.pull_request", {"head": head, "base": {"ref": base}, "merged": False}
    )
    event = Open("github.event", {"pull_request": about})
    github = _github("pull_request", f"refs/pull/{number}/merge", event, base_ref=base)
    del github["head_ref"]
    words = f"pull request{' of a fork' if fork else ''} to {base}"
    return Event("pull_request", words, github, base, types=_OF_A_PULL_REQUEST, fork=fork)


def merge_group(base: str) -> Event:
    """Return the check of what a merge queue is about to merge."""
    ref = f"refs/heads/gh-readonly-queue/{base}/pr-{NUMBER}"
    about = Open("github.event.merge_group", {"base_ref": f"refs/heads/{base}", "head_ref": ref})
    github = _github("merge_group", ref, Open("github.event", {"merge_group": about}))
    return Event("merge_group", f"merge queue of {base}", github, base, types=("checks_requested",))


def release(name: str, *, prerelease: bool = False) -> Event:
    """Return a release that is published."""
    about = Open(
        "github.event.release", {"tag_name": name, "prerelease": prerelease, "draft": False}
    )
    github = _github("release", f"refs/tags/{name}", Open("github.event", {"release": about}))
    types = _OF_A_RELEASE[:-1] if prerelease else _OF_A_RELEASE
    kind = "pre-release" if prerelease else "release"
    return Event("release", f"{kind} {name}", github, tag=name, types=types)


def schedule(branch: str) -> Event:
    """Return a time of a schedule, which is always for the default branch."""
    return Event("schedule", "schedule", _github("schedule", f"refs/heads/{branch}"), branch)


def by_hand(ref: str, given: Iterable[tuple[str, str]] = (), workflow: str = "") -> Event:
    """Return a run that a person starts for a branch, or for a tag as `refs/tags/NAME`."""
    filled = tuple(given)
    whole = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    name = _name(whole)
    inputs = Open("github.event.inputs", dict(filled))
    github = _github(
        "workflow_dispatch", whole, Open("github.event", {"ref": whole, "inputs": inputs})
    )
    of = (name, "") if whole.startswith("refs/heads/") else ("", name)
    start = f"by hand, {workflow} for {name}" if workflow else f"by hand, for {name}"
    words = ", ".join((start, *(f"{key}={value}" for key, value in filled)))
    return Event("workflow_dispatch", words, github, *of, given=filled, workflow=workflow)


def _name(ref: str) -> str:
    return ref.split("/", 2)[-1]


def _github(name: str, ref: str, event: Open | None = None, base_ref: str = "") -> dict[str, Any]:
    """Return the context, whose other values only a run has."""
    payload = event if event is not None else Open("github.event", {"ref": ref})
    for other in _OF_ONE_EVENT:
        if other != name:
            payload.setdefault(other, None)
    known = {
        "event_name": name,
        "ref": ref,
        "ref_name": f"{ref.split('/')[2]}/merge" if ref.startswith("refs/pull/") else _name(ref),
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "head_ref": "",
        "base_ref": base_ref,
        "run_attempt": "1",
        "event": payload,
    }
    return Open("github", known)
