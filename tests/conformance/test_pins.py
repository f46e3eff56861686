"""Every foreign action is pinned to a commit, and the comment behind it tells the true version."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest
from ruamel.yaml import YAML

from bed.action_file import action_folders
from conformance.subjects import ROOT, Subject, everything, rendered
from gen_workflow.pins.reference import Reference
from gen_workflow.pins.table import OURS, table
from gen_workflow.uses.moves import kept
from gen_workflow.uses.places import find

USES = re.compile(r"^\s*(?:- )?uses:\s*(?P<value>\S.*)$", re.MULTILINE)
PIN = re.compile(
    r"(?P<repository>[\w.-]+/[\w.-]+)(?:/[\w./-]+)?"
    r"@(?P<sha>[0-9a-f]{40}) # (?P<version>v?\d+(?:\.\d+){1,2})"
)
# The same repository at the running commit.
SELF = "$/"
# A copy of our actions in the repository, which a spec asks for.
COPY = re.compile(r"\./[\w./-]+/(?:build-push|ssh-deploy|kubectl-set-image)")


def unpinned(subject: Subject) -> list[str]:
    """Return each use that is not a commit of the table, or of the spec, with its version."""
    known = {name: (pin.sha, pin.version) for name, pin in table().items()}
    found = []
    for match in USES.finditer(subject.text):
        # A spec may name the copy of our actions that its owner trusts, or a central workflow.
        pin = PIN.fullmatch(match["value"])
        copy = pin and f"{pin['repository']}@{pin['sha']} # {pin['version']}"
        of_the_spec = copy and (copy in subject.spec or match["value"] in subject.spec)
        of_the_table = pin and (pin["sha"], pin["version"]) == known.get(pin["repository"])
        is_copied = COPY.fullmatch(match["value"]) and "vendored" in subject.spec
        if not (match["value"].startswith(SELF) or of_the_spec or of_the_table or is_copied):
            found.append(f"{match['value']!r} is not `owner/name@<40 hex> # vX.Y.Z` of the table")
    return found


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_every_use_is_a_commit_of_the_table_with_its_version(subject: Subject) -> None:
    assert unpinned(subject) == []


def test_the_actions_in_the_docs_of_logins_are_those_of_the_table() -> None:
    text = (ROOT / "docs" / "kubectl-set-image.md").read_text("utf-8")
    found = [match["value"] for match in USES.finditer(text)]
    ours = [each for each in found if each.startswith(f"{OURS}/actions/")]
    pins = {f"{name}@{pin.sha} # {pin.version}" for name, pin in table().items()}
    assert len(found) > len(ours) > 0
    assert set(found) - set(ours) <= pins


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: each.name)
def test_our_actions_take_what_is_rendered_at_the_commit_that_is_pinned(subject: Subject) -> None:
    # The checkout may be ahead of the pin; what a user gets is the pinned commit.
    for step in subject.steps():
        match = re.fullmatch(rf"{OURS}/(?P<folder>.+)@(?P<sha>[0-9a-f]+)", str(step.get("uses")))
        if match and match["sha"] == table()[OURS].sha:
            assert set(step.get("with", {})) <= _inputs_at(match["sha"], match["folder"])


@cache
def _inputs_at(sha: str, folder: str) -> set[str]:
    argv = ("git", "show", f"{sha}:{folder}/action.yml")
    text = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(YAML(typ="safe").load(text)["inputs"])


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_every_use_is_seen_as_text(subject: Subject) -> None:
    # A `uses:` in a form that the pattern above does not know would pass unseen.
    seen = [match["value"].split(" ")[0] for match in USES.finditer(subject.text)]
    document = subject.document
    jobs = document.get("jobs", {}).values() if subject.is_workflow else ()
    held = [each["uses"] for each in (*subject.steps(), *jobs) if "uses" in each]
    assert sorted(seen) == sorted(held)


def test_update_knows_each_of_our_actions_in_every_repository() -> None:
    folders = [path.relative_to(ROOT).as_posix() for path in action_folders()]
    names = ["" if folder == "." else folder for folder in folders]
    assert [one for one in names if not kept(Reference(OURS, one, "v1"))] == []
    elsewhere = [one for one in names if one and not kept(Reference("acme/copy", one, "v1"))]
    assert elsewhere == []


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_update_finds_every_use_and_can_edit_it(subject: Subject) -> None:
    found = [use for use in find(subject.text) if not use.obstacle]
    values = [match["value"] for match in USES.finditer(subject.text)]
    named = [each for each in values if not each.startswith((SELF, "./"))]
    assert [subject.text[use.comment] for use in found] == [
        each.partition(" ")[2] for each in named
    ]
