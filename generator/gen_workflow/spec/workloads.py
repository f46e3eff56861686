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
from gen_workflow.spec.variables import OBJECT_NAME, OBJECT_NAME_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value

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


class Workload(NamedTuple):
    """A workload as KIND/NAME, and the containers that get the image.

    Without containers those get it that have the image already, with another tag or digest.
    """

    name: str
    containers: tuple[str, ...] = ()


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
                yield key, Workload(key.text, _containers(content, reading))
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


def _containers(value: Value, reading: Reading) -> tuple[str, ...]:
    found: list[str] = []
    for item in value.items() if value.kind == "a list" else [value]:
        name = text(item, reading, "app, the name of a container")
        if name is None:
            continue
        if name in found:
            reading.problem(item, f"{name!r} appears twice", "keep one of them", Heading.TWICE)
        elif not re.fullmatch(CONTAINER, name):
            what = f"{name!r} is not a name of a container"
            hint = "use small letters, digits and -, or * for all but init containers"
            reading.problem(item, what, hint, Heading.WRONG_VALUE)
        else:
            found.append(name)
    if value.kind == "a list" and not value.items():
        hint = "name a container, or write the workload without a `:` behind it"
        reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
    return tuple(found)


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
    containers = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    named = {
        "type": "object",
        "propertyNames": {"pattern": _PATTERN},
        "additionalProperties": containers,
    }
    item = {"anyOf": [WORKLOAD_SCHEMA, named]}
    return {"anyOf": [WORKLOAD_SCHEMA, named, {"type": "array", "items": item, "minItems": 1}]}


WORKLOADS = Checked(_workloads, _schema())
MANIFESTS = Checked(_manifests, PATH_SCHEMA)
