"""What is read out of `docker compose config --format json`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ship.runner.errors import StepFailed, UserError
from ship.ssh_deploy.compose.project import (
    Place,
    Project,
    choose_images,
    images_of_override,
    override,
    override_of_tasks,
    read_project,
)

DIGEST = "sha256:" + "a" * 64
IMAGE = f"ghcr.io/acme/shop@{DIGEST}"


def project(**services: dict[str, Any]) -> Project:
    return read_project(json.dumps({"name": "shop", "services": services}).encode())


SHOP = project(
    web={"image": "ghcr.io/acme/shop:latest"},
    worker={"image": f"ghcr.io/acme/shop@sha256:{'b' * 64}", "profiles": ["jobs"]},
    db={"image": "postgres:16"},
    built={"build": {"context": "/x"}},
)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"name": "x", "services": [1]}', b"\xff"])
def test_what_is_no_project_is_an_error_without_its_words(text: bytes) -> None:
    with pytest.raises(StepFailed, match="cannot be read"):
        read_project(text)


def test_an_image_goes_to_all_services_of_its_repository() -> None:
    assert choose_images(SHOP, {}, IMAGE) == {"web": IMAGE, "worker": IMAGE}


def test_a_short_name_and_docker_io_are_the_same_repository() -> None:
    image = f"docker.io/library/postgres@{DIGEST}"
    assert list(choose_images(SHOP, {}, image)) == ["db"]


def test_named_images_go_where_they_are_named() -> None:
    assert choose_images(SHOP, {"built": IMAGE}, "") == {"built": IMAGE}


def test_an_image_that_no_service_has_is_an_error_with_the_services() -> None:
    with pytest.raises(UserError) as caught:
        choose_images(SHOP, {}, f"ghcr.io/acme/other@{DIGEST}")
    text = str(caught.value)
    assert "no service of the project has an image of ghcr.io/acme/other" in text
    assert "web (ghcr.io/acme/shop:latest)" in text
    assert "built (no image, it is built)" in text


def test_an_image_for_a_service_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UserError, match="the project has no service wbe"):
        choose_images(SHOP, {"wbe": IMAGE}, "")


@pytest.mark.parametrize(
    ("port", "place"),
    [
        ({"published": "8080"}, Place("web", "127.0.0.1", "8080")),
        ({"published": 8080}, Place("web", "127.0.0.1", "8080")),
        ({"published": "8080-8085"}, Place("web", "127.0.0.1", "8080")),
        ({"published": "80", "host_ip": "10.0.0.1"}, Place("web", "10.0.0.1", "80")),
        ({"published": "80", "host_ip": "0.0.0.0"}, Place("web", "127.0.0.1", "80")),  # noqa: S104
        ({"published": "80", "host_ip": "::1"}, Place("web", "[::1]", "80")),
        ({"published": "53", "protocol": "udp"}, None),
        ({"target": 80}, None),
        ({"published": "0"}, None),
    ],
)
def test_the_first_published_tcp_port_is_asked(port: dict[str, Any], place: Place | None) -> None:
    assert project(db={}, web={"ports": [port]}).published(("web",)) == place
    assert project(web={"ports": [port]}).published(("db",)) is None


def test_a_service_behind_a_profile_is_asked_last() -> None:
    made = project(
        tool={"profiles": ["x"], "ports": [{"published": "1"}]}, web={"ports": [{"published": "2"}]}
    )
    assert made.published(("tool", "web")) == Place("web", "127.0.0.1", "2")


def test_the_ports_of_a_project_are_those_that_running_services_publish_for_sure() -> None:
    ports = [{"published": "80"}, {"published": 443}, {"published": "8000-8010"}, {"target": 9}]
    services = {
        "web": {"ports": ports},
        "db": {"ports": [{"published": "80"}, {"published": "0"}]},
        "tool": {"ports": [{"published": "9000"}], "profiles": ["tools"]},
    }
    assert project(**services).ports() == ("80", "443")


def test_a_service_that_others_wait_for_is_a_task() -> None:
    waits = {"condition": "service_completed_successfully"}
    made = project(
        web={"depends_on": {"migrate": waits, "db": {"condition": "service_healthy"}}},
        migrate={"depends_on": {"db": {"condition": "service_healthy"}}},
        db={},
        tool={"profiles": ["x"], "depends_on": {"web": waits}},
    )
    assert made.tasks() == ("migrate",)
    assert made.needed_by("web") == ("migrate", "db")


def test_a_service_without_replicas_is_not_expected() -> None:
    made = project(
        web={}, off={"deploy": {"replicas": 0}}, none={"scale": 0}, x={"profiles": ["y"]}
    )
    assert made.running() == ("web",)


def test_images_of_others_are_pulled_but_not_those_that_are_built() -> None:
    assert SHOP.others(("web",)) == ("postgres:16",)
    assert SHOP.built(("web",)) == ("built",)
    assert SHOP.built(("web", "built")) == ()


def test_an_image_that_could_be_built_is_pulled_by_its_name() -> None:
    made = project(web={"image": "acme/web", "build": {"context": "/x"}})
    assert made.others(()) == ("acme/web",)
    assert made.built(()) == ()


def test_a_doubled_dollar_is_one() -> None:
    assert project(web={"image": "a$$b"}).image("web") == "a$b"


def test_what_a_service_sees_are_binds_and_named_files() -> None:
    reported = {
        "name": "shop",
        "services": {
            "web": {
                "volumes": [
                    {"type": "bind", "source": "/srv/conf"},
                    {"type": "volume", "source": "data"},
                ],
                "configs": [{"source": "site"}],
                "secrets": [{"source": "key"}, {"source": "external"}],
            }
        },
        "configs": {"site": {"file": "/srv/site.conf"}},
        "secrets": {"key": {"file": "/srv/key"}, "external": {"external": True}},
    }
    seen = [path for path in read_project(json.dumps(reported).encode()).mounted("web") if path]
    assert seen == ["/srv/conf", "/srv/site.conf", "/srv/key"]


def test_an_override_tells_its_images_again() -> None:
    text = override({"web": IMAGE}, {"web": "12", "proxy": "34"})
    assert images_of_override(text.encode()) == {"web": IMAGE}
    proxy = json.loads(text)["services"]["proxy"]
    assert proxy == {"labels": {"io.github.gen-workflow.files": "34"}}
    assert images_of_override(b"") == {}


def test_the_container_of_a_command_gets_nothing_that_others_find_its_service_by() -> None:
    web: dict[str, Any] = {
        "labels": {"traefik.enable": "true"},
        "hostname": "shop",
        "networks": {"net": {"aliases": ["shop"], "ipv4_address": "10.0.0.9"}, "default": None},
    }
    made = project(web=web, plain={"networks": {"default": None}}, alone={}, other=web)
    assert override_of_tasks(made, ("web", "plain", "alone")) == (
        '{"services": {"web": {"labels": !reset null, "hostname": !reset null, '
        '"networks": {"net": {"ipv4_address": !reset null}}}}}'
    )
