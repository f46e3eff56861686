"""The builder: Docker's own where it suffices, one of our own for the time of the step else."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ship.build_push import causes
from ship.build_push.plan import create_builder, needs_builder, only_cache, remove_builder
from ship.runner import cancel
from ship.runner.command import Command
from ship.runner.errors import StepFailed, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.build_push.inputs import Inputs
    from ship.runner.process import Finished, Runner
    from ship.runner.step import Step

CONTAINERD = "io.containerd.snapshotter.v1"


class Choice(NamedTuple):
    """Which builder to use. `name` empty is the current one; `make` has why one must be made."""

    name: str = ""
    make: tuple[str, ...] = ()
    endpoint: str = ""


class Builder(NamedTuple):
    """A builder that can be used: its name (empty is the current one), and what it grants.

    `env` is for every command that uses it.
    """

    name: str
    env: Mapping[str, str]
    want: Inputs


def choose(want: Inputs, config: str, step: Step) -> Choice:
    """Ask buildx and the engine only when something is wanted that they may not be able to do."""
    if "://" in want.builder:
        return Choice(make=("the input `builder`",), endpoint=want.builder)
    if want.builder:
        return Choice(name=want.builder)
    reasons = needs_builder(want)
    if not reasons or _driver(config, step) != "docker" or _is_containerd(config, step):
        return Choice()
    return Choice(make=reasons)


def _driver(config: str, step: Step) -> str:
    """Return the driver of the builder that buildx would use by itself."""
    # Without either it is that of the engine, which saves a question of 100 ms.
    env = step.env
    chosen = os.path.join(env.get("BUILDX_CONFIG") or os.path.join(config, "buildx"), "current")
    if not env.get("BUILDX_BUILDER") and not os.path.exists(chosen):
        return "docker"
    told = _ask(step.runner, config, "docker", "buildx", "inspect")
    found = re.search(r"^Driver:\s*(\S+)", told.stdout, re.MULTILINE)
    return found[1] if found else "docker"


def _is_containerd(config: str, step: Step) -> bool:
    """Say whether the engine has the image store that can do all that BuildKit can."""
    told = _ask(step.runner, config, "docker", "info", "--format", "{{json .DriverStatus}}")
    return CONTAINERD in told.stdout


def _ask(runner: Runner, config: str, *argv: str) -> Finished:
    command = Command(argv, why="see what the engine can do", env={"DOCKER_CONFIG": config})
    told = runner.run(command)
    if told.code:
        raise causes.failed(told, "the engine could not be asked what it can do")
    return told


@contextmanager
def builder(want: Inputs, config: str, step: Step) -> Iterator[Builder]:
    """Give a builder and what can be asked of it; one of our own is gone afterwards.

    When only the cache needed one and it cannot be had, the build goes on without the cache.
    """
    runner, workflow = step.runner, step.workflow
    choice = choose(want, config, step)
    docker = {"DOCKER_CONFIG": config}
    if not choice.make:
        yield Builder(choice.name, docker, want)
        return
    name = f"ship-{os.urandom(6).hex()}"
    # In a folder of ours, so that nothing stays in that of the user, whatever happens.
    own = {**docker, "BUILDX_CONFIG": os.path.join(config, "own-buildx")}
    create = create_builder(name, choice.endpoint, want.builder_image)
    workflow.say(f"A builder of its own is made for {', '.join(choice.make)}.")
    try:
        with workflow.group(create.why), workflow.untrusted():
            made = runner.run(
                create._replace(env=own), on_stdout=workflow.say, on_stderr=workflow.say
            )
        if not made.code:
            yield Builder(name, own, want)
            return
        problem = _not_made(made, choice)
        if not only_cache(choice.make):
            raise problem
        workflow.warning(f"The build goes on without its cache: {problem}")
        yield Builder("", docker, want._replace(cache_auto=False))
    finally:
        with cancel.held_off():
            runner.run(remove_builder(name)._replace(env=own))


def _not_made(made: Finished, choice: Choice) -> StepFailed | UserError:
    if causes.is_without_engine(made):
        return causes.failed(made)
    if choice.endpoint:
        return UserError.of(
            f"there is no BuildKit at {choice.endpoint!r}: {causes.last_line(made)}",
            where="input `builder`",
            hint="check the address, and that this runner reaches it",
        )
    return StepFailed.of(
        f"no builder could be started: {causes.last_line(made)}",
        hint="if Docker Hub refuses more pulls, name a mirror of moby/buildkit in `builder-image`; "
        "or run docker/setup-buildx-action in a step before, whose builder is then used",
    )
