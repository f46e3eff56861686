"""The text of a spec that a repository gets from the file of the fleet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from gen_workflow.spec.document import Value

_WIDTH = 100


def text(spec: Value, source: str) -> bytes:
    """Return a spec as a file of a repository; `source` says where it is edited.

    The same spec always gives the same text, so that nothing is committed for its form alone.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.width = _WIDTH
    yaml.default_flow_style = None
    out = io.StringIO()
    yaml.serialize(spec.node, out)
    head = f"# Made by gen-workflow from {source}. Edit it there; an edit here is replaced."
    return f"{head}\n{out.getvalue()}".encode()
