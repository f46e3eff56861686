"""Inputs and facts of a run, as the tests of build-push give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.build_push.inputs import INPUTS, Inputs, read_inputs
from ship.runner.context import Context

if TYPE_CHECKING:
    from pathlib import Path

SHA = "0123456789abcdef0123456789abcdef01234567"
SHORT = "sha-0123456789ab"
DIGEST = "sha256:" + "b" * 64


def context(workspace: Path, **changes: Any) -> Context:
    facts: dict[str, Any] = {
        "repository": "Acme/App",
        "sha": SHA,
        "ref": "refs/heads/main",
        "event_name": "push",
        "workspace": str(workspace),
    }
    return Context(**{**facts, **changes})


def inputs(**changes: str) -> dict[str, str]:
    given = {
        "context": ".", "push": "auto", "cache": "none", "provenance": "false", "username": "me",
        "password": "t0ken", **{name.replace("_", "-"): value for name, value in changes.items()},
    }  # fmt: skip
    assert set(given) <= set(INPUTS)
    return {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}


def read(workspace: Path, **changes: str) -> Inputs:
    return read_inputs(inputs(**changes), context(workspace))


def values(argv: tuple[str, ...], option: str) -> list[str]:
    return [word.partition("=")[2] for word in argv if word.startswith(f"--{option}=")]
