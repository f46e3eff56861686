"""The files: spec, workflows and Dependabot's rule, on the default branch or as a pull request."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gen_workflow.bootstrap.actions import Others
from gen_workflow.bootstrap.steps import Part, together
from gen_workflow.errors import Heading, UserError
from gen_workflow.fleet import inventory
from gen_workflow.fleet.inventory import Asked
from gen_workflow.fleet.listing import TOP
from gen_workflow.github import proposal
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import OURS
from gen_workflow.uses import dependabot
from gen_workflow.uses.moves import kept
from gen_workflow.uses.places import Unreadable, Use, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.github.connection import Connection
    from gen_workflow.github.proposal import Snapshot, Wanted
    from gen_workflow.github.update import Update

_FOLDER = ".github/workflows"
_BOTS = (".github/dependabot.yml", ".github/dependabot.yaml")
# Where Renovate has its settings: docs.renovatebot.com/configuration-options
_RENOVATE = re.compile(r"\.?renovate(?:rc)?(?:\.json5?)?")
_NAMES_PERMISSIONS = re.compile(r"^\s*permissions\s*:", re.MULTILINE)
_MAKES_RELEASES = re.compile(
    r"gh release (?:create|upload)|gh-release|(?:upload|create)-release|release-action|goreleaser"
)
_ENDINGS = (".yml", ".yaml")
_FIRST_PUSH = "push this folder, with what `gen-workflow generate` writes, and run this again"
# A push starts no run then; the first one is started by hand, when all that it needs is there:
# docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
_NO_RUN = "[skip ci] The first run is started with `gen-workflow bootstrap --run`."


class Held(NamedTuple):
    """What the default branch holds beside our own files: workflows, and Dependabot's rules."""

    workflows: Mapping[str, str] = {}
    bot: tuple[str, str] = (_BOTS[0], "")
    has_renovate: bool = False

    def others(self, ours: tuple[str, ...]) -> Others:
        """Return what the workflows that are not `ours` would feel of settings."""
        texts = {
            path.rpartition("/")[2]: text
            for path, text in self.workflows.items()
            if path not in ours
        }
        uses = (use.reference for text in texts.values() for use in _uses(text))
        unpinned = dict.fromkeys(f"{one.action}@{one.ref}" for one in uses if not one.is_commit)
        silent = (name for name, text in texts.items() if not _NAMES_PERMISSIONS.search(text))
        releasing = (name for name, text in texts.items() if _MAKES_RELEASES.search(text))
        return Others(tuple(unpinned), tuple(silent), tuple(releasing))


def _uses(text: str) -> list[Use]:
    try:
        return find(text)
    except Unreadable:  # GitHub does not run it either
        return []


def look(connection: Connection, slug: str) -> Held:
    """Return what the default branch holds, in two requests at most."""
    tops = (TOP, ".github")
    first = _asked(connection, Asked(slug, (_FOLDER, *tops), _BOTS))
    there = first.folders.get(_FOLDER) or {}
    names = (name for top in tops for name in first.folders.get(top) or {})
    paths = tuple(f"{_FOLDER}/{name}" for name in sorted(there) if name.endswith(_ENDINGS))
    texts = _asked(connection, Asked(slug, (), paths)).texts if paths else {}
    workflows = {path: (text or b"").decode(errors="replace") for path, text in texts.items()}
    bots = {
        path: text.decode(errors="replace") for path in _BOTS if (text := first.texts.get(path))
    }
    renovates = any(map(_RENOVATE.fullmatch, names))
    return Held(workflows, next(iter(bots.items()), (_BOTS[0], "")), has_renovate=renovates)


def _asked(connection: Connection, asked: Asked) -> inventory.Held:
    (found,) = inventory.read(connection, [asked], "HEAD")
    if found is None:  # pragma: no cover - it was there a moment ago
        raise UserError("is gone", where=asked.slug, anchor=Heading.NOT_FOUND)
    return found


def with_bot(wanted: Wanted, held: Held) -> tuple[Wanted, Part]:
    """Return what is wanted with Dependabot's rule, and what a person has to do for it.

    A repository that Renovate looks after gets none.
    """
    if held.has_renovate and not held.bot[1]:
        return wanted, Part()
    texts = [(wanted.files[path] or b"").decode() for path in wanted.workflows]
    named = (use.reference for text in texts for use in _uses(text))
    ours = (OURS, *(one.repository for one in named if kept(one)))
    path, before = held.bot
    rule = dependabot.rule((*wanted.workflows, *held.workflows), ours)
    try:
        after = dependabot.configured(before, rule, path)
    except UserError as error:
        return wanted, Part(left=(f"{error}",))
    files = {**wanted.files, path: after.encode()}
    return replace(wanted, files=files, beside=(path,)), Part()


class Change(NamedTuple):
    """What becomes of the files; `found` is what GitHub holds, None where no commit is yet.

    `direct` commits go on the default branch itself.
    """

    update: Update
    found: Snapshot | None
    direct: bool

    def plan(self, *, exists: bool) -> tuple[str, Part]:
        """Return what is done with the files, empty for nothing, and what is said of it."""
        wanted, found = self.update.wanted, self.found
        if found is None and (exists or not self.direct):
            return "", Part(left=(_FIRST_PUSH,))
        if found is None:
            named = ", ".join(wanted.named(wanted.files))
            return f"commit {named}", self._lacking(wanted.dockerfiles)
        lacking = self._lacking(proposal.missing_dockerfiles(wanted, found))
        if proposal.in_step(wanted, found.base):
            already = Part(already=(f"{found.base.name} has the spec and its workflows",))
            return "", together(already, lacking)
        if self.direct:
            named = ", ".join(wanted.named(proposal.changes(wanted, found.base)))
            return f"commit {named} on {found.base.name}", lacking
        return self._proposed(found)

    def _lacking(self, dockerfiles: Iterable[str]) -> Part:
        """Return what is said of Dockerfiles that are not there; a template may have them."""
        why = "and what it builds: without it every run fails"
        return Part(left=tuple(f"push {file} {why}" for file in dockerfiles))

    def _proposed(self, found: Snapshot) -> tuple[str, Part]:
        todo = proposal.plan(self.update.wanted, found)
        steps = todo.steps(self.update.wanted, found, self.update.names.branch)
        pull = found.pull.url if found.pull else ""
        merge = (f"merge the pull request {pull}".rstrip(),)
        if steps:
            return "; ".join(steps), Part(left=merge if pull else ())
        return "", Part(
            already=(f"the pull request {pull} has the spec and its workflows",), left=merge
        )

    def apply(self) -> str:
        """Change the files; return the address of the pull request, empty without one."""
        update = self.update
        if self.found is None or not self.direct:
            return update.apply(self.found).pull_request or "" if self.found else ""
        base = self.found.base
        update.repository.commit(
            base.name,
            onto=base.head,
            message=proposal.marked(f"{update.names.message}\n\n{_NO_RUN}"),
            files=proposal.changes(update.wanted, base),
            executable=base.executable,
        )
        return ""
