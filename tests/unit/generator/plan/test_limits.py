"""What GitHub or its runner would not take is told at its line of the spec, and not written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.plan.limits import as_expression, key_of, too_large
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import Job, Step

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ROOT = Path(__file__).parents[4]
KNOWN = "h ssh-ed25519 "


def rendered(repository: Repository, text: str) -> str:
    repository.spec.write_text(text)
    return Project(str(repository.folder), "gen-workflow.yml").rendered().text


def refused(repository: Repository, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        rendered(repository, text)
    (only,) = caught.value.problems
    assert not repository.workflow.exists()
    return only


def args(length: int) -> str:
    """A spec whose build arguments, with an expression among them, make one so long."""
    text = "image:\n  args:\n    A: ${{ github.sha }}\n    B: '{}'\n"
    filled = text.replace("{}", "x" * (length - len("format('A={0}\nB=\n', github.sha)")))
    return f"{filled}deploy: {{ssh: vps, run: {{}}}}\n"


def step_env(length: int) -> str:
    """A spec with a variable whose text and expression make one expression so long."""
    value = "x" * (length - len("format('{0}', vars.B)")) + "${{ vars.B }}"
    return f"image: .\ndeploy:\n  ssh: vps\n  run: {{env: [A, {{C: '{value}'}}]}}\n"


def known_hosts(length: int) -> str:
    key = "A" * (length - len(f"format('{KNOWN}{{0}}', vars.B)")) + "${{ vars.B }}"
    ssh = f"{{host: h, user: u, key: '${{{{ secrets.K }}}}', known-hosts: '{KNOWN}{key}'}}"
    return f"image: .\ndeploy:\n  ssh: {ssh}\n  run: {{}}\n"


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        pytest.param(args, "3:5 image/args", id="build-args"),
        pytest.param(step_env, "4:22 deploy/run/env/1/C", id="env-of-the-step"),
        pytest.param(known_hosts, "3:65 deploy/ssh/known-hosts", id="known-hosts"),
    ],
)
def test_an_expression_that_github_would_not_take_is_refused(
    spec: Any, place: str, repository: Repository
) -> None:
    assert "${{" in rendered(repository, spec(21_000))
    assert refused(repository, spec(21_001)) == (
        f"gen-workflow.yml:{place}: is part of an expression of 21,001 characters, and GitHub "
        "takes at most 21,000; all of the text around `${{ }}` counts\n"
        "  hint: write less here, or keep a long part in a variable of GitHub, as ${{ vars.NAME }}"
    )


def test_a_condition_that_github_would_not_take_is_refused(repository: Repository) -> None:
    def spec(number: int) -> str:
        names = "".join(f"  - release-{i:04}{'x' * 88}\n" for i in range(number))
        return f"image: .\non:\n{names}deploy: {{ssh: vps, run: {{}}}}\n"

    assert rendered(repository, spec(100))
    message = refused(repository, spec(200))
    assert message.startswith("gen-workflow.yml:3:3 on: is part of an expression of ")
    assert message.endswith("hint: name fewer branches and tags, or some with shorter names")


def test_a_condition_of_an_environment_is_told_at_its_line(repository: Repository) -> None:
    tags = ", ".join(f"release-{i:04}{'x' * 88}" for i in range(200))
    text = (
        "image: .\ndeploy: {ssh: vps, run: {}}\nenvironments:\n"
        f"  staging: {{on: main}}\n  live: {{on: {{tags: [{tags}]}}}}\n"
    )
    message = refused(repository, text)
    assert message.startswith("gen-workflow.yml:5:14 environments/live/on: is part of an ")


def test_an_expression_counts_as_github_counts_it() -> None:
    """As the runner's TemplateReader builds it (actions/runner, DTObjectTemplating)."""
    assert as_expression("${{  vars.A }}") == "vars.A"
    assert as_expression("a'{${{ vars.A }}}\n${{ vars.B }}") == (
        "format('a''{{{0}}}\n{1}', vars.A, vars.B)"
    )


