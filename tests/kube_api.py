"""An API server of Kubernetes for unit tests: objects in memory, on a Unix socket.

It stands where `kubectl proxy` listens. Of the real one it has what a client of ours uses: lists
with selectors and pages, patches that fail when the version of the object is not the one that was
seen, rehearsals, reviews of rights, and `Status` objects for refusals. It changes nothing by
itself: a test does that, between requests or before one of them.
"""

from __future__ import annotations

import copy
import json
import os
import re
import socketserver
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from kube_patches import Impossible, json_patched, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from typing_extensions import Self

Object = dict[str, Any]
PLURALS = {
    "Deployment": "apis/apps/v1 deployments", "StatefulSet": "apis/apps/v1 statefulsets",
    "DaemonSet": "apis/apps/v1 daemonsets", "ReplicaSet": "apis/apps/v1 replicasets",
    "ControllerRevision": "apis/apps/v1 controllerrevisions", "CronJob": "apis/batch/v1 cronjobs",
    "Pod": "api/v1 pods", "Event": "api/v1 events", "Secret": "api/v1 secrets",
}  # fmt: skip
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PLACE = re.compile(
    r"/(?P<api>api/v1|apis/(?P<group>[^/]+)/v1)/namespaces/(?P<namespace>[^/]+)/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?P<log>/log)?)?"
)
REASONS = {
    401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


class Answer(NamedTuple):
    """What the server sends: a status, and JSON or a text of another type."""

    status: int
    body: Object | str = ""
    headers: Mapping[str, str] = {}

    @property
    def bytes(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()

    @property
    def type(self) -> str:
        return "text/plain" if isinstance(self.body, str) else "application/json"


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    body: Any
    media_type: str


class Fault(NamedTuple):
    """What goes wrong with a request that fits: another answer, or a line that is cut.

    `cut` is `before` the answer, or `within` its body. With `done` the change was made before.
    """

    answer: Answer | None = None
    cut: str = ""
    done: bool = False
    method: str = ""
    path: str = ""

    def fits(self, request: Request) -> bool:
        return self.method in ("", request.method) and self.path in request.path


def status(code: int, message: str, **headers: str) -> Answer:
    """Return a refusal as the API server sends it."""
    body = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": REASONS.get(code, ""), "code": code,
    }  # fmt: skip
    return Answer(code, body, {name.replace("_", "-"): value for name, value in headers.items()})


class Refusal(Exception):  # noqa: N818 - named after what the server does
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = status(code, message)


class KubeApi:
    """The server; the socket is at `path`. Use it as a context."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.objects: dict[str, Object] = {}
        self.logs: dict[str, str] = {}
        # The log of each container that has none of its own.
        self.any_log = ""
        self.asked: list[Request] = []
        self.faults: list[Fault] = []
        # Rights that the login does not have, such as `patch deployments` or `get pods/log`.
        self.forbidden: set[str] = set()
        self.has_namespace = True
        # Called before each request, with it; may change the objects.
        self.before: Callable[[Request], object] = lambda _: None
        self._version = 100
        self._lock = threading.RLock()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self.path, _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def serve_at(self, path: str) -> None:
        """Be found at another path as well, as `kubectl proxy` is where it is told to be."""
        os.link(self.path, path)

    def fail(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests that fit go wrong."""
        self.faults += [fault for fault in faults for _ in range(times)]

    def sent(self, method: str, path: str = "") -> list[Request]:
        """Return the requests of a method whose paths contain a text."""
        return [each for each in self.asked if each.method == method and path in each.path]

    def put(self, found: Object) -> Object:
        """Add or replace an object, as a controller or a person does; return it."""
        with self._lock:
            meta = found.setdefault("metadata", {})
            where = place_of(found)
            meta.setdefault("namespace", "shop")
            old = self.objects.get(where, {})
            old_meta = old.get("metadata") or {}
            meta.setdefault("uid", old_meta.get("uid", f"uid-{meta['name']}-{self._version}"))
            changed = found.get("spec") != old.get("spec")
            meta["generation"] = old_meta.get("generation", 0) + changed
            self._version += 1
            meta["resourceVersion"] = str(self._version)
            self.objects[where] = found
            return found

    def edit(self, kind: str, name: str, change: Callable[[Object], object]) -> Object:
        """Change an object in place, as a controller or a person does."""
        with self._lock:
            found = copy.deepcopy(self.get(kind, name))
            change(found)
            return self.put(found)

    def get(self, kind: str, name: str, namespace: str = "shop") -> Object:
        return self.objects[_place(kind, name, namespace)]

    def remove(self, kind: str, name: str) -> None:
        with self._lock:
            self.objects.pop(_place(kind, name, "shop"), None)

    def of_kind(self, kind: str) -> list[Object]:
        with self._lock:
            return [each for each in self.objects.values() if each.get("kind") == kind]

    def answer(self, request: Request) -> tuple[Answer, str]:
        """Return the answer, and where the line is cut."""
        with self._lock:
            self.asked.append(request)
            self.before(request)
            fault = next((each for each in self.faults if each.fits(request)), None)
            if fault:
                self.faults.remove(fault)
            if fault and not fault.done and fault.cut != "within":
                return fault.answer or Answer(200), fault.cut
            try:
                found = self._serve(request)
            except Refusal as error:
                found = error.answer
            return (fault.answer or found, fault.cut) if fault else (found, "")

    def _serve(self, request: Request) -> Answer:
        if request.path == REVIEWS:
            return self._review(request.body)
        match = PLACE.fullmatch(request.path)
        if not match:
            raise Refusal(404, "the server could not find the requested resource")
        parts = {key: unquote(value or "") for key, value in match.groupdict().items()}
        kind = parts["plural"] + (f".{parts['group']}" if parts["group"] else "")
        self._check_right(request.method, parts, kind)
        if not parts["name"]:
            return Answer(200, self._list(request))
        where = f"/{parts['api']}/namespaces/{parts['namespace']}/{parts['plural']}/{parts['name']}"
        if request.method == "PATCH":
            return Answer(200, self._patch(where, kind, parts, request))
        if where not in self.objects:
            raise Refusal(404, f'{kind} "{parts["name"]}" not found')
        if request.method == "DELETE":
            return self._delete(where, parts["name"], request.body)
        if parts["log"]:
            return self._log(parts["name"], request)
        return Answer(200, self.objects[where])

    def _check_right(self, method: str, parts: dict[str, str], kind: str) -> None:
        single = "get" if parts["name"] else "list"
        verb = {"GET": single, "PATCH": "patch", "DELETE": "delete"}[method]
        resource = parts["plural"] + ("/log" if parts["log"] else "")
        if f"{verb} {resource}" in self.forbidden:
            raise Refusal(
                403,
                f'{kind} "{parts["name"]}" is forbidden: User "deployer" cannot {verb} resource '
                f'"{resource}" in API group "{parts["group"]}" in the namespace '
                f'"{parts["namespace"]}"',
            )

    def _review(self, body: Object) -> Answer:
        asked = body["spec"]["resourceAttributes"]
        part = f"/{asked['subresource']}" if asked.get("subresource") else ""
        allowed = f"{asked['verb']} {asked['resource']}{part}" not in self.forbidden
        return Answer(201, {**body, "status": {"allowed": allowed}})

    def _list(self, request: Request) -> Object:
        found = [
            each
            for where, each in sorted(self.objects.items())
            if where.startswith(f"{request.path}/")
            and _has_labels(each, request.query.get("labelSelector", ""))
            and _has_fields(each, request.query.get("fieldSelector", ""))
        ]
        begin = int(request.query.get("continue") or 0)
        end = begin + int(request.query.get("limit") or len(found) or 1)
        meta: Object = {"resourceVersion": str(self._version)}
        if end < len(found):
            meta |= {"continue": str(end), "remainingItemCount": len(found) - end}
        # In a list, objects do not say their kind.
        items = [{k: v for k, v in each.items() if k != "kind"} for each in found[begin:end]]
        return {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": items}

    def _log(self, pod: str, request: Request) -> Answer:
        previous = " previous" if request.query.get("previous") == "true" else ""
        key = f"{pod} {request.query.get('container')}{previous}"
        if key not in self.logs and not self.any_log:
            raise Refusal(400, f'previous terminated container in pod "{pod}" not found')
        return Answer(200, self.logs.get(key, self.any_log))

    def _delete(self, where: str, name: str, body: Object) -> Answer:
        uid = (body.get("preconditions") or {}).get("uid")
        there = self.objects[where]["metadata"]["uid"]
        if uid and uid != there:
            raise Refusal(
                409, f'Operation cannot be fulfilled on pods "{name}": Precondition failed'
            )
        return Answer(200, self.objects.pop(where))

    def _patch(self, where: str, kind: str, parts: dict[str, str], request: Request) -> Object:
        name, media_type, body = parts["name"], request.media_type, request.body
        if not self.has_namespace:
            raise Refusal(404, f'namespaces "{parts["namespace"]}" not found')
        old = self.objects.get(where)
        applies = "apply-patch" in media_type
        if old is None and not applies:
            raise Refusal(404, f'{kind} "{name}" not found')
        try:
            if "json-patch" in media_type:
                new = json_patched(old or {}, body)
            else:
                new = merged(old or {"metadata": {"namespace": parts["namespace"]}}, body)
        except Impossible as error:
            raise Refusal(422, f"the server rejected our request: {error}") from None
        _check_version(kind, name, old or {}, new)
        _check_images(kind, name, new)
        manager = {
            "manager": request.query.get("fieldManager"),
            "operation": "Apply" if applies else "Update",
            "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        meta = new["metadata"]
        others = [e for e in meta.get("managedFields") or () if e["manager"] != manager["manager"]]
        meta["managedFields"] = [*others, {**manager, "fieldsType": "FieldsV1", "fieldsV1": {}}]
        return new if request.query.get("dryRun") == "All" else self.put(new)


def place_of(found: Object) -> str:
    """Return the path of an object."""
    meta = found["metadata"]
    return _place(found["kind"], meta["name"], meta.get("namespace", "shop"))


def _place(kind: str, name: str, namespace: str) -> str:
    api, plural = PLURALS[kind].split()
    return f"/{api}/namespaces/{namespace}/{plural}/{name}"


def _check_version(kind: str, name: str, old: Object, new: Object) -> None:
    versions = [(each.get("metadata") or {}).get("resourceVersion") for each in (old, new)]
    if versions[0] != versions[1]:
        raise Refusal(
            409,
            f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified; '
            "please apply your changes to the latest version and try again",
        )


def _check_images(kind: str, name: str, found: Object) -> None:
    spec = ((found.get("spec") or {}).get("template") or {}).get("spec") or {}
    for number, each in enumerate(spec.get("containers") or ()):
        if not each.get("image"):
            where = f"spec.template.spec.containers[{number}].image"
            raise Refusal(422, f'{kind} "{name}" is invalid: {where}: Required value')


def _has_labels(found: Object, selector: str) -> bool:
    labels = found["metadata"].get("labels") or {}
    parts = re.split(r",(?![^(]*\))", selector) if selector else []
    return all(_holds(part, labels) for part in parts)


def _holds(part: str, labels: dict[str, str]) -> bool:
    if match := re.fullmatch(r"(\S+) (in|notin) \(([^)]*)\)", part):
        return (labels.get(match[1]) in match[3].split(",")) is (match[2] == "in")
    if part.startswith("!"):
        return part[1:] not in labels
    key, equals, value = part.partition("=")
    return labels.get(key) == value if equals else key in labels


def _has_fields(found: Object, selector: str) -> bool:
    place: Any = found
    path, _, wanted = selector.partition("=")
    for key in path.split(".") if path else ():
        place = place.get(key, {})
    return not path or place == wanted


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 32

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that is gone is what some tests are about."""


def _handler(api: KubeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            media_type = self.headers.get("Content-Type") or ""
            given = json.loads(body) if body else None
            request = Request(self.command, path, dict(parse_qsl(query)), given, media_type)
            answer, cut = api.answer(request)
            if cut == "before":
                self.close_connection = True
                return
            self.send_response(answer.status)
            headers = {"Content-Type": answer.type, "Content-Length": str(len(answer.bytes))}
            for name, value in {**headers, **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = cut == "within"
            self.wfile.write(answer.bytes[: len(answer.bytes) // 2] if cut else answer.bytes)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    return Handler
