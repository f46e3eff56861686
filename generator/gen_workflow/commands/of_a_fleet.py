"""Renders what each repository of a fleet should hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands.rendering import Rendering, Written
from gen_workflow.errors import Heading, UserError
from gen_workflow.fleet import specs
from gen_workflow.fleet.standing import Content
from gen_workflow.sync.fingerprint import fingerprint

if TYPE_CHECKING:
    from gen_workflow.fleet.listing import Listing
    from gen_workflow.fleet.roster import Member


class Renderer:
    """What the repositories of one fleet should hold; `file` is the file of the fleet."""

    def __init__(self, file: str, templates: str) -> None:
        self._file = file
        self._rendering = Rendering(templates, generator=fingerprint(templates))

    def content(self, member: Member, own: bytes | None, listing: Listing) -> Content:
        """Return what a repository should hold; `own` is its spec when it keeps one of its own.

        Raises UserError with everything that is wrong with its spec.
        """
        spec = member.spec
        if spec is None:
            written = Written.of(own or b"", files.SPEC)
        else:
            written = Written(specs.text(spec, self._file), spec, self._file, named=files.SPEC)
        given = self._rendering.of(written, listing)
        if given.copied:
            what = "`actions: vendored` is not possible for the repositories of a fleet"
            hint = "leave it out there, or bring the repository in step with `gen-workflow commit`"
            raise UserError(what, where=written.source, hint=hint, anchor=Heading.LATER)
        texts = {files.SPEC: given.spec} | {one.path: one.text.encode() for one in given.files}
        return Content(files.SPEC, texts, given.needs, given.dockerfiles, given.ours)
