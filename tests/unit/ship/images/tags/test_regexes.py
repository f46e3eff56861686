"""Regular expressions of JavaScript, as Python understands them."""

from __future__ import annotations

import pytest

from ship.images.tags.regexes import compiled, groups
from ship.images.tags.rules import RuleError

MATCHES = {
    (r"\d+", "a12"): ("12",),
    (r"\d", "٣"): None,
    (r"v(\d)(x)?", "v1"): ("v1", "1", None),
    ("/V(.)/i", "v1"): ("v1", "1"),
    ("/a(.)/g", "xaby-acz"): ("ab", "ac"),
    ("/x*/g", "axb"): ("", "x", "", ""),
    ("/|a/g", "aa"): ("", "", ""),
    ("/b/y", "ab"): None,
    ("/a/gy", "aab"): ("a", "a"),
    ("/./dsmu", "a"): ("a",),
    ("//", "a/b"): None,
    ("a/b", "a/b"): ("a/b",),
    (r"\/(.+)", "a/b"): ("/b", "b"),
    (r"(?<n>a)\k<n>", "aa"): ("aa", "a"),
    (r"(a)|b\1", "b"): ("b", None),  # a group that took no part is empty
    (r"(?<n>x)?\k<n>b", "b"): ("b", None),
    (r"(a)\1", "ab"): None,
    (r"\x61\u0062", "ab"): ("ab",),
    (r"\A\Z\e\h\q\_", "AZehq_"): ("AZehq_",),
    (r"\cA|\0", "A0"): None,
    ("[]", "a"): None,
    ("[^]", "a"): ("a",),
    ("[[a]", "["): ("[",),
    ("[a&&b]+", "a&b"): ("a&b",),
    ("[||~~]", "~"): ("~",),
    (r"[\]\-\d]+", "]-1"): ("]-1",),
    ("[--a]", "."): (".",),
    (r"[\b]", "b"): None,
    ("a{,2}", "a{,2}"): ("a{,2}",),
    ("a{x}}]", "a{x}}]"): ("a{x}}]",),
    ("a{1,2}", "aaa"): ("aa",),
    ("a{2}?", "aaa"): ("aa",),
    ("(?<=a)b(?!c)", "abcab"): ("b",),
    ("(?i:A)b", "ab"): ("ab",),
    (r"\w+", "ünï"): ("n",),
    (r"\++", "a++"): ("++",),
    ("[+*]+", "+*"): ("+*",),
}
REFUSED = [
    "(", ")", "*a", "a**", "a++", "a?+", "a{2}+", "[a", "[z-a]", "(?P<n>a)", "(?#a)", "(?i)a",
    "(?>a)", "(?(1)a)", r"\p{L}", r"/\P{L}/u", r"\1", r"\k<n>", "(?<=a+)b", "/a/x", "/a/v",
    r"[a-\d]", "(?<n>a)(?<n>b)", "a{99999999999}",
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), MATCHES)
def test_a_pattern_matches_as_in_javascript(pattern: str, text: str) -> None:
    assert groups(pattern, text) == MATCHES[pattern, text]


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_only_one_of_the_languages_knows_is_refused(pattern: str) -> None:
    with pytest.raises(RuleError):
        groups(pattern, "a")


def test_a_pattern_without_delimiters_has_no_flags() -> None:
    assert compiled("/a/i").search("x/a/i")
    assert not compiled("/a/i").search("a")
