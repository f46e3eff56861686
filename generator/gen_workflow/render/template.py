"""Fills the templates with a workflow."""

# ruff: noqa: PTH103, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
)

from gen_workflow.render import folder
from gen_workflow.render.proof import prove
from gen_workflow.render.scalars import block, scalar, tree
from gen_workflow.version import __version__
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from jinja2 import BaseLoader
    from jinja2.bccache import Bucket

    from gen_workflow.workflow.records import Workflow

_TEMPLATE = "workflow.yml.j2"


def render(
    workflow: Workflow, *, source: str, templates: str = "", version: str = __version__
) -> str:
    """Return the text of a workflow; `source` is the name of the spec, `version` that of ours.

    `templates` is a folder whose templates go before ours. Raises UserError when one of those
    fails, Defect when ours say something else than the workflow.
    """
    if templates:
        return _with(templates, workflow, source, version)
    text = _fill(_of_ours(), workflow, source, version)
    prove(workflow, text)
    return text


def _with(templates: str, workflow: Workflow, source: str, version: str) -> str:
    """Return the text that the user's own templates give; what fails there is not our bug."""
    from gen_workflow.render import overrides  # noqa: PLC0415 - for those alone

    overrides.check(templates)
    try:
        environment = _of_theirs(templates, tuple(folder.names(templates)))
        return _fill(environment, workflow, source, version)
    except Exception as error:
        raise overrides.failed(error, templates) from error


def _fill(environment: Environment, workflow: Workflow, source: str, version: str) -> str:
    values = {"workflow": workflow, "source": source, "version": version}
    return environment.get_template(_TEMPLATE).render(values)


@cache
def _of_ours() -> Environment:
    return _environment()


@cache
def _of_theirs(templates: str, _names: tuple[str, ...]) -> Environment:
    """Return what compiles a template of the user once; Jinja sees when its file has changed."""
    from gen_workflow.render import overrides  # noqa: PLC0415 - for those alone

    return _environment(overrides.Loader(templates))


def _environment(*own: BaseLoader) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([*own, FileSystemLoader(folder.ours())]),
        # `${{ }}` belongs to GitHub; none of these occurs in YAML that a template would hold.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        auto_reload=bool(own),  # ours do not change in a run
        bytecode_cache=None if own else _cache(),
        autoescape=False,  # noqa: S701 - YAML, not HTML; `scalar` and `block` quote
    )
    environment.filters.update(scalar=scalar, block=block, tree=tree, data=as_data)
    return environment


class _Cache(FileSystemBytecodeCache):
    """Keeps compiled templates; a full disk is no error."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _cache() -> _Cache | None:
    """Return a store for our compiled templates, beside them as Python keeps its modules."""
    path = os.path.join(folder.ours(), "__pycache__")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError:
        return None  # installed where we may not write; compiling takes some 20 ms
    return _Cache(path) if os.access(path, os.W_OK) else None
