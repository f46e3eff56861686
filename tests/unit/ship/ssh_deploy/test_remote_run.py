"""The scripts of the run form under real shells, with a stand-in for Docker that can be slow."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until
from script_host import (
    ACME,
    COMMON,
    DASH_FIRST,
    IMAGE,
    PHASES,
    PROGRAM,
    WANTED,
    ScriptHost,
    cut,
    listen,
    say,
)
from ship.runner.command import Secret
from ship.ssh_deploy.program import call
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.ssh_deploy.program import Program
    from ship.ssh_deploy.run.inputs import RunForm

DIGEST = "sha256:" + "d" * 64
# What a deploy tells Docker to do, in order; it is cut off in the middle of each.
STEPS = [
    "version",
    "pull",
    "create --name app.candidate",
    "start app.candidate",
    "container inspect --format {{.State.Status}} {{.RestartCount}}",
    "create --name app.next",
    "stop",
    "start app.next",
]


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def test_a_deploy_ends_with_the_new_one_under_the_name(script_host: ScriptHost) -> None:
    facts = script_host.run(*PHASES)
    assert facts[-2:] == ["finished 0", "ship-gone word 0"]
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}
    history = json.loads((script_host.state / "history.jsonl").read_text())
    assert history["result"] == "deployed"
    assert history["actor"] == "octocat"
    assert not (script_host.state / "docker-config").exists()


def test_log_lines_and_facts_keep_their_order(script_host: ScriptHost) -> None:
    process = script_host.start(plan_run(COMMON, WANTED._replace(before=("migrate",)), ACME))
    say(process, call(*PHASES[:3], "before", *PHASES[3:]))
    said = listen(process, "ship-gone")
    expected = (
        "begin prepare", f"pulling {IMAGE}", f"image {IMAGE}", "begin before", "running: migrate",
        "end before", "begin check", "starting the candidate app.candidate",
        "the candidate is healthy", "begin switch", "stopping app", "starting the new app",
        "committed yes", "serving answered",
    )  # fmt: skip
    assert [line for line in said if line in expected] == list(expected)
    assert process.communicate(timeout=PATIENCE_SECONDS)[1] == b""


def test_a_first_deploy_has_nothing_to_keep(script_host: ScriptHost) -> None:
    (script_host.folder / "box" / "app").unlink()
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
    assert script_host.boxes == {"app": "running"}


def test_an_engine_that_restarts_just_before_the_stop_keeps_no_old_one_running(
    script_host: ScriptHost,
) -> None:
    process = script_host.start()
    say(process, call(*PHASES[: PHASES.index("check") + 1]))
    listen(process, "end check")
    script_host.make("broken", "container inspect --format {{.State.Running}} app")
    script_host.make("whole", "")
    # The first request for its version repairs it.
    script_host.make("repairs", "version")
    say(process, call(*PHASES[PHASES.index("switch") :]))
    assert "finished 0" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


@pytest.mark.parametrize("step", STEPS)
def test_a_client_that_dies_in_the_middle_leaves_the_old_one_running(
    script_host: ScriptHost, step: str
) -> None:
    script_host.make("slow", step)
    process = script_host.start()
    say(process, call(*PHASES))
    script_host.await_reached()
    cut(process)
    assert script_host.boxes == {"app": "running"}
    assert not (script_host.state / "docker-config").exists()
    # Nothing of it is in the way of the next.
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"


@pytest.mark.parametrize("through", ["lock", "check", "switch"])
def test_a_client_that_dies_between_two_phases_leaves_the_old_one_running(
    script_host: ScriptHost, through: str
) -> None:
    process = script_host.start()
    say(process, call(*PHASES[: PHASES.index(through) + 1]))
    listen(process, f"end {through}")
    cut(process)
    assert script_host.boxes == {"app": "running"}


def test_names_are_set_right_even_when_the_client_dies_meanwhile(script_host: ScriptHost) -> None:
    script_host.make("slow", "rename app app.previous")
    process = script_host.start()
    say(process, call(*PHASES))
    script_host.await_reached()
    cut(process)
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


def test_a_shell_that_is_killed_lets_go_of_the_lock(script_host: ScriptHost) -> None:
    process = script_host.start()
    say(process, call("lock"))
    listen(process, "end lock")
    process.kill()
    cut(process)
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_program_that_docker_leaves_behind_does_not_hold_the_lock(
    script_host: ScriptHost,
) -> None:
    docker = script_host.folder / "bin" / "docker"
    left = script_host.folder / "left"
    leave = f"[ $1 != start ] || {{ setsid sleep 600 >/dev/null 2>&1 & echo $! >>{left}; }}"
    docker.write_text(docker.read_text().replace("\n", f"\n{leave}\n", 1))
    try:
        assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
        # The processes of the session are gone but for this one, as the monitor of Podman stays.
        assert script_host.run("lock", "leave", program=impatient())[-1] == "ship-gone word 0"
    finally:
        for pid in left.read_text().split():
            os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize("broken", ["never", "start app.next"])
@pytest.mark.parametrize("form", ["run", "health command", "proxy"])
def test_no_command_of_docker_gets_the_descriptor_of_the_lock(
    script_host: ScriptHost, form: str, broken: str
) -> None:
    behind = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),))
    proxy = ProxyForm(behind, hosts=(), tls=False, image=f"proxy@{DIGEST}", drain_timeout=1)
    program = {
        "run": plan_run(COMMON, WANTED._replace(before=("'one'",), networks=("a", "b")), ACME),
        "health command": plan_run(COMMON, WANTED._replace(health_command="true"), ACME),
        "proxy": plan_proxy(COMMON, proxy, ACME),
    }[form]
    script_host.make("broken", broken)
    script_host.run(*(phase.name for phase in program.phases), program=program)
    assert script_host.calls
    assert script_host.holders == []


def test_a_second_deploy_waits_for_the_first(script_host: ScriptHost) -> None:
    first = script_host.start()
    say(first, call("lock"))
    listen(first, "end lock")
    second = script_host.start()
    say(second, call(*PHASES))
    assert listen(second, "waiting:")[-1].startswith("waiting: app is locked by https://github.com")
    say(first, call(*PHASES[2:]))
    for process in (first, second):
        assert listen(process, "ship-gone")[-1] == "ship-gone word 0"
        process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


def test_a_deploy_that_waits_for_the_lock_removes_nothing(script_host: ScriptHost) -> None:
    first = script_host.start()
    say(first, call("lock"))
    listen(first, "end lock")
    (script_host.state / "docker-config").mkdir()
    assert "failure locked" in script_host.run("lock", program=impatient())
    assert (script_host.state / "docker-config").exists()
    cut(first)


def test_each_holder_whose_lock_has_expired_is_asked_before_it_is_killed(
    script_host: ScriptHost,
) -> None:
    script_host.state.mkdir(parents=True)
    lock, clock = script_host.state / "lock", script_host.folder / "clock"
    with lock.open("a") as held, ExitStack() as stack:
        fcntl.flock(held, fcntl.LOCK_EX)
        first, second = (stack.enter_context(stubborn(script_host, name)) for name in ("1", "2"))
        lock.write_text(f"{first.pid} up50 the first\n")
        clock.write_text("100")
        waiting = script_host.start(plan_run(COMMON._replace(lock_timeout=999), WANTED, ACME))
        say(waiting, Secret(f"now() {{ cat {clock}; }}\n"))
        say(waiting, call("lock"))
        await_file(script_host.folder / "asked-1")
        # While we waited another got it, and hangs as well.
        lock.write_text(f"{second.pid} up120 the second\n")
        clock.write_text("165")
        await_file(script_host.folder / "asked-2")
        clock.write_text("230")
        assert second.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        assert first.poll() is None
        cut(waiting)


@contextmanager
def stubborn(script_host: ScriptHost, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that notes that it was asked to end, and does not."""
    script = f"trap ': >asked-{name}' TERM; : >ready-{name}; while :; do sleep 0.1; done"
    with subprocess.Popen(
        ("sh", "-c", script), cwd=script_host.folder, start_new_session=True
    ) as it:
        try:
            await_file(script_host.folder / f"ready-{name}")
            yield it
        finally:
            it.kill()


