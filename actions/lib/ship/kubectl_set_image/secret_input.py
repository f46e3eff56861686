"""The Secrets of the cluster that a step writes: those of the app, and the one to pull with."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from ship.images.docker_config import auth_key
from ship.images.login import read_password
from ship.images.reference import Name
from ship.kubectl_set_image.workload_input import NAME
from ship.runner.command import Secret
from ship.runner.context import step_value
from ship.runner.named_tuple import NamedTuple
from ship.runner.reader import ENV_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.runner.reader import Reader

KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
# How tokens begin that GitHub makes for a run or an app, and that are dead within hours:
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
SHORT_LIVED = "ghs_"
FORM = "write the name of a Secret and its keys, such as `app-env: [DB_URL, JWT_KEY]`"
OPAQUE, DOCKER = "Opaque", "kubernetes.io/dockerconfigjson"
ANCHOR = "a-secret-for-the-cluster"


class ClusterSecret(NamedTuple):
    """A Secret of the cluster: its name, its type and its values.

    `hidden` are the parts of them that must not be shown.
    """

    name: str
    values: Mapping[str, Secret]
    type: str = OPAQUE
    # Whether it is made from a token that is dead soon.
    is_short_lived: bool = False
    hidden: tuple[Secret, ...] = ()

    def body(self) -> Secret:
        """Return the object to apply, as JSON."""
        data = {
            key: base64.b64encode(value.reveal().encode("utf-8", "surrogateescape")).decode()
            for key, value in self.values.items()
        }
        return Secret(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": self.name},
                    "type": self.type,
                    "data": data,
                }
            )
        )


def read_secrets(read: Reader, env: Mapping[str, str]) -> tuple[ClusterSecret, ...]:
    """Read the input `secret`; the values are in the environment of the step. Notes problems."""
    text = read.raw("secret")
    if not text.strip():
        return ()
    from ship.runner import mini_yaml  # noqa: PLC0415 - 1 ms, and most steps have none

    try:
        found = mini_yaml.load(text)
    except mini_yaml.Invalid as error:
        where = f"line {error.line}, column {error.column}"
        read.problem("secret", f"{where}: {error.message}", FORM, ANCHOR)
        return ()
    if not isinstance(found, dict) or not found:
        read.problem("secret", "is not a mapping of names to keys", FORM, ANCHOR)
        return ()
    return tuple(_secret(read, name, keys, env) for name, keys in found.items())


def _secret(read: Reader, name: str, keys: Any, env: Mapping[str, str]) -> ClusterSecret:
    if not NAME.fullmatch(name):
        what = f"{name!r} is not a name that Kubernetes accepts"
        read.problem("secret", what, "use small letters, digits and dashes", ANCHOR)
    variables = _variables(keys)
    if variables is None:
        read.problem("secret", f"the keys of {name} are not a list of names", FORM, ANCHOR)
        return ClusterSecret(name, {})
    values = {}
    for key, variable in variables.items():
        if not re.fullmatch(ENV_NAME, variable):
            # Not the word itself: it may be a secret, or a part of one, that should be in `env:`.
            what = f"a word among the keys of {name} is not the name of a variable"
            read.problem("secret", what, f"{FORM}; the values go into `env:`", ANCHOR)
        elif not KEY.fullmatch(key):
            what = f"{key!r} in {name} is not a key that a Secret can have"
            read.problem("secret", what, "use letters, digits, and - _ .", ANCHOR)
        elif not step_value(env, variable):
            # GitHub turns a misspelt secret into nothing.
            hint = f"create the secret, and add `{variable}: ${{{{ secrets.{variable} }}}}` to the "
            what = f"{variable}, for {name}, has no value in the `env:` of the step"
            read.problem("secret", what, f"{hint}`env:` of this step", "a-secret-has-no-value")
        values[key] = Secret(step_value(env, variable))
    return ClusterSecret(name, values)


def _variables(keys: Any) -> dict[str, str] | None:
    """Return the variables of the step by the keys of the Secret; None where there are none."""
    if isinstance(keys, str):
        keys = keys.replace(",", " ").split()
    if isinstance(keys, list) and keys and all(isinstance(each, str) for each in keys):
        return {each: each for each in keys}
    if isinstance(keys, dict) and keys and all(isinstance(each, str) for each in keys.values()):
        return dict(keys)
    return None


def read_pull_secret(read: Reader, images: Sequence[str], actor: str) -> ClusterSecret | None:
    """Read the Secret that the cluster pulls with, where one is asked for. Notes problems."""
    name, user = read.text("pull-secret"), read.text("registry-username") or actor
    if not name:
        for each in ("registry-username", "registry-password"):
            if read.text(each):
                what = "has no use without `pull-secret`"
                read.problem(each, what, "name the Secret to make in `pull-secret`", ANCHOR)
        return None
    hint = "use small letters, digits and dashes"
    read.matching("pull-secret", NAME, "a name that Kubernetes accepts", name, hint=hint)
    registries = dict.fromkeys(parsed.registry for parsed in map(Name.of, images) if parsed)
    if len(registries) > 1:
        # Each node would send the password of one registry to the other.
        what = f"the images are of {' and '.join(registries)}, and one login is for one registry"
        hint = "update the images of each in a step of its own, or create the Secret by hand"
        read.problem("pull-secret", what, hint, ANCHOR)
    registry = next(iter(registries)) if len(registries) == 1 else ""
    password = read_password(read, "registry-password", registry)
    if not password:
        hint = f"give a token that may read packages of {registry or 'the registry'}"
        read.problem("registry-password", "is required for `pull-secret` but empty", hint, ANCHOR)
    if not user:
        read.problem("registry-username", "is required for `pull-secret` but empty", "", ANCHOR)
    auth = Secret(base64.b64encode(f"{user}:{password.reveal()}".encode()).decode())
    login = {"username": user, "password": password.reveal(), "auth": auth.reveal()}
    config = {"auths": {auth_key(registry): login}}
    return ClusterSecret(
        name,
        {".dockerconfigjson": Secret(json.dumps(config))},
        DOCKER,
        is_short_lived=password.reveal().startswith(SHORT_LIVED),
        hidden=(password, auth),
    )
