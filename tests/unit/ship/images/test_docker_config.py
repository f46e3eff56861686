from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ship.images.docker_config import docker_config, may_have_login, own_config
from ship.images.registry.credentials import Credential
from ship.runner.command import Secret

ME = Credential("me", Secret("t:k"))


def read(folder: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((Path(folder) / "config.json").read_text())
    return config


def test_the_login_is_for_us_alone_and_gone_afterwards(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path)}
    with docker_config(env, own_config(env), {"ghcr.io": ME}) as folder:
        assert read(folder)["auths"] == {"ghcr.io": {"auth": base64.b64encode(b"me:t:k").decode()}}
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert (Path(folder) / "config.json").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_the_login_is_gone_when_the_step_fails(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path)}
    with pytest.raises(KeyboardInterrupt), docker_config(env, {}, {"ghcr.io": ME}):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_other_logins_plugins_and_proxies_of_the_user_stay_in_effect(tmp_path: Path) -> None:
    own = tmp_path / ".docker"
    (own / "cli-plugins").mkdir(parents=True)
    config = {
        "auths": {"ghcr.io": {"auth": "old"}, "other.example": {}, "inline.example": {"auth": "x"}},
        "credsStore": "desktop",
        "credHelpers": {"aws.example": "ecr-login", "ghcr.io": "gh"},
        "proxies": {"default": {"httpProxy": "http://proxy"}},
    }
    (own / "config.json").write_text(json.dumps(config))
    before = (own / "config.json").read_text()
    env = {"HOME": str(tmp_path)}
    with docker_config(env, own_config(env), {"ghcr.io": ME, "docker.io": ME}) as folder:
        made = read(folder)
        # For these two the file, and the store for all others.
        ours = {"ghcr.io": "", "https://index.docker.io/v1/": ""}
        assert made["credHelpers"] == {"aws.example": "ecr-login", **ours}
        assert made["credsStore"] == "desktop"
        assert set(made["auths"]) == {*ours, "other.example", "inline.example"}
        assert made["auths"]["ghcr.io"] == made["auths"]["https://index.docker.io/v1/"]
        assert made["proxies"] == config["proxies"]
        assert (Path(folder) / "cli-plugins").resolve() == own / "cli-plugins"
    assert (own / "config.json").read_text() == before
    assert (own / "cli-plugins").is_dir()


def test_a_broken_configuration_of_the_user_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    env = {"DOCKER_CONFIG": str(tmp_path)}
    with docker_config(env, own_config(env), {"docker.io": ME}) as folder:
        assert list(read(folder)["auths"]) == ["https://index.docker.io/v1/"]


def test_a_store_alone_stays_in_effect(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "ecr-login"}')
    env = {"DOCKER_CONFIG": str(tmp_path)}
    assert may_have_login(env, "1.dkr.ecr.eu-west-1.amazonaws.com")
    with docker_config(env, own_config(env), {}) as folder:
        assert read(folder)["credsStore"] == "ecr-login"
        assert read(folder)["credHelpers"] == {}


@pytest.mark.parametrize(
    ("config", "known"),
    [
        ("{}", False),
        ('{"auths": []}', False),
        ('{"auths": {"other.example": {"auth": "eDp5"}}}', False),
        ('{"auths": {"r.example": {"auth": "eDp5"}}}', True),
        ('{"auths": {"https://r.example": {"auth": "eDp5"}}}', True),
        ('{"credHelpers": {"r.example": "x"}}', True),
        ('{"credsStore": "x"}', True),
    ],
)
def test_a_login_may_be_in_the_file_in_a_helper_or_in_a_store(
    tmp_path: Path, config: str, *, known: bool
) -> None:
    (tmp_path / "config.json").write_text(config)
    assert may_have_login({"DOCKER_CONFIG": str(tmp_path)}, "r.example") is known
