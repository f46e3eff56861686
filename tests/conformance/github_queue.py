"""A small model of what GitHub starts, lets wait and drops: events, runs, jobs and their groups.

The rules are those of GitHub's pages "Control the concurrency of workflows and jobs", "Workflow
syntax" and "Re-running workflows and jobs":

- A group has one holder. Who comes later is pending; a newer one takes the place of one that is
  pending, which is dropped. With `queue: max` up to 100 are pending, first in, first out.
- With `cancel-in-progress` the holder is dropped too.
- A group belongs to the repository: runs and jobs of all workflows share it. Upper and lower case
  make no difference.
- A run that is pending has no jobs yet. A job joins its group when the jobs that it needs have
  succeeded and its `if` is true.
- A job that waits for the approval of its environment holds its group.
- A run that is started again keeps its id, its event and its ref, and has the next attempt.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Evaluate = Callable[[str, Mapping[str, Any]], str]

MOST_PENDING = 100


class Member(Protocol):
    """A run or a job, and the group that it is in, if any."""

    group: Group | None

    def begin(self) -> None:
        """Go on: the member holds its group, or needs none."""

    def drop(self) -> None:
        """End without having succeeded."""


class Group:
    """Who holds a group, and who waits for it."""

    def __init__(self) -> None:
        self.holder: Member | None = None
        self.pending: list[Member] = []

    def join(self, member: Member, *, cancels: bool, queues: bool) -> None:
        assert not (cancels and queues), "GitHub refuses such a workflow"
        if queues and len(self.pending) == MOST_PENDING:
            member.drop()
            return
        dropped = [] if queues else self.pending
        if cancels and self.holder:
            dropped = [*dropped, self.holder]
        self.pending = [each for each in self.pending if each not in dropped] + [member]
        for each in dropped:
            each.drop()
        self._next()

    def leave(self, member: Member) -> None:
        self.pending = [each for each in self.pending if each is not member]
        if self.holder is member:
            self.holder = None
            self._next()

    def _next(self) -> None:
        if self.holder is None and self.pending:
            self.holder = self.pending.pop(0)
            self.holder.begin()


class Job:
    """A job of a run; its state is one of those that the methods set."""

    def __init__(self, run: Run, data: Mapping[str, Any]) -> None:
        self.run = run
        self.data = data
        self.state = "not begun"
        self.group: Group | None = None

    def look(self) -> None:
        """Begin, or be skipped, when it is known which."""
        needed = [self.run.jobs[name].state for name in self._needs()]
        if self.state != "not begun" or not all(state in ENDED for state in needed):
            return
        if not all(state == "succeeded" for state in needed) or not self._is_wanted():
            self._end("skipped")
            return
        self.state = "pending"
        self.run.repository.admit(self, self.data.get("concurrency"), self.run.contexts)

    def begin(self) -> None:
        waits = "environment" in self.data and self.run.repository.approves
        self.state = "waiting for approval" if waits else "running"

    def approve(self) -> None:
        assert self.state == "waiting for approval"
        self.state = "running"

    def succeed(self) -> None:
        assert self.state == "running"
        self._end("succeeded")

    def fail(self) -> None:
        assert self.state == "running"
        self._end("failed")

    def drop(self) -> None:
        if self.state not in ENDED:
            self._end("dropped")

    def _end(self, state: str) -> None:
        self.state = state
        if self.group:
            self.group.leave(self)
        self.run.go_on()

    def _needs(self) -> list[str]:
        needs = self.data.get("needs", [])
        return [needs] if isinstance(needs, str) else needs

    def _is_wanted(self) -> bool:
        condition = self.data.get("if", "true")
        return self.run.repository.evaluate(f"${{{{ {condition} }}}}", self.run.contexts) == "true"


ENDED = ("succeeded", "failed", "skipped", "dropped")


class Run:
    """A run of a workflow for an event."""

    def __init__(
        self,
        repository: Repository,
        workflow: Mapping[str, Any],
        github: Mapping[str, Any],
        inputs: Mapping[str, str],
    ) -> None:
        self.repository = repository
        self.workflow = workflow
        self.contexts = {"github": github, "inputs": inputs}
        self.state = "pending"
        self.group: Group | None = None
        self.jobs = {name: Job(self, data) for name, data in workflow["jobs"].items()}
        repository.admit(self, workflow.get("concurrency"), self.contexts)

    def begin(self) -> None:
        self.state = "running"
        self.go_on()

    def go_on(self) -> None:
        """Begin the jobs whose time has come; end when none is left."""
        if self.state != "running":
            return
        for job in self.jobs.values():
            job.look()
        if all(job.state in ENDED for job in self.jobs.values()) and self.state == "running":
            self.state = "ended"
            if self.group:
                self.group.leave(self)

    def drop(self) -> None:
        if self.state == "ended":
            return
        self.state = "ended"
        for job in self.jobs.values():
            job.drop()
        if self.group:
            self.group.leave(self)


class Repository:
    """A repository on GitHub; `approves` when its environments ask a person before a deploy."""

    def __init__(self, evaluate: Evaluate, *, approves: bool = False) -> None:
        self.evaluate = evaluate
        self.approves = approves
        self.groups: dict[str, Group] = defaultdict(Group)
        self._runs = 0

    def start(self, workflow: Mapping[str, Any], event: str, ref: str, **inputs: str) -> Run:
        """Start a run for an event, as a person or a push does; a person gives the inputs."""
        self._runs += 1
        github = {
            "event_name": event,
            "ref": ref,
            "run_id": str(1000 + self._runs),
            "run_attempt": "1",
            "workflow": workflow["name"],
        }
        return Run(self, workflow, github, inputs)

    def start_again(self, run: Run) -> Run:
        """Start a run again, whose jobs have all ended."""
        assert run.state == "ended"
        github = run.contexts["github"]
        again = {**github, "run_attempt": str(int(github["run_attempt"]) + 1)}
        return Run(self, run.workflow, again, run.contexts["inputs"])

    def admit(self, member: Member, concurrency: Any, contexts: Mapping[str, Any]) -> None:
        """Let a run or a job begin, or wait in the group that its workflow names."""
        if concurrency is None:
            member.begin()
            return
        name = self.evaluate(concurrency["group"], contexts)
        cancels = self.evaluate(str(concurrency.get("cancel-in-progress", False)), contexts)
        member.group = self.groups[name.lower()]
        member.group.join(
            member,
            cancels=cancels.lower() == "true",
            queues=concurrency.get("queue") == "max",
        )
