"""Reads the files that enter a build.

The same parts of a file count as in BuildKit's own cache (cache/contenthash of
github.com/moby/buildkit, as buildx sends it): path, kind, mode, extended attributes, and the
content or the target of the link. Owner and times do not count: buildx sends every file as a file
of root, and the cache ignores times.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING

from ship.build_push import dockerignore
from ship.runner.errors import Problem, UserError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BLOCK = 1 << 18
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# The file was removed after it was found, or it became a link.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_GIT = ".git"
_SPECIAL = {stat.S_IFIFO: "pipe", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device"}
_GLOBS = (
    (
        "write patterns as in .dockerignore, relative to the workspace; no folder of the path may "
        "be a link; `**` matches everything"
    ),
    "a-path-that-matches-nothing",
)


class Entry(NamedTuple):
    """A file, folder or link of the context, as COPY sees it.

    `content` is the SHA-256 of a file in hex, the target of a link, or the numbers of a device.
    """

    path: str
    kind: str
    mode: int = 0
    content: str = ""
    size: int = 0
    attributes: tuple[tuple[str, bytes], ...] = ()


def files(context: str, dockerfile: str = "") -> tuple[Entry, ...]:
    """Return what COPY can see of a context folder.

    `dockerfile` is the path of the Dockerfile, because its own .dockerignore file may be beside it.
    Raises UserError with all files that cannot be read.
    """
    if not os.path.isdir(context):
        hint = (
            "give a folder relative to the workspace, and run actions/checkout in an earlier step"
        )
        what = f"there is no folder {context!r}"
        raise UserError.of(what, where="input `context`", hint=hint, anchor="no-context")
    ignored = dockerignore.load(context, dockerfile)
    closed: list[OSError] = []
    return _entries(context, dockerignore.walk(context, ignored, closed), closed)


def selected(workspace: str, patterns: Sequence[str]) -> tuple[Entry, ...]:
    """Return the files that the patterns of the input `paths` match; they replace the context.

    The patterns are written as in .dockerignore, relative to the workspace. For a link, its target
    counts as well. The `.git` of the workspace is never matched, because it differs after every
    checkout. Raises UserError when a path without wildcards matches nothing, or when all patterns
    together match nothing.
    """
    wanted = dockerignore.read("\n".join(patterns))
    faults = [(pattern, dockerignore.fault(pattern)) for pattern in wanted]
    problems = [
        Problem("input `paths`", f"the pattern {pattern!r} is not supported: {fault}", *_GLOBS)
        for pattern, fault in faults
        if fault
    ]
    if problems:
        raise UserError(*problems)
    closed: list[OSError] = []
    found = _picked(workspace, wanted, closed)
    paths = {each.path for each in found}
    # A plain path that matches nothing is most likely misspelt.
    problems = [_nothing(each) for each in wanted if _is_plain(each) and each not in paths]
    if not found and not problems:
        problems = [_nothing(", ".join(patterns))]
    if problems:
        raise UserError(*problems)
    return _entries(workspace, found, closed)


def dockerfile_text(path: str) -> str:
    """Return the text of a Dockerfile as it is. Bytes that are not UTF-8 become surrogates."""
    folder, name = os.path.split(path)
    try:
        # The engine gets only the folder, so a link cannot lead out of it.
        with open(dockerignore.resolved(folder or ".", name), "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UserError(_unreadable(path, error)) from None


def is_git(path: str) -> bool:
    """Return whether a path is the `.git` of the folder, or inside it."""
    return path == _GIT or path.startswith(_GIT + "/")


def one_line(text: str) -> str:
    """Return a text on one line, with escapes for all characters that cannot be printed."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _picked(
    workspace: str, wanted: tuple[str, ...], closed: list[OSError]
) -> list[dockerignore.Found]:
    while True:
        closed.clear()
        picked = dockerignore.pick(workspace, dockerignore.Patterns(wanted), closed)
        found = [each for each in picked if not is_git(each.path)]
        links = (each for each in found if each.entry.is_symlink())
        more = {_target(workspace, each) for each in links} - {"", *wanted}
        if not more:
            return found
        wanted = (*wanted, *sorted(more))


