"""The content address of a build: a tag that is the same when all that enters it is the same.

`address` is a pure function over `Ingredients`; reading the files is apart from it. What is taken
and what is not, and why, is told in docs/skip-unchanged.md. When in doubt a thing is taken: an
image that is built without need costs minutes, one that is not built costs trust.

Of a file the address takes what BuildKit's own cache takes of it (cache/contenthash of
github.com/moby/buildkit, as buildx sends it): path, kind, mode, extended attributes, content or
target of the link. Owner and times are not part of it: buildx sends every file as root's, and the
cache leaves times out.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ship.build import dockerignore
from ship.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Raised when the meaning of an address changes, so that no old image is taken for a new one.
SCHEME = 1
DIGITS = 40
BLOCK = 1 << 18
# As for `docker build`, of https://docs.docker.com/build/concepts/context/#git-repositories.
REMOTE = re.compile(r"https?://|git://|ssh://|git@|github\.com/")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GIT = ".git"
_SPECIAL = {stat.S_IFIFO: "pipe", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device"}


class Entry(NamedTuple):
    """A file, folder or link of the context, as COPY would see it.

    `content` is the SHA-256 of a file in hex, the target of a link, and the numbers of a device.
    """

    path: str
    kind: str
    mode: int = 0
    content: str = ""
    size: int = 0
    attributes: tuple[tuple[str, bytes], ...] = ()


class Ingredients(NamedTuple):
    """Everything that enters a build.

    `bases` maps each external image to its digest; `contexts` maps a named build context to what it
    is, where a folder is told by `tree_digest`; `provenance` and `sbom` are the settings as given.
    `max_age` is in seconds, none for 0, `now` in seconds since 1970, and `image` is a name that
    says at which moments of a period this image, and not others, is built anew.
    """

    files: tuple[Entry, ...] = ()
    dockerfile: str = ""
    build_args: Mapping[str, str] = {}
    target: str = ""
    platforms: tuple[str, ...] = ()
    bases: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    contexts: Mapping[str, str] = {}
    provenance: str = ""
    sbom: str = ""
    salt: str = ""
    max_age: int = 0
    now: int = 0
    image: str = ""


def files(context: str, dockerfile: str = "") -> tuple[Entry, ...]:
    """Return what COPY can see of a context folder.

    `dockerfile` is the path of the Dockerfile: a .dockerignore file of its own may stand beside it.
    Raises UserError for a remote context, and with all files that cannot be read.
    """
    _check_context(context)
    ignored = dockerignore.load(context, dockerfile)
    closed: list[OSError] = []
    return _entries(context, dockerignore.walk(context, ignored, closed), closed)


def selected(workspace: str, patterns: Sequence[str]) -> tuple[Entry, ...]:
    """Return what the globs of the input `paths` match; they replace the context.

    The globs are those of .dockerignore, relative to the workspace. The workspace's own `.git` is
    never matched: it differs after every checkout. Raises UserError when a path without wildcards,
    or all of the globs together, match nothing.
    """
    closed: list[OSError] = []
    picked = dockerignore.pick(workspace, _patterns(patterns), closed)
    found = [each for each in picked if not _is_git(each.path)]
    problems = [_nothing(path) for path in _missing(workspace, patterns)]
    if not found and not problems:
        problems = [_nothing(", ".join(patterns))]
    if problems:
        raise UserError(*problems)
    return _entries(workspace, found, closed)


def dockerfile_text(path: str) -> str:
    """Return the text of a Dockerfile with its line ends and, as surrogates, its odd bytes."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UserError(_unreadable(path, error)) from None


def tree_digest(entries: Iterable[Entry]) -> str:
    """Return one digest for a whole folder, such as a named build context."""
    return "tree:" + hashlib.sha256(_encoded(sorted(entries))).hexdigest()


def address(ingredients: Ingredients) -> str:
    """Return the tag that these ingredients have in common with no others."""
    return f"content-{hashlib.sha256(canonical(ingredients)).hexdigest()[:DIGITS]}"


