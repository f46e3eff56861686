"""The images that an earlier run has pushed for the commit of this one, so that it builds none.

A release deploys what the run of the branch has built and tested, so in this the registry has the
last word: when it does not answer, the step fails, because a build would be another image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.build_push.commit_tags import commit_tags
from ship.build_push.facts import Found
from ship.images.registry.refusal import Refused
from ship.images.tags.lines import lines
from ship.runner.commit import LABEL, SHOWN_DIGITS, Commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.build_push.inputs import Image, Inputs
    from ship.images.reference import Name
    from ship.images.registry.client import Client, Manifest
    from ship.runner.step import Step

# https://github.com/opencontainers/image-spec/blob/main/annotations.md
REVISION = "org.opencontainers.image.revision"
# What is shown of a label, which may be anything.
LONGEST = 64
OPEN = "the event leaves open which commit this run builds"
ADD_A_RULE = "; add the rule `type=sha,format=long` to `tags`, in all runs that push this image"


def of_commit(want: Inputs, registry: Client, step: Step) -> dict[str, Found]:
    """Return the images that are there for the commit of this run, by their keys.

    Of those that are not, the log says why. Raises StepFailed when a registry does not answer.
    """
    found: dict[str, Found] = {}
    for image in want.images:
        look = _Look(want, image, registry)
        if digest := look.digest():
            found[image.key] = Found(digest=digest, is_of_commit=True)
            continue
        why = "; ".join(dict.fromkeys(look.doubts))
        if want.skips(image):
            step.workflow.quote(f"{image.key} was not built for this commit: {why}")
        else:
            step.workflow.notice(f"{image.key} is built, not taken from an earlier run: {why}")
    return found


class _Look:
    """Looks for one image. `doubts` say why it is not taken."""

    def __init__(self, want: Inputs, image: Image, registry: Client) -> None:
        self._want = want
        self._image = image
        self._registry = registry
        self.doubts: list[str] = []

    def digest(self) -> str:
        """Return the digest that all names of the image have for the commit, or nothing."""
        if not self._want.revision:
            self.doubts.append(OPEN)
            return ""
        digests = {self._of(name) for name in self._image.metadata.names}
        if len(digests) > 1 and "" not in digests:
            self.doubts.append("its names do not have the same image")
        return digests.pop() if len(digests) == 1 else ""

    def _of(self, name: Name) -> str:
        """Return the digest of the image that a name has for the commit, or nothing."""
        tags = commit_tags(self._want, self._image)
        doubts: list[str] = []
        try:
            for tag in tags:
                manifest = self._registry.manifest(name, tag)
                doubt = self._doubt(name, tag, manifest) if manifest else ""
                if manifest and not doubt:
                    return manifest.digest
                doubts += [f"{name}:{tag} {doubt}"] if doubt else []
        except Refused as error:
            doubts += [problem.what for problem in error.problems]
        self.doubts += doubts or [self._missing(name, tags)]
        return ""

    def _missing(self, name: Name, tags: tuple[str, ...]) -> str:
        listed = " or ".join(tags) or f"of the commit {self._want.revision[:SHOWN_DIGITS]}"
        has_rules = lines(self._image.wanted.tags)
        return f"{name} has no tag {listed}{ADD_A_RULE if has_rules else ''}"

    def _doubt(self, name: Name, tag: str, manifest: Manifest) -> str:
        """Return why an image is not surely the one for this commit; nothing when it is."""
        read = manifest.read()
        if lacking := _lacking(self._image.platforms, read):
            return f"is not for {', '.join(lacking)}"
        if self._want.revision in tag:
            return ""
        labels = self._registry.labels(name, manifest.digest, patient=True)
        named = [labels.get(REVISION) or _annotations(read).get(REVISION), *_own_commit(labels)]
        others = [each for each in named if each != self._want.revision]
        return (
            f"says that it was built for {str(others[0] or 'no commit')[:LONGEST]}"
            if others
            else ""
        )


def _own_commit(labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the commit in our own label, which is there where the runner has told all of it.

    A run after another workflow may have built another commit than the one that GitHub names.
    """
    if commit := Commit.parse(labels.get(LABEL, "")):
        yield commit.sha


def _annotations(manifest: dict[str, Any]) -> dict[str, Any]:
    found = manifest.get("annotations")
    return found if isinstance(found, dict) else {}


def _lacking(platforms: tuple[str, ...], manifest: dict[str, Any]) -> list[str]:
    """Return the platforms that an image is not for; one for a single platform does not name it."""
    entries = manifest.get("manifests")
    if not isinstance(entries, list):
        return list(platforms[1:])
    there = set(map(_plain, _platforms(entries)))
    return [each for each in platforms if _plain(each) not in there]


def _platforms(entries: list[Any]) -> Iterator[str]:
    for each in entries:
        found = each.get("platform") if isinstance(each, dict) else None
        if isinstance(found, dict):
            parts = (found.get(key) for key in ("os", "architecture", "variant"))
            yield "/".join(str(part) for part in parts if part)


def _plain(platform: str) -> str:
    # The one variant that is the default, which BuildKit leaves out.
    return platform.removesuffix("/v8") if "/arm64" in platform else platform
