"""What to do when a registry refuses a push: one table of its answers.

The answers of GHCR and their meaning were collected from public reports: see docs/errors.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.images.login import GIVEN, JOB, STORED, Login
from ship.images.reference import GHCR
from ship.images.registry.refusal import API, LOGIN
from ship.runner.errors import Problem
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.images.reference import Name
    from ship.images.registry.refusal import Refusal
    from ship.runner.context import Context

PERMISSION = "add to the job:\n      permissions:\n        contents: read\n        packages: write"
REFUSED = "The registry refuses the push"
ANY: tuple[int, ...] = ()
IMMUTABLE = r"immutab|cannot be overwritten|does not allow updating|tag invalid|TAG_INVALID"
_READ_ONLY = "{registry} takes no push to {path}: it is read-only"
_MAYBE_A_MIRROR = (
    "it may be a mirror, a cache or a group of registries, or be under maintenance: check the "
    "registry in the input `image`, or run the job again later"
)
FULL = r"quota|storage limit|configured upper limit|exceed"


class Row(NamedTuple):
    """Which answers: statuses, what code and message say, of which registry.

    Then cause and hint, and the heading of docs/errors.md.
    `{right}` and `{login}` stand for what gives the login that was used the right to push, and for
    what makes it a good one.
    """

    statuses: tuple[int, ...]
    said: str
    registry: str
    cause: str
    hint: str
    anchor: str


# The first row that matches is used.
ROWS = (
    Row(ANY, IMMUTABLE, "",
         "{registry} has this tag of {path} already, and lets no tag be overwritten",
         "use a tag that is new for each commit, such as `type=sha`; or allow tags to be "
         "overwritten, in the settings of the repository at {registry}. If this run was started "
         "again, the image of the first run is there",
         "the-tag-cannot-be-overwritten"),
    Row(ANY, FULL, "",
         "{registry} has no room for {path}: a quota or limit is reached",
         "delete old images there, or raise the limit",
         "the-registry-is-full"),
    Row((402,), "", "",
         "{registry} takes no push to {path} before something is paid",
         "look at the plan and the bills of this account at {registry}",
         "the-registry-wants-to-be-paid"),
    Row((404,), "", GHCR,
         "{registry} does not find {path}",
         "check the owner in the input `image`; if it is right: {right}",
         "the-repository-does-not-exist"),
    Row(ANY, r"owner not found|not_found: owner", GHCR,
         "{registry} knows no owner {owner}",
         "correct the owner in the input `image`: it is a user or an organisation of GitHub",
         "the-repository-does-not-exist"),
    Row(ANY, r"NAME_UNKNOWN|name unknown|repository .*(not found|does not exist)", "",
         "{registry} has no repository {path}, and does not create one by a push", "{create}",
         "the-repository-does-not-exist"),
    Row((404,), "", "",
         "{registry} does not find {path}, and does not create it by a push", "{create}",
         "the-repository-does-not-exist"),
    Row(ANY, r"NAME_INVALID|invalid (repository )?name", "",
         "{registry} does not accept {path} as a name",
         "correct the input `image`: many registries want a project or an owner before the name",
         "a-name-that-is-not-accepted"),
    Row(ANY, r"^unsupported ", "", _READ_ONLY, _MAYBE_A_MIRROR,
         "the-registry-is-read-only"),
    Row((405,), "", "", _READ_ONLY, _MAYBE_A_MIRROR,
         "the-registry-is-read-only"),
    Row((413,), "", "",
         "{registry}, or a proxy in front of it, does not take a layer of {path}: it is too large",
         "make the layer smaller, or raise the limit (of nginx: `client_max_body_size`)",
         "the-layer-is-too-large"),
    Row((451,), "", "",
         "{registry} blocks {path} for legal reasons",
         "ask the operator of the registry",
         "the-registry-blocks-the-image"),
    Row((400, 415), r"MANIFEST|manifest|media ?type|unsupported|schema", "",
         "{registry} does not accept this kind of image for {path}",
         "leave out `provenance`, `sbom`, `annotations` and further `platforms`, as far as the "
         "step has them",
         "this-kind-of-image"),
    Row((401, 403), r"expired", "",
         "the login to {registry} has expired, so it refuses a push to {path}",
         "log in shortly before this step; a login to ECR lasts for 12 hours",
         "the-login-has-expired"),
    Row((401, 403), "", "",
         "{registry} refuses a push to {path}", "{right}",
         "the-registry-refuses-a-push"),
    Row((408, 425, 429, 500, 502, 503, 504), "", "",
         "{registry} is busy or broken, and did not take {path}",
         "run the job again later",
         "the-registry-is-busy"),
    Row(ANY, r"denied|unauthorized|insufficient_scope|no basic auth", "",
         "{registry} refuses a push to {path}", "{right}",
         "the-registry-refuses-a-push"),
    Row(ANY, "", "",
         "{registry} does not accept a push to {path}",
         "its own words in brackets are all that is known: look for them in the documentation of "
         "the registry, or ask its operator",
         "the-push-failed"),
)  # fmt: skip


class Adviser(NamedTuple):
    """Finds the cause and the next act for what a registry refuses.

    `logins` says who logged in where; `given_for` is the registry that the input `password` is for.
    """

    logins: Mapping[str, Login]
    given_for: str
    context: Context

    def advise(self, refusal: Refusal, name: Name) -> Problem:
        """Return the cause of a refused push, with the words of the registry, and the next act."""
        login = self.logins.get(name.registry, Login())
        if refusal.stage == LOGIN:
            who = (
                f"the login of {login.username!r}" if login.credential else "access without a login"
            )
            what = f"{name.registry} refuses {who}, for {name.path} ({refusal.said})"
            where = "input `password`" if login.source == GIVEN else ""
            return Problem(where, what, self._login_hint(name, login), "who-logs-in")
        if refusal.stage == API:
            what = f"{name.registry} does not answer as a registry does ({refusal.said})"
            act = "check the registry in the input `image`"
            return Problem("", what, act, "no-registry-at-this-name")
        row = row_for(refusal, name)
        fields = {
            "registry": name.registry,
            "path": name.path,
            "owner": name.path.partition("/")[0],
            "right": self._right(refusal, name, login),
            "create": _create(name),
        }
        said = f" ({refusal.said})" if refusal.said else ""
        what = row.cause.format_map(fields) + said
        return Problem("", what, row.hint.format_map(fields), row.anchor)

    def _login_hint(self, name: Name, login: Login) -> str:
        """Return what makes a login a good one."""
        if not login.credential:
            return self._log_in(name)
        if name.registry == GHCR and login.source == GIVEN:
            return f"leave `password` out, so that the job's token is used, and {PERMISSION}"
        if login.source == JOB:
            return PERMISSION + self._without_write()
        if login.source == STORED:
            return self._of_an_earlier_step(
                name, login, "log in again there, with a token that is good"
            )
        return (
            f"check the secret: it must be a token of {name.registry} with write access, not "
            "expired" + self._without_write()
        )

    def _log_in(self, name: Name) -> str:
        inputs = "give `username` and `password`, or " if name.registry == self.given_for else ""
        step = "log in in a step before this one"
        return f"there is no login to {name.registry}: {inputs}{step}" + self._without_write()

    def _of_an_earlier_step(self, name: Name, login: Login, way: str) -> str:
        """Return both ways on with the login of an earlier step: that one, or another."""
        hint = f"the login of an earlier step is used, as {login.username!r}: {way}"
        if name.registry == GHCR:
            return (
                f"{hint}; or remove that login (leave out the step, or `docker logout {GHCR}` on a "
                f"runner of your own), so that the job's token is used, and {PERMISSION}"
            )
        if name.registry == self.given_for:
            return f"{hint}; or give `username` and `password`, which are then used"
        return hint

    def _right(self, refusal: Refusal, name: Name, login: Login) -> str:
        """Return what gives the login that was used the right to push."""
        if not login.credential:
            return self._log_in(name)
        token = "a token with the scope write:packages, whose user" if name.registry == GHCR else ""
        if login.source == STORED:
            may = f"it must be of {token or 'a user who'} may write to {name.path}"
            return self._of_an_earlier_step(name, login, may)
        if name.registry != GHCR:
            user = f"give the user {login.username!r}"
            return f"{user} the right to write to {name.path}" + self._without_write()
        if login.source == GIVEN:
            return (
                "the token in `password` must have the scope write:packages, and its user must "
                f"have the right to write to {name.path}; or leave `password` out, so that the "
                f"job's token is used, and {PERMISSION}"
            )
        return self._right_of_the_job(refusal, name)

    def _right_of_the_job(self, refusal: Refusal, name: Name) -> str:
        """Return what gives the token of the job the right to push to GHCR."""
        context = self.context
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
                f"only: change the input `image`; or log in to {GHCR} in a step before this one, "
                f"with a token that may write to {name.path}"
            )
        return PERMISSION + _organisation(refusal, context) + self._without_write()

    def _without_write(self) -> str:
        context = self.context
        if context.is_fork:
            return "; a run for a fork gets no write access, whatever the workflow says"
        if context.is_dependabot:
            return (
                "; a run of Dependabot gets none of the secrets of the repository, and a token "
                "that only reads where the job does not ask for more"
            )
        return ""


def row_for(refusal: Refusal, name: Name) -> Row:
    """Return the row of the table that is meant for an answer."""
    said = f"{refusal.code} {refusal.message}"
    return next(
        row
        for row in ROWS
        if (row.statuses == ANY or refusal.status in row.statuses)
        and row.registry in ("", name.registry)
        and re.search(row.said, said, re.IGNORECASE)
    )


def _create(name: Name) -> str:
    ecr = ".dkr.ecr." in name.registry
    how = f" (`aws ecr create-repository --repository-name {name.path}`)" if ecr else ""
    return f"create the repository {name.path} there{how}, or correct the input `image`"


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
