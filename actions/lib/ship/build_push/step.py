"""The order of a step: inputs, facts, plan, apply, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push import facts, report
from ship.build_push.inputs import INPUTS, read_inputs
from ship.build_push.plan import plan, tags_to_set
from ship.build_push.report import Outcomes
from ship.images.docker_config import docker_config
from ship.runner.errors import Interrupted, ShipError

if TYPE_CHECKING:
    from ship.build_push.inputs import Inputs
    from ship.images.registry.client import Client
    from ship.runner.step import Step

__all__ = ["INPUTS", "run"]


def run(step: Step) -> None:
    """Do the step. Raises ShipError."""
    want = read_inputs(step.env, step.context)
    for secret in (want.password, *(each.value for each in want.secrets)):
        step.workflow.mask(secret)
    report.known_outputs(want, step)
    if want.dry_run:
        report.notices(want, step)
        report.show(plan(want, facts.unasked(want)), want, step)
    else:
        _Work(want, step).do()


class _Work:
    """A step that is no dry run."""

    def __init__(self, want: Inputs, step: Step) -> None:
        self._want = want
        self._step = step
        self._outcomes = Outcomes(want.images)
        self._registry: Client | None = None

    def do(self) -> None:
        """Do it, and report what was done, also after a failure."""
        try:
            self._do()
        except ShipError as error:
            # A cancelled run has no time to ask the registry for sizes.
            self._report("Not everything was done", asks=not isinstance(error, Interrupted))
            raise
        finally:
            if self._registry:
                self._registry.close()
        self._report("✅ Pushed" if self._want.push else "✅ Built, not pushed", asks=True)

    def _report(self, title: str, *, asks: bool) -> None:
        registry = self._registry if asks else None
        report.write(self._want, self._outcomes, registry, self._step, title)

    def _do(self) -> None:
        want, step = self._want, self._step
        with docker_config(step.env, want.registry, want.username, want.password) as folder:
            self._registry = registry = facts.client(want, folder, step)
            if registry and want.push and not facts.may_push(want, registry, step):
                self._registry = registry = None
            if registry and want.push:
                self._ask_versions(registry)
            report.notices(self._want, step)
            self._apply(registry, folder)

    def _apply(self, registry: Client | None, folder: str) -> None:
        from ship.build_push.apply import Apply, Publication  # noqa: PLC0415 - 1 ms of a dry run

        known = facts.ask(self._want, registry, folder, self._step)
        report.kept(known, self._outcomes, self._step)
        Apply(self._want, self._step, registry, self._outcomes).build(plan(self._want, known))
        if self._want.push and registry:
            # Another run may have pushed a higher version meanwhile.
            self._ask_versions(registry)
            tags = tags_to_set(self._want, self._outcomes.pushed)
            Publication(self._want, self._step, registry, self._outcomes).set_tags(tags)

    def _ask_versions(self, registry: Client) -> None:
        """Let the tags follow from the versions that the registry has now."""
        want = facts.with_versions(self._want, registry)
        if want == self._want:
            return
        report.overtaken(self._want, want, self._outcomes, self._step)
        self._want = want
        self._outcomes.rename(want.images)
        report.known_outputs(want, self._step)
