"""Asks GitHub's own parser (npm @actions/languageservice and @actions/expressions) from Python."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bed.tools import npm_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.subjects import Subject

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_suffix(".mjs")
END_SECONDS = 90


class GithubParser:
    """One Node process that answers questions until it is closed."""

    def __init__(self) -> None:
        # Given as text, the program finds its packages in the working folder.
        program = PROGRAM.read_text(encoding="utf-8")
        self._process = subprocess.Popen(
            ("node", "--no-warnings", "--input-type=module", "-e", program, str(ROOT)),
            cwd=npm_folder(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=END_SECONDS)

    def problems(self, subject: Subject) -> list[str]:
        """Return what GitHub's editor support would underline, each with its line."""
        found: list[str] = self._ask(ask="problems", path=subject.path, text=subject.text)
        return found

    def evaluate(self, template: str, contexts: Mapping[str, Any]) -> str:
        """Return a text with its expressions evaluated as GitHub does."""
        return str(self._ask(ask="evaluate", template=template, contexts=contexts))

    def refuses(self, template: str, contexts: Mapping[str, Any]) -> bool:
        """Tell whether GitHub has an error for a text with expressions."""
        return "error" in self._answer(ask="evaluate", template=template, contexts=contexts)

    def _ask(self, **request: Any) -> Any:
        answer = self._answer(**request)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _answer(self, **request: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"node ended with {self._process.wait(END_SECONDS)}"
        return json.loads(line)
