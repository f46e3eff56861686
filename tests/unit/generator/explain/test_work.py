"""What a job does with images, in words."""

from __future__ import annotations

from typing import Any

import pytest

from gen_workflow.explain import events, jobs, work
from gen_workflow.expressions.evaluate import Evaluator

PUSH = events.push("main")


def step(action: str, **given: str) -> dict[str, Any]:
    inputs = {name.replace("_", "-"): value for name, value in given.items()}
    return {"uses": f"acme/ours/actions/{action}@0123 # v1", "with": inputs}


def deeds(*steps: dict[str, Any], event: events.Event = PUSH, **job: Any) -> dict[str, str]:
    evaluator = Evaluator(jobs.contexts(event, {"where": "eu", "release": "previous"}))
    return dict(work.deeds({**job, "steps": list(steps)}, event, work.Values(evaluator)))


@pytest.mark.parametrize(
    ("given", "event", "found"),
    [
        ({}, PUSH, {"pushes": "ghcr.io/OWNER/REPOSITORY", "tags": "main, sha-<commit>"}),
        (
            {"image": "ghcr.io/a/b", "images": "api: x\nweb: y\n", "tags": "type=sha\nstable\n"},
            PUSH,
            {"pushes": "ghcr.io/a/b/api, ghcr.io/a/b/web", "tags": "type=sha, stable"},
        ),
        ({"image": "a/b\nc/d"}, PUSH, {"pushes": "a/b, c/d", "tags": "main, sha-<commit>"}),
        ({"push": "false"}, PUSH, {"builds": "ghcr.io/OWNER/REPOSITORY, and pushes nothing"}),
        (
            {"image": "ghcr.io/${{ github.repository_owner }}/x"},
            events.merge_group("main"),
            {"builds": "ghcr.io/<`github.repository_owner`>/x, and pushes nothing"},
        ),
    ],
)
def test_a_build_says_what_it_pushes(
    given: dict[str, str], event: events.Event, found: dict[str, str]
) -> None:
    assert deeds(step("build-push", **given), event=event) == found


def test_a_deploy_says_where_it_goes_and_which_image() -> None:
    said = deeds(
        step(
            "ssh-deploy",
            host="${{ vars.ONE }}\n${{ inputs.where }}.example.com\n",
            name="${{ github.event.repository.name }}-staging",
            image="${{ needs.build.outputs.image }}",
        )
    )
    assert said == {
        "host": "the variable ONE, eu.example.com, over SSH",
        "service": "<the name of the repository>-staging",
        "image": "the one that build pushed, by its digest",
    }


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({"rollback": "${{ inputs.release }}"}, "that of the release before the one that serves"),
        ({"rollback": "sha256:0"}, "that of the release sha256:0"),
        (
            {"images": "a=${{ needs.x.outputs.image }}\nb=${{ needs.y.outputs.image }}"},
            "those that x and y pushed, by their digests",
        ),
        ({"image": "nginx:1"}, "nginx:1"),
    ],
)
def test_the_image_of_a_deploy_has_a_source(given: dict[str, str], image: str) -> None:
    assert deeds(step("ssh-deploy", host="h", **given))["image"] == image


def test_a_cluster_is_the_one_of_its_login_or_its_kubeconfig() -> None:
    update = step("kubectl-set-image", kubeconfig="${{ secrets.KUBE }}", context="eu")
    assert deeds(update)["cluster"] == "context eu of the kubeconfig in the secret KUBE"
    eks = {"run": "aws eks ...", "env": {"CLUSTER": "shop"}}
    assert deeds(eks, update)["cluster"] == "shop on AWS"
    gke = {"uses": "google-github-actions/get-gke-credentials@0", "with": {"cluster_name": "x"}}
    assert deeds(gke, update)["cluster"] == "x on Google Cloud"
    aks = {"uses": "azure/aks-set-context@0", "with": {"cluster-name": "${{ vars.Y }}"}}
    assert deeds(aks, update)["cluster"] == "the variable Y on Azure"


def test_workloads_are_named_with_their_containers() -> None:
    lines = "deployment/web\ncronjob/report a=${{ needs.build.outputs.image }} b=${{ x }}\n"
    said = deeds(step("kubectl-set-image", workload=lines, namespace="shop", apply="k8s/"))
    assert said["workload"] == "deployment/web, cronjob/report (a, b)"
    assert (said["namespace"], said["applies"]) == ("shop", "k8s/")
    assert said["image"] == "the one that build pushed, by its digest"


def test_a_copy_of_our_actions_in_the_repository_does_what_they_do() -> None:
    copied = {"uses": "./tools/actions/ssh-deploy", "with": {"host": "h1", "name": "shop"}}
    assert deeds(copied) == {"host": "h1, over SSH", "service": "shop"}


def test_a_job_that_calls_a_workflow_or_has_a_matrix_says_so() -> None:
    said = deeds(uses="a/b/.github/workflows/x.yml@0 # v1", strategy={"matrix": {}})
    assert said["calls"] == "a/b/.github/workflows/x.yml"
    assert said["matrix"] == "runs once for each combination of its matrix"


def test_a_step_of_another_action_or_without_inputs_says_nothing() -> None:
    assert deeds({"uses": "actions/checkout@0"}, {"run": "true"}, {"uses": "./actions/x@1"}) == {}
