"""What runs on a host: functions of a form, its parameters, and the phases that are called."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ship.runner.command import HIDDEN, Secret
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ship.ssh_deploy.facts import Facts

    Value = str | Secret

# The beginning of our labels on containers.
LABEL = "io.github.gen-workflow"
FOLDER = os.path.dirname(__file__)


class Phase(NamedTuple):
    """A part of a deploy, which is one line that is sent to the host.

    `undo` is what the host does by itself when the phase fails. With `first_host` only the first of
    several hosts runs it; with `in_groups` at most `max-parallel` hosts run it at a time.
    """

    name: str
    why: str
    undo: str
    first_host: bool = False
    in_groups: bool = False


# The last phase of every program.
LEAVE = Phase("leave", "unlock the service", "the host unlocks it when the script ends")


class Program(NamedTuple):
    """All that is sent to a host for one form of deploy.

    `files` are the scripts below this package that it is made of; `environment` is the one of the
    app, and `secret_files` are files for it, by name.
    """

    files: tuple[str, ...]
    phases: tuple[Phase, ...]
    parameters: Mapping[str, Value]
    environment: Mapping[str, Secret] = {}
    secret_files: Mapping[str, Secret] = {}
    # Functions that return further parameters from the facts of a host, once a phase has ended.
    answers: Mapping[str, Callable[[Facts], Mapping[str, Value]]] = {}
    # Those of `files` that are sent with a phase: the program would be too long to send it at once.
    later: Mapping[str, tuple[str, ...]] = {}
    # What a person must know of this deploy beforehand, and reads again in the job summary.
    note: str = ""

    def shown(self) -> str:
        """Return the program for a person to read, without secrets."""
        lines = [f"$ sh -s < {' + '.join(f'{os.path.basename(name)}.sh' for name in self.files)}"]
        lines += [f"    {name}={_shown(value)}" for name, value in self.parameters.items()]
        lines += [f"    export {name}={HIDDEN}" for name in self.environment]
        lines += [f"    file {name} {HIDDEN}" for name in self.secret_files]
        for number, phase in enumerate(self.phases, start=1):
            where = " (on the first host alone)" if phase.first_host else ""
            lines += [
                f"{number}. {phase.name}: {phase.why}{where}",
                f"   if it fails: {phase.undo}",
            ]
        lines += [self.note] if self.note else []
        return "\n".join(lines)

    def preamble(self, mark: str) -> Secret:
        """Return the text that defines everything and runs nothing; `mark` goes before each fact.

        The app's variables may have any name, also one of ours, so they are set in a function that
        only a subshell calls.
        """
        given = {"MARK": mark, **self.parameters}
        lines = [f"{name}={_value(value)}" for name, value in given.items()]
        exports = [f"export {name}={_value(value)}" for name, value in self.environment.items()]
        lines += _function("app_environment", exports)
        files = [
            f'printf %s {_value(value)} >"$1"/{name} || return'
            for name, value in self.secret_files.items()
        ]
        lines += _function("secret_files", files)
        late = [name for names in self.later.values() for name in names]
        lines += [_read(name) for name in self.files if name not in late]
        return Secret("\n".join([*lines, "printf 'ship-ready %s\\n' \"$MARK\"", ""]))

    def sent_with(self, names: Sequence[str]) -> str:
        """Return the text of the files that are sent with these phases."""
        return "".join(_read(file) for name in names for file in self.later.get(name, ()))


def call(*names: str, parameters: Mapping[str, Value] | None = None, functions: str = "") -> Secret:
    """Return the text that runs phases one after another, with further parameters."""
    given = [f"{name}={_value(value)}\n" for name, value in (parameters or {}).items()]
    return Secret("".join([functions, *given, *(f"phase {name}\n" for name in names)]))


def _function(name: str, body: list[str]) -> list[str]:
    return [f"{name}() {{", ":", *body, "}"]


def _shown(value: Value) -> str:
    """Return a parameter for a person; it shows whether a secret is empty."""
    return str(value) if isinstance(value, Secret) and value else _value(value)


def _value(value: Value) -> str:
    return shlex.quote(value.reveal() if isinstance(value, Secret) else value)


def _read(name: str) -> str:
    """Return a script without its comments, which are a third of it, its indentation and its gaps.

    TCP sends ten segments, 14 KB, before the other end has answered. Compressed and with comments
    the programs for the proxy and for compose are larger, and would take one more round trip.
    """
    with open(os.path.join(FOLDER, f"{name}.sh"), encoding="utf-8") as file:
        lines = (line.lstrip(" ") for line in file)
        return "".join(line for line in lines if line[0] not in "#\n")
