"""The languages that a test can ask for, and the files of a repository that say how to test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import SCALARS, Form, Schema, anchored

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value


class Language(NamedTuple):
    """A language: the files that hold its version, and those of which one says how to test.

    Without `projects`, the command to test is the same in every repository.
    """

    title: str
    versions: tuple[str, ...]
    projects: tuple[str, ...]


LANGUAGES = {
    "python": Language(
        "Python",
        (".python-version", "pyproject.toml"),
        ("uv.lock", "poetry.lock", "requirements.txt", "pyproject.toml"),
    ),
    "node": Language("Node.js", (".nvmrc", ".node-version", "package.json"), ("package.json",)),
    "java": Language(
        "Java",
        (".java-version", ".sdkmanrc"),
        ("gradlew", "mvnw", "pom.xml", "build.gradle", "build.gradle.kts"),
    ),
    "go": Language("Go", ("go.mod", "go.work", ".go-version"), ("go.mod", "go.work")),
    "rust": Language("Rust", ("rust-toolchain.toml", "rust-toolchain"), ("Cargo.toml",)),
    "dotnet": Language(".NET", ("global.json",), ()),
    "ruby": Language("Ruby", (".ruby-version",), ("Gemfile",)),
    "php": Language("PHP", (".php-version", "composer.json"), ("composer.json",)),
    "bun": Language("Bun", (".bun-version", "package.json"), ("package.json",)),
}
# What else says how a project is installed, what is cached, and how it is tested.
_OTHERS = (
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", ".yarnrc.yml", "pnpm-lock.yaml"),
    *("bun.lock", "bun.lockb", "requirements-dev.txt", "manage.py", "go.sum", "Cargo.lock"),
    *("packages.lock.json", "Gemfile.lock", ".rspec", "bin/rails", "composer.lock", "artisan"),
    "tests/Pest.php",
)
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.*/+_-]{0,60}"
_OF_THE_MATRIX = r"\$\{\{ *matrix\.[A-Za-z_][A-Za-z0-9_-]* *\}\}"


def found_in(folder: str, reading: Reading) -> tuple[str, ...]:
    """Return which of the files that decide on a test are in a folder of the repository."""
    known = (name for one in LANGUAGES.values() for name in (*one.versions, *one.projects))
    names = dict.fromkeys((*known, *_OTHERS))
    tree = reading.tree
    paths = {name: f"{folder}/{name}" if folder != "." else name for name in names}
    return tuple(one for one, at in paths.items() if tree.is_file(at) or tree.is_folder(at))


class Versions(Form[tuple[str, ...]]):
    """A version as it was written, the file that holds it, or a list of versions to test with."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._files = LANGUAGES[language].versions

    def read(self, value: Value, reading: Reading) -> tuple[str, ...] | None:
        if value.kind == "a list":
            found = [self._one(item, reading) for item in value.items()]
            names = tuple(dict.fromkeys(one for one in found if one))
            if not names and None not in found:
                hint = f"write one version, or several: {self._language}: [A, B]"
                reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
            return names or None
        one = self._one(value, reading)
        return None if one is None else (one,)

    def _one(self, value: Value, reading: Reading) -> str | None:
        found = value.text if value.kind in SCALARS else value.kind
        if value.kind in SCALARS and re.fullmatch(f"{_VERSION}|{_OF_THE_MATRIX}", found):
            return found
        if found in self._files:
            return found
        hint = f"write a version, or the file that holds it: {' or '.join(self._files)}"
        reading.problem(value, f"{found!r} is not a version", hint, Heading.WRONG_VALUE)
        return None

    def schema(self) -> Schema:
        files = "|".join(re.escape(one) for one in self._files)
        text = {"type": "string", "pattern": anchored(f"{_VERSION}|{_OF_THE_MATRIX}|{files}")}
        one = {"anyOf": [{"type": "number"}, text]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}
