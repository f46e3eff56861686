"""Reads earlier contents of files from the git repository that they are in.

This is the one place of `sync` that starts git: without network, and without a prompt.

What was rendered is in no commit when nobody committed it yet, or when an edit was kept in it. So
it is also given to git as an object that nothing refers to, as `git add` does with a file. git
removes such an object after two weeks (gc.pruneExpire).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_workflow.sync.pinned import Pinned

    # Renders a spec as a version of ours would, with other pins if there are any; None when it
    # cannot be rendered today.
    Render = Callable[[bytes, str, Mapping[str, Pinned]], bytes | None]

_COMMITS = 200  # that changed one of the files; older ones are not looked at
_SECONDS = 60  # a repository of many commits is read within some of them
_NO_FILE = "0" * 40
_NAME = re.compile("[0-9a-f]{40}")
# A partial clone would fetch each content on its own, and ask for a password on the way.
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class History(NamedTuple):
    """The contents that files had, by path, newest first; `gap` says why there may be more.

    `stored` is the text that was asked for by its name in git, when git has it.
    """

    contents: dict[str, tuple[bytes, ...]]
    gap: str = ""
    stored: bytes | None = None

    def of(self, path: str) -> tuple[bytes, ...]:
        """The contents of a file."""
        return self.contents.get(path, ())


class Sources(NamedTuple):
    """Where the base of a workflow can come from: `path` is the workflow, `source` the spec."""

    path: str
    source: str
    spec: bytes
    history: Callable[[str], History]
    render: Render


class _Failed(Exception):  # noqa: N818 - named after what happened
    """git did not answer; the message is why."""


def store(folder: str, text: bytes) -> None:
    """Give a text to git, which then has it under its name; without git nothing is done."""
    with suppress(_Failed):
        _git(folder, "hash-object", "-w", "--stdin", given=text)


def read(folder: str, paths: tuple[str, ...], blob: str) -> History:
    """Return what files of a folder were in the last commits, what is staged, and an object."""
    try:
        names = _names(folder, paths)
        wanted = [blob] if _NAME.fullmatch(blob) else []
        contents = _contents(folder, [*(name for _, name in names), *wanted])
        gap = _gap(folder)
    except _Failed as failed:
        return History({}, str(failed))
    found: dict[str, list[bytes]] = {path: [] for path in paths}
    for path, name in names:
        if name in contents and contents[name] not in found[path]:
            found[path].append(contents[name])
    by_path = {path: tuple(each) for path, each in found.items()}
    return History(by_path, gap, contents.get(blob) if wanted else None)


def _names(folder: str, paths: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return path and object name of each content, newest first."""
    # --relative, because the folder may be below the top of its repository.
    raw = _git(
        folder, "log", f"--max-count={_COMMITS}", "--format=", "--raw", "--no-abbrev", "-z", "-m",
        "--root", "--no-renames", "--relative", "--no-show-signature", "--", *paths,
        empty="does not have any commits yet",
    )  # fmt: skip
    words = raw.decode("utf-8", "surrogateescape").replace("\n", "").split("\0")
    found = [(path, f":./{path}") for path in paths]
    older = []
    for about, path in zip(words[::2], words[1::2], strict=False):
        if path in paths:
            before, after = about.split()[2:4]
            found.append((path, after))
            older.append((path, before))
    return [each for each in (*found, *older) if each[1] != _NO_FILE]


def _contents(folder: str, names: list[str]) -> dict[str, bytes]:
    """Return the content of each object that is there, by the name that was asked for."""
    asked = list(dict.fromkeys(names))
    lines = "".join(f"{name}\n" for name in asked).encode("utf-8", "surrogateescape")
    raw = _git(folder, "cat-file", "--batch", given=lines)
    found, at = {}, 0
    for name in asked:
        end = raw.find(b"\n", at)
        _, *rest = raw[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(rest) == 2 and rest[1].isdigit():  # noqa: PLR2004 - kind and size; or `missing`
            found[name] = raw[at : at + int(rest[1])]
            at += int(rest[1]) + 1
    return found


def _gap(folder: str) -> str:
    """Return why there may be more commits than git has here; empty when there are not."""
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return "this clone is shallow; `git fetch --unshallow` brings all commits"
    return ""


def _git(folder: str, *argv: str, given: bytes = b"", empty: str = "") -> bytes:
    """Return what git prints; nothing when it fails with the words `empty`."""
    import subprocess  # noqa: PLC0415 - slow to load, and seldom needed

    command = ("git", "--literal-pathspecs", "-C", folder, *argv)
    env = os.environ | _OFFLINE
    try:
        ran = subprocess.run(
            command, input=given, capture_output=True,
            timeout=_SECONDS, check=False, env=env,
        )  # fmt: skip
    except FileNotFoundError:
        raise _Failed("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise _Failed(f"git did not answer within {_SECONDS} s") from None
    if ran.returncode == 0:
        return ran.stdout
    said = ran.stderr.decode("utf-8", "replace").partition("\n")[0].removeprefix("fatal: ")
    if empty and empty in said:
        return b""
    if said.startswith("not a git repository"):
        raise _Failed("this is not a git repository")
    raise _Failed(f"git says: {said}")
