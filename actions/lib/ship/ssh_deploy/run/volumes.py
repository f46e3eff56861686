"""What Docker takes as a volume, and which let two containers write to the same files."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ship.ssh_deploy.run.options import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ship.runner.reader import Reader

# Docker takes one of each (moby, daemon/volume/mounts/linux_parser.go). Those of the third belong
# to a named volume, those of the last to a path of the host.
MODES: tuple[tuple[str, ...], ...] = (
    ("rw", "ro"),
    ("z", "Z"),
    ("nocopy",),
    ("consistent", "cached", "delegated"),
    ("shared", "rshared", "slave", "rslave", "private", "rprivate"),
)

# Docker reads them as Go does (pkg.go.dev/strconv#ParseBool).
TRUE = ("", "1", "t", "T", "true", "TRUE", "True")


def check_volumes(read: Reader, volumes: Iterable[str]) -> None:
    """Note what Docker would refuse of volumes, and would refuse only when the container starts."""
    taken: dict[str, str] = {}
    for volume in volumes:
        source, _, rest = volume.partition(":")
        path, _, mode = rest.partition(":")
        # Docker compares the shortest form of a path.
        target = "/" + posixpath.normpath(path).lstrip("/")
        if target == "/":
            hint = "name a folder of the container, such as data:/var/lib/app"
            read.problem(
                "volumes", f"{volume!r} would take the place of all files of the container", hint
            )
        elif target in taken:
            what = f"{volume!r} takes the same path of the container as {taken[target]!r}"
            read.problem("volumes", what, "keep one of them")
        elif wrong := _wrong_mode(source, mode):
            hint = "use `ro`, or leave the option out"
            read.problem("volumes", f"{volume!r}: Docker does not take {wrong!r} here", hint)
        taken.setdefault(target, volume)


def _wrong_mode(source: str, mode: str) -> str:
    """Return the first option of a volume that Docker would refuse; empty when none is."""
    seen = [MODES[2] if source.startswith("/") else MODES[4]]
    for word in mode.split(",") if mode else ():
        kind = next((kind for kind in MODES if word in kind), None)
        if kind is None or kind in seen:
            return word or ","
        seen.append(kind)
    return ""


def written_by_both(volumes: Iterable[str], options: tuple[str, ...]) -> tuple[str, ...]:
    """Return the volumes and options with which each container writes to the same files.

    What is mounted read-only is not among them, nor what each container has for itself: a tmpfs, or
    a volume without a name, also one of the image.
    """
    return (
        *(each for each in volumes if not _is_read_only(each, at=2)),
        *(each for each in named(options, ("volumes-from",)) if not _is_read_only(each, at=1)),
        *(each for each in named(options, ("mount",)) if _is_writable_mount(each)),
    )


def _is_read_only(volume: str, *, at: int) -> bool:
    """Whether the mode of a volume has `ro`; the mode comes after so many colons."""
    mode = volume.split(":")[at:]
    return bool(mode) and "ro" in mode[0].split(",")


def _is_writable_mount(option: str) -> bool:
    mount = _read_mount(option.partition("=")[2])
    return (
        mount.get("type", "volume") in ("bind", "volume")
        and any(mount.get(name) for name in ("source", "src"))
        and not any(mount.get(name) in TRUE for name in ("readonly", "ro"))
    )


def _read_mount(text: str) -> Mapping[str, str]:
    """Return the fields of a value of `--mount`, which Docker reads as a line of CSV."""
    import csv  # noqa: PLC0415 - 2 ms, which only a deploy with such an option needs

    fields = next(csv.reader([text]), [])
    pairs = (field.partition("=") for field in fields)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
