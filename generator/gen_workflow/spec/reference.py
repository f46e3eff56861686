"""The tables of docs/spec.md, made from the declaration of the spec."""

from __future__ import annotations

from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.environments import ENVIRONMENT
from gen_workflow.spec.sections import Key, Section, sections

_ENVIRONMENT = "environments/NAME"
_HEAD = ("| key | what it says | default | example | since |", "| --- | --- | --- | --- | --- |")


def tables() -> dict[str, str]:
    """Return the table of each section by its path; that of the top level is "".

    An environment has all keys of `deploy` too, which stand in the table of that.
    """
    there = {path for path, _ in sections(SPEC)}
    again = {path for path in there if path.startswith(f"{_ENVIRONMENT}/")}
    again = {path for path in again if path.replace(_ENVIRONMENT, "deploy", 1) in there}
    return {path: _table(path, one) for path, one in sections(SPEC) if path not in again}


def _table(path: str, section: Section[object]) -> str:
    keys = ENVIRONMENT.own if path == _ENVIRONMENT else section.keys
    rows = [_row(name, key, section.default(name)) for name, key in keys.items()]
    return "\n".join([*_HEAD, *rows]) + "\n"


def _row(name: str, key: Key, default: object) -> str:
    cells = (f"`{name}`", key.sentence, _default(key, default), f"`{key.example}`", key.since)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _default(key: Key, default: object) -> str:
    """Return what holds without a key: what is declared, else the default of its field."""
    if key.missing and not key.default:
        return "**required**"
    if key.default:
        return key.default
    words = default if isinstance(default, tuple) else (default,)
    return ", ".join(f"`{word}`" for word in words if isinstance(word, str) and word)
