"""The tests of a spec: jobs that have to succeed before anything is built."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import raw, step_keys
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Form, Schema, Text, WholeNumber
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.languages import LANGUAGES, Versions, found_in
from gen_workflow.spec.matrix import MATRIX, Pairs
from gen_workflow.spec.paths import FOLDER
from gen_workflow.spec.sections import Fields, Key, Section
from gen_workflow.spec.services import SERVICES, UNTRUSTED, VALUES, Service
from gen_workflow.spec.steps import EXAMPLE, Steps
from gen_workflow.workflow.records import RawStep

_OF_MATRIX = r"(?<![\w.'-])matrix\.([A-Za-z_][A-Za-z0-9_-]*)"
_MORE = "{name: api, python: 3.13, folder: api}"


def _language(name: str, example: str) -> Key:
    """Return the key of a language."""
    title = LANGUAGES[name].title
    says = f"Version of {title}, the file that holds it, or a list to test with each"
    return Key(says, Versions(name), example, "0.1.0")


def _command(value: Value, reading: Reading) -> str | None:
    step_keys.run(value, reading, UNTRUSTED)
    return value.text if value.kind == "text" else None


class Test(NamedTuple):
    """A job that tests; `found` are the files in its folder that say how."""

    name: Annotated[
        str,
        Key(
            "Name of the job, which is needed where there are several",
            Text(
                "a name of a test",
                r"[a-z](?:[a-z0-9]|[-_](?=[a-z0-9])){0,49}",
                "api; small letters and digits, with single - or _ between them",
            ),
            "api",
            "0.1.0",
        ),
    ] = ""
    python: Annotated[tuple[str, ...], _language("python", '"3.13"')] = ()
    node: Annotated[tuple[str, ...], _language("node", "22")] = ()
    java: Annotated[tuple[str, ...], _language("java", "21")] = ()
    go: Annotated[tuple[str, ...], _language("go", "go.mod")] = ()
    rust: Annotated[tuple[str, ...], _language("rust", "1.85")] = ()
    dotnet: Annotated[tuple[str, ...], _language("dotnet", "9")] = ()
    ruby: Annotated[tuple[str, ...], _language("ruby", "3.4")] = ()
    php: Annotated[tuple[str, ...], _language("php", "8.4")] = ()
    bun: Annotated[tuple[str, ...], _language("bun", "1.2")] = ()
    run: Annotated[
        str,
        Key(
            "Commands that install and test",
            Checked(_command, step_keys.COMMAND),
            "npm ci && npm test",
            "0.1.0",
            default="what the files of the repository say",
        ),
    ] = ""
    steps: Annotated[
        tuple[RawStep, ...],
        Key(
            "Steps in GitHub's own syntax, in place of `run`, after the languages are set up",
            Steps(UNTRUSTED),
            EXAMPLE,
            "0.1.0",
        ),
    ] = ()
    matrix: Annotated[
        Pairs,
        Key(
            "Values to test with, each combination in a job of its own; `${{ matrix.NAME }}` is "
            "one of them",
            MATRIX,
            "{database: [postgres, mysql]}",
            "0.1.0",
        ),
    ] = ()
    services: Annotated[
        tuple[Service, ...],
        Key(
            "Services beside the test: a name, and an image or a mapping",
            SERVICES,
            '{postgres: "postgres:17"}',
            "0.1.0",
        ),
    ] = ()
    env: Annotated[
        tuple[tuple[str, str], ...],
        Key("Environment of the test, no secrets", VALUES, "{CI: true}", "0.1.0"),
    ] = ()
    folder: Annotated[
        str,
        Key("Folder in which the commands run", FOLDER, "backend", "0.1.0"),
    ] = "."
    timeout: Annotated[
        str,
        Key(
            "Minutes after which the job is ended",
            WholeNumber("a number of minutes", 1, step_keys.LONGEST, 15),
            "15",
            "0.1.0",
        ),
    ] = "30"
    found: tuple[str, ...] = ()

    @property
    def languages(self) -> dict[str, tuple[str, ...]]:
        """The languages that are set up, each with its versions."""
        asked = ((name, getattr(self, name)) for name in LANGUAGES)
        return {name: versions for name, versions in asked if versions}

    @property
    def paths(self) -> tuple[str, ...]:
        """What must be in the repository for the test: a folder has a `/` at its end."""
        inside = "" if self.folder == "." else f"{self.folder}/"
        return (*([inside] if inside else []), *(f"{inside}{name}" for name in self.found))


def _fits(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of a test that do not fit each other; its rule."""
    there, read = fields.values, fields.read
    languages = [name for name in LANGUAGES if name in there]
    if "run" in there and "steps" in there:
        what, hint = "cannot be beside `run`: it is one of the steps", "put `run` into the steps"
        reading.problem(there["steps"], what, hint, Heading.TOGETHER)
    read["found"] = found_in(read.get("folder") or ".", reading) if languages else ()
    if not ("run" in there or "steps" in there or fields.has_others):
        _note_unknown_command(languages, fields, reading)
    for name in languages:
        _note_version_file(name, fields, reading)
    _note_matrix(languages, fields, reading)


