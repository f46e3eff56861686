"""The inputs of a container behind a proxy: those of a single container, and its hosts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.images.pinned import read_pinned
from ship.runner.named_tuple import NamedTuple
from ship.ssh_deploy.run.inputs import read_run_form
from ship.ssh_deploy.run.options import ADDRESSES, named

if TYPE_CHECKING:
    from typing import Literal

    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.image import Login
    from ship.ssh_deploy.run.inputs import RunForm

# A first label of `*` matches any one label; the proxy gets no certificate for such a host.
HOST = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
)
HTTPS = "443"


class ProxyForm(NamedTuple):
    """The inputs of a container behind a proxy, checked and complete."""

    run: RunForm
    hosts: tuple[str, ...]
    tls: bool
    image: str
    drain_timeout: int
    kind: Literal["proxy"] = "proxy"

    @property
    def login(self) -> Login:
        return self.run.login

    @property
    def asked_host(self) -> str:
        """The name of the site in a request for the health path; an app may refuse others."""
        first = self.hosts[0].replace("*", "www") if self.hosts else ""
        return self.run.health_host or first


def read_proxy_form(read: Reader, context: Context) -> ProxyForm:
    """Read the inputs of a container behind a proxy; notes every problem."""
    form = ProxyForm(
        run=read_run_form(read, context),
        hosts=tuple(
            read.matching("proxy-hosts", HOST, "the name of a host, such as shop.example.com", line)
            for line in read.lines("proxy-hosts")
        ),
        tls=read.flag("proxy-tls"),
        image=_image(read),
        drain_timeout=read.number("drain-timeout", 0, 3600, 30),
    )
    _check_port(read, form)
    _check_both_can_run(read, form.run)
    if not form.run.health:
        hint = "give a path that answers with a 2xx status once the app can serve, such as /up"
        read.problem(
            "health", "is required with `strategy: proxy`, because the proxy checks this path", hint
        )
    _check_health(read, form)
    if form.tls and (not form.hosts or any("*" in host for host in form.hosts)):
        hint = "give the full names that users open, one a line"
        read.problem(
            "proxy-hosts",
            "must have full host names, because `proxy-tls` gets a certificate for each",
            hint,
        )
    return form


def _check_health(read: Reader, form: ProxyForm) -> None:
    """Note what the proxy could not ask or would not accept."""
    host, status = form.run.health_host, form.run.health_status
    if host and form.hosts and not any(_matches(host, each) for each in form.hosts):
        hint = "name one of them, or leave it out: the default is the first of them"
        read.problem("health-host", f"{host!r} is not one of `proxy-hosts`", hint)
    if any(not word.startswith("2") for each in status.split() for word in each.split("-")):
        hint = "leave it out, or give a path in `health` that answers with a 2xx status"
        read.problem("health-status", "the proxy accepts only 2xx statuses", hint)


def _matches(host: str, pattern: str) -> bool:
    """Say whether the proxy sends requests for a host to the service of a pattern."""
    name = host.partition(":")[0].lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:].lower()
    return name == pattern.lower()


def _image(read: Reader) -> str:
    hint = "leave it out, or give name@sha256:…"
    text = read.required("proxy-image", hint)
    return read_pinned(read, "proxy-image", text, hint) if text else ""


def _check_port(read: Reader, form: ProxyForm) -> None:
    hint = "write the port of the proxy and the port of the app, such as 80:8080"
    if len(form.run.ports) != 1:
        said = f"lists {len(form.run.ports)} ports, and `strategy: proxy` needs exactly one"
        read.problem("ports", said, hint)
    elif form.run.ports[0].protocol != "tcp":
        read.problem("ports", "the proxy does not support UDP", hint)
    elif form.tls and form.run.ports[0].host == HTTPS:
        read.problem("ports", f"the proxy uses {HTTPS} for HTTPS itself", hint)


def _check_both_can_run(read: Reader, run: RunForm) -> None:
    """Note what the old and the new container cannot share, which run at the same time."""
    both = "with `strategy: proxy` the old and the new container run at the same time"
    hint = "leave `strategy` out, so that the old container stops first"
    if run.candidate == "never":
        read.problem("candidate", f"cannot be `never`: {both}", hint)
    if run.candidate == "auto" and run.shared:
        read.problem(
            "strategy",
            f"{both}, and both would write to {', '.join(run.shared)}",
            f"{hint}; or mount it read-only (:ro) when the app only reads it; or set "
            "`candidate: always` when two containers of the app can write to it",
        )
    for option in named(run.options, ADDRESSES):
        read.problem("options", f"{option} is for one container only, but {both}", hint)
