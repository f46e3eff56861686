"""A deploy into a cluster, as the spec says it: which cluster, which workloads, which limits."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import clouds, rules, values
from gen_workflow.spec.clouds import LOGIN, Login
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import FromSecret, OrExpression
from gen_workflow.spec.forms import Checked, Listed, Text, WholeNumber, anchored
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.variables import OBJECT_NAME, OBJECT_NAME_HINT, SECRETS, AppSecret
from gen_workflow.spec.workloads import (
    MANIFESTS,
    WORKLOAD_SCHEMA,
    WORKLOADS,
    Workload,
    all_images_go_somewhere,
)

KUBE_CONFIG = "${{ secrets.KUBE_CONFIG }}"
_LONGEST = 6 * 3600


def _seconds(least: int, most: int, example: int) -> WholeNumber:
    return WholeNumber("a time in seconds", least, most, example)


class PullSecret(NamedTuple):
    """A Secret that the cluster pulls the image with.

    Without a password it is made from the token of the job, which ends with the job.
    """

    name: Annotated[
        str,
        Key(
            "Name of the Secret; the workloads use it",
            Text("a name of a Secret", OBJECT_NAME, f"ghcr; {OBJECT_NAME_HINT}"),
            "ghcr",
            "0.1.0",
            missing="name the Secret: {name: ghcr, password: ${{ secrets.GHCR_TOKEN }}}",
        ),
    ]
    user: Annotated[
        str,
        Key(
            "User of the registry",
            OrExpression("a user of a registry", r"\S{1,255}", "write for example user: octocat"),
            "octocat",
            "0.1.0",
            default="that of the `registry`; on ghcr.io, who started the run",
        ),
    ] = ""
    password: Annotated[
        str,
        Key(
            "Password or token of the user, which must be a secret",
            FromSecret("the password", "write for example password: ${{ secrets.GHCR_TOKEN }}"),
            "${{ secrets.GHCR_TOKEN }}",
            "0.1.0",
            default="that of the `registry`; on ghcr.io the token of the job, with which the "
            "cluster can pull until the job ends",
        ),
    ] = ""
    # Whether only the name was written, which the secret of the password follows from.
    by_name: bool = False


PULL_SECRET = Section(PullSecret)


def _pull_secret(value: Value, reading: Reading) -> PullSecret | None:
    """Return the Secret of a name; the secret on GitHub that it is made from follows from that."""
    name = PULL_SECRET.keys["name"].form.read(value, reading)
    if name is None:
        return None
    prefix = re.sub(r"[.-]", "_", name.upper())
    hint = "write a mapping: {name, password: ${{ secrets.GHCR_TOKEN }}}"
    if f"{prefix}_".startswith("GITHUB_") or prefix[0].isdigit():
        what = f"no secret of GitHub can be called {prefix}_TOKEN"
        reading.problem(value, what, hint, Heading.RESERVED)
        return None
    return PullSecret(name, password=f"${{{{ secrets.{prefix}_TOKEN }}}}", by_name=True)


class Kubernetes(NamedTuple):
    """A cluster, and what gets the image there."""

    workload: Annotated[
        tuple[Workload, ...],
        Key(
            "What gets the image, as KIND/NAME: a workload, a list of them, or a mapping of "
            "workloads to their containers, with several `images` each container with its image",
            WORKLOADS,
            "[deployment/web, {cronjob/report: report}]",
            "0.1.0",
            default="all workloads of `apply` that use the image",
            missing="name what gets the image: workload: deployment/web; or the manifests: "
            "apply: k8s/",
            unless="apply",
        ),
    ] = ()
    apply: Annotated[
        tuple[str, ...],
        Key(
            "Manifests that are applied first: a file, a folder, a folder with a "
            "`kustomization.yaml`, or a list; nothing is ever deleted",
            Listed(MANIFESTS, alone=True, empty="name a folder, or remove `apply`"),
            "k8s/",
            "0.1.0",
        ),
    ] = ()
    namespace: Annotated[
        str,
        Key(
            "Namespace of the workloads",
            OrExpression(
                "a name of a namespace",
                OBJECT_NAME,
                "use small letters, digits and - with a letter or digit at both ends; or take it "
                "from a variable: ${{ vars.NAMESPACE }}",
            ),
            "shop",
            "0.1.0",
            default="that of the context",
        ),
    ] = ""
    kubeconfig: Annotated[
        str,
        Key(
            "The kubeconfig, as its text or in base64, which must be a secret",
            FromSecret("the kubeconfig", f"write for example kubeconfig: {KUBE_CONFIG}"),
            "${{ secrets.SHOP_KUBE_CONFIG }}",
            "0.1.0",
        ),
    ] = KUBE_CONFIG
    context: Annotated[
        str,
        Key(
            "Context of the kubeconfig",
            OrExpression("a name of a context", r"\S.*", "write for example context: production"),
            "production",
            "0.1.0",
            default="the current one",
        ),
    ] = ""
    login: Annotated[
        Login | None,
        Key(
            "A cloud to log in to instead of a kubeconfig; the job gets `id-token: write` for this",
            LOGIN,
            clouds.EXAMPLE,
            "0.1.0",
        ),
    ] = None
    secret: Annotated[
        tuple[AppSecret, ...],
        Key(
            "Secrets of the app, each a name and its keys: names of secrets, values by name, or "
            "both in a list",
            SECRETS,
            "{app-env: [DB_URL, JWT_SECRET]}",
            "0.1.0",
        ),
    ] = ()
    pull_secret: Annotated[
        PullSecret | None,
        Key(
            "Secret that the cluster pulls the image with: a name, or a mapping",
            ShortOr(
                Checked(_pull_secret, {"type": "string", "pattern": anchored(OBJECT_NAME)}),
                "a name",
                "pull-secret: ghcr",
                PULL_SECRET,
            ),
            "ghcr",
            "0.1.0",
            default="the cluster can pull the image already",
        ),
    ] = None
    timeout: Annotated[
        str,
        Key("Seconds for the whole rollout", _seconds(10, _LONGEST, 900), "600", "0.1.0", "`900`"),
    ] = ""
    progress_timeout: Annotated[
        str,
        Key(
            "Seconds without progress after which the rollout has failed",
            _seconds(5, _LONGEST, 300),
            "300",
            "0.1.0",
            default="`progressDeadlineSeconds` of the workload, or 600",
        ),
    ] = ""
    stability: Annotated[
        str,
        Key(
            "Seconds that the new pods must stay healthy after the rollout",
            _seconds(0, 3600, 30),
            "30",
            "0.1.0",
            default="`10`",
        ),
    ] = ""
    restarts: Annotated[
        str,
        Key(
            "How often a new container may restart before the rollout has failed",
            WholeNumber("a number of restarts", 0, 100, 3),
            "3",
            "0.1.0",
            default="`1`",
        ),
    ] = ""
    on_failure: Annotated[
        str,
        Key(
            "What happens when the rollout fails: `rollback`, to what ran before, or `keep`",
            values.OneOf("rollback", "keep"),
            "keep",
            "0.1.0",
            default="`rollback`",
        ),
    ] = ""
    rollback_timeout: Annotated[
        str,
        Key("Seconds for a rollback", _seconds(10, _LONGEST, 300), "120", "0.1.0", "`300`"),
    ] = ""
    no_pods: Annotated[
        str,
        Key(
            "What happens when no pod takes the new image by itself, as with zero replicas: "
            "`fail` or `allow`",
            values.OneOf("fail", "allow"),
            "allow",
            "0.1.0",
            default="`fail`",
        ),
    ] = ""
    older_commit: Annotated[
        str,
        Key(
            "What happens when a newer commit of the branch was deployed already: `refuse` or "
            "`deploy`",
            values.OneOf("refuse", "deploy"),
            "deploy",
            "0.1.0",
            default="`refuse`",
        ),
    ] = ""
    restart_on_no_change: Annotated[
        str,
        Key(
            "Restart the pods of a `workload` when they have the image already, as after a Secret "
            "was changed; it has no effect on workloads in `apply`",
            values.Flag("restart-on-no-change"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    force_conflicts: Annotated[
        str,
        Key(
            "Take over fields of `apply` that another tool owns, such as a GitOps controller",
            values.Flag("force-conflicts"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""


def _rule(fields: Fields, reading: Reading) -> None:
    rules.limits_and_access_fit(fields, reading)
    all_images_go_somewhere(fields, reading)


KUBERNETES = Section(Kubernetes, rule=_rule)


def _workload(value: Value, reading: Reading) -> Kubernetes | None:
    """Return the deploy of the short form, which is a workload."""
    return KUBERNETES.of(value, {"workload": value}, reading)


CLUSTER = ShortOr(
    Checked(_workload, WORKLOAD_SCHEMA),
    "a workload",
    "kubernetes: deployment/web",
    KUBERNETES,
)
