"""Reporting the result to a person: the log, the outputs, the summary, the error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ship.runner.errors import Evidence, Interrupted, Problem, StepFailed, UserError
from ship.runner.summary import cell, table
from ship.ssh_deploy.advice import advice
from ship.ssh_deploy.facts import NOBODY, ORDER, SERVING, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.runner.errors import ShipError
    from ship.runner.workflow_commands import Workflow
    from ship.ssh_deploy.advice import Advice
    from ship.ssh_deploy.apply import Host
    from ship.ssh_deploy.common import Common

# Failures of the deploy itself: no input is wrong.
OURS = ("unhealthy", "pull", "connection-lost", "interrupted", "locked", "script", "command-before")
MOST_OUTPUT = 200_000
COLUMNS = ("Host", "Result", "Image", "Previous image", "Downtime", "Now")
ICONS = {"deployed": "✅", "refused": "⏹️", "rolled-back": "↩️", "failed": "❌", "unknown": "❔"}


class Report:
    """The report of a deploy to some hosts."""

    def __init__(self, common: Common, hosts: Sequence[Host], workflow: Workflow) -> None:
        self._common = common
        self._hosts = hosts
        self._workflow = workflow

    def line(self, host: Host, text: str) -> None:
        """Print a line of a host; with several hosts it names the host."""
        name = f"[{self._short_name(host)}] " if len(self._hosts) > 1 else ""
        self._workflow.say(f"{name}{text}")

    def _short_name(self, host: Host) -> str:
        """Return the address of a host, with user and port where several share the address."""
        addresses = [each.target.host for each in self._hosts]
        only = addresses.count(host.target.host) == 1
        return host.target.host if only else str(host.target)

    @property
    def result(self) -> Result:
        """The worst result of all hosts."""
        return min(
            (host.facts.result for host in self._hosts), key=lambda each: ORDER.index(each.word)
        )

    def write(self, *, failed: bool = False) -> None:
        """Set the outputs and write the summary; that of a failed deploy begins with its error."""
        gaps = [gap for host in self._hosts if (gap := host.facts.gap_ms) is not None]
        outputs = {
            "result": self.result.word,
            "image": _same(host.facts.image for host in self._hosts),
            "previous-image": _same(host.facts.get("previous") for host in self._hosts),
            "gap-ms": str(max(gaps)) if gaps else "",
            "serving": self._serving(),
            "exit-code": self._exit_code(),
            "stdout": self._stdout(),
            "hosts": json.dumps([self._as_json(host) for host in self._hosts]),
        }
        for name, value in outputs.items():
            self._workflow.output(name, value)
        if not failed:
            self._workflow.summary(self._summary())

    def _serving(self) -> str:
        """Return the worst of all hosts; empty when one of them is not known to be the worst."""
        words = {host.facts.serving for host in self._hosts}
        order = (SERVING[0], "", *SERVING[1:])
        return min(words, key=order.index)

    def _exit_code(self) -> str:
        codes = [code for host in self._hosts if (code := host.facts.get("exit-code"))]
        return next((code for code in codes if code != "0"), codes[0] if codes else "")

    def _stdout(self) -> str:
        text = "\n".join(line for host in self._hosts for line in host.output)
        return text[-MOST_OUTPUT:]

    def _as_json(self, host: Host) -> dict[str, str | int | None]:
        facts = host.facts
        return {
            "host": host.target.host,
            "port": host.target.port,
            "result": facts.result.word,
            "image": facts.image,
            "previous-image": facts.get("previous"),
            "gap-ms": facts.gap_ms,
            "serving": facts.serving,
            "exit-code": facts.get("exit-code"),
            "cause": self._problems(host)[0].what if host.failed else "",
        }

    def _summary(self) -> str:
        return f"### {ICONS[self.result.word]} {cell(self._title())}\n\n{self._details()}"

    def _title(self) -> str:
        """Return the first words of the summary: that nobody serves, where that is so."""
        name, word = self._common.name, self.result.word
        down = [str(host.target) for host in self._hosts if _is_down(host)]
        if not down:
            return f"{name}: {word}"
        where = f" on {', '.join(down)}" if len(self._hosts) > 1 else ""
        return f"Nobody serves {name}{where}: {word}"

    def _details(self) -> str:
        hosts = table(COLUMNS, [self._row(host) for host in self._hosts])
        adopted = "".join(_adopted(host) for host in self._hosts)
        return f"{hosts}\n{self._note()}{adopted}{self._told()}{self._insecure()}"

    def _row(self, host: Host) -> list[str]:
        facts = host.facts
        # No gap was longer: between two looks there may have been an answer.
        gap = f"at most {facts.gap_ms} ms" if facts.gap_ms is not None else ""
        previous = facts.get("previous") or "none"
        now = "nobody serves" if _is_down(host) else facts.serving
        cells = (str(host.target), facts.result.word, facts.image, previous, gap, now)
        return [cell(each) for each in cells]

    def _note(self) -> str:
        note = self._hosts[0].program.note
        return f"{cell(note)}\n\n" if note else ""

    def _told(self) -> str:
        lines = [
            f"{self._where(host)}: {text}" if len(self._hosts) > 1 else text
            for host in self._hosts
            for text in dict.fromkeys(host.facts.told)
        ]
        return "".join(f"- {cell(line)}\n" for line in lines) + "\n" if lines else ""

    def _insecure(self) -> str:
        if not self._common.access.insecure:
            return ""
        return (
            "⚠️ The host keys were not verified: an attacker between the runner and a host could "
            "have pretended to be the host.\n"
        )

    def failure(self) -> ShipError:
        """Return the error: for each host that failed the cause, and which version serves now.

        Where nobody serves, this comes first.
        """
        failed = [host for host in self._hosts if host.failed] or list(self._hosts)
        problems = [problem for host in failed for problem in self._problems(host)]
        kind = UserError if all(self._is_wrong_input(host) for host in self._hosts) else StepFailed
        return kind(
            *self._down(),
            *problems,
            *self._rest(failed),
            title=self._title(),
            details=self._details(),
            evidence=self._last_words(failed),
        )

    def _down(self) -> list[Problem]:
        down = [host for host in self._hosts if _is_down(host)]
        return [
            Problem(self._where(host), *advice("nobody-serves", _now(host).removeprefix(NOBODY)))
            for host in down
        ]

    def _where(self, host: Host) -> str:
        return f"host {host.target}" if len(self._hosts) > 1 else ""

    def _problems(self, host: Host) -> Sequence[Problem]:
        error = host.error or (host.session.error if host.session else None)
        where = self._where(host)
        if error:
            return [each._replace(where=each.where or where) for each in error.problems]
        what, hint, anchor = self._cause(host)
        now = "" if _is_down(host) else f"; {_now(host)}"
        return [Problem(where, f"{what}{now}", hint, anchor), *_unmoved(where, host)]

    def _cause(self, host: Host) -> Advice:
        facts, session = host.facts, host.session
        failure, detail = facts.get("failure"), facts.get("detail")
        if not failure and session and session.exit_code:
            failure, detail = "shell-killed", str(session.exit_code)
        if failure == "locked" and f"{host.program.parameters.get('OWNER')} since" in detail:
            return advice("locked-by-us", detail)
        found = advice(failure or "connection-lost", detail, facts.logs)
        return found._replace(hint=found.hint.replace("{old}", facts.get("old")))

    def _is_wrong_input(self, host: Host) -> bool:
        error = host.error or (host.session.error if host.session else None)
        if error:
            return isinstance(error, UserError)
        if not host.failed:
            return host.facts.result.word == "refused"
        failure = host.facts.get("failure") or "connection-lost"
        return host.facts.result.word == "refused" and failure not in OURS

    def _rest(self, failed: Sequence[Host]) -> list[Problem]:
        """Say which version serves on the hosts that did not fail by themselves."""
        others = [host for host in self._hosts if host not in failed and not _is_down(host)]
        return [Problem(f"host {host.target}", _now(host)) for host in others]

    def _last_words(self, failed: Sequence[Host]) -> Evidence | None:
        logged = [
            host for host in failed if host.facts.logs or host.facts.get("failure") == "unhealthy"
        ]
        if not logged:
            return None
        texts = ["\n".join(host.facts.logs) or "(its log is empty)" for host in logged]
        if len(logged) > 1:
            texts = [f"{host.target}:\n{text}" for host, text in zip(logged, texts, strict=True)]
        return Evidence("Last lines of the failed container", "\n".join(texts))

    def interrupted(self, error: Interrupted) -> Interrupted:
        """Return the error of a cancelled run, with the version that serves now."""
        down = self._down()
        words = dict.fromkeys(_now(host) for host in self._hosts)
        if len(words) == 1 and not down:
            return Interrupted.of(f"{error}; {next(iter(words))}")
        rest = [
            Problem(self._where(host), _now(host)) for host in self._hosts if not _is_down(host)
        ]
        return Interrupted(*down, Problem("", str(error)), *rest)


def _adopted(host: Host) -> str:
    """Say of a container that was made by hand what is different now."""
    facts = host.facts
    if not facts.get("adopted"):
        return ""
    said = {
        f"The container on {host.target} was made by hand, from the image": "adopted",
        "Its definition is kept on the host": "definition",
        "The new container does not have": "lost-settings",
        "Only the new container has": "new-settings",
    }
    lines = [f"{what}: {facts.get(name)}" for what, name in said.items() if facts.get(name)]
    return "".join(f"- {cell(line)}\n" for line in lines) + "\n"


def _unmoved(where: str, host: Host) -> list[Problem]:
    """Name a file of the previous release that could not be restored, though the release serves."""
    path = host.facts.get("unmoved")
    if not path or host.facts.get("failure") == "in-the-way":
        return []
    what, hint, anchor = advice("in-the-way", path)
    return [
        Problem(
            where,
            f"{what} of the previous release",
            f"{hint}; the next deploy then restores the file",
            anchor,
        )
    ]


def _is_down(host: Host) -> bool:
    return host.facts.result.meaning.startswith(NOBODY)


def _now(host: Host) -> str:
    result = host.facts.result
    if result.word == "rolled-back":
        return f"{result.meaning} ({host.facts.get('restored')})"
    if result.word == "unknown" and host.session and host.session.exit_code is not None:
        return (
            "the shell on the host has ended and cannot undo the switch: check which version "
            "serves, and deploy again"
        )
    return result.meaning


def _same(values: object) -> str:
    found = set(values)  # type: ignore[call-overload]
    return found.pop() if len(found) == 1 else ""
