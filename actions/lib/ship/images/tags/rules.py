"""Reads and checks the rules in the inputs `tags`, `flavor` and `image`."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ship.images.tags.lines import Line, fields, lines
from ship.runner.errors import Problem, near_match
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
PRIORITIES = {
    "schedule": "1000", "semver": "900", "pep440": "900", "match": "800",
    "edge": "700", "ref": "600", "raw": "200", "sha": "100",
}  # fmt: skip
# The attributes of every type of rule, and those of one type only.
COMMON = ("enable", "priority", "prefix", "suffix")
OWN: Mapping[str, tuple[str, ...]] = {
    "schedule": ("pattern",), "semver": ("pattern", "value", "match"),
    "pep440": ("pattern", "value", "match"), "match": ("pattern", "group", "value"),
    "edge": ("branch",), "ref": ("event",), "raw": ("value",), "sha": ("format",),
}  # fmt: skip
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "schedule": {"pattern": "nightly"}, "semver": {"value": "", "match": ""},
    "pep440": {"value": "", "match": ""}, "match": {"group": "0", "value": ""},
    "edge": {"branch": ""}, "ref": {}, "raw": {}, "sha": {"prefix": "sha-", "format": "short"},
}  # fmt: skip
_NEEDED = {
    "semver": "pattern",
    "pep440": "pattern",
    "match": "pattern",
    "ref": "event",
    "raw": "value",
}
_CHOICES = {"event": ("branch", "tag", "pr"), "format": ("short", "long")}
_NUMBERS = {
    "priority": r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?",
    "group": r"0|[1-9][0-9]{0,3}",
}
# The form that docker/build-push-action wants for its tags: registry/owner/name:tag.
_REFERENCE = r"(?a)[\w.:-]+(?:/[\w.-]+)+:[\w.-]+"


class Rule(NamedTuple):
    """A rule for a tag. `attributes` has all attributes of its type, including the defaults."""

    line: Line
    type: str
    attributes: Mapping[str, str]

    @property
    def priority(self) -> float:
        return float(self.attributes["priority"])


class Flavor(NamedTuple):
    """The settings for all tags."""

    latest: str = "auto"
    prefix: str = ""
    prefix_on_latest: bool = False
    suffix: str = ""
    suffix_on_latest: bool = False


class Image(NamedTuple):
    """A name of the image, as the user wrote it."""

    name: str
    enable: bool = True


class RuleError(ValueError):
    """A line is not a rule: the message says what is wrong, the hint what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def read_rules(text: str, problems: list[Problem]) -> list[Rule]:
    """Return the rules of the input `tags`, the most important first."""
    read = (_attempt("tags", line, read_rule, problems) for line in lines(text))
    return by_priority(rule for rule in read if rule)


def by_priority(rules: Iterable[Rule]) -> list[Rule]:
    """Return rules sorted by priority, highest first. Equal ones stay in their order."""
    return sorted(rules, key=lambda rule: -rule.priority)


def read_rule(line: Line) -> Rule:
    """Read one rule. Raises RuleError."""
    kind, given, texts = "raw", {}, 0
    for field in _fields(line):
        key, equals, value = field.partition("=")
        # `=x` is a text and not a pair. So is a field with the `=` inside an expression.
        if not equals or not key or "{{" in key:
            given["value"], texts = field.strip(), texts + 1
        elif key.strip().lower() == "type":
            kind = value.strip()
        else:
            given[key.strip().lower()] = value.strip()
    if texts > 1:
        # docker/build-push-action takes a list here, docker/metadata-action the last one alone.
        hint = "write one tag a line; with a comma in its value, put the field in double quotes"
        raise RuleError("there are several tags on one line", hint)
    if kind not in PRIORITIES:
        raise RuleError(f"{kind!r} is not a type of rule", near_match(kind, PRIORITIES))
    if kind == "ref" and given.get("event") == "pr":
        given.setdefault("prefix", "pr-")
    attributes = {"priority": PRIORITIES[kind], "enable": "true", **DEFAULTS[kind], **given}
    _check(kind, attributes, given)
    return Rule(line, kind, attributes)


