"""The settings that tests give to the registry, and its log. All of its threads share them."""

from __future__ import annotations

import fnmatch
import threading
from typing import Any, NamedTuple


class Access(NamedTuple):
    """What a token asks for: a repository and the actions on it."""

    kind: str
    name: str
    actions: frozenset[str]

    @classmethod
    def parse(cls, scope: str) -> Access:
        """Read `repository:acme/app:pull,push`."""
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        return cls(kind, name, frozenset(actions.split(",")))


class State:
    """Rights, faults and the log of requests. They can change while clients are connected."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rights: dict[str, list[str]] = {}
        self._faults: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []

    def set_rights(self, rights: dict[str, list[str]]) -> None:
        """Replace all rights: token → `repository glob:actions`. An empty token means no login."""
        with self._lock:
            self._rights = rights

    def knows(self, token: str) -> bool:
        with self._lock:
            return not token or token in self._rights

    def granted(self, token: str, wanted: Access) -> Access:
        """Return the part of the wanted access that the token has."""
        allowed: set[str] = set()
        with self._lock:
            for right in self._rights.get(token, ()):
                pattern, _, actions = right.rpartition(":")
                if fnmatch.fnmatchcase(wanted.name, pattern):
                    allowed.update(actions.split(","))
        return wanted._replace(actions=wanted.actions & allowed)

    def add_fault(self, fault: dict[str, Any]) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def take_fault(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the first fault for a request, and count it. `times` None has no end."""
        with self._lock:
            for fault in self._faults:
                wanted, _, pattern = fault["match"].partition(" ")
                if wanted not in (method, "*") or not fnmatch.fnmatchcase(path, pattern or "*"):
                    continue
                if fault["times"] is None:
                    return fault
                if fault["times"] > 0:
                    fault["times"] -= 1
                    return fault
        return None

    def log(self, request: dict[str, Any]) -> None:
        with self._lock:
            self._requests.append(request)

    def requests(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._requests)

    def clear_requests(self) -> None:
        with self._lock:
            self._requests.clear()
