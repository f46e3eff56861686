"""What the generator renders is what our actions take: every step of ours is run, dry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bed.step import run_action
from conformance.subjects import Subject, rendered

if TYPE_CHECKING:
    from pathlib import Path

# What stands behind the expressions of a rendered step, by input.
GIVEN = {
    "host": "h1",
    "user": "deploy",
    "port": "22",
    "ssh-key": "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----",
    "known-hosts": "h1 ssh-ed25519 AAAA",
    "image": f"ghcr.io/acme/app@sha256:{'0' * 64}",
}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def steps() -> list[Any]:
    return [
        pytest.param(subject, step, id=f"{subject.name}: {step['name']}")
        for subject in rendered()
        for step in subject.steps()
        if "/actions/" in step.get("uses", "") and "actions/checkout" not in step["uses"]
    ]


@pytest.mark.parametrize(("subject", "step"), steps())
def test_a_rendered_step_is_accepted_by_its_action(
    subject: Subject, step: dict[str, Any], tmp_path: Path
) -> None:
    action = re.search(r"/actions/([a-z-]+)@", step["uses"])
    assert action, subject.name
    inputs = {
        name: GIVEN.get(name, "value") if EXPRESSION.fullmatch(value.strip()) else value
        for name, value in step.get("with", {}).items()
    }
    inputs = {name: EXPRESSION.sub("value", value) for name, value in inputs.items()}
    context = tmp_path / inputs.get("context", ".")
    context.mkdir(parents=True, exist_ok=True)
    (tmp_path / inputs["file"] if "file" in inputs else context / "Dockerfile").touch()
    env = dict.fromkeys(step.get("env", {}), "value")
    inputs["dry-run"] = "true"
    result = run_action(action[1], inputs, env=env, workspace=tmp_path)
    assert result.code == 0, result.log
