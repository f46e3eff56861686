"""A Docker configuration of our own for the time of a step, so that no login is left behind."""

from __future__ import annotations

import base64
import json
import os
import pwd
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ship.images.reference import DOCKER_HUB
from ship.runner import cancel
from ship.runner.json_file import object_at, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.runner.command import Secret

# Docker Hub's key in the file is older than its name.
HUB_KEY = "https://index.docker.io/v1/"
# Folders of the user's own configuration that must stay in effect.
KEPT = ("cli-plugins", "contexts", "buildx", "tls", "trust")


def auth_key(registry: str) -> str:
    """Return the key under which Docker looks a registry's credential up."""
    return HUB_KEY if registry == DOCKER_HUB else registry


def own_folder(env: Mapping[str, str]) -> str:
    """Return the folder of the user's own configuration, as Docker finds it."""
    if env.get("DOCKER_CONFIG"):
        return env["DOCKER_CONFIG"]
    home = env.get("HOME")
    if not home:  # A runner that runs as a service may have none.
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            home = os.devnull
    return os.path.join(home, ".docker")


def has_login(env: Mapping[str, str], registry: str) -> bool:
    """Say whether the user's own configuration has a login to a registry."""
    config = read_object(os.path.join(own_folder(env), "config.json"))
    key = auth_key(registry)
    return bool(key in object_at(config, "auths") or key in object_at(config, "credHelpers"))


@contextmanager
def docker_config(
    env: Mapping[str, str], registry: str, username: str, password: Secret
) -> Iterator[str]:
    """Make a folder for DOCKER_CONFIG that can log in to one registry; it is removed afterwards.

    Everything else of the user's configuration stays: plugins, contexts, proxies and the logins to
    other registries. No login is written to the user's own folder; buildx keeps its notes of a
    build there, as always.
    """
    import shutil  # noqa: PLC0415 - 4 ms that a dry run and a wrong input save
    import tempfile  # noqa: PLC0415 - 5 ms more

    own = own_folder(env)
    temp = env.get("RUNNER_TEMP", "")
    folder = tempfile.mkdtemp(prefix="ship-", dir=temp if os.path.isdir(temp) else None)
    try:
        config = _with_login(
            read_object(os.path.join(own, "config.json")), registry, username, password
        )
        descriptor = os.open(os.path.join(folder, "config.json"), os.O_CREAT | os.O_WRONLY, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(config, file)
        for name in KEPT:
            if os.path.isdir(os.path.join(own, name)):
                os.symlink(os.path.join(own, name), os.path.join(folder, name))
        yield folder
    finally:
        with cancel.held_off():
            shutil.rmtree(folder, ignore_errors=True)


def _with_login(
    config: dict[str, Any], registry: str, username: str, password: Secret
) -> dict[str, Any]:
    """Return the configuration with one more login.

    A `credsStore` answers for every registry and would hide the login, so it is asked for the
    registries it has only (https://docs.docker.com/reference/cli/docker/login/).
    """
    key = auth_key(registry)
    auths, helpers = object_at(config, "auths"), object_at(config, "credHelpers")
    store = config.get("credsStore")
    if store:
        helpers = {**{name: store for name in auths if not auths[name]}, **helpers}
    if password:
        pair = f"{username}:{password.reveal()}".encode()
        helpers = {name: tool for name, tool in helpers.items() if name != key}
        auths = {**auths, key: {"auth": base64.b64encode(pair).decode()}}
    kept = {name: value for name, value in config.items() if name != "credsStore"}
    return {**kept, "auths": auths, "credHelpers": helpers}
