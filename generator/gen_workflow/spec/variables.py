"""The environment of the app and build arguments: names of secrets, and names with values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.expressions import EXPRESSION, source_name, value_or_expression
from gen_workflow.spec.forms import Checked, anchored, entries, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.spec.document import Reading, Value

_MIXED = "write for example [DB_URL, {LOG_LEVEL: info}], where a name alone is a secret"
_SECRETS_HINT = "write for example {app-env: [DB_URL, JWT_SECRET]}, a Secret and its keys"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# What Kubernetes takes (kubernetes.io/docs/concepts/overview/working-with-objects/names).
OBJECT_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
KEY_NAME = r"[-._a-zA-Z0-9]{1,253}"
OBJECT_NAME_HINT = "use small letters, digits, - and . with a letter or digit at both ends"
# These steer the shell or Docker's client on the host, or bash there does not keep their value.
OF_THE_HOST = (
    r"DOCKER_.*|COMPOSE_.*|LD_.*|HOME|IFS|_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH.*|EPOCH.*|S?RANDOM"
    r"|SECONDS|LINENO|OPTIND|FUNCNAME|DIRSTACK|HISTCMD"
)
# These decide which engine and which compose are used, before compose reads the file .env.
OF_COMPOSE = r"DOCKER_.*|LD_.*|HOME|PATH|UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO"
# Set in the env of a step, these change how the runner, bash or ssh themselves work. Our actions
# set JOB_TOKEN themselves, so the app would get the token of the job for its value.
_OF_THE_RUNNER = r"PATH|ENV|CDPATH|TMPDIR|JOB_TOKEN|(?:GITHUB|RUNNER|ACTIONS|INPUT|SSH)_.*"
# These change as well how bash, kubectl, or the login to a cloud work.
_OF_KUBECTL = (
    r"HOME|IFS|_|UID|EUID|PPID|SHELLOPTS|BASH.*|LD_.*|KUBE.*|(?i:https?_proxy|no_proxy|all_proxy)"
    r"|SSL_CERT_.*|(?:AWS|GOOGLE|CLOUDSDK|GCP|GCLOUD|AZURE|AAD)_.*"
)


class Reserved(NamedTuple):
    """Names that a variable cannot have on the host, and what it would change there."""

    names: str
    what: str


_OF_A_CONTAINER = Reserved(OF_THE_HOST, "how the host starts the container")
OF_FORM = {
    "run": _OF_A_CONTAINER,
    "script": Reserved(OF_THE_HOST, "how the shell on the host works"),
    "compose": Reserved(OF_COMPOSE, "which Docker the host uses"),
}


class Variable(NamedTuple):
    """A name and its value, which may be an expression of GitHub's."""

    name: str
    value: str

    @property
    def fits_a_line(self) -> bool:
        """Whether the value can stand in the action's list, whose lines are split and stripped.

        Any other value, and all that GitHub fills in, travels in the env of the step.
        """
        computed = "${{" in self.value
        return not computed and self.value.isprintable() and self.value == self.value.strip()


class AppSecret(NamedTuple):
    """A Secret of the cluster: its name, and its keys with their values."""

    name: str
    keys: tuple[Variable, ...]


def _env(value: Value, reading: Reading) -> tuple[Variable, ...]:
    """Return the environment of a container: `[SECRET]`, `{NAME: value}`, or both in a list."""
    found = _in_the_step(value, reading)
    return tuple(one for one in found if fits_the_host(value, one.name, _OF_A_CONTAINER, reading))


def _in_the_step(value: Value, reading: Reading) -> tuple[Variable, ...]:
    """Return variables that can travel in the env of the step, where their values need it."""
    found = []
    in_the_step: dict[str, str] = {}
    for place, one in variables(value, reading, _is_name):
        if not _may_travel(place, one, reading):
            continue
        other = one.name if one.fits_a_line else in_the_step.setdefault(one.name.upper(), one.name)
        if other != one.name:
            what = (
                f"GitHub takes `{one.name}` and `{other}` for one name: they differ in case alone"
            )
            reading.problem(place, what, "give one of them another name", Heading.TWICE)
        found.append(one)
    return tuple(found)


