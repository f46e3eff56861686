"""How a change goes through a fleet: deletions, status, the first repositories, and later runs."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.fleet import alone, journal, pulls
from gen_workflow.fleet.journal import Journal
from gen_workflow.github.connection import Connection
from terminal import WIPE, on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub

    Fleet = Callable[..., Any]

BRANCH = "gen-workflow/update"
WORKFLOW = ".github/workflows/ci-cd.yml"
ROLLBACK = ".github/workflows/rollback.yml"
DEPLOY = "deploy: {ssh: vps, run: {ports: ['8080:8080']}}"
NAMES = ("one", "two", "three")
BOTH = "graphql createRef, createCommitOnBranch, createPullRequest"
LOOK = "graphql repository, repository"


def write(folder: Path, *, deploy: str = DEPLOY) -> None:
    repos = ", ".join(f"{name}: {{}}" for name in NAMES)
    lines = ("owner: acme", f"defaults: {{image: ., {deploy}}}", f"repos: {{{repos}}}")
    (folder / "fleet.yml").write_text("\n".join(lines))


@pytest.fixture(autouse=True)
def three(github: FakeGitHub, tmp_path: Path) -> None:
    for name in NAMES:
        github.create_repository(f"acme/{name}", {"Dockerfile": b"FROM scratch\n"})
    write(tmp_path)


def pull_requests(github: FakeGitHub) -> list[int]:
    return [len(github.repository(f"acme/{name}").pulls) for name in NAMES]


def test_a_file_that_the_spec_no_longer_gives_goes_unless_somebody_edited_it(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    assert fleet("apply").code == 0
    for name in NAMES:
        github.merge(f"acme/{name}", 1)
    one, two, three = (github.repository(f"acme/{name}") for name in NAMES)
    text = two.git.content(two.git.oid(f"main:{ROLLBACK}") or "")
    two.change("main", {ROLLBACK: text.replace(b"\njobs:", b"\nenv: {A: b}\njobs:")})
    three.change(BRANCH, {"README": b"\n"})  # the branch is there, so it is brought in step alone
    write(tmp_path, deploy="test: {node: 22}")
    for each in (one, two, three):
        each.change("main", {"package.json": b"{}"})

    planned = fleet("plan", "one").stdout
    assert planned.startswith(f"acme/one  behind      gen-workflow.yml, {WORKFLOW}, {ROLLBACK}\n")
    ran = fleet("apply")
    assert ran.code == 0, ran.stderr
    there = [ROLLBACK in each.git.files(BRANCH) for each in (one, two, three)]
    assert there == [False, True, False]
    assert f"| `{ROLLBACK}` | removed: the spec no longer gives it |" in one.pulls[1].body
    assert f"no longer gives `{ROLLBACK}`. It was edited by hand, so it stays" in two.pulls[1].body
    assert {
        one["stands"] for one in json.loads(fleet("plan", "--json").stdout)["repositories"]
    } == {"proposed"}
    for name in NAMES:
        github.merge(f"acme/{name}", 2)
    assert fleet("plan").stdout == "3 repositories: 3 in step\n"


def test_a_pull_request_that_somebody_closed_is_opened_again_only_on_demand(
    github: FakeGitHub, fleet: Fleet
) -> None:
    fleet("apply", "one", "two")
    for name, keeps_its_branch in (("one", False), ("two", True)):
        repository = github.repository(f"acme/{name}")
        repository.pulls[0].state = "closed"
        if not keeps_its_branch:
            repository.git.delete(f"refs/heads/{BRANCH}")
    ran = fleet("apply")
    assert ran.code == 1
    first, second, third, last = ran.stdout.splitlines()
    assert first == "acme/three: https://github.com/acme/three/pull/1"
    assert second.startswith("acme/one  declined    https://github.com/acme/one/pull/1: ")
    assert third.startswith("acme/two  declined    https://github.com/acme/two/pull/1: ")
    assert last == "1 pull request opened or updated, 0 failed"
    assert pull_requests(github) == [1, 1, 1]
    table = fleet("plan").stdout
    assert "acme/one    declined    https://github.com/acme/one/pull/1: " in table
    assert table.endswith("3 repositories: 2 declined, 1 proposed\n")
    assert fleet("apply", "--again").code == 0
    assert pull_requests(github) == [2, 2, 1]


def test_status_says_where_each_pull_request_and_the_last_run_stand(
    github: FakeGitHub, fleet: Fleet
) -> None:
    fleet("apply")
    one, two, three = (github.repository(f"acme/{name}") for name in NAMES)
    one.run(BRANCH, "SUCCESS")
    one.run(BRANCH, path=".github/workflows/other.yml")
    github.merge("acme/two", 1)
    two.run("main", "SUCCESS")
    two.run("main", "CANCELLED")
    two.change("main", {"README": b"\n"})  # starts no run
    two.run("main", "FAILURE", path=".github/workflows/other.yml")
    three.run(BRANCH, "STARTUP_FAILURE")
    ran = fleet("status")
    assert ran.code == 1
    run = "https://github.com/acme/two/actions/runs/2"
    assert [re.split("  +", line) for line in ran.stdout.splitlines()] == [
        ["repository", "stands", "pull request", "checks", "last run"],
        ["acme/one", "proposed", "open https://github.com/acme/one/pull/1", "pending", "none"],
        [
            "acme/two",
            "in step",
            "merged https://github.com/acme/two/pull/1",
            f"red (cancelled) {run}",
        ],
        ["acme/three", "proposed", "open https://github.com/acme/three/pull/1", "red", "none"],
        ["0 of 3 repositories are through"],
    ]
    assert github.operations[-2:] == ["graphql repository, repository, repository"] * 2


def test_status_succeeds_when_all_is_merged_and_its_last_run_was_good(
    github: FakeGitHub, fleet: Fleet
) -> None:
    fleet("apply", "one")
    github.merge("acme/one", 1)
    one = github.repository("acme/one")
    one.run("main", "FAILURE")
    assert fleet("status", "one").code == 1
    one.run("main", "SUCCESS")
    ran = fleet("status", "one", "--json")
    (row,) = json.loads(ran.stdout)["repositories"]
    assert (ran.code, row["through"]) == (0, True)
    assert row["pull_request"] == {
        "url": "https://github.com/acme/one/pull/1",
        "state": "merged",
        "checks": "none",
    }
    assert row["run"]["result"] == "green"


def test_the_others_follow_when_the_first_ones_are_green(github: FakeGitHub, fleet: Fleet) -> None:
    def turn_green() -> None:
        github.repository("acme/one").run(BRANCH, "SUCCESS")
        github.merge("acme/two", 1)

    github.meanwhile(LOOK, turn_green)
    ran = fleet("apply", "--canary", "2")
    assert ran.code == 0, ran.stderr
    assert github.operations[1:] == [BOTH, BOTH, LOOK, BOTH]
    assert "the first 2 are green" in ran.stderr
    assert ran.stdout.splitlines()[-1] == "3 pull requests opened or updated, 0 failed"


def test_nothing_follows_a_canary_that_is_red_and_a_later_run_looks_at_it_again(
    github: FakeGitHub, fleet: Fleet
) -> None:
    one, two = (github.repository(f"acme/{name}") for name in NAMES[:2])
    github.meanwhile(LOOK, lambda: (one.run(BRANCH, "FAILURE"), two.run(BRANCH, "SUCCESS")))
    ran = fleet("apply", "--canary", "2", "--json")
    assert ran.code == 1
    assert "acme/one: https://github.com/acme/one/pull/1 is red" in ran.stderr
    assert pull_requests(github) == [1, 1, 0]
    report = json.loads(ran.stdout)
    opened = [one["pull_request"] for one in report["repositories"]]
    assert opened == [*(f"https://github.com/acme/{name}/pull/1" for name in NAMES[:2]), None]
    (problem,) = report["problems"]
    assert problem["rule"] == "a-canary-that-is-not-green"
    assert "acme/one: https://github.com/acme/one/pull/1 is red" in problem["what"]
    one.runs[0].conclusion = "SUCCESS"  # it was started again, and is good now
    assert fleet("apply", "--canary", "2").code == 0
    assert pull_requests(github) == [1, 1, 1]


def test_a_canary_that_was_closed_or_could_not_be_opened_stops_the_run(
    github: FakeGitHub, fleet: Fleet
) -> None:
    github.fail(BOTH, 422, "Repository rule violations found")
    ran = fleet("apply", "--canary", "1", "--json")
    assert ran.code == 1
    errors = [one["error"] for one in json.loads(ran.stdout)["repositories"]]
    assert "a rule of the repository forbids it" in errors[0]
    assert errors[1:] == [None, None]
    assert "stopped here, because one of the first repositories failed" in ran.stderr
    assert pull_requests(github) == [0, 0, 0]

    def close() -> None:
        github.repository("acme/one").pulls[0].state = "closed"

    github.meanwhile("graphql repository", close)
    ran = fleet("apply", "--canary", "3", "--limit", "1")
    assert "acme/one: https://github.com/acme/one/pull/1 is closed" in ran.stderr
    assert ran.stdout.splitlines()[-1] == "1 pull request opened or updated, 0 failed"
    assert pull_requests(github) == [1, 0, 0]


def test_a_canary_is_waited_for_and_not_for_ever(
    github: FakeGitHub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    one = github.repository("acme/one")

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            one.run(BRANCH)
        elif len(slept) == 3:
            one.runs[0].conclusion = "SUCCESS"

    monkeypatch.setattr(time, "sleep", sleep)
    ran = fleet("apply", "--canary", "1", "one")
    assert ran.code == 0, ran.stderr
    assert slept == [20.0] * 3
    told = [line for line in ran.stderr.splitlines() if "waiting" in line]
    assert [line.rpartition(" ")[2] for line in told] == ["none", "pending"]

    monkeypatch.setattr("time.monotonic", lambda: 100.0 * len(slept))
    ran = fleet("apply", "--canary", "2", "--within", "3", "one", "two")
    assert ran.code == 1
    assert "acme/two: no check has started; does its workflow run for pull requests?" in ran.stderr


def test_a_ring_waits_until_the_one_before_it_is_through(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    with (tmp_path / "fleet.yml").open("a") as file:
        file.write("\nrings: {first: [one], others: rest}\n")
    others = ("apply", "--ring", "others", "--after", "first")
    assert fleet("apply", "--ring", "first").code == 0
    ran = fleet(*others)
    assert (ran.code, ran.stdout) == (0, "")
    assert "the ring first is not through yet (0 of 1)" in ran.stderr
    github.merge("acme/one", 1)
    run = github.repository("acme/one").run("main", "FAILURE")
    assert "nothing was done" in fleet(*others).stderr
    run.conclusion = "SUCCESS"
    assert pull_requests(github) == [1, 0, 0]
    assert fleet(*others).code == 0
    assert pull_requests(github) == [1, 1, 1]


def test_the_nightly_workflow_brings_each_repository_in_step_once(
    github: FakeGitHub, fleet: Fleet, command: Callable[..., Any], tmp_path: Path
) -> None:
    printed = fleet("workflow", "--shards", "2").stdout
    job = YAML(typ="safe").load(printed)["jobs"]["fleet"]
    *_, app, step = job["steps"]
    assert step["env"].pop("GH_TOKEN") == "${{ steps.app.outputs.token || secrets.FLEET_TOKEN }}"
    assert (app["id"], app["if"]) == ("app", "${{ vars.FLEET_CLIENT_ID != '' }}")
    rights = {
        "permission-contents": "write",
        "permission-pull-requests": "write",
        "permission-workflows": "write",
        "permission-metadata": "read",
    }
    assert app["with"] == {
        "client-id": "${{ vars.FLEET_CLIENT_ID }}",
        "private-key": "${{ secrets.FLEET_PRIVATE_KEY }}",
        "owner": "acme",
        **rights,
    }
    given = {**step["env"], "SHARD": ""}
    assert job["strategy"]["matrix"]["shard"] == [1, 2]
    for shard in ("1", "2"):
        line = step["run"].replace("$FLEET", given["FLEET"]).replace("$SHARD", shard)
        program, *words = shlex.split(line)
        assert program == "./.gen-workflow/gen-workflow"
        assert command(*words).code == 0
    assert pull_requests(github) == [1, 1, 1]
    with (tmp_path / "fleet.yml").open("a") as file:
        file.write("\nrings: {first: [one], others: rest}\n")
    jobs = YAML(typ="safe").load(fleet("workflow").stdout)["jobs"]
    assert [one["steps"][-1]["run"].partition(" --limit ")[2] for one in jobs.values()] == [
        "83 --stop-after 50 --ring first",
        "83 --stop-after 50 --ring others --after first",
    ]
    more = {f"permission-{name}": "read" for name in ("actions", "checks", "statuses")}
    for one in jobs.values():
        assert one["steps"][-2]["with"].items() >= {**rights, **more}.items()
    assert "is outside" in fleet("workflow", "--file", str(tmp_path / "fleet.yml")).stderr


def test_the_nightly_workflow_for_several_owners_takes_the_token_of_a_person(
    fleet: Fleet, tmp_path: Path
) -> None:
    """GitHub makes the token of an App for one of its installations, which has one owner."""
    (tmp_path / "fleet.yml").write_text("repos: [acme/one, ACME/two, partner/shop]\n")
    ran = fleet("workflow")
    steps = YAML(typ="safe").load(ran.stdout)["jobs"]["fleet"]["steps"]
    assert [step["name"].partition(" ")[0] for step in steps] == ["Check", "Check", "Open"]
    assert steps[-1]["env"]["GH_TOKEN"] == "${{ secrets.FLEET_TOKEN }}"
    assert ran.stderr.startswith("The repositories are of acme, partner. The token of a GitHub App")


def test_a_run_stops_before_its_time_is_over_and_says_what_is_left(
    github: FakeGitHub, fleet: Fleet
) -> None:
    ran = fleet("apply", "--spread", "3600", "--stop-after", "59")
    assert ran.code == 1
    assert ran.stdout.splitlines()[1:] == [
        "2 still to do",
        "1 pull request opened or updated, 0 failed",
    ]
    assert ran.stderr.startswith("--stop-after: stopped, because the time is over\n")
    assert pull_requests(github) == [1, 0, 0]


@pytest.mark.parametrize("branch", [False, True])
def test_no_limit_of_github_is_waited_out_for_longer_than_a_run_may_take(
    github: FakeGitHub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *, branch: bool
) -> None:
    """Source: GitHub's "Rate limits for the REST API": a secondary limit says `retry-after`."""
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"waits for {seconds} s"))
    passed = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: sum(passed))
    look = "graphql repository, repository, repository"
    github.meanwhile(look, lambda: passed.append(100.0))  # so that 20 of the 120 s are left
    if branch:  # then it is brought in step by the client of one repository
        github.repository("acme/one").change(BRANCH, {"README": b"\n"})
    operation = "graphql createCommitOnBranch" if branch else BOTH
    said = "You have exceeded a secondary rate limit"
    github.fail(operation, 403, said, headers={"Retry-After": "50"})
    ran = fleet("apply", "--stop-after", "2")
    assert ran.code == 1
    assert "GitHub's rate limit is reached for the next 50 s" in ran.stdout
    assert ran.stdout.endswith("\n2 still to do\n0 pull requests opened or updated, 1 failed\n")


