"""The generator accepts a value of a cluster exactly when kubectl-set-image does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.errors import SpecError
from gen_workflow.spec import variables, workloads
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from ship.kube import kinds
from ship.kubectl_set_image import secret_input, workload_input
from ship.kubectl_set_image.inputs import read_inputs
from ship.runner.context import Context
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

ACTION = read_action(ROOT / "actions" / "kubectl-set-image")
PATH = "deploy/kubernetes"
GOOD = {
    "workload": (
        "deployment/web", "deploy/web", "Deployments/web", "deployments.apps/web", "sts/0",
        "ds/a-b.c", "cj/a", "cronjob/" + "a" * 253,
    ),
    "container": ("a", "0-a", "*", "a" * 63),
    "namespace": ("a", "my-shop", "0", "a.b"),
    "context": ("production", "arn:aws:eks:eu-central-1:1:cluster/a", "admin@shop (eu)"),
    "timeout": ("10", "21600", "0010"),
    "progress-timeout": ("5", "899"),
    "stability": ("0", "3600"),
    "restarts": ("0", "100"),
    "on-failure": ("rollback", "keep"),
    "rollback-timeout": ("10", "21600"),
    "no-pods": ("fail", "allow"),
    "older-commit": ("refuse", "deploy"),
    "secret": ("a", "a.b-c", "0"),
    "key": ("A", "tls.crt", "-", ".a", "0", "on", "null", "a" * 253),
    "pull-secret": ("a", "a.b-c"),
}  # fmt: skip
BAD = {
    "workload": (
        "web", "/web", "deployment/", "deployment/Web", "job/a", "pod/a", "rs/a", "rc/a", "svc/a",
        "deployment/-a", "deployment/a-", "deployment/a b", "deployment/a/b", "deployment/é",
        "cronjob/" + "a" * 254,
    ),
    "container": ("A", "-a", "a-", "a.b", "**", "a" * 64),
    "namespace": ("A", "-a", "a_b", "a b"),
    "timeout": ("9", "21601", "1m", "1.5", "-1"),
    "progress-timeout": ("4", "5s"),
    "stability": ("3601", "-1"),
    "restarts": ("101", "-1"),
    "on-failure": ("roll", "none"),
    "rollback-timeout": ("9", "21601"),
    "no-pods": ("ok",),
    "older-commit": ("allow",),
    "secret": ("A", "-a", "a_b", "a/b"),
    "key": ("a b", "a/b", "é", "a" * 254),
    "pull-secret": ("A", "a_b"),
}  # fmt: skip
# What has to be beside a value, so that only the value itself can be wrong.
BESIDE = {"timeout": {"stability": "0"}, "stability": {"timeout": "21600"}}
DEFAULTS = [
    name
    for name, key in dict(sections(SPEC))[PATH].keys.items()
    if name in ACTION.inputs and key.default.startswith("`") and key.default.endswith("`")
]


def in_a_spec(kind: str, value: str) -> dict[str, object]:
    """Return what `kubernetes` says in a spec to give a value."""
    if kind == "workload":
        return {"workload": value}
    if kind == "container":
        return {"workload": {"deployment/web": value}}
    said: dict[str, object] = {"workload": "deployment/web"}
    if kind == "secret":
        return said | {"secret": {value: {"A": "x"}}}
    if kind == "key":
        return said | {"secret": {"a": {value: "x"}}}
    if kind == "pull-secret":
        return said | {"pull-secret": {"name": value}}
    return said | BESIDE.get(kind, {}) | {kind: value}


def in_inputs(kind: str, value: str) -> dict[str, str]:
    """Return the inputs that say the same."""
    image = f"ghcr.io/acme/app@sha256:{'0' * 64}"
    if kind == "container":
        return {"workload": f"deployment/web {value}={image}"}
    given = {"workload": "deployment/web", "image": image}
    if kind == "secret":
        return given | {"secret": json.dumps({value: {"A": "A"}})}
    if kind == "key":
        return given | {"secret": json.dumps({"a": {value: "A"}})}
    return given | BESIDE.get(kind, {}) | {kind: value}


def by_generator(said: dict[str, object], folder: Path) -> bool:
    (folder / "Dockerfile").touch()
    text = json.dumps({"image": ".", "deploy": {"kubernetes": said}}, ensure_ascii=False)
    try:
        load(text.encode(), "gen-workflow.yml", str(folder))
    except SpecError:
        return False
    return True


def by_action(given: dict[str, str]) -> bool:
    inputs = ACTION.with_defaults(given, {})
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()}
    context = Context(repository="acme/app", actor="octocat")
    try:
        read_inputs({**env, "A": "x", "JOB_TOKEN": "t"}, context)
    except UserError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        pytest.param(kind, value, good, id=f"{kind}-{ascii(value)[:20]}")
        for good, table in ((True, GOOD), (False, BAD))
        for kind, values in table.items()
        for value in values
    ],
)
def test_generator_and_action_agree_on_a_value(
    kind: str, value: str, tmp_path: Path, *, good: bool
) -> None:
    said, given = in_a_spec(kind, value), in_inputs(kind, value)
    assert {"action": by_action(given), "generator": by_generator(said, tmp_path)} == {
        "action": good,
        "generator": good,
    }


def test_generator_and_action_have_the_same_kinds() -> None:
    known = {kind.word: {kind.word, kind.plural, *kind.aliases} for kind in kinds.KINDS}
    assert known == {kind: set(words) for kind, words in workloads.KINDS.items()}


@pytest.mark.parametrize(
    ("of_spec", "of_action"),
    [
        pytest.param(variables.OBJECT_NAME, workload_input.NAME.pattern, id="name of an object"),
        pytest.param(variables.KEY_NAME, secret_input.KEY.pattern, id="key of a Secret"),
        pytest.param(workloads.CONTAINER, workload_input.CONTAINER.pattern, id="container"),
    ],
)
def test_generator_and_action_have_the_same_rule(of_spec: str, of_action: str) -> None:
    assert of_spec == of_action


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_docs_of_the_spec_have_the_default_of_the_action(name: str) -> None:
    key = dict(sections(SPEC))[PATH].keys[name]
    assert key.default == f"`{ACTION.inputs[name]['default']}`"


def test_most_defaults_are_those_of_the_action() -> None:
    assert {"timeout", "restarts", "on-failure", "force-conflicts"} <= set(DEFAULTS)
