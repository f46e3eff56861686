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
from conformance.subjects import ROOT, SPECS, Subject, rendered
from gen_workflow import cli
from ship.kubectl_set_image.inputs import read_inputs
from ship.runner.context import Context

if TYPE_CHECKING:
    from pathlib import Path

    from bed.step import StepResult

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
# The spec, and the workflows that a case must give.
NOT_FOR_ACTIONS = shutil.ignore_patterns(
    *SPECS, "ci-cd.yml", "rollback.yml", "cleanup.yml", "build.yml"
)
OF_OURS = re.compile(
    r"(?:\./.+|[^/]+/.+/actions)/(build-push|ssh-deploy|kubectl-set-image)(?:@.+)?"
)
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
    action = OF_OURS.fullmatch(step.get("uses", ""))
    return action[1] if action else ""


def action_of(step: dict[str, Any], workspace: Path) -> str:
    """Return the folder of the action that a step uses; a copy is made as `generate` does."""
    if not step["uses"].startswith("./"):
        return name_of(step)
    assert cli.main(["generate", "-C", str(workspace)]) == 0
    return str(workspace / step["uses"])


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


@pytest.fixture(scope="module")
def ran() -> dict[Any, StepResult]:
    """What came of the steps that were run: the same one in the same files runs once."""
    return {}


def of_a_merge(step: dict[str, Any]) -> str:
    """Return an image that a merge takes: one by the name that the action gives to the whole."""
    given = step.get("with", {})
    key = given.get("images", "").partition(":")[0]
    name = given.get("image", f"ghcr.io/{Run().repository}").lower() + (f"/{key}" if key else "")
    return f"{name}@sha256:{'0' * 64}"


@pytest.mark.parametrize(("subject", "step"), steps(in_a_cluster=False))
def test_a_rendered_step_is_accepted_by_its_action(
    subject: Subject, step: dict[str, Any], tmp_path: Path, ran: dict[Any, StepResult]
) -> None:
    inputs = {**inputs_of(subject, step), "dry-run": "true"}
    env = dict.fromkeys(step.get("env", {}), "value")
    is_a_copy = step["uses"].startswith("./")  # it is made from the spec
    left_out = None if is_a_copy else NOT_FOR_ACTIONS
    shutil.copytree(subject.folder, tmp_path, dirs_exist_ok=True, ignore=left_out)
    same = (name_of(step), is_a_copy, *inputs.items(), *env, *files_in(tmp_path))
    if same not in ran:
        action = action_of(step, tmp_path)
        ran[same] = run_action(action, inputs, env=env, workspace=tmp_path)
    assert ran[same].code == 0, f"{subject.name}: {ran[same].log}"


def files_in(folder: Path) -> list[tuple[str, bytes]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in paths]


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
