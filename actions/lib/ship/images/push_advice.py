"""What to do when a registry refuses a push.

The messages of GHCR and their meaning were collected from public reports: see docs/errors.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.reference import GHCR
from ship.runner.errors import Problem

if TYPE_CHECKING:
    from ship.images.login import Login
    from ship.images.reference import Name
    from ship.images.registry.refusal import Refusal
    from ship.runner.context import Context


PERMISSION = "add to the job:\n      permissions:\n        contents: read\n        packages: write"


def advice(refusal: Refusal, name: Name, login: Login, context: Context) -> Problem:
    """Return the cause of a refused push, with the message of the registry, and the next act."""
    said = f"{refusal.status} {refusal.message}".strip()
    if refusal.stage == "login":
        return Problem(
            "input `password`",
            f"{name.registry} refuses the login of {login.username!r} ({said})",
            _login_hint(name, context),
        )
    return Problem(
        "",
        f"{name.registry} refuses a push to {name.path} ({said})",
        _own_hint(name)
        if login.is_own and name.registry == GHCR
        else _hint(refusal, name, context),
    )


def _own_hint(name: Name) -> str:
    return (
        f"the token in `password` must have the scope write:packages, and its user must have the "
        f"right to write to {name.path}; or leave `password` out, so that the job's token is used, "
        f"and {PERMISSION}"
    )


def _login_hint(name: Name, context: Context) -> str:
    if name.registry == GHCR:
        return f"leave `password` out, so that the job's token is used, and {PERMISSION}"
    return (
        f"check the secret: it must be a token of {name.registry} with write access, not expired"
        + _fork(context)
    )


def _hint(refusal: Refusal, name: Name, context: Context) -> str:
    if name.registry != GHCR:
        return f"give this user the right to write to {name.path}" + _fork(context)
    owner, _, package = name.path.partition("/")
    if "write_package" in refusal.message:
        return (
            "the package exists, but this repository has no access to it: on its page, "
            f"https://github.com/orgs/{owner}/packages/container/{package}/settings or the "
            "same under Your packages of a personal account, add "
            f"{context.repository or 'this repository'} to `Manage Actions access`, as Write"
        )
    if owner != context.owner.lower():
        return (
            f"the token of {context.repository} can push below {GHCR}/{context.owner.lower()}/ "
            "only; change the input `image`"
        )
    return PERMISSION + _organisation(refusal, context) + _fork(context)


def _organisation(refusal: Refusal, context: Context) -> str:
    """Return what to do if the job has the permission, but the organisation forbids the push."""
    if "organization" not in refusal.message:
        return ""
    owner = context.owner
    if "Create" in refusal.message:
        return (
            f"\n    if the job has it already, an owner of {owner} has to allow new packages: "
            f"{context.server}/organizations/{owner}/settings/packages"
        )
    return (
        f"\n    if the job has it already, an owner of {owner} has to allow tokens to write: "
        f"{context.server}/organizations/{owner}/settings/actions, Workflow permissions"
    )


def _fork(context: Context) -> str:
    return (
        "; a run for a fork gets no write access, whatever the workflow says"
        if context.is_fork
        else ""
    )
