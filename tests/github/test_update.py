"""`gen-workflow update --online` against a GitHub-shaped server over real repositories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from bed.github import Release
from gen_workflow import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

CI = ".github/workflows/ci.yml"
BEFORE = "      - uses: "


@dataclass(frozen=True)
class Ran:
    """What a run came to, and the uses that are in the workflow afterwards."""

    code: int
    said: str
    uses: list[str]


def ago(days: int) -> str:
    """Return a time as GitHub writes it."""
    made = datetime.now(timezone.utc) - timedelta(days=days)
    return made.strftime("%Y-%m-%dT%H:%M:%SZ")


def pin(of: Repository, tag: str, comment: str = "") -> str:
    """Return a use of the action at the commit of a tag."""
    commit = of.git.oid(f"refs/tags/{tag}^{{commit}}")
    return f"{of.slug}@{commit} # {comment or tag}"


@pytest.fixture
def tool(github: FakeGitHub) -> Repository:
    """An action with three releases, and a major version that moves with them."""
    made = github.create_repository("acme/tool", files={"action.yml": b"name: Tool\n"})
    made.release("v1.0.0", age=90)
    made.release("v1.1.0", age=60, annotated=True)
    made.release("v1.2.0", "v1", age=30)
    return made


@pytest.fixture
def update(
    github: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    """Write a workflow with these uses, and run `gen-workflow update --online`."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    path = tmp_path / CI
    path.parent.mkdir(parents=True)

    def run(*uses: str, options: tuple[str, ...] = (), token: str = github.token) -> Ran:
        monkeypatch.setenv("GH_TOKEN", token)
        path.write_text("jobs:\n  a:\n    steps:\n" + "".join(f"{BEFORE}{each}\n" for each in uses))
        code = cli.main(["update", "-C", str(tmp_path), "--online", *options])
        said = capsys.readouterr()
        assert not token or token not in said.out + said.err
        after = [line.removeprefix(BEFORE) for line in path.read_text().splitlines()[3:]]
        return Ran(code, said.out + said.err, after)

    return run


