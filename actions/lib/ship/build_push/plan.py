"""Everything that a step does after it has asked, as data; pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.build_push.buildx.builder import DOCKER, Choice
from ship.build_push.buildx.commands import build, create_builder, is_index
from ship.build_push.commit_tags import full_tag
from ship.build_push.facts import ANY_ADDRESS, Found
from ship.images.reference import Reference
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ship.build_push.facts import Facts
    from ship.build_push.inputs import Image, Inputs
    from ship.images.reference import Name
    from ship.runner.command import Command

# It is what others pull, so it moves last.
LATEST = "latest"
CURRENT_DOES = "the current builder can do it (then the commands have no `--builder`)"
BUILD_FIRST = "build all images without a push, so that no tag moves before all can be built"
BUILD_ONCE = "build it without a push, so that no tag moves that a newer commit has by then"
SAME_CONTENT = "an image of the same content"
SAME_COMMIT = "the image of this commit"
# Why the engine does not get an image from a builder, and what to do to get it.
SEVERAL_PLATFORMS = (
    "the engine takes no image for several platforms from a builder; to test it there, build it "
    "without a push for one of the `platforms`"
)
ATTACHED = (
    "the engine takes no image with a provenance or an SBOM from a builder; to test it there, "
    "build it without a push and without `provenance` and `sbom`"
)
NO_ENGINE = "this runner has no Docker engine that answers"
NO_TAG = (
    "no rule gives it a tag in this run, so it has no name there; to test it there, add a rule to "
    "`tags` that always gives one, such as `type=sha`"
)


class Build(NamedTuple):
    """An image that is built.

    `references` are the names that buildx gives it. An image `is_shared` when they are its content
    address, which another run may push too. With `rehearsal` all images are built before the first
    is pushed. Where it is not known yet whether the registry has the image, `unless` says what it
    may have. `unloaded` says why the engine does not have an image afterwards that is not pushed.
    """

    image: Image
    references: tuple[Reference, ...]
    metadata_file: str
    command: Command
    rehearsal: Command | None = None
    is_shared: bool = False
    unless: str = ""
    unloaded: str = ""


class Merge(NamedTuple):
    """Images for one platform each that become one: their digests, by platform.

    With an `address`, the result gets it as a tag, so that another run finds it. Where it is not
    known yet whether the registry has the image, `unless` says what it may have.
    """

    image: Image
    parts: Mapping[str, str]
    address: str = ""
    unless: str = ""

    def shown(self) -> str:
        """Return what is done, as a sentence for a person."""
        text = f"merge the images for {', '.join(self.parts)} into one"
        return f"{text}, unless the registry has {self.unless}" if self.unless else text


class Kept(NamedTuple):
    """An image that is not built, and what the registry has of it."""

    key: str
    why: str


class Tags(NamedTuple):
    """Tags that an image is given under one of its names, when all images are in the registry.

    Without any, it is only checked that buildx has pushed the image of this run under that name.
    """

    key: str
    name: Name
    tags: tuple[str, ...]


class Plan(NamedTuple):
    """What is done, in this order.

    A new builder is made by `create_builder` and removed after the builds by the undo of that.
    Where it only makes builds faster, `without_builder` is done instead if it cannot be made.
    Before a builder is made, `removals` make room; a failure of one of them changes nothing else.
    """

    kept: tuple[Kept, ...]
    choice: Choice
    create_builder: Command | None
    builds: tuple[Build, ...]
    tags: tuple[Tags, ...]
    without_builder: Plan | None = None
    removals: tuple[Command, ...] = ()
    # Whether tags stay that a newer commit has.
    compares: bool = False
    merges: tuple[Merge, ...] = ()

    def shown(self) -> str:
        """Return the plan as numbered sentences with their commands, for a person."""
        actions = (
            *(f"do not build {key}: the registry has {why}" for key, why in self.kept),
            *(_shown(each.why, each) for each in self.removals),
            *self._shown_builder(),
            *self._shown_rehearsals(),
            *(_shown_build(each) for each in self.builds),
            *(each.shown() for each in self.merges),
            *self._shown_removal(),
            *self._shown_tags(),
        )
        return "\n".join(f"{number}. {text}" for number, text in enumerate(actions, 1))

    def _shown_builder(self) -> Iterator[str]:
        if not self.create_builder:
            return
        text = f"{self.create_builder.why} for {', '.join(self.choice.reasons)}"
        if not self.choice.is_sure:
            text += f", unless {CURRENT_DOES}"
        text = _shown(text, self.create_builder)
        if self.without_builder:
            text += "\n   if it cannot be started: build without it and without the cache"
        yield text

    def _shown_rehearsals(self) -> Iterator[str]:
        commands = [each.rehearsal for each in self.builds if each.rehearsal]
        if commands:
            yield _shown(BUILD_FIRST if len(commands) > 1 else BUILD_ONCE, *commands)

    def _shown_removal(self) -> Iterator[str]:
        if self.create_builder and (remove := self.create_builder.undo):
            yield _shown(f"{remove.why}, also after a failure or a cancelled run", remove)

    def _shown_tags(self) -> Iterator[str]:
        references = [f"{each.name}:{tag}" for each in self.tags for tag in each.tags]
        if references:
            text = "set these tags, when all images are in the registry"
            text += ", but for those that a newer commit has" if self.compares else ""
            references.sort(key=lambda each: each.endswith(f":{LATEST}"))
            yield "\n   ".join((text, *references))


def _shown_build(each: Build) -> str:
    text = each.command.why
    text += f", unless the registry has {each.unless}" if each.unless else ""
    if SAME_CONTENT in each.unless:
        shown = each.image.metadata.shown
        text += "; ADDRESS is a hash of that content"
        text += "\n   each base image is given by its digest, with `--build-context`"
        text += f"\n   if the content cannot be determined: push it as `{shown}` instead"
    return _shown(text, each.command)


def _shown(text: str, *commands: Command) -> str:
    return "\n   $ ".join((text, *map(str, commands)))


def plan(want: Inputs, facts: Facts) -> Plan:
    """Return what is done, given what was asked for and what is known."""
    return _Planner(want, facts).plan()


def tags_to_set(want: Inputs, facts: Facts, pushed: Collection[Reference]) -> tuple[Tags, ...]:
    """Return the tags that buildx has not pushed, by image and name."""
    if want.by_digest:
        return ()
    return tuple(
        Tags(image.key, name, tags)
        for image in want.images
        for name in image.metadata.names
        if (tags := _missing(_tags(want, facts, image), name, pushed))
        or not image.metadata.is_fixed
    )


def _tags(want: Inputs, facts: Facts, image: Image) -> tuple[str, ...]:
    """Return the tags of an image; an unchanged one gets the commit in full as well."""
    found = facts.found.get(image.key, Found())
    is_unchanged = found.digest and not found.is_of_commit
    more = full_tag(want, image) if is_unchanged else ()
    return tuple(dict.fromkeys((*image.metadata.tag_names, *more)))


def _missing(tags: Collection[str], name: Name, pushed: Collection[Reference]) -> tuple[str, ...]:
    return tuple(tag for tag in tags if Reference(name, tag) not in pushed)


def _why(found: Found) -> str:
    """Return what the registry has of an image, or may have, so that it is not built."""
    either = (SAME_COMMIT * found.is_of_commit, SAME_CONTENT * bool(found.address))
    return " or ".join(filter(None, either))


class _Planner:
    def __init__(self, want: Inputs, facts: Facts) -> None:
        self._want = want
        self._facts = facts
        self._found = {image.key: facts.found.get(image.key, Found()) for image in want.images}
        self._changed = [image for image in want.images if not self._found[image.key].digest]
        self._creates = bool(facts.choice.reasons and self._changed)
        self._builder = facts.new_builder if self._creates else facts.choice.name
        self._compares = want.compares and facts.sets_tags
        self._env = {"DOCKER_CONFIG": facts.folder}
        if self._creates:
            # So that nothing of it stays in the user's folder, whatever happens.
            self._env["BUILDX_CONFIG"] = os.path.join(facts.folder, "own-buildx")

    def plan(self) -> Plan:
        builds = () if self._want.parts else self._builds()
        pushed = {reference for each in builds for reference in each.references}
        return Plan(
            kept=tuple(
                Kept(key, _why(found)) for key, found in self._found.items() if found.digest
            ),
            choice=self._facts.choice,
            create_builder=self._create_builder(),
            builds=builds,
            tags=tags_to_set(self._want, self._facts, pushed) if self._facts.sets_tags else (),
            without_builder=self._without_builder(),
            removals=self._removals(),
            compares=self._compares,
            merges=self._merges(),
        )

    def _merges(self) -> tuple[Merge, ...]:
        is_merged = self._want.push and self._want.parts
        return tuple(map(self._merge, self._changed)) if is_merged else ()

    def _merge(self, image: Image) -> Merge:
        found = self._found[image.key]
        address = "" if found.address == ANY_ADDRESS else found.address
        return Merge(image, self._want.parts, address, "" if found.is_sure else _why(found))

    def _removals(self) -> tuple[Command, ...]:
        if not self._creates:
            return ()
        return tuple(each.removal(self._facts.folder) for each in self._facts.leftovers)

    def _create_builder(self) -> Command | None:
        if not self._creates:
            return None
        endpoint, image = self._facts.choice.endpoint, self._want.builder_image
        return create_builder(self._builder, endpoint, image, self._env)

    def _without_builder(self) -> Plan | None:
        if not self._creates or not self._facts.choice.is_optional:
            return None
        return plan(self._want._replace(cache_auto=False), self._facts._replace(choice=Choice()))

    def _builds(self) -> tuple[Build, ...]:
        builds = tuple(self._build(n, image) for n, image in enumerate(self._changed))
        # No tag may move before all images are known to build.
        moves = any(not each.is_shared and not each.image.metadata.is_fixed for each in builds)
        # Nor may one that a newer commit has got while this one was built.
        moves = moves and not self._want.by_digest
        if not self._want.push or not moves or (len(builds) == 1 and not self._compares):
            return builds
        return tuple(map(self._rehearsed, builds))

    def _rehearsed(self, what: Build) -> Build:
        unpushed = self._want._replace(push=False)
        # What is pushed is what was built before.
        cached = self._want._replace(no_cache=False)
        image, file = what.image, what.metadata_file
        return what._replace(
            rehearsal=self._command(unpushed, image, (), file)._replace(why=f"build {image.key}"),
            command=self._command(cached, image, what.references, file),
        )

    def _build(self, number: int, image: Image) -> Build:
        """Return how an image is built, and which tags buildx itself pushes.

        Where we set tags ourselves, buildx pushes one: the content address, or else one that never
        moves if there is one. The others follow when all images are there, so that a cancelled or
        failed run does not move some of the tags only.
        """
        found = self._found[image.key]
        tags = image.metadata.tag_names
        if self._facts.sets_tags:
            tags = (found.address or image.metadata.shown,)
        if self._want.by_digest and self._want.push:
            tags = (found.address,) if found.address else ()
        references = tuple(Reference(name, tag) for tag in tags for name in image.metadata.names)
        file = os.path.join(self._facts.folder, f"{number}.json")
        unloaded = self._unloaded(image)
        command = self._command(self._want, image, references, file, unloaded=unloaded)
        return Build(
            image, references, file, command,
            is_shared=bool(found.address),
            unless="" if found.is_sure else _why(found), unloaded=unloaded,
        )  # fmt: skip

    def _unloaded(self, image: Image) -> str:
        """Return why the engine does not have an image afterwards; nothing where it has."""
        if self._want.push:
            return ""
        if not image.metadata.tag_names:
            return NO_TAG
        if self._facts.choice.driver == DOCKER:
            return ""
        if len(image.platforms) > 1:
            return SEVERAL_PLATFORMS
        if is_index(self._want, image):
            return ATTACHED
        return "" if self._facts.has_engine else NO_ENGINE

    def _command(
        self,
        want: Inputs,
        image: Image,
        references: tuple[Reference, ...],
        file: str,
        *,
        unloaded: str = "",
    ) -> Command:
        found = self._found[image.key]
        contexts = {**want.build_contexts, **found.contexts}
        return build(
            want._replace(build_contexts=contexts),
            image._replace(build_args={**image.build_args, **found.build_args}),
            references,
            builder=self._builder,
            metadata_file=file,
            # An ONBUILD of a base image may name further images, which nothing pins.
            pull=bool(found.address),
            load=bool(references) and self._facts.choice.driver != DOCKER and not unloaded,
            env=self._env,
        )
