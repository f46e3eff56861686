"""A compose project of the repository: its files, its services, and which of them get an image.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, SpecError
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.commands import SERVICE
from gen_workflow.spec.expressions import OrExpression
from gen_workflow.spec.forms import Checked, Listed, entries, text
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.paths import PATH_SCHEMA, full, is_file, path_in
from gen_workflow.spec.values import IMAGE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value

HOST_FILES = ("refuse", "keep", "merge", "replace")
# The files that compose reads beside its compose file: two of them can be merged.
MERGED = r"\.env|(?:docker-)?compose\.override\.ya?ml"
# https://docs.docker.com/compose/how-tos/project-name/
PROJECT = r"[a-z0-9][a-z0-9_-]*"
# An image that could be one of ours has an owner or a registry, or a variable.
MAY_BE_OURS = r"[/$]"


class Pinned(NamedTuple):
    """A service that gets an image, by its key in `images`; empty for the only one."""

    service: str
    image: str = ""


class HostFile(NamedTuple):
    """What is done with a file of the host that no deploy wrote; without a path, with all."""

    word: str
    path: str = ""

    @property
    def line(self) -> str:
        """The line of the input of the action."""
        return f"{self.path}={self.word}" if self.path else self.word


def _file(value: Value, reading: Reading, example: str = "compose.yml") -> str | None:
    """Return the path of a file, which must be there."""
    path = path_in(value, reading, example)
    if path is not None and not is_file(path, reading):
        hint = f"name a file of the repository, such as {example}"
        what = f"there is no file {full(path, reading)}"
        reading.problem(value, what, hint, Heading.NOT_THERE)
        return None
    return path


def _upload(value: Value, reading: Reading) -> str | None:
    """Return a file, a folder or a pattern that matches some files."""
    path = path_in(value, reading, "nginx/")
    if path is None:
        return None
    tree = reading.tree
    if tree.is_file(path) or tree.is_folder(path) or tree.matches(path):
        return path
    what = f"{full(path, reading)} matches no file"
    hint = "paths begin at the root of the repository; ** matches all folders below"
    reading.problem(value, what, hint, Heading.NOT_THERE)
    return None


def folder_of(compose: tuple[str, ...]) -> str:
    """Return the folder of the first compose file, with a / at its end unless it is the top."""
    return compose[0].rpartition("/")[0] + "/" if "/" in compose[0] else ""


def _services(value: Value, reading: Reading) -> tuple[Pinned, ...] | None:
    """Return which services get which image: a list, or a mapping of services to `images`."""
    if value.kind not in ("a list", "a mapping") or not value.node.value:
        what = f"should be a list or a mapping, but is {value.kind}"
        what = "is empty" if value.kind in ("a list", "a mapping") else what
        hint = "write the services that get the image: [web, worker]; or, with several images, "
        hint += "services and their images: {web: api, worker: api}"
        reading.problem(value, what, hint, Heading.WRONG_KIND)
        return None
    found: dict[str, Pinned] = {}
    for place, one in _pinned(value, reading):
        if one.service in found:
            what = f"{one.service!r} appears twice"
            reading.problem(place, what, "keep one of them", Heading.TWICE)
        elif not re.fullmatch(SERVICE, one.service):
            what = f"{one.service!r} is not the name of a service"
            hint = "use the name that the compose file has"
            reading.problem(place, what, hint, Heading.WRONG_VALUE)
        found[one.service] = one
    return tuple(found.values())


def _pinned(value: Value, reading: Reading) -> Iterator[tuple[Value, Pinned]]:
    if value.kind == "a mapping":
        for key, item in entries(value, reading):
            if image := IMAGE_KEY.read(item, reading):
                yield key, Pinned(key.text, image)
        return
    for item in value.items():
        if service := text(item, reading, "web"):
            yield item, Pinned(service)


def _host_files(value: Value, reading: Reading) -> tuple[HostFile, ...] | None:
    """Return what is done with files of the host: one word for all, or a mapping of files."""
    if value.kind != "a mapping":
        word = _word(value, reading)
        return (HostFile(word),) if word else None
    found = []
    for key, item in entries(value, reading):
        word = _word(item, reading)
        if word == "merge" and not re.fullmatch(MERGED, key.text):
            what = f"only .env can be merged, and not {key.text!r}"
            reading.problem(item, what, "write keep or replace", Heading.WRONG_VALUE)
        elif word and re.fullmatch(r"[^=\s/~](?:[^=\s]*[^=\s])?", key.text):
            found.append(HostFile(word, key.text))
        elif word:
            what = f"{key.text!r} is not a path in the folder of the project"
            reading.problem(key, what, "write for example {.env: merge}", Heading.WRONG_VALUE)
    return tuple(found)


def _word(value: Value, reading: Reading) -> str | None:
    found = text(value, reading, "keep")
    if found is None or found in HOST_FILES:
        return found
    what = f"{found!r} does not say what to do with files"
    hint = near(found, HOST_FILES) or f"use one of {listed(HOST_FILES)}"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


def services_of(compose: tuple[str, ...], reading: Reading) -> dict[str, str] | None:
    """Return the services of compose files and their images.

    None when only compose itself can know them.
    """
    found: dict[str, str] = {}
    for path in compose:
        root = _read(path, reading)
        if root is None or root.kind != "a mapping":
            return None
        top = {key.text: item for key, item in root.pairs()}
        services = top.get("services")
        if "include" in top or services is None or services.kind != "a mapping":
            return None
        for key, item in services.pairs():
            found[key.text] = _image(item) or found.get(key.text, "")
    return found


def is_service(service: str, where: Value, compose: tuple[str, ...], reading: Reading) -> bool:
    """Tell whether compose files have a service, when they can be read."""
    known = services_of(compose, reading)
    if known is None or service in known:
        return True
    names = tuple(known)
    what = f"{service!r} is not a service of {' and '.join(compose)}"
    hint = near(service, names) or f"use one of {listed(names)}"
    reading.problem(where.named(service), what, hint, Heading.WRONG_VALUE)
    return False


def _read(path: str, reading: Reading) -> Value | None:
    """Return the content of a compose file, which many environments may share; None if it has none.

    It is read once.
    """
    if path not in reading.files:
        reading.files[path] = _parsed(path, reading)
    return reading.files[path]


def _parsed(path: str, reading: Reading) -> Value | None:
    from gen_workflow.spec.document import decode, parse  # noqa: PLC0415 - only for compose

    text = reading.tree.content(path)
    try:
        return parse(decode(text, path), path, bounded=False) if text is not None else None
    except SpecError:
        return None


def _image(service: Value) -> str:
    """Return the image of a service; a variable when another place says it."""
    keys = {key.text: item for key, item in service.pairs()} if service.kind == "a mapping" else {}
    if image := keys.get("image"):
        return image.text if image.kind == "text" else "$"
    return "$" if {"extends", "<<"} & {*keys} else ""


FILES = Listed(Checked(_file, PATH_SCHEMA), alone=True, empty="name a compose file")
ENV_FILES = Listed(
    Checked(lambda value, reading: _file(value, reading, "app.env"), PATH_SCHEMA), alone=True
)
UPLOADS = Listed(Checked(_upload, PATH_SCHEMA), alone=True)
DIR = OrExpression(
    "a folder of the host",
    r"(?![-~])(?!.*(?:^|/)\.\.(?:/|$))(?!/+$)[A-Za-z0-9/._@+ ~:-]+|~/(?!\.\.)[A-Za-z0-9/._@+ ~:-]+",
    "write a folder such as /opt/app, or one in the home of the user, such as app",
)
_NAME = {"type": "string", "pattern": f"^{SERVICE}$"}
SERVICES = Checked(
    _services,
    {
        "anyOf": [
            {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True},
            {
                "type": "object",
                "propertyNames": {"pattern": f"^{SERVICE}$"},
                "additionalProperties": IMAGE_KEY.schema(),
                "minProperties": 1,
            },
        ]
    },
)
_WORD = {"enum": [*HOST_FILES]}
HOST_FILES_OF = Checked(
    _host_files, {"anyOf": [_WORD, {"type": "object", "additionalProperties": _WORD}]}
)