def await_file(path: Path) -> None:
    wait_until(path.exists, f"there is a file {path.name}")


def impatient() -> Program:
    return plan_run(COMMON._replace(lock_timeout=0), WANTED, ACME)


@pytest.mark.parametrize("step", ["rm -f -v app.next", "start app"])
def test_a_client_that_dies_during_a_recovery_leaves_the_old_one_running(
    script_host: ScriptHost, step: str
) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "running")
    script_host.make("slow", step)
    process = script_host.start()
    say(process, call(*PHASES))
    script_host.await_reached()
    cut(process)
    assert script_host.boxes == {"app": "running"}


def test_a_release_that_was_to_stay_is_not_undone_by_the_next_deploy(
    script_host: ScriptHost,
) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "running")
    script_host.make("release", "20260101-7")
    script_host.state.mkdir(parents=True)
    (script_host.state / "committed").write_text("20260101-7")
    script_host.make("broken", "pull")
    facts = script_host.run(*PHASES)
    assert "failure pull" in facts
    assert "recovered yes" in facts
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


def test_a_broken_old_version_does_not_stop_the_deploy_that_repairs_it(
    script_host: ScriptHost,
) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "stopped")
    # Only the old one: its name ends there.
    script_host.make("broken", "start app")
    (script_host.folder / "whole").touch()
    facts = script_host.run(*PHASES)
    assert facts[-1] == "ship-gone word 0"
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


