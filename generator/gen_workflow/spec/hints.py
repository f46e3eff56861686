"""Words of hints: what was probably meant, and where a key belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_YET = "is not supported yet in this version"
MEANT = "perhaps you meant `{}`"
# The inputs of our actions that have another name in a spec: the key, below the section of the job.
INPUTS = {
    "build-args": "args",
    "build-contexts": "contexts",
    "builder-image": "builder/image",
    "cache-from": "cache/read-from",
    "cache-to": "cache/write-to",
    "drain-timeout": "strategy/proxy/drain",
    "env": "run/env",
    "file": "dockerfile",
    "health-command": "health/command",
    "health-host": "health/host",
    "health-status": "health/status",
    "health-timeout": "health/timeout",
    "host": "ssh/hosts",
    "host-fingerprints": "ssh/fingerprints",
    "image": "name",
    "images": "context",
    "proxy-hosts": "strategy/proxy/hosts",
    "proxy-image": "strategy/proxy/image",
    "proxy-tls": "strategy/proxy/tls",
    "registry-password": "kubernetes/pull-secret/password",
    "registry-username": "kubernetes/pull-secret/user",
    "skip-unchanged": "skip",
    "ssh-key": "ssh/key",
    "ssh-key-passphrase": "ssh/passphrase",
    "ssh-proxy-command": "ssh/proxy-command",
}
# The keys of fleet.yml that no spec has.
_OF_A_FLEET = ("defaults", "owner", "repos", "rings", "select")
_FLEET = "it belongs in the file of a fleet, which `gen-workflow fleet` reads: docs/fleet.md"
_TWINS = (("environments/", "deploy"), ("images/", "image/"), ("runner/", "runner"))
_NEAR_ELSEWHERE = 0.78  # a key of another section has to be more like it than one of its own
_NEARLY_THE_SAME = 0.85  # such as `port` and `ports`: a misspelling, also where both are keys


def closest(word: str, known: tuple[str, ...], cutoff: float = 0.6) -> str:
    """Return the known word that is most like another; empty when none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed when something is wrong

    matches = get_close_matches(word.lower().replace("_", "-"), known, n=1, cutoff=cutoff)
    return matches[0] if matches else ""


def near(word: str, known: tuple[str, ...]) -> str:
    """Return the hint that names what was probably meant; empty when nothing is near."""
    match = closest(word, known)
    return MEANT.format(match) if match else ""


def listed(words: tuple[str, ...]) -> str:
    """Return words as a sentence names them."""
    quoted = [f"`{word}`" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


class Keys(NamedTuple):
    """The keys of a section; a `later` key is planned, which is a better answer than "unknown"."""

    known: tuple[str, ...]
    later: tuple[str, ...] = ()


def unknown_key(word: str, path: str, keys: Mapping[str, Keys]) -> str:
    """Return the hint for a key that the section at `path` does not have."""
    here = keys[path]
    if not path and "repos" not in here.known and closest(word, _OF_A_FLEET, _NEARLY_THE_SAME):
        return _FLEET
    if (places := _owners(word, path, keys)) and (
        own := closest(word, here.known, _NEARLY_THE_SAME)
    ):
        return f"{MEANT.format(own)}; `{word}` is a key of {places}"
    if places:
        known = any(word in section.known for section in keys.values())
        return f"it is a key of {places}{'' if known else f', where it {NOT_YET}'}"
    if word in INPUTS:
        return f"this is the name of an input; in a spec it is `{INPUTS[word]}`"
    return _misspelt(word, path, keys)


def _misspelt(word: str, path: str, keys: Mapping[str, Keys]) -> str:
    """Return the hint for a key that no section has: the one that was probably meant."""
    here = keys[path]
    own = closest(word, here.known) or closest(word, here.later, _NEARLY_THE_SAME)
    others = tuple(name for section, one in keys.items() if section != path for name in one.known)
    other = closest(word, others, _NEAR_ELSEWHERE)
    if own and closest(word, (own, other)) == own:
        return MEANT.format(own) + (f", which {NOT_YET}" if own in here.later else "")
    if other:
        return f"{MEANT.format(other)}, which is a key of {_owners(other, path, keys)}"
    return f"use one of {listed(here.known)}; a key of your own must begin with `x-`"


def _owners(word: str, path: str, keys: Mapping[str, Keys]) -> str:
    """Return the other sections that have a key; a section around this one goes first."""
    # Each environment has all keys of `deploy`, each of `images` those of `image`, and each kind of
    # `runner` those of the whole. One of the two is enough.
    twins = tuple(two if path.startswith(one) else one for one, two in _TWINS)
    others = {
        name: section
        for name, section in keys.items()
        if name != path and not name.startswith(twins)
    }
    owners = [name for name, section in others.items() if word in section.known]
    owners = owners or [name for name, section in others.items() if word in section.later]
    around = [name for name in owners if not name or path.startswith(f"{name}/")]
    named = [max(around, key=len)] if around else owners
    return " and ".join(f"`{name}`" if name else "the top level" for name in named)
