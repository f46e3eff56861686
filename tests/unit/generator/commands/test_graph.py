"""The verb `graph`, as a person calls it."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from unit.generator.conftest import COMMAND, environment

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

DRAWING = """\
Build and deploy

┌───────┐    ┌────────────┐
│ build ├───▶│ deploy     │
└───────┘    │ production │
             └────────────┘
┌───────┐
│ check │
└───────┘

Roll back

┌────────────┐
│ rollback   │
│ production │
└────────────┘
"""


@pytest.fixture
def repository(repository: Repository) -> Repository:
    """Return a repository with both workflows."""
    repository.spec.write_text(repository.spec.read_text().replace("rollback: false\n", ""))
    return repository


def test_to_a_pipe_the_graph_is_mermaid(repository: Repository) -> None:
    done = repository.run("graph")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("flowchart LR\n")
    assert done.out == repository.run("graph", "--format", "mermaid").out


def test_on_a_terminal_the_graph_is_a_drawing(repository: Repository) -> None:
    ours, theirs = pty.openpty()
    argv = (str(COMMAND), "graph")
    subprocess.run(argv, cwd=repository.folder, env=environment(), stdout=theirs, check=True)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the end of a terminal
        pass
    os.close(ours)
    assert seen.decode().replace("\r\n", "\n") == DRAWING
    assert repository.run("graph", "--format", "terminal").out == DRAWING


def test_a_picture_is_xml(repository: Repository) -> None:
    done = repository.run("graph", "--format", "svg")
    assert ET.fromstring(done.out)[0].text == "Build and deploy, Roll back"  # noqa: S314 - our own


def test_what_an_event_does_not_run_is_grey(repository: Repository) -> None:
    done = repository.run("graph", "--event", "pull_request", "--fork")
    grey = [
        line.partition('"')[2].partition('"')[0] for line in done.out.splitlines() if ":::" in line
    ]
    assert grey == ["Build and push the image", "Deploy to production"]
    assert "Roll back" not in done.out


def test_an_event_that_starts_nothing_shows_all_in_grey(repository: Repository) -> None:
    done = repository.run("graph", "--event", "push", "--ref", "topic")
    assert done.out.count(":::grey") == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--format", "png"), "--format: 'png' is no format"),
        (("--event", "nope"), "'nope' is no event"),
    ],
)
def test_a_wrong_option_is_refused(
    words: tuple[str, ...], says: str, repository: Repository
) -> None:
    done = repository.run("graph", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
