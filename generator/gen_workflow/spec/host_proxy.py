"""What a container behind a proxy cannot have, because the old and the new one run together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.container import Run
    from gen_workflow.spec.health import Health
    from gen_workflow.spec.strategy import Proxy

_BOTH = "with `strategy: proxy` the old and the new container run at the same time"
_PLAIN = "leave `strategy` out, so that the old container stops first"
_SHARED = (
    f"{_PLAIN}; or mount it read-only (:ro) when the app only reads it; or set `candidate: always` "
    "when two containers of the app can write to it"
)
# Options that name an address, which one container only can have.
_ADDRESSES = r"--(?:ip|ip6|link-local-ip|mac-address)\b.*"


def against(proxy: Proxy, run: Run, health: Health | None) -> Iterator[tuple[str, str]]:
    """Yield what hinders a proxy, each with a hint."""
    if not health or not health.path:
        yield "the proxy checks a path, and there is none", "write for example health: /up"
    elif health.host and not _is_one_of(health.host, proxy.hosts):
        yield f"the proxy does not know the site {health.host!r}", "name it in `hosts` too"
    if health and re.search(r"(?:^|[-,\s])[13-5]", health.status):
        yield "the proxy accepts only 2xx statuses", "leave `status` of `health` out"
    yield from _about_ports(proxy, run)
    if run.candidate == "never":
        yield f"{_BOTH}, so `candidate` cannot be `never`", _PLAIN
    if not run.candidate and (shared := [one for one in run.volumes if not _is_read_only(one)]):
        yield f"{_BOTH}, and both would write to {', '.join(shared)}", _SHARED
    for option in run.options:
        if re.fullmatch(_ADDRESSES, option):
            yield f"{option} is for one container only, but {_BOTH}", _PLAIN


def _about_ports(proxy: Proxy, run: Run) -> Iterator[tuple[str, str]]:
    hint = "write the port of the proxy and the port of the app, such as 80:8080"
    if len(run.ports) != 1:
        yield f"needs exactly one of `ports`, and there are {len(run.ports)}", hint
    elif run.ports[0].endswith("/udp"):
        yield "the proxy does not support UDP", hint
    elif proxy.tls and re.search(r"(?:^|:)0*443:[0-9]+(?:/tcp)?$", run.ports[0]):
        yield "the proxy uses 443 for HTTPS itself", hint


def _is_read_only(volume: str) -> bool:
    return "ro" in "".join(volume.split(":")[2:]).split(",")


def _is_one_of(site: str, names: tuple[str, ...]) -> bool:
    """Tell whether the proxy sends requests for a site to the service; without names, it does."""
    site = site.partition(":")[0].lower()
    wild = f"*.{site.partition('.')[2]}"
    return not names or any(name.lower() in (site, wild) for name in names)
