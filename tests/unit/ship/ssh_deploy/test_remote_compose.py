"""The scripts of the compose form under real shells, with a stand-in for Docker."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS, wait_until
from script_host import (
    ACME,
    COMMON,
    DASH_FIRST,
    PULLS,
    WANTED,
    ScriptHost,
    cut,
    listen,
    say,
)
from ship.runner.command import Secret
from ship.ssh_deploy.compose.files import Upload
from ship.ssh_deploy.compose.inputs import ComposeForm
from ship.ssh_deploy.compose.plan import plan_compose
from ship.ssh_deploy.program import call

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from ship.ssh_deploy.program import Program

IMAGE = "ghcr.io/acme/app@sha256:" + "c" * 64
BEGUN = "2026-01-01T00:00:00Z"
# The one container is a line in the file `web`, as the scripts look at it. The file `label` is the
# project that a container of this folder says it is of; a line of `labels` is a container, its
# service and the files that it was made with. With `same`, compose finds nothing to replace. With
# `left`, it is interrupted and leaves this line. With `full`, it makes none beside another. The
# lines of `story` are what one look after another finds of all containers, from `up` on.
DOCKER = """#!/bin/sh
here=$PWD
cd {folder}
echo "$*" >>calls
{pulls}
read -r slow <slow; read -r broken <broken
case "$*" in "$slow"*)
  echo never >slow
  rm -f refused
  sleep 1
  [ ! -e users ] || until [ -e refused ]; do sleep 0.05; done ;;