def test_more_expressions_than_github_takes_in_one_text_are_refused(
    repository: Repository,
) -> None:
    def spec(number: int) -> str:
        names = ", ".join(f"A{i}: '${{{{ vars.A }}}}'" for i in range(number))
        return f"image: {{args: {{{names}}}}}\n"

    assert rendered(repository, spec(254))
    message = refused(repository, spec(255))
    assert message.startswith("gen-workflow.yml:1:15 image/args: holds 255 expressions in one text")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("image: .\ndeploy:\n  ssh: vps\n  run: {}\n  env: [{A: LONG}]\n", "5:8 deploy/env"),
        (
            "image: .\ndeploy: {run: {}, env: {A: LONG}}\nenvironments: {a: {ssh: a}}\n",
            "2:24 deploy/env",
        ),
        (
            "image: .\ndeploy: {run: {}}\nenvironments: {a: {ssh: a, env: {A: LONG}}}\n",
            "3:33 environments/a/env",
        ),
    ],
)
def test_a_long_variable_beside_the_container_is_found(
    text: str, place: str, repository: Repository
) -> None:
    message = refused(repository, text.replace("LONG", "x" * 131_072))
    assert message.startswith(f"gen-workflow.yml:{place}: is 131,085 bytes in one variable")


def test_a_variable_that_linux_would_not_take_is_refused(repository: Repository) -> None:
    def spec(bytes_of_list: int) -> str:
        rest = bytes_of_list - len("INPUT_ENV=A=\nB=é\n".encode())
        return (
            f"image: .\ndeploy:\n  ssh: vps\n  run:\n    env:\n      A: {'x' * rest}\n      B: é\n"
        )

    assert rendered(repository, spec(131_071))
    assert refused(repository, spec(131_072)) == (
        "gen-workflow.yml:6:7 deploy/run/env: is 131,072 bytes in one variable of the step, and "
        "Linux starts no program with more than 131,071\n"
        "  hint: write less here, or put a long text into a file that the app or the build reads"
    )


@pytest.mark.parametrize("item", ["A", "{A: 'x{}\\ny'}"])
def test_a_variable_of_the_step_is_told_at_its_own_line(item: str, repository: Repository) -> None:
    long = item.replace("{}", "x" * 131_067)
    spec = f"image: .\ndeploy:\n  ssh: vps\n  run:\n    env:\n      - B\n      - {long}\n"
    if item == "A":
        assert rendered(repository, spec)
    else:
        message = refused(repository, spec.replace("'", '"'))
        assert message.startswith("gen-workflow.yml:7:13 deploy/run/env/1/A: is 131,072 bytes in ")


TOO_LARGE = (
    "makes a workflow of more than 512,000 bytes, which GitHub does not run\n"
    "  hint: write less here, and use an alias of a long text less often"
)


def test_a_workflow_that_github_would_not_run_is_refused_at_what_makes_it_large(
    repository: Repository,
) -> None:
    names = "".join(f"      A{number}: *text\n" for number in range(5))
    spec = f"image: .\ndeploy:\n  ssh: vps\n  run:\n    env:\n{names}"
    message = refused(repository, f'x-text: &text "{"x" * 110_000}\\ny"\n{spec}')
    assert message == f"gen-workflow.yml:7:7 deploy/run/env: {TOO_LARGE}"


def test_the_size_that_counts_is_that_of_the_file(repository: Repository) -> None:
    spec = load(b"image: .\non: [main, release]\n", "gen-workflow.yml", str(repository.folder))
    workflow = pipeline.workflows(spec, table())[0]
    assert not list(too_large(workflow, 512_000))
    assert [one.key for one in too_large(workflow, 512_001)] == ["on"]


def test_every_input_that_a_spec_can_give_leads_to_its_key() -> None:
    of_no_key = {"persist-credentials", "cache-image", "lock-timeout", "lock-expiry"}
    for name in ("everything", "image", "kubernetes-everything"):
        case = ROOT / "tests" / "cases" / name
        spec = load((case / "gen-workflow.yml").read_bytes(), "gen-workflow.yml", str(case))
        names = {
            (name, job.origin)
            for job in pipeline.workflows(spec, table())[0].jobs
            if isinstance(job, Job)
            for step in job.steps
            if isinstance(step, Step)
            for name, _ in step.inputs
        }
        assert {name for name, job in names if not key_of(name, job)} <= of_no_key


def test_an_input_that_two_sections_have_leads_to_the_one_of_its_job() -> None:
    assert key_of("context", "image") == "image/context"
    assert key_of("context", "deploy") == "deploy/kubernetes/context"
