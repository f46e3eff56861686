"""Options of a container: its limits, its labels, and what has no key of its own.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import value_or_expression
from gen_workflow.spec.forms import (
    SCALARS,
    Checked,
    Form,
    Listed,
    Schema,
    Text,
    anchored,
    entries,
    text,
)
from gen_workflow.spec.variables import Variable

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

LABEL_NAME = r"(?!io\.github\.gen-workflow)[A-Za-z0-9][!-<>-~]*"
LONG = r"--([a-z][a-z0-9-]*)(=.*)?"
# The options that take no value; any other would take the next word, which is the image.
SWITCHES = (
    "init", "privileged", "read-only", "no-healthcheck", "oom-kill-disable", "quiet",
    "disable-content-trust", "use-api-socket",
)  # fmt: skip
# These have an input of their own, or would make a rollback impossible.
TAKEN = {
    "name": "name", "network-alias": "name", "net-alias": "name", "publish": "ports",
    "publish-all": "ports", "env": "env", "env-file": "env-file", "volume": "volumes",
    "network": "networks", "net": "networks", "restart": "restart", "label": "labels",
    "memory": "memory", "cpus": "cpus", "stop-timeout": "stop-timeout",
}  # fmt: skip
FORBIDDEN = ("rm", "detach", "cidfile", "interactive", "tty", "attach", "pull", "help", "sig-proxy")


class Number(Form[str]):
    """A number, perhaps with a unit, which is kept as it was written."""

    def __init__(self, what: str, pattern: str, example: str) -> None:
        self.pattern = pattern
        self._what = what
        self._example = example

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value.text if value.kind in SCALARS else value.kind
        if re.fullmatch(self.pattern, found):
            return found
        hint = f"write for example {self._example}"
        reading.problem(value, f"{found!r} is not {self._what}", hint, Heading.WRONG_VALUE)
        return None

    def schema(self) -> Schema:
        return {"type": ["number", "string"], "pattern": anchored(self.pattern)}


def _option(value: Value, reading: Reading) -> str | None:
    """Return an option of `docker create` in its long form."""
    found = text(value, reading, "--cap-drop=ALL")
    if found is None:
        return None
    match = re.fullmatch(LONG, found)
    if not match or not found.isprintable():
        what = f"{found.partition('=')[0]!r} is not an option in its long form"
        hint = "write each as --name=value or --name, such as --cap-drop=ALL"
    elif match[1] == "user":
        what, hint = "--user has a key of its own", f'write user: "{(match[2] or "=1000")[1:]}"'
    elif match[1] in TAKEN:
        what = f"--{match[1]} has a key of its own"
        hint = f"use `{TAKEN[match[1]]}`"
    elif match[1] in FORBIDDEN:
        what = f"--{match[1]} would make the deploy hang, or make a rollback impossible"
        hint = "remove it"
    elif not match[2] and match[1] not in SWITCHES:
        what = f"--{match[1]} has no value"
        hint = f"write --{match[1]}=value, or --{match[1]}= for an empty value"
    else:
        return found
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


def _labels(value: Value, reading: Reading) -> tuple[Variable, ...] | None:
    """Return labels, which everyone who may use Docker on the host can read."""
    if value.kind != "a mapping":
        hint = "write for example {com.example.team: shop}"
        what = f"should be a mapping, but is {value.kind}"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
        return None
    found = []
    for key, item in entries(value, reading):
        content = value_or_expression(item, reading)
        if not re.fullmatch(LABEL_NAME, key.text):
            hint = "use letters, digits and . - _ /, with a letter or digit first"
            what = f"{key.text!r} is not the name of a label"
            reading.problem(key, what, hint, Heading.WRONG_VALUE)
        elif content is not None and _is_open(item, content, reading):
            found.append(Variable(key.text, content))
    return tuple(found)


def _is_open(item: Value, content: str, reading: Reading) -> bool:
    if re.search(r"\$\{\{ *secrets\.", content):
        what = "a secret cannot be a label: `docker inspect` shows it"
        hint = "give it to the app, with `env` or `secret-files`"
        reading.problem(item, what, hint, Heading.SECRET)
    elif not content.isprintable() or content != content.strip():
        what = "a label is one line, without spaces before or after it"
        reading.problem(item, what, "remove them", Heading.WRONG_VALUE)
    else:
        return True
    return False


OPTIONS = Listed(Checked(_option, {"type": "string", "pattern": f"^{LONG}$"}), "[--cap-drop=ALL]")
LABELS = Checked(
    _labels,
    {
        "type": "object",
        "propertyNames": {"pattern": anchored(LABEL_NAME)},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
)
MEMORY = Number("a size of memory", r"[1-9][0-9]*[bkmgBKMG]?", "512m")
CPUS = Number("a number of processors", r"[0-9]+(?:\.[0-9]+)?", "1.5")
USER = Text(
    "a user, with or without a group",
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?",
    '"1000:1000", in quotes',
)
