"""Versions as the tags of actions write them, and their order."""

from __future__ import annotations

import re

from gen_workflow.named_tuple import NamedTuple

# Such as `v4`, `v4.1.2`, `4.1`, `v4.0.0-beta.1`, `release/v1`, `predicate@1.1.4`.
_TAG = re.compile(
    r"(?P<series>(?:[A-Za-z][A-Za-z_-]*[-_/@])?)v?(?P<numbers>\d+(?:\.\d+){0,3})"
    r"(?P<pre>(?:[-.]?(?!x\b)[A-Za-z][\w.-]*)?)(?:\+[\w.-]+)?"
)
_LONGEST = 4  # numbers
# The numbers, whether it is no pre-release, and the words of a pre-release: numbers before letters.
Order = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


class Version(NamedTuple):
    """A version: the series it belongs to, its numbers, what makes it a pre-release, its tag."""

    series: str
    numbers: tuple[int, ...]
    pre: str
    tag: str

    @property
    def order(self) -> Order:
        """What versions of one series are compared by, as https://semver.org says (11)."""
        padded = (*self.numbers, *(0,) * (_LONGEST - len(self.numbers)))
        parts = re.findall(r"\d+|[A-Za-z]+", self.pre)
        words = ((True, 0, one) if one.isalpha() else (False, int(one), "") for one in parts)
        return padded, not self.pre, tuple(words)

    @property
    def major(self) -> int:
        """The first number: a change of it may break who uses the action."""
        return self.numbers[0]

    def same(self, other: Version) -> bool:
        """Tell whether another tag says the same version, as `1.2.0` and `v1.2.0` do."""
        return self[:3] == other[:3]

    def covers(self, other: Version) -> bool:
        """Tell whether another version is this one, or one of those that a short form names."""
        short = other.numbers[: len(self.numbers)] == self.numbers
        exact = len(self.numbers) == len(other.numbers)
        return self.series == other.series and short and (self.pre == other.pre if exact else True)

    def like(self, other: Version) -> str:
        """Return the tag with as many numbers as another version has."""
        numbers = ".".join(map(str, self.numbers[: len(other.numbers)]))
        return f"{self.tag.partition(f'{self.major}')[0]}{numbers}"


def version(tag: str) -> Version | None:
    """Return the version that a tag says; None when it says none."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    numbers = tuple(map(int, found["numbers"].split(".")))
    return Version(found["series"], numbers, found["pre"].lstrip("-."), tag)
