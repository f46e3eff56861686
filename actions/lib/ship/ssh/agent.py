"""The agent that holds the key: it is never on disk, and gone when the connection ends."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ship.runner.command import Command, Secret
from ship.runner.errors import StepFailed, UserError
from ship.runner.process import Finished
from ship.ssh.refusal import last_line

if TYPE_CHECKING:
    from ship.runner.errors import ShipError
    from ship.runner.process import BackgroundProcess, Runner
    from ship.ssh.access import Access
    from ship.ssh.config import Folder

# A job of GitHub lasts six hours at most. The agent is stopped long before; this is for the case
# that stopping it fails.
KEY_LIFETIME_SECONDS = 6 * 3600
AGENT_SECONDS = 5
# The exit code of ssh-add when it cannot reach an agent (ssh-add(1), EXIT STATUS).
NO_AGENT = 2


def start_agent(folder: Folder, runner: Runner) -> BackgroundProcess:
    """Start an agent without a key, which never outlives us."""
    argv = ("ssh-agent", "-D", "-a", folder.agent)
    return runner.start(Command(argv, why="hold the key in memory"))


def add_key(agent: BackgroundProcess, access: Access, folder: Folder, runner: Runner) -> None:
    """Give the key to the agent. Raises UserError when ssh does not accept it."""
    command = _add(access, folder)
    added = Finished(NO_AGENT)
    deadline = time.monotonic() + AGENT_SECONDS
    while added.code == NO_AGENT and not agent.ended and time.monotonic() < deadline:
        # The socket exists for a moment before the agent listens on it.
        if os.path.exists(folder.agent):
            added = runner.run(command)
        time.sleep(0.01)
    if added.code:
        raise _refused(added, access, asked=os.path.isdir(os.path.join(folder.path, "asked")))


def _add(access: Access, folder: Folder) -> Command:
    argv = ("ssh-add", "-q", "-t", str(KEY_LIFETIME_SECONDS), "-")
    env: dict[str, str | Secret] = {
        "SSH_AUTH_SOCK": folder.agent,
        "SSH_ASKPASS": folder.askpass,
        "SSH_ASKPASS_REQUIRE": "force",
        # Before OpenSSH 8.4 a display was what made ssh-add ask a program.
        "DISPLAY": "none",
        "SHIP_PASSPHRASE": access.passphrase,
    }
    return Command(argv, why="give the key to the agent", stdin=access.key, env=env)


def _refused(added: Finished, access: Access, *, asked: bool) -> ShipError:
    said = last_line(added.stderr)
    if added.code == NO_AGENT:
        hint = "ssh-agent must be able to run on the runner, and to create a socket in /tmp"
        return StepFailed.of(f"the SSH agent did not start ({said})", hint=hint, anchor="ssh-agent")
    if "ssh_askpass" in added.stderr:
        hint = "mount /tmp on the runner without `noexec`, or use a key without a passphrase"
        what = f"the passphrase could not be given to ssh-add ({said})"
        return StepFailed.of(what, hint=hint, anchor="passphrase")
    if asked and access.passphrase:
        return UserError.of(
            "is not the passphrase of the key in `ssh-key`",
            where="input `ssh-key-passphrase`",
            hint="try it on your machine: ssh-keygen -y -f FILE",
            anchor="passphrase",
        )
    return UserError.of(
        f"ssh does not accept this private key ({said})",
        where="input `ssh-key`",
        hint="it may have been cut off or changed when it was pasted; "
        "check the file with `ssh-keygen -y -f FILE` and paste it again",
        anchor="key-unreadable",
    )
