"""Runs programs of arm64 on this machine: QEMU with the kernel's binfmt_misc, as on hosted runners.

Standard library only, because the set-up unpacks this before any environment exists.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bed import cache, debian, versions
from bed.command import CommandFailed, run
from bed.errors import Unavailable
from bed.tools import Cannot

if TYPE_CHECKING:
    from bed.lease import Lease

PROCESSOR = "arm64"
QEMU = "qemu-aarch64-static"
# The header of an ELF program of arm64, and the bits of it that count (QEMU's own rule).
MAGIC = r"\x7fELF\x02\x01\x01" + r"\x00" * 9 + r"\x02\x00\xb7\x00"
MASK = r"\xff" * 7 + r"\x00" + r"\xff" * 8 + r"\xfe\xff\xff\xff"
# F: QEMU is opened now, so it is found in every container. P: argv[0] stays that of the program.
FLAGS = "PF"


def folder() -> Path:
    """Return the folder of QEMU and `busybox-arm64`, which may not exist yet."""
    pinned = (versions.load("emulation"), debian.own_suite(), platform.machine())
    return cache.folder() / f"emulation-{hashlib.sha256(repr(pinned).encode()).hexdigest()[:12]}"


def is_unpacked() -> bool:
    return shutil.which("apt-get") is not None and folder().is_dir()


def unpack() -> None:
    """Download QEMU and a static program of arm64. The machine does not change.

    Raises Unavailable with what a person can do.
    """
    if platform.machine() != "x86_64":
        raise Unavailable(f"{Cannot.EMULATE.reason}: it is no amd64")
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=cache.folder()) as scratch:
        root, made = Path(scratch) / "root", Path(scratch) / "made"
        names: list[str] = versions.load("emulation")["packages"]
        listing = debian.extract(debian.download_foreign(PROCESSOR, names, Path(scratch)), root)
        made.mkdir()
        shutil.copy2(root / "usr/bin" / QEMU, made)
        # Newer suites have it in /usr.
        found = [root / name for name in ("bin/busybox", "usr/bin/busybox")]
        shutil.copy2(next(filter(Path.exists, found)), made / f"busybox-{PROCESSOR}")
        (made / "packages.txt").write_text(listing, encoding="utf-8")
        made.rename(folder())


def start(lease: Lease) -> None:
    """Let this machine, and every container on it, run programs of arm64 while the bed is up.

    Other registrations stay as they are. A second call does nothing. Raises Unavailable when the
    kernel does not allow it.
    """
    if not is_unpacked():
        raise Unavailable("QEMU is not unpacked: run python3 tests/bed/setup.py qemu")
    place = _place(lease)
    place.mkdir(exist_ok=True)
    # A mount of our own: the usual folder may have no mount, or one that starts services.
    try:
        if not place.is_mount():
            run("mount", "-t", "binfmt_misc", "binfmt_misc", str(place))
        if not (place / lease.prefix).exists():
            rule = f":{lease.prefix}:M::{MAGIC}:{MASK}:{folder() / QEMU}:{FLAGS}"
            (place / "register").write_text(rule, encoding="ascii")
    except (CommandFailed, OSError) as error:
        raise Unavailable(f"{Cannot.EMULATE.reason}: {error}") from error


def stop(lease: Lease) -> None:
    """Remove what `start` registered. Does nothing when there is nothing."""
    with contextlib.suppress(OSError):
        (_place(lease) / lease.prefix).write_text("-1", encoding="ascii")


def _place(lease: Lease) -> Path:
    return lease.root / "binfmt"
