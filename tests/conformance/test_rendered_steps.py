"""What the generator renders is what our actions take: every step of ours is run, dry.

A dry run of kubectl-set-image asks a cluster, so its inputs are read, and no more.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from bed.action_file import read_action
from bed.step import Run, run_action
from conformance.subjects import ROOT, Subject, rendered
from ship.kubectl_set_image.inputs import read_inputs
from ship.runner.context import Context

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = f"ghcr.io/acme/app@sha256:{'0' * 64}"
# What stands behind the expressions of a rendered step, by input.
GIVEN = {
    "host": "h1",
    "user": "deploy",
    "port": "22",
    "dir": "/opt/app",
    "jump": "bastion",
    "host-ca": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
    "host-fingerprints": f"SHA256:{'A' * 43}",
    "ssh-key": "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----",
    "known-hosts": "h1 ssh-ed25519 AAAA",
    "skip-unchanged": "commit",
    "platforms": "linux/amd64",
    "kubeconfig": "apiVersion: v1\nkind: Config\nclusters: []\n",
}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
OF_A_BUILD = re.compile(r"\$\{\{ needs\.build(-[\w-]+)?\.outputs\.image \}\}")
OF_A_PLATFORM = re.compile(r"\$\{\{ needs\.platforms(?:-[\w-]+)?\.outputs\.[\w-]+ \}\}")
IN_A_CLUSTER = "kubectl-set-image"


def steps(*, in_a_cluster: bool) -> list[Any]:
    return [
        pytest.param(subject, step, id=f"{subject.name}: {step['name']}")
        for subject in rendered()
        for step in subject.steps()
        if (name := name_of(step)) and (name == IN_A_CLUSTER) == in_a_cluster
    ]


def name_of(step: dict[str, Any]) -> str:
    """Return the name of the action of ours that a step uses; nothing for other steps."""
    action = re.search(r"/actions/([a-z-]+)@", step.get("uses", ""))
    return action[1] if action and not step["uses"].startswith("actions/") else ""


def inputs_of(subject: Subject, step: dict[str, Any]) -> dict[str, str]:
    """Return the inputs of a step, with values in place of the expressions."""
    found = {}
    asked: dict[str, Any] = {}
    for trigger in subject.document["on"].values():
        asked |= (trigger or {}).get("inputs", {}) if isinstance(trigger, dict) else {}
    for name, text in step.get("with", {}).items():
        if of_the_run := re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", str(text)):
            found[name] = asked[of_the_run[1]].get("default", "")
            continue
        known = OF_A_BUILD.sub(lambda at: IMAGE.replace("app", f"app{at[1] or ''}"), str(text))
        known = OF_A_PLATFORM.sub(of_a_merge(step), known)
        found[name] = EXPRESSION.sub(GIVEN.get(name, "value"), known)
    return found


def of_a_merge(step: dict[str, Any]) -> str:
    """Return an image that a merge takes: one by the name that the action gives to the whole."""
    given = step.get("with", {})
    key = given.get("images", "").partition(":")[0]
    name = given.get("image", f"ghcr.io/{Run().repository}").lower() + (f"/{key}" if key else "")
    return f"{name}@sha256:{'0' * 64}"


@pytest.mark.parametrize(("subject", "step"), steps(in_a_cluster=False))
def test_a_rendered_step_is_accepted_by_its_action(
    subject: Subject, step: dict[str, Any], tmp_path: Path
) -> None:
    inputs = inputs_of(subject, step)
    shutil.copytree(subject.folder, tmp_path, dirs_exist_ok=True)
    env = dict.fromkeys(step.get("env", {}), "value")
    inputs["dry-run"] = "true"
    result = run_action(name_of(step), inputs, env=env, workspace=tmp_path)
    assert result.code == 0, f"{subject.name}: {result.log}"


@pytest.mark.parametrize(("subject", "step"), steps(in_a_cluster=True))
def test_a_rendered_step_for_a_cluster_is_what_its_action_reads(
    subject: Subject, step: dict[str, Any], tmp_path: Path
) -> None:
    action = read_action(ROOT / "actions" / IN_A_CLUSTER)
    given = inputs_of(subject, step)
    assert set(given) <= set(action.inputs), subject.name
    shutil.copytree(subject.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "value").mkdir()  # where a login has put its kubeconfig
    (tmp_path / "value" / "kubeconfig").touch()
    inputs = action.with_defaults(given, {})
    env = {f"INPUT_{name.upper().replace('-', '_')}": text for name, text in inputs.items()}
    env |= {name: f"value of {name}" for name in step.get("env", {})}
    context = Context(repository="acme/app", actor="octocat", workspace=str(tmp_path))
    read = read_inputs({**env, "JOB_TOKEN": "ghs_x"}, context)
    # No variable of the step is left over, and none has the values of two keys.
    values = [value.reveal() for secret in read.secrets for value in secret.values.values()]
    assert set(values) == {f"value of {name}" for name in step.get("env", {})}
