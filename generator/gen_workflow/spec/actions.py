"""Where our actions come from: this project, or a repository with a copy of them."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.at_a_commit import AtACommit, Pinned
from gen_workflow.spec.sections import Key, Later, Section

REMOTE = Pinned(
    "a repository",
    r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}@)[A-Za-z0-9_.-]+",
    "owner/repository",
)


class Actions(NamedTuple):
    """Where our actions come from."""

    remote: Annotated[
        AtACommit | None,
        Key(
            "Repository with a copy of our actions at a full commit, and behind it, as a comment, "
            "the release that the commit is",
            REMOTE,
            "example/gen-workflow@1234567890abcdef1234567890abcdef12345678 # v0.1.0",
            "0.1.0",
            default="this project's release",
        ),
    ] = None


ACTIONS = Section(Actions, Later("vendored"))
