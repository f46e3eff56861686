"""Rules of the spec that no key can check by itself; each belongs to one section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.paths import full, in_small_letters, is_file, leads_away

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading
    from gen_workflow.spec.sections import Fields


def find_dockerfile(fields: Fields, reading: Reading) -> None:
    """Note a problem when the Dockerfile of an image is not there; the rule of `image`.

    One that is called `dockerfile` is named in the workflow, as if the spec had named it.
    """
    context, where = fields.read.get("context", "."), fields.where
    if "dockerfile" in fields.values:
        where, path = fields.values["dockerfile"], fields.read["dockerfile"]
    elif context:
        where, path = fields.values.get("context", where), dockerfile_in(context)
        if in_small_letters(context, reading):
            path = fields.read["dockerfile"] = dockerfile_in(context, "dockerfile")
    else:
        return
    if path and not is_file(path, reading):
        hint = _where_it_may_be(fields, path, context, reading)
        what = f"there is no Dockerfile at {full(path, reading)}"
        reading.problem(where, what, hint, Heading.NOT_THERE)
    elif path and leads_away(path, reading):
        what = f"{full(path, reading)} is a link out of its folder, which buildx does not follow"
        hint = "replace the link by the file itself, or name that file as `dockerfile`"
        reading.problem(where, what, hint, Heading.NOT_THERE)


def dockerfile_in(context: str, name: str = "Dockerfile") -> str:
    """Return the path of the Dockerfile of a folder that names no other."""
    return name if context == "." else f"{context}/{name}"


def _where_it_may_be(fields: Fields, path: str, context: str | None, reading: Reading) -> str:
    if "dockerfile" not in fields.values:
        return (
            f"write one, or say where it is: image: {{context: {context}, dockerfile: path/of/it}}"
        )
    hint = "the path begins at the root of the repository"
    if context and is_file(f"{context}/{path}", reading):
        hint += f"; perhaps you meant `{context}/{path}`"
    return hint


def health_needs_a_port(fields: Fields, reading: Reading) -> None:
    """Note a problem when a health check has no port to ask; the rule of `deploy`."""
    health, run = fields.read.get("health"), fields.read.get("run")
    if not health or run is None:
        return
    where = fields.values["health"]
    if not run.ports and not any(key.text == "ports" for key, _ in fields.values["run"].pairs()):
        hint = 'publish one: run: {ports: ["8080:8080"]}'
        reading.problem(where, "needs a published port, and there is none", hint, Heading.ADDRESS)
    elif run.ports and run.ports[0].endswith("/udp"):
        what = f"the request needs TCP, but the first published port is {run.ports[0]}"
        reading.problem(where, what, "put a TCP port first", Heading.ADDRESS)


def environment_fits_the_name(fields: Fields, reading: Reading) -> None:
    """Note a problem when the default name of the container could not say which environment it is.

    Two environments would get one name, and on one host replace each other. The rule of the spec.
    """
    environment, there = fields.read.get("environment"), fields.values
    if environment and not environment.isascii() and "deploy" in there and "name" not in there:
        what = f"{environment!r} cannot be a part of the container's name as it is"
        hint = "give the container a name of letters, digits and . _ -, as name: shop-live"
        reading.problem(there["environment"], what, hint, Heading.WRONG_VALUE)
