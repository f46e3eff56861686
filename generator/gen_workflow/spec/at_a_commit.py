"""What a spec takes from another repository: at a commit, and with the release that it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Form, Schema, Text

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value


class AtACommit(NamedTuple):
    """A repository, or a workflow in one, at one commit."""

    name: str
    sha: str
    version: str


class Pinned(Form[AtACommit]):
    """A name and a commit, as `what` of a pattern; its release is a comment behind it."""

    def __init__(self, what: str, name: str, example: str) -> None:
        self._text = Text(
            f"{what} at a full commit",
            f"{name}@[0-9a-f]{{40}}",
            f"{example}@<40 hex digits> # v1.2.3",
        )

    def read(self, value: Value, reading: Reading) -> AtACommit | None:
        written = self._text.read(value, reading)
        if written is None:
            return None
        version = re.search(r"\s#\s*(v\d[\w.+-]*)\s*$", value.rest_of_line)
        if version is None:
            hint = "write the release of that commit at the end of the line, such as # v1.2.3"
            reading.problem(value, "does not say its version", hint, Heading.WRONG_VALUE)
            return None
        name, _, sha = written.partition("@")
        return AtACommit(name, sha, version[1])

    def schema(self) -> Schema:
        return self._text.schema()
