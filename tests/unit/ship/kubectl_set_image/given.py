"""Inputs of kubectl-set-image and facts of a run, as the tests give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kubectl_set_image.inputs import INPUTS, Inputs, read_inputs
from ship.runner.context import Context
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

SHA = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "b" * 64
REPOSITORY = "ghcr.io/acme/app"
NEW = f"{REPOSITORY}@{DIGEST}"
OLD = f"{REPOSITORY}@sha256:" + "a" * 64
OTHER = "ghcr.io/acme/proxy@sha256:" + "c" * 64


def context(workspace: Path | str = ".", **changes: Any) -> Context:
    facts: dict[str, Any] = {
        "repository": "acme/app",
        "sha": SHA,
        "ref": "refs/heads/main",
        "event_name": "push",
        "actor": "octocat",
        "run_id": "77",
        "run_number": "7",
        "workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
        "workspace": str(workspace),
    }
    return Context(**{**facts, **changes})


def inputs(**changes: str) -> dict[str, str]:
    """Return the environment for inputs; those in capitals are variables of the step."""
    given = {"workload": "deployment/web", "image": NEW}
    given |= {k.replace("_", "-"): value for k, value in changes.items() if k.islower()}
    assert set(given) <= set(INPUTS)
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return {**env, **{name: value for name, value in changes.items() if name.isupper()}}


def read(workspace: Path | str = ".", **changes: str) -> Inputs:
    return read_inputs(inputs(**changes), context(workspace))


def refusal(workspace: Path | str = ".", **changes: str) -> str:
    """Return what is said of wrong inputs."""
    try:
        read(workspace, **changes)
    except UserError as error:
        return str(error)
    raise AssertionError(f"these inputs are accepted: {changes}")
