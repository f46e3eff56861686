"""Which repositories a run over a fleet is for: those that GitHub finds, rings, shards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

    Fleet = Callable[..., Any]

DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
SPEC = {**DOCKERFILE, "gen-workflow.yml": b"image: .\n"}


def write(folder: Path, text: str) -> None:
    (folder / "fleet.yml").write_text(text)


def slugs(ran: Any) -> list[str]:
    assert ran.code in (0, 1), ran.stderr
    return [one["repository"] for one in json.loads(ran.stdout)["repositories"]]


def service(github: FakeGitHub, name: str, **about: Any) -> Repository:
    made = github.create_repository(f"acme/{name}", about.pop("files", DOCKERFILE))
    for key, value in about.items():
        setattr(made, key, value)
    return made


def test_repositories_are_selected_by_what_github_says_of_them(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    service(github, "svc-web", topics=("deploy",), language="Go", properties={"team": "shop"})
    service(github, "svc-api", topics=("api", "deploy"), language="TypeScript", files=SPEC)
    service(github, "svc-Old", topics=("deploy",), language="Go", archived=True)
    service(github, "svc-copy", topics=("deploy",), language="Go", fork=True)
    service(github, "docs", properties={"team": ["shop", "all"]})
    github.create_repository("other/svc-far", DOCKERFILE).topics = ("deploy",)

    def selected(what: str) -> list[str]:
        write(tmp_path, f"owner: acme\ndefaults: {{image: .}}\nselect: {what}\n")
        return [slug.partition("/")[2] for slug in slugs(fleet("plan", "--json"))]

    assert selected("{topic: deploy}") == ["svc-api", "svc-web"]
    assert selected("{topic: deploy, language: [go, Rust]}") == ["svc-web"]
    assert selected("{topic: deploy, archived: true, forks: true, language: Go}") == [
        "svc-copy",
        "svc-Old",
        "svc-web",
    ]
    assert selected("{name: 'SVC-*', exclude: svc-a*}") == ["svc-web"]
    assert selected("{has: gen-workflow.yml}") == ["svc-api"]
    assert selected("{properties: {team: [shop, pay]}}") == ["docs", "svc-web"]
    assert selected("[{topic: api}, {name: docs, spec: {test: null}}]") == ["svc-api", "docs"]


def test_what_the_file_names_keeps_its_own_entry_and_its_place(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    for name in ("web", "api"):
        service(github, name, topics=("deploy",), files=SPEC)
    write(
        tmp_path,
        "owner: acme\ndefaults: {image: ., on: {branches: [main]}}\n"
        "repos: {Web: own}\nselect: {topic: deploy}\n",
    )
    ran = fleet("apply")
    assert ran.code == 0, ran.stderr
    assert "fleet.yml:4 selects 2 of the 2 repositories of acme" in ran.stderr
    changed = {name: github.repository(f"acme/{name}") for name in ("web", "api")}
    specs = {
        name: one.git.content(one.git.oid("gen-workflow/update:gen-workflow.yml") or "")
        for name, one in changed.items()
    }
    assert specs["web"] == b"image: .\n"
    assert b"branches: [main]" in specs["api"]


def test_an_owner_is_listed_once_and_a_hundred_repositories_at_a_time(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    first = service(github, "svc-000")
    for number in range(1, 101):
        made = service(github, f"svc-{number:03}", files=None)
        made.git = first.git  # to make as many takes long
        made.properties = {"tier": "two" if number == 100 else "one"}
    write(
        tmp_path,
        "defaults: {image: .}\n"
        "select:\n- {owner: Acme, properties: {tier: two}}\n- {owner: acme, name: svc-000}\n",
    )
    assert slugs(fleet("plan", "--json")) == ["acme/svc-100", "acme/svc-000"]
    assert github.operations == [
        *["graphql repositoryOwner"] * 2,
        *["GET /orgs/{org}/properties/values"] * 2,
        "graphql repository, repository",
    ]


def test_an_owner_that_github_does_not_show_is_told_with_its_line(
    fleet: Fleet, tmp_path: Path
) -> None:
    write(tmp_path, "select: {owner: acem, topic: deploy}\n")
    ran = fleet("plan")
    assert ran.code == 2
    assert "fleet.yml:1:9 select: GitHub shows no owner 'acem'" in ran.stderr


def test_a_ring_is_a_part_of_the_fleet_and_no_repository_is_in_two(
    github: FakeGitHub, fleet: Fleet, tmp_path: Path
) -> None:
    names = [f"app{number}" for number in range(8)]
    for name in names:
        service(github, name, files=SPEC)
    rings = "rings: {first: [app3, 'acme/app5*'], early: 25%, next: 1, all: rest}\n"
    write(tmp_path, f"owner: acme\nselect: {{name: app*}}\n{rings}")
    found = {
        ring: slugs(fleet("plan", "--ring", ring, "--json"))
        for ring in ("first", "early", "next", "all")
    }
    assert found["first"] == ["acme/app3", "acme/app5"]
    assert [len(ones) for ones in found.values()] == [2, 2, 1, 3]
    assert sorted(slug for ones in found.values() for slug in ones) == [
        f"acme/{name}" for name in names
    ]
    assert slugs(fleet("plan", "app3", "app4", "--ring", "first", "--json")) == ["acme/app3"]
    wrong = fleet("plan", "--ring", "eraly")
    assert (wrong.code, "perhaps you meant `early`" in wrong.stderr) == (2, True)
    write(tmp_path, "owner: acme\nselect: {name: app*}\nrings: {first: [app9]}\n")
    ran = fleet("plan", "--ring", "first", "--json")
    assert slugs(ran) == []
    assert "warning: fleet.yml:3:17 rings/first/0: 'app9' is not a repository" in ran.stderr
    write(tmp_path, "owner: acme\nrepos: [app1]\nrings: {first: [app9]}\n")
    assert "fleet.yml:3:17 rings/first/0: 'app9' is not a repository of the fleet" in (
        fleet("plan").stderr
    )


def test_each_repository_is_in_one_shard(github: FakeGitHub, fleet: Fleet, tmp_path: Path) -> None:
    names = [f"app{number}" for number in range(9)]
    for name in names:
        service(github, name, files=SPEC)
    write(tmp_path, f"owner: acme\nrepos: [{', '.join(names)}]\n")
    shards = [slugs(fleet("plan", "--shard", f"{number}/3", "--json")) for number in (1, 2, 3)]
    assert sorted(slug for ones in shards for slug in ones) == [f"acme/{name}" for name in names]
    assert min(map(len, shards)) > 0
    assert "--shard: '4/3' is not a part" in fleet("plan", "--shard", "4/3").stderr
    assert "hint: make 26 parts at most" in fleet("plan", "--shard", "1/27").stderr
