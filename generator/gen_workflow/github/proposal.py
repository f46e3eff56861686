"""Plans one update of a repository: pure, from what is wanted and what GitHub holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from gen_workflow import files as own_files
from gen_workflow.errors import Heading
from gen_workflow.sync import compare, drift, stamp
from gen_workflow.sync.outcome import BY_HAND, IN_STEP, State
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.workflow.records import Need, Needs

WORKFLOW = PurePath(own_files.WORKFLOW).as_posix()
LOCK = PurePath(own_files.LOCK).as_posix()  # goes with the workflows, and is no reason to commit
_NOT_OURS = f"it {drift.NOT_OURS}"
_MADE_BY = "Made-by: gen-workflow"


@dataclass(frozen=True)
class Wanted:
    """The files that a repository should hold, and what must exist on GitHub for them.

    `dockerfiles` are the paths of the Dockerfiles, which are not ours to commit. `ours` are the
    repositories of our own actions. `former` are paths that an earlier spec may have given, and
    this one does not. `merged` are the workflows as they were before an edit or a
    moved pin in them was merged into `files`.
    """

    source: str
    files: dict[str, bytes]
    needs: tuple[Needs, ...]
    dockerfiles: tuple[str, ...]
    ours: frozenset[str] = frozenset()
    merged: dict[str, bytes] = field(default_factory=dict)
    former: tuple[str, ...] = ()

    @property
    def workflows(self) -> tuple[str, ...]:
        """The paths of the files that are made from the spec."""
        return tuple(path for path in self.files if path not in (self.source, LOCK))

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that are looked at."""
        return tuple(dict.fromkeys((*self.files, *self.dockerfiles, *self.former)))


@dataclass(frozen=True)
class Branch:
    """A branch on GitHub: the commit at its head, and which of our files are there.

    `blobs` are their object names in git; the text of a binary file is empty.
    """

    name: str
    head: str
    blobs: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)

    def with_texts(self, texts: Mapping[str, str]) -> Branch:
        """Return it with the texts of these objects."""
        new = {path: texts[oid] for path, oid in self.blobs.items() if oid in texts}
        return replace(self, texts={**self.texts, **new})


@dataclass(frozen=True)
class Since:
    """What happened since a branch left its base.

    `changed` are the files of ours that the base changed: then the branch cannot be merged.
    `theirs` is a commit on the branch that gen-workflow did not make, "" when there is none.
    """

    changed: tuple[str, ...] = ()
    theirs: str = ""


@dataclass(frozen=True)
class PullRequest:
    """An open pull request."""

    number: int
    url: str
    body: str


@dataclass(frozen=True)
class Snapshot:
    """What GitHub holds; `repository` is its name today, which may be a new one.

    `merged` is the head of the last merged pull request from the branch, "" when there is none.
    `closed` is the last pull request from the branch into the base, when it was closed without a
    merge. `behind` tells that the base may have commits that the branch has not; `since` then says
    what they are about.
    """

    repository: str
    base: Branch
    branch: Branch | None = None
    pull: PullRequest | None = None
    merged: str = ""
    closed: str = ""
    behind: bool = False
    since: Since = Since()

    def with_texts(self, texts: Mapping[str, str]) -> Snapshot:
        """Return it with the texts of these objects in place of what GraphQL left of them."""
        if not texts:
            return self
        base, branch = (one and one.with_texts(texts) for one in (self.base, self.branch))
        return replace(self, base=base or self.base, branch=branch)

    @property
    def left_over(self) -> bool:
        """Whether the branch holds nothing but a merged pull request.

        After a squash such a branch conflicts with its base, so no commit goes on top of it.
        """
        merged = self.branch is not None and self.branch.head == self.merged
        return merged and self.pull is None


@dataclass(frozen=True)
class Edit:
    """An edit that a user made to one of our files on GitHub."""

    branch: str
    path: str
    what: str

    @property
    def anchor(self) -> str:
        """The heading in docs/errors.md that says more."""
        return Heading.NOT_OURS if self.what == _NOT_OURS else Heading.EDITED