def _target(workspace: str, link: dockerignore.Found) -> str:
    """Return a pattern for the target of a link, or an empty text when it is outside."""
    real = os.path.realpath(link.entry.path).decode("utf-8", "surrogateescape")
    root = os.path.realpath(os.fsencode(workspace)).decode("utf-8", "surrogateescape") + "/"
    path = real[len(root) :] if real.startswith(root) else ""
    # A link to a folder that contains it would be followed for ever.
    return "" if link.path.startswith(path + "/") else re.sub(r"[^\w./-]", "?", path)


def _entries(
    root: str, found: Iterable[dockerignore.Found], closed: Sequence[OSError]
) -> tuple[Entry, ...]:
    """Return an entry for each path found. `closed` are the folders that could not be read."""
    problems: list[Problem] = []
    read = (_entry(each, problems) for each in found)
    entries = sorted(entry for entry in read if entry)
    problems += [_unreadable(_shown(root, error.filename), error) for error in closed]
    if problems:
        raise UserError(*problems)
    return tuple(entries)


def _entry(found: dockerignore.Found, problems: list[Problem]) -> Entry | None:
    try:
        return _read(found)
    except OSError as error:
        if error.errno not in _GONE:
            problems.append(_unreadable(found.path, error))
        return None


def _read(found: dockerignore.Found) -> Entry:
    """Return the entry of a path. Raises OSError."""
    status = found.entry.stat(follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    attributes = _attributes(found.entry.path)
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(found.entry.path).decode("utf-8", "surrogateescape")
        return Entry(found.path, "link", 0o777, target, attributes=attributes)
    if stat.S_ISDIR(status.st_mode):
        return Entry(found.path, "folder", mode, attributes=attributes)
    if stat.S_ISREG(status.st_mode):
        digest, size = _digest(found.entry.path)
        return Entry(found.path, "file", mode, digest, size, attributes)
    if stat.S_ISSOCK(status.st_mode):
        # The build sees a socket as an empty file.
        return Entry(found.path, "file", mode, hashlib.sha256().hexdigest())
    # COPY creates a new pipe or device. Reading from it here could wait for ever.
    numbers = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return Entry(found.path, _SPECIAL.get(stat.S_IFMT(status.st_mode), "special"), mode, numbers)


def _digest(path: bytes) -> tuple[str, int]:
    """Return SHA-256 and size of a file. Raises OSError; a path that is no file counts as gone."""
    made, size = hashlib.sha256(), 0
    descriptor = os.open(path, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(errno.ENOENT, "it is not a file any more")
        while block := os.read(descriptor, _BLOCK):
            made.update(block)
            size += len(block)
    finally:
        os.close(descriptor)
    return made.hexdigest(), size


def _attributes(path: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the extended attributes that count in BuildKit's cache. Most files have none."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except (OSError, AttributeError):  # the file system or the operating system has none
        return ()
    return tuple((name, _attribute(path, name)) for name in sorted(names) if counts(name))


def counts(name: str) -> bool:
    """Return whether COPY sees an extended attribute."""
    ours = not name.startswith(("security.", "system.", "com.apple."))
    return ours or name == "security.capability"


def _attribute(path: bytes, name: str) -> bytes:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:  # It was removed, or only root may read it.
        return b""


def _is_plain(pattern: str) -> bool:
    return not pattern.startswith("!") and not any(char in pattern for char in "*?[\\")


def _nothing(pattern: str) -> Problem:
    return Problem("input `paths`", f"{pattern!r} matches nothing in the workspace", *_GLOBS)


def _unreadable(path: str, error: OSError) -> Problem:
    hint = (
        "let the user of the runner read it, because the build has to read it as well; "
        "or add it to .dockerignore"
    )
    what = f"cannot be read: {error.strerror}"
    return Problem(one_line(path), what, hint, "a-file-that-cannot-be-read")


def _shown(root: str, path: object) -> str:
    text = os.fsdecode(path) if isinstance(path, (str, bytes)) else root
    return os.path.relpath(text, root)
