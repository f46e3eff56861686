"""How the text of a spec becomes values: what ends a line, and how much a spec may hold."""

from __future__ import annotations

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.document import parse as parse_text
from gen_workflow.spec.document import plain
from gen_workflow.spec.nodes import DEEPEST, MOST_VALUES

# YAML 1.1 ends a line at these, YAML 1.2 does not (yaml.org/spec/1.2.2, 5.4).
NO_BREAKS = ("\x85", "\u2028", "\u2029")

of_no_break = pytest.mark.parametrize("character", NO_BREAKS, ids=ascii)


def parse(text: str) -> object:
    root = parse_text(text, "spec.yml")
    assert root is not None
    return plain(root)


def problem(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_text(text, "spec.yml")
    (only,) = caught.value.problems
    return only


@of_no_break
@pytest.mark.parametrize(
    "comment", ["# x{}b: 1\n", "a: 1 # x{}b: 1\n", "a: 1\n# {}\n#{}{} b: 1", "a: 1 #{0}b: 1"]
)
def test_a_comment_ends_where_an_editor_ends_its_line(comment: str, character: str) -> None:
    text = comment.replace("{0}", "{}").replace("{}", character)
    assert "b" not in (parse(f"{text}\na: 1\n") if text.startswith("# x") else parse(text))  # type: ignore[operator]


@of_no_break
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"x{}y"', "x{}y"),
        ("'x{}y'", "x{}y"),
        ("x{}y", "x{}y"),
        ('"x{} y"', "x{} y"),
        ("|\n  x{}y\n  z\n", "x{}y\nz\n"),
        (">\n  x{}y\n  z\n", "x{}y z\n"),
        ('"x\\\n  {}y"', "x{}y"),
        ("{}", "{}"),
    ],
)
def test_a_character_that_ends_no_line_stays_in_the_value(
    text: str, value: str, character: str
) -> None:
    assert parse(f"a: {text.replace('{}', character)}\n") == {"a": value.replace("{}", character)}


@of_no_break
def test_a_key_may_hold_a_character_that_ends_no_line(character: str) -> None:
    assert parse(f"x{character}y: 1\n") == {f"x{character}y": 1}


def test_an_escape_is_what_it_says_beside_characters_that_end_no_line() -> None:
    every = "".join(f"\\U{number:08x}" for number in range(0x10FFF0, 0x10FFFE))
    text = f'a: "{"".join(NO_BREAKS)}{every}\\N\\L\\P"\n'
    meant = "".join(NO_BREAKS) + "".join(map(chr, range(0x10FFF0, 0x10FFFE))) + "".join(NO_BREAKS)
    assert parse(text) == {"a": meant}


@of_no_break
def test_a_place_is_counted_as_an_editor_counts_it(character: str) -> None:
    text = f"# {character}\nx: '{character}{character}' : y\n"
    assert problem(text).startswith("spec.yml:2:9 a `:` is in a place where YAML allows no key")


def test_a_spec_may_hold_many_values() -> None:
    many = MOST_VALUES - 3
    assert parse(f"a: [{'x, ' * many}]") == {"a": ["x"] * many}


@pytest.mark.parametrize(
    ("text", "place", "most"),
    [
        pytest.param("a:\n" + "- x\n" * (MOST_VALUES + 1), "9999:3", "10,000 values", id="values"),
        pytest.param(
            f"x: &x {{{', '.join(f'K{i}: v' for i in range(1000))}}}\na:\n" + "- *x\n" * 3000,
            "6:3",
            "10,000 values",
            id="aliases-of-a-mapping",
        ),
        pytest.param(
            "a: &a0 [x, x]\n" + "".join(f"b: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(20)),
            "12:10",
            "10,000 values",
            id="aliases-of-aliases",
        ),
        pytest.param(
            f"x: &x {'v' * 300_000}\n" + "".join(f"k{i}: *x\n" for i in range(4)),
            "4:5",
            "1,000,000 characters",
            id="aliases-of-a-long-text",
        ),
    ],
)
def test_more_than_a_workflow_can_need_is_refused_where_it_becomes_too_much(
    text: str, place: str, most: str
) -> None:
    assert problem(text) == (
        f"spec.yml:{place} is too much: a spec holds at most {most}, and an alias counts as all "
        "that it stands for\n  hint: use the alias less often, or write less"
    )


def test_what_we_rendered_may_hold_more() -> None:
    many = "a:\n" + "- x\n" * (MOST_VALUES + 1)
    assert parse_text(many, "workflow.yml", bounded=False)


@pytest.mark.parametrize(("text", "column"), [("[", 51), ("- ", 101), ("{a: ", 198), ("? ", 101)])
def test_a_spec_that_is_nested_too_deeply_is_refused_where_it_becomes_so(
    text: str, column: int
) -> None:
    assert problem(text * 2000) == (
        f"spec.yml:1:{column} is nested more than {DEEPEST} levels deep\n"
        "  hint: check the brackets, or the indentation, before this"
    )


def test_a_spec_may_be_nested() -> None:
    assert parse("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: [*a]}\n", "&a {b: {c: *a}}\n"])
def test_a_value_that_holds_itself_is_refused(text: str) -> None:
    assert problem(text) == (
        f"spec.yml:1:{text.index('*') + 1} is an alias of a value that it is a part of, which "
        "would have no end\n  hint: write what is meant here"
    )
