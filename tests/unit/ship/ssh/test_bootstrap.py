"""The command that runs on a host, under the shells that are there, without any SSH."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS, wait_until
from ship.runner.command import Secret
from ship.ssh import bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator

# Like our scripts: it reports that it is ready, and undoes its work when a signal ends it.
PREAMBLE = """
undo() { trap '' HUP INT TERM PIPE; echo undone >>"$OUT"; exit 7; }
trap undo HUP INT TERM PIPE
echo ship-ready
"""
SHELLS = {"dash": ("dash",), "bash": ("bash",), "busybox": ("busybox", "sh")}
HERE = {name: argv for name, argv in SHELLS.items() if shutil.which(argv[0])}


class Far:
    """The remote end of a connection: a login shell that runs our command."""

    def __init__(
        self, shell: str, login: str, folder: Path, *, leads: bool, other: str = ""
    ) -> None:
        """Log in; a login script starts the shell `other`, which does not know our command."""
        self.mark = os.urandom(8).hex()
        programs = folder / "bin"
        programs.mkdir()
        (programs / "sh").symlink_to(shutil.which(HERE[shell][0]) or "")
        self.out = folder / "out"
        self.out.touch()
        env = {"PATH": f"{programs}:/usr/bin:/bin", "OUT": str(self.out)}
        command = f"exec {other}" if other else bootstrap.command(self.mark)
        argv = (*HERE.get(login, (login,)), "-c", command)
        self.process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=leads,
        )
        self.say(bootstrap.first(Secret(PREAMBLE), self.mark).reveal())
        assert self.line() == "ship-ready"

    def send(self, text: str) -> None:
        self.say(bootstrap.whole(Secret(text)).reveal())

    def say(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().decode().rstrip("\n")

    def end_input(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def await_pid(self) -> int:
        """Return the pid that the script writes as its first word."""
        wait_until(lambda: self.out.read_text().endswith("\n"), "the script has written its pid")
        return int(self.out.read_text())

    def await_taken(self) -> None:
        """Wait until nothing of what was said is left in the pipe."""
        assert self.process.stdin
        pipe = self.process.stdin.fileno()
        size = struct.calcsize("i")
        wait_until(
            lambda: fcntl.ioctl(pipe, termios.FIONREAD, bytes(size)) == bytes(size),
            "the shell has read what was said",
        )

    def processes(self) -> list[str]:
        """Return what is left of the script and of what is around it."""
        lines = subprocess.run(
            ("ps", "-eww", "-o", "pid=,stat=,args="), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return [each for each in lines if self.mark in each and " Z" not in each]

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()


def is_alive(pid: int) -> bool:
    """Whether it runs: who is dead may still wait to be buried by whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_death(pid: int) -> None:
    wait_until(lambda: not is_alive(pid), f"process {pid} has ended")


# A shell that reads what to do, the login shell, and whether the server makes a process group.
ROUNDS = [
    *((shell, shell, leads) for shell in HERE for leads in (True, False)),
    *((shell, "bash", True) for shell in HERE if "bash" in HERE and shell != "bash"),
]


@pytest.fixture(params=ROUNDS, ids=str)
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    shell, login, leads = request.param
    made = Far(shell, login, tmp_path, leads=leads)
    yield made
    made.close()


def test_a_script_that_ends_tells_its_exit_code_and_leaves_nothing(far: Far) -> None:
    far.send("sh -c 'echo $$ >\"$OUT\"; exec sleep 60' &")
    left = far.await_pid()
    far.send("exit 3")
    assert far.line() == f"ship-gone {far.mark} 3"
    far.end_input()
    assert far.process.wait(PATIENCE_SECONDS) == 0
    assert far.processes() == []
    await_death(left)


def test_commands_run_as_they_come(far: Far) -> None:
    for word in ("one", "two"):
        far.send(f"echo {word}")
        assert far.line() == word


