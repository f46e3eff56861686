"""One verified connection to a host, with OpenSSH's own client.

The key is in an agent and never on disk; the host key must be in the given known_hosts; scripts
travel over stdin; every file lives in a folder that is gone when the connection ends.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ship import cancel
from ship.command import Command, Secret
from ship.errors import ShipError, StepFailed, UserError
from ship.process import Companion, Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ship.process import ProcessRunner, Sink

HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
KEY_LIFETIME_SECONDS = 3600
CONNECT_SECONDS = 10
# The whole of a first contact: name look-up, connection, key exchange, login.
READY_SECONDS = 30
BACK_OFF_SECONDS = (2, 5)
AGENT_SECONDS = 5
# The exit code of ssh-add when it cannot reach an agent (ssh-add(1), EXIT STATUS).
NO_AGENT = 2
# The alias in our configuration: no text of the user's is ever an argument of ssh.
ALIAS = "target"
# A connection that fails like this may succeed a moment later; a refused key or login never does.
TRANSIENT = re.compile(
    r"Connection (refused|reset|timed out|closed)|Operation timed out|kex_exchange_identification"
    r"|No route to host|Network is unreachable|Temporary failure in name resolution|banner exchange"
)


class Target(NamedTuple):
    """Where to connect to, and whose key the other side must show."""

    host: str
    user: str
    port: int
    known_hosts: str

    @property
    def known_name(self) -> str:
        """The name under which known_hosts has the host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"  # noqa: PLR2004

    def __str__(self) -> str:
        return f"{self.user}@{self.known_name}"


def configuration(target: Target, folder: str) -> str:
    """Return the whole configuration of the client: nothing of the runner's own is read."""
    options = {
        "HostName": target.host,
        "User": target.user,
        "Port": target.port,
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f"{folder}/known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentityAgent": f"{folder}/agent",
        "IdentityFile": "none",
        "PreferredAuthentications": "publickey",
        "ConnectTimeout": CONNECT_SECONDS,
        "ServerAliveInterval": 15,
        "ServerAliveCountMax": 4,
        "ControlPath": f"{folder}/master",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "RequestTTY": "no",
        "EscapeChar": "none",
        "LogLevel": "INFO",
    }
    return f"Host {ALIAS}\n" + "".join(f"  {name} {value}\n" for name, value in options.items())


class Connection:
    """An open connection on which scripts are run."""

    def __init__(self, target: Target, config: str, runner: ProcessRunner) -> None:
        self._target = target
        self._config = config
        self._runner = runner

    def script(self, text: Secret, why: str, *, on_stdout: Sink, on_stderr: Sink) -> Finished:
        """Run a POSIX shell script on the host, fed over stdin.

        stdin stays open until the script ends: when we die the script reads the end of its input
        and can put things right.
        """
        argv = ("ssh", "-F", self._config, "-o", "ControlMaster=no", "-T", ALIAS, "exec sh -s")
        command = Command(argv, why, stdin=text, hold_stdin=True)
        return self._runner.run(command, on_stdout=on_stdout, on_stderr=on_stderr)


@contextmanager
def connect(
    target: Target, key: Secret, runner: ProcessRunner, tell: Callable[[str], None]
) -> Iterator[Connection]:
    """Open the connection; raises UserError or StepFailed with the cause when it cannot be.

    Setting up is tried again when the network failed, never when the host or the key was refused.
    """
    # Imported here: together 7 ms, which a wrong input and a dry run need not pay.
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    # The path of a socket is limited to about 90 characters, which RUNNER_TEMP alone may have.
    folder = tempfile.mkdtemp(prefix="ship-", dir="/tmp")
    config = os.path.join(folder, "config")
    children: list[Companion] = []
    try:
        _write(config, configuration(target, folder))
        _write(os.path.join(folder, "known_hosts"), target.known_hosts)
        _check_known(target, folder, runner)
        children.append(_agent(folder, key, runner))
        children.append(_master(target, folder, runner, tell))
        yield Connection(target, config, runner)
    finally:
        with cancel.held_off():
            for child in reversed(children):
                child.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def fingerprints(target: Target, folder: str, runner: ProcessRunner) -> tuple[str, ...]:
    """Return what known_hosts expects of the host, such as `ED25519 SHA256:…`, hashed or not.

    An authority and a revoked key are told as what they are: `CA ED25519 SHA256:…`.
    """
    argv = ("ssh-keygen", "-l", "-F", target.known_name, "-f", os.path.join(folder, "known_hosts"))
    listed = runner.run(Command(argv, why="read the expected host keys")).stdout
    found, marker = [], ""
    for line in listed.splitlines():
        head = re.fullmatch(r"# Host .* found: line [0-9]+ ?(CA|REVOKED|)\s*", line)
        key = re.search(r"\b(ED25519|RSA|ECDSA|ED25519-SK|ECDSA-SK) (SHA256:\S+)", line)
        if head:
            marker = f"{head[1]} " if head[1] else ""
        elif key:
            found.append(f"{marker}{key[1]} {key[2]}")
    return tuple(found)


def _check_known(target: Target, folder: str, runner: ProcessRunner) -> None:
    if fingerprints(target, folder, runner):
        return
    lines = [line for line in target.known_hosts.splitlines() if line and not line.startswith("#")]
    bare = next((line for line in lines if re.match(r"(ssh|ecdsa|sk)-\S+ AAAA", line)), "")
    if bare:
        what = "holds a public key without the name of its host"
        hint = f"put the name in front: {target.known_name} {bare[:40]}…"
    else:
        names = ", ".join(
            sorted({line.split()[0] for line in lines if not line.startswith("|")})[:5]
        )
        what = f"has no key for {target.known_name}" + (f", only for {names}" if names else "")
        hint = known_hosts_hint(target)
    raise UserError.of(what, where="input `known-hosts`", hint=hint)


