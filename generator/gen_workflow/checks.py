"""What a single value of the spec may be: ports, names, paths, expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.reading import NOT_YET, SCALARS, listed, near, text

if TYPE_CHECKING:
    from gen_workflow.document import Problems, Value

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_SOURCE = re.compile(r"(secrets|vars)\.([A-Za-z_][A-Za-z0-9_]*)( \|\| '[^'\n]*')?")
# Properties of `github` that no stranger can choose and that hold no line break.
_GITHUB = tuple(
    f"github.{name}"
    for name in (
        "actor",
        "ref_name",
        "repository",
        "repository_owner",
        "run_id",
        "run_number",
        "sha",
    )
)

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Set in the env of a step, these change how the runner, bash, ssh or docker themselves work.
_RESERVED = ("PATH", "HOME", "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "IFS", "CDPATH", "TMPDIR")
_RESERVED_PREFIXES = ("LD_", "GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "DOCKER_", "SSH_")

_PORT = re.compile(
    r"(?:(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]):)?(?P<host>\d+):(?P<container>\d+)"
    r"(?:/(?:tcp|udp))?"
)
HIGHEST_PORT = 65535
_VOLUME = re.compile(r"(?P<source>[^:]+):(?P<target>/[^:]*)(?::[A-Za-z,]+)?")
_VOLUME_SOURCE = re.compile(r"/.*|[A-Za-z0-9][A-Za-z0-9_.-]+")
_RESTART = ("no", "always", "unless-stopped", "on-failure")
_HEALTH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/#+@-]*[A-Za-z0-9_#+-])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,253}[A-Za-z0-9])?")
_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE_NAME = re.compile(rf"ghcr\.io/{_IMAGE_PART}(?:/{_IMAGE_PART})+")


def value_or_expression(value: Value, problems: Problems) -> str | None:
    """Return a value that may hold `${{ secrets.X }}`, `${{ vars.X }}` or the like."""
    if value.kind not in SCALARS:
        hint = 'write "" when it is meant to be empty' if value.kind == "nothing" else ""
        problems.add(value, f"should be a value, is {value.kind}", hint)
        return None
    inside = EXPRESSION.findall(value.text)
    if value.text.count("${{") != len(inside):
        problems.add(value, "has a `${{` that is not closed by `}}`")
        return None
    for expression in inside:
        if not _known_expression(expression.strip(), value, problems):
            return None
    return value.text


def _known_expression(expression: str, value: Value, problems: Problems) -> bool:
    if expression in _GITHUB:
        return True
    source = _SOURCE.fullmatch(expression)
    if source is None:
        problems.add(
            value,
            f"`${{{{ {expression} }}}}` cannot stand here",
            "use ${{ secrets.NAME }}, ${{ vars.NAME }}, ${{ vars.NAME || 'default' }} "
            f"or ${{{{ {_GITHUB[-1]} }}}}",
        )
        return False
    if source[1] == "secrets" and source[2].upper().startswith("GITHUB_"):
        what = f"`{source[2]}` is the token of the run, which ends with it"
        problems.add(value, what, "create a secret of your own")
        return False
    return True


def env_name(value: Value, name: str, problems: Problems) -> bool:
    """Tell whether a name may be a variable in the env of a step."""
    if not _ENV_NAME.fullmatch(name):
        problems.add(
            value,
            f"{name!r} is not a name of an environment variable",
            "letters, digits and _ only, and no digit first",
        )
        return False
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        problems.add(
            value,
            f"`{name}` would change how the step itself works on the runner",
            "give the variable another name, such as `APP_" + name + "`",
        )
        return False
    return True


def port(value: Value, problems: Problems) -> str | None:
    """Return a published port, HOST:CONTAINER as docker run takes it."""
    found = value.text if value.kind == "a number" else text(value, problems, '"8080:80"')
    if found is None:
        return None
    match = _PORT.fullmatch(found)
    if match is None:
        _explain_port(value, found, problems)
        return None
    for number in match.groups():
        if not 1 <= int(number) <= HIGHEST_PORT:
            what = f"{found!r}: {number} is not a port"
            problems.add(value, what, f"ports go from 1 to {HIGHEST_PORT}")
            return None
    return found


def _explain_port(value: Value, found: str, problems: Problems) -> None:
    if re.fullmatch(r"[0-9]+", found):
        hint = f'say both sides, host first: "{found}:{found}"'
        problems.add(value, f"{found} says no port of the host", hint)
    elif re.fullmatch(r"[0-9.:\[\]]*\d+-\d+.*", found):
        problems.add(value, f"{found!r}: a range of ports {NOT_YET}", "list the ports one by one")
    else:
        hint = 'write HOST:CONTAINER, such as "8080:80" or "127.0.0.1:8080:80"'
        problems.add(value, f"{found!r} is not a published port", hint)


def volume(value: Value, problems: Problems) -> str | None:
    """Return a volume, SOURCE:TARGET[:OPTIONS] as docker run takes it."""
    found = text(value, problems, '"data:/var/lib/app"')
    if found is None:
        return None
    match = _VOLUME.fullmatch(found)
    hint = 'write SOURCE:TARGET, such as "data:/var/lib/app" or "/srv/app:/data:ro"'
    if match is None or "\n" in found:
        problems.add(value, f"{found!r} is not a volume", hint)
    elif not _VOLUME_SOURCE.fullmatch(match["source"]):
        what = f"{match['source']!r} is neither a name nor an absolute path of the host"
        problems.add(value, what, hint)
    else:
        return found
    return None


def restart(value: Value, problems: Problems) -> str | None:
    """Return a restart policy."""
    found = text(value, problems, "unless-stopped")
    if found is None or found in _RESTART or re.fullmatch(r"on-failure:[1-9][0-9]{0,3}", found):
        return found
    hint = near(found, _RESTART) or f"policies are {listed(_RESTART)}"
    problems.add(value, f"{found!r} is not a restart policy", hint)
    return None


def health(value: Value, problems: Problems) -> str | None:
    """Return the path of a health check."""
    if value.kind == "a mapping" or value.text.startswith(("http://", "https://")):
        what = "a command" if value.kind == "a mapping" else "an address"
        hint = "a path such as /health is asked on the host, at the first published port"
        problems.add(value, f"{what} as a health check {NOT_YET}", hint)
        return None
    example = "/health, which is asked on the host at the first published port"
    return _matching(value, problems, _HEALTH, "a path of the app", example)


def branch(value: Value, problems: Problems) -> str | None:
    """Return the name of a branch."""
    if value.kind == "text" and re.search(r"[*?\[!]", value.text):
        what = f"a pattern of branches such as {value.text!r} {NOT_YET}"
        problems.add(value, what, "name the branches one by one")
        return None
    found = _matching(value, problems, _BRANCH, "a name of a branch", "main")
    if found and (".." in found or "//" in found or "@{" in found or found.endswith(".lock")):
        problems.add(value, f"{found!r} is not a name of a branch", "git refuses it")
        return None
    return found


def name(value: Value, problems: Problems) -> str | None:
    """Return a name as docker takes it for containers, networks and stages."""
    return _matching(value, problems, _NAME, "a name docker takes", "shop; letters, digits, . _ -")


def environment(value: Value, problems: Problems) -> str | None:
    """Return the name of a GitHub environment."""
    if value.kind == "a mapping":
        problems.add(value, f"a mapping here {NOT_YET}", "write the name alone: production")
        return None
    return _matching(value, problems, _ENVIRONMENT, "a name of an environment", "production")


def image_name(value: Value, problems: Problems) -> str | None:
    """Return the full name of an image on GHCR, without a tag."""
    example = "ghcr.io/owner/name in lower case, without a tag"
    found = text(value, problems, example)
    if found is None or _IMAGE_NAME.fullmatch(found):
        return found
    host, slash, _ = found.partition("/")
    if slash and host != "ghcr.io" and re.search(r"[.:]", host):
        problems.add(value, f"a registry other than ghcr.io {NOT_YET}", f"such as {example}")
    else:
        problems.add(value, f"{found!r} is not the name of an image", f"such as {example}")
    return None


def _matching(
    value: Value, problems: Problems, pattern: re.Pattern[str], what: str, example: str
) -> str | None:
    found = text(value, problems, example)
    if found is None or pattern.fullmatch(found):
        return found
    problems.add(value, f"{found!r} is not {what}", f"such as {example}")
    return None
