"""`gen-workflow fleet`: where repositories stand, and the pull requests that bring them in step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.github import FINE_GRAINED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub

    Fleet = Callable[..., Any]

BRANCH = "gen-workflow/update"
WORKFLOW = ".github/workflows/ci-cd.yml"
ROLLBACK = ".github/workflows/rollback.yml"
DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
SPEC = b"image: .\ndeploy: {ssh: vps, run: {ports: ['8080:8080']}, health: /health}\n"
FILE = """\
owner: acme
defaults:
  image: .
  deploy:
    ssh: vps
    run: {ports: ["8080:8080"]}
    health: /health
repos:
  orders: {}
  web: {deploy: {health: /up}}
  legacy: own
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yml"
    path.write_text(FILE)
    return path


@pytest.fixture
def three(github: FakeGitHub) -> None:
    github.create_repository("acme/orders", DOCKERFILE)
    github.create_repository("acme/web", DOCKERFILE)
    github.create_repository("acme/legacy", {**DOCKERFILE, "gen-workflow.yml": SPEC})


def stands(ran: Any) -> dict[str, str]:
    return {one["repository"]: one["stands"] for one in json.loads(ran.stdout)["repositories"]}


@pytest.mark.usefixtures("three")
def test_a_plan_says_where_each_repository_stands_and_changes_nothing(
    github: FakeGitHub, fleet: Fleet
) -> None:
    ran = fleet("plan")
    assert ran.code == 1
    assert ran.stdout.splitlines() == [
        f"acme/orders  new         gen-workflow.yml, {WORKFLOW}, {ROLLBACK}",
        f"acme/web     new         gen-workflow.yml, {WORKFLOW}, {ROLLBACK}",
        f"acme/legacy  new         {WORKFLOW}, {ROLLBACK}",
        "3 repositories: 3 new",
        "`fleet apply` opens or updates 3 pull requests",
    ]
    assert github.operations == ["graphql repository, repository, repository"]


@pytest.mark.usefixtures("three")
def test_apply_opens_one_pull_request_each_in_one_request_each(
    github: FakeGitHub, fleet: Fleet
) -> None:
    ran = fleet("apply")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "acme/orders: https://github.com/acme/orders/pull/1",
        "acme/web: https://github.com/acme/web/pull/1",
        "acme/legacy: https://github.com/acme/legacy/pull/1",
        "3 pull requests opened or updated, 0 failed",
    ]
    both = "graphql createRef, createCommitOnBranch, createPullRequest"
    assert github.operations[1:] == [both] * 3
    web = github.repository("acme/web")
    made = web.git.head(BRANCH) or ""
    assert made in web.signed
    assert b"health: /up" in web.git.content(web.git.oid(f"{made}:gen-workflow.yml") or "")
    assert "Before you merge this" in web.pulls[0].body
    assert "| push to main | `ci-cd.yml` | build → deploy |" in web.pulls[0].body


@pytest.mark.usefixtures("three")
def test_a_second_run_makes_nothing_and_after_the_merge_all_are_in_step(
    github: FakeGitHub, fleet: Fleet
) -> None:
    fleet("apply")
    before = len(github.calls)
    again = fleet("apply", "--json")
    assert stands(again) == dict.fromkeys(("acme/orders", "acme/web", "acme/legacy"), "proposed")
    assert {call.operation.partition(",")[0] for call in github.calls[before:]} == {
        "graphql repository"
    }
    for name in ("orders", "web", "legacy"):
        github.merge(f"acme/{name}", 1)
    after = fleet("plan")
    assert (after.code, after.stdout) == (0, "3 repositories: 3 in step\n")