esac
last=
[ "$1" != compose ] || for each; do
  case $each in /*) file=$each ;; *) file=$here/$each ;; esac
  [ "$last" != -f ] || [ -e "$file" ] || {{ echo "open $file: no such file" >&2; exit 1; }}
  last=$each
done
case "$*" in
  "$broken"*) echo 'it is broken' >&2; exit 1 ;;
  'compose version'*) echo 2.40.0 ;;
  *'config --format json') echo '{{"name": "app"}}' ;;
  *"--profile * config --services") echo web; cat inactive 2>/dev/null ;;
  *'config --services') cat active 2>/dev/null || echo web ;;
  *'config --images') cat images 2>/dev/null ;;
  *working_dir=*config_files*) sed 's/^[0-9]* //' labels 2>/dev/null ;;
  *working_dir=*environment_file*) cat env-files 2>/dev/null ;;
  *working_dir=*) cat label ;;
  *.ID*config_files*) cat labels 2>/dev/null ;;
  *service=web*config_files*) sed -n 's/^[0-9]* web //p' labels 2>/dev/null ;;
  *config_files*) sed 's/^[0-9]* [a-z]* //' labels 2>/dev/null ;;
  'ps --filter '*.Ports*) cat published 2>/dev/null ;;
  'ps -aq '*) [ ! -e web ] || cut -d ' ' -f 2 web ;;
  'container inspect '*)
    [ -e scenes ] || exec cat web
    head -n 1 scenes | tr ';' '\\n'
    [ "$(wc -l <scenes)" -le 1 ] || sed -i 1d scenes ;;
  *' run --rm '*) [ ! -e hangs ] || {{ : >reached; trap '' TERM; sleep 1; exit 1; }} ;;
  *' up -d '*)
    read -r health 2>/dev/null <health || health=healthy
    [ ! -e story ] || mv story scenes
    [ ! -e left ] || {{ cat left >>web; rm left; exit 1; }}
    [ -e same ] || echo "web 2 sha256:new {image} running 0 0 $health today" >web ;;
  *' up --no-start '*)
    [ ! -e full ] || [ ! -s web ] || {{ echo 'no space left on device' >&2; exit 1; }}
    echo "web 3 sha256:new {image} created 0 0 $(cat restored 2>/dev/null || echo healthy) never" \
      >web ;;
  'start '*) sed -i 's/ created / running /' web ;;
  'rm -f '*) [ ! -e web ] || sed -i "/^[a-z]* $3 /d" web ;;
esac
"""
ANSWER = {
    "PROJECT": "app",
    "PINNED": "web",
    "EXPECTED": "web",
    "PORTS": "8080",
    "TASKS": "",
    "OVERRIDE": '{"services": {}}',
    "IMAGE": IMAGE,
    "OTHERS": "",
    "BUILT": "",
    "MOUNTED": "",
    "HEALTH_SERVICE": "web",
    "ADDRESS": "127.0.0.1",
    "HEALTH_HOST_PORT": "",
    "BEFORE": "",
    "AFTER": "",
}


class ComposeSide(ScriptHost):
    """A host with a project in `app` of the home, which a deploy brings its files to."""

    def __init__(self, folder: Path, shell: str) -> None:
        super().__init__(folder, shell)
        text = DOCKER.format(folder=folder, image=IMAGE, pulls=PULLS)
        (folder / "bin" / "docker").write_text(text)
        self.make("label", "")
        self.compose: tuple[str, ...] = ("compose.yml",)
        self.answer: dict[str, str] = ANSWER
        self.run_of = ACME
        self.common = COMMON
        self.health_timeout = 120
        self.host_files: dict[str, str] = {}
        self.env: dict[str, Secret] | None = None
        self.keep = 3
        self.repository = folder / "repository"
        self.live = folder / "home" / "app"
        # Whoever waits for something that does not come has no time here.
        self.functions = "sleep() { command sleep 0.01; }\n"

    def make_each_look_at_the_clock_take_a_second(self) -> None:
        # The limit of compose looks at the clock each second: it must not pass before compose ends.
        self.functions = "sleep() { [ $1 != 1 ] || command sleep 1; command sleep 0.01; }\n"
        super().make_each_look_at_the_clock_take_a_second()

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the repository."""
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def program(self, folder: str = "app", rollback: str = "") -> Program:
        paths = [p for p in self.repository.rglob("*") if p.is_file()]
        names = tuple(sorted(str(path.relative_to(self.repository)) for path in paths))
        form = ComposeForm(
            upload=Upload(str(self.repository), self.compose, names),
            folder=folder,
            host_files=self.host_files,
            project="",
            images={"web": IMAGE},
            image="",
            repository="",
            rollback=rollback,
            login=WANTED.login,
            env=self.env,
            health="",
            health_port="",
            health_timeout=self.health_timeout,
            keep=self.keep,
            before=(),
            after=(),
        )
        return plan_compose(self.common, form, self.run_of)

    def deploy(self, folder: str = "app", rollback: str = "") -> list[str]:
        """Deploy what is in the repository; returns the facts."""
        process = self.begin(self.program(folder, rollback))
        facts = listen(process, "ship-gone")
        process.communicate(timeout=PATIENCE_SECONDS)
        return facts

    def deploy_killed_after(self, phase: str) -> None:
        """Deploy, and end the shell there and then."""
        process = self.begin(self.program(), until=phase)
        listen(process, f"end {phase}")
        os.killpg(process.pid, signal.SIGKILL)
        cut(process)

    def begin(self, program: Program, until: str = "leave") -> subprocess.Popen[bytes]:
        """Deploy up to a phase."""
        names = [phase.name for phase in program.phases]
        process = self.start(program)
        say(process, call("lock", "prepare"))
        say(
            process,
            call(*names[names.index("pull") : names.index(until) + 1], parameters=self.answer),
        )
        return process

    def text(self, path: str) -> str:
        """Return a file of the live folder."""
        return (self.live / path).read_text()


@pytest.fixture(params=DASH_FIRST)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> ComposeSide:
    made = ComposeSide(tmp_path, request.param)
    made.put("compose.yml", "1")
    return made


def deployed(facts: list[str]) -> bool:
    return facts[-1] == "ship-gone word 0"


def test_a_file_that_left_the_repository_is_removed_in_the_switch_and_not_before(
    side: ComposeSide,
) -> None:
    side.put("nginx/old.conf", "old")
    assert deployed(side.deploy())
    (side.repository / "nginx" / "old.conf").unlink()
    side.put("nginx/new.conf", "new")
    side.run("lock", "prepare", "leave", program=side.program())
    assert side.text("nginx/old.conf") == "old"
    side.make("broken", "compose -p app -f ./compose.yml -f ./images.gen-workflow.yml up -d")
    assert "failure start-project" in side.deploy()
    assert side.text("nginx/old.conf") == "old"
    side.make("broken", "never")
    assert deployed(side.deploy())
    assert [path.name for path in (side.live / "nginx").iterdir()] == ["new.conf"]


def test_the_label_of_a_container_is_no_command(side: ComposeSide) -> None:
    side.make("label", f"x; touch {side.folder}/entered; :\n")
    facts = side.deploy()
    assert "failure other-project" in facts
    assert not (side.folder / "entered").exists()


def test_a_project_that_was_started_in_the_folder_keeps_its_name(side: ComposeSide) -> None:
    side.make("label", "shop_1-x\n")
    assert deployed(side.deploy())
    assert any(call.startswith("compose -p shop_1-x ") for call in side.calls)


def kill_in_the_switch(side: ComposeSide) -> None:
    """Leave a project of which nothing runs, and the notes for its undo."""
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    side.deploy_killed_after("switch")
    side.make("web", f"web 4 sha256:new {IMAGE} exited 0 1 none today\n")


def test_an_old_version_that_does_not_start_does_not_stop_the_deploy_that_repairs_it(
    side: ComposeSide,
) -> None:
    kill_in_the_switch(side)
    side.make("broken", "start")
    facts = side.deploy()
    assert deployed(facts), facts
    assert side.text("compose.yml") == "2"
    assert not any(call.startswith("rmi") for call in side.calls)


def test_a_killed_deploy_is_not_given_up_while_the_engine_does_not_answer(
    side: ComposeSide,
) -> None:
    kill_in_the_switch(side)
    side.make("broken", "version --never")
    undo = side.state / "undo"
    program = side.program()
    # The engine goes once the deploy has seen it.
    process = side.start(program)
    say(process, call("look", "lock"))
    listen(process, "end lock")
    side.make("broken", "version")
    say(process, call("prepare"))
    assert "failure start-project" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert undo.is_dir()
    side.make("broken", "never")
    assert deployed(side.deploy())


def test_the_image_that_ran_before_is_not_removed_to_make_room_for_itself(
    side: ComposeSide,
) -> None:
    side.make("web", f"web 1 sha256:new {IMAGE} running 0 0 none {BEGUN}\n")
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters=ANSWER))
    listen(process, "end switch")
    side.make("broken", "compose")
    say(process, call("leave"))
    assert "lost app" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not any(call.startswith("rmi") for call in side.calls)


SERVES = f"web 0ld0 sha256:new {IMAGE} running 0 0 none {BEGUN}\n"


def serve(side: ComposeSide) -> None:
    """Deploy a project whose container is there already."""
    side.make("web", SERVES)
    side.make("same", "")
    assert deployed(side.deploy())


def test_what_an_interrupted_compose_made_and_did_not_start_is_removed(side: ComposeSide) -> None:
    serve(side)
    side.put("compose.yml", "2")
    side.make("left", f"web n3w0 sha256:new {IMAGE} created 0 0 none never\n")
    facts = side.deploy()
    assert "failure start-project" in facts
    assert any(fact.startswith("restored ") for fact in facts), facts
    # The next compose would take it for one of two.
    assert (side.folder / "web").read_text() == SERVES


def test_on_a_full_disk_the_new_container_makes_room_for_the_old_one(side: ComposeSide) -> None:
    serve(side)
    side.put("compose.yml", "2")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters=ANSWER))
    listen(process, "end switch")
    side.make("web", f"web n3w0 sha256:new {IMAGE} running 0 0 none today\n")
    side.make("full", "")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert any(fact.startswith("restored ") for fact in facts), facts
    assert "rm -f n3w0" in side.calls


@pytest.mark.parametrize("broken", ["never", "compose -p app -f ./compose.yml -f ./images"])
def test_the_container_that_keeps_room_is_gone_after_the_deploy(
    side: ComposeSide, broken: str
) -> None:
    serve(side)
    side.put("compose.yml", "2")
    side.make("broken", f"{broken}.gen-workflow.yml up -d")
    side.deploy()
    used = [call for call in side.calls if "app-gen-workflow-room" in call]
    assert used[-2:] == [
        f"create --name app-gen-workflow-room {IMAGE} room",
        "rm -f -v app-gen-workflow-room",
    ]


def test_the_container_that_a_killed_deploy_left_to_keep_room_goes_with_the_next_deploy(
    side: ComposeSide,
) -> None:
    serve(side)
    side.put("compose.yml", "2")
    side.deploy_killed_after("switch")
    (side.folder / "calls").unlink()
    # It is refused before its own switch.
    side.make("broken", "compose -f")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "failure compose" in facts, facts
    assert "rm -f -v app-gen-workflow-room" in side.calls


def test_a_file_that_could_not_be_put_back_is_kept(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    side.deploy_killed_after("switch")
    (side.live / "compose.yml").unlink()
    (side.live / "compose.yml" / "x").mkdir(parents=True)
    facts = side.deploy()
    assert "failure in-the-way" in facts, facts
    assert (side.live / ".gen-workflow-files" / "old" / "compose.yml").read_text() == "1"


def test_a_file_that_could_not_be_restored_is_reported_beside_the_cause(side: ComposeSide) -> None:
    side.put("conf/app.conf", "1")
    assert deployed(side.deploy())
    side.put("conf/app.conf", "2")
    side.put("compose.yml", "2")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters=ANSWER))
    listen(process, "end switch")
    (side.live / "conf" / "app.conf").unlink()
    (side.live / "conf" / "app.conf" / "x").mkdir(parents=True)
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert f"unmoved {side.live}/conf/app.conf" in facts, facts
    assert side.text("compose.yml") == "1"


def test_a_second_project_of_the_same_name_touches_nothing(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    facts = side.deploy(folder="other")
    assert "failure name-taken" in facts
    assert f"detail {side.live}" in facts
    assert not (side.folder / "home" / "other").exists()
    side.put("compose.yml", "2")
    side.deploy_killed_after("switch")
    assert "failure name-taken" in side.deploy(folder="other")
    assert side.text("compose.yml") == "2"
    assert (side.state / "undo").is_dir()


def test_a_project_may_move_and_then_its_name_is_that_of_the_new_folder(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.live.rename(side.folder / "home" / "moved")
    assert deployed(side.deploy(folder="moved"))
    side.live.mkdir()
    assert "failure name-taken" in side.deploy()


def test_notes_from_before_there_was_one_of_the_folder_are_ours(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    for note in (side.state / "releases").glob("*/folder"):
        note.unlink()
    assert deployed(side.deploy())


