"""The scripts of the run form under real shells, with a stand-in for Docker that can be slow."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until
from far_side import (
    ACME,
    COMMON,
    DASH_FIRST,
    PHASES,
    PROGRAM,
    WANTED,
    FarSide,
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
    from collections.abc import Iterator
    from pathlib import Path

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
def far_side(request: pytest.FixtureRequest, tmp_path: Path) -> FarSide:
    return FarSide(tmp_path, request.param)


def test_a_deploy_ends_with_the_new_one_under_the_name(far_side: FarSide) -> None:
    facts = far_side.run(*PHASES)
    assert facts[-2:] == ["finished 0", "ship-gone word 0"]
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}
    history = json.loads((far_side.state / "history.jsonl").read_text())
    assert history["result"] == "deployed"
    assert history["actor"] == "octocat"
    assert not (far_side.state / "docker-config").exists()


def test_a_first_deploy_has_nothing_to_keep(far_side: FarSide) -> None:
    (far_side.folder / "box" / "app").unlink()
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"
    assert far_side.boxes == {"app": "running"}


def test_an_engine_that_restarts_just_before_the_stop_keeps_no_old_one_running(
    far_side: FarSide,
) -> None:
    process = far_side.start()
    say(process, call(*PHASES[: PHASES.index("check") + 1]))
    listen(process, "end check")
    far_side.make("broken", "container inspect --format {{.State.Running}} app")
    far_side.make("whole", "")
    # It is itself again once somebody has asked for it.
    far_side.make("mends", "version")
    say(process, call(*PHASES[PHASES.index("switch") :]))
    assert "finished 0" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


@pytest.mark.parametrize("step", STEPS)
def test_a_client_that_dies_in_the_middle_leaves_the_old_one_running(
    far_side: FarSide, step: str
) -> None:
    far_side.make("slow", step)
    process = far_side.start()
    say(process, call(*PHASES))
    far_side.await_reached()
    cut(process)
    assert far_side.boxes == {"app": "running"}
    assert not (far_side.state / "docker-config").exists()
    # Nothing of it is in the way of the next.
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"


@pytest.mark.parametrize("through", ["lock", "check", "switch"])
def test_a_client_that_dies_between_two_phases_leaves_the_old_one_running(
    far_side: FarSide, through: str
) -> None:
    process = far_side.start()
    say(process, call(*PHASES[: PHASES.index(through) + 1]))
    listen(process, f"end {through}")
    cut(process)
    assert far_side.boxes == {"app": "running"}


def test_names_are_set_right_even_when_the_client_dies_meanwhile(far_side: FarSide) -> None:
    far_side.make("slow", "rename app app.previous")
    process = far_side.start()
    say(process, call(*PHASES))
    far_side.await_reached()
    cut(process)
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


def test_a_shell_that_is_killed_lets_go_of_the_lock(far_side: FarSide) -> None:
    process = far_side.start()
    say(process, call("lock"))
    listen(process, "end lock")
    process.kill()
    cut(process)
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_second_deploy_waits_for_the_first(far_side: FarSide) -> None:
    first = far_side.start()
    say(first, call("lock"))
    listen(first, "end lock")
    second = far_side.start()
    say(second, call(*PHASES))
    assert second.stderr
    assert second.stderr.readline().startswith(b"waiting: app is locked by https://github.com/")
    say(first, call(*PHASES[2:]))
    for process in (first, second):
        assert listen(process, "ship-gone")[-1] == "ship-gone word 0"
        process.communicate(timeout=PATIENCE_SECONDS)
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


def test_who_waits_for_the_lock_takes_nothing_away(far_side: FarSide) -> None:
    first = far_side.start()
    say(first, call("lock"))
    listen(first, "end lock")
    (far_side.state / "docker-config").mkdir()
    assert "failure locked" in far_side.run("lock", program=impatient())
    assert (far_side.state / "docker-config").exists()
    cut(first)


def test_each_holder_whose_lock_has_expired_is_asked_before_it_is_killed(far_side: FarSide) -> None:
    far_side.state.mkdir(parents=True)
    lock, clock = far_side.state / "lock", far_side.folder / "clock"
    with lock.open("a") as held, ExitStack() as stack:
        fcntl.flock(held, fcntl.LOCK_EX)
        first, second = (stack.enter_context(stubborn(far_side, name)) for name in ("1", "2"))
        lock.write_text(f"{first.pid} 50 the first\n")
        clock.write_text("100")
        waiting = far_side.start(plan_run(COMMON._replace(lock_timeout=999), WANTED, ACME))
        say(waiting, Secret(f"now() {{ cat {clock}; }}\n"))
        say(waiting, call("lock"))
        await_file(far_side.folder / "asked-1")
        # While we waited another got it, and hangs as well.
        lock.write_text(f"{second.pid} 120 the second\n")
        clock.write_text("165")
        await_file(far_side.folder / "asked-2")
        clock.write_text("230")
        assert second.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        assert first.poll() is None
        cut(waiting)


@contextmanager
def stubborn(far_side: FarSide, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that notes that it was asked to end, and does not."""
    script = f"trap ': >asked-{name}' TERM; : >ready-{name}; while :; do sleep 0.1; done"
    with subprocess.Popen(("sh", "-c", script), cwd=far_side.folder, start_new_session=True) as it:
        try:
            await_file(far_side.folder / f"ready-{name}")
            yield it
        finally:
            it.kill()