def _check(kind: str, attributes: Mapping[str, str], given: Mapping[str, str]) -> None:
    needed = _NEEDED.get(kind)
    if needed and needed not in attributes:
        raise RuleError(f"`{needed}` is missing", f"a rule of type {kind} needs this attribute")
    known = (*COMMON, *OWN[kind])
    for name, value in attributes.items():
        if name == "value" and name not in known:
            what = f"type {kind} takes no value, but there is {value!r}"
            raise RuleError(what, near_match(value, known))
        if name not in known:
            raise RuleError(f"type {kind} has no attribute {name!r}", near_match(name, known))
        choices = _CHOICES.get(name)
        if choices and value not in choices:
            raise RuleError(f"{value!r} is not one of {', '.join(choices)}")
    if kind == "raw" and re.fullmatch(_REFERENCE, attributes["value"]):
        hint = "write only the tag; the part before the colon belongs into the input `image`"
        raise RuleError("a tag does not contain the name of the image", hint)
    for name, number in _NUMBERS.items():
        if name in given and not re.fullmatch(number, given[name]):
            raise RuleError(f"{name}: {given[name]!r} is not a number", "write one such as 1")


def read_flavor(text: str, problems: list[Problem]) -> Flavor:
    """Return the input `flavor`. When a setting occurs twice, the last one counts."""
    flavor = Flavor()
    for line in lines(text):
        read = partial(read_flavor_line, flavor=flavor)
        flavor = _attempt("flavor", line, read, problems) or flavor
    return flavor


def read_flavor_line(line: Line, flavor: Flavor) -> Flavor:
    """Return a flavor with the settings of one line. Raises RuleError."""
    before = ""
    for field in _fields(line):
        # The part after a second `=` is ignored: a tag cannot contain a `=`.
        key, *rest = (part.strip() for part in field.split("="))
        if not rest:
            raise RuleError(
                f"{field!r} is not a setting", "write latest=, prefix=, suffix= or onlatest="
            )
        name, value = key.lower(), rest[0]
        if name in ("latest", "onlatest"):
            allowed = ("auto", "true", "false") if name == "latest" else ("true", "false")
            if value not in allowed:
                raise RuleError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        if name == "onlatest":
            if before:
                flavor = flavor._replace(**{f"{before}_on_latest": value == "true"})  # type: ignore[arg-type]
        elif name in ("latest", "prefix", "suffix"):
            flavor = flavor._replace(**{name: value})  # type: ignore[arg-type]
            before = before if name == "latest" else name
        else:
            hint = near_match(name, ("latest", "prefix", "suffix", "onlatest"))
            raise RuleError(f"{name!r} is unknown", hint)
    return flavor


def read_images(text: str, problems: list[Problem]) -> list[Image]:
    """Return the names in the input `image`, one per line. A single line may have several."""
    listed = lines(text)
    if len(listed) == 1 and "=" not in listed[0].text:
        return [Image(name.strip()) for name in fields(listed[0].text) if name.strip()]
    read = [_attempt("image", line, read_image, problems) for line in listed]
    return [image for image in read if image]


def read_image(line: Line) -> Image:
    """Read a line of the input `image`. Raises RuleError."""
    name, enable = "", True
    for field in _fields(line):
        key, *rest = (part.strip() for part in field.split("="))
        if not rest or key.lower() == "name":
            if name:
                raise RuleError("there are two names on the line", "write one name per line")
            name = rest[0] if rest else key
        elif key.lower() != "enable":
            raise RuleError(f"{key!r} is unknown", near_match(key, ("name", "enable")))
        elif rest[0] not in ("true", "false"):
            raise RuleError(f"enable: {rest[0]!r} is not one of true, false")
        else:
            enable = rest[0] == "true"
    if not name:
        raise RuleError("the name is missing", "write name=ghcr.io/owner/name")
    return Image(name, enable)


def _fields(line: Line) -> list[str]:
    found = fields(line.text)
    if any('"' in re.sub(r"\{\{.*?\}\}", "", field) for field in found):
        hint = 'put the quotes around the whole field, as in type=raw,"value=a,b"'
        raise RuleError("there is a quote inside a field", hint)
    return found


def _attempt(
    where: str, line: Line, read: Callable[[Line], T], problems: list[Problem]
) -> T | None:
    try:
        return read(line)
    except RuleError as error:
        problems.append(
            Problem(f"input `{where}`, line {line.number}", f"{line.text!r}: {error}", error.hint)
        )
        return None
