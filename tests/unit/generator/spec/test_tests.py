"""The section `test`: what is read, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec import test as section
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from unit.generator.conftest import Repository


def read(repository: Repository, text: str) -> tuple[section.Test, ...]:
    raw = f"image: .\ntest: {text}\n".encode()
    return load(raw, "gen-workflow.yml", str(repository.folder)).test


def problem(repository: Repository, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        read(repository, text)
    (one,) = caught.value.problems
    return one.removeprefix("gen-workflow.yml:")


def test_a_text_is_a_command(repository: Repository) -> None:
    assert read(repository, "make test") == (section.Test(run="make test"),)


def test_a_version_stays_as_it_was_written(repository: Repository) -> None:
    (one,) = read(repository, "{python: [3.10, 3.9], run: tox}")
    assert one.languages == {"python": ("3.10", "3.9")}


def test_the_files_in_the_folder_are_found(repository: Repository) -> None:
    (repository.folder / "web").mkdir()
    for name in ("package.json", "yarn.lock", "other.json"):
        (repository.folder / "web" / name).touch()
    (one,) = read(repository, "{node: 22, folder: web}")
    assert one.found == ("package.json", "yarn.lock")
    assert one.paths == ("web/", "web/package.json", "web/yarn.lock")


def test_values_of_the_environment_are_texts(repository: Repository) -> None:
    (one,) = read(repository, "{run: a, env: {CI: true, N: 1.10, E: '', V: '${{ vars.V }}'}}")
    assert one.env == (("CI", "true"), ("N", "1.10"), ("E", ""), ("V", "${{ vars.V }}"))


def test_the_matrix_of_a_list_of_versions_can_be_used(repository: Repository) -> None:
    text = "{node: [22, 24], run: a, env: {V: '${{ matrix.node }}'}}"
    assert read(repository, text)[0].languages == {"node": ("22", "24")}


WRONG = [
    pytest.param(
        "{timeout: 5}",
        "2:7 test: tests nothing\n  hint: write the commands: run: npm ci && npm test",
        id="nothing-to-do",
    ),
    pytest.param(
        "{stpes: [make]}",
        "2:8 test/stpes: is not a key of the spec\n  hint: perhaps you meant `steps`",
        id="misspelt-key",
    ),
    pytest.param(
        "{node: 22, python: 3.13}",
        "2:7 test: of several languages does not say how to test\n"
        "  hint: write the commands: run: npm ci && npm test",
        id="several-languages",
    ),
    pytest.param(
        "{node: 22}",
        "2:14 test/node: how to test is not known: the repository has no package.json\n"
        "  hint: write the commands: run: npm ci && npm test; or say `folder`",
        id="no-project",
    ),
    pytest.param(
        "{node: .nvmrc, run: a}",
        "2:14 test/node: there is no .nvmrc in .\n"
        "  hint: write the version itself, or say `folder`",
        id="no-file-of-the-version",
    ),
    pytest.param(
        "{node: '>=22', run: a}",
        "2:14 test/node: '>=22' is not a version\n  hint: write a version, or the file that holds "
        "it: .nvmrc or .node-version or package.json",
        id="version",
    ),
    pytest.param(
        "{node: [], run: a}",
        "2:14 test/node: is empty\n  hint: write one version, or several: node: [A, B]",
        id="no-versions",
    ),
    pytest.param(
        "{run: a, steps: [b]}",
        "2:23 test/steps: cannot be beside `run`: it is one of the steps\n"
        "  hint: put `run` into the steps",
        id="run-and-steps",
    ),
    pytest.param(
        "echo ${{ github.head_ref }}",
        "2:7 test: an expression becomes a part of the script, so that a branch could be named "
        "as a command\n"
        '  hint: write env: {HEAD_REF: "${{ github.head_ref }}"}, and in the script "$HEAD_REF"',
        id="expression-in-the-command",
    ),
    pytest.param(
        "{run: a, env: {KEY: '${{ secrets.KEY }}'}}",
        "2:21 test/env: takes the secret KEY, but pull requests run the tests, which could print "
        "it\n  hint: use it in a step of a deploy, whose job has an environment that keeps secrets",
        id="secret",
    ),
    pytest.param(
        "{run: a, env: {V: '${{ matrix.databse }}'}, matrix: {database: [a, b]}}",
        "2:21 test/env: `matrix.databse` is not in the matrix\n"
        "  hint: perhaps you meant `database`",
        id="misspelt-matrix",
    ),
    pytest.param(
        "{node: '${{ matrix.node }}', run: a}",
        "2:14 test/node: `matrix.node` is not in the matrix\n  hint: add matrix: {node: [A, B]}",
        id="no-matrix",
    ),
    pytest.param(
        "{node: [22, 24], run: a, matrix: {node: [22, 24]}}",
        "2:47 test/matrix/node: is the list of `node` too\n  hint: write node: ${{ matrix.node }}",
        id="matrix-twice",
    ),
    pytest.param(
        "{run: a, matrix: {}}",
        "2:24 test/matrix: is empty\n"
        "  hint: write for example {node: [22, 24], database: [postgres, mysql]}",
        id="empty-matrix",
    ),
    pytest.param(
        "{run: a, matrix: {node: 22}}",
        "2:31 test/matrix/node: should be a list of values, but is a number\n"
        "  hint: write for example [22, 24]",
        id="matrix-without-a-list",
    ),
    pytest.param(
        "{run: a, matrix: {node: [22], include: [24]}}",
        "2:47 test/matrix/include/0: should be in a list of mappings, but is a number\n"
        "  hint: write for example {node: 24}",
        id="include-without-mappings",
    ),
    pytest.param(
        "{run: a, matrix: {a: ['${{ github.ref }}']}}",
        "2:29 test/matrix/a/0: an expression is not allowed here\n  hint: write the value itself",
        id="expression-in-the-matrix",
    ),
    pytest.param(
        f"{{run: a, matrix: {{a: {[*range(17)]}, b: {[*range(16)]}}}}}",
        "2:24 test/matrix: makes 272 jobs, and GitHub takes at most 256\n  hint: name fewer values",
        id="matrix-too-large",
    ),
    pytest.param(
        "{run: a, services: {postgres: postgres}}",
        "2:37 test/services/postgres: 'postgres' has no version, so that the newest one comes "
        "whenever it is released\n  hint: write for example postgres:17",
        id="service-without-version",
    ),
    pytest.param(
        "{run: a, services: {db: {image: 'postgres:17', ports: [a]}}}",
        "2:62 test/services/db/ports/0: 'a' is not a port\n"
        '  hint: write for example "5432:5432", the port of the runner and that of the service',
        id="port",
    ),
    pytest.param(
        "{run: a, services: {db: {ports: ['1:1']}}}",
        "2:31 test/services/db: `image` is missing\n  hint: write for example image: postgres:17",
        id="service-without-image",
    ),
    pytest.param(
        "[{run: a}, {run: b, name: b}]",
        "2:8 test/0: `name` is missing\n"
        "  hint: give each of several tests a name: {name: api, python: 3.13, folder: api}",
        id="no-name",
    ),
    pytest.param(
        "[{run: a, name: b}, {run: b, name: b}]",
        "2:42 test/1/name: 'b' appears twice\n  hint: give each test its own name",
        id="name-twice",
    ),
    pytest.param(
        "[]",
        "2:7 test: is empty\n  hint: write for example [{name: api, python: 3.13, folder: api}]",
        id="empty",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_with_a_test_is_said_at_its_place(
    text: str, message: str, repository: Repository
) -> None:
    assert problem(repository, text) == message


def test_a_folder_is_looked_for(repository: Repository, tmp_path: Path) -> None:
    assert problem(repository, "{run: a, folder: web}") == (
        f"2:24 test/folder: there is no folder {tmp_path}/web\n"
        "  hint: name a folder of the repository, such as ."
    )


@pytest.mark.parametrize(
    ("exclude", "what"),
    [
        ("[{nod: 22}]", "2:64 test/matrix/exclude/0/nod: 'nod' is not in the matrix"),
        ("[{db: x}]", "2:68 test/matrix/exclude/0/db: 'x' is not a value of db in the matrix"),
    ],
)
def test_what_a_matrix_leaves_out_is_a_part_of_it(
    exclude: str, what: str, repository: Repository
) -> None:
    matrix = f"{{node: [22, 24], db: [a, b], exclude: {exclude}}}"
    assert problem(repository, f"{{run: x, matrix: {matrix}}}").startswith(what)


def test_a_combination_of_a_matrix_can_be_left_out(repository: Repository) -> None:
    matrix = "{db: [a, b], exclude: [{node: 22, db: a}]}"
    (test,) = read(repository, f"{{run: x, node: [22, 24], matrix: {matrix}}}")
    assert dict(test.matrix)["exclude"] == [{"node": 22, "db": "a"}]
