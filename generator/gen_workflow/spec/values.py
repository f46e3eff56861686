"""Single values of the spec that have a form of their own: names, branches, paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import SCALARS, Checked, Form, Schema, Text, anchored, text, unseen
from gen_workflow.spec.hints import NOT_YET, listed, near

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

_RESTART = ("no", "always", "unless-stopped", "on-failure")
# The rules of git-check-ref-format(1), for the part after refs/heads/; git branch refuses HEAD.
_NO_BRANCH = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$|^(@|HEAD)?$|^refs/"
_LONGEST_NAME = 101
# ASCII letters and digits, and every character outside ASCII.
_LETTER = r"[^\x00-/:-@\[-`{-\x7f]"
_LETTERS = "letters, digits, . _ -"
HOSTS_AT_A_TIME = r"[1-9][0-9]{0,3}|(?:[1-9][0-9]?|100)%"
REPLACEABLE = r"[A-Za-z0-9*][A-Za-z0-9*._:/-]*"
# A host needs a dot or a port, or Docker takes it for an owner on Docker Hub.
_SERVER = r"(?=[^/]*[.:])[a-z0-9]+(?:(?:\.|-+)[a-z0-9]+)*(?::[0-9]{1,5})?"
_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# Of a name behind its host (github.com/distribution/reference: RepositoryNameTotalLengthMax).
LONGEST_IMAGE = 255
_NOT_TOO_LONG = rf"(?![^/]*/.{{{LONGEST_IMAGE + 1}}})"


def is_branch(name: str) -> bool:
    """Tell whether git accepts a name for a branch."""
    return not re.search(_NO_BRANCH, name)


def _explain_restart(value: Value, found: str, reading: Reading) -> bool:
    hint = near(found, _RESTART) or f"use one of {listed(_RESTART)}"
    reading.problem(value, f"{found!r} is not a restart policy", hint, Heading.WRONG_VALUE)
    return True


class Flag(Form[str]):
    """True or false, as an action takes it; false is its default, and empty."""

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, value: Value, reading: Reading) -> str | None:
        if value.kind == "true or false":
            return "true" if value.text.lower() == "true" else ""
        what = f"should be true or false, but is {value.kind}"
        reading.problem(value, what, f"write {self._key}: true", Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"type": "boolean"}


class OneOf(Form[str]):
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def read(self, value: Value, reading: Reading) -> str | None:
        found = text(value, reading, self._words[0])
        if found is None or found in self._words:
            return found
        hint = near(found, self._words) or f"use one of {listed(self._words)}"
        what = f"{found!r} is neither {' nor '.join(map(repr, self._words))}"
        reading.problem(value, what, hint, Heading.WRONG_VALUE)
        return None

    def schema(self) -> Schema:
        return {"enum": list(self._words)}


def _replaced(value: Value, reading: Reading) -> str | None:
    found = value.text if value.kind in SCALARS else value.kind
    if re.fullmatch(REPLACEABLE, found):
        return found
    hint = "list what the deploy has named, such as 8080 or ghcr.io/example/shop"
    reading.problem(value, f"{found!r} is nothing that a service has", hint, Heading.WRONG_VALUE)
    return None


def _group(value: Value, reading: Reading) -> str | None:
    found = value.text if value.kind in SCALARS else value.kind
    if re.fullmatch(HOSTS_AT_A_TIME, found):
        return found
    what = f"{found!r} is neither a number of hosts nor a percentage"
    reading.problem(value, what, "write for example 2 or 25%", Heading.WRONG_VALUE)
    return None


def _branch(value: Value, reading: Reading) -> str | None:
    """Return the name of a branch."""
    if value.kind == "a mapping":
        hint = "name a branch or a list of branches, such as main"
        reading.problem(value, f"a mapping here {NOT_YET}", hint, Heading.LATER)
        return None
    if value.kind == "text" and re.search(r"[*?\[!]", value.text):
        what = f"a pattern of branches such as {value.text!r} {NOT_YET}"
        reading.problem(value, what, "name the branches one by one", Heading.LATER)
        return None
    found = _seen(_BRANCH_NAME.read(value, reading), value, reading)
    if found and not is_branch(found):
        what = f"{found!r} is not a name of a branch"
        reading.problem(
            value, what, "git refuses this name; choose one such as main", Heading.WRONG_VALUE
        )
        return None
    return found


def _environment(value: Value, reading: Reading) -> str | None:
    """Return the name of a GitHub environment."""
    if value.kind == "a mapping":
        reading.problem(
            value, f"a mapping here {NOT_YET}", "write only the name: production", Heading.LATER
        )
        return None
    return _seen(_ENVIRONMENT_NAME.read(value, reading), value, reading)


def _seen(found: str | None, value: Value, reading: Reading) -> str | None:
    """Return a name; a character in it that nobody sees, or takes for a blank, is a problem."""
    if found and (character := unseen(found)):
        what = f"holds the character {character}, which cannot be seen"
        reading.problem(value, what, "remove it, or write a blank", Heading.WRONG_VALUE)
        return None
    return found


def _explain_container(value: Value, found: str, reading: Reading) -> bool:
    ending = re.search(r"\.(?:next|previous|candidate)$", found)
    if ending:
        what = f"a deploy gives its own containers names that end in `{ending[0]}`"
        hint = "choose a name with another ending"
    elif re.fullmatch(r"[A-Za-z0-9]", found):
        what, hint = "Docker wants two characters at least", "write for example shop"
    elif len(found) > _LONGEST_NAME:
        what, hint = f"has {len(found)} characters", f"write {_LONGEST_NAME} at most"
    else:
        return False
    reading.problem(
        value,
        f"{found!r}: {what}" if len(found) < _LONGEST_NAME else what,
        hint,
        Heading.RESERVED if ending else Heading.WRONG_VALUE,
    )
    return True


def _explain_network(value: Value, found: str, reading: Reading) -> bool:
    if found not in ("host", "none"):
        return False
    what = f"on {found!r} no candidate can run beside the old container, or be asked for its health"
    reading.problem(
        value,
        what,
        "leave `networks` out, or name a network of the host, such as web",
        Heading.WRONG_VALUE,
    )
    return True


def _explain_image(value: Value, found: str, reading: Reading) -> bool:
    length = len(found.partition("/")[2])
    if length <= LONGEST_IMAGE:
        return False
    what = f"has {length} characters behind the host, and a registry takes {LONGEST_IMAGE}"
    reading.problem(value, what, "write a shorter name", Heading.WRONG_VALUE)
    return True


def _explain_registry(value: Value, found: str, reading: Reading) -> bool:
    if _explain_image(value, found, reading):
        return True
    plain = re.sub(r"^https?://|/+$", "", found.lower())
    plain = _REGISTRIES.get(plain.partition("/")[0], plain)
    if plain == found or not re.fullmatch(REGISTRY.pattern, plain):
        return False
    what = f"{found!r} is not the host of a registry"
    reading.problem(value, what, f"write {plain}", Heading.ADDRESS)
    return True


# What people call a registry, and its host.
_REGISTRIES = {
    "dockerhub": "docker.io/acme",
    "docker": "docker.io/acme",
    "index.docker.io": "docker.io/acme",
    "registry-1.docker.io": "docker.io/acme",
    "hub.docker.com": "docker.io/acme",
    "ghcr": "ghcr.io",
    "quay": "quay.io/acme",
}
_IMAGE_EXAMPLE = "ghcr.io/owner/name in lower case, without a tag"
# Of the names that git accepts, those that need no quoting in an expression or a filter.
_BRANCH_NAME = Text("a name of a branch", rf"(?:{_LETTER}|_)(?:{_LETTER}|[._/#+@-])*", "main")
# GitHub's documents give one limit: 255 characters (Managing environments for deployment).
_ENVIRONMENT_NAME = Text(
    "a name of an environment",
    rf"{_LETTER}(?:(?:{_LETTER}|[ ._/-]){{0,253}}{_LETTER})?",
    "production",
)

ADOPT = Flag("adopt")
GROUP = Checked(_group, {"type": ["integer", "string"], "pattern": anchored(HOSTS_AT_A_TIME)})
REPLACED = Checked(_replaced, {"type": ["string", "number"], "pattern": anchored(REPLACEABLE)})
BRANCH = Checked(_branch, _BRANCH_NAME.schema())
ENVIRONMENT = Checked(_environment, _ENVIRONMENT_NAME.schema())
RESTART = Text(
    "a restart policy",
    r"no|always|unless-stopped|on-failure(?::[0-9]{1,9})?",
    "unless-stopped",
    _explain_restart,
)
STAGE = Text("a name of a stage", r"[A-Za-z0-9][A-Za-z0-9_.-]*", f"build; {_LETTERS}")
# Docker wants two characters at least; ssh-deploy uses the endings itself during a deploy.
CONTAINER = Text(
    "a name of a container",
    r"(?!.*\.(?:next|previous|candidate)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{1,100}",
    f"shop; {_LETTERS}",
    _explain_container,
)
# On the other two no candidate could run beside the old container, or be asked.
NETWORK = Text(
    "a network that a container can join",
    r"(?!(?:host|none)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}",
    f"web; {_LETTERS}",
    _explain_network,
)
# A part of the name of the image, and of the id of its job.
IMAGE_KEY = Text(
    "a name of an image",
    r"[a-z](?:[a-z0-9]|[-_](?=[a-z0-9])){0,49}",
    "api; small letters and digits, with single - or _ between them",
)
IMAGE_NAME = Text(
    "the name of an image",
    rf"{_NOT_TOO_LONG}{_SERVER}/{_IMAGE_PART}(?:/{_IMAGE_PART})*",
    _IMAGE_EXAMPLE,
    _explain_image,
)
REGISTRY = Text(
    "the host of a registry",
    rf"{_NOT_TOO_LONG}(?!(?:index|registry-1)\.docker\.io){_SERVER}(?:/{_IMAGE_PART})*",
    "docker.io/acme or registry.example.com/team",
    _explain_registry,
)
