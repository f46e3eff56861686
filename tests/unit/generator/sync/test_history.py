"""What files were in earlier commits, read from real repositories."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from gen_workflow.sync import history, stamp

if TYPE_CHECKING:
    from pathlib import Path

PATHS = ("a.yml", "my spec.yml")


def git(folder: Path, *argv: str, given: str = "") -> str:
    author = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
    command = ("git", "-C", str(folder), *author, *argv)
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=given)
    return done.stdout


def commit(folder: Path, **contents: str) -> None:
    for name, content in contents.items():
        (folder / f"{name}.yml").write_text(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with its project in a folder below the top."""
    git(tmp_path, "init", "-q", "-b", "main")
    below = tmp_path / "below"
    below.mkdir()
    return below


def test_contents_come_newest_first_and_once(folder: Path) -> None:
    for content in ("1", "2", "1", "3"):
        commit(folder, a=content)
    (folder / "a.yml").write_text("not committed")
    found = history.read(str(folder), PATHS, "")
    assert found.of("a.yml") == (b"3", b"1", b"2")
    assert found.of("my spec.yml") == ()
    assert found.gap == ""


def test_the_files_are_told_apart_and_need_not_be_there(folder: Path) -> None:
    commit(folder, a="1", **{"my spec": "spec"})
    (folder / "a.yml").unlink()
    commit(folder)
    found = history.read(str(folder), PATHS, "")
    assert (found.of("a.yml"), found.of("my spec.yml")) == ((b"1",), (b"spec",))


def test_what_is_staged_counts_before_the_first_commit(folder: Path) -> None:
    (folder / "a.yml").write_text("staged")
    git(folder, "add", "-A")
    assert history.read(str(folder), PATHS, "").of("a.yml") == (b"staged",)


def test_what_a_merged_branch_had_counts(folder: Path) -> None:
    commit(folder, a="1")
    git(folder, "checkout", "-q", "-b", "topic")
    commit(folder, a="2")
    commit(folder, a="3")
    git(folder, "checkout", "-q", "main")
    commit(folder, other="x")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert set(history.read(str(folder), PATHS, "").of("a.yml")) == {b"1", b"2", b"3"}


def test_a_shallow_clone_says_how_to_get_the_rest(folder: Path, tmp_path: Path) -> None:
    for content in ("1", "2"):
        commit(folder, a=content)
    source = f"file://{folder.parent}"
    git(tmp_path, "clone", "-q", "--depth=1", source, "clone")
    found = history.read(str(tmp_path / "clone" / "below"), PATHS, "")
    assert found.of("a.yml") == (b"2",)
    assert found.gap == "this clone is shallow; `git fetch --unshallow` brings all commits"


def test_a_folder_without_git_says_so(tmp_path: Path) -> None:
    found = history.read(str(tmp_path), PATHS, "")
    assert (found.of("a.yml"), found.gap) == ((), "this is not a git repository")


def test_a_machine_without_git_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert history.read(str(folder), PATHS, "").gap == "git is not installed"


def test_what_git_refuses_is_said(folder: Path) -> None:
    commit(folder, a="1")
    (folder.parent / ".git" / "config").write_text("[core]\n\tbare = perhaps\n")
    assert history.read(str(folder), PATHS, "").gap.startswith("git says: ")


def test_settings_of_a_person_change_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, a="1")
    commit(folder, a="2")
    settings = tmp_path / "config"
    settings.write_text(
        "[log]\n\tshowRoot = false\n\tshowSignature = true\n\tdiffMerges = off\n"
        "[color]\n\tui = always\n[core]\n\tquotePath = true\n[diff]\n\trelative = false\n"
    )
    monkeypatch.setitem(os.environ, "GIT_CONFIG_GLOBAL", str(settings))
    assert history.read(str(folder), PATHS, "").of("a.yml") == (b"2", b"1")


def test_a_text_that_was_given_to_git_is_found_by_its_name_and_is_in_no_commit(
    folder: Path,
) -> None:
    history.store(str(folder), b"rendered\n")
    name = stamp.blob(b"rendered\n")
    assert name == git(folder, "hash-object", "--stdin", given="rendered\n").strip()
    assert history.read(str(folder), PATHS, name).stored == b"rendered\n"
    assert git(folder, "status", "--porcelain") == ""
    git(folder, "prune", "--expire=now")
    assert history.read(str(folder), PATHS, name).stored is None


def test_a_name_is_the_one_of_an_object_and_nothing_else_that_git_understands(
    folder: Path,
) -> None:
    commit(folder, a="1")
    for name in ("HEAD:below/a.yml", "HEAD", ":./a.yml", "--help", ""):
        assert history.read(str(folder), PATHS, name).stored is None


def test_without_git_nothing_is_given_to_it(tmp_path: Path) -> None:
    history.store(str(tmp_path), b"x")
    assert list(tmp_path.iterdir()) == []
