"""Expressions in `{{ }}`, by themselves."""

from __future__ import annotations

import pytest

from ship.images.tags.expressions import BadExpressionError, expand, is_raw
from unit.ship.images.tags.runs import RUNS, SHA, described, label, names, push

VALUES = {
    "a": lambda *_: "A&<b>'\"`=",
    "b": lambda *_: "{{a}}",
    "echo": lambda text, options: f"{text}{dict(options)}",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("x}}", "x}}"),
        ("{x}", "{x}"),
        ("{{a}}", "A&<b>'\"`="),
        ("{{ a }}-{{{a}}}", "A&<b>'\"`=-A&<b>'\"`="),
        ("{{b}}", "{{a}}"),  # a value is not read again
        ("{{{ b }}}x", "{{a}}x"),
        ("{{!c}}x{{!-- d}} --}}y", "xy"),
        (r"\{{a}} {{b}}", "{{a}} {{a}}"),
        (r"\\{{b}}", r"\{{a}}"),
        (r"a\b", r"a\b"),
        ("{{echo}}", "None{}"),
        ("{{echo bare}}", "None{}"),
        ("{{echo 'c d'}}", "c d{}"),
        ("{{echo \"c 'd'\"}}", "c 'd'{}"),
        (r"{{echo 'it\'s'}}", "it's{}"),
        ("{{echo 'c' e='f' g=h}}", "c{'e': 'f', 'g': 'h'}"),
        ("{{echo  'c'e = 'f' }}", "c{'e': 'f'}"),
        ("{{echo ''}}", "{}"),
    ],
)
def test_an_expression_stands_for_its_value(text: str, expected: str) -> None:
    assert expand(text, VALUES) == expected


@pytest.mark.parametrize(
    "text",
    ["{{}}", "{{ }}", "{{a", "{{{a}}", "{{c}}", "{{#if a}}b{{/if}}", "{{~a}}", "{{&a}}",
     "{{'a'}}", "{{a 'b}}", "{{a 'b' 'c'}}", "{{a x='b' 'c'}}", "{{a.length}}", "{{this.a}}",
     "{{{{a}}}}", "{{a=}}"],
)  # fmt: skip
def test_a_wrong_expression_is_refused(text: str) -> None:
    with pytest.raises(BadExpressionError):
        expand(text, VALUES)


@pytest.mark.parametrize("pattern", ["{{raw}}", "{{ raw }}", "{{{raw}}}", "{{{ raw }}}"])
def test_a_pattern_of_raw_alone_keeps_the_version(pattern: str) -> None:
    assert is_raw(pattern)


@pytest.mark.parametrize("pattern", ["raw", "{{raw}}x", "{{version}}", "{{raw}}{{raw}}", "{{raw"])
def test_other_patterns_do_not_keep_the_version(pattern: str) -> None:
    assert not is_raw(pattern)


@pytest.mark.parametrize(
    ("name", "run", "expected"),
    [
        ("branch", "push to another branch", "dev"),
        ("branch", "push of a version", ""),
        ("branch", "pull request with the rights of its target", ""),
        ("tag", "push of a version", "v1.2.3"),
        ("tag", "run by hand", ""),
        ("sha", "run by hand", SHA[:7]),
        ("base_ref", "push of a version", "main"),
        ("base_ref", "push of a pre-release", ""),
        ("base_ref", "pull request", "rel/1.x"),
        ("base_ref", "push to another branch", ""),
        ("is_default_branch", "run by hand", "true"),
        ("is_default_branch", "branch was made", "true"),
        ("is_default_branch", "pull request", "false"),
        ("is_not_default_branch", "push of a version", "true"),
        ("date 'X'", "run by hand", "1783214445"),
        ("commit_date 'X'", "run by hand", "1783214445"),
        ("commit_date 'X'", "push of a version", "1774744215"),
        ("commit_date 'X'", "merge queue", "1774744215"),
    ],
)
def test_a_name_stands_for_a_fact_of_the_run(name: str, run: str, expected: str) -> None:
    assert label(f"{{{{{name}}}}}", RUNS[run]) == expected


def test_nothing_is_escaped_for_html() -> None:
    run = push("refs/heads/a&b<c>'d\"e`f=g")
    assert label("{{branch}}", run) == "a&b<c>'d\"e`f=g"
    assert names("x-{{branch}}", run) == ("x-a-b-c-d-e-f-g",)


def test_the_names_are_known_in_every_pattern() -> None:
    assert names("type=semver,pattern={{version}}-{{sha}}", RUNS["push of a version"])[0] == (
        f"1.2.3-{SHA[:7]}"
    )
    assert names("type=schedule,pattern={{branch}}", RUNS["schedule"]) == ("main",)


def test_an_expression_of_a_branch_is_not_read() -> None:
    run = push("refs/heads/{{sha}}")
    assert label("{{branch}}", run) == "{{sha}}"
    assert described("x", run, flavor="prefix={{branch}}.").tag_names == ("sha-.x",)
