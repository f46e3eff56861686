"""Whether a change is through: its pull request is merged, and the workflow runs with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.fleet import pulls
from gen_workflow.fleet.pulls import Light, Progress
from gen_workflow.fleet.standing import Standing, Stands
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen_workflow.fleet.survey import Surveyed
    from gen_workflow.github.connection import Connection


class Followed(NamedTuple):
    """A repository: where it stands, and how its pull request and its workflow do."""

    standing: Standing
    progress: Progress

    @property
    def is_through(self) -> bool:
        """Whether it is in step, no pull request of ours is open, and its last run was good."""
        pull, run = self.progress
        return (
            self.standing.stands in (Stands.IN_STEP, Stands.ARCHIVED)
            and not (pull and pull.state == "open")
            and (run is None or run.light == Light.GREEN)
        )


def follow(
    connection: Connection,
    found: Sequence[Surveyed],
    branch: str,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Followed]:
    """Return how each of the repositories does, in their order; `progress` is told how many."""
    standings = [one.standing for one in found]
    seen = [one.slug for one in standings if one.stands != Stands.UNSEEN]
    read = dict(zip(seen, pulls.read(connection, seen, branch, progress), strict=True))
    return [Followed(one, read.get(one.slug, Progress())) for one in standings]
