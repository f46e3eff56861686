"""How a new container takes over from the old one, as the spec says it."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Form, Listed, Schema, Text, WholeNumber
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.values import Flag, OneOf

# A first label of `*` matches any one label; the proxy gets no certificate for such a host.
SITE = (
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
)
_SITES = Listed(
    Text("the name of a site", SITE, "shop.example.com"), alone=True, empty="name one, or remove it"
)


class Proxy(NamedTuple):
    """The proxy on the host that moves the users to the new container."""

    hosts: Annotated[
        tuple[str, ...],
        Key(
            "Names of the sites whose requests go to this service, one or a list",
            _SITES,
            "[shop.example.com, www.example.com]",
            "0.1.0",
            default="every name that no other service has",
        ),
    ] = ()
    tls: Annotated[
        str,
        Key(
            "Get certificates for `hosts` from Let's Encrypt, and serve them on port 443",
            Flag("tls"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    drain: Annotated[
        str,
        Key(
            "Seconds that the old container gets to finish the requests that it has begun",
            WholeNumber("a time in seconds", 0, 3600, 30),
            "60",
            "0.1.0",
            default="`30`",
        ),
    ] = ""
    image: Annotated[
        str,
        Key(
            "Image of kamal-proxy, by digest, for a host that has no proxy yet",
            Text(
                "an image with its digest",
                r"[a-z0-9][a-z0-9./_:-]*@sha256:[0-9a-f]{64}",
                "basecamp/kamal-proxy@sha256:…; a tag can move",
            ),
            "basecamp/kamal-proxy@sha256:"
            "826a6f66c6ba26ac26197ac8755804403c9bb617b90cfac25c7972154c5328ab",
            "0.1.0",
            default="version 0.9.2",
        ),
    ] = ""


def _tls_has_names(fields: Fields, reading: Reading) -> None:
    """Note a problem for certificates that nobody could get; the rule of `proxy`."""
    names = fields.read.get("hosts")
    if fields.read.get("tls") and not (names and all("*" not in name for name in names)):
        what = "gets a certificate for each of `hosts`, which must be full names"
        hint = "write the names that users open: hosts: [shop.example.com]"
        reading.problem(fields.values["tls"], what, hint, Heading.TOGETHER)


_PROXY = Section(Proxy, rule=_tls_has_names)


def _for_sites(value: Value, reading: Reading) -> Proxy | None:
    return _PROXY.of(value, {"hosts": value}, reading)


class _Strategy(NamedTuple):
    """A strategy with more to say than its name."""

    proxy: Annotated[
        Proxy,
        Key(
            "Names of the sites, or a mapping",
            ShortOr(
                Checked(_for_sites, _SITES.schema()),
                "the name of a site, a list of them",
                "proxy: shop.example.com",
                _PROXY,
                lists=True,
            ),
            "shop.example.com",
            "0.1.0",
            missing="write `strategy: proxy`, or {proxy: shop.example.com}",
        ),
    ]


_WORD = OneOf("plain", "proxy")
_SECTION = Section(_Strategy)


class _StrategyForm(Form[Proxy | None]):
    """`plain`, `proxy`, or a mapping that says more of the proxy; None is plain."""

    section = _SECTION

    def read(self, value: Value, reading: Reading) -> Proxy | None:
        if value.kind == "a mapping":
            found = _SECTION.read(value, reading)
            return found.proxy if found else None
        return Proxy() if _WORD.read(value, reading) == "proxy" else None

    def schema(self) -> Schema:
        return {"anyOf": [_WORD.schema(), _SECTION.schema()]}


STRATEGY = _StrategyForm()
