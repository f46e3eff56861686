"""The report of a fleet: data, and a page that holds texts of others and runs none of them."""

from __future__ import annotations

import json
from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub

DOCKERFILE = {"Dockerfile": b"FROM scratch\n"}
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script> '\" & {{ 7*7 }} \u202e"
PROPOSE = "graphql createRef, createCommitOnBranch, createPullRequest"


class Page(HTMLParser):
    """The elements of a page, with their attributes, and the text of its cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._in_a_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._in_a_cell = self._in_a_cell or tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._in_a_cell = self._in_a_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_a_cell:
            self.rows[-1][-1] += data


@pytest.fixture
def fleet(
    github: FakeGitHub,
    command: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Run `gen-workflow fleet` for two repositories, and one that does not exist."""
    for name in ("one", "two"):
        github.create_repository(f"acme/{name}", DOCKERFILE)
    text = "owner: acme\ndefaults: {image: .}\nrepos: {one: {}, two: {}, gone: {}}\n"
    tmp_path.joinpath("fleet.yml").write_text(text)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return partial(command, "fleet")


def test_the_data_and_the_page_say_the_same_and_what_was_done(
    github: FakeGitHub, fleet: Callable[..., Any], tmp_path: Path
) -> None:
    github.fail(PROPOSE, 422, "Repository rule violations found")
    assert fleet("apply", "--report", "fleet.json").code == 1
    data = json.loads((tmp_path / "fleet.json").read_text())
    assert (data["act"], data["file"]) == ("apply", "fleet.yml")
    assert data["counts"] == {"new": 1, "not found": 1, "proposed": 1}
    one, two, gone = data["repositories"]
    assert (one["stands"], one["pull_request"]) == ("new", None)
    assert "a rule of the repository forbids it" in one["error"]
    assert (two["stands"], two["error"]) == ("proposed", None)
    assert two["pull_request"] == "https://github.com/acme/two/pull/1"
    assert gone["stands"] == "not found"
    assert fleet("plan", "--report", "fleet.html").code == 2
    page = Page((tmp_path / "fleet.html").read_text())
    assert page.rows[0] == ["repository", "stands", "pull request", "files", "what is said"]
    assert [row[:3] for row in page.rows[1:]] == [
        ["acme/one", "new", ""],
        ["acme/two", "proposed", "#1"],
        ["acme/gone", "not found", ""],
    ]
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == ["https://github.com/acme/two/pull/1"]


def test_the_report_of_the_status_says_how_pull_requests_and_runs_do(
    fleet: Callable[..., Any], tmp_path: Path
) -> None:
    fleet("apply", "one")
    assert fleet("status", "one", "--report", "fleet.json").code == 1
    (one,) = json.loads((tmp_path / "fleet.json").read_text())["repositories"]
    assert one["pull_request"] == "https://github.com/acme/one/pull/1"
    assert "pull request open" in one["said"]


def test_what_others_say_is_never_markup_and_the_page_asks_for_nothing(
    github: FakeGitHub, fleet: Callable[..., Any], tmp_path: Path
) -> None:
    github.fail(PROPOSE, 422, HOSTILE)
    fleet("apply", "--report", "fleet.html")
    page = Page((tmp_path / "fleet.html").read_text())
    assert "<img src=x onerror=alert(1)></script>" in page.rows[1][4]
    assert "{{ 7*7 }}" in page.rows[1][4]
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert not {*tags} & {"img", "link", "iframe", "object"}
    assert not [tag for tag, attributes in page.elements if {"src", "onerror"} & {*attributes}]


def test_the_report_of_a_run_that_was_ended_says_what_was_done(
    github: FakeGitHub, fleet: Callable[..., Any], tmp_path: Path
) -> None:
    github.fail(PROPOSE, 401, "Bad credentials")
    assert fleet("apply", "--report", "fleet.json").code == 1
    one, two, _ = json.loads((tmp_path / "fleet.json").read_text())["repositories"]
    assert "GitHub does not accept the token" in one["error"]
    assert (two["stands"], two["error"]) == ("new", None)


def test_a_report_that_cannot_be_is_told_before_anything_is_written(
    github: FakeGitHub, fleet: Callable[..., Any]
) -> None:
    ran = fleet("apply", "--report", "fleet.pdf")
    assert ran.code == 2
    assert "--report: 'fleet.pdf' does not say what the report should be" in ran.stderr
    ran = fleet("apply", "--report", "nowhere/fleet.html")
    assert ran.code == 2
    assert "--report: no file can be made in the folder nowhere" in ran.stderr
    assert github.calls == []
