"""Plans one update of a repository: pure, from what is wanted and what GitHub holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from gen_workflow import files as own_files
from gen_workflow.errors import Heading
from gen_workflow.github.handling import PLAIN, Handling
from gen_workflow.spec.actions import is_folder
from gen_workflow.sync import compare, drift, stamp
from gen_workflow.sync.outcome import BY_HAND, IN_STEP, State
from gen_workflow.vendored import lock
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_workflow.workflow.records import Need, Needs

WORKFLOW = PurePath(own_files.WORKFLOW).as_posix()
LOCK = PurePath(own_files.LOCK).as_posix()  # goes with the workflows, and is no reason to commit
_NOT_OURS = f"it {drift.NOT_OURS}"
_BY_HAND = "it was edited by hand"
# In characters. Source: https://github.com/renovatebot/renovate/issues/2032.
_LONGEST_BODY = 65_536
_MADE_BY = "Made-by: gen-workflow"


@dataclass(frozen=True)
class Wanted:
    """The files that a repository should hold, and what must exist on GitHub for them.

    `dockerfiles` are the paths of the Dockerfiles, which are not ours to commit. `ours` are the
    repositories of our own actions. `merged` are the workflows as they were before an edit or a
    moved pin in them was merged into `files`. `folder` is that of the copy of our actions, empty
    without one. What has to go is None in `files`; `further` paths are looked at, and stay.
    `former` are paths that an earlier spec may have given, and this one does not. `runs` says in
    Markdown what runs for which event. `beside` are files that are written with the others, and
    that people edit.
    """

    source: str
    files: dict[str, bytes | None]
    needs: tuple[Needs, ...]
    dockerfiles: tuple[str, ...]
    ours: frozenset[str] = frozenset()
    merged: dict[str, bytes] = field(default_factory=dict)
    folder: str = ""
    further: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    runs: str = ""
    beside: tuple[str, ...] = ()

    @property
    def workflows(self) -> tuple[str, ...]:
        """The paths of the files that are made from the spec."""
        others = (self.source, LOCK, *self.beside)
        there = (path for path, content in self.files.items() if content is not None)
        return tuple(path for path in there if path not in others and not self.is_copied(path))

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that are looked at."""
        further = (*self.further, *self.former)
        return tuple(dict.fromkeys((*self.files, *self.dockerfiles, *further)))

    def is_copied(self, path: str) -> bool:
        """Tell whether a path is one of the copy of our actions."""
        return bool(self.folder) and path.startswith(f"{self.folder}/")

    def named(self, paths: Iterable[str]) -> list[str]:
        """Return paths as people read them: the many of the copy as one."""
        listed = [*paths]
        copied = sum(map(self.is_copied, listed))
        others = [path for path in listed if not self.is_copied(path)]
        return [*others, *([f"{self.folder} ({copied} files)"] if copied else [])]