def test_an_old_version_that_does_not_start_again_is_reported(script_host: ScriptHost) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "running")
    script_host.make("broken", "start app")
    process = script_host.start()
    say(process, call(*PHASES))
    assert "failure start" in listen(process, "failure")
    process.kill()
    cut(process)


@pytest.mark.parametrize("broken", ["ps -a --filter", "rename app.next app"])
def test_what_cannot_be_recovered_now_keeps_serving(script_host: ScriptHost, broken: str) -> None:
    (script_host.folder / "box" / "app").rename(script_host.folder / "box" / "app.next")
    script_host.make("broken", broken)
    facts = script_host.run(*PHASES)
    assert any(fact.startswith("failure") for fact in facts)
    assert script_host.boxes == {"app.next": "running"}
    script_host.make("broken", "never")
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}


def test_the_kept_container_of_a_deploy_killed_between_its_renames_stays_stopped(
    script_host: ScriptHost,
) -> None:
    (script_host.folder / "box" / "app").rename(script_host.folder / "box" / "app.previous")
    script_host.make("box/app.next", "running")
    script_host.run("lock", "prepare", "leave")
    assert "update --restart=no app.previous" in script_host.calls
    assert script_host.boxes["app"] == "running"


def test_only_what_serves_has_the_name_in_its_networks(script_host: ScriptHost) -> None:
    program = plan_run(COMMON, WANTED._replace(networks=("net",), after=("migrate",)), ACME)
    script_host.run(*(phase.name for phase in program.phases), program=program)
    named = [call for call in script_host.calls if "--network-alias app" in call]
    assert [call.split()[2] for call in named] == ["app.next"]


def test_only_what_serves_has_what_others_find_it_by(script_host: ScriptHost) -> None:
    wanted = WANTED._replace(labels={"a": "b"}, options=("--hostname=shop", "--init"))
    program = plan_run(COMMON, wanted._replace(before=("migrate",), after=("warm",)), ACME)
    script_host.run(*(phase.name for phase in program.phases), program=program)
    made = [call.split() for call in script_host.calls if call.startswith("create ")]
    assert [words[2] for words in made] == ["app.candidate"] * 2 + ["app.next", "app.candidate"]
    guests = [words for words in made if words[2] == "app.candidate"]
    [serves] = [words for words in made if words[2] == "app.next"]
    for words in guests:
        assert not {"--label=a=b", "--hostname=shop"} & set(words)
        assert {"traefik.enable=false", "VIRTUAL_HOST="} < set(words)
    assert {"--label=a=b", "--hostname=shop"} < set(serves)
    assert not {"traefik.enable=false", "VIRTUAL_HOST="} & set(serves)
    assert all("--init" in words for words in made)


