"""How a deploy over SSH finds out that the new version works, as the spec says it.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import OrExpression
from gen_workflow.spec.forms import SCALARS, Checked, Text, WholeNumber, anchored, text
from gen_workflow.spec.ports import is_port
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr

PATH = r"/[!-~]*"
SITE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}(?::[0-9]{1,5})?"
STATUS = r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?"
_EXAMPLE = "/health; the host sends the request to the first published port"
_ADDRESS = OrExpression(
    "an address", r"https?://[!-~]+", "write for example url: https://shop.example.com/health"
)
_OF_THE_RUNNER = r"https?://(?:localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\])(?::[0-9]+)?(/.*)?"


def _path(value: Value, reading: Reading) -> str | None:
    """Return a path of the app, with compose also behind a port."""
    found = text(value, reading, _EXAMPLE)
    if found is None:
        return None
    match = re.fullmatch(rf"(?::([0-9]{{1,5}}))?{PATH}", found)
    if match and (match[1] is None or is_port(match[1])):
        return found
    what = f"{found!r} is not a path of the app"
    reading.problem(value, what, f"write for example {_EXAMPLE}", Heading.WRONG_VALUE)
    return None


def _url(value: Value, reading: Reading) -> str | None:
    """Return an address that users open."""
    found = _ADDRESS.read(value, reading)
    if found and (match := re.fullmatch(_OF_THE_RUNNER, found)):
        what = f"{found!r} is the runner itself, which asks this address"
        hint = f"write the path for the host to ask: health: {match[1] or '/'}"
        reading.problem(value, what, hint, Heading.ADDRESS)
        return None
    return found


def _status(value: Value, reading: Reading) -> str | None:
    """Return statuses and ranges of them, with commas between."""
    found = value.text if value.kind in SCALARS else value.kind
    matches = [re.fullmatch(STATUS, word.strip()) for word in found.split(",")]
    if all(match and match[1] <= (match[2] or match[1]) for match in matches):
        return found
    what = f"{found!r} is neither a status nor a range of them"
    hint = "write statuses and ranges with commas between, such as 200-399 or 200,401"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


class Health(NamedTuple):
    """How a new version is checked; without any key, by the HEALTHCHECK of the image."""

    path: Annotated[
        str,
        Key(
            "Path that must answer at the first published port, first of the candidate, if one is "
            "started, and then of the new container; with `compose` also as `:PORT/PATH`",
            Checked(_path, {"type": "string", "pattern": f"^(?::[0-9]{{1,5}})?{PATH}$"}),
            "/health",
            "0.1.0",
        ),
    ] = ""
    host: Annotated[
        str,
        Key(
            "Name of the site in the request, for an app that refuses other names",
            Text("the name of a site", SITE, "shop.example.com, without https:// and path"),
            "shop.example.com",
            "0.1.0",
            default="the address that the host asks",
        ),
    ] = ""
    status: Annotated[
        str,
        Key(
            "Statuses that count as healthy",
            Checked(_status, {"type": ["integer", "string"]}),
            "200,401",
            "0.1.0",
            default="`200-299`",
        ),
    ] = ""
    command: Annotated[
        str,
        Key(
            "Shell command that must succeed in the container, instead of `path`",
            Checked(lambda value, reading: text(value, reading, "pg_isready"), {"type": "string"}),
            "pg_isready",
            "0.1.0",
        ),
    ] = ""
    url: Annotated[
        str,
        Key(
            "Address that the runner asks when the new version serves on all hosts; when it does "
            "not answer, the hosts roll back",
            Checked(_url, _ADDRESS.schema()),
            "https://shop.example.com/health",
            "0.1.0",
        ),
    ] = ""
    timeout: Annotated[
        str,
        Key(
            "Seconds within which the candidate, then the new container, and then `url` must "
            "become healthy",
            WholeNumber("a time in seconds", 1, 3600, 60),
            "90",
            "0.1.0",
            default="`60`",
        ),
    ] = ""


def _fits(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys that do not fit each other; the rule of `health`."""
    there = fields.values
    if "path" in there and "command" in there:
        what = "cannot be beside `path`: one of them decides"
        reading.problem(there["command"], what, "keep one of them", Heading.TOGETHER)
    for name in ("host", "status"):
        if name in there and "path" not in there:
            what = "has no effect without `path`"
            reading.problem(there[name], what, "add a path, or remove it", Heading.TOGETHER)


_SECTION = Section(Health, rule=_fits)


def _short(value: Value, reading: Reading) -> Health | None:
    """Return the check of the short form: a path on the host, or an address for the runner."""
    key = "url" if re.match(r"https?:", value.text) else "path"
    return _SECTION.of(value, {key: value}, reading)


HEALTH = ShortOr(
    Checked(
        _short,
        {"type": "string", "pattern": anchored(rf"(?::[0-9]{{1,5}})?{PATH}|https?://\S+")},
    ),
    "a path, an address",
    "health: /health",
    _SECTION,
)
