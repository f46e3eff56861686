"""docs/errors.md has a heading for each cause, and each message of a cause links to its own."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from conformance.structure import ROOT
from ship.runner.errors import ERRORS, Problem
from ship.ssh_deploy.advice import CAUSES, OF_HEALTH, advice

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIP = ROOT / "actions" / "lib" / "ship"
# Where the causes are that no host reports.
OF_SSH = ("refusal", "trust", "agent")
CODE = re.compile(r"### ([a-z][a-z0-9-]*)")


def headings() -> Counter[str]:
    """Return the anchors that GitHub makes of the headings which are a code."""
    lines = (ROOT / "docs" / "errors.md").read_text("utf-8").splitlines()
    return Counter(match[1] for line in lines if (match := CODE.fullmatch(line)))


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call that makes an error about a connection, with its place."""
    for name in OF_SSH:
        tree = ast.parse((SHIP / "ssh" / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "UserError.of",
                "StepFailed.of",
                "Problem",
            ):
                yield f"{name}.py:{node.lineno}", node


def anchor_of(call: ast.Call) -> str:
    given = {each.arg: each.value for each in call.keywords}
    value = given.get("anchor")
    return str(value.value) if isinstance(value, ast.Constant) else ""


def anchors() -> set[str]:
    return set(CAUSES) | {anchor_of(call) for _, call in calls()}


def test_each_cause_has_one_heading_and_each_heading_a_cause() -> None:
    found = headings()
    assert set(found) == anchors()
    assert found.most_common(1)[0][1] == 1


@pytest.mark.parametrize(("place", "call"), [pytest.param(*each, id=each[0]) for each in calls()])
def test_each_error_about_a_connection_has_an_anchor(place: str, call: ast.Call) -> None:
    assert anchor_of(call), f"{place} has no anchor"


@pytest.mark.parametrize("code", CAUSES)
def test_the_advice_for_a_code_links_to_its_heading(code: str) -> None:
    what, hint, anchor = advice(code, "" if code == "unhealthy" else "details")
    assert str(Problem("", what, hint, anchor)).endswith(f"\n  see: {ERRORS}#{code}")


def test_each_finding_about_health_has_a_row() -> None:
    assert {code for _, code in OF_HEALTH} <= set(CAUSES)


@pytest.mark.parametrize(
    ("detail", "anchor"),
    [
        ("GET /up gave status 302", "unhealthy-redirect"),
        ("GET /up gave status 401", "unhealthy-login"),
        ("GET /up gave status 400", "unhealthy-site"),
        ("web: GET /up on port 80 gave status 404", "unhealthy-path"),
        ("GET /up through the proxy gave status 503", "unhealthy-error"),
        ("GET /up gave no answer", "unhealthy-silent"),
        ("GET /up gave no answer within 30 s", "unhealthy-slow"),
        ("its HEALTHCHECK has not passed", "unhealthy-check"),
        ("web: its HEALTHCHECK says unhealthy", "unhealthy-check"),
        ("its health command ended with exit code 1 (no)", "unhealthy-command"),
        ("its health command has not ended", "unhealthy-command"),
        ("it crashed and was started again", "unhealthy-ended"),
        ("web: it ended with exit code 1 and is started again and again", "unhealthy-ended"),
        ("it ended with exit code 137", "unhealthy-killed"),
        ("the proxy asked for /up, and Error: target failed to become healthy", "unhealthy-proxy"),
        ("it has not run for long enough", "unhealthy"),
    ],
)
def test_what_was_found_of_the_health_decides_the_next_act(detail: str, anchor: str) -> None:
    assert advice("unhealthy", detail).anchor == anchor
    assert advice("unhealthy", detail).cause == f"the new version is not healthy: {detail}"


def test_a_program_for_another_processor_is_found_in_the_last_lines_of_the_log() -> None:
    log = ["exec /bin/app: exec format error"]
    assert advice("unhealthy", "it ended with exit code 255", log).anchor == "exec-format"
    assert (
        advice("unhealthy", "it ended with exit code 1", [*log, "", "", ""]).anchor != "exec-format"
    )
