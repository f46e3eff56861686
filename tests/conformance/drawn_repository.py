"""A repository for drawn specs: what the reader and the generator say of a spec in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.drawn_specs import drawn, example, paths
from conformance.spec_examples import FILES, content
from conformance.written_specs import Place, Written, below, without
from gen_workflow import cli
from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gen_workflow.commands.rendering import File

SPEC = "gen-workflow.yml"
_PROBLEM = re.compile(
    rf"{SPEC}:(?P<line>\d+):(?P<column>\d+) (?P<what>.+?)\n  hint: (?P<hint>.+)", re.DOTALL
)
# Sections in GitHub's own syntax: a job without what it needs is another job.
_GITHUBS = (("jobs",), ("extend",))
# Each time, what is refused is taken away.
_MOST_TIMES = 60


class Refusal(NamedTuple):
    """A spec that is refused: its text, and each problem as it was reported."""

    text: str
    problems: tuple[str, ...]

    def places(self) -> list[tuple[int, int]]:
        """Return line and column of each problem; who has none, or no hint, fails."""
        lines = self.text.split("\n")
        found = []
        for problem in self.problems:
            match = _PROBLEM.fullmatch(problem)
            assert match, f"{problem!r} has no place or no hint"
            line, column = int(match["line"]), int(match["column"])
            assert 1 <= line <= len(lines), f"{problem!r} is not in the spec"
            assert 1 <= column <= len(lines[line - 1]) + 1, f"{problem!r} is not in its line"
            found.append((line, column))
        return found


class Accepted(NamedTuple):
    """A spec that is right, its number, what it gives, and what was refused on the way to it."""

    number: int
    spec: dict[str, Any]
    text: str
    files: tuple[File, ...]
    refused: tuple[Refusal, ...]


class Repository:
    """A folder with the files that the examples name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in sorted({*_needed(), *paths(), *(f"{name}/Dockerfile" for name in _folders())}):
            _make(folder / name, is_folder=name in _folders())
        subprocess.run(("git", "init", "-q", str(folder)), check=True)
        self._accepted: dict[int, Accepted] = {}

    def accepted(self, number: int) -> Accepted:
        """Return what becomes of the drawn spec of a number; an error in it names the spec."""
        if number not in self._accepted:
            self._accepted[number] = self.settled(drawn(number), number)
        return self._accepted[number]

    def run(self, *words: str) -> int:
        """Run a command here, and return its exit code."""
        return cli.main([words[0], "-C", str(self.folder), *words[1:]])

    def has(self, accepted: Accepted) -> dict[Path, str]:
        """Put a spec and its files here, and nothing else of another spec; return the files."""
        shutil.rmtree(self.folder / ".github", ignore_errors=True)
        (self.folder / SPEC).write_text(accepted.text, encoding="utf-8")
        files = {self.folder / file.path: file.text for file in accepted.files}
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return files

    def rendered(self, text: str) -> tuple[File, ...]:
        """Return the files that a spec gives; raises SpecError for one that is refused."""
        (self.folder / SPEC).write_text(text, encoding="utf-8")
        return Project(str(self.folder), SPEC).rendered().files

    def refusal(self, text: str) -> Refusal | None:
        """Return what is wrong with a spec; None for one that is right."""
        try:
            self.rendered(text)
        except SpecError as error:
            return Refusal(text, error.problems)
        return None

    def settled(self, drawn: dict[str, Any], number: int = -1) -> Accepted:
        """Return a spec without what is refused in it: keys that exclude each other, and so on."""
        spec = deepcopy(drawn)
        refused: list[Refusal] = []
        given: set[tuple[Place, str]] = set()
        for _ in range(_MOST_TIMES):
            written = Written.of(spec)
            try:
                files = self.rendered(written.text)
            except SpecError as error:
                refused.append(Refusal(written.text, error.problems))
            except Exception as error:
                error.args = (f"{error}, for the drawn spec {number}:\n{written.text}",)
                raise
            else:
                return Accepted(number, spec, written.text, files, tuple(refused))
            spec = _mended(spec, written, refused[-1], given)
        message = f"nothing is left that is right:\n{refused[-1]}"
        raise AssertionError(message)


def smallest(spec: dict[str, Any], fails: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a spec that fails as another one does, without all that the failure does not need."""
    for path in [line.path for line in Written.of(spec).lines]:
        try:
            below(spec, path)
            less = without(spec, path)
        except (KeyError, IndexError, TypeError):
            continue  # went with what is around it
        if less and fails(less):
            return smallest(less, fails)
    return spec


def _mended(
    spec: dict[str, Any], written: Written, refusal: Refusal, given: set[tuple[Place, str]]
) -> dict[str, Any]:
    """Return a spec with what is missing in it, else without what is refused.

    `given` is what was missing before: a value that was refused is not given again.
    """
    lines = [line for line, _ in refusal.places()]
    wrong = []
    for problem, line in zip(refusal.problems, lines, strict=True):
        path = _meant(problem, written.path_at(line))
        missing = re.search(r": `([a-z-]+)` is missing\n", problem)
        inside = below(spec, path)
        is_clear = lines.count(line) == 1 and isinstance(inside, dict)
        name = missing[1] if missing and is_clear else ""
        value = example(name, frozenset(inside)) if name and (path, name) not in given else None
        if value is None:
            wrong.append(path[:2] if path[:1] in _GITHUBS else path)
        else:
            inside[name] = deepcopy(value)
            given.add((path, name))
    for path in _outermost(wrong):
        spec = without(spec, path)
    return spec if {"image", "images"} & set(spec) else {"image": ".", **spec}


def _meant(problem: str, path: Place) -> Place:
    """Return the path that a problem names: that of its line, or of a mapping that begins there."""
    named = problem.split(" ", maxsplit=1)[1]
    around = (path[:length] for length in range(len(path) + 1))
    return next((one for one in around if named.startswith(f"{'/'.join(map(str, one))}: ")), path)


def _outermost(found: list[Place]) -> list[Place]:
    """Return paths, the last first, without those inside of others."""
    paths = set(found)
    kept = [path for path in paths if not any(path[:n] in paths for n in range(len(path)))]
    return sorted(kept, key=lambda path: [str(part).zfill(9) for part in path], reverse=True)


def _needed() -> set[str]:
    """Return the files that the annotated examples say that they need."""
    heads = (re.match(r"# needs: (.*)\n", file.read_text("utf-8")) for file in FILES)
    return {name for head in heads if head for name in head[1].split(", ")}


def _folders() -> set[str]:
    """Return the paths that are folders: they end with a / or have no ending."""
    return {name for name in paths() if not re.search(r"Dockerfile|[^/]\.\w+$", name)}


def _make(path: Path, *, is_folder: bool) -> None:
    (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
    if not is_folder and not path.is_dir():
        path.write_text(content(path.name), encoding="utf-8")
