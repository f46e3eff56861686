"""Single values of the spec that have a form of their own: ports, volumes, names, paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.spec.forms import SCALARS, Checked, Text, anchored, text
from gen_workflow.spec.hints import NOT_YET, listed, near

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

_PORT = (
    r"(?:(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})(?:/(?P<protocol>tcp|udp))?"
)
HIGHEST_PORT = 65535
_HIGHEST_BYTE = 255
_VOLUME = r"(?P<source>[^:\s]+):/[^:\s]*(?::[A-Za-z,]+)?"
_VOLUME_SOURCE = r"/.*|[A-Za-z0-9][A-Za-z0-9_.-]+"
_RESTART = ("no", "always", "unless-stopped", "on-failure")
# The rules of git-check-ref-format(1), for the part after refs/heads/; git branch refuses HEAD.
_NO_BRANCH = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$|^(@|HEAD)?$|^refs/"
_LETTERS = "letters, digits, . _ -"
# What ssh-deploy takes in `replaces`.
_REPLACED = r"[A-Za-z0-9*][A-Za-z0-9*._:/-]*"
_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"


def is_port(number: str) -> bool:
    """Tell whether a text is the number of a port."""
    return bool(re.fullmatch(r"[0-9]{1,5}", number)) and 1 <= int(number) <= HIGHEST_PORT


def is_branch(name: str) -> bool:
    """Tell whether git accepts a name for a branch."""
    return not re.search(_NO_BRANCH, name)


def _port(value: Value, reading: Reading) -> str | None:
    """Return a published port, HOST:CONTAINER as docker run takes it."""
    is_text = value.kind != "a number"
    found = text(value, reading, '"8080:80"', _PORT) if is_text else value.text
    if found is None:
        return None
    match = re.fullmatch(_PORT, found)
    if match is None:
        _explain_port(value, found, reading)
        return None
    for number in (match["host"], match["container"]):
        if not is_port(number):
            what = f"{found!r}: {number} is not a port"
            reading.problem(value, what, f"write a port from 1 to {HIGHEST_PORT}")
            return None
    address = match["address"] or ""
    if "[" not in address and any(int(byte) > _HIGHEST_BYTE for byte in address.split(".") if byte):
        reading.problem(
            value, f"{found!r}: {address} is not an address", "write for example 127.0.0.1"
        )
        return None
    return found


def port_taken(found: str) -> tuple[str, int, str]:
    """Return what only one container can have: address, port of the host, protocol."""
    match = re.fullmatch(_PORT, found)
    assert match is not None, found  # noqa: S101 - `_port` let it through
    return match["address"] or "", int(match["host"]), match["protocol"] or "tcp"


def _explain_port(value: Value, found: str, reading: Reading) -> None:
    if re.fullmatch(r"[0-9]+", found):
        hint = f'write both ports, that of the host first: "{found}:{found}"'
        reading.problem(value, f"{found} does not name the port of the host", hint)
    elif re.fullmatch(r"[0-9.:\[\]]*[0-9]+-[0-9]+.*", found):
        reading.problem(
            value, f"{found!r}: a range of ports {NOT_YET}", "list the ports one by one"
        )
    else:
        hint = 'write HOST:CONTAINER, such as "8080:80" or "127.0.0.1:8080:80"'
        reading.problem(value, f"{found!r} is not a published port", hint)


def _volume(value: Value, reading: Reading) -> str | None:
    """Return a volume, SOURCE:TARGET[:OPTIONS] as docker run takes it."""
    found = text(value, reading, '"data:/var/lib/app"')
    if found is None:
        return None
    match = re.fullmatch(_VOLUME, found)
    hint = 'write SOURCE:TARGET, such as "data:/var/lib/app" or "/srv/app:/data:ro"'
    if match is None or not found.isprintable():
        reading.problem(value, f"{found!r} is not a volume", hint)
    elif not re.fullmatch(_VOLUME_SOURCE, match["source"]):
        what = f"{match['source']!r} is neither a name nor an absolute path of the host"
        reading.problem(value, what, hint)
    else:
        return found
    return None


def _explain_restart(value: Value, found: str, reading: Reading) -> bool:
    hint = near(found, _RESTART) or f"use one of {listed(_RESTART)}"
    reading.problem(value, f"{found!r} is not a restart policy", hint)
    return True


def _health(value: Value, reading: Reading) -> str | None:
    """Return the path of a health check."""
    if value.kind == "a mapping" or value.text.startswith(("http://", "https://")):
        what = "a command" if value.kind == "a mapping" else "an address"
        hint = (
            "write a path such as /health; the host sends the request to the first published port"
        )
        reading.problem(value, f"{what} as a health check {NOT_YET}", hint)
        return None
    return _PATH_OF_APP.read(value, reading)


def _adopt(value: Value, reading: Reading) -> str | None:
    if value.kind == "true or false":
        return "true" if value.text.lower() == "true" else ""
    reading.problem(value, f"should be true or false, but is {value.kind}", "write adopt: true")
    return None


def _replaced(value: Value, reading: Reading) -> str | None:
    found = value.text if value.kind in SCALARS else value.kind
    if re.fullmatch(_REPLACED, found):
        return found
    hint = "list what the deploy has named, such as 8080 or ghcr.io/example/shop"
    reading.problem(value, f"{found!r} is nothing that a service has", hint)
    return None


def _branch(value: Value, reading: Reading) -> str | None:
    """Return the name of a branch."""
    if value.kind == "a mapping":
        hint = "name a branch or a list of branches, such as main"
        reading.problem(value, f"a mapping here {NOT_YET}", hint)
        return None
    if value.kind == "text" and re.search(r"[*?\[!]", value.text):
        what = f"a pattern of branches such as {value.text!r} {NOT_YET}"
        reading.problem(value, what, "name the branches one by one")
        return None
    found = _BRANCH_NAME.read(value, reading)
    if found and not is_branch(found):
        what = f"{found!r} is not a name of a branch"
        reading.problem(value, what, "git refuses this name; choose one such as main")
        return None
    return found


def _environment(value: Value, reading: Reading) -> str | None:
    """Return the name of a GitHub environment."""
    if value.kind == "a mapping":
        reading.problem(value, f"a mapping here {NOT_YET}", "write only the name: production")
        return None
    return _ENVIRONMENT_NAME.read(value, reading)


def _explain_image_name(value: Value, found: str, reading: Reading) -> bool:
    host, slash, _ = found.partition("/")
    if not slash or host == "ghcr.io" or not re.search(r"[.:]", host):
        return False
    what = f"a registry other than ghcr.io {NOT_YET}"
    reading.problem(value, what, f"write for example {_IMAGE_EXAMPLE}")
    return True


_IMAGE_EXAMPLE = "ghcr.io/owner/name in lower case, without a tag"
_PATH_OF_APP = Text(
    "a path of the app",
    r"/[!-~]*",
    "/health; the host sends the request to the first published port",
)
# Of the names that git accepts, those that need no quoting in an expression or a filter.
_BRANCH_NAME = Text("a name of a branch", r"[A-Za-z0-9_][A-Za-z0-9._/#+@-]*", "main")
_ENVIRONMENT_NAME = Text(
    "a name of an environment",
    r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,253}[A-Za-z0-9])?",
    "production",
)

PORT = Checked(_port, {"type": ["string", "number"], "pattern": anchored(_PORT)})
VOLUME = Checked(_volume, {"type": "string", "pattern": anchored(_VOLUME)})
HEALTH = Checked(_health, _PATH_OF_APP.schema())
ADOPT = Checked(_adopt, {"type": "boolean"})
REPLACED = Checked(_replaced, {"type": ["string", "number"], "pattern": anchored(_REPLACED)})
BRANCH = Checked(_branch, _BRANCH_NAME.schema())
ENVIRONMENT = Checked(_environment, _ENVIRONMENT_NAME.schema())
RESTART = Text(
    "a restart policy",
    r"no|always|unless-stopped|on-failure(?::[0-9]+)?",
    "unless-stopped",
    _explain_restart,
)
STAGE = Text("a name of a stage", r"[A-Za-z0-9][A-Za-z0-9_.-]*", f"build; {_LETTERS}")
# Docker wants two characters at least; ssh-deploy uses the endings itself during a deploy.
CONTAINER = Text(
    "a name of a container",
    r"(?!.*\.(?:next|previous|candidate)$)[A-Za-z0-9][A-Za-z0-9_.-]{1,100}",
    f"shop; {_LETTERS}",
)
# On the other two no candidate could run beside the old container, or be asked.
NETWORK = Text(
    "a network that a container can join",
    r"(?!(?:host|none)$)[A-Za-z0-9][A-Za-z0-9_.-]{0,100}",
    f"web; {_LETTERS}",
)
IMAGE_NAME = Text(
    "the name of an image",
    rf"ghcr\.io/{_IMAGE_PART}(?:/{_IMAGE_PART})+",
    _IMAGE_EXAMPLE,
    _explain_image_name,
)
