"""The groups of runs and of deploys: which waits for which, and which is dropped.

GitHub lets one run or job of a group go on and one wait; a newer one takes the place of the one
that waits. A group belongs to the repository, so the names begin with a word of ours: nobody else's
workflow cancels what is in them. What a person starts (by hand, or again) is alone in its group,
and so neither dropped nor in the way. The table in docs/spec.md says what follows for each event.
"""

from __future__ import annotations

from gen_workflow.workflow.records import Concurrency

# GitHub takes 400 characters; a branch has up to 255.
_LONGEST_ENVIRONMENT = 100


def of_run() -> Concurrency:
    """Return the group of a run: that of its pull request, or one of its own."""
    return Concurrency(
        _group("run", "pull_request"),
        "${{ github.event_name == 'pull_request' }}",
        "an older build of the same pull request; any other run is alone in its group",
    )


def of_deploy(environment: str) -> Concurrency:
    """Return the group of a deploy: that of its environment and branch, or one of its own."""
    reason = "a deploy that has begun ends; the newest push waits for it"
    return Concurrency(
        _group(f"deploy {environment[:_LONGEST_ENVIRONMENT]}", "push"), reason=reason
    )


def _group(what: str, event: str) -> str:
    """Return a group that all events of a kind for one ref share; a run again has its own."""
    shared = f"github.event_name == '{event}' && github.run_attempt == 1 && github.ref"
    return f"gen-workflow {what} ${{{{ {shared} || github.run_id }}}}"
