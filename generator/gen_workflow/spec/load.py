"""Loads a spec: YAML text in, records out, or everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.spec import document
from gen_workflow.spec.declaration import SPEC, Spec
from gen_workflow.spec.document import Reading
from gen_workflow.spec.sections import sections
from gen_workflow.spec.tree import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_workflow.spec.document import Value
    from gen_workflow.spec.hints import Keys
    from gen_workflow.spec.tree import Tree

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
    return read(root_of(raw, source), source, Folder(folder))


def root_of(raw: bytes, source: str) -> Value:
    """Return the root of a text; raises SpecError when it is no YAML, or empty."""
    root = document.parse(document.decode(raw, source), source)
    if root is None or root.kind == "nothing":
        empty = Problem(source, 1, 1, "is empty", hint=how_to_write_one())
        raise SpecError({empty: Heading.NO_SPEC})
    return root


def read(root: Value, source: str, tree: Tree) -> Spec:
    """Return the spec with a root; `tree` are the files of its repository.

    Raises SpecError with every problem; `source` is how the problems name the file.
    """
    reading = Reading(source, tree, _keys)
    spec = SPEC.read(root, reading)
    reading.raise_problems()
    if spec is None:  # pragma: no cover - a spec that is refused has problems
        raise SpecError({Problem(source, 1, 1, "cannot be read"): Heading.WRONG_VALUE})
    return spec


def _keys() -> dict[str, Keys]:
    return {path: section.names for path, section in sections(SPEC)}


def refuse(
    problems: Iterable[tuple[str, str, str, str]],
    root: Value,
    source: str,
    anchor: str = Heading.LIMIT,
) -> None:
    """Raise SpecError for what a workflow cannot be: path of a key, what is wrong, a hint, a text.

    The key is looked for again: no record keeps the line that it was read from. A text is the value
    below the key that is wrong.
    """
    reading = Reading(source)
    for path, what, hint, text in dict.fromkeys(problems):
        place = _place(root, path.split("/"))
        reading.problem(next(_with_text(place, text), place), what, hint, anchor)
    reading.raise_problems()


def _with_text(value: Value, text: str) -> Iterator[Value]:
    """Yield each value of a text, from a value on downwards."""
    if value.kind == "text" and value.text == text:
        yield value
    inside = value.items() if value.kind == "a list" else []
    inside += [item for _, item in value.pairs()] if value.kind == "a mapping" else []
    for item in inside:
        yield from _with_text(item, text)


def _place(root: Value, names: list[str]) -> Value:
    """Return the value of a key: of the places where it may be, the one that is there.

    What all environments share is in `deploy`, and `env` of `run` may be beside `run`.
    """
    paths = [names, ["deploy", *names[2:]]] if names[0] == "environments" else [names]
    if "env" in names:
        paths += [[name for name in path if name != "run"] for path in paths]
    places = [root.below(path) for path in paths]
    missing = [len(path) - place.path.count("/") for path, place in zip(paths, places, strict=True)]
    return places[missing.index(min(missing))]


def how_to_write_one() -> str:
    """Return the hint for a user who has no spec yet."""
    return "a spec can be as short as this:\n" + "".join(
        f"    {line}\n" for line in EXAMPLE.splitlines()
    ).rstrip("\n")
