"""Finds each `uses:` in the text of a workflow or of a composite action, with its exact place.

ruamel.yaml reads the text, so a `uses:` in a script or in a comment is none. It writes nothing: an
edit replaces characters in the text itself, and all others stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.reference import Reference, reference
from gen_workflow.spec.nodes import OutOfBounds, compose, each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BREAK = re.compile(r"[\r\n]|\Z")
# Behind the last value of a line: what ends its collections, and a comment.
_REST = re.compile(r"(?P<closing>[ \t,\]}]*?)(?P<comment>(?<=[ \t])#.*?)?[ \t]*")
_QUOTES = ("'", '"')


class Unreadable(Exception):  # noqa: N818 - named after what it is
    """A text that is not YAML; `line` is where, from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class Use(NamedTuple):
    """A `uses:` of another repository: its line, and where its ref and its comment are.

    `comment` is the place of the comment behind it; an empty one is where a comment can be added.
    `obstacle` says why it cannot be edited; empty for one that can.
    """

    reference: Reference
    line: int
    ref: slice
    comment: slice
    obstacle: str = ""


def find(text: str) -> list[Use]:
    """Return each use of another repository, in the order of the text; raises Unreadable."""
    try:
        # ruamel refuses a tab before a comment, which YAML 1.2 and GitHub allow.
        root = compose(text.replace("\t", " "), bounded=False)
    except OutOfBounds as error:
        raise Unreadable(error.mark.line, error.what) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, f"{error.problem}") from None
    except (YAMLError, ValueError) as error:  # a character that YAML does not allow
        raise Unreadable(1, f"{error}".partition("\n")[0]) from None
    ends = sorted(node.end_mark.index for node in each(root) if _ends_where_it_says(node))
    named = {id(node): node for node in _values(root)}.values()
    found = [(node, meant) for node in named if (meant := reference(node.value))]
    lines = [_end_of_line(text, node) for node, _ in found]
    uses = [
        _use(text, node, meant, ends, alone=lines.count(end) == 1)
        for (node, meant), end in zip(found, lines, strict=True)
    ]
    return sorted(uses, key=lambda use: use.ref.start)


def _values(root: Any) -> Iterator[Any]:
    """Yield each value of a `uses:` of a job or of a step; one with an alias more than once."""
    for jobs in _get(root, "jobs"):
        for _, job in jobs.value if isinstance(jobs, MappingNode) else ():
            yield from _scalars(_get(job, "uses"))
            yield from _of_steps(_get(job, "steps"))
    for runs in _get(root, "runs"):
        yield from _of_steps(_get(runs, "steps"))


def _of_steps(lists: Iterable[Any]) -> Iterator[Any]:
    for steps in lists:
        for step in steps.value if isinstance(steps, SequenceNode) else ():
            yield from _scalars(_get(step, "uses"))
            yield from _of_steps(_get(step, "parallel"))


def _get(node: Any, name: str) -> list[Any]:
    """Return the value of a key of a mapping; none when there is no such key, or no mapping."""
    pairs = node.value if isinstance(node, MappingNode) else ()
    return [value for key, value in pairs if isinstance(key, ScalarNode) and key.value == name]


def _scalars(nodes: Iterable[Any]) -> Iterator[Any]:
    return (node for node in nodes if isinstance(node, ScalarNode))


def _ends_where_it_says(node: Any) -> bool:
    """Tell whether a node ends at its mark; that of a block is where the next one begins."""
    if isinstance(node, ScalarNode):
        return node.style not in ("|", ">")
    return bool(node.flow_style)


def _end_of_line(text: str, node: Any) -> int:
    found = _BREAK.search(text, node.end_mark.index)
    return found.start() if found else len(text)


def _use(text: str, node: Any, meant: Reference, ends: list[int], *, alone: bool) -> Use:
    begin, end, eol = node.start_mark.index, node.end_mark.index, _end_of_line(text, node)
    line = text.count("\n", 0, begin) + 1
    quote = node.style if node.style in _QUOTES else ""
    nothing = Use(meant, line, slice(begin, begin), slice(eol, eol))
    if not text[begin:end].endswith(f"{quote}{node.value}{quote}"):
        return nothing._replace(obstacle="it is not written as one word on its line")
    last = max(one for one in ends if one <= eol)
    rest = _REST.fullmatch(text, last, eol)
    if not alone or rest is None:
        return nothing._replace(obstacle="another value stands on its line")
    line = text.count("\n", 0, end) + 1
    stop = end - len(quote)
    comment = slice(*rest.span("comment")) if rest["comment"] else slice(*[rest.end("closing")] * 2)
    return Use(meant, line, slice(stop - len(meant.ref), stop), comment)
