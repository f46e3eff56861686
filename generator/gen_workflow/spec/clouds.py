"""Logins to the clouds by the identity of the job (OIDC), so that GitHub holds no key of theirs."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import rules
from gen_workflow.spec.expressions import OrExpression
from gen_workflow.spec.sections import Key, Section

EXAMPLE = (
    '{aws: {role: "arn:aws:iam::123456789012:role/deploy", region: eu-central-1, cluster: shop}}'
)
_UUID = "00000000-0000-0000-0000-000000000000"


def _key(says: str, what: str, pattern: str, example: str, name: str) -> Key:
    """Return a key of a login, all of which must be there."""
    hint = f"write for example {name}: {example}"
    return Key(says, OrExpression(what, pattern, hint), example, "0.1.0", missing=hint)


def uuid(says: str, name: str) -> Key:
    return _key(says, "an id of Azure", r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
                _UUID, name)  # fmt: skip


# What a login to a cluster and one to a registry have in common.
Role = Annotated[
    str,
    _key(
        "ARN of the IAM role that the job assumes",
        "the ARN of a role",
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+",
        '"arn:aws:iam::123456789012:role/deploy"',
        "role",
    ),
]
Provider = Annotated[
    str,
    _key(
        "Full name of the provider of workload identity",
        "the full name of a provider",
        r"projects/[0-9]+/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]+"
        r"/providers/[a-z0-9-]+",
        "projects/123456789/locations/global/workloadIdentityPools/github/providers/github",
        "provider",
    ),
]
Account = Annotated[
    str,
    _key(
        "Service account that the job becomes",
        "the address of a service account",
        r"[a-z0-9-]+@[a-z0-9.-]+\.[a-z]+",
        "deploy@shop.iam.gserviceaccount.com",
        "service-account",
    ),
]
Client = Annotated[str, uuid("Client id of the application that the job logs in as", "client")]
Tenant = Annotated[str, uuid("Id of its tenant", "tenant")]


class Aws(NamedTuple):
    """A cluster of EKS."""

    role: Role
    region: Annotated[
        str,
        _key(
            "Region of the cluster",
            "a region of AWS",
            r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+",
            "eu-central-1",
            "region",
        ),
    ]
    cluster: Annotated[
        str,
        _key(
            "Name of the cluster",
            "a name of a cluster of EKS",
            r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
            "shop",
            "cluster",
        ),
    ]


class Google(NamedTuple):
    """A cluster of GKE."""

    provider: Provider
    service_account: Account
    location: Annotated[
        str,
        _key(
            "Region or zone of the cluster",
            "a region or zone of Google Cloud",
            r"[a-z]+(?:-[a-z0-9]+)+",
            "europe-west3",
            "location",
        ),
    ]
    cluster: Annotated[
        str,
        _key(
            "Name of the cluster",
            "a name of a cluster of GKE",
            r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
            "shop",
            "cluster",
        ),
    ]


class Azure(NamedTuple):
    """A cluster of AKS."""

    client: Client
    tenant: Tenant
    subscription: Annotated[str, uuid("Id of the subscription of the cluster", "subscription")]
    resource_group: Annotated[
        str,
        _key(
            "Resource group of the cluster",
            "a name of a resource group",
            r"[\w().-]{0,89}[\w()-]",
            "shop",
            "resource-group",
        ),
    ]
    cluster: Annotated[
        str,
        _key(
            "Name of the cluster",
            "a name of a cluster of AKS",
            r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?",
            "shop",
            "cluster",
        ),
    ]


class Login(NamedTuple):
    """The cloud of the cluster: one of these."""

    aws: Annotated[
        Aws | None,
        Key("A cluster of EKS", Section(Aws), EXAMPLE.removeprefix("{aws: ")[:-1], "0.1.0"),
    ] = None
    google: Annotated[
        Google | None,
        Key(
            "A cluster of GKE",
            Section(Google),
            "{provider: projects/123456789/locations/global/workloadIdentityPools/github/providers/"
            "github, service-account: deploy@shop.iam.gserviceaccount.com, location: europe-west3, "
            "cluster: shop}",
            "0.1.0",
        ),
    ] = None
    azure: Annotated[
        Azure | None,
        Key(
            "A cluster of AKS",
            Section(Azure),
            "{client: '${{ vars.AZURE_CLIENT }}', tenant: '${{ vars.AZURE_TENANT }}', "
            "subscription: '${{ vars.AZURE_SUBSCRIPTION }}', resource-group: shop, cluster: shop}",
            "0.1.0",
        ),
    ] = None


LOGIN = Section(Login, rule=rules.one_cloud)
