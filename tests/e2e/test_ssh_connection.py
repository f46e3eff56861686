"""Sessions over real sshds: who is let in, who is trusted, and what is left when it ends."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import keys
from bed.command import run
from bed.delay import delayed
from bed.waiting import PATIENCE_SECONDS, wait_until
from local_sshd import USER, Rude, Sshd, closed_port
from ship.runner.command import Secret
from ship.runner.errors import StepFailed, UserError
from ship.runner.process import ProcessRunner
from ship.ssh import Access, Target
from ship.ssh.access import Pin
from ship.ssh.connector import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Host
    from ship.runner.errors import ShipError
    from ship.ssh.connector import Connector
    from ship.ssh.session import Session

pytestmark = pytest.mark.needs("packages")

LIB = Path(__file__).parents[2] / "actions/lib"
# Nothing of the machine's own agent or configuration may help.
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
WRONG = "SHA256:" + "a" * 43
# Says that it runs once it is another program: between a fork and that, a signal can be lost, and
# what is in the foreground then ends in its own time.
BEGUN = "sh -c 'echo begun; exec sleep 60'"
PREAMBLE = """
undo() {{ trap '' HUP INT TERM PIPE; echo undone >>"$OUT"; exit 7; }}
trap undo HUP INT TERM PIPE
OUT={out}
echo ship-ready {mark}
"""


class Keys:
    """The keys of two hosts, of an authority that signed those of the first, and of a user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = [folder / "one", folder / "two"]
        for host in self.hosts:
            host.mkdir()
            keys.make_host_keys(host)
        for name in ("authority", "user", "stranger"):
            keys.make_ssh_key(folder / name)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", str(folder / "locked"))
        public = self.hosts[0] / "ssh_host_ed25519_key.pub"
        names = ("-n", "127.0.0.1,localhost")
        run(
            "ssh-keygen",
            "-q",
            "-s",
            str(folder / "authority"),
            "-I",
            "one",
            "-h",
            *names,
            str(public),
        )
        both = self.text("user.pub") + self.text("locked.pub")
        self.authorized.write_text(both, encoding="utf-8")

    @property
    def authorized(self) -> Path:
        return self.folder / "authorized_keys"

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def access(self, **how: object) -> Access:
        given = {"key": Secret(self.text("user")), "passphrase": Secret(""), **how}
        return Access(**given)  # type: ignore[arg-type] # of each test its own


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def certificate(made: Keys) -> dict[str, str]:
    return {"HostCertificate": f"{made.hosts[0]}/ssh_host_ed25519_key-cert.pub"}


@pytest.fixture(scope="module")
def one(made: Keys, certificate: dict[str, str]) -> Iterator[Sshd]:
    with Sshd(made.hosts[0], made.authorized, options=certificate) as sshd:
        yield sshd


@pytest.fixture
def closed() -> Iterator[int]:
    with closed_port() as port:
        yield port


@pytest.fixture(scope="module")
def two(made: Keys) -> Iterator[Sshd]:
    with Sshd(made.hosts[1], made.authorized) as sshd:
        yield sshd


class Dialogue:
    """A session with what it printed, and the file in which the host notes that it undid."""

    def __init__(self, connector: Connector, target: Target, out: Path) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.out = out
        self.session = connector.open(
            target,
            lambda mark: Secret(PREAMBLE.format(out=shlex.quote(str(out)), mark=mark)),
            on_line=self.lines.append,
            on_stderr=self.errors.append,
        )

    def await_line(self, text: str) -> None:
        wait_until(lambda: text in self.lines, f"the host says {text!r}", seen=lambda: self.lines)

    def await_end(self) -> None:
        await_end(self.session)


def await_end(*sessions: Session) -> None:
    wait_until(lambda: all(each.ended for each in sessions), "the sessions have ended")


def await_undone(out: Path) -> None:
    wait_until(
        lambda: out.exists() and out.read_text() == "undone\n",
        "the host has undone",
        seen=lambda: out.exists() and out.read_text(),
    )


def await_none(word: str) -> None:
    wait_until(
        lambda: not processes(word), f"no process of {word} is left", seen=lambda: processes(word)
    )


