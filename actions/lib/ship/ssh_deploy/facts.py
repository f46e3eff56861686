"""What a host reports of a deploy: lines `MARK name value` of its standard output."""

from __future__ import annotations

import base64
import re

from ship.runner.named_tuple import NamedTuple

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
KEPT_LOG_LINES = 200
LONGEST = 2000
# Facts with one value; the last one counts.
NAMES = frozenset(
    (
        "failure", "detail", "locked", "previous", "before", "image", "gap", "serving", "committed",
        "restored", "lost", "recovered", "script", "exit-code", "finished", "folder",
        "unmoved", "silence", "old", "adopted", "definition", "lost-settings", "new-settings",
    )
)  # fmt: skip
# Facts that come in pieces of base64, such as a file.
PIECES = frozenset(("config", "override"))
MOST_PIECES = 20_000
MOST_PHASES = 50
MOST_TOLD = 20


class Result(NamedTuple):
    """The result of a deploy on a host; ORDER has the worst first."""

    word: str
    meaning: str


# What the service does at the end, as far as the host asked: the worst first. Without this fact it
# is not known.
SERVING = ("nobody", "running", "answered")
# Begins what is said when users get no answer. It comes before the cause.
NOBODY = "nobody serves: "
FAILED = Result("failed", f"{NOBODY}the previous version could not be started again")
UNKNOWN = Result(
    "unknown",
    "the host completes the switch or undoes it by itself, or the next deploy does when the host "
    "was restarted: check which version serves",
)
ROLLED_BACK = Result("rolled-back", "the previous version serves again")
REFUSED = Result("refused", "the service was not touched")
DEPLOYED = Result("deployed", "the new version serves")
CLEANED_UP = REFUSED._replace(
    meaning="the host cleaned up after a deploy that had not finished, and touched nothing else"
)
COMMANDS_RAN = DEPLOYED._replace(meaning="the commands have run")
COMMANDS_FAILED = Result("failed", "the commands that ran before the failure are not undone")
ORDER = tuple(each.word for each in (FAILED, UNKNOWN, ROLLED_BACK, REFUSED, DEPLOYED))


class Facts:
    """The facts of one host.

    The host may be hostile: control characters are removed, the length is limited, and nothing is
    ever run. Lines without the mark, of a login script or a command, are no facts.
    """

    def __init__(self) -> None:
        # The random word before each fact, which only the host knows.
        self.mark = ""
        self.logs: list[str] = []
        # What the deploy found on the host and did about it.
        self.told: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._values: dict[str, str] = {}
        self._pieces: dict[str, list[str]] = {}

    def take(self, line: str) -> str | None:
        """Take the fact in a line of standard output; return the rest of the line, None if empty.

        When the output of a command does not end with a newline, the next fact follows in its line.
        """
        said, mark, fact = line.partition(f"{self.mark} ")
        if not self.mark or not mark:
            return line
        name, _, value = fact.partition(" ")
        clean = CONTROL.sub("", value.replace("\t", " "))[:LONGEST]
        if name == "log":
            self.logs = [*self.logs[-KEPT_LOG_LINES:], clean.rstrip()]
        elif name == "told":
            self.told[MOST_TOLD:] = [clean.strip()]
        elif name in ("begin", "end"):
            names = self.begun if name == "begin" else self.ended
            names[MOST_PHASES:] = [clean.strip()]
        elif name in PIECES:
            self._take_piece(name, clean)
        elif name in NAMES:
            self._values[name] = clean.strip()
        return said or None

    def _take_piece(self, name: str, piece: str) -> None:
        pieces = self._pieces.setdefault(name, [])
        if len(pieces) < MOST_PIECES:
            pieces.append(piece)

    def get(self, name: str) -> str:
        return self._values.get(name, "")

    def decoded(self, name: str) -> bytes:
        """Return a fact that came in pieces; raises ValueError when it is not base64."""
        return base64.b64decode("".join(self._pieces.get(name, ())), validate=True)

    @property
    def runs_commands(self) -> bool:
        """Whether the lines between the facts are those of the commands of `script`."""
        ended = self.get("exit-code") or self.get("failure")
        return bool(self.get("script")) and not ended

    @property
    def finished(self) -> bool:
        """Whether the script ended by itself, with success or after it undid its work."""
        return "finished" in self._values

    @property
    def is_good(self) -> bool:
        """Whether the script ended with success."""
        return self.get("finished") == "0"

    @property
    def gap_ms(self) -> int | None:
        """The downtime in milliseconds; None when it was not measured."""
        return int(self.get("gap")) if self.get("gap").isdecimal() else None

    @property
    def serving(self) -> str:
        """What the service does, one of SERVING; empty if that is not known."""
        return word if (word := self.get("serving")) in SERVING else ""

    @property
    def result(self) -> Result:
        """The result that follows from the facts so far."""
        if self.get("script"):
            return COMMANDS_RAN if self.get("committed") else COMMANDS_FAILED
        if self.get("committed"):
            runs = DEPLOYED._replace(meaning="the new version runs")
            return runs if self.serving == "running" else DEPLOYED
        if self.get("lost"):
            return FAILED._replace(meaning=FAILED.meaning + self._why(" ({})"))
        if self.get("restored"):
            return self._restored()
        if "switch" in self.begun and not self.finished:
            return UNKNOWN
        return self._untouched()

    def _restored(self) -> Result:
        if self.serving == "nobody":
            return FAILED._replace(
                meaning=f"{NOBODY}the previous version was started again"
                + self._why("; {}", "it is not healthy")
            )
        meanings = {
            "answered": ROLLED_BACK.meaning,
            "running": "the previous version runs again"
            + (
                self._why(", but does not pass this health check, as before ({})")
                or "; it has no health check that could be asked"
            ),
        }
        unknown = "the previous version was started again: check whether it serves"
        return ROLLED_BACK._replace(meaning=meanings.get(self.serving, unknown))

    def _untouched(self) -> Result:
        base = CLEANED_UP if self.get("recovered") else REFUSED
        if self.serving == "nobody":
            return base._replace(meaning=f"{NOBODY}{self.get('silence')}; {base.meaning}")
        found = {
            "answered": "; it answers",
            "running": "; it runs" + self._why(", but does not pass this health check ({})"),
        }
        return base._replace(meaning=base.meaning + found.get(self.serving, ""))

    def _why(self, words: str, unknown: str = "") -> str:
        """Return these words with the reason why the service does not serve; empty without one."""
        silence = self.get("silence") or unknown
        return words.replace("{}", silence) if silence else ""

    @property
    def image(self) -> str:
        """The image that serves; empty if none does or if that is not known."""
        known = {"deployed": "image", "rolled-back": "restored", "refused": "before"}
        return "" if self.serving == "nobody" else self.get(known.get(self.result.word, ""))
