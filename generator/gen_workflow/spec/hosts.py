"""How a host is reached: the forms of its values, each literal or an expression."""

from __future__ import annotations

import re

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import FromSecret, OrExpression
from gen_workflow.spec.ports import is_port

TARGET = r"[A-Za-z][A-Za-z0-9_-]*"
TARGET_HINT = (
    "write a word such as vps, which reads variables such as VPS_HOST; "
    "or a mapping: {host, user, key, known-hosts}"
)


class HostName(OrExpression):
    """The name or address of a host, which holds no port."""

    def _better(self, found: str) -> str:
        port = re.fullmatch(r"[^:]+:([0-9]+)", found)
        return f"write the port as a key of its own: port: {port[1]}" if port else self.hint


class Port(OrExpression):
    """The port of a host."""

    def _fits(self, found: str) -> bool:
        return is_port(found)


def _or_variable(key: str) -> str:
    return f"write it, or take it from a variable: {key}: ${{{{ vars.VPS_{key.upper()} }}}}"


HOST = HostName(
    "a name or address of a host",
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?"
    r"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?",
    _or_variable("host"),
    Heading.ADDRESS,
)
USER = OrExpression(
    "a name of a user",
    r"[A-Za-z_][A-Za-z0-9._-]{0,63}(?:@[A-Za-z0-9][A-Za-z0-9.-]{0,100})?",
    _or_variable("user"),
    Heading.ADDRESS,
)
PORT = Port("a port", r"[0-9]{1,5}", _or_variable("port"), Heading.ADDRESS)
KEY = FromSecret("the private key", "write for example key: ${{ secrets.VPS_SSH_KEY }}")
KNOWN_HOSTS = OrExpression(
    "a line of a known_hosts file",
    r".*\S +[a-z][a-z0-9@.-]+ +[A-Za-z0-9+/=]+.*",
    "write for example known-hosts: ${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan prints",
    Heading.ADDRESS,
    lines=True,
)
