"""How a host is reached: the forms of its values, each literal or an expression."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import value_or_expression
from gen_workflow.spec.forms import Form, Schema, anchored
from gen_workflow.spec.ports import is_port

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

TARGET = r"[A-Za-z][A-Za-z0-9_-]*"
TARGET_HINT = (
    "write a word such as vps, which reads variables such as VPS_HOST; "
    "or a mapping: {host, user, key, known-hosts}"
)
_SECRET = r"\$\{\{ *secrets\.[A-Za-z_][A-Za-z0-9_]* *\}\}"  # noqa: S105 - a pattern


class PartOfHost(Form[str]):
    """A value that is literal, of a pattern, or holds an expression; `lines` may be several."""

    def __init__(self, what: str, pattern: str, hint: str, *, lines: bool = False) -> None:
        self._what = what
        self.pattern = pattern
        self.hint = hint
        self._lines = lines

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value_or_expression(value, reading)
        if found is None:
            return None
        line = found.replace("\n", "").replace("\t", "") if self._lines else found
        if not line.isprintable() or (not self._lines and found != found.strip()):
            hint = "remove the spaces before and after it, and all control characters"
            reading.problem(value, f"{found!r} is not {self._what}", hint, Heading.ADDRESS)
        elif "${{" not in found and not self._fits(found):
            reading.problem(
                value, f"{found!r} is not {self._what}", self._better(found), Heading.ADDRESS
            )
        else:
            return found
        return None

    def _fits(self, found: str) -> bool:
        return bool(re.fullmatch(self.pattern, found, re.DOTALL))

    def _better(self, found: str) -> str:  # noqa: ARG002 - a host with a port says more
        return self.hint

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}


class HostName(PartOfHost):
    """The name or address of a host, which holds no port."""

    def _better(self, found: str) -> str:
        port = re.fullmatch(r"[^:]+:([0-9]+)", found)
        return f"write the port as a key of its own: port: {port[1]}" if port else self.hint


class Port(PartOfHost):
    """The port of a host."""

    def _fits(self, found: str) -> bool:
        return is_port(found)


class FromSecret(Form[str]):
    """A value that must come from a secret."""

    def __init__(self, what: str, hint: str) -> None:
        self._what = what
        self.hint = hint

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value_or_expression(value, reading)
        if found is None or re.fullmatch(_SECRET, found):
            return found
        secret = re.search(_SECRET, found)
        if not secret:
            reading.problem(
                value, f"{self._what} must come from a secret", self.hint, Heading.SECRET
            )
        elif secret[0] == found.strip():
            what = f"has a blank beside the secret, which would be a part of {self._what}"
            reading.problem(value, what, f"write only {secret[0]}", Heading.SECRET)
        else:  # the other text is not shown: it may be a key
            reading.problem(
                value,
                "holds other text beside the secret",
                f"write only {secret[0]}",
                Heading.SECRET,
            )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": anchored(_SECRET)}


def _or_variable(key: str) -> str:
    return f"write it, or take it from a variable: {key}: ${{{{ vars.VPS_{key.upper()} }}}}"


HOST = HostName(
    "a name or address of a host",
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?"
    r"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?",
    _or_variable("host"),
)
USER = PartOfHost(
    "a name of a user",
    r"[A-Za-z_][A-Za-z0-9._-]{0,63}(?:@[A-Za-z0-9][A-Za-z0-9.-]{0,100})?",
    _or_variable("user"),
)
PORT = Port("a port", r"[0-9]{1,5}", _or_variable("port"))
KEY = FromSecret("the private key", "write for example key: ${{ secrets.VPS_SSH_KEY }}")
KNOWN_HOSTS = PartOfHost(
    "a line of a known_hosts file",
    r".*\S +[a-z][a-z0-9@.-]+ +[A-Za-z0-9+/=]+.*",
    "write for example known-hosts: ${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan prints",
    lines=True,
)
