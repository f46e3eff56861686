"""The step itself: read, ask, plan, build, push, tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.build_push import causes, plan, report
from ship.build_push.inputs import INPUTS, read_inputs
from ship.build_push.report import Book
from ship.images.docker_config import docker_config
from ship.images.reference import DIGEST
from ship.runner.errors import Interrupted, ShipError, StepFailed
from ship.runner.json_file import read_object
from ship.runner.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.build_push.execution import Ended
    from ship.build_push.inputs import Image, Inputs
    from ship.images.registry import Client
    from ship.runner.context import Context
    from ship.runner.process import Runner
    from ship.runner.workflow_commands import Workflow

__all__ = ["INPUTS", "run"]


def run(env: Mapping[str, str], context: Context, runner: Runner, workflow: Workflow) -> None:
    """Do the step. Raises ShipError."""
    want = read_inputs(env, context)
    for secret in (want.password, *(each.value for each in want.secrets)):
        workflow.mask(secret)
    report.known_outputs(want, workflow, env)
    step = Step(env, context, runner, workflow)
    if want.dry_run:
        _tell(want, step)
        _show(want, step)
    else:
        _Work(want, step).do()


def _tell(want: Inputs, step: Step) -> None:
    for notice in dict.fromkeys(n for image in want.images for n in image.metadata.notices):
        step.workflow.notice(notice)
    for warning in want.warnings:
        step.workflow.warning(warning)
    context = step.context
    if context.is_check and not want.push:
        what = "a merge queue" if context.event_name == "merge_group" else "a pull request"
        fork = " of a fork, which never pushes" if context.is_fork else ""
        step.workflow.notice(f"Nothing is pushed: this run is for {what}{fork}.")


def _show(want: Inputs, step: Step) -> None:
    reasons = plan.needs_builder(want)
    if reasons:
        unless = "unless the engine or the current builder can do it by itself"
        step.workflow.say(f"A builder is made for {', '.join(reasons)}, {unless}.")
    for number, image in enumerate(want.images, 1):
        what = plan.Build(image, image.metadata.tag_names, "metadata.json")
        command = plan.build(want, what, want.builder, step.context.run_url)
        step.workflow.quote(f"{number}. {command.why}\n   $ {command}")


class _Work:
    """The part of the step that has a world around it: an engine, registries, time."""

    def __init__(self, want: Inputs, step: Step) -> None:
        self._want = want
        self._step = step
        self._book = Book(want.images)
        self._registry: Client | None = None

    def do(self) -> None:
        """Do it, and tell what was done, also when it was not all."""
        try:
            self._do()
        except ShipError as error:
            self._report("Not everything was done", is_short=isinstance(error, Interrupted))
            raise
        finally:
            if self._registry:
                self._registry.close()
        self._report("✅ Pushed" if self._want.push else "✅ Built, not pushed")

    def _do(self) -> None:
        from ship.build_push import preflight  # noqa: PLC0415 - a dry run needs none

        want, step = self._want, self._step
        with docker_config(step.env, want.registry, want.username, want.password) as config:
            self._registry = preflight.client(want, config, step)
            if self._registry and want.push and not preflight.may_push(want, self._registry, step):
                self._registry = None
            if self._registry and want.push:
                self._rename(preflight.with_versions(want, self._registry))
            _tell(self._want, step)
            self._build(self._find_unchanged(), config)
            if self._want.push and self._registry:
                # Another run may have pushed a higher version meanwhile.
                self._rename(preflight.with_versions(self._want, self._registry))
                self._publish(self._registry)

    def _rename(self, want: Inputs) -> None:
        """Take over tags that follow from what the registry has."""
        if want == self._want:
            return
        lost = report.overtaken(self._want, want)
        if lost and self._book.has_any:
            listed = ", ".join(lost)
            self._step.workflow.notice(f"A higher version came meanwhile, which keeps {listed}.")
        self._want = want
        self._book.rename(want.images)
        report.known_outputs(want, self._step.workflow, self._step.env)

    def _publish(self, registry: Client) -> None:
        from ship.build_push.publication import Publication  # noqa: PLC0415

        Publication(self._want, self._book, registry, self._step.context).run()

    def _find_unchanged(self) -> dict[str, str]:
        """Note which images need not be built; returns the addresses by which they are found."""
        asked = [image for image in self._want.images if self._want.skips(image)]
        if not asked or not self._registry:
            return {}
        from ship.build_push.unchanged import Search  # noqa: PLC0415 - only where it is asked for

        search = Search(self._want, self._registry, self._step)
        addresses = {}
        for image in asked:
            found = search.look(image)
            if found.address:
                addresses[image.key] = found.address
            if found.digest:
                self._book.set(image.key, digest=found.digest)
                self._step.workflow.say(f"{image.key} is unchanged: {found.digest} is there")
        return addresses

    def _build(self, addresses: Mapping[str, str], config: str) -> None:
        changed = [outcome.image for outcome in self._book if not outcome.digest]
        if not changed:
            return
        from ship.build_push.execution import Execution  # noqa: PLC0415 - an unchanged image needs none

        builds = [
            self._planned(image, addresses.get(image.key, ""), os.path.join(config, f"{n}.json"))
            for n, image in enumerate(changed)
        ]
        execution = Execution(self._want, config, self._step, self._registry)
        # What moves may not move before all of them are known to build.
        rehearse = len(builds) > 1 and self._want.push and any(b.moves for b in builds)
        for ended in execution.run(builds, rehearse=rehearse):
            self._built(ended)

    def _planned(self, image: Image, address: str, metadata_file: str) -> plan.Build:
        """Return how an image is built, and which tags buildx itself sets.

        One that stays where it is, if there is one, comes first, and the others when all images are
        there: a cancelled or failed run never moves one of them and leaves the rest.
        """
        tags = image.metadata.tag_names
        if self._want.push and self._registry:
            tags = (address or image.metadata.shown,)
        # The address has the base images that the registry has, so they must be in the image.
        moves = not address and not image.metadata.is_fixed
        return plan.Build(image, tags, metadata_file, pull=bool(address), moves=moves)

    def _built(self, ended: Ended) -> None:
        what, finished = ended
        key = what.image.key
        steps, cached = causes.counted(finished)
        self._book.set(key, built=True, seconds=finished.seconds, steps=steps, cached=cached)
        if cause := causes.lost_cache(finished):
            self._step.workflow.warning(f"The cache of {key} was not kept: {cause}")
        if self._want.push:
            written = read_object(what.metadata_file)
            config = str(written.get("containerimage.config.digest", ""))
            digest = self._digest_of(what, _digest(written), config)
            # Who finds an address has the same content, whichever of two runs made it.
            ours = "" if what.pull else config
            self._book.set(key, digest=digest, config=ours, pushed=what.references)

    def _digest_of(self, what: plan.Build, told: str, config: str) -> str:
        """Return the digest of what was pushed.

        Where another run on the engine has taken the name meanwhile, buildx tells that of the
        configuration, which no registry knows as an image.
        """
        if told != config or not self._registry:
            return told
        name = what.image.metadata.names[0]
        return self._registry.head(name, what.tags[0]) or told

    def _report(self, title: str, *, is_short: bool = False) -> None:
        """Set the outputs and write the summary; `is_short` asks nobody for anything any more."""
        step = self._step
        report.final_outputs(list(self._book), step.workflow)
        outcomes = report.measured(self._book, None if is_short else self._registry)
        if any(each.digest or each.built for each in outcomes):
            step.workflow.summary(report.summary(self._want, outcomes, step, title))
        for each in outcomes:
            if each.pushed:
                step.workflow.say(f"pushed {each.reference}")


def _digest(written: Mapping[str, object]) -> str:
    digest = str(written.get("containerimage.digest", ""))
    if not DIGEST.fullmatch(digest):
        raise StepFailed.of(
            "the image was pushed, but buildx did not say under which digest",
            hint="update Docker's buildx plugin on the runner to 0.13 or newer",
        )
    return digest