def canonical(ingredients: Ingredients) -> bytes:
    """Return the ingredients in the one form that is hashed.

    Two of them have the same form exactly when they mean the same build: what has no order is
    sorted, and every part has its length in front, so that no byte can move from one to the next.
    """
    given = ingredients._replace(
        files=tuple(sorted(ingredients.files)),
        platforms=_set(ingredients.platforms),
        secrets=_set(ingredients.secrets),
        ssh=_set(ingredients.ssh),
        # The clock and the name count for the period they make, and for nothing else.
        max_age=max(0, ingredients.max_age),
        now=period(ingredients)[0],
        image="",
    )
    named = [(name, _plain(value)) for name, value in given._asdict().items()]
    return _encoded(["content address", SCHEME, named])


def period(ingredients: Ingredients) -> tuple[int, int]:
    """Return from when to when the address is good for its age, in seconds since 1970.

    The limits are fixed points in time, every `max_age` seconds, shifted by the name of the image
    so that not all images of a fleet are built anew at once. Both are 0 when there is no limit.
    """
    length = ingredients.max_age
    if length <= 0:
        return 0, 0
    name = ingredients.image.encode("utf-8", "surrogatepass")
    shift = int.from_bytes(hashlib.sha256(name).digest()[:8], "big") % length
    start = (ingredients.now - shift) // length * length + shift
    return start, start + length


def explain(ingredients: Ingredients) -> list[str]:
    """Return what entered the address, as lines for the log; a secret is told by its name only."""
    lines = [_files_line(ingredients.files)]
    lines += [f"Dockerfile: {len(ingredients.dockerfile.splitlines())} lines"]
    lines += [f"base image {name}: {digest}" for name, digest in sorted(ingredients.bases.items())]
    lines += [f"build context {name}: {it}" for name, it in sorted(ingredients.contexts.items())]
    named = (
        ("build args", ingredients.build_args),
        ("labels", ingredients.labels),
        ("platforms", ingredients.platforms),
        ("secrets, by name", ingredients.secrets),
        ("ssh, by name", ingredients.ssh),
    )
    lines += [f"{title}: {', '.join(sorted(names))}" for title, names in named if names]
    single = ("target", "provenance", "sbom", "salt")
    values = ingredients._asdict()
    lines += [f"{name}: {values[name]}" for name in single if values[name]]
    if ingredients.max_age > 0:
        lines.append(f"max-age: built anew after {_clock(period(ingredients)[1])}")
    # A name with a line break must not start a line of the log.
    return [_one_line(line) for line in lines]


def doubts(ingredients: Ingredients) -> list[str]:
    """Return why the address may change each time although nothing that matters has changed."""
    has_git = any(_is_git(entry.path) for entry in ingredients.files)
    told = "`.git` is part of the build context and differs after every checkout: ignore it in "
    return [f"{told}.dockerignore, or the image is never found unchanged"] if has_git else []


def _check_context(context: str) -> None:
    if REMOTE.match(context) and not os.path.isdir(context):
        raise UserError.of(
            f"{context!r} is fetched during the build, so its content is not known before",
            where="input `context`",
            hint="check the repository out and give a folder of it, or leave `skip-unchanged` out",
        )
    if not os.path.isdir(context):
        hint = "give a folder relative to the workspace, and check the repository out before"
        raise UserError.of(f"there is no folder {context!r}", where="input `context`", hint=hint)


def _entries(
    root: str, found: Iterable[dockerignore.Found], closed: Sequence[OSError]
) -> tuple[Entry, ...]:
    """Return what is known of all that was found; `closed` are the folders that were not read."""
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
    except (FileNotFoundError, NotADirectoryError, _ChangedError):
        return None  # It went away since it was seen, or is something else now.
    except OSError as error:
        problems.append(_unreadable(found.path, error))
        return None


class _ChangedError(Exception):
    """A file was no file any more when it was opened."""


