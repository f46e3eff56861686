"""The control plane of a cluster: etcd, API server, controller manager and scheduler."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from typing import TYPE_CHECKING

from bed import keys
from bed.engine import FEW_COLLECTIONS
from bed.errors import BedError
from bed.kube import api
from bed.waiting import HANG_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.kube.programs import Programs

ETCD = "etcd"
API = "kube-apiserver"
CONTROLLERS = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
SERVICES = "10.96.0.0/24"
# Nobody but the rights that a test gives them; `admin` may do everything.
USERS = ("deployer", "person", "robot")
ADMIN = "admin"
SERVER_NAME = "kubernetes.default.svc"


class ControlPlane:
    """The four programs, which listen at an address of their own, so at their usual ports.

    `more` has further options by the name of the program.
    """

    def __init__(
        self,
        folder: Path,
        ip: str,
        programs: Programs,
        nodes: list[str],
        more: dict[str, list[str]],
    ) -> None:
        self.folder = folder
        self.ip = ip
        self._programs = programs.kubernetes
        self._more = more
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir()
        keys.make_authority(folder)
        keys.make_server_certificate(folder, folder, SERVER_NAME, ip)
        keys.make_signing_key(folder / "accounts.key")
        self.tokens = {name: secrets.token_hex() for name in (ADMIN, *USERS, *nodes)}
        lines = [f"{self.tokens[ADMIN]},{ADMIN},{ADMIN},system:masters"]
        lines += [f"{self.tokens[each]},{each},{each}" for each in USERS]
        lines += [f"{self.tokens[each]},system:node:{each},{each},system:nodes" for each in nodes]
        (folder / "tokens.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
        (folder / "kubeconfig").write_text(self.kubeconfig(ADMIN), encoding="utf-8")
        (folder / "kubeconfig").chmod(0o600)
        self.admin = api.Api(ip, self.authority, self.tokens[ADMIN])

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    def kubeconfig(self, user: str) -> str:
        """Return the kubeconfig of an own user or a node."""
        return api.kubeconfig(f"https://{self.ip}:{api.PORT}", self.authority, self.tokens[user])

    def start(self) -> None:
        """Start all, and return when there can be pods in the first namespace."""
        self._launch(ETCD, *self._etcd())
        self.start_api()
        account = ("--kubeconfig", f"{self.folder}/kubeconfig", "--leader-elect=false")
        here = ("--bind-address", self.ip)
        self._launch(CONTROLLERS, *account, *here, *self._controllers())
        self._launch(SCHEDULER, *account, *here)

    def start_api(self) -> None:
        self._launch(API, *self._api())
        self._wait(API, lambda: self.admin("GET", "/readyz") == "ok")

    def stop_api(self) -> None:
        """Kill the API server. All its connections end, and later ones are refused."""
        process = self._running.pop(API)
        process.kill()
        process.wait()

    def freeze(self, name: str) -> None:
        """Stop a program for a while: it stays connected, and does and answers nothing."""
        self._running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGCONT)

    def reap(self) -> None:
        """Wait for the processes, after they were removed."""
        for process in self._running.values():
            process.wait()

    def _wait(self, name: str, look: Callable[[], bool]) -> None:
        def is_ready() -> bool:
            if self._running[name].poll() is not None:
                raise BedError(f"{name} did not start; its last lines:\n{self.log(name)}")
            with contextlib.suppress(OSError, BedError):
                return look()
            return False

        wait_until(is_ready, f"{name} is ready", seconds=HANG_SECONDS)

    def log(self, name: str) -> str:
        """Return the last lines of what a program said."""
        text = (self.folder / f"{name}.log").read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-15:])

    def _launch(self, name: str, *options: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                (str(self._programs / name), *options, *self._more.get(name, ())),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **FEW_COLLECTIONS}, start_new_session=True,
            )  # fmt: skip

    def _etcd(self) -> tuple[str, ...]:
        clients, peers = f"http://{self.ip}:2379", f"http://{self.ip}:2380"
        return (
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )

    def _api(self) -> tuple[str, ...]:
        return (
            f"--etcd-servers=http://{self.ip}:2379",
            f"--bind-address={self.ip}",
            f"--advertise-address={self.ip}",
            f"--secure-port={api.PORT}",
            f"--tls-cert-file={self.folder}/server.crt",
            f"--tls-private-key-file={self.folder}/server.key",
            f"--service-cluster-ip-range={SERVICES}",
            f"--service-account-issuer=https://{SERVER_NAME}",
            f"--service-account-key-file={self.folder}/accounts.key",
            f"--service-account-signing-key-file={self.folder}/accounts.key",
            f"--token-auth-file={self.folder}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            "--endpoint-reconciler-type=none",
            "--kubelet-preferred-address-types=InternalIP",
        )

    def _controllers(self) -> tuple[str, ...]:
        return (
            f"--service-account-private-key-file={self.folder}/accounts.key",
            f"--root-ca-file={self.authority}",
            "--use-service-account-credentials",
        )