def variables(
    value: Value,
    reading: Reading,
    is_name: Callable[[Value, str, Reading], bool],
    also: tuple[str, ...] = (),
) -> list[tuple[Value, Variable]]:
    """Return the variables of a list or a mapping, each with its place.

    `also` are expressions that are allowed in them and not elsewhere.
    """
    found: dict[str, tuple[Value, Variable]] = {}
    for place, name, content in _pairs(value, reading, also):
        if name in found:
            reading.problem(place, f"{name!r} appears twice", "keep one of them", Heading.TWICE)
        elif is_name(place, name, reading) and content is not None:
            found[name] = place, Variable(name, content)
    return list(found.values())


def fits_the_step(name: str) -> bool:
    """Tell whether the env of a step that runs kubectl can have a variable of a name."""
    free = not re.fullmatch(f"{_OF_THE_RUNNER}|{_OF_KUBECTL}", name)
    return free and bool(re.fullmatch(_NAME, name))


def _secrets(value: Value, reading: Reading) -> tuple[AppSecret, ...]:
    """Return Secrets of the cluster: a mapping of their names to what `env` of a host takes."""
    if value.kind != "a mapping" or not value.pairs():
        what = (
            "is empty" if value.kind == "a mapping" else f"should be a mapping, but is {value.kind}"
        )
        reading.problem(value, what, _SECRETS_HINT, Heading.WRONG_KIND)
        return ()
    found = []
    for name, content in entries(value, reading):
        if not re.fullmatch(OBJECT_NAME, name.text):
            what = f"{name.text!r} is not a name of a Secret"
            reading.problem(name, what, OBJECT_NAME_HINT, Heading.WRONG_VALUE)
        if content.kind in ("a list", "a mapping") and not content.node.value:
            reading.problem(content, "is empty", _SECRETS_HINT, Heading.WRONG_KIND)
        keys = variables(content, reading, _is_key)
        for place, key in keys:
            if not key.value:
                what = "is empty, and the deploy takes this for a secret that does not exist"
                reading.problem(
                    place, what, "write a value, or remove the key", Heading.WRONG_VALUE
                )
        found.append(AppSecret(name.text, tuple(key for _, key in keys)))
    return tuple(found)


def _pairs(
    value: Value, reading: Reading, also: tuple[str, ...]
) -> list[tuple[Value, str, str | None]]:
    """Return the place, the name and the value of each variable; a wrong value is None."""
    if value.kind == "a mapping":
        return [
            (key, key.text, value_or_expression(item, reading, also))
            for key, item in entries(value, reading)
        ]
    if value.kind != "a list":
        reading.problem(
            value, f"should be a list or a mapping, but is {value.kind}", _MIXED, Heading.WRONG_KIND
        )
        return []
    found: list[tuple[Value, str, str | None]] = []
    for item in value.items():
        inside = item.kind == "a mapping"
        found += _pairs(item, reading, also) if inside else _secret(item, reading)
    return found


def _secret(item: Value, reading: Reading) -> list[tuple[Value, str, str | None]]:
    if item.kind == "text" and "${{" in item.text:
        _explain_expression(item, reading)
        return []
    name = text(item, reading, "DB_URL, the name of a secret", _NAME)
    if name is None:
        return []
    if "=" in name:
        key, _, content = name.partition("=")
        what = f"{name!r}: a name alone in this list is a secret"
        hint = f"write a value as a mapping: {{{key}: {content or chr(34) * 2}}}"
        reading.problem(item, what, hint, Heading.SECRET)
        return []
    if not source_name(item, name, reading):
        return []
    return [(item, name, f"${{{{ secrets.{name} }}}}")]


def _explain_expression(item: Value, reading: Reading) -> None:
    """Note that an item of a list is an expression: never "write the value" of a secret."""
    name, _, content = item.text.rpartition("=") if "=${{" in item.text else ("", "", item.text)
    hint = f'name the variable that gets it: {{{name or "NAME"}: "{content}"}}'
    if not name and (secret := re.fullmatch(r"\$\{\{\s*secrets\.(\w+)\s*\}\}", content)):
        hint = f"write {secret[1]} alone, which also names the variable; or {hint}"
    what = "a list holds names of secrets, and no expressions"
    reading.problem(item, what, hint, Heading.NOT_ALLOWED)


