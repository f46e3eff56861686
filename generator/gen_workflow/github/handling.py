"""How a pull request is to be handled: its labels, who reviews it, and whether GitHub merges it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, UserError
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.hints import near

if TYPE_CHECKING:
    from collections.abc import Iterable

# What is done when a person has closed the last pull request without a merge.
STOP, LEAVE, REOPEN = "stop", "leave", "reopen"
CLOSED = (STOP, LEAVE, REOPEN)
_LONGEST = 50  # characters of a label, which is GitHub's limit
_TEAM = re.compile(r"@?(?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<slug>[A-Za-z0-9_.-]+)")
# A login of an enterprise with managed users has its short name behind an underscore.
_LOGIN = re.compile(r"@?(?P<login>[A-Za-z0-9][A-Za-z0-9-]*(_[A-Za-z0-9]+)?)")


class Handling(NamedTuple):
    """What a pull request gets beside its commit; `teams` are pairs of owner and slug.

    Labels are added when they are missing. Reviewers are asked once: when nobody was asked yet and
    nobody has reviewed. `draft` is for a new pull request.
    """

    labels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    teams: tuple[tuple[str, str], ...] = ()
    draft: bool = False
    merges: bool = False
    closed: str = STOP

    @property
    def changes(self) -> int:
        """How many requests it takes beside those that open the pull request."""
        return bool(self.labels) + bool(self.reviewers) + self.merges

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who is asked for a review, as people write it."""
        return (*self.users, *("/".join(team) for team in self.teams))


PLAIN = Handling()


def read(
    labels: Iterable[str], reviewers: Iterable[str], *, draft: bool, merges: bool, closed: str
) -> Handling:
    """Return what options say; raises UserError for what GitHub would not take."""
    if draft and merges:
        what = "a draft is never merged, so it cannot wait for its merge"
        hint = "leave out --draft or --auto-merge"
        raise UserError(what, where="--auto-merge", hint=hint, anchor=Heading.OPTION)
    if closed not in CLOSED:
        hint = near(closed, CLOSED) or f"say one of {', '.join(CLOSED)}"
        what = f"{closed!r} is not known"
        raise UserError(what, where="--closed", hint=hint, anchor=Heading.OPTION)
    users, teams = [], []
    for one in reviewers:
        if team := _TEAM.fullmatch(one):
            teams.append((team["owner"], team["slug"]))
        elif user := _LOGIN.fullmatch(one):
            users.append(user["login"])
        else:
            hint = "give a login, or a team as ORG/TEAM, with one --reviewer for each"
            what = f"{one!r} is neither a user nor a team"
            raise UserError(what, where="--reviewer", hint=hint, anchor=Heading.OPTION)
    named = tuple(dict.fromkeys(_label(one) for one in labels))
    return Handling(
        named, tuple(dict.fromkeys(users)), tuple(dict.fromkeys(teams)), draft, merges, closed
    )


def _label(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST:
        what = f"{name!r} is not a name of a label"
        hint = f"give one line of at most {_LONGEST} characters, with one --label for each"
        raise UserError(what, where="--label", hint=hint, anchor=Heading.OPTION)
    return name
