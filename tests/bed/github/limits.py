"""GitHub's limits: counted by its own clock, and what is over one is refused.

Sources: GitHub's pages "Rate limits for the REST API" and "Rate limits and query limits for the
GraphQL API". Not counted: seconds of processors, and the lower limits of single operations, which
GitHub does not tell. Stricter than GitHub may be: each mutation of a request counts as one that
creates content, and an hour is always the last one, where GitHub begins a new one at its reset.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import graphql

from bed.github.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

AT_ONCE = "requests at once"
_MINUTE, _HOUR = 60, 3600
_REST_HOUR, _GRAPHQL_HOUR = "REST requests in an hour", "GraphQL points in an hour"
_CHANGES = ("changes in a minute", "changes in an hour")
# What is allowed in how many seconds. An App of an Enterprise may do more.
_LIMITS = {
    _REST_HOUR: (5000, _HOUR),
    _GRAPHQL_HOUR: (5000, _HOUR),
    "REST points in a minute": (900, _MINUTE),
    "GraphQL points in a minute": (2000, _MINUTE),
    "changes in a minute": (80, _MINUTE),
    "changes in an hour": (500, _HOUR),
}
_MOST_AT_ONCE = 100
_PRIMARY = (_REST_HOUR, _GRAPHQL_HOUR)
_SLOWER = "You have exceeded a secondary rate limit"
_BLOCKED = f"{_SLOWER} and have been temporarily blocked from content creation."


@dataclass
class Limits:
    """What was asked for lately; `highest` is the most that was seen of each, `exceeded` how often.

    `clock` is that of GitHub, in seconds.
    """

    clock: Callable[[], float] = time.time
    highest: Counter[str] = field(default_factory=Counter)
    exceeded: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Note that a request begins."""
        with self._lock:
            self._now += 1
            self._note(AT_ONCE, self._now, _MOST_AT_ONCE)

    def end(self) -> None:
        """Note that a request has been answered."""
        with self._lock:
            self._now -= 1

    def count(self, costs: Mapping[str, int]) -> None:
        """Count what a request costs; raises Refused when that is over a limit."""
        over = [name for name, cost in costs.items() if self._is_over(name, cost)]
        if over:
            raise _refusal(over)
        for name, cost in costs.items():
            self._seen[name].append((self.clock(), cost))

    def headers(self, kind: str) -> dict[str, str]:
        """Return the headers that tell of the primary limit of REST, or of GraphQL."""
        name = _REST_HOUR if kind == "REST" else _GRAPHQL_HOUR
        most, seconds = _LIMITS[name]
        used = self._used(name)
        first = self._seen[name][0][0] if self._seen[name] else self.clock()
        return {
            "X-RateLimit-Limit": f"{most}",
            "X-RateLimit-Remaining": f"{most - used}",
            "X-RateLimit-Reset": f"{math.ceil(first + seconds)}",
        }

    def _is_over(self, name: str, cost: int) -> bool:
        return self._note(name, self._used(name) + cost, _LIMITS[name][0])

    def _note(self, name: str, found: int, most: int) -> bool:
        self.highest[name] = max(self.highest[name], found)
        if found > most:
            self.exceeded[name] += 1
        return found > most

    def _used(self, name: str) -> int:
        seen, begin = self._seen[name], self.clock() - _LIMITS[name][1]
        while seen and seen[0][0] <= begin:
            seen.popleft()
        return sum(cost for _, cost in seen)


def _refusal(over: list[str]) -> Refused:
    if set(over) & {*_PRIMARY}:
        graph = _GRAPHQL_HOUR in over
        said = "API rate limit exceeded for user ID 1."
        return Refused(200 if graph else 403, said, kind="RATE_LIMITED")
    said = _BLOCKED if set(over) & {*_CHANGES} else f"{_SLOWER}."
    return Refused(403, said, kind="", headers={"Retry-After": "60"})


def of_rest(method: str) -> dict[str, int]:
    """Return what a request to the REST API costs."""
    reads = method in ("get", "head", "options")
    costs = {_REST_HOUR: 1, "REST points in a minute": 1 if reads else 5}
    return costs if reads else costs | dict.fromkeys(_CHANGES, 1)


def of_graphql(document: graphql.DocumentNode, variables: Mapping[str, Any]) -> dict[str, int]:
    """Return what a document costs: points by its connections, changes by its mutations."""
    operation = next(
        one for one in document.definitions if isinstance(one, graphql.OperationDefinitionNode)
    )
    fragments = {
        one.name.value: one.selection_set
        for one in document.definitions
        if isinstance(one, graphql.FragmentDefinitionNode)
    }
    asked = sum(_connections(operation.selection_set, fragments, variables, 1))
    costs = {_GRAPHQL_HOUR: max(1, round(asked / 100)), "GraphQL points in a minute": 1}
    if operation.operation != graphql.OperationType.MUTATION:
        return costs
    costs["GraphQL points in a minute"] = 5
    return costs | dict.fromkeys(_CHANGES, len(operation.selection_set.selections))


def _connections(
    below: graphql.SelectionSetNode | None,
    fragments: Mapping[str, graphql.SelectionSetNode],
    variables: Mapping[str, Any],
    times: int,
) -> Iterator[int]:
    """Yield for each connection how often GitHub has to ask for it."""
    for one in below.selections if below else ():
        if isinstance(one, graphql.FragmentSpreadNode):
            yield from _connections(fragments[one.name.value], fragments, variables, times)
        elif isinstance(one, graphql.InlineFragmentNode):
            yield from _connections(one.selection_set, fragments, variables, times)
        elif isinstance(one, graphql.FieldNode):
            pages = [at.value for at in one.arguments or () if at.name.value in ("first", "last")]
            if pages:
                yield times
            size = _size(pages[0], variables) if pages else 1
            yield from _connections(one.selection_set, fragments, variables, times * size)


def _size(value: graphql.ValueNode, variables: Mapping[str, Any]) -> int:
    if isinstance(value, graphql.VariableNode):
        return int(variables[value.name.value])
    assert isinstance(value, graphql.IntValueNode)
    return int(value.value)