def await_file(path: Path) -> None:
    wait_until(path.exists, f"there is a file {path.name}")


def impatient() -> Program:
    return plan_run(COMMON._replace(lock_timeout=0), WANTED, ACME)


@pytest.mark.parametrize("step", ["rm -f -v app.next", "start app"])
def test_a_client_that_dies_while_an_old_deploy_is_mended_leaves_the_old_one_running(
    far_side: FarSide, step: str
) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "running")
    far_side.make("slow", step)
    process = far_side.start()
    say(process, call(*PHASES))
    far_side.await_reached()
    cut(process)
    assert far_side.boxes == {"app": "running"}


def test_a_release_that_was_to_stay_is_not_undone_by_the_next_deploy(far_side: FarSide) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "running")
    far_side.make("release", "20260101-7")
    far_side.state.mkdir(parents=True)
    (far_side.state / "committed").write_text("20260101-7")
    far_side.make("broken", "pull")
    facts = far_side.run(*PHASES)
    assert "failure pull" in facts
    assert "mended yes" in facts
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


def test_a_broken_old_one_does_not_stop_the_deploy_that_mends_it(far_side: FarSide) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "stopped")
    # Only the old one: its name ends there.
    far_side.make("broken", "start app")
    (far_side.folder / "whole").touch()
    facts = far_side.run(*PHASES)
    assert facts[-1] == "ship-gone word 0"
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


def test_an_old_one_that_does_not_start_again_is_told(far_side: FarSide) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "running")
    far_side.make("broken", "start app")
    process = far_side.start()
    say(process, call(*PHASES))
    assert "failure start" in listen(process, "failure")
    process.kill()
    cut(process)


@pytest.mark.parametrize("broken", ["ps -a --filter", "rename app.next app"])
def test_what_cannot_be_mended_now_goes_on_serving(far_side: FarSide, broken: str) -> None:
    (far_side.folder / "box" / "app").rename(far_side.folder / "box" / "app.next")
    far_side.make("broken", broken)
    facts = far_side.run(*PHASES)
    assert any(fact.startswith("failure") for fact in facts)
    assert far_side.boxes == {"app.next": "running"}
    far_side.make("broken", "never")
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"
    assert far_side.boxes == {"app": "running", "app.previous": "stopped"}


def test_the_kept_one_of_a_deploy_killed_between_its_renames_does_not_start_by_itself(
    far_side: FarSide,
) -> None:
    (far_side.folder / "box" / "app").rename(far_side.folder / "box" / "app.previous")
    far_side.make("box/app.next", "running")
    far_side.run("lock", "prepare", "leave")
    assert "update --restart=no app.previous" in far_side.calls
    assert far_side.boxes["app"] == "running"


def test_only_what_serves_has_the_name_in_its_networks(far_side: FarSide) -> None:
    program = plan_run(COMMON, WANTED._replace(networks=("net",), after=("migrate",)), ACME)
    far_side.run(*(phase.name for phase in program.phases), program=program)
    named = [call for call in far_side.calls if "--network-alias app" in call]
    assert [call.split()[2] for call in named] == ["app.next"]


def behind_the_proxy(rollback: str = "") -> Program:
    ports = (Port("", "80", "8080", "tcp"),)
    wanted = WANTED._replace(ports=ports, health="/up", rollback=rollback)
    proxy = ProxyForm(wanted, hosts=(), tls=False, image=f"proxy@{DIGEST}", drain_timeout=1)
    return plan_proxy(COMMON, proxy, ACME)


def test_a_broken_old_one_does_not_stop_the_deploy_behind_the_proxy_that_mends_it(
    far_side: FarSide,
) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "stopped")
    far_side.make("broken", "start app")
    far_side.make("whole", "")
    facts = far_side.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert facts[-1] == "ship-gone word 0", str(facts)
    assert far_side.boxes == {"app": "stopped", "gen-workflow-proxy": "running"}


