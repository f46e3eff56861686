"""Further jobs in GitHub's own syntax, and what is refused in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import raw, step_keys
from gen_workflow.spec.expressions import EXPRESSION, READ_OF_A_JOB
from gen_workflow.spec.forms import Form, Schema, entries
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.runner import LABELS
from gen_workflow.spec.step_keys import Place
from gen_workflow.spec.steps import Steps, known, note_secrets
from gen_workflow.workflow.records import Permission, RawStep, Uses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value

EXAMPLE = (
    """{smoke: {runs-on: ubuntu-24.04, timeout-minutes: 5, permissions: {}, steps: [./smoke]}}"""
)
NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
# docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobs
_SHARED = ("name", "needs", "if", "permissions", "concurrency", "strategy")
_OF_STEPS = (
    *("runs-on", "timeout-minutes", "environment", "outputs", "env", "defaults", "container"),
    *("services", "continue-on-error", "steps"),
)
_OF_CALL = ("uses", "with", "secrets")
KEYS = (*_SHARED, *_OF_STEPS, *_OF_CALL)
_NEEDED = {
    "permissions": "say what the job may do: permissions: {contents: read}, or {}",
    "runs-on": "write for example runs-on: ubuntu-24.04",
    "timeout-minutes": "GitHub would let it run for six hours: timeout-minutes: 15",
    "steps": "write for example steps: [npm run smoke]",
}
_SCOPE = r"[a-z]+(?:-[a-z]+)*"
_NO_ENVIRONMENT = "the job has no `environment`, which would keep it from other branches"


class UserJob(NamedTuple):
    """A job of the user; `content` has its keys that have no field here, as they were written."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    needs: tuple[str, ...]
    steps: tuple[RawStep, ...]
    uses: Uses | None
    content: dict[str, Any]


class Jobs(Form[tuple[UserJob, ...]]):
    """A mapping of ids to jobs."""

    def read(self, value: Value, reading: Reading) -> tuple[UserJob, ...] | None:
        if value.kind != "a mapping" or not value.pairs():
            kind = "empty" if value.kind == "a mapping" else value.kind
            what, hint = (
                f"should be a mapping of jobs, but is {kind}",
                f"write for example {EXAMPLE}",
            )
            reading.problem(value, what, hint, Heading.WRONG_KIND)
            return None
        found = [_job(key, item, reading) for key, item in entries(value, reading)]
        return tuple(one for one in found if one)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^(?:{NAME})$"},
            "additionalProperties": {"$ref": "#/definitions/job"},
            "minProperties": 1,
        }


def _job(key: Value, value: Value, reading: Reading) -> UserJob | None:
    if not re.fullmatch(NAME, key.text):
        what, hint = f"{key.text!r} is not an id of a job", "use letters, digits, - and _"
        reading.problem(key, what, hint, Heading.WRONG_VALUE)
    _mapping(value, reading)
    if value.kind != "a mapping":
        return None
    found = known(value, KEYS, "a job", reading)
    _note_wrong_keys(value, found, reading)
    for name, check in _CHECKS.items():
        if name in found:
            check(found[name], reading)
    _note_cancelled_deploy(found, reading)
    _note_unneeded(found, reading)
    place = Place("" if "environment" in found else _NO_ENVIRONMENT, deploys=False)
    steps = Steps(place).read(found["steps"], reading) if "steps" in found else ()
    content = {name: raw.data(item, reading) for name, item in found.items() if name != "steps"}
    for name in ("env", "services", "container", "with"):
        if name in found:
            note_secrets(found[name], content[name], reading, place)
    return UserJob(
        id=key.text,
        name=str(content.pop("name", "") or key.text),
        permissions=tuple(_permissions(found, reading)),
        needs=_names(content.pop("needs", ())),
        steps=steps or (),
        uses=_uses(found),
        content={k: v for k, v in content.items() if k not in ("permissions", "uses")},
    )


def _note_wrong_keys(value: Value, found: dict[str, Value], reading: Reading) -> None:
    """Note each key that is missing, and each that belongs to the other kind of job."""
    calls = "uses" in found
    for name in _OF_STEPS if calls else _OF_CALL:
        if name in found:
            other = "`uses`" if calls else "`steps`: it belongs to a job with `uses`"
            reading.problem(found[name], f"cannot be beside {other}", "remove it", Heading.TOGETHER)
    for name, hint in _NEEDED.items():
        if name not in found and (name == "permissions" or not calls):
            reading.problem(value, f"`{name}` is missing", hint, Heading.MISSING_KEY)


def _note_cancelled_deploy(found: dict[str, Value], reading: Reading) -> None:
    """Note that a newer run would end a job in the middle of a deploy."""
    group = found.get("concurrency")
    cancels = group.below(["cancel-in-progress"]) if group else None
    if "environment" in found and cancels and cancels.text == "true":
        what = "would end a deploy in the middle"
        reading.problem(cancels, what, "let it end: cancel-in-progress: false", Heading.TOGETHER)


