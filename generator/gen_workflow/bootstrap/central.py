"""The central workflow that a spec calls: whether this repository may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap.steps import Part
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.bootstrap.api import Api


class Found(NamedTuple):
    """The repository of the central workflow; `access` is empty where it is not shown."""

    slug: str = ""
    seen: bool = True
    private: bool = False
    access: str = ""


def read(api: Api, workflow: str) -> Found:
    """Return what GitHub shows of the repository of a workflow, OWNER/NAME/PATH; "" for none."""
    if not workflow:
        return Found()
    slug = "/".join(workflow.split("/")[:2])
    shown = api.look(f"/repos/{slug}", "the central workflow", "")
    if not shown.there:
        return Found(slug, seen=False)
    if not shown.top.flag("private"):
        return Found(slug)
    access = api.look(f"/repos/{slug}/actions/permissions/access", "who may call it", "")
    return Found(slug, private=True, access=access.top.text("access_level") if access.there else "")


def plan(found: Found) -> Part:
    """Return what a person has to do: it is another repository, which is not changed here."""
    where = f"Settings > Actions > General > Access of {found.slug}"
    if not found.slug or (found.seen and not found.private):
        return Part()
    if not found.seen:
        return Part(
            left=(f"the token cannot see {found.slug}, whose workflow is called: check it",)
        )
    if found.access == "none":
        return Part(left=(f"no other repository may call the workflow of {found.slug}: {where}",))
    if not found.access:
        return Part(left=(f"whether {found.slug} may be called is not shown: look at {where}",))
    return Part(already=(f"the central workflow of {found.slug} may be called",))
