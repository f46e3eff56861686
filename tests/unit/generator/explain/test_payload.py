"""An event from the JSON that GitHub gives a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.errors import UserError
from gen_workflow.explain import payload

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = {
    "full_name": "acme/shop",
    "default_branch": "trunk",
    "owner": {"login": "acme"},
}
PULL_REQUEST = {
    "number": 7,
    "draft": True,
    "base": {"ref": "main", "repo": {"full_name": "acme/shop"}},
    "head": {"ref": "topic", "repo": {"full_name": "someone/shop"}},
}
PAYLOADS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "push": (
        {
            "ref": "refs/heads/a/b",
            "commits": [{"added": ["x"], "modified": ["y"]}, {"removed": []}],
        },
        {"branch": "a/b", "ref": "refs/heads/a/b", "files": ("x", "y")},
    ),
    "a push as a run gets it": (
        {"ref": "refs/heads/main", "commits": [{"message": "no files"}]},
        {"branch": "main", "files": None},
    ),
    "tag": ({"ref": "refs/tags/v1"}, {"tag": "v1", "branch": "", "ref": "refs/tags/v1"}),
    "pull_request": (
        {"action": "opened", "pull_request": PULL_REQUEST},
        {"branch": "main", "ref": "refs/pull/7/merge", "fork": True, "types": ("opened",)},
    ),
    "release": (
        {"action": "published", "release": {"tag_name": "v1"}},
        {"tag": "v1", "types": ("published",)},
    ),
    "schedule": ({"schedule": "0 4 * * 1"}, {"ref": "refs/heads/trunk"}),
    "workflow_dispatch": (
        {
            "ref": "refs/heads/main",
            "inputs": {"dry-run": "true"},
            "workflow": ".github/workflows/rollback.yml",
        },
        {"branch": "main", "given": (("dry-run", "true"),), "workflow": "rollback.yml"},
    ),
    "merge_group": (
        {
            "action": "checks_requested",
            "merge_group": {
                "base_ref": "refs/heads/main",
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc",
            },
        },
        {"branch": "main", "ref": "refs/heads/gh-readonly-queue/main/pr-7-abc"},
    ),
}


def read(folder: Path, content: object, name: str = "") -> Any:
    file = folder / "event.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return payload.read(str(file), name)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_payload_says_its_event(kind: str, tmp_path: Path) -> None:
    content, wanted = PAYLOADS[kind]
    event = read(tmp_path, {"repository": REPOSITORY, **content})
    assert {name: getattr(event, name) for name in wanted} == wanted
    assert event.name == {"tag": "push", "a push as a run gets it": "push"}.get(kind, kind)
    assert event.github["repository"] == "acme/shop"
    assert event.github["event"]["repository"]["default_branch"] == "trunk"


def test_what_a_payload_does_not_hold_is_null_and_not_unknown(tmp_path: Path) -> None:
    event = read(tmp_path, {"pull_request": PULL_REQUEST})
    assert event.github["event"]["pull_request"]["draft"] is True
    assert type(event.github["event"]) is dict


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("{", "", "is not JSON"),
        ("[]", "", "is no JSON object"),
        ({}, "", "is not the payload of an event that explain knows"),
        ({"ref": 1}, "push", "is not the payload of push"),
        ({"pull_request": []}, "", "is not the payload of pull_request"),
        ({"ref": "refs/heads/x"}, "release", "is not the payload of release"),
    ],
)
def test_what_is_no_payload_is_refused(
    content: object, name: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=words):
        read(tmp_path, content, name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        payload.read(str(tmp_path / "nothing.json"))
