"""Which mounts let two containers of a service write to the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.ssh_deploy.run.options import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Docker reads them as Go does (pkg.go.dev/strconv#ParseBool).
TRUE = ("", "1", "t", "T", "true", "TRUE", "True")


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
