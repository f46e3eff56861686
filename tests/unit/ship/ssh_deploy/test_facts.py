"""What a host tells, and what follows from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ship.ssh_deploy.advice import CAUSES, OF_HEALTH
from ship.ssh_deploy.facts import Facts
from ship.ssh_deploy.program import FOLDER

MARK = "f00d"


def facts(*lines: str) -> Facts:
    made = Facts()
    made.mark = MARK
    for line in lines:
        made.take(f"{MARK} {line}")
    return made


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (("begin prepare", "failure disk", "finished 1"), "refused"),
        (("begin check", "failure unhealthy", "finished 1"), "refused"),
        (("begin check",), "refused"),
        (("begin switch", "image x", "end switch", "committed yes"), "deployed"),
        (("begin switch", "failure unhealthy", "restored x", "finished 1"), "rolled-back"),
        (("begin switch", "image x", "failure interrupted", "restored y"), "rolled-back"),
        (("begin switch", "failure start", "lost x", "finished 1"), "failed"),
        (("begin switch", "restored x", "lost x", "finished 1"), "failed"),
        (("begin switch", "restored x", "serving nobody", "finished 1"), "failed"),
        (("begin check", "failure unhealthy", "serving nobody", "finished 1"), "refused"),
        (("begin script", "script yes", "exit-code 0", "committed yes"), "deployed"),
        (("begin script", "script yes", "exit-code 3", "finished 1"), "failed"),
        (("begin switch", "failure start", "finished 1"), "refused"),
        (("begin switch",), "unknown"),
        (("begin switch", "image x"), "unknown"),
        (
            ("begin switch", "image x", "committed yes", "failure rename", "finished 1"),
            "deployed",
        ),
    ],
)
def test_the_result_follows_from_the_facts_of_the_host(lines: tuple[str, ...], result: str) -> None:
    assert facts(*lines).result.word == result


def test_only_marked_lines_are_facts() -> None:
    made = facts("begin switch")
    for line in ("serving the shop since 1999", "end 0", f"{MARK}serving x", f"{MARK} unheard x"):
        made.take(line)
    assert (made.get("serving"), made.ended, made.get("unheard")) == ("", [], "")
    assert Facts().take(" serving x") == " serving x"


def test_a_fact_may_follow_a_line_without_an_end() -> None:
    made = facts()
    assert made.take(f"1.2.3{MARK} exit-code 3") == "1.2.3"
    assert made.get("exit-code") == "3"
    assert made.take(f"{MARK} committed yes") is None
    assert not made.take("")
    assert made.take("") is not None, "an empty line is one of the output"


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        (("before old", "finished 1"), "old"),
        (("previous old", "finished 1"), ""),
        (("before old", "begin switch", "image new", "committed yes"), "new"),
        (("before old", "begin switch", "restored old", "finished 1"), "old"),
        (("before old", "begin switch", "lost x", "finished 1"), ""),
        (("before old", "begin check", "serving nobody", "finished 1"), ""),
        (("before old", "begin switch"), ""),
    ],
)
def test_the_image_is_the_one_that_serves_as_far_as_known(
    lines: tuple[str, ...], image: str
) -> None:
    assert facts(*lines).image == image


def test_a_hostile_host_cannot_fill_memory_or_the_terminal() -> None:
    made = facts(*(f"log {i}\x1b[2J" for i in range(5000)), "detail " + "x" * 9999, "gap 1e9")
    assert len(made.logs) < 300
    assert made.logs[-1] == "4999[2J"
    assert len(made.get("detail")) == 2000
    assert made.gap_ms is None


def test_every_code_of_the_scripts_has_advice_and_no_advice_is_idle() -> None:
    text = "".join(path.read_text() for path in Path(FOLDER).rglob("*.sh"))
    # Names of functions are no codes.
    text = re.sub(r"unset -f (?:.*\\\n)*", "", text)
    codes = set(re.findall(r"\b(?:fail|give_up|explain) ([a-z-]+)", text)) - {"command-"}
    reported = {"connection-lost", "interrupted", "shell-killed", "command-before", "command-after"}
    reported |= {"locked-by-us", "nobody-serves", *(code for _, code in OF_HEALTH)}
    assert codes | reported == set(CAUSES)
