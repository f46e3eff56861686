"""What is found in a snapshot, and the cause that a person is told."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ship.kube import words
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# Which suspicion is shown when several are there: the highest.
LAST, WEAK, SOFT, HARD = range(4)
# A state that is a failure once a container has ended more often than the caller allows.
RESTARTS = 0
# A state that is no failure by itself: it is named when a rollout gets on no further.
NEVER = inf
_LONGEST = 700


class Cause(NamedTuple):
    """Why a rollout fails, for a person.

    `key` is a stable word. `text` and `hint` (the next act) are one line each. `logs` says which
    log of the container tells more: `current`, `previous`, or none. `message` is what the cluster
    says, whole, apart from secrets; it is text from elsewhere.
    """

    key: str
    text: str
    hint: str
    pod: str = ""
    container: str = ""
    logs: str = ""
    message: str = ""


class State(NamedTuple):
    """A state that hinders a rollout, and when it is a failure.

    `said` is a pattern of the words of the cluster by which rows of one list are told apart. The
    state has to last `grace` seconds, and to be seen `times` times. A `patient` one does not age
    while others of the rollout get on: it may pass when these have got their place.
    `text` and `hint` may name the fields of a finding in braces.
    """

    key: str
    text: str
    hint: str
    said: str = ""
    grace: float = 0
    times: int = 1
    rank: int = HARD
    patient: bool = False


class Finding(NamedTuple):
    """A state of an object in one snapshot.

    `uid` is of the pod, else of the workload. A finding that is `held` is not yet sure, as another
    try is going on. One that is `of_end` counts how often a container has ended; if it is
    `excused`, the last end was no crash. `on_node` says that it may be the fault of one node.
    `who` is given where different objects are counted, and not what happens to one.
    """

    state: State
    uid: str
    pod: str = ""
    container: str = ""
    message: str = ""
    fields: Mapping[str, str] = {}
    times: int = 1
    logs: str = ""
    held: bool = False
    of_end: bool = False
    excused: bool = False
    on_node: bool = False
    who: str = ""

    @property
    def spot(self) -> tuple[str, str, str]:
        """What makes it the same finding in another snapshot."""
        return (self.state.key, "", "") if self.who else (self.state.key, self.uid, self.container)

    def cause(self) -> Cause:
        """Return what a person is told of it."""
        fields = {key: words.one_line(value) for key, value in self.fields.items()}
        fields = {"said": words.short(self.message), "times": often(self.times), **fields}
        fields = {"pod": self.pod, "container": self.container, **fields}
        where = [f"pod {self.pod}"] if self.pod else []
        where += [f"container {self.container}"] if self.container else []
        text = self.state.text.format_map(fields).rstrip(" :")
        return Cause(
            self.state.key,
            words.one_line(text + (f" ({', '.join(where)})" if where else ""), _LONGEST),
            words.one_line(self.state.hint.format_map(fields), _LONGEST),
            self.pod,
            self.container,
            self.logs,
            words.whole(self.message),
        )


def often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")
