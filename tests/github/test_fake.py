"""The GitHub of the test bed is GitHub-shaped: PyGithub is content with it, its schemas are law."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import graphql
import pytest

from bed.github import FakeGitHub, Repository, limits
from bed.github.store import Conflict
from github import Auth, Github, GithubException

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs("npm")


@pytest.fixture
def client(github: FakeGitHub) -> Iterator[Github]:
    client = Github(
        auth=Auth.Token(github.token),
        base_url=github.url,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    yield client
    client.close()


def test_a_client_that_is_not_lazy_finds_what_git_holds(app: Repository, client: Github) -> None:
    repository = client.get_repo("acme/app")
    head = repository.get_git_ref("heads/main").object.sha
    assert head == app.git.head(repository.default_branch)
    repository.create_git_ref("refs/heads/topic", head)
    app.change("topic", {"a": b"1\n"})
    pull = repository.create_pull(base="main", head="topic", title="One", body="")
    pull.edit(title="Two", state="closed")
    assert repository.get_pull(pull.number).title == "Two"
    assert [one.number for one in repository.get_pulls(state="all", head="acme:topic")] == [1]
    assert list(repository.get_pulls(state="open")) == []


def test_what_github_refuses_is_refused(app: Repository, client: Github) -> None:
    repository = client.get_repo("acme/app")
    head = app.git.head("main") or ""
    app.change("topic", {"a": b"1\n"})
    repository.create_pull(base="main", head="topic", title="One", body="")
    wrong: list[tuple[Any, str]] = [
        (lambda: repository.create_git_ref("refs/heads/topic", head), "Reference already exists"),
        (lambda: repository.create_git_ref("refs/heads/x", "1" * 40), "Object does not exist"),
        (lambda: repository.create_git_ref("refs/heads/a..b", head), "not a valid ref name"),
        (
            lambda: repository.create_pull("main", "topic"),
            "A pull request already exists for acme:",
        ),
        (lambda: repository.create_pull("main", "main"), "No commits between main and main"),
        (lambda: repository.create_pull("main", "gone"), "invalid"),
        (lambda: repository.get_git_ref("heads/gone"), "Not Found"),
        (lambda: repository.get_pull(9), "Not Found"),
        (lambda: client.get_repo("acme/gone"), "Not Found"),
    ]
    for act, said in wrong:
        with pytest.raises(GithubException, match=said):
            act()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('query { repository(owner: "acme", name: "app") { nonsense } }', "Cannot query field"),
        ('query { repository(owner: "acme", name: "app") { diskUsage } }', "is not supported"),
        ("query { rateLimit { cost } }", "is not supported"),
        ("query {", "Syntax Error"),
    ],
)  # fmt: skip
def test_a_query_outside_the_schema_fails_the_test(
    tmp_path: Path, query: str, message: str
) -> None:
    server = FakeGitHub(tmp_path)
    with pytest.raises(AssertionError, match=message), server:  # noqa: PT012 - the end of `with` raises
        server.create_repository("acme/app", {"a": b"1\n"})
        with Github(auth=Auth.Token(server.token), base_url=server.url, retry=None) as client:
            with pytest.raises(GithubException):
                client.requester.graphql_query(query, {})
            assert server.calls[0].status == 599


@pytest.mark.parametrize(
    ("verb", "path", "body", "message"),
    [
        ("POST", "/repos/acme/app/pulls", {"head": 1, "base": "main"}, "is not of type 'string'"),
        ("POST", "/repos/acme/app/git/refs", {"ref": "refs/heads/x"}, "'sha' is a required"),
        ("GET", "/repos/acme/app/pulls?stat=open", None, "query `stat` is unknown"),
        ("GET", "/repos/acme/app/pulls?state=opened", None, "is not one of"),
        ("GET", "/repos/acme/app/labels", None, "not supported"),
    ],
)
def test_a_request_outside_the_description_fails_the_test(
    tmp_path: Path, verb: str, path: str, body: Any, message: str
) -> None:
    server = FakeGitHub(tmp_path)
    with pytest.raises(AssertionError, match=message), server:  # noqa: PT012 - the end of `with` raises
        server.create_repository("acme/app", {"a": b"1\n"})
        with Github(auth=Auth.Token(server.token), base_url=server.url, retry=None) as client:
            with pytest.raises(GithubException):
                client.requester.requestJsonAndCheck(verb, path, input=body)
            assert server.calls[0].status == 599


def test_an_answer_outside_the_description_fails_the_test(tmp_path: Path) -> None:
    server = FakeGitHub(tmp_path)
    with pytest.raises(AssertionError, match="this server's answer 200 is wrong"), server:  # noqa: PT012
        server.create_repository("acme/app", {"a": b"1\n"}).archived = None  # type: ignore[assignment]
        with (
            Github(auth=Auth.Token(server.token), base_url=server.url, retry=None) as client,
            pytest.raises(GithubException),
        ):
            client.get_repo("acme/app")


def test_a_merge_that_conflicts_is_not_made(github: FakeGitHub, app: Repository) -> None:
    app.change("topic", {"a": b"1\n"})
    app.change("main", {"a": b"2\n"})
    client = Github(auth=Auth.Token(github.token), base_url=github.url)
    client.get_repo("acme/app").create_pull("main", "topic", title="t")
    client.close()
    before = app.git.head("main")
    with pytest.raises(Conflict):
        github.merge("acme/app", 1)
    assert app.git.head("main") == before


def test_what_is_over_a_limit_is_refused_as_github_does_until_its_minute_is_over(
    tmp_path: Path,
) -> None:
    ahead = [0.0]
    with FakeGitHub(tmp_path, clock=lambda: ahead[0]) as server:
        head = server.create_repository("acme/app", {"a": b"1\n"}).git.head("main") or ""
        with Github(
            auth=Auth.Token(server.token), base_url=server.url, retry=None,
            seconds_between_writes=None, lazy=True,
        ) as client:  # fmt: skip
            repository = client.get_repo("acme/app")
            for number in range(80):
                repository.create_git_ref(f"refs/heads/topic{number}", head)
            with pytest.raises(GithubException, match="blocked from content creation") as refused:
                repository.create_git_ref("refs/heads/more", head)
            assert (refused.value.headers or {})["retry-after"] == "60"
            assert server.limits.exceeded == {"changes in a minute": 1}
            ahead[0] = 61.0
            repository.create_git_ref("refs/heads/more", head)
    assert server.limits.highest["REST points in a minute"] == 81 * 5


def test_points_are_counted_by_the_connections_of_a_question() -> None:
    about = "pullRequests(first: 50) { nodes { labels(first: $many) { nodes { name } } } }"
    asked = "".join(f"r{n}: repository(owner: $o, name: $n) {{ ...About }} " for n in range(10))
    text = f"query Q($o: String!, $many: Int!) {{ {asked} }}"
    text += f" fragment About on Repository {{ {about} }}"
    costs = limits.of_graphql(graphql.parse(text), {"many": 100})
    assert costs["GraphQL points in an hour"] == round((10 + 10 * 50) / 100)
    changes = graphql.parse("mutation { createRef { id } createPullRequest { id } }")
    assert limits.of_graphql(changes, {})["changes in an hour"] == 2


def test_git_finds_nothing_wrong_with_what_the_server_writes(
    github: FakeGitHub, tmp_path: Path
) -> None:
    files = {"a/b/c": b"1\n", "a.b": b"2\n", "a0": b"3\n"}
    for name in ("one", "two"):  # the second one is a copy of the first
        of = github.create_repository(f"acme/{name}", files)
    made = of.change("main", {"a/b/d": b"4\n", "x": b"5\n"}, delete=["a/b/c", "a0"])
    argv = ("git", "--git-dir", str(of.git.path), "fsck", "--strict", "--full")
    checked = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "error" not in checked.stdout + checked.stderr
    where = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", github.clone_url("acme/two"), where), check=True)
    listed = sorted(f"{path.relative_to(where)}" for path in where.rglob("*") if path.is_file())
    assert [path for path in listed if not path.startswith(".git/")] == ["a.b", "a/b/d", "x"]
    assert of.git.parents(made) == [github.repository("acme/one").git.head("main")]
