"""The next manifests have the last word on what a rollback has put back."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from kube_api import Fault, status
from kube_patches import json_patched
from ship.kubectl_set_image.ownership import handed_over
from ship.kubectl_set_image.revisions import LEFT
from unit.ship.kubectl_set_image.given import NEW, OLD, template, workload

if TYPE_CHECKING:
    from unit.ship.kubectl_set_image.step_bed import Bed

NOTES: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{LEFT}": {}}}}


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def spec(*names: str) -> dict[str, Any]:
    return {"f:spec": {"f:template": {f"f:{name}": {} for name in names}}}


APPLIED = entry("gen-workflow", "Apply", {**spec("a", "b"), "f:metadata": {"f:labels": {}}})
PATCHED = entry("gen-workflow", "Update", {**spec("b", "c"), **NOTES})
OTHERS = (
    entry("kube-controller-manager", "Update", spec("x")),
    entry("gen-workflow", "Update", spec("status"), subresource="status"),
)


def web(*entries: dict[str, Any], left: str = "0123456789ab") -> dict[str, Any]:
    made = workload(template(app=OLD), annotations={LEFT: left} if left else None)
    made["metadata"]["managedFields"] = list(entries)
    return made


def test_the_specification_is_handed_over_and_the_annotations_are_not() -> None:
    there = web(*OTHERS, APPLIED, PATCHED)
    before = copy.deepcopy(there)
    patch = handed_over(there)
    assert patch
    assert there == before
    assert json_patched(there, patch)["metadata"]["managedFields"] == [
        *OTHERS,
        entry("gen-workflow", "Apply", {**spec("a", "b", "c"), "f:metadata": {"f:labels": {}}}),
        entry("gen-workflow", "Update", NOTES),
    ]
    assert patch[0]["value"] == there["metadata"]["resourceVersion"]


def test_an_entry_with_nothing_left_is_taken_out() -> None:
    there = web(APPLIED, entry("gen-workflow", "Update", spec("c")))
    patch = handed_over(there)
    assert patch
    [left] = json_patched(there, patch)["metadata"]["managedFields"]
    assert left["operation"] == "Apply"


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(web(PATCHED), id="never applied"),
        pytest.param(web(APPLIED), id="never patched"),
        pytest.param(web(APPLIED, entry("gen-workflow", "Update", NOTES)), id="only notes"),
        pytest.param(web(APPLIED, PATCHED, left=""), id="never put back"),
        pytest.param(web(APPLIED, *OTHERS), id="others"),
        pytest.param(workload(template(app=OLD)), id="nothing known"),
    ],
)
def test_where_there_is_nothing_to_hand_over_nothing_is_sent(there: dict[str, Any]) -> None:
    assert handed_over(there) is None


@pytest.mark.parametrize("answer", [None, 409, 422])
def test_it_comes_before_the_manifests_and_its_refusal_fails_no_deploy(
    bed: Bed, answer: int | None
) -> None:
    bed.has(web(APPLIED, PATCHED))
    if answer:
        bed.api.fail(Fault(status(answer, "no"), method="PATCH", path="deployments/web"))
    bed.kubectl.objects = [workload(template(app="placeholder"))]
    bed.kubectl.objects[0]["metadata"] = {"name": "web", "namespace": "shop"}
    bed.run(workload="", apply=".", image=f"app={NEW}")
    assert (bed.image(), bed.outputs["status"]) == (NEW, "updated")
    sent = bed.api.sent("PATCH", "deployments/web")
    assert len(sent) == (2 if answer == 409 else 1)
    assert all(each.body[1]["path"] == "/metadata/managedFields" for each in sent)
