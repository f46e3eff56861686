"""An sshd on this machine for a test: it starts fast, and has its own keys and its own log."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bed import keys
from bed.waiting import wait_until
from ship.ssh import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typing_extensions import Self

USER = getpass.getuser()
KINDS = ("ed25519", "ecdsa", "rsa")
# bash reads ~/.bashrc for who comes in over SSH, unless it is told to be inside of another shell.
# What the user of this machine has in there is no part of a test, and can take longer than one.
SETTINGS = """\
SetEnv SHLVL=1
ListenAddress 127.0.0.1
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
MaxStartups 100
Subsystem sftp internal-sftp
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback on which no program listens, reserved while the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


class Sshd:
    """An sshd on a port of loopback, in a `with` block. The user who runs the tests may log in.

    `folder` contains the host keys, as `bed.keys.make_host_keys` makes them. `user.pub` may log in.
    """

    def __init__(
        self,
        folder: Path,
        authorized: Path,
        *,
        kinds: tuple[str, ...] = KINDS,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._authorized = authorized
        self._kinds = kinds
        self._options = options or {}
        self._log = folder / f"log-{self.port}"

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", USER, self.port)

    @property
    def known_hosts(self) -> str:
        return keys.known_hosts(self.folder, self.target.known_name)

    @property
    def fingerprints(self) -> dict[str, str]:
        return keys.fingerprints(self.folder)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def logins(self) -> int:
        return self.log.count("Accepted publickey")

    def __enter__(self) -> Self:
        # The folder to which sshd, when it is root, confines itself before a login.
        if USER == "root":
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        options = {
            # What is offered first takes each side a tenth of a second of a processor.
            "KexAlgorithms": "curve25519-sha256",
            "Port": str(self.port),
            "AuthorizedKeysFile": str(self._authorized),
            **self._options,
        }
        lines = [f"{name} {value}" for name, value in options.items()]
        lines += [f"HostKey {self.folder}/ssh_host_{kind}_key" for kind in self._kinds]
        conf = self.folder / f"conf-{self.port}"
        # The first value of a setting counts.
        conf.write_text("\n".join(lines) + f"\n{SETTINGS}", encoding="utf-8")
        program = shutil.which("sshd", path="/usr/sbin:/usr/bin") or "sshd"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                (program, "-D", "-e", "-f", str(conf)), stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(
            lambda: "Server listening" in self.log or self._process.poll() is not None,
            "sshd listens",
            seen=lambda: self.log,
        )
        assert self._process.poll() is None, self.log
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


class Rude:
    """A port that drops its first connections without an answer, and then relays to another."""

    def __init__(self, port: int, drops: int) -> None:
        self._behind = port
        self._drops = drops
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.met = 0
        self._open = [self._server]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._open:
            each.close()

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.met += 1
                self._open.append(client)
                if self.met <= self._drops:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._behind))
                self._open.append(server)
                self._start(_carry, client, server)
                self._start(_carry, server, client)


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
