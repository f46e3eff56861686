"""Steps that a user writes, in GitHub's own syntax, and what is refused in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Heading
from gen_workflow.spec import raw, step_keys
from gen_workflow.spec.forms import Form, Schema, entries
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.step_keys import Place
from gen_workflow.workflow.records import RawStep

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

EXAMPLE = "[npm ci, {name: Test, run: npm test}]"
# Keys that GitHub takes beside one of `uses` and `run` only.
_OF = {"with": "uses", "shell": "run", "working-directory": "run"}
_STEP = {"$ref": "#/definitions/step"}
# What the `$ref` of a schema leads to.
DEFINITIONS = {
    "step": {"anyOf": [step_keys.COMMAND, step_keys.STEP]},
    "steps": {"anyOf": [_STEP, {"type": "array", "items": _STEP, "minItems": 1}]},
}


class Steps(Form[tuple[RawStep, ...]]):
    """A list of steps, or one alone; a text is a command."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def read(self, value: Value, reading: Reading) -> tuple[RawStep, ...] | None:
        if value.kind not in ("a list", "a mapping", "text") or value.node.value == []:
            kind = "an empty list" if value.kind == "a list" else value.kind
            hint = f"write for example {EXAMPLE}"
            reading.problem(value, f"should be steps, but is {kind}", hint, Heading.WRONG_KIND)
            return None
        items = value.items() if value.kind == "a list" else [value]
        found = [read_step(item, reading, self._place) for item in items]
        _note_ids_twice(items, found, reading)
        return tuple(one for one in found if one)

    def schema(self) -> Schema:
        return {"$ref": "#/definitions/steps"}


def read_step(value: Value, reading: Reading, place: Place) -> RawStep | None:
    """Return one step; None, and a problem, when it is none."""
    if value.kind == "text":
        step_keys.run(value, reading, place)
        return RawStep((("run", value.text),))
    if value.kind != "a mapping":
        what = f"should be a command or a mapping, but is {value.kind}"
        reading.problem(value, what, "write for example {run: npm test}", Heading.WRONG_KIND)
        return None
    found = known(value, step_keys.KEYS, "a step", reading)
    _note_wrong_together(value, found, reading)
    for name, item in found.items():
        step_keys.CHECKS[name](item, reading, place)
    content = {name: raw.data(item, reading) for name, item in found.items()}
    for name, item in found.items():
        note_secrets(item, content[name], reading, place)
    version = step_keys.version_of(found["uses"]) if "uses" in found else ""
    return RawStep(tuple(content.items()), version)


def known(value: Value, keys: tuple[str, ...], what: str, reading: Reading) -> dict[str, Value]:
    """Return the entries of a mapping in GitHub's syntax, as they were written, by their keys."""
    found = {}
    for key, item in entries(value, reading):
        if key.text in keys:
            found[key.text] = item
        elif not key.text.startswith("x-"):
            hint = near(key.text, keys) or f"use one of {listed(keys)}"
            reading.problem(key, f"is not a key of {what}", hint, Heading.UNKNOWN_KEY)
    return found


def _note_wrong_together(value: Value, found: dict[str, Value], reading: Reading) -> None:
    does = [name for name in ("uses", "run") if name in found]
    if len(does) == 1:
        for name, item in found.items():
            if _OF.get(name, does[0]) != does[0]:
                what = f"cannot be beside `{does[0]}`: it belongs to `{_OF[name]}`"
                reading.problem(item, what, "remove it", Heading.TOGETHER)
    elif does:
        what, hint = "has both `uses` and `run`", "make two steps of it"
        reading.problem(value, what, hint, Heading.TOGETHER)
    elif all(key.text in found or key.text.startswith("x-") for key, _ in value.pairs()):
        what, hint = "has neither `uses` nor `run`", "write `run: a command`, or `uses: an action`"
        reading.problem(value, what, hint, Heading.MISSING_KEY)


def note_secrets(value: Value, content: Any, reading: Reading, place: Place) -> None:
    """Note each secret that the job cannot have; the token of the run is none."""
    for name in raw.secrets_in(content):
        if name.upper() == "GITHUB_TOKEN":
            what = "the token of the run is not a secret that somebody creates"
            hint = "write ${{ github.token }}, which is the same"
            reading.problem(value, what, hint, Heading.SECRET)
        elif place.no_secrets:
            what = f"takes the secret {name}, but {place.no_secrets}"
            hint = "use it in a step of a deploy, whose job has an environment that keeps secrets"
            reading.problem(value, what, hint, Heading.SECRET)


def _note_ids_twice(items: list[Value], found: list[RawStep | None], reading: Reading) -> None:
    seen: set[str] = set()
    for item, one in zip(items, found, strict=True):
        name = str(dict(one.content).get("id", "")).lower() if one else ""
        if name and name in seen:
            what, hint = f"{name!r} appears twice", "give each step an id of its own"
            reading.problem(item.below(["id"]), what, hint, Heading.TWICE)
        seen.add(name)


OF_A_BUILD = Steps(Place(no_secrets="the build of a pull request runs this step as well"))