def _note_unknown_command(languages: list[str], fields: Fields, reading: Reading) -> None:
    if len(languages) != 1:
        what = "of several languages does not say how to test" if languages else "tests nothing"
        hint = "write the commands: run: npm ci && npm test"
        reading.problem(fields.where, what, hint, Heading.MISSING_KEY)
        return
    projects = LANGUAGES[languages[0]].projects
    if projects and not {*projects} & {*fields.read["found"]}:
        folder = fields.read.get("folder") or "."
        where = "the repository" if folder == "." else folder
        what = f"how to test is not known: {where} has no {' or '.join(projects)}"
        hint = "write the commands: run: npm ci && npm test; or say `folder`"
        reading.problem(fields.values[languages[0]], what, hint, Heading.NOT_THERE)


def _note_version_file(name: str, fields: Fields, reading: Reading) -> None:
    for one in fields.read.get(name) or ():
        if one in LANGUAGES[name].versions and one not in fields.read["found"]:
            what = f"there is no {one} in {fields.read.get('folder') or '.'}"
            hint = "write the version itself, or say `folder`"
            reading.problem(fields.values[name], what, hint, Heading.NOT_THERE)


def _note_matrix(languages: list[str], fields: Fields, reading: Reading) -> None:
    """Note each value of the matrix that is used and not there, and each that is there twice."""
    read = fields.read
    rows = dict(read.get("matrix") or ())
    known = {*rows, *(name for row in rows.get("include", ()) for name in row)}
    known |= {name for name in languages if len(read.get(name) or ()) > 1}
    for name in languages:
        if name in rows and len(read.get(name) or ()) > 1:
            what, hint = f"is the list of `{name}` too", f"write {name}: ${{{{ matrix.{name} }}}}"
            reading.problem(fields.values["matrix"].below([name]), what, hint, Heading.TWICE)
    for key, item in fields.values.items():
        content = raw.data(item, Reading("")) if key != "matrix" else None
        for used in (one for text in raw.texts(content) for one in re.findall(_OF_MATRIX, text)):
            if used not in known:
                names = tuple(sorted(known - {"include", "exclude"}))
                hint = near(used, names) or (
                    f"use one of {listed(names)}" if names else f"add matrix: {{{used}: [A, B]}}"
                )
                what = f"`matrix.{used}` is not in the matrix"
                reading.problem(item, what, hint, Heading.WRONG_VALUE)


TEST = Section(Test, rule=_fits)


class _Tests(Form[tuple[Test, ...]]):
    """A command, a mapping, or a list of mappings with names."""

    section = TEST

    def read(self, value: Value, reading: Reading) -> tuple[Test, ...] | None:
        if value.kind == "text":
            one = TEST.of(value, {"run": value}, reading)
            return one and (one,)
        if value.kind != "a list":
            one = TEST.read(value, reading)
            return one and (one,)
        if not value.items():
            what, hint = "is empty", f"write for example [{_MORE}]"
            reading.problem(value, what, hint, Heading.WRONG_KIND)
        found = [(item, TEST.read(item, reading)) for item in value.items()]
        _note_names([(item, one) for item, one in found if one], reading)
        return tuple(one for _, one in found if one)

    def schema(self) -> Schema:
        one = {"$ref": "#/definitions/test"}
        named = {"allOf": [one, {"required": ["name"]}]}
        many = {"type": "array", "items": named, "minItems": 1}
        return {"anyOf": [step_keys.COMMAND, one, many]}


def _note_names(found: list[tuple[Value, Test]], reading: Reading) -> None:
    seen: set[str] = set()
    for item, one in found:
        if not one.name and item.below(["name"]) is item:
            hint = f"give each of several tests a name: {_MORE}"
            reading.problem(item, "`name` is missing", hint, Heading.MISSING_KEY)
        elif one.name in seen:
            what, hint = f"{one.name!r} appears twice", "give each test its own name"
            reading.problem(item.below(["name"]), what, hint, Heading.TWICE)
        seen.add(one.name)


TESTS = _Tests()
