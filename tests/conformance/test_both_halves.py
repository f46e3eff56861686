"""The generator accepts a value exactly when ssh-deploy does; no mistake shows after the merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.errors import SpecError
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.ssh_deploy.inputs import read_inputs

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
    ),
    "volume": ("data:/data", "/srv:/data", "/:/a:ro", "a.b-c_d:/x:ro,z", "da:/", "/é:/ü"),
    "env": (
        "A", "a_1", "__", "PATH", "ENV", "DOCKER", "LD", "HOMES", "uid", "GITHUB_SHA", "INPUT_X",
    ),
    "network": ("web", "a", "A.b-c_d", "hosts", "0", "bridge", "a" * 101),
    "restart": ("no", "always", "unless-stopped", "on-failure", "on-failure:3", "on-failure:0"),
    "health-timeout": ("1", "60", "3600", "007"),
    "stop-timeout": ("0", "10", "3600"),
    "host": ("h1", "shop.example.com", "10.0.0.1", "::1", "fe80::1", "my_host", "a"),
    "user": ("deploy", "_x", "a.b-c", "A1"),
    "ssh-port": ("22", "1", "65535", "022"),
    "name": ("shop", "A.b-c_d", "00", "a.next.1", "a" * 101),
    "health": ("/", "/health", "/a?b=c&d=%20", "/a#b", "/a[0]", '/"', "/{x}", "/\\"),
    "replaces": ("8080", "ghcr.io/acme/old", "r:5000/old", "shop.example.com", "*.a.b", "test"),
}  # fmt: skip
BAD = {
    "port": (
        "80", "0:80", "80:65536", "80:80/sctp", "80-90:80", "a:80", "000080:80", "h:80:80", ":80",
        "80:", "80:80/TCP", "\u0668\u0660:80", "80:80 -x",
    ),
    "volume": (
        "data", "./a:/b", "a:/b", "data:b", "-v:/x", "data:/a:ro:x", ":/a", "data:/a:1",
        "data:/a b", "a b:/c", "data:/a\tb", "data:/a\u2028b",
    ),
    "env": (
        "1A", "a-b", "A B", "é", "_", "HOME", "IFS", "UID", "EUID", "PPID", "GROUPS", "RANDOM",
        "SECONDS", "SHELLOPTS", "BASHOPTS", "BASH_ENV", "EPOCHSECONDS", "DOCKER_HOST", "LD_PRELOAD",
    ),
    "network": ("-a", ".a", "a b", "a/b", "é", "host", "none", "a" * 102),
    "restart": ("sometimes", "on-failure:", "on-failure:x", "on-failure:\u0663", "No", "always:1"),
    "health-timeout": ("0", "3601", "1.5", "-1", "1s", "\u0663", "9999999999"),
    "stop-timeout": ("3601", "1.5", "-1", "1s", "\u0663"),
    # The action takes lists with users and ports as well; a spec says these apart.
    "host": ("-h", "h-", ".h", "é", "h/x"),
    "user": ("1a", "-a", "a b", "é"),
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
