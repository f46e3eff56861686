"""Looks at settings through GitHub's REST API, and notes what the token may not see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen_workflow.errors import Heading, UserError
from gen_workflow.github.answer import Part, flat
from gen_workflow.github.refusal import Refusal
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.bootstrap.steps import Step
    from gen_workflow.github.connection import Connection

_SEEN = 200
_NO_RIGHT = 403
_SEE_OTHER = 303  # of a pattern of branches that is there already
_PAGE = 30  # the most that GitHub gives of variables; of the others it gives 100
_PAGES = 40
_OF_THE_PLAN = re.compile(r"Upgrade to |billing plan", re.IGNORECASE)
RIGHTS = (
    "give GH_TOKEN a classic token with the scopes `repo` and `workflow` (and `read:org` for teams)"
    ", or a fine-grained one that may read and write Actions, Administration, Contents, "
    "Environments, Pull requests, Secrets, Variables and Workflows"
)


class Looked(NamedTuple):
    """What GitHub answered to a look: JSON, or why there is none."""

    status: int
    value: Any
    said: str = ""

    @property
    def there(self) -> bool:
        """Whether it was shown."""
        return self.status == _SEEN

    @property
    def top(self) -> Part:
        """The JSON."""
        return Part(self.value, "the top")

    @property
    def items(self) -> list[Part]:
        """The items of JSON that is a list."""
        return Part({"items": self.value}, "the top").parts("items")

    @property
    def above_the_plan(self) -> bool:
        """Whether the plan of the owner has not got it."""
        return _OF_THE_PLAN.search(self.said) is not None


class Api:
    """GitHub's REST API as bootstrap uses it, for the repository `slug`.

    `denied` is what the token may not do, and `scopes` are those that a classic token has.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.denied: list[str] = []
        self._unseen: dict[str, list[str]] = {}  # by the right that is missing
        self.scopes: str | None = None
        self._has_sent = False

    @property
    def slug(self) -> str:
        """The repository, as OWNER/NAME."""
        return self.connection.slug

    @slug.setter
    def slug(self, slug: str) -> None:
        self.connection.slug = slug

    def below(self, *parts: str) -> str:
        """Return a path below the repository; each part may hold any character."""
        return "/".join(["/repos", self.slug, *(quote(part, safe="") for part in parts)])

    def look(self, path: str, what: str, right: str = "Administration") -> Looked:
        """Return what is at a path; `what` is what it is, and `right` the right that it needs.

        Without a right, it may well not be shown.
        """
        doing = f"read {what}"
        answer = self.connection.whole("GET", path, doing, read=(_NO_RIGHT, 404, 409))
        self.scopes = answer.headers.get("x-oauth-scopes")
        value = answer.data()
        if answer.status == _SEEN:
            return Looked(_SEEN, value)
        said = flat(f"{value.get('message')}" if isinstance(value, dict) else answer.content())
        if "SAML" in said:
            raise self.connection.refused(Refusal(answer.status, said), doing)
        found = Looked(answer.status, None, said)
        if answer.status == _NO_RIGHT and right and not found.above_the_plan:
            self._unseen.setdefault(f"{right} ({said})", []).append(what)
        return found

    def all(self, path: str, key: str, what: str, right: str) -> list[Part] | None:
        """Return what is listed at a path, page by page; None when it is not shown."""
        found: list[Part] = []
        for page in range(1, _PAGES):
            shown = self.look(f"{path}?per_page={_PAGE}&page={page}", what, right)
            if not shown.there:
                return None
            found += shown.top.parts(key)
            if len(found) >= shown.top.number("total_count"):
                break
        return found

    def refuse_denied(self) -> None:
        """Raise UserError with everything that the token may not do."""
        unseen = (
            f"it lacks the right {right}, to read {', '.join(dict.fromkeys(what))}"
            for right, what in self._unseen.items()
        )
        if lines := [*dict.fromkeys((*self.denied, *unseen))]:
            begin = "" if self._has_sent else "nothing was written: "
            what = "\n  ".join([f"{begin}the token has too few rights", *lines])
            raise UserError(what, where=self.slug, hint=RIGHTS, anchor=Heading.FEW_RIGHTS)

    def send(self, step: Step, body: Any = None) -> Looked:
        """Take a step; `body` replaces that of the step."""
        self._has_sent = True
        answer = self.connection.whole(
            step.verb,
            step.path,
            step.says,
            step.body if body is None else body,
            read=(_SEE_OTHER,),
            once=step.once,
        )
        return Looked(answer.status, answer.data())
