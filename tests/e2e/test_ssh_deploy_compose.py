"""ssh-deploy with a compose project, against a real host: sshd, Docker, compose, a registry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from bed import tools
from bed.deploys import await_log, await_served, clean
from bed.http import body
from bed.machines import DOCKER
from bed.shop import PORT, TOKEN, Shop
from bed.step import RunningStep, StepResult, run_action, start_action
from bed.waiting import uptime_ms, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")

FOLDER = "/home/deploy/shop"
# A web server that is pinned, a database that is not touched, a task that comes to its end.
COMPOSE = """\
services:
  web:
    image: ghcr.io/acme/shop:latest
    ports: ["{port}:{port}"]
    environment:
      GREETING: ${{GREETING:-}}
    depends_on:
      db:
        condition: service_healthy
      once:
        condition: service_completed_successfully
    restart: unless-stopped
    volumes: ["./conf:/conf:ro"]
  db:
    image: {db}
    restart: unless-stopped
    volumes: ["data:/state"]
  once:
    image: {db}
    entrypoint: ["/bin/busybox", "sh", "-c", "exit {once}"]
  tool:
    image: ghcr.io/acme/shop
    entrypoint: ["/bin/busybox"]
    profiles: [tools]
    depends_on: [db]
    volumes: ["data:/state"]
{more}
volumes:
  data:
"""
NASTY = {
    "GREETING": 'it\'s "quoted" $HOME ${X:-y} $$ # no comment \\ \\n `id` $(id)\nsecond line\t!\\',
    "SINGLE": "'",
    "DOUBLE": '"',
    "HASH": "a #b",
    "SPACES": "  a  b  ",
    "BACKSLASH": "end\\",
    "RETURN": "a\r\nb",
    "UNICODE": "ä€😀",
    "EMPTY_IN_QUOTES": "''",
    "NAME": "a name of ours",
}


DATABASE = "ghcr.io/acme/db"


@pytest.fixture(scope="module")
def shop(bed: Bed) -> Shop:
    """The shop, and a database that has a repository of its own."""
    made = Shop(bed)
    made.push("1", "healthcheck")
    bed.runner.docker("tag", f"{Shop.name}:1healthcheck", DATABASE)
    bed.runner.run("docker", "push", "-q", DATABASE)
    return made


class Project:
    """A compose project in a workspace, and a host that it is deployed to."""

    def __init__(self, host: Host, shop: Shop, workspace: Path) -> None:
        self.host = host
        self.shop = shop
        self.workspace = workspace
        self.write()

    def write(self, *, once: int = 0, more: str = "", conf: str = "one") -> None:
        (self.workspace / "conf").mkdir(exist_ok=True)
        (self.workspace / "conf" / "app.conf").write_text(conf)
        text = COMPOSE.format(port=PORT, db=DATABASE, once=once, more=more)
        (self.workspace / "compose.yml").write_text(text)

    def inputs(self, version: str, fault: str = "", **changes: str) -> dict[str, str]:
        given = {
            "host": self.host.ip,
            "user": self.host.user,
            "ssh-key": self.host.private_key,
            "known-hosts": self.host.known_hosts,
            "compose": "compose.yml",
            "files": "conf",
            "image": self.shop.push(version, fault) if version else "",
            "health": "/health",
            "health-timeout": "30",
        }
        return {**given, **{name.replace("_", "-"): value for name, value in changes.items()}}

    def __call__(
        self, version: str, fault: str = "", *, step_env: dict[str, str] | None = None, **more: str
    ) -> StepResult:
        inputs = self.inputs(version, fault, **more)
        return run_action("ssh-deploy", inputs, env=step_env or {}, workspace=self.workspace)

    def start(self, version: str, fault: str = "", **changes: str) -> RunningStep:
        inputs = self.inputs(version, fault, **changes)
        return start_action("ssh-deploy", inputs, workspace=self.workspace)

    def served(self, path: str = "/") -> str:
        return body(f"http://{self.host.ip}:{PORT}{path}")

    def await_served(self, version: str) -> None:
        await_served(self.host, version)

    def containers(self) -> dict[str, str]:
        lines = self.host.docker("ps", "-a", "--format", "{{.Names}} {{.State}}").stdout
        return dict(sorted(line.split(" ", 1) for line in lines.splitlines()))

    def identity(self, name: str) -> str:
        """Which container it is and since when it runs: changed by a restart too."""
        shown = "{{.ID}} {{.State.StartedAt}}"
        return self.host.docker("inspect", "--format", shown, f"shop-{name}-1").stdout

    def files(self) -> dict[str, str]:
        """The files in the folder of the project."""
        script = (
            f'cd {FOLDER} && find . -type f | while read -r f; do echo "$f $(cksum <"$f")"; done'
        )
        lines = self.host.run("sh", "-c", script).stdout.splitlines()
        return dict(line.removeprefix("./").split(" ", 1) for line in lines)

    def compose(self, *argv: str) -> None:
        """What a person does by hand in that folder."""
        self.host.run("docker", "compose", *argv, user="deploy", cwd=FOLDER)

    def start_by_hand(self) -> None:
        """Bring the project up as a person with an own login does."""
        login = ("docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin")
        self.host.run(*login, user="deploy", input=TOKEN)
        try:
            self.compose("up", "-d")
        finally:
            # A logout would leave the folder, which other tests take for one of ours.
            self.host.run("rm", "-rf", "/home/deploy/.docker")

    def state(self, path: str) -> str:
        return self.host.run("cat", f"/home/deploy/.gen-workflow/shop/{path}").stdout

    def clean(self) -> None:
        clean(self.host)
        self.host.run("rm", "-rf", FOLDER, "/home/deploy/other")


RUNNING = {"shop-db-1": "running", "shop-once-1": "exited", "shop-web-1": "running"}


@pytest.fixture
def project(bed: Bed, shop: Shop, tmp_path: Path) -> Iterator[Project]:
    """A project on the first host, where no other test has left a thing."""
    made = Project(bed.host, shop, tmp_path)
    yield made
    bed.registry.clear_faults()
    made.clean()


@pytest.fixture(scope="module")
def files_of_version_1() -> dict[str, str]:
    """What `serving` has found in the folder of the project after its deploy."""
    return {}


@pytest.fixture
def serving(
    bed: Bed, second_host: Host, shop: Shop, tmp_path: Path, files_of_version_1: dict[str, str]
) -> Iterator[Project]:
    """A project of which version 1 serves, on a host that keeps what a test leaves.

    A deploy that was undone leaves it so for the next test; after any other it is made again.
    """
    made = Project(second_host, shop, tmp_path)
    running = made.containers() == RUNNING and made.served() == "1"
    if not running or made.files() != files_of_version_1:
        made.clean()
        first = made("1")
        assert first.code == 0, first.log
        files_of_version_1.clear()
        files_of_version_1.update(made.files())
    yield made
    bed.registry.clear_faults()


def test_a_first_deploy_brings_the_whole_project_up(project: Project) -> None:
    """With values of any kind, and commands that find the database."""
    text = (project.workspace / "compose.yml").read_text()
    restart = '    restart: unless-stopped\n    volumes: ["./conf'
    (project.workspace / "compose.yml").write_text(
        text.replace(restart, f"    env_file: [.env]\n{restart}")
    )
    migrate = "tool: sh -c 'echo migrated >/state/schema; echo done by $0'"
    commands = {"before": migrate, "after": "tool: cat /state/schema"}
    result = project("1", step_env=NASTY, env="\n".join(NASTY), **commands)
    assert result.code == 0, result.log
    assert project.served() == "1"
    assert project.served("/greeting") == NASTY["GREETING"]
    shown = project.host.docker("inspect", "--format", "{{json .Config.Env}}", "shop-web-1").stdout
    env = dict(line.split("=", 1) for line in json.loads(shown))
    assert {name: env[name] for name in NASTY} == NASTY
    assert "starting the services that this command needs: db" in result.log
    assert re.search(r"^migrated$", result.log, re.MULTILINE)
    assert result.outputs["result"] == "deployed"
    assert result.outputs["image"] == project.shop.push("1")
    assert result.outputs["previous-image"] == ""
    assert project.containers() == RUNNING
    mode = project.host.run("stat", "-c", "%a %U", f"{FOLDER}/.env", f"{FOLDER}/compose.yml").stdout
    assert mode.splitlines() == ["600 deploy", "644 deploy"]
    assert set(project.files()) == {
        ".env", "compose.yml", "conf/app.conf", "images.gen-workflow.yml"
    }  # fmt: skip
    assert json.loads(project.state("history.jsonl"))["result"] == "deployed"


def test_a_sick_version_is_rolled_back_with_its_files(project: Project) -> None:
    project("1", env="GREETING=old")
    db, files = project.identity("db"), project.files()
    project.write(more="  extra: {image: ghcr.io/acme/shop, restart: always}", conf="two")
    (project.workspace / "conf" / "new.conf").write_text("new")
    result = project("3", "sick", env="GREETING=new", health_timeout="8")
    assert result.code == 1
    assert "web: GET /health on port 8080 gave status 404" in result.errors[0]
    assert "the previous version serves again" in result.errors[0]
    assert "shop 3 says new" in result.summary
    assert result.outputs["result"] == "rolled-back"
    assert result.outputs["image"] == project.shop.push("1")
    assert project.served() == "1"
    assert project.served("/greeting") == "old"
    assert project.files() == files
    assert project.identity("db") == db
    assert project.containers() == RUNNING


@pytest.mark.test_all
@pytest.mark.parametrize("fault", ["ends", "unhealthy"])
def test_a_service_that_fails_is_named_with_its_last_words(serving: Project, fault: str) -> None:
    project = serving
    result = project("3", fault, health="")
    reported = {
        "ends": r"web: (it ended with exit code 3 and is started again|it crashed)",
        "unhealthy": r"web: its HEALTHCHECK says unhealthy",
    }
    assert re.search(reported[fault], result.errors[0]), result.errors
    assert "shop 3 says" in result.summary
    assert project.served() == "1"


def test_a_task_that_fails_rolls_the_project_back(serving: Project) -> None:
    project = serving
    web, db = project.identity("web"), project.identity("db")
    project.write(once=7)
    result = project("1")
    assert result.code == 1
    assert "once: it ended with exit code 7" in result.errors[0]
    assert result.outputs["result"] == "rolled-back"
    assert (project.identity("web"), project.identity("db")) == (web, db)
    assert project.containers() == RUNNING


@pytest.mark.test_all
def test_a_first_deploy_that_fails_is_stopped(project: Project) -> None:
    result = project("3", "sick", health_timeout="8")
    assert result.code == 1
    assert result.outputs["result"] == "refused"
    assert set(project.containers().values()) == {"exited"}
    assert project.host.run("ls", "-A", FOLDER, check=False).stdout == ""
    after = project("1")
    assert after.code == 0, after.log
    assert project.served() == "1"


def test_a_command_before_that_fails_changes_nothing(serving: Project) -> None:
    project = serving
    before = [project.identity(name) for name in ("web", "db")]
    files = project.files()
    project.write(conf="two")
    result = project("2", before="tool: sh -c 'exit 5'")
    assert result.code == 1
    assert "sh -c 'exit 5' of `before` failed" in result.errors[0]
    assert result.outputs["result"] == "refused"
    assert [project.identity(name) for name in ("web", "db")] == before
    assert project.files() == files
    assert project.containers() == RUNNING


def test_the_next_version_leaves_the_database_alone(serving: Project) -> None:
    project = serving
    project.host.docker("exec", "shop-db-1", "/bin/busybox", "sh", "-c", "echo kept >/state/rows")
    db = project.identity("db")
    begun = uptime_ms()
    result = project("2")
    assert result.code == 0, result.log
    assert project.served() == "2"
    assert result.outputs["previous-image"] == project.shop.push("1")
    assert 0 < int(result.outputs["gap-ms"]) <= uptime_ms() - begun
    assert project.identity("db") == db
    assert project.containers() == RUNNING
    # The same release again changes no container.
    web = project.identity("web")
    again = project("2")
    assert again.code == 0, again.log
    assert [project.identity(name) for name in ("web", "db")] == [web, db]
    assert again.outputs["gap-ms"] == "0"


@pytest.mark.test_all
def test_a_command_before_that_fails_at_the_first_deploy_stops_what_it_needed(
    project: Project,
) -> None:
    result = project("1", before="tool: sh -c 'exit 5'")
    assert result.code == 1
    assert project.containers() == {"shop-db-1": "exited"}


def test_a_command_of_a_service_that_is_not_there_is_refused(project: Project) -> None:
    result = project("1", before="migrate: true")
    assert result.code == 2
    assert "the project has no service migrate" in result.errors[0]


def test_a_compose_file_that_is_not_there_is_named(project: Project) -> None:
    result = project("1", compose="prod.yml")
    assert result.code == 2
    assert "there is no file 'prod.yml' in the workspace" in result.errors[0]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        pytest.param(
            "services:\n  web: {image: x}\n  bad\n",
            "compose.yml: yaml: line",
            marks=pytest.mark.test_all,
            id="broken",
        ),
        pytest.param(
            "services:\n  web: {image: x, nonsense: 1}\n",
            r"{folder}/compose\.yml.*nonsense",
            id="unknown key",
        ),
        pytest.param(
            "services:\n  web: {image: x, env_file: [a.env]}\n",
            r"{folder}/a\.env",
            marks=pytest.mark.test_all,
            id="a file that is not uploaded",
        ),
    ],
)
def test_an_error_of_compose_is_reported_in_its_words(
    project: Project, text: str, reported: str
) -> None:
    (project.workspace / "compose.yml").write_text(text)
    result = project("1")
    assert result.code == 2, result.log
    assert re.search(reported.format(folder=FOLDER), result.errors[0]), result.errors
    assert project.containers() == {}
    assert project.host.run("ls", FOLDER, check=False).returncode


def test_an_image_that_no_service_uses_is_refused_with_the_services(project: Project) -> None:
    digest = project.shop.push("1").partition("@")[2]
    result = project("", image=f"ghcr.io/acme/other@{digest}")
    assert result.code == 2
    assert "no service of the project has an image of ghcr.io/acme/other" in result.errors[0]
    assert "web (ghcr.io/acme/shop:latest)" in result.errors[0]
    result = project("", images=f"wbe={project.shop.push('1')}")
    assert result.code == 2
    assert "the project has no service wbe" in result.errors[0]


@pytest.mark.test_all
def test_a_digest_that_the_registry_has_not_is_refused(serving: Project) -> None:
    project = serving
    files = project.files()
    result = project("", image=f"ghcr.io/acme/shop@sha256:{'0' * 64}")
    assert result.code == 2
    assert "the registry has no such image" in result.errors[0]
    assert result.outputs["image"] == project.shop.push("1")
    assert project.files() == files
    assert project.served() == "1"


@pytest.mark.test_all
def test_an_image_comes_from_a_variable_that_only_we_know(project: Project) -> None:
    text = (project.workspace / "compose.yml").read_text()
    (project.workspace / "compose.yml").write_text(
        text.replace("ghcr.io/acme/shop:latest", "${IMAGE}")
    )
    result = project("", images=f"web={project.shop.push('1')}")
    assert result.code == 0, result.log
    assert project.served() == "1"


def test_without_values_the_env_file_of_the_host_is_left_alone(project: Project) -> None:
    project.host.write(f"{FOLDER}/.env", "GREETING=by hand\n", mode="640", owner="deploy")
    project.host.run("chown", "deploy", FOLDER)
    assert project("1").code == 0
    assert project.served("/greeting") == "by hand"
    assert project.host.run("cat", f"{FOLDER}/.env").stdout == "GREETING=by hand\n"


@pytest.mark.test_all
def test_files_beside_the_folder_are_those_of_the_host(project: Project) -> None:
    """Paths with `../` lead out of the folder, also by a name that only a variable has."""
    shared, elsewhere = "/home/deploy/shared", "/home/deploy/elsewhere"
    base = "{services: {base: {env_file: app.env, volumes: ['.:/shared:ro']}}}"
    more = f"{{services: {{extra: {{image: {DATABASE}, restart: always, env_file: extra.env}}}}}}"
    project.host.write(f"{shared}/base.yml", base, owner="deploy")
    project.host.write(f"{shared}/app.env", "FROM=shared\n", owner="deploy")
    project.host.write(f"{elsewhere}/more.yml", more, owner="deploy")
    project.host.write(f"{elsewhere}/extra.env", "FROM=elsewhere\n", owner="deploy")
    project.host.write(f"{FOLDER}/.env", "PLACE=elsewhere\n", owner="deploy")
    project.host.run("chown", "deploy", FOLDER)
    project.write(more="include: ['../${PLACE}/more.yml']")
    path = project.workspace / "compose.yml"
    web = "  web:\n    extends: {file: ../shared/base.yml, service: base}\n"
    path.write_text(path.read_text().replace("  web:\n", web))
    try:
        result = project("1")
        assert result.code == 0, result.log
        assert project.containers() == {**RUNNING, "shop-extra-1": "running"}
        for name, place in {"web": "shared", "extra": "elsewhere"}.items():
            shown = project.host.docker("inspect", "--format", "{{.Config.Env}}", f"shop-{name}-1")
            assert f"FROM={place}" in shown.stdout
        read = ("exec", "shop-web-1", "/bin/busybox", "cat", "/shared/app.env")
        assert project.host.docker(*read).stdout == "FROM=shared\n"
        extra = project.identity("extra")
        assert project("2", "sick", health_timeout="8").outputs["result"] == "rolled-back"
        assert project.served() == "1"
        assert project.identity("extra") == extra
    finally:
        project.host.run("rm", "-rf", shared, elsewhere)


@pytest.mark.test_all
def test_what_changes_in_the_repository_changes_on_the_host_and_nothing_else(
    project: Project,
) -> None:
    project.write(more="  extra: {image: ghcr.io/acme/shop, restart: always}")
    (project.workspace / "conf" / "old.conf").write_text("old")
    project("1")
    assert project.containers() == {**RUNNING, "shop-extra-1": "running"}
    project.host.write(f"{FOLDER}/conf/by-hand.conf", "mine", owner="deploy")
    web, db = project.identity("web"), project.identity("db")
    # A file changes, another one and a service go.
    project.write(conf="two")
    (project.workspace / "conf" / "old.conf").unlink()
    result = project("1")
    assert result.code == 0, result.log
    shown = project.host.docker("exec", "shop-web-1", "/bin/busybox", "cat", "/conf/app.conf")
    assert shown.stdout == "two"
    assert project.identity("web") != web
    assert project.identity("db") == db
    assert {"conf/app.conf", "conf/by-hand.conf"} == {
        path for path in project.files() if path.startswith("conf/")
    }
    assert project.containers() == RUNNING


def test_a_mounted_file_that_is_not_uploaded_is_named(project: Project) -> None:
    (project.workspace / "nginx.conf").write_text("x")
    text = (project.workspace / "compose.yml").read_text()
    (project.workspace / "compose.yml").write_text(
        text.replace("./conf:/conf", "./nginx.conf:/conf")
    )
    result = project("1")
    assert result.code == 2
    assert (
        "the project mounts nginx.conf, which is in the repository but not on" in result.errors[0]
    )


@pytest.mark.test_all
def test_the_previous_release_comes_back_without_a_build(project: Project) -> None:
    project("1", env="GREETING=one")
    project("2", env="GREETING=two")
    (project.workspace / "compose.yml").unlink()  # there is often no checkout
    result = project("", rollback="previous")
    assert result.code == 0, result.log
    assert (project.served(), project.served("/greeting")) == ("1", "one")
    assert result.outputs["image"] == project.shop.push("1")
    forth = project("", rollback=project.shop.push("2").partition("@")[2])
    assert forth.code == 0, forth.log
    assert (project.served(), project.served("/greeting")) == ("2", "two")
    back = project("", rollback="1")
    assert back.code == 0, back.log
    assert project.served() == "1"
    again = project("", rollback="1")
    assert again.code == 2
    assert "the host already serves" in again.errors[0]
    unknown = project("", rollback="sha256:" + "0" * 64)
    assert unknown.code == 2
    assert "the host has no release" in unknown.errors[0]


@pytest.mark.test_all
def test_old_releases_and_their_images_go(project: Project) -> None:
    for version in ("1", "2", "4"):
        assert project(version, keep="2").code == 0
    assert (
        len(project.host.run("ls", "/home/deploy/.gen-workflow/shop/releases").stdout.split()) == 2
    )
    digests = project.host.docker("images", "--digests", "--format", "{{.Digest}}").stdout.split()
    assert project.shop.push("1").partition("@")[2] not in digests
    assert project.shop.push("2").partition("@")[2] in digests


@pytest.mark.test_all
def test_a_project_that_was_started_by_hand_is_taken_over(project: Project) -> None:
    host, text = project.host, (project.workspace / "compose.yml").read_text()
    old = text.replace("ghcr.io/acme/shop:latest", project.shop.push("1"))
    host.write(f"{FOLDER}/compose.yml", old, owner="deploy")
    host.run("mkdir", f"{FOLDER}/conf")
    host.run("chown", "-R", "deploy", FOLDER)
    project.start_by_hand()
    db, files = project.identity("db"), project.files()
    sick = project("3", "sick", health_timeout="8")
    assert sick.outputs["result"] == "rolled-back", sick.log
    assert project.files() == files
    assert project.served() == "1"
    result = project("2")
    assert result.code == 0, result.log
    assert result.outputs["previous-image"] == project.shop.push("1")
    assert project.served() == "2"
    assert project.identity("db") == db
    assert project.containers() == RUNNING


@pytest.mark.test_all
def test_a_tag_that_moved_since_does_not_change_what_comes_back(project: Project) -> None:
    host, tag = project.host, "ghcr.io/acme/shop:latest"
    text = (project.workspace / "compose.yml").read_text()
    host.write(f"{FOLDER}/compose.yml", text, owner="deploy")
    host.run("mkdir", f"{FOLDER}/conf")
    host.run("chown", "-R", "deploy", FOLDER)
    for version in ("1", "2"):
        # Tests that run meanwhile look for the token in the arguments of all programs.
        login = ("docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin")
        host.run(*login, input=TOKEN)
        host.docker("pull", "-q", project.shop.push(version))
        host.docker("logout", "ghcr.io")
        host.docker("tag", project.shop.push(version), tag)
        if version == "1":
            project.start_by_hand()
    db = project.identity("db")
    for _ in range(2):
        sick = project("3", "sick", health_timeout="8")
        assert sick.outputs["result"] == "rolled-back", sick.log
        assert project.served() == "1"
    assert project.identity("db") == db
    assert project("2").code == 0
    assert project.served() == "2"


@pytest.mark.test_all
@pytest.mark.parametrize("shell", ["bash", "busybox"])
def test_every_shell_of_a_host_does_the_same(project: Project, shell: str) -> None:
    project.host.run("ln", "-s", f"/bin/{shell}", "/usr/local/bin/sh")
    try:
        first = project("1", env="GREETING=hello", before="tool: true")
        assert first.code == 0, first.log
        db = project.identity("db")
        sick = project("3", "sick", env="GREETING=sick", health_timeout="8")
        assert sick.outputs["result"] == "rolled-back", sick.log
        assert "shop 3 says sick" in sick.summary
        assert (project.served(), project.served("/greeting")) == ("1", "hello")
        back = project("2")
        assert back.code == 0, back.log
        assert int(back.outputs["gap-ms"]) > 0
        assert project("", rollback="previous").code == 0
        assert project.served() == "1"
        assert project.identity("db") == db
    finally:
        project.host.run("rm", "-f", "/usr/local/bin/sh")


@pytest.mark.test_all
def test_a_dependency_that_is_new_is_started_for_the_command_before(serving: Project) -> None:
    project = serving
    db = project.identity("db")
    project.write(more="  queue: {image: ghcr.io/acme/db, restart: always}")
    text = (project.workspace / "compose.yml").read_text()
    text = text.replace("depends_on: [db]", "depends_on: [db, queue]")
    (project.workspace / "compose.yml").write_text(text)
    failed = project("2", before="tool: sh -c 'exit 5'")
    assert failed.outputs["result"] == "rolled-back", failed.log
    assert project.containers() == RUNNING
    assert project("2", before="tool: true").code == 0
    assert project.containers() == {**RUNNING, "shop-queue-1": "running"}
    assert project.identity("db") == db


@pytest.mark.test_all
def test_a_project_of_another_name_in_the_folder_keeps_its_name(serving: Project) -> None:
    project = serving
    project.compose("-f", "compose.yml", "-f", "images.gen-workflow.yml", "down")
    project.compose("-p", "store", "-f", "compose.yml", "-f", "images.gen-workflow.yml", "up", "-d")
    result = project("2")
    assert result.code == 0, result.log
    assert set(project.containers()) == {"store-db-1", "store-once-1", "store-web-1"}
    assert project.served() == "2"
    refused = project("1", name="shop", dir="shop")
    assert refused.code == 2
    assert "the folder on the host already runs another project: store" in refused.errors[0]


@pytest.mark.test_all
def test_a_project_that_runs_from_another_folder_is_not_doubled(serving: Project) -> None:
    project = serving
    result = project("2", dir="other/shop")
    assert result.code == 2
    assert f"the project in {FOLDER} on the host already has this `name`" in result.errors[0]
    assert project.served() == "1"
    # Of a release from before folders were noted, only its containers tell.
    project.host.run("sh", "-c", "rm /home/deploy/.gen-workflow/shop/releases/*/folder")
    result = project("2", dir="other/shop")
    assert result.code == 2
    assert f"shop runs from {FOLDER}" in result.errors[0]
    assert project.served() == "1"


@pytest.mark.test_all
@pytest.mark.parametrize("cut", ["the client is killed", "the connection is cut", "cancelled"])
def test_the_previous_release_comes_back_by_itself(serving: Project, cut: str) -> None:
    project = serving
    db, files = project.identity("db"), project.files()
    project.write(conf="two")
    step = project.start("3", "sick", health_timeout="60")
    await_log(step, "Container shop-web-1  Recreate")
    if cut == "cancelled":
        step.cancel()
    elif cut == "the client is killed":
        step.process.kill()
    else:
        project.host.kill_sessions()
    assert step.result().code != 0
    project.await_served("1")
    wait_until(lambda: project.files() == files, "its files are back", seen=project.files)
    assert project.identity("db") == db
    after = project("2")
    assert after.code == 0, after.log
    assert project.served() == "2"
    assert project.containers() == RUNNING


@pytest.mark.test_all
def test_a_shell_that_is_killed_on_the_host_is_put_right_by_the_next_deploy(
    project: Project,
) -> None:
    project("1", env="GREETING=old")
    db, files = project.identity("db"), project.files()
    step = project.start("3", "sick", health_timeout="60", env="GREETING=new")
    await_log(step, "Container shop-web-1  Started")
    project.host.run("pkill", "-9", "-u", project.host.user, "-x", "sh")
    assert step.result().outputs["result"] == "unknown"
    assert project.files() != files
    broken = project("", image=f"ghcr.io/acme/shop@sha256:{'0' * 64}")
    assert "an earlier deploy was killed" in broken.log
    project.await_served("1")
    assert project.files() == files
    assert project.served("/greeting") == "old"
    assert project.identity("db") == db
    assert project("2").code == 0


@pytest.mark.test_all
def test_the_next_deploy_recovers_a_host_that_lost_its_power(project: Project) -> None:
    project("1")
    files = project.files()
    project.write(conf="two")
    step = project.start("3", "sick", health_timeout="60")
    await_log(step, "Container shop-web-1  Started")
    project.host.power_off()
    step.process.kill()
    step.result()
    project.host.power_on()
    broken = project("", image=f"ghcr.io/acme/shop@sha256:{'0' * 64}")
    assert "an earlier deploy was killed" in broken.log
    project.await_served("1")
    assert project.files() == files
    assert project("2").code == 0
    assert project.containers() == RUNNING


@pytest.mark.test_all
def test_an_engine_that_restarts_in_the_switch_ends_with_the_previous_version(
    serving: Project,
) -> None:
    project = serving
    step = project.start("3", "sick", health_timeout="20")
    await_log(step, "Container shop-web-1  Started")
    project.host.restart_engine()
    result = step.result()
    assert result.outputs["result"] == "rolled-back", result.log
    project.await_served("1")


@pytest.mark.test_all
def test_two_hosts_go_together(bed: Bed, project: Project, shop: Shop) -> None:
    second = bed.add_host()
    try:
        both: dict[str, Any] = {
            "host": f"{project.host.ip}\n{second.ip}",
            "known_hosts": f"{project.host.known_hosts}\n{second.known_hosts}",
        }
        first = project("1", **both)
        assert first.code == 0, first.log
        second.docker("rm", "-f", "shop-web-1")
        second.docker("run", "-d", "-p", f"{PORT}:{PORT}", "--name", "taken", shop.push("1"))
        result = project("2", **both, max_parallel="1", before="tool: true")
        assert result.code == 1, result.log
        assert f"port {PORT} is taken" in result.errors[0]
        assert project.served() == "1"
        hosts = {each["host"]: each["result"] for each in json.loads(result.outputs["hosts"])}
        assert hosts[project.host.ip] == "rolled-back"
    finally:
        second.remove()
        bed.hosts.remove(second)


@pytest.mark.test_all
def test_the_login_is_gone_and_no_secret_is_shown(project: Project) -> None:
    result = project("1", step_env=NASTY, env="GREETING")
    assert result.code == 0
    assert "quoted" in project.served("/greeting"), "it was brought there"
    assert "shop-web-1" in result.shown, "it is the log of this deploy"
    assert "quoted" not in result.shown + result.summary
    found = project.host.run("ls", "-A", "/home/deploy/.gen-workflow/shop").stdout.split()
    assert sorted(found) == ["current", "history.jsonl", "lock", "releases", "source"]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("oldest-compose", marks=pytest.mark.needs("oldest-compose")),
        pytest.param("compose", marks=[pytest.mark.needs("compose"), pytest.mark.test_all]),
        pytest.param(
            "engine-forky", marks=[pytest.mark.needs("engine-forky"), pytest.mark.test_all]
        ),
    ],
)
def test_older_and_newer_versions_of_compose_do_the_same(
    bed: Bed, shop: Shop, tmp_path: Path, kind: str
) -> None:
    host = (
        bed.add_host(engine="forky")
        if kind == "engine-forky"
        else bed.add_host(compose=tools.built(kind))
    )
    try:
        project = Project(host, shop, tmp_path)
        first = project("1", step_env=NASTY, env="\n".join(NASTY), before="tool: true")
        assert first.code == 0, first.log
        assert project.served("/greeting") == NASTY["GREETING"]
        db = project.identity("db")
        sick = project("3", "sick", health_timeout="4")
        assert sick.outputs["result"] == "rolled-back", sick.log
        assert project.served() == "1"
        result = project("2")
        assert result.code == 0, result.log
        assert project.served() == "2"
        assert project.identity("db") == db
    finally:
        host.remove()
        bed.hosts.remove(host)


def test_a_host_without_compose_is_named(bed: Bed, shop: Shop, tmp_path: Path) -> None:
    host = bed.add_host(compose=None)
    try:
        result = Project(host, shop, tmp_path)("1")
        assert result.code == 2
        assert "the host has no Docker Compose of version 2 (no details)" in result.errors[0]
        old = "#!/bin/sh\necho 1.29.2\n"
        host.write("/usr/local/bin/docker-compose", old, mode="755")
        result = Project(host, shop, tmp_path)("1")
        assert "(only docker-compose 1.29.2)" in result.errors[0]
    finally:
        host.remove()
        bed.hosts.remove(host)


@pytest.mark.test_all
def test_the_undo_does_not_need_a_file_that_was_renamed_meanwhile(
    project: Project,
) -> None:
    assert project("1").code == 0
    before = project.identity("web")
    (project.workspace / "compose.yml").rename(project.workspace / "prod.yml")
    renamed = project("1", compose="prod.yml")
    assert renamed.code == 0, renamed.log
    assert project.identity("web") == before, "compose must find nothing to replace"
    assert "compose.yml" not in project.files()
    result = project("3", "sick", compose="prod.yml", health_timeout="8")
    assert result.code == 1, result.log
    assert result.outputs["result"] == "rolled-back", result.log
    assert project.served() == "1"
    assert project("2", compose="prod.yml").code == 0
    assert project.served() == "2"


@pytest.mark.test_all
def test_a_service_behind_a_profile_is_deployed_once_the_profile_is_active(
    project: Project,
) -> None:
    text = (project.workspace / "compose.yml").read_text()
    text = text.replace(
        "    depends_on:\n      db:", "    profiles: [prod]\n    depends_on:\n      db:"
    )
    (project.workspace / "compose.yml").write_text(text)
    refused = project("1")
    assert refused.code == 2, refused.log
    assert "the service web would not start" in refused.errors[0]
    assert project.containers() == {}
    for version in ("1", "2"):
        result = project(version, env="COMPOSE_PROFILES=prod")
        assert result.code == 0, result.log
        assert project.served() == version
    # A person removed the profile, and the service keeps running.
    refused = project("1", env="COMPOSE_PROFILES=other")
    assert refused.code == 2, refused.log
    assert "its profile is not active" in refused.errors[0]
    assert project.served() == "2"


OVERRIDE = """\
services:
  web:
    environment: {GREETING: "of the override with ${DB_PASSWORD:-nothing}"}
