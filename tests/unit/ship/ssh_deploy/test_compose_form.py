"""The inputs of a compose project, and what the host gets of it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from ship.runner.context import Context
from ship.runner.errors import StepFailed, UserError
from ship.ssh_deploy.compose.answer import answer
from ship.ssh_deploy.compose.inputs import ComposeForm, Task
from ship.ssh_deploy.facts import Facts
from ship.ssh_deploy.inputs import Inputs, read_inputs
from ship.ssh_deploy.plan import plan

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.program import Program, Value

DIGEST = "sha256:" + "c" * 64
IMAGE = f"ghcr.io/acme/shop@{DIGEST}"
KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
SECRET = "s3cret'value"


class Wish:
    """Inputs that are right, but for those that a test changes."""

    def __init__(self, workspace: Path) -> None:
        self.context = Context(repository="Acme/Shop", run_id="42", workspace=str(workspace))

    def inputs(self, **changes: str) -> Inputs:
        given = {
            "host": "h1",
            "user": "deploy",
            "ssh-key": KEY,
            "known-hosts": "h1 ssh-ed25519 AAAA",
            "compose": "compose.yml",
            "image": IMAGE,
            "health": "/health",
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        return read_inputs({**env, "TOKEN": SECRET}, self.context)

    def form(self, **changes: str) -> ComposeForm:
        made = self.inputs(**changes).form
        assert isinstance(made, ComposeForm)
        return made

    def program(self, **changes: str) -> Program:
        return plan(self.inputs(**changes), self.context)

    def problems(self, **changes: str) -> str:
        with pytest.raises(UserError) as caught:
            self.inputs(**changes)
        return str(caught.value)

    def answer(self, services: dict[str, Any], **changes: str) -> dict[str, Value]:
        return answer(self.form(**changes), facts(config={"name": "shop", "services": services}))


@pytest.fixture
def wish(tmp_path: Path) -> Wish:
    (tmp_path / "compose.yml").write_text("services: {}")
    (tmp_path / "nginx.conf").write_text("x")
    return Wish(tmp_path)


def facts(**pieces: object) -> Facts:
    reported = Facts()
    reported.mark = "word"
    reported.take(f"{reported.mark} folder /srv/shop")
    for name, value in pieces.items():
        text = base64.b64encode(json.dumps(value).encode()).decode()
        for start in range(0, len(text), 76):
            reported.take(f"{reported.mark} {name} {text[start : start + 76]}")
    return reported


WEB = {"web": {"image": "ghcr.io/acme/shop", "ports": [{"published": "80", "protocol": "tcp"}]}}


def test_only_what_goes_before_and_the_switch_touch_the_project(wish: Wish) -> None:
    made = wish.program(before="web: migrate", after="web: warm")
    undo = {phase.name: phase.undo for phase in made.phases}
    assert list(undo) == [
        "look", "lock", "prepare", "pull", "before", "switch", "commit", "after", "leave"
    ]  # fmt: skip
    assert {undo[name] for name in ("look", "lock", "prepare", "pull")} == {"nothing was touched"}
    assert [phase.name for phase in made.phases if phase.first_host] == ["before", "after"]
    assert "before" not in [phase.name for phase in wish.program().phases]


def test_no_secret_is_shown_or_outside_of_the_env_file(wish: Wish) -> None:
    made = wish.program(env="TOKEN\nLEVEL=info")
    assert "TOKEN" in made.shown()
    assert SECRET not in made.shown()
    assert made.secret_files[".env"].reveal() == f"TOKEN=\"{SECRET}\"\nLEVEL='info'\n"
    assert made.parameters["ENV_NAMES"] == "TOKEN LEVEL"
    assert made.preamble("word").reveal().count(SECRET.replace("'", "'\"'\"'")) == 1


def test_without_values_no_env_file_is_written(wish: Wish) -> None:
    assert wish.program().secret_files == {}


def test_an_env_file_is_read_and_env_says_the_last_word(wish: Wish, tmp_path: Path) -> None:
    (tmp_path / "prod.env").write_text("# comment\nA=1\nB=it's\n\n")
    made = wish.program(env_file="prod.env", env="A=2")
    assert made.secret_files[".env"].reveal() == "A='2'\nB=\"it's\"\n"
    (tmp_path / "prod.env").write_text("A=one\u2028still one\n", "utf-8")
    made = wish.program(env_file="prod.env")
    assert made.secret_files[".env"].reveal() == "A='one\u2028still one'\n"
    (tmp_path / "prod.env").write_text("A=1\nexport B=2\n")
    reported = wish.problems(env_file="prod.env")
    assert "prod.env:2 is not of the form NAME=value" in reported
    assert "export" not in reported


@pytest.mark.parametrize(
    ("given", "folder"),
    [("", "shop"), ("/opt/app/", "/opt/app"), ("~/apps/shop", "apps/shop"), (".", ".")],
)
def test_the_folder_is_absolute_or_in_the_home(wish: Wish, given: str, folder: str) -> None:
    assert wish.form(dir=given).folder == folder


def test_the_default_folder_is_that_of_its_environment(wish: Wish) -> None:
    assert wish.form(environment="staging").folder == "shop-staging"
    assert "`adopt`: is only for a single container" in wish.problems(adopt="true")


def test_the_name_is_that_of_the_project_only_when_it_is_given(wish: Wish) -> None:
    assert wish.form().project == ""
    assert wish.form(name="store").project == "store"
    assert "'My.App' is not the name of a compose project" in wish.problems(name="My.App")


@pytest.mark.parametrize(
    ("health", "path", "port"),
    [("/up", "/up", ""), (":8080/up?x=1", "/up?x=1", "8080"), ("", "", "")],
)
def test_health_is_a_path_with_or_without_a_port(
    wish: Wish, health: str, path: str, port: str
) -> None:
    made = wish.form(health=health)
    assert (made.health, made.health_port) == (path, port)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", "refuse"),
        ("keep", "keep"),
        ("./.env=merge\nconf/a=b.conf = replace\nkeep", "merge .env\nreplace conf/a=b.conf\nkeep"),
        ("compose.override.yml=merge", "merge compose.override.yml\nrefuse"),
    ],
)
def test_host_files_says_it_for_one_file_or_for_all_others(
    wish: Wish, given: str, sent: str
) -> None:
    assert wish.program(host_files=given).parameters["HOST_FILES"] == sent


def test_a_command_says_in_which_service_it_runs(wish: Wish) -> None:
    made = wish.form(before="api: npx prisma 'migrate deploy'\ndb:  sh -c 'pg_dump | cat'")
    assert made.before == (
        Task("api", "npx prisma 'migrate deploy'"),
        Task("db", "sh -c 'pg_dump | cat'"),
    )


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"image": ""}, "is required but empty"),
        ({"image": "ghcr.io/acme/shop:latest"}, "has no digest"),
        ({"images": f"web={IMAGE}"}, "cannot be used together with `images`"),
        ({"image": "", "images": "web=shop:1"}, "'shop:1' has no digest"),
        ({"image": "", "images": "web="}, "input `images`: '' has no digest"),
        ({"image": "", "images": f"we b={IMAGE}"}, "'we b' is not the name of a service"),
        ({"rollback": "previous", "image": "", "images": f"web={IMAGE}"}, "with `rollback`"),
        ({"dir": "../up"}, "is not a folder for a project"),
        ({"dir": "/"}, "is not a folder for a project"),
        ({"dir": "$HOME/x"}, "is not a folder of the host"),
        ({"health": "health"}, "neither a path such as /health nor :8080/health"),
        ({"health": ":99999/x"}, "99999 is not a port"),
        ({"before": "npx migrate"}, "line 1 does not name the service that runs the command"),
        ({"before": "web: echo 'x"}, "cannot be split into words"),
        ({"before": "web: a && b"}, "let a shell run it: web: sh -c '… && …'"),
        ({"host_files": "mine"}, "'mine' does not say what to do with files"),
        ({"host_files": "compose.yml=merge"}, "only .env can be merged, and not 'compose.yml'"),
        ({"host_files": ".env=keep\n./.env=merge"}, "'./.env=merge' is about .env once more"),
        ({"ports": "80:80"}, "input `ports`: cannot be used together with `compose`"),
        ({"restart": "always"}, "input `restart`: cannot be used together with `compose`"),
        ({"candidate": "never"}, "`candidate`: is only for a single container"),
        ({"stop_timeout": "60"}, "`stop_grace_period` of the service"),
        ({"volumes": "a:/b"}, "input `volumes`: cannot be used together with `compose`"),
        ({"env": "DOCKER_HOST=x"}, "DOCKER_HOST would change which Docker engine is used"),
        ({"compose": "nope.yml"}, "there is no file 'nope.yml' in the workspace"),
        ({"script": "true"}, "input `compose`: cannot be used together with `script`"),
    ],
)
def test_a_wrong_input_is_named(wish: Wish, changes: dict[str, str], reported: str) -> None:
    assert reported in wish.problems(**changes)


@pytest.mark.parametrize(
    ("image", "repository", "registry"),
    [
        ("registry.example.com/o/app", "registry.example.com/o/app", "registry.example.com"),
        ("localhost:5000/app:v3", "localhost:5000/app", "localhost:5000"),
        (IMAGE, "ghcr.io/acme/shop", "ghcr.io"),
        ("", "", ""),
    ],
)
def test_a_password_for_a_rollback_is_for_the_registry_of_the_image(
    wish: Wish, image: str, repository: str, registry: str
) -> None:
    made = wish.program(rollback="v1", image=image, registry_password="t0ken")
    assert (made.parameters["REPOSITORY"], made.parameters["REGISTRY"]) == (repository, registry)


def test_a_rollback_without_a_password_logs_in_to_ghcr_alone(wish: Wish) -> None:
    assert wish.program(rollback="v1", image="").parameters["REGISTRY"] == "ghcr.io"
    assert "is not the name of an image" in wish.problems(rollback="v1", image="A B")


def test_a_rollback_needs_no_checkout(tmp_path: Path) -> None:
    made = Wish(tmp_path).program(rollback="previous", image="")
    assert made.parameters["FILES"] == ""


def test_the_answer_pins_the_services_of_the_image(wish: Wish) -> None:
    reported = wish.answer({**WEB, "db": {"image": "postgres:16"}})
    assert json.loads(str(reported["OVERRIDE"])) == {
        "services": {"web": {"image": IMAGE, "pull_policy": "missing"}}
    }
    assert reported["PINNED"] == "web"
    assert reported["IMAGE"] == IMAGE
    assert reported["OTHERS"] == "postgres:16"
    assert (reported["ADDRESS"], reported["HEALTH_HOST_PORT"]) == ("127.0.0.1", "80")


def test_an_uploaded_file_that_is_mounted_is_part_of_the_service(wish: Wish) -> None:
    mount = {"type": "bind", "source": "/srv/shop/nginx.conf"}
    services = {"web": {**WEB["web"], "volumes": [mount]}}
    reported = wish.answer(services, files="nginx.conf")
    labels = json.loads(str(reported["OVERRIDE"]))["services"]["web"]["labels"]
    assert len(labels["io.github.gen-workflow.files"]) == 16
    assert reported["MOUNTED"] == ""
    reported = wish.answer(services)
    assert reported["MOUNTED"] == "nginx.conf"


def test_a_health_path_without_a_published_port_is_an_error_that_says_what_to_write(
    wish: Wish,
) -> None:
    services = {"web": {"image": "ghcr.io/acme/shop"}}
    with pytest.raises(UserError, match="write the port of the host before the path: :8080/health"):
        wish.answer(services)
    assert wish.answer(services, health=":3000/health")["HEALTH_HOST_PORT"] == "3000"


@pytest.mark.parametrize("health", ["", ":3000/health"])
def test_the_host_chooses_the_service_of_health_when_profiles_decide_it(
    wish: Wish, health: str
) -> None:
    services = {**WEB, "dev": {**WEB["web"], "profiles": ["dev"]}}
    assert wish.answer(services, health=health)["HEALTH_SERVICE"] == ""
    assert wish.answer(services)["HEALTH_SERVICE"] == "web"


def test_a_command_is_sent_with_what_its_service_needs(wish: Wish) -> None:
    services = {**WEB, "migrate": {"depends_on": {"web": {"condition": "service_started"}}}}
    reported = wish.answer(services, before="migrate: go 'up now'\nweb: true")
    assert reported["BEFORE"] == "migrate web go 'up now'\nweb - true"
    with pytest.raises(UserError, match="the project has no service nope"):
        wish.answer(WEB, before="nope: true")


def test_a_rollback_takes_the_images_that_the_host_tells(wish: Wish) -> None:
    reported = facts(
        config={"name": "shop", "services": WEB},
        override={"services": {"web": {"image": IMAGE}}},
    )
    made = answer(wish.form(rollback="previous", image=""), reported)
    assert (made["PINNED"], made["IMAGE"], made["OVERRIDE"]) == ("web", IMAGE, "")


@pytest.mark.parametrize(
    "service", [{"depends_on": ["db"]}, {"ports": ["80:80"]}, {"volumes": ["/a:/b"]}]
)
def test_output_that_compose_would_not_print_is_an_error_and_no_bug_of_ours(
    wish: Wish, service: dict[str, Any]
) -> None:
    with pytest.raises(StepFailed, match="cannot be read"):
        wish.answer({"web": {**WEB["web"], **service}, "db": {}})


@pytest.mark.parametrize(("name", "piece"), [("config", "!!!"), ("override", "eyJzZXJ2")])
def test_what_is_cut_off_on_its_way_from_the_host_is_an_error(
    wish: Wish, name: str, piece: str
) -> None:
    reported = facts(config={"name": "shop", "services": WEB})
    reported.take(f"{reported.mark} {name} {piece}")
    with pytest.raises(StepFailed, match="cannot be read"):
        answer(wish.form(rollback="previous", image=""), reported)