def test_a_killed_first_deploy_is_undone_in_its_own_folder(side: ComposeSide) -> None:
    side.live.mkdir()
    (side.live / "compose.yml").write_text("mine")
    side.put("extra.conf", "x")
    side.host_files = {"": "replace"}
    side.deploy_killed_after("switch")
    other = side.folder / "home" / "other"
    other.mkdir()
    (other / "extra.conf").write_text("precious")
    program = side.program(folder="other")
    side.run("lock", "prepare", "leave", program=program)
    assert side.text("compose.yml") == "mine"
    assert sorted(path.name for path in side.live.iterdir()) == ["compose.yml"]
    assert (other / "extra.conf").read_text() == "precious"


def test_what_was_killed_in_a_folder_that_is_no_more_is_undone_nowhere_else(
    side: ComposeSide,
) -> None:
    side.put("extra.conf", "x")
    side.deploy_killed_after("switch")
    shutil.rmtree(side.live)
    other = side.folder / "home" / "other"
    other.mkdir()
    (other / "extra.conf").write_text("precious")
    side.run("lock", "prepare", "leave", program=side.program(folder="other"))
    assert (other / "extra.conf").read_text() == "precious"
    assert not (side.state / "undo").exists()


def test_a_file_that_can_be_run_now_is_replaced(side: ComposeSide) -> None:
    side.put("entry.sh", "#!/bin/sh")
    assert deployed(side.deploy())
    side.put("entry.sh", "#!/bin/sh", mode=0o755)
    assert deployed(side.deploy())
    assert (side.live / "entry.sh").stat().st_mode & 0o100
    facts = side.deploy(rollback="previous")
    assert "failure same-release" not in facts
    assert "failure no-release" not in facts


def test_a_release_that_was_undone_is_none_to_go_back_to(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    side.deploy_killed_after("switch")
    # Killed between the two renames of its commit.
    (killed,) = (side.state / "releases").glob("*/tried")
    killed.rename(killed.with_name("deployed"))
    side.run("lock", "prepare", "leave", program=side.program())
    assert "failure no-release" in side.deploy(rollback="previous")


def test_a_project_that_is_rolled_back_because_of_another_host_reports_the_gap_of_the_undo(
    side: ComposeSide,
) -> None:
    curl = side.folder / "bin" / "curl"
    tell = "if grep -q ' running ' web; then printf 200; else : >refused; false; fi"
    curl.write_text(f"#!/bin/sh\ncd {side.folder}\n{tell}\n")
    curl.chmod(0o755)
    # The slow command ends when the watcher has seen that the app does not answer.
    side.make("users", "")
    side.make("web", f"web 1 sha256:new {IMAGE} running 0 0 healthy {BEGUN}\n")
    side.live.mkdir()
    (side.live / "compose.yml").write_text("1")
    program = side.program()
    program = program._replace(parameters={**program.parameters, "HEALTH_PATH": "/up"})
    process = side.start(program)
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters={**ANSWER, "HEALTH_HOST_PORT": "80"}))
    listen(process, "end switch")
    side.make("slow", "start 3")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "restored " + IMAGE in facts
    [gap] = [fact for fact in facts if fact.startswith("gap ")]
    assert int(gap.removeprefix("gap ")) >= 1000


def test_compose_that_takes_too_long_is_ended_and_reported_as_too_slow(side: ComposeSide) -> None:
    docker = side.folder / "bin" / "docker"
    text = docker.read_text().replace(
        "*' up -d '*)", "*' up -d '*) echo 'Container 1' && exec sleep 3600 ;;\n  up)"
    )
    docker.write_text(text)
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, Secret("sleep() { command sleep 0.01; limit_at=0; }\n"))
    names = ("pull", "switch", "leave")
    say(process, call(*names, parameters={**ANSWER, "HEALTH_TIMEOUT": "2"}))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "failure too-slow" in facts
    assert "detail it took longer than 62 s; web: it has no container" in facts


VENDOR = "registry.example.com/vendor/db:16"


def test_the_login_of_the_host_is_asked_for_images_of_other_registries(side: ComposeSide) -> None:
    side.make("broken", "image inspect")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    answered = {**ANSWER, "OTHERS": f"{VENDOR} ghcr.io/acme/tool:1"}
    say(process, call("pull", "leave", parameters=answered))
    assert deployed(listen(process, "ship-gone"))
    process.communicate(timeout=PATIENCE_SECONDS)
    assert side.pulls == [f"{IMAGE} ghcr.io", VENDOR, "ghcr.io/acme/tool:1 ghcr.io"]


@pytest.mark.parametrize(
    ("registry", "pulled"),
    [
        ("", "ghcr.io/acme/app:v1 ghcr.io"),
        ("ghcr.io", "ghcr.io/acme/app:v1 ghcr.io"),
        ("registry.example.com", "ghcr.io/acme/app:v1"),
    ],
)
def test_a_tag_is_looked_up_with_the_login_of_its_registry(
    side: ComposeSide, registry: str, pulled: str
) -> None:
    assert deployed(side.deploy())
    program = side.program(rollback="v1")
    where = {"IMAGE": "", "REGISTRY": registry}
    program = program._replace(parameters={**program.parameters, **where})
    side.run("lock", "prepare", "leave", program=program)
    assert side.pulls == [pulled]


def test_a_tag_of_a_registry_with_a_port_is_looked_up_there(side: ComposeSide) -> None:
    program = side.program(rollback="v1")
    where = {"IMAGE": "", "REPOSITORY": "localhost:5000/app", "REGISTRY": ""}
    program = program._replace(parameters={**program.parameters, **where})
    side.run("lock", "prepare", "leave", program=program)
    assert side.pulls == ["localhost:5000/app:v1 localhost:5000"]


class Moved(ComposeSide):
    """A host whose container was made with files that its release has no more, and serves on."""

    def __init__(self, folder: Path, shell: str) -> None:
        super().__init__(folder, shell)
        self.put("old.yml", "1")
        self.put("side.yml", "1")
        self.compose = ("old.yml", "side.yml")
        assert deployed(self.deploy())
        self.made_with("old.yml", "side.yml", "images.gen-workflow.yml")
        for name in self.compose:
            (self.repository / name).unlink()
        self.put("new.yml", "1")
        self.compose = ("new.yml",)
        self.make("same", "")
        assert deployed(self.deploy())

    def made_with(self, *names: str, number: int = 2, service: str = "web") -> None:
        """Add a container that says that it was made with some files."""
        files = ",".join(str(self.live / name) for name in names)
        with (self.folder / "labels").open("a") as labels:
            labels.write(f"{number} {service} {files}\n")

    def deploy_badly(self) -> list[str]:
        """Deploy what stops the container and then goes back; returns the facts."""
        process = self.begin(self.program(), until="switch")
        listen(process, "end switch")
        self.stop()
        say(process, call("leave"))
        facts = listen(process, "ship-gone")
        process.communicate(timeout=PATIENCE_SECONDS)
        return facts

    def stop(self) -> None:
        self.make("web", f"web 4 sha256:new {IMAGE} exited 0 1 none today\n")

    @property
    def brought_back_with(self) -> list[str]:
        """The beginnings of the commands with which the undo made containers."""
        return [call.partition(" up ")[0] for call in self.calls if " up --no-start " in call]


@pytest.fixture(params=DASH_FIRST)
def moved(request: pytest.FixtureRequest, tmp_path: Path) -> Moved:
    return Moved(tmp_path, request.param)


OURS = "compose -p app -f ./new.yml -f ./images.gen-workflow.yml"