@pytest.mark.parametrize(
    ("labels", "made"), [({}, ["app.next"]), ({"a": "b"}, ["app.candidate", "app.next"])]
)
def test_behind_the_proxy_too_a_version_is_checked_before_others_find_it(
    script_host: ScriptHost, labels: dict[str, str], made: list[str]
) -> None:
    answer_while(script_host, "true")
    phases = ("lock", "prepare", "check", "leave")
    facts = script_host.run(*phases, program=behind_the_proxy(labels=labels))
    assert "finished 0" in facts, str(facts)
    calls = [call.split()[2] for call in script_host.calls if call.startswith("create --name app.")]
    assert calls == made


def behind_the_proxy(rollback: str = "", labels: Mapping[str, str] | None = None) -> Program:
    ports = (Port("", "80", "8080", "tcp"),)
    wanted = WANTED._replace(ports=ports, health="/up", rollback=rollback, labels=labels or {})
    proxy = ProxyForm(wanted, hosts=(), tls=False, image=f"proxy@{DIGEST}", drain_timeout=1)
    return plan_proxy(COMMON, proxy, ACME)


def test_a_broken_old_version_behind_the_proxy_does_not_stop_its_repair(
    script_host: ScriptHost,
) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "stopped")
    script_host.make("broken", "start app")
    script_host.make("whole", "")
    facts = script_host.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert facts[-1] == "ship-gone word 0", str(facts)
    assert script_host.boxes == {"app": "stopped", "gen-workflow-proxy": "running"}


def test_the_proxy_keeps_serving_others_when_the_old_version_does_not_start(
    script_host: ScriptHost,
) -> None:
    script_host.make("box/app", "stopped")
    script_host.make("box/app.next", "stopped")
    script_host.make("box/gen-workflow-proxy", "running")
    script_host.make("broken", "start app")
    script_host.make("whole", "")
    facts = script_host.run("lock", "prepare", "leave", program=behind_the_proxy("previous"))
    assert any(fact.startswith("failure") for fact in facts), "there is no release to go back to"
    assert script_host.boxes["gen-workflow-proxy"] == "running"


def test_a_kept_container_of_another_owner_is_left_alone_behind_the_proxy_too(
    script_host: ScriptHost,
) -> None:
    script_host.make("box/app.previous", "running")
    script_host.make("foreign", "app.previous")
    facts = script_host.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert "failure foreign" in facts
    assert script_host.boxes["app.previous"] == "running"


def test_a_health_command_that_hangs_is_no_success(script_host: ScriptHost) -> None:
    program = plan_run(COMMON, WANTED._replace(health_command="sleep 3600", health_timeout=1), ACME)
    facts = script_host.run(*PHASES, program=program)
    assert "detail its health command has not ended" in facts
    assert script_host.boxes == {"app": "running"}


def test_a_command_before_that_ignores_signals_does_not_hold_the_lock(
    script_host: ScriptHost,
) -> None:
    script_host.make("ignores-term", "start -a")
    program = plan_run(COMMON, WANTED._replace(before=("migrate",)), ACME)
    process = script_host.start(program)
    say(process, call("lock", "prepare", "before"))
    script_host.await_reached()
    # It ends only when this test ends.
    cut(process)
    assert script_host.boxes == {"app": "running"}
    script_host.make("ignores-term", "never")
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
    script_host.make("listens", "")


WITH_A_PATH = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")
IN_PLAIN_FORM = "grep -qx running box/app box/app.next"
BEHIND_THE_PROXY = '[ "$(cat target)" = id-of-app ] || grep -qx running box/app.next'


