"""The registry that has the images: where it is, and how the jobs log in there."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import TYPE_CHECKING, Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import FromSecret, OrExpression
from gen_workflow.spec.forms import Checked, Elsewhere
from gen_workflow.spec.image import Image
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr

if TYPE_CHECKING:
    from gen_workflow.spec.registry_login import RegistryLogin

GHCR = "ghcr.io"
HUB = "docker.io"
# The hosts of clouds, and the key of `login` for each.
ECR = r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
_ROLE = '{aws: {role: "arn:aws:iam::123456789012:role/deploy"}}'
_CLOUDS = {
    "aws": (
        ECR,
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    ),
    "google": (
        r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)",
        "europe-west3-docker.pkg.dev",
    ),
    "azure": (r"[a-z0-9-]+\.azurecr\.(?:io|cn|us)", "example.azurecr.io"),
}


class Registry(NamedTuple):
    """Where the images are, and who logs in there; without anybody it is the token of the job."""

    host: Annotated[
        str,
        Key(
            "Host of the registry, and behind it what the names of all images begin with",
            values.REGISTRY,
            "docker.io/acme",
            "0.1.0",
            missing="say where it is: host: docker.io/acme",
        ),
    ]
    user: Annotated[
        str,
        Key(
            "User who logs in",
            OrExpression("a user of a registry", r"\S{1,255}", "write for example user: acme"),
            "${{ vars.DOCKERHUB_USERNAME }}",
            "0.1.0",
            default="a variable of GitHub, which follows from the host",
        ),
    ] = ""
    password: Annotated[
        str,
        Key(
            "Password or token of the user, which must be a secret",
            FromSecret("the password", "write for example password: ${{ secrets.REGISTRY_TOKEN }}"),
            "${{ secrets.DOCKERHUB_TOKEN }}",
            "0.1.0",
            default="a secret of GitHub, which follows from the host; on ghcr.io, the token of the "
            "job",
        ),
    ] = ""
    login: Annotated[
        "RegistryLogin | None",
        Key(
            "A cloud to log in to instead of a user; the jobs get `id-token: write` for this",
            Elsewhere("gen_workflow.spec.registry_login", "REGISTRY_LOGIN"),
            _ROLE,
            "0.1.0",
        ),
    ] = None

    @property
    def server(self) -> str:
        """The host alone."""
        return self.host.partition("/")[0]

    @property
    def of_the_job(self) -> bool:
        """Whether the token of the job is what logs in."""
        return self.server == GHCR and not self.password


def _fits(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys that do not fit each other, and fill in who logs in."""
    there, host = fields.values, fields.read.get("host")
    if host is None:
        return
    server, _, below = host.partition("/")
    if server == HUB and (not below or "/" in below):
        what = f"{host!r}: a name on Docker Hub is docker.io, an owner and a name"
        reading.problem(
            there["host"], what, "write for example docker.io/acme", Heading.WRONG_VALUE
        )
    if "secrets." in (fields.read.get("user") or ""):
        what = (
            "should not be a secret: GitHub drops an output of a job that holds a secret, and the "
            "name of the image may hold the user"
        )
        hint = "make it a variable: ${{ vars.REGISTRY_USERNAME }}"
        reading.problem(there["user"], what, hint, Heading.SECRET)
    if "login" in there:
        _login_fits(fields, server, reading)
        return
    if re.fullmatch(ECR, server):
        what = "has passwords that live for twelve hours, so no secret can hold one"
        hint = f"let the job log in: {{host: {host}, login: {_ROLE}}}"
        reading.problem(there["host"], what, hint, Heading.MISSING_KEY)
    elif server != GHCR:
        prefix = "DOCKERHUB" if server == HUB else "REGISTRY"
        fields.read.setdefault("user", f"${{{{ vars.{prefix}_USERNAME }}}}")
        fields.read.setdefault("password", f"${{{{ secrets.{prefix}_TOKEN }}}}")


def _login_fits(fields: Fields, server: str, reading: Reading) -> None:
    """Note a problem when a login is to another cloud than that of the host, or beside a user."""
    there, login = fields.values, fields.read.get("login")
    for name in ("user", "password"):
        if name in there:
            what = "cannot be beside `login`, which makes a password"
            reading.problem(there[name], what, "remove one of them", Heading.TOGETHER)
    for name, (pattern, example) in _CLOUDS.items():
        if getattr(login, name, None) and not re.fullmatch(pattern, server):
            what = f"{server!r} is not a registry of this cloud, such as {example}"
            hint = "correct `host`, or log in with `user` and `password`"
            reading.problem(there["login"].below([name]), what, hint, Heading.TOGETHER)


_SECTION = Section(Registry, rule=_fits)


def _short(value: Value, reading: Reading) -> Registry | None:
    return _SECTION.of(value, {"host": value}, reading)


REGISTRY = ShortOr(
    Checked(_short, values.REGISTRY.schema()), "a host", "registry: docker.io/acme", _SECTION
)


def fits_the_spec(fields: Fields, reading: Reading) -> None:
    """Note a problem for what does not fit the registry; a rule of the spec."""
    registry = fields.read.get("registry") or Registry(GHCR)
    if "registry" in fields.values and "registry" not in fields.read:
        return  # it has a problem of its own
    for place, image in _images(fields):
        server = image.name.partition("/")[0]
        if not image.name or server == registry.server:
            continue
        where = place.below(["name"])
        what = f"{image.name!r} is not in {registry.server}, where the jobs log in"
        owner = image.name.split("/")[1] if server == HUB else ""
        hint = f"write registry: {server}/{owner}" if owner else f"write registry: {server}"
        reading.problem(where, what, f"{hint}, or change the name", Heading.TOGETHER)
    _pull_secrets_fit(fields, reading)
    if "cleanup" in fields.values and registry.server != GHCR:
        what = f"deletes images of {GHCR}, and these are in {registry.server}"
        hint = "remove it, and set a rule for old images in that registry"
        reading.problem(fields.values["cleanup"], what, hint, Heading.TOGETHER)


def _pull_secrets_fit(fields: Fields, reading: Reading) -> None:
    """Note a problem for each pull secret whose password would be that of a login to a cloud."""
    registry = fields.read.get("registry")
    if not (registry and registry.login):
        return
    shared, several = fields.values.get("deploy"), fields.read.get("environments") or ()
    places = [(one.deploy, fields.values["environments"].below([one.key])) for one in several]
    if shared:
        places.append((fields.read.get("deploy"), shared))
    for deploy, place in places:
        pull = getattr(getattr(deploy, "kubernetes", None), "pull_secret", None)
        if pull and (pull.by_name or not pull.password):
            where = place.below(["kubernetes", "pull-secret"])
            what = "would be dead after some hours: a login to a cloud makes no lasting password"
            hint = "remove it, and let the nodes pull by the identity that the cloud gives them; or"
            hint += " write a `user` and a `password` that last"
            reading.problem(where, what, hint, Heading.TOGETHER)


def _images(fields: Fields) -> list[tuple[Value, Image]]:
    """Return the images, each with its place."""
    one, several = fields.read.get("image"), fields.read.get("images") or ()
    alone = [(fields.values["image"], one)] if one else []
    return alone + [(fields.values["images"].below([each.key]), each) for each in several]
