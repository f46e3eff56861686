"""Proves that a rendered text says what the workflow says: it is read again and compared."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Defect, SpecError
from gen_workflow.spec import document
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from gen_workflow.workflow.records import Workflow


def prove(workflow: Workflow, text: str) -> None:
    """Raise Defect when the text, read again, does not say what the workflow says."""
    if (found := difference(as_data(workflow), _said(text))) is not None:
        raise Defect(f"the rendered workflow does not say what was meant at {found}")


@lru_cache(maxsize=8)  # the repositories of a fleet often have the same workflows
def _said(text: str) -> Any:
    try:
        root = document.parse(text, "rendered workflow", bounded=False)
    except SpecError as error:
        raise Defect(f"the rendered workflow is not YAML: {error}") from error
    return document.plain(root) if root else None


def difference(meant: Any, said: Any, path: str = "") -> str | None:
    """Return where two documents differ, and how; None when they are the same."""
    if type(meant) is not type(said):
        return f"{path or '/'}: {meant!r} became {said!r}"
    if isinstance(meant, dict):
        if set(meant) != set(said):
            return f"{path or '/'}: the keys {list(meant)} became {list(said)}"
        pairs = [(f"{path}/{key}", meant[key], said[key]) for key in meant]
    elif isinstance(meant, list) and len(meant) == len(said):
        pairs = [(f"{path}/{i}", *both) for i, both in enumerate(zip(meant, said, strict=True))]
    else:
        return None if meant == said else f"{path or '/'}: {meant!r} became {said!r}"
    return next((found for pair in pairs if (found := difference(pair[1], pair[2], pair[0]))), None)
