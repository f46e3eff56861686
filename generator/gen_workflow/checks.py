"""What a single value of the spec may be: ports, names, paths, expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.reading import NOT_YET, SCALARS, listed, near, text

if TYPE_CHECKING:
    from gen_workflow.document import Problems, Value

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
SOURCE = re.compile(
    r"(?P<source>secrets|vars)\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default> \|\| '[^'\n]*')?"
)
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

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# These steer the shell or Docker's client on the host, or bash there does not keep their value.
_OF_THE_HOST = re.compile(
    r"DOCKER_.*|LD_.*|HOME|IFS|_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH.*|EPOCH.*|S?RANDOM|SECONDS"
    r"|LINENO|OPTIND|FUNCNAME|DIRSTACK|HISTCMD"
)
# Set in the env of a step, these change how the runner, bash or ssh themselves work.
_OF_THE_RUNNER = re.compile(r"PATH|ENV|CDPATH|TMPDIR|(?:GITHUB|RUNNER|ACTIONS|INPUT|SSH)_.*")

_PORT = re.compile(
    r"(?:(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})(?:/(?P<protocol>tcp|udp))?"
)
HIGHEST_PORT = 65535
_HIGHEST_BYTE = 255
_VOLUME = re.compile(r"(?P<source>[^:\s]+):/[^:\s]*(?::[A-Za-z,]+)?")
_VOLUME_SOURCE = re.compile(r"/.*|[A-Za-z0-9][A-Za-z0-9_.-]+")
_RESTART = ("no", "always", "unless-stopped", "on-failure")
_RESTART_FORM = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]+)?")
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_HEALTH_SECONDS = 3600
_HEALTH = re.compile(r"/[!-~]*")
# The rules of git-check-ref-format(1), for the part after refs/heads/; git branch refuses HEAD.
_NO_BRANCH = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$|^(@|HEAD)?$|^refs/"
)
# Of those, the ones that need no quoting in an expression, whose filter is easy to read.
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/#+@-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# Docker wants two characters at least; ssh-deploy uses the endings itself during a deploy.
_CONTAINER = re.compile(r"(?!.*\.(?:next|previous|candidate)$)[A-Za-z0-9][A-Za-z0-9_.-]{1,100}")
# On the other two no candidate could run beside the old container, or be asked.
_NETWORK = re.compile(r"(?!(?:host|none)$)[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
_LETTERS = "letters, digits, . _ -"
_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,253}[A-Za-z0-9])?")
_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE_NAME = re.compile(rf"ghcr\.io/{_IMAGE_PART}(?:/{_IMAGE_PART})+")


def value_or_expression(value: Value, problems: Problems) -> str | None:
    """Return a value that may hold `${{ secrets.X }}`, `${{ vars.X }}` or the like."""
    if value.kind not in SCALARS:
        hint = 'write "" when it is meant to be empty' if value.kind == "nothing" else ""
        problems.add(value, f"should be a value, is {value.kind}", hint)
        return None
    if "\0" in value.text:
        problems.add(value, "holds the character U+0000, which no variable can", "take it out")
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
    source = SOURCE.fullmatch(expression)
    if source is None:
        problems.add(
            value,
            f"`${{{{ {expression} }}}}` cannot stand here",
            "use ${{ secrets.NAME }}, ${{ vars.NAME }}, ${{ vars.NAME || 'default' }} "
            f"or ${{{{ {_GITHUB[-1]} }}}}",
        )
        return False
    return source_name(value, source["name"], problems)


def source_name(value: Value, name: str, problems: Problems) -> bool:
    """Tell whether a secret or variable of a person can have a name; case does not count."""
    if name.upper() == "GITHUB_TOKEN":
        what = f"`{name}` is the token of the run, which ends with it"
        problems.add(value, what, "create a secret of your own")
    elif name.upper().startswith("GITHUB_"):
        what = f"`{name}`: GitHub keeps names that begin with GITHUB_ for itself"
        problems.add(value, what, "give it another name")
    else:
        return True
    return False


def env_name(value: Value, name: str, problems: Problems) -> bool:
    """Tell whether a name may be that of a variable at all."""
    if not ENV_NAME.fullmatch(name):
        problems.add(
            value,
            f"{name!r} is not a name of an environment variable",
            "letters, digits and _ only, and no digit first",
        )
        return False
    return True


def env_of_step(value: Value, name: str, problems: Problems, *, on_runner: bool) -> bool:
    """Tell whether a variable may go to the host, and `on_runner` through the step's own env."""
    if _OF_THE_HOST.fullmatch(name):
        what = f"`{name}` would change how the host starts the container"
    elif on_runner and _OF_THE_RUNNER.fullmatch(name):
        what = f"`{name}` would change how the step itself works on the runner"
    else:
        return True
    problems.add(value, what, f"give the variable another name, such as `APP_{name}`")
    return False


