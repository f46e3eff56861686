"""A matrix: the values that a test is run with, each combination in a job of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Heading
from gen_workflow.spec import raw
from gen_workflow.spec.forms import SCALARS, Checked, entries
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.languages import LANGUAGES
from gen_workflow.spec.step_keys import SINGLE

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

Pairs = tuple[tuple[str, Any], ...]
EXAMPLE = "{node: [22, 24], database: [postgres, mysql]}"
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
# docs.github.com/en/actions/reference/limits
MOST_JOBS = 256
_LISTS = ("include", "exclude")


def _matrix(value: Value, reading: Reading) -> Pairs | None:
    if value.kind != "a mapping" or not value.pairs():
        what = (
            f"should be a mapping, but is {value.kind}" if value.kind != "a mapping" else "is empty"
        )
        reading.problem(value, what, f"write for example {EXAMPLE}", Heading.WRONG_KIND)
        return None
    found, jobs = [], 1
    for key, item in entries(value, reading):
        if not re.fullmatch(_NAME, key.text):
            what = f"{key.text!r} is not a name of a matrix"
            reading.problem(key, what, "use letters, digits, - and _", Heading.WRONG_VALUE)
        elif _is_list(item, reading, of_mappings=key.text in _LISTS):
            found.append((key.text, raw.data(item, reading)))
            jobs *= 1 if key.text in _LISTS else len(item.items())
    _check_exclude(value, reading)
    if jobs > MOST_JOBS:
        what = f"makes {jobs} jobs, and GitHub takes at most {MOST_JOBS}"
        reading.problem(value, what, "name fewer values", Heading.LIMIT)
    return tuple(found)


def _check_exclude(value: Value, reading: Reading) -> None:
    """Note what is left out and is no combination of the matrix: GitHub refuses the run then."""
    there = {key.text: item for key, item in value.pairs()}
    values = {
        name: tuple(one.text for one in item.items())
        for name, item in there.items()
        if name not in _LISTS and item.kind == "a list"
    }
    rows = there["exclude"].items() if "exclude" in there else []
    for name, one in (pair for row in rows if row.kind == "a mapping" for pair in row.pairs()):
        if name.text in LANGUAGES:
            continue  # its versions may be beside the matrix
        if name.text not in values:
            hint = near(name.text, tuple(values)) or f"use one of {listed(tuple(values))}"
            what = f"{name.text!r} is not in the matrix"
            reading.problem(name, what, hint, Heading.WRONG_VALUE)
        elif one.text not in values[name.text]:
            what = f"{one.text!r} is not a value of {name.text} in the matrix"
            hint = f"use one of {listed(values[name.text])}"
            reading.problem(one, what, hint, Heading.WRONG_VALUE)


def _is_list(value: Value, reading: Reading, *, of_mappings: bool) -> bool:
    """Tell whether a value is a list of single values, or of mappings of such."""
    what = "a list of mappings" if of_mappings else "a list of values"
    if value.kind != "a list" or not value.items():
        kind = "empty" if value.kind == "a list" else value.kind
        hint = f"write for example {'[{node: 24}]' if of_mappings else '[22, 24]'}"
        reading.problem(value, f"should be {what}, but is {kind}", hint, Heading.WRONG_KIND)
        return False
    # Each is looked at, so that all problems are noted.
    wrong = [item for item in value.items() if not _is_row(item, what, reading, of_mappings)]
    return not wrong


def _is_row(value: Value, what: str, reading: Reading, of_mappings: bool) -> bool:  # noqa: FBT001
    pairs = value.pairs() if value.kind == "a mapping" else []
    values = [one for _, one in pairs] if of_mappings else [value]
    if not values or any(one.kind not in SCALARS for one in values):
        hint = f"write for example {'{node: 24}' if of_mappings else '24'}"
        reading.problem(
            value, f"should be in {what}, but is {value.kind}", hint, Heading.WRONG_KIND
        )
    elif any("${{" in one.text for one in values):
        what, hint = "an expression is not allowed here", "write the value itself"
        reading.problem(value, what, hint, Heading.NOT_ALLOWED)
    else:
        return True
    return False


_ROWS = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": SINGLE, "minProperties": 1},
    "minItems": 1,
}
MATRIX = Checked(
    _matrix,
    {
        "type": "object",
        "properties": dict.fromkeys(_LISTS, _ROWS),
        "propertyNames": {"pattern": f"^{_NAME}$"},
        "additionalProperties": {"type": "array", "items": SINGLE, "minItems": 1},
        "minProperties": 1,
    },
)
