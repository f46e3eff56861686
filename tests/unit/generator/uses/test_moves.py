"""Golden pairs: a folder in `cases` is a file before and after `update`, and what it says about it.

known.json is what is known of releases: each tag with the beginning of its commit, and its age in
days. `UPDATE_GOLDEN=1` writes what the code says today; the diff is the review.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from gen_workflow import uses
from gen_workflow.pins.versions import version
from gen_workflow.sync import stamp
from gen_workflow.uses.choice import DAY, Policy
from gen_workflow.uses.files import File
from gen_workflow.uses.moves import edited, moves
from gen_workflow.uses.places import find
from gen_workflow.uses.releases import Known, Release, exact
from gen_workflow.uses.report import lines

HERE = Path(__file__).parent
PAGE = Path(__file__).parents[4] / "docs" / "update.md"
CASES = sorted(path for path in HERE.joinpath("cases").iterdir() if path.is_dir())
NOW = 1_800_000_000.0

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))


def commit(begin: str) -> str:
    """Return the commit that known.json and the cases write short."""
    return begin.ljust(40, "0")


def known(*, whole: bool) -> dict[str, Known]:
    """Return what known.json says; of a table that is not whole, the newest release alone."""
    found = {}
    for name, told in json.loads(HERE.joinpath("known.json").read_text()).items():
        releases = [
            Release(meant, commit(begin), NOW - age * DAY)
            for tag, (begin, age) in told["tags"].items()
            if (meant := version(tag))
        ]
        tags = {tag: commit(begin) for tag, (begin, _) in told["tags"].items()}
        named = told.get("name", name)
        branches = frozenset(told.get("branches", ()))
        archived = told.get("archived", False)
        all_of_it = Known(named, exact(releases), tags, branches, archived=archived)
        found[name] = all_of_it if whole else table(all_of_it)
    return found


def table(whole: Known) -> Known:
    old = [one for one in whole.releases if NOW - one.published > 7 * DAY and not one.version.pre]
    newest = max(old, key=lambda one: one.version.order)
    return Known(whole.name, (newest._replace(published=0),), {}, whole=False)


def read(case: Path) -> File:
    before = next(case.glob("before.*"))
    text = before.read_bytes().decode()
    return File(before.name, text, tuple(find(text)), stamp.of(text.encode()) is not None)


def policy(case: Path) -> Policy:
    given = case / "options.json"
    told = json.loads(given.read_text()) if given.exists() else {}
    return Policy(NOW, online=True)._replace(**told)


def result(case: Path, file: File) -> tuple[str, str]:
    """Return the text after, and what is said about it."""
    wanted = policy(case)
    found = moves([file], known(whole=wanted.online), wanted)
    return edited(file, found), "".join(f"{line}\n" for line in lines(found, written=True))


@every_case
def test_a_file_becomes_the_one_after(case: Path) -> None:
    after, said = result(case, read(case))
    golden = case / next(case.glob("before.*")).name.replace("before", "after")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(after.encode())
        case.joinpath("said.txt").write_text(said)
    assert after.encode() == golden.read_bytes()
    assert said == case.joinpath("said.txt").read_text()


@every_case
def test_a_second_run_changes_nothing(case: Path) -> None:
    file = read(case)
    after, _ = result(case, file)
    again = file._replace(text=after, uses=tuple(find(after)))
    assert result(case, again)[0] == after


@every_case
def test_only_lines_with_a_use_change(case: Path) -> None:
    file = read(case)
    before, after = file.text.split("\n"), result(case, file)[0].split("\n")
    pairs = enumerate(zip(before, after, strict=True), start=1)
    changed = {number for number, (old, new) in pairs if old != new}
    assert changed <= {use.line for use in file.uses}


def test_the_page_lists_each_reason_to_leave_a_use() -> None:
    code = "".join(path.read_text() for path in Path(uses.__file__).parent.glob("*.py"))
    table = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", PAGE.read_text(), re.MULTILINE)
    listed = {one for row in table for one in re.findall(r"[a-z-]+", row)}
    assert listed == set(re.findall(r'\bLeft\(\s*"([a-z-]+)"', code))
