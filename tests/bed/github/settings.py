"""The settings of a repository: Actions, environments, secrets, variables and rulesets.

What GitHub refuses, and its texts, by their sources:
- the plan of a private repository: reviewers and wait timers
  https://github.com/backstage/backstage/issues/28977, branch policies
  https://github.com/pulumi/pulumi-github/issues/251, rulesets
  https://github.com/SoftEtherApp/SoftEther-Web/issues/37
- rights: docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-
  access-tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacl.exceptions import CryptoError

from bed.github.asked import Asked, example
from bed.github.kept import Environment
from bed.github.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.github.kept import Kept

_REPO = "/repos/{owner}/{repo}"
_PERMISSIONS = f"{_REPO}/actions/permissions"
_FORKS = f"{_PERMISSIONS}/fork-pr-contributor-approval"
_ENVIRONMENTS = f"{_REPO}/environments"
_ENVIRONMENT = f"{_ENVIRONMENTS}/{{environment_name}}"
_BRANCHES = f"{_ENVIRONMENT}/deployment-branch-policies"
_RULESETS = f"{_REPO}/rulesets"
_RULESET = f"{_RULESETS}/{{ruleset_id}}"
_WITHOUT_GATES = ("free", "pro", "team")
_UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature."
_TAKEN = {"resource": "Ruleset", "code": "custom", "message": "Name must be unique"}
_WHEN = {"created_at": "2026-11-30T12:00:00Z", "updated_at": "2026-11-30T12:00:00Z"}
_MOST_REVIEWERS = 6


def _kept(asked: Asked, right: str = "administration") -> Kept:
    asked.demand(right)
    return asked.repository.kept


def _get_actions(asked: Asked) -> Any:
    return {**example(asked, "get", _PERMISSIONS, 200), **_kept(asked).actions}


def _put_actions(asked: Asked) -> None:
    _kept(asked).actions.update(asked.body)


def _get_token(asked: Asked) -> Any:
    return {**_kept(asked).token}


def _put_token(asked: Asked) -> None:
    _kept(asked).token.update(asked.body)


def _get_forks(asked: Asked) -> Any:
    return {"approval_policy": _kept(asked).approval}


def _put_forks(asked: Asked) -> None:
    _kept(asked).approval = asked.body["approval_policy"]


def _get_access(asked: Asked) -> Any:
    return {"access_level": _kept(asked).access}


def _put_access(asked: Asked) -> None:
    _kept(asked).access = asked.body["access_level"]


def _get_immutable(asked: Asked) -> Any:
    if not _kept(asked).immutable:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    return {"enabled": True, "enforced_by_owner": False}


def _put_immutable(asked: Asked) -> None:
    _kept(asked).immutable = True


def _list_environments(asked: Asked) -> Any:
    found = _kept(asked, "environments").environments.values()
    return asked.listed("environments", [_environment(asked, one) for one in found])


def _environment(asked: Asked, of: Environment) -> Any:
    shown = example(asked, "put", _ENVIRONMENT, 200)
    timer, reviewed, branches = shown["protection_rules"]
    model = reviewed["reviewers"][0]
    rules = []
    if of.wait:
        rules.append({**timer, "wait_timer": of.wait})
    if of.reviewers or of.prevent_self_review:
        listed = [
            {"type": one["type"], "reviewer": {**model["reviewer"], "id": one["id"]}}
            for one in of.reviewers
        ]
        reviewed.update(reviewers=listed, prevent_self_review=of.prevent_self_review)
        rules.append(reviewed)
    if of.policy:
        rules.append(branches)
    shown.update(name=of.name, protection_rules=rules, deployment_branch_policy=of.policy)
    return shown


def _put_environment(asked: Asked) -> Any:
    """Set all of an environment: what the body leaves out is not wanted (assumed, the stricter)."""
    kept, name, body = _kept(asked), asked.values["environment_name"], asked.body or {}
    gates = {"reviewers", "wait_timer", "prevent_self_review"} & {*body}
    of = kept.environments.setdefault(name.lower(), Environment(name))
    said = "Failed to create the environment protection rule. Please ensure the billing plan"
    if gates and asked.plan in _WITHOUT_GATES:
        raise Refused(422, f"{said} supports the required reviewers protection rule.", kind="")
    if body.get("deployment_branch_policy") and asked.plan == "free":
        said = "Fail to create protected rule, please ensure billing plan include"
        raise Refused(422, f"{said} protected branch gate.", kind="")
    reviewers = body.get("reviewers") or []
    if len(reviewers) > _MOST_REVIEWERS:
        raise Refused(422, "Validation Failed", kind="")
    policy = body.get("deployment_branch_policy")
    of.wait, of.reviewers = body.get("wait_timer", 0), reviewers
    of.prevent_self_review = body.get("prevent_self_review", False)
    if policy != of.policy:
        of.policy, of.branches = policy, []
    return _environment(asked, of)


def _found(asked: Asked, right: str) -> Environment:
    found = _kept(asked, right).environments.get(asked.values["environment_name"].lower())
    if found is None:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    return found


def _list_branches(asked: Asked) -> Any:
    of = _found(asked, "environments")
    listed = [
        {"id": id_, "name": name, "type": kind} for id_, (name, kind) in enumerate(of.branches)
    ]
    return asked.listed("branch_policies", listed)


def _post_branch(asked: Asked) -> Any:
    """Add a pattern; 404 where custom patterns are off, 303 where it is there (GitHub's page)."""
    of = _found(asked, "administration")
    if not (of.policy and of.policy["custom_branch_policies"]):
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    pattern = (asked.body["name"], asked.body.get("type", "branch"))
    if pattern in of.branches:
        raise Refused(303, "", kind="")
    of.branches.append(pattern)
    return {"id": len(of.branches), "name": pattern[0], "type": pattern[1]}


def _place(asked: Asked, right: str) -> tuple[Kept, str]:
    """Return what is kept, and the environment that the path names, "" for the repository."""
    name = asked.values.get("environment_name", "")
    if name:
        _found(asked, "environments")
        return asked.repository.kept, name.lower()
    return _kept(asked, right), ""


def _list_secrets(asked: Asked) -> Any:
    kept, place = _place(asked, "secrets")
    names = [name for where, name in kept.secrets if where == place]
    return asked.listed("secrets", [{"name": name, **_WHEN} for name in names])


def _list_organization(asked: Asked, kind: str) -> Any:
    names = sorted(_kept(asked, kind).of_organization.get(kind, ()))
    more = {} if kind == "secrets" else {"value": ""}
    return asked.listed(kind, [{"name": name, **more, **_WHEN} for name in names])


def _get_key(asked: Asked) -> Any:
    kept, place = _place(asked, "secrets")
    name, key = kept.key(place)
    return {"key_id": name, "key": key}


def _put_secret(asked: Asked) -> Any:
    """Store a secret, which must be sealed with the key of its place."""
    kept, place = _place(asked, "secrets")
    if asked.body["key_id"] != kept.key(place)[0]:
        raise Refused(422, "Validation Failed", kind="")
    try:
        value = kept.unsealed(place, asked.body["encrypted_value"])
    except CryptoError:
        raise Refused(422, "Bad request - secret value must be base64", kind="") from None
    kept.secrets[place, asked.values["secret_name"].upper()] = value
    return {}


def _list_variables(asked: Asked) -> Any:
    kept, place = _place(asked, "variables")
    found = [(name, value) for (where, name), value in kept.variables.items() if where == place]
    return asked.listed("variables", [{"name": n, "value": v, **_WHEN} for n, v in found])


def _post_variable(asked: Asked) -> Any:
    kept, place = _place(asked, "variables")
    name = asked.body["name"].upper()
    if (place, name) in kept.variables:
        raise Refused(409, "Already exists - Variable already exists", kind="")
    kept.variables[place, name] = asked.body["value"]
    return {}


def _patch_variable(asked: Asked) -> None:
    kept, place = _place(asked, "variables")
    name = asked.values["name"].upper()
    if (place, name) not in kept.variables:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    kept.variables[place, name] = asked.body["value"]


def _rulesets(asked: Asked) -> list[dict[str, Any]]:
    if asked.plan == "free":
        raise Refused(403, _UPGRADE, kind="")
    return asked.repository.kept.rulesets


def _list_rulesets(asked: Asked) -> Any:
    return [_ruleset(asked, one) for one in _rulesets(asked)]


def _ruleset(asked: Asked, of: dict[str, Any]) -> Any:
    return {**example(asked, "get", _RULESET, 200), "bypass_actors": [], **of}


def _get_ruleset(asked: Asked) -> Any:
    for one in _rulesets(asked):
        if one["id"] == int(asked.values["ruleset_id"]):
            return _ruleset(asked, one)
    raise Refused(404, "Not Found", kind="NOT_FOUND")


def _post_ruleset(asked: Asked) -> Any:
    asked.demand("administration")
    found = _rulesets(asked)
    if any(one["name"] == asked.body["name"] for one in found):
        raise Refused(422, "Validation Failed", kind="", details=[_TAKEN])
    found.append({"id": len(found) + 1, **asked.body})
    return _ruleset(asked, found[-1])


def _put_ruleset(asked: Asked) -> Any:
    asked.demand("administration")
    for one in _rulesets(asked):
        if one["id"] == int(asked.values["ruleset_id"]):
            one.update(asked.body)
            return _ruleset(asked, one)
    raise Refused(404, "Not Found", kind="NOT_FOUND")


def _list_active(asked: Asked) -> Any:
    """Return the rules of active rulesets; all of them are about the default branch here."""
    return [
        {**rule, "ruleset_source_type": "Repository", "ruleset_id": one["id"]}
        for one in _rulesets(asked)
        if one["enforcement"] == "active"
        for rule in one["rules"]
    ]


OPERATIONS: dict[tuple[str, str], tuple[int, Callable[[Asked], Any]]] = {
    ("get", _PERMISSIONS): (200, _get_actions),
    ("put", _PERMISSIONS): (204, _put_actions),
    ("get", f"{_PERMISSIONS}/workflow"): (200, _get_token),
    ("put", f"{_PERMISSIONS}/workflow"): (204, _put_token),
    ("get", _FORKS): (200, _get_forks),
    ("put", _FORKS): (204, _put_forks),
    ("get", f"{_PERMISSIONS}/access"): (200, _get_access),
    ("put", f"{_PERMISSIONS}/access"): (204, _put_access),
    ("get", f"{_REPO}/immutable-releases"): (200, _get_immutable),
    ("put", f"{_REPO}/immutable-releases"): (204, _put_immutable),
    ("get", _ENVIRONMENTS): (200, _list_environments),
    ("put", _ENVIRONMENT): (200, _put_environment),
    ("get", _BRANCHES): (200, _list_branches),
    ("post", _BRANCHES): (200, _post_branch),
    ("get", _RULESETS): (200, _list_rulesets),
    ("post", _RULESETS): (201, _post_ruleset),
    ("get", _RULESET): (200, _get_ruleset),
    ("put", _RULESET): (200, _put_ruleset),
    ("get", f"{_REPO}/rules/branches/{{branch}}"): (200, _list_active),
    ("get", f"{_REPO}/actions/organization-secrets"): (
        200,
        lambda asked: _list_organization(asked, "secrets"),
    ),
    ("get", f"{_REPO}/actions/organization-variables"): (
        200,
        lambda asked: _list_organization(asked, "variables"),
    ),
}
for _at in (f"{_REPO}/actions", _ENVIRONMENT):
    OPERATIONS |= {
        ("get", f"{_at}/secrets"): (200, _list_secrets),
        ("get", f"{_at}/secrets/public-key"): (200, _get_key),
        ("put", f"{_at}/secrets/{{secret_name}}"): (201, _put_secret),
        ("get", f"{_at}/variables"): (200, _list_variables),
        ("post", f"{_at}/variables"): (201, _post_variable),
        ("patch", f"{_at}/variables/{{name}}"): (204, _patch_variable),
    }
