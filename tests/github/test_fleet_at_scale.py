"""A large fleet: few requests, under every limit of GitHub, and killed as often as one likes."""

from __future__ import annotations

import json
import os
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bed.github import FakeGitHub
from bed.skipped_time import SkippedTime
from bed.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from bed.github import Repository

BRANCH = "gen-workflow/update"
PROPOSE = "graphql createRef, createCommitOnBranch, createPullRequest"
DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
LATENCY = 0.06  # seconds
HEAD = """\
owner: acme
defaults: {image: ., deploy: {ssh: vps, run: {ports: ["8080:8080"]}, health: PATH}}
"""


@dataclass(frozen=True)
class Fleet:
    """A fleet on a GitHub whose time is skipped where somebody waits."""

    github: FakeGitHub
    folder: Path
    time: SkippedTime
    drifted: tuple[Repository, ...]

    def start(self, *words: str, output: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        argv = self.time.argv("gen_workflow", "fleet", *words)
        return subprocess.Popen(argv, cwd=self.folder, env=environment, stdout=output, text=True)

    def run(self, *words: str) -> tuple[int, Any]:
        """Return the exit code and the data of a run that nobody kills."""
        with self.start(*words, "--json", output=subprocess.PIPE) as run:
            said, _ = run.communicate()
        return run.returncode, json.loads(said)

    def pulls(self) -> int:
        return sum(len(one.pulls) for one in self.drifted)

    def kill(self, chance: random.Random) -> None:
        """Start a run, and kill it with SIGKILL after some pull requests, at any moment."""
        enough = self.pulls() + chance.randint(1, len(self.drifted) // 8)
        with self.start("apply") as run:
            wait_until(lambda: self.pulls() >= enough or run.poll() is not None, "enough are open")
            wait_until(lambda: chance.random() < 0.3, "it is its time")
            run.kill()

    def journal(self) -> list[dict[str, Any]]:
        (path,) = (self.folder / "state/gen-workflow").glob("*.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [one for one in lines if one["repository"] != "acme/model"]


def fleet_of(folder: Path, github: FakeGitHub, time: SkippedTime, many: int, drifted: int) -> Fleet:
    """Make a fleet in which every fifth repository, or so, is behind, and the others in step."""
    model = github.create_repository("acme/model", DOCKERFILE)
    behind, wanted = (
        _given(Fleet(github, folder, time, (model,)), model, path) for path in ("/old", "/health")
    )
    names = [f"app{number:04}" for number in range(many)]
    late = {*names[:: many // drifted][:drifted]}
    for name in names:
        github.create_repository(f"acme/{name}", behind if name in late else wanted)
    (folder / "fleet.yml").write_text(
        HEAD.replace("PATH", "/health")
        + f"repos: {{{', '.join(f'{name}: {{}}' for name in names)}}}\n"
    )
    github.calls.clear()
    return Fleet(
        github, folder, time, tuple(github.repository(f"acme/{one}") for one in sorted(late))
    )


def _given(fleet: Fleet, model: Repository, health: str) -> dict[str, bytes]:
    """Return the files of a repository that is in step with a fleet."""
    fleet.folder.joinpath("fleet.yml").write_text(HEAD.replace("PATH", health) + "repos: [model]\n")
    assert fleet.run("apply")[0] == 0
    fleet.github.merge("acme/model", len(model.pulls))
    names = model.git.files("main")
    return {name: model.git.content(model.git.oid(f"main:{name}") or "") for name in names}


@pytest.mark.parametrize(
    ("many", "drifted", "kills"),
    [(40, 30, 2), pytest.param(1000, 200, 5, marks=pytest.mark.test_all)],
)
def test_a_fleet_is_brought_in_step_under_all_limits_however_often_it_is_killed(
    tmp_path: Path, many: int, drifted: int, kills: int
) -> None:
    time = SkippedTime.begin(tmp_path)
    with FakeGitHub(tmp_path / "github", latency=LATENCY, clock=time.now) as github:
        fleet = fleet_of(tmp_path, github, time, many, drifted)
        code, planned = fleet.run("plan")
        assert (code, len(planned["repositories"])) == (1, many)
        assert sum(one["stands"] == "behind" for one in planned["repositories"]) == drifted
        assert len(github.calls) <= 20
        chance = random.Random(many)  # noqa: S311 - no secret
        for _ in range(kills):
            fleet.kill(chance)
        code, reported = fleet.run("apply")
        assert code == 0
        _each_has_one_commit_and_one_pull_request(fleet)
        # What was under way when it was killed may have been carried out, and is not asked again.
        assert drifted <= github.operations.count(PROPOSE) <= drifted + kills
        assert not github.limits.exceeded, github.limits.highest
        assert time.skipped() > 60 * (3 * drifted // 80 - 1)  # the limits were in its way
        _the_journal_agrees(fleet, reported["repositories"])


def _each_has_one_commit_and_one_pull_request(fleet: Fleet) -> None:
    for one in fleet.drifted:
        assert len(one.pulls) == 1, one.slug
        made = one.git.head(BRANCH) or ""
        assert one.git.parents(made) == [one.git.head("main")], one.slug
    others = {slug for slug in fleet.github.slugs if fleet.github.repository(slug).pulls}
    assert others == {"acme/model", *(one.slug for one in fleet.drifted)}


def _the_journal_agrees(fleet: Fleet, reported: list[dict[str, Any]]) -> None:
    """Compare the journal with the report of the last run, and both with GitHub."""
    opened = {one.slug: f"https://github.com/{one.slug}/pull/1" for one in fleet.drifted}
    pulls = {one["repository"]: one["pull_request"] for one in reported if one["pull_request"]}
    assert pulls == opened
    lines = fleet.journal()
    assert {one["repository"] for one in lines if one["act"] == "begins"} == {*opened}
    told = {one["repository"]: one["pull"] for one in lines if one["act"] == "proposed"}
    assert told.items() <= opened.items()
    assert not [one for one in lines if one["act"] == "failed"]
    # Never fewer changes than GitHub has counted: a run that is killed has noted them before.
    assert sum(one["changes"] for one in lines) >= 3 * len(opened)
