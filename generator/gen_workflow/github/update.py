"""One update of one repository: reads it, plans, and applies the plan step by step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, GenWorkflowError, UserError
from gen_workflow.github import proposal
from gen_workflow.github.refusal import Moved

if TYPE_CHECKING:
    from collections.abc import Callable

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
    done: list[str] = field(default_factory=list)

    def read(self) -> Snapshot:
        """Return what GitHub holds."""
        paths = tuple(self.wanted.files)
        found = self.repository.read(base=self.names.base, branch=self.names.branch, paths=paths)
        if found.base.name == self.names.branch:
            hint = "give a branch of its own, such as gen-workflow/update"
            what = f"{self.names.branch} is the branch that the pull request merges into"
            raise UserError(what, where="--branch", hint=hint)
        if not self.force:
            self._refuse_to_lose(found)
        return found

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
        raise Drift(what, where=edit.path, hint=hint)

    def dry_run(self, found: Snapshot) -> Result:
        """Return the steps that would be taken."""
        todo = proposal.plan(self.wanted, found)
        if todo == proposal.Plan():
            return self._nothing(found)
        url = found.pull.url if found.pull else None
        line = f"{found.repository}: nothing to do, pull request {url}"
        if steps := todo.steps(found, self.names.branch):
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
        self._prepare_branch(todo, found)
        commit = self._commit(todo)
        pull = self._pull_request(todo, found)
        said = "pull request" if self.done else "nothing to do, pull request"
        return Result(
            f"{found.repository}: {said} {pull.url}",
            self.names.branch,
            commit,
            pull.url,
            tuple(proposal.differing(self.wanted.files, found.base)),
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
        made = self.repository.commit(
            self.names.branch, onto=todo.head, message=self.names.message, files=todo.files
        )
        verified = "verified" if made.verified else "not signed by this GitHub"
        self._note(f"committed {made.oid[:7]} ({verified}): {', '.join(todo.files)}")
        return made.oid

    def _pull_request(self, todo: proposal.Plan, found: Snapshot) -> PullRequest:
        body = proposal.body(self.wanted, found.base)
        if found.pull is None:
            pull = self.repository.open_pull_request(
                self.names.branch, base=found.base.name, title=self.names.title, body=body
            )
            self._note(f"opened pull request {pull.number}")
            return pull
        if todo.updates:
            self.repository.describe_pull_request(found.pull.number, body)
            self._note(f"updated the text of pull request {found.pull.number}")
        return replace(found.pull, body=body)

    def _note(self, step: str) -> None:
        self.done.append(step)
        self.log(step)


class _Unfinished(GenWorkflowError):  # noqa: N818 - named after what it is
    """An update that stopped before its end; its message says which steps were taken."""

    def __init__(self, cause: GenWorkflowError, done: list[str]) -> None:
        super().__init__(
            f"{cause}\n  done before that: {'; '.join(done)}; a new run continues there"
        )
        self.exit_code = cause.exit_code