"""


BOTH_KEPT = ".env=merge\ncompose.override.yml=keep"


@pytest.fixture
def by_hand(project: Project) -> Project:
    """A project that a person has brought up, with files that only the host has."""
    host, text = project.host, (project.workspace / "compose.yml").read_text()
    host.write(f"{FOLDER}/compose.yml", text, owner="deploy")
    host.write(f"{FOLDER}/compose.override.yml", OVERRIDE, owner="deploy")
    host.write(f"{FOLDER}/.env", "DB_PASSWORD=pa55word\n", mode="600", owner="deploy")
    host.run("mkdir", f"{FOLDER}/conf")
    host.run("chown", "-R", "deploy", FOLDER)
    project.shop.push("1")
    host.run("docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin", input=TOKEN)
    host.docker("pull", "-q", project.shop.push("1"))
    host.docker("logout", "ghcr.io")
    host.docker("tag", project.shop.push("1"), "ghcr.io/acme/shop:latest")
    project.start_by_hand()
    assert project.served("/greeting") == "of the override with pa55word"
    return project


def test_files_that_only_the_host_has_are_not_lost_when_its_project_is_taken_over(
    by_hand: Project,
) -> None:
    project = by_hand
    web, files = project.identity("web"), project.files()
    refused = project("2", env="LEVEL=info")
    assert refused.code == 2, refused.log
    assert ".env (the new one lacks DB_PASSWORD)" in refused.errors[0]
    assert "compose.override.yml (compose reads it on the host" in refused.errors[0]
    assert ".env=keep" in refused.errors[0]
    assert "pa55word" not in refused.shown + refused.summary
    assert (project.files(), project.identity("web")) == (files, web)
    result = project("2", env="LEVEL=info", host_files=BOTH_KEPT)
    assert result.code == 0, result.log
    assert project.served() == "2"
    assert project.served("/greeting") == "of the override with pa55word"
    env = project.host.run("cat", f"{FOLDER}/.env").stdout
    assert env == "LEVEL='info'\nDB_PASSWORD=pa55word\n"


@pytest.mark.test_all
def test_files_that_only_the_host_has_come_back_and_stay(by_hand: Project) -> None:
    project, files = by_hand, by_hand.files()
    sick = project("3", "sick", env="LEVEL=info", host_files=BOTH_KEPT, health_timeout="8")
    assert sick.outputs["result"] == "rolled-back", sick.log
    assert project.files() == files
    assert project.served("/greeting") == "of the override with pa55word"
    for _ in range(2):
        result = project("2", env="LEVEL=info", host_files=BOTH_KEPT)
        assert result.code == 0, result.log
        assert project.served() == "2"
        assert project.served("/greeting") == "of the override with pa55word"


@pytest.mark.test_all
def test_a_service_that_ends_once_and_is_started_again_has_the_time_of_the_others(
    project: Project,
) -> None:
    script = "[ -e /ran ] || { : >/ran; exit 7; }; exec /bin/busybox sleep 900"
    entrypoint = f"entrypoint: [/bin/busybox, sh, -c, '{script}'], healthcheck: {{disable: true}}"
    project.write(more=f"  worker: {{image: {DATABASE}, restart: always, {entrypoint}}}")
    result = project("1")
    assert result.code == 0, result.log
    assert project.containers()["shop-worker-1"] == "running"
    shown = project.host.docker("inspect", "--format", "{{.RestartCount}}", "shop-worker-1")
    assert shown.stdout.strip() == "1"


@pytest.mark.test_all
def test_the_undo_pulls_an_image_that_was_pruned_in_the_switch(project: Project) -> None:
    assert project("1").code == 0
    prune = f": >/tmp/pruned; {DOCKER}/bin/docker image prune -af >&2"
    project.host.wrap_docker(
        f'case "$*" in *" up --no-start "*) [ -e /tmp/pruned ] || {{ {prune}; }} ;; esac'
    )
    try:
        result = project("3", "sick", health_timeout="8")
    finally:
        project.host.unwrap_docker()
        project.host.run("rm", "-f", "/tmp/pruned")
    assert "another program has removed it" in result.log
    assert result.outputs["result"] == "rolled-back", result.log
    assert project.served() == "1"


@pytest.mark.test_all
def test_a_previous_version_that_is_not_healthy_again_does_not_serve(project: Project) -> None:
    text = (project.workspace / "compose.yml").read_text()
    text = text.replace("./conf:/conf:ro", "state:/state").replace("  data:", "  data:\n  state:")
    (project.workspace / "compose.yml").write_text(text)
    first = project("1", "sick-when-real")
    assert first.code == 0, first.log
    result = project("3", "sick", health_timeout="8")
    assert result.code == 1
    assert "the previous version of shop was started again, and is not healthy" in result.log
    assert project.served("/health") == ""


@pytest.mark.test_all
@pytest.mark.needs("oldest-compose")
def test_an_included_file_that_the_oldest_compose_cannot_override_is_refused(
    bed: Bed, shop: Shop, tmp_path: Path
) -> None:
    host = bed.add_host(compose=tools.built("oldest-compose"))
    try:
        project = Project(host, shop, tmp_path)
        text = (tmp_path / "compose.yml").read_text()
        (tmp_path / "base.yml").write_text(text)
        (tmp_path / "compose.yml").write_text("include: [base.yml]\n")
        result = project("1", files="conf\nbase.yml")
        assert result.code == 2, result.log
        assert "for services of an included file the deploy needs 2.24.6" in result.errors[0]
        assert project.containers() == {}
    finally:
        host.remove()
        bed.hosts.remove(host)


@pytest.mark.test_all
def test_a_project_that_was_started_by_hand_since_is_found(serving: Project) -> None:
    project = serving
    project.host.docker("tag", project.shop.push("1"), "ghcr.io/acme/shop:latest")
    project.compose("up", "-d", "--no-deps", "--pull", "never", "web")
    result = project("2")
    assert result.code == 0, result.log
    assert "the service web runs ghcr.io/acme/shop:latest, which is not from the last" in result.log
    assert result.outputs["previous-image"] == "ghcr.io/acme/shop:latest"
    assert project.served() == "2"


@pytest.mark.test_all
def test_a_name_that_ends_with_a_blank_is_that_of_a_file(project: Project) -> None:
    (project.workspace / "conf" / "last ").write_text("1")
    assert project("1").code == 0
    (project.workspace / "conf" / "last ").write_text("2")
    result = project("2")
    assert result.code == 0, result.log
    assert project.host.run("cat", f"{FOLDER}/conf/last ").stdout == "2"
    (project.workspace / "conf" / "last ").unlink()
    assert project("2").code == 0
    assert "conf/last " not in project.files()
