"""What happens on the runner before a deploy, so that it reaches the target."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import FromSecret, OrExpression
from gen_workflow.spec.forms import Checked, Listed, Text
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.step_keys import Place
from gen_workflow.spec.steps import EXAMPLE, Steps
from gen_workflow.workflow.records import RawStep

OF_A_DEPLOY = Place(deploys=True)
_TAG = Text("a tag of Tailscale", r"tag:[A-Za-z][A-Za-z0-9-]*", "tag:ci")
_TAGS = Listed(_TAG, alone=True, empty="name at least one tag, such as tag:ci")


def _secret(name: str) -> FromSecret:
    return FromSecret("it", f"write ${{{{ secrets.{name} }}}}")


class Tailscale(NamedTuple):
    """A network of Tailscale, which the runner joins until the job ends."""

    tags: Annotated[
        tuple[str, ...],
        Key("Tags that the runner gets in the network", _TAGS, "tag:ci", "0.1.0"),
    ] = ("tag:ci",)
    client: Annotated[
        str,
        Key(
            "Id of the OAuth client of Tailscale, with the scope `auth_keys`",
            OrExpression("an id of a client", r"[A-Za-z0-9_-]+", "write ${{ secrets.NAME }}"),
            "${{ secrets.TAILSCALE_ID }}",
            "0.1.0",
        ),
    ] = "${{ secrets.TS_OAUTH_CLIENT_ID }}"
    secret: Annotated[
        str,
        Key(
            "Secret of the OAuth client",
            _secret("TS_OAUTH_SECRET"),
            "${{ secrets.TAILSCALE_SECRET }}",
            "0.1.0",
        ),
    ] = "${{ secrets.TS_OAUTH_SECRET }}"  # noqa: S105 - its name
    audience: Annotated[
        str,
        Key(
            "Audience of the identity of the job (OIDC), in place of the secret",
            OrExpression("an audience", r"[A-Za-z0-9._:/-]+", "copy it from Tailscale"),
            "api.tailscale.com/kAbCdEfCNTRL",
            "0.1.0",
        ),
    ] = ""
    ping: Annotated[
        tuple[str, ...],
        Key(
            "Machines of the network that have to answer before the deploy begins",
            Listed(Text("a name or an address", r"[A-Za-z0-9][A-Za-z0-9.:-]*", "vps"), alone=True),
            "vps",
            "0.1.0",
        ),
    ] = ()


def _one_identity(fields: Fields, reading: Reading) -> None:
    if "secret" in fields.values and "audience" in fields.values:
        what = "cannot be beside `audience`: the job shows one or the other"
        reading.problem(fields.values["secret"], what, "remove one of them", Heading.TOGETHER)


TAILSCALE = Section(Tailscale, rule=_one_identity)


class Connect(NamedTuple):
    """How the runner reaches the target."""

    tailscale: Annotated[
        Tailscale | None,
        Key(
            "Join a network of Tailscale by its official action; `{}` is enough",
            TAILSCALE,
            "{ping: vps}",
            "0.1.0",
        ),
    ] = None
    steps: Annotated[
        tuple[RawStep, ...],
        Key("Steps of your own, in GitHub's syntax", Steps(OF_A_DEPLOY), EXAMPLE, "0.1.0"),
    ] = ()


def _says_how(fields: Fields, reading: Reading) -> None:
    if not (fields.values or fields.has_others):
        hint = "write for example connect: {tailscale: {}}"
        reading.problem(fields.where, "says nothing", hint, Heading.MISSING_KEY)


CONNECT = Section(Connect, rule=_says_how)


def _nothing(value: Value, reading: Reading) -> Connect | None:
    if value.text == "none":
        return Connect()
    what = f"{value.text!r} is neither `none` nor a mapping"
    hint = "write for example connect: {tailscale: {}}"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return None


OF_AN_ENVIRONMENT = ShortOr(
    Checked(_nothing, {"const": "none"}), "`none`", "connect: {tailscale: {}}", CONNECT
)
