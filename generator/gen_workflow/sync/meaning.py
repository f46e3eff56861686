"""Looks at what a merged workflow says: it must be what the two sides mean, and nothing else.

Lines that no side changed can still end up in the wrong place, such as in another job. So the two
documents are merged as data too, by other rules: keys by their names, steps by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.errors import SpecError
from gen_workflow.render.proof import difference
from gen_workflow.spec import document
from gen_workflow.sync import pinned
from gen_workflow.sync.merge import hunks, regions, span

if TYPE_CHECKING:
    from gen_workflow.sync.merge import Hunk

_NAMES = ("id", "name", "uses", "run")  # what tells one step from another
_GONE = object()


class Unclear(Exception):  # noqa: N818 - named after what it is
    """The merged workflow would not say what was meant: where, and why.

    `line` is the line of that in the edited text, from 1; 0 when it is not known.
    """

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


class _Clash(Exception):  # noqa: N818 - named after what it is
    """Both sides change the same thing; the text is its path."""


def check(base: list[str], yours: list[str], new: list[str], merged: list[str]) -> None:
    """Raise Unclear when the merged lines do not say what both sides mean."""
    edited = _root(yours, "the edited workflow")
    before, after = (document.plain(_root(side, "the workflow")) for side in (base, new))
    try:
        meant = _merged(before, document.plain(edited), after)
    except _Clash as clash:
        path = str(clash)
        what = f"the edit and the new workflow both change {path or 'the whole of it'}"
        raise Unclear(what, edited.below(path.split("/")).mark.line) from None
    said = document.plain(_root(merged, "the merged workflow"))
    if found := difference(meant, said):
        what = f"the edited lines and the new ones do not fit together at {found}"
        raise Unclear(what)


def _root(lines: list[str], name: str) -> document.Value:
    """Return the document in lines, whose pins are all the same; raises Unclear without one."""
    try:
        text = "\n".join(map(pinned.key, lines))
        root = document.parse(text, "line", bounded=False)
        if root is not None:
            document.plain(root)
            return root
    except SpecError as error:
        what = str(error).partition("\n")[0].removeprefix("line:")
        raise Unclear(f"{name} is not a workflow: {what}") from None
    raise Unclear(f"{name} is empty")


def _merged(base: Any, yours: Any, new: Any, path: str = "") -> Any:
    """Return what two changed values mean together; raises _Clash when that is unclear."""
    if yours in (base, new):
        return new
    if new == base:
        return yours
    kinds = {type(base), type(yours), type(new)}
    if kinds == {dict}:
        values = _each((base, yours, new), list(dict.fromkeys((*new, *yours))), path)
        return {key: value for key, value in values.items() if value is not _GONE}
    if kinds == {list}:
        sides = (_by_name(base), _by_name(yours), _by_name(new))
        names = _order(*map(list, sides))
        if names is not None:
            return list(_each(sides, names, path).values())
    raise _Clash(path)


def _each(sides: tuple[Any, Any, Any], names: list[Any], path: str) -> dict[Any, Any]:
    """Return what the values of each name mean together."""
    found = {}
    for name in names:
        base, yours, new = (side.get(name, _GONE) for side in sides)
        step = name[1] if isinstance(name, tuple) else name  # of an item, or of a key
        found[name] = _merged(base, yours, new, f"{path}/{step}" if path else step)
    return found


def _order(base: list[Any], yours: list[Any], new: list[Any]) -> list[Any] | None:
    """Return the names of the items of both sides; None when they have no right order."""
    mine, theirs = hunks(base, yours), hunks(base, new)
    if any(_unordered(one, other) for one in mine for other in theirs):
        return None
    found, at = [], 0
    for region in regions(mine, theirs):
        sides = [
            side[span(region, changed)]
            for side, changed in ((yours, region.yours), (new, region.new))
            if changed
        ]
        if sides[0] != sides[-1]:
            return None
        found += [*base[at : region.begin], *sides[0]]
        at = region.end
    found += base[at:]
    return found if len(set(found)) == len(found) else None  # moved to two places


def _unordered(one: Hunk, other: Hunk) -> bool:
    """Tell whether two hunks touch and both add an item, so that either could be the first."""
    if one == other:
        return False  # the same change, which is there once
    touch = one.begin == other.end or other.begin == one.end
    return touch and all(hunk.last - hunk.first > hunk.end - hunk.begin for hunk in (one, other))


def _by_name(items: list[Any]) -> dict[tuple[int, str], Any]:
    """Return the items of a list by what they are called, the second of a name as such."""
    found: dict[tuple[int, str], Any] = {}
    for item in items:
        name = str(item)
        if isinstance(item, dict):
            name = next((str(item[key]) for key in _NAMES if key in item), name)
        count = 0
        while (count, name) in found:
            count += 1
        found[count, name] = item
    return found
