"""The answer for jobs that a spec has in GitHub's own syntax, beside ours."""

from __future__ import annotations

from typing import Any

from gen_workflow.explain import answer, events, page
from gen_workflow.workflow.records import (
    Dispatch,
    Filter,
    Input,
    Job,
    Need,
    Needs,
    Permission,
    RawStep,
    Triggers,
    Workflow,
)

WHERE = Input("where", "Where to", type="choice", options=("staging", "production"))
TOKENS = {"A": "${{ secrets.TOKEN }}", "B": "${{ secrets.GITHUB_TOKEN }}"}
DEPLOY = Job(
    id="deploy",
    name="Deploy to ${{ inputs.where }}",
    origin="jobs/deploy",
    permissions=(Permission("id-token", "write", ""),),
    steps=(RawStep((("run", "true"), ("env", TOKENS))),),
    more=(
        ("environment", {"name": "${{ inputs.where }}", "url": "https://${{ vars.DOMAIN }}/"}),
        ("concurrency", "deploy-${{ inputs.where }}"),
    ),
)
BUILD = Job(
    id="build",
    name="Build",
    origin="image",
    needs=(),
    condition="",
    permissions=(Permission("contents", "read", "check the repository out"),),
)
WORKFLOW = Workflow(
    name="Shop",
    on=Triggers(push=Filter(), workflow_dispatch=Dispatch((WHERE,))),
    concurrency=None,
    jobs=(BUILD, DEPLOY),
    needs=(Needs("Settings > Environments > staging", (), (Need("token", "logs in"),)),),
)


def explained(event: events.Event) -> dict[str, Any]:
    found: dict[str, Any] = answer.of([WORKFLOW], event)["workflows"][0]
    return found


def test_expressions_in_names_and_environments_have_their_values() -> None:
    found = explained(events.by_hand("main", [("where", "staging")]))
    (deploy,) = (job for job in found["jobs"] if job["id"] == "deploy")
    assert deploy["name"] == "Deploy to staging"
    assert deploy["environment"] == "staging"
    assert deploy["url"] == "https://<the variable DOMAIN>/"
    assert deploy["permissions"] == [{"scope": "id-token", "level": "write", "reason": ""}]
    assert deploy["group"].startswith("the job waits while another one of the group 'deploy-stag")


def test_what_a_job_reads_has_a_place_also_when_the_header_does_not_name_it() -> None:
    found = explained(events.by_hand("main", [("where", "staging")]))
    assert [(one["place"], one["name"], one["purpose"]) for one in found["needs"]] == [
        ("Settings > Environments > staging", "token", "logs in"),
        ("Settings > Environments > staging", "DOMAIN", "read by deploy"),
    ]
    found = explained(events.by_hand("main", [("where", "production")]))
    assert [(one["place"], one["name"]) for one in found["needs"]] == [
        ("Settings > Environments > production", "TOKEN"),
        ("Settings > Environments > production", "DOMAIN"),
    ]


def test_the_page_says_all_of_it() -> None:
    text = page.text(answer.of([WORKFLOW], events.by_hand("main", [("where", "staging")])))
    assert "1. deploy: Deploy to staging\n" in text
    assert "   permissions id-token: write\n" in text
    assert "   variable    DOMAIN: read by deploy\n" in text
    assert "GITHUB_TOKEN" not in text
