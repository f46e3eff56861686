"""The annotated examples of the spec: a file for each section, which is also its documentation."""

# ruff: noqa: PTH100, PTH112, PTH118, PTH120, PTH208 - as in the other modules that find files

from __future__ import annotations

import os

from gen_workflow import files

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ENDING = ".yml"
_NEEDS = "# needs: "


def folder() -> str:
    """Return the folder of the examples: in the package, or docs/spec of a checkout."""
    packaged = os.path.join(_PACKAGE, "examples")
    return packaged if os.path.isdir(packaged) else os.path.abspath(f"{_PACKAGE}/../../docs/spec")


def names() -> tuple[str, ...]:
    """Return the names of the sections that have an example."""
    found = (name for name in os.listdir(folder()) if name.endswith(_ENDING))
    return tuple(sorted(name.removesuffix(_ENDING) for name in found))


def text(name: str) -> str:
    """Return the example of a section; what the tests need of it is left out."""
    lines = files.content(os.path.join(folder(), name + _ENDING)).decode().splitlines(keepends=True)
    return "".join(lines[1:] if lines[0].startswith(_NEEDS) else lines)


def title(name: str) -> str:
    """Return the first sentence of an example."""
    words = []
    for line in text(name).splitlines():
        if not line.startswith("# "):
            break
        words.append(line.removeprefix("# "))
    return " ".join(words).partition(". ")[0].rstrip(".") + "."
