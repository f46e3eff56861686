"""The inputs that may hold a secret: read as docker/build-push-action reads them, never quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ship.build_push.inputs import Inputs, read_inputs
from ship.runner.errors import UserError
from unit.ship.build_push.given import context, inputs

if TYPE_CHECKING:
    from pathlib import Path

FORK = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
OURS = {"pull_request": {"head": {"repo": {"full_name": "Acme/App"}}}}
PEM = "-----BEGIN KEY-----\nMIIEpQIBAAKC\nQUJDREVG\n+a/b=\nc2VjcmV0Cg==\n-----END KEY-----"


def secrets(workspace: Path, text: str, **env: str) -> dict[str, str]:
    want = read_inputs({**inputs(secrets=text), **env}, context(workspace))
    return {each.id: each.value.reveal() for each in want.secrets}


def reported(workspace: Path, **changes: str) -> str:
    with pytest.raises(UserError) as raised:
        read_inputs(inputs(**changes), context(workspace))
    return str(raised.value)


# The examples are those of https://docs.docker.com/build/ci/github-actions/secrets/.
QUOTED = """\
GIT_AUTH_TOKEN=abcdefghi,jklmno=0123456789
"MYSECRET=aaaaaaaa
bbbbbbb
ccccccccc"
FOO=bar
"EMPTYLINE=aaaa

bbbb
ccc"
"JSON_SECRET={""key1"":""value1"",""key2"":""value2""}"
"""


def test_the_quoted_form_of_docker_s_action_is_read_whole(workspace: Path) -> None:
    assert secrets(workspace, QUOTED) == {
        "GIT_AUTH_TOKEN": "abcdefghi,jklmno=0123456789",
        "MYSECRET": "aaaaaaaa\nbbbbbbb\nccccccccc",
        "FOO": "bar",
        "EMPTYLINE": "aaaa\n\nbbbb\nccc",
        "JSON_SECRET": '{"key1":"value1","key2":"value2"}',
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'"A={PEM}\n"', f"{PEM}\n"),
        ('"A=first\r\nlast"\r\n', "first\r\nlast"),
        ('  "A=b"  ', "b"),
        ('"A=  indented\n  more"', "  indented\n  more"),
        ('A="b"', '"b"'),
        ('A={"a":"b","c":"d"}', '{"a":"b","c":"d"}'),
        ("A=a\u2028b\x0cc\x85d", "a\u2028b\x0cc\x85d"),
    ],
)
def test_a_value_arrives_as_it_was_written(workspace: Path, text: str, value: str) -> None:
    assert secrets(workspace, text) == {"A": value}


def test_a_quoted_name_takes_its_value_from_the_step(workspace: Path) -> None:
    assert secrets(workspace, '"A"\nB', A="1", B="2") == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('A=1\n"KEY=firstpart\nsecondpart', "line 2 begins with a quote that is not closed"),
        ('"KEY=firstpart\nsecondpart" lastpart', "line 1 begins with a quote that is not closed"),
        (f"KEY={PEM}", "line 4 and 1 more do not have the form NAME or id=value"),
        ("KEY=firstpart\nsecondpart\nlastpart", "line 2 is a name that the `env:` of the step"),
        ("KEY=firstpart\nsecondpart=\nlastpart=", "line 2 has no value"),
        ("KEY=x\nKEY=secondpart", "line 2 repeats the name of an earlier line"),
        ("KEY=x\nKEY\nlastpart", "line 2 repeats the name of an earlier line"),
        ("secondpart", "line 1 is a name that the `env:` of the step"),
        ("two words", "line 1 does not have the form NAME or id=value"),
    ],
)
def test_a_problem_of_a_secret_names_its_line_and_no_part_of_it(
    workspace: Path, text: str, what: str
) -> None:
    said = reported(workspace, secrets=text)
    assert what in said
    parts = (
        "firstpart",
        "secondpart",
        "lastpart",
        "MII",
        "QUJD",
        "a/b",
        "c2Vj",
        "two words",
        "BEGIN",
    )
    assert [part for part in parts if part in said] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_files": "A=Dockerfile\nsecondpart=\nlast part\nA=secondpart\nx y=secondpart"},
        {"secret_files": f"A={PEM}"},
        {"secret_files": "A=secondpart/file"},
        {"ssh": "default=-----BEGIN KEY-----\n+secondpart\n-----END KEY-----"},
        {"cache_to": "type = s3,secret_access_key=secondpart"},
        {"cache_from": "secondpart with a blank"},
        {"build_args": "A=1\n-----BEGIN\nsecondpart\nA=secondpart\n+x=secondpart"},
    ],
)
def test_no_input_that_may_hold_a_secret_is_quoted(
    workspace: Path, changes: dict[str, str]
) -> None:
    said = reported(workspace, **changes)
    assert [part for part in ("secondpart", "last", "MII", "BEGIN", "words") if part in said] == []


def check(workspace: Path, text: str, env: dict[str, str], **facts: Any) -> Inputs:
    return read_inputs({**inputs(secrets=text), **env}, context(workspace, **facts))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"event_name": "pull_request", "payload": FORK}, "the pull request of a fork"),
        (
            {"event_name": "pull_request", "payload": OURS, "actor": "dependabot[bot]"},
            "a run of Dependabot",
        ),
        ({"event_name": "push", "actor": "dependabot[bot]"}, "a run of Dependabot"),
    ],
)
def test_a_run_that_github_gives_no_secrets_is_built_as_a_check(
    workspace: Path, facts: dict[str, Any], why: str
) -> None:
    want = check(workspace, "NPM_TOKEN\nOTHER=\nGIVEN=x", {"NPM_TOKEN": ""}, **facts)
    assert {each.id: each.value.reveal() for each in want.secrets} == {
        "NPM_TOKEN": "",
        "OTHER": "",
        "GIVEN": "x",
    }
    [notice] = [each for each in want.notices if "secret" in each]
    assert why in notice
    assert "lines 1 and 2" in notice


@pytest.mark.parametrize(
    "facts",
    [
        {"event_name": "pull_request", "payload": OURS},
        # These have the secrets of the repository, so an empty one is misspelt.
        {"event_name": "pull_request_target", "payload": FORK},
        {"event_name": "workflow_run", "payload": {}},
        {"event_name": "push"},
    ],
)
def test_a_run_that_has_secrets_needs_a_value(workspace: Path, facts: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="line 1 is a name"):
        check(workspace, "NPM_TOKEN", {"NPM_TOKEN": ""}, **facts)


def test_a_run_of_dependabot_without_a_password_is_a_check(workspace: Path) -> None:
    given = {**inputs(image="registry.example.com/a/b", password="")}
    facts = context(workspace, actor="dependabot[bot]")
    want = read_inputs(given, facts)
    assert not want.push
    assert any("nothing is pushed" in each and "Dependabot" in each for each in want.notices)
    with pytest.raises(UserError, match=r"Dependabot[\s\S]*secrets of Dependabot"):
        read_inputs({**given, "INPUT_PUSH": "true"}, facts)
