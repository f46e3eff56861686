"""The settings of a repository, its environments, secrets, rulesets and runs, as plain data."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from nacl.public import PrivateKey, SealedBox


@dataclass
class Environment:
    """An environment; `policy` is GitHub's own mapping, None when every branch may deploy."""

    name: str
    wait: int = 0
    prevent_self_review: bool = False
    reviewers: list[dict[str, Any]] = field(default_factory=list)
    policy: dict[str, bool] | None = None
    branches: list[tuple[str, str]] = field(default_factory=list)  # patterns, and branch or tag


@dataclass
class Run:
    """A run of a workflow; each look at it takes the next status from `ahead`."""

    number: int
    workflow: str
    branch: str
    sha: str
    ahead: list[str]
    conclusion: str
    status: str = "queued"

    def look(self) -> None:
        """Move the run on."""
        if self.ahead:
            self.status = self.ahead.pop(0)


@dataclass
class Kept:
    """What GitHub keeps of a repository beside git; secrets and variables by place and name."""

    actions: dict[str, Any] = field(
        default_factory=lambda: {
            "enabled": True,
            "allowed_actions": "all",
            "sha_pinning_required": False,
        }
    )
    token: dict[str, Any] = field(
        default_factory=lambda: {
            "default_workflow_permissions": "write",
            "can_approve_pull_request_reviews": False,
        }
    )
    approval: str = "first_time_contributors"
    access: str = "none"
    immutable: bool = False
    environments: dict[str, Environment] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    variables: dict[tuple[str, str], str] = field(default_factory=dict)
    of_organization: dict[str, set[str]] = field(default_factory=dict)
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    # What the next runs come to: the statuses that are seen one after the other, and the end.
    next_statuses: tuple[str, ...] = ("completed",)
    next_conclusion: str = "success"
    _keys: dict[str, PrivateKey] = field(default_factory=dict)

    def key(self, place: str) -> tuple[str, str]:
        """Return the name of the key of a place, and the key that seals, in base64."""
        private = self._keys.setdefault(place, PrivateKey.generate())
        return f"key-{place or 'repository'}", base64.b64encode(bytes(private.public_key)).decode()

    def unsealed(self, place: str, sealed: str) -> str:
        """Return a secret that was sealed for a place; raises nacl's error for any other."""
        box = SealedBox(self._keys[place])
        return box.decrypt(base64.b64decode(sealed)).decode()

    def settings(self) -> dict[str, Any]:
        """Return all that bootstrap sets, to compare."""
        return {
            "actions": self.actions,
            "token": self.token,
            "approval": self.approval,
            "access": self.access,
            "immutable": self.immutable,
            "environments": self.environments,
            "secrets": self.secrets,
            "variables": self.variables,
            "rulesets": self.rulesets,
        }