@dataclass(frozen=True)
class Branch:
    """A branch on GitHub: the commit at its head, and which of our files are there.

    `blobs` are their object names in git; the text of a binary file is empty. `executable` are the
    paths of those that may be executed.
    """

    name: str
    head: str
    blobs: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    executable: frozenset[str] = frozenset()

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
    """A pull request: `node` is its name in GraphQL, `head` the commit that it proposes.

    `labels`, `asked` (somebody was asked for a review, or has reviewed) and `merges` (GitHub merges
    it when it may) are known when `Handling` needs them.
    """

    number: int
    url: str
    body: str
    node: str = ""
    head: str = ""
    labels: tuple[str, ...] = ()
    asked: bool = False
    merges: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What GitHub holds; `repository` is its name today, which may be a new one.

    `merged` is the head of the last merged pull request from the branch, "" when there is none.
    `closed` is the last pull request from the branch into the base, when it was closed without a
    merge. `merging` is the way in which GitHub can merge by itself, "" when it may not. `empty` is
    a repository without a commit; its base has no name then. `behind` tells that the base may have
    commits that the branch has not; `since` then says what they are about.
    """

    repository: str
    base: Branch
    branch: Branch | None = None
    pull: PullRequest | None = None
    merged: str = ""
    closed: PullRequest | None = None
    merging: str = ""
    empty: bool = False
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
    files: dict[str, bytes | None] = field(default_factory=dict)
    opens: bool = False
    updates: bool = False
    labels: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    merges: bool = False

    def kept(self, wanted: Wanted) -> list[str]:
        """Return the files that are written, as people read them."""
        files = self.files.items()
        return wanted.named(
            path for path, content in files if content is not None or wanted.is_copied(path)
        )

    def gone(self, wanted: Wanted) -> list[str]:
        """Return the files that are removed; those of a copy of our actions are not named."""
        files = self.files.items()
        return [path for path, content in files if content is None and not wanted.is_copied(path)]

    def steps(self, wanted: Wanted, found: Snapshot, branch: str) -> list[str]:
        """Return the steps in words, for a dry run."""
        base = found.base.name
        pull = f"pull request {found.pull.url}" if found.pull else "the pull request"
        steps = [
            (self.updates, f"update the text of {pull}"),
            (self.creates, f"create the branch {branch} at {base} ({self.head[:7]})"),
            (self.rebuilds, f"build {branch} again on {base} ({self.head[:7]})"),
            (self.restarts, f"move the merged branch {branch} to {base} ({self.head[:7]})"),
            (bool(self.kept(wanted)), f"commit {', '.join(self.kept(wanted))} on {branch}"),
            (bool(self.gone(wanted)), f"remove {', '.join(self.gone(wanted))} on {branch}"),
            (self.opens, f"open a pull request from {branch} into {base}"),
            (bool(self.labels), f"add {_labels(self.labels)} to {pull}"),
            (bool(self.asks), f"ask {', '.join(self.asks)} for a review of {pull}"),
            (self.merges, f"let GitHub merge {pull} as soon as it may"),
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


def differing(files: dict[str, bytes | None], branch: Branch) -> dict[str, bytes | None]:
    """Return the files that the branch lacks, or holds with other content, or should not hold."""
    return {
        path: content
        for path, content in files.items()
        if branch.blobs.get(path) != (None if content is None else stamp.blob(content))
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


def changes(wanted: Wanted, branch: Branch) -> dict[str, bytes | None]:
    """Return what a commit on a branch has to write, and as None what it has to remove."""
    return differing(wanted.files, branch) | dict.fromkeys(left(wanted, branch))


def in_step(wanted: Wanted, branch: Branch) -> bool:
    """Tell whether a branch needs no commit; a header of another version is no difference."""
    if left(wanted, branch):
        return False
    changed = differing(wanted.files, branch)
    return all(
        (path in wanted.workflows and _state(path, wanted, branch) in IN_STEP)
        or _same_lock(wanted, branch, path)
        for path in changed
        if path != LOCK
    )


def _state(path: str, wanted: Wanted, there: Branch) -> str:
    """Return the state of a workflow on GitHub; one in which a bot moved pins may be in step."""
    if path not in there.blobs:
        return State.MISSING
    text = there.texts.get(path, "").encode()
    return compare.alone(path, text, wanted.files[path] or b"", wanted.ours).state


def may_be_stale(wanted: Wanted, found: Snapshot) -> bool:
    """Tell whether the base may have changed our files since the branch left it."""
    branches = found.branch is not None and found.behind and not found.left_over
    return branches and not in_step(wanted, found.base)


def plan(wanted: Wanted, found: Snapshot, handling: Handling = PLAIN) -> Plan:
    """Return what brings the repository in step; the empty plan when the base is."""
    if in_step(wanted, found.base):
        return Plan()
    rebuilds = bool(found.since.changed)
    keeps = None if found.left_over or rebuilds else found.branch
    onto = keeps or found.base
    files = changes(wanted, onto)
    pull = found.pull
    return Plan(
        creates=found.branch is None,
        restarts=found.left_over,
        rebuilds=rebuilds,
        head=onto.head,
        files=files,
        opens=pull is None,
        updates=pull is not None and bool(files) and pull.body != body(wanted, found),
        labels=_missing(handling.labels, pull.labels if pull else ()),
        asks=() if pull and pull.asked else handling.reviewers,
        merges=handling.merges and not (pull and pull.merges),
    )


def _missing(labels: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that are not there; to GitHub, the case of a name is no difference."""
    known = {one.lower() for one in there}
    return tuple(one for one in labels if one.lower() not in known)


