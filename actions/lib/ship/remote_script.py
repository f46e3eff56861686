"""Scripts for the far side: a phase as data, its shell text, and the facts that come back."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ship.command import HIDDEN, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = os.path.join(os.path.dirname(__file__), "remote")
CONTROL = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]")
KEPT_LOG_LINES = 200
LONGEST = 2000
# What a script may tell, but for the lines of a log.
NAMES = frozenset(
    ("begin", "end", "failure", "detail", "previous", "before", "serving", "restored", "lost")
)


class Phase(NamedTuple):
    """One script that runs on the host in one round trip."""

    name: str
    why: str
    undo: str
    parameters: Mapping[str, str | Secret]
    # The environment of the app. Secrets, which reach Docker's client as variables and not as argv.
    exports: Mapping[str, Secret] = {}

    def shown(self) -> str:
        """Return the phase for a person to read, without secrets."""
        lines = [f"{self.why}", f"   if it fails: {self.undo}", f"   $ sh -s < {self.name}.sh"]
        lines += [f"     {name}={_shown(value)}" for name, value in self.parameters.items()]
        lines += [f"     export {name}={HIDDEN}" for name in self.exports]
        return "\n".join(lines)


def _shown(value: str | Secret) -> str:
    return str(value) if isinstance(value, Secret) else shlex.quote(value)


def _value(value: str | Secret) -> str:
    return shlex.quote(value.reveal() if isinstance(value, Secret) else value)


def text(phase: Phase, mark: str) -> Secret:
    """Return the whole script: parameters, the environment of the app, shared functions, the phase.

    `mark` stands in front of every fact.

    The app's variables may have any name, also one of ours, so they are set in a function that
    only a subshell calls.
    """
    given = {"MARK": mark, **phase.parameters}
    parameters = [f"{name}={_value(value)}" for name, value in given.items()]
    exports = [f"  export {name}={_value(value)}" for name, value in phase.exports.items()] or [
        "  :"
    ]
    app = ["app_environment() {", *exports, "}"]
    return Secret("\n".join([*parameters, *app, _read("common"), _read(phase.name), "main", ""]))


def _read(name: str) -> str:
    with open(os.path.join(FOLDER, f"{name}.sh"), encoding="utf-8") as file:
        return file.read()


class Facts:
    """What the scripts tell on their standard output, one `MARK name value` a line.

    Whatever else is printed there, by a login script or a command, is no fact. The words come from
    a host that may be hostile: control characters go, length is bounded, nothing of it is ever run.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self.logs: list[str] = []
        self._phase = ""
        self._mark = ""

    def begin(self, phase: Phase) -> str:
        """Start to listen to another phase; return the mark of its facts."""
        self._phase = phase.name
        self._mark = os.urandom(16).hex()
        for name in ("begin", "end"):
            self._values.pop(name, None)
        return self._mark

    def take(self, line: str) -> None:
        """Take one line of the standard output of a script."""
        mark, _, fact = line.partition(" ")
        name, _, value = fact.partition(" ")
        clean = CONTROL.sub("", value.replace("\t", " "))[:LONGEST]
        if mark != self._mark:
            return
        if name == "log":
            self.logs = [*self.logs[-KEPT_LOG_LINES:], clean.rstrip()]
        elif name in NAMES:
            self._values[name] = clean.strip()

    def get(self, name: str) -> str:
        return self._values.get(name, "")

    @property
    def begun(self) -> bool:
        """Whether the host ran the script at all."""
        return "begin" in self._values

    @property
    def ended(self) -> bool:
        """Whether the phase came to its own end, well or badly: else the connection was lost."""
        return "end" in self._values

    @property
    def result(self) -> str:
        """Return deployed, refused, rolled-back, failed, or unknown."""
        if self.get("serving"):
            return "deployed"
        if self._phase != "switch":
            return "refused"
        if self.get("restored"):
            return "rolled-back"
        if self.get("lost"):
            return "failed"
        return "refused" if self.ended or not self.begun else "unknown"

    @property
    def image(self) -> str:
        """The image that serves, as far as that is known; an empty text if none does."""
        known = {"deployed": "serving", "rolled-back": "restored", "refused": "before"}
        return self.get(known.get(self.result, ""))
