"""Says why a workflow is not in step with its spec; another header alone is no reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_workflow.sync.stamp import Stamp

NOT_OURS = "was not written by gen-workflow"
EDITED = "edited by hand"


def causes(found: Stamp, meant: Stamp, source: str, *, known: bool = True) -> list[str]:
    """Return why another workflow is rendered today than when `found` was signed.

    Without a `known` base nothing can be compared, so only a change of the spec is sure.
    """
    found_causes = []
    if found.spec != meant.spec:
        found_causes.append(f"spec changed: the workflow was made from another version of {source}")
    if known and (found.generator != meant.generator or not found_causes):
        found_causes.append(f"generator changed: {_generators(found.version, meant.version)}")
    return found_causes


def _generators(wrote: str, today: str) -> str:
    if wrote == today:
        today = f"this gen-workflow {today}, with other templates, pins or sources,"
    else:
        today = f"gen-workflow {today}"
    return f"gen-workflow {wrote} wrote it, and {today} renders another workflow"