def test_the_undo_uses_the_release_where_a_container_names_files_that_are_no_more(
    moved: Moved,
) -> None:
    moved.put("new.yml", "2")
    facts = moved.deploy_badly()
    assert f"restored {IMAGE}" in facts, facts
    assert " running " in (moved.folder / "web").read_text()
    assert moved.brought_back_with == [OURS]
    assert moved.text("new.yml") == "1"


def test_a_killed_deploy_is_undone_with_the_files_of_the_release_before_it(moved: Moved) -> None:
    (moved.repository / "new.yml").rename(moved.repository / "newest.yml")
    moved.compose = ("newest.yml",)
    moved.deploy_killed_after("switch")
    assert not (moved.live / "new.yml").exists()
    moved.stop()
    facts = moved.deploy()
    assert deployed(facts), facts
    assert "lost app" not in facts
    assert moved.brought_back_with == [OURS]


def test_the_undo_uses_the_release_where_a_file_is_uploaded_but_used_no_more(
    moved: Moved,
) -> None:
    moved.put("side.yml", "1")
    assert deployed(moved.deploy())
    moved.make("labels", "")
    moved.made_with("new.yml", "side.yml", "images.gen-workflow.yml")
    assert f"restored {IMAGE}" in moved.deploy_badly()
    assert moved.brought_back_with == [OURS]


@pytest.mark.parametrize(
    "names", [("new.yml", "hand.yml", "images.gen-workflow.yml"), ("new.yml",)]
)
def test_a_project_made_by_hand_is_restored_with_its_own_files(
    moved: Moved, names: tuple[str, ...]
) -> None:
    (moved.live / "hand.yml").write_text("mine")
    moved.host_files = {"hand.yml": "keep"}
    moved.make("labels", "")
    moved.made_with(*names)
    assert f"restored {IMAGE}" in moved.deploy_badly()
    files = " ".join(f"-f {moved.live}/{name}" for name in names)
    [with_files] = moved.brought_back_with
    assert with_files.startswith(f"compose -p app {files}")


def removed(side: ComposeSide) -> list[str]:
    """Return how containers were removed, but for the one that keeps room."""
    return [each for each in side.calls if each.startswith("rm ") and not each.endswith("-room")]


def test_a_removed_service_is_stopped_also_when_its_files_were_removed_before(
    moved: Moved,
) -> None:
    moved.make("labels", "")
    moved.made_with("new.yml", "images.gen-workflow.yml")
    moved.made_with("old.yml", "side.yml", "images.gen-workflow.yml", number=5, service="cache")
    moved.made_with("hand.yml", "images.gen-workflow.yml", number=6, service="extra")
    moved.made_with("gone.yml", number=7, service="tool")
    (moved.live / "hand.yml").write_text("mine")
    assert deployed(moved.deploy())
    assert removed(moved) == ["rm 5"]


def test_a_service_of_the_release_before_goes_when_its_file_gets_another_name(moved: Moved) -> None:
    moved.made_with("new.yml", "images.gen-workflow.yml", number=5, service="cache")
    (moved.repository / "new.yml").rename(moved.repository / "newest.yml")
    moved.compose = ("newest.yml",)
    assert deployed(moved.deploy())
    assert removed(moved) == ["rm 5"]


OLD = f"2 sha256:old ghcr.io/acme/app@sha256:{'0' * 64}"


def test_a_running_service_that_gets_an_image_and_would_not_be_started_is_reported_before_all(
    side: ComposeSide,
) -> None:
    side.make("active", "db\nworker\n")
    side.make("web", f"web {OLD} running 0 0 none {BEGUN}\n")
    side.answer = {**ANSWER, "PINNED": "worker web"}
    facts = side.deploy()
    assert "failure inactive" in facts, facts
    assert "detail web" in facts
    assert not any(" up " in call or call.startswith("pull ") for call in side.calls)


def test_a_deploy_that_would_start_nothing_with_its_image_is_reported_before_all(
    side: ComposeSide,
) -> None:
    side.make("active", "db\n")
    side.answer = {**ANSWER, "AFTER": "db - psql -c 'web'"}
    facts = side.deploy()
    assert "failure inactive" in facts, facts
    assert "detail web" in facts


def test_a_task_may_have_a_profile_that_is_not_active(side: ComposeSide) -> None:
    side.make("inactive", "tool\n")
    side.answer = {**ANSWER, "PINNED": "tool web", "HEALTH_SERVICE": ""}
    assert deployed(side.deploy())


@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_an_image_may_be_that_of_a_task_alone(side: ComposeSide, when: str) -> None:
    side.make("active", "db\n")
    side.answer = {**ANSWER, "EXPECTED": "", when: "db - true\nweb - ./migrate"}
    assert deployed(side.deploy())


@pytest.mark.parametrize("service", ["tool", ""])
def test_health_is_not_asked_of_what_does_not_start(side: ComposeSide, service: str) -> None:
    if not service:
        side.make("active", "db\n")
    side.answer = {**ANSWER, "PINNED": "tool web", "HEALTH_SERVICE": service, "AFTER": "web - true"}
    side.answer |= {"HEALTH_PATH": "/up", "HEALTH_HOST_PORT": "1"}
    facts = side.deploy()
    assert "failure inactive" in facts, facts
    assert "detail tool, which gets the request of `health`," in facts or not service


def test_health_on_a_port_is_asked_once_the_first_of_ours_that_starts_is_there(
    side: ComposeSide,
) -> None:
    curl = side.folder / "bin" / "curl"
    curl.write_text("#!/bin/sh\nprintf 503\n")
    curl.chmod(0o755)
    side.answer = {**ANSWER, "PINNED": "tool web", "HEALTH_SERVICE": ""}
    side.answer |= {"HEALTH_PATH": "/up", "HEALTH_HOST_PORT": "80"}
    side.health_timeout = 1
    facts = side.deploy()
    assert "failure unhealthy" in facts, facts
    assert "detail web: GET /up on port 80 gave status 503" in facts


@pytest.mark.parametrize("health", ["unhealthy", "starting"])
def test_the_path_of_a_service_decides_and_not_its_healthcheck(
    side: ComposeSide, health: str
) -> None:
    curl = side.folder / "bin" / "curl"
    curl.write_text("#!/bin/sh\nprintf 200\n")
    curl.chmod(0o755)
    side.make("health", health)
    side.answer = {**ANSWER, "HEALTH_PATH": "/up", "HEALTH_HOST_PORT": "80"}
    side.health_timeout = 1
    assert deployed(side.deploy())
    side.answer = {**side.answer, "HEALTH_SERVICE": "other"}
    assert not deployed(side.deploy())


def test_images_of_services_behind_a_profile_that_is_active_are_pulled(side: ComposeSide) -> None:
    side.make("broken", "image inspect")
    side.make("images", f"{IMAGE}\n{VENDOR}\n")
    assert deployed(side.deploy())
    assert VENDOR in side.pulls


def test_facts_reported_while_a_task_is_ended_reach_the_client(side: ComposeSide) -> None:
    side.make("hangs", "")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "before", parameters={**ANSWER, "BEFORE": "web - ./migrate"}))
    side.await_reached()
    assert process.stdin
    process.stdin.close()
    facts = listen(process, "ship-gone")
    assert "failure interrupted" in facts, facts
    assert "finished 143" in facts
    assert any("rm -f app-gen-workflow-task" in each for each in side.calls)
    process.stdin = None
    process.communicate(timeout=PATIENCE_SECONDS)


