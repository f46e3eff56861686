"""The verbs `generate` and `check`."""

# ruff: noqa: PTH112, PTH117, PTH118, PTH120, PTH206 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import pins, plan, quick, render, spec, stamp
from gen_workflow.errors import NOT_IN_STEP, Drift, UserError, shown
from gen_workflow.files import read, write
from gen_workflow.output import put, tell

if TYPE_CHECKING:
    import argparse

    from gen_workflow.quick import Options
    from gen_workflow.workflow import Needs

_NOT_OURS = "was not written by gen-workflow"


class Rendered(NamedTuple):
    """What a spec comes to: its own content, the workflow, and what must exist on GitHub."""

    spec: bytes
    text: str
    needs: tuple[Needs, ...]


class Project(NamedTuple):
    """A repository, its spec, and the templates a person overrides."""

    folder: str
    source: str
    templates: str = ""

    @classmethod
    def of(cls, options: Options | argparse.Namespace) -> Project:
        """Return the project that the options name; raises UserError when it is not there."""
        if not os.path.isdir(options.folder):
            raise UserError("is not a folder", where=shown(options.folder))
        if options.templates and not os.path.isdir(options.templates):
            raise UserError("is not a folder of templates", where=shown(options.templates))
        source = os.path.normpath(options.spec)
        outside = os.path.isabs(source) or source.split(os.sep)[0] == os.pardir
        if outside or not source.isprintable():
            hint = "give a path inside DIR, as it is in the repository"
            what = f"{options.spec!r} is not in the repository"
            raise UserError(what, where="--spec", hint=hint)
        return cls(options.folder, source, options.templates)

    def command(self, verb: str) -> str:
        """Return the command that a hint names, with the options that lead to this project."""
        import shlex  # noqa: PLC0415 - only for hints

        plain = Project(".", stamp.SPEC)
        options = zip(("-C", "--spec", "--templates"), self, plain, strict=True)
        given = [word for name, value, usual in options if value != usual for word in (name, value)]
        return f"`gen-workflow {shlex.join([*verb.split(), *given])}`"

    @property
    def workflow(self) -> str:
        """The path of the rendered workflow."""
        return os.path.join(self.folder, stamp.WORKFLOW)

    def spec_bytes(self) -> bytes:
        """Return the content of the spec; raises UserError when there is none."""
        path = os.path.normpath(os.path.join(self.folder, self.source))
        raw = read(path)
        if raw is None:
            raise UserError(f"there is no spec {shown(path)}", hint=spec.how_to_write_one())
        return raw

    def on_disk(self) -> bytes | None:
        """Return the workflow as it is now; None when there is none."""
        return read(self.workflow)

    def made(self) -> Rendered:
        """Return what the spec comes to; raises UserError with all that is wrong."""
        raw = self.spec_bytes()
        meant = plan.workflow(spec.load(raw, self.source, self.folder), pins.table())
        text = render.render(meant, source=self.source, spec=raw, templates=self.templates)
        return Rendered(raw, text, meant.needs)

    def rendered(self) -> str:
        """Return the text of the workflow that the spec gives."""
        return self.made().text

    def refuse_to_lose(self, before: bytes) -> None:
        """Raise Drift when a workflow holds what a person wrote."""
        found = stamp.of(before)
        force = self.command("generate --force")
        if found is None:
            hint = f"move it away, or overwrite it with {force}"
            raise Drift(f"{_NOT_OURS}; nothing was changed", where=stamp.WORKFLOW, hint=hint)
        if found.edited:
            what = "was edited by hand since gen-workflow wrote it; nothing was changed"
            hint = f"say the edit in the spec, then drop it from the workflow with {force}"
            raise Drift(what, where=stamp.WORKFLOW, hint=hint)


def run(options: Options) -> int:
    """Run the verb that the options name and return its exit code."""
    return generate(options) if options.verb == "generate" else check(options)


def generate(options: Options) -> int:
    """Write the workflow, or print it; an edit by hand is never overwritten unasked."""
    project = Project.of(options)
    text = project.rendered()
    if options.stdout:
        return put(text)
    before = project.on_disk()
    if before == text.encode():
        return put(quick.in_step(options))
    if before is not None and not options.force:
        project.refuse_to_lose(before)
    write(project.workflow, text)
    _warn_below(project.folder)
    return put(f"wrote {shown(os.path.normpath(project.workflow))}\n")


def _warn_below(folder: str) -> None:
    """Warn of a workflow that GitHub will not see, because it reads those at the top only."""
    here = top = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return
        top = os.path.dirname(top)
    if top != here:
        tell(f"warning: GitHub reads workflows at the top of a repository only, which is {top!r}")


def check(options: Options) -> int:
    """Tell whether the workflow is what the spec gives, and if not, each reason why."""
    project = Project.of(options)
    text = project.rendered()  # a spec that is wrong is told before anything else
    states, act = _states(project, stamp.of(text.encode()))
    if states:
        tell("\n".join([*(f"{stamp.WORKFLOW}: {state}" for state in states), f"  hint: {act}"]))
        return NOT_IN_STEP
    return put(quick.in_step(options))


def _states(project: Project, wanted: stamp.Stamp | None) -> tuple[list[str], str]:
    """Return each reason why the workflow is not in step, and the one act that mends them all."""
    act = f"run {project.command('generate')} and commit the result"
    force = project.command("generate --force")
    before = project.on_disk()
    if before is None:
        return ["missing: it was not generated yet"], act
    found = stamp.of(before)
    if found is None or wanted is None:
        return [_NOT_OURS], f"move it away, or overwrite it with {force}"
    states = []
    if found.edited:
        states.append("edited by hand")
        act = f"say the edit in the spec, then run {force}"
    if found.spec != wanted.spec:
        states.append(f"spec changed: {project.source} is not the one it was made from")
    if found.generator != wanted.generator:
        states.append("generator changed: another version, or other templates, made it")
    return states, act
