"""A caller and the central workflow that it calls agree, where GitHub would start no run at all.

The rules: "Reusing workflow configurations" in the reference of GitHub Actions.
"""

from __future__ import annotations

from typing import Any

from conformance.subjects import ROOT, rendered
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.plan.central import INTERFACE
from gen_workflow.spec.load import load

CASES = ROOT / "tests" / "cases"
# The keys of a job that calls a workflow.
OF_A_CALL = {"name", "uses", "with", "secrets", "strategy", "needs", "if", "concurrency"}


def document(case: str) -> Any:
    (found,) = (one for one in rendered() if one.name == f"tests/cases/{case}")
    return found.document


def test_a_caller_gives_only_inputs_that_the_central_workflow_has() -> None:
    asked = document("mode-central")["on"]["workflow_call"]["inputs"]
    assert set(asked) == set(INTERFACE)
    assert not any(one["required"] for one in asked.values())
    assert set(document("mode-caller")["jobs"]["build"]["with"]) <= set(asked)


def test_a_caller_permits_what_the_jobs_of_the_central_workflow_need_and_no_more() -> None:
    levels = ("none", "read", "write")
    needed: dict[str, str] = {}
    for job in document("mode-central")["jobs"].values():
        for scope, level in job["permissions"].items():
            needed[scope] = max(level, needed.get(scope, "none"), key=levels.index)
    assert document("mode-caller")["jobs"]["build"]["permissions"] == needed


def test_a_calling_job_has_only_keys_that_github_takes_there() -> None:
    assert set(document("mode-caller")["jobs"]["build"]) <= OF_A_CALL | {"permissions"}


def test_the_secrets_of_an_environment_stay_in_the_repository_of_the_caller() -> None:
    # Those of an environment would be empty in a called workflow.
    caller, central = document("mode-caller"), document("mode-central")
    assert all("secrets" not in job for job in caller["jobs"].values())
    assert "secrets." not in str(central["jobs"])
    assert caller["jobs"]["deploy"]["environment"] == "production"


def test_nothing_depends_on_the_env_of_a_workflow_which_no_call_passes_on() -> None:
    assert all("env" not in document(case) for case in ("mode-caller", "mode-central"))


def test_the_central_workflow_is_called_at_a_commit_with_its_version() -> None:
    (found,) = (one for one in rendered() if one.name == "tests/cases/mode-caller")
    assert f"build.yml@{'1234567890abcdef' * 2}12345678 # v1.0.0\n" in found.text


def test_a_deploy_gets_the_digest_that_the_central_workflow_pushed() -> None:
    outputs = document("mode-central")["on"]["workflow_call"]["outputs"]
    assert outputs == {"image": {"value": "${{ jobs.build.outputs.image }}"}}
    (step,) = document("mode-caller")["jobs"]["deploy"]["steps"]
    assert step["with"]["image"] == "${{ needs.build.outputs.image }}"


def test_a_pull_request_is_checked_by_the_central_workflow() -> None:
    caller, central = document("mode-caller"), document("mode-central")
    assert "if" not in caller["jobs"]["build"]
    assert "check" not in caller["jobs"]
    assert central["jobs"]["check"]["if"].startswith("github.event_name == 'pull_request'")


def test_what_a_merge_queue_of_a_caller_is_about_to_merge_is_checked_and_not_pushed() -> None:
    jobs = document("mode-central")["jobs"]
    assert jobs["check"]["if"].endswith("|| github.event_name == 'merge_group'")
    assert jobs["build"]["if"].endswith("&& github.event_name != 'merge_group'")


def test_both_sides_of_several_images_agree() -> None:
    case = CASES / "several-images"
    mode = b"mode: {caller: 'example/workflows/.github/workflows/build.yml@" + b"1" * 40
    spec = (case / "gen-workflow.yml").read_bytes() + mode + b"'} # v1.0.0\n"
    (workflow, *_) = pipeline.workflows(load(spec, "gen-workflow.yml", str(case)), table())
    calls = [job for job in workflow.jobs if getattr(job, "uses", None)]
    assert [job.id for job in calls] == ["build-api", "build-web"]
    assert not workflow.notes
