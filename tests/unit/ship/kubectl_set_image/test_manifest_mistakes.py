"""Reading manifests: what kubectl lets pass or quotes, and a person must not meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from doubles import ScriptedRunner
from ship.kubectl_set_image import manifests
from ship.runner.errors import UserError
from ship.runner.process import Finished
from unit.ship.kubectl_set_image.given import NEW, template, workload

if TYPE_CHECKING:
    from pathlib import Path


def refusal(folder: Path, done: Finished) -> str:
    """Return what is said of manifests for which kubectl has answered so."""
    runner = ScriptedRunner(done)
    with pytest.raises(UserError) as raised:
        manifests.load([str(folder)], "shop", (), runner)
    return str(raised.value)


APP = {"name": "app", "image": NEW}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (None, "spec"),
        ("web", "spec"),
        ({"containers": [APP]}, "spec.template"),
        ({"template": None, "containers": [APP]}, "spec.template"),
        ({"template": {"containers": [APP]}}, "spec.template.spec"),
        ({"template": {"spec": {}}}, "spec.template.spec.containers"),
        ({"template": {"spec": {"containers": {"app": APP}}}}, "spec.template.spec.containers"),
        (
            {"template": {"spec": {"containers": [APP], "imagePullSecrets": ["ghcr"]}}},
            "spec.template.spec.imagePullSecrets",
        ),
    ],
)
def test_a_template_that_is_none_is_told_with_its_field(
    tmp_path: Path, spec: Any, field: str
) -> None:
    made = {**workload(template(app=NEW)), "spec": spec}
    said = refusal(tmp_path, Finished(0, json.dumps(made)))
    assert said.startswith(f"input `apply`: deployment/web has no `{field}`, or one of another")


def test_the_text_of_a_file_that_is_no_manifest_is_not_shown(tmp_path: Path) -> None:
    one = """unable to decode "{}": Object 'Kind' is missing in '{{"key":"hunter2\\u0027"}}'\n"""
    said = refusal(tmp_path, Finished(1, "", one.format("k8s/values.yaml") + one.format("b.json")))
    assert "hunter2" not in said
    assert """unable to decode "k8s/values.yaml": Object 'Kind' is missing""" in said
    assert '"b.json"' in said


# As kubectl 1.37 says it.
NO_KIND = """unable to decode "k8s/{}": Object 'Kind' is missing in '{{}}'"""


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (NO_KIND.format("Chart.yaml"), "this is a Helm chart: render it with `helm template`"),
        (NO_KIND.format("kustomization.yaml"), "name the folder of the kustomization"),
        (NO_KIND.format("kustomization.yml"), "name the folder of the kustomization"),
        (
            "error: error reading [k8s]: recognized file extensions are [.json .yaml .yml]",
            "the folder has none itself",
        ),
        ("error: no objects passed to create", "the files are empty"),
        (
            'no matches for kind "Widget" in version "a.b/v1" ensure CRDs are installed first',
            "apply the CustomResourceDefinition in a step before",
        ),
        (
            'the namespace from the provided object "a" does not match the namespace "b".',
            "set `namespace` to that of the manifests",
        ),
        ("error converting YAML to JSON: yaml: line 3", "try the same with `kubectl apply"),
    ],
)
def test_what_kubectl_says_of_manifests_comes_with_the_next_act(
    tmp_path: Path, said: str, hint: str
) -> None:
    assert f"hint: {hint}" in refusal(tmp_path, Finished(1, "", said))
