"""Why a condition says no: the part of it that decides, in plain words."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterator
from typing import Any

from gen_workflow.explain import words
from gen_workflow.expressions.evaluate import Evaluator
from gen_workflow.expressions.reader import Call, Compared, Index, Literal, Logical, Not
from gen_workflow.expressions.values import text, truth
from gen_workflow.named_tuple import NamedTuple

# What a value has to begin or end with, or to hold.
_PARTS = {"startswith": "begins with", "endswith": "ends with", "contains": "holds"}


class _Reason(NamedTuple):
    """What is compared, what it is, and what it would have to be; or words of its own."""

    name: str = ""
    is_now: str = ""
    wanted: tuple[str, ...] = ()
    says: str = ""


_NO_SUCCESS = _Reason(says="success()")


def of_no(tree: Any, evaluator: Evaluator, before: str = "") -> str:
    """Return in words why a condition is false; `before` says why `success()` is."""
    found: list[_Reason] = []
    for one in _no(tree, evaluator):
        same = next((each for each in found if each[:2] == one[:2] and each.wanted), None)
        if same is None or not one.wanted:
            found.append(one)
        else:
            found[found.index(same)] = same._replace(wanted=(*same.wanted, *one.wanted))
    says = (before if one == _NO_SUCCESS else _said(one) for one in found)
    return "; ".join(dict.fromkeys(says))


def _no(tree: Any, evaluator: Evaluator) -> Iterator[_Reason]:
    """Yield why a tree is false: of several operands of `&&` the first that is."""
    if isinstance(tree, Logical):
        for one in _deciding(tree, evaluator):
            yield from _no(one, evaluator)
    elif isinstance(tree, Compared) and tree.operator == "==":
        yield _equal(tree, evaluator)
    elif isinstance(tree, Compared) and tree.operator == "!=":
        yield _unequal(tree, evaluator)
    elif isinstance(tree, Call):
        yield _call(tree, evaluator)
    elif isinstance(tree, Index):
        yield _Reason(_name(tree), text(evaluator.value(tree)), ("set",))
    elif isinstance(tree, Not):
        yield from _yes(tree, evaluator)
    else:
        yield _Reason(says=f"`{tree.text}` is not true")


def _deciding(tree: Logical, evaluator: Evaluator) -> tuple[Any, ...]:
    """Return the operands that say no: that the job itself does not want to run says most."""
    if tree.operator == "||":
        return tree.operands
    false = [one for one in tree.operands if truth(evaluator.value(one)) is False]
    return tuple(sorted(false, key=lambda one: isinstance(one, Call) and one.name == "success")[:1])


def _yes(tree: Not, evaluator: Evaluator) -> Iterator[_Reason]:
    """Yield why the opposite of something is false."""
    inside = tree.operand
    if isinstance(inside, Compared) and inside.operator == "==":
        yield _unequal(inside, evaluator)
    else:
        yield _Reason(says=f"`{inside.text}` is true")


def _equal(tree: Compared, evaluator: Evaluator) -> _Reason:
    named, other = _sides(tree)
    if named is None:
        return _Reason(says=f"`{tree.text}` is not true")
    name = _name(named)
    now, wanted = (text(evaluator.value(side)) for side in (named, other))
    return _Reason(name, words.value(name, now), (words.value(name, wanted),))


def _unequal(tree: Compared, evaluator: Evaluator) -> _Reason:
    named, other = _sides(tree)
    if named is None:
        return _Reason(says=f"`{tree.text}` is not true")
    name, value = _name(named), text(evaluator.value(other))
    if name in ("github.ref", "github.event_name"):
        return _Reason(says=f"not for {words.value(name, value)}")
    return _Reason(says=f"not when {words.of(name)} is {words.value(name, value)}")


def _call(tree: Call, evaluator: Evaluator) -> _Reason:
    if tree.name == "success":
        return _NO_SUCCESS
    if tree.name == "failure":
        return _Reason(says="only when a job before it fails")
    if tree.name == "cancelled":
        return _Reason(says="only when the run is cancelled")
    if tree.name not in _PARTS or not isinstance(tree.arguments[0], Index):
        return _Reason(says=f"`{tree.text}` is not true")
    name = _name(tree.arguments[0])
    now, part = (text(evaluator.value(each)) for each in tree.arguments)
    if name == "github.ref" and part.startswith("refs/"):
        return _Reason(says=f"only for {words.beginning(part)}; this is {words.ref(now)}")
    return _Reason(says=f"only when {words.of(name)} {_PARTS[tree.name]} {part}; it is {now}")


def _sides(tree: Compared) -> tuple[Index | None, Any]:
    """Return the side that names something, and the other one."""
    for one, other in ((tree.left, tree.right), (tree.right, tree.left)):
        if isinstance(one, Index):
            return one, other
    return None, None


def _name(tree: Any) -> str:
    """Return the name of what a tree leads to, as in `github.ref`."""
    if isinstance(tree, Index) and isinstance(tree.key, Literal):
        return f"{_name(tree.of)}.{text(tree.key.value)}"
    return str(tree.text)


def _said(reason: _Reason) -> str:
    if reason.says:
        return reason.says
    if reason.name in ("github.ref", "github.event_name"):
        return f"only for {words.same_kind(reason.wanted)}; this is {reason.is_now}"
    wanted = words.listed(reason.wanted, "or")
    return f"only when {words.of(reason.name)} is {wanted}; it is {reason.is_now}"
