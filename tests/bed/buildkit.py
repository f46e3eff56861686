"""Makes the image of BuildKit for buildx's docker-container driver, from its programs alone.

The real image is based on Alpine. This one has the same daemon, uses the C library of this machine,
and has no git.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from bed import tools
from bed.command import run
from bed.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from bed.debian import Programs

# The name that buildx asks for.
IMAGE = "moby/buildkit:buildx-stable-1"
# As in the real image. The variable is needed with cgroup v2.
SETTINGS = (
    "ENV PATH=/usr/bin BUILDKIT_SETUP_CGROUPV2_ROOT=1",
    "VOLUME /var/lib/buildkit",
    'ENTRYPOINT ["buildkitd"]',
)
PROGRAMS = ("buildkitd", "buildctl")
LIBRARY = re.compile(r"(/\S+) \(0x")


def programs() -> Path:
    """Return the folder of buildkitd and buildctl. Raises Unavailable when they are not built."""
    folder = tools.buildkit_folder()
    if not folder.is_dir():
        raise Unavailable("BuildKit is not built: run python3 tests/bed/setup.py buildkit")
    return folder


def fill(root: Path, engine: Programs, authority: Path) -> None:
    """Fill a folder with the content of the image. The image trusts `authority`."""
    folder = root / "usr/bin"
    folder.mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "bin").symlink_to("usr/bin")
    for name in PROGRAMS:
        shutil.copy(programs() / name, folder)
    shutil.copy("/bin/busybox", folder)
    (folder / "sh").symlink_to("busybox")
    runc = engine.bin / "runc"
    shutil.copy(runc, folder)
    for path in LIBRARY.findall(run("ldd", str(runc)).stdout):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path[1:])
    trusted = root / "etc/ssl/certs/ca-certificates.crt"
    trusted.parent.mkdir(parents=True)
    shutil.copy(authority, trusted)
