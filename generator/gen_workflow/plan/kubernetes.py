"""What the deploy job does when the app runs in a cluster."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from gen_workflow.plan import cloud, times
from gen_workflow.plan.build import job_of
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.plan.inputs import Given, Work, image_of, lines, said
from gen_workflow.render.scalars import scalar
from gen_workflow.spec.variables import fits_the_step
from gen_workflow.workflow.records import Permission, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.kubernetes import Kubernetes, PullSecret
    from gen_workflow.spec.registry import Registry
    from gen_workflow.spec.variables import AppSecret
    from gen_workflow.spec.workloads import Workload


def work(spec: Spec, cluster: Kubernetes, frame: Frame) -> Work:
    """Return the steps: a check-out of the manifests, the login to a cloud, and the deploy."""
    access = cloud.access(cluster.login, frame.pins) if cluster.login else None
    checkout = (frame.checkout(),) if cluster.apply else ()
    login = access.steps if access else ()
    kubeconfig = access.kubeconfig if access else cluster.kubeconfig
    return Work(
        steps=(*checkout, *login, _step(spec, cluster, kubeconfig, frame)),
        permissions=tuple(_permissions(spec, cluster, access.cloud if access else "")),
        minutes=times.of_cluster(cluster),
        order="a newer deploy supersedes one that still runs",
    )


def _permissions(spec: Spec, cluster: Kubernetes, name_of_cloud: str) -> Iterator[Permission]:
    if cluster.apply:
        yield CONTENTS
    if name_of_cloud:
        yield Permission("id-token", "write", f"log in to {name_of_cloud}")
    if cluster.pull_secret and spec.registry.of_the_job:
        yield Permission("packages", "read", "let the cluster pull the image")


def _step(spec: Spec, cluster: Kubernetes, kubeconfig: str, frame: Frame) -> Step:
    variables = _variables(cluster.secret)
    images = {one.key: image_of(job_of(one)) for one in spec.built}
    inputs = said(
        ("workload", lines(_line(one, images) for one in cluster.workload)),
        ("image", _listed(_by_repository(cluster, images))),
        ("namespace", cluster.namespace),
        ("kubeconfig", kubeconfig),
        ("context", cluster.context),
        ("apply", lines(cluster.apply)),
        ("force-conflicts", cluster.force_conflicts),
        ("secret", lines(_keys(one, variables) for one in cluster.secret)),
        *_to_pull(spec.registry, cluster.pull_secret),
        ("timeout", cluster.timeout),
        ("progress-timeout", cluster.progress_timeout),
        ("stability", cluster.stability),
        ("restarts", cluster.restarts),
        ("on-failure", cluster.on_failure),
        ("rollback-timeout", cluster.rollback_timeout),
        ("restart-on-no-change", cluster.restart_on_no_change),
        ("no-pods", cluster.no_pods),
        ("older-commit", cluster.older_commit),
    )  # fmt: skip
    env = {variables[one.name, key.name]: key.value for one in cluster.secret for key in one.keys}
    return Step(
        "Update the image in Kubernetes",
        uses=frame.own("kubectl-set-image"),
        inputs=inputs,
        env=tuple(env.items()),
    )


def _to_pull(registry: Registry, secret: PullSecret | None) -> tuple[tuple[str, str], ...]:
    """Return the inputs of the pull secret; what it does not say is as for the registry."""
    if secret is None:
        return ()
    of_the_registry = registry.password and (secret.by_name or not secret.password)
    return (
        ("pull-secret", secret.name),
        ("registry-username", secret.user or registry.user),
        ("registry-password", registry.password if of_the_registry else secret.password),
    )


def _by_repository(cluster: Kubernetes, images: Mapping[str, str]) -> list[str]:
    """Return the images for containers that have them already, in another version.

    Where all workloads name their containers, these are the images that none of them gets.
    """
    if not all(one.containers for one in cluster.workload) or not cluster.workload:
        return [*images.values()]
    named = {each.image for one in cluster.workload for each in one.containers}
    return [image for key, image in images.items() if not named & {key, ""}]


def _listed(images: list[str]) -> str:
    return images[0] if len(images) == 1 else lines(images)


def _variables(secrets: tuple[AppSecret, ...]) -> dict[tuple[str, str], str]:
    """Return the variable of the step that has the value of each key of each Secret.

    It has the name of the key, unless that would change the step or belongs to another value.
    GitHub takes no two variables whose names differ in case alone.
    """
    found: dict[tuple[str, str], str] = {}
    taken: dict[str, tuple[str, str]] = {}
    numbers: Counter[str] = Counter()
    for secret in secrets:
        for key in secret.keys:
            plain = re.sub(r"[^A-Z0-9]", "_", f"SECRET_{secret.name}_{key.name}".upper())
            name = key.name if fits_the_step(key.name) else plain
            while taken.setdefault(name.upper(), (name, key.value)) != (name, key.value):
                numbers[plain] += 1
                name = f"{plain}_{numbers[plain]}" if numbers[plain] > 1 else plain
            found[secret.name, key.name] = name
    return found


def _keys(secret: AppSecret, variables: Mapping[tuple[str, str], str]) -> str:
    """Return a line of the input `secret`: a list of keys, or the variable of each."""
    pairs = [(key.name, variables[secret.name, key.name]) for key in secret.keys]
    if all(key == variable for key, variable in pairs):
        return f"{scalar(secret.name)}: [{', '.join(scalar(key) for key, _ in pairs)}]"
    inside = ", ".join(f"{scalar(key)}: {variable}" for key, variable in pairs)
    return f"{scalar(secret.name)}: {{{inside}}}"


def _line(workload: Workload, images: Mapping[str, str]) -> str:
    """Return a workload with the image of each container that is named; the only one has no key."""
    only = next(iter(images.values()))
    pairs = (f"{one.name}={images.get(one.image, only)}" for one in workload.containers)
    return " ".join([workload.name, *pairs])


def values_from_github(spec: Spec, cluster: Kubernetes) -> Iterator[Given]:
    """Yield each value that the job takes from GitHub, and what it is for."""
    if not cluster.login:
        yield Given(cluster.kubeconfig, "kubeconfig of the cluster, as its text or in base64")
    yield Given(cluster.namespace, "namespace of the workloads")
    yield Given(cluster.context, "context of the kubeconfig")
    for login in cluster.login or ():
        for name, value in zip(login._fields, login, strict=True) if login else ():
            yield Given(value, f"{name.replace('_', ' ')} of the login to the cloud")
    pull = cluster.pull_secret
    if pull and not (pull.by_name and spec.registry.password):
        yield Given(pull.user, f"user for the pull secret {pull.name}")
        purpose = (
            f"token that may read packages, for the pull secret {pull.name}; without it, the "
            "cluster can pull until the job ends"
        )
        yield Given(pull.password, purpose, optional=True)
    for secret in cluster.secret:
        for key in secret.keys:
            yield Given(key.value, f"goes into {key.name} of the Secret {secret.name}")
