"""Building: all images side by side, further tries where a fault may pass, causes where not."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ship.build_push import causes, plan
from ship.build_push.builder import builder
from ship.runner.errors import Problem, ShipError, StepFailed, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ship.build_push.builder import Builder
    from ship.build_push.inputs import Inputs
    from ship.build_push.plan import Build
    from ship.images.reference import Name
    from ship.images.registry import Client, Refusal
    from ship.runner.process import Finished
    from ship.runner.step import Step

# Waits before another try of a build that a registry or the network spoilt; what was built by then
# is in BuildKit's own cache.
BACK_OFF_SECONDS = (3, 10)
HTTP_FORBIDDEN = 403


class Ended(NamedTuple):
    """A build that came to an end."""

    what: Build
    finished: Finished


class Execution:
    """Runs the builds of a step."""

    def __init__(self, want: Inputs, config: str, step: Step, registry: Client | None) -> None:
        self._want = want
        self._config = config
        self._step = step
        self._registry = registry

    def run(self, builds: Sequence[Build], *, rehearse: bool = False) -> Iterator[Ended]:
        """Yield each build that succeeded; raises ShipError at the end if any has failed.

        To `rehearse` is to build all of them before the first is pushed, with what was built kept
        by the builder.
        """
        with builder(self._want, self._config, self._step) as chosen:
            if rehearse:
                unpushed = chosen._replace(want=chosen.want._replace(push=False))
                for _ in self._all(unpushed, [each._replace(tags=()) for each in builds]):
                    pass
            yield from self._all(chosen, builds)

    def _all(self, chosen: Builder, builds: Sequence[Build]) -> Iterator[Ended]:
        failures: list[Ended] = []
        waiting = list(builds)
        for wait in (*BACK_OFF_SECONDS, None):
            ended = self._round(chosen, waiting)
            yield from (each for each in ended if not each.finished.code)
            failed = [each for each in ended if each.finished.code]
            again = [each for each in failed if wait and causes.is_transient(each.finished)]
            failures += [each for each in failed if each not in again]
            if wait is None or not again:
                break
            said = causes.last_line(again[0].finished)
            self._step.workflow.quote(f"trying again in {wait} s, for this may pass: {said}")
            time.sleep(wait)
            waiting = [each.what for each in again]
        if failures:
            raise self._failed(failures)

    def _round(self, chosen: Builder, builds: Sequence[Build]) -> list[Ended]:
        step = self._step
        jobs = []
        for what in builds:
            command = plan.build(chosen.want, what, chosen.name, step.context.run_url)
            command = command._replace(env={**command.env, **chosen.env})
            jobs.append((command, self._sink(what.image.key)))
        title = jobs[0][0].why if len(jobs) == 1 else f"build {len(jobs)} images"
        with step.workflow.group(title), step.workflow.untrusted():
            # Each is mostly BuildKit's work, which shares the cores out by itself.
            finished = step.runner.run_all(jobs, at_once=max(2, os.cpu_count() or 2))
        return [Ended(*pair) for pair in zip(builds, finished, strict=True)]

    def _sink(self, key: str) -> Callable[[str], None]:
        """Return where the log of an image goes; of several each line has the name in front."""
        say = self._step.workflow.say
        if len(self._want.images) == 1:
            return say
        width = max(len(image.key) for image in self._want.images)
        return lambda line: say(f"{key:{width}} | {line}") if line else None

    def _failed(self, failures: Sequence[Ended]) -> ShipError:
        errors = [self._failure(*failure) for failure in failures]
        if len(self._want.images) == 1:
            return errors[0]
        problems = [
            Problem(what.image.key, *problem[1:])
            for (what, _), error in zip(failures, errors, strict=True)
            for problem in error.problems
        ]
        return StepFailed(*problems, evidence=errors[0].evidence)

    def _failure(self, what: Build, finished: Finished) -> ShipError:
        """Return the cause; of a refused push in the words of the registry, which buildx hides."""
        error = causes.failed(finished)
        if not causes.is_refused_push(finished):
            return error
        from ship.images.push_advice import advice  # noqa: PLC0415

        name, refusal = self._refusal(what, causes.refusal_words(finished))
        problem = advice(refusal, name, self._want.login, self._step.context)
        return UserError(problem, evidence=error.evidence)

    def _refusal(self, what: Build, words: str) -> tuple[Name, Refusal]:
        """Return which name a registry refuses and why: if it says so, when it is asked."""
        from ship.images.registry import Refusal  # noqa: PLC0415

        names = what.image.metadata.names
        registry = self._registry
        for name in names if registry else ():
            with contextlib.suppress(ShipError):
                if registry and (refusal := registry.check_push(name)):
                    return name, refusal
        return names[0], Refusal("push", HTTP_FORBIDDEN, words)
