"""Turns a rule into a candidate for a tag: at most one for a run, not yet made legal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.tags.expressions import expand, is_raw
from ship.images.tags.rules import RuleError
from ship.images.tags.values import constant, short_sha, values_of
from ship.images.tags.versions import NAMES, pep440, semver
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from ship.images.tags.expressions import Value
    from ship.images.tags.facts import Facts
    from ship.images.tags.rules import Flavor, Rule
    from ship.images.tags.values import Tell
    from ship.images.tags.versions import Version

# The attributes that may contain an expression: those of every rule, and those of one type.
_EXPANDED = ("enable", "prefix", "suffix")
_ALSO_EXPANDED = {
    "schedule": ("pattern",), "semver": ("pattern", "value"), "pep440": ("pattern", "value"),
    "match": ("value",), "raw": ("value",),
}  # fmt: skip


class Candidate(NamedTuple):
    """A tag before it is made legal.

    `latest` says whether the tag `latest` is set together with it. `is_fixed` says that it always
    stands for the same state of the source, as a commit or a whole version does.
    """

    text: str
    latest: bool = False
    is_fixed: bool = False


class Candidates:
    """Makes the tags of one run."""

    def __init__(
        self, facts: Facts, flavor: Flavor, values: Mapping[str, Value], tell: Tell
    ) -> None:
        self._facts = facts
        self._flavor = flavor
        self._values = values
        self._tell = tell

    def of(self, rule: Rule) -> Candidate | None:
        """Return the tag of a rule, or None when the rule is not for this run.

        Raises RuleError and BadExpressionError.
        """
        self._check(rule)
        enabled = self._expand(rule.attributes["enable"])
        if enabled not in ("true", "false"):
            raise RuleError(f"enable: {enabled!r} is neither true nor false")
        made = getattr(self, f"_{rule.type}")(rule) if enabled == "true" else None
        return made._replace(text=self._dressed(made.text, rule)) if made else None

    def latest(self) -> str:
        """Return the name of the tag `latest`, with the prefix and suffix of the flavor."""
        flavor = self._flavor
        prefix = flavor.prefix if flavor.prefix_on_latest else ""
        suffix = flavor.suffix if flavor.suffix_on_latest else ""
        return f"{prefix}latest{suffix}"

    def _check(self, rule: Rule) -> None:
        """Find the mistakes in a rule, also when the rule is for another run than this one."""
        own = dict.fromkeys(NAMES.get(rule.type, ()), constant(""))
        values = {**values_of(self._facts, lambda _: None), **own}
        for name in (*_EXPANDED, *_ALSO_EXPANDED.get(rule.type, ())):
            expand(rule.attributes.get(name, ""), values)
        if rule.type == "match":
            _regexes().read(rule.attributes["pattern"])
        elif rule.attributes.get("match"):
            _version_regex(rule)

    def _expand(self, text: str) -> str:
        return expand(text, self._values)

    def _dressed(self, text: str, rule: Rule) -> str:
        """Return a tag with prefix and suffix: of the rule, even empty ones, or of the flavor."""
        given, flavor = rule.attributes, self._flavor
        prefix = self._expand(given["prefix"]) if "prefix" in given else flavor.prefix
        suffix = self._expand(given["suffix"]) if "suffix" in given else flavor.suffix
        return prefix + text + suffix

    # One for each type of rule

    def _schedule(self, rule: Rule) -> Candidate | None:
        if "schedule" not in self._facts.event_name:
            return None
        return Candidate(self._expand(rule.attributes["pattern"]))

    def _semver(self, rule: Rule) -> Candidate | None:
        return self._version(rule, semver, "a version of https://semver.org")

    def _pep440(self, rule: Rule) -> Candidate | None:
        return self._version(rule, pep440, "a version of PEP 440")

    def _version(
        self, rule: Rule, read: Callable[[str], Version | None], kind: str
    ) -> Candidate | None:
        text = self._version_text(rule)
        if text is None:
            return None
        version = read(text)
        if not version:
            self._tell(f"{rule.line.text}: {text!r} is not {kind}")
            return None
        pattern = rule.attributes["pattern"]
        # A part of a pre-release, such as its major number, is a tag of the stable versions.
        if not version.is_stable and not is_raw(pattern):
            pattern = "{{version}}"
        own = {name: constant(value) for name, value in version.values.items()}
        made = expand(pattern, {**self._values, **own})
        is_whole = version.values["version"] in made or version.values["raw"] in made
        return Candidate(made, latest=version.is_stable, is_fixed=is_whole)

    def _version_text(self, rule: Rule) -> str | None:
        """Return the text that contains the version, or None when this run has no such text."""
        text = self._given_or_tag(rule)
        if text is not None and rule.attributes["match"]:
            text = self._first_group(rule, text)
        return None if text is None else text.replace("/", "-")

    def _first_group(self, rule: Rule, text: str) -> str:
        found = _version_regex(rule).search(text)
        if not found:
            self._tell(f"{rule.line.text}: {rule.attributes['match']} does not match {text!r}")
            return text
        if found[1] is None:
            raise RuleError(f"match: its group 1 matches nothing in {text!r}")
        return str(found[1])

    def _given_or_tag(self, rule: Rule) -> str | None:
        given = rule.attributes["value"]
        if given:
            return self._expand(given)
        return self._facts.tag or None

    def _match(self, rule: Rule) -> Candidate | None:
        text = self._given_or_tag(rule)
        if text is None:
            return None
        pattern, group = rule.attributes["pattern"], rule.attributes["group"]
        found = _regexes().groups(pattern, text)
        if found is None:
            self._tell(f"{rule.line.text}: {pattern} does not match {text!r}")
            return None
        part = found[int(group)] if int(group) < len(found) else None
        if part is None:
            self._tell(f"{rule.line.text}: there is no group {group}, or it matches nothing")
            return None
        return Candidate(part, latest=True)

    def _ref(self, rule: Rule) -> Candidate | None:
        facts = self._facts
        if rule.attributes["event"] == "branch":
            return Candidate(facts.branch) if facts.branch else None
        if rule.attributes["event"] == "tag":
            return Candidate(facts.tag, latest=True, is_fixed=True) if facts.tag else None
        if not facts.ref.startswith("refs/pull/"):
            return None
        return Candidate(facts.ref.removeprefix("refs/pull/").removesuffix("/merge"))

    def _edge(self, rule: Rule) -> Candidate | None:
        facts = self._facts
        if not facts.branch:
            return None
        branch = rule.attributes["branch"] or facts.repository.default_branch
        if not branch:
            self._tell("the event does not name the default branch, so there is no tag `edge`")
        return Candidate("edge") if branch == facts.branch else None

    def _raw(self, rule: Rule) -> Candidate | None:
        return Candidate(self._expand(rule.attributes["value"]))

    def _sha(self, rule: Rule) -> Candidate | None:
        is_short = rule.attributes["format"] == "short"
        text = short_sha(self._facts) if is_short else self._facts.sha
        return Candidate(text, is_fixed=True) if text else None


def _version_regex(rule: Rule) -> re.Pattern[str]:
    """Return the expression that finds the version in a longer text. Raises RuleError."""
    regex: re.Pattern[str] = _regexes().compiled(rule.attributes["match"])
    if not regex.groups:
        what = f"match: {rule.attributes['match']!r} has no group"
        raise RuleError(what, "put ( ) around the part that is the version")
    return regex


def _regexes() -> ModuleType:
    from ship.images.tags import regexes  # noqa: PLC0415 - 1 ms, and few rules have a regular expression

    return regexes
