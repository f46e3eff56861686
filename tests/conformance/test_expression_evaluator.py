"""The evaluator of the generator says what GitHub's own says, of all that has a known value."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.expressions.evaluate import Evaluator
from gen_workflow.expressions.reader import ExpressionError, read
from gen_workflow.expressions.values import text

if TYPE_CHECKING:
    from conformance.github_parser import GithubParser

pytestmark = pytest.mark.needs("npm")

CONTEXTS: dict[str, Any] = {
    "github": {
        "event_name": "push",
        "ref": "refs/heads/Release/1.0",
        "ref_name": "Release/1.0",
        "run_attempt": "1",
        "event": {
            "commits": [{"message": "Fix it", "n": 1}, {"message": "Add that", "tags": ["a", "B"]}],
            "pull_request": {"draft": False, "head": {"repo": {"fork": True}}},
            "number": 7,
            "Ää": "ä",
        },
    },
    "inputs": {"environment": "staging", "dry-run": True, "empty": ""},
    "needs": {"build": {"result": "success", "outputs": {"image": "ghcr.io/a/b@sha256:0"}}},
    "list": ["a", "B", 1, None, True, "", "10"],
}
# Each kind of value, and texts that count as numbers.
VALUES = (
    "null", "true", "false", "0", "1", "-1", "1.5", ".5", "1e3", "0x1F", "0o17", "NaN", "Infinity",
    "''", "'0'", "'1'", "'-1.50'", "' 12 '", "'1e3'", "'0x1f'", "'true'", "'a'", "'A'", "'b'",
    "'1_0'", "'Infinity'", "'infinity'", "'ä'", "'Ä'", "'ß'", "'NaN'", "'+5'", "'.'",
    "list", "github", "github.event.number", "github.nothing", "inputs.empty",
)  # fmt: skip
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "&&", "||")
EXPRESSIONS = (
    "github.REF", "GitHub.event_NAME", "github['ref']", "github['re' ]", "github[list[0]]",
    "github.event.commits[0].message", "github.event.commits['1'].message",
    "github.event.commits[1.9].message", "github.event.commits[-1].message",
    "github.event.commits[7].message", "github.event.commits.message", "github.event.number.x",
    "join(github.event.commits.*.message)", "join(github.event.commits[*].message, ' / ')",
    "join(github.event.commits.*.tags.*, '+')", "join(github.event.commits.*.tags[0], '+')",
    "join(github.event.*.draft)", "join(list.*.x)", "join(list)", "join(list, '')",
    "join('x', 'y')", "join(github)", "join(list, list)",
    "contains(github.event.commits.*.message, 'fix it')",
    "contains(list, 'b')", "contains(list, '1')", "contains(list, 0)", "contains(list, '')",
    "contains(list, true)", "contains('Hello', 'ELL')", "contains('Hello', '')",
    "contains('', 'a')", "contains(123, 2)", "contains(null, 'x')", "contains(github, 'ref')",
    "contains(fromJSON('[\"main\", \"release\"]'), 'Main')",
    "startsWith(github.ref, 'REFS/heads/')", "startsWith(github.ref, 'refs/tags/')",
    "startsWith('12', 1)", "startsWith(list, 'a')", "startsWith('a', list)", "startsWith('', null)",
    "endsWith(github.ref, '/1.0')", "endsWith('x', '')", "endsWith('Straße', 'SSE')",
    "format('{0} {1} {0}', 'a', 2)", r"""format(fromJSON('"{{0}\u007d"'))""",
    r"""format(fromJSON('"{{{0}\u007d\u007d"'), true)""", "format('')",
    "format('{0}', list)", "format('{0}', github)", "format('{0}{1}', null, '')",
    "toJSON('a\"b')", "toJSON(null)", "toJSON(1.5)", "toJSON(2.0)", "toJSON(list)", "toJSON(needs)",
    "toJSON(fromJSON('{\"a\": [], \"b\": {}, \"c\": 1e3}'))", "toJSON(NaN)", "toJSON(inputs)",
    "fromJSON('1')", "fromJSON('true') == true", "fromJSON('{\"A\": {\"b\": 3} }').a.B",
    "fromJSON('[1, 2]')[1]", "fromJSON('null') == null", "fromJSON(' \"x\" ')",
    "case(true, 'a', 'b')", "case(false, 'a', 'b')", "case(false, 1, 1 == 1, 2, 3)",
    "1e21", "1e-7", "fromJSON('1e400')", "1e400 == Infinity", "123456789012", "0.1", "-0", "1.10",
    "1e20", "5.", "+3",
    "100000000000000000000000",
    "!true", "!!'a'", "!github", "!list", "! ''", "!1 == false", "!NaN",
    "1 < 2 == true", "1 == 1 == 1", "true || false && false", "(true || false) && false",
    "'a' && 'b' || 'c'", "'' || 'c'", "'a' && ''", "null || 0", "1 && 2 && 3", "0 || '' || 'x'",
    "inputs.dry-run", "inputs['dry-run'] && 'yes' || 'no'", "inputs.environment == 'STAGING'",
    "needs.build.result == 'success' && needs.build.outputs.image",
    "needs.check.result", "needs.check.result != 'success'",
    "github.event_name == 'pull_request' && github.run_attempt == 1 && github.ref || 'alone'",
    "github.event.pull_request.draft == false", "github.event.pull_request.head.repo.fork",
    "'it''s'", "\t 1\n", "github . ref", "github\n.ref", "( ( 'x' ) )", "('x').y", "(1)[0]",
    "fromJSON('[[1,2],[3]]')[0][1]", "github.event['ää']", "github.true", "github.null.x",
)  # fmt: skip
REFUSED = (
    "", " ", "a", "'a", "github.", "github[", "github['ref'", "github.'ref'", "1 +", "1 + 1", "= 1",
    "a = 1", "1 &", "1 | 2", "true &&", "&& true", "()", "(1", "1)", "1 2", "nope()", "contains()",
    "contains('a')", "contains('a', 'b', 'c')", "format()", "fromJSON('')", "fromJSON('{')",
    "fromJSON('NaN')", "fromJSON('[Infinity]')",
    "fromJSON(null)", "format('{0}')", "format('{')", "format('}')", "format('{a}', 1)",
    "format('{0', 1)", "case(true, 1)", "case(1, 2, 3)", "case(true, 1, false, 2)", '"a"', "0x",
    "1a", "--1", "1..2", "'a'.b", "1.x", "true.x", "toJSON(1, 2)", "join()", "a-b", "-a", "%", "$x",
    "github.*.", "*", "list[*", "list[**]", "!", "not true", "github.ref == ", "[1]", "{}",
    "success()",
    "(" * 60 + "1" + ")" * 60, "!" * 60 + "1",
)  # fmt: skip
BETWEEN = "\x1f"


def ours(expression: str) -> str:
    return text(Evaluator(CONTEXTS).value(read(expression)))


def agree(expressions: list[str], github_parser: GithubParser) -> None:
    """Compare what both say to all of some expressions."""
    template = BETWEEN.join(f"${{{{ {each} }}}}" for each in expressions)
    theirs = github_parser.evaluate(template, CONTEXTS).split(BETWEEN)
    pairs = zip(expressions, theirs, strict=True)
    wrong = {each: (ours(each), said) for each, said in pairs if ours(each) != said}
    assert wrong == {}


@pytest.mark.parametrize("operator", COMPARISONS)
def test_both_compare_each_kind_of_value_alike(operator: str, github_parser: GithubParser) -> None:
    pairs = itertools.product(VALUES, VALUES)
    agree([f"{left} {operator} {right}" for left, right in pairs], github_parser)


def test_both_say_the_same_of_each_function_and_of_each_form(github_parser: GithubParser) -> None:
    agree([*EXPRESSIONS, *VALUES, *(f"!{each}" for each in VALUES)], github_parser)


@pytest.mark.parametrize("seed", range(10))
def test_both_say_the_same_of_expressions_that_chance_has_made(
    seed: int, github_parser: GithubParser
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    agree([made(chance, 4) for _ in range(50)], github_parser)


def made(chance: random.Random, depth: int) -> str:
    """Return an expression of at most so many levels."""
    if depth == 0 or chance.random() < 0.1:
        return chance.choice(VALUES)
    one, other = made(chance, depth - 1), made(chance, depth - 1)
    forms = [f"{one} {operator} {other}" for operator in COMPARISONS]
    forms += [f"({one})", f"!({one})", f"contains({one}, {other})", f"startsWith({one}, {other})"]
    forms += [f"join({one}, {other})", f"endsWith({one}, {other})", f"toJSON({one})"]
    return chance.choice(forms)


@pytest.mark.parametrize("expression", REFUSED)
def test_both_refuse_what_is_no_expression(expression: str, github_parser: GithubParser) -> None:
    assert github_parser.refuses(f"${{{{ {expression} }}}}", CONTEXTS)
    with pytest.raises(ExpressionError):
        ours(expression)
