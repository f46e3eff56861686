"""Whatever a spec says that the schema takes is rendered, or refused with a place and a hint.

The specs are drawn from the JSON Schema, each by a number. What the schema cannot say, as keys that
exclude each other, is refused; then it is taken away until the rest is right.

A failure names the numbers, and prints the smallest spec that fails: `DRAWN=7,20-30` in the
environment draws these alone.
"""

from __future__ import annotations

import itertools
import os
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from conformance.drawn_repository import SPEC, Repository, smallest
from conformance.drawn_specs import SPECS, drawn
from conformance.evaluated_runs import happenings, runs, starts
from conformance.gates import Gates
from conformance.merged_specs import what_is_lost
from conformance.said_lines import Change, unsaid
from conformance.spec_schema import SCHEMA, fits, met, names
from conformance.subjects import ROOT, Subject
from conformance.wrong_specs import mistake_in
from gen_workflow.explain import jobs
from gen_workflow.explain.starts import start
from gen_workflow.spec import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conformance.drawn_repository import Accepted
    from conformance.github_parser import GithubParser

# What a spec asks for by name: a runner of one's own, with labels that no linter knows, the image
# of a service at a tag, and a copy of our actions, whose reason is in test_zizmor.py.
ASKED_FOR = re.compile(
    r"self-hosted-runner: |self-repository: |unpinned-images: |\d+: label \".*\" is unknown"
)
# In `make test`; and in `make test-all`, each time others.
FEW, MANY = 200, 2_000
# What takes longer is looked at for one spec of so many in `make test`, and for each beyond it.
SELDOM = 20
# At a time, so that a failure is found before everything is rendered.
AT_ONCE = 200
pytestmark = pytest.mark.timeout(4 * 60 * 60)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def numbers(request: pytest.FixtureRequest) -> list[int]:
    """The numbers of the specs that are drawn."""
    if asked := os.environ.get("DRAWN"):
        ends = [each.split("-") for each in asked.split(",")]
        return [n for each in ends for n in range(int(each[0]), int(each[-1]) + 1)]
    if request.config.getoption("--test-all"):
        begin = Random().randrange(1_000_000)  # noqa: S311 - not a secret
        return [*range(begin, begin + MANY)]
    return [*range(FEW)]


@pytest.fixture(scope="module")
def some(request: pytest.FixtureRequest, numbers: list[int]) -> list[int]:
    """The numbers for what takes longer."""
    is_few = len(numbers) == FEW and not request.config.getoption("--test-all")
    return numbers[::SELDOM] if is_few else numbers


def hold(
    repository: Repository, numbers: list[int], check: Callable[[Accepted], list[str]]
) -> None:
    """Check specs, each by its number; the smallest that is like the first that fails is shown."""
    wrong = {number: said for number in numbers if (said := check(repository.accepted(number)))}
    if wrong:
        first, said = next(iter(wrong.items()))
        message = "\n".join([f"the drawn specs {', '.join(map(str, wrong))}; of {first}:", *said])
        pytest.fail(f"{message}\n{_smallest(repository, first, check)}")


def _smallest(repository: Repository, number: int, check: Callable[[Accepted], list[str]]) -> str:
    def fails(spec: dict[str, Any]) -> bool:
        if not fits(spec, SCHEMA):
            return False
        accepted = repository.settled(spec, number)
        return accepted.spec == spec and bool(check(accepted))

    spec = smallest(repository.accepted(number).spec, fails)
    accepted = repository.settled(spec, number)
    return "\n".join(["the smallest that fails:", accepted.text, *check(accepted)])


