"""What the acts on a fleet share: what was asked for, and what each repository should hold."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from gen_workflow import files
from gen_workflow.commands.rendering import Rendering, Written
from gen_workflow.errors import Heading, UserError
from gen_workflow.explain import overview
from gen_workflow.fleet import choice, proposing, report, specs, through
from gen_workflow.fleet.choice import Choice
from gen_workflow.fleet.pace import PER_MINUTE, Pace
from gen_workflow.fleet.standing import Content
from gen_workflow.fleet.survey import Survey
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan import pipeline
from gen_workflow.report.progress import Progress
from gen_workflow.sync.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.commands.options import Options
    from gen_workflow.fleet.journal import Journal
    from gen_workflow.fleet.listing import Listing
    from gen_workflow.fleet.roster import Member, Roster
    from gen_workflow.fleet.survey import Surveyed
    from gen_workflow.fleet.through import Followed
    from gen_workflow.github.connection import Connection
    from gen_workflow.github.handling import Handling

# A run over a fleet takes hours, so it waits out a limit of GitHub, which ends after an hour.
PATIENCE = 3700.0  # seconds


class Asked(NamedTuple):
    """What the options ask for; `within`, `stop_after` and `spread` are in seconds, 0 for none.

    `page` is the path of a report. With `again`, a pull request is opened also where somebody
    closed the last one.
    """

    choice: Choice
    limit: int
    per_hour: int
    spread: int
    canary: int
    within: int
    stop_after: int
    after: str
    page: str
    handling: Handling
    again: bool

    @property
    def changes(self) -> int:
        """How many changes GitHub counts for a repository."""
        return proposing.CHANGES + self.handling.changes

    def pace(self, kept: Journal) -> Pace:
        """Return the pace of this run: several shards share what GitHub allows."""
        _, shards = self.choice.shard
        return Pace(
            kept.lately(time.time()),
            per_minute=PER_MINUTE // shards,
            per_hour=max(self.per_hour // shards, self.changes),
            spread=self.spread,
            at_once=self.changes,
        )


class Run(NamedTuple):
    """One run of an act: what was asked for, where GitHub is, and the repositories.

    `members` are those that were chosen, in the order of the fleet.
    """

    options: Options
    asked: Asked
    connection: Connection
    token: str
    api: str
    branch: str
    roster: Roster
    members: tuple[Member, ...]

    def ring(self, name: str) -> tuple[Member, ...]:
        """Return all repositories of a ring."""
        return choice.chosen(self.roster, Choice(ring=name), self.options.file)

    def look(self, members: Sequence[Member]) -> list[Surveyed]:
        """Return where each of these repositories stands."""
        renderer = Renderer(self.options.file, self.options.templates)
        with Progress("looking at", [one.slug for one in members]) as progress:
            survey = Survey(self.connection, self.branch, renderer.content, progress.forward)
            return survey.look(members)

    def follow(self, found: Sequence[Surveyed]) -> list[Followed]:
        """Return how the pull requests and the workflows of these repositories do."""
        with Progress("following", [one.standing.slug for one in found]) as progress:
            return through.follow(self.connection, found, self.branch, progress.forward)

    def report(self, act: str, rows: list[dict[str, Any]]) -> None:
        """Write the report of an act, if one is wanted."""
        if self.asked.page:
            report.write(self.asked.page, report.as_data(act, self.options.file, rows))


class Renderer:
    """What the repositories of one fleet should hold; `file` is the file of the fleet."""

    def __init__(self, file: str, templates: str) -> None:
        self._file = file
        self._rendering = Rendering(templates, generator=fingerprint(templates))

    def content(self, member: Member, own: bytes | None, listing: Listing) -> Content:
        """Return what a repository should hold; `own` is its spec when it keeps one of its own.

        Raises UserError with everything that is wrong with its spec.
        """
        spec = member.spec
        if spec is None:
            written = Written.of(own or b"", files.SPEC)
        else:
            written = Written(specs.text(spec, self._file), spec, self._file, named=files.SPEC)
        given = self._rendering.of(written, listing)
        if given.copied:
            what = "`actions: vendored` is not possible for the repositories of a fleet"
            hint = "leave it out there, or bring the repository in step with `gen-workflow commit`"
            raise UserError(what, where=written.source, hint=hint, anchor=Heading.LATER)
        texts = {files.SPEC: given.spec} | {one.path: one.text.encode() for one in given.files}
        former = tuple(path for path in pipeline.OTHERS if path not in texts)
        runs = partial(self._runs, written, listing)
        return Content(files.SPEC, texts, given.needs, given.dockerfiles, given.ours, former, runs)

    def _runs(self, written: Written, listing: Listing) -> str:
        """Return what runs for which event; rendered anew, so that nobody keeps it for all."""
        return overview.markdown(overview.of(self._rendering.of(written, listing).workflows))