def test_a_terminal_shows_which_repository_is_in_work_and_when_all_are_done(
    fleet: Fleet,
) -> None:
    with on_a_terminal() as shown:
        ran = fleet("apply", "--json")
    assert len(json.loads(ran.stdout)["repositories"]) == 3
    lines = [line for line in shown[0].split(WIPE) if line]
    assert lines[0] == "looking at 1 of 3: acme/one"
    assert [line.partition(", until about ")[0] for line in lines[1:]] == [
        f"opening {n} of 3: acme/{name}" for n, name in enumerate(NAMES, 1)
    ]
    assert all(re.search(r", until about \d\d:\d\d\Z", line) for line in lines[1:])
    assert shown[0].endswith(WIPE)


def test_only_those_in_which_the_last_run_failed(github: FakeGitHub, fleet: Fleet) -> None:
    github.fail(BOTH, 422, "Repository rule violations found")
    ran = fleet("apply", "--limit", "2")
    assert ran.stdout.splitlines()[-2:] == [
        "1 still to do",
        "1 pull request opened or updated, 1 failed",
    ]
    assert pull_requests(github) == [0, 1, 0]
    ran = fleet("apply", "--only-failed")
    assert ran.code == 0, ran.stderr
    assert pull_requests(github) == [1, 1, 0]
    ran = fleet("apply", "--only-failed")
    assert (ran.code, ran.stdout) == (0, "0 pull requests opened or updated, 0 failed\n")


