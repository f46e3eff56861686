"""A small change of a spec is a small change of its workflows: only the lines that say it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cases.test_cases import every_case
from gen_workflow import files
from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError
from gen_workflow.spec import document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MORE = "x7"
# Texts that stand for something else than themselves: an event, the file that has a version.
WORDS = ("release", "manual", "tags", "go.mod")


def changed(raw: str) -> Iterator[tuple[str, str]]:
    """Yield each text in a spec, and the spec with more at the end of that text."""
    root = document.parse(raw, files.SPEC)
    assert root is not None
    lines = raw.splitlines(keepends=True)
    for value in texts(root):
        line = lines[value.mark.line - 1]
        begin = line.find(value.text, value.mark.column - 1)
        if begin >= 0 and value.text:
            end = begin + len(value.text)
            with_more = line[:end] + MORE + line[end:]
            after = lines[value.mark.line :]
            yield value.text, "".join([*lines[: value.mark.line - 1], with_more, *after])


def texts(value: document.Value) -> Iterator[document.Value]:
    if value.kind == "a mapping":
        for _, item in value.pairs():
            yield from texts(item)
    elif value.kind == "a list":
        for item in value.items():
            yield from texts(item)
    elif value.kind == "text":
        yield value


@every_case
def test_another_value_changes_only_the_lines_that_say_it(case: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(case, project)
    spec = project / files.SPEC
    before = {one.path: one.text for one in Project(str(project), files.SPEC).rendered().files}
    seen = []
    raw = spec.read_text()
    for text, other in changed(raw):
        if text in WORDS or raw.count(text) > 1:
            continue  # names that are the same belong together
        spec.write_text(other)
        try:
            after = Project(str(project), files.SPEC).rendered().files
        except SpecError:
            continue  # such as a folder that is not there
        seen.append(text)
        for one in after:
            lines = below_the_header(one.text)
            assert without_more(lines) == unquoted(before[one.path]), text
    # A short spec may have no text that could be another one.
    assert len(seen) >= (10 if case.name == "everything" else 0), seen


def below_the_header(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index("") :]


def unquoted(text: str) -> list[str]:
    return [line.replace('"', "") for line in below_the_header(text)]


def without_more(lines: list[str]) -> list[str]:
    """Return lines without what was added, also where a name is written in capitals.

    Quotes are left out as well: a text such as 1.10 needs them, and with more at its end does not.
    """
    return [line.replace(MORE, "").replace(MORE.upper(), "").replace('"', "") for line in lines]