@pytest.mark.usefixtures("three")
def test_a_change_of_the_defaults_reaches_the_repositories_that_have_them(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    fleet("apply")
    for name in ("orders", "web", "legacy"):
        github.merge(f"acme/{name}", 1)
    file.write_text(FILE.replace("health: /health", "health: /ready"))
    assert stands(fleet("plan", "--json")) == {
        "acme/orders": "behind",
        "acme/web": "in step",
        "acme/legacy": "in step",
    }
    ran = fleet("apply")
    assert ran.code == 0, ran.stderr
    assert [len(github.repository(f"acme/{name}").pulls) for name in ("orders", "web")] == [2, 1]


@pytest.mark.usefixtures("three")
def test_an_open_pull_request_is_updated_and_no_second_one_opened(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    fleet("apply")
    file.write_text(FILE.replace("health: /health", "health: /ready"))
    ran = fleet("apply", "orders")
    assert ran.code == 0, ran.stderr
    orders = github.repository("acme/orders")
    assert len(orders.pulls) == 1
    made = orders.git.oid(f"{BRANCH}:gen-workflow.yml") or ""
    assert b"health: /ready" in orders.git.content(made)


@pytest.mark.usefixtures("three")
def test_what_cannot_or_must_not_be_written_is_said_and_left_alone(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    fleet("apply")
    for name in ("orders", "web", "legacy"):
        github.merge(f"acme/{name}", 1)
    orders, web = github.repository("acme/orders"), github.repository("acme/web")
    text = orders.git.content(orders.git.oid(f"main:{WORKFLOW}") or "")
    orders.change("main", {WORKFLOW: text.replace(b"\njobs:", b"\nenv: {A: b}\njobs:")})
    web.change("main", {WORKFLOW: b"on: push\n"})
    github.create_repository("acme/old", DOCKERFILE).archived = True
    github.create_repository("acme/bare")
    github.create_repository("acme/typo", DOCKERFILE)
    more = "  old: {}\n  bare: {}\n  gone: {}\n  typo: {deploy: {healht: /}}\n  none: own\n"
    github.create_repository("acme/none", DOCKERFILE)
    file.write_text(FILE.replace("health: /health", "health: /ready") + more)
    ran = fleet("apply", "--json")
    assert ran.code == 2
    assert stands(ran) == {
        "acme/orders": "edited",
        "acme/web": "not ours",
        "acme/legacy": "in step",
        "acme/old": "archived",
        "acme/bare": "empty",
        "acme/gone": "not found",
        "acme/typo": "wrong spec",
        "acme/none": "no spec",
    }
    said = {one["repository"]: one["said"] for one in json.loads(ran.stdout)["repositories"]}
    assert said["acme/typo"].startswith("fleet.yml:15:19 deploy/healht: is not a key of the spec")
    assert {one.operation.partition(",")[0] for one in github.calls[-2:]} == {"graphql repository"}


def test_a_folder_that_a_spec_names_is_asked_for_and_looked_at(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    file.write_text("owner: acme\ndefaults: {image: app/web}\nrepos: {one: {}, two: {}}\n")
    github.create_repository("acme/one", {"app/web/Dockerfile": b"FROM scratch\n"})
    github.create_repository("acme/two", {"app/readme": b"\n"})
    ran = fleet("plan", "--json")
    assert stands(ran) == {"acme/one": "new", "acme/two": "wrong spec"}
    said = json.loads(ran.stdout)["repositories"][1]["said"]
    assert said.startswith("fleet.yml:2:19 image: there is no folder app/web in acme/two")


@pytest.mark.usefixtures("three")
def test_one_that_fails_does_not_stop_the_others_and_the_next_run_makes_the_rest(
    github: FakeGitHub, fleet: Fleet
) -> None:
    both = "graphql createRef, createCommitOnBranch, createPullRequest"
    github.fail(both, 422, "Repository rule violations found")
    ran = fleet("apply")
    assert ran.code == 1
    assert ran.stdout.splitlines()[-1] == "2 pull requests opened or updated, 1 failed"
    again = fleet("apply")
    assert again.code == 0
    names = ("orders", "web", "legacy")
    assert [len(github.repository(f"acme/{name}").pulls) for name in names] == [1, 1, 1]


@pytest.mark.usefixtures("three")
def test_a_token_that_lists_too_few_scopes_is_told_once_and_before_anything_is_written(
    github: FakeGitHub, fleet: Fleet
) -> None:
    ran = fleet("apply", token=github.add_token("ghp_" + "few" * 12, scopes=("repo",)))
    assert ran.code == 2
    assert ran.stderr.count("a classic token with the scopes `repo` and `workflow`") == 1
    assert github.repository("acme/orders").git.head(BRANCH) is None


@pytest.mark.usefixtures("three")
def test_the_token_of_a_run_is_refused_before_anything_is_written(
    github: FakeGitHub, fleet: Fleet
) -> None:
    token = github.add_token("ghs_run", classic=False, login="github-actions[bot]")
    ran = fleet("apply", token=token)
    assert ran.code == 2
    assert "acme/orders: the GITHUB_TOKEN of a run may not write workflows" in ran.stderr
    assert github.repository("acme/orders").git.head(BRANCH) is None
    assert fleet("plan", token=token).code == 1


@pytest.mark.usefixtures("three")
def test_pull_requests_get_their_labels_reviewers_and_merge(
    github: FakeGitHub, fleet: Fleet
) -> None:
    for name in ("orders", "web", "legacy"):
        github.repository(f"acme/{name}").access = {"platform"}
    wanted = ("--label", "ci", "--reviewer", "acme/platform", "--auto-merge")
    assert fleet("apply", *wanted).code == 0
    for name in ("orders", "web", "legacy"):
        (pull,) = github.repository(f"acme/{name}").pulls
        assert (pull.labels, pull.requested, pull.merges) == (["ci"], ["platform"], "MERGE")
    assert fleet("apply", *wanted).stdout.startswith("0 pull requests opened")
    assert len(github.calls) == 1 + 3 * 5 + 1


@pytest.mark.usefixtures("three")
def test_a_draft_is_one_from_the_beginning(github: FakeGitHub, fleet: Fleet) -> None:
    assert fleet("apply", "web", "--draft").code == 0
    assert github.repository("acme/web").pulls[0].draft
    assert len(github.calls) == 2


def test_a_file_that_may_be_executed_stays_one(github: FakeGitHub, fleet: Fleet) -> None:
    web = github.create_repository("acme/web", DOCKERFILE)
    web.change("main", {"gen-workflow.yml": b"image: .\n"}, executable=["gen-workflow.yml"])
    assert fleet("apply", "web").code == 0
    assert web.git.mode(BRANCH, "gen-workflow.yml") == "100755"


@pytest.mark.usefixtures("three")
def test_a_commit_that_github_refuses_leaves_no_branch_behind(
    github: FakeGitHub, fleet: Fleet
) -> None:
    token = github.add_token("github_pat_narrow", scopes=FINE_GRAINED, classic=False)
    ran = fleet("apply", token=token)
    assert ran.code == 1
    assert ran.stdout.splitlines()[-1] == "0 pull requests opened or updated, 3 failed"
    for name in ("orders", "web", "legacy"):
        assert github.repository(f"acme/{name}").git.head(BRANCH) is None


@pytest.mark.usefixtures("three")
def test_nothing_is_written_without_a_journal(github: FakeGitHub, fleet: Fleet, file: Path) -> None:
    state = file.parent / "state"
    state.write_text("in the way")
    ran = fleet("apply")
    assert ran.code == 2
    assert f"{state}/gen-workflow/fleet-" in ran.stderr
    assert "the journal cannot be written, so nothing more is changed: Not a dir" in ran.stderr
    assert github.repository("acme/orders").git.head(BRANCH) is None


@pytest.mark.usefixtures("three")
def test_a_damaged_journal_is_no_error(fleet: Fleet, file: Path) -> None:
    fleet("apply", "orders")
    (journal,) = (file.parent / "state" / "gen-workflow").glob("*.jsonl")
    damaged = '{"time": "x", "changes": 3}\n[1]\nnull\n{"time": 1e99, "changes": "3"}\n{"ti'
    journal.write_text(journal.read_text() + damaged)
    assert fleet("apply").code == 0


@pytest.mark.usefixtures("three")
def test_a_limit_of_github_ends_the_run_and_the_next_one_goes_on(
    github: FakeGitHub, fleet: Fleet
) -> None:
    both = "graphql createRef, createCommitOnBranch, createPullRequest"
    said = "You have exceeded a secondary rate limit"
    github.fail(both, 403, said, times=5, headers={"Retry-After": "0"})
    ran = fleet("apply")
    assert ran.code == 1
    assert ran.stdout.splitlines()[-1] == "0 pull requests opened or updated, 1 failed"
    assert "stopped here, because the others would fail as well" in ran.stderr
    assert github.operations.count(both) == 5
    assert fleet("apply").code == 0


@pytest.mark.usefixtures("three")
def test_limit_takes_the_first_ones(github: FakeGitHub, fleet: Fleet) -> None:
    ran = fleet("apply", "--limit", "1")
    assert ran.code == 1
    assert [len(github.repository(f"acme/{name}").pulls) for name in ("orders", "web")] == [1, 0]


def test_of_more_than_a_hundred_each_is_looked_at_again_before_its_turn(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    names = [f"app{number:03}" for number in range(101)]
    for name in names:
        github.create_repository(f"acme/{name}", DOCKERFILE)
    head = FILE.partition("repos:")[0]
    file.write_text(f"{head}repos: {{{', '.join(f'{name}: {{}}' for name in names)}}}\n")

    def archive() -> None:
        github.repository("acme/app000").archived = True

    github.meanwhile("graphql repository, repository", archive)
    ran = fleet("apply", "--limit", "2")
    assert ran.code == 1
    assert ran.stdout.splitlines()[:2] == [
        "acme/app000: is now archived: GitHub lets nobody write to it",
        "acme/app001: https://github.com/acme/app001/pull/1",
    ]
    asked = [len(one.split(", ")) for one in github.operations if one.startswith("graphql repo")]
    assert asked == [100, 1, 2]


def test_mistakes_are_named(fleet: Fleet, file: Path) -> None:
    assert "fleet: 'aply' is not known\n  hint: perhaps you meant `apply`" in fleet("aply").stderr
    assert "'ordesr' is not a repository of the fleet" in fleet("plan", "ordesr").stderr
    assert "--limit: '-1' is not" in fleet("plan", "--limit=-1").stderr
    file.unlink()
    assert "there is no file of a fleet fleet.yml" in fleet("plan").stderr


@pytest.mark.usefixtures("three")
def test_a_pull_request_that_somebody_closed_is_reopened_when_that_is_asked_for(
    github: FakeGitHub, file: Path, fleet: Fleet
) -> None:
    fleet("apply")
    orders = github.repository("acme/orders")
    orders.close(1)
    file.write_text(FILE.replace("health: /health", "health: /ready"))
    assert stands(fleet("plan", "--json"))["acme/orders"] == "declined"
    assert fleet("apply", "--closed", "reopen").code == 0
    assert [pull.state for pull in orders.pulls] == ["open"]
    made = orders.git.oid(f"{BRANCH}:gen-workflow.yml") or ""
    assert b"health: /ready" in orders.git.content(made)


def test_the_spec_of_one_repository_is_printed_without_github(fleet: Fleet, file: Path) -> None:
    file.write_text(FILE)
    said = fleet("spec", "web")
    assert said.code == 0
    assert said.stdout.startswith("# Made by gen-workflow from fleet.yml.")
    assert "health: /up" in said.stdout
    assert "names no repository" in fleet("spec").stderr
    assert "is not one repository" in fleet("spec", "web", "orders").stderr
