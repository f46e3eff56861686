"""How files are written: whole or not at all, also by a process that is killed."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

import gen_workflow
from gen_workflow import files
from gen_workflow.errors import UserError

PACKAGES = Path(gen_workflow.__file__).parents[1]
KILLED = f"""\
import os, signal, sys
sys.path.insert(0, {str(PACKAGES)!r})
from gen_workflow import files
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
files.write(sys.argv[1], "new")
"""


def git(folder: Path, *argv: str) -> str:
    done = subprocess.run(
        ("git", "-C", str(folder), *argv), check=True, capture_output=True, text=True
    )
    return done.stdout


def kill(path: Path) -> None:
    """Write a file in a process that is killed before the new content is in its place."""
    done = subprocess.run((sys.executable, "-I", "-c", KILLED, str(path)), check=False)
    assert done.returncode == -9


def test_a_killed_process_leaves_nothing_that_git_would_add(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    path = tmp_path / "below" / ".github" / "workflows" / "ci-cd.yml"
    kill(path)
    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all") == ""
    files.write(str(path), "old")
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
    files.write(str(tmp_path / "a.yml"), "new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        ".git": dot_git,
        "a.yml": "new",
    }


def test_a_new_file_has_the_mode_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    path = tmp_path / "a.yml"
    files.write(str(path), "old")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o664)
    files.write(str(path), "new")
    assert path.stat().st_mode & 0o777 == 0o664
    assert list((tmp_path / ".git").iterdir()) == []


def test_a_text_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UnicodeEncodeError):
        files.write(str(tmp_path / "a.yml"), "\ud800")
    assert [path.name for path in tmp_path.rglob("*")] == [".git"]


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
            files.write(f"{folder}/a", "x")
    finally:
        if is_root:
            os.seteuid(0)


def test_a_folder_in_the_way_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        files.write(str(tmp_path / "a.yml"), "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.yml"]
