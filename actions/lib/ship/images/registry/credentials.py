"""Logins that the runner has already, for registries that no input gives a password for."""

from __future__ import annotations

import binascii  # without what base64 loads, which takes 1 ms
import json
from typing import TYPE_CHECKING, Any

from ship.images.docker_config import auth_key, entry_of
from ship.runner.command import Command, Secret
from ship.runner.errors import UserError
from ship.runner.json_file import object_at
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.process import Runner

# What a credential helper gives for a user when its secret is an identity token.
IDENTITY = "<token>"


class Credential(NamedTuple):
    """A user and a password, or IDENTITY and an identity token."""

    username: str
    password: Secret


def stored(config: Mapping[str, Any], registry: str, runner: Runner) -> Credential | None:
    """Return the login to a registry that a Docker configuration has, or None.

    A helper is asked as Docker does, over stdin:
    https://github.com/docker/docker-credential-helpers#development.
    """
    key = auth_key(registry)
    # An empty helper of a registry means its entry in the file, also where there is a store.
    helper = object_at(config, "credHelpers").get(key, config.get("credsStore"))
    if isinstance(helper, str) and helper:
        return _from_helper(helper, key, runner)
    entry = entry_of(config, registry)
    return _from_entry(entry) if entry else None


def _from_entry(entry: Mapping[str, Any]) -> Credential | None:
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return Credential(IDENTITY, Secret(token))
    try:
        pair = binascii.a2b_base64(str(entry.get("auth", ""))).decode()
    except ValueError:
        return None
    username, colon, password = pair.partition(":")
    return Credential(username, Secret(password.rstrip("\0"))) if colon else None


def _from_helper(helper: str, key: str, runner: Runner) -> Credential | None:
    command = Command(
        (f"docker-credential-{helper}", "get"), why=f"ask for the login to {key}", stdin=Secret(key)
    )
    try:
        found = json.loads(runner.run(command).stdout)
        secret = Secret(str(found["Secret"]))
        return Credential(str(found["Username"]), secret) if secret else None
    except (UserError, ValueError, KeyError, TypeError):
        return None  # No such helper, or it has no login: then it is tried without.
