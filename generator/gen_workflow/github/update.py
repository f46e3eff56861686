"""One update of one repository: reads it, plans, and applies the plan step by step."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, GenWorkflowError, Heading, UserError
from gen_workflow.github import proposal
from gen_workflow.github.refusal import Moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.github.client import Commit, Repository
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
    done: list[str] = field(default_factory=list)

    def read(self) -> Snapshot:
        """Return what GitHub holds."""
        found = self._read()
        if found.base.name == self.names.branch:
            hint = "give a branch of its own, such as gen-workflow/update"
            what = f"{self.names.branch} is the branch that the pull request merges into"
            raise UserError(what, where="--branch", hint=hint, anchor=Heading.BRANCH)
        if not self.force:
            self._refuse_to_lose(found)
        self._refuse_to_reopen(found)
        if proposal.may_be_stale(self.wanted, found):
            ours = (*self.wanted.files, *proposal.left(self.wanted, found.base))
            found = replace(found, since=self.repository.since(found, ours))
            self._refuse_to_rewrite(found)
        for path in proposal.left(self.wanted, found.base, edited=True) if not self.done else ():
            self.log(
                f"warning: the spec no longer gives {path}, and {found.base.name} has it, edited "
                "by hand, so it stays\n  hint: remove it when nobody needs it"
            )
        for file in proposal.missing_dockerfiles(self.wanted, found) if not self.done else ():
            self.log(
                f"warning: {found.base.name} has no {file}, so the build will "
                f"fail\n  hint: push it to {found.base.name} before the pull request is merged"
            )
        return found

    def _read(self) -> Snapshot:
        """Return what GitHub holds, also of what an earlier version copied there."""
        base, branch = self.names.base, self.names.branch
        found = self.repository.read(base=base, branch=branch, paths=self.wanted.paths)
        while further := proposal.further(self.wanted, found):
            known = (*self.wanted.further, *further)
            self.wanted = replace(self.wanted, further=known)
            found = self.repository.read(base=base, branch=branch, paths=self.wanted.paths)
        files = self.wanted.files | proposal.removed(self.wanted, found)
        self.wanted = replace(self.wanted, files=files)
        return found

    def _refuse_to_reopen(self, found: Snapshot) -> None:
        """Raise Drift when somebody closed the last pull request, unless that is overruled."""
        if self.again or found.pull or not found.closed:
            return
        if not proposal.in_step(self.wanted, found.base):
            what = f"{found.closed} was closed without a merge; nothing was committed"
            hint = "reopen it on GitHub, or open a new pull request with --again"
            raise Drift(what, where="pull request", hint=hint, anchor=Heading.CLOSED)

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
        todo = proposal.plan(self.wanted, found)
        if todo == proposal.Plan():
            return self._nothing(found)
        url = found.pull.url if found.pull else None
        line = f"{found.repository}: nothing to do, pull request {url}"
        if steps := todo.steps(self.wanted, found, self.names.branch):
            line = "\n  ".join([f"{found.repository}: a run without --dry-run would", *steps])
        return Result(line, self.names.branch, None, url, tuple(todo.files))

    def apply(self, found: Snapshot) -> Result:
        """Take the steps; when the branch was changed meanwhile, read it again and continue."""
        try:
            try:
                return self._take(found)
            except Moved:
                return self._take(self.read())
        except GenWorkflowError as error:
            if not self.done:
                raise
            raise _Unfinished(error, self.done) from None

    def _take(self, found: Snapshot) -> Result:
        todo = proposal.plan(self.wanted, found)
        if todo == proposal.Plan():
            return self._nothing(found)
        self._describe(todo, found)
        if todo.rebuilds and found.branch:
            commit = self._rebuild(todo, found, found.branch.head)
        else:
            self._prepare_branch(todo, found)
            commit = self._commit(todo)
        pull = found.pull or self._open(found)
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

    def _prepare_branch(self, todo: proposal.Plan, found: Snapshot) -> None:
        branch = self.names.branch
        if todo.creates:
            self.repository.create_branch(branch, todo.head)
            self._note(f"created the branch {branch}")
        if todo.restarts and found.branch:
            self.repository.move_branch(branch, before=found.branch.head, after=todo.head)
            self._note(f"moved the merged branch {branch} to {found.base.name}")

    def _commit(self, todo: proposal.Plan) -> str:
        if not todo.files:
            return todo.head
        made = self._made(self.names.branch, todo)
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
            made = self._made(draft, todo)
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

    def _made(self, branch: str, todo: proposal.Plan) -> Commit:
        message = proposal.marked(self.names.message)
        return self.repository.commit(branch, onto=todo.head, message=message, files=todo.files)

    def _committed(self, made: Commit, todo: proposal.Plan) -> str:
        verified = "verified" if made.verified else "not signed by this GitHub"
        gone = [f"without {path}" for path in todo.gone(self.wanted)]
        files = ", ".join((*todo.kept(self.wanted), *gone))
        self._note(f"committed {made.oid[:7]} ({verified}): {files}")
        return made.oid

    def _open(self, found: Snapshot) -> PullRequest:
        body, base = proposal.body(self.wanted, found), found.base.name
        title, branch = self.names.title, self.names.branch
        pull = self.repository.open_pull_request(branch, base=base, title=title, body=body)
        self._note(f"opened pull request {pull.number}")
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

    def _note(self, step: str) -> None:
        self.done.append(step)
        self.log(step)


class _Unfinished(GenWorkflowError):  # noqa: N818 - named after what it is
    """An update that stopped before its end; its message says which steps were taken."""

    def __init__(self, cause: GenWorkflowError, done: list[str]) -> None:
        super().__init__(
            f"{cause}\n  done before that: {'; '.join(done)}; a new run continues there",
            anchor=cause.anchors[0],
        )
        self.exit_code = cause.exit_code
