"""A step that is no dry run: facts, plan, apply, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push import ask, report
from ship.build_push.apply import Apply, Publication
from ship.build_push.newer import newer, without
from ship.build_push.plan import plan, tags_to_set
from ship.build_push.report import Outcomes
from ship.images.docker_config import docker_config, own_config
from ship.images.login import added
from ship.images.push_advice import REFUSED, Adviser
from ship.images.registry.refusal import Refused
from ship.runner.errors import Interrupted, ShipError, StepFailed

if TYPE_CHECKING:
    from ship.build_push.facts import Facts
    from ship.build_push.inputs import Inputs
    from ship.build_push.plan import Plan
    from ship.images.registry.client import Client
    from ship.runner.step import Step


class Work:
    """A step that is no dry run."""

    def __init__(self, want: Inputs, step: Step) -> None:
        self._want = want
        self._step = step
        self._outcomes = Outcomes(want.images)
        self._registry: Client | None = None
        self._adviser = Adviser({}, "", step.context)

    def do(self) -> None:
        """Do it, and report what was done, also after a failure."""
        try:
            self._advised()
        except ShipError as error:
            # A cancelled run has no time to ask the registry for sizes.
            done = self._report(asks=not isinstance(error, Interrupted))
            # Behind the cause and the next act, which a person reads first.
            error.details = f"**What was done before**\n\n{done}" if done else ""
            raise
        else:
            done = self._report(asks=True)
            title = report.title(self._want, self._outcomes)
            self._step.workflow.summary(f"### {title}\n\n{done}")
        finally:
            if self._registry:
                self._registry.close()

    def _advised(self) -> None:
        try:
            self._do()
        except Refused as error:
            advised = self._adviser.advise(error.refusal, error.name)
            raise StepFailed(advised, title=REFUSED) from None

    def _report(self, *, asks: bool) -> str:
        registry = self._registry if asks else None
        return report.write(self._want, self._outcomes, registry, self._step)

    def _do(self) -> None:
        want, step = self._want, self._step
        config = own_config(step.env)
        logins = ask.logins(want, config, step)
        self._adviser = Adviser(logins, want.offers.registry, step.context)
        with docker_config(step.env, config, added(logins)) as folder:
            self._registry = registry = ask.client(want, logins, config, step)
            if registry and want.push and not ask.may_push(want, registry, self._adviser, step):
                self._registry = registry = None
            if registry and want.push:
                self._ask_versions(registry)
            report.notices(self._want, step)
            self._apply(registry, folder)

    def _apply(self, registry: Client | None, folder: str) -> None:
        known = ask.facts(self._want, registry, folder, self._step)
        report.kept(known, self._outcomes, self._step)
        what = plan(self._want, known)
        apply = Apply(self._want, self._step, registry, self._adviser, self._outcomes)
        apply.build(what, lambda: self._replanned(registry, known))
        if what.merges and registry:
            from ship.build_push.merging import Merging  # noqa: PLC0415 - seldom asked for

            Merging(registry, self._outcomes).push(what.merges)
        if self._want.push and registry:
            # Another run may have pushed a higher version meanwhile, or a newer commit.
            self._ask_versions(registry)
            self._leave_newer(registry)
            tags = tags_to_set(self._want, known, self._outcomes.pushed)
            Publication(registry, self._adviser, self._outcomes).set_tags(tags)

    def _replanned(self, registry: Client | None, known: Facts) -> Plan | None:
        """Return a plan without the tags that a newer commit has; None when all tags move."""
        if registry and self._leave_newer(registry):
            return plan(self._want, known)
        return None

    def _leave_newer(self, registry: Client) -> bool:
        """Leave tags where they are that a newer commit has; return whether there are any."""
        kept = newer(self._want, registry, self._outcomes.pushed)
        if kept:
            self._outcomes.keep(kept)
            report.kept_tags(kept, self._step)
            self._rename(without(self._want, kept))
        return bool(kept)

    def _ask_versions(self, registry: Client) -> None:
        """Let the tags follow from the versions that the registry has now."""
        want = ask.with_versions(self._want, registry)
        if want == self._want:
            return
        report.overtaken(self._want, want, self._outcomes, self._step)
        self._rename(want)

    def _rename(self, want: Inputs) -> None:
        self._want = want
        self._outcomes.rename(want.images)
        report.known_outputs(want, self._step)
