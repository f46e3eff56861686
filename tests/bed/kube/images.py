"""Images that are made in memory: one small app, which behaves as the tag says.

- `ok`, `ok2` … `ok9`: serves `/healthz` and `/version` at port 8080; `slow` does after 5 seconds
- `unready` serves, but not `/healthz`; `deaf` ignores SIGTERM
- `crash` ends with 3, `segv` with 139, `done` with 0; `late` ends with 4 after 5 seconds
- `oom` uses all memory that it may, `oom-child` does so in a child
- `noexec`, `nocmd`, `empty`, `baduser`: cannot be started, each for the reason in its name
- `nonroot` and `rootname` have the users 1000 and `root`
- `pause` only sleeps: it holds the namespaces of a pod
- `arm-index` is for arm64 only, and its index says so; `arm-plain` is found out when it starts
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path
from typing import NamedTuple

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
BUSYBOX = Path("/bin/busybox")
APP = Path(__file__).with_name("app.sh")
APPLETS = ("cat", "date", "echo", "false", "httpd", "id", "ls", "mkdir", "rm", "sh", "sleep",
           "tail", "test", "touch", "true", "wget")  # fmt: skip
FOLDERS = ("bin", "etc", "tmp", "www")
USERS = b"root:x:0:0::/:/bin/sh\n"
# The header of a program for RISC-V. The bed may let this machine run those of arm64.
FOREIGN = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 243, 1) + bytes(40)
GOOD = ("ok", *(f"ok{number}" for number in range(2, 10)))
MODES = {*GOOD, "slow", "unready", "deaf", "crash", "segv", "done", "late", "oom", "oom-child"}


class Blob(NamedTuple):
    """Bytes of a registry with their media type."""

    kind: str
    data: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.data).hexdigest()

    @property
    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.kind, "digest": self.digest, "size": len(self.data)}


class Image(NamedTuple):
    """A manifest or an index, and the blobs below it."""

    top: Blob
    below: tuple[Blob, ...]


class Recipe(NamedTuple):
    """In what an image differs from the others."""

    command: tuple[str, ...] = ("/bin/app",)
    user: str = ""
    mode: str = "ok"
    permissions: int = 0o755
    foreign: bool = False
    in_index: bool = False


RECIPES = {
    **{mode: Recipe(mode=mode) for mode in MODES},
    "pause": Recipe(command=("/bin/sleep", "2147483647")),
    "noexec": Recipe(permissions=0o644),
    "nocmd": Recipe(command=("/bin/nothere",)),
    "empty": Recipe(command=()),
    "baduser": Recipe(user="nosuch"),
    "nonroot": Recipe(user="1000"),
    "rootname": Recipe(user="root"),
    "arm-index": Recipe(foreign=True, in_index=True),
    "arm-plain": Recipe(foreign=True),
}


def make(repository: str) -> dict[str, Image]:
    """Return the images of a repository by tag. Each repository has its own."""
    return {tag: _image(repository, tag, recipe) for tag, recipe in RECIPES.items()}


def _image(repository: str, tag: str, recipe: Recipe) -> Image:
    app = FOREIGN if recipe.foreign else APP.read_bytes()
    # Which repository: a node that has the layer of one still has to pull that of another.
    files = {"bin/app": app, "etc/repository": repository.encode()}
    layers = (_system(), _archive(files, recipe.permissions))
    settings = {
        "Cmd": recipe.command,
        "User": recipe.user,
        "Env": ["PATH=/bin", f"MODE={recipe.mode}"],
    }
    platform = {"architecture": "arm64" if recipe.foreign else "amd64", "os": "linux"}
    unpacked = {"type": "layers", "diff_ids": [_unpacked(each) for each in layers]}
    history = [{"comment": f"{repository}:{tag}"}]
    config = _json(CONFIG, **platform, config=settings, rootfs=unpacked, history=history)
    packed = [each.descriptor for each in layers]
    head = {"schemaVersion": 2, "mediaType": MANIFEST}
    manifest = _json(MANIFEST, **head, config=config.descriptor, layers=packed)
    if not recipe.in_index:
        return Image(manifest, (config, *layers))
    listed = [{**manifest.descriptor, "platform": platform}]
    index = _json(INDEX, schemaVersion=2, mediaType=INDEX, manifests=listed)
    return Image(index, (manifest, config, *layers))


def _json(kind: str, **content: object) -> Blob:
    return Blob(kind, json.dumps(content).encode())


@functools.cache
def _unpacked(layer: Blob) -> str:
    return "sha256:" + hashlib.sha256(gzip.decompress(layer.data)).hexdigest()


@functools.cache
def _system() -> Blob:
    """The layer with busybox, which all images share."""
    links = {f"bin/{name}": "busybox" for name in APPLETS}
    return _archive({"bin/busybox": BUSYBOX.read_bytes(), "etc/passwd": USERS}, 0o755, links)


def _archive(files: dict[str, bytes], mode: int, links: dict[str, str] | None = None) -> Blob:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name in FOLDERS:
            archive.addfile(_entry(name, tarfile.DIRTYPE, 0o777))
        for name, data in files.items():
            entry = _entry(name, tarfile.REGTYPE, mode)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for name, target in (links or {}).items():
            entry = _entry(name, tarfile.SYMTYPE, 0o777)
            entry.linkname = target
            archive.addfile(entry)
    return Blob(LAYER, gzip.compress(raw.getvalue(), 1, mtime=0))


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry
