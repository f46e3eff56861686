"""Why rendered workflows do not say `cache-mode` yet: three of the tools refuse a job with it.

GitHub takes `cache-mode: read | write | write-only | none` for a workflow and for a job (changelog
of 2026-09-10). A deploy job should say `none`, and the build of a pull request `read`. When a test
here fails, one more tool knows the key; when all do, the plan can say it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bed import tools
from conformance.subjects import Subject
from conformance.test_schemas import problems

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.github_parser import GithubParser

WITH_MODE = Subject(
    "workflow",
    """\
name: Try
on: push
permissions: {}
jobs:
  deploy:
    name: Deploy
    runs-on: ubuntu-24.04
    cache-mode: none
    steps:
      - run: echo deployed
""",
)


def test_the_schema_knows_it() -> None:
    # github.com/SchemaStore/schemastore/pull/6340
    assert problems("vendor/github-workflows.json", WITH_MODE.document) == []


@pytest.mark.needs("npm")
def test_the_editor_support_of_github_refuses_it(github_parser: GithubParser) -> None:
    # github.com/github/vscode-github-actions/issues/627
    assert github_parser.problems(WITH_MODE) == ["8: Unexpected value 'cache-mode'"]


@pytest.mark.needs("actionlint")
def test_actionlint_refuses_it(tmp_path: Path) -> None:
    argv = (str(tools.go_tool("actionlint")), str(WITH_MODE.place(tmp_path)))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert 'unexpected key "cache-mode" for "job" section' in done.stdout


def test_act_runs_no_workflow_with_it(tmp_path: Path) -> None:
    workflow = WITH_MODE.place(tmp_path)
    argv = (str(tools.act()), "--list", "--workflows", str(workflow), "--directory", str(tmp_path))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Unknown Property cache-mode" in done.stderr
