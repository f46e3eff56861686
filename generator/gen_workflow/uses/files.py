"""The files of a repository that can hold a `uses:`: workflows and composite actions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.files import read
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.sync import stamp
from gen_workflow.uses.places import Unreadable, Use, find

_ENDINGS = (".yml", ".yaml")
_ACTIONS = ("action.yml", "action.yaml")
_PATTERNS = tuple(f":(glob)**/{name}" for name in _ACTIONS)


class File(NamedTuple):
    """A file with its text and its uses; `generated` when gen-workflow wrote it."""

    path: str
    text: str
    uses: tuple[Use, ...]
    generated: bool = False


def with_uses(folder: str) -> tuple[list[File], list[str]]:
    """Return each file that uses something of another repository, and what cannot be read and why.

    Raises UserError when the folder is none, or when a file may not be read.
    """
    if not Path(folder).is_dir():
        hint = "give -C the folder of a repository"
        raise UserError("is not a folder", where=shown(folder), hint=hint, anchor=Heading.OPTION)
    found, unread = [], []
    for path in _paths(folder):
        content = read(str(Path(folder, path))) or b""
        try:
            text = content.decode()
            if b"uses" in content and (uses := find(text)):
                found.append(File(path, text, tuple(uses), stamp.of(content) is not None))
        except UnicodeDecodeError:
            unread.append(f"{shown(path)}: is not in UTF-8")
        except Unreadable as error:
            unread.append(f"{shown(path)}:{error.line}: is not YAML: {error}")
    return found, unread


def _paths(folder: str) -> list[str]:
    """Return the path of each workflow and each action in a repository, sorted, with `/`.

    Of the actions those that git knows or would take; without git those at the top and in
    `.github/actions`. A link is none, because GitHub follows none to a workflow.
    """
    top = Path(folder)
    of_git = _of_git(top)
    found = {*_workflows(top), *(_without_git(top) if of_git is None else of_git)}
    there = [path for path in found if path.is_file() and not path.is_symlink()]
    return sorted(path.relative_to(top).as_posix() for path in there)


def _workflows(top: Path) -> list[Path]:
    listed = top.joinpath(".github", "workflows").glob("*")
    return [path for path in listed if path.suffix in _ENDINGS]


def _of_git(top: Path) -> list[Path] | None:
    """Return the actions that git lists below a folder; None when there is no git."""
    command = ("git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        ran = subprocess.run((*command, "--", *_PATTERNS), capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if ran.returncode:
        return None
    return [top / os.fsdecode(path) for path in ran.stdout.split(b"\0") if path]


def _without_git(top: Path) -> list[Path]:
    below = top.joinpath(".github", "actions").rglob("*")
    return [*(top / name for name in _ACTIONS), *(path for path in below if path.name in _ACTIONS)]
