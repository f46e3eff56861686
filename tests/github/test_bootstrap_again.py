"""A `bootstrap` that is cut off, and one of a repository that somebody has set up already."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bed.github import FakeGitHub
from bed.github.kept import Environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Bootstrap = Callable[..., Any]

CUSTOM = {"protected_branches": False, "custom_branch_policies": True}


def state(github: FakeGitHub) -> dict[str, Any]:
    """Return all that a repository has, to compare two of them."""
    shop = github.repository("acme/shop")
    branches = shop.git.below("refs/heads/")
    files = {ref: shop.git.oid(f"{ref}^{{tree}}") for ref in branches}
    many = {ref: len(shop.git.history(ref)) for ref in branches}
    return {**shop.kept.settings(), "files": files, "commits": many, "pulls": len(shop.pulls)}


def new(github: FakeGitHub) -> None:
    github.add_account("acme", organization=True)


def from_template(github: FakeGitHub) -> None:
    files = {"Dockerfile": b"FROM scratch\n", "app/main.py": b"print()\n"}
    github.create_repository("acme/template", files).template = True


def existing(github: FakeGitHub) -> None:
    shop = github.create_repository("acme/shop", {"Dockerfile": b"FROM scratch\n"}, private=True)
    shop.change("main", {"README.md": b"hello\n"})
    shop.kept.environments["production"] = Environment("production", wait=60)
    shop.kept.variables["production", "VPS_HOST"] = "as it was"


def uncut(
    begin: Callable[[FakeGitHub], None],
    bootstrap: Bootstrap,
    monkeypatch: pytest.MonkeyPatch,
    github: FakeGitHub,
    tmp_path: Path,
) -> FakeGitHub:
    """Return another GitHub after one run that nothing has disturbed; both begin alike."""
    with FakeGitHub(tmp_path / "other") as other:
        begin(other)
        monkeypatch.setenv("GITHUB_API_URL", other.url)
        bootstrap("--yes", token=other.token)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    begin(github)
    return other


@pytest.mark.usefixtures("skipped")
@pytest.mark.parametrize(
    "begin",
    [
        new,
        pytest.param(from_template, marks=pytest.mark.test_all),
        pytest.param(existing, marks=pytest.mark.test_all),
    ],
)
def test_a_run_that_is_cut_at_every_request_ends_equal_to_one_that_is_not(  # noqa: PLR0917 - fixtures
    begin: Callable[[FakeGitHub], None],
    github: FakeGitHub,
    bootstrap: Bootstrap,
    host: dict[str, str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Each run is cut at its first writing request, which is carried out and has no answer."""
    if begin is from_template:
        (folder / "bootstrap.yml").write_text("template: acme/template\napprovals: 1\n")
    other = uncut(begin, bootstrap, monkeypatch, github, tmp_path)
    wanted, many = state(other), len(other.writes)
    for _ in range(many):
        github.cut(1, lost=True)
        ran = bootstrap("--yes")
        assert "the connection ended before the answer was complete" in ran.stderr
        assert ran.code == 1
    github.mend()
    last = bootstrap("--yes")
    assert last.stdout.splitlines()[-1] == "acme/shop: nothing to do"
    assert state(github) == wanted
    assert len(github.writes) == many
    assert {*wanted["secrets"].values()} == {host["VPS_SSH_KEY"]}


@pytest.mark.usefixtures("host")
def test_an_answer_that_is_lost_doubles_nothing(
    github: FakeGitHub, bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each writing request is carried out and answered with 502, so the client sends it again."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    wanted = uncut(new, bootstrap, monkeypatch, github, tmp_path)
    for operation in {*wanted.writes}:
        github.fail(operation, 502, lost=True)
    assert "has changed meanwhile" in bootstrap("--yes").stderr
    assert state(github) == state(wanted)
    assert bootstrap("--yes").stdout.splitlines()[-1] == "acme/shop: nothing to do"


def test_a_repository_that_is_there_keeps_what_is_its_own_and_stricter(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path, host: dict[str, str]
) -> None:
    other = b"jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
    files = {"Dockerfile": b"FROM scratch\n", ".github/workflows/other.yml": other}
    shop = github.create_repository("acme/shop", files)
    shop.change("main", {"README.md": b"hello\n"})
    gate = {"type": "User", "id": 77}
    kept = shop.kept
    kept.environments["production"] = Environment(
        "production", wait=60, prevent_self_review=True, reviewers=[gate], policy={**CUSTOM},
        branches=[("main", "branch"), ("hotfix/*", "branch")],
    )  # fmt: skip
    kept.secrets["", "VPS_SSH_KEY"] = "of the repository"
    kept.variables["production", "VPS_HOST"] = "as it was"
    kept.of_organization["variables"] = {"VPS_USER"}
    kept.token["can_approve_pull_request_reviews"] = True
    reviews = {"dismiss_stale_reviews_on_push": True, "require_code_owner_review": True,
               "require_last_push_approval": False, "required_approving_review_count": 2,
               "required_review_thread_resolution": False}  # fmt: skip
    kinds = ("deletion", "non_fast_forward", "required_signatures")
    rules: list[dict[str, Any]] = [{"type": kind} for kind in kinds]
    rules.append({"type": "pull_request", "parameters": reviews})
    kept.rulesets.append({"id": 9, "name": "strict", "enforcement": "active", "rules": rules})
    (folder / "bootstrap.yml").write_text(
        "approvals: 1\nenvironments: {production: {reviewers: octocat, wait: 10}}\n"
    )
    ran = bootstrap("--yes")
    assert ran.code == 1
    assert "commits are not required for actions, because others would fail" in ran.stdout
    assert "(actions/checkout@v4)" in ran.stdout
    assert "merge the pull request https://github.com/acme/shop/pull/1" in ran.stdout
    assert kept.environments["production"] == Environment(
        "production", wait=60, prevent_self_review=True,
        reviewers=[gate, {"type": "User", "id": 1}], policy=CUSTOM,
        branches=[("main", "branch"), ("hotfix/*", "branch")],
    )  # fmt: skip
    assert not kept.actions["sha_pinning_required"]
    assert kept.token == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": True,
    }
    assert kept.approval == "all_external_contributors"
    assert len(kept.rulesets) == 1
    assert kept.variables["production", "VPS_HOST"] == "as it was"
    assert kept.secrets["", "VPS_SSH_KEY"] == "of the repository"
    assert kept.secrets["production", "VPS_SSH_KEY"] == host["VPS_SSH_KEY"]
    assert len(shop.git.history(shop.git.head("main") or "")) == 2
    assert ".github/dependabot.yml" in shop.git.files("gen-workflow/update")
    before = len(github.writes)
    bootstrap("--yes")
    assert github.writes[before:] == []
    github.merge("acme/shop", 1)
    shop.change("main", {}, delete=[".github/workflows/other.yml"])
    assert (bootstrap("--yes").code, github.writes[before:]) == (
        0,
        ["PUT /repos/{owner}/{repo}/actions/permissions"],
    )


