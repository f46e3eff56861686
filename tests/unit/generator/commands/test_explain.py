"""The verb `explain`, as a person calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

PUSH = """\
Push to main (push, refs/heads/main)

.github/workflows/ci-cd.yml starts.

1. build: Build and push the image
   pushes      ghcr.io/OWNER/REPOSITORY
   tags        main, sha-<commit>
   permissions contents: read, to check the repository out
               packages: write, to push the image to ghcr.io

2. deploy: Deploy to production, after build
   environment production, which may ask for an approval
   host        the variable VPS_HOST, over SSH
   service     the name of the repository
   image       the one that build pushed, by its digest
   order       its deploys wait for each other on the host
   permissions packages: read, to let the host pull the image

These jobs do not run:
   check       only for a pull request; this is a push

The run is alone in its group: it waits for no other, and none cancels it.

Settings > Environments > production must hold:
   variable    VPS_HOST: name or address of the host
   variable    VPS_USER: user on the host who may use Docker
   variable    VPS_PORT (optional): port of its SSH server, when not 22
   variable    VPS_KNOWN_HOSTS: output of `ssh-keyscan HOST`, compared with the
               host's own keys
   secret      VPS_SSH_KEY: private key of the user
   secret      GREETING: goes into GREETING of the app

.github/workflows/rollback.yml does not start: push does not start it.
"""
TABLE = """\
.github/workflows/ci-cd.yml

event                           what runs
push to main                    build → deploy
push to another branch          nothing
push of the tag v1.2.3          nothing
pull request to main            check
pull request of a fork to main  check
release v1.2.3                  nothing
by hand, for main               build → deploy
by hand, for another branch     build

.github/workflows/rollback.yml

event                           what runs
by hand, for main               rollback
"""


@pytest.fixture
def repository(repository: Repository) -> Repository:
    """Return a repository with both workflows."""
    repository.spec.write_text(repository.spec.read_text().replace("rollback: false\n", ""))
    return repository


def test_an_event_is_explained_on_a_page(repository: Repository) -> None:
    assert repository.run("explain", "--event", "push") == (0, PUSH, "")


def test_without_an_event_there_is_a_table_of_all_that_matter(repository: Repository) -> None:
    assert repository.run("explain") == (0, TABLE, "")


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (("--event", "push", "--ref", "topic"), None),
        (("--event", "push", "--tag", "v1"), None),
        (("--event", "push", "--ref", "refs/tags/v1"), None),
        (("--event", "release", "--tag", "v1"), None),
        (("--event", "pull_request", "--fork", "--base", "x"), ["check"]),
        (("--event", "workflow_dispatch"), ["build", "deploy"]),
        (("--event", "workflow_dispatch", "--ref", "topic"), ["build"]),
        (("--event", "workflow_dispatch", "--input", "a=b", "--input", "c=d"), None),
        (("--event", "schedule"), None),
        (("--event", "merge_group"), None),
    ],
)
def test_the_answer_as_json_names_the_jobs_that_run(
    words: tuple[str, ...], runs: list[str] | None, repository: Repository
) -> None:
    done = repository.run("explain", "--json", *words)
    assert (done.code, done.err) == (0, "")
    ((answer, _),) = [one["workflows"] for one in json.loads(done.out)["events"]]
    assert answer["starts"] is (runs is not None)
    assert [job["id"] for job in answer["jobs"] if job["runs"] == "runs"] == (runs or [])


def test_a_person_starts_one_workflow(repository: Repository) -> None:
    done = repository.run(
        "explain", "--event", "workflow_dispatch", "--workflow", "rollback.yml", "--input",
        "release=sha256:0",
    )  # fmt: skip
    assert "ci-cd.yml does not start: a person starts rollback.yml." in done.out
    assert "image       that of the release sha256:0\n" in done.out


def test_the_payload_of_a_run_takes_the_place_of_the_options(repository: Repository) -> None:
    head = {"ref": "x", "repo": {"full_name": "someone/shop"}}
    about = {"number": 7, "base": {"ref": "main", "repo": {"full_name": "a/b"}}, "head": head}
    (repository.folder / "event.json").write_text(json.dumps({"pull_request": about}))
    done = repository.run("explain", "--payload", "event.json")
    assert done.out.startswith("Pull request of a fork to main (pull_request, refs/pull/7/merge)")
    assert "no secrets" in done.out


def test_the_name_of_a_branch_cannot_steer_a_terminal_or_a_runner(repository: Repository) -> None:
    event = {"ref": "refs/heads/x\x1b[31m\n::error::y", "commits": []}
    (repository.folder / "event.json").write_text(json.dumps(event))
    done = repository.run("explain", "--payload", "event.json")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert not any(line.lstrip().startswith("::") for line in done.out.splitlines())


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        (("--event", "psuh"), "'psuh' is no event that explain knows", "did you mean push?"),
        (("--event", "x"), "'x' is no event", "say one of push, pull_request"),
        (("--event", "release"), "a release has a tag", "--tag v1.2.3"),
        (("--event", "push", "--fork"), "--fork: has no meaning here", "--event pull_request"),
        (("--ref", "main"), "--ref: has no meaning here", "--event push or schedule or"),
        (("--event", "workflow_dispatch", "--input", "x"), "'x' is no input", "NAME=VALUE"),
        (("--event", "push", "--workflow", "x"), "--workflow: has no", "--event workflow_dispatch"),
        (("--payload", "gone.json"), "gone.json: is not there", "JSON of an event"),
        (
            ("--event", "workflow_dispatch", "--workflow", "x", "--payload", "e.json"),
            "--workflow: has no meaning here",
            "leave it out: the payload says it",
        ),
    ],
)
def test_an_option_that_does_not_fit_is_refused_with_a_hint(
    words: tuple[str, ...], says: str, hint: str, repository: Repository
) -> None:
    done = repository.run("explain", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert hint in done.err


def test_a_wrong_spec_is_reported_as_everywhere(repository: Repository) -> None:
    repository.spec.write_text("image: .\nnope: 1\n")
    done = repository.run("explain")
    assert done.code == 2
    assert done.err.startswith("gen-workflow.yml:2:1 nope")


def test_no_line_is_longer_than_a_terminal_is_wide(repository: Repository) -> None:
    name = "an environment with a long name for all shops"
    repository.spec.write_text(f"{repository.spec.read_text()}environment: {name}\n")
    for words in ((), ("--event", "push"), ("--event", "pull_request", "--fork")):
        lines = repository.run("explain", *words).out.splitlines()
        assert [line for line in lines if len(line) > 80] == []
