"""The program that replaces a container behind a proxy: it extends that of a single one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ship.ssh_deploy.program import LABEL, Phase
from ship.ssh_deploy.proxy.inputs import HTTPS
from ship.ssh_deploy.run.plan import CHECK, COMMIT, SWITCH, found_by, plan_run

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.ssh_deploy.common import Common
    from ship.ssh_deploy.program import Program
    from ship.ssh_deploy.proxy.inputs import ProxyForm
    from ship.ssh_deploy.run.ports import Port

# What the proxy listens on, in its container, beside HTTPS.
HTTP = "80"
INSTEAD = {
    CHECK: Phase(
        "check",
        "make sure that the proxy runs, start the new container beside the old one and wait until "
        "it is healthy",
        "the new container is removed",
    ),
    SWITCH: Phase(
        "switch",
        "let the proxy check the new container and send new requests to it; wait until the old one "
        "has answered its open requests",
        "the proxy sends requests to the old container again, which still runs",
        in_groups=True,
    ),
    COMMIT: Phase(
        "commit",
        "stop and keep the old container, record the release, remove images of old releases",
        "the new version keeps serving; the next deploy completes this phase",
    ),
}


# What others find the new container by, it has from its start.
CHECK_TWICE = INSTEAD[CHECK]._replace(
    why=f"check a candidate that users and neighbours cannot find, {INSTEAD[CHECK].why}"
)


def plan_proxy(common: Common, want: ProxyForm, context: Context) -> Program:
    """Return the program that starts the new container and then switches the proxy to it."""
    plain = plan_run(common, want.run, context)
    # The reader has checked that there is exactly one.
    port = want.run.ports[0]
    instead = {**INSTEAD, CHECK: CHECK_TWICE} if found_by(want.run) else INSTEAD
    label = shlex.quote(f"--label={LABEL}.route={' '.join((port.container, *_route(want)))}")
    return plain._replace(
        files=(*plain.files, "proxy/proxy"),
        phases=tuple(instead.get(phase, phase) for phase in plain.phases),
        parameters={
            **plain.parameters,
            "FLAGS": f"{plain.parameters['FLAGS']} {label}",
            "HOST_PORTS": " ".join(each.of_host() for each in _host_ports(want, port)),
            "HEALTH_HOST": want.asked_host,
            # With TLS the proxy itself answers over HTTP, with a redirect to HTTPS.
            "PROXY_PATH": "" if want.tls else want.run.health,
            "PROXY_PUBLISH": " ".join(_published(want, port)),
            "SERVED_NAMES": " ".join(want.hosts),
            "PROXY_IMAGE": want.image,
            "DRAIN_TIMEOUT": str(want.drain_timeout),
        },
    )


def _route(want: ProxyForm) -> tuple[str, ...]:
    """Return the flags of the proxy that belong to the container; none contains a space."""
    return (
        *(f"--host={host}" for host in want.hosts),
        *(("--tls",) if want.tls else ()),
        f"--health-check-path={want.run.health}",
        # As long as our own requests wait for an answer; the proxy alone would wait for 5 s.
        f"--health-check-timeout={min(30, want.run.health_timeout)}s",
        *((f"--health-check-host={want.asked_host}",) if want.asked_host else ()),
    )


def _host_ports(want: ProxyForm, port: Port) -> tuple[Port, ...]:
    """Return the ports of the host that the proxy publishes, with its own ports."""
    http = port._replace(container=HTTP)
    return (http, http._replace(host=HTTPS, container=HTTPS)) if want.tls else (http,)


def _published(want: ProxyForm, port: Port) -> tuple[str, ...]:
    ports = _host_ports(want, port)
    return tuple(str(each).removesuffix(f"/{each.protocol}") for each in ports)
