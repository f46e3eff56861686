"""Images for one platform each, which become one: an index that names them.

The form of an index: https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from ship.build_push.facts import Found
from ship.images.reference import Reference
from ship.images.registry.client import Manifest
from ship.images.registry.refusal import Refused
from ship.runner import cancel
from ship.runner.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.build_push.inputs import Image, Inputs
    from ship.build_push.plan import Merge
    from ship.build_push.report import Outcomes
    from ship.images.reference import Name
    from ship.images.registry.client import Client

INDEX = "application/vnd.oci.image.index.v1+json"
# What BuildKit attaches to an image, such as its provenance, names the image so.
OF_IMAGE = "vnd.docker.reference.digest"
DIGITS = 40
PAGE = "images-to-merge"


def merged(want: Inputs, image: Image, registry: Client) -> Found:
    """Return under which address the merged image is, and its digest when it is there.

    An image is unchanged when its parts are: so their digests are all that the address follows
    from, beside the annotations that the person gives to the whole.
    """
    content = json.dumps(["index", sorted(want.parts.items()), image.wanted.annotations.strip()])
    address = f"content-{hashlib.sha256(content.encode()).hexdigest()[:DIGITS]}"
    try:
        known = {registry.head(name, address) or "" for name in image.metadata.names}
    except Refused:
        known = set()  # It may not exist yet; the push tells it better.
    return Found(address, known.pop() if len(known) == 1 else "")


class Merging:
    """Pushes what the plan merges. `outcomes` has what was done."""

    def __init__(self, registry: Client, outcomes: Outcomes) -> None:
        self._registry = registry
        self._outcomes = outcomes

    def push(self, merges: Sequence[Merge]) -> None:
        """Push each index by its digest, and under its address. Raises ShipError."""
        for each in merges:
            started = time.monotonic()
            names = each.image.metadata.names
            indexes = {name: self._index(name, each) for name in names}
            pushed = []
            with cancel.held_off():
                for name, index in indexes.items():
                    self._registry.put(name, each.address or index.digest, index)
                    pushed += [Reference(name, each.address)] if each.address else []
            digest = indexes[names[0]].digest
            seconds = time.monotonic() - started
            key = each.image.key
            self._outcomes.set(key, digest=digest, built=True, pushed=(*pushed,), seconds=seconds)

    def _index(self, name: Name, what: Merge) -> Manifest:
        entries: list[Mapping[str, Any]] = []
        for platform, digest in what.parts.items():
            reference = Reference(name, digest=digest)
            part = self._registry.manifest(name, digest)
            if part is None:
                raise StepFailed.of(
                    f"{reference}, the image for {platform}, is not in the registry",
                    hint="a clean-up may have removed it: run all jobs of the workflow again",
                    anchor=PAGE,
                )
            found = [*entries_of(platform, part)]
            if not found:
                raise StepFailed.of(
                    f"{reference} is not for {platform}",
                    hint="give each platform the image that was built for it",
                    anchor=PAGE,
                )
            entries += (each for each in found if each not in entries)
        return index_of(entries, what.image.metadata.annotations)


def entries_of(platform: str, part: Manifest) -> Iterator[Mapping[str, Any]]:
    """Yield what an index says of an image for a platform, and of what is attached to it.

    The image may be in an index already.
    """
    read = part.read()
    entries = read.get("manifests")
    if not isinstance(entries, list):
        yield {
            "mediaType": part.media_type,
            "digest": part.digest,
            "size": len(part.body),
            "platform": _platform(platform),
        }
        return
    listed = [each for each in entries if isinstance(each, dict)]
    images = [each for each in listed if _platform(_text(each)) == _platform(platform)]
    digests = [each.get("digest") for each in images]
    yield from images
    for each in listed:
        annotations = each.get("annotations")
        if isinstance(annotations, dict) and annotations.get(OF_IMAGE) in digests:
            yield each


def _text(entry: Mapping[str, Any]) -> str:
    """Return the platform of an entry of an index, which may have the default variant."""
    found = entry.get("platform")
    if not isinstance(found, dict):
        return ""
    parts = [found.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(str(part) for part in parts if part)


def _platform(text: str) -> dict[str, str]:
    """Return a platform as BuildKit writes it: without the one variant that is the default."""
    system, architecture, variant = (*text.split("/"), "", "")[:3]
    found = {"architecture": architecture, "os": system}
    is_default = (architecture, variant) == ("arm64", "v8")
    return found if is_default or not variant else {**found, "variant": variant}


def index_of(entries: Sequence[Mapping[str, Any]], annotations: Mapping[str, str]) -> Manifest:
    """Return an index of images."""
    content = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": entries,
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    body = json.dumps(content, ensure_ascii=False, indent=2).encode()
    return Manifest(INDEX, body, f"sha256:{hashlib.sha256(body).hexdigest()}")