def _labels(names: tuple[str, ...]) -> str:
    return f"the label{'s' if len(names) > 1 else ''} {', '.join(names)}"


def edit(wanted: Wanted, found: Snapshot) -> Edit | None:
    """Return an edit that the update would remove: in the base, or on the branch."""
    if in_step(wanted, found.base):
        return None
    for path, what in _by_hand(wanted, found.base):
        return Edit(found.base.name, path, what)
    branch = found.branch
    if branch is None or found.left_over:
        return None
    for path, what in _by_hand(wanted, branch):
        if branch.blobs.get(path) != found.base.blobs.get(path):
            return Edit(branch.name, path, what)
    return _edited_spec(wanted, branch)


def _by_hand(wanted: Wanted, branch: Branch) -> Iterator[tuple[str, str]]:
    """Yield what a person wrote on a branch, and how it is to be called."""
    for path in wanted.workflows:
        if what := _written_by_hand(path, wanted, branch):
            yield path, what
    yield from ((path, _BY_HAND) for path in _edited_copies(wanted, branch))


def _written_by_hand(path: str, wanted: Wanted, there: Branch) -> str:
    if path not in there.blobs or path not in differing(wanted.files, there):
        return ""
    text = there.texts.get(path, "").encode()
    if path in wanted.merged and stamp.plain(text) == stamp.plain(wanted.merged[path]):
        return ""  # the edit is in what is committed
    state = _state(path, wanted, there)
    if state == State.NOT_OURS:
        return _NOT_OURS
    return _BY_HAND if state in BY_HAND else ""


def _edited_spec(wanted: Wanted, branch: Branch) -> Edit | None:
    """Return an edit of the spec on our branch: there the workflow was made from another spec."""
    source = wanted.source
    made = stamp.of(branch.texts.get(WORKFLOW, "").encode())
    if made is None or source not in branch.blobs or source not in differing(wanted.files, branch):
        return None
    if stamp.digest(branch.texts.get(source, "").encode()) == made.spec:
        return None
    return Edit(branch.name, source, _BY_HAND)


def missing_dockerfiles(wanted: Wanted, found: Snapshot) -> list[str]:
    """Return the Dockerfiles that neither the base nor the branch holds."""
    sides = [found.base, *([found.branch] if found.branch else [])]
    return [file for file in wanted.dockerfiles if not any(file in one.blobs for one in sides)]


def body(wanted: Wanted, found: Snapshot) -> str:
    """Return the text of the pull request: what changes, and what must exist before the merge.

    What runs is left out where the text would be longer than GitHub takes.
    """
    text = _body(wanted, found)
    return text if len(text) <= _LONGEST_BODY else _body(replace(wanted, runs=""), found)


def _body(wanted: Wanted, found: Snapshot) -> str:
    base = found.base
    lines = [f"This brings the repository in step with `{wanted.source}`.", ""]
    lines += ["| file | change |", "| --- | --- |"]
    lines += [f"| `{name}` | {what} |" for name, what in _changes(wanted, base)]
    lines += ["", "What the workflow does then:", "", wanted.runs] if wanted.runs else []
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


def _changes(wanted: Wanted, base: Branch) -> Iterator[tuple[str, str]]:
    """Yield what becomes of each file; of a copy, which has many, as one."""
    changed = differing(wanted.files, base)
    for path, content in changed.items():
        if not wanted.is_copied(path):
            new = f"changed{_why(path, wanted, base)}" if path in base.blobs else "added"
            yield path, "removed" if content is None else new
    for path in left(wanted, base):
        yield path, "removed: the spec no longer gives it"
    if copied := sum(map(wanted.is_copied, changed)):
        yield f"{wanted.folder}/", f"the actions: {copied} files"


