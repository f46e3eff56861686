"""The verb `schema`: print the JSON Schema of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.report.terminal import put
from gen_workflow.spec import schema

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(_options: Options) -> int:
    """Print the JSON Schema, for editors and other programs."""
    return put(schema.text())
