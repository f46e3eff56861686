"""The generator accepts a value exactly when ssh-deploy does; no mistake shows after the merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.errors import SpecError
from gen_workflow.spec import hosts, values, variables
from gen_workflow.spec import ports as ports_of_spec
from gen_workflow.spec import volumes as volumes_of_spec
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.ssh import target
from ship.ssh_deploy import common, environment
from ship.ssh_deploy.inputs import read_inputs
from ship.ssh_deploy.run import inputs, ports, volumes

if TYPE_CHECKING:
    from pathlib import Path

KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
KNOWN = "h1 ssh-ed25519 AAAA"
# By kind: the spec with a hole for the value, the input of the action, and how it says the value.
KINDS = {
    "port": ("ports: [{}]", "ports", "{}"),
    "volume": ("volumes: [{}]", "volumes", "{}"),
    "env": ("env: {{{}: x}}", "env", "{}=x"),
    "network": ("network: {}", "networks", "{}"),
    "restart": ("restart: {}", "restart", "{}"),
    "health-timeout": ("health-timeout: {}", "health-timeout", "{}"),
    "stop-timeout": ("stop-timeout: {}", "stop-timeout", "{}"),
}
GOOD = {
    "port": (
        "80:80", "1:65535", "080:80", "127.0.0.1:80:80", "[::1]:80:80", "53:53/udp", "1:1/tcp",
        "0.0.0.0:80:80", "255.255.255.255:1:1", "[::]:80:80", "[2001:db8:0:0::1]:80:80",
        "[::ffff:1.2.3.4]:80:80", "[FE80::1]:80:80",
    ),
    "volume": (
        "data:/data", "/srv:/data", "/:/a:ro", "a.b-c_d:/x:ro,z", "/é:/ü", "da:/a/", "da:/a/../b",
        "da:/a:nocopy", "/a:/a:rshared,rw,Z,cached", "/a:/a:private", "da:/a:delegated,nocopy,ro",
    ),
    "env": (
        "A", "a_1", "__", "PATH", "ENV", "DOCKER", "LD", "HOMES", "uid", "GITHUB_SHA", "INPUT_X",
        "COMPOSE", "SRANDOMS",
    ),
    "network": ("web", "a", "A.b-c_d", "hosts", "0", "bridge", "a" * 101),
    "restart": (
        "no", "always", "unless-stopped", "on-failure", "on-failure:3", "on-failure:0",
        "on-failure:999999999", "on-failure:007",
    ),
    "health-timeout": ("1", "60", "3600", "007"),
    "stop-timeout": ("0", "10", "3600"),
    "host": (
        "h1", "shop.example.com", "10.0.0.1", "::1", "fe80::1", "my_host", "a",
        "_host", "host_", "shop.example.com.", "::ffff:1.2.3.4", "a" * 253, "1.2",
    ),
    "user": ("deploy", "_x", "a.b-c", "A1", "a@example.com", "a" * 64),
    "ssh-port": ("22", "1", "65535", "022"),
    "name": ("shop", "A.b-c_d", "00", "a.next.1", "a" * 101),
    "health": ("/", "/health", "/a?b=c&d=%20", "/a#b", "/a[0]", '/"', "/{x}", "/\\"),
    "replaces": ("8080", "ghcr.io/acme/old", "r:5000/old", "shop.example.com", "*.a.b", "test"),
}  # fmt: skip
BAD = {
    "port": (
        "80", "0:80", "80:65536", "80:80/sctp", "80-90:80", "a:80", "000080:80", "h:80:80", ":80",
        "80:", "80:80/TCP", "\u0668\u0660:80", "80:80 -x", "01.2.3.4:80:80", "1.2.3.04:80:80",
        "256.1.1.1:80:80", "1.2.3:80:80", "[:::::]:80:80", "[1::2::3]:80:80", "[::1.2.3]:80:80",
        "[12345::]:80:80", "[]:80:80", "::1:80:80", "[1.2.3.4]:80:80", "[fe80::1%eth0]:80:80",
    ),
    "volume": (
        "data", "./a:/b", "a:/b", "data:b", "-v:/x", "data:/a:ro:x", ":/a", "data:/a:1",
        "data:/a b", "a b:/c", "data:/a\tb", "data:/a\u2028b", "data:/", "/srv:/.", "data://",
        "data:/a/..", "data:/a:rw,zzz", "data:/a:rw,ro", "data:/a:ro,ro", "data:/a:z,Z", "data:/a:",
        "data:/a:,", "data:/a:ro,", "data:/a:RO", "/a:/a:shared,private", "/a:/a:nocopy",
        "data:/a:rshared", "data:/a:cached,delegated",
    ),
    "env": (
        "1A", "a-b", "A B", "é", "_", "HOME", "IFS", "UID", "EUID", "PPID", "GROUPS", "RANDOM",
        "SECONDS", "SHELLOPTS", "BASHOPTS", "BASH_ENV", "EPOCHSECONDS", "DOCKER_HOST", "LD_PRELOAD",
        "COMPOSE_FILE", "SRANDOM",
    ),
    "network": ("-a", ".a", "a b", "a/b", "é", "host", "none", "a" * 102),
    "restart": (
        "sometimes", "on-failure:", "on-failure:x", "on-failure:\u0663", "No", "always:1",
        "on-failure:99999999999999999999", "on-failure:-1",
    ),
    "health-timeout": ("0", "3601", "1.5", "-1", "1s", "\u0663", "9999999999"),
    "stop-timeout": ("3601", "1.5", "-1", "1s", "\u0663"),
    # The action takes lists with users and ports as well; a spec says these apart.
    "host": (
        "-h", "h-", ".h", "é", "h/x", "h..", "a" * 254, ":1", "12345:::1:2%x", "h%x", "1::2:3.4",
    ),
    "user": ("1a", "-a", "a b", "é", "a" * 65, "a@", "a@b@c", "a@-b"),
    "ssh-port": ("0", "65536", "-1", "1e3", "\u0662\u0662", "22 22", "ssh"),
    "name": ("0", "-a", ".a", "a b", "a/b", "é", "a.next", "a.previous", "a.candidate", "a" * 102),
    "health": ("health", "/a b", "/é", "https://a/b", "/a\tb"),
    "replaces": ("-x", "80;id", "$(id)", "é", "a'b"),
}  # fmt: skip


# Keys whose default is that of the action: path of the section, key, input.
DEFAULTS = [
    ("deploy/run", "restart", "restart"),
    ("deploy/run", "health-timeout", "health-timeout"),
    ("deploy/run", "stop-timeout", "stop-timeout"),
    ("deploy/ssh", "port", "port"),
]


@pytest.mark.parametrize(("path", "name", "given"), DEFAULTS)
def test_the_docs_of_the_spec_have_the_default_of_the_action(
    path: str, name: str, given: str
) -> None:
    key = dict(sections(SPEC))[path].keys[name]
    action = read_action(ROOT / "actions" / "ssh-deploy")
    assert key.default == f"`{action.inputs[given]['default']}`"


def spec_and_input(kind: str, value: str) -> tuple[str, dict[str, str]]:
    """Say the same in a spec and in the inputs of the action."""
    quoted = json.dumps(value)
    ssh = {"host": "h1", "user": "u", "port": "22"}
    said = {"name": "", "health": "", "replaces": "", "run": ""}
    given = {}
    if kind in KINDS:
        hole, name, line = KINDS[kind]
        said["run"], given[name] = hole.format(quoted), line.format(value)
    elif kind in ("host", "user", "ssh-port"):
        key = kind.removeprefix("ssh-")
        ssh[key] = given[key] = value
    else:
        given[kind] = value
        forms = {"name": "name: {}", "health": ", health: {}", "replaces": ", replaces: [{}]"}
        said[kind] = forms[kind].format(quoted)
        said["run"] = "ports: ['80:80']" if kind == "health" else ""
        given |= {"ports": "80:80"} if kind == "health" else {}
    target = ", ".join(f"{name}: {json.dumps(text)}" for name, text in ssh.items())
    target += f", key: '${{{{ secrets.K }}}}', known-hosts: {KNOWN}"
    run = f"{{{said['run']}}}"
    text = f"image: .\n{said['name']}\ndeploy: {{ssh: {{{target}}}, run: {run}{said['health']}"
    text += f"{said['replaces']}}}\n"
    return text, given


def by_generator(text: str, folder: Path) -> bool:
    (folder / "Dockerfile").touch()
    try:
        load(text.encode(), "gen-workflow.yml", str(folder))
    except SpecError:
        return False
    return True


def by_action(given: dict[str, str]) -> bool:
    inputs = {
        "host": "h1",
        "user": "u",
        "ssh-key": KEY,
        "known-hosts": KNOWN,
        "image": f"ghcr.io/acme/app@sha256:{'0' * 64}",
        **given,
    }
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()}
    try:
        read_inputs(env, Context(repository="acme/app"))
    except UserError:
        return False
    return True


# Two values of one list: whether Docker can have both.
PAIRS = {
    "port": {
        ("80:80", "81:80"): True,
        ("80:80", "80:81"): False,
        ("080:80", "80:80/tcp"): False,
        ("80:80", "80:80/udp"): True,
        ("127.0.0.1:80:80", "127.0.0.2:80:80"): True,
        ("127.0.0.1:80:80", "80:80"): False,
        ("0.0.0.0:80:80", "80:81"): False,
        ("0.0.0.0:80:80", "127.0.0.1:80:80"): False,
        ("[::]:80:80", "80:80"): False,
        ("[::]:80:80", "0.0.0.0:80:80"): True,
        ("[::]:80:80", "127.0.0.1:80:80"): True,
        ("[0::0]:80:80", "[::1]:80:80"): False,
        ("[::1]:80:80", "80:80"): False,
        ("[::1]:80:80", "0.0.0.0:80:80"): True,
        ("[::1]:80:80", "[0:0:0:0:0:0:0:1]:80:81"): False,
        ("[fe80::A]:80:80", "[FE80::a]:80:81"): False,
        ("[::1]:80:80", "[::2]:80:80"): True,
    },
    "volume": {
        ("data:/a", "more:/b"): True,
        ("data:/a", "data:/b"): True,
        ("data:/a", "more:/a"): False,
        ("data:/a", "/srv:/a:ro"): False,
        ("data:/a", "more:/a/"): False,
        ("data:/a", "more://a"): False,
        ("data:/a", "more:/b/../a"): False,
        ("data:/a", "more:/a/b"): True,
        ("data:/a", "more:/A"): True,
    },
}
# The same rule in both halves, word for word: of the spec, of the action.
SAME = [
    pytest.param(ports_of_spec.PUBLISHED, ports.PORT.pattern, id="port"),
    pytest.param(volumes_of_spec.MOUNTED, inputs.VOLUME.pattern, id="volume"),
    pytest.param(volumes_of_spec.MODES, volumes.MODES, id="modes of a volume"),
    pytest.param(values.RESTART.pattern, inputs.RESTART.pattern, id="restart"),
    pytest.param(values.NETWORK.pattern, inputs.NETWORK.pattern, id="network"),
    pytest.param(values.HEALTH_PATH, inputs.HEALTH.pattern, id="health"),
    pytest.param(values.CONTAINER.pattern, common.NAME.pattern, id="name"),
    pytest.param(values.REPLACEABLE, common.REPLACED.pattern, id="replaces"),
    pytest.param(hosts.HOST.pattern, target.HOST.pattern, id="host"),
    pytest.param(hosts.USER.pattern, target.USER.pattern, id="user"),
    pytest.param(hosts.PORT.pattern, target.PORT.pattern, id="port of ssh"),
    pytest.param(variables.OF_THE_HOST, environment.RESERVED.pattern, id="env"),
]


@pytest.mark.parametrize(("of_spec", "of_action"), SAME)
def test_generator_and_action_have_the_same_rule(of_spec: object, of_action: object) -> None:
    assert of_spec == of_action


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        pytest.param(kind, value, good, id=f"{kind}-{ascii(value)[:20]}")
        for good, table in ((True, GOOD), (False, BAD))
        for kind, values in table.items()
        for value in values
    ],
)
def test_generator_and_action_agree_on_a_value(
    kind: str, value: str, tmp_path: Path, *, good: bool
) -> None:
    text, given = spec_and_input(kind, value)
    assert {"action": by_action(given), "generator": by_generator(text, tmp_path)} == {
        "action": good,
        "generator": good,
    }


@pytest.mark.parametrize(
    ("kind", "pair", "good"),
    [
        pytest.param(kind, pair, good, id=f"{kind}: {' and '.join(pair)}")
        for kind, pairs in PAIRS.items()
        for one, good in pairs.items()
        for pair in (one, one[::-1])
    ],
)
def test_generator_and_action_agree_on_two_values_of_a_list(
    kind: str, pair: tuple[str, str], tmp_path: Path, *, good: bool
) -> None:
    name = KINDS[kind][1]
    run = f"{{{name}: {json.dumps(pair)}}}"
    found = {
        "action": by_action({name: "\n".join(pair)}),
        "generator": by_generator(f"image: .\ndeploy: {{ssh: vps, run: {run}}}\n", tmp_path),
    }
    assert found == {"action": good, "generator": good}
