"""The verb `commit`: spec and workflow, as one verified commit and a pull request."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from gen_workflow import proposal, remote, stamp
from gen_workflow.errors import Drift, GenWorkflowError, UserError
from gen_workflow.generate import Project
from gen_workflow.github import Repository, check_token
from gen_workflow.output import put, tell
from gen_workflow.proposal import PullRequest, Snapshot, Wanted
from gen_workflow.refusal import Moved

_BRANCH = "gen-workflow/update"
_EPILOG = """\
environment: GH_TOKEN or GITHUB_TOKEN is the token; GITHUB_API_URL is the API, when not github.com's

examples:
  gen-workflow commit --dry-run     tell what would be done
  gen-workflow commit               do it; a second run changes nothing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `commit` understands to its parser."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "-C", dest="folder", default=".", metavar="DIR", help="the repository; default: here"
    )
    parser.add_argument(
        "--spec", default=stamp.SPEC, metavar="FILE", help=f"the spec in DIR; default: {stamp.SPEC}"
    )
    parser.add_argument(
        "--templates",
        default="",
        metavar="DIR",
        help="templates that replace ours of the same name",
    )
    parser.add_argument(
        "--repo", default="", metavar="OWNER/NAME", help="default: what the remote origin names"
    )
    parser.add_argument(
        "--branch", default=_BRANCH, metavar="NAME", help=f"commit there; default: {_BRANCH}"
    )
    parser.add_argument(
        "--base", default="", metavar="NAME", help="merge into it; default: the default branch"
    )
    parser.add_argument("--message", default="", metavar="TEXT", help="of the commit")
    parser.add_argument("--title", default="", metavar="TEXT", help="of the pull request")
    parser.add_argument("--api-url", default="", metavar="URL", help="default: GITHUB_API_URL")
    parser.add_argument("--force", action="store_true", help="replace edits made by hand on GitHub")
    parser.add_argument("--dry-run", action="store_true", help="tell the steps, take none")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Bring the repository on GitHub in step with the spec; return the exit code."""
    names = Names.of(arguments)
    wanted = _wanted(Project.of(arguments))
    api = arguments.api_url or os.environ.get("GITHUB_API_URL", "")
    where = remote.find(arguments.folder, slug=arguments.repo, api=api)
    token = check_token(os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or "")
    repository = Repository(where.slug, token, where.api)
    try:
        update = Update(repository, wanted, names, force=arguments.force)
        found = update.read()
        result = update.told(found) if arguments.dry_run else update.brought(found)
    finally:
        repository.close()
    return put(f"{json.dumps(result.as_data()) if arguments.json else result.line}\n")


@dataclass(frozen=True)
class Names:
    """What the branch, the commit and the pull request are called."""

    branch: str
    base: str
    message: str
    title: str

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Names:
        """Return the names; raises UserError when git would not take them."""
        branch = remote.check_branch(arguments.branch, "--branch")
        base = remote.check_branch(arguments.base, "--base") if arguments.base else ""
        default = f"Bring the workflow in step with {PurePosixPath(arguments.spec).name}"
        message = arguments.message.strip() or default
        title = arguments.title.strip() or message.splitlines()[0]
        if not title.isprintable():
            raise UserError(f"{title!r} is not one line of text", where="--title")
        return cls(branch, base, message, title)


@dataclass(frozen=True)
class Result:
    """What came of it; `line` is for a person."""

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
    """One update of one repository: read, plan, apply; all that was done is told."""

    repository: Repository
    wanted: Wanted
    names: Names
    force: bool = False
    done: list[str] = field(default_factory=list)

    def read(self) -> Snapshot:
        """Return what GitHub holds."""
        paths = tuple(self.wanted.files)
        found = self.repository.read(base=self.names.base, branch=self.names.branch, paths=paths)
        if found.base.name == self.names.branch:
            hint = "give another name; the pull request is there to be reviewed"
            what = f"{self.names.branch} is the branch that the pull request goes to"
            raise UserError(what, where="--branch", hint=hint)
        if not self.force:
            self._refuse_to_lose(found)
        return found

    def _refuse_to_lose(self, found: Snapshot) -> None:
        """Raise Drift when somebody wrote on GitHub what this update would take away."""
        edit = proposal.edit(self.wanted, found)
        if edit is None:
            return
        what = f"on {edit.branch} {edit.what}; nothing was committed"
        hint = "say the edit in the spec, then replace the file with --force"
        if edit.branch == self.names.branch:
            pull = f"merge or close pull request {found.pull.url}" if found.pull else "merge it"
            hint = f"{pull}, or take another branch with --branch; --force drops the edit"
        raise Drift(what, where=edit.path, hint=hint)

    def told(self, found: Snapshot) -> Result:
        """Return the steps that would be taken."""
        todo = proposal.plan(self.wanted, found)
        if todo == proposal.Plan():
            return self._nothing(found)
        url = found.pull.url if found.pull else None
        line = f"{found.repository}: nothing new, pull request {url}"
        if steps := todo.steps(found, self.names.branch):
            line = "\n  ".join([f"{found.repository}: would", *steps])
        return Result(line, self.names.branch, None, url, tuple(todo.files))

    def brought(self, found: Snapshot) -> Result:
        """Take the steps; when somebody else was faster, read once more and go on from there."""
        try:
            try:
                return self._apply(found)
            except Moved:
                return self._apply(self.read())
        except GenWorkflowError as error:
            if not self.done:
                raise
            raise _Unfinished(error, self.done) from None

    def _apply(self, found: Snapshot) -> Result:
        todo = proposal.plan(self.wanted, found)
        if todo == proposal.Plan():
            return self._nothing(found)
        self._prepare_branch(todo, found)
        commit = self._commit(todo)
        pull = self._pull_request(todo, found)
        said = "pull request" if self.done else "nothing new, pull request"
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
            self._tell(f"created the branch {branch}")
        if todo.restarts and found.branch:
            self.repository.move_branch(branch, before=found.branch.head, after=todo.head)
            self._tell(f"moved the merged branch {branch} to {found.base.name}")

    def _commit(self, todo: proposal.Plan) -> str:
        if not todo.files:
            return todo.head
        made = self.repository.commit(
            self.names.branch, onto=todo.head, message=self.names.message, files=todo.files
        )
        verified = "verified" if made.verified else "not signed by this GitHub"
        self._tell(f"committed {made.oid[:7]} ({verified}): {', '.join(todo.files)}")
        return made.oid

    def _pull_request(self, todo: proposal.Plan, found: Snapshot) -> PullRequest:
        body = proposal.body(self.wanted, found.base)
        if found.pull is None:
            pull = self.repository.open_pull_request(
                self.names.branch, base=found.base.name, title=self.names.title, body=body
            )
            self._tell(f"opened pull request {pull.number}")
            return pull
        if todo.updates:
            self.repository.describe_pull_request(found.pull.number, body)
            self._tell(f"updated the text of pull request {found.pull.number}")
        return replace(found.pull, body=body)

    def _tell(self, step: str) -> None:
        self.done.append(step)
        tell(step)


class _Unfinished(GenWorkflowError):  # noqa: N818 - named after what it is
    """An update that stopped half way; its message says what is done."""

    def __init__(self, cause: GenWorkflowError, done: list[str]) -> None:
        super().__init__(f"{cause}\n  done before that: {'; '.join(done)}; a new run goes on there")
        self.exit_code = cause.exit_code


def _wanted(project: Project) -> Wanted:
    """Return the files that the repository should hold; raises Drift rather than lose an edit."""
    made = project.made()
    before = project.on_disk()
    if before is not None:
        project.refuse_to_lose(before)
    files = {project.source: made.spec, proposal.WORKFLOW: made.text.encode()}
    return Wanted(project.source, files, made.needs)
