"""The machine line: what it covers, and what a difference is without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.sync import stamp
from gen_workflow.sync.fingerprint import fingerprint

if TYPE_CHECKING:
    from pathlib import Path


def signed(
    text: str, *, version: str = "1.0.0", spec: bytes = b"image: .\n", generator: str = "g"
) -> str:
    return stamp.sign(text, version=version, spec=spec, generator=generator)


TEXT = signed("# Generated.\n#\n\nname: x\n")


def test_the_line_ends_the_comment_that_begins_the_file() -> None:
    lines = TEXT.splitlines()
    assert lines[:2] == ["# Generated.", "#"]
    assert lines[2].startswith("# gen-workflow: version=1.0.0 spec=")
    assert lines[3:] == ["", "name: x"]


def test_an_untouched_file_is_not_edited() -> None:
    found = stamp.of(TEXT.encode())
    assert found is not None
    assert (found.edited, found.generator, found.version) == (False, "g", "1.0.0")
    assert found.spec == stamp.digest(b"image: .\n")


PATHS = ("a/", "my app/Dockerfile", "größe", "100%", "a,b", "%41", "\u2028")


@pytest.mark.parametrize("paths", [(), *((path,) for path in PATHS), PATHS], ids=ascii)
def test_the_line_keeps_paths_of_every_kind(paths: tuple[str, ...]) -> None:
    text = stamp.sign("name: x\n", version="1", spec=b"", generator="g", paths=paths)
    found = stamp.of(text.encode())
    assert found is not None
    assert found.paths == paths


@pytest.mark.parametrize("words", ["%", "%zz", "a%4", "%ff"])
def test_a_path_that_we_did_not_write_names_no_file(words: str, tmp_path: Path) -> None:
    line = f"# gen-workflow: version=1 spec=2 generator=3 content=4 paths={words}\n"
    found = stamp.of(line.encode())
    assert found is not None
    assert found.paths is not None
    assert not (tmp_path / found.paths[0]).is_file()


def test_the_line_of_an_older_version_says_nothing_of_paths() -> None:
    found = stamp.of(b"# gen-workflow: version=1 spec=2 generator=3 content=4\n")
    assert found is not None
    assert found.paths is None


@pytest.mark.parametrize(
    "edited",
    [TEXT + "\n", TEXT.replace("name", "nam"), TEXT.replace("# Gen", "# gen"), "\n" + TEXT],
)
def test_any_change_is_an_edit(edited: str) -> None:
    found = stamp.of(edited.encode())
    assert found is not None
    assert found.edited


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: x\n",
        "# gen-workflow: spec=1\n",
        "# gen-workflow: spec=1 generator=2 content=3\n",
        "x # gen-workflow: version=0 spec=1 generator=2 content=3\n",
    ],
)
def test_a_file_without_the_line_is_not_ours(text: str) -> None:
    assert stamp.of(text.encode()) is None


def test_parts_cannot_be_moved_between_each_other() -> None:
    assert stamp.digest(b"ab", b"c") != stamp.digest(b"a", b"bc")


def test_line_ends_make_no_difference() -> None:
    assert stamp.digest(b"a\r\nb\r\n") == stamp.digest(b"a\nb\n")


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(TEXT.replace("\n", "\r\n").encode(), id="line ends of Windows"),
        pytest.param(TEXT.removesuffix("\n").encode(), id="no final newline"),
        pytest.param(b"\xef\xbb\xbf" + TEXT.encode(), id="byte order mark"),
    ],
)
def test_how_an_editor_saves_a_file_is_no_edit(saved: bytes) -> None:
    found = stamp.of(saved)
    assert found is not None
    assert not found.edited
    assert stamp.body(saved) == stamp.body(TEXT.encode())


def test_the_machine_line_is_apart_from_what_it_covers() -> None:
    above, line, below = stamp.split(TEXT.encode())
    assert above == b"# Generated.\n#\n"
    assert line.startswith(b"# gen-workflow: ")
    assert below == b"\nname: x\n"
    assert stamp.split(b"name: x") == (b"name: x\n", b"", b"")


def test_a_workflow_without_a_comment_is_stamped_in_its_first_line() -> None:
    text = signed("name: x\n")
    assert text.splitlines()[1:] == ["name: x"]
    found = stamp.of(text.encode())
    assert found is not None
    assert not found.edited


def test_a_template_with_another_name_is_another_generator(tmp_path: Path) -> None:
    (tmp_path / "step.j2").write_text("# ours\n")
    before = fingerprint(str(tmp_path))
    (tmp_path / "step.j2").rename(tmp_path / "job.j2")
    assert fingerprint(str(tmp_path)) != before
