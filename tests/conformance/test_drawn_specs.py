"""Whatever a spec says that the schema takes is rendered, or refused with a place and a hint.

The specs are drawn from the JSON Schema. What the schema cannot say, as keys that exclude each
other, is refused; then it is taken away until the rest is right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from conformance.drawn_repository import SPEC, Repository
from conformance.drawn_specs import SCHEMA, SPECS, fits, specs
from conformance.gates import Gates
from conformance.subjects import ROOT, Subject
from conformance.wrong_specs import mistakes_in
from gen_workflow import cli
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec import document
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.github_parser import GithubParser

# What a spec asks for by name: a runner of one's own, with labels that no linter knows, and the
# image of a service at a tag.
ASKED_FOR = re.compile(r"self-hosted-runner: |unpinned-images: |\d+: label \".*\" is unknown")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("file", SPECS, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_example_keeps_to_the_schema(file: Path) -> None:
    root = document.parse(file.read_text("utf-8-sig"), SPEC)
    assert root
    assert fits(document.plain(root), SCHEMA)


@hypothesis.given(specs())
def test_a_spec_is_refused_with_a_place_and_a_hint_or_written_once_and_for_all(
    repository: Repository, drawn: dict[str, Any]
) -> None:
    accepted = repository.settled(drawn)
    options = ("-C", str(repository.folder))
    assert cli.main(["generate", "--force", *options]) == 0
    files = {file.path: repository.folder / file.path for file in accepted.files}
    assert {path: file.read_text("utf-8") for path, file in files.items()} == {
        file.path: file.text for file in accepted.files
    }
    before = {file: file.stat().st_mtime_ns for file in files.values()}
    for verb in ("generate", "check"):
        assert cli.main([verb, *options]) == 0
    assert {file: file.stat().st_mtime_ns for file in files.values()} == before


@pytest.mark.needs("npm", "actionlint", "packages")
def test_what_is_rendered_passes_all_gates(
    repository: Repository, github_parser: GithubParser, tmp_path: Path
) -> None:
    subjects: dict[str, Subject] = {}

    @hypothesis.given(specs())
    def collect(drawn: dict[str, Any]) -> None:
        accepted = repository.settled(drawn)
        pins = accepted.text.replace('"', "")  # as they are in the workflow
        spec = load(accepted.text.encode(), SPEC, str(repository.folder))
        for file, workflow in zip(accepted.files, pipeline.workflows(spec, table()), strict=True):
            subjects[file.text] = Subject(file.path, file.text, pins, file.path)
            assert subjects[file.text].document == as_data(workflow)

    collect()
    found = Gates(tmp_path, github_parser).remarks(list(subjects.values()))
    for gate, remarks in found.items():
        for subject, said in zip(subjects.values(), remarks, strict=True):
            left = [one for one in said if not ASKED_FOR.match(one)]
            assert left == [], f"{gate}: {subject.spec}\n{subject.text}"


@hypothesis.given(st.data())
def test_a_mistake_is_refused_where_it_is(repository: Repository, data: st.DataObject) -> None:
    right = repository.settled(data.draw(specs()))
    mistake = data.draw(mistakes_in(right.spec))
    refusal = repository.refusal(mistake.text)
    assert refusal, f"{mistake.mistake} is not refused:\n{mistake.text}"
    assert {line for line, _ in refusal.places()} & {*mistake.lines}, refusal.problems