def answer_while(script_host: ScriptHost, condition: str) -> None:
    """Let the port of the host answer as long as a condition of the shell holds."""
    curl = script_host.folder / "bin" / "curl"
    tell = f"if {condition}; then printf 200; else : >refused; false; fi"
    curl.write_text(f"#!/bin/sh\ncd {script_host.folder}\n{tell}\n")
    curl.chmod(0o755)


def gap_in(facts: list[str]) -> int:
    return int([fact for fact in facts if fact.startswith("gap ")][-1].removeprefix("gap "))


def see_refusals(script_host: ScriptHost) -> None:
    """Let the slow command last until whoever watches the app has seen that it does not answer."""
    script_host.make("users", "")


def undone(script_host: ScriptHost, program: Program, slow: str, *, dies: bool = False) -> int:
    """Switch, let another host fail, and return the gap that the host reports after a slow undo."""
    process = script_host.start(program)
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    facts = listen(process, "end switch")
    assert "finished 1" not in facts
    if dies:
        script_host.make("box/app.next", "stopped")
    script_host.make("slow", slow)
    say(process, call("leave"))
    facts += listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "restored image-of-app" in facts
    history = json.loads((script_host.state / "history.jsonl").read_text())
    assert history["gap_ms"] == gap_in(facts)
    return gap_in(facts)


@pytest.mark.parametrize("wanted", [WITH_A_PATH, WANTED], ids=["with a path", "without a path"])
def test_a_switch_that_is_undone_because_of_another_host_reports_the_gap_of_the_undo(
    script_host: ScriptHost, wanted: RunForm
) -> None:
    answer_while(script_host, IN_PLAIN_FORM)
    if wanted.health:
        see_refusals(script_host)
    assert undone(script_host, plan_run(COMMON, wanted, ACME), "start app") >= 1000


def test_users_that_are_sent_back_have_the_gap_of_the_undo(script_host: ScriptHost) -> None:
    answer_while(script_host, BEHIND_THE_PROXY)
    see_refusals(script_host)
    script_host.make("target", "id-of-app")
    script_host.make("route", "8080")
    slow = "exec gen-workflow-proxy kamal-proxy deploy app"
    assert undone(script_host, behind_the_proxy(), slow, dies=True) >= 1000


def test_a_port_that_is_returned_has_the_gap_of_the_undo(script_host: ScriptHost) -> None:
    answer_while(script_host, IN_PLAIN_FORM)
    see_refusals(script_host)
    script_host.make("holder", "app")
    program = behind_the_proxy()
    assert undone(script_host, program, "start app", dies=True) >= 1000


def test_the_longer_of_both_gaps_counts(script_host: ScriptHost) -> None:
    answer_while(script_host, IN_PLAIN_FORM)
    see_refusals(script_host)
    script_host.make("slow", "start app.next")
    program = plan_run(COMMON, WITH_A_PATH, ACME)
    begun = uptime_ms()
    assert 1000 <= undone(script_host, program, "never") <= uptime_ms() - begun


def test_a_failed_switch_without_a_path_tells_the_gap(script_host: ScriptHost) -> None:
    script_host.make("broken", "start app.next")
    script_host.make("slow", "rm -f -v app.next")
    begun = uptime_ms()
    facts = script_host.run(*PHASES)
    assert "restored image-of-app" in facts
    assert 1000 <= gap_in(facts) <= uptime_ms() - begun


def test_the_gap_goes_on_when_the_client_dies_in_the_switch(script_host: ScriptHost) -> None:
    answer_while(script_host, IN_PLAIN_FORM)
    see_refusals(script_host)
    script_host.make("slow", "start app.next")
    process = script_host.start(plan_run(COMMON, WITH_A_PATH, ACME))
    say(process, call(*PHASES))
    script_host.await_reached()
    script_host.make("slow", "start app")
    cut(process)
    assert script_host.boxes == {"app": "running"}
    assert json.loads((script_host.state / "history.jsonl").read_text())["gap_ms"] >= 1000


