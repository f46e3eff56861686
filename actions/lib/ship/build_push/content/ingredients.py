"""Computes the address of a build from everything that enters it; pure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ship.build_push.content.tree import is_git, one_line
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ship.build_push.content.tree import Entry

# Increase it when the meaning of an address changes. Then no old image counts as a new one.
SCHEME = 2
DIGITS = 40


class Ingredients(NamedTuple):
    """Everything that enters a build.

    `bases` maps each external image to its digest. `contexts` maps each named build context to its
    digest; for a folder this is its `tree_digest`. `provenance` and `sbom` are the settings as
    given. `max_age` is in seconds, and 0 means no limit. `now` is in seconds since 1970. `image` is
    a name; it decides at which moment the periods of this image begin.
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


def tree_digest(entries: Iterable[Entry]) -> str:
    """Return one digest for a whole folder, such as a named build context."""
    return "tree:" + hashlib.sha256(_encoded(sorted(entries))).hexdigest()


def address(ingredients: Ingredients) -> str:
    """Return the tag for these ingredients. Other ingredients have another tag."""
    return f"content-{hashlib.sha256(canonical(ingredients)).hexdigest()[:DIGITS]}"


def canonical(ingredients: Ingredients) -> bytes:
    """Return the ingredients in the one form that is hashed.

    Two ingredients have the same form exactly when they mean the same build. Parts without an order
    are sorted. Every part has its length in front, so no byte can move from one part to the next.
    """
    given = ingredients._replace(
        files=tuple(sorted(ingredients.files)),
        platforms=_set(ingredients.platforms),
        secrets=_set(ingredients.secrets),
        ssh=_set(ingredients.ssh),
        # The time and the name of the image only count in so far as they decide the period.
        max_age=max(0, ingredients.max_age),
        now=period(ingredients)[0],
        image="",
    )
    named = [(name, _plain(value)) for name, value in given._asdict().items()]
    return _encoded(["content address", SCHEME, named])


def period(ingredients: Ingredients) -> tuple[int, int]:
    """Return start and end of the period in which this address is valid, in seconds since 1970.

    The periods are `max_age` seconds long. The name of the image shifts their start, so that the
    images of a fleet are not all built again at once. Both values are 0 when there is no limit.
    """
    length = ingredients.max_age
    if length <= 0:
        return 0, 0
    name = ingredients.image.encode("utf-8", "surrogatepass")
    shift = int.from_bytes(hashlib.sha256(name).digest()[:8], "big") % length
    start = (ingredients.now - shift) // length * length + shift
    return start, start + length


def explain(ingredients: Ingredients) -> list[str]:
    """Return what entered the address, as lines for the log. Secrets are shown by name only."""
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
        lines.append(f"max-age: built again after {_clock(period(ingredients)[1])}")
    # A name with a line break must not begin a new line of the log.
    return [one_line(line) for line in lines]


def doubts(ingredients: Ingredients) -> list[str]:
    """Return why the address may change each time, although nothing important has changed."""
    has_git = any(is_git(entry.path) for entry in ingredients.files)
    what = "`.git` is part of the build context, and it differs after every checkout, so the image "
    return [f"{what}is never found unchanged: add `.git` to .dockerignore"] if has_git else []


def _set(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _plain(value: object) -> object:
    return sorted(value.items()) if isinstance(value, Mapping) else value


def _encoded(value: object) -> bytes:
    """Return a value (number, text, bytes or sequence) with its kind and length in front."""
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


def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
