"""Doing what the plan says: all builds side by side, and then the tags."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ship.build_push.buildx import output
from ship.build_push.buildx.builder import not_made
from ship.build_push.plan import LATEST
from ship.images.push_advice import REFUSED
from ship.images.reference import DIGEST, Reference
from ship.images.registry.refusal import SET_TAG, Refused
from ship.runner import cancel
from ship.runner.errors import Problem, ShipError, StepFailed, UserError
from ship.runner.json_file import read_object
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ship.build_push.buildx.output import RefusedPush
    from ship.build_push.inputs import Inputs
    from ship.build_push.plan import Build, Plan, Tags
    from ship.build_push.report import Outcome, Outcomes
    from ship.images.push_advice import Adviser
    from ship.images.reference import Name
    from ship.images.registry.client import Client, Manifest
    from ship.images.registry.refusal import Refusal
    from ship.runner.command import Command
    from ship.runner.process import Finished
    from ship.runner.step import Step

# Waits before another try of a build that failed because of a registry or the network; BuildKit's
# own cache has what was built by then.
BACK_OFF_SECONDS = (3, 10)
NOT_ALL_TAGS = "Not all tags were set"
# How registries refuse to overwrite a tag.
CONFLICTS = (400, 409, 412)


class _Ended(NamedTuple):
    what: Build
    finished: Finished


class _TagToSet(NamedTuple):
    """A tag that is to be set: the image, the full name, and the manifest."""

    key: str
    reference: Reference
    manifest: Manifest


class Apply:
    """Does the plan. `outcomes` has at any time what was done, so that a failure can report it."""

    def __init__(
        self,
        want: Inputs,
        step: Step,
        registry: Client | None,
        adviser: Adviser,
        outcomes: Outcomes,
    ) -> None:
        self._want = want
        self._step = step
        self._registry = registry
        self._adviser = adviser
        self._outcomes = outcomes

    def build(self, what: Plan, again: Callable[[], Plan | None]) -> None:
        """Make the builder, build all images, and remove the builder. Raises ShipError.

        When all are built and none is pushed, `again` may return another plan for the pushes.
        """
        if not what.builds:
            return
        with self._builder(what) as chosen:
            rehearsals = [(each, each.rehearsal) for each in chosen.builds if each.rehearsal]
            for ended in self._tried(rehearsals):
                self._measure(ended)
            changed = again() if rehearsals else None
            if changed and chosen is not what:
                changed = changed.without_builder
            pushes = [(each, each.command) for each in (changed or chosen).builds]
            for ended in self._tried(pushes):
                self._note(ended)

    @contextmanager
    def _builder(self, what: Plan) -> Iterator[Plan]:
        """Make a builder where the plan says so; give the plan that can then be followed."""
        create, workflow = what.create_builder, self._step.workflow
        if not create:
            yield what
            return
        self._make_room(what.removals)
        workflow.say(f"The action starts a new builder for {', '.join(what.choice.reasons)}.")
        try:
            with workflow.group(create.why), workflow.untrusted():
                made = self._step.runner.run(create, on_stdout=workflow.say, on_stderr=workflow.say)
            if not made.code:
                yield what
                return
            problem = not_made(made, what.choice)
            if not what.without_builder:
                raise problem
            workflow.warning(f"The build continues without the registry cache: {problem}")
            yield what.without_builder
        finally:
            if create.undo:
                with cancel.held_off():
                    self._step.runner.run(create.undo)

    def _make_room(self, removals: Sequence[Command]) -> None:
        """Remove what killed runs have left here, and say so."""
        for each in removals:
            removed = self._step.runner.run(each)
            failed = f" (not done: {output.last_line(removed)})" if removed.code else ""
            self._step.workflow.quote(f"{each.why}{failed}")

    def _tried(self, jobs: Sequence[tuple[Build, Command]]) -> Iterator[_Ended]:
        """Yield each build that succeeded; raise ShipError at the end if any has failed.

        A build that a registry or the network failed is tried again.
        """
        failures: list[_Ended] = []
        waiting = list(jobs)
        for wait in (*BACK_OFF_SECONDS, None):
            ended = self._run_all(waiting)
            yield from (each for each in ended if not each.finished.code)
            failed = [each for each in ended if each.finished.code]
            again = [each for each in failed if wait and output.is_transient(each.finished)]
            failures += [each for each in failed if each not in again]
            if wait is None or not again:
                break
            cause = output.last_line(again[0].finished)
            said = f"trying again in {wait} s, because this may be temporary: {cause}"
            self._step.workflow.quote(said)
            time.sleep(wait)
            keys = [each.what.image.key for each in again]
            waiting = [job for job in jobs if job[0].image.key in keys]
        if failures:
            raise self._failed(failures)

    def _run_all(self, jobs: Sequence[tuple[Build, Command]]) -> list[_Ended]:
        if not jobs:
            return []
        step = self._step
        title = jobs[0][1].why if len(jobs) == 1 else f"build {len(jobs)} images"
        commands = [(command, self._sink(what.image.key)) for what, command in jobs]
        with step.workflow.group(title), step.workflow.untrusted():
            # Each is mostly BuildKit's work, which divides the cores itself.
            finished = step.runner.run_all(commands, at_once=max(2, os.cpu_count() or 2))
        return [_Ended(what, each) for (what, _), each in zip(jobs, finished, strict=True)]

    def _sink(self, key: str) -> Callable[[str], None]:
        """Return where the log of an image goes; of several each line has the name in front."""
        say = self._step.workflow.say
        if len(self._want.images) == 1:
            return say
        width = max(len(image.key) for image in self._want.images)
        return lambda line: say(f"{key:{width}} | {line}") if line else None

    def _note(self, ended: _Ended) -> None:
        what, finished = ended
        key = what.image.key
        self._measure(ended)
        self._outcomes.set(key, built=True)
        if not self._want.push:
            loaded = () if what.unloaded else what.references
            self._outcomes.set(key, loaded=loaded, unloaded=what.unloaded)
        if cause := output.lost_cache(finished):
            self._step.workflow.warning(f"The cache of {key} could not be written: {cause}")
        if self._want.push:
            written = read_object(what.metadata_file)
            config = str(written.get("containerimage.config.digest", ""))
            digest = self._digest_of(what, _digest(written), config)
            # Under a content address the image of another run is as good as ours.
            ours = "" if what.is_shared else config
            self._outcomes.set(key, digest=digest, config=ours, pushed=what.references)

    def _measure(self, ended: _Ended) -> None:
        """Note the time and the steps of a build; what is built before it is pushed, once."""
        key, finished = ended.what.image.key, ended.finished
        before = self._outcomes.get(key)
        steps, cached = output.counted(finished)
        if before.steps:
            steps, cached = before.steps, before.cached
        seconds = before.seconds + finished.seconds
        self._outcomes.set(key, seconds=seconds, steps=steps, cached=cached)

    def _digest_of(self, what: Build, reported: str, config: str) -> str:
        """Return the digest of what was pushed.

        Where another run on the engine took the name meanwhile, buildx reports the digest of the
        configuration, which no registry has as an image.
        """
        if reported != config or not self._registry or not what.references:
            return reported
        first = what.references[0]
        return self._registry.head(first.name, first.tag) or reported

    def _failed(self, failures: Sequence[_Ended]) -> ShipError:
        errors = [self._failure(*failure) for failure in failures]
        if len(self._want.images) == 1:
            return errors[0]
        problems = [
            Problem(what.image.key, *problem[1:])
            for (what, _), error in zip(failures, errors, strict=True)
            for problem in error.problems
        ]
        return StepFailed(*problems, title=errors[0].title, evidence=errors[0].evidence)

    def _failure(self, what: Build, finished: Finished) -> ShipError:
        """Return the cause; of a refused push in the words of the registry, which buildx hides."""
        error = output.failed(finished)
        refused = output.refused_push(finished)
        if not refused:
            return error
        names = what.image.metadata.names
        name = next((each for each in names if each.is_same(refused.name)), names[0])
        refusal = self._refusal(name, refused)
        kind = StepFailed if refusal.is_transient else UserError
        advised = self._adviser.advise(refusal, name)
        return kind(advised, title=REFUSED, evidence=error.evidence)

    def _refusal(self, name: Name, refused: RefusedPush) -> Refusal:
        """Return why a registry refuses: where buildx hides its words, the registry is asked."""
        refusal, registry = refused.refusal, self._registry
        if refusal.message or not registry:
            return refusal
        with contextlib.suppress(ShipError):
            if asked := registry.check_push(name):
                return asked
            is_about_tag = refusal.stage == SET_TAG and refusal.status in CONFLICTS
            if is_about_tag and registry.head(name, refused.tag):
                return refusal._replace(code="TAG_INVALID", message="the tag is there already")
        return refusal


class Publication:
    """Sets the tags, when all images are in the registry."""

    def __init__(self, registry: Client, adviser: Adviser, outcomes: Outcomes) -> None:
        self._registry = registry
        self._adviser = adviser
        self._outcomes = outcomes

    def set_tags(self, tags: Sequence[Tags]) -> None:
        """Set all tags; raises ShipError with those that are missing.

        When the run is cancelled meanwhile, this still sets them all, so that no tag stays behind.
        """
        by_key = {outcome.image.key: outcome for outcome in self._outcomes}
        waiting = [each for of in tags for each in self._checked(of, by_key[of.key])]
        waiting.sort(key=lambda each: each.reference.tag == LATEST)
        with cancel.held_off():
            for number, each in enumerate(waiting):
                reference = each.reference
                try:
                    self._registry.put(reference.name, reference.tag, each.manifest)
                except ShipError as error:
                    raise self._not_all(error, waiting[number:]) from None
                self._outcomes.add_pushed(each.key, reference)

    def _checked(self, of: Tags, outcome: Outcome) -> list[_TagToSet]:
        """Return the tags with the manifest of the image, which has to be there and ours."""
        manifest = self._registry.manifest(of.name, outcome.digest)
        if not manifest:
            raise _gone(Reference(of.name, digest=outcome.digest))
        if not _is_ours(outcome, manifest):
            # No output may name it, also not for a step that runs after a failure.
            self._outcomes.set(of.key, digest="", pushed=())
            raise _taken(of.name)
        return [_TagToSet(of.key, Reference(of.name, tag), manifest) for tag in of.tags]

    def _not_all(self, error: ShipError, missing: Sequence[_TagToSet]) -> ShipError:
        listed = ", ".join(str(each.reference) for each in missing)
        what = f"the image is in the registry; these tags were not set: {listed}"
        missed = Problem("", what, "run the job again", "tags-that-were-not-set")
        if isinstance(error, Refused):
            cause = self._adviser.advise(error.refusal, missing[0].reference.name)
            return StepFailed(cause, missed._replace(hint=""), title=NOT_ALL_TAGS)
        return StepFailed(*error.problems, missed, title=NOT_ALL_TAGS)


def _digest(written: Mapping[str, object]) -> str:
    digest = str(written.get("containerimage.digest", ""))
    if not DIGEST.fullmatch(digest):
        raise StepFailed.of(
            "the image was pushed, but buildx did not report its digest",
            hint="update Docker's buildx plugin on the runner to 0.13 or newer",
            anchor="buildx-is-missing",
        )
    return digest


def _gone(reference: Reference) -> StepFailed:
    return StepFailed.of(
        f"{reference} is not in the registry any more",
        hint="a clean-up may have removed it: run the job again",
        anchor="an-image-that-has-gone",
    )


def _is_ours(outcome: Outcome, manifest: Manifest) -> bool:
    """Say whether it is what was built: Docker's builder pushes what the engine has by a name."""
    config = manifest.read().get("config")
    found = config.get("digest") if isinstance(config, dict) else None
    return not outcome.config or not found or outcome.config == found


def _taken(name: Name) -> StepFailed:
    return StepFailed.of(
        f"another run on this engine has used the name {name} for its own image",
        hint="run the job again; with a tag that never moves, such as `type=sha`, the runs do not "
        "collide",
        anchor="another-run-has-used-the-name",
    )
