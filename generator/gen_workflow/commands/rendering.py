"""What a spec gives: its workflows as text, and all that belongs to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import OURS, table
from gen_workflow.plan import extended, ids, limits, pipeline, reads
from gen_workflow.render import template
from gen_workflow.spec import load
from gen_workflow.spec.deploy import KubernetesDeploy
from gen_workflow.spec.host import SshDeploy
from gen_workflow.sync import stamp
from gen_workflow.sync.fingerprint import fingerprint
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.document import Value
    from gen_workflow.spec.tree import Tree
    from gen_workflow.workflow.records import Needs, Pin, Workflow


class File(NamedTuple):
    """A file that a spec gives: its path in the repository, and its text."""

    path: str
    text: str


class Rendered(NamedTuple):
    """What a spec gives: its own content, its files, and what must exist on GitHub.

    The first file is the workflow that builds and deploys. `dockerfiles` are the paths of the
    Dockerfiles in the repository, and `notes` are sentences that a user should read. `ours` are the
    repositories whose commits only the generator or the spec move. `copied` are our actions that
    are copied into a folder of the repository, which is empty without them. `workflows` are what
    the files are made from.
    """

    spec: bytes
    files: tuple[File, ...]
    needs: tuple[Needs, ...]
    dockerfiles: tuple[str, ...]
    ours: frozenset[str]
    notes: tuple[str, ...] = ()
    folder: str = ""
    copied: tuple[str, ...] = ()
    workflows: tuple[Workflow, ...] = ()

    @property
    def text(self) -> str:
        """The workflow that builds and deploys."""
        return self.files[0].text


class Written(NamedTuple):
    """A spec as it is written: its text, and its root, whose values are in the file `source`.

    `named` is how the rendered workflow names that file; its own name when it is empty.
    """

    raw: bytes
    root: Value
    source: str
    named: str = ""

    @classmethod
    def of(cls, raw: bytes, source: str) -> Written:
        """Return the spec in a text; raises SpecError when it is no YAML, or empty."""
        return cls(raw, load.root_of(raw, source), source)


class Rendering(NamedTuple):
    """How specs are rendered: with the user's own templates, as by a version of ours.

    `pins` are those of that version, by repository; today's without them. `generator` is the
    fingerprint, when it is known already.
    """

    templates: str = ""
    version: str = __version__
    pins: Mapping[str, Pin] = {}
    generator: str = ""

    def of(self, written: Written, tree: Tree) -> Rendered:
        """Return what a spec gives in a repository; raises UserError with all that is wrong."""
        spec = load.read(written.root, written.source, tree)
        meant = pipeline.workflows(spec, {**table(), **self.pins})
        wrong = (
            *extended.wrong(spec.extend, meant),
            *ids.wrong(spec, meant),
            *reads.wrong(spec, meant),
        )
        load.refuse(wrong, written.root, written.source, Heading.WRONG_VALUE)
        first, *others = (self._text(workflow, written) for workflow in meant)
        sign = partial(
            stamp.sign,
            version=self.version,
            spec=written.raw,
            generator=self.generator or fingerprint(self.templates),
        )
        names = tuple(workflow.path for workflow in meant)
        folder = spec.actions.vendored
        copied = _copied(meant, folder)
        signed = sign(first, paths=_paths(spec), files=names[1:], actions=folder if copied else "")
        texts = [signed, *map(sign, others)]
        for workflow, text in zip(meant, texts, strict=True):
            too_large = limits.too_large(workflow, len(text.encode()))
            load.refuse(too_large, written.root, written.source)
        dockerfiles = tuple(image.sources[-1] for image in spec.built)
        files = tuple(map(File, names, texts))
        notes = tuple(note for workflow in meant for note in workflow.notes)
        needs, ours = meant[0].needs, _ours(spec)
        return Rendered(
            written.raw, files, needs, dockerfiles, ours, notes, folder, copied, tuple(meant)
        )

    def _text(self, workflow: Workflow, written: Written) -> str:
        load.refuse(limits.exceeded(workflow), written.root, written.source)
        return template.render(
            workflow,
            source=written.named or written.source,
            templates=self.templates,
            version=self.version,
        )


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
