"""Services beside a test: a database or the like, each in a container of its own."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import raw, step_keys
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import SCALARS, Checked, Listed, Schema, Text, text
from gen_workflow.spec.sections import Key, Named, Section, ShortOr
from gen_workflow.spec.steps import note_secrets

# A pull request runs the tests, and what it changes could print a secret.
UNTRUSTED = step_keys.Place(no_secrets="pull requests run the tests, which could print it")
Pairs = tuple[tuple[str, str], ...]


def _values(value: Value, reading: Reading) -> Pairs | None:
    """Return an environment without secrets, as pairs; values stay as they were written."""
    step_keys.env(value, reading)
    if value.kind != "a mapping":
        return None
    content = raw.data(value, reading)
    note_secrets(value, content, reading, UNTRUSTED)
    written = {key.text: item.text for key, item in value.pairs() if item.kind in SCALARS}
    return tuple((name, written.get(name, "")) for name in content)


VALUES_SCHEMA: Schema = {
    "type": "object",
    "propertyNames": {"pattern": f"^{step_keys.VARIABLE}$"},
    "additionalProperties": step_keys.SINGLE,
}
VALUES = Checked(_values, VALUES_SCHEMA)
_IMAGE = r"[a-z0-9][A-Za-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?"
_PORT = r"(?:[0-9]{1,5}:)?[0-9]{1,5}(?:/(?:tcp|udp))?"


def _port(value: Value, reading: Reading) -> str | None:
    found = value.text if value.kind in SCALARS else value.kind
    if re.fullmatch(_PORT, found):
        return found
    hint = 'write for example "5432:5432", the port of the runner and that of the service'
    reading.problem(value, f"{found!r} is not a port", hint, Heading.WRONG_VALUE)
    return None


def _image(value: Value, reading: Reading) -> str | None:
    found = text(value, reading, "postgres:17")
    if found is not None and not re.fullmatch(_IMAGE, found):
        hint = "write for example postgres:17, or with its digest postgres:17@sha256:…"
        reading.problem(value, f"{found!r} is not an image", hint, Heading.WRONG_VALUE)
        return None
    if found is not None and ":" not in found.rpartition("/")[2]:
        what = f"{found!r} has no version, so that the newest one comes whenever it is released"
        reading.problem(value, what, f"write for example {found}:17", Heading.WRONG_VALUE)
        return None
    return found


IMAGE = Checked(_image, {"type": "string", "pattern": f"^{_IMAGE}$"})


def _command(value: Value, reading: Reading) -> str | None:
    found = text(value, reading, "pg_isready")
    if found is not None and not found.isprintable():
        reading.problem(value, "is not one line", "write one command", Heading.WRONG_VALUE)
        return None
    return found


class Service(NamedTuple):
    """A container that runs beside a test; `key` is its name, under which others find it."""

    image: Annotated[
        str,
        Key(
            "Image of the service, with a version; with its digest, nobody can change it",
            IMAGE,
            "postgres:17",
            "0.1.0",
            missing="write for example image: postgres:17",
        ),
    ]
    ports: Annotated[
        tuple[str, ...],
        Key(
            "Ports that the test reaches at `localhost`",
            Listed(Checked(_port, {"type": ["string", "integer"]}), '["5432:5432"]'),
            '["5432:5432"]',
            "0.1.0",
            default="the usual port of a known service",
        ),
    ] = ()
    env: Annotated[
        Pairs,
        Key(
            "Environment of the service, no secrets",
            VALUES,
            "{POSTGRES_DB: shop}",
            "0.1.0",
            default="what a known service needs to start; the password is its name",
        ),
    ] = ()
    health: Annotated[
        str,
        Key(
            "Command in the container that succeeds when the service can be used",
            Checked(_command, {"type": "string", "minLength": 1}),
            "pg_isready -h localhost",
            "0.1.0",
            default="that of a known service",
        ),
    ] = ""
    options: Annotated[
        str,
        Key(
            "Further options of `docker create`",
            Checked(_command, {"type": "string", "minLength": 1}),
            "--tmpfs /var/lib/postgresql/data",
            "0.1.0",
        ),
    ] = ""
    key: str = ""


SERVICE = Section(Service)


def _of_image(value: Value, reading: Reading) -> Service | None:
    return SERVICE.of(value, {"image": value}, reading)


SERVICES = Named(
    Text("a name of a service", r"[a-z][a-z0-9-]{0,62}", "postgres"),
    ShortOr(Checked(_of_image, IMAGE.schema()), "an image", "postgres: postgres:17", SERVICE),
    'services: {postgres: "postgres:17"}',
)
