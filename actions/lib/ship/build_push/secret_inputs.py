"""The inputs `secrets` and `secret-files`. What is wrong is named by its line and never quoted."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ship.build_push.records import QUOTES, line_numbers, records
from ship.runner.command import Secret
from ship.runner.context import step_value
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ship.runner.context import Context
    from ship.runner.reader import Reader

ID = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
SEVERAL_LINES = (
    "put a value of several lines into the `env:` of this step and write its name here; or write "
    'it in quotes, with "id= before its first line and " after its last'
)
GIVE_VALUE = (
    "check that the secret exists, and add `NAME: ${{ secrets.NAME }}`, with the name that is on "
    "this line, to the `env:` of this step"
)


class BuildSecret(NamedTuple):
    """A secret of the build: from a file, or a value that goes through the environment."""

    id: str
    value: Secret = Secret("")
    file: str = ""


class SecretInputs(NamedTuple):
    """All secrets of the build, and sentences for the log."""

    secrets: tuple[BuildSecret, ...]
    notices: tuple[str, ...] = ()


def read_secrets(read: Reader, context: Context, env: Mapping[str, str]) -> SecretInputs:
    """Read both inputs. What is wrong is noted."""
    empty: list[int] = []
    given = _values(read, env, empty.append if context.without_secrets else None)
    files = _files(read, context, {each.id for each in given})
    notice = _empty_on_purpose(context, empty) if empty else ""
    return SecretInputs((*given, *files), (notice,) if notice else ())


def _empty_on_purpose(context: Context, empty: list[int]) -> str:
    ways = "; add them to the secrets of Dependabot if the build needs them"
    lines = f"{line_numbers(empty)} {'have' if empty[1:] else 'has'}"
    return (
        f"In `secrets`, {lines} no value, because GitHub gives "
        f"{context.without_secrets} no secrets of the repository. The build goes on with "
        f"empty ones{ways if context.is_dependabot else ''}."
    )


def _values(
    read: Reader, env: Mapping[str, str], note_empty: Callable[[int], None] | None
) -> tuple[BuildSecret, ...]:
    found: dict[str, BuildSecret] = {}
    wrong, parts = [], []
    for number, text, is_closed in records(read.raw("secrets")):
        name, equals, value = text.partition("=")
        if not is_closed:
            what = f"line {number} begins with a quote that is not closed"
            read.problem("secrets", what, QUOTES)
        elif re.fullmatch(ID, name):
            parts.append((number, name, value if equals else step_value(env, name), equals))
        else:
            wrong.append(number)
    if wrong:
        # Other lines may be parts of the same secret, so nothing is said about them.
        read.refuse_lines("secrets", wrong, "NAME or id=value", SEVERAL_LINES)
        return ()
    for number, name, value, equals in parts:
        if name in found:
            read.problem("secrets", f"line {number} repeats the name of an earlier line")
        elif not value and note_empty:
            note_empty(number)
        elif not value:
            is_name = "is a name that the `env:` of the step has no value for"
            what = f"line {number} {'has no value' if equals else is_name}"
            is_part = f"; or, if it is a part of a value: {SEVERAL_LINES}" if found else ""
            read.problem("secrets", what, GIVE_VALUE + is_part, "a-secret-has-no-value")
        found.setdefault(name, BuildSecret(name, Secret(value)))
    return tuple(found.values())


def _files(read: Reader, context: Context, taken: set[str]) -> tuple[BuildSecret, ...]:
    """Return the secrets that are files. A path may be a secret that was put into a wrong input."""
    found: dict[str, BuildSecret] = {}
    for number, line in read.numbered_lines("secret-files"):
        name, equals, text = line.partition("=")
        path = os.path.join(context.workspace, text)
        if not equals or not re.fullmatch(ID, name):
            hint = "write an id, an equals sign and the path of a file"
            read.problem("secret-files", f"line {number} is not of the form id=path", hint)
        elif name in found:
            read.problem("secret-files", f"line {number} repeats the id of an earlier line")
        elif name in taken:
            what = f"the id on line {number} is also in `secrets`"
            read.problem("secret-files", what, "name it in one of them")
        elif not os.path.isfile(path):
            hint = "the path is relative to the workspace; a value belongs into `secrets`"
            read.problem("secret-files", f"line {number} names a file that does not exist", hint)
        found.setdefault(name, BuildSecret(name, file=path))
    return tuple(found.values())
