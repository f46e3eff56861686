"""Where the build is: in the workflow of the repository, or in a central one that many call."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.at_a_commit import AtACommit, Pinned
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked
from gen_workflow.spec.sections import Key, Section, ShortOr
from gen_workflow.spec.values import OneOf

CENTRAL = Pinned(
    "a workflow",
    r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]+/\.github/workflows/[A-Za-z0-9_.-]+\.ya?ml",
    "example/workflows/.github/workflows/build.yml",
)


class Mode(NamedTuple):
    """Whether the build is in a central workflow: `central` is the word when this is that one."""

    caller: Annotated[
        AtACommit | None,
        Key(
            "The central workflow that builds, at a full commit, and behind it, as a comment, the "
            "release that the commit is",
            CENTRAL,
            "example/workflows/.github/workflows/build.yml@1234567890abcdef1234567890abcdef12345678"
            " # v1.0.0",
            "0.1.0",
            missing="name the workflow: caller: owner/repository/.github/workflows/build.yml@…",
        ),
    ]
    central: bool = False


_WORD = OneOf("inline", "central")


def _mode(value: Value, reading: Reading) -> Mode | None:
    word = _WORD.read(value, reading)
    return None if word is None else Mode(None, central=word == "central")


MODE = ShortOr(Checked(_mode, _WORD.schema()), "a word", "mode: inline", Section(Mode))
