"""The facts of the run: repository, commit, event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ship.runner.json_file import object_at, read_object
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPENDABOT = "dependabot[bot]"
# Those who can have a branch here; a pull request of all others is that of a fork.
INSIDERS = ("OWNER", "MEMBER", "COLLABORATOR")


class Context(NamedTuple):
    """The facts of one workflow run; a missing one is an empty string."""

    repository: str = ""
    sha: str = ""
    ref: str = ""
    event_name: str = ""
    actor: str = ""
    server: str = "https://github.com"
    run_id: str = ""
    # A run that is started again has the number of the first.
    run_attempt: str = ""
    # The number of the run among those of its workflow, and the file of that: OWNER/NAME/PATH@REF.
    run_number: str = ""
    workflow_ref: str = ""
    workspace: str = "."
    payload: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the repository without its owner, as a container may be called."""
        return re.sub(r"[^a-z0-9._-]+", "-", self.repository.rpartition("/")[2].lower()).strip(
            "-._"
        )

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def run_url(self) -> str:
        return f"{self.server}/{self.repository}/actions/runs/{self.run_id}" if self.run_id else ""

    @property
    def attempt_url(self) -> str:
        """The address of this attempt of the run."""
        again = self.run_attempt not in ("", "1")
        return f"{self.run_url}/attempts/{self.run_attempt}" if again else self.run_url

    @property
    def is_pull_request(self) -> bool:
        return self.event_name.startswith("pull_request")

    @property
    def commented(self) -> Mapping[str, Any]:
        """The pull request that the run is for a comment on; empty when it is for none."""
        issue = object_at(self.payload, "issue") if self.event_name == "issue_comment" else {}
        return issue if object_at(issue, "pull_request") else {}

    @property
    def is_check(self) -> bool:
        """Whether the run tries out what is not merged yet: a pull request or a merge queue."""
        is_one = self.is_pull_request or bool(self.commented)
        return is_one or self.event_name == "merge_group" or self.is_fork

    @property
    def is_fork(self) -> bool:
        """Whether the run is for a pull request of another repository than this one.

        A `workflow_run` after the workflow of such a pull request is, too: it has the rights of
        this repository, and often the code of the other. So is a comment on one. GitHub does not
        tell it the repository, but who cannot push to this one has opened it from another.
        """
        if self.commented:
            return self.commented.get("author_association") not in INSIDERS
        if self.event_name == "workflow_run":
            run = object_at(self.payload, "workflow_run")
            return self._is_foreign(object_at(run, "head_repository"))
        return self.is_pull_request and self._is_foreign(
            object_at(object_at(object_at(self.payload, "pull_request"), "head"), "repo")
        )

    @property
    def is_dependabot(self) -> bool:
        return self.actor == DEPENDABOT

    @property
    def without_secrets(self) -> str:
        """For which run GitHub gives no secrets of the repository, in words; mostly nothing.

        https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
        """
        if self.is_dependabot:
            return "a run of Dependabot"
        # The others for a fork have the rights of this repository.
        has_rights = self.event_name in ("pull_request_target", "workflow_run", "issue_comment")
        return "the pull request of a fork" if self.is_fork and not has_rights else ""

    def _is_foreign(self, repository: Mapping[str, Any]) -> bool:
        return repository.get("full_name") != self.repository


def read_context(env: Mapping[str, str]) -> Context:
    """Read the facts from the runner's environment and the payload of the event."""
    return Context(
        repository=env.get("GITHUB_REPOSITORY", ""),
        sha=env.get("GITHUB_SHA", ""),
        ref=env.get("GITHUB_REF", ""),
        event_name=env.get("GITHUB_EVENT_NAME", ""),
        actor=env.get("GITHUB_ACTOR", ""),
        server=env.get("GITHUB_SERVER_URL", "") or "https://github.com",
        run_id=env.get("GITHUB_RUN_ID", ""),
        run_attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
        run_number=env.get("GITHUB_RUN_NUMBER", ""),
        workflow_ref=env.get("GITHUB_WORKFLOW_REF", ""),
        workspace=env.get("GITHUB_WORKSPACE", "") or ".",
        # Less is known without a payload, but nothing fails, so it is no error.
        payload=read_object(env.get("GITHUB_EVENT_PATH", "")),
    )


def step_value(env: Mapping[str, str], name: str) -> str:
    """Return a variable of the `env:` of the step; what action.yml adds for us is none of them."""
    return "" if is_input(name) else env.get(name, "")


def is_input(name: str) -> bool:
    """Say whether a variable is for us alone: action.yml made it, and it may be a secret."""
    return name.startswith("INPUT_") or name == "JOB_TOKEN"
