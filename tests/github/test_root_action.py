"""The action of this repository, through the shell step of its action.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bed.step import Run, StepResult, run_action
from gen_workflow import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

BRANCH = "gen-workflow/update"
SPEC = "gen-workflow.yml"
RUN = Run(repository="acme/app")


@pytest.fixture
def step(project: Path, request: pytest.FixtureRequest) -> Callable[..., StepResult]:
    """Run the step on the project, which is a folder of the workspace; more inputs may follow."""

    def run(**inputs: str) -> StepResult:
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        env = {"PYTHONDONTWRITEBYTECODE": "1"}
        if "github" in request.fixturenames:
            github: FakeGitHub = request.getfixturevalue("github")
            env["GITHUB_API_URL"] = f"{github.url}/api/v3"
        given = {"directory": project.name, **named}
        return run_action("", given, workspace=project.parent, env=env, run=RUN)

    return run


@pytest.fixture
def generated(project: Path) -> Path:
    assert cli.main(["generate", "-C", str(project)]) == 0
    return project


@pytest.mark.usefixtures("generated")
def test_what_is_in_step_is_said_in_a_sentence(step: Callable[..., StepResult]) -> None:
    said = ".github/workflows/ci-cd.yml is in step with gen-workflow.yml\n"
    done = step()
    assert (done.code, done.log) == (0, said)
    assert done.outputs == {"in-step": "true", "pull-request": "", "changed": ""}
    assert done.summary == f"### gen-workflow: in step\n\n{said}"


def test_what_is_not_has_annotations_the_difference_and_the_graph(
    step: Callable[..., StepResult], generated: Path
) -> None:
    spec = generated / SPEC
    spec.write_text(spec.read_text().replace("/health", "/`````up"))
    done = step()
    assert done.code == 1
    assert done.outputs["in-step"] == "false"
    assert "::error file=project/.github/workflows/ci-cd.yml,title=gen-workflow::spec" in done.log
    summary = done.summary
    assert summary.startswith("### gen-workflow: not in step\n\n```\n.github/workflows/ci-cd.yml: ")
    assert "`gen-workflow generate -C project` and commit the result\n```" in summary
    assert "\n``````diff\n--- a/.github/workflows/ci-cd.yml\n" in summary
    assert "\n```mermaid\nflowchart LR\n" in summary
    assert "errors.md#the-workflow-is-not-in-step)" in summary


def test_what_is_wrong_with_a_spec_is_on_its_lines(
    step: Callable[..., StepResult], project: Path
) -> None:
    (project / SPEC).write_text("image: .\ndeploi: {}\nnaem: x\n")
    done = step()
    assert done.code == 2
    assert done.outputs["in-step"] == ""
    assert [line.partition(",title")[0] for line in done.log.splitlines() if line[:2] == "::"] == [
        f"::error file=project/{SPEC},line=2,col=1",
        f"::error file=project/{SPEC},line=3,col=1",
    ]
    assert done.summary.startswith("### gen-workflow: you have to change something\n\n```\n")
    assert "mermaid" not in done.summary


@pytest.mark.needs("npm")
def test_an_update_opens_a_pull_request_and_a_second_one_changes_nothing(
    step: Callable[..., StepResult], github: FakeGitHub, app: Repository
) -> None:
    app.access = {"ana", "platform"}
    inputs = {
        "mode": "update", "token": github.token, "labels": "ci\nDeploy it\n",
        "reviewers": "ana\nacme/platform", "auto_merge": "true", "title": "Keep in step",
    }  # fmt: skip
    done = step(**inputs)
    assert done.code == 0, done.log
    (pull,) = app.pulls
    url = "https://github.com/acme/app/pull/1"
    assert done.outputs == {"in-step": "false", "pull-request": url, "changed": "true"}
    assert (pull.title, pull.labels, pull.merges) == ("Keep in step", ["ci", "Deploy it"], "MERGE")
    assert pull.requested == ["ana", "platform"]
    assert url in done.summary
    assert "mermaid" in done.summary
    assert github.token not in done.log + done.summary
    writes = len(github.calls)
    again = step(**inputs)
    assert again.outputs == {"in-step": "false", "pull-request": url, "changed": "false"}
    assert github.operations[writes:] == ["graphql repository"]
    github.merge("acme/app", 1)
    assert step(**inputs).outputs["in-step"] == "true"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"mode": "chek"}, "mode: 'chek' is no mode\n  hint: say one of check, update"),
        ({"mode": "update"}, "token: is empty, and an update needs a token that may write work"),
        (
            {"mode": "update", "token": RUN.token},
            "token: the GITHUB_TOKEN of a run may not write workflows, whatever permissions",
        ),
        ({"mode": "update", "token": "x", "draft": "yes"}, "draft: 'yes' is neither true nor fal"),
    ],
)
def test_what_can_do_nothing_is_said_at_once(
    step: Callable[..., StepResult], inputs: dict[str, Any], said: str
) -> None:
    done = step(**inputs)
    assert done.code == 2
    assert said in done.log
    assert len(done.errors) == 1
    assert RUN.token not in done.log
