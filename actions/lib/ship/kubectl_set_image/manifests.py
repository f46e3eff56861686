"""The manifests of `apply`: read by kubectl, given the images of the step, and applied."""

from __future__ import annotations

import copy
import json
import os
import re
from typing import TYPE_CHECKING, Any

from ship.kube.client import FIELD_MANAGER
from ship.kube.kinds import KINDS, Kind
from ship.kube.proxy import kubectl
from ship.runner.command import Secret
from ship.runner.errors import Problem, UserError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.runner.command import Command
    from ship.runner.process import Runner

    Object = Mapping[str, Any]

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# For each request. Without it kubectl waits for ever for a server that takes connections only.
PATIENCE = "--request-timeout=60s"
BY_NAME = {kind.name: kind for kind in KINDS}
TRY = "try the same with `kubectl apply --dry-run=server` where you write them"
# By the words of kubectl, what has led to them and the next act.
HINTS = (
    ("does not match the namespace",
     "set `namespace` to that of the manifests; those of several namespaces need a step for each"),
    ("Chart.yaml",
     "this is a Helm chart: render it with `helm template` in a step before, and name the result"),
    ("kustomization.y",
     "name the folder of the kustomization, and not its file"),
    ("recognized file extensions",
     "the folder has none itself, and no folder below it is read: name the one that has them"),
    ("no objects passed",
     "the files are empty: look what should have written them"),
    ("ensure CRDs are installed",
     "apply the CustomResourceDefinition in a step before: kubectl asks the cluster what it has"),
)  # fmt: skip
ANCHOR = "manifests-that-are-not-accepted"


class Manifest(NamedTuple):
    """A workload in the manifests."""

    kind: Kind
    name: str
    object: Object

    def __str__(self) -> str:
        return f"{self.kind.word}/{self.name}"


def load(
    paths: Sequence[str], namespace: str, options: Sequence[str], runner: Runner
) -> tuple[Object, ...]:
    """Return the objects in the manifests, as kubectl reads them. Raises UserError."""
    built = [path for path in paths if _is_kustomization(path)]
    plain = [f"--filename={path}" for path in paths if path not in built]
    # kubectl asks the server for the names of kinds; nothing is created.
    read = ("create", "--dry-run=client", "--validate=false", "--output=json", PATIENCE)
    here = (*options, f"--namespace={namespace}")
    commands = [kubectl(*read, *plain, why="read the manifests", options=here)] if plain else []
    for path in built:
        text = Secret(_run(kubectl("kustomize", path, why="build the manifests"), runner))
        command = kubectl(*read, "--filename=-", why="read what was built", options=here)
        commands.append(command._replace(stdin=text))
    objects = tuple(each for command in commands for each in _objects(_run(command, runner)))
    _check_templates(objects)
    return objects


def _check_templates(objects: Sequence[Object]) -> None:
    """Raise UserError for pod templates that we cannot read: kubectl was told not to validate."""
    problems = [
        Problem(
            "input `apply`",
            f"{each} has no `{field}`, or one of another form",
            "look at the indentation of its file, and at the dashes of its lists",
            ANCHOR,
        )
        for each in workloads(objects)
        for field in _flaws(each)
    ]
    if problems:
        raise UserError(*problems)


def _flaws(manifest: Manifest) -> Iterator[str]:
    """Yield the first field on the way to the containers that is not as it must be, or lists."""
    found: Any = manifest.object
    path = ""
    for key in (*manifest.kind.template, "spec"):
        found, path = found.get(key), f"{path}.{key}".lstrip(".")
        if not isinstance(found, dict):
            yield path
            return
    if not found.get("containers"):
        yield f"{path}.containers"
    for key in ("containers", "initContainers", "volumes", "imagePullSecrets"):
        listed = found.get(key) or []
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            yield f"{path}.{key}"


def _is_kustomization(path: str) -> bool:
    return any(os.path.isfile(os.path.join(path, name)) for name in KUSTOMIZATIONS)


def _run(command: Command, runner: Runner) -> str:
    done = runner.run(command)
    if done.code:
        said = _said(done.stderr)
        raise UserError.of(
            f"kubectl does not accept the manifests: {said}",
            where="input `apply`",
            hint=next((hint for words, hint in HINTS if words in said), TRY),
            anchor=ANCHOR,
        )
    return done.stdout


def _said(text: str) -> str:
    """Return what kubectl says, without the text of a file that is no manifest.

    It quotes all of it, and it may be a file with secrets that lies beside the manifests.
    """
    lines = (re.sub(r"('Kind' is missing) in '.*", r"\1", each) for each in text.splitlines())
    return " ".join(" ".join(lines).split())[:2000] or "it gave no reason"


def _objects(text: str) -> Iterator[Object]:
    """Yield the objects that kubectl printed one after another, and those in lists."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        try:
            found, at = decoder.raw_decode(text, at)
        except ValueError:
            raise UserError.of(
                "kubectl printed something that is not JSON when it read the manifests",
                where="input `apply`",
                hint="look whether the kubectl of this runner is a script that prints more",
                anchor=ANCHOR,
            ) from None
        if found.get("kind") == "List":
            yield from found.get("items") or ()
        else:
            yield found


def workloads(objects: Sequence[Object]) -> list[Manifest]:
    """Return the workloads among the objects; of several of one name the last one counts."""
    found = {}
    for each in objects:
        kind, meta = BY_NAME.get(str(each.get("kind"))), each.get("metadata") or {}
        if kind and str(each.get("apiVersion")) == f"{kind.group}/v1":
            manifest = Manifest(kind, str(meta.get("name")), each)
            found[str(manifest)] = manifest
    return list(found.values())


def replaced(objects: Sequence[Object], changed: Sequence[Object]) -> tuple[Object, ...]:
    """Return the objects, with the changed ones in the place of those of the same name."""
    by_name = {_key(each): each for each in changed}
    return tuple(by_name.get(_key(each), each) for each in objects)


def _key(each: Object) -> tuple[str, str, str]:
    meta = each.get("metadata") or {}
    return str(each.get("kind")), str(meta.get("namespace") or ""), str(meta.get("name"))


def with_template(manifest: Manifest, template: Object, annotations: Mapping[str, str]) -> Object:
    """Return a workload with another pod template and more annotations."""
    changed: dict[str, Any] = copy.deepcopy(dict(manifest.object))
    meta = changed.setdefault("metadata", {})
    meta["annotations"] = {**(meta.get("annotations") or {}), **annotations}
    place: Any = changed
    for key in manifest.kind.template[:-1]:
        place = place[key]
    place[manifest.kind.template[-1]] = template
    return changed


def apply_command(
    objects: Sequence[Object],
    namespace: str,
    options: Sequence[str],
    *,
    force: bool,
    dry_run: bool,
) -> Command:
    """Return the command that applies objects on the server. They go over stdin."""
    flags = ("--server-side", f"--field-manager={FIELD_MANAGER}", "--filename=-", PATIENCE)
    given = (
        *flags,
        f"--namespace={namespace}",
        *(("--force-conflicts",) if force else ()),
        *(("--dry-run=server",) if dry_run else ()),
    )
    count = f"{len(objects)} object{'s'[: len(objects) > 1]}"
    why = f"ask the cluster whether it accepts {count}" if dry_run else f"apply {count}"
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    command = kubectl("apply", *given, why=why, options=options)
    return command._replace(stdin=Secret(json.dumps(listed)))
