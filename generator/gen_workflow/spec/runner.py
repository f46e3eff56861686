"""Which runners the jobs run on: labels, a group, and an image in which the steps run."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Form, Schema, Text, text
from gen_workflow.spec.hints import listed
from gen_workflow.spec.sections import Either, Key, Section, ShortOr
from gen_workflow.spec.services import IMAGE

# GitHub's own runners that have what our actions need. Before them came those that go away.
HOSTED = ("ubuntu-24.04", "ubuntu-26.04", "ubuntu-24.04-arm", "ubuntu-26.04-arm")
_GONE = r"ubuntu-(?:1\d|2[0-2])\.\d\d(?:-.*)?|ubuntu-slim"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
# GitHub takes a `/` for nothing else (runs-on.js of npm @actions/workflow-parser).
_GROUP = r"(?:(?:org|organization|ent|enterprise)/)?[A-Za-z0-9][A-Za-z0-9 ._-]*"


def _label(value: Value, reading: Reading) -> str | None:
    found = text(value, reading, HOSTED[0])
    if found is None:
        return None
    if found.endswith("-latest"):
        what = f"{found!r} is another system from one day to the next"
        hint = f"write a version, such as {HOSTED[0]}"
    elif not re.fullmatch(_LABEL, found):
        what, hint = f"{found!r} is not a label of a runner", f"write for example {HOSTED[0]}"
    elif re.match(r"(?:macos|windows)-\d", found):
        what = f"{found!r} has no Docker for Linux, which builds and deploys need"
        hint = f"use one of {listed(HOSTED)}"
    elif re.fullmatch(_GONE, found):
        what = f"{found!r} goes away, or has no Docker"
        hint = f"use one of {listed(HOSTED)}"
    else:
        return found
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


class _Labels(Form[tuple[str, ...]]):
    """A label, or a list of labels that a runner must all have."""

    def read(self, value: Value, reading: Reading) -> tuple[str, ...] | None:
        if value.kind == "a list" and not value.items():
            reading.problem(value, "is empty", "name at least one label", Heading.WRONG_KIND)
        items = value.items() if value.kind == "a list" else [value]
        return tuple(one for item in items if (one := _label(item, reading))) or None

    def schema(self) -> Schema:
        one = {"type": "string", "pattern": f"^{_LABEL}$"}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


LABELS = _Labels()


class Runner(NamedTuple):
    """A runner, or the group that it is taken from."""

    labels: Annotated[
        tuple[str, ...],
        Key("Label of the runner, or a list of which it has all", LABELS, "[self-hosted, linux]",
            "0.1.0"),
    ] = ()  # fmt: skip
    group: Annotated[
        str,
        Key(
            "Group that the runner is taken from",
            Text("a name of a group", _GROUP, "large-runners or organization/large-runners"),
            "large-runners",
            "0.1.0",
        ),
    ] = ""
    container: Annotated[
        str,
        Key("Image in which the steps run, in place of the runner itself", IMAGE, "node:24",
            "0.1.0"),
    ] = ""  # fmt: skip


RUNNER = Section(Runner)


def _of_labels(value: Value, reading: Reading) -> Runner | None:
    return RUNNER.of(value, {"labels": value}, reading)


_SHORT = Checked(_of_labels, LABELS.schema())
_EXAMPLE = f"runner: {HOSTED[0]}"
ONE = ShortOr(_SHORT, "a label", _EXAMPLE, RUNNER, lists=True)


class Runners(NamedTuple):
    """A runner for each kind of job."""

    test: Annotated[
        Runner, Key("Runner of the tests", ONE, HOSTED[1], "0.1.0", default=f"`{HOSTED[0]}`")
    ] = Runner()
    build: Annotated[
        Runner, Key("Runner of the builds", ONE, HOSTED[1], "0.1.0", default=f"`{HOSTED[0]}`")
    ] = Runner()
    deploy: Annotated[
        Runner,
        Key(
            "Runner of the deploys, and of what puts a release back",
            ONE,
            "[self-hosted, linux]",
            "0.1.0",
            default=f"`{HOSTED[0]}`",
        ),
    ] = Runner()


RUNNERS = ShortOr(
    _SHORT,
    "a label",
    _EXAMPLE,
    Either(
        Section(Runners),
        RUNNER,
        together="it says the runner of all jobs, and the others those of one kind",
    ),
    lists=True,
)


def of_kind(runner: Runner | Runners | None, kind: str) -> Runner:
    """Return the runner of a kind of jobs: `test`, `build`, `deploy`, or empty for any other."""
    if isinstance(runner, Runners):
        found: Runner = getattr(runner, kind, Runner())
        return found
    # The image is meant for what a person has written; it may lack what other jobs need.
    return (runner or Runner()) if kind else (runner or Runner())._replace(container="")
