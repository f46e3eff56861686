"""The work of the step: facts, plan, apply, watch, and back when it fails."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from ship.kube.client import Client, Refused, Unanswered
from ship.kube.judge import Limits
from ship.kube.kubeconfig import folder_for, open_access, options_of, placed
from ship.kube.proxy import proxy
from ship.kube.refusal import problem_of
from ship.kube.templates import all_containers
from ship.kubectl_set_image import manifests
from ship.kubectl_set_image.apply import Applied, Apply, Cluster
from ship.kubectl_set_image.back import Back
from ship.kubectl_set_image.facts import Asker
from ship.kubectl_set_image.plan import plan
from ship.kubectl_set_image.report import Report
from ship.kubectl_set_image.results import BACK, EXIT_CODES, NEW, OTHER_IMAGE, Result
from ship.kubectl_set_image.rollback import rollback_plan
from ship.kubectl_set_image.watch import Rollout, Watch
from ship.runner import cancel
from ship.runner.errors import Interrupted, ShipError, StepFailed, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ship.kube.kubeconfig import Access
    from ship.kubectl_set_image.facts import Facts
    from ship.kubectl_set_image.inputs import Inputs
    from ship.kubectl_set_image.plan import Change, Plan
    from ship.runner.step import Step

DEFAULT_PROGRESS_SECONDS = 600
# GitHub kills us 10 s after its first signal: nothing is tried for longer than this then.
CANCELLED_SECONDS = 6.0


class Work:
    """A step whose inputs are right."""

    def __init__(self, inputs: Inputs, step: Step) -> None:
        self._inputs = inputs
        self._step = step
        self._tell: Callable[[str], None] = step.workflow.say

    def do(self) -> None:
        """Do it, and report it. Raises ShipError."""
        runner, env = self._step.runner, self._step.env
        with folder_for(env.get("RUNNER_TEMP", "")) as folder:
            context = self._inputs.context
            path = placed(self._inputs.kubeconfig, folder)
            # It starts while kubectl reads the kubeconfig. Nothing is sent to the cluster, and
            # nothing that the proxy says is told, before that has been found right.
            with proxy(runner, folder, options_of(path, context)) as when_it_serves:
                access = open_access(path, context, runner, env)
                for secret in access.secrets:
                    self._step.workflow.mask(secret)
                with self._step.workflow.untrusted():
                    client = Client(when_it_serves())
                    try:
                        self._with(client, access)
                    finally:
                        client.close()

    def _with(self, client: Client, access: Access) -> None:
        namespace = self._inputs.namespace or access.namespace
        self._tell(f"cluster {access.server}, namespace {namespace}")
        cluster = Cluster(
            client, self._step.runner, access.options, access.server, namespace, self._tell
        )
        try:
            what, apply = self._prepare(cluster)
        except (Refused, Unanswered) as error:
            raise UserError(problem_of(error, access.server)) from None
        report = Report(what, self._step, is_verified=access.is_verified)
        pull = self._inputs.pull_secret
        if pull and pull.is_short_lived:
            report.warn_of(pull.name)
        if self._inputs.dry_run:
            report.dry_run()
            return
        report.notes()
        _Deploy(self._inputs, cluster, apply, report).do()

    def _prepare(self, cluster: Cluster) -> tuple[Plan, Apply]:
        """Return what is known and what will be done, which the server has accepted by then."""
        inputs, step = self._inputs, self._step
        objects = (
            manifests.load(inputs.manifests, cluster.namespace, cluster.options, cluster.runner)
            if inputs.manifests
            else ()
        )
        facts = Asker(cluster.client, inputs, cluster.namespace).facts(objects)
        self._refuse_paused(facts)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        planned = rollback_plan if inputs.rollback else plan
        what = planned(inputs, facts, step.context, now)
        apply = Apply(what, inputs, cluster)
        apply.rehearse()
        return what, apply

    def _refuse_paused(self, facts: Facts) -> None:
        paused = [
            str(each.target)
            for each in facts.found
            if each.before and (each.before.workload.get("spec") or {}).get("paused")
        ]
        if paused:
            self._step.workflow.output("status", "paused")
            error = StepFailed.of(
                f"{', '.join(paused)} is paused, so that no new image is rolled out; "
                "nothing was changed",
                hint=f"resume it with `kubectl rollout resume {paused[0]}`, and run this again",
                anchor="a-workload-that-is-paused",
            )
            error.exit_code = EXIT_CODES["paused"]
            raise error


class _Deploy:
    """The part that changes the cluster."""

    def __init__(
        self,
        inputs: Inputs,
        cluster: Cluster,
        apply: Apply,
        report: Report,
    ) -> None:
        self._inputs = inputs
        self._cluster = cluster
        self._apply = apply
        self._report = report
        self._tell = cluster.tell
        self._watch = Watch(cluster.client, cluster.namespace, cluster.tell)
        self._rollouts: dict[str, Rollout] = {}
        self._rollbacks: dict[str, Rollout] = {}
        self._are_put_back: set[str] = set()
        self._images_back: dict[str, Mapping[str, str]] = {}

    def do(self) -> None:
        """Do it. Raises ShipError with what became of it."""
        try:
            self._change()
            self._watch_all()
        except Interrupted as error:
            with cancel.held_off():
                raise self._cancelled(error) from None
        if any(
            each.outcome and each.outcome.status == "failed" for each in self._rollouts.values()
        ):
            self._fail()
        self._apply.note_commits()
        self._apply.forget_left(self._healthy())
        allows = self._inputs.allows_no_pods
        self._report.finish(self._results({}), allows_no_pods=allows)

    def _healthy(self) -> set[str]:
        rollouts = self._rollouts.items()
        return {name for name, each in rollouts if each.outcome and each.outcome.is_good}

    def _change(self) -> None:
        """Change all workloads, or none."""
        try:
            self._apply.run()
        except (Refused, Unanswered, ShipError) as error:
            if isinstance(error, Interrupted):
                raise
            self._apply.settle()
            back = self._put_back(self._apply.applied)
            problems = (
                error.problems
                if isinstance(error, ShipError)
                else (problem_of(error, self._cluster.server),)
            )
            raise self._report.not_applied(problems, back) from None

    def _watch_all(self) -> None:
        inputs = self._inputs
        applied = {str(each.change.target): each for each in self._apply.applied}
        for change in self._apply.plan.changes:
            kind, name = change.target.kind, str(change.target)
            is_well = change.found.is_healthy and not change.found.has_restarted
            if not kind.has_rollout or (name not in applied and is_well):
                continue
            self._rollouts[name] = self._watch.rollout(
                kind,
                change.target.name,
                applied[name].images if name in applied else change.images,
                self._limits(change),
                baseline=change.found.before,
                # The version that is left may be a bad one.
                heals=change.is_rollback,
            )
        self._watch.run(
            list(self._rollouts.values()), inputs.limits.total, stops_at_failure=inputs.rolls_back
        )

    def _changed(self) -> set[str]:
        return {str(each.change.target) for each in self._apply.applied}

    def _limits(self, change: Change) -> Limits:
        limits = self._inputs.limits
        found = change.found
        given = found.manifest.object if found.manifest else found.workload
        own = (given.get("spec") or {}).get("progressDeadlineSeconds")
        progress = limits.progress or own or DEFAULT_PROGRESS_SECONDS
        return Limits(float(progress), float(limits.stability), limits.restarts)

    def _fail(self) -> None:
        """Go back, where that is wanted and possible, and raise the error."""
        back: Mapping[str, str] = {}
        if self._inputs.rolls_back:
            try:
                back = self._roll_back()
            except Interrupted:
                back = self._go_back_at_once()
        raise self._report.failed(self._results(back))

    def _go_back_at_once(self) -> dict[str, str]:
        """Put back what is not yet, after a cancel, and do not watch it."""
        with cancel.held_off():
            self._cluster.client.hurry(CANCELLED_SECONDS)
            back = self._put_back(self._apply.applied)
        said = "the run was cancelled"
        return {name: said if why == BACK else why for name, why in back.items()}

    def _roll_back(self) -> dict[str, str]:
        """Put all back and watch it; return BACK for each, or why it is not."""
        self._tell("rolling back to what ran before")
        # The server may have been lost, and be back soon.
        end = self._watch.clock() + self._inputs.limits.rollback
        back = self._put_back(self._apply.applied, end)
        rollouts = self._rollbacks
        for applied in self._apply.applied:
            target, found = applied.change.target, applied.change.found
            if back.get(str(target)) != BACK or not target.kind.has_rollout:
                continue
            images = self._images_back[str(target)]
            ours = {name: images[name] for name in applied.change.images if name in images}
            seconds = float(self._inputs.limits.rollback)
            limits = Limits(seconds, 0.0, self._inputs.limits.restarts)
            rollouts[str(target)] = self._watch.rollout(
                target.kind, target.name, ours, limits, baseline=found.before, heals=True
            )
        left = max(0.0, end - self._watch.clock())
        self._watch.run(list(rollouts.values()), left, stops_at_failure=False)
        for name, rollout in rollouts.items():
            outcome = rollout.outcome
            if outcome and not outcome.is_good:
                back[name] = outcome.cause.text if outcome.cause else outcome.status
        return back

    def _put_back(self, applied: Sequence[Applied], end: float = 0.0) -> dict[str, str]:
        """Put workloads back, trying until the end; return BACK for each, or why it is not."""
        back = Back(self._cluster.client, self._cluster.namespace)
        return {str(each.change.target): self._put(back, each, end) for each in reversed(applied)}

    def _put(self, back: Back, applied: Applied, end: float) -> str:
        target = str(applied.change.target)
        if applied.change.back is None:
            return NEW
        try:
            done = self._watch.until_answered(partial(back.put, applied), end)
        except (Refused, Unanswered) as error:
            return problem_of(error, self._cluster.server).what
        if done is None:
            return f"{OTHER_IMAGE}, which was not overwritten"
        self._are_put_back.add(target)
        # A webhook may have set others than those that we have sent.
        self._images_back[target] = all_containers(applied.change.target.kind.template_of(done))
        self._tell(f"{target} was put back")
        return BACK

    def _cancelled(self, error: Interrupted) -> Interrupted:
        """Return the error of a cancelled run, after all was put back where that is wanted."""
        self._cluster.client.hurry(CANCELLED_SECONDS)
        self._apply.settle()
        back = self._put_back(self._apply.applied) if self._inputs.rolls_back else {}
        return self._report.cancelled(error, self._apply.applied, back)

    def _results(self, back: Mapping[str, str]) -> list[Result]:
        return [self._result(change, back) for change in self._apply.plan.changes]

    def _result(self, change: Change, back: Mapping[str, str]) -> Result:
        name = str(change.target)
        rollout = self._rollouts.get(name)
        outcome = rollout.outcome if rollout else None
        shown = rollout.verdict.progress.shown if rollout and rollout.verdict else ""
        came_back = self._rollbacks.get(name)
        seen = came_back.last if came_back else rollout.last if rollout else change.found.before
        changed = name in self._changed()
        return Result(
            change, changed, outcome, shown, back.get(name, ""), seen, name in self._are_put_back
        )
