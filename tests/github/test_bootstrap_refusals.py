"""What `bootstrap` refuses before it writes anything, what it does without, and its first run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.github import FINE_GRAINED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

    Bootstrap = Callable[..., Any]

DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
# What `bootstrap` needs of a token that is not a classic one.
APP = ("actions", "administration", "contents", "environments", "pull_requests", "secrets",
       "variables", "workflows")  # fmt: skip
GATED = "environments: {production: {reviewers: octocat}}\n"
START = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"


def ready(github: FakeGitHub, bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return a repository that is set up and has its Dockerfile, for runs that nobody waits for."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    bootstrap("--yes")
    shop = github.repository("acme/shop")
    shop.change("main", DOCKERFILE)
    return shop


@pytest.mark.usefixtures("acme", "host")
def test_a_token_with_too_few_rights_is_told_all_at_once_before_anything_is_written(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    for scopes, said in (
        (("workflow",), "it has the scopes (workflow), and not `repo`"),
        (("repo",), "without `workflow` scope"),
    ):
        token = github.add_token(f"ghp_{'-'.join(scopes)}", scopes=scopes)
        ran = bootstrap("--yes", token=token)
        assert (ran.code, github.writes) == (2, [])
        assert said in ran.stderr or "may not write the workflow" in ran.stderr
    github.create_repository("acme/shop", DOCKERFILE)
    narrow = github.add_token("github_pat_narrow", scopes=FINE_GRAINED, classic=False)
    ran = bootstrap("--yes", token=narrow)
    assert (ran.code, github.writes) == (2, [])
    said = "(Resource not accessible by personal access token), to read"
    for what in (
        f"it lacks the right Environments {said} the environments",
        f"it lacks the right Administration {said} the settings of Actions, the rights of",
        f"it lacks the right Secrets {said} the secrets of the repository, the secrets of the org",
        f"it lacks the right Variables {said} the variables of the repository",
    ):
        assert what in ran.stderr
    assert ran.stderr.count("Administration, Contents, Environments, Pull requests, Secrets") == 1
    no_admin = github.add_token("ghp_member", admin=False)
    assert "its user is no administrator of" in bootstrap("--yes", token=no_admin).stderr
    (folder / "bootstrap.yml").write_text(GATED.replace("octocat", "[acme/platform, nobody]"))
    ran = bootstrap("--yes")
    assert (ran.code, github.writes) == (2, [])
    for name in ("acme/platform", "nobody"):
        assert f"{name}, who shall approve deploys to production, is not known" in ran.stderr


@pytest.mark.usefixtures("host")
def test_what_the_plan_of_the_owner_has_not_got_is_told_before_anything_is_written(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    github.add_account("acme", organization=True, plan="free")
    (folder / "bootstrap.yml").write_text(f"approvals: 1\n{GATED}")
    ran = bootstrap("--yes")
    assert (ran.code, github.writes) == (2, [])
    assert "deploys to production cannot wait for approval or time" in ran.stderr
    assert "`approvals` cannot be required: a private repository needs GitHub Pro" in ran.stderr
    (folder / "bootstrap.yml").unlink()
    ran = bootstrap("--yes")
    assert "production takes deploys from every branch" in ran.stdout
    assert "the default branch is not protected" in ran.stdout
    kept = github.repository("acme/shop").kept
    assert (kept.rulesets, kept.environments["production"].policy) == ([], None)
    assert kept.secrets
    (folder / "bootstrap.yml").write_text(f"approvals: 1\nvisibility: public\n{GATED}")
    public = bootstrap("--json", "--yes")
    assert public.code == 2  # it is private now, and stays so
    assert "`approvals` cannot be required" in json.dumps(json.loads(public.stdout))


@pytest.mark.usefixtures("host")
def test_a_plan_that_github_does_not_show_is_met_and_all_else_is_done(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    github.add_account("acme", organization=True, plan="free", shows_plan=False)
    ran = bootstrap("--yes")
    assert ran.code == 1
    assert "without the limit of production to the branch main" in ran.stdout
    kept = github.repository("acme/shop").kept
    assert {name for _, name in kept.variables} == {"VPS_HOST", "VPS_USER", "VPS_KNOWN_HOSTS"}
    assert "gen-workflow.yml" in github.repository("acme/shop").git.files("main")
    before = len(github.writes)
    again = bootstrap("--yes")
    assert again.code == 1
    assert {*github.writes[before:]} <= {
        "PUT /repos/{owner}/{repo}/environments/{environment_name}"
    }


def test_only_its_owner_and_organisations_get_a_new_repository(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    assert "nor its owner acme is there" in bootstrap("--yes").stderr
    github.add_account("acme")
    ran = bootstrap("--yes")
    assert "only acme can create acme/shop: the token is that of octocat" in ran.stderr
    app = github.add_token("ghs_" + "app" * 12, scopes=APP, classic=False)
    assert "the token is that of an app" in bootstrap("--yes", token=app).stderr
    github.create_repository("acme/shop", DOCKERFILE).archived = True
    assert "the repository is archived" in bootstrap("--yes").stderr
    assert github.writes == []


@pytest.mark.usefixtures("acme", "host")
def test_run_starts_the_first_run_and_follows_it_to_its_end(
    github: FakeGitHub, bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    missing = bootstrap("--yes", "--run")
    assert missing.code == 1
    assert "no run was started: something is left for you that it needs" in missing.stderr
    shop = github.repository("acme/shop")
    shop.change("main", DOCKERFILE)
    shop.kept.next_statuses = ("queued", "waiting", "in_progress", "completed")
    shop.kept.next_conclusion = "failure"
    failed = bootstrap("--yes", "--run")
    page = "https://github.com/acme/shop/actions/runs"
    assert failed.code == 1
    assert failed.stderr.splitlines() == [
        f"started the first run: {page}/1000",
        "it is queued",
        f"it waits for an approval: {page}/1000",
        "it is in_progress",
        "failed: Deploy to production: Deploy",
    ]
    assert failed.stdout.splitlines()[-1] == f"{page}/1000: failure"
    shop.kept.next_statuses, shop.kept.next_conclusion = ("completed",), "success"
    again = bootstrap("--yes", "--run", "--json")
    told = json.loads(again.stdout)
    assert (again.code, told["run"]) == (0, {"url": f"{page}/1001", "conclusion": "success"})
    before = len(github.writes)
    last = bootstrap("--yes", "--run")
    assert (last.code, github.writes[before:]) == (0, [])
    assert f"the workflow has run already: {page}/1001" in last.stderr


@pytest.mark.usefixtures("acme")
def test_a_private_central_workflow_is_opened_to_the_others_and_a_caller_asks_for_it(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    spec = folder / "gen-workflow.yml"
    spec.write_text("image: .\nmode: central\n")
    assert "a central workflow has no run of its own" in bootstrap("--run").stderr
    bootstrap("--yes")
    kept = github.repository("acme/shop").kept
    assert kept.access == "organization"
    assert bootstrap("--yes").stdout.splitlines()[-1] == "acme/shop: nothing to do"
    ci = github.create_repository("acme/ci", DOCKERFILE, private=True)
    called = "acme/ci/.github/workflows/build.yml@" + "1" * 40 + " # v1.0.0"
    spec.write_text(f"image: .\nmode:\n  caller: {called}\n")
    said = "no other repository may call the workflow of acme/ci: Settings > Actions > General"
    assert said in bootstrap().stdout
    ci.kept.access = "organization"
    assert "the central workflow of acme/ci may be called" in bootstrap().stdout


@pytest.mark.usefixtures("acme", "host")
def test_a_start_whose_answer_is_lost_starts_no_second_run(
    github: FakeGitHub, bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = ready(github, bootstrap, monkeypatch)
    github.fail(START, 502, lost=True)
    assert bootstrap("--yes", "--run").code == 1
    assert bootstrap("--yes", "--run").code == 0
    assert len(shop.kept.runs) == 1


@pytest.mark.usefixtures("acme", "host")
def test_a_run_that_is_not_shown_is_waited_for_and_an_older_server_does_not_tell_it(
    github: FakeGitHub, bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = ready(github, bootstrap, monkeypatch)
    look = "GET /repos/{owner}/{repo}/actions/runs/{run_id}"
    refused = 'Invalid request.\n\n"return_run_details" is not a permitted key.'
    shop.kept.next_conclusion = "failure"
    for times, conclusion in ((3, "failure"), (10, None)):
        github.fail(START, 422, refused)
        github.fail(look, 404, "Not Found", times=times)
        ran = bootstrap("--yes", "--run")
        assert ran.code == 1
        assert (f": {conclusion}" in ran.stdout) == bool(conclusion)
    assert ran.stderr.startswith(
        "acme/shop: the run was started, and GitHub does not show it\n  hint: look for it at http"
    )
    assert len(shop.kept.runs) == 2


@pytest.mark.usefixtures("acme", "host")
def test_a_repository_that_the_token_cannot_see_is_not_created_again_and_again(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    github.create_repository("acme/shop", DOCKERFILE)
    github.fail("GET /repos/{owner}/{repo}", 404, "Not Found", times=2)
    ran = bootstrap("--yes")
    assert "acme/shop: GitHub has a repository of this name, and does not show it" in ran.stderr
    assert "Administration, Contents, Environments" in ran.stderr
    assert {*github.writes} == {"POST /orgs/{org}/repos"}


@pytest.mark.usefixtures("acme", "host")
def test_a_package_of_another_repository_is_told_with_what_to_do(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    token = github.add_token("ghp_packages", scopes=("repo", "workflow", "read:packages"))
    containers = github.accounts["acme"].packages
    for linked, said in (
        ("acme/old", "the package acme/shop is there and belongs to acme/old: add acme/shop with"),
        ("", "the package acme/shop is there and belongs to no repository: add acme/shop with"),
        ("acme/shop", "the package acme/shop belongs to the repository"),
    ):
        containers["shop"] = linked
        assert said in bootstrap(token=token).stdout


@pytest.mark.usefixtures("acme", "host")
def test_an_answer_that_is_not_githubs_is_told_as_that_and_an_older_server_lacks_what_is_new(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    key = "GET /repos/{owner}/{repo}/environments/{environment_name}/secrets/public-key"
    github.fail(key, 200, "hello")
    ran = bootstrap("--yes")
    assert "done before that: create the repository, private, with a first commit" in ran.stderr
    bootstrap("--yes")
    for operation in ("GET /repos/{owner}/{repo}", "GET /repos/{owner}/{repo}/environments"):
        github.fail(operation, 200, "hello")
        ran = bootstrap("--yes")
        assert ran.code == 2
        assert "cannot set the repository up: it answered with JSON without" in ran.stderr
    run = github.add_token("ghs_" + "run" * 12, classic=False, login="github-actions[bot]")
    ran = bootstrap("--yes", token=run)
    assert "the GITHUB_TOKEN of a run may not write workflows, whatever permissions" in ran.stderr
    assert "GitHub App that may write Actions, Administration, Contents, Environ" in ran.stderr
    for refusal, said in (
        ("Resource protected by organization SAML enforcement.", "choose `Configure SSO` beside"),
        (
            "the `acme` organization has an IP allow list enabled, and your IP",
            "with such an addres",
        ),
    ):
        github.fail("GET /repos/{owner}/{repo}/environments", 403, refusal)
        assert said in bootstrap("--yes").stderr
    kept = github.repository("acme/shop").kept
    kept.immutable = False
    github.fail("PUT /repos/{owner}/{repo}/immutable-releases", 404, "Not Found")
    assert "without immutable releases: " in bootstrap("--yes").stdout


@pytest.mark.usefixtures("acme", "host")
def test_a_token_of_an_app_with_the_rights_of_the_docs_does_all_of_it(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    app = github.add_token("ghs_" + "app" * 12, scopes=APP, classic=False, admin=False)
    ran = bootstrap("--yes", token=app)
    assert ran.stdout.splitlines()[-1] == "acme/shop: 13 steps done"
    assert bootstrap("--yes", token=app).stdout.splitlines()[-1] == "acme/shop: nothing to do"
