"""What a `uses:` names: a repository, the path in it, and a tag, a branch or a commit."""

from __future__ import annotations

import re

from gen_workflow.named_tuple import NamedTuple

_REFERENCE = re.compile(
    r"(?P<repository>[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}(?:[/@]|$))[A-Za-z0-9._-]+)"
    r"(?:/(?P<path>[^@\s]+))?@(?P<ref>[^@\s]+)"
)
_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


class Reference(NamedTuple):
    """An action or a reusable workflow of another repository."""

    repository: str
    path: str
    ref: str

    @property
    def action(self) -> str:
        """The action without its version, as a person names it."""
        return f"{self.repository}/{self.path}" if self.path else self.repository

    @property
    def key(self) -> str:
        """The repository as GitHub compares it: without case."""
        return self.repository.lower()

    @property
    def is_commit(self) -> bool:
        """Whether it is pinned to a full commit."""
        return _SHA.fullmatch(self.ref) is not None

    @property
    def is_workflow(self) -> bool:
        """Whether it is a reusable workflow."""
        return self.path.startswith(".github/workflows/")


def reference(value: str) -> Reference | None:
    """Return what a value of `uses:` names in another repository.

    None for `./…` and `$/…`, which are in this one, for an image, and for what GitHub refuses.
    """
    found = _REFERENCE.fullmatch(value)
    return Reference(found["repository"], found["path"] or "", found["ref"]) if found else None
