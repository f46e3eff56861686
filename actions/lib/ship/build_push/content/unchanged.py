"""Whether an image has to be built, or the registry has one made of the same content."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ship.build_push import content, dockerfile
from ship.build_push.content.pins import image_of, pins, unpinned
from ship.build_push.facts import Found
from ship.images.reference import Reference
from ship.images.registry.digests import SECONDS, Answer, digests
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._sources = {each.key: self._read(each) for each in want.images if want.skips(each)}
        # By the name as written. Each image is asked for once, whatever takes it.
        self._digests: dict[str, Answer] = {}

    def found(self) -> dict[str, Found]:
        """Return what is known of each image that need not be built when it is unchanged.

        Doubts are reported and mean that the image is built; only what the person has to change,
        such as `paths` that match nothing, is raised.
        """
        images = [image for image in self._want.images if image.key in self._sources]
        self._digests = self._ask_for_bases()
        found = {image.key: self._look(image) for image in images}
        if self._want.no_cache:
            return found
        return self._with_digests(images, found)

    def _read(self, image: Image) -> tuple[str, dockerfile.Sources]:
        """Return the text of a Dockerfile, and what it takes from outside."""
        text = content.dockerfile_text(image.file)
        return text, dockerfile.sources(
            text,
            build_args=image.build_args,
            target=image.target,
            platforms=self._platforms(image),
            # A named builder may run on another machine, whose platform we do not know.
            build_platform="" if self._builder else self._step.platform,
            contexts=tuple(self._want.build_contexts),
        )

    def _ask_for_bases(self) -> dict[str, Answer]:
        """Return what the registries say of all images that enter a build."""
        names = [name for _, sources in self._sources.values() for name in sources.images]
        names += filter(None, map(image_of, self._want.build_contexts.values()))
        parsed = {name: _whole(name) for name in dict.fromkeys(names)}
        asked = dict.fromkeys(each for each in parsed.values() if each and not each.digest)
        if asked:
            listed = ", ".join(map(str, asked))
            what = f"asking for the digests of base images, for at most {SECONDS} s: {listed}"
            self._step.workflow.quote(what)
        answers = digests(self._registry, asked)
        return {
            name: (Answer(it.digest) if it.digest else answers[it]) if it else Answer()
            for name, it in parsed.items()
        }

    def _look(self, image: Image) -> Found:
        """Return the content address of an image, and what the build must be given for it."""
        workflow = self._step.workflow
        ingredients, doubts = self._ingredients(image)
        with workflow.group(f"content of {image.key}"), workflow.untrusted():
            for line in content.explain(ingredients):
                workflow.say(line)
        for doubt in doubts:
            workflow.notice(f"{image.key} is built, because it may have changed: {doubt}")
        if doubts:
            return Found()
        for doubt in content.doubts(ingredients):
            workflow.notice(f"{image.key}: {doubt}")
        found = {name: answer.digest for name, answer in self._digests.items()}
        _, sources = self._sources[image.key]
        pinned = pins(sources, self._want.build_contexts, found)
        return Found(content.address(ingredients), "", *pinned)

    def _with_digests(self, images: Sequence[Image], found: dict[str, Found]) -> dict[str, Found]:
        """Add the digest that all names of an image have under its address, if there is one."""
        there = {
            image.key: [Reference(name, found[image.key].address) for name in image.metadata.names]
            for image in images
            if found[image.key].address
        }
        answers = digests(self._registry, (each for names in there.values() for each in names))
        for key, names in there.items():
            # A repository that does not exist yet, or may not be read: the build tells it better.
            known = {answers[each].digest for each in names}
            if len(known) == 1:
                found[key] = found[key]._replace(digest=known.pop())
        return found

    def _ingredients(self, image: Image) -> tuple[content.Ingredients, list[str]]:
        want = self._want
        text, sources = self._sources[image.key]
        doubts = [f"line {each.line} of the Dockerfile: {each.what}" for each in sources.unknown]
        doubts += unpinned(sources)
        answers = {source: self._digests[source] for source in sources.images}
        contexts = {n: self._context(it, doubts) for n, it in want.build_contexts.items()}
        if self._step.env.get(POLICY):
            doubts.append(f"{POLICY} may replace the images that are named")
        doubts += [_without_digest(*each) for each in (*answers.items(), *contexts.items())
                   if not each[1].digest]  # fmt: skip
        files = self._files(image, doubts)
        return content.Ingredients(
            files=files,
            dockerfile=text,
            build_args=image.build_args,
            target=image.target,
            # The platform of a named builder is not known, so its name stands for it.
            platforms=self._platforms(image) or (self._builder or self._step.platform,),
            bases={name: answer.digest for name, answer in answers.items()},
            labels=_asked(labels=image.wanted.labels, annotations=image.wanted.annotations),
            secrets=tuple(each.id for each in want.secrets),
            ssh=want.ssh,
            contexts={name: answer.digest for name, answer in contexts.items()},
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

    def _files(self, image: Image, doubts: list[str]) -> tuple[content.Entry, ...]:
        if image.paths:
            return content.selected(self._step.context.workspace, image.paths)
        return _read(image.context, image.file, doubts)

    def _context(self, source: str, doubts: list[str]) -> Answer:
        """Return what a named build context is: a folder, or an image."""
        if image := image_of(source):
            return self._digests[image]
        folder = os.path.join(self._step.context.workspace, source)
        is_there = os.path.isdir(folder)
        return Answer(content.tree_digest(_read(folder, "", doubts)) if is_there else "")


def _whole(name: str) -> Reference | None:
    """Return the image that a name means, equal for all of its spellings."""
    image = Reference.parse(name)
    return image and Reference(image.name._replace(short=""), image.tag or "latest", image.digest)


def _without_digest(name: str, answer: Answer) -> str:
    why = f" ({answer.why})" if answer.why else ""
    return f"no registry returned a digest for {name}{why}"


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
