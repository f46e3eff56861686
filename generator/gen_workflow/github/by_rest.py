"""A commit over the git data of REST, for what GraphQL cannot.

It needs four requests in place of one, and GitHub signs it for a GitHub App alone. Source: the docs
of https://github.com/peter-evans/create-pull-request, "commit signature verification for bots".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen_workflow.github.answer import OID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.github.answer import Part
    from gen_workflow.github.connection import Connection

_PLAIN, _EXECUTABLE = "100644", "100755"
# By this address a later run knows a commit as ours, as it does those that GitHub itself makes.
_COMMITTER = {"name": "gen-workflow", "email": "noreply@gen-workflow.invalid"}


@dataclass(frozen=True)
class Commit:
    """A commit that was made; `verified` when GitHub signed it."""

    oid: str
    verified: bool


def commit(
    at: Connection,
    branch: str,
    *,
    onto: str,
    message: str,
    files: Mapping[str, bytes | None],
    executable: frozenset[str],
) -> Commit:
    """Make one commit on top of the commit that the branch must be at; raises refusal.Moved.

    The branch is never forced, and a branch that moved is no ancestor of the commit. So GitHub
    refuses to move it then.
    """
    doing = f"commit on {branch}"
    base = at.rest("GET", f"git/commits/{onto}", doing, _tree)
    entries = [_entry(path, content, path in executable) for path, content in files.items()]
    tree = at.rest("POST", "git/trees", doing, _oid, {"base_tree": base, "tree": entries})
    made = at.rest("POST", "git/commits", doing, _commit, _wanted(at, message, tree, onto))
    moved = {"sha": made.oid, "force": False}
    at.rest("PATCH", f"git/refs/heads/{quote(branch)}", doing, lambda ref: ref.text("ref"), moved)
    return made


def _wanted(at: Connection, message: str, tree: str, onto: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {"message": message, "tree": tree, "parents": [onto]}
    if at.token.kind != "installation":  # GitHub signs for an App, unless a committer is named
        wanted["committer"] = _COMMITTER
    return wanted


def _entry(path: str, content: bytes | None, is_executable: bool) -> dict[str, Any]:  # noqa: FBT001
    entry = {"path": path, "mode": _EXECUTABLE if is_executable else _PLAIN, "type": "blob"}
    return {**entry, **({"sha": None} if content is None else {"content": content.decode()})}


def _tree(commit: Part) -> str:
    return commit.part("tree").text("sha", OID)


def _oid(made: Part) -> str:
    return made.text("sha", OID)


def _commit(made: Part) -> Commit:
    return Commit(_oid(made), verified=made.part("verification").flag("verified"))