def test_a_name_is_that_of_one_repository(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.run_of = ACME._replace(repository="Other/App")
    side.put("compose.yml", "theirs")
    facts = side.deploy()
    assert "failure other-repository" in facts, facts
    assert "detail Acme/App" in facts
    assert side.text("compose.yml") != "theirs"
    (side.state / "repositories").write_text("Acme/App\n")
    assert deployed(side.deploy())
    assert (side.state / "source").read_text() == "Other/App"


def test_another_project_of_the_repository_does_not_take_its_name(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.answer = ANSWER | {"EXPECTED": "api db"}
    side.put("compose.yml", "another project")
    facts = side.deploy()
    assert "failure other-service" in facts, facts
    assert "detail the service web, and this deploy has api db" in facts
    assert side.text("compose.yml") != "another project"
    side.common = COMMON._replace(replaces=("web",))
    assert "failure other-service" not in side.deploy()


def test_a_project_with_other_ports_does_not_take_its_name(side: ComposeSide) -> None:
    side.make(
        "published", "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp\n\n127.0.0.1:53->53/udp, 9/tcp\n"
    )
    assert deployed(side.deploy())
    side.answer = ANSWER | {"PORTS": "8081 9090"}
    facts = side.deploy()
    assert "detail the port 53 8080, and this deploy has 8081 9090" in facts, facts
    side.common = COMMON._replace(replaces=("8080",))
    assert deployed(side.deploy())
    side.common, side.answer = COMMON, ANSWER | {"PORTS": ""}
    assert deployed(side.deploy())


def test_ports_that_follow_one_another_are_known_though_docker_shows_a_range(
    side: ComposeSide,
) -> None:
    side.make("published", "0.0.0.0:443->443/tcp, [::]:8079-8081->8079-8081/tcp\n")
    assert deployed(side.deploy())
    side.answer = ANSWER | {"PORTS": "8080 8081"}
    assert deployed(side.deploy())
    side.answer = ANSWER | {"PORTS": "9090"}
    facts = side.deploy()
    assert "detail the port 443 8079 8080 8081, and this deploy has 9090" in facts, facts


def test_a_project_stays_in_its_environment(side: ComposeSide) -> None:
    side.common = COMMON._replace(environment="production")
    assert deployed(side.deploy())
    side.common = COMMON._replace(environment="staging")
    side.put("compose.yml", "staging")
    facts = side.deploy()
    assert "detail the environment production, and this deploy has staging" in facts, facts
    assert side.text("compose.yml") != "staging"
    side.common = side.common._replace(replaces=("production",))
    assert deployed(side.deploy())


@pytest.mark.parametrize("broken", ["never", "compose -p app -f ./compose.yml -f ./images"])
def test_no_command_of_docker_gets_the_descriptor_of_the_lock(
    side: ComposeSide, broken: str
) -> None:
    side.put("compose.yml", "one")
    assert deployed(side.deploy())
    side.put("compose.yml", "two")
    side.answer = {**ANSWER, "BEFORE": "web - one", "AFTER": "web - two"}
    side.make("broken", broken)
    assert deployed(side.deploy()) == (broken == "never")
    assert side.holders == []


def test_the_time_of_a_gap_is_no_process_to_end(side: ComposeSide) -> None:
    """The clock must not write where the process id of a running `compose up` is kept."""
    pkill = side.folder / "bin" / "pkill"
    pkill.write_text(f'#!/bin/sh\necho "$*" >>{side.folder}/ended\n')
    pkill.chmod(0o755)
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters=ANSWER))
    listen(process, "end switch")
    say(process, call("leave"))
    assert "finished 0" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not (side.folder / "ended").exists()


MANY = 5000
# What `ln` can be given at once, with room to spare.
MOST_BYTES = 2 * 131072


def make_siblings(side: ComposeSide, number: int) -> None:
    for each in range(number):
        (side.folder / "home" / f"sibling-{each}").mkdir()


@pytest.fixture
def counted(side: ComposeSide) -> ComposeSide:
    """A project with thousands of folders beside its own, and a note of each `ln` command."""
    make_siblings(side, MANY)
    ln = side.folder / "bin" / "ln"
    ln.write_text(f'#!/bin/sh\necho "$# $*" | wc -c >>{side.folder}/links\nexec /bin/ln "$@"\n')
    ln.chmod(0o755)
    return side


def view_of(side: ComposeSide, program: Program | None = None) -> dict[str, Path]:
    """Prepare a deploy; return the entries of the view in the folder above that of the project."""
    process = side.start(program or side.program())
    say(process, call("lock", "prepare"))
    facts = listen(process, "end prepare")
    assert not any(fact.startswith("failure") for fact in facts), facts
    above = side.state / "view" / str(side.folder / "home").lstrip("/")
    found = {path.name: path for path in above.iterdir()}
    links = {name: path.readlink() for name, path in found.items() if path.is_symlink()}
    say(process, call("leave"))
    listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    return {**found, **links}


def links_made(side: ComposeSide) -> list[int]:
    """How many bytes each `ln` command had; busybox has an own `ln` and asks no other."""
    if (side.folder / "bin" / "sh").resolve().name == "busybox":
        return [0]
    return [int(line) for line in (side.folder / "links").read_text().splitlines()]


def test_compose_sees_of_the_folders_beside_the_project_those_that_it_names(
    counted: ComposeSide,
) -> None:
    counted.put("compose.yml", "include: ['../sibling-7/base.yml', ../../home/sibling-8/x:ro]")
    counted.put("conf/more.yml", "env_file: ${DIR:-../../sibling-9}/x.env")
    counted.live.mkdir()
    (counted.live / ".env").write_text("SHARED=../sibling-10\n")
    found = view_of(counted)
    assert {name for name in found if name.startswith("sibling-")} == {
        "sibling-7", "sibling-8", "sibling-9", "sibling-10",
    }  # fmt: skip
    assert found["sibling-7"] == counted.folder / "home" / "sibling-7"
    assert not found["app"].is_symlink()
    assert len(links_made(counted)) < 30


def test_compose_that_misses_a_file_sees_all_beside_the_project_in_few_commands(
    counted: ComposeSide,
) -> None:
    docker = counted.folder / "bin" / "docker"
    there = '[ -e "$here/../sibling-$(( 4000 + 2 ))" ] || { echo missing >&2; exit 1; }'
    text = docker.read_text().replace(
        "*'config --format json') echo", f"*'config --format json') {there}; echo"
    )
    docker.write_text(text)
    found = view_of(counted)
    assert len([name for name in found if name.startswith("sibling-")]) == MANY
    assert len(links_made(counted)) < 100
    assert max(links_made(counted)) < MOST_BYTES


def test_a_project_with_thousands_of_files_is_seen_whole_in_few_commands(
    counted: ComposeSide,
) -> None:
    counted.put("data/uploaded.txt", "new")
    (counted.live / "data").mkdir(parents=True)
    for number in range(MANY):
        (counted.live / "data" / f"kept-{number}").touch()
    data = counted.state / "view" / str(counted.live).lstrip("/") / "data"
    process = counted.start(counted.program())
    say(process, call("lock", "prepare"))
    listen(process, "end prepare")
    assert len(list(data.iterdir())) == MANY + 1
    assert not (data / "uploaded.txt").is_symlink()
    say(process, call("leave"))
    listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert len(links_made(counted)) < 60
    assert max(links_made(counted)) < MOST_BYTES


