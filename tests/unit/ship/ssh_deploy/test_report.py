"""The error of a deploy that failed."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from script_host import ACME, COMMON, PROGRAM, WANTED
from ship.runner.errors import ERRORS, Interrupted, ShipError
from ship.runner.main import summary_of
from ship.runner.workflow_commands import Workflow
from ship.ssh import Target
from ship.ssh_deploy.apply import Host
from ship.ssh_deploy.report import Report
from ship.ssh_deploy.run.plan import plan_run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def failure_of(*facts: str) -> ShipError:
    """Return the error of a deploy to one host that reported these facts."""
    host = Host(COMMON.targets[0], PROGRAM)
    host.facts.mark, host.failed = "m", True
    for fact in facts:
        host.facts.take(f"m {fact}")
    return Report(COMMON, [host], Workflow({}, io.StringIO())).failure()


def test_a_file_of_the_previous_release_that_is_not_restored_is_reported_beside_the_cause() -> None:
    cause, file = failure_of(
        "begin switch", "failure start-project", "unmoved /srv/app/x", "restored i",
        "serving answered", "finished 1",
    ).problems  # fmt: skip
    assert cause.what.endswith("the previous version serves again (i)")
    assert file.what == "the host cannot write the file /srv/app/x of the previous release"
    assert file.hint.endswith(", and move it away; the next deploy then restores the file")


def test_what_is_in_the_way_is_reported_once() -> None:
    problems = failure_of("begin switch", "failure in-the-way", "detail x", "unmoved x").problems
    assert len(problems) == 1


def test_the_summary_says_what_the_deploy_found_on_each_host_and_did(tmp_path: Path) -> None:
    targets = (Target("h1", "deploy"), Target("h2", "deploy"))
    hosts = [Host(target, PROGRAM) for target in targets]
    for host, said in zip(hosts, (["a | copy", "b", "b"], []), strict=True):
        host.facts.mark = "m"
        for text in said:
            host.facts.take(f"m told {text}")
    summary = tmp_path / "summary"
    workflow = Workflow({"GITHUB_STEP_SUMMARY": str(summary)}, io.StringIO())
    Report(COMMON._replace(targets=targets), hosts, workflow).write()
    lines = [line for line in summary.read_text().splitlines() if line.startswith("- ")]
    assert lines == ["- host deploy@h1: a \\| copy", "- host deploy@h1: b"]


SWITCHED = ("before old", "begin switch", "failure unhealthy", "detail x", "restored old")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((*SWITCHED, "serving answered"), "the previous version serves again (old)"),
        (
            (*SWITCHED, "serving running"),
            "the previous version runs again; it has no health check that could be asked (old)",
        ),
        (
            (*SWITCHED, "silence no", "serving running"),
            "the previous version runs again, but does not pass this health check, as before (no)",
        ),
        (SWITCHED, "the previous version was started again: check whether it serves (old)"),
        (("begin check", "failure unhealthy"), "the service was not touched"),
        (
            ("begin check", "failure unhealthy", "serving answered"),
            "the service was not touched; it answers",
        ),
        (
            ("begin check", "failure unhealthy", "recovered yes", "serving running"),
            "and touched nothing else; it runs",
        ),
    ],
)
def test_what_is_said_of_the_service_is_what_was_asked(facts: tuple[str, ...], said: str) -> None:
    [problem] = failure_of(*facts, "finished 1").problems
    assert problem.what.endswith(f"; {said}") or said in problem.what
    assert "nobody" not in problem.what


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            (*SWITCHED, "silence it runs, but is mute", "serving nobody"),
            "nobody serves: the previous version was started again; it runs, but is mute",
        ),
        (
            ("begin switch", "failure unhealthy", "lost app", "silence no image", "serving nobody"),
            "nobody serves: the previous version could not be started again (no image)",
        ),
        (
            ("begin check", "failure unhealthy", "silence it is down", "serving nobody"),
            "nobody serves: it is down; the service was not touched",
        ),
    ],
)
def test_that_nobody_serves_comes_before_the_cause(facts: tuple[str, ...], said: str) -> None:
    down, cause = failure_of(*facts, "finished 1").problems
    assert down.what == said
    assert down.hint.startswith("deploy a version that works")
    assert cause.what.startswith("the new version is not healthy")
    assert ";" not in cause.what


def test_the_summary_begins_with_the_hosts_on_which_nobody_serves(tmp_path: Path) -> None:
    hosts = [Host(Target(name, "me"), PROGRAM) for name in ("h1", "h2")]
    for host, serving in zip(hosts, ("answered", "nobody"), strict=True):
        host.facts.mark = "m"
        for fact in (*SWITCHED, f"serving {serving}", "finished 1"):
            host.facts.take(f"m {fact}")
    summary, outputs = tmp_path / "summary", tmp_path / "outputs"
    env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    report = Report(COMMON, hosts, Workflow(env, io.StringIO()))
    report.write()
    assert summary.read_text().startswith("### ❌ Nobody serves app on me@h2: failed\n")
    assert "\nserving<<" in outputs.read_text()
    assert [each.where for each in report.failure().problems] == [
        "host me@h2", "host me@h1", "host me@h2",
    ]  # fmt: skip
    cancelled = report.interrupted(Interrupted.of("the run was cancelled"))
    assert cancelled.problems[0].what.startswith("nobody serves: ")


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


def test_the_summary_of_a_failure_begins_with_the_cause_and_the_next_act() -> None:
    error = failure_of(
        "begin switch", "failure unhealthy", "detail GET /up gave status 302", "restored i",
        "serving answered", "gap 41040", "log the end", "finished 1",
    )  # fmt: skip
    summary = summary_of(error)
    lines = [line for line in summary.splitlines() if line and line[:3] != "```"]
    assert lines[0] == "### ❌ app: rolled-back"
    assert lines[1].startswith("the new version is not healthy: GET /up gave status 302; the prev")
    assert lines[2].startswith("  hint: give a path that answers without a redirect")
    assert lines[3] == f"  see: {ERRORS}#unhealthy-redirect"
    assert lines[4] == f"More about this: [unhealthy-redirect]({ERRORS}#unhealthy-redirect)"
    assert "| at most 41040 ms |" in lines[7]
    assert "| answered |\n\n**Last" in summary, "the table ends"
    assert lines[8:] == ["**Last lines of the failed container**", "the end"]
    assert error.title == "app: rolled-back"


def test_a_command_to_run_on_the_host_has_the_name_it_is_about() -> None:
    [problem] = failure_of("begin prepare", "failure no-network", "detail web").problems
    assert problem.hint == "create it there: docker network create web"


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
