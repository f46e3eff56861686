"""ssh-deploy on a host where others run containers too, and deploys of one repository that meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.deploys import Deploy, containers, served
from bed.shop import PORT, TOKEN, Shop
from bed.step import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Host
    from bed.step import StepResult

pytestmark = pytest.mark.needs("packages", "engine")

STACK = "/home/deploy/stack"
# As many stacks have it: the name of the container is not that of the project.
COMPOSE = """\
services:
  cache:
    image: {image}
    container_name: redis
    ports: ["6379:{port}"]
    volumes: ["data:/state"]
volumes:
  data:
"""
OF_REDIS = Run(repository="acme/redis")


def identity(host: Host, name: str) -> str:
    """Which container it is and since when it runs."""
    return host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name).stdout


def pull(host: Host, image: str) -> None:
    """Pull an image as the root of the host does, who leaves no login behind."""
    login = ("docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin")
    host.run(*login, input=TOKEN)
    host.docker("pull", "-q", image)
    host.run("docker", "logout", "ghcr.io")


@pytest.fixture
def stack(host: Host, shop: Shop) -> Iterator[Host]:
    """A host where somebody runs a compose project, one container of which is called redis."""
    image = shop.push("1")
    pull(host, image)
    host.run("mkdir", "-p", STACK)
    host.write(f"{STACK}/compose.yml", COMPOSE.format(image=image, port=PORT))
    host.run("docker", "compose", "up", "-d", cwd=STACK)
    yield host
    host.run("docker", "compose", "down", "-v", cwd=STACK)
    host.run("rm", "-rf", STACK)


@pytest.mark.test_all
def test_a_container_of_a_compose_project_is_replaced_by_nobody(
    stack: Host, shop: Shop, deploy: Deploy
) -> None:
    before = identity(stack, "redis")
    inputs = deploy.inputs(shop.push("2"), name="redis")
    for more in ({}, {"adopt": "true"}):
        result = deploy.run(inputs | more, run=OF_REDIS)
        assert result.code == 2, result.log
        assert "redis (image ghcr.io/acme/shop@sha256:" in result.errors[0]
        assert "the compose project stack" in result.errors[0]
        assert "another `name`" in result.errors[0]
        assert result.outputs["result"] == "refused"
    assert containers(stack) == {"redis": "running"}
    assert identity(stack, "redis") == before
    beside = deploy.run(inputs | {"name": "redis-app"}, run=OF_REDIS)
    assert beside.code == 0, beside.log
    assert served(stack) == "2"
    assert identity(stack, "redis") == before


def test_a_container_made_by_hand_is_replaced_only_when_the_person_says_so(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    image = shop.push("1")
    pull(host, image)
    host.docker("network", "create", "web")
    host.docker(
        "run", "-d", "--name", "shop", "-p", f"{PORT}:{PORT}", "--network", "web",
        "--env", "DB_PASSWORD=s3cret", "--env", "GREETING=by hand", "--env", "VERSION=1",
        "--volume", "uploads:/uploads", "--volume", "state:/state", image,
    )  # fmt: skip
    before = identity(host, "shop")
    refused = deploy(shop.push("2"))
    assert refused.code == 2, refused.log
    assert f"the container shop (image {image}) on the host was not made by" in refused.errors[0]
    assert "`adopt: true`" in refused.errors[0]
    assert identity(host, "shop") == before
    result = deploy(shop.push("2"), adopt="true")
    assert result.code == 0, result.log
    assert served(host) == "2"
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}
    differences = "the network web; the variable DB_PASSWORD; the volume uploads:/uploads"
    assert differences in result.log
    kept = "/home/deploy/.gen-workflow/shop/adopted-shop.json"
    for said in (result.log, result.summary.replace("\\", "")):
        assert differences in said
        assert kept in said
        assert "s3cret" not in said
        assert "VERSION" not in said.replace("VERSION=", "")
    assert host.run("stat", "-c", "%a %U", kept).stdout.strip() == "600 deploy"
    definition: list[dict[str, Any]] = json.loads(host.run("cat", kept).stdout)
    assert definition[0]["Id"] == before.split()[0]
    assert "DB_PASSWORD=s3cret" in definition[0]["Config"]["Env"]
    again = deploy(shop.push("1"), adopt="true")
    assert again.code == 0, again.log
    assert "a deploy has made the container shop: remove the input 'adopt'" in again.log


def staging(deploy: Deploy, image: str, **changes: str) -> StepResult:
    """Deploy as a second job of the repository does."""
    return deploy(image, **{"ports": f"8081:{PORT}", "volumes": "", **changes})


def test_staging_beside_production_does_not_replace_it(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    production = deploy(shop.push("1"), ports=f"80:{PORT}")
    assert production.code == 0, production.log
    before = identity(host, "shop")
    refused = staging(deploy, shop.push("2"))
    assert refused.code == 2, refused.log
    assert "it has the port 80, and this deploy has 8081" in refused.errors[0]
    assert "a `name` of its own" in refused.errors[0]
    assert "`replaces: 80`" in refused.errors[0]
    assert refused.outputs["result"] == "refused"
    assert identity(host, "shop") == before
    assert served(host, port=80) == "1"
    beside = staging(deploy, shop.push("2"), environment="staging")
    assert beside.code == 0, beside.log
    assert (served(host, port=80), served(host, port=8081)) == ("1", "2")
    assert identity(host, "shop") == before
    assert containers(host) == {"shop": "running", "shop-staging": "running"}
    moved = staging(deploy, shop.push("2"), replaces="80")
    assert moved.code == 2, moved.log
    assert "port 8081: the container shop-staging" in moved.errors[0]
    moved = deploy(shop.push("2"), ports=f"8082:{PORT}", replaces="80")
    assert moved.code == 0, moved.log
    assert served(host, port=8082) == "2"
