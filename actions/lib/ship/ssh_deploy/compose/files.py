"""What a compose project takes from the repository: its files as one archive, and its `.env`."""

from __future__ import annotations

import base64
import glob
import io
import os
from typing import TYPE_CHECKING

from ship.runner.command import Secret
from ship.runner.named_tuple import NamedTuple
from ship.ssh_deploy.environment import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from tarfile import TarInfo

    from ship.runner.reader import Reader

# The shell on the host keeps it in a variable, and each deploy sends it again.
MOST_BYTES = 8 * 1024 * 1024
# Our file in the folder of the project: the images by digest, which override the compose files.
OVERRIDE = "images.gen-workflow.yml"


class Upload(NamedTuple):
    """Files below one folder of the workspace, by their path in it; `compose` are among them."""

    folder: str
    compose: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def archive(self) -> Secret:
        """Return all of it as tar.gz in base64; a secret, because it is long and may hold some."""
        import tarfile  # noqa: PLC0415 - 1.4 ms, which only a deploy with files needs

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
            for path in self.paths:
                archive.add(os.path.realpath(self._of(path)), path, recursive=False, filter=_plain)
        return Secret(base64.b64encode(packed.getvalue()).decode())

    def digest(self, place: str) -> str:
        """Return a digest of the files at or below a path; empty when there are none."""
        import hashlib  # noqa: PLC0415 - 2.5 ms, which only a deploy with files needs

        found = hashlib.sha256()
        below = [path for path in self.paths if path == place or path.startswith(f"{place}/")]
        for path in below:
            with open(self._of(path), "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
                runnable = "x" if os.fstat(file.fileno()).st_mode & 0o100 else ""
            found.update(f"{content}{runnable} {path}\n".encode())
        return found.hexdigest()[:16] if below else ""

    def has_in_repository(self, place: str) -> bool:
        """Whether the repository has a file at a path, uploaded or not."""
        return os.path.isfile(self._of(place))

    def _of(self, path: str) -> str:
        return os.path.join(self.folder, path)


def _plain(member: TarInfo) -> TarInfo:
    """Remove owner and time from a file: on the host it belongs to the user alone."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def read_upload(read: Reader, workspace: str) -> Upload:
    """Find the compose files and all that goes with them; notes every problem."""
    compose = [os.path.normpath(os.path.join(workspace, line)) for line in read.lines("compose")]
    folder = os.path.dirname(compose[0])
    for line, path in zip(read.lines("compose"), compose, strict=True):
        if not os.path.isfile(path):
            read.problem("compose", f"there is no file {line!r} in the workspace", CHECKOUT)
    further = [path for line in read.lines("files") for path in _matching(read, folder, line)]
    inside = [
        *((_below(read, "compose", folder, path)) for path in compose),
        *((_below(read, "files", folder, path)) for path in further),
    ]
    paths = tuple(dict.fromkeys(path for path in inside if path))
    upload = Upload(folder, tuple(inside[: len(compose)]), paths)
    _check_size(read, upload)
    return upload


def _matching(read: Reader, folder: str, line: str) -> list[str]:
    """Return the files that a line of `files` means: a file, a folder with all in it, a pattern."""
    pattern = os.path.join(glob.escape(folder), os.path.normpath(line))
    found = sorted(glob.glob(pattern, recursive=True))
    literal = os.path.normpath(os.path.join(folder, line))
    places = [literal] if os.path.lexists(literal) else found
    paths = [path for place in places for path in _files_in(place)]
    if not paths:
        hint = "start it at the folder of the first compose file; ** matches all folders below"
        read.problem("files", f"{line!r} matches no file", hint)
    return paths


def _files_in(place: str) -> Iterator[str]:
    if os.path.islink(place) or not os.path.isdir(place):
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        yield from (os.path.join(folder, name) for name in (*sorted(names), *links))


def _below(read: Reader, name: str, folder: str, path: str) -> str:
    """Return a path as it will be on the host, or nothing when it cannot be there."""
    shown = os.path.relpath(path, folder)
    root, real = os.path.realpath(folder), os.path.realpath(path)
    if shown.startswith("..") or not real.startswith(f"{root}{os.sep}"):
        hint = "move it into the folder of the first compose file, or below it"
        read.problem(name, f"{shown!r} is outside the folder that is uploaded", hint)
    elif not shown.isprintable():
        read.problem(name, f"the name {shown!r} contains characters that cannot be printed")
    elif os.path.isdir(real):
        read.problem(name, f"{shown!r} is a link to a folder", "list the folder itself")
    elif os.path.lexists(path) and not os.path.isfile(real):
        read.problem(name, f"{shown!r} is not a file")
    elif shown == OVERRIDE:
        read.problem(name, f"{shown!r} is written by the deploy itself", "rename it")
    else:
        return shown
    return ""


def _check_size(read: Reader, upload: Upload) -> None:
    sizes = {
        path: os.path.getsize(os.path.join(upload.folder, path))
        for path in upload.paths
        if os.path.isfile(os.path.join(upload.folder, path))
    }
    if sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=sizes.__getitem__)
        read.problem(
            "files",
            f"{sum(sizes.values()) >> 20} MiB are too much to upload with each deploy; "
            f"the largest file is {largest!r} with {sizes[largest] >> 20} MiB",
            f"at most {MOST_BYTES >> 20} MiB are possible; put large files into the image",
        )


def dotenv(env: Mapping[str, Secret]) -> Secret:
    """Return the text of a `.env` from which compose reads exactly these values.

    Single quotes keep everything but themselves, a backslash at the end and a carriage return;
    within double quotes compose knows escapes and variables
    (github.com/compose-spec/compose-go, dotenv/parser.go).
    """
    return Secret("".join(f"{name}={_quoted(value.reveal())}\n" for name, value in env.items()))


def _quoted(value: str) -> str:
    if "'" not in value and "\r" not in value and not value.endswith("\\"):
        return f"'{value}'"
    for plain, escaped in (
        ("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r"),
    ):  # fmt: skip
        value = value.replace(plain, escaped)
    return f'"{value}"'
