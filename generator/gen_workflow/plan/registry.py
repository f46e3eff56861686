"""The login to the registry of the images: to push them in a build, to pull them in a deploy."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan.inputs import Given
from gen_workflow.spec.declaration import Spec
from gen_workflow.spec.image import Image
from gen_workflow.spec.registry import ECR, GHCR, HUB, Registry
from gen_workflow.workflow.records import Permission, Pin, Step, Values

if TYPE_CHECKING:
    from gen_workflow.spec.registry_login import ArtifactRegistry

_ID = "registry"
_TOKEN = f"${{{{ steps.{_ID}.outputs.token }}}}"
_GOOGLE_TOKEN = f"${{{{ steps.{_ID}.outputs.access_token }}}}"
REPOSITORY = "${{ github.event.repository.name }}"
# The users that these registries want beside a token: see the vendors' pages on docker login.
_AWS_USER, _GOOGLE_USER = "AWS", "oauth2accesstoken"
_AZURE_USER = "00000000-0000-0000-0000-000000000000"
# The tool of the cloud is on the runner. The token is masked before it is anywhere else.
_KEEP = 'echo "::add-mask::$token"\necho "token=$token" >> "$GITHUB_OUTPUT"\n'
_ECR_TOKEN = f"token=$(aws ecr get-login-password)\n{_KEEP}"
_ACR_TOKEN = (
    'token=$(az acr login --name "$REGISTRY" --expose-token --query accessToken --output tsv)\n'
    f"{_KEEP}"
)


class Access(NamedTuple):
    """How a job gets at the registry: the steps before, who logs in, and what its token may do.

    Without a password it is the token of the job that logs in.
    """

    steps: tuple[Step, ...] = ()
    user: str = ""
    password: str = ""
    permissions: tuple[Permission, ...] = ()


def push(registry: Registry, pins: Mapping[str, Pin]) -> Access:
    """Return how a build gets at the registry to push an image."""
    return _access(registry, pins, Permission("packages", "write", "push the image to ghcr.io"))


def pull(registry: Registry, pins: Mapping[str, Pin], who: str = "the host") -> Access:
    """Return how a deploy gets at the registry, so that a host or a cluster can pull the image.

    The password of a cloud lives for one hour (Google Cloud), three (Azure) or twelve (AWS).
    """
    return _access(registry, pins, Permission("packages", "read", f"let {who} pull the image"))


def _access(registry: Registry, pins: Mapping[str, Pin], of_the_job: Permission) -> Access:
    user, password = credentials(registry)
    login = registry.login
    if login is None:
        return Access((), user, password, (of_the_job,) if registry.of_the_job else ())
    from gen_workflow.plan import cloud  # noqa: PLC0415 - few registries are of a cloud

    if login.aws:
        name, steps = "AWS", _aws(registry, login.aws.role, pins[cloud.AWS])
    elif login.google:
        name, steps = "Google Cloud", _google(login.google, pins[cloud.GOOGLE])
    else:
        assert login.azure  # noqa: S101 - a rule of the spec
        identity = cloud.azure_identity(login.azure)
        name, steps = "Azure", _azure(registry, identity, pins[cloud.AZURE])
    return Access(steps, user, password, (Permission("id-token", "write", f"log in to {name}"),))


def _aws(registry: Registry, role: str, login: Pin) -> tuple[Step, ...]:
    address = re.fullmatch(ECR, registry.server)
    assert address  # noqa: S101 - a rule of the spec
    inputs = (("role-to-assume", role), ("aws-region", address[1]))
    return (
        Step("Log in to AWS", uses=login.uses(), inputs=inputs),
        Step("Get a password for the registry", id=_ID, run=_ECR_TOKEN),
    )


def _google(google: "ArtifactRegistry", login: Pin) -> tuple[Step, ...]:
    inputs = (
        ("workload_identity_provider", google.provider),
        ("service_account", google.service_account),
        ("token_format", "access_token"),
        # A file with credentials in the workspace would be a part of the build.
        ("create_credentials_file", False),
    )
    return (Step("Log in to Google Cloud", uses=login.uses(), inputs=inputs, id=_ID),)


def _azure(registry: Registry, identity: Values, login: Pin) -> tuple[Step, ...]:
    env = (("REGISTRY", registry.server.partition(".")[0]),)
    return (
        Step("Log in to Azure", uses=login.uses(), inputs=identity),
        Step("Get a password for the registry", id=_ID, run=_ACR_TOKEN, env=env),
    )


def credentials(registry: Registry) -> tuple[str, str]:
    """Return the user and the password that log in; both are empty for the token of the job."""
    login = registry.login
    if login is None:
        return registry.user, registry.password
    if login.google:
        return _GOOGLE_USER, _GOOGLE_TOKEN
    return (_AWS_USER if login.aws else _AZURE_USER), _TOKEN


def name_of(image: Image, registry: Registry) -> str:
    """Return the full name of an image; empty where our action has it as its default."""
    if image.name or registry.host == GHCR:
        return image.name
    if not image.key:
        return f"{registry.host}/{REPOSITORY}"
    # Docker Hub has no names below a name.
    between = "-" if registry.server == HUB else "/"
    return f"{registry.host}/{REPOSITORY}{between}{image.key}"


def values_from_github(spec: Spec) -> Iterator[Given]:
    """Yield each value that the jobs take from GitHub to log in, and what it is for."""
    registry = spec.registry
    yield Given(registry.user, f"user who logs in to {registry.server}")
    yield Given(registry.password, f"password or token of the user of {registry.server}")
    for login in registry.login or ():
        for name, value in zip(login._fields, login, strict=True) if login else ():
            yield Given(value, f"{name.replace('_', ' ')} of the login to the registry")
