"""A project: a repository, its spec, and what the spec gives."""

# ruff: noqa: PTH112, PTH113, PTH114, PTH115, PTH117, PTH118, PTH120, PTH122, PTH206 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands.rendering import Rendering, Written
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec import load
from gen_workflow.spec.tree import Folder
from gen_workflow.workflow.records import Pin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.commands.options import Options
    from gen_workflow.commands.rendering import Rendered
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.sync.pinned import Pinned
    from gen_workflow.workflow.records import Workflow

_NO_LINK = {
    "workflow": "GitHub follows no link to a workflow",
    "action": "what is behind it may be outside of the repository",
}


class Project(NamedTuple):
    """A repository, its spec, and the folder of the user's own templates."""

    folder: str
    source: str
    templates: str = ""

    @classmethod
    def of(cls, options: Options) -> Project:
        """Return the project that the options name; raises UserError when it is not there."""
        try:
            os.path.realpath(options.folder)
        except FileNotFoundError:
            what = "the current folder does not exist any more"
            hint = "change into a folder that is there, or give -C one"
            raise UserError(what, hint=hint, anchor=Heading.OPTION) from None
        if not os.path.isdir(options.folder):
            hint = "give -C the folder of a repository"
            raise UserError(
                "is not a folder", where=shown(options.folder), hint=hint, anchor=Heading.OPTION
            )
        if options.templates and not os.path.isdir(options.templates):
            hint = "give --templates a folder with files that end in .j2"
            what = "is not a folder of templates"
            raise UserError(what, where=shown(options.templates), hint=hint, anchor=Heading.OPTION)
        source = os.path.normpath(options.spec)
        outside = os.path.isabs(source) or source.split(os.sep)[0] == os.pardir
        if outside or not source.isprintable():
            hint = "give a path inside DIR, as it is in the repository"
            what = f"{options.spec!r} is not in the repository"
            raise UserError(what, where="--spec", hint=hint, anchor=Heading.OPTION)
        return cls(options.folder, source, options.templates)

    def command(self, verb: str) -> str:
        """Return the command that a hint names, with the options that lead to this project."""
        import shlex  # noqa: PLC0415 - only for hints

        plain = Project(".", files.SPEC)
        options = zip(("-C", "--spec", "--templates"), self, plain, strict=True)
        given = [word for name, value, usual in options if value != usual for word in (name, value)]
        return f"`gen-workflow {shlex.join([*verb.split(), *given])}`"

    def place(self, file: str) -> str:
        """Return where a file of the repository is."""
        return os.path.normpath(os.path.join(self.folder, file))

    def on_disk(self, file: str = files.WORKFLOW, thing: str = "workflow") -> bytes | None:
        """Return one of our files as it is now; None when there is none.

        Raises UserError when it cannot be read, or is behind a link. `thing` says what it is.
        """
        if link := files.link_on_the_way(self.folder, file):
            target = os.readlink(link)
            what = f"is a link to {target!r}, and {_NO_LINK[thing]}"
            hint = "put a folder or a file of its own there"
            where = shown(os.path.normpath(link))
            raise UserError(what, where=where, hint=hint, anchor=Heading.IN_THE_WAY)
        if above := files.file_on_the_way(self.folder, file):
            what = f"is a file, and the {thing} needs a folder of this name"
            where = shown(os.path.normpath(above))
            hint = "move it away, or give it another name"
            raise UserError(what, where=where, hint=hint, anchor=Heading.IN_THE_WAY)
        if there := files.folder_in_place(self.folder, file):
            what = f"is a folder, and the {thing} needs a file of this name"
            where = shown(os.path.normpath(there))
            hint = "move it away, or give it another name"
            raise UserError(what, where=where, hint=hint, anchor=Heading.IN_THE_WAY)
        return files.read(self.place(file))

    def rendered(self) -> Rendered:
        """Return what the spec gives; raises UserError with everything that is wrong."""
        return Rendering(self.templates).of(self._written(self._spec()), Folder(self.folder))

    def as_of(
        self, raw: bytes, version: str, pins: Mapping[str, Pinned], path: str
    ) -> bytes | None:
        """Return the file that a spec gave to a version of ours, with its pins by repository.

        None when today's gen-workflow cannot render that spec, such as for a folder that is gone.
        """
        theirs = {name: Pin(name, one.sha, one.version.tag) for name, one in pins.items()}
        try:
            written, tree = self._written(raw), Folder(self.folder)
            found = Rendering(self.templates, version, theirs).of(written, tree).files
        except UserError:
            return None
        return next((file.text.encode() for file in found if file.path == path), None)

    def _written(self, raw: bytes) -> Written:
        return Written.of(raw, self.source)

    def spec(self) -> Spec:
        """Return what the spec says; raises UserError with everything that is wrong."""
        return load.load(self._spec(), self.source, self.folder)

    def planned(self) -> tuple[Workflow, ...]:
        """Return the workflows of the spec; raises UserError with everything that is wrong."""
        return pipeline.workflows(self.spec(), table())

    def _spec(self) -> bytes:
        path = os.path.normpath(os.path.join(self.folder, self.source))
        raw = files.read(path)
        if raw is None and os.path.islink(path):
            what = f"is a link to {os.readlink(path)!r}, where no file is"
            hint = "write that file, or put the spec in place of the link"
            raise UserError(what, where=shown(path), hint=hint, anchor=Heading.NO_SPEC)
        if raw is None:
            what, hint = f"there is no spec {shown(path)}", self._where_the_spec_is()
            raise UserError(what, hint=hint, anchor=Heading.NO_SPEC)
        return raw

    def _where_the_spec_is(self) -> str:
        """Return the hint for a spec that is not there: that it is above, or how to write one."""
        stem, ending = os.path.splitext(self.source)
        other = stem + {".yml": ".yaml", ".yaml": ".yml"}.get(ending, ending)
        if other != self.source and os.path.isfile(os.path.join(self.folder, other)):
            return f"there is {shown(other)}; give it this name, or say `--spec {shown(other)}`"
        here = os.path.realpath(self.folder)
        while not os.path.lexists(os.path.join(here, ".git")) and here != os.path.dirname(here):
            here = os.path.dirname(here)
            if os.path.isfile(os.path.join(here, self.source)):
                folder = shown(os.path.relpath(here))
                return f"there is one in {folder}; run it there, or say `-C {folder}`"
        return load.how_to_write_one()
