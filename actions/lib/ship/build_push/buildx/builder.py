"""Which builder is used: the current one, or a new one where that cannot do what is wanted."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.errors import Problem, StepFailed, UserError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.build_push.inputs import Inputs
    from ship.runner.process import Finished, Runner
    from ship.runner.step import Step

CACHE = "the registry cache"
# Docker's own builder pushes names with tags only, whichever image store the engine has.
WITHOUT_TAG = "a push without a tag"
NO_BUILDER = "There is no builder"
# Drivers of buildx. The first is the engine's own builder, whose images the engine has at once.
DOCKER, CONTAINER, REMOTE = "docker", "docker-container", "remote"
CONTAINERD = "io.containerd.snapshotter.v1"


class Choice(NamedTuple):
    """Which builder is used: by its `name`, or a new one for `reasons`, or else the current one.

    Where the engine was not asked, `is_sure` is False: then the current one may do as well. The
    `driver` is that of buildx, and empty where it is not known.
    """

    name: str = ""
    reasons: tuple[str, ...] = ()
    endpoint: str = ""
    is_sure: bool = True
    driver: str = DOCKER

    @property
    def is_optional(self) -> bool:
        """Whether a new builder makes builds faster, and they can do without."""
        return self.reasons == (CACHE,)


def _reasons(want: Inputs) -> tuple[str, ...]:
    """Return in words what is wanted that Docker's classic image store cannot do."""
    exports = [line for line in want.cache_to if not line.startswith("type=inline")]
    wanted = (
        (CACHE, want.cache_auto and want.push),
        ("writing a cache", bool(exports)),
        ("several platforms", any(len(image.platforms) > 1 for image in want.images)),
        ("provenance", want.provenance != "false"),
        ("an SBOM", bool(want.sbom)),
        ("annotations", want.annotations_asked),
        (WITHOUT_TAG, want.by_digest and want.push),
    )
    return tuple(name for name, is_wanted in wanted if is_wanted)


def choose_unasked(want: Inputs) -> Choice:
    """Return the builder that follows from the inputs alone; what is merged needs none."""
    if want.parts:
        return Choice()
    if "://" in want.builder:
        return Choice(reasons=("the input `builder`",), endpoint=want.builder, driver=REMOTE)
    if want.builder:
        return Choice(name=want.builder, driver="")
    reasons = _reasons(want)
    return Choice(reasons=reasons, is_sure=not reasons, driver=CONTAINER if reasons else DOCKER)


def choose(want: Inputs, config: str, step: Step) -> Choice:
    """Return which builder is used; buildx and the engine are asked only where that decides."""
    choice = choose_unasked(want)
    if choice.is_sure and (want.push or choice.endpoint):
        return choice
    driver = _driver(choice.name, config, step)
    if choice.is_sure:  # For what is not pushed it decides whether the engine has it.
        return choice._replace(driver=driver)
    if driver != DOCKER or (not want.by_digest and _is_containerd(config, step)):
        return Choice(driver=driver)
    return choice._replace(is_sure=True)


def has_engine(config: str, runner: Runner) -> bool:
    """Say whether the runner has an engine that an image can be loaded into."""
    command = ("docker", "version", "--format", "{{.Server.Version}}")
    asked = Command(command, why="see whether there is an engine", env={"DOCKER_CONFIG": config})
    return not runner.run(asked).code


def _driver(name: str, config: str, step: Step) -> str:
    """Return the driver of a builder, or of the current one without a name."""
    # Without any of them it is the engine's own, and the answer of buildx would cost 100 ms.
    env = step.env
    chosen = os.path.join(env.get("BUILDX_CONFIG") or os.path.join(config, "buildx"), "current")
    if not name and not env.get("BUILDX_BUILDER") and not os.path.exists(chosen):
        return DOCKER
    answer = _ask(step.runner, config, "docker", "buildx", "inspect", *([name] if name else []))
    found = re.search(r"^Driver:\s*(\S+)", answer.stdout, re.MULTILINE)
    return found[1] if found else DOCKER


def _is_containerd(config: str, step: Step) -> bool:
    """Say whether the engine has the image store that can do all that BuildKit can."""
    answer = _ask(step.runner, config, "docker", "info", "--format", "{{json .DriverStatus}}")
    return CONTAINERD in answer.stdout


def _ask(runner: Runner, config: str, *argv: str) -> Finished:
    command = Command(argv, why="see what the engine can do", env={"DOCKER_CONFIG": config})
    answer = runner.run(command)
    if answer.code:
        from ship.build_push.buildx import output  # noqa: PLC0415 - only for failures

        raise output.failed(answer, "the Docker engine did not say which features it has")
    return answer


def not_made(made: Finished, choice: Choice) -> StepFailed | UserError:
    """Return the error for a new builder that did not start."""
    from ship.build_push.buildx import output  # noqa: PLC0415 - only for failures

    if output.is_about_engine(made):
        [problem] = output.failed(made).problems
        what = f"{problem.what}. A builder is needed for {', '.join(choice.reasons)}"
        return StepFailed(problem._replace(what=what), title=NO_BUILDER)
    if choice.endpoint:
        return UserError.of(
            f"there is no BuildKit at {choice.endpoint!r}: {output.last_error(made)}",
            where="input `builder`",
            hint="check the address, and that this runner reaches it",
            anchor="no-buildkit-at-the-address",
        )
    problem = Problem(
        "",
        f"no builder could be started for {', '.join(choice.reasons)}: {output.last_error(made)}",
        hint="if Docker Hub refuses more pulls, name a mirror of moby/buildkit in `builder-image`; "
        "or run docker/setup-buildx-action in a step before, whose builder is then used",
        anchor="no-builder-could-be-started",
    )
    return StepFailed(problem, title=NO_BUILDER)
