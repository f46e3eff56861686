"""Commands and secrets as data: what is run can be shown before it is run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN = "***"


class Secret:
    """A value that is never printed: `str()` and `repr()` hide it, `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """Return the value, to be written to a pipe or a file with mode 0600 and nowhere else."""
        return self._value


class Command(NamedTuple):
    """A program to start. A secret goes through `stdin`, or `env` where a program asks for that.

    `undo` is the command that takes back what this one has done, where there is one.
    """

    argv: tuple[str, ...]
    why: str
    stdin: Secret | None = None
    env: Mapping[str, str | Secret] = {}
    undo: Command | None = None

    def __str__(self) -> str:
        return shlex.join(self.argv)

    def environment(self) -> dict[str, str]:
        """Return what the program's environment has beside ours, secrets in the clear."""
        return {k: v.reveal() if isinstance(v, Secret) else v for k, v in self.env.items()}
