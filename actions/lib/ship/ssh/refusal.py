"""The errors of ssh when it cannot connect, and what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.errors import StepFailed, UserError
from ship.ssh.bootstrap import UNFIT

if TYPE_CHECKING:
    from ship.runner.errors import ShipError
    from ship.ssh.target import Target

# A connection that fails like this may succeed a moment later.
TRANSIENT = re.compile(
    r"Connection (refused|reset|timed out|closed)|Operation timed out|kex_exchange_identification"
    r"|No route to host|Network is unreachable|Temporary failure in name resolution|banner exchange"
    r"|Broken pipe|not responding|Not allowed at this time|stdio forwarding failed"
    r"|open failed: connect failed|no answer within|/etc/nologin exists",
    re.IGNORECASE,
)
# One that fails like this never succeeds, whatever else the message says.
FINAL = re.compile(
    r"Permission denied|Too many authentication failures|Host key verification failed"
    r"|administratively prohibited|Name or service not known|No address associated"
    r"|nodename nor servname|no matching .* found|(?:password|account) has expired",
    re.IGNORECASE,
)
NO_NAME = re.compile(r"Could not resolve hostname (?!.*Temporary)|Name or service not known")
# Errors of the shell that runs a ProxyCommand.
NO_PROGRAM = re.compile(r"not found|No such file|Permission denied$", re.MULTILINE)
WRONG_KEY = re.compile(r"Host key verification failed|host key is known for")
NOT_OFFERED = "no matching host key"
BEHIND = re.compile(r"^channel [0-9]+: open failed: (?:connect failed: )?(.*?)\s*$", re.MULTILINE)
# What a host says when it lets no user log in for now: sshd itself, and PAM, whose text is that of
# systemd or of whoever made the file.
NOT_NOW = re.compile(r"/etc/nologin exists|pam_nologin|not permitted to log in yet")
EXPIRED = re.compile(r"(?:password|account) has expired|password expired", re.IGNORECASE)
METHODS = re.compile(r"Permission denied \(([^)]*)\)")
CLOSED = re.compile(r"^Connection closed by (?!UNKNOWN).*", re.MULTILINE)
# Lines of ssh itself, and not of the host, before it says that the connection was closed.
OF_SSH = re.compile(r"(?:kex_exchange_|ssh_dispatch_|ssh: |client_loop: |banner |channel )")
LONGEST = 300
# What ssh prints besides the reason.
NOISE = re.compile(r"Warning: Permanently added|Connection closed by UNKNOWN|^\s*$|^@+|^debug")


def last_line(text: str) -> str:
    """Return the last line with content, or what a jump host reports about the target.

    The host may have written it: it holds no control characters, and its length is limited.
    """
    behind = BEHIND.search(text)
    if behind:
        return f"the jump host says: {_clean(behind[1])}"
    lines = [line for line in text.splitlines() if not NOISE.search(line)]
    return _clean(lines[-1] if lines else next(iter(text.strip().splitlines()), "no answer"))


def _clean(line: str) -> str:
    return "".join(each for each in line if each.isprintable()).strip()[:LONGEST]


def is_transient(said: str, proxy_command: str) -> bool:
    """Say whether a retry makes sense: the network failed, and the host did not refuse."""
    if proxy_command and NO_PROGRAM.search(said):
        return False
    return bool(TRANSIENT.search(said)) and not FINAL.search(said)


def is_wrong_key(said: str) -> bool:
    """Say whether we refused the host because of its key, which is before any login."""
    return bool(WRONG_KEY.search(said))


def lacks_key(said: str) -> bool:
    """Say whether the host has no key of the kind that we asked for."""
    return NOT_OFFERED in said


def refused(target: Target, said: str, *, proxy_command: str = "", jump: bool = False) -> ShipError:
    """Return the error that says why there is no connection; `jump` for a jump host."""
    login = _refused_login(target, said)
    if login:
        return login
    if proxy_command and NO_PROGRAM.search(said):
        return UserError.of(
            f"the command cannot be run ({last_line(said)})",
            where="input `ssh-proxy-command`",
            hint="install its program in a step before this one",
            anchor="proxy-command",
        )
    if "administratively prohibited" in said:
        return UserError.of(
            f"the jump host does not forward to {target.known_name} ({last_line(said)})",
            where="input `jump`",
            hint="its sshd needs AllowTcpForwarding, and PermitOpen for the host if that is set",
            anchor="jump-forbidden",
        )
    if NO_NAME.search(said):
        return _unknown_name(target, said, "jump" if jump else "host")
    if "no matching" in said:
        return StepFailed.of(
            f"{target} and the runner have no algorithm in common ({last_line(said)})",
            hint="update OpenSSH on the host",
            anchor="no-algorithm",
        )
    return StepFailed.of(
        f"no connection to {target}: {last_line(said)}",
        hint=f"check that the host is up, that sshd listens on port {target.port}, and that its "
        "firewall lets GitHub's runners in",
        anchor="no-connection",
    )


def _refused_login(target: Target, said: str) -> ShipError | None:
    """Return the error of a host that was reached and does not let the user log in."""
    methods = METHODS.search(said)
    if methods and "publickey" not in methods[1].split(","):
        return _wants_more(target, methods[1])
    if methods or "Too many authentication failures" in said:
        return _refused_key(target, said)
    if EXPIRED.search(said):
        return _expired(target, said)
    if NOT_NOW.search(said) or (CLOSED.search(said) and _before_closing(said)):
        return _not_now(target, said)
    return None


def _before_closing(said: str) -> str:
    """Return what a host said before it closed the connection, on one line."""
    lines = [line for line in CLOSED.sub("", said).splitlines() if not NOISE.search(line)]
    return _clean(" ".join(line.strip() for line in lines if not OF_SSH.match(line)))


def _not_now(target: Target, said: str) -> StepFailed:
    return StepFailed.of(
        f"{target} does not let the user log in at the moment ({_before_closing(said)})",
        hint="run the job again in a few minutes: a host that starts, stops or is being maintained "
        "does this; if it stays, look for /etc/nologin on the host, and at the log of sshd",
        anchor="not-now",
    )


def _wants_more(target: Target, methods: str) -> UserError:
    return UserError.of(
        f"{target} asks for more than the key ({_clean(methods)}): a second factor or a password, "
        "which no job can give",
        where="input `user`",
        hint="use a user for deploys who logs in with the key alone: in sshd_config on the host, "
        f"below `Match User {target.user}`, write `AuthenticationMethods publickey` and "
        "`PubkeyAuthentication yes`",
        anchor="second-factor",
    )


def _expired(target: Target, said: str) -> UserError:
    return UserError.of(
        f"{target} does not let the user log in ({_clean(said.strip().splitlines()[0])})",
        where="input `user`",
        hint=f"on the host run: sudo chage -l {target.user}; then set a new password, or let it "
        f"never expire: sudo chage -M -1 -E -1 {target.user}",
        anchor="expired",
    )


def _refused_key(target: Target, said: str) -> UserError:
    return UserError.of(
        f"{target} does not accept the key ({last_line(said)})",
        where="input `ssh-key`",
        hint=f"append the public half (`ssh-keygen -y -f FILE`) to ~/.ssh/authorized_keys of "
        f"{target.user} on the host, and check that {target.user!r} is the right user",
        anchor="key-refused",
    )


def _unknown_name(target: Target, said: str, name: str) -> UserError:
    who = "the jump host knows" if BEHIND.search(said) else "there is"
    return UserError.of(
        f"{who} no host called {target.host!r}",
        where=f"input `{name}`",
        hint="check the variable it comes from; a name in a private network needs a VPN, which "
        "an earlier step has to connect",
        anchor="unknown-host",
    )


def silent(target: Target, seconds: float) -> StepFailed:
    """Return the error for a host that was reached but does not run our command in time."""
    return StepFailed.of(
        f"{target} was reached, but did not run the script within {seconds:.0f} s",
        hint="check that `ssh HOST true` ends: a login script may wait for something or start "
        "another shell, or the user may be restricted to one command",
        anchor="silent-host",
    )


def no_shell(target: Target, said: str) -> UserError:
    """Return the error for a host that let us log in but did not run our command."""
    unfit = re.search(rf"^{UNFIT} (.*)", said, re.MULTILINE)
    if unfit:
        name = _clean(unfit[1]) or "another shell"
        return UserError.of(
            f"`sh` of {target} is {name}, which cannot run the script",
            where="input `host`",
            hint="let `sh` on the host be dash, bash or busybox, and check that no login script "
            "changes PATH so that it finds another `sh`",
            anchor="unfit-shell",
        )
    if EXPIRED.search(said):
        return _expired(target, said)
    return UserError.of(
        f"{target} did not run the script ({last_line(said)})",
        where="input `user`",
        hint="give the user a login shell; it may be limited to file transfer or to one command",
        anchor="no-shell",
    )
