"""Finds the stages that a target needs, and what these stages take from outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.build_push.dockerfile.arguments import declared, predefined
from ship.build_push.dockerfile.origins import SCRATCH, familiar, is_fetched, is_frontend, is_image
from ship.build_push.dockerfile.reader import BrokenError, read
from ship.build_push.dockerfile.words import BLANKS, expand, json_words
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.build_push.dockerfile.reader import File, Instruction

_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
# The field `from` of --mount, whose value is CSV. Text in quotes may hold several fields, and a
# `from` inside it counts as well.
_MOUNT_FROM = re.compile(r"(?:^|[,\"])from=([^,\"]+)", re.IGNORECASE)
_FETCHED = (
    "ADD {} may be downloaded during the build: pin it by a checksum or a full commit, or use COPY"
)
# The build argument that names the frontend, and takes precedence over the file.
SYNTAX = "BUILDKIT_SYNTAX"
# The names that BuildKit does not look up in the build contexts.
_NO_CONTEXTS = {SCRATCH, "context"}


class Unknown(NamedTuple):
    """Something that enters the build but cannot be known before, and the line that names it."""

    line: int
    what: str


class Sources(NamedTuple):
    """What a Dockerfile takes from outside: images as written, in the order of the file.

    `frontend` is the image that reads the file, and `bases` are those that its stages take.
    `stages` are the names of all stages.
    """

    frontend: str = ""
    bases: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """The images, each once."""
        return tuple(dict.fromkeys(each for each in (self.frontend, *self.bases) if each))


class Stage(NamedTuple):
    """A stage: its base as written, its name in small letters, and the instructions in it."""

    line: int
    base: str
    name: str
    instructions: list[Instruction]


class Need(NamedTuple):
    """One thing that a stage takes: another stage, an image, or something unknown."""

    line: int
    stage: int = -1
    image: str = ""
    unknown: str = ""


def sources(
    text: str,
    *,
    build_args: Mapping[str, str] | None = None,
    target: str = "",
    platforms: Sequence[str] = (),
    build_platform: str = "",
    contexts: Sequence[str] = (),
) -> Sources:
    """Return what a Dockerfile takes from outside, for all platforms together. It never raises.

    `build_platform` is the platform of the builder; without `platforms` it is also the target. An
    image or a stage with the name of a build context comes from that context. A mistake in the file
    is returned as unknown, because the build explains it better.
    """
    given = build_args or {}
    frontend: list[Need] = []
    needs: list[Need] = []
    stages: list[Stage] = []
    try:
        file = read(text)
        frontend += _frontend(given.get(SYNTAX, "").strip() or file.syntax)
        first, stages = _stages(file)
        stage = target or stages[-1].name
        for platform in platforms or (build_platform,):
            values = predefined(platform, build_platform, stage)
            values = declared(first, file.escape, given, values)
            needs += _Stages(stages, values, contexts).of(target)
    except BrokenError as reason:
        needs.append(Need(reason.line, unknown=str(reason)))
    unknown = {Unknown(each.line, each.unknown) for each in (*frontend, *needs) if each.unknown}
    return Sources(
        frontend=next((each.image for each in frontend if each.image), ""),
        bases=tuple(dict.fromkeys(each.image for each in needs if each.image)),
        stages=tuple(each.name for each in stages if each.name),
        unknown=tuple(sorted(unknown)),
    )


def _frontend(syntax: str) -> Iterator[Need]:
    """Yield the image of the frontend, when the Dockerfile names one."""
    name = syntax.split(" ", 1)[0]
    if not name:
        return
    yield _image(name, 1, name)
    if not is_frontend(name):
        yield Need(1, unknown=f"the frontend {name!r} may read the file differently")


def _image(name: str, line: int, written: str) -> Need:
    if is_image(name):
        return Need(line, image=name)
    stands_for = "" if name == written else f" becomes {name!r}, which"
    return Need(line, unknown=f"{written!r}{stands_for} is not the name of an image")


def _stages(file: File) -> tuple[list[Instruction], list[Stage]]:
    """Return the ARG instructions before the first FROM, and the stages. Raises BrokenError."""
    first: list[Instruction] = []
    stages: list[Stage] = []
    for each in file.instructions:
        if each.name == "FROM" and not each.is_trigger:
            stages.append(_stage(each))
        elif stages:
            stages[-1].instructions.append(each)
        elif each.name == "ARG":
            first.append(each)
        else:
            raise BrokenError(each.line, f"{each.name} comes before the first FROM")
    if not stages:
        raise BrokenError(1, "there is no FROM")
    return first, stages


def _stage(each: Instruction) -> Stage:
    base, *more = BLANKS.split(each.rest)
    if base and not more:
        return Stage(each.line, base, "", [])
    if len(more) == 2 and more[0].lower() == "as" and _NAME.fullmatch(more[1].lower()):  # noqa: PLR2004
        return Stage(each.line, base, more[1].lower(), [])
    what = f"FROM {each.rest} is neither `FROM image` nor `FROM image AS name`"
    raise BrokenError(each.line, what)


class _Stages:
    """The stages for one platform, with the values of its arguments."""

    def __init__(
        self, stages: Sequence[Stage], values: Mapping[str, str | None], contexts: Sequence[str]
    ) -> None:
        self._stages = stages
        self._values = values
        self._contexts = {familiar(name) for name in contexts} - _NO_CONTEXTS
        # When two stages have one name, the name means the later one.
        self._names = {stage.name: n for n, stage in enumerate(stages) if stage.name}

    def of(self, target: str) -> Iterator[Need]:
        """Yield what a target takes from outside, in the order of the file."""
        needs: dict[int, list[Need]] = {}
        waiting = [self._target(target)]
        while waiting:
            number = waiting.pop()
            if number not in needs:
                needs[number] = list(self._needs(number))
                waiting += [each.stage for each in needs[number] if each.stage >= 0]
        for number in sorted(needs):
            yield from (each for each in needs[number] if each.stage < 0)

    def _target(self, name: str) -> int:
        if not name:
            return len(self._stages) - 1
        if name.lower() not in self._names:
            raise BrokenError(1, f"there is no stage {name!r}")
        return self._names[name.lower()]

    def _needs(self, number: int) -> Iterator[Need]:
        stage = self._stages[number]
        if stage.name and stage.name in self._contexts:
            return
        base = self._base(number)
        if base:
            yield base
        triggers = self._stages[base.stage].instructions if base and base.stage >= 0 else ()
        done = [each for each in triggers if each.is_trigger]
        done += [each for each in stage.instructions if not each.is_trigger]
        for each in done:
            yield from self._of(each)

    def _base(self, number: int) -> Need | None:
        stage = self._stages[number]
        try:
            name = expand(stage.base, self._values)
        except ValueError as error:
            return Need(stage.line, unknown=f"FROM {stage.base}: {error}")
        earlier = [n for n in range(number) if self._stages[n].name == name]
        if name and earlier:
            return Need(stage.line, stage=earlier[-1])
        return self._external(name, stage.line, stage.base)

    def _of(self, each: Instruction) -> Iterator[Need]:
        """Yield what an instruction takes."""
        flags = [flag.partition("=")[::2] for flag in each.flags]
        if each.name == "ADD":
            checksum = next((value for name, value in flags if name == "--checksum"), "")
            for source in (json_words(each.rest) or BLANKS.split(each.rest))[:-1]:
                if is_fetched(source, checksum):
                    yield Need(each.line, unknown=_FETCHED.format(source))
        for name, value in flags:
            if name == "--from" and value:
                yield from self._named(value, each.line, numbered=True)
            elif name == "--mount":
                for source in _MOUNT_FROM.findall(value):
                    yield from self._named(source, each.line, numbered=False)

    def _named(self, source: str, line: int, *, numbered: bool) -> Iterator[Need]:
        """Yield the source: a stage by its name (for COPY also by number), or else an image."""
        if source.lower() in self._names:
            yield Need(line, stage=self._names[source.lower()])
        elif numbered and source.isdecimal():
            is_there = int(source) < len(self._stages)
            unknown = "" if is_there else f"there is no stage {source}"
            yield Need(line, stage=int(source) if is_there else -1, unknown=unknown)
        elif "$" in source:
            what = (
                f"{source!r}: a variable is not allowed here; add a stage `FROM` it, and name that"
            )
            yield Need(line, unknown=what)
        elif external := self._external(source, line, source):
            yield external

    def _external(self, name: str, line: int, written: str) -> Need | None:
        """Return an image, or None for `scratch` and for a name of a build context."""
        if name == SCRATCH or (name and familiar(name) in self._contexts):
            return None
        return _image(name, line, written)
