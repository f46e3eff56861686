"""Reporting the result to a person: the log, the outputs, the summary, the error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ship.kubectl_set_image.results import (
    BACK,
    EXIT_CODES,
    ICONS,
    NEW,
    OTHER_IMAGE,
    Result,
    worst,
)
from ship.runner.errors import Evidence, Interrupted, Problem, StepFailed
from ship.runner.summary import cell, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.kubectl_set_image.apply import Applied
    from ship.kubectl_set_image.plan import Plan
    from ship.runner.errors import ShipError
    from ship.runner.step import Step

COLUMNS = ("Workload", "Result", "Image", "Before", "Pods")
REVISION = "deployment.kubernetes.io/revision"
SUPERSEDED = "a-rollout-that-was-superseded"
NO_PODS = "no-pod-takes-the-new-image"
UNVERIFIED = (
    "The certificate of the cluster is not verified (insecure-skip-tls-verify): an attacker "
    "between the runner and the cluster could read the login of the kubeconfig."
)
SHORT_LIVED = (
    "The pull secret {} is made from a token that is dead when the job has ended: a pod that "
    "starts later, on another node or in a rollback, may not be able to pull its image. Give a "
    "token that lasts and may only read packages in `registry-password`."
)


class Report:
    """The report of a step that got as far as a plan."""

    def __init__(self, what: Plan, step: Step, *, is_verified: bool) -> None:
        self._plan = what
        self._workflow = step.workflow
        self._warnings = [] if is_verified else [UNVERIFIED]

    def warn_of(self, secret: str) -> None:
        """Warn of a pull secret that is dead soon."""
        self._warnings.append(SHORT_LIVED.format(secret))

    def notes(self) -> None:
        """Print what a person should know before the change."""
        for text in self._warnings:
            self._workflow.say(f"warning: {text}")
        for change in self._plan.changes:
            for note in change.notes:
                self._workflow.say(f"{change.target}: {note}")

    def dry_run(self) -> None:
        """Print the plan, which the server has accepted, with the patches."""
        self.notes()
        self._workflow.say(self._plan.shown())
        for change in self._plan.changes:
            # A whole template may have values in it that nobody wants to see in a log.
            if change.patch and not change.to:
                patch = json.dumps(change.patch, indent=2, ensure_ascii=False)
                self._workflow.say(f"patch of {change.target}:\n{patch}")
        self._workflow.output("status", "dry-run")
        self._workflow.summary("### The cluster accepts the changes; nothing was changed\n")

    def finish(self, results: Sequence[Result], *, allows_no_pods: bool) -> None:
        """Set the outputs and write the summary. Raises StepFailed for what is no success."""
        self._outputs(results)
        for each in results:
            self._workflow.say(f"{each.change.target}: {each.status}")
        status = worst(results)
        problems = tuple(_unfinished(results, allows_no_pods=allows_no_pods))
        if problems:
            error = StepFailed(*problems, title=self._title(results), details=self._table(results))
            error.exit_code = EXIT_CODES[status]
            raise error
        self._workflow.summary(
            f"### {ICONS[status]} {cell(self._title(results))}\n\n{self._table(results)}"
        )

    def failed(self, results: Sequence[Result]) -> ShipError:
        """Return the error: the cause for each workload, and what runs now."""
        self._outputs(results)
        several = len(results) > 1
        error = StepFailed(
            *_causes(results, several=several),
            *_after(results),
            title=self._title(results),
            details=self._table(results),
            evidence=_evidence(results),
        )
        error.exit_code = EXIT_CODES[worst(results)]
        return error

    def not_applied(self, problems: Sequence[Problem], back: Mapping[str, str]) -> ShipError:
        """Return the error for a change that was not made whole, and was taken back."""
        stays = {name: why for name, why in back.items() if why != BACK}
        self._workflow.output("status", "failed")
        self._workflow.output("changed", "true" if stays else "false")
        lines = [Problem(name, _why_it_stays(why)) for name, why in stays.items()]
        undone = ", ".join(name for name, why in back.items() if why == BACK)
        if undone:
            lines.append(Problem(undone, "was put back, so that all workloads are as before"))
        return StepFailed(*problems, *lines)

    def cancelled(
        self, error: Interrupted, applied: Sequence[Applied], back: Mapping[str, str]
    ) -> Interrupted:
        """Return the error of a cancelled run, with what each workload has now."""
        self._workflow.output("status", "cancelled")
        stays = [each for each in applied if back.get(str(each.change.target)) != BACK]
        self._workflow.output("changed", "true" if stays else "false")
        lines = [Problem("", str(error))]
        if not applied:
            lines.append(Problem("", "no workload was changed"))
        for each in applied:
            target = str(each.change.target)
            why = back.get(target, "")
            if why == BACK:
                what = "has its previous version again; whether it is healthy was not checked"
                lines.append(Problem(target, what))
            else:
                reason = f" ({why})" if why else ""
                what = f"has the new version, and its rollout is not watched any more{reason}"
                hint = f"see it with `kubectl rollout status {target}`, or run the step again"
                lines.append(Problem(target, what, hint))
        return Interrupted(*lines)

    def _outputs(self, results: Sequence[Result]) -> None:
        causes = [each.cause for each in results if each.cause]
        images = dict.fromkeys(image for each in results for image in each.change.images.values())
        old = dict.fromkeys(image for each in results for image in each.change.previous.values())
        outputs = {
            "status": worst(results),
            "changed": "true" if any(each.is_changed for each in results) else "false",
            "cause": causes[0] if causes else "",
            "image": "\n".join(images),
            "previous-image": "\n".join(filter(None, old)),
            "revision": _revision(results),
            "workloads": json.dumps([each.as_json() for each in results], separators=(",", ":")),
        }
        for name, value in outputs.items():
            self._workflow.output(name, value)

    def _title(self, results: Sequence[Result]) -> str:
        names = ", ".join(str(each.change.target) for each in results)
        return f"{names}: {worst(results)}"

    def _table(self, results: Sequence[Result]) -> str:
        rows = [[cell(part) for part in _row(each)] for each in results]
        notes = [f"{each.target}: {note}" for each in self._plan.changes for note in each.notes]
        listed = "".join(f"- {cell(note)}\n" for note in (*notes, *self._warnings))
        return f"{table(COLUMNS, rows)}\n{listed}"


def _why_it_stays(why: str) -> str:
    if why == NEW:
        return "was created by this step, and stays"
    return f"was changed and could not be put back: {why}"


def _row(result: Result) -> tuple[str, ...]:
    change = result.change
    return (
        str(change.target),
        result.status,
        ", ".join(f"{name}={image}" for name, image in change.images.items()),
        ", ".join(filter(None, dict.fromkeys(change.previous.values()))),
        result.pods,
    )


def _revision(results: Sequence[Result]) -> str:
    last = results[0].last if len(results) == 1 else None
    if not last:
        return ""
    meta = last.workload.get("metadata") or {}
    return str((meta.get("annotations") or {}).get(REVISION) or "")


def _causes(results: Sequence[Result], *, several: bool) -> Iterator[Problem]:
    for each in results:
        cause = each.outcome.cause if each.outcome else None
        if cause and each.outcome and each.outcome.status == "failed":
            where = str(each.change.target) if several else ""
            yield Problem(where, cause.text, cause.hint, f"rollout-{cause.key}")


def _after(results: Sequence[Result]) -> Iterator[Problem]:
    """Yield what each workload runs now."""
    for each in results:
        target = str(each.change.target)
        if each.back == BACK:
            yield Problem(target, "runs what ran before, and is healthy")
        elif each.back == NEW:
            hint = "its pods stay, so that you can look at them; the next run goes on from there"
            yield Problem(target, "did not exist before, so it was not rolled back", hint)
        elif each.back:
            hint = "look at it now: `kubectl rollout undo` may go to another bad version"
            how = "is not back to what ran before"
            how = "was put back, and is not seen healthy" if each.is_put_back else how
            yield Problem(target, f"{how}: {each.back}", hint, "a-rollback-that-failed")
        elif each.status == "failed" and each.changed:
            yield Problem(target, "keeps the new version, as `on-failure: keep` says")
        elif each.status == "failed":
            yield Problem(target, "was not changed by this step, so it was not rolled back")


def _unfinished(results: Sequence[Result], *, allows_no_pods: bool) -> Iterator[Problem]:
    for each in results:
        target, cause = str(each.change.target), each.outcome.cause if each.outcome else None
        if each.status == "superseded":
            yield Problem(
                target,
                cause.text if cause else OTHER_IMAGE,
                "nothing to do when that was a newer deploy; this image was never seen healthy",
                SUPERSEDED,
            )
        elif each.status == "paused":
            yield Problem(
                target,
                "was paused while its rollout was watched; it has the new image and waits",
                f"resume it with `kubectl rollout resume {target}`",
                "a-workload-that-is-paused",
            )
        elif each.status == "no-pods" and not allows_no_pods:
            why = cause.text if cause else "no pod takes it by itself"
            hint = "scale it up to see whether the image works; or set `no-pods: allow`"
            yield Problem(
                target, f"has the new image, and nothing shows that it works: {why}", hint, NO_PODS
            )


def _evidence(results: Sequence[Result]) -> Evidence | None:
    for each in results:
        if each.outcome and each.outcome.log.strip() and each.outcome.cause:
            cause = each.outcome.cause
            title = f"Last lines of container {cause.container} in pod {cause.pod}"
            return Evidence(title, each.outcome.log.rstrip())
    return None