def _read(found: dockerignore.Found) -> Entry:
    """Return what is known of a path. Raises OSError."""
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
        # It arrives as an empty file.
        return Entry(found.path, "file", mode, hashlib.sha256().hexdigest())
    # A pipe or a device is made anew by COPY; to read one may wait for ever.
    numbers = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return Entry(found.path, _SPECIAL.get(stat.S_IFMT(status.st_mode), "special"), mode, numbers)


def _digest(path: bytes) -> tuple[str, int]:
    """Return SHA-256 and size of a file. Raises OSError, and _ChangedError if it is none."""
    made, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        raise (_ChangedError if error.errno == errno.ELOOP else error) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _ChangedError
        while block := os.read(descriptor, BLOCK):
            made.update(block)
            size += len(block)
    finally:
        os.close(descriptor)
    return made.hexdigest(), size


def _attributes(path: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the extended attributes that BuildKit's cache counts, which are seldom any."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:  # a file system without them
        return ()
    except AttributeError:  # a system without them
        return ()
    return tuple((name, _attribute(path, name)) for name in sorted(names) if _counts(name))


def _counts(name: str) -> bool:
    ours = not name.startswith(("security.", "system.", "com.apple."))
    return ours or name == "security.capability"


def _attribute(path: bytes, name: str) -> bytes:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:  # It went away, or only root may see it.
        return b""


def _patterns(patterns: Sequence[str]) -> dockerignore.Patterns:
    cleaned = dockerignore.read("\n".join(patterns))
    problems = [
        Problem("input `paths`", f"{pattern!r} is not a pattern: {reason}", _GLOBS)
        for pattern in cleaned
        if (reason := dockerignore.fault(pattern))
    ]
    if problems:
        raise UserError(*problems)
    return dockerignore.Patterns(cleaned)


_GLOBS = "the patterns are those of .dockerignore, relative to the workspace; `**` is everything"


def _missing(workspace: str, patterns: Sequence[str]) -> Iterator[str]:
    """Yield the plain names among the patterns that lead to nothing: most likely misspelt."""
    for pattern in dockerignore.read("\n".join(patterns)):
        is_plain = not pattern.startswith("!") and not any(char in pattern for char in "*?[\\")
        if is_plain and (pattern in (".", "..") or not _is_below(workspace, pattern)):
            yield pattern


def _is_below(workspace: str, path: str) -> bool:
    return not path.startswith("../") and os.path.lexists(os.path.join(workspace, path))


def _nothing(pattern: str) -> Problem:
    return Problem("input `paths`", f"{pattern!r} matches nothing in the workspace", _GLOBS)


def _unreadable(path: str, error: OSError) -> Problem:
    hint = "let the runner's user read it, or name it in .dockerignore; the build needs it as well"
    return Problem(_one_line(path), f"cannot be read: {error.strerror}", hint)


def _shown(root: str, path: object) -> str:
    text = os.fsdecode(path) if isinstance(path, (str, bytes)) else root
    return os.path.relpath(text, root)


def _is_git(path: str) -> bool:
    return path == _GIT or path.startswith(_GIT + "/")


def _set(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _plain(value: object) -> object:
    return sorted(value.items()) if isinstance(value, Mapping) else value


def _encoded(value: object) -> bytes:
    """Return a value of numbers, texts, bytes and sequences with its kind and length in front."""
    if isinstance(value, (list, tuple)):
        parts = b"".join(_encoded(each) for each in value)
        return b"l%d:%d:" % (len(value), len(parts)) + parts
    if isinstance(value, bytes):
        return b"b%d:" % len(value) + value
    text = str(value).encode("utf-8", "surrogatepass")
    return (b"i%d:" if isinstance(value, int) else b"s%d:") % len(text) + text


def _files_line(entries: Sequence[Entry]) -> str:
    count = dict.fromkeys(("file", "folder", "link"), 0)
    for entry in entries:
        count[entry.kind] = count.get(entry.kind, 0) + 1
    size = sum(entry.size for entry in entries)
    number, links = count["file"], count["link"]
    return f"files: {number} with {size} bytes, {count['folder']} folders, {links} links"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _clock(seconds: int) -> str:
    import time  # noqa: PLC0415 - only where a maximal age is set

    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
