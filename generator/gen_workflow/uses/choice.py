"""Decides for one use what it moves to, or why it is left; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.comment import said
from gen_workflow.pins.versions import Order, Version, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_workflow.pins.reference import Reference
    from gen_workflow.uses.releases import Known, Release

DAY = 24 * 60 * 60


class Policy(NamedTuple):
    """Which releases are taken: those of at least `min_age` days at the time `now`, in seconds.

    `major` allows a new major version, `branches` a release in place of a branch. `online` says
    that GitHub was asked, and not the shipped table.
    """

    now: float
    min_age: int = 7
    major: bool = False
    branches: bool = False
    online: bool = False


class Left(NamedTuple):
    """Why a use is not at the newest release: a name for programs, and words."""

    why: str
    words: str


class Choice(NamedTuple):
    """What comes of one use: the release that it is written at, why not a newer one, and a note.

    `was` is the version before, as a person names it.
    """

    was: str
    to: Release | None = None
    left: Left | None = None
    note: str = ""


class _Now(NamedTuple):
    """What a use is at: a commit, empty when it is not known, and the version of it."""

    commit: str
    version: Version
    early: bool = False


def choose(meant: Reference, comment: str, known: Known | None, policy: Policy) -> Choice:
    """Return what a use with this comment moves to, of what is known of its repository."""
    was = _shown(meant, comment)
    if known is None:
        return Choice(was, left=_UNSEEN if policy.online else _UNKNOWN)
    at = _now(meant, comment, known)
    if isinstance(at, Left):
        return _in_place_of_a_branch(meant, at, known, policy)
    newer = [one for one in known.releases if _is_newer(one, at)]
    taken = [one for one in newer if _held_back(one, at, policy) is None]
    best = max(taken, key=_order, default=None)
    left = _left(newer, best, at, policy) or _end(meant, known)
    if best is None and at.commit and not _is_written(meant, comment, at):
        best = known.at(at.commit)
    if best is None and left is None and not meant.is_commit:
        lacking = f"no release of {was} or newer is known"
        left = Left("unknown", lacking if policy.online else f"{lacking}; {_ASK}")
    return Choice(was, best, left, _note(meant, comment, at) if best else "")


_ASK = "--online asks GitHub"
_UNSEEN = Left("unknown", "GitHub does not have it, or the token cannot see it")
_UNKNOWN = Left("unknown", f"it is not in the table of this version; {_ASK}")


def _shown(meant: Reference, comment: str) -> str:
    if not meant.is_commit:
        return meant.ref
    written = said(comment)
    return written.tag if written else meant.ref[:7]


def _now(meant: Reference, comment: str, known: Known) -> _Now | Left:
    """Return what a use is at; Left when nothing tells its version."""
    if not meant.is_commit:
        return _at_name(meant.ref, known)
    found, written = known.at(meant.ref), said(comment)
    if found:
        return _Now(found.commit, found.version, found.early)
    if written is None:
        words = "no tag has this commit, so what is newer is not known"
        if not known.whole:
            words = f"its comment says no version, so what is newer is not known; {_ASK}"
        return Left("no-version", words)
    there = next((one for one in known.releases if one.version.same(written)), None)
    if there and len(written.numbers) > 1:  # a tag such as `v4` is meant to move
        words = (
            f"{there.version.tag} is the commit {there.commit[:7]}, and this is another one: "
            "find out why before you trust either"
        )
        return Left("other-commit", words)
    return _Now("", written)


def _at_name(name: str, known: Known) -> _Now | Left:
    commit = known.tags.get(name, "")
    if commit and (found := known.at(commit)):
        return _Now(commit, found.version, found.early)
    meant = version(name)
    if meant and not meant.series and (name in known.branches or not known.whole):
        return _Now("", meant)
    if name in known.branches:
        return Left("branch", f"{name} is a branch")
    if commit:
        return Left("no-version", f"no release has the commit of the tag {name}")
    if not known.whole:
        return Left("no-version", f"the table does not tell which release {name} is; {_ASK}")
    return Left("no-ref", f"it has no tag and no branch {name}")


def _in_place_of_a_branch(meant: Reference, at: Left, known: Known, policy: Policy) -> Choice:
    if at.why != "branch":
        return Choice(_shown(meant, ""), left=at)
    newest = max(_instead(meant.ref, known, policy), key=_order, default=None)
    if newest and policy.branches:
        return Choice(meant.ref, newest)
    act = (
        f"write {newest.version.tag} in its place, or say --branches"
        if newest
        else "write a full commit in its place"
    )
    return Choice(meant.ref, left=Left("branch", f"{at.words}; {act}"))


def _instead(branch: str, known: Known, policy: Policy) -> Iterator[Release]:
    """Yield the releases that can stand for a branch: for `release/v1` those of the major 1."""
    named = version(branch)
    for one in known.releases:
        right = not one.version.series and (not named or named.major == one.version.major)
        if right and not one.early and not one.version.pre and _is_old(one, policy):
            yield one


def _order(one: Release) -> Order:
    return one.version.order


def _is_newer(one: Release, at: _Now) -> bool:
    """Tell whether a release is newer, or is one that a short form such as `v4` stands for.

    A pre-release is one only for a use that is at a pre-release itself.
    """
    early = (one.early or one.version.pre) and not (at.early or at.version.pre)
    if early or one.version.series != at.version.series or one.commit == at.commit:
        return False
    same_or_newer = one.version.order >= at.version.order
    return same_or_newer if not at.commit else one.version.order > at.version.order


def _held_back(one: Release, at: _Now, policy: Policy) -> Left | None:
    """Return why a newer release is not taken; None when it is."""
    tag = one.version.tag
    if one.version.major != at.version.major and not policy.major:
        return Left("major", f"{tag} is a new major version; --major takes it")
    if not _is_old(one, policy):
        days = max(0, int((policy.now - one.published) // DAY))
        age = "today" if not days else f"{days} day{'s' if days > 1 else ''} ago"
        return Left("too-new", f"{tag} was published {age}; --min-age is {policy.min_age} days")
    return None


def _left(newer: Iterable[Release], best: Release | None, at: _Now, policy: Policy) -> Left | None:
    """Return why a release newer than the best one is left; first of those that are old enough."""
    beyond = [one for one in newer if best is None or one.version.order > best.version.order]
    named = max(beyond, key=lambda one: (_is_old(one, policy), one.version.order), default=None)
    return _held_back(named, at, policy) if named else None


def _is_old(one: Release, policy: Policy) -> bool:
    return policy.now - one.published >= policy.min_age * DAY


def _end(meant: Reference, known: Known) -> Left | None:
    if known.name.lower() != meant.key:
        return Left("renamed", f"its repository is {known.name} now; write this name")
    words = "its repository is archived, so no newer release will come"
    return Left("archived", words) if known.archived else None


def _is_written(meant: Reference, comment: str, at: _Now) -> bool:
    """Tell whether a use says its commit, and its comment the exact version of it."""
    written = said(comment)
    ratchet = comment.replace(" ", "").startswith("#ratchet:")
    says = written is not None and (
        written.tag == at.version.tag or (ratchet and written.covers(at.version))
    )
    return meant.is_commit and says


def _note(meant: Reference, comment: str, at: _Now) -> str:
    """Return what is wrong with a comment that says another version than the commit has."""
    written = said(comment)
    if not meant.is_commit or not at.commit or written is None or written.covers(at.version):
        return ""
    return f"the comment said {written.tag}, and the commit is {at.version.tag}"