def settled(session: Session) -> None:
    wait_until(lambda: session.ready or session.ended, "the session is ready or has ended")


def try_once(target: Target, access: Access, reported: list[str] | None = None) -> ShipError | None:
    """Connect, say a word, and end; returns why that was not possible."""
    tell = reported.append if reported is not None else lambda _: None
    try:
        with connect((target,), access, ProcessRunner(ENV), tell) as connector:
            dialogue = Dialogue(connector, target, Path("/dev/null"))
            session = dialogue.session
            settled(session)
            if session.ready:
                session.send(Secret("echo hello; exit 3"))
                await_end(session)
                assert (session.exit_code, dialogue.lines) == (3, ["hello"])
                assert session.error is None
            return session.error
    except UserError as error:
        return error
    finally:
        assert folders(target) == []


def folders(target: Target) -> list[Path]:
    """Return the private folders that are there for a target."""
    lines = {f"  HostName {target.host}", f"  Port {target.port}"}
    return [
        config.parent
        for config in Path("/tmp").glob("ship-*/config")
        if lines <= read_lines(config)
    ]


def read_lines(path: Path) -> set[str]:
    try:
        return set(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return set()  # Of another test, and gone since it was listed.


def processes(word: str) -> list[str]:
    lines = run("ps", "-eww", "-o", "stat=,args=").stdout.splitlines()
    return [line for line in lines if word in line and not line.startswith("Z")]


def pins(*fingerprints: str, name: str = "") -> tuple[Pin, ...]:
    return tuple(Pin(name, each) for each in fingerprints)


def test_a_host_with_a_known_key_is_let_in(made: Keys, one: Sshd) -> None:
    assert try_once(one.target, made.access(known_hosts=one.known_hosts)) is None


def test_hashed_lines_are_known_hosts_too(made: Keys, one: Sshd) -> None:
    hashed = keys.hash_names(one.known_hosts)
    assert "127.0.0.1" not in hashed
    assert try_once(one.target, made.access(known_hosts=hashed)) is None


@pytest.mark.parametrize("kind", ["ED25519", "ECDSA", "RSA"])
def test_the_fingerprint_of_any_key_of_the_host_will_do(made: Keys, one: Sshd, kind: str) -> None:
    access = made.access(fingerprints=pins(one.fingerprints[kind]))
    assert try_once(one.target, access) is None


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_one_known_line_of_any_kind_will_do(made: Keys, one: Sshd, kind: str) -> None:
    line = next(line for line in one.known_hosts.splitlines() if f"ssh-{kind}" in line)
    assert try_once(one.target, made.access(known_hosts=line + "\n")) is None


def test_a_signature_of_the_authority_will_do(made: Keys, one: Sshd) -> None:
    line = f"@cert-authority * {made.text('authority.pub')}"
    assert try_once(one.target, made.access(authorities=(line,))) is None
    assert try_once(one.target, made.access(known_hosts=line)) is None


def test_any_of_several_proofs_will_do(made: Keys, one: Sshd, two: Sshd) -> None:
    line = f"@cert-authority * {made.text('stranger.pub')}".strip()
    others = two.known_hosts.replace(str(two.port), str(one.port))
    access = made.access(
        known_hosts=others, authorities=(line,), fingerprints=pins(one.fingerprints["RSA"])
    )
    assert try_once(one.target, access) is None


def test_without_a_proof_a_host_is_let_in_only_when_that_is_asked_for(
    made: Keys, one: Sshd
) -> None:
    assert try_once(one.target, made.access(insecure=True)) is None


def test_a_changed_key_is_refused_with_both_fingerprints(made: Keys, one: Sshd, two: Sshd) -> None:
    others = two.known_hosts.replace(str(two.port), str(one.port))
    logins = one.logins
    error = try_once(one.target, made.access(known_hosts=others))
    assert isinstance(error, UserError)
    reported = str(error)
    assert reported.startswith(
        f"input `known-hosts`: [127.0.0.1]:{one.port} shows another host key"
    )
    for kind in ("ED25519", "RSA", "ECDSA"):
        assert f"{kind} {one.fingerprints[kind]}" in reported
        assert f"{kind} {two.fingerprints[kind]}" in reported
    assert f"\n    [127.0.0.1]:{one.port} {one.fingerprints['ED25519']}" in reported
    assert one.logins == logins, "no login to a host that is not trusted"


def test_a_wrong_fingerprint_is_refused_and_the_line_to_paste_is_right(
    made: Keys, one: Sshd
) -> None:
    error = try_once(one.target, made.access(fingerprints=pins(WRONG)))
    assert "input `host-fingerprints`" in str(error)
    assert f"expected {WRONG}" in str(error)
    assert error
    paste = error.problems[0].hint.splitlines()[-1].split()
    assert try_once(one.target, made.access(fingerprints=pins(paste[1], name=paste[0]))) is None


def test_a_fingerprint_with_a_name_is_good_for_that_host_alone(
    made: Keys, one: Sshd, two: Sshd
) -> None:
    name = two.target.known_name
    access = made.access(fingerprints=pins(one.fingerprints["ED25519"], name=name))
    error = try_once(one.target, access)
    assert f"has no key for [127.0.0.1]:{one.port}, only for {name}" in str(error)
    mixed = access._replace(fingerprints=(*access.fingerprints, *pins(WRONG)))
    assert "shows another host key" in str(try_once(one.target, mixed))


def test_a_wrong_authority_is_refused(made: Keys, one: Sshd) -> None:
    line = f"@cert-authority * {made.text('stranger.pub')}".strip()
    error = try_once(one.target, made.access(authorities=(line,)))
    assert "input `host-ca`" in str(error)
    assert "seen certificate of ED25519 SHA256:" in str(error)
    assert "expected CA ED25519 SHA256:" in str(error)


def test_a_certificate_for_another_name_is_refused(made: Keys, one: Sshd) -> None:
    line = f"@cert-authority * {made.text('authority.pub')}".strip()
    target = one.target._replace(host="127.0.0.1.")
    error = try_once(target, made.access(authorities=(line,)))
    assert error is not None


@pytest.mark.parametrize(
    ("known", "reported"),
    [
        ("h9 ssh-ed25519 {key}", "has no key for {name}, only for h9"),
        ("ssh-ed25519 {key}", "put the name in front: {name} ssh-ed25519 AAAA"),
    ],
)
def test_a_host_that_nothing_is_known_of_is_not_even_asked(
    made: Keys, one: Sshd, known: str, reported: str
) -> None:
    line = known.format(key=made.text("user.pub").split()[1]) + "\n"
    before = one.log
    error = try_once(one.target, made.access(known_hosts=line))
    assert reported.format(name=one.target.known_name) in str(error)
    assert one.log == before


def test_a_passphrase_opens_the_key(made: Keys, one: Sshd) -> None:
    access = made.access(
        known_hosts=one.known_hosts,
        key=Secret(made.text("locked")),
        passphrase=Secret("secret words"),
    )
    assert try_once(one.target, access) is None


def test_a_wrong_passphrase_is_reported_at_once(made: Keys, one: Sshd) -> None:
    access = made.access(
        known_hosts=one.known_hosts, key=Secret(made.text("locked")), passphrase=Secret("wrong")
    )
    logins = one.log
    error = try_once(one.target, access)
    assert "input `ssh-key-passphrase`: is not the passphrase" in str(error)
    assert one.log == logins, "the host is not asked"


def test_a_key_that_ssh_cannot_read_is_named(made: Keys, one: Sshd) -> None:
    broken = made.text("user").replace("b3BlbnNzaC", "b3BlbnNzaD")
    error = try_once(one.target, made.access(known_hosts=one.known_hosts, key=Secret(broken)))
    assert "input `ssh-key`: ssh does not accept this private key (Error loading" in str(error)


def test_a_login_that_is_refused_is_not_tried_again(made: Keys, one: Sshd) -> None:
    stranger = Secret(made.text("stranger"))
    reported: list[str] = []
    error = try_once(one.target, made.access(known_hosts=one.known_hosts, key=stranger), reported)
    assert isinstance(error, UserError)
    assert f"{one.target} does not accept the key" in str(error)
    nobody = one.target._replace(user="no-such-user")
    error = try_once(nobody, made.access(known_hosts=one.known_hosts), reported)
    assert "check that 'no-such-user' is the right user" in str(error)
    assert reported == []


def test_a_host_that_asks_for_a_second_factor_is_named(made: Keys) -> None:
    options = {"AuthenticationMethods": "publickey,password", "PasswordAuthentication": "yes"}
    with Sshd(made.hosts[0], made.authorized, options=options) as sshd:
        error = try_once(sshd.target, made.access(known_hosts=sshd.known_hosts))
        assert sshd.log.count("Partial publickey") == 1
    assert f"{sshd.target} asks for more than the key (password)" in str(error)
    assert "AuthenticationMethods publickey" in str(error)


def test_a_revoked_key_is_not_offered_as_a_key_to_trust(made: Keys, one: Sshd) -> None:
    revoked = "".join(f"@revoked {line}\n" for line in one.known_hosts.splitlines())
    error = str(try_once(one.target, made.access(known_hosts=revoked)))
    assert "shows a key that `known-hosts` marks as revoked: ED25519 SHA256:" in error
    assert "host-fingerprints" not in error
    assert "do not accept this key" in error


def test_an_unknown_name_is_reported_at_once(made: Keys) -> None:
    target = Target("no-such-host.invalid", "deploy")
    error = try_once(target, made.access(fingerprints=pins(WRONG)))
    assert "no-such-host.invalid" in str(error)


@pytest.mark.test_all
def test_a_closed_port_is_tried_three_times(made: Keys, closed: int) -> None:
    target = Target("127.0.0.1", "deploy", closed)
    reported: list[str] = []
    error = try_once(target, made.access(fingerprints=pins(WRONG)), reported)
    assert isinstance(error, StepFailed)
    assert "Connection refused" in str(error)
    assert [each[-19:] for each in reported] == ["trying again in 2 s", "trying again in 5 s"]


def test_a_host_that_drops_the_first_connection_is_tried_again(made: Keys, one: Sshd) -> None:
    reported: list[str] = []
    with Rude(one.port, drops=1) as rude:
        target = one.target._replace(port=rude.port)
        access = made.access(fingerprints=pins(one.fingerprints["ED25519"]))
        assert try_once(target, access, reported) is None
        assert rude.met == 2
    assert len(reported) == 1
    assert f"no connection to {target} yet (" in reported[0]


@pytest.mark.test_all
def test_a_host_that_never_answers_is_given_up_after_three_tries(made: Keys, one: Sshd) -> None:
    reported: list[str] = []
    with delayed("127.0.0.1", one.port, milliseconds=0) as line:
        line.freeze()
        target = one.target._replace(port=line.port)
        error = try_once(target, made.access(fingerprints=pins(WRONG)), reported)
    assert "timed out" in str(error)
    assert [each[-19:] for each in reported] == ["trying again in 2 s", "trying again in 5 s"]


def test_a_host_that_does_not_run_our_command_is_named(made: Keys) -> None:
    for forced, word in (
        ("internal-sftp", ""),
        ("echo no deploys here; exit 1", "no deploys here"),
    ):
        with Sshd(made.hosts[1], made.authorized, options={"ForceCommand": forced}) as sshd:
            error = try_once(sshd.target, made.access(known_hosts=sshd.known_hosts))
            assert isinstance(error, UserError), error
            assert f"{sshd.target} did not run the script ({word}" in str(error)
            assert "give the user a login shell" in str(error)


def test_a_login_script_that_starts_another_shell_changes_nothing(made: Keys) -> None:
    # As `exec zsh` in ~/.bashrc does: the shell gets what we send, and not our command.
    with Sshd(made.hosts[1], made.authorized, options={"ForceCommand": "exec zsh"}) as sshd:
        assert try_once(sshd.target, made.access(known_hosts=sshd.known_hosts)) is None


def test_a_jump_host_is_trusted_by_the_same_inputs(made: Keys, one: Sshd, two: Sshd) -> None:
    both = one.known_hosts + two.known_hosts
    fingerprints = pins(one.fingerprints["RSA"], two.fingerprints["ECDSA"])
    logins = one.logins
    for how in ({"known_hosts": both}, {"fingerprints": fingerprints}, {"insecure": True}):
        assert try_once(two.target, made.access(jumps=(one.target,), **how)) is None
    assert one.logins == logins + 3
    ca = f"@cert-authority * {made.text('authority.pub')}".strip()
    access = made.access(
        jumps=(two.target,), authorities=(ca,), fingerprints=pins(two.fingerprints["RSA"])
    )
    assert try_once(one.target, access) is None


def test_two_jump_hosts_are_passed_in_order(
    made: Keys, one: Sshd, two: Sshd, certificate: dict[str, str]
) -> None:
    with Sshd(made.hosts[0], made.authorized, options=certificate) as three:
        trust = pins(one.fingerprints["RSA"], two.fingerprints["RSA"])
        access = made.access(jumps=(one.target, two.target), fingerprints=trust)
        assert try_once(three.target, access) is None


def test_a_wrong_key_of_a_jump_host_names_that_host(made: Keys, one: Sshd, two: Sshd) -> None:
    access = made.access(jumps=(one.target,), fingerprints=pins(two.fingerprints["RSA"]))
    error = try_once(two.target, access)
    assert f"[127.0.0.1]:{one.port} shows another host key" in str(error)
    access = access._replace(fingerprints=pins(one.fingerprints["RSA"]))
    assert f"[127.0.0.1]:{two.port} shows another host key" in str(try_once(two.target, access))
    only = made.access(jumps=(one.target,), known_hosts=two.known_hosts)
    assert f"has no key for [127.0.0.1]:{one.port}" in str(try_once(two.target, only))


def test_a_jump_host_that_refuses_to_forward_is_named(made: Keys, two: Sshd) -> None:
    options = {"AllowTcpForwarding": "no"}
    with Sshd(made.hosts[0], made.authorized, options=options) as jump:
        known = jump.known_hosts + two.known_hosts
        error = try_once(two.target, made.access(jumps=(jump.target,), known_hosts=known))
    assert isinstance(error, UserError)
    assert "input `jump`: the jump host does not forward" in str(error)


@pytest.mark.test_all
def test_a_target_behind_a_jump_host_that_refuses_is_named(
    made: Keys, one: Sshd, closed: int
) -> None:
    target = Target("127.0.0.1", USER, closed)
    known = one.known_hosts + f"{target.known_name} {made.text('user.pub')}"
    error = try_once(target, made.access(jumps=(one.target,), known_hosts=known))
    assert isinstance(error, StepFailed)
    assert f"no connection to {target}" in str(error)


def test_three_targets_behind_a_jump_host_are_one_login_there(
    made: Keys, one: Sshd, two: Sshd, tmp_path: Path
) -> None:
    with (
        Sshd(made.hosts[1], made.authorized) as three,
        Sshd(made.hosts[1], made.authorized) as four,
    ):
        hosts = (two, three, four)
        targets = tuple(each.target for each in hosts)
        known = one.known_hosts + "".join(each.known_hosts for each in hosts)
        access = made.access(jumps=(one.target,), known_hosts=known)
        logins = one.logins
        with connect(targets, access, ProcessRunner(ENV), print) as connector:
            opened = [Dialogue(connector, each, tmp_path / "out").session for each in targets]
            for session in opened:
                settled(session)
                assert session.ready, session.error
                session.send(Secret("exit 0"))
            await_end(*opened)
            assert [each.exit_code for each in opened] == [0, 0, 0]
        assert one.logins == logins + 1
        assert folders(two.target) == []


RELAY = """
import os, socket, sys, threading
line = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        line.sendall(data)
    line.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := line.recv(65536):
    os.write(1, data)
"""


def test_a_proxy_command_carries_the_connection(made: Keys, one: Sshd, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY, encoding="utf-8")
    access = made.access(
        known_hosts=one.known_hosts, proxy_command=f"{sys.executable} {relay} %h %p"
    )
    assert try_once(one.target, access) is None


def test_a_proxy_command_that_is_not_there_is_named(made: Keys, one: Sshd) -> None:
    for command in ("no-such-program --hostname %h", "/nonexistent/program %h %p"):
        access = made.access(known_hosts=one.known_hosts, proxy_command=command)
        error = try_once(one.target, access)
        assert isinstance(error, UserError)
        assert "input `ssh-proxy-command`: the command cannot be run" in str(error)


@pytest.fixture
def open_session(
    made: Keys, one: Sshd, tmp_path: Path
) -> Iterator[tuple[Connector, Dialogue, Path]]:
    access = made.access(known_hosts=one.known_hosts)
    with connect((one.target,), access, ProcessRunner(ENV), print) as connector:
        dialogue = Dialogue(connector, one.target, tmp_path / "out")
        settled(dialogue.session)
        assert dialogue.session.ready, dialogue.session.error
        yield connector, dialogue, folders(one.target)[0]
    assert folders(one.target) == []
    await_none(dialogue.session.mark)


Opened = tuple["Connector", Dialogue, Path]


def test_texts_run_as_they_are_sent_and_both_streams_come_back(open_session: Opened) -> None:
    _, dialogue, _ = open_session
    for word in ("one", "two"):
        dialogue.session.send(Secret(f"echo {word}; echo {word} >&2"))
        dialogue.await_line(word)
        wait_until(functools.partial(dialogue.errors.count, word), f"{word} is an error, too")
    big = "x" * 300_000
    dialogue.session.send(Secret(f"printf %s {big} | wc -c; printf end"))
    dialogue.await_line("300000")
    dialogue.session.send(Secret("exit 0"))
    dialogue.await_end()
    assert dialogue.lines[-1] == "end", "a last line without an end is a line"
    dialogue.session.send(Secret("echo to nobody"))


def test_a_word_of_the_host_that_looks_like_ours_is_none(open_session: Opened) -> None:
    _, dialogue, _ = open_session
    dialogue.session.send(Secret("echo ship-gone 0; echo ship-gone 0123 0; echo done"))
    dialogue.await_line("done")
    assert dialogue.lines == ["ship-gone 0", "ship-gone 0123 0", "done"]
    assert not dialogue.session.ended


def test_the_end_of_input_lets_the_host_undo_and_end(open_session: Opened) -> None:
    _, dialogue, _ = open_session
    dialogue.session.send(Secret(BEGUN))
    dialogue.await_line("begun")
    dialogue.session.stop(grace_seconds=10)
    assert dialogue.session.ended
    assert dialogue.session.exit_code == 7
    assert dialogue.out.read_text() == "undone\n"


def test_a_client_that_is_killed_lets_the_host_undo(open_session: Opened) -> None:
    _, dialogue, folder = open_session
    dialogue.session.send(Secret(BEGUN))
    dialogue.await_line("begun")
    run("pkill", "-9", "-f", f"^ssh -F {folder}/config")
    dialogue.await_end()
    assert dialogue.session.exit_code is None
    await_undone(dialogue.out)
    await_none(dialogue.session.mark)


def test_a_script_that_is_killed_is_reported_by_its_exit_code(open_session: Opened) -> None:
    _, dialogue, _ = open_session
    dialogue.session.send(Secret("kill -9 $$"))
    dialogue.await_end()
    assert dialogue.session.exit_code == 137


def test_a_process_that_stays_does_not_hold_the_end_up(open_session: Opened) -> None:
    _, dialogue, _ = open_session
    dialogue.session.send(
        Secret("setsid sh -c 'trap \"\" TERM HUP; sleep 120' & sleep 0.2; exit 0")
    )
    dialogue.await_end()
    assert dialogue.session.exit_code == 0


def test_a_connection_that_is_cut_has_no_exit_code_and_the_host_undoes(
    made: Keys, one: Sshd, tmp_path: Path
) -> None:
    access = made.access(fingerprints=pins(one.fingerprints["ED25519"]))
    with delayed("127.0.0.1", one.port, milliseconds=5) as line:
        target = one.target._replace(port=line.port)
        with connect((target,), access, ProcessRunner(ENV), print) as connector:
            dialogue = Dialogue(connector, target, tmp_path / "out")
            settled(dialogue.session)
            dialogue.session.send(Secret(BEGUN))
            dialogue.await_line("begun")
            line.cut()
            dialogue.await_end()
            assert dialogue.session.exit_code is None
            assert dialogue.session.error is None
            await_undone(dialogue.out)
            await_none(dialogue.session.mark)


@pytest.mark.test_all
def test_a_line_on_which_everything_is_lost_is_found_out(
    made: Keys, one: Sshd, tmp_path: Path
) -> None:
    access = made.access(fingerprints=pins(one.fingerprints["ED25519"]))
    with delayed("127.0.0.1", one.port, milliseconds=0) as line:
        target = one.target._replace(port=line.port)
        with connect((target,), access, ProcessRunner(ENV), print) as connector:
            dialogue = Dialogue(connector, target, tmp_path / "out")
            settled(dialogue.session)
            line.freeze()
            dialogue.await_end()
            assert dialogue.session.exit_code is None
            assert "not responding" in dialogue.errors[-1]


DRIVER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ship.runner import cancel
from ship.runner.command import Secret
from ship.runner.errors import Interrupted
from ship.runner.process import ProcessRunner
from ship.ssh import Access, Target
from ship.ssh.connector import connect
from ship.ssh.access import Pin
cancel.listen()
key, user, port, fingerprint, out = sys.argv[2:]
targets = tuple(Target("127.0.0.1", user, int(each)) for each in port.split(","))
access = Access(Secret(Path(key).read_text()), Secret(""), fingerprints=(Pin("", fingerprint),))
preamble = (
    "trap 'trap : TERM; echo undone >>%s; exit 7' TERM\\necho ship-ready %s; echo $$; sleep 60"
)
try:
    with connect(targets, access, ProcessRunner(os.environ), print) as connector:
        sessions = [
            connector.open(
                each, lambda mark: Secret(preamble % (out, mark)),
                on_line=lambda line: print("line", line, flush=True), on_stderr=print,
            )
            for each in targets
        ]
        print("connecting", flush=True)
        while True:
            connector.changed.wait(1)
            connector.changed.clear()
except Interrupted:
    print("interrupted", flush=True)
"""


@contextlib.contextmanager
def drive(made: Keys, fingerprint: str, ports: str, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a step that connects, in a process of its own."""
    arguments = (str(LIB), str(made.folder / "user"), USER, ports, fingerprint, str(out))
    argv = (sys.executable, "-Iuc", DRIVER, *arguments)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=ENV) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(word)