def test_an_old_one_that_does_not_answer_again_has_a_gap_until_now(script_host: ScriptHost) -> None:
    answer_while(script_host, "[ ! -e mute ]")
    # The undo waits that long for an answer, in whole seconds.
    wanted = WITH_A_PATH._replace(health_timeout=2)
    process = script_host.start(plan_run(COMMON, wanted, ACME))
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    script_host.make("mute", "")
    say(process, call("leave"))
    assert gap_in(listen(process, "ship-gone")) >= 1000
    process.communicate(timeout=PATIENCE_SECONDS)


def docker_says(script_host: ScriptHost, command: str, words: str) -> None:
    """Let a command of the stand-in fail with words of Docker."""
    docker = script_host.folder / "bin" / "docker"
    lines = f"case \"$*\" in '{command}'*) echo '{words}' >&2; exit 1 ;; esac\n"
    docker.write_text(docker.read_text().replace('case "$1 $2" in\n', f'{lines}case "$1 $2" in\n'))


@pytest.mark.parametrize(
    "words",
    [
        "on endpoint app.next (0a1b): Bind for 0.0.0.0:8080 failed: port is already allocated",
        "Bind for :::8080 failed: port is already allocated",
        "listen tcp6 [::]:8080: bind: address already in use",
        "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
    ],
)
def test_a_port_that_is_taken_meanwhile_is_the_cause(script_host: ScriptHost, words: str) -> None:
    docker_says(script_host, "start app.next", words)
    facts = script_host.run(*PHASES)
    assert "failure port-taken" in facts
    assert "detail 8080: it is already in use" in facts


def test_the_proxy_without_its_port_says_so(script_host: ScriptHost) -> None:
    docker_says(
        script_host,
        "start gen-workflow-proxy",
        "Bind for 0.0.0.0:80 failed: port is already allocated",
    )
    facts = script_host.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert "failure port-taken" in facts
    assert "detail 80: it is already in use" in facts


@pytest.mark.parametrize(
    ("command", "code"),
    [("stop", "stop"), ("rename app ", "rename"), ("rename app.next", "rename")],
)
def test_a_command_that_docker_refuses_is_reported_in_its_words(
    script_host: ScriptHost, command: str, code: str
) -> None:
    # Only the stop of the switch fails; the stop of the undo may succeed.
    docker_says(script_host, command, "cannot kill container: tried 3 times")
    facts = script_host.run(*PHASES)
    assert f"failure {code}" in facts
    assert "detail cannot kill container: tried 3 times" in facts


OTHER = "Other/App"


# What Podman 4.3.1 says, and the components of its service as Docker's client shows them.
PODMAN = """\
case "$*" in
  --version) echo podman version 4.3.1; exit ;;
  *Components*) echo "Error: can't evaluate field Components in type *define.Version"; exit 125 ;;
  version*) echo 4.3.1; exit ;;
esac
"""
SERVICE = """\
case "$*" in *Components*) echo 4.3.1 Podman Engine Conmon OCI Runtime; exit ;; esac
"""


@pytest.mark.parametrize("answers", [PODMAN, SERVICE], ids=["client", "service"])
def test_podman_under_the_name_of_docker_is_refused_before_all(
    script_host: ScriptHost, answers: str
) -> None:
    docker = script_host.folder / "bin" / "docker"
    docker.write_text(docker.read_text().replace("\n", f"\n{answers}", 1))
    assert "failure podman" in script_host.run(*PHASES)
    assert not script_host.state.exists(), "not even the lock was taken"
    assert script_host.boxes == {"app": "running"}


@pytest.mark.parametrize("form", ["plain", "proxy"])
def test_the_service_of_another_repository_is_not_taken_over(
    script_host: ScriptHost, form: str
) -> None:
    script_host.make("repository", OTHER)
    script_host.make("box/app.next", "running")
    before = script_host.boxes
    program = PROGRAM if form == "plain" else behind_the_proxy()
    facts = script_host.run(*PHASES, program=program)
    assert "failure other-repository" in facts
    assert f"detail {OTHER}" in facts
    assert script_host.boxes == before
    assert not any(call.startswith(("rm", "pull", "create", "stop")) for call in script_host.calls)


