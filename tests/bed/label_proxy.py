"""A neighbour on a host: a proxy that reads the labels and the environment of containers."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bed.shop import PORT
from bed.waiting import PATIENCE_SECONDS, wait_until

if TYPE_CHECKING:
    from typing_extensions import Self

    from bed.hosts import Host

LISTEN = 18090
PROGRAM = Path(__file__).with_name("label_proxy_program.py")
# What a container carries so that the proxy sends it the requests for a host.
TRAEFIK, CADDY, NGINX = "traefik.test", "caddy.test", "nginx.test"
LABELS = f"traefik.http.routers.shop.rule=Host(`{TRAEFIK}`)\ncaddy={CADDY}"
VARIABLE = f"VIRTUAL_HOST={NGINX}"


class LabelProxy:
    """The proxy, in a `with` block. It does what Traefik, Caddy and nginx-proxy do on a host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def __enter__(self) -> Self:
        place = f"/run/{PROGRAM.name}"
        self._host.write(place, PROGRAM.read_text())
        words = ("python3", place, str(LISTEN), str(PORT))
        self._process = self._host.popen(*words, stdin=subprocess.PIPE)
        wait_until(lambda: self.ask("nobody.test").startswith("404"), "the proxy answers")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def ask(self, host: str) -> str:
        """Return status and body of the answer to a request for a host."""
        connection = http.client.HTTPConnection(self._host.ip, LISTEN, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            return f"{answer.status} {answer.read().decode(errors='replace').strip()}"
        except (OSError, http.client.HTTPException) as error:
            return f"000 {error}"
        finally:
            connection.close()

    def ask_often(self, *hosts: str, times: int = 6) -> set[str]:
        """Return the answers to several requests for each host, enough for each container."""
        return {f"{host}: {self.ask(host)}" for host in hosts for _ in range(times)}