@pytest.mark.usefixtures("acme", "host")
def test_a_folder_with_commits_is_pushed_by_its_owner_and_the_rules_wait_for_that(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    in_folder = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        subprocess.run((*in_folder, *words), check=True)
    ran = bootstrap("--yes")
    assert ran.code == 1
    shop = github.repository("acme/shop")
    assert shop.empty
    assert "push this folder, with what `gen-workflow generate` writes" in ran.stdout
    assert shop.kept.rulesets == []
    assert [*shop.kept.environments] == ["production"]
    subprocess.run((*in_folder, "push", "-q", github.clone_url("acme/shop"), "main"), check=True)
    bootstrap("--yes")
    assert len(shop.kept.rulesets) == 1
    assert len(shop.pulls) == 1  # a person has made the first commit


@pytest.mark.usefixtures("acme", "host")
def test_a_template_gives_a_repository_that_gets_the_files_directly(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    (folder / "bootstrap.yml").write_text("template: acme/template\nvisibility: public\n")
    files = {"Dockerfile": b"FROM scratch\n", "app/main.py": b"print()\n"}
    template = github.create_repository("acme/template", files)
    refused = bootstrap("--yes")
    assert refused.code == 2
    assert "the template acme/template is no template repository" in refused.stderr
    assert github.writes == []
    template.template = True
    ran = bootstrap("--yes")
    assert (ran.code, github.writes[0]) == (
        0,
        "POST /repos/{template_owner}/{template_repo}/generate",
    )
    shop = github.repository("acme/shop")
    assert not shop.private
    assert {*files, "gen-workflow.yml"} <= {*shop.git.files("main")}
    assert bootstrap().code == 0


@pytest.mark.usefixtures("host")
def test_where_a_rule_wants_pull_requests_the_files_of_a_new_repository_come_by_one(
    github: FakeGitHub, bootstrap: Bootstrap
) -> None:
    shop = github.create_repository("acme/shop", {"Dockerfile": b"FROM scratch\n"})
    rules = {"id": 9, "name": "all", "enforcement": "active", "rules": [{"type": "update"}]}
    shop.kept.rulesets.append(rules)
    ran = bootstrap("--yes")
    assert "merge the pull request https://github.com/acme/shop/pull/1" in ran.stdout
    assert len(shop.git.history("main")) == 1


@pytest.mark.usefixtures("host")
def test_a_ruleset_of_our_name_keeps_what_a_person_has_made_of_it(
    github: FakeGitHub, bootstrap: Bootstrap, folder: Path
) -> None:
    files = {"Dockerfile": b"FROM scratch\n"}
    shop = github.create_repository("acme/shop", files, branch="trunk/1")
    where = "environments: {'eu/shop 1': {on: [main, manual], ssh: vps}}\n"
    deploy = "deploy: {run: {ports: ['8080:8080']}, health: /health}\n"
    (folder / "gen-workflow.yml").write_text(f"image: .\n{deploy}{where}")
    bootstrap("--yes")
    assert shop.kept.environments["eu/shop 1"].branches == [
        ("main", "branch"), ("trunk/1", "branch"),
    ]  # fmt: skip
    assert ("eu/shop 1", "VPS_SSH_KEY") in shop.kept.secrets
    (ours,) = shop.kept.rulesets
    team = {"actor_id": 1, "actor_type": "Team", "bypass_mode": "always"}
    ours["bypass_actors"] = [team]
    ours["rules"].append({"type": "required_signatures"})
    (folder / "bootstrap.yml").write_text("approvals: 2\n")
    ran = bootstrap("--yes")
    assert "done: change the ruleset `gen-workflow: default branch`, so that" in ran.stderr
    assert [one["type"] for one in ours["rules"]] == [
        "deletion", "non_fast_forward", "pull_request", "required_signatures",
    ]  # fmt: skip
    assert ours["bypass_actors"] == [team]
    (folder / "bootstrap.yml").write_text("approvals: 3\n")
    others = {"ref_name": {"include": ["refs/heads/release/*"], "exclude": []}}
    for change in ({"enforcement": "disabled"}, {"enforcement": "active", "conditions": others}):
        ours.update(change)
        before = {**ours}
        ran = bootstrap("--yes")
        assert (ran.code, ours) == (1, before)
        assert "is switched off, or is about other branches: change it under" in ran.stdout
