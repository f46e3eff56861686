"""Users, organisations, teams, and the creation of repositories."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bed.github.asked import Asked, example
from bed.github.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.github.asked import Account
    from bed.github.state import Repository

_TEAM = "/orgs/{org}/teams/{team_slug}"
_PACKAGE = "/{}/packages/{{package_type}}/{{package_name}}"
_GENERATE = "/repos/{template_owner}/{template_repo}/generate"


_NOT_IN_THE_EXAMPLE = (
    "has_discussions",
    "allow_update_branch",
    "use_squash_pr_title_as_default",
    "web_commit_signoff_required",
)


def repository(asked: Asked, of: Repository, shown: Any) -> Any:
    """Return GitHub's example of a repository, changed to one of this server."""
    for unwanted in ("source", "parent", "template_repository"):
        shown.pop(unwanted, None)
    owner, name = of.slug.split("/")
    account = asked.host.accounts[owner.lower()]
    shown.update(id=of.number, name=name, full_name=of.slug, language=None, private=of.private)
    for more in _NOT_IN_THE_EXAMPLE:
        shown.setdefault(more, False)
    shown.update(default_branch=of.default_branch, archived=of.archived, is_template=of.template)
    shown["owner"].update(login=owner, type="Organization" if account.organization else "User")
    admin, writes = asked.token.admin, asked.token.may_write()
    rights = {"admin": admin, "maintain": admin, "push": writes, "triage": writes, "pull": True}
    shown["permissions"] = rights
    return shown


def _user(asked: Asked) -> Any:
    shown = example(asked, "get", "/users/{username}", 200)
    return _shown(asked.owner, {**shown, "user_view_type": "public"})


def _me(asked: Asked) -> Any:
    if asked.token.app:  # docs.github.com/en/rest/users/users#get-the-authenticated-user
        raise Refused(403, "Resource not accessible by integration", kind="FORBIDDEN")
    account = asked.host.accounts[asked.token.login]
    shown = example(asked, "get", "/user", 200)
    return _shown(account, {**shown, "user_view_type": "private"})


def _organization(asked: Asked) -> Any:
    if not asked.owner.organization:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    shown = example(asked, "get", "/orgs/{org}", 200)
    return _shown(asked.owner, {**shown, "archived_at": None})


def _shown(account: Account, shown: Any) -> Any:
    shown.update(login=account.login, id=account.number)
    shown["type"] = "Organization" if account.organization else "User"
    if "plan" in shown and account.plan and account.shows_plan:
        shown["plan"]["name"] = account.plan
    else:
        shown.pop("plan", None)
    return shown


def _team(asked: Asked) -> Any:
    """Return a team; a classic token needs `read:org` to see one (GitHub's page "Get a team")."""
    hidden = asked.token.classic and not asked.token.scopes & {"read:org", "admin:org"}
    if hidden or asked.values["team_slug"] not in asked.owner.teams:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    shown = example(asked, "get", _TEAM, 200)
    number = 100 + asked.owner.teams.index(asked.values["team_slug"])
    shown.update(slug=asked.values["team_slug"], id=number, type="organization")
    shown["organization"]["archived_at"] = None
    return shown


def _create_mine(asked: Asked) -> Any:
    return _created(asked, f"{asked.token.login}/{asked.body['name']}", "/user/repos")


def _create_for_organization(asked: Asked) -> Any:
    _organization(asked)
    return _created(asked, f"{asked.owner.login}/{asked.body['name']}", "/orgs/{org}/repos")


def _created(asked: Asked, slug: str, template: str) -> Any:
    _check_new(asked, slug)
    private = asked.body.get("private", False)
    made = asked.host.create_repository(slug, private=private)
    if asked.body.get("auto_init"):
        made.change("main", {"README.md": f"# {asked.body['name']}\n".encode()}, message="Initial")
    return repository(asked, made, example(asked, "post", template, 201))


def _generate(asked: Asked) -> Any:
    """Make a repository from a template: one commit with its files (GitHub's own page)."""
    of = f"{asked.values['template_owner']}/{asked.values['template_repo']}"
    template = asked.host.repository(of)
    if not template.template:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    slug = f"{asked.body['owner']}/{asked.body['name']}"
    _check_new(asked, slug)
    branch = template.default_branch
    files = {
        path: template.git.content(template.git.oid(f"{branch}:{path}") or "")
        for path in template.git.files(branch)
    }
    made = asked.host.create_repository(slug, private=asked.body.get("private", False))
    made.change("main", files, message="Initial commit")
    return repository(asked, made, example(asked, "post", _GENERATE, 201))


def _check_new(asked: Asked, slug: str) -> None:
    if not asked.token.classic and "administration" not in asked.token.scopes:
        raise Refused(403, "Resource not accessible by personal access token", kind="FORBIDDEN")
    if asked.host.has(slug):
        said = "name already exists on this account"
        details = [{"resource": "Repository", "code": "custom", "field": "name", "message": said}]
        raise Refused(422, "Repository creation failed.", kind="", details=details)


def _package(asked: Asked, template: str) -> Any:
    """Return a package; a classic token needs `read:packages` to see one (GitHub's page of it)."""
    name = asked.values["package_name"]
    hidden = asked.token.classic and "read:packages" not in asked.token.scopes
    if hidden or name not in asked.owner.packages:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    shown = example(asked, "get", template, 200)
    linked = asked.schema.example("get", _PACKAGE.format("users/{username}"), 200)["repository"]
    shown.pop("repository", None)
    if slug := asked.owner.packages[name]:
        shown["repository"] = {**linked, "full_name": slug}
    return {**shown, "name": name, "package_type": "container"}


OPERATIONS: dict[tuple[str, str], tuple[int, Callable[[Asked], Any]]] = {
    ("get", "/user"): (200, _me),
    ("get", "/users/{username}"): (200, _user),
    ("get", "/orgs/{org}"): (200, _organization),
    ("get", _TEAM): (200, _team),
    ("post", "/user/repos"): (201, _create_mine),
    ("post", "/orgs/{org}/repos"): (201, _create_for_organization),
    ("post", _GENERATE): (201, _generate),
    **{
        ("get", template): (200, partial(_package, template=template))
        for template in map(_PACKAGE.format, ("orgs/{org}", "users/{username}"))
    },
}
