"""A project: a repository, its spec, and what the spec gives."""

# ruff: noqa: PTH112, PTH113, PTH115, PTH117, PTH118, PTH120, PTH122, PTH206 - pathlib is slow to load

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import OURS, table
from gen_workflow.plan import extended, limits, pipeline
from gen_workflow.render import template
from gen_workflow.spec import load
from gen_workflow.spec.deploy import KubernetesDeploy
from gen_workflow.spec.host import SshDeploy
from gen_workflow.sync import stamp
from gen_workflow.sync.fingerprint import fingerprint
from gen_workflow.version import __version__
from gen_workflow.workflow.records import Pin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.commands.options import Options
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.sync.pinned import Pinned
    from gen_workflow.workflow.records import Needs, Workflow


_NO_LINK = {
    "workflow": "GitHub follows no link to a workflow",
    "action": "what is behind it may be outside of the repository",
}


class File(NamedTuple):
    """A file that a spec gives: its path in the repository, and its text."""

    path: str
    text: str


class Rendered(NamedTuple):
    """What a spec gives: its own content, its files, and what must exist on GitHub.

    The first file is the workflow that builds and deploys. `dockerfiles` are the paths of the
    Dockerfiles in the repository, and `notes` are sentences that a user should read. `ours` are the
    repositories whose commits only the generator or the spec move. `copied` are our actions that
    are copied into a folder of the repository, which is empty without them.
    """

    spec: bytes
    files: tuple[File, ...]
    needs: tuple[Needs, ...]
    dockerfiles: tuple[str, ...]
    ours: frozenset[str]
    notes: tuple[str, ...] = ()
    folder: str = ""
    copied: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The workflow that builds and deploys."""
        return self.files[0].text


class Project(NamedTuple):
    """A repository, its spec, and the folder of the user's own templates."""

    folder: str
    source: str
    templates: str = ""

    @classmethod
    def of(cls, options: Options) -> Project:
        """Return the project that the options name; raises UserError when it is not there."""
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
        return self._rendered(self._spec(), __version__, {})

    def as_of(
        self, raw: bytes, version: str, pins: Mapping[str, Pinned], path: str
    ) -> bytes | None:
        """Return the file that a spec gave to a version of ours, with its pins by repository.

        None when today's gen-workflow cannot render that spec, such as for a folder that is gone.
        """
        theirs = {name: Pin(name, one.sha, one.version.tag) for name, one in pins.items()}
        try:
            found = self._rendered(raw, version, theirs).files
        except UserError:
            return None
        return next((file.text.encode() for file in found if file.path == path), None)

    def _rendered(self, raw: bytes, version: str, pins: Mapping[str, Pin]) -> Rendered:
        spec = load.load(raw, self.source, self.folder)
        meant = pipeline.workflows(spec, {**table(), **pins})
        load.refuse(extended.wrong(spec.extend, meant), raw, self.source, Heading.WRONG_VALUE)
        first, *others = (self._text(workflow, raw, version) for workflow in meant)
        sign = partial(stamp.sign, version=version, spec=raw, generator=fingerprint(self.templates))
        names = tuple(workflow.path for workflow in meant)
        folder = spec.actions.vendored
        copied = _copied(meant, folder)
        signed = sign(first, paths=_paths(spec), files=names[1:], actions=folder if copied else "")
        texts = [signed, *map(sign, others)]
        for workflow, text in zip(meant, texts, strict=True):
            load.refuse(limits.too_large(workflow, len(text.encode())), raw, self.source)
        dockerfiles = tuple(image.sources[-1] for image in spec.built)
        files = tuple(map(File, names, texts))
        notes = tuple(note for workflow in meant for note in workflow.notes)
        return Rendered(raw, files, meant[0].needs, dockerfiles, _ours(spec), notes, folder, copied)

    def _text(self, workflow: Workflow, raw: bytes, version: str) -> str:
        load.refuse(limits.exceeded(workflow), raw, self.source)
        return template.render(
            workflow, source=self.source, templates=self.templates, version=version
        )

    def planned(self) -> tuple[Workflow, ...]:
        """Return the workflows of the spec; raises UserError with everything that is wrong."""
        return pipeline.workflows(load.load(self._spec(), self.source, self.folder), table())

    def _spec(self) -> bytes:
        path = os.path.normpath(os.path.join(self.folder, self.source))
        raw = files.read(path)
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


def _ours(spec: Spec) -> frozenset[str]:
    """Return in small letters the repositories that the generator and the spec pin, and no bot."""
    remote, caller = spec.actions.remote, spec.mode.caller
    named = [remote.name if remote else "", caller.name if caller else ""]
    owned = ("/".join(name.lower().split("/")[:2]) for name in named if name)
    return frozenset((OURS, *owned))


def _copied(workflows: tuple[Workflow, ...], folder: str) -> tuple[str, ...]:
    """Return the actions that are copied into a folder: those that the workflows use."""
    if not folder:
        return ()
    from gen_workflow.plan import vendored  # noqa: PLC0415 - for specs that say it

    return vendored.used(workflows, folder)


def _paths(spec: Spec) -> tuple[str, ...]:
    """Return what must be in the repository: a folder has a `/` at its end."""
    found = [path for image in spec.built for path in image.sources]
    found += [path for test in spec.test for path in test.paths]
    for target in spec.targets:
        if isinstance(target.deploy, KubernetesDeploy):
            found += target.deploy.kubernetes.apply
        elif isinstance(target.deploy, SshDeploy):
            found += [*target.deploy.compose, *target.deploy.env_file]
    return tuple(dict.fromkeys(found))
