from __future__ import annotations

import pytest

from ship.runner.errors import UserError
from ship.runner.reader import Reader
from ship.ssh import Access, Target, read_access
from ship.ssh.access import Pin
from ship.ssh.config import Folder, configuration

KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
PRINT = "SHA256:" + "a" * 43
OTHER = "SHA256:" + "b" * 43
CA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBZ0"


def read(**changes: str) -> Access:
    given = {"ssh-key": KEY, "user": "deploy", "known-hosts": "h1 ssh-ed25519 AAAA"}
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    reader = Reader(env)
    access = read_access(reader)
    reader.done()
    return access


@pytest.mark.parametrize(
    ("text", "pins"),
    [
        (PRINT, [Pin("", PRINT)]),
        (f"{PRINT}=", [Pin("", PRINT)]),
        (f"h1 {PRINT}", [Pin("h1", PRINT)]),
        (f"[h1]:2222 {PRINT}", [Pin("[h1]:2222", PRINT)]),
        (f"256 {PRINT} root@h1 (ED25519)", [Pin("", PRINT)]),
        (f"3072 {PRINT} no comment (RSA)", [Pin("", PRINT)]),
        (f"ED25519 {PRINT}", [Pin("", PRINT)]),
        (f"h1 RSA {PRINT}", [Pin("h1", PRINT)]),
        (f"ED25519 key fingerprint is {PRINT}", [Pin("", PRINT)]),
        (f"{PRINT}\n{OTHER}", [Pin("", PRINT), Pin("", OTHER)]),
        (f"{PRINT},{OTHER}", [Pin("", PRINT), Pin("", OTHER)]),
        (f"h1 {PRINT} {OTHER}", [Pin("h1", PRINT), Pin("h1", OTHER)]),
    ],
)
def test_a_fingerprint_is_read_in_any_of_its_forms(text: str, pins: list[Pin]) -> None:
    assert list(read(host_fingerprints=text).fingerprints) == pins


@pytest.mark.parametrize(
    ("name", "good"),
    [("h1", True), ("H1", True), ("[h1]:2222", True), ("h1:2222", True), ("h2", False), ("", True)],
)
def test_a_fingerprint_with_a_name_is_for_that_host(name: str, *, good: bool) -> None:
    assert Pin(name, PRINT).is_for(Target("h1", "deploy", 2222)) is good


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"known_hosts": ""}, "`known-hosts`: is required but empty, and no other input"),
        ({"insecure_host_key": "true"}, "`insecure-host-key`: contradicts the input"),
        ({"insecure_host_key": "perhaps"}, "neither true nor false"),
        ({"host_fingerprints": "MD5:aa:bb"}, "'MD5:aa:bb' is not a SHA256 fingerprint"),
        ({"host_fingerprints": "SHA256:short"}, "'SHA256:short' is not a SHA256 fingerprint"),
        ({"host_fingerprints": f"my host {PRINT}"}, f"'my host {PRINT}' is not a SHA256"),
        ({"host_fingerprints": "h1"}, "'h1' is not a SHA256 fingerprint"),
        ({"host_ca": "h1"}, "is not the public key of an authority"),
        ({"host_ca": KEY}, "is not the public key of an authority"),
        (
            {"host_ca": "ssh-ed25519-cert-v01@openssh.com AAAAB3"},
            "is not the public key of an authority",
        ),
        ({"jump": "h1;id"}, "input `jump`: 'h1;id' is not the name"),
        ({"jump": "h1", "ssh_proxy_command": "nc %h %p"}, "together with `ssh-proxy-command`"),
        ({"ssh_proxy_command": "nc %h\nHost *"}, "is more than one line"),
        ({"ssh_proxy_command": "nc %x"}, "has a % that ssh does not know"),
        ({"ssh_proxy_command": "nc 5%"}, "has a % that ssh does not know"),
    ],
)
def test_a_wrong_input_is_named(changes: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        read(**changes)


def test_nothing_of_a_private_key_that_was_given_as_an_authority_is_reported() -> None:
    with pytest.raises(UserError) as raised:
        read(host_ca=KEY)
    reported = str(raised.value)
    assert "line 2 is not the public key of an authority" in reported
    assert not [line for line in KEY.splitlines() if line[:8] in reported]


def test_each_way_to_know_the_host_will_do() -> None:
    for way in ({"host_fingerprints": PRINT}, {"host_ca": CA}, {"insecure_host_key": "true"}):
        assert read(known_hosts="", **way)


def test_an_authority_signs_for_all_hosts_unless_its_line_says_for_which() -> None:
    line = f"@cert-authority *.example.com {CA}"
    assert read(host_ca=f"{CA} ops\n{line}").authorities == (f"@cert-authority * {CA} ops", line)


def test_a_jump_host_has_the_user_of_the_targets_and_the_port_of_ssh() -> None:
    assert read(jump="j1, ops@j2:2222", port="99").jumps == (
        Target("j1", "deploy", 22),
        Target("j2", "ops", 2222),
    )


def test_the_percent_signs_that_ssh_knows_are_left_to_it() -> None:
    command = "cloudflared access ssh --hostname %h --port %p 100%%"
    assert read(ssh_proxy_command=command).proxy_command == command


def test_the_client_reads_nothing_of_the_runners_own_and_trusts_no_new_host() -> None:
    text = configuration(read(), [Target("::1", "deploy", 2222)], Folder("/tmp/x"))
    for line in (
        "StrictHostKeyChecking yes",
        "GlobalKnownHostsFile /dev/null",
        "IdentityFile none",
        "ForwardAgent no",
    ):
        assert f"  {line}\n" in text


def test_a_line_that_goes_silent_is_given_up_within_a_minute() -> None:
    text = configuration(read(), [Target("h1", "deploy")], Folder("/tmp/x"))
    found = dict(line.split(None, 1) for line in text.splitlines() if "ServerAlive" in line)
    assert int(found["ServerAliveInterval"]) * int(found["ServerAliveCountMax"]) <= 60


def test_a_host_key_is_unchecked_only_when_that_is_asked_for() -> None:
    access = read(known_hosts="", insecure_host_key="true")
    assert access.insecure
    assert "StrictHostKeyChecking no" in configuration(access, [], Folder("/tmp/x"))
    assert not read(insecure_host_key="false").insecure