@dataclass(frozen=True)
class Plan:
    """The steps of an update, in this order; a step that is empty is not taken."""

    creates: bool = False
    restarts: bool = False
    rebuilds: bool = False
    head: str = ""  # the commit that the files go on top of
    files: dict[str, bytes] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    opens: bool = False
    updates: bool = False

    def steps(self, found: Snapshot, branch: str) -> list[str]:
        """Return the steps in words, for a dry run."""
        base = found.base.name
        pull = f"pull request {found.pull.url}" if found.pull else "the pull request"
        steps = [
            (self.creates, f"create the branch {branch} at {base} ({self.head[:7]})"),
            (self.rebuilds, f"build {branch} again on {base} ({self.head[:7]})"),
            (self.restarts, f"move the merged branch {branch} to {base} ({self.head[:7]})"),
            (bool(self.files), f"commit {', '.join(self.files)} on {branch}"),
            (bool(self.deletes), f"remove {', '.join(self.deletes)} on {branch}"),
            (self.opens, f"open a pull request from {branch} into {base}"),
            (self.updates, f"update the text of {pull}"),
        ]
        return [text for taken, text in steps if taken]


def marked(message: str) -> str:
    """Return the message of a commit with the line that tells later that we made it."""
    message = message.strip()
    between = "\n" if re.search(r"\n[A-Za-z-]+: .*\Z", message) else "\n\n"
    return f"{message}{between}{_MADE_BY} {__version__}"


def is_marked(message: str) -> bool:
    """Tell whether the message of a commit ends with our line."""
    return message.rstrip().rpartition("\n")[2].startswith(f"{_MADE_BY} ")


def differing(files: dict[str, bytes], branch: Branch) -> dict[str, bytes]:
    """Return the files that the branch lacks, or holds with other content."""
    return {
        path: content
        for path, content in files.items()
        if branch.blobs.get(path) != stamp.blob(content)
    }


def left(wanted: Wanted, branch: Branch, *, edited: bool = False) -> tuple[str, ...]:
    """Return the files that an earlier spec gave and that go; with `edited` those that stay.

    The workflow on the branch names the files that were written with it. One that somebody has
    edited stays, as it does for `generate`.
    """
    about = stamp.of(branch.texts.get(WORKFLOW, "").encode())
    texts = {
        path: branch.texts.get(path, "").encode()
        for path in (about.files if about else ())
        if path in wanted.former and path in branch.blobs
    }
    states = {path: compare.left(path, text).state for path, text in texts.items()}
    return tuple(path for path, state in states.items() if (state == State.LEFT_EDITED) == edited)


def in_step(wanted: Wanted, branch: Branch) -> bool:
    """Tell whether a branch needs no commit; a header of another version is no difference."""
    if left(wanted, branch):
        return False
    changed = differing(wanted.files, branch)
    return all(
        path in wanted.workflows and _state(path, wanted, branch) in IN_STEP
        for path in changed
        if path != LOCK
    )


def _state(path: str, wanted: Wanted, there: Branch) -> str:
    """Return the state of a workflow on GitHub; one in which a bot moved pins may be in step."""
    if path not in there.blobs:
        return State.MISSING
    text = there.texts.get(path, "").encode()
    return compare.alone(path, text, wanted.files[path], wanted.ours).state


def may_be_stale(wanted: Wanted, found: Snapshot) -> bool:
    """Tell whether the base may have changed our files since the branch left it."""
    branches = found.branch is not None and found.behind and not found.left_over
    return branches and not in_step(wanted, found.base)


