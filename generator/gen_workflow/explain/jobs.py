"""Which jobs of a workflow run for an event, in which order, and why the others do not.

A run is thought through as it goes when all is well: every job that runs succeeds. A job that is
then skipped, but would run after a failure, is told apart.
"""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Callable, Mapping
from typing import Any

from gen_workflow.explain import reasons, words
from gen_workflow.explain.events import Event
from gen_workflow.expressions.evaluate import Evaluator, condition
from gen_workflow.expressions.reader import ExpressionError
from gen_workflow.expressions.values import Open, Unknown, truth
from gen_workflow.named_tuple import NamedTuple

RUNS = "runs"
DEPENDS = "depends"
ON_FAILURE = "on failure"
SKIPPED = "skipped"
Jobs = Mapping[str, Mapping[str, Any]]


class Verdict(NamedTuple):
    """Whether a job runs, and the part of its condition that decides, in words.

    `after` are the jobs that it waits for, and `stage` is 1 for a job that waits for none.
    """

    job: str
    runs: str
    why: str = ""
    after: tuple[str, ...] = ()
    stage: int = 1


def verdicts(jobs: Jobs, event: Event, inputs: Mapping[str, Any]) -> list[Verdict]:
    """Return for each job whether it runs, in the order in which they begin."""
    run = _Run(jobs, event, inputs)
    left = list(jobs)
    while left:
        waiting = set(left)
        # Jobs that wait for each other are refused elsewhere; here it must only come to an end.
        ready = [job for job in left if waiting.isdisjoint(needed(jobs[job]))] or left[:1]
        for job in ready:
            run.judge(job)
        left = [job for job in left if job not in run.found]
    return sorted((run.found[job] for job in jobs), key=lambda one: one.stage)


def needed(job: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the jobs that a job waits for."""
    needs = job.get("needs", ())
    return (needs,) if isinstance(needs, str) else tuple(needs)


def contexts(event: Event, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known to the expressions of a workflow before its run."""
    return {"github": event.github, "inputs": inputs, "vars": Open("vars")}


class _Run:
    """A run of a workflow, and whether its jobs run, as far as that is found out."""

    def __init__(self, jobs: Jobs, event: Event, inputs: Mapping[str, Any]) -> None:
        self._jobs = jobs
        self._contexts = contexts(event, inputs)
        self._ancestors: dict[str, list[str]] = {}
        self.found: dict[str, Verdict] = {}

    def judge(self, job: str) -> None:
        """Find out whether a job runs, when that is known of those that it needs."""
        needs = tuple(each for each in needed(self._jobs[job]) if each in self.found)
        above = dict.fromkeys(needs)
        for each in needs:
            above |= dict.fromkeys(self._ancestors[each])
        self._ancestors[job] = list(above)
        stage = 1 + max((self.found[each].stage for each in needs), default=0)
        self.found[job] = Verdict(job, *self._judged(job), needs, stage)

    def _judged(self, job: str) -> tuple[str, str]:
        """Return whether a job runs, and why not."""
        try:
            tree = condition(str(self._jobs[job].get("if", "")))
            return self._decided(job, tree)
        except ExpressionError as error:
            return DEPENDS, f"depends on a condition that cannot be read: {error}"

    def _decided(self, job: str, tree: Any) -> tuple[str, str]:
        well = self._when_all_is_well(job)
        value = well.value(tree)
        is_true = truth(value)
        if is_true:
            return RUNS, ""
        if is_true is None:
            return DEPENDS, f"depends on {words.listed(map(words.of, value.of), 'and')}"
        whatever = truth(self._whatever_happens(job).value(tree))
        why = reasons.of_no(tree, well, self._skipped_before(job))
        return SKIPPED if whatever is False else ON_FAILURE, why

    def _skipped_before(self, job: str) -> str:
        """Return the words for the jobs before one that are skipped when all is well."""
        names = [one for one in self._ancestors[job] if self._result(one) == "skipped"]
        verb = "are" if len(names) > 1 else "is"
        return f"needs {words.listed(names, 'and')}, which {verb} skipped" if names else ""

    def _result(self, job: str) -> Any:
        """Return how a job ends when all is well."""
        runs = self.found[job].runs
        unknown = Unknown((f"needs.{job}.result",))
        return {RUNS: "success", DEPENDS: unknown}.get(runs, "skipped")

    def _when_all_is_well(self, job: str) -> Evaluator:
        results = {each: self._result(each) for each in self._ancestors[job]}
        missing = [one for one in results.values() if isinstance(one, Unknown)]
        succeeded = Unknown.of_all(missing) if missing else True
        if "skipped" in results.values():
            succeeded = False
        return self._evaluator(job, results, succeeded, failed=False)

    def _whatever_happens(self, job: str) -> Evaluator:
        results = {
            each: "skipped"
            if self.found[each].runs == SKIPPED
            else Unknown((f"needs.{each}.result",))
            for each in self._ancestors[job]
        }
        unknown = Unknown(("needs.result",))
        succeeded = False if "skipped" in results.values() else unknown
        return self._evaluator(job, results, succeeded, failed=unknown)

    def _evaluator(
        self, job: str, results: Mapping[str, Any], succeeded: Any, failed: Any
    ) -> Evaluator:
        functions: dict[str, Callable[..., Any]] = {
            "success": lambda *_: succeeded,
            "failure": lambda *_: failed,
            "cancelled": lambda *_: failed,
            "always": lambda *_: True,
            "hashfiles": lambda *_: Unknown(("hashFiles",)),
        }
        needs = {
            each: {
                "result": results[each],
                "outputs": {} if results[each] == "skipped" else Open(f"needs.{each}.outputs"),
            }
            for each in needed(self._jobs[job])
            if each in results
        }
        return Evaluator({**self._contexts, "needs": needs}, functions)
