"""The server: routes requests, checks tokens, validates both directions, injects faults."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import graphql
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from bed import tools
from bed.github import rest, schemas
from bed.github.asked import Account, Asked
from bed.github.graph import Executor
from bed.github.state import Fault, Refused, Repository, Token, Violation
from bed.github.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from ssl import SSLContext
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from typing_extensions import Self

_DOCS = "https://docs.github.com/rest"
_OUR_FAULT = 599
_QUOTA = 5000


@dataclass(frozen=True)
class Call:
    """A request that was answered. `operation` is `POST /repos/…` or `graphql FIELD`."""

    operation: str
    status: int
    user_agent: str


@dataclass(frozen=True)
class _Asked:
    """A request, parsed without knowledge of any repository."""

    operation: str
    method: str
    path: str
    body: Any
    request: Request


class FakeGitHub:
    """A GitHub on a free port of the loopback interface. The docstring of the package describes it.

    `url` is the base of its API. `token` is a classic token that may do everything. With `tls` it
    speaks HTTPS alone.
    """

    def __init__(
        self, root: Path, modules: Path | None = None, *, tls: SSLContext | None = None
    ) -> None:
        self._root = root
        self._tls = tls
        modules = modules or tools.npm_folder() / "node_modules"
        self._rest = schemas.rest(modules)
        self._graph = schemas.graph(modules)
        self._repositories: dict[str, Repository] = {}
        self._tokens: dict[str, Token] = {}
        self._faults: list[Fault] = []
        self._unknown: set[str] = set()
        self._meanwhile: dict[str, Callable[[], object]] = {}
        self._cut: _Cut | None = None
        self.accounts: dict[str, Account] = {}
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.add_account("octocat")
        self.token = self.add_token("ghp_" + "0aB" * 12)

    def __enter__(self) -> Self:
        self._server = make_server(
            "127.0.0.1", 0, self, threaded=True, request_handler=_Silent, ssl_context=self._tls
        )
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        # Polled often, so that stopping does not cost half a second per test.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if kind is None and self.violations:
            raise AssertionError("GitHub's API was violated:\n" + "\n".join(self.violations))

    def add_account(
        self,
        login: str,
        *,
        organization: bool = False,
        plan: str = "",
        teams: Iterable[str] = (),
        shows_plan: bool = True,
    ) -> Account:
        """Add a user or an organisation; `plan` is what it pays for, "" for all that there is."""
        number = len(self.accounts) + 1
        made = Account(login, number, organization, plan, tuple(teams), shows_plan, {})
        self.accounts[login.lower()] = made
        return made

    def has(self, slug: str) -> bool:
        """Return whether there is a repository."""
        return slug.lower() in self._repositories

    def create_repository(
        self,
        slug: str,
        files: Mapping[str, bytes] | None = None,
        *,
        branch: str = "main",
        private: bool = False,
    ) -> Repository:
        """Create a repository. Without files it has no commit."""
        git = Store.create(self._root / f"{slug}.git", branch)
        repository = Repository(slug, git, branch, private=private)
        self._repositories[slug.lower()] = repository
        owner = slug.partition("/")[0]
        if owner.lower() not in self.accounts:
            self.add_account(owner, organization=True)
        if files:
            repository.change(branch, files, message="Begin")
        return repository

    def repository(self, slug: str) -> Repository:
        """Return a repository. Raises Refused, with the text of GitHub, when there is none."""
        try:
            return self._repositories[slug.lower()]
        except KeyError:
            said = f"Could not resolve to a Repository with the name '{slug}'."
            raise Refused(404, said, kind="NOT_FOUND") from None

    def rename(self, slug: str, new: str) -> None:
        """Rename a repository. GitHub continues to answer to the old name."""
        repository = self._repositories[new.lower()] = self.repository(slug)
        repository.slug = new

    def clone_url(self, slug: str) -> str:
        """Return the address for `git clone`."""
        return str(self.repository(slug).git.path)

    def merge(self, slug: str, number: int, *, squash: bool = False) -> str:
        """Merge a pull request as a person does. Return the new head of its base."""
        return self.repository(slug).merge(number, squash=squash)

    def add_token(
        self,
        text: str,
        *,
        scopes: Iterable[str] = ("repo", "workflow"),
        classic: bool = True,
        login: str = "octocat",
        admin: bool = True,
    ) -> str:
        """Accept a token. With `classic=False` the scopes are permissions, such as `contents`.

        Without `admin`, its user is no administrator of any repository.
        """
        app = text.startswith("ghs_")
        self._tokens[text] = Token(login, frozenset(scopes), classic, app, admin)
        return text

    def forget(self, *fields: str) -> None:
        """Be an older GitHub Enterprise Server, which does not know these mutations of GraphQL.

        The text is that of graphql-ruby, which GitHub uses.
        """
        self._unknown.update(fields)

    def fail(
        self,
        operation: str,
        status: int,
        message: str = "",
        *,
        times: int = 1,
        lost: bool = False,
        headers: Mapping[str, str] | None = None,
        graphql_kind: str = "",
    ) -> None:
        """Answer an operation with an error, `times` times. With `lost` it is still carried out."""
        body: dict[str, Any] = {"message": message, "documentation_url": _DOCS}
        if graphql_kind:
            body = {"data": None, "errors": [{"type": graphql_kind, "message": message}]}
        self._faults.append(Fault(operation, times, status, body, headers or {}, lost))

    def meanwhile(self, operation: str, act: Callable[[], object]) -> None:
        """Do something once, directly before the next request of an operation is handled."""
        self._meanwhile[operation] = act

    def cut(self, nth: int, *, lost: bool) -> None:
        """Kill the connection of the nth writing request from now on, and of all behind it.

        With `lost`, that one is still carried out. `mend` ends this.
        """
        self._cut = _Cut(nth, lost)

    def mend(self) -> None:
        """Answer all requests again."""
        self._cut = None

    @property
    def operations(self) -> list[str]:
        """The requested operations, in their order."""
        return [call.operation for call in self.calls]

    @property
    def writes(self) -> list[str]:
        """The operations that change something, in their order."""
        return [one for one in self.operations if _is_write(one)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        with self._lock:
            asked = _understood(request)
            if self._is_cut(asked):
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                raise ConnectionResetError
            status, body, headers = self._answer(asked)
            agent = request.headers.get("User-Agent", "")
            self.calls.append(Call(asked.operation, status, agent))
        text = "" if body is None else json.dumps(body)
        response = Response(text, status, {**self._headers(request), **headers})
        response.content_type = "application/json; charset=utf-8"
        return response(environ, start_response)

    def _is_cut(self, asked: _Asked) -> bool:
        """Return whether no answer is given; the last request may be carried out before that."""
        cut = self._cut
        if cut is None or (cut.left > 0 and not _is_write(asked.operation)):
            return False
        cut.left -= 1
        if cut.left == 0 and cut.lost:
            status, _, _ = self._answer(asked)
            self.calls.append(Call(asked.operation, status, ""))
        return cut.left <= 0

    def _answer(self, asked: _Asked) -> tuple[int, Any, Mapping[str, str]]:
        if act := self._meanwhile.pop(asked.operation, None):
            act()
        fault = next((one for one in self._faults if one.operation == asked.operation), None)
        if fault:
            fault.times -= 1
            if fault.times == 0:
                self._faults.remove(fault)
        if fault is None or fault.lost:
            status, body = self._checked(asked)
        return (fault.status, fault.body, fault.headers) if fault else (status, body, {})

    def _checked(self, asked: _Asked) -> tuple[int, Any]:
        try:
            return self._done(asked)
        except Exception as error:  # noqa: BLE001 - every error must fail the test
            said = f"{error}" if isinstance(error, Violation) else f"{error!r}"
            self.violations.append(f"{asked.operation}: {said}")
            return _OUR_FAULT, {"message": said}

    def _done(self, asked: _Asked) -> tuple[int, Any]:
        try:
            return self._allowed(asked, self._token(asked.request))
        except Refused as refused:
            return self._refusal(asked, refused)

    def _token(self, request: Request) -> Token:
        if not request.headers.get("User-Agent"):
            said = "Request forbidden by administrative rules. Please make sure your request has"
            raise Refused(403, f"{said} a User-Agent header", kind="")
        _, _, text = request.headers.get("Authorization", "").partition(" ")
        if text not in self._tokens:
            raise Refused(401, "Bad credentials" if text else "Requires authentication", kind="")
        return self._tokens[text]

    def _allowed(self, asked: _Asked, token: Token) -> tuple[int, Any]:
        if asked.path == "/graphql":
            if unknown := self._unknown.intersection(asked.operation.split()):
                said = f"Field '{min(unknown)}' doesn't exist on type 'Mutation'"
                return 200, {"errors": [{"message": said, "path": ["mutation", min(unknown)]}]}
            executor = Executor(self._graph, self._find, token, self.owned)
            return 200, executor.execute(asked.body["query"], asked.body.get("variables") or {})
        found = rest.operation(asked.method, asked.path)
        if found is None:
            raise Violation("this operation is not supported")
        template, values = found
        query = asked.request.args.to_dict()
        problems = self._rest.problems_of_query(asked.method, template, query)
        problems += self._rest.problems_of_request(asked.method, template, asked.body)
        if problems:
            raise Violation(f"the request is wrong: {'; '.join(problems)}")
        status, body = rest.answer(
            asked.method,
            template,
            Asked(self, token, self.url, self._rest, values, query, asked.body),
        )
        self._check_response(asked, status, body)
        return status, body

    def _find(self, slug: str) -> Repository:
        return self.repository(slug)

    def owned(self, owner: str) -> list[Repository]:
        """Return the repositories of an owner, each once, also when it was renamed."""
        ones = {one.slug: one for one in self._repositories.values()}
        return [one for slug, one in ones.items() if slug.split("/")[0].lower() == owner.lower()]

    def _refusal(self, asked: _Asked, refused: Refused) -> tuple[int, Any]:
        """Return the answer of REST to a refused request, and of GraphQL to a wrong token."""
        message = "Not Found" if refused.status == 404 else refused.message
        body: dict[str, Any] = {"message": message, "documentation_url": _DOCS}
        body["status"] = str(refused.status)
        if refused.details:
            body["errors"] = list(refused.details)
        shown = None if refused.status < 400 else body  # a redirect has none
        if asked.path != "/graphql":
            self._check_response(asked, refused.status, shown)
        return refused.status, shown

    def _check_response(self, asked: _Asked, status: int, body: Any) -> None:
        template = asked.operation.partition(" ")[2]
        if problems := self._rest.problems_of_response(asked.method, template, status, body):
            raise Violation(f"this server's answer {status} is wrong: {'; '.join(problems[:5])}")

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": f"{_QUOTA}",
            "X-RateLimit-Remaining": f"{_QUOTA - len(self.calls)}",
            "X-RateLimit-Reset": f"{int(time.time()) + 3600}",
        }
        token = self._tokens.get(request.headers.get("Authorization", "").partition(" ")[2])
        if token and token.classic:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(token.scopes))
        return headers


@dataclass
class _Cut:
    """How many writing requests are still answered, and one, which is lost with its answer."""

    left: int
    lost: bool


def _is_write(operation: str) -> bool:
    """Return whether an operation changes something."""
    kind, _, fields = operation.partition(" ")
    return kind not in ("GET", "graphql") or (
        kind == "graphql" and not fields.startswith(("repository", "nothing"))
    )


class _Silent(WSGIRequestHandler):
    """Writes no log. The requests are in `calls`."""

    def log(self, *_: object, **__: object) -> None:
        """Write nothing."""


def _understood(request: Request) -> _Asked:
    """Return a request with the name of its operation.

    An Enterprise Server has its APIs at /api/v3 and /api/graphql. Both are supported.
    """
    path = request.path.removeprefix("/api/v3")
    path = "/graphql" if path == "/api/graphql" else path
    method = request.method.lower()
    body = json.loads(request.data) if request.data else None
    if path == "/graphql":
        operation = f"graphql {_root_field((body or {}).get('query', ''))}"
    else:
        found = rest.operation(method, path)
        operation = f"{request.method} {found[0] if found else path}"
    return _Asked(operation, method, path, body, request)


def _root_field(query: str) -> str:
    """Return the fields that a document asks for, without who asks."""
    try:
        definitions = graphql.parse(query).definitions
    except graphql.GraphQLError:
        return "nothing"  # its execution reports what is wrong
    for definition in definitions:
        if isinstance(definition, graphql.OperationDefinitionNode):
            fields = definition.selection_set.selections
            names = (one.name.value for one in fields if isinstance(one, graphql.FieldNode))
            return ", ".join(name for name in names if name != "viewer")
    return "nothing"