@pytest.mark.parametrize("repository", ["", "Acme/App"])
def test_a_service_of_this_repository_or_of_none_is_deployed(
    script_host: ScriptHost, repository: str
) -> None:
    script_host.make("repository", repository)
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"


def test_the_container_that_a_killed_switch_left_is_of_this_repository_too(
    script_host: ScriptHost,
) -> None:
    (script_host.folder / "box" / "app").rename(script_host.folder / "box" / "app.next")
    script_host.make("repository", "Acme/App")
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_repository_that_was_renamed_is_listed_on_the_host(script_host: ScriptHost) -> None:
    script_host.make("repository", OTHER)
    script_host.state.mkdir(parents=True)
    (script_host.state / "repositories").write_text(f"{OTHER}\n")
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_container_says_which_repository_it_is_of(script_host: ScriptHost) -> None:
    script_host.run(*PHASES)
    [made] = [call for call in script_host.calls if call.startswith("create --name app.next")]
    assert "--label=io.github.gen-workflow.repository=Acme/App" in made


def test_an_app_that_runs_for_the_whole_time_is_healthy_also_at_the_turn_of_a_second(
    script_host: ScriptHost,
) -> None:
    script_host.make("health", "none")
    script_host.make_each_look_at_the_clock_take_a_second()
    program = plan_run(COMMON, WANTED._replace(health_timeout=2), ACME)
    assert script_host.run(*PHASES, program=program)[-1] == "ship-gone word 0"


def looks(script_host: ScriptHost) -> int:
    """How often the deploy has looked at the health of a container."""
    return sum("RestartCount" in each for each in script_host.calls)


@pytest.mark.parametrize(("days", "limit"), [(1, 60), (-1, 1)])
def test_a_clock_that_jumps_changes_no_time_limit(
    script_host: ScriptHost, days: int, limit: int
) -> None:
    script_host.set_clock_ahead(0)
    script_host.make("health", "starting")
    process = script_host.start(plan_run(COMMON, WANTED._replace(health_timeout=limit), ACME))
    say(process, call(*PHASES))
    wait_until(lambda: looks(script_host) > 1, "the deploy waits")
    script_host.set_clock_ahead(days)
    if days > 0:
        seen = looks(script_host)
        wait_until(lambda: looks(script_host) > seen + 1 or process.poll() is not None, "it looks")
        script_host.make("health", "healthy")
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert ("failure unhealthy" in facts) == (days < 0)


@pytest.mark.parametrize("expires", ["up99999999999", "1"])
def test_a_lock_that_has_not_expired_or_is_of_an_older_version_is_waited_for(
    script_host: ScriptHost, expires: str
) -> None:
    script_host.state.mkdir(parents=True)
    lock = script_host.state / "lock"
    with lock.open("a") as held, stubborn(script_host, "1") as holder:
        fcntl.flock(held, fcntl.LOCK_EX)
        # What was a time of the system clock says nothing to a clock that counts from the start.
        lock.write_text(f"{holder.pid} {expires} the first\n")
        assert "failure locked" in script_host.run("lock", program=impatient())
        assert not (script_host.folder / "asked-1").exists()


def test_an_older_version_does_not_take_the_lock_for_expired(script_host: ScriptHost) -> None:
    process = script_host.start()
    say(process, call("lock"))
    listen(process, "end lock")
    group, expires, *_ = (script_host.state / "lock").read_text().split()
    assert group.isdecimal()
    assert not expires.isdecimal(), "it compares a number with the system clock"
    cut(process)


HIGH = "47123"


