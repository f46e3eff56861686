"""Loads a spec: YAML text in, records out, or everything that is wrong with it."""

from __future__ import annotations

from gen_workflow.errors import SpecError
from gen_workflow.spec import document
from gen_workflow.spec.declaration import SPEC, Spec
from gen_workflow.spec.document import Reading
from gen_workflow.spec.sections import sections

EXAMPLE = """\
image: .
deploy:
  ssh: vps
  run: {ports: ["8080:8080"], env: [GREETING]}
  health: /health
"""


def load(raw: bytes, source: str, folder: str) -> Spec:
    """Return the spec in `raw`, whose paths are relative to `folder`.

    Raises SpecError with every problem; `source` is how the problems name the file.
    """
    root = document.parse(document.decode(raw, source), source)
    if root is None or root.kind == "nothing":
        raise SpecError((f"{source}:1:1 is empty\n  hint: {how_to_write_one()}",))
    reading = Reading(source, folder, {path: section.names for path, section in sections(SPEC)})
    spec = SPEC.read(root, reading)
    reading.raise_problems()
    if spec is None:  # pragma: no cover - a spec that is refused has problems
        raise SpecError((f"{source}:1:1 cannot be read",))
    return spec


def how_to_write_one() -> str:
    """Return the hint for a user who has no spec yet."""
    return "a spec can be as short as this:\n" + "".join(
        f"    {line}\n" for line in EXAMPLE.splitlines()
    ).rstrip("\n")
