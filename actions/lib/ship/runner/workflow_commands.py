"""The runner's side channel: workflow commands, outputs and the job summary.

The only module that knows their syntax, which is that of
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.runner.command import Secret

# GitHub drops a summary of more than 1 MiB a step, with an error.
SUMMARY_LIMIT = 1024 * 1024 - 4096


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _delimiter() -> str:
    return "ship_" + os.urandom(16).hex()


class Workflow:
    """Talks to the runner through its log and the files it names in the environment."""

    def __init__(self, env: Mapping[str, str], log: TextIO | None = None) -> None:
        self._log = log or sys.stdout
        self._output = env.get("GITHUB_OUTPUT", "")
        self._summary = env.get("GITHUB_STEP_SUMMARY", "")
        self._artifacts = env.get("GITHUB_ARTIFACTS", "")
        self._written = 0
        self._guard = ""

    def say(self, text: str = "") -> None:
        """Print a line of our own; text from elsewhere goes through `untrusted`."""
        # One write: the logs of builds that run side by side come from threads of their own.
        self._log.write(f"{text}\n")
        self._log.flush()

    def quote(self, text: str) -> None:
        """Print a line that contains text from elsewhere."""
        with self.untrusted():
            self.say(text)

    def _command(self, name: str, text: str, title: str = "") -> None:
        properties = f" title={_property(title)}" if title else ""
        self.say(f"::{name}{properties}::{_data(text)}")

    def error(self, text: str, title: str = "") -> None:
        """Annotate the run with an error of one or several lines."""
        self._command("error", text, title)

    def warning(self, text: str, title: str = "") -> None:
        """Annotate the run with a warning."""
        self._command("warning", text, title)

    def notice(self, text: str, title: str = "") -> None:
        """Annotate the run with a notice."""
        self._command("notice", text, title)

    def mask(self, secret: Secret) -> None:
        """Hide a secret in the log of the job, line by line, as the log is printed."""
        for line in secret.reveal().splitlines():
            # The first and the last line of a key are the same in all keys.
            if line.strip() and not line.startswith("-----"):
                self._command("add-mask", line.strip())

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is printed meanwhile under a title."""
        self._command("group", title)
        try:
            yield
        finally:
            self.say("::endgroup::")

    @contextmanager
    def untrusted(self) -> Iterator[None]:
        """Let text from elsewhere be printed: no line of it is a workflow command meanwhile."""
        guard = _delimiter()
        self.say(f"::stop-commands::{guard}")
        try:
            yield
        finally:
            self.say(f"::{guard}::")

    def output(self, name: str, value: str) -> None:
        """Set an output of the step; the value may hold anything, also several lines."""
        if not self._output:
            return
        delimiter = _delimiter()
        # Half of a pair of surrogates, which JSON can hold, is no character that a file can.
        with open(self._output, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")

    def artifact(self, image: str) -> None:
        """Tell the runner of an image, as `name@digest`, for a later step that attests it."""
        # https://github.com/actions/runner/pull/4527: one a line; older runners have no such file.
        if self._artifacts:
            with open(self._artifacts, "a", encoding="utf-8") as file:
                file.write(f"{image}\n")

    def summary(self, markdown: str) -> None:
        """Append to the summary of the job, up to the size that GitHub shows."""
        if not self._summary:
            return
        room = max(0, SUMMARY_LIMIT - self._written)
        text = markdown.encode(errors="replace")[:room].decode(errors="ignore")
        self._written += len(text.encode())
        try:
            with open(self._summary, "a", encoding="utf-8") as file:
                file.write(text.rstrip("\n") + "\n")
        except OSError as error:
            # The log says the same, so no information is lost.
            self.warning(f"The summary of the job could not be written: {error.strerror}")
