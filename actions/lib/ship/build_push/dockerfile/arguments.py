"""The arguments that a FROM can use: the predefined ones, and those of an ARG before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push.dockerfile.reader import BrokenError
from ship.build_push.dockerfile.words import expand, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ship.build_push.dockerfile.reader import Instruction

# With the names of https://github.com/containerd/platforms.
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_NO_VARIANT = {("arm64", "v8"), ("amd64", "v1")}
_ARM = {"armhf": "v7", "armel": "v6", "arm": "v7"}


def predefined(platform: str, build_platform: str, stage: str) -> dict[str, str | None]:
    """Return the predefined arguments. A value that only the builder knows is None."""
    found: dict[str, str | None] = {"TARGETSTAGE": stage or "default"}
    for prefix, text in (("BUILD", build_platform), ("TARGET", platform)):
        system, architecture, variant = _platform(text)
        whole = "/".join(part for part in (system, architecture, variant) if part)
        values = {
            "PLATFORM": whole, "OS": system, "OSVERSION": "", "ARCH": architecture,
            "VARIANT": variant,
        }  # fmt: skip
        found.update({prefix + name: value if text else None for name, value in values.items()})
    return found


def _platform(text: str) -> tuple[str, str, str]:
    """Return system, architecture and variant, with their usual names."""
    system, architecture, variant, *_ = (*text.lower().split("/"), "", "", "")
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if architecture in _ARM:
        architecture, variant = "arm", variant or _ARM[architecture]
    return system, architecture, "" if (architecture, variant) in _NO_VARIANT else variant


def declared(
    instructions: Iterable[Instruction],
    escape: str,
    given: Mapping[str, str],
    values: Mapping[str, str | None],
) -> dict[str, str | None]:
    """Return the values after the ARG instructions that come before the first FROM.

    A build argument takes precedence over a default. It counts only when it is declared or
    predefined. A default that is not supported here becomes None. Raises BrokenError.
    """
    found = {name: given.get(name, value) for name, value in values.items()}
    for each in instructions:
        words = split(each.rest, escape)
        if words is None:
            raise BrokenError(each.line, f"ARG {each.rest}: a quote is not closed")
        for word in words:
            name, equals, default = word.partition("=")
            if name in given:
                found[name] = given[name]
            elif equals:
                found[name] = _expanded(default, found)
    return found


def _expanded(text: str, values: Mapping[str, str | None]) -> str | None:
    try:
        return expand(text, values)
    except ValueError:
        return None
