"""What a rule makes of a run: at most one tag, still in the words of the person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ship.tags.expressions import expand, is_raw
from ship.tags.rules import RuleError
from ship.tags.values import constant, short_sha
from ship.tags.versions import pep440, semver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.tags.expressions import Value
    from ship.tags.facts import Facts
    from ship.tags.rules import Flavor, Rule
    from ship.tags.values import Tell

_DELIMITED = re.compile(r"/(.+)/(.*)", re.DOTALL)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "u": 0, "g": 0}


class Candidate(NamedTuple):
    """A tag before it is made legal.

    `latest` says whether `latest` goes with it, and `is_fixed` that it stands for one state of the
    source for ever, as a commit or a whole version does.
    """

    text: str
    latest: bool = False
    is_fixed: bool = False


class Maker:
    """Makes the tags of one run."""

    def __init__(
        self, facts: Facts, flavor: Flavor, values: Mapping[str, Value], tell: Tell
    ) -> None:
        self._facts = facts
        self._flavor = flavor
        self._values = values
        self._tell = tell

    def make(self, rule: Rule) -> Candidate | None:
        """Return the tag of a rule, or None if the rule is not for this run.

        Raises RuleError and BadExpressionError.
        """
        enabled = self._expand(rule.attributes["enable"])
        if enabled not in ("true", "false"):
            raise RuleError(f"enable: {enabled!r} is neither true nor false")
        made = getattr(self, f"_{rule.type}")(rule) if enabled == "true" else None
        return made._replace(text=self._dressed(made.text, rule)) if made else None

    def latest(self) -> str:
        """Return what `latest` is called."""
        flavor = self._flavor
        prefix = flavor.prefix if flavor.prefix_on_latest else ""
        suffix = flavor.suffix if flavor.suffix_on_latest else ""
        return f"{self._expand(prefix)}latest{self._expand(suffix)}"

    def _expand(self, text: str) -> str:
        return expand(text, self._values)

    def _dressed(self, text: str, rule: Rule) -> str:
        """Return a tag with prefix and suffix: those of the rule, even empty ones, come first."""
        given = rule.attributes
        prefix = given.get("prefix", self._flavor.prefix)
        suffix = given.get("suffix", self._flavor.suffix)
        return self._expand(prefix) + text + self._expand(suffix)

    # One for each type of rule

    def _schedule(self, rule: Rule) -> Candidate | None:
        if "schedule" not in self._facts.event_name:
            return None
        return Candidate(self._expand(rule.attributes["pattern"]))

    def _semver(self, rule: Rule) -> Candidate | None:
        text = self._version_text(rule)
        if text is None:
            return None
        version = semver(text)
        if not version:
            self._tell(f"{rule.line.text}: {text!r} is not a version of https://semver.org")
            return None
        pattern = rule.attributes["pattern"]
        if not version.is_stable and not is_raw(pattern):
            pattern = "{{version}}"
        return self._of_version(pattern, version.values, is_stable=version.is_stable)

    def _pep440(self, rule: Rule) -> Candidate | None:
        text = self._version_text(rule)
        if text is None:
            return None
        version = pep440(text)
        if not version:
            self._tell(f"{rule.line.text}: {text!r} is not a version of PEP 440")
            return None
        pattern = rule.attributes["pattern"]
        if not version.is_stable and not is_raw(pattern):
            pattern = "{{version}}"
        return self._of_version(pattern, version.values, is_stable=version.is_stable)

    def _of_version(self, pattern: str, values: Mapping[str, str], *, is_stable: bool) -> Candidate:
        own = {name: constant(value) for name, value in values.items()}
        text = expand(pattern, {**self._values, **own})
        is_whole = values["version"] in text or values["raw"] in text
        return Candidate(text, latest=is_stable, is_fixed=is_whole)

    def _version_text(self, rule: Rule) -> str | None:
        """Return the text that has the version, or None when there is none in this run."""
        text = self._given_or_tag(rule)
        pattern = rule.attributes["match"]
        if text is not None and pattern:
            found = _compiled(pattern).search(text)
            if not found:
                self._tell(f"{rule.line.text}: {pattern} does not match {text!r}")
            elif not found.re.groups or found[1] is None:
                raise RuleError(f"match: {pattern!r} finds no group", "put the version in ( )")
            else:
                text = str(found[1])
        return None if text is None else text.replace("/", "-")

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
        groups = _groups(pattern, text)
        if groups is None:
            self._tell(f"{rule.line.text}: {pattern} does not match {text!r}")
            return None
        number = float(group)
        found = groups[int(number)] if number in range(len(groups)) else None
        if found is None:
            self._tell(f"{rule.line.text}: there is no group {group}")
            return None
        return Candidate(found, latest=True)

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
            self._tell("the default branch is not in the event: there is no tag `edge`")
        return Candidate("edge") if branch == facts.branch else None

    def _raw(self, rule: Rule) -> Candidate | None:
        return Candidate(self._expand(rule.attributes["value"]))

    def _sha(self, rule: Rule) -> Candidate | None:
        is_short = rule.attributes["format"] == "short"
        text = short_sha(self._facts) if is_short else self._facts.sha
        return Candidate(text, is_fixed=True) if text else None


def _groups(pattern: str, text: str) -> tuple[str | None, ...] | None:
    """Return the whole match and its groups; with the flag `g`, all that matches."""
    delimited = _DELIMITED.fullmatch(pattern)
    regex = _compiled(delimited[1], delimited[2]) if delimited else _compiled(pattern)
    if delimited and "g" in delimited[2]:
        return tuple(found[0] for found in regex.finditer(text)) or None
    found = regex.search(text)
    return (found[0], *found.groups()) if found else None


def _compiled(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Return a regular expression of JavaScript as one of Python. Raises RuleError."""
    import warnings  # noqa: PLC0415 - only where there is an expression

    number = re.ASCII
    for flag in flags:
        if flag not in _FLAGS:
            raise RuleError(
                f"{flag!r} is not a flag that is known", f"there are {', '.join(_FLAGS)}"
            )
        number |= _FLAGS[flag]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what another Python may read in another way
            return re.compile(_python(pattern), number)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"{pattern!r} is not a regular expression: {error}") from None


def _python(pattern: str) -> str:
    """Return the pattern with named groups as Python writes them."""
    named = re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", pattern)
    return re.sub(r"\\k<([A-Za-z_]\w*)>", r"(?P=\1)", named)
