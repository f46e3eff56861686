"""How files are written: whole or not at all, also by a process that is killed."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import gen_workflow
from gen_workflow import files
from gen_workflow.errors import UserError
from gen_workflow.sync import writing

PACKAGES = Path(gen_workflow.__file__).parents[1]
KILLED = f"""\
import os, signal, sys
sys.path.insert(0, {str(PACKAGES)!r})
from gen_workflow.sync import writing
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
writing.write({{sys.argv[1]: b"new"}})
"""


def git(folder: Path, *argv: str) -> str:
    done = subprocess.run(
        ("git", "-C", str(folder), *argv), check=True, capture_output=True, text=True
    )
    return done.stdout


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a folder, and of those below it, by their names."""
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def kill(path: Path) -> None:
    """Write a file in a process that is killed before the new content is in its place."""
    done = subprocess.run((sys.executable, "-I", "-c", KILLED, str(path)), check=False)
    assert done.returncode == -9


def test_a_killed_process_leaves_nothing_that_git_would_add(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    path = tmp_path / "below" / ".github" / "workflows" / "ci-cd.yml"
    kill(path)
    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all") == ""
    writing.write({str(path): b"old"})
    kill(path)
    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all").count("\n") == 1
    assert path.read_text() == "old"


def test_a_killed_process_leaves_nothing_in_a_linked_worktree(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "main")
    name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    git(tmp_path / "main", *name, "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path / "main", "worktree", "add", "-q", "../linked")
    kill(tmp_path / "linked" / "a.yml")
    assert git(tmp_path / "linked", "status", "--porcelain", "--untracked-files=all") == ""


@pytest.mark.parametrize("dot_git", ["gitdir: nowhere", "something else", ""])
def test_a_file_is_written_beside_its_place_where_git_has_no_folder(
    dot_git: str, tmp_path: Path
) -> None:
    (tmp_path / ".git").write_text(dot_git)
    writing.write({str(tmp_path / "a.yml"): b"new"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        ".git": dot_git,
        "a.yml": "new",
    }


def test_a_new_file_has_the_mode_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    path = tmp_path / "a.yml"
    writing.write({str(path): b"old"})
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o664)
    writing.write({str(path): b"new"})
    assert path.stat().st_mode & 0o777 == 0o664
    assert list((tmp_path / ".git").iterdir()) == []


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "changed.yml").write_text("old")
    (tmp_path / "removed.yml").write_text("old")
    (tmp_path / "folder.yml").mkdir()  # nothing can be moved there, which is found out late
    paths = {"changed.yml": b"new", "made.yml": b"new", "removed.yml": None, "folder.yml": b"new"}
    with pytest.raises(UserError, match=r"folder\.yml: cannot be written: Is a directory"):
        writing.write({str(tmp_path / name): content for name, content in paths.items()})
    assert texts(tmp_path) == {"changed.yml": "old", "removed.yml": "old"}


def test_files_are_written_and_removed_together(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "removed.yml").write_text("old")
    writing.write({str(tmp_path / "made.yml"): b"new", str(tmp_path / "removed.yml"): None})
    assert texts(tmp_path) == {"made.yml": "new"}


def test_a_file_that_another_run_has_removed_counts_as_removed(tmp_path: Path) -> None:
    writing.write({str(tmp_path / "gone"): None, str(tmp_path / "new"): b"new\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(UserError, match=r"is read-only, so it was not changed\n  .*chmod u\+w"):
        writing.write({str(path): b"new"})
    assert texts(tmp_path) == {"a.yml": "old"}


def test_a_draft_reaches_another_file_system(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=other, prefix="gen-workflow-") as git:
        (tmp_path / ".git").write_text(f"gitdir: {git}\n")
        (tmp_path / "a.yml").write_text("old")
        writing.write({str(tmp_path / "a.yml"): b"new"})
        assert list(Path(git).iterdir()) == []
    assert texts(tmp_path) == {".git": f"gitdir: {git}\n", "a.yml": "new"}


@pytest.mark.parametrize(
    ("there", "written"),
    [
        (None, b"a\nb\n"),
        (b"x\ny\n", b"a\nb\n"),
        (b"x\r\ny\r\n", b"a\r\nb\r\n"),
        (b"x\r\ny\nz\n", b"a\nb\n"),
        (b"", b"a\nb\n"),
    ],
)
def test_the_line_ends_of_a_file_stay(there: bytes | None, written: bytes) -> None:
    assert writing.like(there, b"a\nb\n") == written


def test_a_file_that_the_user_may_not_read_or_write_says_who_may(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(UserError, match="read: Permission denied\n  hint: your user has no"):
            files.read(f"{folder}/a")
        with pytest.raises(UserError, match="written: Permission denied\n  hint: your user has no"):
            writing.write({f"{folder}/a": b"x"})
    finally:
        if is_root:
            os.seteuid(0)


def test_a_folder_in_the_way_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        writing.write({str(tmp_path / "a.yml"): b"new"})
    assert [path.name for path in tmp_path.rglob("*")] == ["a.yml"]
