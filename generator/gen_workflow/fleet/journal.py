"""What was done to which repository: a line of JSON each, written before anything else goes on.

What is still to do is seen on GitHub, so a run that was killed is continued without the journal.
It keeps what GitHub does not tell: how many changes were made in the last hour, and where the last
run failed.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_workflow import files

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATELY = 2 * 3600.0  # seconds; `pace` knows which of these changes still count
_NOT_DONE = ("begins", "failed")
_NO_JOURNAL = "the journal cannot be written, so nothing more is changed"


def place(file: str) -> Path:
    """Return where the journal of a fleet is: in the folder of the user for such data."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
    name = hashlib.sha256(os.path.realpath(file).encode()).hexdigest()[:12]
    return Path(home, "gen-workflow", f"fleet-{name}.jsonl")


def lock(file: str) -> Path:
    """Return where the lock of a fleet is, beside its journal."""
    return place(file).with_suffix(".lock")


class Journal:
    """The journal of one fleet; raises UserError when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lately(self, now: float) -> list[tuple[float, int]]:
        """Return the changes of the last two hours, as (time, how many)."""
        found = [(one.get("time"), one.get("changes")) for one in self._lines()]
        return [
            (at, many)
            for at, many in found
            if isinstance(at, float) and isinstance(many, int) and many and at > now - _LATELY
        ]

    def failed(self) -> set[str]:
        """Return the repositories in which the last run that came to them failed, or was killed."""
        last = {f"{one.get('repository')}".lower(): one.get("act") for one in self._lines()}
        return {slug for slug, act in last.items() if act in _NOT_DONE}

    def compact(self, now: float) -> None:
        """Leave out what nobody asks for any more; the journal is replaced as a whole.

        That is what is older than two hours, but for the last line of a repository that failed. A
        line that was cut off goes as well: the next one would become a part of it.
        """
        lines = [*self._lines(before := self._text())]
        last = {one.get("repository"): one for one in lines}
        kept = [
            one
            for one in lines
            if _is_recent(one, now)
            or (one is last[one.get("repository")] and one.get("act") in _NOT_DONE)
        ]
        text = "".join(f"{json.dumps(one)}\n" for one in kept)
        if text == before:
            return
        new = self.path.with_suffix(".new")
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise files.problem(error, _NO_JOURNAL, str(new)) from None

    def write(self, slug: str, act: str, *, changes: int = 0, **more: str) -> None:
        """Add a line, which is on the disk when this returns."""
        line = {"time": time.time(), "repository": slug, "act": act, "changes": changes, **more}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(line)}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise files.problem(error, _NO_JOURNAL, str(self.path)) from None

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return ""  # the first change tells it when it cannot be made
        except OSError as error:
            raise files.problem(error, "the journal cannot be read", str(self.path)) from None

    def _lines(self, text: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the lines; the last one may have been cut off when a run was killed."""
        for line in (self._text() if text is None else text).splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


def _is_recent(line: dict[str, Any], now: float) -> bool:
    at = line.get("time")
    return isinstance(at, float) and at > now - _LATELY