def test_tags_and_commits_move_to_the_newest_release_in_one_request(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    other = github.create_repository("acme/other", files={"action.yml": b"name: Other\n"})
    other.release("2.0", age=40)
    other.release("2.1", age=20)
    newest = pin(tool, "v1.2.0")
    ran = update(
        "acme/tool@v1", "acme/tool@v1.0.0", pin(tool, "v1.1.0"), "Acme/Other/folder@2.0", newest
    )
    assert (ran.code, len(github.calls)) == (0, 1)
    moved = pin(other, "2.1").replace("acme/other", "Acme/Other/folder")
    assert ran.uses == [newest, newest, newest, moved, newest]


def test_a_tag_of_a_tag_leads_to_its_commit(tool: Repository, update: Callable[..., Ran]) -> None:
    tool.git.tag("v1.3.0", tool.git.tag("signed", tool.release("v1.2.1", age=20), age=20), age=20)
    assert update("acme/tool@v1").uses == [pin(tool, "v1.3.0")]


def test_a_tag_that_is_no_commit_is_passed_over(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    tree = tool.git.oid("main^{tree}") or ""
    tool.git.tag("v1.9.0", tree)
    tool.git.tag("v1.8.0", tree, age=20)
    assert update("acme/tool@v1").uses == [pin(tool, "v1.2.0")]


def test_a_release_that_is_too_young_is_left(tool: Repository, update: Callable[..., Ran]) -> None:
    tool.release("v1.3.0", age=3)
    ran = update(pin(tool, "v1.1.0"))
    assert ran.uses == [pin(tool, "v1.2.0")]
    assert "v1.3.0 was published 3 days ago; --min-age is 7 days" in ran.said
    assert update(pin(tool, "v1.1.0"), options=("--min-age", "2")).uses == [pin(tool, "v1.3.0")]


def test_a_tag_is_pinned_to_what_it_is_however_young_that_is(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    young = tool.release("v1.3.0", "v1", age=0)
    assert update("acme/tool@v1").uses == [f"acme/tool@{young} # v1.3.0"]


def test_the_age_of_a_release_counts_and_not_the_date_that_its_commit_claims(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    tool.release("v1.3.0", age=300)
    tool.releases.append(Release("v1.3.0", published=ago(1)))
    tool.release("v1.4.0", age=300)
    tool.git.tag("v1.4.0", tool.git.oid("refs/tags/v1.4.0") or "", age=2)
    assert update(pin(tool, "v1.1.0")).uses == [pin(tool, "v1.2.0")]


@pytest.mark.parametrize("published", [None, ago(20)], ids=["draft", "pre-release"])
def test_a_draft_and_a_pre_release_are_left(
    tool: Repository, update: Callable[..., Ran], published: str | None
) -> None:
    tool.release("v1.3.0", age=20)
    tool.release("v1.4.0-rc.1", age=20)
    tool.releases.append(Release("v1.3.0", published, prerelease=True))
    assert update("acme/tool@v1.0.0").uses == [pin(tool, "v1.2.0")]


def test_a_new_major_version_is_taken_when_asked_for(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    tool.release("v2.0.0", age=20)
    assert "v2.0.0 is a new major version; --major takes it" in update("acme/tool@v1").said
    assert update("acme/tool@v1", options=("--major",)).uses == [pin(tool, "v2.0.0")]


def test_a_comment_that_lies_about_its_commit_is_corrected_and_named(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    ran = update(pin(tool, "v1.2.0", comment="v1.0.0"), pin(tool, "v1.2.0", comment="v1"))
    assert ran.uses == [pin(tool, "v1.2.0")] * 2
    assert "(the comment said v1.0.0, and the commit is v1.2.0, the commit stays)" in ran.said


def test_a_tag_that_was_moved_is_an_alarm_and_no_reason_to_follow(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    before = pin(tool, "v1.2.0")
    evil = tool.change("main", {"evil": b"1"})
    for name in ("v1.2.0", "v1"):
        tool.git.tag(name, evil)
    ran = update(before)
    assert ran.uses == [before]
    assert f"v1.2.0 is the commit {evil[:7]}, and this is another one" in ran.said


def test_a_branch_is_reported_and_replaced_when_asked_for(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    tool.change("release/v1", {"a": b"1"})
    for use in ("acme/tool@main", "acme/tool@release/v1"):
        ran = update(use)
        assert ran.uses == [use]
        assert "is a branch; write v1.2.0 in its place, or say --branches" in ran.said
        assert update(use, options=("--branches",)).uses == [pin(tool, "v1.2.0")]


def test_a_branch_that_is_a_version_is_taken_for_one(
    tool: Repository, update: Callable[..., Ran]
) -> None:
    tool.git.point("refs/heads/v2", tool.release("v2.0.1", age=20), "0" * 40)
    assert update("acme/tool@v2").uses == [pin(tool, "v2.0.1")]


def test_what_github_does_not_have_is_named_and_the_rest_moves(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    ran = update("acme/gone@v1", "acme/tool@v1", "acme/tool@v7")
    assert (ran.code, len(github.calls)) == (0, 1)
    assert ran.uses == ["acme/gone@v1", pin(tool, "v1.2.0"), "acme/tool@v7"]
    assert "left acme/gone at v1: GitHub does not have it, or the token cannot see it" in ran.said
    assert "left acme/tool at v7: it has no tag and no branch v7" in ran.said


def test_a_repository_that_was_renamed_or_archived_is_named(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    before = pin(tool, "v1.2.0")
    tool.archived = True
    assert "its repository is archived" in update(before).said
    github.rename("acme/tool", "acme/new")
    assert "its repository is acme/new now; write this name" in update(before).said


def test_older_tags_are_read_only_when_a_pin_is_among_them(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    old = pin(tool, "v1.0.0")
    for number in range(105):
        tool.git.tag(f"nightly-{number}", tool.git.head("main") or "")
    assert update(old).uses == [pin(tool, "v1.2.0")]
    assert len(github.calls) == 2


def test_many_actions_are_asked_for_twenty_at_a_time(
    github: FakeGitHub, update: Callable[..., Ran]
) -> None:
    slugs = [f"acme/tool-{number}" for number in range(21)]
    made = [github.create_repository(slug, files={"a": b"1"}) for slug in slugs]
    for each in made:
        each.release("v1.0.0", "v1", age=20)
    ran = update(*(f"{slug}@v1" for slug in slugs))
    assert ran.uses == [pin(each, "v1.0.0") for each in made]
    assert len(github.calls) == 2


def test_what_is_too_much_for_one_request_is_asked_in_halves(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    github.create_repository("acme/other", files={"a": b"1"}).release("v1.0.0", "v1", age=20)
    both = "graphql repository, repository"
    github.fail(both, 200, "Resource limits", graphql_kind="RESOURCE_LIMITS_EXCEEDED")
    assert update("acme/tool@v1", "acme/other@v1").uses[0] == pin(tool, "v1.2.0")
    assert github.operations == [both, "graphql repository", "graphql repository"]


def test_a_single_action_that_is_too_much_is_an_error(
    github: FakeGitHub, update: Callable[..., Ran]
) -> None:
    github.fail("graphql repository", 200, "Too much", graphql_kind="RESOURCE_LIMITS_EXCEEDED")
    ran = update("acme/tool@v1")
    assert (ran.code, ran.uses) == (1, ["acme/tool@v1"])
    assert "GitHub answered with an error: Too much" in ran.said


def test_a_token_without_any_right_is_enough(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    token = github.add_token("ghs_reads_public_things", scopes=(), classic=False)
    assert update("acme/tool@v1", token=token).uses == [pin(tool, "v1.2.0")]


def test_without_a_token_nothing_is_asked(github: FakeGitHub, update: Callable[..., Ran]) -> None:
    ran = update("acme/tool@v1", token="")
    assert (ran.code, github.calls) == (2, [])
    assert "there is no token in GH_TOKEN or GITHUB_TOKEN" in ran.said


@pytest.mark.parametrize(
    ("status", "message"), [(401, "Bad credentials"), (403, "Forbidden"), (404, "Not Found")]
)
def test_a_refusal_is_explained_and_nothing_moves(
    github: FakeGitHub, update: Callable[..., Ran], status: int, message: str
) -> None:
    github.fail("graphql repository", status, message)
    ran = update("acme/tool@v1")
    assert (ran.code, ran.uses) == (2, ["acme/tool@v1"])
    assert "cannot read the releases of actions" in ran.said
    assert "Traceback" not in ran.said


def test_a_gateway_that_fails_once_is_asked_again(
    github: FakeGitHub, tool: Repository, update: Callable[..., Ran]
) -> None:
    github.fail("graphql repository", 502, "Bad Gateway")
    assert update("acme/tool@v1").uses == [pin(tool, "v1.2.0")]


def test_an_address_without_https_gets_no_token(update: Callable[..., Ran]) -> None:
    ran = update("acme/tool@v1", options=("--api-url", "http://github.example.com/api/v3"))
    assert ran.code == 2
    assert "is not an https URL of an API" in ran.said
