"""Writes the tables of inputs and outputs into the README of every action: `make docs`.

The descriptions are from action.yml. With `--check` it writes nothing, and exits with 1 when a
table is out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- reference: made from action.yml by `make docs` -->\n"
END = "<!-- end of reference -->"
BETWEEN = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Update every README. With `--check`, only print those that are out of date."""
    stale = [path for path in readmes() if path.read_text("utf-8") != with_tables(path)]
    for path in stale:
        print(path.relative_to(ROOT))
        if "--check" not in arguments:
            path.write_text(with_tables(path), encoding="utf-8")
    if stale and "--check" in arguments:
        print("these READMEs differ from their action.yml: run `make docs`", file=sys.stderr)
        return 1
    return 0


def readmes() -> list[Path]:
    """Return each README that is beside an action.yml and has a place for the tables."""
    paths = [path.with_name("README.md") for path in ROOT.glob("actions/*/action.yml")]
    paths += [ROOT / "README.md"] if (ROOT / "action.yml").exists() else []
    return [each for each in sorted(paths) if each.exists() and BEGIN in each.read_text("utf-8")]


def with_tables(readme: Path) -> str:
    """Return the text of a README with the tables from its action.yml."""
    document = YAML(typ="safe").load(readme.with_name("action.yml").read_text("utf-8"))
    tables = _inputs(document.get("inputs") or {}) + _outputs(document.get("outputs") or {})
    return BETWEEN.sub(lambda _: tables, readme.read_text("utf-8"))


def _inputs(inputs: Mapping[str, Mapping[str, Any]]) -> str:
    if not inputs:
        return ""
    rows = [
        f"| `{name}` | {_cell(each['description'])} | {_default(each)} |"
        for name, each in inputs.items()
    ]
    return "\n".join(["| Input | What it is | Default |", "| --- | --- | --- |", *rows, "", ""])


def _outputs(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    if not outputs:
        return ""
    rows = [f"| `{name}` | {_cell(each['description'])} |" for name, each in outputs.items()]
    return "\n".join(["| Output | What it is |", "| --- | --- |", *rows, ""])


def _default(given: Mapping[str, Any]) -> str:
    if given.get("required"):
        return "**required**"
    return f"`{_cell(given['default'])}`" if given.get("default") else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