def _note_unneeded(found: dict[str, Value], reading: Reading) -> None:
    """Note each job that an expression reads and that is not waited for: it is empty there."""
    waits = list(_names(raw.data(found["needs"], reading))) if "needs" in found else []
    small = {name.lower() for name in waits}
    for value, text in _expressions(found):
        for name in dict.fromkeys(name for name, _ in re.findall(READ_OF_A_JOB, text)):
            if name.lower() not in small:
                what = f"reads `needs.{name}`, which is empty: the job does not wait for {name!r}"
                hint = f"write needs: [{', '.join([*waits, name])}]"
                reading.problem(value, what, hint, Heading.TOGETHER)


def _expressions(found: dict[str, Value]) -> Iterator[tuple[Value, str]]:
    """Yield each value that holds an expression, and what is in it; a condition is one as it is."""
    for value in (one for item in found.values() for one in _texts(item)):
        is_condition = value.path.rpartition("/")[2] == "if"
        yield value, value.text if is_condition else "\n".join(EXPRESSION.findall(value.text))


def _texts(value: Value) -> Iterator[Value]:
    if value.kind == "text":
        yield value
    items = value.items() if value.kind == "a list" else []
    items += [item for _, item in value.pairs()] if value.kind == "a mapping" else []
    for item in items:
        yield from _texts(item)


def _permissions(found: dict[str, Value], reading: Reading) -> list[Permission]:
    """Return the permissions, each with the comment behind it as its reason."""
    value = found.get("permissions")
    if value is None:
        return []
    if value.kind != "a mapping":
        what = "gives the job more than it needs, or is no mapping"
        reading.problem(value, what, "name each: {contents: read}", Heading.WRONG_VALUE)
        return []
    return [_permission(key, item, reading) for key, item in entries(value, reading)]


def _permission(key: Value, value: Value, reading: Reading) -> Permission:
    levels = ("read", "write", "none")
    if not re.fullmatch(_SCOPE, key.text):
        what, hint = f"{key.text!r} is not a permission", "write for example contents: read"
        reading.problem(key, what, hint, Heading.WRONG_VALUE)
    if value.text not in levels or value.kind != "text":
        what, hint = f"{value.text!r} is not a level", f"use one of {listed(levels)}"
        reading.problem(value, what, near(value.text, levels) or hint, Heading.WRONG_VALUE)
    comment = re.search(r"\s#\s*(\S.*?)\s*$", value.rest_of_line)
    return Permission(key.text, value.text, comment[1] if comment else "as the spec says")


def _names(found: Any) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else (str(found),) if found else ()


def _uses(found: dict[str, Value]) -> Uses | None:
    if "uses" not in found:
        return None
    return Uses(found["uses"].text, step_keys.version_of(found["uses"]))


def _workflow(value: Value, reading: Reading) -> None:
    step_keys.uses(value, reading, file="")


def _needs(value: Value, reading: Reading) -> None:
    items = value.items() if value.kind == "a list" else [value]
    for item in items:
        if item.kind != "text":
            what = f"should be the id of a job, but is {item.kind}"
            reading.problem(item, what, "write for example needs: build", Heading.WRONG_KIND)


def _runs_on(value: Value, reading: Reading) -> None:
    if value.kind == "a mapping":
        if not known(value, ("group", "labels"), "a runner", reading):
            hint = "write for example {group: large-runners}"
            reading.problem(value, "names no runner", hint, Heading.MISSING_KEY)
    elif not (value.kind == "text" and "${{" in value.text):
        LABELS.read(value, reading)


def _secrets(value: Value, reading: Reading) -> None:
    if value.kind == "text":
        what = "gives the workflow every secret that there is"
        hint = "name each: {TOKEN: '${{ secrets.TOKEN }}'}"
        reading.problem(value, what, hint, Heading.SECRET)
    else:
        _mapping(value, reading)


def _mapping(value: Value, reading: Reading) -> None:
    if value.kind != "a mapping":
        what, hint = f"should be a mapping, but is {value.kind}", "write it as GitHub takes it"
        reading.problem(value, what, hint, Heading.WRONG_KIND)


def _text_or_mapping(value: Value, reading: Reading) -> None:
    if value.kind != "text":
        _mapping(value, reading)


_CHECKS = {
    "needs": _needs,
    "if": step_keys.condition,
    "timeout-minutes": step_keys.minutes,
    "runs-on": _runs_on,
    "env": step_keys.env,
    "uses": _workflow,
    "secrets": _secrets,
    **dict.fromkeys(("strategy", "outputs", "defaults", "services", "with"), _mapping),
    **dict.fromkeys(("environment", "container", "concurrency"), _text_or_mapping),
}
_ANY_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_MAPPING = {"type": "object"}
JOB: Schema = {
    "type": "object",
    "properties": {
        **{name: {} for name in KEYS},
        "name": {"type": "string"},
        "needs": _ANY_TEXTS,
        "permissions": {
            "type": "object",
            "propertyNames": {"pattern": f"^{_SCOPE}$"},
            "additionalProperties": {"enum": ["read", "write", "none"]},
        },
        "timeout-minutes": {"type": "integer", "minimum": 1, "maximum": step_keys.LONGEST},
        "steps": {"$ref": "#/definitions/steps"},
        **dict.fromkeys(("strategy", "outputs", "defaults", "with", "secrets", "env"), _MAPPING),
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
    "required": ["permissions"],
    "anyOf": [
        {"required": ["uses"]},
        {"required": ["runs-on", "timeout-minutes", "steps"]},
    ],
}
JOBS = Jobs()
