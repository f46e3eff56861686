"""Command lines of a user, which are split into words as a shell does, and are run without one."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ship.runner.reader import Reader

QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
# What a shell would not take for a part of an argument. A single |, ; or & within a word may be
# one, as in a=1&b=2.
OPERATOR = re.compile(r"\|\S*|&|\S*(?:&&|\|\|)\S*|(?:[0-9]|&)?[<>]\S*|;+\S*|\S*;")


def read_words(read: Reader, name: str, text: str) -> tuple[str, ...]:
    """Return the words of a text; notes when it cannot be split."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        # Not the text itself: it may hold a secret.
        read.problem(name, f"cannot be split into words ({error})", "close the quotes")
        return ()


def read_command(read: Reader, name: str, text: str, *, prefix: str = "") -> tuple[str, ...]:
    """Return the words of a command; notes an operator that only a shell would understand.

    The program would get it as an argument, and most programs ignore arguments that they do not
    know. `prefix` is what stands before the command in the input.
    """
    bare = QUOTED.sub("q", text).split()
    found = next((word for word in bare if OPERATOR.fullmatch(word)), "")
    if found:
        # Not the command itself: it may hold a secret.
        operator = "".join(re.findall(r"[&|<>;]+", found)[:1])
        what = f"a command has the shell operator {operator}, and no shell reads the command"
        read.problem(name, what, f"let a shell run it: {prefix}sh -c '… {operator} …'")
    return read_words(read, name, text)
