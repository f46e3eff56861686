"""The server: routes requests, checks tokens, validates both directions, injects faults."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import graphql
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from bed import tools
from bed.github import limits, rest, schemas
from bed.github.asked import Account, Asked
from bed.github.graph import Executor
from bed.github.limits import Limits
from bed.github.state import Fault, Refused, Repository, Token, Violation
from bed.github.store import Store
from bed.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from ssl import SSLContext
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from typing_extensions import Self

_DOCS = "https://docs.github.com/rest"
_OUR_FAULT = 599
_Key: TypeAlias = "tuple[str, tuple[tuple[str, bytes], ...]]"  # what a repository begins with


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


class FakeGitHub(Served):
    """A GitHub on a free port of the loopback interface. The docstring of the package describes it.

    `url` is the base of its API. `token` is a classic token that may do everything. `latency` are
    the seconds that an answer takes on its way, and `clock` tells the time by which it counts. With
    `tls` it speaks HTTPS alone.
    """

    def __init__(
        self,
        root: Path,
        modules: Path | None = None,
        *,
        tls: SSLContext | None = None,
        latency: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._tls = tls
        modules = modules or tools.npm_folder() / "node_modules"
        self._rest = schemas.rest(modules)
        self._graph = schemas.graph(modules)
        self._repositories: dict[str, Repository] = {}
        self._models: dict[_Key, Store] = {}
        self._tokens: dict[str, Token] = {}
        self.faults: list[Fault] = []
        self._unknown: set[str] = set()
        self._meanwhile: dict[str, Callable[[], object]] = {}
        self._cut: _Cut | None = None
        self.accounts: dict[str, Account] = {}
        self._lock = threading.Lock()
        self._latency = latency
        self.limits = Limits(clock)
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
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, at)
        for repository in self._repositories.values():
            repository.git.close()
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
        """Create a repository. Without files it has no commit.

        One with the files of an earlier one begins as a copy of it, which takes no time.
        """
        path, model = self._root / f"{slug}.git", self._models.get(key := _key(files, branch))
        git = model.copied(path) if model else Store.create(path, branch)
        repository = Repository(slug, git, branch, private=private)
        repository.number = 1000 + len(self._repositories)
        self._repositories[slug.lower()] = repository
        owner = slug.partition("/")[0]
        if owner.lower() not in self.accounts:
            self.add_account(owner, organization=True)
        if files and not model:
            repository.change(branch, files, message="Begin")
            self._models[key] = git.copied(self._root / f".models/{len(self._models)}.git")
        return repository

    def repository(self, slug: str) -> Repository:
        """Return a repository. Raises Refused, with the text of GitHub, when there is none."""
        try:
            return self._repositories[slug.lower()]
        except KeyError:
            said = f"Could not resolve to a Repository with the name '{slug}'."
            raise Refused(404, said, kind="NOT_FOUND") from None

    @property
    def slugs(self) -> list[str]:
        """The names of all repositories."""
        return [one.slug for one in self._repositories.values()]

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
        after: int = 0,
        lost: bool = False,
        cut: bool = False,
        delay: float = 0,
        headers: Mapping[str, str] | None = None,
        graphql_kind: str = "",
    ) -> None:
        """Answer an operation with an error, `times` times; "" is any operation.

        `after` requests are let pass before. With `lost` the operation is still carried out, with
        `cut` the connection ends in place of an answer, which `delay` holds back for seconds.
        A status of 0 leaves the answer as it is.
        """
        body: dict[str, Any] = {"message": message, "documentation_url": _DOCS}
        if graphql_kind:
            body = {"data": None, "errors": [{"type": graphql_kind, "message": message}]}
        self.faults.append(
            Fault(operation, times, after, status, body, headers or {}, lost, cut, delay)
        )

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
        self.limits.begin()
        with self._lock:
            asked = _understood(request, self._by_number)
            if self._is_cut(asked):
                _reset(environ)
            fault = self._fault(asked)
            status, body, headers = self._answer(asked, fault)
            headers = {**self._headers(asked), **headers}
            agent = request.headers.get("User-Agent", "")
            self.calls.append(Call(asked.operation, status, agent))
        if seconds := self._latency + (fault.delay if fault else 0):
            # Outside of the lock: others are answered meanwhile. Also where a test skips sleep.
            threading.Event().wait(seconds)
        self.limits.end()
        if fault and fault.cut:
            _reset(environ)
        response = Response("" if body is None else json.dumps(body), status, headers)
        response.content_type = "application/json; charset=utf-8"
        return response(environ, start_response)

    def _is_cut(self, asked: _Asked) -> bool:
        """Return whether no answer is given; the last request may be carried out before that."""
        cut = self._cut
        if cut is None or (cut.left > 0 and not _is_write(asked.operation)):
            return False
        cut.left -= 1
        if cut.left == 0 and cut.lost:
            status, _, _ = self._answer(asked, None)
            self.calls.append(Call(asked.operation, status, ""))
        return cut.left <= 0

    def _fault(self, asked: _Asked) -> Fault | None:
        """Return the fault of a request, if it is its turn."""
        fault = next((one for one in self.faults if one.operation in ("", asked.operation)), None)
        if fault is None:
            return None
        if fault.after:
            fault.after -= 1
            return None
        fault.times -= 1
        if fault.times == 0:
            self.faults.remove(fault)
        return fault

    def _answer(self, asked: _Asked, fault: Fault | None) -> tuple[int, Any, Mapping[str, str]]:
        if act := self._meanwhile.pop(asked.operation, None):
            act()
        is_asked = fault is None or not (fault.status or fault.cut)
        if is_asked or (fault and fault.lost):
            answered = self._checked(asked)
        return answered if fault is None or is_asked else (fault.status, fault.body, fault.headers)

    def _checked(self, asked: _Asked) -> tuple[int, Any, Mapping[str, str]]:
        try:
            return self._done(asked)
        except Exception as error:  # noqa: BLE001 - every error must fail the test
            said = f"{error}" if isinstance(error, Violation) else f"{error!r}"
            self.violations.append(f"{asked.operation}: {said}")
            return _OUR_FAULT, {"message": said}, {}

    def _done(self, asked: _Asked) -> tuple[int, Any, Mapping[str, str]]:
        try:
            return *self._allowed(asked, self._token(asked.request)), {}
        except Refused as refused:
            return *self._refusal(asked, refused), refused.headers

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
            count = self.limits.count
            executor = Executor(self._graph, self._find, token, self.owned, count)
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
        self.limits.count(limits.of_rest(asked.method))
        self._redirect(asked, values)
        status, body = rest.answer(
            asked.method,
            template,
            Asked(self, token, self.url, self._rest, values, query, asked.body),
        )
        self._check_response(asked, status, body)
        return status, body

    def _find(self, slug: str) -> Repository:
        return self.repository(slug)

    def _by_number(self, found: re.Match[str]) -> str:
        """Return the path of a repository that is named by its number."""
        ones = self._repositories.values()
        slugs = (one.slug for one in ones if one.number == int(found[1]))
        return f"/repos/{next(slugs, 'nobody/nothing')}"

    def _redirect(self, asked: _Asked, values: Mapping[str, str]) -> None:
        """Refuse the old name of a repository, with its address. Source: see test_recorded.py."""
        slug = f"{values.get('owner')}/{values.get('repo')}"
        found = self._repositories.get(slug.lower())
        if found and found.slug.lower() != slug.lower():
            below = asked.path.removeprefix(f"/repos/{slug}")
            to = {"Location": f"{self.url}/repositories/{found.number}{below}"}
            status = 301 if asked.method == "get" else 307
            raise Refused(status, "Moved Permanently", kind="", headers=to)

    def owned(self, owner: str) -> list[Repository]:
        """Return the repositories of an owner, each once, also when it was renamed."""
        ones = {one.slug: one for one in self._repositories.values()}
        return [one for slug, one in ones.items() if slug.split("/")[0].lower() == owner.lower()]

    def _refusal(self, asked: _Asked, refused: Refused) -> tuple[int, Any]:
        """Return the answer of REST to a refused request, and of GraphQL to a wrong token."""
        message = "Not Found" if refused.status == 404 else refused.message
        body: dict[str, Any] = {"message": message, "documentation_url": _DOCS}
        if to := refused.headers.get("Location"):
            return refused.status, {**body, "url": to}
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

    def _headers(self, asked: _Asked) -> dict[str, str]:
        headers = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            **self.limits.headers("GraphQL" if asked.path == "/graphql" else "REST"),
        }
        token = self._tokens.get(asked.request.headers.get("Authorization", "").partition(" ")[2])
        if token and token.classic:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(token.scopes))
        return headers


def _reset(environ: WSGIEnvironment) -> NoReturn:
    """End the connection without an answer, as a reset.

    The server would wait for the next request. It reads an end, and closes with RST: socket(7).
    """
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    raise ConnectionResetError


@dataclass
class _Cut:
    """How many writing requests are still answered, and one, which is lost with its answer."""

    left: int
    lost: bool


def _is_write(operation: str) -> bool:
    """Return whether an operation changes something."""
    kind, _, fields = operation.partition(" ")
    return kind not in ("GET", "graphql") or (
        kind == "graphql" and not fields.startswith(("repository", "viewer", "nothing"))
    )


def _key(files: Mapping[str, bytes] | None, branch: str) -> _Key:
    return branch, tuple(sorted((files or {}).items()))


class _Silent(WSGIRequestHandler):
    """Writes no log. The requests are in `calls`."""

    def log(self, *_: object, **__: object) -> None:
        """Write nothing."""


def _understood(request: Request, by_number: Callable[[re.Match[str]], str]) -> _Asked:
    """Return a request with the name of its operation.

    An Enterprise Server has its APIs at /api/v3 and /api/graphql. Both are supported.
    """
    # As it was sent: a name of an environment or a branch may hold a slash, which is %2F then.
    path = request.environ["RAW_URI"].partition("?")[0].removeprefix("/api/v3")
    path = re.sub(r"^/repositories/(\d+)", by_number, path)
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
            return ", ".join(name for name in names if name != "viewer") or "viewer"
    return "nothing"