LINKS_FAIL = 'find() { case $* in *-mindepth*) echo failed ;; *) command find "$@" ;; esac; }\n'
NO_FOLDER = 'mkdir() { case $* in */view*) return 1 ;; esac; command mkdir "$@"; }\n'


@pytest.mark.parametrize("fault", [LINKS_FAIL, NO_FOLDER], ids=["links", "folders"])
def test_a_view_that_cannot_be_made_ends_the_deploy(side: ComposeSide, fault: str) -> None:
    side.live.mkdir()
    (side.live / "x").touch()
    process = side.start(side.program())
    say(process, Secret(fault))
    say(process, call("lock", "prepare", "leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "failure no-state" in facts
    assert f"detail {side.state}/view" in facts
    assert [path.name for path in side.live.iterdir()] == ["x"]


def test_a_name_above_the_project_that_is_no_folder_of_the_host_is_no_problem(
    side: ComposeSide,
) -> None:
    side.put("compose.yml", "x: [../, .., ../.., '../*', '../none', ../$NAME/x, ../a b]")
    assert deployed(side.deploy())


def test_a_note_of_the_undo_that_cannot_be_written_ends_the_deploy(side: ComposeSide) -> None:
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    # No line can be added to a folder.
    broken = 'rm -f "$UNDO.new/changed"; mkdir "$UNDO.new/changed"; note changed x'
    say(process, Secret(f"note_file() {{ {broken}; }}\n"))
    say(process, call("pull", "switch", "leave", parameters=ANSWER))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "failure disk" in facts
    assert side.text("compose.yml") == "1"


def test_a_switch_that_cannot_be_noted_does_not_begin(side: ComposeSide) -> None:
    """Without the note an undo would bring the files back and leave the new containers."""
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", parameters=ANSWER))
    listen(process, "end pull")
    say(
        process,
        Secret('mv() { command mv "$@" && { [ "$2" != "$UNDO" ] || mkdir "$UNDO/switched"; }; }\n'),
    )
    say(process, call("switch", "leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "failure disk" in facts, facts
    assert not any(" up " in each for each in side.calls)


@pytest.mark.parametrize(("folder", "opened"), [("app", "home/app"), (".", "home")])
def test_a_home_with_a_slash_at_its_end_is_the_same_home(
    side: ComposeSide, folder: str, opened: str
) -> None:
    """With `//` in a path the view could not be made, and mounted files were not recognized."""
    side.home += "/"
    facts = side.deploy(folder)
    assert deployed(facts), facts
    assert f"folder {side.folder}/{opened}" in facts
    assert (side.folder / opened / "compose.yml").exists()


MISSED = "env_file: [{path: '../${WHERE}/x.env', required: false}]"
HOST_FILE = "include: [../sibling-7/base.yml]"


@pytest.mark.parametrize("text", [MISSED, HOST_FILE], ids=["optional", "file of the host"])
def test_compose_sees_all_beside_the_project_where_it_would_not_say_that_it_misses_a_file(
    side: ComposeSide, text: str
) -> None:
    """Compose says nothing of an `env_file` with `required: false` that is not there."""
    make_siblings(side, 10)
    side.put("compose.yml", text)
    base = side.folder / "home" / "sibling-7" / "base.yml"
    base.write_text("env_file: [{path: ../sibling-8/x.env, required: false}]")
    assert {"sibling-8", "sibling-9"} <= set(view_of(side))


def test_a_blank_at_the_edge_of_a_name_belongs_to_the_name(side: ComposeSide) -> None:
    side.put(" first.txt", "1")
    side.put("conf /last ", "1")
    assert deployed(side.deploy())
    side.put("conf /last ", "2")
    (side.repository / " first.txt").unlink()
    facts = side.deploy()
    assert deployed(facts), facts
    assert side.text("conf /last ") == "2"
    assert sorted(path.name for path in side.live.iterdir() if not path.name.startswith(".")) == [
        "compose.yml", "conf ", "images.gen-workflow.yml",
    ]  # fmt: skip


def test_a_blank_at_the_edge_of_a_name_stays_in_the_undo(side: ComposeSide) -> None:
    side.put("conf /last ", "1")
    assert deployed(side.deploy())
    side.put("conf /last ", "2")
    side.put(" new /x", "2")
    side.deploy_killed_after("switch")
    assert side.text("conf /last ") == "2"
    side.put("compose.yml", "3")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    listen(process, "end prepare")
    assert side.text("conf /last ") == "1"
    assert not (side.live / " new ").exists()
    say(process, call("leave"))
    listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)


def test_a_project_that_runs_for_the_whole_time_is_healthy_also_at_the_turn_of_a_second(
    side: ComposeSide,
) -> None:
    side.make("health", "none\n")
    side.health_timeout = 2
    side.make_each_look_at_the_clock_take_a_second()
    assert deployed(side.deploy())


def after_a_day_ahead(side: ComposeSide) -> None:
    """Deploy `one`, `two` with a clock that is a day ahead, `three` with the right one again."""
    for text, days in (("one", 0), ("two", 1), ("three", 0)):
        side.set_clock_ahead(days)
        side.put("compose.yml", text)
        assert deployed(side.deploy())


def test_a_clock_that_was_ahead_once_takes_no_release_that_serves(side: ComposeSide) -> None:
    side.keep = 1
    after_a_day_ahead(side)
    current = (side.state / "current").read_text().strip()
    assert [each.name for each in (side.state / "releases").iterdir()] == [current]
    assert (side.state / "releases" / current / "files" / "compose.yml").read_text() == "three"


def test_a_clock_that_was_ahead_once_changes_no_order_of_releases(side: ComposeSide) -> None:
    after_a_day_ahead(side)
    side.put("compose.yml", "four")
    assert deployed(side.deploy())
    assert deployed(side.deploy(rollback="previous"))
    assert side.text("compose.yml") == "three"
    # The clock goes back to before all releases, as one that has no battery does.
    side.set_clock_ahead(-9999)
    side.put("compose.yml", "five")
    assert deployed(side.deploy())
    assert deployed(side.deploy(rollback="previous"))
    assert side.text("compose.yml") == "three"


def looks(side: ComposeSide) -> int:
    """How often the deploy has looked at its containers since they were started."""
    up = next((n for n, each in enumerate(side.calls) if " up -d" in each), len(side.calls))
    return sum(each.startswith("container inspect") for each in side.calls[up:])


@pytest.mark.parametrize(("days", "limit"), [(1, 60), (-1, 1)])
def test_a_clock_that_jumps_during_the_switch_changes_no_time_limit(
    side: ComposeSide, days: int, limit: int
) -> None:
    side.set_clock_ahead(0)
    side.health_timeout = limit
    side.make("health", "starting\n")
    process = side.begin(side.program())
    wait_until(lambda: looks(side) > 1, "the deploy waits")
    side.set_clock_ahead(days)
    if days > 0:
        seen = looks(side)
        wait_until(lambda: looks(side) > seen + 1 or process.poll() is not None, "it looks again")
        web = side.folder / "web"
        side.make("web", web.read_text().replace("starting", "healthy"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert ("failure unhealthy" in facts) == (days < 0)


def test_a_docker_that_is_a_snap_reads_nothing_of_ours_in_a_hidden_folder(
    side: ComposeSide,
) -> None:
    side.install_docker_as_snap()
    assert deployed(side.deploy())
    side.put("compose.yml", "two")
    side.make("broken", "compose -p app -f ./compose.yml -f ./images.gen-workflow.yml up -d")
    assert "restored " + IMAGE in side.deploy()


@pytest.mark.parametrize("folder", [".app", "/opt/app"])
def test_a_folder_that_a_snap_cannot_read_is_refused_before_anything_is_touched(
    side: ComposeSide, folder: str
) -> None:
    side.install_docker_as_snap()
    facts = side.run("lock", "prepare", program=side.program(folder))
    assert "failure snap-folder" in facts
    assert not (side.folder / "home" / ".app").exists()


def put_on_host(side: ComposeSide, **files: str) -> None:
    """Write files of the host, named with `_` for the dot, in the folder of the project."""
    side.live.mkdir(exist_ok=True)
    for name, text in files.items():
        (side.live / name.replace("_", ".")).write_text(text)


def refused_because(facts: list[str]) -> str:
    """Return the words with which the host refused its own files."""
    assert "failure host-files" in facts, facts
    return next(fact.removeprefix("detail ") for fact in facts if fact.startswith("detail "))


def copies(side: ComposeSide) -> dict[str, str]:
    """Return the copies of files of the host that were replaced."""
    root = side.live / "host-files.gen-workflow"
    found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)).partition("/")[2]: path.read_text() for path in found}


def sent(**env: str) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in env.items()}


THEIRS = "DB_PASSWORD=s3cret\nGREETING=theirs\n# a note\n"


def test_files_of_the_host_that_would_be_lost_are_named_before_anything_is_touched(
    side: ComposeSide,
) -> None:
    put_on_host(side, _env=THEIRS, compose_yml="theirs", compose_override_yml="theirs")
    before = {path.name: path.read_text() for path in side.live.iterdir()}
    side.env = sent(GREETING="ours")
    words = refused_because(side.deploy())
    assert ".env (the new one lacks DB_PASSWORD and has another value of GREETING)" in words
    assert "compose.yml (the new one differs)" in words
    assert "compose.override.yml (compose reads it on the host, and this deploy would not)" in words
    assert "s3cret" not in words
    assert "theirs" not in words
    assert {path.name: path.read_text() for path in side.live.iterdir()} == before
    assert not any(" up " in each or each.startswith("pull") for each in side.calls)


def test_files_of_the_host_that_are_the_same_are_no_difference(side: ComposeSide) -> None:
    put_on_host(side, compose_yml="1", _env="A=1\nexport B = two words # a note\nC='3'\n")
    side.env = sent(A="1", B="two words", C="3")
    assert deployed(side.deploy())
    assert copies(side) == {".env": "A=1\nexport B = two words # a note\nC='3'\n"}


def test_the_files_of_the_host_stay_and_are_read_with_keep(side: ComposeSide) -> None:
    put_on_host(side, _env=THEIRS, compose_override_yml="theirs")
    side.env = sent(GREETING="ours")
    side.host_files = {"": "keep"}
    for text in ("1", "2"):
        side.put("compose.yml", text)
        assert deployed(side.deploy())
        assert side.text(".env") == THEIRS
        assert side.text("compose.override.yml") == "theirs"
        assert side.text("compose.yml") == text
    options = "-f ./compose.yml -f ./compose.override.yml -f ./images.gen-workflow.yml"
    assert any(f"{options} up -d" in call for call in side.calls), side.calls
    side.host_files = {}
    words = refused_because(side.deploy())
    assert ".env (" in words
    assert "compose.override.yml (" in words


def test_the_variables_of_the_host_stay_with_merge_and_ours_win(side: ComposeSide) -> None:
    put_on_host(side, _env=THEIRS)
    side.env = sent(GREETING="ours", MORE="1")
    side.host_files = {".env": "merge"}
    assert deployed(side.deploy())
    merged = "GREETING='ours'\nMORE='1'\nDB_PASSWORD=s3cret\n# a note\n"
    assert side.text(".env") == merged
    assert copies(side) == {".env": THEIRS}
    # What is ours no more goes, what somebody adds stays.
    (side.live / ".env").write_text(merged + "ADDED=1\n")
    side.env = sent(GREETING="newer")
    assert deployed(side.deploy())
    assert side.text(".env") == "GREETING='newer'\nDB_PASSWORD=s3cret\n# a note\nADDED=1\n"
    facts = side.deploy(rollback="previous")
    assert deployed(facts), facts
    assert "MORE='1'" in side.text(".env")
    assert "ADDED=1" in side.text(".env")
    side.host_files = {}
    words = refused_because(side.deploy())
    assert (
        words
        == ".env (the new one lacks MORE, DB_PASSWORD, ADDED and has another value of GREETING)"
    )


def test_files_of_the_host_are_replaced_with_a_copy(side: ComposeSide) -> None:
    put_on_host(side, _env=THEIRS, compose_yml="theirs", compose_override_yml="theirs")
    side.env = sent(GREETING="ours")
    side.host_files = {"": "replace"}
    assert deployed(side.deploy())
    assert side.text(".env") == "GREETING='ours'\n"
    assert side.text("compose.yml") == "1"
    assert not (side.live / "compose.override.yml").exists()
    lost = {".env": THEIRS, "compose.yml": "theirs", "compose.override.yml": "theirs"}
    assert copies(side) == lost
    side.host_files = {}
    side.put("compose.yml", "2")
    assert deployed(side.deploy())
    assert copies(side) == lost


def test_an_undo_brings_the_files_of_the_host_back_and_leaves_no_copy(side: ComposeSide) -> None:
    put_on_host(side, _env=THEIRS, compose_yml="theirs", compose_override_yml="theirs")
    before = {path.name: path.read_text() for path in side.live.iterdir()}
    side.env = sent(GREETING="ours")
    side.host_files = {"": "replace"}
    side.make("broken", "compose -p app -f ./compose.yml -f ./images.gen-workflow.yml up -d")
    assert "failure start-project" in side.deploy()
    assert {path.name: path.read_text() for path in side.live.iterdir()} == before
    side.make("broken", "never")
    side.deploy_killed_after("switch")
    assert copies(side)
    side.run("lock", "prepare", "leave", program=side.program())
    assert {path.name: path.read_text() for path in side.live.iterdir()} == before


def test_a_file_that_was_changed_on_the_host_is_not_overwritten_or_removed(
    side: ComposeSide,
) -> None:
    side.put("conf/a.conf", "1")
    side.put("conf/b.conf", "1")
    side.env = sent(A="1")
    assert deployed(side.deploy())
    for name in ("compose.yml", "conf/a.conf", "conf/b.conf"):
        (side.live / name).write_text("by hand")
    (side.live / ".env").write_text("A='2'\n")
    side.put("compose.yml", "2")
    (side.repository / "conf" / "b.conf").unlink()
    words = refused_because(side.deploy())
    assert "compose.yml (it was changed on the host since the last deploy)" in words
    assert "conf/a.conf (it was changed" in words
    assert "conf/b.conf (this release has it no more, and it was changed on the host" in words
    assert ".env (it was changed on the host since the last deploy: the new one has" in words
    side.host_files = {"compose.yml": "replace", "": "keep"}
    facts = side.deploy()
    assert deployed(facts), facts
    assert side.text("compose.yml") == "2"
    assert side.text("conf/a.conf") == side.text("conf/b.conf") == "by hand"
    assert copies(side) == {"compose.yml": "by hand"}
    assert side.text(".env") == "A='2'\n"


def test_what_was_changed_on_the_host_as_in_the_repository_is_no_difference(
    side: ComposeSide,
) -> None:
    assert deployed(side.deploy())
    (side.live / "compose.yml").write_text("2")
    side.put("compose.yml", "2")
    assert deployed(side.deploy())
    assert copies(side) == {}


def made_by_hand(side: ComposeSide, *files: str) -> None:
    """Let a container of the project say that it was made with these files."""
    names = ",".join(str(side.live / name) for name in files)
    side.make("labels", f"2 web {names}\n")


def test_compose_files_that_the_running_project_was_made_with_are_not_left_unread(
    side: ComposeSide,
) -> None:
    put_on_host(side, docker_compose_yml="", prod_yml="theirs")
    (side.live / "docker.compose.yml").rename(side.live / "docker-compose.yml")
    (side.live / "docker-compose.yml").write_text("1")
    made_by_hand(side, "docker-compose.yml", "prod.yml")
    words = refused_because(side.deploy())
    assert words == "prod.yml (compose reads it on the host, and this deploy would not)"
    side.host_files = {"prod.yml": "keep"}
    assert deployed(side.deploy())
    assert any("-f ./compose.yml -f ./prod.yml -f ./images" in call for call in side.calls)


def test_a_file_of_variables_that_compose_was_started_with_is_not_left_unread(
    side: ComposeSide,
) -> None:
    put_on_host(side, prod_env="A=1\n")
    side.make("env-files", f"{side.live}/prod.env\n")
    assert refused_because(side.deploy()).startswith("prod.env (the project was started with it")
    side.host_files = {"prod.env": "replace"}
    assert deployed(side.deploy())
    assert side.text("prod.env") == "A=1\n"


def test_an_override_file_that_appears_later_is_read_once_somebody_says_so(
    side: ComposeSide,
) -> None:
    assert deployed(side.deploy())
    put_on_host(side, compose_override_yml="later")
    assert deployed(side.deploy())
    assert not any("compose.override" in call for call in side.calls)
    made_by_hand(side, "compose.yml", "compose.override.yml")
    assert refused_because(side.deploy()).startswith("compose.override.yml (compose reads it")
    side.make("labels", "")
    side.host_files = {"compose.override.yml": "keep"}
    assert deployed(side.deploy())
    assert any("-f ./compose.override.yml" in call for call in side.calls)


SECRET_LINES = "TOKEN=abcdef"


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (f"KEY='-----BEGIN\n{SECRET_LINES}\nab= \n-----END'\n", "the new one lacks KEY"),
        (f'KEY="a\\"\n{SECRET_LINES}"\nA = 1\n', "the new one lacks KEY"),
        ("A='1'\r\nB: 2\r\n", "the new one lacks B"),
        ("A=$B\n", "the new one has another value of A"),
        (f"A=1\n$(x)\n={SECRET_LINES}\n", "the new one"),
        ("export A=1 # x\nINHERITED\n", "the new one lacks INHERITED"),
    ],
    ids=["quoted lines", "an escaped quote", "returns", "a variable", "no variables", "export"],
)
def test_the_names_of_variables_are_told_and_no_part_of_a_value(
    side: ComposeSide, theirs: str, words: str
) -> None:
    put_on_host(side, _env=theirs)
    side.env = sent(A="1")
    facts = side.deploy()
    if words == "the new one":
        assert deployed(facts)
        return
    assert refused_because(facts) == f".env ({words})"


