"""Reads versions: semver (https://semver.org) and PEP 440 (https://peps.python.org/pep-0440)."""

from __future__ import annotations

import re

from ship.runner.named_tuple import NamedTuple

# The limits of node-semver, which defines the language of the rules.
LONGEST = 256
HIGHEST = 2**53 - 1
_NUMBER = r"0|[1-9][0-9]*"
_PRE = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][a-zA-Z0-9-]*)"
_BUILD = r"[0-9A-Za-z-]+"
_SEMVER = (
    rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PRE}(?:\.{_PRE})*))?"
    rf"(?:\+({_BUILD}(?:\.{_BUILD})*))?"
)
_PEP440 = (
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?P<pre>[-_.]?(?P<pre_l>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_n>[0-9]+)?)?"
    r"(?P<post>-(?P<post_n1>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>[0-9]+)?)?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]+)?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)
# The names that a pattern can use.
NAMES = {
    "semver": ("raw", "version", "major", "minor", "patch", "prerelease", "build"),
    "pep440": ("raw", "version", "major", "minor", "patch"),
}
_PRE_NAMES = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}


class Version(NamedTuple):
    """A version, and the values that a pattern can use."""

    major: int
    minor: int
    patch: int
    is_stable: bool
    values: dict[str, str]

    @property
    def triple(self) -> tuple[int, int, int]:
        """The numbers by which stable versions are compared."""
        return self.major, self.minor, self.patch


def semver(text: str) -> Version | None:
    """Return a semantic version, with or without a `v`, or None."""
    # Most texts are the name of a branch, and the form takes 0.6 ms to compile.
    if not text.removeprefix("v")[:1].isdigit():
        return None
    match = re.fullmatch(_SEMVER, text, re.ASCII) if len(text) <= LONGEST else None
    if not match or any(int(match[part]) > HIGHEST for part in (1, 2, 3)):
        return None
    major, minor, patch = (int(match[part]) for part in (1, 2, 3))
    pre, build = match[4] or "", match[5] or ""
    version = f"{major}.{minor}.{patch}" + (f"-{pre}" if pre else "")
    values = {
        "raw": text,
        "version": version,
        "major": str(major),
        "minor": str(minor),
        "patch": str(patch),
        # These are lists in the language of the rules, and it joins a list with commas.
        "prerelease": pre.replace(".", ","),
        "build": build.replace(".", ","),
    }
    return Version(major, minor, patch, is_stable=not pre, values=values)


def pep440(text: str) -> Version | None:
    """Return a version of a Python package, or None."""
    flags = re.ASCII | re.IGNORECASE
    match = re.fullmatch(_PEP440, text, flags) if len(text) <= LONGEST else None
    if not match:
        return None
    release = [int(part) for part in match["release"].split(".")]
    major, minor, patch = (*release, 0, 0)[:3]
    is_stable = not (match["pre"] or match["post"] or match["dev"])
    values = {
        "raw": text,
        "version": _normal(match, release),
        "major": str(major),
        "minor": str(minor),
        "patch": str(patch),
    }
    return Version(major, minor, patch, is_stable, values)


def _normal(match: re.Match[str], release: list[int]) -> str:
    """Return the normal form of https://peps.python.org/pep-0440/#normalization."""
    text = f"{int(match['epoch'])}!" if int(match["epoch"] or 0) else ""
    text += ".".join(str(part) for part in release)
    if match["pre"]:
        name = match["pre_l"].lower()
        text += f"{_PRE_NAMES.get(name, name)}{int(match['pre_n'] or 0)}"
    if match["post"]:
        text += f".post{int(match['post_n1'] or match['post_n2'] or 0)}"
    if match["dev"]:
        text += f".dev{int(match['dev_n'] or 0)}"
    if match["local"]:
        parts = re.split(r"[-_.]", match["local"].lower())
        # A list as in a semantic version; the language of the rules joins it with commas.
        text += "+" + ",".join(str(int(part)) if part.isdigit() else part for part in parts)
    return text
