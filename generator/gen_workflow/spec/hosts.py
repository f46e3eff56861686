"""How a host is reached: the forms of its values, each literal or an expression."""

from __future__ import annotations

import re

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import FromSecret, OrExpression
from gen_workflow.spec.forms import Text
from gen_workflow.spec.ports import is_port

TARGET = r"[A-Za-z][A-Za-z0-9_-]*"
TARGET_SCHEMA = {"type": "string", "pattern": f"^{TARGET}$"}
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


class Place(OrExpression):
    """A host among several, which may have a user and a port of its own.

    As ssh-deploy reads it: a port stands after a bracket, or after a name without a colon.
    """

    def _fits(self, found: str) -> bool:
        user, at, place = found.rpartition("@")
        if at and not re.fullmatch(USER.pattern, user):
            return False
        if re.fullmatch(HOST.pattern, place):
            return True
        match = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^\[\]:]*))(?::([0-9]+))?", place)
        host = (match[1] or match[2]) if match else ""
        return bool(
            match and re.fullmatch(HOST.pattern, host) and (match[3] is None or is_port(match[3]))
        )


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
PLACE = Place(
    "a host such as app1.example.com or admin@app1.example.com:2222",
    "",
    "write HOST, HOST:PORT or USER@HOST:PORT, and an IPv6 address with a port as [::1]:22; or take "
    "it from a variable: ${{ vars.VPS_HOST }}",
    Heading.ADDRESS,
)
PASSPHRASE = FromSecret(
    "the passphrase", "write for example passphrase: ${{ secrets.VPS_SSH_KEY_PASSPHRASE }}"
)
FINGERPRINT = OrExpression(
    "a SHA256 fingerprint",
    r"(?:.*\s)?SHA256:[A-Za-z0-9+/]{43}=?(?:\s.*)?",
    "write SHA256: and 43 characters, as `ssh-keygen -lf KEY.pub` on the host prints it",
    Heading.ADDRESS,
)
AUTHORITY = OrExpression(
    "the public key of an authority",
    r"(?:@cert-authority\s+\S+\s+)?(?:ssh|ecdsa|sk)-(?!\S*-cert-v01@)[a-z0-9@.-]+\s+"
    r"AAAA[A-Za-z0-9+/]+=*(?:\s.*)?",
    "write the public key that signs your host keys, such as `ssh-ed25519 AAAA…`",
    Heading.ADDRESS,
)
# What ssh replaces by itself: TOKENS of ssh_config(5), those for ProxyCommand. A shell of the
# runner reads the command, so it holds no expression.
PROXY_COMMAND = Text(
    "a command that makes the connection for ssh",
    r"(?:[^%\x00-\x1f\x7f]|%[%hnpr])+",
    "proxy-command: cloudflared access ssh --hostname %h; ssh knows %h, %p, %r and %n",
)
