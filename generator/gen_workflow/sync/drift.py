"""Compares a workflow with what its spec gives today; a difference only in the header is none."""

from __future__ import annotations

from gen_workflow.sync import stamp

NOT_OURS = "was not written by gen-workflow"
EDITED = "edited by hand"


def same_workflow(there: bytes, wanted: bytes) -> bool:
    """Tell whether a workflow is ours, is unedited, and is what the spec gives, save its header."""
    found = stamp.of(there)
    return found is not None and not found.edited and stamp.body(there) == stamp.body(wanted)


def reasons(there: bytes, wanted: bytes, source: str) -> list[str]:
    """Return each reason why a workflow is not in step with the spec `source`; none when it is."""
    found, meant = stamp.of(there), stamp.of(wanted)
    if found is None or meant is None:
        return [NOT_OURS]
    if same_workflow(there, wanted):
        return []
    causes = []
    if found.spec != meant.spec:
        causes.append(f"spec changed: the workflow was made from another version of {source}")
    if found.edited:  # the workflow without the edit is unknown, so nothing can be compared
        return [EDITED, *causes]
    if found.generator != meant.generator or not causes:
        causes.append(f"generator changed: {_generators(found.version, meant.version)}")
    return causes


def _generators(wrote: str, today: str) -> str:
    if wrote == today:
        today = f"this gen-workflow {today}, with other templates, pins or sources,"
    else:
        today = f"gen-workflow {today}"
    return f"gen-workflow {wrote} wrote it, and {today} renders another workflow"
