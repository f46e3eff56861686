"""The input `build-args`, as docker/build-push-action reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.build_push.records import QUOTES, records
from ship.runner.named_tuple import NamedTuple
from ship.runner.reader import WRITE_A_PAIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.reader import Reader

BUILD_ARG = r"[A-Za-z_][A-Za-z0-9_]*"
# As if the comma separated two arguments.
_TWO = rf"(?s)[^,]*,\s*{BUILD_ARG}=.*"


class BuildArgs(NamedTuple):
    """The arguments, and sentences for the log. A secret may be in them by mistake: no text is."""

    values: Mapping[str, str]
    notices: tuple[str, ...] = ()


def read_build_args(read: Reader, env: Mapping[str, str]) -> BuildArgs:
    """Read the arguments; a name alone has the value of that variable. Notes what is wrong."""
    found: dict[str, str] = {}
    notices: list[str] = []
    wrong: list[int] = []
    for number, text, is_closed in records(read.raw("build-args")):
        name, equals, value = text.partition("=")
        if not is_closed:
            what = f"line {number} begins with a quote that is not closed"
            read.problem("build-args", what, QUOTES)
        elif text.startswith("#"):
            continue
        elif not re.fullmatch(BUILD_ARG, name):
            wrong.append(number)
        elif name in found:
            read.problem("build-args", f"line {number} repeats the name of an earlier line")
        elif equals or name in env:
            found[name] = value if equals else env[name]
        else:
            notices.append(_UNSET.format(number))
        if equals and re.fullmatch(_TWO, value):
            notices.append(_ONE.format(number))
    if wrong:
        read.refuse_lines("build-args", wrong, "NAME or NAME=value", WRITE_A_PAIR)
    return BuildArgs(found, tuple(notices))


_UNSET = (
    "`build-args`, line {}: the `env:` of this step has no variable of this name, so the build "
    "uses the default of the Dockerfile."
)
_ONE = (
    "`build-args`, line {}: this is one argument, and the comma is a part of its value. Write each "
    "argument on a line of its own."
)
