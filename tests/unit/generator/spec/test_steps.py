"""Steps that a user writes in GitHub's own syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec import document
from gen_workflow.spec.document import Reading
from gen_workflow.spec.step_keys import Place
from gen_workflow.spec.steps import Steps
from gen_workflow.spec.tree import Folder
from gen_workflow.workflow.records import RawStep

if TYPE_CHECKING:
    from pathlib import Path

SHA = "1234567890abcdef1234567890abcdef12345678"
OPEN = Place()
NO_ENVIRONMENT = Place(no_secrets="a pull request runs the job")
OF_A_DEPLOY = Place(deploys=True)


def read(text: str, place: Place = OPEN, folder: str = ".") -> tuple[RawStep, ...]:
    root = document.parse(f"steps: {text}\n", "spec")
    assert root is not None
    reading = Reading("spec", Folder(folder))
    found = Steps(place).read(root.pairs()[0][1], reading)
    reading.raise_problems()
    assert found is not None
    return found


def problem(text: str, place: Place = OPEN, folder: str = ".") -> str:
    with pytest.raises(SpecError) as caught:
        read(text, place, folder)
    (one,) = caught.value.problems
    return one.removeprefix("spec:")


def test_a_text_is_a_command_alone_and_in_a_list() -> None:
    assert read("npm ci") == (RawStep((("run", "npm ci"),)),)
    assert read("[npm ci, {name: Test, run: npm test}]") == (
        RawStep((("run", "npm ci"),)),
        RawStep((("name", "Test"), ("run", "npm test"))),
    )


def test_an_action_keeps_its_version_and_its_values_as_they_were_written() -> None:
    text = f"""
  - name: Set Python up
    if: github.event_name == 'push'
    uses: actions/setup-python@{SHA} # v6.2.0
    with: {{python-version: 3.10, check: true, depth: 0, mode: 010, since: 2026-11-30}}
    continue-on-error: true
    timeout-minutes: 5"""
    (one,) = read(text)
    assert one.version == "v6.2.0"
    assert dict(one.content)["with"] == {
        "python-version": "3.10", "check": True, "depth": 0, "mode": "010", "since": "2026-11-30",
    }  # fmt: skip
    assert [name for name, _ in one.content][:3] == ["name", "if", "uses"]


def test_an_action_in_brackets_keeps_its_version() -> None:
    assert read(f"{{uses: a/b/c@{SHA}}} # v1")[0].version == "v1"


def test_a_local_action_and_an_image_with_its_digest_need_no_version(tmp_path: Path) -> None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "action.yml").touch()
    text = f"[{{uses: ./ci}}, {{uses: $/ci}}, {{uses: 'docker://alpine:3@sha256:{SHA * 2:.64}'}}]"
    assert [one.version for one in read(text, folder=str(tmp_path))] == ["", "", ""]


def test_a_key_of_your_own_is_left_out() -> None:
    assert read("{run: npm ci, x-why: speed}") == (RawStep((("run", "npm ci"),)),)


def test_a_job_with_an_environment_may_read_a_secret_and_every_job_the_token() -> None:
    assert read("{run: a, env: {KEY: '${{ secrets.KEY }}'}}", OF_A_DEPLOY)
    assert read("{run: a, env: {GH_TOKEN: '${{ github.token }}'}}", NO_ENVIRONMENT)


WRONG = [
    pytest.param(
        "5",
        "1:8 steps: should be steps, but is a number\n"
        "  hint: write for example [npm ci, {name: Test, run: npm test}]",
        id="number",
    ),
    pytest.param(
        "[]",
        "1:8 steps: should be steps, but is an empty list\n"
        "  hint: write for example [npm ci, {name: Test, run: npm test}]",
        id="empty",
    ),
    pytest.param(
        "[5]",
        "1:9 steps/0: should be a command or a mapping, but is a number\n"
        "  hint: write for example {run: npm test}",
        id="number-in-a-list",
    ),
    pytest.param(
        "{run: a, nmae: b}",
        "1:17 steps/nmae: is not a key of a step\n  hint: perhaps you meant `name`",
        id="near-key",
    ),
    pytest.param(
        "{run: a, volumes: b}",
        "1:17 steps/volumes: is not a key of a step\n  hint: use one of `name`, `id`, `if`, "
        "`uses`, `run`, `with`, `env`, `shell`, `working-directory`, `continue-on-error` and "
        "`timeout-minutes`",
        id="far-key",
    ),
    pytest.param(
        "{name: a}",
        "1:8 steps: has neither `uses` nor `run`\n"
        "  hint: write `run: a command`, or `uses: an action`",
        id="neither",
    ),
    pytest.param(
        f"{{run: a, uses: a/b@{SHA}}} # v1",
        "1:8 steps: has both `uses` and `run`\n  hint: make two steps of it",
        id="both",
    ),
    pytest.param(
        "{run: a, with: {b: c}}",
        "1:23 steps/with: cannot be beside `run`: it belongs to `uses`\n  hint: remove it",
        id="with-beside-run",
    ),
    pytest.param(
        f"{{uses: a/b@{SHA}, shell: sh}} # v1",
        "1:68 steps/shell: cannot be beside `uses`: it belongs to `run`\n  hint: remove it",
        id="shell-beside-uses",
    ),
    pytest.param(
        "{uses: actions/setup-node@v6}",
        "1:15 steps/uses: 'actions/setup-node@v6' is not an action at a full commit, and a tag or "
        "branch can be moved\n  hint: write owner/name@<40 hex digits> # v1.2.3; "
        "`gen-workflow update` finds both",
        id="tag",
    ),
    pytest.param(
        f"{{uses: a/b@{SHA}}}",
        "1:15 steps/uses: does not say its version\n  hint: write the release of that commit at "
        "the end of the line, such as # v1.2.3",
        id="no-version",
    ),
    pytest.param(
        "{uses: 'docker://alpine:3'}",
        "1:15 steps/uses: 'docker://alpine:3' is not an image with its digest\n"
        "  hint: write for example docker://alpine:3@sha256:<64 hex digits>",
        id="image-without-digest",
    ),
    pytest.param(
        "{uses: [a]}",
        "1:15 steps/uses: should be text, but is a list\n"
        "  hint: write owner/name@<40 hex digits> # v1.2.3",
        id="uses-is-a-list",
    ),
    pytest.param(
        "echo ${{ github.head_ref }}",
        "1:8 steps: an expression becomes a part of the script, so that a branch could be named "
        "as a command\n"
        '  hint: write env: {HEAD_REF: "${{ github.head_ref }}"}, and in the script "$HEAD_REF"',
        id="expression-in-a-script",
    ),
    pytest.param(
        f"{{uses: a/b@{SHA}, with: {{script: 'x(${{{{ github.actor }}}})'}}}} # v8.0.0",
        "1:76 steps/with/script: an expression becomes a part of the script, so that a branch "
        "could be named as a command\n"
        '  hint: write env: {ACTOR: "${{ github.actor }}"}, and in the script "$ACTOR"',
        id="expression-in-the-script-of-an-action",
    ),
    pytest.param(
        "{run: a, if: \"${{ github.actor }} == 'a'\"}",
        "1:21 steps/if: has text around `${{ }}`, and GitHub takes such a condition for true\n"
        "  hint: write the condition without ${{ }}",
        id="condition-that-is-always-true",
    ),
    pytest.param(
        "{run: a, if: secrets.KEY != ''}",
        "1:21 steps/if: a condition cannot ask for a secret\n  hint: give the secret to `env` of "
        "a step, and let its script see whether it is empty",
        id="secret-in-a-condition",
    ),
    pytest.param(
        "{run: a, env: {A: '${{ toJSON(secrets) }}'}}",
        "1:26 steps/env/A: takes all secrets at once, or one whose name is computed\n"
        "  hint: name each secret: ${{ secrets.NAME }}",
        id="all-secrets",
    ),
    pytest.param(
        "{run: a, env: {A: '${{ secrets.GITHUB_TOKEN }}'}}",
        "1:22 steps/env: the token of the run is not a secret that somebody creates\n"
        "  hint: write ${{ github.token }}, which is the same",
        id="token-as-a-secret",
    ),
    pytest.param(
        "{run: a, env: {A: '${{ github.sha'}}",
        "1:26 steps/env/A: has a `${{` without its `}}`\n  hint: close the expression with `}}`",
        id="open-expression",
    ),
    pytest.param(
        "{run: a, env: {1A: b}}",
        "1:23 steps/env/1A: '1A' is not a name of an environment variable\n"
        "  hint: use letters, digits and _, with no digit first",
        id="variable",
    ),
    pytest.param(
        "{run: a, env: {A: [b]}}",
        "1:26 steps/env/A: should be one value, but is a list\n"
        "  hint: write it as text, behind a |",
        id="list-as-a-variable",
    ),
    pytest.param(
        "{run: a, env: A}",
        "1:22 steps/env: should be a mapping, but is text\n  hint: write for example {NAME: value}",
        id="env-is-a-text",
    ),
    pytest.param(
        "{run: a, shell: pwhs}",
        "1:24 steps/shell: 'pwhs' is not a shell of a step\n  hint: perhaps you meant `pwsh`",
        id="shell",
    ),
    pytest.param(
        "{run: a, timeout-minutes: 500}",
        "1:34 steps/timeout-minutes: '500' is not a number of minutes\n"
        "  hint: write a whole number from 1 to 360, such as 10",
        id="minutes",
    ),
    pytest.param(
        "{run: a, continue-on-error: maybe}",
        "1:36 steps/continue-on-error: 'maybe' is not true or false\n"
        "  hint: write for example continue-on-error: true",
        id="continue-on-error",
    ),
    pytest.param(
        "[{run: a, id: x}, {run: b, id: X}]",
        "1:39 steps/1/id: 'x' appears twice\n  hint: give each step an id of its own",
        id="id-twice",
    ),
    pytest.param(
        "{run: ''}",
        "1:14 steps/run: is empty\n  hint: write a command: npm test",
        id="empty-command",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_with_a_step_is_said_at_its_place(text: str, message: str) -> None:
    assert problem(text) == message


def test_a_local_action_must_be_there(tmp_path: Path) -> None:
    assert problem("{uses: ./ci}", folder=str(tmp_path)) == (
        f"1:15 steps/uses: there is no action at {tmp_path}/ci\n"
        "  hint: the path begins at the root of the repository"
    )


def test_a_job_without_an_environment_gets_no_secret() -> None:
    assert problem("{run: a, env: {A: '${{ secrets.KEY }}'}}", NO_ENVIRONMENT) == (
        "1:22 steps/env: takes the secret KEY, but a pull request runs the job\n"
        "  hint: use it in a step of a deploy, whose job has an environment that keeps secrets"
    )


@pytest.mark.parametrize("hidden", ["|| true", "||true", "|| :", "|| exit 0"])
def test_a_step_of_a_deploy_cannot_hide_its_failure(hidden: str) -> None:
    assert read(f'"migrate {hidden}"')
    assert problem(f'"migrate {hidden}"', OF_A_DEPLOY) == (
        f"1:8 steps: `{hidden}` hides a failure, so a deploy that has failed would look good\n"
        "  hint: let the command fail; or ask before it whether there is anything to do"
    )


def test_a_value_that_holds_itself_is_not_followed() -> None:
    with pytest.raises(SpecError) as caught:
        read("{run: a, env: &e {A: *e}}")
    assert caught.value.problems[-1] == (
        "spec:1:29 is an alias of a value that it is a part of, which would have no end\n"
        "  hint: write what is meant here"
    )
