"""The keys of a step in GitHub's own syntax, each with what it takes.

docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idsteps
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import SCALARS, anchored, entries
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.paths import full

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.spec.document import Reading, Value

# zizmor cannot look into the scripts of other shells.
_SHELLS = ("bash", "sh", "pwsh", "powershell", "python")
# Inputs that some actions run as a script.
_SCRIPTS = ("command", "commands", "inlineScript", "run", "script")
PINNED = r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*@[0-9a-f]{40}"
_IMAGE = r"docker://[a-z0-9][^\s@]*@sha256:[0-9a-f]{64}"
_LOCAL = r"[.$]/.*"
_HOW_TO_PIN = "owner/name@<40 hex digits> # v1.2.3"
_VERSION = r"\s#\s*(v?\d[\w.+-]*)\s*$"
_HIDES_FAILURE = r"\|\|\s*(?:true|:|exit\s+0|echo)(?![\w-])"
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
LONGEST = 360  # minutes; GitHub ends a job on its own runners after six hours


class Place(NamedTuple):
    """Where steps run, as far as it decides what they may say.

    `no_secrets` says why they can have no secret; empty when they can. With `deploys`, a command
    that fails has to end the job.
    """

    no_secrets: str = ""
    deploys: bool = False


def run(value: Value, reading: Reading, place: Place) -> None:
    """Note a problem when a value is no script, or one that GitHub would change."""
    if value.kind != "text" or not value.text.strip():
        what = "is empty" if value.kind == "text" else f"should be text, but is {value.kind}"
        reading.problem(value, what, "write a command: npm test", Heading.WRONG_KIND)
    elif "${{" in value.text:
        _note_expression(value, reading)
    elif place.deploys and (match := re.search(_HIDES_FAILURE, value.text)):
        what = f"`{match[0]}` hides a failure, so a deploy that has failed would look good"
        hint = "let the command fail; or ask before it whether there is anything to do"
        reading.problem(value, what, hint, Heading.WRONG_VALUE)


def _note_expression(value: Value, reading: Reading) -> None:
    """Note an expression in a script: GitHub writes its value into the text of the script."""
    match = re.search(r"\$\{\{\s*(.*?)\s*\}\}", value.text, re.DOTALL)
    inside = match[1] if match else "…"
    name = re.sub(r"\W+", "_", inside.rpartition(".")[2]).strip("_").upper() or "VALUE"
    what = (
        "an expression becomes a part of the script, so that a branch could be named as a command"
    )
    hint = f'write env: {{{name}: "${{{{ {inside} }}}}"}}, and in the script "${name}"'
    reading.problem(value, what, hint, Heading.NOT_ALLOWED)


def uses(value: Value, reading: Reading, file: str = "action.yml") -> None:
    """Note a problem when `uses` names no action at one commit, or one that is not there.

    `file` is what the folder of a local action holds; empty for a workflow, which is a file.
    """
    if value.kind != "text":
        what = f"should be text, but is {value.kind}"
        reading.problem(value, what, f"write {_HOW_TO_PIN}", Heading.WRONG_KIND)
    elif re.fullmatch(_LOCAL, value.text):
        _note_missing(value, reading, file)
    elif not re.fullmatch(f"{PINNED}|{_IMAGE}", value.text):
        _note_unpinned(value, reading)
    elif "@sha256:" not in value.text and not version_of(value):
        hint = "write the release of that commit at the end of the line, such as # v1.2.3"
        reading.problem(value, "does not say its version", hint, Heading.WRONG_VALUE)


def _note_unpinned(value: Value, reading: Reading) -> None:
    what = f"{value.text!r} is not an action at a full commit, and a tag or branch can be moved"
    hint = f"write {_HOW_TO_PIN}; `gen-workflow update` finds both"
    if value.text.startswith("docker://"):
        what = f"{value.text!r} is not an image with its digest"
        hint = "write for example docker://alpine:3@sha256:<64 hex digits>"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)


def version_of(value: Value) -> str:
    """Return the version in the comment behind `uses`; empty when there is none."""
    match = re.search(_VERSION, value.rest_of_line)
    return match[1] if match and re.fullmatch(PINNED, value.text) else ""


def _note_missing(value: Value, reading: Reading, file: str) -> None:
    path = value.text[2:].rstrip("/")
    names = (file, "action.yaml", "Dockerfile") if file else ("",)
    paths = [f"{path}/{name}".rstrip("/") for name in names]
    if not any(reading.tree.is_file(one) for one in paths):
        what = f"there is no {'action' if file else 'workflow'} at {full(path, reading)}"
        hint = "the path begins at the root of the repository"
        reading.problem(value, what, hint, Heading.NOT_THERE)


def _with(value: Value, reading: Reading, _place: Place) -> None:
    for key, item in _pairs(value, reading):
        if key.text in _SCRIPTS and item.kind == "text" and "${{" in item.text:
            _note_expression(item, reading)


def env(value: Value, reading: Reading, _place: Place = Place()) -> None:  # noqa: B008 - immutable
    """Note a problem when a value is no environment of a step or job."""
    for key, _ in _pairs(value, reading):
        if not re.fullmatch(VARIABLE, key.text):
            what = f"{key.text!r} is not a name of an environment variable"
            hint = "use letters, digits and _, with no digit first"
            reading.problem(key, what, hint, Heading.WRONG_VALUE)


def _pairs(value: Value, reading: Reading) -> list[tuple[Value, Value]]:
    """Return the entries of a mapping of single values."""
    if value.kind != "a mapping":
        what = f"should be a mapping, but is {value.kind}"
        reading.problem(value, what, "write for example {NAME: value}", Heading.WRONG_KIND)
        return []
    found = entries(value, reading)
    for _, item in found:
        if item.kind in ("a mapping", "a list"):
            what, hint = f"should be one value, but is {item.kind}", "write it as text, behind a |"
            reading.problem(item, what, hint, Heading.WRONG_KIND)
    return found


def condition(value: Value, reading: Reading, _place: Place = Place()) -> None:  # noqa: B008
    """Note a problem when a value is no condition, or one that is always true."""
    fenced = value.kind == "text" and "${{" in value.text
    if value.kind not in ("text", "true or false"):
        what = f"should be a condition, but is {value.kind}"
        hint = "write for example if: github.event_name == 'push'"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
    elif re.search(r"(?<![\w.'-])secrets\b", value.text):
        what = "a condition cannot ask for a secret"
        hint = "give the secret to `env` of a step, and let its script see whether it is empty"
        reading.problem(value, what, hint, Heading.SECRET)
    elif fenced and not re.fullmatch(r"\$\{\{(?:(?!\$\{\{).)*\}\}", value.text, re.DOTALL):
        what = "has text around `${{ }}`, and GitHub takes such a condition for true"
        hint = "write the condition without ${{ }}"
        reading.problem(value, what, hint, Heading.WRONG_VALUE)


def _text_of(pattern: str, what: str, example: str) -> Callable[[Value, Reading, Place], None]:
    """Return a check that a value is a text of a pattern."""

    def check(value: Value, reading: Reading, _place: Place) -> None:
        found = repr(value.text) if value.kind in SCALARS else value.kind
        if value.kind not in SCALARS or not re.fullmatch(pattern, value.text):
            hint = f"write for example {example}"
            reading.problem(value, f"{found} is not {what}", hint, Heading.WRONG_VALUE)

    return check


def _shell(value: Value, reading: Reading, _place: Place) -> None:
    found = value.text if value.kind == "text" else value.kind
    if found not in _SHELLS:
        hint = near(found, _SHELLS) or f"use one of {listed(_SHELLS)}"
        reading.problem(value, f"{found!r} is not a shell of a step", hint, Heading.WRONG_VALUE)


def minutes(value: Value, reading: Reading, _place: Place = Place()) -> None:  # noqa: B008
    """Note a problem when a value is no time limit that GitHub would keep."""
    found = value.text if value.kind in SCALARS else value.kind
    if not (re.fullmatch(r"[0-9]{1,3}", found) and 1 <= int(found) <= LONGEST):
        hint = f"write a whole number from 1 to {LONGEST}, such as 10"
        what = f"{found!r} is not a number of minutes"
        reading.problem(value, what, hint, Heading.WRONG_VALUE)


_ANY = r"(?s:.*\S.*)"
CHECKS: dict[str, Callable[[Value, Reading, Place], None]] = {
    "name": _text_of(_ANY, "a name of a step", "name: Test"),
    "id": _text_of(_NAME, "an id of a step", "id: test; letters, digits, - and _"),
    "if": condition,
    "uses": lambda value, reading, _place: uses(value, reading),
    "run": run,
    "with": _with,
    "env": env,
    "shell": _shell,
    "working-directory": _text_of(_ANY, "a folder", "working-directory: backend"),
    "continue-on-error": _text_of(
        r"true|false|True|False|\$\{\{.*\}\}", "true or false", "continue-on-error: true"
    ),
    "timeout-minutes": minutes,
}
KEYS = tuple(CHECKS)

SINGLE = {"type": ["string", "number", "boolean", "null"]}
COMMAND = {"type": "string", "pattern": r"^(?![\s\S]*\$\{\{)[\s\S]*\S"}
STEP = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"\S"},
        "id": {"type": "string", "pattern": anchored(_NAME)},
        "if": {"type": ["string", "boolean"]},
        "uses": {"type": "string", "pattern": anchored(f"{PINNED}|{_IMAGE}|{_LOCAL}")},
        "run": COMMAND,
        "with": {"type": "object", "additionalProperties": SINGLE},
        "env": {
            "type": "object",
            "propertyNames": {"pattern": anchored(VARIABLE)},
            "additionalProperties": SINGLE,
        },
        "shell": {"enum": [*_SHELLS]},
        "working-directory": {"type": "string", "pattern": r"\S"},
        "continue-on-error": {"type": ["boolean", "string"]},
        "timeout-minutes": {"type": "integer", "minimum": 1, "maximum": LONGEST},
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
    "oneOf": [{"required": ["run"]}, {"required": ["uses"]}],
}
