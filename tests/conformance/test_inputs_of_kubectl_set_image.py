"""Every input of kubectl-set-image is reached from the spec, or it is said why it need not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from gen_workflow.workflow.records import Job, Step

if TYPE_CHECKING:
    from pathlib import Path

ACTION = read_action(ROOT / "actions" / "kubectl-set-image")
KEYS = dict(sections(SPEC))
CLUSTER = "deploy/kubernetes"

# By input: the key that reaches it, a cluster that says it, and what the step then gives. The last
# is without the line break at its end.
REACHED = {
    "workload": ("workload", "workload: [deploy/a, {cronjob/b: c}]", "deploy/a\ncronjob/b c=IMAGE"),
    "image": ("image", "workload: deploy/a", "IMAGE"),
    "namespace": ("namespace", "apply: k8s, namespace: shop", "shop"),
    "kubeconfig": ("kubeconfig", "apply: k8s", "${{ secrets.KUBE_CONFIG }}"),
    "context": ("context", "apply: k8s, context: production", "production"),
    "apply": ("apply", "apply: [k8s, k8s/a.yaml]", "k8s/\nk8s/a.yaml"),
    "force-conflicts": ("force-conflicts", "apply: k8s, force-conflicts: true", "true"),
    "secret": ("secret", "apply: k8s, secret: {env: [A, {B: c}]}", "env: [A, B]"),
    "pull-secret": ("pull-secret/name", "apply: k8s, pull-secret: ghcr", "ghcr"),
    "registry-username": (
        "pull-secret/user",
        "apply: k8s, pull-secret: {name: ghcr, user: octocat}",
        "octocat",
    ),
    "registry-password": (
        "pull-secret/password",
        "apply: k8s, pull-secret: {name: ghcr, password: '${{ secrets.P }}'}",
        "${{ secrets.P }}",
    ),
    "timeout": ("timeout", "apply: k8s, timeout: 600", "600"),
    "progress-timeout": ("progress-timeout", "apply: k8s, progress-timeout: 60", "60"),
    "stability": ("stability", "apply: k8s, stability: 30", "30"),
    "restarts": ("restarts", "apply: k8s, restarts: 3", "3"),
    "on-failure": ("on-failure", "apply: k8s, on-failure: keep", "keep"),
    "rollback-timeout": ("rollback-timeout", "apply: k8s, rollback-timeout: 120", "120"),
    "restart-on-no-change": (
        "restart-on-no-change",
        "workload: deploy/a, restart-on-no-change: true",
        "true",
    ),
    "no-pods": ("no-pods", "apply: k8s, no-pods: allow", "allow"),
    "older-commit": ("older-commit", "apply: k8s, older-commit: deploy", "deploy"),
    "rollback": ("rollback", "workload: deploy/a", "${{ inputs.release }}"),
}
# Why a spec has no key for an input.
NOT_NEEDED = {"dry-run": "a workflow deploys; a dry run is for the person who writes a step"}


def test_the_tables_have_each_input_once() -> None:
    assert {*REACHED} | {*NOT_NEEDED} == {*ACTION.inputs}
    assert not {*REACHED} & {*NOT_NEEDED}


@pytest.mark.parametrize("key", sorted({key for key, _, _ in REACHED.values()}))
def test_a_key_of_the_table_is_one_of_the_spec(key: str) -> None:
    section, _, name = f"{CLUSTER}/{key}".rpartition("/")
    assert name in KEYS[section].keys or key in KEYS[""].keys


def test_the_table_has_every_key_of_a_cluster() -> None:
    named = {key.partition("/")[0] for key, _, _ in REACHED.values()}
    assert {*KEYS[CLUSTER].keys} - named == {"login"}  # its kubeconfig is in the environment


def steps(deploy: str, folder: Path) -> list[Step]:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "k8s").mkdir()
    (folder / "k8s" / "a.yaml").touch()
    text = f"image: .\ndeploy: {{kubernetes: {{{deploy}}}}}\n"
    spec = load(text.encode(), "gen-workflow.yml", str(folder))
    return [
        step
        for workflow in pipeline.workflows(spec, table())
        for job in workflow.jobs
        if isinstance(job, Job)
        for step in job.steps
        if isinstance(step, Step) and step.uses and "/kubectl-set-image@" in step.uses.reference
    ]


@pytest.mark.parametrize("name", REACHED)
def test_an_input_gets_what_the_spec_says(name: str, tmp_path: Path) -> None:
    _, deploy, expected = REACHED[name]
    found = [
        str(dict(step.inputs)[name])
        .rstrip("\n")
        .replace("${{ needs.build.outputs.image }}", "IMAGE")
        for step in steps(deploy, tmp_path)
        if name in dict(step.inputs)
    ]
    assert expected in found