def _is_name(value: Value, name: str, reading: Reading) -> bool:
    """Tell whether a variable of the environment can have a name at all."""
    if re.fullmatch(_NAME, name):
        return True
    what = f"{name!r} is not a name of an environment variable"
    reading.problem(
        value, what, "use letters, digits and _, with no digit first", Heading.WRONG_VALUE
    )
    return False


def _is_key(value: Value, name: str, reading: Reading) -> bool:
    """Tell whether a Secret of the cluster can have a key of a name."""
    if re.fullmatch(KEY_NAME, name):
        return True
    what = f"{name!r} is not a key that a Secret can have"
    reading.problem(value, what, "use letters, digits, and - _ .", Heading.WRONG_VALUE)
    return False


def _may_travel(value: Value, one: Variable, reading: Reading) -> bool:
    """Tell whether a variable may go, where needed, through the step's own env."""
    if one.fits_a_line or not re.fullmatch(_OF_THE_RUNNER, one.name):
        return True
    what = f"`{one.name}` would change how the step itself works on the runner"
    _rename(value, one.name, what, reading)
    return False


def fits_the_host(value: Value, name: str, reserved: Reserved, reading: Reading) -> bool:
    """Tell whether the host can have a variable of a name; `value` is the list that it is in."""
    if not re.fullmatch(reserved.names, name):
        return True
    what = f"`{name}` would change {reserved.what}"
    _rename(value.named(name), name, what, reading)
    return False


def _rename(value: Value, name: str, what: str, reading: Reading) -> None:
    hint = f"give the variable another name, such as `APP_{name}`"
    reading.problem(value, what, hint, Heading.RESERVED)


def _args(value: Value, reading: Reading) -> tuple[Variable, ...]:
    """Return build arguments; secrets are refused, because an image keeps its arguments."""
    if value.kind != "a mapping":
        hint = "write for example {VERSION: '1.2'}"
        reading.problem(
            value, f"should be a mapping, but is {value.kind}", hint, Heading.WRONG_KIND
        )
        return ()
    found = []
    for key, item in entries(value, reading):
        content = value_or_expression(item, reading)
        named = _is_name(key, key.text, reading)
        if content is not None and named and _may_be_seen(item, content, reading):
            found.append(Variable(key.text, content))
    return tuple(found)


def _may_be_seen(item: Value, content: str, reading: Reading) -> bool:
    if any(inside.strip().startswith("secrets.") for inside in EXPRESSION.findall(content)):
        reading.problem(
            item,
            "a secret cannot be a build argument: everyone who can pull the image can read it",
            "give it to the build with `secrets: [NAME]`, which the Dockerfile mounts and the "
            "image does not contain; or to the app when it runs, with "
            "`deploy: {run: {env: [NAME]}}`",
            Heading.SECRET,
        )
    elif not content.replace("\t", " ").isprintable() or content != content.strip():
        hint = "put such a text into a file of the repository"
        what = "a build argument is one line, without spaces before or after it"
        reading.problem(item, what, hint, Heading.WRONG_VALUE)
    else:
        return True
    return False


_VALUES = {"additionalProperties": {"type": ["string", "number", "boolean"]}}
_NAMED = {"type": "object", "propertyNames": {"pattern": f"^{_NAME}$"}, **_VALUES}
_SECRET_NAME = {"type": "string", "pattern": f"^{_NAME}$"}
_ONE = {"anyOf": [_SECRET_NAME, _NAMED]}
_ANY = {"anyOf": [{"type": "array", "items": _ONE}, _NAMED]}
ENV = Checked(_env, _ANY)
# What the host can have follows from what runs there, so a rule of the deploy looks at the names.
ENV_OF_DEPLOY = Checked(_in_the_step, _ANY)
SECRET_FILES = ENV_OF_DEPLOY
ARGS = Checked(_args, _NAMED)
_KEYS = {"type": "object", "propertyNames": {"pattern": f"^{KEY_NAME}$"}, **_VALUES}
SECRETS = Checked(
    _secrets,
    {
        "type": "object",
        "propertyNames": {"pattern": anchored(OBJECT_NAME)},
        "additionalProperties": {
            "anyOf": [{"type": "array", "items": {"anyOf": [_SECRET_NAME, _KEYS]}}, _KEYS]
        },
    },
)
