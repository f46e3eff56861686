"""Manifests as kubectl reads them, and what is said when the cluster does not take them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import ScriptedRunner
from ship.kubectl_set_image import conflicts
from ship.kubectl_set_image.manifests import load, workloads
from ship.runner.errors import UserError
from ship.runner.process import Finished
from unit.ship.kubectl_set_image.given import NEW, OLD, template, workload

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}


def loaded(printed: str) -> tuple[Any, ...]:
    return load(["k8s"], "shop", (), ScriptedRunner(Finished(0, printed)))


def test_files_and_folders_are_read_at_once_in_the_namespace_of_the_step(tmp_path: Path) -> None:
    runner = ScriptedRunner(Finished(0, json.dumps(SERVICE)))
    load([str(tmp_path), "/x y.yaml"], "shop", ("--context=prod",), runner)
    [command] = runner.ran
    assert command.argv == (
        "kubectl", "create", "--dry-run=client", "--validate=false", "--output=json",
        "--request-timeout=60s",
        f"--filename={tmp_path}", "--filename=/x y.yaml", "--context=prod", "--namespace=shop",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_folder_with_a_kustomization_is_built(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    runner = ScriptedRunner(Finished(0, "kind: Service"), Finished(0, json.dumps(SERVICE)))
    assert load([str(tmp_path)], "shop", (), runner) == (SERVICE,)
    built, read = runner.ran
    assert built.argv == ("kubectl", "kustomize", str(tmp_path))
    assert "--filename=-" in read.argv
    assert read.stdin
    assert read.stdin.reveal() == "kind: Service"


@given(st.lists(st.sampled_from(["a", "b"])), st.sampled_from(["", "\n", "\n\n  "]))
def test_objects_come_one_after_another_or_in_lists(names: list[str], between: str) -> None:
    objects = [{"kind": "Service", "metadata": {"name": name}} for name in names]
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    printed = between.join(map(json.dumps, [*objects, listed]))
    assert list(loaded(printed)) == [*objects, *objects]


@pytest.mark.parametrize("printed", ["Fetching login\n{}", "{} x", '{"a":', "[" * 100])
def test_what_is_no_json_is_told_and_is_no_bug(printed: str) -> None:
    with pytest.raises(UserError, match="printed something that is not JSON"):
        loaded(printed)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('error: the path "k8s" does not exist', "try the same with `kubectl apply"),
        (
            'the namespace from the provided object "dev" does not match the namespace "shop"',
            "set `namespace` to that of the manifests",
        ),
        ("", "it gave no reason"),
    ],
)
def test_manifests_that_kubectl_cannot_read_are_told_in_its_words(said: str, hint: str) -> None:
    with pytest.raises(UserError) as raised:
        load(["k8s"], "shop", (), ScriptedRunner(Finished(1, "", f"{said}\n")))
    assert f"input `apply`: kubectl does not accept the manifests: {said[:40]}" in str(raised.value)
    assert hint in str(raised.value)


def test_the_workloads_are_those_whose_pods_we_know() -> None:
    old = {**workload(template(app=OLD)), "apiVersion": "extensions/v1beta1"}
    rollout = {**workload(template(app=OLD)), "apiVersion": "argoproj.io/v1alpha1"}
    found = workloads([SERVICE, old, rollout, workload(template(app=OLD))])
    assert [str(each) for each in found] == ["deployment/web"]


def test_of_two_manifests_of_one_name_the_last_one_counts() -> None:
    """As for kubectl, which applies them one after the other."""
    one, two = workload(template(app=OLD)), workload(template(app=NEW))
    [found] = workloads([one, two])
    assert found.object == two


CONFLICTS = (
    'error: Apply failed with 2 conflicts: conflicts with "argocd" using apps/v1:\n- .spec.replicas'
    '\nconflicts with "hpa" with subresource "scale" using apps/v1:\n- .spec.x'
)


def test_all_owners_of_fields_are_named() -> None:
    said = str(conflicts.not_applied(CONFLICTS, dry_run=True))
    assert "fields of the manifests belong to argocd, hpa: error: Apply failed" in said


def test_what_others_own_beside_us_is_not_ours() -> None:
    ours = 'conflict with "gen-workflow" using apps/v1: .spec.x'
    assert conflicts.are_ours(ours)
    assert not conflicts.are_ours(f'{ours}\nconflict with "argocd" using apps/v1: .spec.y')
    assert not conflicts.are_ours("error: no such host")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('admission webhook "x" denied the request', "a webhook of the cluster decides"),
        ("failed calling webhook", "a webhook of the cluster decides"),
        ("is forbidden: ValidatingAdmissionPolicy 'p' denied", "follows this policy"),
        ('is forbidden: violates PodSecurity "restricted"', "follows this policy"),
        ("is forbidden: User cannot patch", "bind the Role"),
        ("is forbidden: exceeded quota: q", "have the quota of the namespace raised"),
        ("is forbidden: unable to create new content as it is being terminated", "is gone"),
        ("is invalid: spec.x: Required value", "change what the message names"),
    ],
)
def test_each_refusal_has_its_next_act(said: str, hint: str) -> None:
    assert hint in str(conflicts.refused(f"deployment/web: {said}", "x"))
    assert hint in str(conflicts.not_applied(said, dry_run=True))
