"""Real messages of ssh, and the errors that follow from them."""

from __future__ import annotations

import pytest

from ship.runner.errors import StepFailed, UserError
from ship.ssh import Target
from ship.ssh.refusal import is_transient, is_wrong_key, last_line, no_shell, refused

HOST = Target("h1", "deploy")
BEHIND = (
    "{}\nstdio forwarding failed\nkex_exchange_identification: Connection closed by remote host\n"
)
REFUSED = BEHIND.format("channel 0: open failed: connect failed: Connection refused")
PROHIBITED = BEHIND.format("channel 0: open failed: administratively prohibited: open failed")
NAMELESS = BEHIND.format("channel 0: open failed: connect failed: Name or service not known")
UNKNOWN = "ssh: Could not resolve hostname h1: Name or service not known"
BUSY = "ssh: Could not resolve hostname h1: Temporary failure in name resolution"
DENIED = "deploy@h1: Permission denied (publickey)."
SECOND_FACTOR = "deploy@h1: Permission denied (keyboard-interactive)."
NOLOGIN = "/etc/nologin exists: Maintenance until 5 pm"
NOLOGIN_OF_PAM = "Maintenance until 5 pm\n\nConnection closed by 10.0.0.1 port 22"
BOOTING = (
    "System is booting up. Unprivileged users are not permitted to log in yet. Please come back "
    "later. For technical details, see pam_nologin(8).\nConnection closed by 10.0.0.1 port 22"
)
FULL = (
    "kex_exchange_identification: Connection closed by remote host\n"
    "Connection closed by 10.0.0.1 port 22"
)
EXPIRED = "Your account has expired; please contact your system administrator."
OLD_PASSWORD = (
    "You are required to change your password immediately (password expired).\n"
    "WARNING: Your password has expired.\nPassword change required but no TTY available."
)
OLD = "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found."


@pytest.mark.parametrize(
    "said",
    [
        "ssh: connect to host h1 port 22: Connection refused",
        "ssh: connect to host h1 port 22: Connection timed out",
        "ssh: connect to host h1 port 22: No route to host",
        "kex_exchange_identification: Connection closed by remote host",
        "kex_exchange_identification: read: Connection reset by peer",
        "Connection timed out during banner exchange",
        "Not allowed at this time",
        BUSY,
        REFUSED,
        NOLOGIN,
        NOLOGIN_OF_PAM,
        BOOTING,
    ],
)
def test_a_network_that_fails_is_tried_again(said: str) -> None:
    assert is_transient(said, "")
    assert isinstance(refused(HOST, said), StepFailed)


@pytest.mark.parametrize(
    "said",
    [
        DENIED,
        SECOND_FACTOR,
        EXPIRED,
        UNKNOWN,
        PROHIBITED,
        NAMELESS,
        OLD,
        "Host key verification failed.",
    ],
)
def test_a_registry_that_refuses_is_not_asked_again(said: str) -> None:
    assert not is_transient(said, "")
    assert not is_transient(f"{said}\nConnection closed by UNKNOWN port 65535", "")


def test_a_missing_program_is_not_tried_again() -> None:
    said = "/bin/sh: 1: exec: nowhere: not found\nConnection closed by UNKNOWN port 65535"
    assert not is_transient(said, "nowhere %h")
    with pytest.raises(UserError, match="input `ssh-proxy-command`: the command cannot be run"):
        raise refused(HOST, said, proxy_command="nowhere %h")


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        (DENIED, "input `ssh-key`: deploy@h1 does not accept the key"),
        (UNKNOWN, "input `host`: there is no host called 'h1'"),
        (NAMELESS, "input `host`: the jump host knows no host called 'h1'"),
        (PROHIBITED, "input `jump`: the jump host does not forward to h1"),
        (REFUSED, "no connection to deploy@h1: the jump host says: Connection refused"),
        (OLD, "deploy@h1 and the runner have no algorithm in common"),
        (SECOND_FACTOR, "input `user`: deploy@h1 asks for more than the key (keyboard-"),
        (NOLOGIN, "deploy@h1 does not let the user log in at the moment (/etc/nologin exists: M"),
        (NOLOGIN_OF_PAM, "deploy@h1 does not let the user log in at the moment (Maintenance until"),
        (BOOTING, "deploy@h1 does not let the user log in at the moment (System is booting up."),
        (
            f"{EXPIRED}\nConnection closed by 10.0.0.1 port 22",
            f"input `user`: deploy@h1 does not let the user log in ({EXPIRED})",
        ),
        (FULL, "no connection to deploy@h1: Connection closed by 10.0.0.1 port 22"),
    ],
)
def test_the_cause_is_named(said: str, reported: str) -> None:
    assert str(refused(HOST, said)).startswith(reported)
    assert refused(HOST, said).problems[0].hint


def test_a_password_that_has_expired_is_no_missing_shell() -> None:
    assert "does not let the user log in (You are required to" in str(no_shell(HOST, OLD_PASSWORD))
    assert "did not run the script" in str(no_shell(HOST, "This account is not available."))


def test_an_unknown_jump_host_is_looked_for_in_its_own_input() -> None:
    assert "input `jump`: there is no host" in str(refused(HOST, UNKNOWN, jump=True))


def test_the_words_of_a_host_cannot_steer_a_terminal() -> None:
    assert last_line(f"\x1b[2Jno\x07 {'x' * 999}") == f"[2Jno {'x' * 294}"
    assert last_line("the reason\nConnection closed by UNKNOWN port 65535\n\n") == "the reason"
    assert last_line("") == "no answer"


def test_a_shell_that_cannot_run_our_scripts_is_named() -> None:
    error = no_shell(HOST, "Welcome\nship-unfit-shell /usr/bin/ksh93")
    assert str(error).startswith("input `host`: `sh` of deploy@h1 is /usr/bin/ksh93, which cannot")
    assert "dash, bash or busybox" in (error.problems[0].hint or "")
    # Where the host has no `readlink`.
    assert "is another shell, which cannot" in str(no_shell(HOST, "ship-unfit-shell \n"))


def test_a_host_that_we_refuse_is_distinguished_from_one_that_refuses_us() -> None:
    assert is_wrong_key(
        "No ED25519 host key is known for h1 and you have requested strict checking."
    )
    assert not is_wrong_key(DENIED)
