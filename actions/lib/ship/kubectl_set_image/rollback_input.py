"""The input `rollback`: what a run that a person starts goes back to, and with which images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.pinned import has_capitals
from ship.images.reference import DIGEST, Name
from ship.kubectl_set_image.workload_input import Images, read_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kubectl_set_image.workload_input import Target
    from ship.runner.reader import Reader

PREVIOUS = "previous"
FORM = "write `previous`, or a digest: sha256: and 64 digits"
NAME_ALONE = "write the name of the image alone, such as ghcr.io/acme/app or app=ghcr.io/acme/app"
# What changes other objects than the workloads, which a rollback does not.
OTHERS = ("apply", "secret", "pull-secret")


def read_rollback(read: Reader) -> str:
    """Return `previous`, a digest, or nothing. Notes every problem."""
    text = read.text("rollback")
    if text and text != PREVIOUS and not DIGEST.fullmatch(text):
        read.problem("rollback", f"{text!r} is neither `previous` nor a digest", FORM)
    for name in OTHERS if text else ():
        if read.text(name):
            what = "has no use together with `rollback`, which changes the workloads alone"
            hint = f"leave `{name}` out; a step without `rollback` can do this before or after"
            read.problem(name, what, hint)
    return text


def read_rollback_images(read: Reader, rollback: str, targets: Sequence[Target]) -> Images:
    """Return the images of a rollback to a digest, as far as they are named. Notes problems."""
    for target in targets:
        if target.images:
            hint = "name the digest in `rollback`, and the image in `image` where it is not clear"
            read.problem("workload", f"{target} has images, and `rollback` is given", hint)
    if rollback == PREVIOUS and read.text("image"):
        what = "has no use together with `rollback: previous`"
        hint = "leave it out: the images are those of the revision; or name a digest in `rollback`"
        read.problem("image", what, hint)
        return Images((), {})
    return _images(read, rollback)


def _images(read: Reader, digest: str) -> Images:
    """Return the images that are named, at the digest; none where the workloads are to say it."""
    is_right = True
    for number, line in read.numbered_lines("image"):
        name = line.rpartition("=")[2].strip()
        if not Name.parse(name) and not has_capitals(read, "image", name):
            what = f"line {number}: {name!r} is not a name alone, and `rollback` is given"
            read.problem("image", what, NAME_ALONE)
            is_right = False
    return read_images(read, is_required=False, digest=digest) if is_right else Images((), {})