@contextmanager
def listening(address: str, *, udp: bool = False, only_ipv6: bool = False) -> Iterator[None]:
    """A program of this machine that has a port of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as it:
        if family == socket.AF_INET6:
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_ipv6)
        it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        it.bind((address, int(HIGH)))
        if not udp:
            it.listen()
        yield


def publish(address: str, protocol: str = "tcp") -> Program:
    wanted = WANTED._replace(ports=(Port(address, HIGH, "80", protocol),))
    return plan_run(COMMON, wanted, ACME)


EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("wanted", "held", "shown"),
    [
        ("", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", EVERYWHERE, "0.0.0.0"),  # noqa: S104
        (EVERYWHERE, "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::", "[::]"),
        ("", "::", "[::]"),
        ("", "::1", "[::1]"),
        ("[::1]", "::1", "[::1]"),
        ("[::1]", "::", "[::]"),
        ("[::]", "::1", "[::1]"),
    ],
)
def test_a_port_that_a_program_has_is_seen_before_anything_is_touched(
    script_host: ScriptHost, wanted: str, held: str, shown: str
) -> None:
    with listening(held):
        facts = script_host.run("lock", "prepare", program=publish(wanted))
    place = f"{wanted}:{HIGH}" if wanted else HIGH
    program = Path("/proc/self/comm").read_text().strip()
    words = f"detail {place}: the program {program} already listens on {shown}:{HIGH}"
    assert words in facts, facts
    assert script_host.boxes == {"app": "running"}
    assert not any(each.startswith("pull") for each in script_host.calls)


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "::1"),
        (EVERYWHERE, "::1"),
        ("[::1]", "127.0.0.1"),
        ("[::]", EVERYWHERE),
        ("[::]", "::ffff:127.0.0.1"),
    ],
)
def test_a_program_on_another_address_is_no_conflict(
    script_host: ScriptHost, wanted: str, held: str
) -> None:
    with listening(held):
        facts = script_host.run("lock", "prepare", "leave", program=publish(wanted))
    assert facts[-1] == "ship-gone word 0", facts


def test_a_program_that_takes_ipv6_alone_is_no_conflict(script_host: ScriptHost) -> None:
    with listening("::", only_ipv6=True):
        facts = script_host.run("lock", "prepare", "leave", program=publish("127.0.0.1"))
    assert facts[-1] == "ship-gone word 0", facts


def test_a_port_of_one_protocol_is_none_of_the_other(script_host: ScriptHost) -> None:
    with listening("127.0.0.1", udp=True):
        facts = script_host.run("lock", "prepare", "leave", program=publish("127.0.0.1"))
        assert facts[-1] == "ship-gone word 0", facts
        facts = script_host.run("lock", "prepare", program=publish("127.0.0.1", "udp"))
    assert any(each.startswith(f"detail 127.0.0.1:{HIGH}/udp: the program") for each in facts)


def test_a_port_that_the_service_has_on_another_address_hides_no_program(
    script_host: ScriptHost,
) -> None:
    script_host.make("holder", "app\n")
    script_host.make("ports", f"80/tcp -> 127.0.0.2:{HIGH}\n")
    with listening("127.0.0.1"):
        assert "failure port-taken" in script_host.run("lock", "prepare", program=publish(""))
        # What listens there is Docker, for the container that this deploy replaces.
        script_host.make("ports", f"80/tcp -> 127.0.0.1:{HIGH}\n")
        facts = script_host.run("lock", "prepare", "leave", program=publish(""))
    assert facts[-1] == "ship-gone word 0", facts


def test_a_docker_that_is_a_snap_reads_nothing_of_ours_in_a_hidden_folder(
    script_host: ScriptHost,
) -> None:
    script_host.install_docker_as_snap()
    wanted = WANTED._replace(secret_files={"key": Secret("s3cret")}, health_command="true")
    program = plan_run(COMMON, wanted, ACME)
    # What an earlier version left in the usual place stays in effect.
    script_host.state.mkdir(parents=True)
    (script_host.state / "history.jsonl").write_text("{}\n")
    assert script_host.run(*PHASES, program=program)[-1] == "ship-gone word 0"
    visible = Path(script_host.home) / "gen-workflow" / "app"
    assert script_host.state.resolve() == visible
    assert len((visible / "history.jsonl").read_text().splitlines()) == 2
    (secret,) = visible.glob("secrets/*/key")
    assert secret.read_text() == "s3cret"
    assert any(str(secret) in each for each in script_host.calls)
    # The next one finds it all.
    assert script_host.run(*PHASES, program=program)[-1] == "ship-gone word 0"
