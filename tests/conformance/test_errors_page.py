"""docs/errors.md has a heading for each cause, and each message of a cause links to its own."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from conformance.structure import ROOT
from conformance.test_docs import anchor_of_heading
from ship.build_push.buildx import causes
from ship.build_push.buildx.causes import CAUSES as OF_BUILDX
from ship.build_push.inputs import INPUTS, PAGES, read_inputs
from ship.images.push_advice import ROWS
from ship.runner.context import Context
from ship.runner.errors import ERRORS, Problem, UserError
from ship.runner.reader import variable
from ship.ssh_deploy.advice import CAUSES, OF_HEALTH, advice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIP = ROOT / "actions" / "lib" / "ship"
PAGE = ROOT / "docs" / "errors.md"
# Where the causes are that no host reports.
OF_SSH = [SHIP / "ssh" / f"{name}.py" for name in ("refusal", "trust", "agent")]
OF_BUILDS = sorted(
    path
    for folder in ("build_push", "images", "runner")
    for path in (SHIP / folder).rglob("*.py")
    # What these find is wrong with an input, and the reader of inputs gives it its page.
    if path.name not in ("reader.py", "images_input.py", "errors.py", "cancel.py")
    and path.parent.name != "tags"
)
CODE = re.compile(r"### ([a-z][a-z0-9-]*)")
MAKERS = ("UserError.of", "StepFailed.of", "CannotAsk.of", "Problem")
# Of builds and of deploys.
OF_BOTH = {"too-long"}


class Page(NamedTuple):
    """The headings of the page, by what they are about."""

    builds: list[str]
    deploys: list[str]
    kubernetes: list[str]
    generator: list[str]


def page() -> Page:
    """Return the headings, in the order in which their parts stand on the page."""
    first = "Builds: inputs|Connecting to a host|Kubernetes: the inputs|The spec"
    _, *parts = re.split(rf"^## (?:{first})$", text(), flags=re.MULTILINE)
    return Page(*map(_headings, parts))


def text() -> str:
    return PAGE.read_text("utf-8")


def _headings(part: str) -> list[str]:
    return [line for line in part.splitlines() if line.startswith("### ")]


def headings() -> Counter[str]:
    """Return the anchors that GitHub makes of the headings which are a code."""
    return Counter(match[1] for line in page().deploys if (match := CODE.fullmatch(line)))


def headings_of_builds() -> Counter[str]:
    return Counter(anchor_of_heading(line) for line in page().builds)


def calls(paths: list[Path]) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call that makes an error, with its place."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS:
                yield f"{path.name}:{node.lineno}", node


def anchor_of(call: ast.Call) -> str:
    """Return the anchor that a call gives, also as the last of four, or what it takes it from."""
    given = {each.arg: each.value for each in call.keywords}
    value = given.get("anchor", call.args[-1] if _is_whole(call) else None)
    if isinstance(value, ast.Constant):
        return str(value.value)
    return ast.unparse(value) if value else ""


def _is_whole(call: ast.Call) -> bool:
    return len(call.args) == len(Problem._fields) or any(
        isinstance(each, ast.Starred) for each in call.args
    )


def anchors() -> set[str]:
    return set(CAUSES) | {anchor_of(call) for _, call in calls(OF_SSH)}


def anchors_of_builds() -> set[str]:
    """Return the anchors of the tables, and those that stand in the code itself."""
    of_causes = {each.anchor for each in vars(causes).values() if isinstance(each, Problem)}
    tables = {each.anchor for each in (*OF_BUILDX, *ROWS)} | of_causes | set(PAGES.values())
    code = "".join(path.read_text("utf-8") for path in OF_BUILDS)
    named = {anchor_of(call) for _, call in calls(OF_BUILDS)}
    # An anchor is the last thing that `read.problem` or a constant is given.
    last = set(re.findall(r'"([a-z]+(?:-[a-z]+){2,})"[,)]*$', code, re.MULTILINE))
    return tables | {each for each in named if "-" in each and CODE.fullmatch(f"### {each}")} | last


def test_each_cause_of_a_deploy_has_one_heading_and_each_heading_a_cause() -> None:
    found = headings()
    assert set(found) == anchors()
    assert found.most_common(1)[0][1] == 1


def test_each_cause_of_a_build_has_one_heading_and_each_heading_a_cause() -> None:
    found = headings_of_builds()
    assert set(found) == anchors_of_builds() - OF_BOTH
    assert found.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    "paths", [pytest.param(OF_BUILDS, id="a build"), pytest.param(OF_SSH, id="a connection")]
)
def test_each_error_has_an_anchor(paths: list[Path]) -> None:
    made = list(calls(paths))
    assert made
    assert [place for place, call in made if not anchor_of(call)] == []


def test_each_problem_of_an_input_links_to_its_heading(tmp_path: Path) -> None:
    wrong = {variable(name): "\n?'=" for name in INPUTS if name not in ("images", "username")}
    context = Context(repository="acme/app", event_name="push", workspace=str(tmp_path))
    for env in (wrong, {variable("images"): "- a"}, {variable("image"): "x.io/a"}):
        with pytest.raises(UserError) as caught:
            read_inputs(env, context)
        for problem in caught.value.problems:
            assert problem.anchor in headings_of_builds(), problem


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
