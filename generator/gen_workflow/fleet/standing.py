"""Where each repository of a fleet stands: pure, from what it should hold and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.fleet.listing import Listing
from gen_workflow.github import proposal
from gen_workflow.github.proposal import Branch, Snapshot, Wanted
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.sync import compare, stamp
from gen_workflow.sync.outcome import BY_HAND, IN_STEP, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.errors import UserError
    from gen_workflow.fleet.inventory import Held
    from gen_workflow.fleet.roster import Member
    from gen_workflow.workflow.records import Needs


class Stands:
    """The words for where a repository stands."""

    IN_STEP = "in step"
    NEW = "new"  # it has no workflow of ours yet
    BEHIND = "behind"  # its workflow is another one, and nobody edited it
    PROPOSED = "proposed"  # a pull request with all that is wanted is open
    DECLINED = "declined"  # somebody closed the last pull request without a merge
    EDITED = "edited"
    NOT_OURS = "not ours"
    WRONG = "wrong spec"
    NO_SPEC = "no spec"
    EMPTY = "empty"
    ARCHIVED = "archived"
    UNSEEN = "not found"


TO_WRITE = (Stands.NEW, Stands.BEHIND)
LEFT_ALONE = (Stands.EDITED, Stands.NOT_OURS, Stands.DECLINED)
NOT_POSSIBLE = (Stands.WRONG, Stands.NO_SPEC, Stands.EMPTY, Stands.UNSEEN)


class Standing(NamedTuple):
    """Where one repository stands.

    `files` are the paths that differ, `said` says more in words, `pull` is an open pull request.
    """

    slug: str
    stands: str
    files: tuple[str, ...] = ()
    said: str = ""
    pull: str = ""


class Content(NamedTuple):
    """What a repository should hold: its files by path, and what must exist on GitHub for them.

    `ours` are the repositories of our own actions, `spec` is the path of the spec in `files`.
    `former` are paths that an earlier spec may have given, and this one does not. `runs` says in
    Markdown what runs for which event; it is slow, and few of many repositories need it.
    """

    spec: str
    files: dict[str, bytes]
    needs: tuple[Needs, ...]
    dockerfiles: tuple[str, ...]
    ours: frozenset[str]
    former: tuple[str, ...] = ()
    runs: Callable[[], str] = str

    @property
    def wanted(self) -> Wanted:
        """The same for the plan of one repository."""
        given: dict[str, bytes | None] = {**self.files}
        return Wanted(self.spec, given, self.needs, self.dockerfiles, self.ours, former=self.former)


def of_a_missing(member: Member) -> Standing:
    """Return where a repository stands that GitHub does not show."""
    said = "it does not exist, or the token has no right to it"
    return Standing(member.slug, Stands.UNSEEN, said=said)


def without_content(held: Held) -> Standing | None:
    """Return where a repository stands in which nothing can be written; None for any other."""
    if held.archived:
        return Standing(held.slug, Stands.ARCHIVED, said="GitHub lets nobody write to it")
    if not held.head:
        return Standing(held.slug, Stands.EMPTY, said="it has no commit; push its first one")
    return None


def of_a_wrong_spec(held: Held, error: UserError) -> Standing:
    """Return where a repository stands whose spec cannot be rendered."""
    return Standing(held.slug, Stands.WRONG, said=f"{error}")


def differing(content: Content, held: Held) -> tuple[str, ...]:
    """Return the files that the default branch lacks, or holds with other content."""
    return _differing(content, held.listing)


def _differing(content: Content, listing: Listing) -> tuple[str, ...]:
    files = content.files.items()
    return tuple(path for path, text in files if listing.oid(path) != stamp.blob(text))


def snapshot(content: Content, held: Held) -> Snapshot:
    """Return what GitHub holds in the form from which one repository is planned."""
    paths = (*content.files, *content.dockerfiles, *content.former)
    oids = {path: held.listing.oid(path) for path in paths}
    there = {path: oid for path, oid in oids.items() if oid}
    texts = {path: text.decode("utf-8", "replace") for path, text in held.texts.items() if text}
    return Snapshot(held.slug, Branch(held.base, held.head, there, texts))


def of(content: Content, held: Held) -> Standing:
    """Return where a repository stands; the texts of what differs have to be known."""
    changed = differing(content, held)
    gone = proposal.left(content.wanted, snapshot(content, held).base)
    states = {
        path: _state(path, content, held.texts.get(path))
        for path in changed
        if path != content.spec
    }
    spec_differs = content.spec in changed
    if not (spec_differs or gone) and all(state in IN_STEP for state in states.values()):
        return Standing(held.slug, Stands.IN_STEP, pull=held.pull)
    if by_hand := [path for path, state in states.items() if state in BY_HAND]:
        return Standing(held.slug, Stands.EDITED, tuple(by_hand), "it was edited by hand")
    if foreign := [path for path, state in states.items() if state == State.NOT_OURS]:
        return Standing(held.slug, Stands.NOT_OURS, tuple(foreign), "gen-workflow did not write it")
    files = (*changed, *gone)
    ours = Listing(held.slug, held.ours, {})
    if held.pull and not _differing(content, ours) and not any(map(ours.oid, gone)):
        return Standing(held.slug, Stands.PROPOSED, files, pull=held.pull)
    if held.closed and not held.pull:
        said = "it was closed without a merge"
        return Standing(held.slug, Stands.DECLINED, files, said, held.closed)
    is_new = not gone and all(state == State.MISSING for state in states.values())
    return Standing(held.slug, Stands.NEW if is_new else Stands.BEHIND, files, pull=held.pull)


def _state(path: str, content: Content, there: bytes | None) -> str:
    if there is None:
        return State.MISSING
    return compare.alone(path, there, content.files[path], content.ours).state
