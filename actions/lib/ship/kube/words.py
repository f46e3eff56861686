"""The words of a cluster, made fit for a line of ours: short, printable, without secrets."""

from __future__ import annotations

import re

# Texts of an API can be long; nothing that a person needs stands after this.
_LONGEST = 20_000
_SHORT = 300
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_SECRETS = (
    # Docker Hub names the user, and an id of the token: `pull rate limit as 'me': dckr_jti_….`
    (re.compile(r"(rate limit) as [^.\n]*"), r"\1"),
    (re.compile(r"\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{16,}"), r"\1 …"),
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_PARTS = re.compile(r"(https?://)(?:[^/?@]*@)?([^?]*)")
# What is another at every try, and tells nothing.
_RANDOM = (
    (re.compile(r"(?<![:\w])[0-9a-f]{64}\b"), "…"),
    (re.compile(r"(containerd-mount)\d+"), r"\1…"),
    (re.compile(r"(?:_[a-z0-9-]+)?\([0-9a-f]{8}-[0-9a-f-]{27}\)"), ""),
)
# How the runtime nests its errors. What is left is what a person has to know.
_NESTED = re.compile(
    r"rpc error: code = \w+ desc = |failed to pull and unpack image \"[^\"]*\": "
    r"|failed to resolve (?:image|reference \"[^\"]*\"): |failed to create containerd (?:task|"
    r"container): |failed to create shim task: |OCI runtime create failed: |runc create failed: "
    r"|unable to start container process: |\(combined from similar events\): |Error creating: "
    r"|Failed to pull image \"[^\"]*\": |Back-off pulling image \"[^\"]*\": |ErrImagePull: "
    r"|Failed to create pod sandbox: |failed to start sandbox \"[^\"]*\": "
    r"|MountVolume\.SetUp failed for |mount callback failed on \S+: |Pod was rejected: "
    r"|[Pp]ods? \"[^\"]*\" is (?:forbidden|invalid): "
)


def without_secrets(text: str) -> str:
    """Return a text without users, tokens and the queries of addresses."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    # The query of a token endpoint may hold a user or a signature.
    return _ADDRESS.sub(_bare, text)


def without_addresses(text: str) -> str:
    """Return a text without addresses, whose paths may hold any word."""
    return _ADDRESS.sub(lambda match: _end(match[0]), text)


def _bare(match: re.Match[str]) -> str:
    address = match[0]
    end = _end(address)
    parts = _PARTS.match(address.removesuffix(end))
    return f"{parts[1]}{parts[2]}{end}" if parts else address


def _end(address: str) -> str:
    """Return the sign after an address that is none of its own."""
    return address[-1] if address[-1] in ":,;." else ""


def whole(text: str) -> str:
    """Return the own words of the cluster, in as many lines as they have, without secrets."""
    return without_secrets(_ANSI.sub("", text[:_LONGEST])).strip()


def one_line(text: str, limit: int = _SHORT) -> str:
    """Return a text as one line of printable characters, cut at a limit."""
    plain = _ANSI.sub("", text[:_LONGEST])
    line = " ".join("".join(char if char.isprintable() else " " for char in plain).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def short(text: str, limit: int = _SHORT) -> str:
    """Return what a text of the cluster says, as one line: no nesting, no random parts."""
    text = _NESTED.sub("", whole(text))
    for pattern, shown in _RANDOM:
        text = pattern.sub(shown, text)
    return one_line(text, limit).rstrip(" .:,")
