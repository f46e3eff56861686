"""Sends requests to GitHub through PyGithub's requester, and waits when GitHub asks for it.

Only the sending is PyGithub's. It reads an answer as if GitHub gave it for sure, and a page of a
portal ends in an error of Python there; so answers are read in `answer` and `refusal`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, TypeVar

from gen_workflow.github.answer import Answer, Foreign, flat
from gen_workflow.github.refusal import Refusal
from gen_workflow.github.tokens import OF_COMMIT, Rights, Token
from gen_workflow.github.unreached import Lost, not_github, own_authorities, unreachable
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.version import __version__
from github import Auth, Github

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_workflow.errors import GenWorkflowError
    from gen_workflow.github.answer import Part

PATIENCE = 60.0  # seconds that one request may wait in total for GitHub to recover
_LOST_TRIES = 2  # how often a request is repeated whose connection ended, and which may be done
_TIMEOUT = 30  # seconds for one answer; GitHub itself gives up after 10
_Read = TypeVar("_Read")


class _Request(NamedTuple):
    verb: str
    path: str
    body: Any
    doing: str  # what it is for, as in `commit on main`
    partial: bool = False  # whether a part of the answer is enough
    read: tuple[int, ...] = ()  # statuses that the caller reads itself
    once: bool = False  # whether it may be carried out already when its answer is lost


class Connection:
    """A connection to the API of one GitHub, for the repository `slug`.

    Every request raises a GenWorkflowError that says why it was refused and what to do, and
    refusal.Moved when the branch was changed meanwhile. `log` reports that a request is repeated;
    `patience` are the seconds that one request may wait in total for GitHub to recover, and `needs`
    the rights that a message about missing ones names.
    """

    def __init__(
        self,
        slug: str,
        token: str,
        api: str,
        log: Callable[[str], None],
        patience: float = PATIENCE,
        *,
        needs: Rights = OF_COMMIT,
    ) -> None:
        self.slug = slug
        self.token = Token.of(token, api, needs)
        self._log = log
        self.patience = patience
        self._api = api
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=_TIMEOUT,
            user_agent=f"gen-workflow/{__version__}",
            verify=own_authorities() or True,
            retry=None,  # its own retries know neither PATCH, 429 nor a limit of time
            seconds_between_requests=None,  # one repository needs a few requests at most
            seconds_between_writes=None,
        )

    def close(self) -> None:
        """Close the connection."""
        self._github.close()

    def rest(
        self,
        verb: str,
        path: str,
        doing: str,
        read: Callable[[Part], _Read],
        body: Mapping[str, Any] | None = None,
        *,
        kind: type = dict,
    ) -> _Read:
        """Return what `read` finds in the answer of the REST API; `path` is below the repository.

        `kind` is that of the answer, a mapping or a list. `read` raises Foreign when the answer has
        not the shape that GitHub's has.
        """
        request = _Request(verb, f"/repos/{self.slug}/{path}", body, doing)
        return self._ask(request, lambda answer: read(answer.json(kind)))

    def listed(self, path: str, doing: str, read: Callable[[list[Part]], _Read]) -> _Read:
        """Return what `read` finds in a list of the REST API; `path` is the whole path."""
        request = _Request("GET", path, None, doing)
        return self._ask(request, lambda answer: read(answer.listed()))

    def whole(
        self,
        verb: str,
        path: str,
        doing: str,
        body: Mapping[str, Any] | None = None,
        *,
        read: tuple[int, ...] = (),
        once: bool = False,
    ) -> Answer:
        """Return the answer of the REST API to a request for a path from its top.

        A redirect or an error whose status is in `read` is returned as well, but for a limit of
        GitHub. What is done `once` is not repeated after a fault of GitHub.
        """
        request = _Request(verb, path, body, doing, read=read, once=once)
        return self._ask(request, lambda answer: answer)

    def graphql(
        self,
        query: str,
        variables: Mapping[str, Any],
        doing: str,
        read: Callable[[Part, Mapping[str, str]], _Read],
        *,
        partial: bool = False,
    ) -> _Read:
        """Return what `read` finds in the data and in the headers of the answer of GraphQL.

        With `partial`, what does not exist or cannot be seen is null in the data, and no error.
        """
        body = {"query": query, "variables": variables}
        request = _Request("POST", self._github.requester.graphql_url, body, doing, partial)
        return self._ask(request, lambda answer: read(answer.json().part("data"), answer.headers))

    def refused(self, refusal: Refusal, doing: str) -> GenWorkflowError:
        """Return the error for what GitHub would refuse, or has refused."""
        return refusal.explained(self.slug, doing, self._api, self.token)

    def foreign(self, came: Foreign, doing: str) -> GenWorkflowError:
        """Return the error for an answer that GitHub does not give."""
        return not_github(self._api, doing, f"{came}")

    def _ask(self, request: _Request, read: Callable[[Answer], _Read]) -> _Read:
        """Send a request; retry while GitHub asks to wait and the time for that is not over.

        A request may be carried out twice then. All of ours name the state that they expect, so
        that GitHub refuses the second one.
        """
        end = time.monotonic() + self.patience
        attempt = 0
        while True:
            refusal: Refusal | None = None
            failed: GenWorkflowError
            try:
                answer = self._send(request)
                if answer.status in request.read and answer.status < 400:  # noqa: PLR2004 - HTTP's
                    return read(answer)
                refusal = Refusal.of(answer, graphql=not request.path.startswith("/"))
                if refusal is None or _is_read(request, refusal):
                    return read(answer)
                failed = self.refused(refusal, request.doing)
            except Foreign as came:
                raise self.foreign(came, request.doing) from None
            except Lost as lost:
                failed = lost
            wait = _wait(request, refusal, attempt)
            if wait is None or time.monotonic() + wait > end:
                raise failed
            said = f"answered {refusal.kind or refusal.status}" if refusal else "has not answered"
            self._log(f"GitHub {said}; retry in {wait:.0f} s")
            time.sleep(wait)
            attempt += 1

    def _send(self, request: _Request) -> Answer:
        requester = self._github.requester
        try:
            return Answer(*requester.requestJson(request.verb, request.path, input=request.body))
        except OSError as error:  # all errors of `requests`, and a file that it cannot read
            raise unreachable(error, self._api) from None
        except RecursionError:
            raise Foreign("a redirect in a circle") from None
        except RuntimeError as error:  # a redirect to another server, or to another protocol
            to = re.search(r" to ([^\s,]+)", f"{error}")
            raise Foreign(f"a redirect to {flat(to[1]) if to else 'nowhere'}") from None
        except (ValueError, ArithmeticError):
            raise Foreign("headers that GitHub does not send") from None


def _wait(request: _Request, refusal: Refusal | None, attempt: int) -> float | None:
    """Return the seconds until a request may be repeated; None when it may not.

    Without a refusal there was no answer. Then nobody knows whether it was carried out.
    """
    if request.once and not (refusal and refusal.limited):
        return None
    if refusal:
        return refusal.wait(attempt)
    return 2.0**attempt if attempt < _LOST_TRIES else None


def _is_read(request: _Request, refusal: Refusal) -> bool:
    """Tell whether the caller reads an error itself."""
    if request.partial and refusal.partial:
        return True
    return refusal.status in request.read and not refusal.limited
