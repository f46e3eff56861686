"""Where our actions come from: this project, or a repository with a copy of them."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Text
from gen_workflow.spec.sections import Key, Later, Section


class Remote(NamedTuple):
    """A repository with our actions, at one commit."""

    repository: str
    sha: str
    version: str


_REMOTE = Text(
    "a repository at a full commit",
    r"(?P<repository>[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}@)[A-Za-z0-9_.-]+)@(?P<sha>[0-9a-f]{40})",
    "owner/repository@<40 hex digits> # v1.2.3",
)


def _remote(value: Value, reading: Reading) -> Remote | None:
    written = _REMOTE.read(value, reading)
    if written is None:
        return None
    version = re.search(r"\s#\s*(v\d[\w.+-]*)\s*$", value.rest_of_line)
    if version is None:
        hint = "write the release of that commit at the end of the line, such as # v1.2.3"
        reading.problem(value, "does not say its version", hint, Heading.WRONG_VALUE)
        return None
    repository, _, sha = written.partition("@")
    return Remote(repository, sha, version[1])


class Actions(NamedTuple):
    """Where our actions come from."""

    remote: Annotated[
        Remote | None,
        Key(
            "Repository with a copy of our actions at a full commit, and behind it, as a comment, "
            "the release that the commit is",
            Checked(_remote, _REMOTE.schema()),
            "example/gen-workflow@1234567890abcdef1234567890abcdef12345678 # v0.1.0",
            "0.1.0",
            default="this project's release",
        ),
    ] = None


ACTIONS = Section(Actions, Later("vendored"))
