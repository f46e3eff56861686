"""How the pull requests of a fleet do, and its workflows: fifty repositories in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.fleet import batches
from gen_workflow.fleet.batches import Variables
from gen_workflow.github.answer import OID
from gen_workflow.github.proposal import WORKFLOW
from gen_workflow.github.snapshot import URL
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen_workflow.github.answer import Part
    from gen_workflow.github.connection import Connection

AT_ONCE = 50  # repositories in a request: each has a page of checks
_DOING = "read the pull requests of the fleet"
_COMMITS = 5  # of the default branch: paths may keep the newest from starting the workflow
_SUITES = """\
checkSuites(first: 20) { nodes {
  status conclusion branch { name } workflowRun { url createdAt file { path } }
} }"""
# The pull request is found by the name of its branch, which may be deleted when it is merged.
_ABOUT = f"""\
fragment About on Repository {{
  base: defaultBranchRef {{
    name target {{ ... on Commit {{ history(first: {_COMMITS}) {{ nodes {{ {_SUITES} }} }} }} }}
  }}
  pullRequests(
    headRefName: $branch, states: [OPEN, CLOSED, MERGED], first: 10,
    orderBy: {{field: CREATED_AT, direction: DESC}}
  ) {{ nodes {{
    url state baseRefName isCrossRepository
    commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{ state }} {_SUITES} }} }} }}
  }} }}
}}"""


class Light:
    """The words for how checks and runs do."""

    GREEN = "green"
    RED = "red"
    PENDING = "pending"
    NONE = "none"  # nothing has run, or nothing was started yet


# GitHub's StatusState and CheckConclusionState; what is not here has failed, or was stopped.
_ROLLUP = {"SUCCESS": Light.GREEN, "PENDING": Light.PENDING, "EXPECTED": Light.PENDING}
_GOOD = ("SUCCESS", "NEUTRAL", "SKIPPED")


class Pull(NamedTuple):
    """The newest pull request from our branch: open, merged or closed; `commit` is its newest."""

    url: str
    state: str
    checks: str
    commit: str


class Run(NamedTuple):
    """The last run of the workflow on the default branch; `said` is GitHub's word for its end."""

    url: str
    light: str
    said: str


class Progress(NamedTuple):
    """Where the pull request of a repository stands, and its workflow; None without one."""

    pull: Pull | None = None
    run: Run | None = None


def read(
    connection: Connection,
    slugs: Sequence[str],
    branch: str,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Progress]:
    """Return how each repository does, in their order."""
    return batches.read(slugs, AT_ONCE, lambda some: _ask(connection, some, branch), progress)


def _ask(connection: Connection, slugs: Sequence[str], branch: str) -> list[Progress]:
    names = Variables({"branch": branch})
    parts = []
    for index, slug in enumerate(slugs):
        owner, name = map(names.of, slug.split("/"))
        parts.append(f"r{index}: repository(owner: {owner}, name: {name}) {{ ...About }}")
    query = f"query Pulls({names.declared}) {{\n{chr(10).join(parts)}\n}}\n{_ABOUT}"

    def found(data: Part) -> list[Progress]:
        shown = [data.maybe(f"r{index}") for index in range(len(slugs))]
        return [_progress(one) if one else Progress() for one in shown]

    return connection.graphql(
        query, names.values, _DOING, lambda data, _: found(data), partial=True
    )


def _progress(shown: Part) -> Progress:
    base = shown.maybe("base")
    if base is None:
        return Progress()
    name = base.text("name")
    pulls = [
        one
        for one in shown.part("pullRequests").parts("nodes")
        if one.text("baseRefName") == name and not one.flag("isCrossRepository")
    ]
    return Progress(_pull(pulls[0]) if pulls else None, _last_run(base, name))


def _pull(shown: Part) -> Pull:
    commits = shown.part("commits").parts("nodes")
    commit = commits[0].part("commit") if commits else None
    return Pull(
        shown.text("url", URL),
        shown.text("state").lower(),
        _checks(commit) if commit else Light.NONE,
        commit.text("oid", OID) if commit else "",
    )


def _checks(commit: Part) -> str:
    """Return how the checks of a commit do.

    A workflow that GitHub cannot start has no job, so the sum of all checks does not know of it.
    """
    suites = _suites(commit)
    if any(_word(one, "conclusion") == "STARTUP_FAILURE" for one in suites):
        return Light.RED
    rollup = commit.maybe("statusCheckRollup")
    return _ROLLUP.get(rollup.text("state"), Light.RED) if rollup else Light.NONE


def _last_run(base: Part, name: str) -> Run | None:
    """Return the newest run of our workflow on the branch, among those of its newest commits."""
    history = base.part("target").maybe("history")
    commits = history.parts("nodes") if history else []
    runs = [
        (run.text("createdAt"), suite, run)
        for commit in commits
        for suite in _suites(commit)
        if (run := suite.maybe("workflowRun")) and _is_ours(suite, run, name)
    ]
    if not runs:
        return None
    _, suite, run = max(runs, key=lambda one: one[0])
    ended = _word(suite, "conclusion")
    light = Light.GREEN if ended in _GOOD else Light.RED if ended else Light.PENDING
    said = (ended or suite.text("status")).lower().replace("_", " ")
    return Run(run.text("url", URL), light, said)


def _is_ours(suite: Part, run: Part, branch: str) -> bool:
    file, of = run.maybe("file"), suite.maybe("branch")
    return bool(file and file.text("path") == WORKFLOW and of and of.text("name") == branch)


def _suites(commit: Part) -> list[Part]:
    suites = commit.maybe("checkSuites")
    return suites.parts("nodes") if suites else []


def _word(shown: Part, name: str) -> str:
    return shown.text(name) if shown.maybe(name) else ""
