"""What was done to which repository: a line of JSON each, written before anything else goes on.

What is still to do is seen on GitHub, so a run that was killed is continued without the journal.
It keeps what GitHub does not tell: how many changes were made in the last hour.
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
_NO_JOURNAL = "the journal cannot be written, so nothing more is changed"


def place(file: str) -> Path:
    """Return where the journal of a fleet is: in the folder of the user for such data."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
    name = hashlib.sha256(os.path.realpath(file).encode()).hexdigest()[:12]
    return Path(home, "gen-workflow", f"fleet-{name}.jsonl")


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

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines; the last one may have been cut off when a run was killed."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return  # the first change tells it when it cannot be made
        except OSError as error:
            raise files.problem(error, "the journal cannot be read", str(self.path)) from None
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
