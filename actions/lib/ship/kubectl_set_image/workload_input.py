"""The inputs `workload` and `image`: which containers get which images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.images.pinned import read_pinned
from ship.kube.kinds import Kind, kind_of, why_not
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.runner.reader import Reader

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
CONTAINER = re.compile(r"\*|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
FORM = "write KIND/NAME, such as deployment/web"
ANCHOR = "a-workload-that-is-not-accepted"


class Target(NamedTuple):
    """A workload to update; `images` are those of its containers that were named in its line."""

    kind: Kind
    name: str
    images: Mapping[str, str] = {}

    def __str__(self) -> str:
        return f"{self.kind.word}/{self.name}"


class Images(NamedTuple):
    """The input `image`: images for the containers that use their repositories, or by container."""

    by_repository: tuple[str, ...]
    by_container: Mapping[str, str]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.by_repository, *self.by_container.values())


def read_targets(read: Reader) -> tuple[Target, ...]:
    """Read the workloads. Notes every problem."""
    found: dict[str, Target] = {}
    for number, line in read.numbered_lines("workload"):
        target = _target(read, number, *line.split())
        if target and str(target) in found:
            read.problem("workload", f"line {number} names {target} a second time", "", ANCHOR)
        elif target:
            found[str(target)] = target
    return tuple(found.values())


def _target(read: Reader, number: int, workload: str, *pairs: str) -> Target | None:
    word, slash, name = workload.partition("/")
    if not slash:
        what = f"line {number}: {workload!r} has no kind before the name"
        read.problem("workload", what, _form(workload, pairs), ANCHOR)
        return None
    kind = kind_of(word)
    images: dict[str, str] = {}
    for pair in pairs:
        _add(read, "workload", number, pair, images)
    if not kind:
        what = f"line {number}: {word!r} is not a kind that can be updated"
        read.problem("workload", what, why_not(word), ANCHOR)
    elif not NAME.fullmatch(name):
        what = f"line {number}: {name!r} is not a name that Kubernetes accepts"
        read.problem("workload", what, "use small letters, digits and dashes", ANCHOR)
    else:
        return Target(kind, name, images)
    return None


def _form(workload: str, rest: Sequence[str]) -> str:
    """Return how a line is to be written that begins with a word without a slash."""
    if workload == "-" and rest:
        return f"leave the dash out: {rest[0]}"
    if kind_of(workload) and rest:
        return f"write a slash between: {workload}/{rest[0]}"
    return FORM


def read_images(read: Reader, *, is_required: bool, digest: str = "") -> Images:
    """Read the images; with a digest, the lines have names alone. Notes every problem."""
    alone: list[str] = []
    named: dict[str, str] = {}
    for number, line in read.numbered_lines("image"):
        text = f"{line}@{digest}" if digest else line
        if "=" not in line:
            alone.append(read_pinned(read, "image", text))
        else:
            _add(read, "image", number, text, named)
    if is_required and not alone and not named and not read.text("image"):
        hint = "give the output `image` of build-push; it is empty when nothing was pushed"
        read.required("image", hint)
    return Images(tuple(dict.fromkeys(alone)), named)


def _add(read: Reader, name: str, number: int, text: str, found: dict[str, str]) -> None:
    """Add what CONTAINER=IMAGE says to the images that were found. Notes every problem."""
    pair = _pair(read, name, number, text)
    if pair and pair[0] in found:
        read.problem(name, f"line {number} names container {pair[0]!r} a second time")
    elif pair:
        found[pair[0]] = pair[1]


def _pair(read: Reader, name: str, number: int, text: str) -> tuple[str, str] | None:
    container, equals, image = (part.strip() for part in text.partition("="))
    if not equals or not CONTAINER.fullmatch(container):
        what = f"line {number}: {text!r} is not of the form CONTAINER=IMAGE"
        hint = "name the container as its pod template does, such as app=IMAGE"
        if name == "workload" and "/" in container:
            hint = "write each workload on a line of its own"
        read.problem(name, what, hint)
        return None
    if not image:
        what = f"line {number}: there is no image for the container {container!r}"
        hint = "the output of an earlier step may be empty: check that it has built and pushed"
        read.problem(name, what, hint)
        return None
    return container, read_pinned(read, name, image)
