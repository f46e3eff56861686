"""The repository itself: whether it is there, who owns it, and how it is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap.steps import Part, Step
from gen_workflow.errors import Heading, UserError
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.bootstrap.api import Api, Looked
    from gen_workflow.bootstrap.settings import Settings
    from gen_workflow.github.answer import Part as Shown

_EMPTY = 409
_HIDDEN = 404  # of the commits of a repository that is shown
# What GitHub writes as the committer of the first commit of a repository that it creates.
_BY_GITHUB = "noreply@"


class Found(NamedTuple):
    """What GitHub holds of the repository; one that is not there has what it would get.

    `commits` are those of its default branch, as far as they matter: 0, 1, or 2 for more.
    `fresh` tells that there is no commit but the one with which GitHub created it. `owner_plan` is
    the name of the owner's plan, empty where GitHub does not show it.
    """

    exists: bool
    private: bool
    of_an_organization: bool
    login: str = ""
    default_branch: str = "main"
    commits: int = 0
    fresh: bool = True
    owner_plan: str = ""
    template: str = ""  # why the template cannot be used, as in `is not there`

    @property
    def limited(self) -> str:
        """The plan of the owner where it limits the repository: GitHub limits private ones."""
        return self.owner_plan if self.private else ""


def read(api: Api, settings: Settings) -> Found:
    """Return what GitHub holds; raises UserError for an archived one, and for an unknown owner."""
    shown = api.look(api.below(), "the repository", "Metadata")
    scopes = api.scopes
    if scopes is not None and "repo" not in scopes.replace(",", " ").split():
        api.denied.append(f"it has the scopes ({scopes}), and not `repo`")
    return _there(api, shown) if shown.there else _missing(api, settings)


def _there(api: Api, shown: Looked) -> Found:
    top = shown.top
    api.slug = top.text("full_name", SLUG)
    if top.flag("archived"):
        hint = "unarchive it under Settings > General, or leave it out"
        what = "the repository is archived, so nothing can be written"
        raise UserError(what, where=api.slug, hint=hint, anchor=Heading.NO_COMMIT)
    # Of a token of an app, GitHub shows other rights there than it has.
    rights = top.maybe("permissions") if api.scopes is not None else None
    if rights and not rights.flag("admin"):
        api.denied.append("its user is no administrator of the repository")
    organization = top.part("owner").text("type") == "Organization"
    branch, private = top.text("default_branch"), top.flag("private")
    commits = api.look(f"{api.below('commits')}?per_page=2", "the commits", "Contents")
    if commits.status == _HIDDEN:
        api.denied.append("it may not read the commits (the right Contents)")
    listed = commits.items if commits.there else []
    plan = _plan(api, api.slug.split("/")[0], organization=organization) if private else ""
    return Found(
        exists=True,
        private=private,
        of_an_organization=organization,
        default_branch=branch,
        commits=0 if commits.status == _EMPTY else max(1, len(listed)),
        fresh=len(listed) == 1 and _is_by_github(listed[0].part("commit")),
        owner_plan=plan,
    )


def _is_by_github(commit: Shown) -> bool:
    by = commit.maybe("committer")
    return (
        by is not None and by.maybe("email") is not None and by.text("email").startswith(_BY_GITHUB)
    )


def _missing(api: Api, settings: Settings) -> Found:
    owner = api.slug.split("/")[0]
    about = api.look(f"/users/{owner}", "the owner", "Metadata")
    if not about.there:
        hint = "check the name; an organisation has to be created on GitHub first"
        what = f"neither the repository nor its owner {owner} is there"
        raise UserError(what, where=api.slug, hint=hint, anchor=Heading.NOT_FOUND)
    organization = about.top.text("type") == "Organization"
    mine = None if organization else api.look("/user", "the user of the token", "")
    login = mine.top.text("login") if mine and mine.there else ""
    private = settings.visibility != "public"
    plan = _plan(api, owner, organization=organization) if private else ""
    why = _template(api, settings.template) if settings.template else ""
    return Found(
        exists=False,
        private=private,
        of_an_organization=organization,
        login=login,
        owner_plan=plan,
        template=why,
    )


def _template(api: Api, slug: str) -> str:
    shown = api.look(f"/repos/{slug}", "the template", "Metadata")
    if not shown.there:
        return "is not there, or the token cannot see it"
    is_one = shown.top.maybe("is_template")
    return "" if is_one and is_one.value is True else "is no template repository"


def _plan(api: Api, owner: str, *, organization: bool) -> str:
    """Return the name of a plan; GitHub shows it to owners alone, so it is often not known."""
    shown = api.look(f"/orgs/{owner}" if organization else "/user", "the plan", "")
    if not shown.there or shown.top.text("login").lower() != owner.lower():
        return ""
    plan = shown.top.maybe("plan")
    return plan.text("name") if plan else ""


def plan(slug: str, found: Found, settings: Settings, *, has_history: bool) -> Part:
    """Return how the repository is created; `has_history` says that the folder has commits."""
    if found.exists:
        return _as_it_is(found, settings)
    owner, name = slug.split("/")
    if settings.template:
        return _from_template(owner, name, found, settings)
    if not found.of_an_organization and found.login.lower() != owner.lower():
        what = f"only {owner} can create {slug}: the token is that of {found.login or 'an app'}"
        return Part(refused=(what,))
    kind = "private" if found.private else "public"
    first = "empty, for the push of this folder" if has_history else "with a first commit of GitHub"
    body = {"name": name, "private": found.private, "auto_init": not has_history}
    path = f"/orgs/{owner}/repos" if found.of_an_organization else "/user/repos"
    return Part((Step(f"create the repository, {kind}, {first}", "POST", path, body),))


def _as_it_is(found: Found, settings: Settings) -> Part:
    kind = "private" if found.private else "public"
    already = (f"the repository is there, {kind}",)
    if settings.visibility in ("", kind):
        return Part(already=already)
    change = f"make it {settings.visibility} under Settings > General > Danger Zone"
    return Part(already=already, left=(f"{change}, or change `visibility` in bootstrap.yml",))


def _from_template(owner: str, name: str, found: Found, settings: Settings) -> Part:
    template = settings.template
    if found.template:
        hint = "mark it as one under its Settings > General, or change `template` in bootstrap.yml"
        return Part(refused=(f"the template {template} {found.template}: {hint}",))
    kind = "private" if found.private else "public"
    body = {"owner": owner, "name": name, "private": found.private}
    says = f"create the repository, {kind}, from the template {template}"
    return Part((Step(says, "POST", f"/repos/{template}/generate", body),))
