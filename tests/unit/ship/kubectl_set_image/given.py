"""Inputs of kubectl-set-image and facts of a run, as the tests give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.kinds import CRON_JOB, DEPLOYMENT, KINDS, Kind
from ship.kube.snapshot import Snapshot
from ship.kubectl_set_image.facts import Facts, Found
from ship.kubectl_set_image.inputs import INPUTS, Inputs, read_inputs
from ship.kubectl_set_image.manifests import Manifest
from ship.kubectl_set_image.workload_input import Target
from ship.runner.context import Context
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]
SHA = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "b" * 64
REPOSITORY = "ghcr.io/acme/app"
NEW = f"{REPOSITORY}@{DIGEST}"
OLD = f"{REPOSITORY}@sha256:" + "a" * 64
OTHER = "ghcr.io/acme/proxy@sha256:" + "c" * 64


def context(workspace: Path | str = ".", **changes: Any) -> Context:
    facts: dict[str, Any] = {
        "repository": "acme/app",
        "sha": SHA,
        "ref": "refs/heads/main",
        "event_name": "push",
        "actor": "octocat",
        "run_id": "77",
        "run_number": "7",
        "workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
        "workspace": str(workspace),
    }
    return Context(**{**facts, **changes})


def inputs(**changes: str) -> dict[str, str]:
    """Return the environment for inputs; those in capitals are variables of the step."""
    given = {"workload": "deployment/web", "image": NEW}
    given |= {k.replace("_", "-"): value for k, value in changes.items() if k.islower()}
    assert set(given) <= set(INPUTS)
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return {**env, **{name: value for name, value in changes.items() if name.isupper()}}


def read(workspace: Path | str = ".", **changes: str) -> Inputs:
    return read_inputs(inputs(**changes), context(workspace))


def refusal(workspace: Path | str = ".", **changes: str) -> str:
    """Return what is said of wrong inputs."""
    try:
        read(workspace, **changes)
    except UserError as error:
        return str(error)
    raise AssertionError(f"these inputs are accepted: {changes}")


def template(*, inits: dict[str, str] | None = None, **images: str) -> Object:
    """Return a pod template; the images are by container."""
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [{"name": name, "image": image} for name, image in images.items()],
            **(
                {"initContainers": [{"name": n, "image": i} for n, i in inits.items()]}
                if inits
                else {}
            ),
        },
    }


def workload(
    pods: Object,
    kind: Kind = DEPLOYMENT,
    name: str = "web",
    annotations: dict[str, str] | None = None,
) -> Object:
    """Return a workload as it is in the cluster."""
    spec: Object = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pods}
    if kind == CRON_JOB:
        spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": pods}}}
    meta: Object = {"name": name, "namespace": "shop", "uid": f"uid-{name}"}
    meta |= {"resourceVersion": "42", "generation": 1}
    if annotations:
        meta["annotations"] = annotations
    api = f"{kind.group}/v1"
    return {"kind": kind.name, "apiVersion": api, "metadata": meta, "spec": spec}


def found(
    there: Object | None, *, manifest: Object | None = None, healthy: bool = True, **changes: Any
) -> Found:
    """Return what was found: a workload, or what its manifest says of it, or both."""
    one = there or manifest
    assert one
    kind = next(each for each in KINDS if each.name == one["kind"])
    name = one["metadata"]["name"]
    serving = changes.pop("serving", kind.template_of(there) if there and healthy else None)
    return Found(
        target=Target(kind, name),
        before=Snapshot(0.0, there, (), ()) if there else None,
        manifest=Manifest(kind, name, manifest) if manifest else None,
        serving=serving,
        is_healthy=healthy and there is not None,
    )


def facts(*all_found: Found) -> Facts:
    objects = tuple(each.manifest.object for each in all_found if each.manifest)
    return Facts("shop", all_found, objects)
