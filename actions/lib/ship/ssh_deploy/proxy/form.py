"""Deploying one container behind a proxy, so that its users notice nothing: the same, and a way."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ship.images.reference import Reference
from ship.ssh_deploy.program import Phase
from ship.ssh_deploy.run.form import CHECK, COMMIT, LABEL, SWITCH, plan_run, read_run_form

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.inputs import Common, Login
    from ship.ssh_deploy.program import Program
    from ship.ssh_deploy.run.form import Port, RunForm

# A first label of `*` stands for any one name; the proxy has no certificate for such a host.
HOST = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
)
# What the proxy listens on, in its container.
HTTP, HTTPS = "80", "443"
INSTEAD = {
    CHECK: Phase(
        "check",
        "see that the proxy runs, start the new container beside the old one and wait until it is "
        "healthy",
        "the new container is removed",
    ),
    SWITCH: Phase(
        "switch",
        "let the proxy check the new container and send the users to it; wait until the old one "
        "has answered what it has begun",
        "the users go back to the old container, which still runs",
        in_groups=True,
    ),
    COMMIT: Phase(
        "commit",
        "stop and keep the old container, note the release, remove old ones",
        "it goes on",
    ),
}


class ProxyForm(NamedTuple):
    """A container as the person wants it, and how its users get to it."""

    run: RunForm
    hosts: tuple[str, ...]
    tls: bool
    image: str
    drain_timeout: int

    def program(self, common: Common, context: Context) -> Program:
        return plan_proxy(common, self, context)

    @property
    def login(self) -> Login:
        return self.run.login

    @property
    def asked_host(self) -> str:
        """The name of the site in a request for the health path; an app may refuse others."""
        return self.hosts[0].replace("*", "www") if self.hosts else ""


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
    if not form.run.health:
        hint = "give a path that answers with a 2xx status once the app can serve, such as /up"
        read.problem("health", "is required with `strategy: proxy`: the proxy asks it", hint)
    if form.tls and (not form.hosts or any("*" in host for host in form.hosts)):
        hint = "give the full names that users have, each a line"
        read.problem("proxy-hosts", "a certificate is for hosts that are named", hint)
    return form


def _image(read: Reader) -> str:
    hint = "leave it out, or give name@sha256:…"
    text = read.required("proxy-image", hint)
    parsed = Reference.parse_pinned(text)
    if text and not parsed:
        read.problem("proxy-image", f"{text!r} names no digest", hint)
    return str(parsed) if parsed else text


def _check_port(read: Reader, form: ProxyForm) -> None:
    hint = "write the port of the proxy and the one of the app, such as 80:8080"
    if len(form.run.ports) != 1:
        said = f"there are {len(form.run.ports)}, and `strategy: proxy` takes one"
        read.problem("ports", said, hint)
    elif form.run.ports[0].protocol != "tcp":
        read.problem("ports", "the proxy takes no UDP", hint)
    elif form.tls and form.run.ports[0].host == HTTPS:
        read.problem("ports", f"the proxy has {HTTPS} for the certificate", hint)


def plan_proxy(common: Common, want: ProxyForm, context: Context) -> Program:
    """Return the program that starts the new container beside the old one and moves the users."""
    plain = plan_run(common, want.run, context)
    # Checked by the reader, and none only where that noted a problem.
    port = want.run.ports[0]
    label = shlex.quote(f"--label={LABEL}.route={' '.join((port.container, *_route(want)))}")
    return plain._replace(
        files=(*plain.files, "proxy/proxy"),
        phases=tuple(INSTEAD.get(phase, phase) for phase in plain.phases),
        parameters={
            **plain.parameters,
            "FLAGS": f"{plain.parameters['FLAGS']} {label}",
            "HOST_PORTS": " ".join(_host_ports(want, port)),
            "HEALTH_HOST": want.asked_host,
            # Over HTTP the proxy itself answers, with the way to HTTPS.
            "PROXY_PATH": "" if want.tls else want.run.health,
            "PROXY_PUBLISH": " ".join(_published(want, port)),
            "PROXY_IMAGE": want.image,
            "DRAIN_TIMEOUT": str(want.drain_timeout),
        },
    )


def _route(want: ProxyForm) -> tuple[str, ...]:
    """Return the flags of the proxy that hold as long as the container does; none has a blank."""
    return (
        *(f"--host={host}" for host in want.hosts),
        *(("--tls",) if want.tls else ()),
        f"--health-check-path={want.run.health}",
        *((f"--health-check-host={want.asked_host}",) if want.hosts else ()),
    )


def _host_ports(want: ProxyForm, port: Port) -> tuple[str, ...]:
    """Return what the proxy takes of the host, with the address where it is only one."""
    address = f"{port.address}:" if port.address else ""
    tls = (f"{address}{HTTPS}",) if want.tls else ()
    return (f"{address}{port.host}", *tls)


def _published(want: ProxyForm, port: Port) -> tuple[str, ...]:
    inside = (HTTP, HTTPS) if want.tls else (HTTP,)
    return tuple(map(":".join, zip(_host_ports(want, port), inside, strict=True)))
