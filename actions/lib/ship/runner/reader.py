"""Reading the inputs of an action: strictly, and with all problems reported at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from ship.runner.command import Secret
from ship.runner.context import step_value
from ship.runner.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
YES = ("true", "yes", "on", "1")
NO = ("false", "no", "off", "0", "")
WRITE_A_PAIR = "write a name, an equals sign and the value"
WRITE_A_VARIABLE = (
    "write NAME=value, with nothing before the name and no blank around the equals sign, or only "
    "NAME, and put its value, of one line or more, into the `env:` of the step"
)
ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


def variable(name: str) -> str:
    """Return the environment variable that action.yml maps an input to."""
    return "INPUT_" + name.upper().replace("-", "_")


class Reader:
    """Reads inputs from the environment that action.yml makes; `done()` raises what was wrong.

    `pages` are the headings of docs/errors.md by input, for problems without one of their own; that
    of an empty name is for all other inputs.
    """

    def __init__(self, env: Mapping[str, str], pages: Mapping[str, str] | None = None) -> None:
        self._env = env
        self._pages = pages or {}
        # For a reader of its own language, which adds to them.
        self.problems: list[Problem] = []

    def problem(self, name: str, what: str, hint: str = "", anchor: str = "") -> None:
        """Note that an input is wrong. Reading goes on: all problems are reported at once."""
        self.problems.append(Problem(f"input `{name}`", what, hint, anchor))

    def done(self) -> None:
        """Raise UserError when any problem was noted."""
        if self.problems:
            # What holds for several images may be found in each.
            raise UserError(*dict.fromkeys(map(self._linked, self.problems)))

    def _linked(self, problem: Problem) -> Problem:
        """Return a problem with the page of its input, where it has none of its own."""
        # `images.api.tags` is about the tags of one image.
        name = re.sub(r"^input `(?:images\.[^`]*\.)?([^`]*)`.*", r"\1", problem.where)
        page = self._pages.get(name, self._pages.get("", ""))
        return problem._replace(anchor=problem.anchor or page)

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Return what a reader of its own language reads, or note all that it finds wrong."""
        try:
            return read()
        except UserError as error:
            self.problems += error.problems
            return None

    def raw(self, name: str) -> str:
        """Return an input as it was given, for a reader that counts its lines.

        A byte order mark, which some editors of Windows put first, belongs to no input.
        """
        return self._env.get(variable(name), "").removeprefix("\ufeff")

    def text(self, name: str, *, default: str = "") -> str:
        """Return an input without the blanks around it; an empty one gives the default."""
        return self.raw(name).strip() or default

    def required(self, name: str, hint: str) -> str:
        """Return an input that must not be empty."""
        value = self.text(name)
        if not value:
            self.problem(name, "is required but empty", hint)
        return value

    def secret(self, name: str, *, required_hint: str = "") -> Secret:
        """Return a secret; with a hint it must not be empty."""
        value = Secret(self.raw(name).strip())
        if required_hint and not value:
            self.problem(name, "is required but empty", required_hint)
        return value

    def job_token(self) -> Secret:
        """Return the token of the job, which action.yml adds to the inputs."""
        return Secret(self._env.get("JOB_TOKEN", ""))

    def matching(
        self, name: str, pattern: re.Pattern[str] | str, what: str, value: str, *, hint: str = ""
    ) -> str:
        """Check that a value, when there is one, is of a form; `what` names the form."""
        if value and not re.fullmatch(pattern, value):
            self.problem(name, f"{value!r} is not {what}", hint)
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        value = self.text(name).lower()
        if value not in (*YES, *NO):
            self.problem(name, f"{value!r} is neither true nor false", "write true or false")
        return value in YES

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of several words; an empty input gives the first."""
        value = self.text(name, default=allowed[0]).lower()
        if value not in allowed:
            self.problem(name, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """Return a whole number within bounds."""
        value = self.text(name, default=str(default))
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            hint = "" if value.isdigit() else "write only digits, without a unit"
            self.problem(name, f"{value!r} is not a whole number from {low} to {high}", hint)
            return default
        return int(value)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the lines of an input that hold something."""
        return tuple(line for _, line in self.numbered_lines(name))

    def numbered_lines(self, name: str) -> list[tuple[int, str]]:
        """Return the lines of an input that hold something, and which they are."""
        # Not splitlines(), which would end a value at U+2028 and at a form feed too.
        numbered = enumerate(self.raw(name).split("\n"), start=1)
        return [(number, line.strip()) for number, line in numbered if line.strip()]

    def pairs(self, name: str) -> dict[str, str]:
        """Return lines of the form NAME=value; a name may stand once."""
        found: dict[str, str] = {}
        for number, line in self.numbered_lines(name):
            key, equals, value = line.partition("=")
            if not equals or not key.strip():
                # Not the line itself: it may be part of a secret, which GitHub masks only whole.
                what = f"line {number} is not of the form NAME=value"
                self.problem(name, what, WRITE_A_PAIR)
            elif key.strip() in found:
                self.problem(name, f"{key.strip()!r} appears twice")
            else:
                found[key.strip()] = value
        return found

    def named_pairs(self, name: str, pattern: re.Pattern[str] | str, what: str) -> dict[str, str]:
        """Return lines of the form NAME=value whose names are of a form; `what` has the names."""
        pairs = self.pairs(name)
        for key in pairs:
            if not re.fullmatch(pattern, key):
                self.problem(name, f"{key!r} is not the name of {what}")
        return pairs

    def environment(self, name: str) -> dict[str, Secret]:
        """Return the environment of an app.

        Each line is NAME, whose value is in the `env:` of the step, or NAME=value. A NAME that the
        step does not have, or has empty, is a problem: GitHub turns a misspelt secret into nothing.
        """
        given = [(number, *line.partition("=")) for number, line in self.numbered_lines(name)]
        wrong = [number for number, key, _, _ in given if not re.fullmatch(ENV_NAME, key)]
        if wrong:
            # Other lines may be parts of the same secret, so nothing is said about them.
            self.refuse_lines(name, wrong, "NAME or NAME=value", WRITE_A_VARIABLE)
            return {}
        found: dict[str, Secret] = {}
        for number, key, equals, value in given:
            if key in found:
                self.problem(name, f"line {number} repeats the name of an earlier line")
            else:
                found[key] = Secret(value if equals else self._step_value(name, key, number))
        return found

    def refuse_lines(self, name: str, numbers: list[int], form: str, hint: str) -> None:
        """Name the wrong lines and not their text: GitHub masks a secret only as a whole."""
        more = len(numbers) - 1
        which = f"line {numbers[0]} and {more} more do" if more else f"line {numbers[0]} does"
        self.problem(name, f"{which} not have the form {form}", hint)

    def _step_value(self, name: str, key: str, number: int) -> str:
        value = step_value(self._env, key)
        if not value:
            # Not the name: the line may be one of a secret that was meant to have several.
            hint = (
                "create the secret or variable, and add `NAME: ${{ secrets.NAME }}`, with the name "
                "that is on this line, to the `env:` of this step; or write `NAME=` if it is meant "
                "to be empty"
            )
            what = f"line {number} is a name that the `env:` of the step has no value for"
            self.problem(name, what, hint)
        return value
