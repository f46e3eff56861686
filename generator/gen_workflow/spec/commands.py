"""Commands of a deploy: those that a program gets as words, and those for a shell of the host.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Checked, entries, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value

SERVICE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}"
QUOTED = r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\""
# What a shell would not take for a part of an argument. A single |, ; or & within a word may be
# one, as in a=1&b=2.
OPERATOR = r"\|\S*|&|\S*(?:&&|\|\|)\S*|(?:[0-9]|&)?[<>]\S*|;+\S*|\S*;"
_EXAMPLE = "npx prisma migrate deploy"
_SH = "sh -c '…'"


class Task(NamedTuple):
    """A command, and the service of a compose project that runs it; empty for a container."""

    command: str
    service: str = ""

    @property
    def line(self) -> str:
        """The line of the input of the action."""
        return f"{self.service}: {self.command}" if self.service else self.command


def _command(value: Value, reading: Reading, example: str = _EXAMPLE) -> str | None:
    """Return a command of one line, which is split into words as a shell does."""
    found = text(value, reading, example)
    if found is None:
        return None
    words = re.sub(QUOTED, "q", found, flags=re.DOTALL).split()
    operator = next((word for word in words if re.fullmatch(OPERATOR, word)), "")
    if not found.isprintable():
        what, hint = "a command is one line", f"write a list of commands, or {_SH}"
    elif operator:
        shown = "".join(re.findall(r"[&|<>;]+", operator)[:1])
        what = f"a command has the operator {shown}, and no shell reads the command"
        hint = f"let a shell run it: sh -c '… {shown} …'"
    elif any(mark in word for word in words for mark in "'\"\\"):
        what, hint = "has a quote that is not closed", "add the missing quote"
    else:
        return found.strip()
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


def _words(value: Value, reading: Reading) -> str | None:
    """Return the command of a container: a text, or a list of words."""
    if value.kind != "a list":
        return _command(value, reading, "node server.js")
    words = [text(item, reading, "server.js") for item in value.items()]
    if not words:
        hint = "write for example [node, server.js]"
        reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
    if not words or None in words:
        return None
    import shlex  # noqa: PLC0415 - few need it

    return shlex.join(word for word in words if word is not None)


def _tasks(value: Value, reading: Reading) -> tuple[Task, ...]:
    """Return commands: one, a list, or a mapping of services to these."""
    return tuple(_each(value, reading))


def _each(value: Value, reading: Reading) -> Iterator[Task]:
    if value.kind != "a mapping":
        yield from (Task(command) for command in _one_or_more(value, reading))
        return
    for key, item in entries(value, reading):
        if re.fullmatch(SERVICE, key.text):
            yield from (Task(command, key.text) for command in _one_or_more(item, reading))
        else:
            what = f"{key.text!r} is not the name of a service"
            hint = "name a service of the compose files: {api: npx prisma migrate deploy}"
            reading.problem(key, what, hint, Heading.WRONG_VALUE)


def _one_or_more(value: Value, reading: Reading) -> Iterator[str]:
    if value.kind == "a list" and not value.items():
        hint = f"write for example {_EXAMPLE}, or remove it"
        reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
    for item in value.items() if value.kind == "a list" else [value]:
        if (command := _command(item, reading)) is not None:
            yield command


def _script(value: Value, reading: Reading) -> str | None:
    """Return commands for a shell of the host, of any number of lines."""
    if value.kind == "text" and "${{" in value.text:
        what = "an expression would become a part of the commands, whatever it holds"
        hint = 'put it into `env`: {VERSION: "${{ vars.VERSION }}"}, and write "$VERSION" here'
        reading.problem(value, what, hint, Heading.NOT_ALLOWED)
        return None
    return text(value, reading, "sudo systemctl restart shop")


_ONE = {"type": "string", "minLength": 1}
_SOME = {"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}
COMMAND = Checked(_words, _SOME)
TASKS = Checked(
    _tasks,
    {
        "anyOf": [
            *_SOME["anyOf"],
            {
                "type": "object",
                "propertyNames": {"pattern": f"^{SERVICE}$"},
                "additionalProperties": _SOME,
            },
        ]
    },
)
SCRIPT = Checked(_script, _ONE)
