"""What most end-to-end tests of ssh-deploy begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, Serving, clean, containers, served
from bed.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host


@pytest.fixture(scope="module", autouse=True)
def home_of_the_host(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test module that leaves a file in the home of the host, and not a later module."""
    tests = [each for each in request.session.items if each.path == request.path]
    if not any("bed" in each.fixturenames for each in tests if isinstance(each, pytest.Function)):
        yield  # this module has no host
        return
    bed: Bed = request.getfixturevalue("bed")
    before = bed.host.run("ls", "-A", "/home/deploy").stdout
    yield
    assert bed.host.run("ls", "-A", "/home/deploy").stdout == before


@pytest.fixture(scope="module")
def shop(bed: Bed) -> Shop:
    return Shop(bed)


@pytest.fixture
def host(bed: Bed) -> Iterator[Host]:
    """The first host, without anything of another test."""
    yield bed.host
    bed.registry.clear_faults()
    clean(bed.host)


@pytest.fixture(scope="session")
def second_host(bed: Bed) -> Host:
    """A host that keeps what a test leaves on it: see `serving`."""
    return bed.add_host()


@pytest.fixture
def serving(bed: Bed, second_host: Host, shop: Shop, tmp_path: Path) -> Iterator[Serving]:
    """A host that serves version 1 and nothing else, and deploys to it.

    A deploy that was undone leaves it so for the next test; after any other it is made again.
    """
    deploy = Deploy(second_host, tmp_path)
    if served(second_host) != "1" or containers(second_host) != {"shop": "running"}:
        clean(second_host)
        first = deploy(shop.push("1"))
        assert first.code == 0, first.log
    # Where it was, a version that is sick when real takes its candidate for real.
    second_host.docker("exec", "shop", "/bin/busybox", "rm", "-f", "/state/seen")
    yield second_host, deploy
    bed.registry.clear_faults()


@pytest.fixture
def deploy(host: Host, tmp_path: Path) -> Deploy:
    return Deploy(host, tmp_path)
