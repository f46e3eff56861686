"""The annotated examples of docs/spec, each in a repository with the files that it names."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import mkdtemp

from once import folder as folder_of_the_run

ROOT = Path(__file__).parents[2]
FILES = tuple(sorted((ROOT / "docs" / "spec").glob("*.yml")))
COMPOSE = """\
services:
  web: {image: "ghcr.io/example/shop/web"}
  api: {image: "ghcr.io/example/shop/api"}
  worker: {image: "ghcr.io/example/shop/api"}
  db: {image: "postgres:17"}
"""


def repository(example: Path) -> Path:
    """Return a new folder with the spec of an example, and what its first line says it needs."""
    folder = Path(mkdtemp(prefix="docs-spec-", dir=folder_of_the_run()))
    text = example.read_text("utf-8")
    (folder / "gen-workflow.yml").write_text(text, "utf-8")
    needs = re.match(r"# needs: (.*)\n", text)
    for name in needs[1].split(", ") if needs else ():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(content(path.name), "utf-8")
    return folder


def content(name: str) -> str:
    """Return what stands in a file of such a name."""
    if "compose" in name:
        return COMPOSE
    return "FROM scratch\n" if "Dockerfile" in name else ""
