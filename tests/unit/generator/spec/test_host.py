"""What a spec says of a deploy to hosts, and every way to get it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.commands import Task
from gen_workflow.spec.compose import HostFile, Pinned
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.load import load
from gen_workflow.spec.variables import Variable

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "gen-workflow.yml"
FILES = {
    "Dockerfile": "FROM scratch\n",
    "backend/Dockerfile": "FROM scratch\n",
    "compose.yml": "services:\n  web: {image: ghcr.io/acme/shop}\n  db: {image: postgres}\n",
    "build.yml": "services:\n  web: {build: .}\n  db: {image: 'postgres:17'}\n",
    "deploy/compose.yml": "services: {web: {image: $IMAGE}}\n",
    "deploy/nginx/a.conf": "",
    "app.env": "A=b\n",
    "include.yml": "include: [other.yml]\nservices: {a: {}}\n",
    "extends.yml": "x-a: &a {image: acme/shop}\nservices:\n  web: {extends: x}\n  b: {<<: *a}\n",
    "no.yml": "services: [\n",
}
ACCESS = "host: h1, user: u, key: '${{ secrets.K }}'"
IMAGES = "images: {api: backend, web: .}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def spec(deploy: str, image: str = "image: .\n") -> str:
    """A spec whose line 2 is `deploy: {…}`."""
    return f"{image}deploy: {{{deploy}}}\n"


def read(repository: Path, text: str) -> SshDeploy:
    deploy = load(text.encode(), SOURCE, str(repository)).deploy
    assert isinstance(deploy, SshDeploy)
    return deploy


def problems(repository: Path, text: str) -> str:
    """Return the problems of a spec, without the name of the file and the folder."""
    with pytest.raises(SpecError) as caught:
        load(text.encode(), SOURCE, str(repository))
    found = "\n".join(caught.value.problems)
    return found.replace(f"{SOURCE}:", "").replace(f"{repository}/", "")


def test_a_compose_project_is_a_file_and_a_folder(repository: Path) -> None:
    found = read(repository, spec("ssh: vps, compose: compose.yml, dir: /opt/app"))
    assert (found.form, found.compose, found.dir) == ("compose", ("compose.yml",), "/opt/app")


def test_commands_on_a_host_need_no_container(repository: Path) -> None:
    found = read(repository, spec("ssh: vps, script: systemctl restart shop"))
    assert (found.form, found.script) == ("script", "systemctl restart shop")


@pytest.mark.parametrize(
    "text",
    [
        "deploy: {ssh: vps, script: a}\n",
        "deploy: {script: a}\nenvironments: {a: {ssh: a}, b: {ssh: b, after: a}}\n",
        "environments: {a: {ssh: a, script: b}}\n",
    ],
)
def test_where_only_commands_run_no_image_is_needed(text: str, repository: Path) -> None:
    assert load(text.encode(), SOURCE, str(repository)).built == ()


@pytest.mark.parametrize(
    "text",
    [
        "deploy: {ssh: vps, run: {}}\n",
        "environments: {a: {ssh: a, script: b}, c: {ssh: c, run: {}}}\n",
        "on: main\n",
    ],
)
def test_whatever_else_runs_needs_an_image(text: str, repository: Path) -> None:
    assert problems(repository, text).startswith("1:1 `image` is missing\n")


def test_an_environment_may_be_beside_what_runs(repository: Path) -> None:
    found = read(repository, spec("ssh: vps, run: {env: [A]}, env: {B: x}"))
    assert found.variables == (Variable("B", "x"), Variable("A", "${{ secrets.A }}"))


def test_a_health_check_is_a_path_for_the_host_or_an_address_for_the_runner(
    repository: Path,
) -> None:
    def health(text: str) -> tuple[str, str]:
        found = read(repository, spec(f"ssh: vps, run: {{ports: ['1:1']}}, health: {text}")).health
        return found.path, found.url

    assert health("/up") == ("/up", "")
    assert health("https://a.example/up") == ("", "https://a.example/up")
    assert health("{path: /up, url: '${{ vars.URL }}'}") == ("/up", "${{ vars.URL }}")


def test_a_name_stands_for_all_that_a_mapping_does_not_say(repository: Path) -> None:
    def ssh(text: str) -> dict[str, object]:
        return read(repository, spec(f"ssh: {{{text}}}, run: {{}}")).ssh._asdict()

    named = read(repository, spec("ssh: vps, run: {}")).ssh
    assert ssh("name: vps") == named._replace(name="vps")._asdict()
    found = ssh("name: vps, hosts: [h1, u@h2], fingerprints: '${{ vars.F }}', port: 2222")
    assert (found["host"], found["hosts"], found["known_hosts"]) == ("", ("h1", "u@h2"), "")
    assert (found["user"], found["port"]) == ("${{ vars.VPS_USER }}", "2222")
    assert ssh("name: vps, insecure-host-key: true")["known_hosts"] == ""


def test_commands_are_one_a_list_or_those_of_services(repository: Path) -> None:
    def before(text: str) -> tuple[Task, ...]:
        return read(repository, spec(f"ssh: vps, {text}")).before

    assert before("run: {}, before: npm run a") == (Task("npm run a"),)
    assert before("run: {}, before: [a, b]") == (Task("a"), Task("b"))
    compose = "compose: compose.yml, before: {web: [a, b], db: c}"
    assert before(compose) == (Task("a", "web"), Task("b", "web"), Task("c", "db"))


def test_files_of_the_host_are_treated_alike_or_one_by_one(repository: Path) -> None:
    def host_files(text: str) -> tuple[HostFile, ...]:
        found = read(repository, spec(f"ssh: vps, compose: compose.yml, host-files: {text}"))
        return found.host_files

    assert host_files("keep") == (HostFile("keep"),)
    assert host_files("{.env: merge, a/b: replace}") == (
        HostFile("merge", ".env"),
        HostFile("replace", "a/b"),
    )


def test_a_command_may_be_a_list_of_words(repository: Path) -> None:
    found = read(repository, spec("ssh: vps, run: {command: [node, 'a b', \"it's\"]}"))
    assert found.run.command == "node 'a b' 'it'\"'\"'s'"


@pytest.mark.parametrize("compose", ["include.yml", "no.yml", "extends.yml", "deploy/compose.yml"])
def test_a_project_that_only_compose_can_read_is_taken(compose: str, repository: Path) -> None:
    assert read(repository, spec(f"ssh: vps, compose: {compose}")).compose == (compose,)


def test_an_image_goes_to_the_service_of_its_name(repository: Path) -> None:
    (repository / "compose.yml").write_text("services: {api: {}, web: {}, worker: {}}\n")
    assert read(repository, spec("ssh: vps, compose: compose.yml", IMAGES)).services == ()
    named = spec("ssh: vps, compose: compose.yml, services: {worker: api, web: web}", IMAGES)
    assert read(repository, named).services == (Pinned("worker", "api"), Pinned("web", "web"))


def test_an_environment_keeps_the_commands_that_all_share(repository: Path) -> None:
    text = (
        "image: .\ndeploy: {compose: compose.yml, after: {web: warm-up}}\n"
        "environments: {a: {ssh: a}, b: {ssh: b, after: a, compose: deploy/compose.yml}}\n"
    )
    first, second = load(text.encode(), SOURCE, str(repository)).targets
    assert isinstance(first.deploy, SshDeploy)
    assert isinstance(second.deploy, SshDeploy)
    assert first.deploy.after == second.deploy.after == (Task("warm-up", "web"),)
    assert (first.after, second.after) == ("", "a")
    assert second.deploy.compose == ("deploy/compose.yml",)


WRONG = [
    pytest.param(
        "ssh: vps",
        "2:9 deploy: `run` is missing\n"
        '  hint: say what runs there: run: {ports: ["8080:8080"]}, or compose: compose.yml, or '
        "script: sudo systemctl restart shop",
        id="nothing-runs",
    ),
    pytest.param(
        "ssh: vps, run: {}, compose: compose.yml",
        "2:38 deploy/compose: cannot be beside `run`: one of them says what runs there\n"
        "  hint: keep one of them",
        id="two-forms",
    ),
    pytest.param(
        "ssh: vps, compose: gone.yml",
        "2:29 deploy/compose: there is no file gone.yml\n"
        "  hint: name a file of the repository, such as compose.yml",
        id="no-compose-file",
    ),
    pytest.param(
        "ssh: vps, compose: deploy/compose.yml, files: [deploy/nginx, app.env]",
        "2:56 deploy/files: 'app.env' is not in the folder of the first compose file, deploy/\n"
        "  hint: move it there: this folder is uploaded",
        id="file-elsewhere",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, files: ['*.conf']",
        "2:50 deploy/files/0: *.conf matches no file\n"
        "  hint: paths begin at the root of the repository; ** matches all folders below",
        id="pattern-without-a-file",
    ),
    pytest.param(
        "ssh: vps, run: {}, dir: /opt/app",
        "2:34 deploy/dir: has no meaning for a single container\n  hint: leave it out",
        id="folder-of-a-container",
    ),
    pytest.param(
        "ssh: vps, script: a, before: b",
        "2:39 deploy/before: has no meaning for commands alone\n"
        "  hint: write the command into the script",
        id="command-beside-a-script",
    ),
    pytest.param(
        "ssh: vps, script: 'echo ${{ vars.A }}'",
        "2:28 deploy/script: an expression would become a part of the commands, whatever it holds\n"
        '  hint: put it into `env`: {VERSION: "${{ vars.VERSION }}"}, and write "$VERSION" here',
        id="expression-in-a-script",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, services: [wep]",
        "2:53 deploy/services/0: 'wep' is not a service of compose.yml\n"
        "  hint: perhaps you meant `web`",
        id="misspelt-service",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, before: {wbe: a}",
        "2:51 deploy/before/wbe: 'wbe' is not a service of compose.yml\n"
        "  hint: perhaps you meant `web`",
        id="misspelt-service-of-a-command",
    ),
    pytest.param(
        "ssh: vps, compose: build.yml",
        "2:29 deploy/compose: has no service with an image of the repository\n"
        "  hint: say which services get the image: services: [web]",
        id="no-service-gets-the-image",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, services: {web: api}",
        "2:53 deploy/services/web: 'api' is not one of `images`\n"
        "  hint: there is one image: write the services as a list, such as [web]",
        id="image-of-several-where-there-is-one",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, services: []",
        "2:52 deploy/services: is empty\n"
        "  hint: write the services that get the image: [web, worker]; or, with several images, "
        "services and their images: {web: api, worker: api}",
        id="no-services",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, before: migrate",
        "2:50 deploy/before: does not name the service that runs the command\n"
        "  hint: write before: {SERVICE: migrate}",
        id="command-without-a-service",
    ),
    pytest.param(
        "ssh: vps, run: {}, before: {web: migrate}",
        "2:37 deploy/before: names a service, and there is one container\n  hint: write migrate",
        id="service-of-a-container",
    ),
    pytest.param(
        "ssh: vps, run: {}, before: a && b",
        "2:37 deploy/before: a command has the operator &&, and no shell reads the command\n"
        "  hint: let a shell run it: sh -c '… && …'",
        id="operator",
    ),
    pytest.param(
        "ssh: vps, run: {env: [A]}, env: [B, A]",
        "2:46 deploy/env/1: 'A' is in `env` of `run` too\n  hint: keep one of them",
        id="variable-twice",
    ),
    pytest.param(
        "ssh: vps, run: {secret-files: [{A: '${{ secrets.B }}'}]}, env: [A]",
        "2:42 deploy/run/secret-files/0/A: `A` has another value in `env`, and both travel under "
        "this name\n  hint: give one of them another name",
        id="variable-and-file",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, env: {DOCKER_HOST: x}",
        "2:48 deploy/env/DOCKER_HOST: `DOCKER_HOST` would change which Docker the host uses\n"
        "  hint: give the variable another name, such as `APP_DOCKER_HOST`",
        id="variable-of-docker",
    ),
    pytest.param(
        "ssh: vps, run: {}, env: {COMPOSE_FILE: x}",
        "2:35 deploy/env/COMPOSE_FILE: `COMPOSE_FILE` would change how the host starts the "
        "container\n  hint: give the variable another name, such as `APP_COMPOSE_FILE`",
        id="variable-of-compose",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, host-files: {a.conf: merge}",
        "2:63 deploy/host-files/a.conf: only .env can be merged, and not 'a.conf'\n"
        "  hint: write keep or replace",
        id="merge-of-a-file",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, host-files: kep",
        "2:54 deploy/host-files: 'kep' does not say what to do with files\n"
        "  hint: perhaps you meant `keep`",
        id="host-files",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['1:1']}, health: {path: /, command: x}",
        "2:70 deploy/health/command: cannot be beside `path`: one of them decides\n"
        "  hint: keep one of them",
        id="path-and-command",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['1:1']}, health: {status: 200}",
        "2:60 deploy/health/status: has no effect without `path`\n  hint: add a path, or remove it",
        id="status-without-a-path",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['1:1']}, health: http://localhost:3000/health",
        "2:51 deploy/health: 'http://localhost:3000/health' is the runner itself, which asks this "
        "address\n  hint: write the path for the host to ask: health: /health",
        id="address-of-the-runner",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, health: {command: x}",
        "2:60 deploy/health/command: a command has no meaning for a compose project\n"
        "  hint: write it as HEALTHCHECK of the image, or as `healthcheck` of the service",
        id="command-of-a-project",
    ),
    pytest.param(
        "ssh: vps, script: a, health: /up",
        "2:39 deploy/health: the host asks nothing after commands\n"
        "  hint: let the script ask, or write an address, which the runner asks",
        id="path-of-a-script",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['1:1']}, health: ':8080/up'",
        "2:51 deploy/health: names a port, and the first published port is asked\n"
        "  hint: write /up",
        id="port-of-a-container",
    ),
    pytest.param(
        "ssh: vps, run: {options: [--user=5]}",
        '2:36 deploy/run/options/0: --user has a key of its own\n  hint: write user: "5"',
        id="user-as-an-option",
    ),
    pytest.param(
        "ssh: vps, run: {options: ['--publish=1:1']}",
        "2:36 deploy/run/options/0: --publish has a key of its own\n  hint: use `ports`",
        id="port-as-an-option",
    ),
    pytest.param(
        "ssh: vps, run: {labels: {a: '${{ secrets.A }}'}}",
        "2:38 deploy/run/labels/a: a secret cannot be a label: `docker inspect` shows it\n"
        "  hint: give it to the app, with `env` or `secret-files`",
        id="secret-label",
    ),
    pytest.param(
        "ssh: vps, run: {image: api}",
        "2:33 deploy/run/image: 'api' is not one of `images`\n  hint: remove it",
        id="image-of-none",
    ),
    pytest.param(
        f"ssh: {{{ACCESS}}}, run: {{}}",
        "2:15 deploy/ssh: `known-hosts` is missing\n"
        "  hint: write for example known-hosts: ${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan "
        "prints",
        id="nothing-proves-the-host",
    ),
    pytest.param(
        f"ssh: {{{ACCESS}, insecure-host-key: false}}, run: {{}}",
        "2:15 deploy/ssh: `known-hosts` is missing\n"
        "  hint: write for example known-hosts: ${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan "
        "prints",
        id="nothing-proves-the-host-and-that-is-not-meant",
    ),
    pytest.param(
        f"ssh: {{{ACCESS}, host-ca: '${{{{ vars.A }}}}', insecure-host-key: true}}, run: {{}}",
        "2:105 deploy/ssh/insecure-host-key: contradicts `host-ca`, which says which key is "
        "right\n  hint: remove it",
        id="opt-out-beside-a-proof",
    ),
    pytest.param(
        "ssh: {name: vps, jump: b, proxy-command: c}, run: {}",
        "2:33 deploy/ssh/jump: cannot be beside `proxy-command`: both are the route to the host\n"
        "  hint: remove `jump`",
        id="two-routes",
    ),
    pytest.param(
        "ssh: {name: vps, passphrase: geheim}, run: {}",
        "2:39 deploy/ssh/passphrase: the passphrase must come from a secret\n"
        "  hint: write for example passphrase: ${{ secrets.VPS_SSH_KEY_PASSPHRASE }}",
        id="passphrase",
    ),
    pytest.param(
        "ssh: {name: vps, proxy-command: 'nc ${{ vars.A }}'}, run: {}",
        "2:42 deploy/ssh/proxy-command: an expression is not allowed here\n"
        "  hint: write the value itself",
        id="expression-in-a-command-of-the-runner",
    ),
    pytest.param(
        "ssh: vps, run: {}, strategy: blue-green",
        "2:39 deploy/strategy: 'blue-green' is neither 'plain' nor 'proxy'\n"
        "  hint: use one of `plain` and `proxy`",
        id="strategy",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['80:80']}, strategy: proxy",
        "2:55 deploy/strategy: the proxy checks a path, and there is none\n"
        "  hint: write for example health: /up",
        id="proxy-without-a-path",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['80:80', '81:81']}, health: /, strategy: proxy",
        "2:75 deploy/strategy: needs exactly one of `ports`, and there are 2\n"
        "  hint: write the port of the proxy and the port of the app, such as 80:8080",
        id="proxy-with-two-ports",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['80:80'], volumes: ['data:/data']}, health: /, strategy: proxy",
        "2:91 deploy/strategy: with `strategy: proxy` the old and the new container run at the "
        "same time, and both would write to data:/data\n"
        "  hint: leave `strategy` out, so that the old container stops first; or mount it "
        "read-only (:ro) when the app only reads it; or set `candidate: always` when two "
        "containers of the app can write to it",
        id="proxy-with-a-volume",
    ),
    pytest.param(
        "ssh: vps, run: {ports: ['80:80']}, health: /, strategy: {proxy: {tls: true}}",
        "2:80 deploy/strategy/proxy/tls: gets a certificate for each of `hosts`, which must be "
        "full names\n  hint: write the names that users open: hosts: [shop.example.com]",
        id="certificates-without-names",
    ),
    pytest.param(
        "ssh: vps, run: {health-timeout: 90}",
        "2:26 deploy/run/health-timeout: is not a key of the spec\n"
        "  hint: this is the name of an input; in a spec it is `health/timeout`",
        id="name-of-an-input",
    ),
    pytest.param(
        "ssh: vps, run: {}, max-parallel: half",
        "2:43 deploy/max-parallel: 'half' is neither a number of hosts nor a percentage\n"
        "  hint: write for example 2 or 25%",
        id="max-parallel",
    ),
]


@pytest.mark.parametrize(("deploy", "message"), WRONG)
def test_what_is_wrong_is_reported_with_its_place(
    deploy: str, message: str, repository: Path
) -> None:
    assert problems(repository, spec(deploy)) == message


OF_SEVERAL = [
    pytest.param(
        "ssh: vps, run: {}",
        "2:25 deploy/run: does not say which of `api` and `web` runs\n"
        "  hint: write run: {image: api}; several containers are a project of `compose`",
        id="container",
    ),
    pytest.param(
        "ssh: vps, run: {image: wep}",
        "2:33 deploy/run/image: 'wep' is not one of `images`\n  hint: perhaps you meant `web`",
        id="misspelt-image",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml",
        "2:29 deploy/compose: has no service 'api', and no other gets the image of this name\n"
        "  hint: its services: `web` and `db`; say which gets it: services: {SERVICE: api}",
        id="image-without-a-service",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, services: [web]",
        "2:29 deploy/compose: has no service 'api', and no other gets the image of this name\n"
        "  hint: its services: `web` and `db`; say which gets it: services: {SERVICE: api}\n"
        "2:53 deploy/services/0: does not say which of `api` and `web` 'web' gets\n"
        "  hint: write {web: api}",
        id="service-without-an-image",
    ),
    pytest.param(
        "ssh: vps, compose: include.yml, services: {web: api}",
        "2:29 deploy/compose: gives 'api' to the service 'web', and 'web' to none\n"
        "  hint: say which gets it: services: {SERVICE: web}",
        id="service-of-another-image",
    ),
    pytest.param(
        "ssh: vps, compose: compose.yml, services: {db: api, gone: web}",
        "2:62 deploy/services/gone: 'gone' is not a service of compose.yml\n"
        "  hint: use one of `web` and `db`",
        id="unknown-service",
    ),
]


@pytest.mark.parametrize(("deploy", "message"), OF_SEVERAL)
def test_where_several_images_go_must_be_known(deploy: str, message: str, repository: Path) -> None:
    assert problems(repository, spec(deploy, IMAGES)) == message


def test_a_name_must_be_one_that_a_compose_project_can_have(repository: Path) -> None:
    text = "image: .\nname: Shop.web\ndeploy: {ssh: vps, compose: compose.yml}\n"
    assert problems(repository, text) == (
        "2:7 name: 'Shop.web' is not a name that a compose project can have\n"
        "  hint: use small letters, digits, - and _, with a letter or digit first"
    )


def test_a_problem_of_what_all_environments_share_is_reported_once(repository: Path) -> None:
    text = (
        "image: .\ndeploy: {compose: compose.yml, services: [wep]}\n"
        "environments: {a: {ssh: a}, b: {ssh: b}}\n"
    )
    assert problems(repository, text) == (
        "2:43 deploy/services/0: 'wep' is not a service of compose.yml\n"
        "  hint: perhaps you meant `web`"
    )
