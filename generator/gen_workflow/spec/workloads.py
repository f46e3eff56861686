"""Workloads of a cluster, each with the containers that get the image, and manifests.

kubectl-set-image has the same kinds; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Checked, Schema, anchored, entries, text
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.paths import PATH_SCHEMA, full, path_in
from gen_workflow.spec.values import IMAGE_KEY
from gen_workflow.spec.variables import OBJECT_NAME, OBJECT_NAME_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value
    from gen_workflow.spec.sections import Fields

# By kind: all words for it that kubectl takes.
KINDS = {
    "deployment": ("deployment", "deployments", "deploy"),
    "statefulset": ("statefulset", "statefulsets", "sts"),
    "daemonset": ("daemonset", "daemonsets", "ds"),
    "cronjob": ("cronjob", "cronjobs", "cj"),
}
# Kinds that cannot be updated, and why.
_REFUSED = {
    ("job", "jobs"): (
        "the template of a Job cannot be changed",
        "name its CronJob, or give the Job a new name in the manifests of `apply`",
    ),
    ("pod", "pods", "po"): ("a pod is not rolled out", "name the workload that owns it"),
    ("replicaset", "replicasets", "rs"): (
        "its Deployment would set the image back",
        "name the Deployment",
    ),
    ("replicationcontroller", "replicationcontrollers", "rc"): (
        "it does not replace its pods",
        "use a Deployment",
    ),
}
CONTAINER = r"\*|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EXAMPLE = "deployment/web"
_HINT = f"write KIND/NAME, such as {_EXAMPLE}"
# As kubectl reads a folder: without the folders below it.
_MANIFEST = (".yaml", ".yml", ".json", "Kustomization")


class Container(NamedTuple):
    """A container by its name, and the key in `images` of what it gets; empty for the only one."""

    name: str
    image: str = ""


class Workload(NamedTuple):
    """A workload as KIND/NAME, and the containers that get an image.

    Without containers those get it that have the image already, with another tag or digest.
    """

    name: str
    containers: tuple[Container, ...] = ()


def kind_of(word: str) -> str:
    """Return the kind that a word means: deployment, deploy or deployments.apps; else nothing."""
    plain = word.lower().partition(".")[0]
    return next((kind for kind, words in KINDS.items() if plain in words), "")


def _workloads(value: Value, reading: Reading) -> tuple[Workload, ...] | None:
    """Return workloads: one as text, several as a list; those with containers as a mapping."""
    if value.kind == "a list" and not value.items():
        reading.problem(value, "is empty", _HINT, Heading.WRONG_KIND)
        return None
    found: dict[tuple[str, str], Workload] = {}
    for place, one in _each(value, reading):
        kind, _, name = one.name.partition("/")
        if (kind_of(kind), name) in found:
            what = f"{one.name!r} appears twice"
            reading.problem(place, what, "keep one of them", Heading.TWICE)
        found[kind_of(kind), name] = one
    return tuple(found.values()) or None


def _each(value: Value, reading: Reading) -> Iterator[tuple[Value, Workload]]:
    if value.kind == "a list":
        for item in value.items():
            yield from _each(item, reading)
    elif value.kind == "a mapping":
        for key, content in entries(value, reading):
            if _is_workload(key, key.text, reading):
                yield key, Workload(key.text, _containers(key.text, content, reading))
    elif (name := text(value, reading, _EXAMPLE)) and _is_workload(value, name, reading):
        yield value, Workload(name)


def _is_workload(value: Value, found: str, reading: Reading) -> bool:
    word, slash, name = found.partition("/")
    plain = word.lower().partition(".")[0]
    refused = next((why for words, why in _REFUSED.items() if plain in words), None)
    if slash and kind_of(word) and re.fullmatch(OBJECT_NAME, name):
        return True
    if reading.tree.is_file(found) or reading.tree.is_folder(found):
        what, hint = (
            f"{found!r} is not a workload",
            f"manifests are the key `apply`: apply: {found}",
        )
    elif not slash:
        what, hint = f"{found!r} does not say its kind", f"write KIND/NAME: deployment/{found}"
    elif refused:
        what, hint = f"{found!r}: {refused[0]}", refused[1]
    elif not kind_of(word):
        what = f"{word!r} is not a kind of workload"
        hint = near(plain, tuple(KINDS)) or f"use one of {listed(tuple(KINDS))}"
    else:
        what, hint = f"{name!r} is not a name of a workload", OBJECT_NAME_HINT
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return False


def _containers(workload: str, value: Value, reading: Reading) -> tuple[Container, ...]:
    """Return the containers of a workload; with several images each says which one it gets."""
    found: dict[str, Container] = {}
    for place, one in _each_container(value, reading):
        if one.name in found:
            what = f"{one.name!r} appears twice"
            reading.problem(place, what, "keep one of them", Heading.TWICE)
        elif not re.fullmatch(CONTAINER, one.name):
            what = f"{one.name!r} is not a name of a container"
            hint = "use small letters, digits and -, or * for all but init containers"
            reading.problem(place, what, hint, Heading.WRONG_VALUE)
        elif len(reading.images) > 1 and not one.image:
            image = one.name if one.name in reading.images else reading.images[0]
            what = f"does not say which of {listed(reading.images)} the container {one.name!r} gets"
            hint = f"write the image behind the container: {{{workload}: {{{one.name}: {image}}}}}"
            reading.problem(place, what, hint, Heading.TOGETHER)
        else:
            found[one.name] = one
    if value.kind in ("a list", "a mapping") and not value.node.value:
        hint = "name a container, or write the workload without a `:` behind it"
        reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
    return tuple(found.values())


def _each_container(value: Value, reading: Reading) -> Iterator[tuple[Value, Container]]:
    if value.kind == "a mapping":
        for key, item in entries(value, reading):
            if (image := IMAGE_KEY.read(item, reading)) and _is_ours(image, item, reading):
                yield key, Container(key.text, image)
        return
    for item in value.items() if value.kind == "a list" else [value]:
        if name := text(item, reading, "app, the name of a container"):
            yield item, Container(name)


def _is_ours(image: str, where: Value, reading: Reading) -> bool:
    if image in reading.images:
        return True
    what = f"{image!r} is not one of `images`"
    hint = near(image, reading.images) or f"use one of {listed(reading.images)}"
    if not reading.images:
        what = f"names the image {image!r}, but the spec has one `image`"
        hint = "write the containers alone, such as {deployment/web: app}"
    reading.problem(where, what, hint, Heading.WRONG_VALUE)
    return False


def all_images_go_somewhere(fields: Fields, reading: Reading) -> None:
    """Note an image that no container gets; a rule of `kubernetes`.

    Of a workload without containers, and of `apply`, only the cluster knows which images they use.
    """
    workloads: tuple[Workload, ...] = fields.read.get("workload") or ()
    named = {each.image for one in workloads for each in one.containers}
    if "apply" in fields.values or "" in named or not all(one.containers for one in workloads):
        return
    for image in reading.images if workloads else ():
        if image not in named:
            what = f"gives the image {image!r} to no container"
            hint = f"say which gets it: {{{workloads[0].name}: {{CONTAINER: {image}}}}}"
            reading.problem(fields.values["workload"], what, hint, Heading.TOGETHER)


def _manifests(value: Value, reading: Reading) -> str | None:
    """Return the path of a manifest, or that of a folder with manifests, with a / at its end."""
    path = path_in(value, reading, "k8s/")
    if path is None:
        return None
    tree = reading.tree
    if path == ".":
        what, hint = "is the whole repository", "put the manifests into a folder, such as k8s/"
    elif tree.is_file(path):
        return path
    elif not tree.is_folder(path):
        what = f"there is no file and no folder {full(path, reading)}"
        hint = "name a manifest or a folder with manifests, such as k8s/"
    elif not any(name.endswith(_MANIFEST) for name in tree.names(path)):
        what = f"there is no manifest in the folder {full(path, reading)}"
        hint = "name files that end in .yaml, .yml or .json; those in folders below are not read"
    else:
        return f"{path}/"
    reading.problem(value, what, hint, Heading.NOT_THERE)
    return None


_PATTERN = rf"^[A-Za-z]+(?:\.[a-z0-9.]+)?/{OBJECT_NAME}$"
WORKLOAD_SCHEMA: Schema = {"type": "string", "pattern": _PATTERN}


def _schema() -> Schema:
    one = {"type": "string", "pattern": anchored(CONTAINER)}
    images = {
        "type": "object",
        "propertyNames": one,
        "additionalProperties": IMAGE_KEY.schema(),
        "minProperties": 1,
    }
    containers = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}, images]}
    named = {
        "type": "object",
        "propertyNames": {"pattern": _PATTERN},
        "additionalProperties": containers,
    }
    item = {"anyOf": [WORKLOAD_SCHEMA, named]}
    return {"anyOf": [WORKLOAD_SCHEMA, named, {"type": "array", "items": item, "minItems": 1}]}


WORKLOADS = Checked(_workloads, _schema())
MANIFESTS = Checked(_manifests, PATH_SCHEMA)
