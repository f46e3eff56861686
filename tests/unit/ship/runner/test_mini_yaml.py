from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode

from ship.runner import mini_yaml

NULL = ("", "~", "null", "Null", "NULL")


def by_ruamel(text: str) -> Any:
    """Return what another reader of YAML 1.2 takes a text for, before it guesses any type."""
    return plain(YAML(typ="safe", pure=True).compose(text))


def plain(node: Any) -> Any:
    if node is None:
        return None
    if isinstance(node, ScalarNode):
        return None if not node.style and node.value in NULL else node.value
    if isinstance(node, MappingNode):
        return {plain(key): plain(value) for key, value in node.value}
    return [plain(each) for each in node.value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("# nothing\n\n", None),
        ("a: b", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("a:\nb: ~\nc: null\nd: ''\n", {"a": None, "b": None, "c": None, "d": ""}),
        # A text is as written.
        ("a: 1.10\nb: on\nc: 0x1f", {"a": "1.10", "b": "on", "c": "0x1f"}),
        ("a: 2020-01-01\nb: +1e3", {"a": "2020-01-01", "b": "+1e3"}),
        ("a: b c  # d\nb: c#d", {"a": "b c", "b": "c#d"}),
        ("a: http://b:80/c?d=e&f", {"a": "http://b:80/c?d=e&f"}),
        ("a: b:c", {"a": "b:c"}),
        ("a : b", {"a": "b"}),
        ("a: -b\nc: --d=e\nf: ?g", {"a": "-b", "c": "--d=e", "f": "?g"}),
        ("a: i,j[k]{l}", {"a": "i,j[k]{l}"}),
        ("a: x{{b}}", {"a": "x{{b}}"}),
        ("é: ü x\n", {"é": "ü x"}),
        # Quotes.
        ("'a b': 'it''s # no: comment'", {"a b": "it's # no: comment"}),
        (r'"a\"b": "\\\n\t\u00e9\/"  # x', {'a"b': "\\\n\té/"}),
        ('"null": "~"', {"null": "~"}),
        # What is below.
        ("a:\n  b: c\n  d:\n    e: f\ng: h", {"a": {"b": "c", "d": {"e": "f"}}, "g": "h"}),
        ("a:\n   b: c\nd:\n e: f", {"a": {"b": "c"}, "d": {"e": "f"}}),
        ("a:\n  b c\nd: e", {"a": "b c", "d": "e"}),
        ("a:\n\n  # x\n  b: c\n# y\n\nd: e\n", {"a": {"b": "c"}, "d": "e"}),
        # Lists.
        ("a:\n  - b\n  - c d # e\nf: g", {"a": ["b", "c d"], "f": "g"}),
        ("a:\n- b\n- 'c'\nf: g", {"a": ["b", "c"], "f": "g"}),
        ("- a\n-\n-   b\n", ["a", None, "b"]),
        ("a:\n - [b, c]\n - {d: e}", {"a": [["b", "c"], {"d": "e"}]}),
        # Brackets.
        ("a: [b, c d, 'e, f']", {"a": ["b", "c d", "e, f"]}),
        ("a: [b:c, d/e, -f]", {"a": ["b:c", "d/e", "-f"]}),
        ("a: []\nb: {}\nc: [d,]", {"a": [], "b": {}, "c": ["d"]}),
        ("a: {b: c, d: [e, {f: g}]}", {"a": {"b": "c", "d": ["e", {"f": "g"}]}}),
        ("a: {b: , c: }", {"a": {"b": None, "c": None}}),
        ("a: [b, # c\n  d,\n\n  e\n ]  # f\ng: h", {"a": ["b", "d", "e"], "g": "h"}),
        ('{"a":"b","c":["d"], "e": {"f":null} }', {"a": "b", "c": ["d"], "e": {"f": None}}),
        # Blocks.
        ("a: |\n  b\n\n    c # d\n  e: f\n\ng: h", {"a": "b\n\n  c # d\ne: f\n", "g": "h"}),
        ("a: |-  # x\n  b\n  c\n\nd: e", {"a": "b\nc", "d": "e"}),
        ("a:\n  b: |\n    c\n# d\n  e: f", {"a": {"b": "c\n", "e": "f"}}),
        ("a: |\n  b", {"a": "b"}),
        ("a: |\n  b\n", {"a": "b\n"}),
        ("a: |\n  b\n\n\n", {"a": "b\n"}),
        ("a: |\n  b\n   \n  ", {"a": "b\n \n"}),
    ],
)  # fmt: skip
def test_what_is_read_means_what_other_readers_take_it_for(text: str, expected: Any) -> None:
    assert mini_yaml.load(text) == expected
    assert by_ruamel(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "reported"),
    [
        ("a:\tb", "1:3", "there is a tab"),
        ("a: b\n\tc: d", "2:1", "there is a tab"),
        ("a: \x07", "1:4", "'\\x07' cannot stand in a text"),
        ("a: b\rc: d", "1:5", "cannot stand in a text"),
        ("\ufeffa: b", "1:1", "cannot stand in a text"),
        ("---\na: b", "1:1", "several documents are not supported"),
        ("a: b\n...", "2:1", "several documents are not supported"),
        ("%YAML 1.2", "1:1", "directives"),
        ("a: &x b", "1:4", "an anchor is not supported"),
        ("a: *x", "1:4", "an alias is not supported"),
        ("a: !x b", "1:4", "a tag is not supported"),
        ("<<: {a: b}", "1:1", "'<<' is not a key"),
        ("null: a", "1:1", "'null' is not a key: put it in quotes"),
        ("? a\n: b", "1:1", "no text starts with `?` here"),
        ("a: @b", "1:4", "no text starts with `@` here"),
        ("a: %b", "1:4", "no text starts with `%` here"),
        ("a: `b`", "1:4", "no text starts with ``` here"),
        ("a: ]", "1:4", "no text starts with `]` here"),
        ("a: - b", "1:4", "a list does not start beside its key"),
        ("a: >\n  b", "1:4", "a `>` block is not supported"),
        ("a: |+\n  b", "1:4", "write a `|` block directly after a key"),
        ("a: |2\n  b", "1:4", "write a `|` block directly after a key"),
        ("- |\n  b", "1:3", "write a `|` block directly after a key"),
        ("a: |\nb: c", "2:1", "the text of a `|` block starts on the next line"),
        ("a: |\n\n  b", "2:1", "the text of a `|` block starts on the next line"),
        ("a: |\n  b\n c", "3:2", "the indent is 1, and 0 above"),
        ("a: b: c", "1:4", "there are two `key: value` on one line"),
        ("a: 'b' c", "1:8", "there is more on the line after the text"),
        ("a: [b] c", "1:8", "there is more on the line after the closing bracket"),
        ("a: b\n  c", "2:3", "the indent is 2, and 0 above: a text must be on one line"),
        ("a: b\n c: d", "2:2", "the indent is 1"),
        ("a: 'b\n c'", "1:4", "the ' is not closed on its line: a text must be on one line"),
        ('a: "b', "1:4", 'the " is not closed on its line'),
        (r'a: "\x41"', "1:4", "an escape in it is not one of JSON: write two backslashes"),
        (r'a: "\ud83d\ude00"', "1:4", "an escape in it is not one of JSON"),
        ("a: b\na: c", "2:1", "the key 'a' appears twice, first in line 1"),
        ("a: {b: c, 'b': d}", "1:11", "the key 'b' appears twice"),
        ("a: b\nc", "2:1", "this line is not `key: value`"),
        ("a: b\nc:d", "2:1", "this line is not `key: value`"),
        ("a: b\n- c", "2:1", "this line neither continues the value above"),
        ("  a: b\nc: d", "2:1", "this line neither continues the value above"),
        ("a:\n  - b: c", "2:5", "a list in a block holds texts only"),
        ("- - a", "1:3", "a list in a block holds texts only"),
        ("- a\n  b", "2:3", "the indent is 2, and 0 above"),
        ("a: [b", "1:4", "the bracket has no `]`"),
        ("a: {b: c", "1:4", "the bracket has no `}`"),
        ("a: [b}", "1:6", "there has to be a comma or `]` here"),
        ("a: [b: c]", "1:6", "there has to be a comma or `]` here"),
        ("a: [b c: d]", "1:8", "there has to be a comma or `]` here"),
        ("a: [, b]", "1:5", "no text starts with `,` here"),
        ("a: {b}", "1:6", "'b' has no value: put a colon and a space after it"),
        ("a: {b:c}", "1:8", "'b:c' has no value"),
        ("a:\n  b: [c,\n d]", "3:2", "what is in brackets has to be indented further than its key"),
        ("a:\n  b: [c\n ]", "3:2", "the closing bracket is left of where its block starts"),
        ("a: " + "[" * 17, "1:19", "nested more than 16 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(20)), "17:17", "nested more than 16 levels deep"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_with_its_place(text: str, place: str, reported: str) -> None:
    with pytest.raises(mini_yaml.Invalid) as raised:
        mini_yaml.load(text)
    assert str(raised.value).startswith(f"{place}: ")
    assert reported in raised.value.message


def test_every_key_has_its_place() -> None:
    found = mini_yaml.load('a: b\n"c d":\n  e: {f: 1,\n    "g": 2}\n')
    assert found.positions == {"a": (1, 1), "c d": (2, 1)}
    assert found["c d"].positions == {"e": (3, 3)}
    assert found["c d"]["e"].positions == {"f": (3, 7), "g": (4, 5)}


TOKENS = st.sampled_from(
    ["a", "b", "cd", "1", "é", "null", "~", "on", ": ", ":", " :", ":\n", "\n", "\n", "\n  ",
     "\n    ", "\n ", "- ", "-", "\n- ", "\n  - ", ", ", ",", "[", "]", "{", "}", "'", '"', "''",
     "\\", "\\n", "#", " # ", "?", "? ", "|", ": |\n  ", ": |-\n   ", ">", "&", "*", "!", "@",
     "%", "`", " ", "  ", "---", "<<", "=", "\r\n"]
)  # fmt: skip
CHARACTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"
)
KEYS = st.text(alphabet="ab:#- '\"\\é,[]{}?|\n", max_size=4)
VALUES = st.recursive(
    st.none() | st.text(CHARACTERS, max_size=6) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def refusal(text: str) -> mini_yaml.Invalid | None:
    try:
        mini_yaml.load(text)
    except mini_yaml.Invalid as reason:
        return reason
    return None


@given(st.lists(TOKENS, max_size=14).map("".join))
def test_whatever_is_read_means_what_other_readers_take_it_for(text: str) -> None:
    assert refusal(text) or mini_yaml.load(text) == by_ruamel(text)


@given(VALUES, st.sampled_from([None, 1, 3]))
def test_all_json_is_read(value: Any, indent: int | None) -> None:
    assert mini_yaml.load(json.dumps(value, ensure_ascii=False, indent=indent)) == value


@given(st.one_of(st.text(max_size=30), st.lists(TOKENS, max_size=9).map("".join)))
def test_whatever_is_refused_has_a_place_in_the_text(text: str) -> None:
    reason = refusal(text)
    if reason:
        lines = text.split("\n")
        assert reason.message
        assert 1 <= reason.line <= len(lines)
        assert 1 <= reason.column <= len(lines[reason.line - 1]) + 1
