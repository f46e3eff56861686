"""Where the steps of `extend` and `connect` stand, and how further jobs are wired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.commands.project import Project
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

SHA = "1234567890abcdef1234567890abcdef12345678"
SSH = "deploy: {ssh: vps, run: {}}\n"


def jobs(repository: Repository, text: str, image: str = ".") -> dict[str, Any]:
    """The jobs of both workflows."""
    spec = load(f"image: {image}\n{text}".encode(), "gen-workflow.yml", str(repository.folder))
    return {
        job.id: as_data(job)
        for workflow in pipeline.workflows(spec, table())
        for job in workflow.jobs
    }


def steps(job: dict[str, Any]) -> list[str]:
    return [step.get("run") or step["name"] for step in job["steps"]]


def test_steps_before_a_job_come_after_the_check_out(repository: Repository) -> None:
    found = jobs(repository, "extend: {build: {before: [a, b], after: c}}\n")
    wanted = ["Check out the repository", "a", "b", "Build the image", "c"]
    assert steps(found["build"]) == steps(found["check"]) == wanted


def test_without_a_check_out_they_are_the_first(repository: Repository) -> None:
    found = jobs(repository, f"extend: {{deploy: {{before: a}}}}\n{SSH}")
    assert steps(found["deploy"]) == ["a", "Deploy over SSH"]
    assert steps(found["rollback"]) == ["Put the release back"]


def test_a_step_is_named_by_its_id_or_its_name(repository: Repository) -> None:
    for name in ("push", "Build the image"):
        found = jobs(repository, f"extend: {{build/{name}: {{before: a, after: b}}}}\n")
        assert steps(found["build"])[1:] == ["a", "Build the image", "b"]


def test_the_job_gets_the_time_that_its_new_steps_need(repository: Repository) -> None:
    before = jobs(repository, SSH)["deploy"]["timeout-minutes"]
    for step, more in (("a", 10), ("{run: a, timeout-minutes: 25}", 25)):
        found = jobs(repository, f"extend: {{deploy: {{before: {step}}}}}\n{SSH}")
        assert found["deploy"]["timeout-minutes"] == before + more


def test_a_job_of_ours_waits_for_one_of_the_user(repository: Repository) -> None:
    job = "{permissions: {}, needs: build, runs-on: x, timeout-minutes: 5, steps: [a]}"
    text = f"extend: {{deploy: {{needs: smoke}}}}\njobs: {{smoke: {job}}}\n{SSH}"
    found = jobs(repository, text)
    assert found["deploy"]["needs"] == ["build", "smoke"]
    assert found["smoke"]["needs"] == "build"
    assert found["smoke"]["permissions"] == {}


def test_what_leads_to_the_host_is_first_in_the_rollback_too(repository: Repository) -> None:
    found = jobs(repository, f"connect: {{tailscale: {{}}, steps: a}}\n{SSH}")
    join = "Join the network of Tailscale"
    assert steps(found["deploy"]) == [join, "a", "Deploy over SSH"]
    assert steps(found["rollback"]) == [join, "a", "Put the release back"]


def test_an_identity_takes_the_place_of_the_secret(repository: Repository) -> None:
    found = jobs(repository, f"connect: {{tailscale: {{audience: a}}}}\n{SSH}")
    assert found["deploy"]["permissions"]["id-token"] == "write"
    assert "oauth-secret" not in found["deploy"]["steps"][0]["with"]
    found = jobs(repository, f"connect: {{tailscale: {{}}}}\n{SSH}")
    assert "id-token" not in found["deploy"]["permissions"]


def test_a_runner_of_a_kind_is_that_of_its_jobs_alone(repository: Repository) -> None:
    runner = "{build: ubuntu-26.04, deploy: {group: office, container: 'example/x:1'}}"
    found = jobs(repository, f"test: a\nrunner: {runner}\n{SSH}")
    assert found["test"]["runs-on"] == "ubuntu-24.04"
    assert found["build"]["runs-on"] == found["check"]["runs-on"] == "ubuntu-26.04"
    for name in ("deploy", "rollback"):
        assert found[name]["runs-on"] == {"group": "office"}
        assert found[name]["container"] == "example/x:1"


def test_each_platform_is_built_in_the_image_of_the_builds_on_its_own_runner(
    repository: Repository,
) -> None:
    image = "{context: ., platforms: [linux/amd64, linux/arm64], runners: native}"
    runner = "{build: {labels: ubuntu-26.04, container: 'example/docker:29'}}"
    found = jobs(repository, f"runner: {runner}\n{SSH}", image)
    matrix = "${{ matrix.runner }}"
    runs_on = {"platforms": matrix, "check": matrix, "build": "ubuntu-26.04"}
    assert {name: found[name]["runs-on"] for name in runs_on} == runs_on
    assert {found[name]["container"] for name in runs_on} == {"example/docker:29"}
    assert "container" not in found["deploy"]


def test_who_is_told_is_told_from_the_runner_of_all_jobs(repository: Repository) -> None:
    runner = "{labels: [self-hosted, office], container: 'example/x:1'}"
    found = jobs(repository, f"notify: slack\nrunner: {runner}\n{SSH}")
    assert {str(job["runs-on"]) for job in found.values()} == {"['self-hosted', 'office']"}
    assert found["deploy"]["container"] == "example/x:1"
    assert "container" not in found["notify"], "it may lack jq and curl"


def test_a_job_that_calls_a_workflow_keeps_its_version(repository: Repository) -> None:
    repository.spec.write_text(
        f"""image: .
jobs:
  report:
    uses: example/ci/.github/workflows/report.yml@{SHA} # v2.1.0
    needs: build
    permissions:
      contents: read # read the notes
    with: {{where: production, often: true}}
"""
    )
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    assert text.endswith(f"""\
  report:
    name: report
    needs: build
    uses: example/ci/.github/workflows/report.yml@{SHA} # v2.1.0
    permissions:
      contents: read # read the notes
    with:
      where: production
      often: true
""")


def test_the_header_names_every_secret_and_where_it_belongs(repository: Repository) -> None:
    repository.spec.write_text(
        f"""image: .
test: {{run: a, env: {{REGION: "${{{{ vars.REGION }}}}"}}}}
extend: {{deploy: {{before: {{run: a, env: {{K: "${{{{ secrets.KEY }}}}"}}}}}}}}
notify: slack
{SSH}"""
    )
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    header = text.partition("\n\n")[0]
    for place, line in (
        ("Secrets and variables > Actions", "variable  REGION: for `test`"),
        ("Environments > production", "secret    KEY: for a step of `extend/deploy`"),
        ("Environments > notifications", "secret    SLACK_WEBHOOK: address that Slack"),
    ):
        assert line in header.partition(f"{place} must hold:")[2].partition("#\n")[0]


def test_a_central_workflow_gets_no_steps_of_its_own(repository: Repository) -> None:
    central = f"example/ci/.github/workflows/build.yml@{SHA} # v1.0.0"
    found = jobs(repository, f"mode: {{caller: {central}\n}}\nrunner: ubuntu-26.04\n")
    assert "steps" in found["build"], "the build stays here"
    text = f"test: a\nextend: {{build: {{before: a}}}}\nmode: {{caller: {central}\n}}\n"
    assert steps(jobs(repository, text)["build"])[1] == "a"
    found = jobs(repository, f"test: a\nmode: {{caller: {central}\n}}\n")
    assert found["build"]["needs"] == "test"
    assert "uses" in found["build"]
