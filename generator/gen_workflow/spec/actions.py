"""Where our actions come from: this project, a repository with a copy of them, or a copy here."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.at_a_commit import AtACommit, Pinned
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, text
from gen_workflow.spec.hints import near
from gen_workflow.spec.paths import path_in
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr

REMOTE = Pinned(
    "a repository",
    r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}@)[A-Za-z0-9_.-]+",
    "owner/repository",
)
DEFAULT = ".github/actions/gen-workflow"
# The folder is a pattern of git as well, so it has no character that means something there.
_TAKEN = r"(?!\.$|\.git(?:/|$)|\.github(?:/workflows(?:/.*)?)?$)"
_FOLDER = rf"{_TAKEN}[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*"


def is_folder(path: str) -> bool:
    """Tell whether a path can be that of a copy."""
    parts = path.split("/")
    return bool(re.fullmatch(_FOLDER, path, re.IGNORECASE)) and not {".", ".."} & {*parts}


def _folder(value: Value, reading: Reading) -> str | None:
    """Return the folder of the copy, which has nothing else in it."""
    if value.kind == "true or false":
        what, hint = f"should be a folder, but is {value.kind}", "write actions: vendored"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
        return None
    path = path_in(value, reading, DEFAULT)
    if path is None or is_folder(path):
        return path
    what = f"{path!r} cannot be the folder of the actions"
    hint = f"name a folder that holds nothing else, such as {DEFAULT}, of letters, digits and . _ -"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


class Actions(NamedTuple):
    """Where our actions come from; `vendored` is the folder of a copy in the repository."""

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
    vendored: Annotated[
        str,
        Key(
            "Folder of this repository into which `generate` copies our actions; "
            "`actions: vendored` is the same with this folder",
            Checked(_folder, {"type": "string", "pattern": f"^{_FOLDER}$"}),
            DEFAULT,
            "0.1.0",
            default="nothing is copied",
        ),
    ] = ""


def _one_place(fields: Fields, reading: Reading) -> None:
    if {"remote", "vendored"} <= {*fields.values}:
        what = "cannot be beside `remote`: the actions come from one place"
        reading.problem(fields.values["vendored"], what, "remove one of them", Heading.TOGETHER)


def _word(value: Value, reading: Reading) -> Actions | None:
    found = text(value, reading, "vendored")
    if found is None:
        return None
    if found == "vendored":
        return Actions(vendored=DEFAULT)
    other = "write `vendored`, or name a repository: actions: {remote: owner/repository@…}"
    what, hint = f"{found!r} does not say where they come from", near(found, ("vendored",)) or other
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


ACTIONS = ShortOr(
    Checked(_word, {"enum": ["vendored"]}),
    "the word `vendored`",
    "actions: vendored",
    Section(Actions, rule=_one_place),
)