def plan(wanted: Wanted, found: Snapshot) -> Plan:
    """Return what brings the repository in step; the empty plan when the base is."""
    if in_step(wanted, found.base):
        return Plan()
    rebuilds = bool(found.since.changed)
    keeps = None if found.left_over or rebuilds else found.branch
    onto = keeps or found.base
    files, deletes = differing(wanted.files, onto), left(wanted, onto)
    pull = found.pull
    return Plan(
        creates=found.branch is None,
        restarts=found.left_over,
        rebuilds=rebuilds,
        head=onto.head,
        files=files,
        deletes=deletes,
        opens=pull is None,
        updates=pull is not None and bool(files or deletes) and pull.body != body(wanted, found),
    )


def edit(wanted: Wanted, found: Snapshot) -> Edit | None:
    """Return an edit that the update would remove: in the base, or on the branch."""
    if in_step(wanted, found.base):
        return None
    for path in wanted.workflows:
        if what := _written_by_hand(path, wanted, found.base):
            return Edit(found.base.name, path, what)
    branch = found.branch
    if branch is None or found.left_over:
        return None
    for path in wanted.workflows:
        differs = branch.blobs.get(path) != found.base.blobs.get(path)
        if differs and (what := _written_by_hand(path, wanted, branch)):
            return Edit(branch.name, path, what)
    return _edited_spec(wanted, branch)


def _written_by_hand(path: str, wanted: Wanted, there: Branch) -> str:
    if path not in there.blobs or path not in differing(wanted.files, there):
        return ""
    text = there.texts.get(path, "").encode()
    if path in wanted.merged and stamp.plain(text) == stamp.plain(wanted.merged[path]):
        return ""  # the edit is in what is committed
    state = _state(path, wanted, there)
    if state == State.NOT_OURS:
        return _NOT_OURS
    return "it was edited by hand" if state in BY_HAND else ""


def _edited_spec(wanted: Wanted, branch: Branch) -> Edit | None:
    """Return an edit of the spec on our branch: there the workflow was made from another spec."""
    source = wanted.source
    made = stamp.of(branch.texts.get(WORKFLOW, "").encode())
    if made is None or source not in branch.blobs or source not in differing(wanted.files, branch):
        return None
    if stamp.digest(branch.texts.get(source, "").encode()) == made.spec:
        return None
    return Edit(branch.name, source, "it was edited by hand")


def missing_dockerfiles(wanted: Wanted, found: Snapshot) -> list[str]:
    """Return the Dockerfiles that neither the base nor the branch holds."""
    sides = [found.base, *([found.branch] if found.branch else [])]
    return [file for file in wanted.dockerfiles if not any(file in one.blobs for one in sides)]


def body(wanted: Wanted, found: Snapshot) -> str:
    """Return the text of the pull request: what changes, and what must exist before the merge."""
    base = found.base
    changed = differing(wanted.files, base)
    lines = [f"This brings the repository in step with `{wanted.source}`.", ""]
    lines += ["| file | change |", "| --- | --- |"]
    lines += [f"| `{path}` | {'changed' if path in base.blobs else 'added'} |" for path in changed]
    lines += [f"| `{path}` | removed: the spec no longer gives it |" for path in left(wanted, base)]
    for path in left(wanted, base, edited=True):
        lines += ["", f"{_stays(path)}: remove it by hand when nobody needs it."]
    for file in missing_dockerfiles(wanted, found):
        there = f"`{base.name}` has no `{file}`"
        lines += ["", f"{there}: push it before you merge this, or the build fails."]
    for needs in wanted.needs:
        lines += ["", f"Before you merge this, create in **{needs.place}**:", ""]
        lines += _listed("variable", needs.variables) + _listed("secret", needs.secrets)
    lines += [
        "",
        f"Made by gen-workflow {__version__}. To change it, edit `{wanted.source}` and run",
    ]
    lines += ["`gen-workflow commit` again: this updates the pull request."]
    return "\n".join(lines) + "\n"


def _stays(path: str) -> str:
    return f"The spec no longer gives `{path}`. It was edited by hand, so it stays"


def _listed(kind: str, needs: tuple[Need, ...]) -> list[str]:
    return [
        f"- {kind} `{need.name}`{' (optional)' if need.optional else ''}: {need.purpose}"
        for need in needs
    ]
