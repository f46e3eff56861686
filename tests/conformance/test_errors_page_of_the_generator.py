"""Each message of the generator links to its heading in docs/errors.md, and each heading is used.

That each error has an anchor is a matter of types: it cannot be made without one.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING

from conformance.structure import GENERATOR, ROOT
from conformance.test_docs import anchor_of_heading
from conformance.test_errors_page import page, text
from gen_workflow.errors import ERRORS, Heading, SpecError, UserError
from ship.runner import errors as of_the_actions

if TYPE_CHECKING:
    from collections.abc import Iterator

# What runs before any package is there, and cannot import `Heading`.
STARTS = (ROOT / "gen-workflow", ROOT / "generator" / "gen_workflow" / "first_use.py")
LINK = re.compile(r"(?:docs/errors\.md|\{page\}|\{_ERRORS\})#([a-z-]+)")
MAKERS = re.compile(r"UserError|GenWorkflowError|Drift|SpecError|kind|.*\.problem(?:_at)?")
ANCHORS = {name: anchor for name, anchor in vars(Heading).items() if name.isupper()}


def anchors_of_the_start() -> set[str]:
    return {anchor for path in STARTS for anchor in LINK.findall(path.read_text("utf-8"))}


def names_in_use() -> set[str]:
    return {
        node.attr
        for tree in GENERATOR.trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Heading"
    }


def given_anchors() -> Iterator[tuple[str, ast.expr]]:
    """Yield the anchor in each call that makes an error or notes a problem, with its place."""
    for name, tree in GENERATOR.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and MAKERS.fullmatch(ast.unparse(node.func)):
                named = [each.value for each in node.keywords if each.arg == "anchor"]
                last = node.args[-1]
                many = last.values if isinstance(last, ast.Dict) else [last]
                for anchor in named or many:
                    yield f"{name}:{node.lineno}", anchor


def test_each_anchor_has_one_heading_and_each_heading_an_anchor() -> None:
    found = Counter(anchor_of_heading(line) for line in page().generator)
    assert set(found) == {*ANCHORS.values(), *anchors_of_the_start()}
    assert found.most_common(1)[0][1] == 1


def test_no_heading_of_the_page_is_there_twice() -> None:
    """GitHub would give the second one another anchor."""
    lines = re.findall(r"^#+ .*$", text(), re.MULTILINE)
    assert Counter(map(anchor_of_heading, lines)).most_common(1)[0][1] == 1


def test_each_anchor_is_that_of_a_message() -> None:
    assert names_in_use() == set(ANCHORS)


def test_no_anchor_is_written_beside_the_list_of_headings() -> None:
    given = list(given_anchors())
    assert given
    assert [
        f"{place}: {node.value}"
        for place, anchor in given
        for node in ast.walk(anchor)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ] == []


def test_the_page_has_one_address() -> None:
    assert of_the_actions.ERRORS == ERRORS
    for path in STARTS:
        assert ERRORS in path.read_text("utf-8")


def test_one_problem_has_its_link_below_its_hint() -> None:
    error = UserError("is wrong", where="a", hint="do this", anchor=Heading.OPTION)
    link = f"see: {ERRORS}#an-option-that-is-not-accepted"
    assert error.report == f"a: is wrong\n  hint: do this\n{link}"


def test_problems_of_one_kind_share_a_link_below_all_of_them() -> None:
    error = SpecError({"a": Heading.TWICE, "b": Heading.LATER, "c": Heading.TWICE})
    assert error.problems == ("a", "b", "c")
    assert error.report == (
        f"a\nb\nc\nsee: {ERRORS}#{Heading.TWICE}\nsee: {ERRORS}#{Heading.LATER}"
    )
