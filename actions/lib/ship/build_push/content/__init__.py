"""The content address of a build: a tag that is the same when all that enters it is the same.

`address` is a pure function over `Ingredients`; reading the files is apart from it. What is taken
and what is not, and why, is told in docs/skip-unchanged.md. When in doubt a thing is taken: an
image that is built without need costs minutes, one that is not built costs trust.
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
