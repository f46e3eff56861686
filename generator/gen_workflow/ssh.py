"""The `ssh` section: the host, and where its address and key come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import checks, keys, reading

if TYPE_CHECKING:
    from gen_workflow.document import Problems, Value

_REQUIRED = ("host", "user", "key", "known-hosts")
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SECRET = re.compile(r"\$\{\{ *secrets\.[A-Za-z_][A-Za-z0-9_]* *\}\}")
_FORMS = {
    "host": (
        re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+"),
        "a name or address of a host",
    ),
    "user": (re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*"), "a name of a user"),
    "port": (re.compile(r"[0-9]{1,5}"), "a port"),
    "known-hosts": (
        re.compile(r".*\S+ +[a-z][a-z0-9@.-]+ +[A-Za-z0-9+/=]+.*", re.DOTALL),
        "a line of a known_hosts file",
    ),
}


class Ssh(NamedTuple):
    """How a host is reached; every value is literal or an expression of GitHub's."""

    host: str
    user: str
    port: str
    key: str
    known_hosts: str


def read_ssh(value: Value, problems: Problems) -> Ssh | None:
    """Return the host: said in full, or by the name that its variables are called after."""
    if value.kind == "a mapping":
        return _in_full(value, problems)
    target = reading.text(value, problems, "vps", _TARGET)
    if target is None:
        return None
    if not _TARGET.fullmatch(target):
        hint = (
            "a word such as vps, for variables such as VPS_HOST; or {host, user, key, known-hosts}"
        )
        problems.add(value, f"{target!r} is not a name of a target", hint)
        return None
    prefix = target.upper().replace("-", "_")
    if prefix.startswith("GITHUB"):
        problems.add(value, "GitHub keeps names that begin with GITHUB_ for itself", "such as vps")
        return None
    return Ssh(
        host=f"${{{{ vars.{prefix}_HOST }}}}",
        user=f"${{{{ vars.{prefix}_USER }}}}",
        port=f"${{{{ vars.{prefix}_PORT || '22' }}}}",
        key=f"${{{{ secrets.{prefix}_SSH_KEY }}}}",
        known_hosts=f"${{{{ vars.{prefix}_KNOWN_HOSTS }}}}",
    )


def _in_full(value: Value, problems: Problems) -> Ssh | None:
    found = reading.section(value, problems, keys.SSH) or {}
    for key in _REQUIRED:
        if key not in found and not reading.misspelt(value, key, keys.SSH):
            problems.add(value, f"`{key}` is missing", _how(key))
    said = {key: _value(key, item, problems) for key, item in found.items()}
    if any(said.get(key) is None for key in _REQUIRED):
        return None
    texts = {key: text or "" for key, text in said.items()}
    return Ssh(
        host=texts["host"],
        user=texts["user"],
        port=texts.get("port", ""),
        key=texts["key"],
        known_hosts=texts["known-hosts"],
    )


def _how(key: str) -> str:
    if key == "key":
        return "such as key: ${{ secrets.VPS_SSH_KEY }}"
    if key == "known-hosts":
        return "such as known-hosts: ${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan prints"
    return f"write it, or take it from a variable: {key}: ${{{{ vars.VPS_{key.upper()} }}}}"


def _value(key: str, item: Value, problems: Problems) -> str | None:
    text = checks.value_or_expression(item, problems)
    if text is None:
        return None
    if key == "key":
        if _SECRET.fullmatch(text):
            return text
        what = "the private key must come from a secret"
        problems.add(item, what, _how(key))
        return None
    form, what = _FORMS[key]
    line = text.replace("\n", "").replace("\t", "") if key == "known-hosts" else text
    if not line.isprintable() or (key != "known-hosts" and text != text.strip()):
        hint = "take the blanks and control characters around and in it out"
        problems.add(item, f"{text!r} is not {what}", hint)
    elif "${{" not in text and not (form.fullmatch(text) and _is_port(key, text)):
        port = key == "host" and re.fullmatch(r"[^:]+:([0-9]+)", text)
        hint = f"say the port by itself: port: {port[1]}" if port else _how(key)
        problems.add(item, f"{text!r} is not {what}", hint)
    else:
        return text
    return None


def _is_port(key: str, text: str) -> bool:
    return key != "port" or checks.is_port(text)