def test_the_end_of_input_ends_a_command_and_the_script_puts_things_right(far: Far) -> None:
    far.send('sh -c \'echo $$ >"$OUT"; exec sleep 60\'; echo too far >>"$OUT"')
    pid = far.await_pid()
    far.end_input()
    assert far.line() == f"ship-gone {far.mark} 7"
    assert far.process.wait(PATIENCE_SECONDS) == 0
    assert far.out.read_text() == f"{pid}\nundone\n"
    await_death(pid)


def test_the_end_of_input_reaches_a_script_that_waits_for_the_next_command(far: Far) -> None:
    far.end_input()
    assert far.line() == f"ship-gone {far.mark} 7"
    assert far.out.read_text() == "undone\n"


@pytest.mark.parametrize(
    "half", ["echo bad >>$OUT; ca", "cat >>$OUT <<END\nbad\n", "echo bad >>$OUT\n"]
)
def test_an_incomplete_text_is_never_run(far: Far, half: str) -> None:
    far.say("{\n" + half)
    far.await_taken()
    far.end_input()
    assert far.line() == f"ship-gone {far.mark} 7"
    assert far.out.read_text() == "undone\n"


def test_a_script_that_is_killed_is_distinguished_from_a_lost_connection(far: Far) -> None:
    far.send("kill -9 $$")
    assert far.line() == f"ship-gone {far.mark} 137"


def installed(*shells: str) -> list[str]:
    """Return those that the machine has; it has one at least."""
    return [name for name in shells if shutil.which(name)]


@pytest.mark.parametrize("other", installed("bash", "zsh", "ksh93", "mksh", "yash"))
@pytest.mark.parametrize("shell", HERE)
def test_a_login_script_that_starts_another_shell_changes_nothing(
    shell: str, other: str, tmp_path: Path
) -> None:
    far = Far(shell, "bash", tmp_path, leads=True, other=other)
    far.send("""words='a b'; for each in $words; do printf '%s.' "$each"; done; echo""")
    assert far.line() == "a.b."
    far.end_input()
    assert far.line() == f"ship-gone {far.mark} 7"
    assert far.out.read_text() == "undone\n"
    far.close()


@pytest.mark.parametrize("login", installed("bash", "zsh", "fish", "tcsh", "ksh93", "mksh", "yash"))
def test_any_shell_may_be_the_login_shell(login: str, tmp_path: Path) -> None:
    far = Far("dash", login, tmp_path, leads=True)
    far.send("echo one")
    assert far.line() == "one"
    far.end_input()
    assert far.line() == f"ship-gone {far.mark} 7"
    far.close()


@pytest.mark.parametrize("unfit", installed("zsh", "ksh93"))
def test_a_shell_that_cannot_run_our_scripts_is_named_before_they_begin(
    unfit: str, tmp_path: Path
) -> None:
    # Under its own name, because zsh does what POSIX says when it is called `sh`.
    begins = bootstrap.first(Secret(PREAMBLE), "word").reveal().split("\n", 2)[2]
    done = subprocess.run(
        (unfit,), input=begins, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == ""
    assert done.stderr.startswith(
        f"{bootstrap.UNFIT} {os.path.realpath(shutil.which(unfit) or '')}"
    )


@pytest.mark.parametrize("shell", HERE)
def test_a_signal_to_all_of_the_session_lets_the_script_put_things_right(
    shell: str, tmp_path: Path
) -> None:
    far = Far(shell, shell, tmp_path, leads=True)
    far.send("sh -c 'echo $$ >\"$OUT\"; exec sleep 60'")
    pid = far.await_pid()
    os.killpg(far.process.pid, 15)
    assert far.line() == f"ship-gone {far.mark} 7"
    assert far.out.read_text() == f"{pid}\nundone\n"
    far.close()


def test_no_login_shell_finds_anything_to_expand_in_the_command() -> None:
    command = bootstrap.command("0123abcd")
    for special in ("!", "\\", "\n", "`"):
        assert special not in command
    outside = command.split("'")[::2]
    assert not set('$"*?~;&|<>(){}[]#') & set("".join(outside))
