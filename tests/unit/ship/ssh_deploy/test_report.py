"""The error of a deploy that failed."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from script_host import ACME, COMMON, PROGRAM, WANTED
from ship.runner.errors import StepFailed
from ship.runner.workflow_commands import Workflow
from ship.ssh import Target
from ship.ssh_deploy.apply import Host
from ship.ssh_deploy.report import Report
from ship.ssh_deploy.run.plan import plan_run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def failure_of(*facts: str) -> StepFailed:
    """Return the error of a deploy to one host that reported these facts."""
    host = Host(COMMON.targets[0], PROGRAM)
    host.facts.mark, host.failed = "m", True
    for fact in facts:
        host.facts.take(f"m {fact}")
    error = Report(COMMON, [host], Workflow({}, io.StringIO())).failure()
    assert isinstance(error, StepFailed)
    return error


def test_a_file_of_the_previous_release_that_is_not_restored_is_reported_beside_the_cause() -> None:
    cause, file = failure_of(
        "begin switch", "failure start-project", "unmoved /srv/app/x", "restored i", "finished 1"
    ).problems
    assert cause.what.endswith("the previous version serves again (i)")
    assert file.what == "the host cannot write the file /srv/app/x of the previous release"
    assert file.hint.endswith(", and move it away; the next deploy then restores the file")


def test_what_is_in_the_way_is_reported_once() -> None:
    problems = failure_of("begin switch", "failure in-the-way", "detail x", "unmoved x").problems
    assert len(problems) == 1


def test_the_summary_says_that_no_candidate_ran(tmp_path: Path) -> None:
    program = plan_run(COMMON, WANTED._replace(volumes=("data:/data",)), ACME)
    summary = tmp_path / "summary"
    given = Workflow({"GITHUB_STEP_SUMMARY": str(summary)}, io.StringIO())
    Report(COMMON, [Host(COMMON.targets[0], program)], given).write()
    assert "no candidate runs beside the service, because both would" in summary.read_text()


def test_two_hosts_of_one_address_have_different_names(tmp_path: Path) -> None:
    targets = (Target("h1", "me"), Target("h1", "me", 2222), Target("h2", "me", 2222))
    hosts = [Host(target, PROGRAM) for target in targets]
    log, outputs = io.StringIO(), tmp_path / "outputs"
    report = Report(COMMON, hosts, Workflow({"GITHUB_OUTPUT": str(outputs)}, log))
    for host in hosts:
        report.line(host, "locked")
    assert log.getvalue().splitlines() == [
        "[me@h1] locked", "[me@[h1]:2222] locked", "[h2] locked",
    ]  # fmt: skip
    report.write()
    [reported] = [line for line in outputs.read_text().splitlines() if line.startswith("[{")]
    assert [(each["host"], each["port"]) for each in json.loads(reported)] == [
        ("h1", 22), ("h1", 2222), ("h2", 2222),
    ]  # fmt: skip


def stdout_of(lines: Iterable[str], folder: Path) -> list[str]:
    """Return the lines of the output `stdout` of a script that printed these."""
    host, outputs = Host(COMMON.targets[0], PROGRAM), folder / "outputs"
    for line in lines:
        host.output.append(line)
    Report(COMMON, [host], Workflow({"GITHUB_OUTPUT": str(outputs)}, io.StringIO())).write()
    reported = outputs.read_text().splitlines()
    begin = next(number for number, line in enumerate(reported) if line.startswith("stdout<<"))
    return reported[begin + 1 : reported.index(reported[begin].removeprefix("stdout<<"), begin + 1)]


def test_the_output_of_a_script_is_the_end_of_what_it_printed(tmp_path: Path) -> None:
    many = stdout_of(map(str, range(6000)), tmp_path)
    assert (len(many), many[0], many[-1]) == (5000, "1000", "5999")


def test_the_output_of_a_script_is_200_000_characters_at_most(tmp_path: Path) -> None:
    long = stdout_of(["x" * 1_000_000, "the end"], tmp_path)
    assert (len("\n".join(long)), long[-1]) == (200_000, "the end")


def test_each_failure_names_what_can_be_done() -> None:
    for code in ("start", "start-project", "too-slow"):
        [problem] = failure_of("begin switch", f"failure {code}", "detail it says").problems
        assert "(it says)" in problem.what
        assert "brackets" not in problem.hint
    assert "`health-timeout`" in problem.hint


def test_another_service_is_named_with_the_word_that_accepts_it() -> None:
    detail = "detail the port 80, and this deploy has 8081"
    [problem] = failure_of("begin switch", "failure other-service", detail, "old 80").problems
    assert "seems to be another service: it has the port 80" in problem.what
    assert problem.hint.endswith("set `replaces: 80`")


def test_the_summary_says_what_an_adopted_container_had(tmp_path: Path) -> None:
    host, summary = Host(COMMON.targets[0], PROGRAM), tmp_path / "summary"
    host.facts.mark = "m"
    for fact in ("adopted nginx:1", "definition /x/adopted-app.json", "lost-settings the port 1:1"):
        host.facts.take(f"m {fact}")
    Report(COMMON, [host], Workflow({"GITHUB_STEP_SUMMARY": str(summary)}, io.StringIO())).write()
    said = summary.read_text().replace("\\", "")
    assert "was made by hand, from the image: nginx:1" in said
    assert "kept on the host: /x/adopted-app.json" in said
    assert "The new container does not have: the port 1:1" in said
