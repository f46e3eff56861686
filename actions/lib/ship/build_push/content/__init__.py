"""The content address of a build: a tag that is the same when everything that enters is the same.

`address` is a pure function over `Ingredients`; other modules read the files.
docs/skip-unchanged.md says what counts, what does not, and why. In doubt, a thing counts: a build
that was not needed costs minutes, and a build that was skipped by mistake costs trust.
"""

from ship.build_push.content.ingredients import (
    Ingredients,
    address,
    canonical,
    doubts,
    explain,
    period,
    tree_digest,
)
from ship.build_push.content.tree import Entry, dockerfile_text, files, selected

__all__ = [
    "Entry",
    "Ingredients",
    "address",
    "canonical",
    "dockerfile_text",
    "doubts",
    "explain",
    "files",
    "period",
    "selected",
    "tree_digest",
]