def test_the_journal_keeps_the_last_hour_and_what_failed(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "state" / "fleet.jsonl")
    kept.path.parent.mkdir()
    now = time.time()
    lines = [
        {"time": now - 9000, "repository": "a/old", "act": "begins", "changes": 3},
        {"time": now - 8999, "repository": "a/old", "act": "proposed", "changes": 0},
        {"time": now - 9000, "repository": "a/bad", "act": "begins", "changes": 3},
        {"time": now - 8999, "repository": "a/bad", "act": "failed", "changes": 0},
        {"time": now - 10, "repository": "a/new", "act": "begins", "changes": 3},
        {"time": now - 9, "repository": "a/new", "act": "proposed", "changes": 0},
    ]
    kept.path.write_text("".join(f"{json.dumps(one)}\n" for one in lines) + '{"cut')
    before = kept.lately(now), kept.failed()
    kept.compact(now)
    found = [json.loads(line)["repository"] for line in kept.path.read_text().splitlines()]
    assert found == ["a/bad", "a/new", "a/new"]
    assert (kept.lately(now), kept.failed()) == before == ([(now - 10, 3)], {"a/bad"})
    assert [*kept.path.parent.iterdir()] == [kept.path]


def test_a_second_run_at_the_same_time_changes_nothing_and_says_so(
    github: FakeGitHub, fleet: Fleet
) -> None:
    assert fleet("apply", "one").code == 0  # and gives its lock back
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with alone.alone(journal.lock("fleet.yml")):
            held.set()
            done.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(60)
    ran = fleet("apply")
    looked = fleet("plan")
    done.set()
    other.join()
    assert ran.code == 2
    assert "fleet apply: another run changes this fleet (process " in ran.stderr
    assert looked.code == 1
    assert pull_requests(github) == [1, 0, 0]


def test_pull_requests_are_spread_over_time(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert "in about 2 minutes" in fleet("plan", "--spread", "60").stdout
    assert fleet("apply", "--spread", "60").code == 0
    assert len(slept) == 2
    assert 0 < min(slept) <= max(slept) <= 60
    assert "--spread: '4000' is not a whole number from 1 to 3600" in (
        fleet("plan", "--spread", "4000").stderr
    )


def test_fifty_repositories_are_asked_for_at_once(github: FakeGitHub, fleet: Fleet) -> None:
    fleet("apply", "one")
    connection = Connection("", github.token, github.url, print)
    slugs = ["acme/one", *["acme/none"] * 50]
    found = pulls.read(connection, slugs, BRANCH)
    connection.close()
    assert [one.pull.state for one in found if one.pull] == ["open"]
    assert [len(one.split(", ")) for one in github.operations[-2:]] == [50, 1]
