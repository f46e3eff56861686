"""The revisions that a cluster keeps of a workload, and which of them a rollback goes to; pure.

A Deployment has a ReplicaSet for each, a StatefulSet and a DaemonSet a ControllerRevision. None of
them says whether its pods were ever ready. So the workload has a note of the templates that were
left again: by us after a failure, or by a rollback that a person asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.templates import containers, fingerprint, without_hash
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Object = Mapping[str, Any]

LEFT = "io.github.gen-workflow/left"
NUMBER = "deployment.kubernetes.io/revision"
# As many revisions as a cluster keeps unless the workload says otherwise.
MOST_LEFT = 10


class Revision(NamedTuple):
    """A pod template that a workload had, and its number; 0 where that is not known."""

    number: int
    template: Object

    def __str__(self) -> str:
        return f"revision {self.number}" if self.number else "the version that still serves"


def of_replica_sets(found: Iterable[Object]) -> Iterator[Revision]:
    """Yield the revisions of a Deployment."""
    for each in found:
        number = (each["metadata"].get("annotations") or {}).get(NUMBER) or 0
        yield Revision(int(number), without_hash(each["spec"]["template"]))


def of_controller_revisions(found: Iterable[Object]) -> Iterator[Revision]:
    """Yield the revisions of a StatefulSet or a DaemonSet."""
    for each in found:
        if template := template_of(each):
            yield Revision(int(each.get("revision") or 0), template)


def template_of(revision: Object) -> Object | None:
    """Return the template in a ControllerRevision."""
    found = ((revision.get("data") or {}).get("spec") or {}).get("template") or {}
    template = {key: value for key, value in found.items() if key != "$patch"}
    return template if containers(template) else None


def previous(
    live: Object, serving: Object | None, left: Sequence[str], revisions: Iterable[Revision]
) -> Revision | None:
    """Return the revision to go back to from the template `live`, or None when there is none.

    It is the one whose pods serve while those of `live` do not; else the newest that says another
    thing than `live` and was not `left` again.
    """
    by_print: dict[str, Revision] = {}
    for each in sorted(revisions, key=lambda each: each.number):
        by_print[fingerprint(each.template)] = each
    now = fingerprint(live)
    serves = fingerprint(serving) if serving else now
    if serving and serves != now:
        return by_print.get(serves, Revision(0, serving))
    others = [each for key, each in by_print.items() if key != now and key not in left]
    return max(others, key=lambda each: each.number, default=None)


def left_ones(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """Return the fingerprints of the templates that a workload has left again, oldest first."""
    return tuple((annotations.get(LEFT) or "").split())


def with_left(annotations: Mapping[str, str], *templates: Object) -> str:
    """Return the note of the templates that were left, with these as the last."""
    more = dict.fromkeys(map(fingerprint, templates))
    known = (each for each in left_ones(annotations) if each not in more)
    return " ".join((*known, *more)[-MOST_LEFT:])


def without_left(annotations: Mapping[str, str], template: Object) -> str:
    """Return the note of the templates that were left, without one."""
    key = fingerprint(template)
    return " ".join(each for each in left_ones(annotations) if each != key)