def test_a_file_that_is_replaced_gets_a_new_time_and_one_that_is_not_keeps_its_own(
    side: ComposeSide,
) -> None:
    side.put("site/index.html", "1")
    side.put("site/style.css", "1")
    assert deployed(side.deploy())
    for path in (side.live / "site").iterdir():
        assert path.stat().st_mtime > 1_600_000_000
        os.utime(path, (1_500_000_000, 1_500_000_000))
    side.put("site/index.html", "2")
    assert deployed(side.deploy())
    assert (side.live / "site" / "index.html").stat().st_mtime > 1_600_000_000
    assert (side.live / "site" / "style.css").stat().st_mtime == 1_500_000_000
    os.utime(side.live / "site" / "index.html", (1_500_000_000, 1_500_000_000))
    assert deployed(side.deploy(rollback="previous"))
    assert side.text("site/index.html") == "1"
    assert (side.live / "site" / "index.html").stat().st_mtime > 1_600_000_000


def seen(service: str, status: str, restarts: int = 0, health: str = "none") -> str:
    """Return what a look finds of a container."""
    began = f"{restarts}" if status == "running" else "never"
    return f"{service} of-{service} sha256:new {IMAGE} {status} {restarts} 0 {health} {began}"


def tell(side: ComposeSide, *looks: str) -> None:
    side.make("story", "".join(f"{look}\n" for look in looks))
    side.make_each_look_at_the_clock_take_a_second()


