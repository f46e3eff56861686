"""The repository as an action: `check`, through its real shell step."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bed.step import run_action

LAUNCHER = Path(__file__).parents[2] / "gen-workflow"
SPEC = """\
image: .
deploy:
  ssh: vps
  run: {ports: ["8080:8080"], env: [GREETING]}
  health: /health
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace" / "app"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "gen-workflow.yml").write_text(SPEC)
    subprocess.run((LAUNCHER, "generate", "-C", folder), check=True, capture_output=True)
    return folder.parent


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        pytest.param("", "", 0, "is in step with gen-workflow.yml", id="in step"),
        pytest.param("8080:", "9090:", 1, "gen-workflow generate", id="spec changed"),
        pytest.param("health:", "heath:", 2, "gen-workflow.yml:5:3", id="spec wrong"),
        pytest.param(
            "health:", '"\\n::error::x": 1\n  y:', 2, "gen-workflow.yml:5:3", id="hostile"
        ),
    ],
)
def test_the_step_is_as_red_as_the_workflow_is_out_of_step(
    workspace: Path, old: str, new: str, code: int, message: str
) -> None:
    (workspace / "app" / "gen-workflow.yml").write_text(SPEC.replace(old, new))
    result = run_action("", {"directory": "app"}, workspace=workspace)
    assert result.code == code, result.log
    assert message in result.log
    # Each problem is an annotation of ours, and no word of the spec is a command.
    places = [one for one in result.log.splitlines() if one.startswith("::")]
    assert all(one.startswith("::error ") and "title=gen-workflow::" in one for one in places)
    assert bool(places) == (code != 0)
