"""The file of a fleet: what it says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.fleet import roster, specs
from gen_workflow.spec.sections import sections

ROOT = Path(__file__).parents[4]
DEFAULTS = """\
owner: acme
defaults:
  image: .
  deploy: {ssh: vps, compose: compose.yml, dir: "/srv/{owner}/{repo}"}
  test: {node: 22}
repos:
"""


def texts(raw: str) -> dict[str, str]:
    members = roster.read(raw.encode(), "fleet.yml").members
    return {
        member.slug: specs.text(member.spec, "fleet.yml").decode() if member.spec else "own"
        for member in members
    }


def problems(raw: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        roster.read(raw.encode(), "fleet.yml")
    return [one.partition("\n")[0] for one in caught.value.problems]


def test_the_example_is_a_file_of_a_fleet() -> None:
    assert [*texts(roster.EXAMPLE)] == ["acme/orders", "acme/web", "acme/legacy"]


def test_a_repository_gets_the_defaults_with_its_own_names_in_them() -> None:
    found = texts(DEFAULTS + "  orders: {}\n  other/web:\n")
    assert 'dir: "/srv/acme/orders"' in found["acme/orders"]
    assert 'dir: "/srv/other/web"' in found["other/web"]


def test_what_is_different_goes_before_the_defaults_and_keeps_the_rest_of_them() -> None:
    found = texts(DEFAULTS + "  orders:\n    deploy: {dir: /opt/orders}\n")["acme/orders"]
    assert "dir: /opt/orders" in found
    assert "compose: compose.yml" in found


def test_a_key_that_is_set_to_nothing_takes_a_default_away() -> None:
    found = texts(DEFAULTS + "  orders: {test: null}\n")["acme/orders"]
    assert "test" not in found


def test_a_repository_may_keep_a_spec_of_its_own() -> None:
    assert texts(DEFAULTS + "  legacy: own\n") == {"acme/legacy": "own"}
    assert texts("repos: [acme/orders, acme/web]\n") == {"acme/orders": "own", "acme/web": "own"}


def test_the_text_of_a_spec_says_where_it_is_edited_and_is_always_the_same() -> None:
    first = texts(DEFAULTS + "  orders: {}\n")["acme/orders"]
    assert first.startswith("# Made by gen-workflow from fleet.yml. Edit it there;")
    assert texts(DEFAULTS + "  web: {}\n  orders: {}\n")["acme/orders"] == first


def test_a_value_knows_its_line_in_the_file_of_the_fleet() -> None:
    (member,) = roster.read(
        (DEFAULTS + "  orders:\n    image: web\n").encode(), "fleet.yml"
    ).members
    assert member.spec is not None
    lines = {key.text: item.mark.line for key, item in member.spec.pairs()}
    assert lines == {"image": 8, "deploy": 4, "test": 5}


def test_all_problems_of_the_file_are_told_with_their_lines() -> None:
    raw = "repos:\n  a/b: {}\n  A/b: 3\n  c: own\n  'x y': {}\nrepo: 3\ndefaults: []\n"
    assert problems(raw) == [
        "fleet.yml:3:8 repos/A/b: should be a mapping with what is different, but is a number",
        "fleet.yml:4:3 repos/c: 'c' has no owner",
        "fleet.yml:5:3 repos/x y: 'x y' is not the name of a repository",
        "fleet.yml:6:1 repo: is not a key of the file of a fleet",
        "fleet.yml:7:11 defaults: should be a mapping with keys of the spec, but is a list",
    ]


def test_a_repository_that_appears_twice_is_told_however_its_name_is_written() -> None:
    raw = "owner: acme\nrepos:\n  shop: {}\n  Acme/Shop: {}\n"
    assert problems(raw) == [
        "fleet.yml:4:3 repos/Acme/Shop: Acme/Shop appears twice, first on line 3"
    ]


def test_the_file_of_a_fleet_may_hold_far_more_than_a_spec() -> None:
    names = "".join(f"  app{number}: {{}}\n" for number in range(5001))
    found = roster.read(f"owner: acme\nrepos:\n{names}".encode(), "fleet.yml")
    assert len(found.members) == 5001


def test_mistakes_in_selections_and_rings_are_told_with_their_lines() -> None:
    raw = (
        "select:\n  - topic: Deploy\n    owner: acme\n  - {topics: deploy, properties: team}\n"
        "  - {owner: acme, archived: yes, exclude: a/b, spec: 3}\n"
        "rings: {early: 110%, first: [x y], '%': 1, all: {}}\n"
    )
    assert problems(raw) == [
        "fleet.yml:2:12 select/0/topic: 'Deploy' is not a topic of small letters, digits and `-`",
        "fleet.yml:4:5 select/1: the selection has no owner",
        "fleet.yml:4:6 select/1/topics: is not a key of the file of a fleet",
        "fleet.yml:4:34 select/1/properties: should be a mapping of custom properties, but is text",
        "fleet.yml:5:29 select/2/archived: should be true or false, but is text",
        "fleet.yml:5:43 select/2/exclude: 'a/b' is not a name, in which `*` stands for anything",
        "fleet.yml:5:54 select/2/spec: should be a mapping with what is different, but is a number",
        "fleet.yml:6:16 rings/early: '110%' does not say which repositories are in the ring",
        "fleet.yml:6:30 rings/first/0: 'x y' is not the name of a repository",
        "fleet.yml:6:36 rings/%: '%' is not the name of a ring",
        "fleet.yml:6:49 rings/all: a mapping does not say which repositories are in the ring",
    ]


def test_an_empty_file_is_answered_with_an_example() -> None:
    with pytest.raises(SpecError, match=r"compose: compose\.yml"):
        roster.read(b"", "fleet.yml")


def test_the_example_of_the_docs_says_what_it_explains() -> None:
    page = (ROOT / "docs" / "fleet.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    found = texts(example)
    assert [*found] == ["acme/orders", "acme/web", "partner/shop", "acme/legacy"]
    assert "dir: /srv/orders" in found["acme/orders"]
    assert "dir: /opt/web" in found["acme/web"]
    assert "compose: compose.yml" in found["acme/web"]
    assert "test" not in found["acme/web"]
    assert "dir: /srv/shop" in found["partner/shop"]
    assert found["acme/legacy"] == "own"


def test_the_docs_show_selections_and_rings_and_name_every_key_of_theirs() -> None:
    page = (ROOT / "docs" / "fleet.md").read_text("utf-8")
    _, select, rings = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    found = roster.read((select + rings).encode(), "fleet.yml")
    assert [(one.topic, one.has) for one in found.selections] == [
        (("service", "worker"), ()),
        ((), ("gen-workflow.yml",)),
    ]
    assert [ring.name for ring in found.rings] == ["first", "early", "others"]
    keys = {name for path, one in sections(roster.FLEET) for name in one.keys if path}
    assert {key for key in keys if f"`{key}`" not in page} == set()
