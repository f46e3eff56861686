"""The settings of GitHub Actions, and the immutability of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap import settings
from gen_workflow.bootstrap.steps import Part, Step, together
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gen_workflow.bootstrap.api import Api, Looked

_APPROVAL = "all_external_contributors"  # the strictest of GitHub's three
_MOST = 3  # names in a sentence
_ACTIONS = "Settings > Actions > General"


class Found(NamedTuple):
    """What is set; None for what this GitHub does not have or show."""

    enabled: bool = True
    allowed: str = "all"
    pinning: bool | None = False
    token: str | None = "write"  # noqa: S105 - a level of rights
    approval: str | None = ""
    access: str | None = None
    immutable: bool | None = False


def read(api: Api, *, private: bool, central: bool) -> Found:
    """Return what is set; `central` tells that other repositories call a workflow of this one."""
    permissions = ("actions", "permissions")
    general = api.look(api.below(*permissions), "the settings of Actions")
    token = api.look(api.below(*permissions, "workflow"), "the rights of workflows")
    approval = None
    if not private:
        path = api.below(*permissions, "fork-pr-contributor-approval")
        approval = api.look(path, "the approval of pull requests of forks")
    access = None
    if private and central:
        access = api.look(api.below(*permissions, "access"), "who may call the workflows")
    pinning = general.top.maybe("sha_pinning_required") if general.there else None
    allowed = general.top.maybe("allowed_actions") if general.there else None
    return Found(
        enabled=general.top.flag("enabled") if general.there else True,
        allowed=f"{allowed.value}" if allowed else "all",
        pinning=pinning.value is True if pinning else None,
        token=_text(token, "default_workflow_permissions"),
        approval=_text(approval, "approval_policy"),
        access=_text(access, "access_level"),
        immutable=_immutable(api),
    )


def _text(shown: Looked | None, name: str) -> str | None:
    return shown.top.text(name) if shown and shown.there else None


def _immutable(api: Api) -> bool | None:
    """Return whether releases are immutable; GitHub answers 404 where they are not."""
    shown = api.look(api.below("immutable-releases"), "the immutability of releases")
    return shown.top.flag("enabled") if shown.there else False


class Others(NamedTuple):
    """What other workflows of the repository would feel.

    `unpinned` are their uses that are no commit, `silent` those that name no permissions, and
    `releasing` those that make releases.
    """

    unpinned: Sequence[str] = ()
    silent: Sequence[str] = ()
    releasing: Sequence[str] = ()


def plan(
    api_path: str,
    found: Found,
    others: Others,
    leave: Collection[str] = (),
    *,
    organization: bool = False,
) -> Part:
    """Return what is to be set, but for what is to be left; what is stricter stays.

    `api_path` is that of the repository.
    """
    base = f"{api_path}/actions/permissions"
    defaults = {
        settings.PERMISSIONS: _token(base, found, others.silent),
        settings.PINNING: _pinning(base, found, others.unpinned),
        settings.FORKS: _approval(base, found),
        settings.RELEASES: _releases(api_path, found, others.releasing),
    }
    parts = (part for name, part in defaults.items() if name not in leave)
    return together(_running(found), *parts, _access(base, found, organization=organization))


def _running(found: Found) -> Part:
    if not found.enabled:
        return Part(left=(f"turn GitHub Actions on under {_ACTIONS}: no workflow runs without it",))
    if found.allowed == "all":
        return Part()
    which = "no action of others" if found.allowed == "local_only" else "only some actions"
    hint = "allow those that the workflows use, or say `actions: vendored` in the spec for ours"
    return Part(left=(f"{_ACTIONS} allows {which}: {hint}",))


def _token(base: str, found: Found, silent: Sequence[str]) -> Part:
    if found.token in (None, "read"):
        return Part(already=("workflows may only read by default",) if found.token else ())
    body = {"default_workflow_permissions": "read"}
    says = "let workflows only read by default; each job says what it writes"
    felt = f" (no permissions are named in {_some(silent)})" if silent else ""
    return Part((Step(f"{says}{felt}", "PUT", f"{base}/workflow", body),))


def _pinning(base: str, found: Found, unpinned: Sequence[str]) -> Part:
    if found.pinning is None:
        return Part()
    if found.pinning:
        return Part(already=("actions have to be pinned to commits",))
    if unpinned:
        hint = "pin them with `gen-workflow update --online`, then run this again"
        why = f"because others would fail ({_some(unpinned)})"
        return Part(left=(f"commits are not required for actions, {why}: {hint}",))
    body: dict[str, bool | str] = {"enabled": found.enabled, "sha_pinning_required": True}
    if found.enabled:
        body |= {"allowed_actions": found.allowed}
    return Part((Step("require commits for actions in place of tags", "PUT", base, body),))


def _approval(base: str, found: Found) -> Part:
    if found.approval is None:
        return Part()
    says = "ask for approval before workflows run for pull requests from outside"
    if found.approval == _APPROVAL:
        return Part(already=("workflows of pull requests from outside wait for approval",))
    path = f"{base}/fork-pr-contributor-approval"
    return Part((Step(says, "PUT", path, {"approval_policy": _APPROVAL}),))


def _access(base: str, found: Found, *, organization: bool) -> Part:
    if found.access is None:
        return Part()
    if found.access != "none":
        return Part(already=("other repositories may call the central workflow",))
    level = "organization" if organization else "user"
    says = "let the other repositories of the owner call the central workflow"
    return Part((Step(says, "PUT", f"{base}/access", {"access_level": level}),))


def _releases(api_path: str, found: Found, releasing: Sequence[str]) -> Part:
    if found.immutable is None:
        return Part()
    if found.immutable:
        return Part(already=("releases are immutable",))
    path = f"{api_path}/immutable-releases"
    felt = f" ({_some(releasing)} may only add files to a draft then)" if releasing else ""
    says = f"make releases immutable{felt}"
    return Part((Step(says, "PUT", path, spare="immutable releases"),))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
