from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ship.images.docker_config import docker_config
from ship.runner.command import Secret


def read(folder: str) -> dict[str, dict[str, object]]:
    config: dict[str, dict[str, object]] = json.loads((Path(folder) / "config.json").read_text())
    return config


def test_the_login_is_for_us_alone_and_gone_afterwards(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path)}
    with docker_config(env, "ghcr.io", "me", Secret("t:k")) as folder:
        assert read(folder)["auths"] == {"ghcr.io": {"auth": base64.b64encode(b"me:t:k").decode()}}
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert (Path(folder) / "config.json").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_the_login_is_gone_when_the_step_fails(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path)}
    with pytest.raises(KeyboardInterrupt), docker_config(env, "ghcr.io", "me", Secret("t")):
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
    with docker_config({"HOME": str(tmp_path)}, "ghcr.io", "me", Secret("t")) as folder:
        made = read(folder)
        assert made["credHelpers"] == {"other.example": "desktop", "aws.example": "ecr-login"}
        assert set(made["auths"]) == {"ghcr.io", "other.example", "inline.example"}
        assert made["proxies"] == config["proxies"]
        assert "credsStore" not in made
        assert (Path(folder) / "cli-plugins").resolve() == own / "cli-plugins"
    assert (own / "config.json").read_text() == before
    assert (own / "cli-plugins").is_dir()


def test_a_broken_configuration_of_the_user_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with docker_config({"DOCKER_CONFIG": str(tmp_path)}, "docker.io", "me", Secret("t")) as folder:
        assert list(read(folder)["auths"]) == ["https://index.docker.io/v1/"]