def test_the_proxy_goes_on_for_others_when_the_old_one_does_not_start(far_side: FarSide) -> None:
    far_side.make("box/app", "stopped")
    far_side.make("box/app.next", "stopped")
    far_side.make("box/gen-workflow-proxy", "running")
    far_side.make("broken", "start app")
    far_side.make("whole", "")
    facts = far_side.run("lock", "prepare", "leave", program=behind_the_proxy("previous"))
    assert any(fact.startswith("failure") for fact in facts), "there is no release to go back to"
    assert far_side.boxes["gen-workflow-proxy"] == "running"


def test_a_kept_container_of_somebody_else_is_left_alone_behind_the_proxy_too(
    far_side: FarSide,
) -> None:
    far_side.make("box/app.previous", "running")
    far_side.make("foreign", "app.previous")
    facts = far_side.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert "failure foreign" in facts
    assert far_side.boxes["app.previous"] == "running"


def test_a_health_command_that_hangs_is_no_success(far_side: FarSide) -> None:
    program = plan_run(COMMON, WANTED._replace(health_command="sleep 3600", health_timeout=1), ACME)
    facts = far_side.run(*PHASES, program=program)
    assert "detail its health command has not ended" in facts
    assert far_side.boxes == {"app": "running"}


def test_a_command_before_that_ignores_signals_does_not_hold_the_lock(far_side: FarSide) -> None:
    far_side.make("deaf", "start -a")
    program = plan_run(COMMON, WANTED._replace(before=("migrate",)), ACME)
    process = far_side.start(program)
    say(process, call("lock", "prepare", "before"))
    far_side.await_reached()
    # It would hear only at the end of this test.
    cut(process)
    assert far_side.boxes == {"app": "running"}
    far_side.make("deaf", "never")
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"
    far_side.make("heard", "")


WITH_A_PATH = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")
IN_PLAIN_FORM = "grep -qx running box/app box/app.next"
BEHIND_THE_PROXY = '[ "$(cat target)" = id-of-app ] || grep -qx running box/app.next'


def answer_while(far_side: FarSide, condition: str) -> None:
    """Let the port of the host answer as long as a condition of the shell holds."""
    curl = far_side.folder / "bin" / "curl"
    tell = f"if {condition}; then printf 200; else : >refused; false; fi"
    curl.write_text(f"#!/bin/sh\ncd {far_side.folder}\n{tell}\n")
    curl.chmod(0o755)


def gap_in(facts: list[str]) -> int:
    return int([fact for fact in facts if fact.startswith("gap ")][-1].removeprefix("gap "))


def see_refusals(far_side: FarSide) -> None:
    """Let the slow command last until whoever watches the app has seen that it does not answer."""
    far_side.make("users", "")


def undone(far_side: FarSide, program: Program, slow: str, *, dies: bool = False) -> int:
    """Switch, let another host fail, and return the gap that is told after a slow way back."""
    process = far_side.start(program)
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    facts = listen(process, "end switch")
    assert "finished 1" not in facts
    if dies:
        far_side.make("box/app.next", "stopped")
    far_side.make("slow", slow)
    say(process, call("leave"))
    facts += listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "restored image-of-app" in facts
    history = json.loads((far_side.state / "history.jsonl").read_text())
    assert history["gap_ms"] == gap_in(facts)
    return gap_in(facts)


@pytest.mark.parametrize("wanted", [WITH_A_PATH, WANTED], ids=["with a path", "without a path"])
def test_a_switch_that_is_undone_because_of_another_host_tells_the_gap_of_the_way_back(
    far_side: FarSide, wanted: RunForm
) -> None:
    answer_while(far_side, IN_PLAIN_FORM)
    if wanted.health:
        see_refusals(far_side)
    assert undone(far_side, plan_run(COMMON, wanted, ACME), "start app") >= 1000


def test_users_that_are_sent_back_tell_the_gap_of_the_way_back(far_side: FarSide) -> None:
    answer_while(far_side, BEHIND_THE_PROXY)
    see_refusals(far_side)
    far_side.make("target", "id-of-app")
    far_side.make("route", "8080")
    slow = "exec gen-workflow-proxy kamal-proxy deploy app"
    assert undone(far_side, behind_the_proxy(), slow, dies=True) >= 1000


def test_a_port_that_is_given_back_tells_the_gap_of_the_way_back(far_side: FarSide) -> None:
    answer_while(far_side, IN_PLAIN_FORM)
    see_refusals(far_side)
    far_side.make("holder", "app")
    program = behind_the_proxy()
    assert undone(far_side, program, "start app", dies=True) >= 1000


def test_the_longer_of_both_gaps_counts(far_side: FarSide) -> None:
    answer_while(far_side, IN_PLAIN_FORM)
    see_refusals(far_side)
    far_side.make("slow", "start app.next")
    program = plan_run(COMMON, WITH_A_PATH, ACME)
    begun = uptime_ms()
    assert 1000 <= undone(far_side, program, "never") <= uptime_ms() - begun


