"""One update of one repository: reads it, plans, and applies the plan step by step."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, GenWorkflowError, Heading, UserError
from gen_workflow.github import handling as ways
from gen_workflow.github import proposal
from gen_workflow.github.handling import PLAIN, Handling
from gen_workflow.github.refusal import Moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.github.by_rest import Commit
    from gen_workflow.github.client import Repository
    from gen_workflow.github.proposal import PullRequest, Snapshot, Wanted


@dataclass(frozen=True)
class Names:
    """What the branch, the commit and the pull request are called; `base` may be empty."""

    branch: str
    base: str
    message: str
    title: str


@dataclass(frozen=True)
class Result:
    """The result of an update; `line` is for the terminal."""

    line: str
    branch: str
    commit: str | None = None
    pull_request: str | None = None
    files: tuple[str, ...] = ()
    changed: bool = False

    def as_data(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "commit": self.commit,
            "pull_request": self.pull_request,
            "branch": self.branch,
            "files": list(self.files),
            "changed": self.changed,
        }


@dataclass
class Update:
    """One update of one repository; `log` reports each step that was taken."""

    repository: Repository
    wanted: Wanted
    names: Names
    log: Callable[[str], None]
    force: bool = False
    again: bool = False
    handling: Handling = PLAIN
    done: list[str] = field(default_factory=list)
    warned: bool = False

    def read(self) -> Snapshot:
        """Return what GitHub holds."""
        found = self._read()
        if found.empty or self._left(found):
            return found
        if found.base.name == self.names.branch:
            hint = "give a branch of its own, such as gen-workflow/update"
            what = f"{self.names.branch} is the branch that the pull request merges into"
            raise UserError(what, where="--branch", hint=hint, anchor=Heading.BRANCH)
        if not self.force:
            self._refuse_to_lose(found)
        self._refuse_to_reopen(found)
        self._refuse_what_cannot_be_handled(found)
        if proposal.may_be_stale(self.wanted, found):
            ours = (*self.wanted.files, *proposal.left(self.wanted, found.base))
            found = replace(found, since=self.repository.since(found, ours))
            self._refuse_to_rewrite(found)
        self._warn(found)
        return found

    def _warn(self, found: Snapshot) -> None:
        """Say once what the pull request does not bring."""
        if self.warned:
            return
        self.warned = True
        for path in proposal.left(self.wanted, found.base, edited=True):
            self.log(
                f"warning: the spec no longer gives {path}, and {found.base.name} has it, edited "
                "by hand, so it stays\n  hint: remove it when nobody needs it"
            )
        for file in proposal.missing_dockerfiles(self.wanted, found):
            self.log(
                f"warning: {found.base.name} has no {file}, so the build will "
                f"fail\n  hint: push it to {found.base.name} before the pull request is merged"
            )

    def _read(self) -> Snapshot:
        """Return what GitHub holds, also of what an earlier version copied there."""
        base, branch = self.names.base, self.names.branch
        ask = partial(self.repository.read, base=base, branch=branch, handling=self.handling)
        found = ask(paths=self.wanted.paths)
        while further := proposal.further(self.wanted, found):
            known = (*self.wanted.further, *further)
            self.wanted = replace(self.wanted, further=known)
            found = ask(paths=self.wanted.paths)
        files = self.wanted.files | proposal.removed(self.wanted, found)
        self.wanted = replace(self.wanted, files=files)
        return found

    def _refuse_to_reopen(self, found: Snapshot) -> None:
        """Raise Drift when somebody closed the last pull request, unless that is overruled."""
        if self.handling.closed != ways.STOP:
            return
        if closed := self._closed(found):
            what = f"{closed.url} was closed without a merge; nothing was committed"
            hint = "reopen it on GitHub, or open a new pull request with --again"
            raise Drift(what, where="pull request", hint=hint, anchor=Heading.CLOSED)

    def _closed(self, found: Snapshot) -> PullRequest | None:
        """Return the pull request that somebody closed, when something is to be proposed again."""
        if self.again or found.pull or found.empty or proposal.in_step(self.wanted, found.base):
            return None
        return found.closed

    def _refuse_what_cannot_be_handled(self, found: Snapshot) -> None:
        """Raise UserError for what GitHub would refuse after the pull request is open."""
        owner = found.repository.split("/")[0]
        for of, slug in self.handling.teams:
            if of.lower() != owner.lower():
                what = f"{of}/{slug} is no team of {owner}, so it cannot review there"
                hint = f"name a team of {owner}, or a person"
                raise UserError(what, where="--reviewer", hint=hint, anchor=Heading.OPTION)
        if self.handling.merges and not found.merging:
            what = "the repository does not allow GitHub to merge by itself"
            hint = "turn on Settings > General > Allow auto-merge, or leave out --auto-merge"
            raise UserError(what, where="--auto-merge", hint=hint, anchor=Heading.HANDLING)

    def _refuse_to_rewrite(self, found: Snapshot) -> None:
        """Raise Drift for a branch that has to start again, but holds commits of others."""
        changed, theirs = found.since.changed, found.since.theirs
        if not changed or not theirs:
            return
        branch, base = self.names.branch, found.base.name
        what = (
            f"since {branch} left {base}, {base} changed {' and '.join(changed)}; the branch would "
            f"have to start again at {base}, but gen-workflow did not make its commit {theirs}; "
            "nothing was committed"
        )
        hint = f"merge {base} into {branch} by hand, or choose another branch with --branch"
        where = found.pull.url if found.pull else branch
        raise Drift(what, where=where, hint=hint, anchor=Heading.OF_A_PERSON)

    def _refuse_to_lose(self, found: Snapshot) -> None:
        """Raise Drift when this update would remove an edit that was made on GitHub."""
        edit = proposal.edit(self.wanted, found)
        if edit is None:
            return
        what = f"on {edit.branch} {edit.what}; nothing was committed"
        hint = "put the edit into the spec, then replace the file with --force"
        if edit.branch == self.names.branch:
            pull = f"merge or close pull request {found.pull.url}" if found.pull else "merge it"
            hint = f"{pull}, or choose another branch with --branch; --force removes the edit"
        raise Drift(what, where=edit.path, hint=hint, anchor=edit.anchor)

    def dry_run(self, found: Snapshot) -> Result:
        """Return the steps that would be taken."""
        if found.empty:
            return self._would_begin(found)
        if left := self._left(found):
            return left
        reopens = self._reopens(found)
        found = replace(found, pull=found.pull or reopens)
        todo = proposal.plan(self.wanted, found, self.handling)
        if todo == proposal.Plan():
            return self._nothing(found)
        url = found.pull.url if found.pull else None
        line = f"{found.repository}: nothing to do, pull request {url}"
        steps = [f"reopen pull request {reopens.url}"] if reopens else []
        if steps := [*steps, *todo.steps(self.wanted, found, self.names.branch)]:
            line = "\n  ".join([f"{found.repository}: a run without --dry-run would", *steps])
        return Result(line, self.names.branch, None, url, tuple(todo.files))

    def _would_begin(self, found: Snapshot) -> Result:
        steps = [
            f"{found.repository}: a run without --dry-run would",
            f"make the first commit, with {self.wanted.source}, because the repository is empty",
            f"open a pull request from {self.names.branch} with the other files",
        ]
        return Result("\n  ".join(steps), self.names.branch, files=tuple(self.wanted.files))

    def apply(self, found: Snapshot) -> Result:
        """Take the steps; when the branch was changed meanwhile, read it again and continue."""
        try:
            try:
                return self._take(self._begun(found))
            except Moved:
                return self._take(self._begun(self.read()))
        except GenWorkflowError as error:
            if not self.done:
                raise
            raise Unfinished(error, self.done) from None

    def _begun(self, found: Snapshot) -> Snapshot:
        """Return what GitHub holds after what has to come before everything else.

        An empty repository gets its first commit, because a pull request needs one. A pull request
        is reopened before its branch is moved: GitHub would refuse that afterwards.
        """
        if found.empty:
            path = self.wanted.source
            message = proposal.marked(f"Add {path}")
            self.repository.begin(path, self.wanted.files[path] or b"", message)
            self._note(f"made the first commit, with {path}")
            return self.read()
        if closed := self._reopens(found):
            self.repository.reopen_pull_request(closed.number)
            self._note(f"reopened pull request {closed.number}")
            return self.read()
        return found

    def _reopens(self, found: Snapshot) -> PullRequest | None:
        """Return the pull request that is to be reopened; only one whose branch did not move."""
        closed = self._closed(found) if self.handling.closed == ways.REOPEN else None
        same = closed and found.branch and found.branch.head == closed.head
        return closed if same else None

    def _take(self, found: Snapshot) -> Result:
        if left := self._left(found):
            return left
        todo = proposal.plan(self.wanted, found, self.handling)
        if todo == proposal.Plan():
            return self._nothing(found)
        self._describe(todo, found)
        if todo.rebuilds and found.branch:
            commit = self._rebuild(todo, found, found.branch.head)
        else:
            self._prepare_branch(todo, found)
            commit = self._commit(todo, found)
        pull = found.pull or self._open(found)
        self._handle(todo, pull, found)
        said = "pull request" if self.done else "nothing to do, pull request"
        return Result(
            f"{found.repository}: {said} {pull.url}",
            self.names.branch,
            commit,
            pull.url,
            (
                *proposal.differing(self.wanted.files, found.base),
                *proposal.left(self.wanted, found.base),
            ),
            bool(self.done),
        )

    def _nothing(self, found: Snapshot) -> Result:
        line = f"{found.repository}: {found.base.name} is in step with {self.wanted.source},"
        line += " nothing to commit"
        if found.pull:
            line += f"; pull request {found.pull.url} is still open and no longer needed"
        return Result(line, self.names.branch, pull_request=found.pull.url if found.pull else None)

    def _left(self, found: Snapshot) -> Result | None:
        """Return the result when a pull request that somebody closed is to stay so."""
        closed = self._closed(found) if self.handling.closed == ways.LEAVE else None
        if closed is None:
            return None
        line = f"{found.repository}: {closed.url} was closed without a merge, and is left so"
        files = proposal.differing(self.wanted.files, found.base)
        return Result(line, self.names.branch, None, closed.url, tuple(files))

    def _prepare_branch(self, todo: proposal.Plan, found: Snapshot) -> None:
        branch = self.names.branch
        if todo.creates:
            self.repository.create_branch(branch, todo.head)
            self._note(f"created the branch {branch}")
        if todo.restarts and found.branch:
            self.repository.move_branch(branch, before=found.branch.head, after=todo.head)
            self._note(f"moved the merged branch {branch} to {found.base.name}")

    def _commit(self, todo: proposal.Plan, found: Snapshot) -> str:
        if not todo.files:
            return todo.head
        made = self._made(self.names.branch, todo, found)
        return self._committed(made, todo)

    def _rebuild(self, todo: proposal.Plan, found: Snapshot, before: str) -> str:
        """Make the commit on a draft, and move our branch to it.

        GitHub closes a pull request for good in the moment in which its branch has no commit that
        the base has not. So the branch is never moved to the base itself.
        """
        branch = self.names.branch
        draft = f"{branch}-{secrets.token_hex(4)}"
        try:
            with suppress(Moved):  # nobody else knows this name: it was made, and the answer lost
                self.repository.create_branch(draft, todo.head)
            made = self._made(draft, todo, found)
            self.repository.move_branch(branch, before=before, after=made.oid, draft=draft)
        except BaseException:
            self._drop(draft)
            raise
        self._note(f"built {branch} again on {found.base.name}")
        return self._committed(made, todo)

    def _drop(self, draft: str) -> None:
        try:
            self.repository.delete_branch(draft)
        except GenWorkflowError as error:
            if Heading.NOT_FOUND not in error.anchors:
                self.log(f"delete the branch {draft} on GitHub if it is still there")

    def _made(self, branch: str, todo: proposal.Plan, found: Snapshot) -> Commit:
        onto = found.branch if found.branch and found.branch.head == todo.head else found.base
        return self.repository.commit(
            branch,
            onto=todo.head,
            message=proposal.marked(self.names.message),
            files=todo.files,
            executable=onto.executable,
        )

    def _committed(self, made: Commit, todo: proposal.Plan) -> str:
        verified = "verified" if made.verified else "not signed by this GitHub"
        gone = [f"without {path}" for path in todo.gone(self.wanted)]
        files = ", ".join((*todo.kept(self.wanted), *gone))
        self._note(f"committed {made.oid[:7]} ({verified}): {files}")
        return made.oid

    def _open(self, found: Snapshot) -> PullRequest:
        pull = self.repository.open_pull_request(
            self.names.branch,
            base=found.base.name,
            title=self.names.title,
            body=proposal.body(self.wanted, found),
            draft=self.handling.draft,
        )
        self._note(f"opened pull request {pull.number}{' as a draft' * self.handling.draft}")
        return pull

    def _describe(self, todo: proposal.Plan, found: Snapshot) -> None:
        """Replace the text of the open pull request, before the commit.

        A run that ends between the two is mended by the next one, which sees that files differ.
        Whether somebody wrote the text since cannot be seen.
        """
        if todo.updates and found.pull:
            text = proposal.body(self.wanted, found)
            self.repository.describe_pull_request(found.pull.number, text)
            self._note(f"updated the text of pull request {found.pull.number}")

    def _handle(self, todo: proposal.Plan, pull: PullRequest, found: Snapshot) -> None:
        """Add labels, ask reviewers and let GitHub merge, as far as that is missing."""
        if todo.labels:
            self.repository.label(pull.number, todo.labels)
            self._note(f"added {', '.join(todo.labels)}")
        if todo.asks:
            teams = tuple(slug for _, slug in self.handling.teams)
            self.repository.ask_for_review(pull.number, self.handling.users, teams)
            self._note(f"asked {', '.join(todo.asks)} for a review")
        if todo.merges:
            self.repository.merge_when_it_may(pull, found.merging)
            self._note("GitHub merges it as soon as it may")

    def _note(self, step: str) -> None:
        self.done.append(step)
        self.log(step)


class Unfinished(GenWorkflowError):  # noqa: N818 - named after what it is
    """An update that stopped before its end; its message says which steps were taken."""

    def __init__(self, cause: GenWorkflowError, done: list[str]) -> None:
        super().__init__(
            f"{cause}\n  done before that: {'; '.join(done)}; a new run continues there",
            anchor=cause.anchors[0],
        )
        self.exit_code = cause.exit_code
