"""Whether an image has to be built, or the registry has one made of the same content."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ship.build_push import content, dockerfile
from ship.images.reference import Reference
from ship.runner.errors import ShipError, UserError

if TYPE_CHECKING:
    from ship.build_push.inputs import Image, Inputs
    from ship.images.registry.client import Client
    from ship.runner.step import Step


# buildx hands it on: https://docs.docker.com/reference/cli/docker/buildx/build/
POLICY = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"


class Search:
    """Looks for images that are there already, so that they need not be built."""

    def __init__(self, want: Inputs, registry: Client, step: Step) -> None:
        self._want = want
        self._registry = registry
        self._step = step
        self._digests: dict[str, str] = {}

    def look(self, image: Image) -> tuple[str, str]:
        """Return the content address of an image and the digest that the registry has for it.

        Either is empty where it is not known. Doubts are reported and mean that the image is built;
        only what the person has to change, such as `paths` that match nothing, is raised.
        """
        workflow = self._step.workflow
        ingredients, doubts = self._ingredients(image)
        with workflow.group(f"content of {image.key}"), workflow.untrusted():
            for line in content.explain(ingredients):
                workflow.say(line)
        for doubt in doubts:
            workflow.notice(f"{image.key} is built, because it may have changed: {doubt}")
        if doubts:
            return "", ""
        for doubt in content.doubts(ingredients):
            workflow.notice(f"{image.key}: {doubt}")
        address = content.address(ingredients)
        return address, ("" if self._want.no_cache else self._there(image, address))

    def _there(self, image: Image, address: str) -> str:
        """Return the digest that all names have under the address; nothing when one lacks it."""
        try:
            digests = {self._registry.head(name, address) for name in image.metadata.names}
        except ShipError:
            # A repository that does not exist yet, or may not be read: the build tells it better.
            return ""
        return digests.pop() or "" if len(digests) == 1 else ""

    def _ingredients(self, image: Image) -> tuple[content.Ingredients, list[str]]:
        want = self._want
        text = content.dockerfile_text(image.file)
        sources = dockerfile.sources(
            text,
            build_args=image.build_args,
            target=image.target,
            platforms=self._platforms(image),
            # A named builder may run on another machine, whose platform we do not know.
            build_platform="" if self._builder else self._step.platform,
            contexts=tuple(want.build_contexts),
        )
        doubts = [f"line {each.line} of the Dockerfile: {each.what}" for each in sources.unknown]
        bases = {source: self._digest(source) for source in sources.images}
        contexts = {n: self._context(it, doubts) for n, it in want.build_contexts.items()}
        found = {**bases, **contexts}
        if self._step.env.get(POLICY):
            doubts.append(f"{POLICY} may replace the images that are named")
        doubts += [
            f"no registry returned a digest for {name}"
            for name, digest in found.items()
            if not digest
        ]
        files = self._files(image, doubts)
        return content.Ingredients(
            files=files,
            dockerfile=text,
            build_args=image.build_args,
            target=image.target,
            # The platform of a named builder is not known, so its name stands for it.
            platforms=self._platforms(image) or (self._builder or self._step.platform,),
            bases=bases,
            labels=_asked(labels=image.wanted.labels, annotations=image.wanted.annotations),
            secrets=tuple(each.id for each in want.secrets),
            ssh=want.ssh,
            contexts=contexts,
            provenance=want.provenance,
            sbom=want.sbom,
            salt=want.salt,
            max_age=want.max_age,
            # Not the clock that is set for the image: this is about its real age.
            now=int(time.time()),
            image=str(image.metadata.names[0]),
        ), doubts

    @property
    def _builder(self) -> str:
        """The builder or engine that an input or a variable names; it may be on another machine."""
        env = self._step.env
        names = ("BUILDX_BUILDER", "DOCKER_HOST", "DOCKER_CONTEXT")
        return self._want.builder or next((env[n] for n in names if env.get(n)), "")

    def _platforms(self, image: Image) -> tuple[str, ...]:
        """Return the platforms that are asked for, also by the variable that buildx reads."""
        default = self._step.env.get("DOCKER_DEFAULT_PLATFORM", "")
        return image.platforms or ((default,) if default else ())

    def _digest(self, reference: str) -> str:
        """Return the digest that the name of a base image stands for now, or nothing."""
        if reference not in self._digests:
            self._digests[reference] = self._ask(reference)
        return self._digests[reference]

    def _ask(self, reference: str) -> str:
        image = Reference.parse(reference)
        if not image or image.digest:
            return image.digest if image else ""
        try:
            return self._registry.head(image.name, image.tag or "latest") or ""
        except ShipError:
            return ""

    def _files(self, image: Image, doubts: list[str]) -> tuple[content.Entry, ...]:
        if image.paths:
            return content.selected(self._step.context.workspace, image.paths)
        return _read(image.context, image.file, doubts)

    def _context(self, source: str, doubts: list[str]) -> str:
        """Return what a named build context is: a folder, or an image."""
        if source.startswith("docker-image://"):
            return self._digest(source.removeprefix("docker-image://"))
        folder = os.path.join(self._step.context.workspace, source)
        return content.tree_digest(_read(folder, "", doubts)) if os.path.isdir(folder) else ""


def _read(folder: str, file: str, doubts: list[str]) -> tuple[content.Entry, ...]:
    """Return the files of a folder; what cannot be read or understood is a doubt."""
    try:
        return content.files(folder, file)
    except UserError as error:
        doubts += [f"{problem.where}: {problem.what}" for problem in error.problems]
        return ()


def _asked(**texts: str) -> dict[str, str]:
    # As written: the standard ones have the commit in them, and would differ every time.
    return {name: text for name, text in texts.items() if text.strip()}