def test_a_failed_switch_without_a_path_tells_the_gap(far_side: FarSide) -> None:
    far_side.make("broken", "start app.next")
    far_side.make("slow", "rm -f -v app.next")
    begun = uptime_ms()
    facts = far_side.run(*PHASES)
    assert "restored image-of-app" in facts
    assert 1000 <= gap_in(facts) <= uptime_ms() - begun


def test_the_gap_goes_on_when_the_client_dies_in_the_switch(far_side: FarSide) -> None:
    answer_while(far_side, IN_PLAIN_FORM)
    see_refusals(far_side)
    far_side.make("slow", "start app.next")
    process = far_side.start(plan_run(COMMON, WITH_A_PATH, ACME))
    say(process, call(*PHASES))
    far_side.await_reached()
    far_side.make("slow", "start app")
    cut(process)
    assert far_side.boxes == {"app": "running"}
    assert json.loads((far_side.state / "history.jsonl").read_text())["gap_ms"] >= 1000


def test_an_old_one_that_does_not_answer_again_has_a_gap_until_now(far_side: FarSide) -> None:
    answer_while(far_side, "[ ! -e mute ]")
    process = far_side.start(plan_run(COMMON, WITH_A_PATH, ACME))
    # The way back waits that long for an answer.
    say(process, Secret("await_answer() { sleep 1; }\n"))
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    far_side.make("mute", "")
    say(process, call("leave"))
    assert gap_in(listen(process, "ship-gone")) >= 1000
    process.communicate(timeout=PATIENCE_SECONDS)


def docker_says(far_side: FarSide, command: str, words: str) -> None:
    """Let a command of the stand-in fail with words of Docker."""
    docker = far_side.folder / "bin" / "docker"
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
def test_a_port_that_is_taken_meanwhile_is_the_cause(far_side: FarSide, words: str) -> None:
    docker_says(far_side, "start app.next", words)
    facts = far_side.run(*PHASES)
    assert "failure port-taken" in facts
    assert "detail 8080" in facts


def test_the_proxy_without_its_port_says_so(far_side: FarSide) -> None:
    docker_says(
        far_side,
        "start gen-workflow-proxy",
        "Bind for 0.0.0.0:80 failed: port is already allocated",
    )
    facts = far_side.run("lock", "prepare", "leave", program=behind_the_proxy())
    assert "failure port-taken" in facts
    assert "detail 80" in facts


@pytest.mark.parametrize(
    ("command", "code"),
    [("stop", "stop"), ("rename app ", "rename"), ("rename app.next", "rename")],
)
def test_docker_has_its_own_words_for_what_it_did_not_do(
    far_side: FarSide, command: str, code: str
) -> None:
    # The one stop of the switch; that of the way back may go well.
    docker_says(far_side, command, "cannot kill container: tried 3 times")
    facts = far_side.run(*PHASES)
    assert f"failure {code}" in facts
    assert "detail cannot kill container: tried 3 times" in facts


OTHER = "Other/App"


@pytest.mark.parametrize("form", ["plain", "proxy"])
def test_the_service_of_another_repository_is_not_taken_over(far_side: FarSide, form: str) -> None:
    far_side.make("repository", OTHER)
    far_side.make("box/app.next", "running")
    before = far_side.boxes
    program = PROGRAM if form == "plain" else behind_the_proxy()
    facts = far_side.run(*PHASES, program=program)
    assert "failure other-repository" in facts
    assert f"detail {OTHER}" in facts
    assert far_side.boxes == before
    assert not any(call.startswith(("rm", "pull", "create", "stop")) for call in far_side.calls)


@pytest.mark.parametrize("repository", ["", "Acme/App"])
def test_the_service_of_this_repository_or_of_nobody_goes_on(
    far_side: FarSide, repository: str
) -> None:
    far_side.make("repository", repository)
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"


def test_the_container_that_a_killed_switch_left_is_of_this_repository_too(
    far_side: FarSide,
) -> None:
    (far_side.folder / "box" / "app").rename(far_side.folder / "box" / "app.next")
    far_side.make("repository", "Acme/App")
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_repository_that_was_renamed_is_told_to_the_host(far_side: FarSide) -> None:
    far_side.make("repository", OTHER)
    far_side.state.mkdir(parents=True)
    (far_side.state / "repositories").write_text(f"{OTHER}\n")
    assert far_side.run(*PHASES)[-1] == "ship-gone word 0"


def test_a_container_says_which_repository_it_is_of(far_side: FarSide) -> None:
    far_side.run(*PHASES)
    [made] = [call for call in far_side.calls if call.startswith("create --name app.next")]
    assert "--label=io.github.gen-workflow.repository=Acme/App" in made
