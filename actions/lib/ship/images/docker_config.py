"""A temporary Docker configuration for a step, so that no login is left on the runner."""

from __future__ import annotations

import binascii  # without what base64 loads, which takes 1 ms
import json
import os
import pwd
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ship.images.reference import DOCKER_HUB
from ship.runner import cancel
from ship.runner.json_file import object_at, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.runner.command import Secret

# In the file Docker Hub has this key, which is older than its name.
HUB_KEY = "https://index.docker.io/v1/"
# Folders of the user's own configuration that the step uses too.
KEPT = ("cli-plugins", "contexts", "buildx", "tls", "trust")


def auth_key(registry: str) -> str:
    """Return the key of a registry in Docker's configuration."""
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


def own_config(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the user's own configuration; an empty one where there is none."""
    return read_object(os.path.join(own_folder(env), "config.json"))


def entry_of(config: Mapping[str, Any], registry: str) -> dict[str, Any] | None:
    """Return the entry of a registry in `auths`, which may have its address as the key."""
    auths, key = object_at(config, "auths"), auth_key(registry)
    named = (name for name in auths if re.sub(r"^https?://", "", name).partition("/")[0] == key)
    found = key if key in auths else next(named, None)
    return object_at(auths, found) if found else None


def may_have_login(env: Mapping[str, str], registry: str) -> bool:
    """Say whether the user's own configuration has a login, or a store that may have one."""
    config = own_config(env)
    helps = auth_key(registry) in object_at(config, "credHelpers")
    return bool(helps or config.get("credsStore") or entry_of(config, registry) is not None)


@contextmanager
def docker_config(
    env: Mapping[str, str], config: Mapping[str, Any], added: Mapping[str, tuple[str, Secret]]
) -> Iterator[str]:
    """Make a folder for DOCKER_CONFIG with logins that are `added`; it is removed afterwards.

    `added` has users and passwords by registry. Everything else of the user's `config` stays:
    plugins, contexts, proxies and the logins to other registries. No login is written to the
    user's own folder; buildx keeps its notes of a build there, as always.
    """
    import shutil  # noqa: PLC0415 - 4 ms that a dry run and a wrong input save
    import tempfile  # noqa: PLC0415 - 5 ms more

    own = own_folder(env)
    temp = env.get("RUNNER_TEMP", "")
    folder = tempfile.mkdtemp(prefix="ship-", dir=temp if os.path.isdir(temp) else None)
    try:
        descriptor = os.open(os.path.join(folder, "config.json"), os.O_CREAT | os.O_WRONLY, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(_with_logins(config, added), file)
        for name in KEPT:
            if os.path.isdir(os.path.join(own, name)):
                os.symlink(os.path.join(own, name), os.path.join(folder, name))
        yield folder
    finally:
        with cancel.held_off():
            shutil.rmtree(folder, ignore_errors=True)


def _with_logins(
    config: Mapping[str, Any], added: Mapping[str, tuple[str, Secret]]
) -> dict[str, Any]:
    """Return the configuration with more logins.

    A store or a helper would hide a login in the file. For Docker an empty helper of a registry
    means the file, which leaves the store to all others
    (https://docs.docker.com/reference/cli/docker/login/).
    """
    auths = dict(object_at(config, "auths"))
    helpers = dict(object_at(config, "credHelpers"))
    for registry, (username, password) in added.items():
        key = auth_key(registry)
        pair = f"{username}:{password.reveal()}".encode()
        auths[key] = {"auth": binascii.b2a_base64(pair, newline=False).decode()}
        if config.get("credsStore") or key in helpers:
            helpers[key] = ""
    return {**config, "auths": auths, "credHelpers": helpers}
