"""GitHub's language service reads every workflow and every action.yml without a remark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.subjects import Subject, everything

if TYPE_CHECKING:
    from conformance.github_parser import GithubParser

pytestmark = pytest.mark.needs("npm")

STEP = """\
name: Try
on: push
permissions: {}
jobs:
  deploy:
    name: Deploy
    runs-on: ubuntu-24.04
    steps:
      - uses: gen-workflow/gen-workflow/actions/build-push@0123456789abcdef0123456789abcdef01234567
        with:
          WITH
"""


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_github_has_no_remark(subject: Subject, github_parser: GithubParser) -> None:
    assert github_parser.problems(subject) == []


@pytest.mark.parametrize(
    ("folder", "given", "reported"),
    [
        pytest.param("build-push", "contxt: app", "Invalid action input 'contxt'", id="unknown"),
        pytest.param("ssh-deploy", "host: h", "Missing required inputs: `user`", id="missing"),
        pytest.param("kubectl", "host: h", "Unable to resolve action", id="no such action"),
        pytest.param("build-push", "tags: ${{ github.nope }}", "nope", id="context"),
    ],
)
def test_github_remarks_on_a_wrong_use_of_our_actions(
    folder: str, given: str, reported: str, github_parser: GithubParser
) -> None:
    text = STEP.replace("build-push", folder).replace("WITH", given)
    found = github_parser.problems(Subject("workflow", text))
    assert any(reported in problem for problem in found), found


@pytest.mark.parametrize(
    ("written", "instead", "reported"),
    [
        ("      target: runtime", "      tarrget: runtime", "Invalid input, tarrget"),
        ("outputs.image }}", "outputs.picture }}", "picture"),
    ],
)
def test_github_remarks_on_a_caller_that_does_not_fit_the_central_workflow(
    written: str, instead: str, reported: str, github_parser: GithubParser
) -> None:
    (caller,) = (one for one in everything() if one.name == "tests/cases/mode-caller")
    text = caller.text.replace(written, instead)
    assert text != caller.text
    found = github_parser.problems(Subject("workflow", text))
    assert any(reported in problem for problem in found), found
