"""A real node: containerd, runc and kubelet in namespaces of their own on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bed.command import CommandFailed, run
from bed.engine import FEW_COLLECTIONS
from bed.errors import Unavailable
from bed.removal import CGROUPS
from bed.tools import Cannot
from bed.waiting import wait_until

if TYPE_CHECKING:
    from bed.kube.programs import Programs

SCRIPT = Path(__file__).with_name("node.sh")
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# Our registry has this name beside ghcr.io, which may be another registry.
OURS = "registry.bed.test"
SANDBOX = f"{OURS}/acme/pause:pause"
# What the kubelet wants: it would otherwise set it for the whole machine.
SYSCTLS = {"overcommit_memory": "1", "panic": "10", "panic_on_oops": "1"}
KUBELET_PORT = 10250


def need_privileges() -> None:
    """Raise Unavailable when this machine cannot run a node."""
    try:
        run(*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/run")
    except (CommandFailed, OSError) as error:
        raise Unavailable(f"{Cannot.NODE.reason}: {error}") from error


class Place(NamedTuple):
    """Where a node is: its folder, its control group, and its part of the cluster's network."""

    name: str
    folder: Path
    group: str
    bridge: str
    ip: str
    subnet: str
    # The first and the last address of its pods.
    pods: tuple[str, str]


class Images(NamedTuple):
    """Another registry that is ghcr.io for the nodes: its address, and who signed for it."""

    ip: str
    authority: Path


class Node:
    """A node of a cluster. It is used through the cluster."""

    def __init__(
        self,
        place: Place,
        programs: Programs,
        settings: dict[str, object],
        registry: str,
        images: Images | None,
    ) -> None:
        self.name = place.name
        self.place = place
        self._programs = programs
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        place.folder.mkdir(parents=True)
        try:
            _make_groups(place.group)
        except OSError as error:
            raise Unavailable(f"{Cannot.NODE.reason}: {error}") from error
        self._write_network()
        self._write_containerd(registry, images)
        self._write_kubelet()

    def start(self, kubeconfig: str) -> None:
        """Start the node. It is not ready yet. After a `stop` it has the images that it had."""
        folder = self.place.folder
        (folder / "kubeconfig").write_text(kubeconfig, encoding="utf-8")
        node = (str(folder), *map(str, self._programs), self.name, self.place.ip)
        with (folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                (*NAMESPACES, "sh", str(SCRIPT), *node),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **FEW_COLLECTIONS},
            )  # fmt: skip

    def stop(self) -> None:
        """End the node with all its containers, like pulling its plug."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose(self) -> None:
        """Freeze the kubelet: the node is no longer heard of, and its pods run on."""
        os.kill(self._kubelet(), signal.SIGSTOP)

    def regain(self) -> None:
        """Let the kubelet go on after `lose`."""
        os.kill(self._kubelet(), signal.SIGCONT)

    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Return the last lines of what its parts said."""
        said = ""
        for name in ("node", "containerd", "kubelet"):
            with contextlib.suppress(OSError):
                text = (self.place.folder / f"{name}.log").read_text("utf-8", "replace")
                said += "\n".join((f"{name}:", *text.splitlines()[-8:], ""))
        return said

    def _kubelet(self) -> int:
        wanted = f"--root-dir={self.place.folder}/kubelet".encode()

        def look() -> int:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    if wanted in path.read_bytes().split(b"\0"):
                        return int(path.parent.name)
            return 0

        return wait_until(look, f"the kubelet of {self.name} runs")

    def _write_network(self) -> None:
        folder, place = self.place.folder, self.place
        pods = {"subnet": place.subnet, "rangeStart": place.pods[0], "rangeEnd": place.pods[1]}
        addresses = {"type": "host-local", "ranges": [[pods]], "dataDir": str(folder / "addresses")}
        bridge = {"type": "bridge", "bridge": place.bridge, "ipam": addresses}
        network = {"cniVersion": "1.0.0", "name": "bed", "plugins": [bridge]}
        (folder / "network").mkdir()
        (folder / "network/bed.conflist").write_text(json.dumps(network), encoding="utf-8")
        (folder / "sysctl").mkdir()
        for name, value in SYSCTLS.items():
            (folder / "sysctl" / name).write_text(f"{value}\n", encoding="utf-8")

    def _write_containerd(self, registry: str, images: Images | None) -> None:
        folder = self.place.folder
        hosts = "127.0.0.1 localhost\n"
        mirrors = dict.fromkeys((OURS, "ghcr.io"), REGISTRY.format(url=registry))
        if images:
            hosts += f"{images.ip} ghcr.io\n"
            there = REGISTRY.format(url="https://ghcr.io")
            mirrors["ghcr.io"] = f'{there}ca = "{images.authority}"\n'
        (folder / "hosts").write_text(hosts, encoding="utf-8")
        (folder / "nsswitch.conf").write_text("hosts: files\n", encoding="utf-8")
        for name, text in mirrors.items():
            (folder / "registries" / name).mkdir(parents=True)
            (folder / "registries" / name / "hosts.toml").write_text(text, encoding="utf-8")
        (folder / "containerd.toml").write_text(CONTAINERD.format(folder=folder), encoding="utf-8")

    def _write_kubelet(self) -> None:
        own = {
            "cgroupRoot": self.place.group,
            "address": self.place.ip,
            "containerRuntimeEndpoint": f"unix://{self.place.folder}/containerd.sock",
            "podLogsDir": f"{self.place.folder}/logs",
        }
        text = json.dumps({**KUBELET, **own, **self._settings}, indent=1)
        (self.place.folder / "kubelet.yaml").write_text(text, encoding="utf-8")


REGISTRY = """\
server = "{url}"
[host."{url}"]
capabilities = ["pull", "resolve"]
"""
CONTAINERD = f"""\
version = 3
root = "{{folder}}/containerd"
state = "{{folder}}/state"
[grpc]
address = "{{folder}}/containerd.sock"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true # a machine may lack CAP_SYS_RESOURCE
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "{{folder}}/network"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{SANDBOX}"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "{{folder}}/registries"
"""
KUBELET: dict[str, object] = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    # Current kubelets refuse version 1 of control groups unless this is said.
    "failCgroupV1": False,
    "cgroupDriver": "cgroupfs",
    "enforceNodeAllocatable": [],
    "port": KUBELET_PORT,
    "healthzPort": 0,
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    # It would add chains to the firewall of the machine.
    "makeIPTablesUtilChains": False,
    "failSwapOn": False,
    "serializeImagePulls": False,
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%",
                     "imagefs.available": "1%"},
    "imageGCHighThresholdPercent": 100,
    "nodeStatusUpdateFrequency": "2s",
}  # fmt: skip


def _make_groups(group: str) -> None:
    """Make a control group in every hierarchy of this machine."""
    one = (CGROUPS / "cgroup.controllers").exists()  # version 2 has only one hierarchy
    for root in [CGROUPS] if one else [path.parent for path in CGROUPS.glob("*/tasks")]:
        folder = root
        for part in group.strip("/").split("/"):
            if one:
                _lend(folder)
            folder /= part
            folder.mkdir(exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems"):
                # In version 1 a group without them takes no process.
                if not one and (folder / file).exists():
                    (folder / file).write_text((folder.parent / file).read_text("ascii"), "ascii")


def _lend(folder: Path) -> None:
    """Let the groups in a group use its controllers."""
    names = (folder / "cgroup.controllers").read_text("ascii").split()
    (folder / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in names), "ascii")
