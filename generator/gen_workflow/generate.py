"""The verbs `generate` and `check`."""

# ruff: noqa: PTH112, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import pins, plan, quick, render, spec, stamp
from gen_workflow.errors import DONE, NOT_IN_STEP, Drift, UserError
from gen_workflow.files import read, write

if TYPE_CHECKING:
    import argparse

    from gen_workflow.quick import Options

_RUN = "run `gen-workflow generate` and commit the result"
_NOT_OURS = "was not written by gen-workflow"
_FORCE = "`gen-workflow generate --force`"


class Project(NamedTuple):
    """A repository, its spec, and the templates a person overrides."""

    folder: str
    source: str
    templates: str = ""

    @classmethod
    def of(cls, options: Options | argparse.Namespace) -> Project:
        """Return the project that the options name; raises UserError when it is not there."""
        if not os.path.isdir(options.folder):
            raise UserError("is not a folder", where=options.folder)
        if options.templates and not os.path.isdir(options.templates):
            raise UserError("is not a folder of templates", where=options.templates)
        if not options.spec.isprintable():
            raise UserError("is not a name for a spec", where=repr(options.spec))
        return cls(options.folder, options.spec, options.templates)

    @property
    def workflow(self) -> str:
        """The path of the rendered workflow."""
        return os.path.join(self.folder, stamp.WORKFLOW)

    def spec_bytes(self) -> bytes:
        """Return the content of the spec; raises UserError when there is none."""
        path = os.path.normpath(os.path.join(self.folder, self.source))
        raw = read(path)
        if raw is None:
            raise UserError(f"there is no spec {path}", hint=spec.how_to_write_one())
        return raw

    def on_disk(self) -> bytes | None:
        """Return the workflow as it is now; None when there is none."""
        return read(self.workflow)

    def rendered(self) -> str:
        """Return the text of the workflow that the spec gives."""
        raw = self.spec_bytes()
        meant = plan.workflow(spec.load(raw, self.source, self.folder), pins.table())
        return render.render(meant, source=self.source, spec=raw, templates=self.templates)


def run(options: Options) -> int:
    """Run the verb that the options name and return its exit code."""
    return generate(options) if options.verb == "generate" else check(options)


def generate(options: Options) -> int:
    """Write the workflow, or print it; an edit by hand is never overwritten unasked."""
    project = Project.of(options)
    text = project.rendered()
    if options.stdout:
        sys.stdout.buffer.write(text.encode())  # UTF-8, whatever the terminal speaks
        return DONE
    before = project.on_disk()
    if before == text.encode():
        print(quick.in_step(options))
        return DONE
    if before is not None and not options.force:
        _refuse_to_lose(before)
    write(project.workflow, text)
    print(f"wrote {os.path.normpath(project.workflow)}")
    return DONE


def _refuse_to_lose(before: bytes) -> None:
    found = stamp.of(before)
    if found is None:
        hint = f"move it away, or overwrite it with {_FORCE}"
        raise Drift(f"{_NOT_OURS}; nothing was changed", where=stamp.WORKFLOW, hint=hint)
    if found.edited:
        what = "was edited by hand since gen-workflow wrote it; nothing was changed"
        hint = f"say the edit in the spec, then drop it from the workflow with {_FORCE}"
        raise Drift(what, where=stamp.WORKFLOW, hint=hint)


def check(options: Options) -> int:
    """Tell whether the workflow is what the spec gives, and if not, each reason why."""
    project = Project.of(options)
    text = project.rendered()  # a spec that is wrong is told before anything else
    states = _states(project, stamp.of(text.encode()))
    for state, act in states:
        print(f"{stamp.WORKFLOW}: {state}\n  hint: {act}", file=sys.stderr)
    if states:
        return NOT_IN_STEP
    print(quick.in_step(options))
    return DONE


def _states(project: Project, wanted: stamp.Stamp | None) -> list[tuple[str, str]]:
    """Return each reason why the workflow is not in step, with the next act."""
    before = project.on_disk()
    if before is None:
        return [("missing: it was not generated yet", _RUN)]
    found = stamp.of(before)
    if found is None or wanted is None:
        return [(_NOT_OURS, f"move it away, or overwrite it with {_FORCE}")]
    states = []
    if found.edited:
        states.append(("edited by hand", f"say the edit in the spec, then run {_FORCE}"))
    if found.spec != wanted.spec:
        states.append((f"spec changed: {project.source} is not the one it was made from", _RUN))
    if found.generator != wanted.generator:
        what = "generator changed: another version, or other templates, made it"
        states.append((what, _RUN))
    return states
