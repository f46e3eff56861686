"""Builders of ours that a killed run has left on a self-hosted runner, with their volumes.

A step removes its builder itself, also when it fails or is cancelled. Only a `kill -9` or a loss
of power leaves one: a container, and a volume with the cache, which may be large.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ship.runner.process import Runner

# Twice as long as a job may last by default: https://docs.github.com/actions/reference/limits
OLD = timedelta(hours=12)
# How buildx names the container and the volume of a builder: ours is `ship-` and random digits.
_PREFIX = "buildx_buildkit_ship-"
_CONTAINER = re.compile(rf"{_PREFIX}[0-9a-f]{{12}}0")
_VOLUME = re.compile(rf"({_CONTAINER.pattern})_state")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


class Leftover(NamedTuple):
    """A container or a volume of a builder whose run has ended."""

    name: str
    is_volume: bool = False

    def removal(self, config: str) -> Command:
        """Return the command that removes it."""
        kind = ("volume", "rm") if self.is_volume else ("container", "rm", "--force")
        what = "the volume" if self.is_volume else "the container"
        why = f"remove {what} {self.name}, which a killed run has left here"
        return Command(("docker", *kind, self.name), why=why, env={"DOCKER_CONFIG": config})


def find(config: str, runner: Runner) -> tuple[Leftover, ...]:
    """Return what is left of builders of ours, in the order in which it can be removed.

    Another job may use a builder, so only those count that are old and that no client is connected
    to. All times are those of the engine.
    """
    return _Search(config, runner).found()


class _Search:
    def __init__(self, config: str, runner: Runner) -> None:
        self._config = config
        self._runner = runner

    def found(self) -> tuple[Leftover, ...]:
        only = ("--filter", f"name={_PREFIX}", "--format")
        containers = self._lines("ps", "--all", *only, "{{.Names}}")
        containers = [name for name in containers if _CONTAINER.fullmatch(name)]
        volumes = [each for each in self._lines("volume", "ls", *only, "{{.Name}}")
                   if _VOLUME.fullmatch(each)]  # fmt: skip
        if not containers and not volumes:
            return ()
        now = _time(" ".join(self._lines("info", "--format", "{{.SystemTime}}")))
        if not now:
            return ()
        return tuple(self._left(containers, volumes, now - OLD))

    def _left(
        self, containers: Collection[str], volumes: Collection[str], before: datetime
    ) -> Iterator[Leftover]:
        idle = set(self._idle(containers, before)) if containers else set()
        old = set(self._old(volumes, before)) if volumes else set()
        yield from (Leftover(name) for name in containers if name in idle)
        for name in volumes:
            container = name.removesuffix("_state")
            if container in idle or (container not in containers and name in old):
                yield Leftover(name, is_volume=True)

    def _idle(self, containers: Collection[str], before: datetime) -> Iterator[str]:
        """Yield the containers that are old, and that no client is connected to.

        A client of buildx speaks to BuildKit through a process that it starts in the container.
        """
        form = "{{.Name}} {{.Created}} {{json .ExecIDs}}"
        for line in self._lines("container", "inspect", "--format", form, *containers):
            name, _, rest = line.lstrip("/").partition(" ")
            created, _, clients = rest.partition(" ")
            if _is_before(created, before) and clients in ("null", "[]"):
                yield name

    def _old(self, volumes: Collection[str], before: datetime) -> Iterator[str]:
        form = "{{.Name}} {{.CreatedAt}}"
        for line in self._lines("volume", "inspect", "--format", form, *volumes):
            name, _, created = line.partition(" ")
            if _is_before(created, before):
                yield name

    def _lines(self, *argv: str) -> list[str]:
        """Return what Docker prints; what has gone meanwhile is not in it."""
        command = Command(
            ("docker", *argv),
            why="look for what killed runs have left",
            env={"DOCKER_CONFIG": self._config},
        )
        return [line for line in self._runner.run(command).stdout.splitlines() if line.strip()]


def _is_before(text: str, before: datetime) -> bool:
    """Say whether a time is known and before another one."""
    time = _time(text)
    return time is not None and time < before


def _time(text: str) -> datetime | None:
    match = _TIME.search(text)
    # Python 3.10 knows no Z, and no fraction of nine digits.
    return datetime.fromisoformat(match[1] + match[2].replace("Z", "+00:00")) if match else None
