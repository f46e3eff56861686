"""All gates over many documents at once: what each gate remarks on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from conformance import rules, test_actionlint
from conformance.test_pins import unpinned
from conformance.test_schemas import problems
from conformance.test_zizmor import findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.github_parser import GithubParser
    from conformance.subjects import Subject

# By gate, for each document what it remarks.
Remarks = dict[str, list[list[str]]]


class Gates(NamedTuple):
    """The gates, with a folder for their files and GitHub's own parser; `strict` is zizmor's."""

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
            "zizmor": findings(paths, strict=self.strict),
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
    found = test_actionlint.remarks(paths, folder)
    return [[each for each in some if not test_actionlint.is_known(each)] for some in found]
