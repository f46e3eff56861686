"""Reading the sections of a spec: known keys, kinds of values, near matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.keys import SECTIONS

if TYPE_CHECKING:
    import re

    from gen_workflow.document import Problems, Value
    from gen_workflow.keys import Keys

NOT_YET = "is not supported yet in this version"
_MEANT = "perhaps you meant `{}`"
SCALARS = ("text", "a number", "true or false", "a date")


def section(value: Value, problems: Problems, keys: Keys) -> dict[str, Value] | None:
    """Return the known keys of a mapping; None when it is no mapping."""
    if value.kind != "a mapping":
        hint = f"it takes {listed(keys.known)}"
        problems.add(value, f"should be a mapping, is {value.kind}", hint)
        return None
    found: dict[str, Value] = {}
    for key, item in entries(value, problems):
        if key.text in keys.known:
            found[key.text] = item
        elif key.text in keys.later:
            problems.add(key, NOT_YET)
        elif not key.text.startswith("x-"):
            problems.add(key, "is not a key of the spec", _near_key(key.text, keys))
    return found


def _near_key(word: str, keys: Keys) -> str:
    for name, one in SECTIONS.items():
        if word in one.known + one.later:
            return f"it is a key of `{name}`"
    if hint := near(word, keys.known + keys.later):
        return hint
    return f"known here are {listed(keys.known)}; a key of your own begins with `x-`"


def misspelt(value: Value, name: str, keys: Keys) -> bool:
    """Tell whether a section has a key that is told to mean `name`, so that it is not missing."""
    known = keys.known + keys.later
    return any(
        key.text not in known and _near_key(key.text, keys) == _MEANT.format(name)
        for key, _ in value.pairs()
    )


def entries(value: Value, problems: Problems) -> list[tuple[Value, Value]]:
    """Return the entries of a mapping with keys that are text, each once."""
    first: dict[str, Value] = {}
    kept = []
    for key, item in value.pairs():
        if key.node.tag == "tag:yaml.org,2002:merge":
            problems.add(key, "merge keys are not part of YAML 1.2", "name the keys one by one")
        elif key.kind not in SCALARS:
            problems.add(value, f"has {key.kind} as a key on line {key.mark.line}")
        elif key.text in first:
            line = first[key.text].mark.line
            problems.add(key, f"is there twice, first on line {line}", "keep one of them")
        else:
            first[key.text] = key
            kept.append((key, item))
    return kept


def text(
    value: Value, problems: Problems, example: str = "", form: re.Pattern[str] | None = None
) -> str | None:
    """Return a text that is not empty and holds no expression; None when it is something else.

    `form` is what the caller will ask of it, so that no advice leads from one error to the next.
    """
    hint = f"such as {example}" if example else ""
    if value.kind != "text":
        if value.kind in SCALARS and (form is None or form.fullmatch(value.text)):
            hint = f'quote it: "{value.text}"'
        problems.add(value, f"should be text, is {value.kind}", hint)
    elif not value.text.strip():
        problems.add(value, "is empty", hint)
    elif "${{" in value.text:
        problems.add(value, "an expression cannot stand here", "write the value itself")
    else:
        return value.text
    return None


def items(value: Value, problems: Problems, example: str) -> list[Value]:
    """Return the items of a list; a value that is no list is a problem."""
    if value.kind == "a list":
        return value.items()
    problems.add(value, f"should be a list, is {value.kind}", f"such as {example}")
    return []


def near(word: str, known: tuple[str, ...]) -> str:
    """Return the hint that names what was probably meant; empty when nothing is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed when something is wrong

    matches = get_close_matches(word.lower().replace("_", "-"), known, n=1, cutoff=0.6)
    return _MEANT.format(matches[0]) if matches else ""


def listed(words: tuple[str, ...]) -> str:
    """Return words as a sentence names them."""
    quoted = [f"`{word}`" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
