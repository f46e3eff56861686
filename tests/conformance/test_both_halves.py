"""The generator accepts a value exactly when ssh-deploy does; no mistake shows after the merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.errors import SpecError
from gen_workflow.spec import commands, compose, health, hosts, strategy, values, variables
from gen_workflow.spec import options as options_of_spec
from gen_workflow.spec import ports as ports_of_spec
from gen_workflow.spec import volumes as volumes_of_spec
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.ssh import target
from ship.ssh_deploy import common, environment, words
from ship.ssh_deploy import health as health_of_action
from ship.ssh_deploy.compose import inputs as project
from ship.ssh_deploy.inputs import read_inputs
from ship.ssh_deploy.proxy import inputs as proxy
from ship.ssh_deploy.run import inputs, options, ports, volumes

if TYPE_CHECKING:
    from pathlib import Path

KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
KNOWN = "h1 ssh-ed25519 AAAA"
# The services cannot be known, so any name is one.
COMPOSE = "include: [other.yml]\n"
# By kind: the spec with a hole for the value, the input of the action, and how it says the value.
KINDS = {
    "port": ("ports: [{}]", "ports", "{}"),
    "volume": ("volumes: [{}]", "volumes", "{}"),
    "env": ("env: {{{}: x}}", "env", "{}=x"),
    "network": ("networks: {}", "networks", "{}"),
    "secret-file": ("secret-files: {{{}: x}}", "secret-files", "{}=x"),
    "memory": ("memory: {}", "memory", "{}"),
    "cpus": ("cpus: {}", "cpus", "{}"),
    "label": ("labels: {{{}: x}}", "labels", "{}=x"),
    "option": ("options: [{}]", "options", "{}"),
    "command": ("command: {}", "command", "{}"),
    "candidate": ("candidate: {}", "candidate", "{}"),
    "restart": ("restart: {}", "restart", "{}"),
    "stop-timeout": ("stop-timeout: {}", "stop-timeout", "{}"),
}
# The same for keys of `deploy`, with what else both must say.
PATH = {"ports": "80:80", "health": "/"}
BEHIND = PATH | {"strategy": "proxy", "proxy-image": common.DEFAULTS["proxy-image"]}
OF_DEPLOY = {
    "health": ("run: {{ports: ['80:80']}}, health: {}", "health", {"ports": "80:80"}),
    "site": ("run: {{ports: ['80:80']}}, health: {{path: /, host: {}}}", "health-host", PATH),
    "status": ("run: {{ports: ['80:80']}}, health: {{path: /, status: {}}}", "health-status", PATH),
    "health-timeout": ("run: {{}}, health: {{timeout: {}}}", "health-timeout", {}),
    "replaces": ("run: {{}}, replaces: [{}]", "replaces", {}),
    "keep": ("run: {{}}, keep: {}", "keep", {}),
    "max-parallel": ("run: {{}}, max-parallel: {}", "max-parallel", {}),
    "lock-timeout": ("run: {{}}, lock-timeout: {}", "lock-timeout", {}),
    "lock-expiry": ("run: {{}}, lock-expiry: {}", "lock-expiry", {}),
    "older-commit": ("run: {{}}, older-commit: {}", "older-commit", {}),
    "before": ("run: {{}}, before: {}", "before", {}),
    "proxy-host": (
        "run: {{ports: ['80:80']}}, health: /, strategy: {{proxy: {}}}",
        "proxy-hosts",
        BEHIND,
    ),
    "drain": (
        "run: {{ports: ['80:80']}}, health: /, strategy: {{proxy: {{drain: {}}}}}",
        "drain-timeout",
        BEHIND,
    ),
    "proxy-image": (
        "run: {{ports: ['80:80']}}, health: /, strategy: {{proxy: {{image: {}}}}}",
        "proxy-image",
        BEHIND,
    ),
    "dir": ("compose: compose.yml, dir: {}", "dir", {"compose": "compose.yml"}),
    "host-file": (
        "compose: compose.yml, host-files: {{{}: merge}}",
        "host-files",
        {"compose": "compose.yml"},
    ),
    "port-and-path": (
        "compose: compose.yml, health: {}", "health", {"compose": "compose.yml"}
    ),
    "task": ("compose: compose.yml, before: {{{}: migrate}}", "before", {"compose": "compose.yml"}),
    "env-of-compose": ("compose: compose.yml, env: {{{}: x}}", "env", {"compose": "compose.yml"}),
    "env-of-a-script": (
        "script: deploy.sh, env: {{{}: x}}", "env", {"script": "deploy.sh", "image": ""}
    ),
}  # fmt: skip
LINES = {
    "host-file": "{}=merge", "task": "{}: migrate", "env-of-compose": "{}=x",
    "env-of-a-script": "{}=x",
}  # fmt: skip
OF_SSH = {
    "host": ("host: {}", "host"),
    "hosts": ("hosts: [{}]", "host"),
    "user": ("user: {}", "user"),
    "ssh-port": ("port: {}", "port"),
    "jump": ("jump: {}", "jump"),
    "fingerprint": ("fingerprints: {}", "host-fingerprints"),
    "host-ca": ("host-ca: {}", "host-ca"),
    "proxy-command": ("proxy-command: {}", "ssh-proxy-command"),
}
PRINT = f"SHA256:{'a' * 43}"
CA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhUbm9uZSBvZiB5b3VyIGJ1c2luZXNzIQ=="
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
    "secret-file": ("A", "TLS_KEY", "HOME", "DOCKER_HOST"),
    "memory": ("512m", "1G", "1", "1024k", "5B"),
    "cpus": ("1", "1.5", "0.25", "007"),
    "label": ("a", "com.example.team", "traefik.http.routers.a-b.rule", "a/b", "A_b[0]"),
    "option": (
        "--init", "--cap-drop=ALL", "--entrypoint=", "--hostname=a", "--mount=type=tmpfs,target=/t",
        "--read-only=true",
    ),
    "command": (
        "node server.js", "sh -c 'a && b | c > d'", "a=1&b=2", 'say "a; b"', "x|y", "echo \\'",
    ),
    "candidate": ("auto", "always", "never"),
    "site": ("shop.example.com", "a", "shop.example.com:8080", "a_b"),
    "status": ("200", "200-399", "200,401", "100-599", "200-200", "200, 401"),
    "keep": ("1", "1000"),
    "max-parallel": ("1", "9999", "1%", "100%", "25%"),
    "lock-timeout": ("0", "86400"),
    "lock-expiry": ("60", "86400"),
    "older-commit": ("refuse", "deploy"),
    "before": ("npx prisma migrate deploy", "sh -c 'a | b'"),
    "proxy-host": ("shop.example.com", "*.example.com", "a", "A-b.c"),
    "drain": ("0", "3600"),
    "proxy-image": (f"a/b@sha256:{'0' * 64}", f"localhost:5000/a:tag@sha256:{'0' * 64}"),
    "dir": ("/opt/app", "app", "~/app", "a b/c", "/srv/a.b_c-d", ".", "/opt/..a"),
    "host-file": (".env", "compose.override.yml", "docker-compose.override.yaml"),
    "port-and-path": ("/health", ":8080/health", ":1/", ":65535/a?b=c"),
    "task": ("web", "a.b_c-d", "0"),
    "env-of-compose": ("A", "COMPOSE_PROFILES", "IFS", "RANDOM", "BASH_ENV"),
    "env-of-a-script": ("A", "PATH", "COMPOSE"),
    "hosts": (
        "h1", "admin@h1", "h1:2222", "admin@h1:2222", "[::1]:22", "::1", "u@::1", "[::1]", "[h1]:2",
    ),
    "jump": ("h1", "a@h1:22"),
    "fingerprint": (PRINT, f"h1 {PRINT}", f"256 {PRINT} root@h1 (ED25519)", f"{PRINT}="),
    "host-ca": (CA, f"{CA} a comment", f"@cert-authority *.example.com {CA}"),
    "proxy-command": ("cloudflared access ssh --hostname %h", "nc %h %p", "a %% b", "a %n %r"),
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
    "health": ("health", "/a b", "/é", "ftp://a/b", "/a\tb"),
    "replaces": ("-x", "80;id", "$(id)", "é", "a'b"),
    "secret-file": ("1A", "a-b", "A B"),
    "memory": ("0", "1.5g", "512mb", "m", "-1", "1 g"),
    "cpus": ("1,5", ".5", "1.", "-1", "x"),
    "label": ("io.github.gen-workflow.service", "-a", "a b", "é"),
    "option": (
        "-it", "--publish=80:80", "--rm", "--hostname", "--user a", "cap-drop=ALL", "--Init",
        "--env=A=b", "--name=x", "--detach", "--memory=1g",
    ),
    "command": ("a && b", "a | b", "a > b", "a; b", "a & b", "a 2>&1", "it's", 'a "b', "a \\"),
    "candidate": ("sometimes",),
    "site": ("https://a", "a/b", "-a", "a b", "a:x"),
    "status": ("99", "600", "399-200", "ok", "2xx", "200-", "200;401"),
    "keep": ("0", "1001", "all"),
    "max-parallel": ("0", "101%", "0%", "10000", "half"),
    "lock-timeout": ("86401", "-1"),
    "lock-expiry": ("59", "86401"),
    "older-commit": ("allow",),
    "before": ("a && b", "a | b", "it's"),
    "proxy-host": ("https://a", "a_b", "a b", "*", "*.*.a", "-a"),
    "drain": ("3601", "-1"),
    "proxy-image": ("basecamp/kamal-proxy:v0.9.2", f"a@sha256:{'0' * 63}"),
    "dir": ("/", "..", "../app", "-a", "/opt/../..", "a$b", "/opt/é", "~root"),
    "host-file": ("nginx.conf", "compose.yml"),
    "port-and-path": ("health", ":0/", ":65536/", ":x/", "8080/health"),
    "task": ("-a", "a b", "é"),
    "env-of-compose": ("DOCKER_HOST", "LD_PRELOAD", "HOME", "PATH", "UID", "1A"),
    "env-of-a-script": ("HOME", "IFS", "DOCKER_HOST", "COMPOSE_FILE"),
    "hosts": ("@h1", "h1:0", "h1:65536", "h1:x", "é@h1", "-h", "[::1", "h1/x"),
    "jump": ("@h1", "h1:x"),
    "fingerprint": ("MD5:00:11", "SHA256:abc", "h1"),
    "host-ca": ("AAAA", "ssh-ed25519-cert-v01@openssh.com AAAAC3NzaC1=", "ssh-ed25519 BBBB"),
    "proxy-command": ("nc %x", "nc %"),
}  # fmt: skip


# Keys whose default is that of the action: path of the section, key, input.
DEFAULTS = [
    ("deploy", "host-files", "host-files"),
    ("deploy", "keep", "keep"),
    ("deploy", "older-commit", "older-commit"),
    ("deploy", "strategy", "strategy"),
    ("deploy/health", "status", "health-status"),
    ("deploy/health", "timeout", "health-timeout"),
    ("deploy/run", "candidate", "candidate"),
    ("deploy/run", "restart", "restart"),
    ("deploy/run", "stop-timeout", "stop-timeout"),
    ("deploy/ssh", "insecure-host-key", "insecure-host-key"),
    ("deploy/strategy/proxy", "drain", "drain-timeout"),
    ("deploy/strategy/proxy", "tls", "proxy-tls"),
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
    quoted = json.dumps(value, ensure_ascii=False)
    deploy, name, ssh = "run: {}", "", {"host": "host: h1", "user": "user: u"}
    given: dict[str, str] = {}
    if kind == "name":
        name, given["name"] = f"name: {quoted}", value
    elif kind in KINDS:
        hole, key, line = KINDS[kind]
        deploy, given[key] = f"run: {{{hole.format(quoted)}}}", line.format(value)
    elif kind in OF_SSH:
        hole, key = OF_SSH[kind]
        ssh[key] = hole.format(quoted)
        given[key] = value
    else:
        hole, key, more = OF_DEPLOY[kind]
        deploy = hole.format(quoted)
        given |= {**more, key: LINES.get(kind, "{}").format(value)}
    said = [*ssh.values(), "key: '${{ secrets.K }}'"]
    said += [] if kind in ("fingerprint", "host-ca") else [f"known-hosts: {KNOWN}"]
    text = f"image: .\n{name}\ndeploy: {{ssh: {{{', '.join(said)}}}, {deploy}}}\n"
    return text, given


def by_generator(text: str, folder: Path) -> bool:
    (folder / "Dockerfile").touch()
    (folder / "compose.yml").write_text(COMPOSE)
    try:
        load(text.encode(), "gen-workflow.yml", str(folder))
    except SpecError:
        return False
    return True


def by_action(given: dict[str, str], folder: Path) -> bool:
    (folder / "compose.yml").write_text(COMPOSE)
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
        read_inputs(env, Context(repository="acme/app", workspace=str(folder)))
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
    pytest.param(health.PATH, inputs.HEALTH.pattern, id="health"),
    pytest.param(health.SITE, health_of_action.SITE.pattern, id="site"),
    pytest.param(health.STATUS, health_of_action.STATUS.pattern, id="status"),
    pytest.param(options_of_spec.LABEL_NAME, inputs.LABEL_NAME.pattern, id="label"),
    pytest.param(options_of_spec.LONG, options.OPTION.pattern, id="option"),
    pytest.param(options_of_spec.SWITCHES, options.SWITCHES, id="options without a value"),
    pytest.param(options_of_spec.TAKEN, options.TAKEN, id="options with an input"),
    pytest.param(options_of_spec.FORBIDDEN, options.FORBIDDEN, id="options that are refused"),
    pytest.param(options_of_spec.MEMORY.pattern, options.MEMORY.pattern, id="memory"),
    pytest.param(options_of_spec.CPUS.pattern, options.CPUS.pattern, id="cpus"),
    pytest.param(commands.QUOTED, words.QUOTED.pattern, id="quoted words"),
    pytest.param(commands.OPERATOR, words.OPERATOR.pattern, id="operators of a shell"),
    pytest.param(commands.SERVICE, project.SERVICE.pattern, id="service"),
    pytest.param(compose.PROJECT, project.PROJECT.pattern, id="compose project"),
    pytest.param(compose.MERGED, project.MERGED.pattern, id="merged files"),
    pytest.param(compose.HOST_FILES, project.HOST_FILES, id="host-files"),
    pytest.param(variables.OF_COMPOSE, project.RESERVED.pattern, id="env of compose"),
    pytest.param(strategy.SITE, proxy.HOST.pattern, id="site of the proxy"),
    pytest.param(values.HOSTS_AT_A_TIME, common.GROUP.pattern, id="max-parallel"),
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
    assert {"action": by_action(given, tmp_path), "generator": by_generator(text, tmp_path)} == {
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
        "action": by_action({name: "\n".join(pair)}, tmp_path),
        "generator": by_generator(f"image: .\ndeploy: {{ssh: vps, run: {run}}}\n", tmp_path),
    }
    assert found == {"action": good, "generator": good}
