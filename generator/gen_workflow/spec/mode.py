"""Where the build is: in the workflow of the repository, or in a central one that many call."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Text
from gen_workflow.spec.sections import Key, Section, ShortOr
from gen_workflow.spec.values import OneOf


class Central(NamedTuple):
    """A workflow that others call, at one commit."""

    path: str
    sha: str
    version: str


_CENTRAL = Text(
    "a workflow at a full commit",
    r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]+/\.github/workflows/[A-Za-z0-9_.-]+\.ya?ml"
    r"@[0-9a-f]{40}",
    "example/workflows/.github/workflows/build.yml@<40 hex digits> # v1.2.3",
)


def _central(value: Value, reading: Reading) -> Central | None:
    written = _CENTRAL.read(value, reading)
    if written is None:
        return None
    version = re.search(r"\s#\s*(v\d[\w.+-]*)\s*$", value.rest_of_line)
    if version is None:
        hint = "write the release of that commit at the end of the line, such as # v1.2.3"
        reading.problem(value, "does not say its version", hint, Heading.WRONG_VALUE)
        return None
    path, _, sha = written.partition("@")
    return Central(path, sha, version[1])


class Mode(NamedTuple):
    """Whether the build is in a central workflow: `central` is the word when this is that one."""

    caller: Annotated[
        Central | None,
        Key(
            "The central workflow that builds, at a full commit, and behind it, as a comment, the "
            "release that the commit is",
            Checked(_central, _CENTRAL.schema()),
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