def known_hosts_hint(target: Target) -> str:
    """Return how to get the right lines, in a way that a man in the middle cannot spoil."""
    port = "" if target.port == 22 else f"-p {target.port} "  # noqa: PLR2004
    return (
        f"run `ssh-keyscan {port}{target.host}` and compare its keys with those on the host "
        "(`for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done`, in the console of "
        "your provider), then save the lines in the variable that `known-hosts` reads"
    )


def _agent(folder: str, key: Secret, runner: ProcessRunner) -> Companion:
    socket = os.path.join(folder, "agent")
    agent = runner.start(Command(("ssh-agent", "-D", "-a", socket), why="hold the key in memory"))
    argv = ("ssh-add", "-q", "-t", str(KEY_LIFETIME_SECONDS), "-")
    # No prompt for a passphrase can ever be answered here: SSH_ASKPASS answers with nothing.
    env = {"SSH_AUTH_SOCK": socket, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force"}
    command = Command(argv, why="give the key to the agent", stdin=key, env=env)
    added = Finished(NO_AGENT)

    def is_done() -> bool:
        nonlocal added
        # The socket is there for a moment before the agent listens on it.
        if os.path.exists(socket):
            added = runner.run(command)
        return added.code != NO_AGENT or agent.ended

    try:
        _await(is_done, seconds=AGENT_SECONDS)
    except BaseException:
        agent.stop()
        raise
    if added.code:
        agent.stop()
        raise _key_refused(added)
    return agent


def _key_refused(added: Finished) -> ShipError:
    said = _last(added.stderr)
    if added.code == NO_AGENT:
        hint = "ssh-agent must be able to run on the runner, and to make a socket in /tmp"
        return StepFailed.of(f"the SSH agent did not start ({said})", hint=hint)
    return UserError.of(
        f"ssh does not take this private key ({said})",
        where="input `ssh-key`",
        hint="it may be cut or changed when it was pasted; "
        "check the file with `ssh-keygen -y -f FILE` and paste it again",
    )


def _await(done: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _master(
    target: Target, folder: str, runner: ProcessRunner, tell: Callable[[str], None]
) -> Companion:
    """Log in, and keep the connection open for the scripts."""
    for wait in (*BACK_OFF_SECONDS, None):
        master, said = _log_in(folder, runner)
        if master:
            return master
        if wait is None or not TRANSIENT.search(said) or "Permission denied" in said:
            break
        tell(f"no connection to {target} yet ({_last(said)}); trying again in {wait} s")
        time.sleep(wait)
    raise _refused(target, folder, said, runner)


def _log_in(folder: str, runner: ProcessRunner) -> tuple[Companion | None, str]:
    log = os.path.join(folder, "log")
    config, socket = os.path.join(folder, "config"), os.path.join(folder, "master")
    argv = ("ssh", "-F", config, "-o", "ControlMaster=yes", "-N", ALIAS)
    with open(log, "wb") as stderr:
        master = runner.start(Command(argv, why="log in"), stderr=stderr)
    try:
        _await(lambda: os.path.exists(socket) or master.ended, seconds=READY_SECONDS)
    except BaseException:
        master.stop()
        raise
    if os.path.exists(socket) and not master.ended:
        return master, ""
    master.stop()
    with open(log, encoding="utf-8", errors="replace") as file:
        return None, file.read()


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no answer"


def _refused(target: Target, folder: str, said: str, runner: ProcessRunner) -> ShipError:
    """Say why no connection came about."""
    if re.search(r"Host key verification failed|host key is known for", said):
        return _wrong_host_key(target, folder, runner)
    if "Permission denied" in said:
        return UserError.of(
            f"{target} does not accept the key ({_last(said)})",
            where="input `ssh-key`",
            hint=f"append the public half (`ssh-keygen -y -f FILE`) to ~/.ssh/authorized_keys of "
            f"{target.user} on the host; is {target.user!r} the right `user`?",
        )
    if "Could not resolve hostname" in said:
        return UserError.of(
            f"there is no host called {target.host!r}",
            where="input `host`",
            hint="check the variable it comes from; a private name needs a VPN step before",
        )
    return StepFailed.of(
        f"no connection to {target}: {_last(said)}",
        hint=f"is the host up, does sshd listen on port {target.port}, and does its firewall let "
        "GitHub's runners in?",
    )


def _wrong_host_key(target: Target, folder: str, runner: ProcessRunner) -> UserError:
    """Ask once more, to learn which key the host shows: that happens before any login."""
    argv = (
        "ssh",
        "-v",
        "-F",
        os.path.join(folder, "config"),
        "-o",
        "ControlPath=none",
        ALIAS,
        "exit",
    )
    shown = runner.run(Command(argv, why="see which key the host shows")).stderr
    seen = re.search(r"Server host key: \S+ (SHA256:\S+)", shown)
    expected = ", ".join(fingerprints(target, folder, runner))
    return UserError.of(
        f"the host shows another key than known-hosts has: seen {seen[1] if seen else 'none'}, "
        f"expected {expected}",
        where="input `known-hosts`",
        hint="if the host was set up anew, "
        + known_hosts_hint(target)
        + "; if not, somebody may be between the runner and your host",
    )
