"""The steps that log in to a cloud by the identity of the job, and get a kubeconfig."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.clouds import Aws, Azure, Google, Login
from gen_workflow.workflow.records import Pin, Step, Values

if TYPE_CHECKING:
    from gen_workflow.spec.registry_login import Acr

AWS = "aws-actions/configure-aws-credentials"
GOOGLE = "google-github-actions/auth"
GKE = "google-github-actions/get-gke-credentials"
AZURE = "azure/login"
KUBELOGIN = "azure/use-kubelogin"
AKS = "azure/aks-set-context"
# Of github.com/Azure/kubelogin; without a version the step asks GitHub for the newest.
_KUBELOGIN_VERSION = "v0.2.18"
# The other actions tell the steps after them where the kubeconfig is, in KUBECONFIG.
_FILE = "${{ runner.temp }}/kubeconfig"


class Access(NamedTuple):
    """The name of a cloud, the steps that log in, and where the kubeconfig is then.

    The place is empty when the steps after these know it.
    """

    cloud: str
    steps: tuple[Step, ...]
    kubeconfig: str = ""


def access(login: Login, pins: Mapping[str, Pin]) -> Access:
    """Return how the cluster of a login is reached."""
    if login.aws:
        return Access("AWS", _aws(login.aws, pins), _FILE)
    if login.google:
        return Access("Google Cloud", _google(login.google, pins))
    assert login.azure  # noqa: S101 - a rule of the spec
    return Access("Azure", _azure(login.azure, pins))


def _aws(aws: Aws, pins: Mapping[str, Pin]) -> tuple[Step, ...]:
    inputs = (("role-to-assume", aws.role), ("aws-region", aws.region))
    return (
        Step("Log in to AWS", uses=pins[AWS].uses(), inputs=inputs),
        Step(
            "Get the kubeconfig",
            run='aws eks update-kubeconfig --name "$CLUSTER"',
            env=(("CLUSTER", aws.cluster), ("KUBECONFIG", _FILE)),
        ),
    )


def _google(google: Google, pins: Mapping[str, Pin]) -> tuple[Step, ...]:
    login = (
        ("workload_identity_provider", google.provider),
        ("service_account", google.service_account),
    )
    cluster = (("cluster_name", google.cluster), ("location", google.location))
    return (
        Step("Log in to Google Cloud", uses=pins[GOOGLE].uses(), inputs=login),
        Step("Get the kubeconfig", uses=pins[GKE].uses(), inputs=cluster),
    )


def azure_identity(azure: "Azure | Acr") -> Values:
    """Return the inputs of the action that logs in to Azure."""
    return (
        ("client-id", azure.client),
        ("tenant-id", azure.tenant),
        ("subscription-id", azure.subscription),
    )


def _azure(azure: Azure, pins: Mapping[str, Pin]) -> tuple[Step, ...]:
    cluster = (
        ("resource-group", azure.resource_group),
        ("cluster-name", azure.cluster),
        ("use-kubelogin", True),
    )
    return (
        Step("Log in to Azure", uses=pins[AZURE].uses(), inputs=azure_identity(azure)),
        Step(
            "Install kubelogin",
            uses=pins[KUBELOGIN].uses(),
            inputs=(("kubelogin-version", _KUBELOGIN_VERSION),),
        ),
        Step("Get the kubeconfig", uses=pins[AKS].uses(), inputs=cluster),
    )
