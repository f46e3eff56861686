"""What became of each workload, in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ship.kube.snapshot import Snapshot
    from ship.kubectl_set_image.plan import Change
    from ship.kubectl_set_image.watch import Outcome

# The worst first.
ORDER = (
    "failed", "rolled-back", "cancelled", "superseded", "paused", "no-pods", "updated", "unchanged",
)  # fmt: skip
ICONS = dict(zip(ORDER, ("❌", "↩️", "⏹️", "⏭️", "⏸️", "💤", "✅", "✅"), strict=True))
# Those of a step that ends without an error of ours or of the inputs.
EXIT_CODES: Mapping[str, int] = {
    "failed": 1, "rolled-back": 4, "superseded": 5, "paused": 6, "no-pods": 7, "cancelled": 130,
}  # fmt: skip
# The word for the cause where nothing has failed, and a person wanted an earlier version.
ROLLBACK = "rollback"
BACK = "back"
NEW = "it is new, so there is nothing to go back to"
OTHER_IMAGE = "another run or person has set another image meanwhile"


class Result(NamedTuple):
    """The result of one workload.

    `changed` says whether the step has changed the workload. `back` is BACK after it was put back
    and became healthy, or says why that is not so; it is empty where that was not tried. `last` is
    the last look, which after a rollback is one at what came back. `is_put_back` says that it has
    the template from before again, whether it became healthy or not.
    """

    change: Change
    changed: bool
    outcome: Outcome | None = None
    pods: str = ""
    back: str = ""
    last: Snapshot | None = None
    is_put_back: bool = False

    @property
    def status(self) -> str:
        """The result as a word of ORDER."""
        ended = self.outcome.status if self.outcome else ""
        if ended in ("superseded", "paused"):
            return ended
        if self.back:
            return "rolled-back" if self.back == BACK else "failed"
        if ended == "nothing-runs":
            return "no-pods"
        if ended == "failed":
            return "failed"
        return "updated" if self.changed else "unchanged"

    @property
    def is_changed(self) -> bool:
        """Whether the workload is not as it was before."""
        return self.changed and not self.is_put_back

    @property
    def cause(self) -> str:
        """The word for the cause of a failure or of a rollback; empty without one."""
        if self.change.is_rollback and self.status == "updated":
            return ROLLBACK
        cause = self.outcome.cause if self.outcome else None
        return cause.key if cause and self.status in ("failed", "rolled-back") else ""

    def as_json(self) -> dict[str, object]:
        """Return the result as it stands in the output `workloads`."""
        cause = self.outcome.cause if self.outcome else None
        return {
            "workload": str(self.change.target),
            "status": self.status,
            "changed": self.is_changed,
            "cause": self.cause,
            "message": cause.text if cause and self.cause else "",
            "images": dict(self.change.images),
            "previous-images": dict(self.change.previous),
            "rollback": self.back,
        }


def worst(results: Iterable[Result]) -> str:
    """Return the status of the step: the worst of all workloads."""
    return min((each.status for each in results), key=ORDER.index, default="unchanged")
