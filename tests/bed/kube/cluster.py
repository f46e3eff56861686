"""A Kubernetes of its own on this machine: a control plane, real nodes, and their ghcr.io."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Any

from bed import debian, lease, removal
from bed.command import run
from bed.errors import BedError, Unavailable
from bed.kube import api, network, programs
from bed.kube.control_plane import API, CONTROLLERS, SCHEDULER, ControlPlane
from bed.kube.faults import PORT as FAULTS_PORT
from bed.kube.faults import Faults
from bed.kube.node import Node, Place, need_privileges
from bed.kube.registry import Registry
from bed.tools import Cannot
from bed.waiting import HANG_SECONDS, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

    from bed.kube.node import Images

# Short names of the parts that can be frozen.
PARTS = {"controller-manager": CONTROLLERS, "scheduler": SCHEDULER, "api": API}


class Cluster:
    """A Kubernetes with real nodes. A context manager; entering it takes seconds.

    Without options it behaves as every cluster does.

    - `quick_restarts`: a container that ends starts again after 1 second, and not after 10 and
      more. Kubernetes 1.33 refuses it.
    - `quick_loss`: a node that is not heard of is lost after 6 seconds, and its pods are replaced 5
      seconds later. Usual are 50 and 300.
    - `images`: another registry is ghcr.io for the nodes, and `registry` has only its second name,
      `registry.bed.test`.
    - `version`: `kubebed` or `kubebed-1.33`.

    Raises Unavailable, with what a person can do, when this machine cannot run it.
    """

    registry: Registry
    faults: Faults
    # The network of control plane, nodes and pods, which this machine reaches; see `Runner.reach`.
    subnet: str

    def __init__(
        self,
        nodes: int = 1,
        *,
        quick_restarts: bool = False,
        quick_loss: bool = False,
        images: Images | None = None,
        version: str = programs.CURRENT,
    ) -> None:
        self._names = [f"n{number}" for number in range(1, nodes + 1)]
        self._quick_restarts = quick_restarts
        self._quick_loss = quick_loss
        self._images = images
        self._version = version
        self._lease: lease.Lease | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._plane: ControlPlane | None = None
        self._servers: list[Registry | Faults] = []
        self._nodes: dict[str, Node] = {}

    def open(self) -> Self:
        """Start everything. After a failure, everything that was started is removed."""
        if os.geteuid():
            raise Unavailable(f"{Cannot.NODE.reason}: run the tests as root")
        self.programs = programs.find(self._version)
        need_privileges()
        removal.remove_stale(debian.unpack_engine())
        self._lease = lease.new(own_engine=False, owner=os.getpid(), cluster=True)
        try:
            self._keeper = removal.keep(self._lease)
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __enter__(self) -> Self:
        return self.open() if self._lease is None else self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop and remove everything. A second call does nothing."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        removal.remove(self.lease, debian.unpack_engine())
        if self._plane:
            self._plane.reap()
        for node in self._nodes.values():
            node.stop()
        if self._keeper:
            self._keeper.communicate()

    @property
    def lease(self) -> lease.Lease:
        if self._lease is None:
            raise BedError("the cluster is not up: use it in a `with` block")
        return self._lease

    @property
    def ip(self) -> str:
        """The address of the API server, of the registry and of the proxy with faults."""
        return self.plane.ip

    @property
    def plane(self) -> ControlPlane:
        if self._plane is None:
            raise BedError("the cluster is not up: use it in a `with` block")
        return self._plane

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return f"https://{self.ip}:{api.PORT}"

    @property
    def authority(self) -> Path:
        """The certificate that signed that of the API server."""
        return self.plane.authority

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig of a user who may do everything."""
        return self.plane.kubeconfig("admin")

    @property
    def kubeconfig_through_faults(self) -> str:
        """The same, through the proxy `faults`."""
        return self.kubeconfig_for("admin", through_faults=True)

    def kubeconfig_for(
        self, user: str, namespace: str = "default", *, through_faults: bool = False
    ) -> str:
        """Return the kubeconfig of a user, or of who has this token.

        The users `deployer`, `person` and `robot` may do only what a test allows them.
        """
        server = f"https://{self.ip}:{FAULTS_PORT}" if through_faults else self.server
        token = self.plane.tokens.get(user, user)
        return api.kubeconfig(server, self.authority, token, namespace)

    def account_token(self, namespace: str, name: str) -> str:
        """Make a service account when it is missing, and return a token of it."""
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        with contextlib.suppress(api.Refused):
            self.api("POST", accounts, {"metadata": {"name": name}})
        made = self.api("POST", f"{accounts}/{name}/token", {})
        return str(made["status"]["token"])

    @property
    def api(self) -> api.Api:
        """Requests to the API server as an admin: `cluster.api("GET", "/api/v1/nodes")`."""
        return self.plane.admin

    def kubectl(self, *argv: str, stdin: str = "", kubeconfig: str = "") -> str:
        """Run kubectl as an admin, or with another kubeconfig. Raises CommandFailed.

        Returns what it prints.
        """
        config = self.plane.folder / "kubeconfig"
        with contextlib.ExitStack() as stack:
            if kubeconfig:
                config = self.lease.root / f"kubeconfig-{secrets.token_hex(4)}"
                stack.callback(config.unlink)
                config.touch(0o600)
                config.write_text(kubeconfig, encoding="utf-8")
            env = {"KUBECONFIG": str(config), "KUBERC": "off", "HOME": str(self.lease.root)}
            return run(str(self.programs.kubectl), *argv, input=stdin, env=env).stdout

    @contextlib.contextmanager
    def namespace(self) -> Iterator[str]:
        """A new namespace. Its content is deleted afterwards, without waiting for that."""
        name = f"test-{secrets.token_hex(4)}"
        self.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self._wait_for_account(name)
        try:
            yield name
        finally:
            self.api("DELETE", f"/api/v1/namespaces/{name}")

    def start_node(self, name: str) -> None:
        """Start a node again after `stop_node`, and wait until it is ready."""
        self._nodes[name].start(self.plane.kubeconfig(name))
        self._wait_for(self._nodes[name])

    def stop_node(self, name: str) -> None:
        """End a node with all its containers, like pulling its plug."""
        self._nodes[name].stop()

    def lose_node(self, name: str) -> None:
        """Let a node no longer be heard of, while its containers run on."""
        self._nodes[name].lose()

    def regain_node(self, name: str) -> None:
        """Let a lost node be heard of again."""
        self._nodes[name].regain()

    def stop_api(self) -> None:
        """Kill the API server. Connections are refused until `start_api`."""
        self.plane.stop_api()

    def start_api(self) -> None:
        """Start the API server again, and wait until it is ready."""
        self.plane.start_api()

    def restart_api(self) -> None:
        """Kill the API server and start it again at the same address, with all that it knew."""
        self.stop_api()
        self.start_api()

    def freeze(self, part: str) -> None:
        """Stop `controller-manager`, `scheduler` or `api` for a while, until `thaw`."""
        self.plane.freeze(PARTS[part])

    def thaw(self, part: str) -> None:
        self.plane.thaw(PARTS[part])

    def _start(self) -> None:
        here, root = self.lease, self.lease.run_folder
        root.mkdir()
        net = network.make(here.bridge, self._names)
        self.subnet = net.subnet
        self._plane = ControlPlane(
            root / "plane", net.ip, self.programs, self._names, self._plane_options()
        )
        self.registry = Registry(net.ip)
        self._servers.append(self.registry)
        self.faults = Faults(net.ip, self._plane.folder)
        self._servers.append(self.faults)
        for name, (ip, pods) in net.nodes.items():
            group = f"/{here.prefix}/{name}"
            place = Place(name, root / name, group, here.bridge, ip, net.subnet, pods)
            self._nodes[name] = Node(
                place, self.programs, self._kubelet_options(), self.registry.url, self._images
            )
        self._plane.start()
        for name, node in self._nodes.items():
            node.start(self._plane.kubeconfig(name))
        self._wait_for_account("default")
        for node in self._nodes.values():
            self._wait_for(node)

    def _plane_options(self) -> dict[str, list[str]]:
        if not self._quick_loss:
            return {}
        periods = ["--node-monitor-grace-period=6s", "--node-monitor-period=1s"]
        tolerate = ("not-ready", "unreachable")
        replaced = [f"--default-{each}-toleration-seconds=5" for each in tolerate]
        return {CONTROLLERS: periods, API: replaced}

    def _kubelet_options(self) -> dict[str, object]:
        options: dict[str, object] = {}
        if self._quick_loss:
            options["nodeLeaseDurationSeconds"] = 4
        if self._quick_restarts:
            options["crashLoopBackOff"] = {"maxContainerRestartPeriod": "1s"}
        return options

    def _wait_for(self, node: Node) -> None:
        def is_ready() -> bool:
            if not node.is_up():
                raise BedError(f"{node.name} did not start:\n{node.log()}")
            return _condition(self._ask(f"/api/v1/nodes/{node.name}"), "Ready") == "True"

        wait_until(is_ready, f"{node.name} is ready", seen=node.log, seconds=HANG_SECONDS)

    def _wait_for_account(self, namespace: str) -> None:
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        wait_until(
            lambda: self._ask(account),
            f"there can be pods in {namespace}",
            seen=lambda: self.plane.log(CONTROLLERS),
            seconds=HANG_SECONDS,
        )

    def _ask(self, path: str) -> dict[str, Any]:
        with contextlib.suppress(api.Refused):
            found: dict[str, Any] = self.api("GET", path)
            return found
        return {}


def _condition(found: dict[str, Any], name: str) -> str:
    conditions = found.get("status", {}).get("conditions", ())
    return next((each["status"] for each in conditions if each["type"] == name), "")
