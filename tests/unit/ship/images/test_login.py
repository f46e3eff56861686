"""Who logs in to a registry: an input, an earlier step, the job, or nobody."""

from __future__ import annotations

import base64
import json

import pytest

from doubles import ScriptedRunner
from ship.images.login import GIVEN, JOB, NONE, STORED, Login, Offers, added
from ship.images.registry.credentials import Credential
from ship.runner.command import Secret
from ship.runner.process import Finished

ME = Credential("me", Secret("given"))
TOKEN = Credential("octocat", Secret("ghs_x"))
STEP = Credential("step", Secret("stored"))
ENTRY = {"auth": base64.b64encode(b"step:stored").decode()}
ANSWER = Finished(0, json.dumps({"Username": "step", "Secret": "stored"}))


@pytest.mark.parametrize(
    ("registry", "config", "source"),
    [
        ("shop.example", {"auths": {"shop.example": ENTRY}}, GIVEN),
        ("ghcr.io", {}, JOB),
        ("ghcr.io", {"auths": {"ghcr.io": ENTRY}}, STORED),
        ("ghcr.io", {"auths": {"https://ghcr.io/v2/": ENTRY}}, STORED),
        ("ghcr.io", {"auths": {"ghcr.io": {}}}, JOB),
        ("ghcr.io", {"auths": {"ghcr.io.example": ENTRY}}, JOB),
        ("docker.io", {"auths": {"https://index.docker.io/v1/": ENTRY}}, STORED),
        ("docker.io", {"auths": {"ghcr.io": ENTRY}}, NONE),
        ("other.example", {}, NONE),
    ],
)
def test_the_login_of_an_earlier_step_goes_before_the_token_of_the_job(
    registry: str, config: dict[str, object], source: str
) -> None:
    offers = Offers("shop.example", ME, TOKEN)
    expected = {GIVEN: ME, STORED: STEP, JOB: TOKEN, NONE: None}[source]
    assert offers.login(registry, config, ScriptedRunner()) == Login(source, expected)


@pytest.mark.parametrize(
    "config",
    [
        {"credsStore": "ecr-login"},
        {"credsStore": "ecr-login", "auths": {}},
        {"credsStore": "ecr-login", "auths": {"ghcr.io": {}}},
        {"credsStore": "none", "credHelpers": {"ghcr.io": "ecr-login"}},
        # As in Docker's client, a store hides what the file has.
        {"credsStore": "ecr-login", "auths": {"ghcr.io": {"auth": "eDp5"}}},
    ],
)
def test_a_store_is_asked_as_docker_asks_it(config: dict[str, object]) -> None:
    runner = ScriptedRunner(ANSWER)
    assert Offers("", None, TOKEN).login("ghcr.io", config, runner) == Login(STORED, STEP)
    assert runner.ran[0].argv == ("docker-credential-ecr-login", "get")


def test_a_store_without_the_login_leaves_it_to_the_job() -> None:
    nothing = Finished(1, "credentials not found in native keychain")
    for ending in (nothing, Finished(0, json.dumps({"Username": "", "Secret": ""}))):
        config = {"credsStore": "desktop", "auths": {"other.example": {}}}
        login = Offers("", None, TOKEN).login("ghcr.io", config, ScriptedRunner(ending))
        assert login == Login(JOB, TOKEN)


def test_a_helper_that_is_empty_means_the_file() -> None:
    config = {"credsStore": "x", "credHelpers": {"ghcr.io": ""}, "auths": {"ghcr.io": ENTRY}}
    assert Offers().login("ghcr.io", config, ScriptedRunner()) == Login(STORED, STEP)


def test_only_logins_that_docker_does_not_have_are_added() -> None:
    logins = {
        "a": Login(GIVEN, ME),
        "b": Login(STORED, STEP),
        "ghcr.io": Login(JOB, TOKEN),
        "c": Login(),
    }
    assert added(logins) == {"a": ME, "ghcr.io": TOKEN}
