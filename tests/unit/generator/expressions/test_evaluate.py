"""What the evaluator says of values that only a run has, and of conditions."""

from __future__ import annotations

import contextlib
import itertools
import random
from typing import Any

import pytest

from gen_workflow.expressions.evaluate import Evaluator, condition, in_texts
from gen_workflow.expressions.reader import ExpressionError, read
from gen_workflow.expressions.values import Open, Unknown, text, truth

CONTEXTS: dict[str, Any] = {
    "github": Open("github", {"event_name": "push", "ref": "refs/heads/main"}),
    "vars": Open("vars"),
    "needs": {"build": {"result": "success", "outputs": Open("needs.build.outputs")}},
}


def evaluated(expression: str) -> Any:
    return Evaluator(CONTEXTS).value(read(expression))


@pytest.mark.parametrize(
    ("expression", "of", "is_true"),
    [
        ("vars.REGION", ("vars.REGION",), None),
        ("vars['REGION'] == 'eu'", ("vars.REGION",), None),
        ("!vars.REGION", ("vars.REGION",), None),
        ("vars.A || 'eu'", ("vars.A",), True),
        ("vars.A && ''", ("vars.A",), False),
        ("vars.A == vars.B || vars.A", ("vars.A", "vars.B"), None),
        ("contains(vars.LIST, 'x')", ("vars.LIST",), None),
        ("toJSON(github)", ("github",), None),
        ("needs.build.outputs.image", ("needs.build.outputs.image",), None),
        ("github.event.commits.*.message", ("github.event.commits.message",), None),
        ("vars.*", ("vars",), None),
    ],
)
def test_a_value_that_only_a_run_has_says_what_it_depends_on(
    expression: str, of: tuple[str, ...], is_true: object
) -> None:
    found = evaluated(expression)
    assert (found.of, found.truth) == (of, is_true)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("vars.A && github.event_name == 'pull_request'", False),
        ("vars.A || github.event_name == 'push'", True),
        ("!(vars.A && false)", True),
        ("needs.build.result == 'success'", True),
        ("github.event_name == 'push' && github.ref", "refs/heads/main"),
    ],
)
def test_what_decides_is_enough(expression: str, value: object) -> None:
    found = evaluated(expression)
    assert truth(found) == truth(value)
    assert isinstance(found, Unknown) or found == value


VALUES = ("", "x", "0", "1", "main", None, True, False)
PARTS = ("vars.A", "vars.B", "'x'", "'1'", "1", "true", "''", "null", "github.ref")
OPERATORS = ("==", "!=", "<", ">=", "&&", "||", "&&", "||")


@pytest.mark.parametrize("seed", range(200))
def test_what_is_said_before_the_run_is_so_in_every_run(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    tree = read(made(chance, 4))
    before = Evaluator(CONTEXTS).value(tree)
    for first, second in itertools.product(VALUES, VALUES):
        value = Evaluator({**CONTEXTS, "vars": {"A": first, "B": second}}).value(tree)
        assert truth(before) in (None, truth(value))
        if not isinstance(before, Unknown):
            assert text(before) == text(value)


def made(chance: random.Random, depth: int) -> str:
    """Return an expression of at most so many levels."""
    if depth == 0 or chance.random() < 0.1:
        return chance.choice(PARTS)
    one, other = made(chance, depth - 1), made(chance, depth - 1)
    forms = [f"{one} {operator} {other}" for operator in OPERATORS]
    return chance.choice([*forms, f"({one})", f"!({one})", f"contains({one}, {other})"])


WORDS = (
    "(", ")", "[", "]", ",", ".", "*", "!", "==", "!=", "<", ">=", "&&", "||", "'", "'x'", "''",
    "1", "-", "0x", "0x" + "f" * 300, "1e400", "NaN", "true", "null", "vars", "github", "needs",
    "event", "format", "join", "toJSON", "fromJSON", "contains", "case", "success", "'[1, {}]'",
    "'{0} {'", "'" + "9" * 400 + "'", " ", "\n", "%", "ä", "${{", "}}",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(100))
def test_no_text_is_anything_but_a_value_or_an_error_of_its_own(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for _ in range(100):
        written = "".join(chance.choices(WORDS, k=chance.randint(1, 12)))
        with contextlib.suppress(ExpressionError):
            found = Evaluator(CONTEXTS, {"success": lambda *_: True}).value(condition(written))
            assert truth(found) in (True, False, None)
            assert isinstance(text(found), str)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("github.ref == 'refs/heads/main'", True),
        ("${{ github.ref == 'refs/heads/other' }}", False),
        ("", True),
        ("always()", "always"),
        ("${{ github.ref }} == 'no'", True),
    ],
)
def test_a_condition_needs_no_braces_and_asks_for_success_itself(
    written: str, value: object
) -> None:
    asked: list[str] = []

    def status(name: str, answer: object) -> object:
        asked.append(name)
        return answer

    functions = {
        "success": lambda: status("success", answer=True),
        "always": lambda: status("always", "always"),
    }
    assert Evaluator(CONTEXTS, functions).value(condition(written)) == value
    assert asked == ([] if "}} ==" in written else ["always" if "always" in written else "success"])


def test_each_part_of_a_tree_has_its_text() -> None:
    tree = condition(" github.ref == 'a' ||  ( vars.X[ 'y' ] && !format( '{0}', 1 ) ) ")
    _, written = tree.operands
    assert written.text == "github.ref == 'a' ||  ( vars.X[ 'y' ] && !format( '{0}', 1 ) )"
    assert [each.text for each in written.operands] == [
        "github.ref == 'a'",
        "vars.X[ 'y' ] && !format( '{0}', 1 )",
    ]


def test_a_text_is_filled_in_as_far_as_its_values_are_known() -> None:
    evaluator = Evaluator(CONTEXTS)
    assert evaluator.filled("a ${{ github.ref }} ${{ '}}' }}") == "a refs/heads/main }}"
    assert evaluator.filled("${{ true }}") is True
    assert evaluator.filled("run ${{ github.run_id }}") == Unknown(("github.run_id",))
    assert in_texts("a ${{ b }} ${{ '}}' }}") == [" b ", " '}}' "]


def test_an_error_says_what_github_does_not_accept() -> None:
    for expression, words in {
        "github.ref ==": "ends too early",
        "a && b": "no context 'a'",
        "nope(1)": "no function 'nope'",
        "contains(1)": "does not take 1 arguments",
        "1 $": "cannot be read",
        "1 2": "'2' is not expected",
    }.items():
        with pytest.raises(ExpressionError, match=words):
            evaluated(expression)
