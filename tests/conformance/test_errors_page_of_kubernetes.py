"""docs/errors.md has a heading for each cause of kubectl-set-image, and each heading a cause."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from conformance.structure import ACTIONS, ROOT, room
from conformance.test_docs import anchor_of_heading
from conformance.test_errors_page import MAKERS as OF_ALL
from conformance.test_errors_page import anchor_of, headings_of_builds, page
from ship.kube import refusal
from ship.kube.causes import rollout_states
from ship.kubectl_set_image.inputs import PAGES
from tables import STATES, states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULES = [name for name in ACTIONS.files if room(name) in ("kube", "kubectl_set_image")]
# In one place the kind of an error depends on when it comes.
MAKERS = (*OF_ALL, "kind.of")
ANCHOR = re.compile(r"[a-z]+(-[a-z]+)+")
# Functions that hand an anchor on, as their last argument.
HAND_ON = ("problem", "refused")
# They end a rollout, and are no failure of it.
NO_FAILURES = {rollout_states.SUPERSEDED.key, rollout_states.PAUSED.key}
# Of builds as well, and under their heading.
OF_BUILDS = {"a-secret-has-no-value"}


def calls(*, hand_on: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call that makes an error, or hands it on, with the module that it is in."""
    for name in MODULES:
        for node in ast.walk(ACTIONS.trees[name]):
            if isinstance(node, ast.Call):
                function = ast.unparse(node.func)
                if function in MAKERS or function.endswith(hand_on):
                    yield name, node


def anchors() -> set[str]:
    """Return the anchors in the code, and those of the tables."""
    found = {anchor for _, anchor, _ in refusal.CAUSES} | set(PAGES.values())
    for name, call in calls(hand_on=HAND_ON):
        last = call.args[-1:] if ast.unparse(call.func).endswith(HAND_ON) else []
        text = ast.unparse(last[0]) if last else anchor_of(call)
        found |= meaning(name, text)
    return set(filter(ANCHOR.fullmatch, found))


def meaning(name: str, text: str) -> set[str]:
    """Return what a literal, a constant or a local variable of a module stands for."""
    module: ModuleType = importlib.import_module(name)
    if text.startswith("'"):
        return {ast.literal_eval(text)}
    try:
        return {functools.reduce(getattr, text.split("."), module)}  # type: ignore[arg-type]
    except AttributeError:
        return set(assigned(name, text)) or {text}


def assigned(name: str, variable: str) -> Iterator[str]:
    """Yield the literals that a local variable gets anywhere in a module."""
    for node in ast.walk(ACTIONS.trees[name]):
        match node:
            case ast.Assign([ast.Name(known)], ast.Constant(value)) if known == variable:
                yield str(value)


def causes() -> set[str]:
    """Return the words for why a rollout fails: those of the tables, and those of the watch."""
    of_tables = {each.key for module in STATES.values() for each in states(module)}
    of_rollouts = {each.key for each in states(rollout_states)} - NO_FAILURES
    of_watch = {
        str(node.args[0].value)
        for name in MODULES
        for node in ast.walk(ACTIONS.trees[name])
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Cause"
        and isinstance(node.args[0], ast.Constant)
    }
    assert of_watch
    return of_tables | of_rollouts | of_watch


def test_each_cause_has_one_heading_and_each_heading_a_cause() -> None:
    found = Counter(anchor_of_heading(line) for line in page().kubernetes)
    assert set(found) == (anchors() | {f"rollout-{key}" for key in causes()}) - OF_BUILDS
    assert found.most_common(1)[0][1] == 1
    assert set(headings_of_builds()) >= OF_BUILDS


def test_the_page_of_the_action_names_each_cause() -> None:
    text = (ROOT / "docs" / "kubectl-set-image.md").read_text("utf-8")
    assert set(re.findall(r"\(errors\.md#rollout-([a-z-]+)\)", text)) == causes()


def test_each_error_has_an_anchor() -> None:
    # The report says what became of each workload, beside the error.
    made = [each for each in calls() if each[0] != "ship.kubectl_set_image.report"]
    assert made
    assert [f"{name}:{call.lineno}" for name, call in made if not anchor_of(call)] == []
