"""All gates over many documents at once: what each gate remarks on each of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bed.tools import Cannot, go_tool
from conformance import rules
from conformance.test_actionlint import is_known
from conformance.test_pins import unpinned
from conformance.test_schemas import problems
from conformance.test_zizmor import QUIET, STRICT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.github_parser import GithubParser
    from conformance.subjects import Subject

# By gate, for each document what it remarks.
Remarks = dict[str, list[list[str]]]


class Gates(NamedTuple):
    """The gates, with a folder for their files and GitHub's own parser.

    With `strict`, zizmor refuses to look at anything when there is a file that it cannot read.
    """

    folder: Path
    parser: GithubParser
    strict: bool = True

    def remarks(self, subjects: Sequence[Subject]) -> Remarks:
        """Return what each gate remarks on each document."""
        read = [_read(each.text) for each in subjects]
        documents = [found for found, _ in read]
        paths = [each.place(self.folder / str(n)) for n, each in enumerate(subjects)]
        return {
            "another reader": [found for _, found in read],
            "schema": [_of_the_schemas(document) for document in documents],
            "actionlint": _actionlint(paths, self.folder),
            "zizmor": _zizmor(paths, strict=self.strict),
            "github": [self.parser.problems(each) for each in subjects],
            "pins": [unpinned(each) for each in subjects],
            "rules": [
                list(rules.broken(document, each.text, self.parser)) if document else []
                for each, document in zip(subjects, documents, strict=True)
            ],
        }


def _read(text: str) -> tuple[Any, list[str]]:
    """Return a document, None when it is none, and what readers of YAML 1.1 and 1.2 differ in."""
    try:
        document = YAML(typ="safe").load(text)
        older = YAML(typ="safe", pure=True)
        older.version = (1, 1)
        same = older.load(text)
    except YAMLError as error:
        return None, [str(error)]
    if isinstance(same, dict) and True in same:
        same["on"] = same.pop(True)  # the key, which every program for workflows knows
    return document, [] if same == document else ["YAML 1.1 and 1.2 read different values"]


def _of_the_schemas(document: Any) -> list[str]:
    names = ("vendor/github-workflows.json", "custom/github-workflows-require-timeout.json")
    return [each for name in names if document for each in problems(name, document)]


def _actionlint(paths: Sequence[Path], folder: Path) -> list[list[str]]:
    argv = (str(go_tool("actionlint")), "-format", "{{json .}}", "-shellcheck", "shellcheck")
    # It names files as they are seen from where it runs.
    names = [str(path.relative_to(folder)) for path in paths]
    done = subprocess.run((*argv, *names), cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, list[str]] = {name: [] for name in names}
    for each in json.loads(done.stdout) or ():
        if not is_known(each["message"]):
            found[each["filepath"]].append(f"{each['line']}: {each['message']}")
    return list(found.values())


def _zizmor(paths: Sequence[Path], *, strict: bool) -> list[list[str]]:
    if sys.version_info < (3, 11):
        pytest.skip(Cannot.ZIZMOR.reason)
    program = shutil.which("zizmor", path=Path(sys.executable).parent)
    assert program, "zizmor is not in the environment; run python3 tests/bed/setup.py"
    # With a token it would ask GitHub.
    env = {name: value for name, value in os.environ.items() if name != "GH_TOKEN"}
    how = [word for word in STRICT if strict or word != "--strict-collection"]
    argv = (program, *how, *QUIET, *paths)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.stdout, done.stderr
    found: dict[str, list[str]] = {str(path): [] for path in paths}
    for each in json.loads(done.stdout):
        place = each["locations"][0]["symbolic"]["key"]["Local"]
        found[place.get("verbatim_path") or place["given_path"]].append(
            f"{each['ident']}: {each['desc']}"
        )
    return list(found.values())