def test_a_service_that_ends_once_and_then_runs_is_healthy(side: ComposeSide) -> None:
    tell(side, seen("web", "running"), seen("web", "restarting"), seen("web", "running", 1))
    assert deployed(side.deploy())


def test_a_service_that_ends_again_and_again_is_not_waited_for(side: ComposeSide) -> None:
    again = [seen("web", "restarting", number) for number in range(10)]
    tell(side, *again)
    facts = side.deploy()
    assert "failure unhealthy" in facts, facts
    assert "detail web: it ended with exit code 0 and is started again and again" in facts
    assert len((side.folder / "scenes").read_text().splitlines()) > 2


def test_a_service_may_end_as_long_as_another_is_not_ready(side: ComposeSide) -> None:
    db = [seen("db", "running", 0, "starting")] * 6 + [seen("db", "running", 0, "healthy")]
    web = [seen("web", "restarting", number) for number in range(7)]
    pairs = [f"{one};{other}" for one, other in zip(db, web, strict=True)]
    tell(side, *pairs, f"{db[-1]};{seen('web', 'running', 7)}")
    side.make("active", "db\nweb\n")
    side.answer = {**ANSWER, "EXPECTED": "db web"}
    facts = side.deploy()
    assert deployed(facts), facts
    side.make("story", "".join(f"{pair}\n" for pair in pairs[:5]))
    (side.folder / "scenes").unlink()
    side.make("web", "")
    side.health_timeout = 8
    facts = side.deploy()
    assert "failure unhealthy" in facts, facts


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("healthy", "healthy", "answered"),
        ("none", "none", "running"),
        ("unhealthy", "unhealthy", "running"),
        ("healthy", "unhealthy", "nobody"),
    ],
)
def test_an_undo_reports_what_the_previous_version_said_when_it_was_asked(
    side: ComposeSide, before: str, after: str, state: str
) -> None:
    side.make("web", f"web 1 sha256:new {IMAGE} running 0 0 {before} {BEGUN}\n")
    side.make("restored", after)
    put_on_host(side, compose_yml="1")
    process = side.start(side.program())
    say(process, call("lock", "prepare"))
    say(process, call("pull", "switch", parameters=ANSWER))
    listen(process, "end switch")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert f"restored {IMAGE}" in facts, facts
    assert f"serving {state}" in facts, facts
    history = (side.state / "history.jsonl").read_text()
    assert f'"result":"{"failed" if state == "nobody" else "rolled-back"}"' in history


@pytest.mark.parametrize(("health", "serving"), [("healthy", "answered"), ("none", "running")])
def test_a_deploy_reports_whether_its_health_was_asked(
    side: ComposeSide, health: str, serving: str
) -> None:
    side.make("health", f"{health}\n")
    side.health_timeout = 1
    facts = side.deploy()
    assert deployed(facts), facts
    assert f"serving {serving}" in facts