def is_port(text: str) -> bool:
    """Tell whether a text is the number of a port."""
    return bool(re.fullmatch(r"[0-9]{1,5}", text)) and 1 <= int(text) <= HIGHEST_PORT


def is_branch(name: str) -> bool:
    """Tell whether git takes a name for a branch."""
    return not _NO_BRANCH.search(name)


def port(value: Value, problems: Problems) -> str | None:
    """Return a published port, HOST:CONTAINER as docker run takes it."""
    is_text = value.kind != "a number"
    found = text(value, problems, '"8080:80"', _PORT) if is_text else value.text
    if found is None:
        return None
    match = _PORT.fullmatch(found)
    if match is None:
        _explain_port(value, found, problems)
        return None
    for number in (match["host"], match["container"]):
        if not is_port(number):
            what = f"{found!r}: {number} is not a port"
            problems.add(value, what, f"ports go from 1 to {HIGHEST_PORT}")
            return None
    address = match["address"] or ""
    if "[" not in address and any(int(byte) > _HIGHEST_BYTE for byte in address.split(".") if byte):
        problems.add(value, f"{found!r}: {address} is not an address", "such as 127.0.0.1")
        return None
    return found


def port_taken(found: str) -> tuple[str, int, str]:
    """Return what only one container can have: address, port of the host, protocol."""
    match = _PORT.fullmatch(found)
    assert match is not None, found  # noqa: S101 - `port` let it through
    return match["address"] or "", int(match["host"]), match["protocol"] or "tcp"


def _explain_port(value: Value, found: str, problems: Problems) -> None:
    if re.fullmatch(r"[0-9]+", found):
        hint = f'say both sides, host first: "{found}:{found}"'
        problems.add(value, f"{found} says no port of the host", hint)
    elif re.fullmatch(r"[0-9.:\[\]]*[0-9]+-[0-9]+.*", found):
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
    if match is None or not found.isprintable():
        problems.add(value, f"{found!r} is not a volume", hint)
    elif not _VOLUME_SOURCE.fullmatch(match["source"]):
        what = f"{match['source']!r} is neither a name nor an absolute path of the host"
        problems.add(value, what, hint)
    else:
        return found
    return None


def restart(value: Value, problems: Problems) -> str | None:
    """Return a restart policy."""
    found = text(value, problems, "unless-stopped", _RESTART_FORM)
    if found is None or _RESTART_FORM.fullmatch(found):
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


def health_timeout(value: Value, problems: Problems) -> str | None:
    """Return how long a container may take to become healthy, in seconds."""
    found = value.text if value.kind in SCALARS else value.kind
    if _SECONDS.fullmatch(found) and 1 <= int(found) <= _HEALTH_SECONDS:
        return found
    hint = f"a whole number from 1 to {_HEALTH_SECONDS}, such as 60"
    problems.add(value, f"{found!r} is not a time in seconds", hint)
    return None


def branch(value: Value, problems: Problems) -> str | None:
    """Return the name of a branch."""
    if value.kind == "text" and re.search(r"[*?\[!]", value.text):
        what = f"a pattern of branches such as {value.text!r} {NOT_YET}"
        problems.add(value, what, "name the branches one by one")
        return None
    found = _matching(value, problems, _BRANCH, "a name of a branch", "main")
    if found and not is_branch(found):
        problems.add(value, f"{found!r} is not a name of a branch", "git refuses it; such as main")
        return None
    return found


def stage(value: Value, problems: Problems) -> str | None:
    """Return the name of a stage of a Dockerfile."""
    return _matching(value, problems, _NAME, "a name of a stage", f"build; {_LETTERS}")


def container(value: Value, problems: Problems) -> str | None:
    """Return the name of a container."""
    return _matching(value, problems, _CONTAINER, "a name of a container", f"shop; {_LETTERS}")


def network(value: Value, problems: Problems) -> str | None:
    """Return the name of a network that the candidate can join too."""
    what = "a network that the candidate can join too"
    return _matching(value, problems, _NETWORK, what, f"web; {_LETTERS}")


def environment(value: Value, problems: Problems) -> str | None:
    """Return the name of a GitHub environment."""
    if value.kind == "a mapping":
        problems.add(value, f"a mapping here {NOT_YET}", "write the name alone: production")
        return None
    return _matching(value, problems, _ENVIRONMENT, "a name of an environment", "production")


def image_name(value: Value, problems: Problems) -> str | None:
    """Return the full name of an image on GHCR, without a tag."""
    example = "ghcr.io/owner/name in lower case, without a tag"
    found = text(value, problems, example, _IMAGE_NAME)
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
    found = text(value, problems, example, pattern)
    if found is None or pattern.fullmatch(found):
        return found
    problems.add(value, f"{found!r} is not {what}", f"such as {example}")
    return None