def test_an_interrupt_while_connecting_leaves_nothing(
    made: Keys, one: Sshd, closed: int, tmp_path: Path
) -> None:
    with delayed("127.0.0.1", one.port, milliseconds=0) as line:
        line.freeze()
        target = one.target._replace(port=line.port)
        with drive(made, WRONG, f"{line.port},{closed}", tmp_path / "out") as process:
            read_until(process, "connecting")
            folder = folders(target)[0]
            wait_until(lambda: processes(f"ssh -F {folder}/config"), "ssh runs")
            # While the line is frozen no answer comes: only the signal ends ssh.
            process.send_signal(signal.SIGINT)
            read_until(process, "interrupted")
            assert process.wait(PATIENCE_SECONDS) == 0
        assert folders(target) == []
        await_none(str(folder))


def test_an_interrupt_of_a_session_lets_the_host_undo(
    made: Keys, one: Sshd, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with drive(made, one.fingerprints["RSA"], str(one.port), out) as process:
        read_until(process, "line ")
        process.send_signal(signal.SIGINT)
        read_until(process, "interrupted")
        assert process.wait(PATIENCE_SECONDS) == 0
    assert out.read_text() == "undone\n"
    assert folders(one.target) == []


def test_a_step_that_is_killed_leaves_no_process_on_either_side(
    made: Keys, one: Sshd, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with drive(made, one.fingerprints["ED25519"], str(one.port), out) as process:
        read_until(process, "line ")
        folder = folders(one.target)[0]
        process.kill()
    await_undone(out)
    await_none(str(folder))
    run("rm", "-r", str(folder))


def test_a_jump_host_that_is_gone_meanwhile_is_asked_again(
    made: Keys, one: Sshd, two: Sshd
) -> None:
    access = made.access(jumps=(one.target,), known_hosts=one.known_hosts + two.known_hosts)
    logins = one.logins
    with connect((two.target,), access, ProcessRunner(ENV), print) as connector:
        shared = f"ssh -F {folders(two.target)[0]}/config -o ControlMaster=yes"
        for _ in range(2):
            session = Dialogue(connector, two.target, Path("/dev/null")).session
            settled(session)
            assert session.ready, session.error
            session.stop(grace_seconds=10)
            run("pkill", "-f", shared)
            await_none(shared)
    assert one.logins == logins + 2


def test_leaving_ends_threads_too(made: Keys, closed: int) -> None:
    before = threading.active_count()
    target = Target("127.0.0.1", "deploy", closed)
    access = made.access(fingerprints=pins(WRONG))
    reported: list[str] = []
    with connect((target,), access, ProcessRunner(ENV), reported.append) as connector:
        dialogue = Dialogue(connector, target, Path("/dev/null"))
        wait_until(lambda: reported, "the first try has failed")
    assert len(reported) == 1, "the cancel does not wait for the next try"
    assert dialogue.session.ended
    wait_until(lambda: threading.active_count() <= before, "all threads have ended")


@pytest.mark.needs("engine")
@pytest.mark.parametrize("way", ["known hosts", "hashed", "fingerprints", "authority"])
def test_a_server_that_only_another_one_reaches_is_reached_over_that(
    bed: Bed, tmp_path: Path, way: str
) -> None:
    jump, hidden = bed.host, _hidden(bed)
    ways: dict[str, dict[str, object]] = {
        "known hosts": {"known_hosts": jump.known_hosts + hidden.known_hosts},
        "hashed": {"known_hosts": jump.hashed_known_hosts + hidden.hashed_known_hosts},
        "fingerprints": {
            "fingerprints": (
                Pin(jump.ip, jump.fingerprints["RSA"]),
                Pin(hidden.name, hidden.fingerprints["ECDSA"]),
            )
        },
        "authority": {"authorities": (f"@cert-authority * {bed.host_authority}",)},
    }
    target = Target(hidden.name, hidden.user)
    jumps = (Target(jump.ip, jump.user),)
    access = Access(Secret(jump.private_key), Secret(""), jumps=jumps, **ways[way])  # type: ignore[arg-type] # of each way its own
    with connect((target,), access, ProcessRunner(ENV), print) as connector:
        dialogue = Dialogue(connector, target, tmp_path / "out")
        settled(dialogue.session)
        assert dialogue.session.ready, dialogue.session.error
        dialogue.session.send(Secret("hostname; id -un; exit 0"))
        dialogue.await_end()
        assert dialogue.lines == [hidden.name, hidden.user]


@pytest.mark.needs("engine")
def test_a_server_whose_sessions_are_killed_lets_the_script_undo(bed: Bed, tmp_path: Path) -> None:
    host = bed.host
    target, out = Target(host.ip, host.user), f"/tmp/{tmp_path.name}"
    access = Access(Secret(host.private_key), Secret(""), host.known_hosts)
    with connect((target,), access, ProcessRunner(ENV), print) as connector:
        dialogue = Dialogue(connector, target, Path(out))
        settled(dialogue.session)
        dialogue.session.send(Secret(BEGUN))
        dialogue.await_line("begun")
        host.kill_sessions()
        dialogue.await_end()
        assert dialogue.session.exit_code is None
    wait_until(
        lambda: host.run("cat", out, check=False).stdout == "undone\n", "the host has undone"
    )


def _hidden(bed: Bed) -> Host:
    """Return the server behind the first one, made by the first test that needs it."""
    behind = [each for each in bed.hosts if each.behind is bed.host]
    return behind[0] if behind else bed.add_host(docker=False, behind=bed.host)
