"""What ssh-deploy is given in secret: in no argument, log or file that others can see."""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.shop import PORT, Shop
from bed.step import Run, start_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bed import Bed, Host
    from bed.deploys import Deploy

pytestmark = pytest.mark.needs("packages", "engine")

# No other run and no other test has these secrets: what they start meanwhile is looked at as well.
OWN = secrets.token_hex(8)
TOKEN = f"ghs_{OWN}"
AUTH = base64.b64encode(f"octocat:{TOKEN}".encode()).decode()
GREETING = f"greeting-{OWN} 'quoted' $(id)"
CERTIFICATE = f"the-pem-of-the-app-{OWN} 'quoted'"
PASSPHRASE = f"open-sesame-{OWN} $(id)"
COMPOSE = f"""\
services:
  web:
    image: ghcr.io/acme/shop
    ports: ["{PORT}:{PORT}"]
    environment: [GREETING]
  task:
    image: ghcr.io/acme/shop
    entrypoint: /bin/busybox
    profiles: [tasks]
"""
IN_THE_IMAGE = {
    "secret_files": f"CERT={CERTIFICATE}",
    "before": "true",
    "options": "--entrypoint=/bin/busybox",
    "command": "sh /bin/serve",
}
FORMS = {
    "run": IN_THE_IMAGE,
    "proxy": {**IN_THE_IMAGE, "strategy": "proxy", "volumes": ""},
    "compose": {"compose": "compose.yml", "ports": "", "volumes": "", "before": "task: true"},
}
STATE = "/home/deploy/.gen-workflow/shop"
# What was written on the host since it was noted; what it mounts is looked at as well.
WRITTEN = (
    "find / ( -path /proc -o -path /sys -o -path /dev ) -prune"
    " -o -type f -newer /var/tmp/begun -exec grep -lsF"
)
# Where Docker keeps what it knows of containers and what they write, which root alone can read.
OF_THE_ENGINE = ("/var/lib/docker/", "/run/docker/", "/run/containerd/")


@pytest.fixture
def host(host: Host) -> Iterator[Host]:
    yield host
    host.run("rm", "-rf", "/var/tmp/begun", "/home/deploy/shop")


def protected(key: str, folder: Path) -> str:
    """Return the same private key behind the passphrase."""
    path = folder / "key"
    path.write_text(key)
    path.chmod(0o600)
    subprocess.run(("ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-f", str(path)), check=True)
    return path.read_text()


@pytest.fixture(
    params=[
        "run",
        pytest.param("proxy", marks=[pytest.mark.needs("kamal-proxy"), pytest.mark.test_all]),
        "compose",
    ]
)
def given(request: pytest.FixtureRequest, bed: Bed) -> dict[str, str]:
    """What a form is given beside what all are."""
    image = {"proxy_image": bed.kamal_proxy_image()} if request.param == "proxy" else {}
    return FORMS[request.param] | image


@pytest.fixture
def run(bed: Bed) -> Iterator[Run]:
    """A run whose token may read the packages."""
    bed.registry.allow(TOKEN, "acme/*:pull")
    yield Run(token=TOKEN)
    bed.registry.revoke(TOKEN)


def test_no_secret_is_seen_on_either_side(
    host: Host, shop: Shop, deploy: Deploy, given: dict[str, str], run: Run
) -> None:
    (deploy.workspace / "compose.yml").write_text(COMPOSE)
    assert deploy(shop.push("1"), **given).code == 0
    host.run("touch", "/var/tmp/begun")
    key = protected(host.private_key, deploy.workspace)
    inputs = deploy.inputs(shop.push("2"), ssh_key=key, ssh_key_passphrase=PASSPHRASE, **given)
    seen: set[str] = set()
    step = start_action(
        "ssh-deploy", inputs, env={"GREETING": GREETING}, workspace=deploy.workspace, run=run
    )
    while step.process.poll() is None:
        # The host's processes are ours to see as well: they run in namespaces of this machine.
        seen |= command_lines()
        time.sleep(0.02)  # a program of Docker runs longer
    result = step.result()
    assert result.code == 0, result.log
    # The first word, for what a file or a program is given may be quoted.
    given_in_secret = {
        "the value of env": GREETING.split(maxsplit=1)[0],
        "the token": TOKEN,
        "the login of the registry": AUTH,
        "the secret file": CERTIFICATE.split(maxsplit=1)[0],
        "the passphrase": PASSPHRASE.split(maxsplit=1)[0],
        "the key": key.splitlines()[2],
    }
    printed = (result.shown, result.summary, str(result.outputs))
    assert told(given_in_secret, (*seen, *printed)) == []
    assert len(seen) > 20, "the samples must have seen something"
    assert any("sh -s" in each for each in seen)
    assert_only_in_their_files(host, list(given_in_secret.values()))


def told(hidden: dict[str, str], texts: Iterable[str]) -> list[str]:
    """Return the lines that hold a secret, with its name where it was."""
    found = []
    for line in "\n".join(texts).splitlines():
        named = line
        for name, secret in hidden.items():
            named = named.replace(secret, f"<{name}>")
        if named != line:
            found.append(named)
    return found


def assert_only_in_their_files(host: Host, words: list[str]) -> None:
    """The docs say where a secret is stored; no other user can read it there."""
    found = written(host, words, user="root")
    ours = [path for path in found if not path.startswith(OF_THE_ENGINE)]
    allowed = ("/home/deploy/shop/.env", f"{STATE}/secrets/", f"{STATE}/releases/")
    assert [path for path in ours if not path.startswith(allowed)] == []
    assert ours, "what is looked for must be found where it is"
    assert written(host, words, user="nobody") == []
    assert host.run("stat", "-c", "%a", "/home/deploy/.gen-workflow").stdout.strip() == "700"
    kept = host.run("find", "/home/deploy", "-name", ".docker", "-o", "-name", ".*_history").stdout
    assert kept == ""


def written(host: Host, words: list[str], *, user: str) -> list[str]:
    """Return the files that hold one of the words, of those that the user can read."""
    patterns = [part for word in words for part in ("-e", word)]
    argv = (*WRITTEN.split(" "), *patterns, "{}", "+")
    return host.run(*argv, user=user, check=False).stdout.splitlines()


def command_lines() -> set[str]:
    """Return the number and the arguments of every program that runs now, also on the host."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = re.sub(r"\s", " ", path.read_text(errors="replace").replace("\0", " "))
            found.add(f"{path.parent.name}: {words}")
    return found