@pytest.mark.parametrize("file", SPECS, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_example_keeps_to_the_schema(file: Path) -> None:
    root = document.parse(file.read_text("utf-8-sig"), SPEC)
    assert root
    assert fits(document.plain(root), SCHEMA)


def test_what_is_refused_has_a_place_and_a_hint(repository: Repository, numbers: list[int]) -> None:
    for number in numbers:
        for refusal in repository.accepted(number).refused:
            assert refusal.places(), f"the drawn spec {number}"


def test_a_second_run_changes_nothing(repository: Repository, numbers: list[int]) -> None:
    def check(accepted: Accepted) -> list[str]:
        files = repository.has(accepted)
        before = {file: file.stat().st_mtime_ns for file in files}
        codes = [repository.run(verb) for verb in ("generate", "check")]
        same = {file: file.stat().st_mtime_ns for file in files} == before
        return [] if codes == [0, 0] and same else [f"exit codes {codes}, unchanged: {same}"]

    hold(repository, numbers, check)


def test_generate_writes_what_is_rendered_and_finds_nothing_to_do_then(
    repository: Repository, some: list[int]
) -> None:
    def check(accepted: Accepted) -> list[str]:
        files = repository.has(accepted)
        for file in files:
            file.write_text("Other.\n")
        code = repository.run("generate", "--force")
        written = {file: file.read_text("utf-8") for file in files}
        return [] if code == 0 and written == files else [f"exit code {code}"]

    hold(repository, some, check)


@pytest.mark.needs("npm", "actionlint", "packages")
def test_what_is_rendered_passes_all_gates(
    repository: Repository, numbers: list[int], github_parser: GithubParser, tmp_path: Path
) -> None:
    wrong: dict[int, list[str]] = {}
    for begin in range(0, len(numbers), AT_ONCE):
        accepted = [repository.accepted(n) for n in numbers[begin : begin + AT_ONCE]]
        wrong |= _remarks(accepted, github_parser, tmp_path / str(begin))
    folders = itertools.count()

    def check(accepted: Accepted) -> list[str]:
        return _remarks([accepted], github_parser, tmp_path / f"again-{next(folders)}").get(
            accepted.number, []
        )

    if wrong:
        all_of_them = "\n".join(f"{n}: {one}" for n, said in wrong.items() for one in said)
        pytest.fail(f"{all_of_them}\n{_smallest(repository, next(iter(wrong)), check)}")


def _remarks(accepted: list[Accepted], parser: GithubParser, folder: Path) -> dict[int, list[str]]:
    """Return what gates remark on the files of specs, by the number of the spec."""
    folder.mkdir()
    subjects = {
        file.text: (one.number, Subject(file.path, file.text, _pins(one), file.path))
        for one in accepted
        for file in one.files
    }
    found = Gates(folder, parser).remarks([subject for _, subject in subjects.values()])
    wrong: dict[int, list[str]] = {}
    for gate, remarks in found.items():
        for (number, subject), said in zip(subjects.values(), remarks, strict=True):
            for one in said:
                if not ASKED_FOR.match(one):
                    wrong.setdefault(number, []).append(f"{gate}: {subject.name}: {one}")
    return wrong


def _pins(accepted: Accepted) -> str:
    return accepted.text.replace('"', "")  # as they are in the workflow


def test_a_mistake_is_refused_where_it_is(repository: Repository, numbers: list[int]) -> None:
    wrong = []
    for number in numbers:
        mistake = mistake_in(repository.accepted(number).spec, number, Random(number))  # noqa: S311
        try:
            refusal = repository.refusal(mistake.text)
            assert refusal, "is not refused"
            places = refusal.places()
            assert {*places} & {*mistake.places}, f"is refused elsewhere: {refusal.problems}"
        except Exception as error:  # noqa: BLE001 - all of them are to be shown
            shown = mistake.text if len(mistake.text) < 4_000 else mistake.text[:4_000]
            wrong.append(f"{number}: {mistake.mistake} {error!r}\n{shown}")
    assert not wrong, f"{len(wrong)} mistakes\n" + "\n".join(wrong)


@pytest.mark.needs("npm")
def test_explain_says_what_githubs_evaluator_says(
    repository: Repository, some: list[int], github_parser: GithubParser
) -> None:
    def check(accepted: Accepted) -> list[str]:
        files = (Subject(one.path, one.text, file=one.path) for one in accepted.files)
        return [said for one in files for said in _unlike(one.document, github_parser)]

    hold(repository, some, check)


def _unlike(workflow: Any, parser: GithubParser) -> Iterator[str]:
    """Yield each event for which `explain` and GitHub's evaluator differ on what runs."""
    for happening in happenings(workflow):
        said = start(workflow["on"], happening.event)
        if "workflow_call" not in workflow["on"] and (said.starts is not False) != starts(
            workflow["on"], happening
        ):
            yield f"{happening.event.words}: explain says that it starts: {said}"
        elif said.starts is not False:
            inputs = said.inputs if said.starts is None else happening.inputs or {}
            verdicts = jobs.verdicts(workflow["jobs"], happening.event, inputs)
            unknown = {one.job for one in verdicts if one.runs == jobs.DEPENDS}
            explained = {one.job for one in verdicts if one.runs == jobs.RUNS}
            evaluated = runs(workflow["jobs"], happening, parser, unknown)
            if explained != evaluated:
                yield f"{happening.event.words}: {explained}, but {evaluated} run"


def test_every_spec_is_explained_and_drawn(repository: Repository, some: list[int]) -> None:
    commands = (
        "explain", "explain --json", "explain --event push --ref topic",
        "explain --event release --tag v1.2.3", "graph --format terminal", "graph --format mermaid",
        "graph --format svg --event pull_request --fork",
    )  # fmt: skip

    def check(accepted: Accepted) -> list[str]:
        repository.has(accepted)
        asked = commands if len(some) > SELDOM * 2 else commands[accepted.number // SELDOM % 3 :: 3]
        codes = {words: repository.run(*words.split()) for words in asked}
        return [f"{words}: exit code {code}" for words, code in codes.items() if code]

    hold(repository, some, check)


def test_a_changed_value_changes_the_lines_that_say_it_and_keeps_a_comment(
    repository: Repository, some: list[int]
) -> None:
    def check(accepted: Accepted) -> list[str]:
        return what_is_lost(repository, accepted, Random(accepted.number))  # noqa: S311

    hold(repository, some, check)


@pytest.mark.parametrize(
    ("place", "old", "new", "before", "after"),
    [
        (("image", "target"), "serve", "debug", "    name: Build", "    name: Make"),
        (("on", "merge-queue"), True, False, "    if: a && b", "    if: a"),
        (("deploy", "health", "timeout"), 60, 59, "timeout-minutes: 31", "timeout-minutes: 32"),
        (("deploy", "max-parallel"), 1, 2, "timeout-minutes: 35", "timeout-minutes: 36"),
        (("deploy", "keep"), 6, 7, 'lock-timeout: "600"', 'lock-timeout: "601"'),
        (("test", "run"), "make", "make test", "        run: |", "        run: |-"),
    ],
)
def test_a_line_that_does_not_say_the_changed_value_is_found(
    place: tuple[str, ...], old: object, new: object, before: str, after: str
) -> None:
    assert unsaid([before], [after], Change(place, old, new)) == [
        f"changed, and does not say it:\n{before}\n{after}"
    ]


@pytest.mark.test_all
def test_every_part_of_the_schema_is_drawn(numbers: list[int]) -> None:
    found = {name for number in numbers for name in met(drawn(number))}
    assert sorted({*names()} - found) == []


@pytest.mark.test_all
def test_every_pair_of_sections_is_drawn(numbers: list[int]) -> None:
    pairs = {
        pair for number in numbers for pair in itertools.combinations(sorted(drawn(number)), 2)
    }
    wanted = {*itertools.combinations(sorted(SCHEMA["properties"]), 2)}
    assert sorted(wanted - pairs) == [("image", "images")]
