"""What the gates look at: every rendered workflow, every workflow and action of our own."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from bed.action_file import action_folders
from conformance.spec_examples import FILES, repository
from gen_workflow.commands.project import Project
from gen_workflow.errors import UserError
from gen_workflow.fleet import nightly, roster
from gen_workflow.pins.table import table
from gen_workflow.render import template
from once import once

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SPECS = ("gen-workflow.yml", "spec.yml")
FLEET_WITH_ALL = """\
owner: acme
select: {properties: {team: shop}}
rings: {first: 1, others: rest}
"""
# Documents that were read, by their text. They are packed: who changes one changes no other.
_READ: dict[str, bytes] = {}


@dataclass(frozen=True)
class Subject:
    """One document: a workflow or an action.yml, its name in the tests, its spec if any.

    `folder` is the repository of the spec.
    """

    name: str
    text: str
    spec: str = ""
    file: str = ".github/workflows/ci-cd.yml"
    folder: Path = ROOT

    @property
    def is_workflow(self) -> bool:
        return not self.name.endswith("action.yml")

    @property
    def path(self) -> str:
        """Path in a repository that makes tools see the right kind of document."""
        return self.file if self.is_workflow else self.name

    @property
    def document(self) -> Any:
        """The document as data, where `on` is a word as in YAML 1.2."""
        return pickle.loads(_read(self.text))  # noqa: S301 - we have packed it

    def place(self, folder: Path) -> Path:
        """Write the document where a tool expects it in a repository, and return its path."""
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.text, encoding="utf-8")
        return target

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps of all jobs, or of the action; those that an alias repeats once."""
        document = self.document
        if not self.is_workflow:
            return list(document["runs"]["steps"])
        found = [step for job in document["jobs"].values() for step in job.get("steps", ())]
        return list({id(step): step for step in found}.values())


def _read(text: str) -> bytes:
    if text not in _READ:
        _READ[text] = pickle.dumps(YAML(typ="safe").load(text))
    return _READ[text]


@cache
def rendered() -> tuple[Subject, ...]:
    """Render every example and every case whose spec is right; a wrong one is its own test's."""
    found, read = once("rendered", _rendered_and_read)
    _READ.update(read)
    return found


def _rendered_and_read() -> tuple[tuple[Subject, ...], dict[str, bytes]]:
    found = tuple(_rendered())
    return found, {each.text: _read(each.text) for each in found}


def _rendered() -> Iterator[Subject]:
    specs = {
        str(path.parent.relative_to(ROOT)): path for name in SPECS for path in sorted(_specs(name))
    }
    specs |= {str(file.relative_to(ROOT)): repository(file) / "gen-workflow.yml" for file in FILES}
    for name, spec in specs.items():
        try:
            files = Project(str(spec.parent), spec.name).rendered().files
        except UserError:
            continue
        for file in files:
            whole = name if file is files[0] else f"{name}: {Path(file.path).name}"
            said = spec.read_text(encoding="utf-8")
            yield Subject(whole, file.text, said, file.path, spec.parent)


@cache
def ours() -> tuple[Subject, ...]:
    """Return our actions, our own workflows, and those that the examples hold."""
    paths = [folder / "action.yml" for folder in action_folders()]
    paths += sorted(ROOT.glob(".github/workflows/*.y*ml"))
    paths += sorted(ROOT.glob("examples/*/.github/workflows/*.y*ml"))
    found = (Subject(str(each.relative_to(ROOT)), each.read_text("utf-8")) for each in paths)
    return (*found, *of_a_fleet())


def of_a_fleet() -> Iterator[Subject]:
    """Yield the workflows that `fleet workflow` prints: the shortest, and one with all there is."""
    for name, shards, text in (
        ("short", 1, "repos: [acme/orders, partner/web]"),
        ("rings and shards", 3, FLEET_WITH_ALL),
    ):
        fleet = roster.read(text.encode(), "fleet.yml")
        made = nightly.workflow("fleet.yml", fleet, shards, table(), "gen-workflow fleet workflow")
        rendered = template.render(made, source="fleet.yml")
        yield Subject(f"fleet workflow: {name}", rendered, file=made.path)


def everything() -> tuple[Subject, ...]:
    """Return all that the gates look at."""
    return (*ours(), *rendered())


def workflows() -> list[Subject]:
    return [each for each in everything() if each.is_workflow]


def actions() -> list[Subject]:
    return [each for each in everything() if not each.is_workflow]


def _specs(name: str) -> Iterator[Path]:
    yield from (ROOT / "examples").rglob(name)
    yield from (ROOT / "tests" / "cases").rglob(name)
