"""What many repositories hold, read from GitHub in few requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.fleet import inventory
from gen_workflow.fleet.inventory import Asked, Held
from gen_workflow.fleet.listing import Listing
from gen_workflow.fleet.proposing import Proposal, propose
from gen_workflow.github.connection import Connection
from gen_workflow.github.refusal import Moved
from gen_workflow.sync import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.github import FakeGitHub

BRANCH = "gen-workflow/update"
SPEC = b"image: .\n"
FILES = {"gen-workflow.yml": SPEC, "Dockerfile": b"FROM scratch\n", "k8s/web.yaml": b"kind: Pod\n"}


@pytest.fixture
def connection(github: FakeGitHub) -> Iterator[Connection]:
    made = Connection("", github.token, github.url, print)
    yield made
    made.close()


def read(connection: Connection, *slugs: str) -> list[Held | None]:
    asked = [Asked(one, (".", "k8s", "nowhere"), ("gen-workflow.yml",), (".",)) for one in slugs]
    return inventory.read(connection, asked, BRANCH)


def test_a_repository_is_known_by_its_listings_without_its_files(
    github: FakeGitHub, connection: Connection
) -> None:
    github.create_repository("acme/app", FILES)
    (held,) = read(connection, "acme/app")
    assert held
    assert (held.slug, held.base, held.archived, held.pull) == ("acme/app", "main", False, "")
    assert held.head == github.repository("acme/app").git.head("main")
    listing = Listing(held.slug, held.folders, held.texts)
    assert listing.oid("gen-workflow.yml") == stamp.blob(SPEC)
    assert listing.is_file("k8s/web.yaml")
    assert listing.is_folder("k8s")
    assert not listing.is_file("nowhere/web.yaml")
    assert listing.content("gen-workflow.yml") == SPEC
    assert not listing.asked | listing.wanted


def test_what_was_not_listed_is_taken_to_be_there_and_is_noted(
    github: FakeGitHub, connection: Connection
) -> None:
    github.create_repository("acme/app", FILES)
    (held,) = read(connection, "acme/app")
    assert held
    listing = Listing(held.slug, held.folders, held.texts)
    assert listing.is_file("web/Dockerfile")
    assert listing.asked == {"web"}
    assert listing.content("Dockerfile") is None
    assert listing.wanted == {"Dockerfile"}


def test_many_repositories_are_one_request_and_what_cannot_be_seen_is_none(
    github: FakeGitHub, connection: Connection
) -> None:
    for number in range(5):
        github.create_repository(f"acme/app{number}", FILES)
    github.create_repository("acme/empty")
    github.repository("acme/app3").archived = True
    github.rename("acme/app4", "acme/renamed")
    names = [*(f"acme/app{number}" for number in range(5)), "acme/empty", "acme/nowhere"]
    *apps, empty, nowhere = read(connection, *names)
    assert github.operations == ["graphql " + ", ".join(["repository"] * 7)]
    assert [one.slug for one in apps if one][-1] == "acme/renamed"
    assert [one.archived for one in apps if one] == [False, False, False, True, False]
    assert empty
    assert empty.head == ""
    assert nowhere is None


def test_a_request_that_is_too_much_for_github_is_asked_in_halves(
    github: FakeGitHub, connection: Connection
) -> None:
    names = [f"acme/app{number}" for number in range(4)]
    for name in names:
        github.create_repository(name, FILES)
    all_four = "graphql " + ", ".join(["repository"] * 4)
    github.fail(all_four, 200, "Resource limits exceeded", graphql_kind="RESOURCE_LIMITS_EXCEEDED")
    found = read(connection, *names)
    assert [one.slug for one in found if one] == names
    assert [len(one.split(", ")) for one in github.operations] == [4, 2, 2]


def wanted(text: bytes = b"image: web\n") -> Proposal:
    return Proposal(BRANCH, "Change it", "Change it", "Because.", {"gen-workflow.yml": text})


def test_branch_commit_and_pull_request_are_one_request(
    github: FakeGitHub, connection: Connection
) -> None:
    app = github.create_repository("acme/app", FILES)
    (held,) = read(connection, "acme/app")
    assert held
    before = len(github.calls)
    made = propose(connection, held, wanted())
    assert len(github.calls) - before == 1
    assert made.pull == "https://github.com/acme/app/pull/1"
    assert made.commit in app.signed
    assert app.git.parents(made.commit) == [held.head]
    (after,) = read(connection, "acme/app")
    assert after
    assert (after.branch, after.pull) == (made.commit, made.pull)
    ours = Listing(after.slug, after.ours, {})
    assert ours.oid("gen-workflow.yml") == stamp.blob(b"image: web\n")


@pytest.mark.parametrize("status", [502, 503])
def test_a_lost_answer_makes_nothing_twice(
    github: FakeGitHub, connection: Connection, status: int
) -> None:
    app = github.create_repository("acme/app", FILES)
    (held,) = read(connection, "acme/app")
    assert held
    both = "graphql createRef, createCommitOnBranch, createPullRequest"
    github.fail(both, status, lost=True, headers={"Retry-After": "0"})
    with pytest.raises(Moved):
        propose(connection, held, wanted())
    assert len(app.pulls) == 1
    assert len(app.git.history(app.git.head(BRANCH) or "", held.head)) == 1


def test_a_branch_that_somebody_made_meanwhile_is_not_written_to(
    github: FakeGitHub, connection: Connection
) -> None:
    app = github.create_repository("acme/app", FILES)
    (held,) = read(connection, "acme/app")
    assert held
    theirs = app.change(BRANCH, {"gen-workflow.yml": b"image: theirs\n"})
    with pytest.raises(Moved):
        propose(connection, held, wanted())
    assert app.git.head(BRANCH) == theirs