def _why(path: str, wanted: Wanted, base: Branch) -> str:
    """Return in brackets why a workflow of ours is another one today; empty when it is unknown."""
    found = stamp.of(base.texts.get(path, "").encode())
    meant = stamp.of(wanted.files[path] or b"")
    if path not in wanted.workflows or found is None or meant is None:
        return ""
    return f" ({'; '.join(drift.causes(found, meant, wanted.source))})"


def _stays(path: str) -> str:
    return f"The spec no longer gives `{path}`. It was edited by hand, so it stays"


def _listed(kind: str, needs: tuple[Need, ...]) -> list[str]:
    return [
        f"- {kind} `{need.name}`{' (optional)' if need.optional else ''}: {need.purpose}"
        for need in needs
    ]


def further(wanted: Wanted, found: Snapshot) -> tuple[str, ...]:
    """Return the paths that have to be looked at as well: the files that locks there name."""
    paths = [path for branch in _sides(found) for path in _held(wanted, branch)]
    paths += [
        f"{folder}/{lock.NAME}" for branch in _sides(found) for folder in _folders(wanted, branch)
    ]
    return tuple(path for path in dict.fromkeys(paths) if path not in wanted.paths)


def removed(wanted: Wanted, found: Snapshot) -> dict[str, None]:
    """Return the files that were copied earlier, are not any more, and nobody edited."""
    sides = [(branch, _held(wanted, branch)) for branch in _sides(found)]
    gone = [path for _, held in sides for path in held if path not in wanted.files]
    gone = [path for path in gone if not any(_is_edited(path, *side) for side in sides)]
    for branch in _sides(found):
        old = (folder for folder in _folders(wanted, branch) if folder != wanted.folder)
        gone += [f"{folder}/{lock.NAME}" for folder in old]
    return dict.fromkeys(gone)


def _edited_copies(wanted: Wanted, branch: Branch) -> Iterator[str]:
    """Yield the path of each file that is copied, and that a person wrote there."""
    held = _held(wanted, branch)
    for path, content in wanted.files.items():
        if not wanted.is_copied(path) or content is None or path.endswith(f"/{lock.NAME}"):
            continue
        if branch.blobs.get(path) != stamp.blob(content) and _is_edited(path, branch, held):
            yield path


def _same_lock(wanted: Wanted, branch: Branch, path: str) -> bool:
    """Tell whether a path is that of a lock which names other versions, and the same files."""
    there = lock.read(branch.texts.get(path, "").encode())
    mine = lock.read(wanted.files.get(path) or b"")
    return bool(there and mine and there.hashes == mine.hashes)


def _is_edited(path: str, branch: Branch, held: dict[str, str]) -> bool:
    """Tell whether a file is there, and is not what was copied."""
    return path in branch.blobs and lock.digest(branch.texts[path].encode()) != held.get(path)


def _sides(found: Snapshot) -> list[Branch]:
    return [found.base, *([found.branch] if found.branch else [])]


def _folders(wanted: Wanted, branch: Branch) -> Iterator[str]:
    """Yield the folders of copies: that of today, and the one that the workflow there names."""
    about = stamp.of(branch.texts.get(WORKFLOW, "").encode())
    yield from filter(None, [wanted.folder])
    if about and is_folder(about.actions) and about.actions != wanted.folder:
        yield about.actions


def _held(wanted: Wanted, branch: Branch) -> dict[str, str]:
    """Return the hash of each file that a lock on a branch names, by its path."""
    found: dict[str, str] = {}
    for folder in _folders(wanted, branch):
        there = lock.read(branch.texts.get(f"{folder}/{lock.NAME}", "").encode())
        found |= {f"{folder}/{path}": each for path, each in there.hashes.items()} if there else {}
    return found
