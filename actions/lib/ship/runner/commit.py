"""The commit that a run is for, and which of two commits of one branch came first.

Times of commits cannot say that: the clocks of people differ, a rebase keeps the time of the
author, and only some events tell a time. The numbers of runs can. "This number begins at 1 for the
workflow's first run, and increments with each new run. This number does not change if you re-run
the workflow run", says
https://docs.github.com/en/actions/reference/workflows-and-actions/variables of GITHUB_RUN_NUMBER.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.json_file import object_at
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.runner.context import Context

# An image that build-push builds has this label; see docs/tags.md.
LABEL = "io.github.gen-workflow.commit"
SHOWN_DIGITS = 12
# What is neither a blank nor special to JSON, a shell or a pattern.
_SPECIAL = r"[^A-Za-z0-9._~/:@+=,#-]"
_TEXT = r"(?=.{1,2000}$)(?:[A-Za-z0-9._~/:@+=,#%-]+ ){3}[0-9]{1,18}"
_TAGS = "refs/tags/"


class Commit(NamedTuple):
    """A commit, and the run that it was first built or deployed for.

    `workflow` is the address of the file of the workflow, `ref` the branch or Git tag in full, and
    `number` that of the run among the runs of this workflow. As a text these are four words with a
    blank between them.
    """

    workflow: str
    ref: str
    sha: str
    number: int

    def __str__(self) -> str:
        return f"{self.workflow} {self.ref} {self.sha} {self.number}"

    @classmethod
    def parse(cls, text: str) -> Commit | None:
        """Return the commit that a text names, or None when it names none."""
        if not re.fullmatch(_TEXT, text):
            return None
        workflow, ref, sha, number = text.split()
        return cls(workflow, ref, sha, int(number))

    @property
    def shown(self) -> str:
        """The commit for a person: some digits, and the branch or tag."""
        return f"{self.sha[:SHOWN_DIGITS]} of {re.sub('^refs/(heads|tags)/', '', self.ref)}"

    def is_before(self, other: Commit) -> bool:
        """Say whether it is known to be the older of two commits.

        Two commits have an order when one workflow ran for both, and for the same branch, or for
        Git tags both. What a branch was reset to is not older: the run for it is a new one.
        """
        of_tags = self.ref.startswith(_TAGS) and other.ref.startswith(_TAGS)
        has_order = self.workflow == other.workflow and (self.ref == other.ref or of_tags)
        return has_order and self.sha != other.sha and self.number < other.number


def commit_of(context: Context) -> Commit | None:
    """Return the commit that a run is for; None where the runner does not tell all of it.

    A `workflow_run` is for the commit of the run that it came after: it starts when that run ends,
    so that its own number says nothing of the order. After one for a fork there is none: a branch
    of the fork may have the name of one here.
    """
    path = context.workflow_ref.removeprefix(f"{context.repository}/").partition("@")[0]
    ref, sha, number = context.ref, context.sha, context.run_number
    if context.event_name == "workflow_run":
        if context.is_fork:
            return None
        run = object_at(context.payload, "workflow_run")
        path, branch = (str(run.get(key) or "") for key in ("path", "head_branch"))
        path, ref = path.partition("@")[0], f"refs/heads/{branch}" if branch else ""
        sha, number = (str(run.get(key) or "") for key in ("head_sha", "run_number"))
    if not (context.repository and path and ref and sha):
        return None
    workflow = f"{context.server}/{context.repository}/{path}"
    return Commit.parse(" ".join((*map(_word, (workflow, ref, sha)), number)))


def _word(text: str) -> str:
    """Return a text as one word, in which special characters are as in the address of a page."""
    return re.sub(_SPECIAL, _escaped, text)


def _escaped(char: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in char[0].encode("utf-8", "surrogatepass"))
