"""The GitHub of the tests answers as the real one did, where recorded traffic of that is to be had.

The recordings are those of the npm package @octokit/fixtures, which is installed and not copied.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from bed.tools import npm_folder

if TYPE_CHECKING:
    from bed.github import FakeGitHub

pytestmark = pytest.mark.needs("npm")

SCENARIOS = "node_modules/@octokit/fixtures/scenarios/api.github.com"
OWNER = "octokit-fixture-org"
# What a recording has, and its number in the scenario. All others are of what is not supported.
RECORDED = [
    ("get-repository", 0),
    ("get-organization", 0),
    ("git-refs", 1),
    ("git-refs", 2),
    ("create-file", 0),
    ("add-labels-to-issue", 1),
    ("rename-repository", 1),
]


def recordings(scenario: str) -> list[dict[str, Any]]:
    path = npm_folder() / SCENARIOS / scenario / "normalized-fixture.json"
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def begin(github: FakeGitHub, scenario: str) -> dict[str, str]:
    """Make what a scenario begins with; return its commits, by the names in the recording."""
    github.add_account(OWNER, organization=True, plan="free")
    name = "hello-world" if scenario == "get-repository" else scenario
    made = github.create_repository(f"{OWNER}/{name}", {"README.md": b"# hello-world\n"})
    first = made.git.head("main") or ""
    second = made.change("main", {"a": b"1\n"})
    if scenario == "git-refs":
        made.git.point("refs/heads/test", first, "0" * 40)
    if scenario == "rename-repository":
        github.rename(f"{OWNER}/{name}", f"{OWNER}/{name}-newname")
    if scenario == "add-labels-to-issue":
        made.change("topic", {"b": b"1\n"})
        made.open_pull("topic", "main", title="One", body="")
    return {f"{1:040}": second, f"{2:040}": first}


def differences(recorded: Any, answered: Any, where: str = "") -> list[str]:
    """Return what a recorded answer has, and another one has not, or with another kind of value."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        lacks = [f"{where}{name} is missing" for name in sorted({*recorded} - {*answered})]
        both = sorted({*recorded} & {*answered})
        return lacks + [
            one
            for name in both
            for one in differences(recorded[name], answered[name], f"{where}{name}.")
        ]
    if isinstance(recorded, list) and isinstance(answered, list):
        return differences(recorded[0], answered[0], where) if recorded and answered else []
    same = type(recorded) is type(answered) or recorded is None or answered is None
    return [] if same else [f"{where[:-1]} is {type(answered).__name__}"]


@pytest.mark.parametrize(("scenario", "number"), RECORDED)
def test_an_answer_has_the_form_of_the_one_that_was_recorded(
    github: FakeGitHub, scenario: str, number: int
) -> None:
    recorded = recordings(scenario)[number]
    body = json.dumps(recorded["body"]) if recorded["body"] else None
    for name, commit in begin(github, scenario).items():
        body = body and body.replace(name, commit)
    if scenario == "git-refs" and recorded["method"] == "post":
        github.repository(f"{OWNER}/git-refs").git.delete("refs/heads/test")
    answered = requests.request(
        recorded["method"],
        f"{github.url}{recorded['path']}",
        data=body,
        headers={"Authorization": f"token {github.token}"},
        allow_redirects=False,
        timeout=30,
    )
    assert answered.status_code == recorded["status"], answered.text
    assert " ".join(differences(recorded["response"], answered.json())) == ""
    headers = {"x-oauth-scopes", "x-ratelimit-limit", "x-ratelimit-remaining"}
    headers |= {"location"} if recorded["status"] in (301, 307) else set()
    assert headers <= {*recorded["headers"]}
    assert headers <= {name.lower() for name in answered.headers}
