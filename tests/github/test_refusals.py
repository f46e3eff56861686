"""What `gen-workflow commit` says when it cannot, and that nothing is left behind unsaid."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bed.github import FINE_GRAINED
from gen_workflow.github import remote
from unit.generator.conftest import see

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

BRANCH = "gen-workflow/update"


def test_no_token_is_reported_before_anything_is_asked(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    ran = commit(token="")
    assert ran.code == 2
    assert ran.stderr == (
        "there is no token in GH_TOKEN or GITHUB_TOKEN\n"
        "  hint: export GH_TOKEN; with GitHub's own tool: GH_TOKEN=$(gh auth token)\n"
        f"{see('a-token-that-github-does-not-accept')}"
    )
    assert github.calls == []
    assert app.pulls == []


@pytest.mark.parametrize("token", ["ghp_a\nX-Evil: 1", "ghp_a b", "ghp_ä"])
def test_a_token_that_would_break_the_header_is_not_sent_and_not_shown(
    github: FakeGitHub, commit: Callable[..., Any], token: str
) -> None:
    ran = commit(token=token)
    assert ran.code == 2
    assert "GH_TOKEN: holds characters that no token has" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert github.calls == []


def test_a_wrong_token_is_named_as_the_cause(app: Repository, commit: Callable[..., Any]) -> None:
    ran = commit(token="ghp_wrong")
    assert ran.code == 2
    assert "does not accept the token (Bad credentials)" in ran.stderr
    assert app.pulls == []


def test_a_classic_token_without_workflow_scope_is_refused_before_anything_is_written(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    token = github.add_token("ghp_narrow", scopes=("repo",))
    ran = commit(token=token)
    assert ran.code == 2
    assert "may not write the workflow .github/workflows/ci-cd.yml" in ran.stderr
    assert "with the scopes `repo` and `workflow`" in ran.stderr
    assert app.git.head(BRANCH) is None


def test_a_fine_grained_token_without_workflows_is_refused_by_github(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    token = github.add_token("github_pat_narrow", scopes=FINE_GRAINED, classic=False)
    ran = commit(token=token)
    assert ran.code == 2
    assert "the token (GitHub App) may not write the workflow" in ran.stderr
    assert "done before that: created the branch gen-workflow/update;" in ran.stderr
    assert app.pulls == []


def test_a_token_that_may_only_read_is_reported(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    token = github.add_token("github_pat_reader", scopes=("metadata",), classic=False)
    ran = commit(token=token)
    assert ran.code == 2
    assert "cannot create the branch gen-workflow/update: the token may not do that" in ran.stderr
    assert app.git.head(BRANCH) is None


def test_a_repository_that_is_not_there_is_reported(commit: Callable[..., Any]) -> None:
    ran = commit(repo="acme/nothing")
    assert ran.code == 2
    assert "acme/nothing: cannot read the repository: it does not exist, or the token" in ran.stderr


def test_an_archived_repository_is_left_alone(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    app.archived = True
    ran = commit()
    assert ran.code == 2
    assert "acme/app: cannot write: the repository is archived" in ran.stderr
    assert len(github.calls) == 1


def test_a_base_that_is_not_there_is_reported(app: Repository, commit: Callable[..., Any]) -> None:
    ran = commit("--base", "develop")
    assert ran.code == 2
    assert "acme/app: there is no branch develop" in ran.stderr
    assert app.pulls == []


@pytest.mark.parametrize(
    ("act", "rule", "left"),
    [
        ("creation", "Cannot create ref due to creations being restricted.", False),
        ("update", "Changes must be made through a pull request.", True),
    ],
)
def test_a_ruleset_that_forbids_it_is_quoted(
    app: Repository, commit: Callable[..., Any], act: str, rule: str, *, left: bool
) -> None:
    app.rules[act] = rule
    ran = commit()
    assert ran.code == 2
    flat = f"a rule of the repository forbids it (Repository rule violations found {rule[:-1]})"
    assert flat in ran.stderr
    assert ("done before that" in ran.stderr) is left
    assert (app.git.head(BRANCH) is not None) is left


def test_single_sign_on_is_named(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    said = "Resource protected by organization SAML enforcement. You must grant your token access."
    github.fail("graphql repository", 200, said, graphql_kind="FORBIDDEN")
    ran = commit()
    assert ran.code == 2
    assert "authorized for single sign-on" in ran.stderr
    assert app.pulls == []


def test_a_github_that_is_not_reached_is_named(app: Repository, commit: Callable[..., Any]) -> None:
    ran = commit("--api-url", "http://127.0.0.1:9")
    assert ran.code == 1
    assert ran.stderr.startswith("http://127.0.0.1:9: cannot be reached: no connection\n")
    assert app.pulls == []


@pytest.mark.parametrize(
    "name",
    [
        "a..b", "-x", "/a", "a/", "a b", "a~1", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\nb", "@",
        "a@{1}", "a.lock", "a/.b", "refs/heads/a", "", "a//b", "a\x1b[31m", "a.",
    ],
)  # fmt: skip
def test_a_name_that_git_would_not_take_is_not_sent(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], name: str
) -> None:
    ran = commit(f"--branch={name}")
    assert ran.code == 2
    assert "is not a name of a branch" in ran.stderr
    assert "\x1b" not in ran.stderr
    assert github.calls == []
    assert app.pulls == []


@pytest.mark.parametrize("name", ['a"b', "a{b}", "ünïcode", "$(id)", "a'b", "x;rm", "$owner"])
def test_a_strange_name_that_git_takes_works(
    app: Repository, commit: Callable[..., Any], name: str
) -> None:
    assert commit("--branch", name).code == 0
    assert app.git.head(name)
    assert app.pulls[0].head == name


def test_the_base_is_never_committed_to(app: Repository, commit: Callable[..., Any]) -> None:
    before = app.git.head("main")
    ran = commit("--branch", "main")
    assert ran.code == 2
    assert "main is the branch that the pull request merges into" in ran.stderr
    assert app.git.head("main") == before


def test_an_edit_by_hand_is_not_lost(
    app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    workflow = project / ".github/workflows/ci-cd.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("name: mine\n")
    ran = commit()
    assert ran.code == 1
    assert "ci-cd.yml: was not written by gen-workflow; nothing was changed" in ran.stderr
    assert app.git.head(BRANCH) is None


def test_a_spec_that_is_wrong_is_reported_with_its_line(
    github: FakeGitHub, project: Path, commit: Callable[..., Any]
) -> None:
    (project / "gen-workflow.yml").write_text("image: .\ndeploi: {}\n")
    ran = commit()
    assert ran.code == 2
    assert "gen-workflow.yml:2:1" in ran.stderr
    assert github.calls == []


@pytest.mark.parametrize("spec", ["../gen-workflow.yml", "/etc/passwd", "missing.yml"])
def test_a_spec_outside_the_repository_is_refused(
    github: FakeGitHub, commit: Callable[..., Any], spec: str
) -> None:
    assert commit("--spec", spec).code == 2
    assert github.calls == []


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("git@gitlab.com:acme/app.git", "gitlab.com is not github.com"),
        ("https://me:s3cret@gitea.example/acme/app", "gitea.example is not github.com"),
        ("git@github.com-work:acme/app", "give --repo OWNER/NAME"),
        ("https://github.com/acme", "'acme' is not OWNER/NAME"),
        ("/srv/git/app.git", "is not a repository on GitHub"),
        (None, "the repository has no remote `origin` that git knows: No such remote 'origin'"),
    ],
)
def test_a_token_is_not_offered_to_a_host_that_is_not_github(
    project: Path,
    commit: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    origin: str | None,
    message: str,
) -> None:
    monkeypatch.delenv("GITHUB_API_URL")
    subprocess.run(("git", "-C", project, "init", "--quiet"), check=True)
    if origin:
        subprocess.run(("git", "-C", project, "remote", "add", "origin", origin), check=True)
    ran = commit(repo="")
    assert ran.code == 2
    assert message in ran.stderr
    assert "s3cret" not in ran.stderr


@pytest.mark.parametrize("repo", ["", "acme/app"])
def test_a_folder_that_is_not_the_top_of_its_repository_is_refused(
    github: FakeGitHub, project: Path, commit: Callable[..., Any], repo: str
) -> None:
    top = project.parent
    subprocess.run(("git", "-C", top, "init", "--quiet"), check=True)
    origin = ("remote", "add", "origin", "git@github.com:acme/app.git")
    subprocess.run(("git", "-C", top, *origin), check=True)
    ran = commit(repo=repo)
    assert ran.code == 2
    assert ran.stderr == (
        f"{project}: is not the top of its repository, but its folder project/\n"
        "  hint: give the top of the repository with -C\n"
        f"{see('the-repository-is-not-known')}"
    )
    assert github.calls == []


@pytest.mark.parametrize(
    ("origin", "api"),
    [
        ("git@gitlab.com:acme/app.git", ""),
        ("https://ghe.example/acme/app", ""),
        ("git@gitlab.com:acme/app.git", "https://api.github.com"),
        ("git@github.com:acme/app.git", "https://ghe.example/api/v3"),
        ("https://a.ghe.com/acme/app", "https://api.b.ghe.com"),
        ("git@ghe.example:acme/app.git", "https://other.example/api/v3"),
    ],
)
def test_an_origin_on_another_host_than_the_api_is_not_looked_for_there(
    github: FakeGitHub, project: Path, commit: Callable[..., Any], origin: str, api: str
) -> None:
    subprocess.run(("git", "-C", project, "init", "--quiet"), check=True)
    subprocess.run(("git", "-C", project, "remote", "add", "origin", origin), check=True)
    ran = commit("--api-url", api or github.url, repo="")
    assert ran.code == 2
    assert f"is not the GitHub of {api or github.url}" in ran.stderr
    assert "name the repository with --repo OWNER/NAME" in ran.stderr
    assert github.calls == []


@pytest.mark.parametrize(
    ("origin", "api", "expected"),
    [
        ("git@github.com:a/b", "https://api.github.com/", "https://api.github.com"),
        ("https://c.ghe.com/a/b.git", "https://api.c.ghe.com", "https://api.c.ghe.com"),
        ("git@ghe.example:a/b", "https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
        ("git@github.com:a/b", "http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_origin_on_the_host_of_the_api_is_taken(
    project: Path, origin: str, api: str, expected: str
) -> None:
    subprocess.run(("git", "-C", project, "init", "--quiet"), check=True)
    subprocess.run(("git", "-C", project, "remote", "add", "origin", origin), check=True)
    found = remote.find(str(project), slug="", api=api)
    assert found == remote.Remote("a/b", expected)


@pytest.mark.parametrize(
    "url", ["https://[bad", "https://host:abc", "https://:s3cret@host", "https://s3cret@host"]
)
def test_an_api_that_is_no_url_is_reported_without_its_password(
    commit: Callable[..., Any], url: str
) -> None:
    ran = commit("--api-url", url)
    assert ran.code == 2
    assert "is not an https URL of an API" in ran.stderr
    assert "s3cret" not in ran.stderr


def test_an_origin_that_is_no_url_is_reported(project: Path, commit: Callable[..., Any]) -> None:
    subprocess.run(("git", "-C", project, "init", "--quiet"), check=True)
    origin = ("remote", "add", "origin", "https://[bad/x")
    subprocess.run(("git", "-C", project, *origin), check=True)
    ran = commit(repo="")
    assert ran.code == 2
    assert "is not a repository on GitHub" in ran.stderr


def test_a_title_is_one_line(commit: Callable[..., Any]) -> None:
    ran = commit("--title", "a\nb")
    assert ran.code == 2
    assert ran.stderr == (
        f"--title: 'a\\nb' is not one line of text\n{see('an-option-that-is-not-accepted')}"
    )


def test_templates_that_are_not_there_are_reported(commit: Callable[..., Any]) -> None:
    ran = commit("--templates", "/nope")
    assert ran.code == 2
    assert ran.stderr == (
        "/nope: is not a folder of templates\n"
        "  hint: give --templates a folder with files that end in .j2\n"
        f"{see('an-option-that-is-not-accepted')}"
    )


WORKFLOW = ".github/workflows/ci-cd.yml"


def test_a_workflow_that_a_user_wrote_on_the_base_is_not_replaced_without_force(
    app: Repository, commit: Callable[..., Any]
) -> None:
    app.change("main", {WORKFLOW: b"name: by hand\n"})
    for options in ((), ("--dry-run",)):
        ran = commit(*options)
        assert ran.code == 1
        assert ran.stderr == (
            f"{WORKFLOW}: on main it was not written by gen-workflow; nothing was committed\n"
            "  hint: put the edit into the spec, then replace the file with --force\n"
            f"{see('a-workflow-that-gen-workflow-did-not-write')}"
        )
    assert app.git.head(BRANCH) is None
    assert commit("--force").code == 0
    assert app.pulls


def test_an_edit_that_was_merged_into_the_base_is_not_replaced_without_force(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    oid = app.git.oid(f"main:{WORKFLOW}")
    app.change("main", {WORKFLOW: app.git.content(oid or "") + b"# theirs\n"})
    ran = commit()
    assert ran.code == 1
    assert f"{WORKFLOW}: on main it was edited by hand; nothing was committed" in ran.stderr


def test_an_edit_that_the_project_has_too_is_kept(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    edited = app.git.content(app.git.oid(f"main:{WORKFLOW}") or "") + b"# theirs\n"
    app.change("main", {WORKFLOW: edited})
    (project / WORKFLOW).parent.mkdir(parents=True)
    (project / WORKFLOW).write_bytes(edited)
    assert "main is in step with gen-workflow.yml, nothing to commit" in commit().stdout
    spec = project / "gen-workflow.yml"
    spec.write_bytes(spec.read_bytes() + b"# of another team\n")
    ran = commit()
    assert ran.code == 0, ran.stderr
    committed = app.git.content(app.git.oid(f"{BRANCH}:{WORKFLOW}") or "")
    assert committed.endswith(b"# theirs\n")
    assert committed != edited


def test_a_pin_that_a_bot_moved_on_github_is_in_step(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    text = app.git.content(app.git.oid(f"main:{WORKFLOW}") or "").decode()
    moved = re.sub(r"(actions/checkout)@\w{40} # \S+", rf"\1@{'1' * 40} # v99.0.0", text)
    assert moved != text
    app.change("main", {WORKFLOW: moved.encode()})
    assert "main is in step with gen-workflow.yml, nothing to commit" in commit().stdout


@pytest.mark.parametrize("path", [WORKFLOW, "gen-workflow.yml"])
def test_an_edit_that_a_reviewer_pushed_is_not_dropped_without_force(
    app: Repository, commit: Callable[..., Any], path: str
) -> None:
    commit()
    content = app.git.content(app.git.oid(f"{BRANCH}:{path}") or "") + b"# theirs\n"
    edited = app.change(BRANCH, {path: content})
    ran = commit()
    assert ran.code == 1
    assert ran.stderr == (
        f"{path}: on {BRANCH} it was edited by hand; nothing was committed\n"
        "  hint: merge or close pull request https://github.com/acme/app/pull/1, or choose "
        "another branch with --branch; --force removes the edit\n"
        f"{see('the-workflow-was-edited-by-hand')}"
    )
    assert app.git.head(BRANCH) == edited
    assert commit("--branch", "other").code == 0
    assert commit("--force").code == 0


def test_an_edit_that_was_pushed_between_reading_and_writing_is_not_dropped(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    spec = project / "gen-workflow.yml"
    spec.write_bytes(spec.read_bytes() + b"# more\n")
    github.meanwhile(
        "graphql createCommitOnBranch", lambda: app.change(BRANCH, {WORKFLOW: b"name: theirs\n"})
    )
    ran = commit()
    assert ran.code == 1
    assert f"{WORKFLOW}: on {BRANCH} it was not written by gen-workflow" in ran.stderr


@pytest.mark.parametrize(
    "url", ["http://github.example/api/v3", "ftp://x", "github.com", "https://"]
)
def test_a_token_is_never_sent_in_the_clear(commit: Callable[..., Any], url: str) -> None:
    ran = commit("--api-url", url)
    assert ran.code == 2
    assert "is not an https URL of an API" in ran.stderr


@pytest.mark.parametrize("slug", ["acme", "acme/", "/app", "acme/a/b", "acme/..", "a b/c", "-a/b"])
def test_a_repository_is_owner_and_name(
    github: FakeGitHub, commit: Callable[..., Any], slug: str
) -> None:
    ran = commit(f"--repo={slug}", repo="")
    assert ran.code == 2
    assert "is not OWNER/NAME" in ran.stderr
    assert github.calls == []
