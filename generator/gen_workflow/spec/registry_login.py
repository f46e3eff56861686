"""The login to a registry of a cloud by the identity of the job (OIDC)."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import rules
from gen_workflow.spec.clouds import Account, Client, Provider, Role, Tenant, uuid
from gen_workflow.spec.sections import Key, Section


class Ecr(NamedTuple):
    """A registry of AWS, whose region is in its address."""

    role: Role


class ArtifactRegistry(NamedTuple):
    """A registry of Google Cloud."""

    provider: Provider
    service_account: Account


class Acr(NamedTuple):
    """A registry of Azure."""

    client: Client
    tenant: Tenant
    subscription: Annotated[str, uuid("Id of the subscription of the registry", "subscription")]


class RegistryLogin(NamedTuple):
    """The cloud of the registry: one of these."""

    aws: Annotated[
        Ecr | None,
        Key(
            "A registry of ECR",
            Section(Ecr),
            '{role: "arn:aws:iam::123456789012:role/deploy"}',
            "0.1.0",
        ),
    ] = None
    google: Annotated[
        ArtifactRegistry | None,
        Key(
            "A registry of Artifact Registry",
            Section(ArtifactRegistry),
            "{provider: projects/123456789/locations/global/workloadIdentityPools/github/providers/"
            "github, service-account: deploy@shop.iam.gserviceaccount.com}",
            "0.1.0",
        ),
    ] = None
    azure: Annotated[
        Acr | None,
        Key(
            "A registry of ACR",
            Section(Acr),
            "{client: '${{ vars.AZURE_CLIENT }}', tenant: '${{ vars.AZURE_TENANT }}', "
            "subscription: '${{ vars.AZURE_SUBSCRIPTION }}'}",
            "0.1.0",
        ),
    ] = None


REGISTRY_LOGIN = Section(RegistryLogin, rule=rules.one_cloud)
