"""From a workflow to its YAML: templates, and the proof that they say what was meant."""

# ruff: noqa: PTH103, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
)

from gen_workflow import document, stamp
from gen_workflow.errors import Defect, SpecError
from gen_workflow.scalars import block, scalar
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from jinja2.bccache import Bucket

    from gen_workflow.workflow import Workflow

_TEMPLATE = "ci-cd.yml.j2"


def render(workflow: Workflow, *, source: str, spec: bytes, templates: str = "") -> str:
    """Return the text of a workflow with its header.

    `source` is the name of the spec, `spec` its content; `templates` is a folder whose templates
    go before ours. Raises UserError when one of those fails, Defect when ours say something else.
    """
    body = _with(templates, workflow, source) if templates else _fill(workflow, source)
    if not templates:
        _prove(workflow, body)
    return stamp.sign(body, spec=spec, generator=stamp.fingerprint(templates))


def _with(templates: str, workflow: Workflow, source: str) -> str:
    """Return the text that a person's own templates give; they can do anything but be our bug."""
    from gen_workflow import overrides  # noqa: PLC0415 - for those alone

    overrides.check(templates)
    try:
        return _fill(workflow, source, templates)
    except Exception as error:
        raise overrides.failed(error, templates) from error


def _fill(workflow: Workflow, source: str, templates: str = "") -> str:
    folders = [templates] if templates else []
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(path) for path in (*folders, stamp.templates())]),
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
        bytecode_cache=None if templates else _cache(),
        autoescape=False,  # noqa: S701 - YAML, not HTML; `scalar` and `block` quote
    )
    environment.filters.update(scalar=scalar, block=block)
    values = {"workflow": workflow, "source": source, "version": __version__}
    return environment.get_template(_TEMPLATE).render(values)


class _Cache(FileSystemBytecodeCache):
    """Keeps compiled templates for as long as there is room for them."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _cache() -> _Cache | None:
    """Return a store of our compiled templates: beside them, as Python keeps its modules."""
    folder = os.path.join(stamp.templates(), "__pycache__")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return None  # installed where we may not write; compiling takes some 20 ms
    return _Cache(folder) if os.access(folder, os.W_OK) else None


def _prove(workflow: Workflow, body: str) -> None:
    """Raise Defect when the text, read again, does not say what the workflow says."""
    try:
        root = document.parse(body, "rendered workflow")
        said = document.plain(root) if root else None
    except SpecError as error:
        raise Defect(f"the rendered workflow is not YAML: {error}") from error
    if (found := difference(workflow.as_data(), said)) is not None:
        raise Defect(f"the rendered workflow does not say what was meant at {found}")


def difference(meant: Any, said: Any, path: str = "") -> str | None:
    """Return where two documents differ, and how; None when they are the same."""
    if type(meant) is not type(said):
        return f"{path or '/'}: {meant!r} became {said!r}"
    if isinstance(meant, dict):
        if set(meant) != set(said):
            return f"{path or '/'}: the keys {list(meant)} became {list(said)}"
        pairs = [(f"{path}/{key}", meant[key], said[key]) for key in meant]
    elif isinstance(meant, list) and len(meant) == len(said):
        pairs = [(f"{path}/{i}", *both) for i, both in enumerate(zip(meant, said, strict=True))]
    else:
        return None if meant == said else f"{path or '/'}: {meant!r} became {said!r}"
    return next((found for pair in pairs if (found := difference(pair[1], pair[2], pair[0]))), None)
