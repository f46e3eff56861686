"""The rule for actions in `.github/dependabot.yml`: written, or put into a file by its lines.

Dependabot moves the actions that `update` moves. It must leave ours alone in a generated workflow,
which `generate` writes, and it looks into the folder of an action only when it is named
(https://github.com/dependabot/dependabot-core/issues/4178).
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gen_workflow.errors import Heading, UserError
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.nodes import OutOfBounds, compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PATHS = (".github/dependabot.yml", ".github/dependabot.yaml")
_ECOSYSTEM = "github-actions"


class Rule(NamedTuple):
    """What the rule must say: the folders that hold uses, and the repositories that it ignores."""

    folders: tuple[str, ...]
    ignored: tuple[str, ...]


class _Edit(NamedTuple):
    """Lines to add before a line, counted from 0; with `takes` in place of that line."""

    line: int
    lines: tuple[str, ...]
    takes: bool = False


def path(folder: str) -> str:
    """Return where a repository has its configuration, or should have it."""
    return next((one for one in _PATHS if Path(folder, one).is_file()), _PATHS[0])


def rule(paths: Iterable[str], ours: Iterable[str]) -> Rule:
    """Return the rule for files that hold uses, and for the repositories that we move ourselves.

    `/` stands for all workflows, and for an action at the top.
    """
    below = {f"/{one.rpartition('/')[0]}" for one in paths}
    folders = sorted(below - {"/", "/.github/workflows"})
    return Rule(("/", *folders), tuple(dict.fromkeys(f"{name}*" for name in ours)))


def configured(text: str, wanted: Rule, where: str) -> str:
    """Return the configuration with the rule; an empty text stands for a file that is not there.

    All other lines stay as they are. Raises UserError for one whose form has no place for it.
    """
    if not text.strip():
        return "\n".join(["version: 2", "updates:", *_whole(wanted, "  "), ""])
    try:
        return _proven(text, _applied(text, _edits(_updates(text), wanted)), wanted)
    except _NoPlaceError as error:
        hint = "\n".join(["write the rule by hand:", *_whole(wanted, "    ")])
        raise UserError(f"{error}", where=where, hint=hint, anchor=Heading.DEPENDABOT) from None


def _proven(before: str, after: str, wanted: Rule) -> str:
    """Return the text after when it says the rule, and all else as before."""
    old = _parts(before)
    try:
        new = _parts(after)
        same = old.others == new.others and old.actions in ((), new.actions)
        done = same and not _edits(_updates(after), wanted)
    except _NoPlaceError:
        done = False
    if not done:
        raise _NoPlaceError("a part of it is written in a form that is not known here")
    return after


def _edits(updates: Any, wanted: Rule) -> list[_Edit]:
    """Return what a list of rules lacks."""
    rules = [each for each in updates.value if _is_for_actions(each)]
    if not rules:
        indent = " " * updates.start_mark.column
        return [_Edit(_end(updates), tuple(_whole(wanted, indent)))]
    patterns = [one for each in rules for one in _folders(each)]
    lacking = [one for one in wanted.folders if not any(fnmatch(one, each) for each in patterns)]
    first = next((each for each in rules if _get(each, "target-branch") is None), rules[0])
    ignored = [edit for each in rules for edit in _with_ignored(each, wanted)]
    return [*_with_folders(first, lacking), *ignored]


class _Parts(NamedTuple):
    """What a configuration says in its rules for actions, but for what is edited, and elsewhere."""

    actions: tuple[Any, ...]
    others: Any


def _parts(text: str) -> _Parts:
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        raise _NoPlaceError("it is not YAML") from None
    rules = [one for one in found["updates"] if isinstance(one, dict)]
    actions = [one for one in rules if one.get("package-ecosystem") == _ECOSYSTEM]
    edited = ("directory", "directories", "ignore")
    kept = [{key: one[key] for key in one if key not in edited} for one in actions]
    others = [one for one in rules if one not in actions]
    return _Parts(tuple(kept), [{**found, "updates": others}])


def _whole(wanted: Rule, indent: str) -> list[str]:
    """Return the lines of a whole rule."""
    lines = [
        f"- package-ecosystem: {_ECOSYSTEM}",
        "  directories: # / is for the workflows; each folder of an action has to be named",
        *(f"    - {one}" for one in wanted.folders),
        "  schedule:",
        "    interval: weekly",
        "  cooldown:",
        "    default-days: 7 # by then most releases that were tampered with have been found",
        "  groups:",
        "    actions: # one pull request for all of them",
        '      patterns: ["*"]',
        *_ignore(wanted, "  "),
    ]
    return [f"{indent}{line}" for line in lines]


def _ignore(wanted: Rule, indent: str) -> list[str]:
    names = [f'{indent}  - dependency-name: "{name}"' for name in wanted.ignored]
    return [f"{indent}ignore: # `gen-workflow generate` moves these", *names]


class _NoPlaceError(Exception):
    """A configuration in a form that cannot be edited by its lines."""


def _updates(text: str) -> Any:
    """Return the list of rules, which must be a block, as must be what is edited in them."""
    try:
        root = compose(text, bounded=False)
    except (YAMLError, OutOfBounds, ValueError):
        raise _NoPlaceError("it is not YAML") from None
    found = _get(root, "updates")
    if not _is_block(found, SequenceNode) or not found.value:
        raise _NoPlaceError("its `updates` is not a list of lines that begin with `-`")
    for each in filter(_is_for_actions, found.value):
        lists = (_get(each, name) for name in ("ignore", "directories"))
        flow = any(one is not None and not _is_block(one, SequenceNode) for one in lists)
        if flow or not _is_block(each, MappingNode):
            raise _NoPlaceError("its rule for actions is not written line by line")
    return found


def _is_for_actions(found: Any) -> bool:
    return _value(found, "package-ecosystem") == _ECOSYSTEM


def _is_block(node: Any, kind: type) -> bool:
    return isinstance(node, kind) and not getattr(node, "flow_style", False)


def _get(node: Any, name: str) -> Any:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _value(node: Any, name: str) -> str:
    found = _get(node, name)
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _folders(found: Any) -> set[str]:
    """Return the folders of a rule, which may be patterns; workflows have two names."""
    listed = _get(found, "directories")
    named = {_value(found, "directory")}
    if listed:
        named |= {f"{one.value}" for one in listed.value}
    bare = {one.rstrip("/") or "/" for one in named if one}
    return bare | {"/"} if "/.github/workflows" in bare else bare


def _with_folders(found: Any, lacking: Sequence[str]) -> list[_Edit]:
    """Return the edits that name more folders in a rule; one folder becomes a list."""
    if not lacking:
        return []
    if listed := _get(found, "directories"):
        indent = " " * listed.start_mark.column
        return [_Edit(_end(listed), tuple(f"{indent}- {one}" for one in lacking))]
    pairs = [pair for pair in found.value if pair[0].value == "directory"]
    if not pairs:
        raise _NoPlaceError("its rule for actions names no folder")
    key, value = pairs[0]
    mark, indent = key.start_mark, " " * key.start_mark.column
    before = str(mark.buffer[: mark.pointer]).rpartition("\n")[2]
    behind = str(mark.buffer[value.end_mark.pointer :]).partition("\n")[0].rstrip("\0\r ")
    items = [f"{indent}  - {one}" for one in (value.value, *lacking)]
    return [_Edit(mark.line, (f"{before}directories:{behind}", *items), takes=True)]


def _with_ignored(found: Any, wanted: Rule) -> list[_Edit]:
    """Return the edits that make a rule ignore our own actions."""
    listed = _get(found, "ignore")
    there = [each for each in listed.value if len(each.value) == 1] if listed else []
    patterns = [_value(one, "dependency-name") for one in there]
    lacking = [name for name in wanted.ignored if not any(fnmatch(name, each) for each in patterns)]
    if not lacking:
        return []
    if listed:
        indent = " " * listed.start_mark.column
        lines = tuple(f'{indent}- dependency-name: "{name}"' for name in lacking)
        return [_Edit(_end(listed), lines)]
    indent = " " * found.start_mark.column
    return [_Edit(_end(found), tuple(_ignore(wanted._replace(ignored=tuple(lacking)), indent)))]


def _end(node: Any) -> int:
    """Return the line behind the last line of a node, without the comments that follow it."""
    if not isinstance(node, ScalarNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    in_a_block = mark.column == 0 and mark.line > node.start_mark.line
    return int(mark.line) if in_a_block else int(mark.line) + 1


def _applied(text: str, edits: Iterable[_Edit]) -> str:
    """Return the text with its edits, with line ends as it has them."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
    for edit in sorted(edits, key=lambda one: one.line, reverse=True):
        if edit.line == len(lines) and not lines[-1].endswith(("\r", "\n")):
            lines[-1] += end
        lines[edit.line : edit.line + edit.takes] = [f"{line}{end}" for line in edit.lines]
    return "".join(lines)
