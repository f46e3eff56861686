"""What users do, from the spec to what runs: the cases of the table in tests/cases/README.md.

The spec of a case is rendered by the command line in a repository with the files of the case, and
act runs what GitHub would run: with real builds, the registry and the hosts of the bed. What GitHub
does otherwise than act is said at each test; the same for all of them is:

- Environments: GitHub holds secrets for each, and may ask a person before a deploy. act has one set
  of secrets and asks nobody. tests/conformance looks at the rendered `environment:`.
- Permissions, concurrency groups and time limits of jobs are not enforced by act. GitHub's own
  parser reads them in tests/conformance, and a model of its queue runs them.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bed.action_file import ROOT
from bed.deploys import clean, containers, served
from bed.http import body
from bed.outside import sites
from bed.tools import built
from git_server import WRITES, handler
from project import SLUG, TOKEN, WORKFLOWS, Project, project_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed import Bed, Host

    Story = Callable[[str], Project]

pytestmark = pytest.mark.needs("packages", "engine", "npm")

CASES = ROOT / "tests" / "cases"
# An action that does nothing.
NO_ACTION = {
    "action.yml": "name: Nothing\nruns: {using: composite, steps: [{run: echo, shell: sh}]}\n"
}
# The folder that the case `capability-gitops` names.
OVERLAY = "apps/shop/overlays/prod"
SECRET = "postgres://shop:s3cret@db/shop"


@pytest.fixture
def story(bed: Bed, tmp_path: Path) -> Iterator[Story]:
    """Begin a story: the repository of a case, with its workflows, for the host of the bed."""
    with contextlib.ExitStack() as stack:

        def begin(case: str) -> Project:
            made = stack.enter_context(project_of(CASES / case, bed, tmp_path))
            made.logs_in_to("VPS", bed.host)
            made.generate()
            return made

        yield begin
    clean(bed.host)
    # The folders of compose projects.
    bed.host.run("sh", "-c", "rm -rf /opt/app /opt/shop /home/deploy/shop /home/deploy/shop-*")


@pytest.fixture
def host(bed: Bed) -> Host:
    return bed.host


def image_of(host: Host, container: str) -> str:
    """Return the image that a container was made of."""
    return host.docker("inspect", "--format", "{{.Config.Image}}", container).stdout.strip()


def started(host: Host, container: str) -> str:
    return host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container).stdout


def environment(host: Host, container: str) -> dict[str, str]:
    """Return the environment that a container was started with, as its first process has it."""
    show = ("exec", container, "/bin/busybox", "cat", "/proc/1/environ")
    lines = host.docker(*show).stdout.split("\0")
    return dict(each.split("=", 1) for each in lines if each)


def folder_of_the_user(host: Host, path: str) -> None:
    host.run("install", "-d", "-o", host.user, "-g", host.user, path)


def version(host: Host, port: int = 8080) -> str:
    return served(host, "/version", port)


@pytest.mark.test_all
def test_a_compose_project_gets_its_files_and_keeps_those_of_the_host(
    host: Host, story: Story
) -> None:
    project = story("story-compose")
    folder_of_the_user(host, "/opt/app")
    host.write("/opt/app/.env", "GREETING=hello\n", owner=host.user)

    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"
    assert served(host, "/motd") == "We are open."
    assert host.run("cat", "/opt/app/.env").stdout == "GREETING=hello\n"

    project.change("www/motd", "open", "closed")
    second = project.push("2")
    assert second.code == 0, second.log
    assert version(host) == "2"
    assert served(host, "/motd") == "We are closed."
    assert environment(host, "app-web-1")["GREETING"] == "hello"


@pytest.mark.test_all
def test_of_several_images_only_what_has_changed_is_built_and_started(
    bed: Bed, host: Host, story: Story
) -> None:
    """On GitHub both builds run at the same time, each on a runner of its own."""
    project = story("story-monorepo")
    folder_of_the_user(host, "/opt/app")
    first = project.push("1", "backend", "frontend")
    assert first.code == 0, first.log
    assert (version(host, 8080), version(host, 8081)) == ("1", "1")
    api = started(host, "app-api-1")

    second = project.push("2", "frontend")
    assert second.code == 0, second.log
    assert (version(host, 8080), version(host, 8081)) == ("1", "2")
    assert started(host, "app-api-1") == api, "what has not changed goes on"
    assert "api is unchanged" in second.log
    assert "web is unchanged" not in second.log
    digest = bed.registry.digest(f"{SLUG}/web", "main")
    assert image_of(host, "app-web-1") == f"ghcr.io/{SLUG}/web@{digest}"


def test_a_release_puts_the_image_that_was_tested_on_staging_to_production(
    bed: Bed, host: Host, story: Story
) -> None:
    """On GitHub a person can have to approve production, and the release is made there."""
    project = story("story-staging-production")
    project.logs_in_to("STAGING", host)
    project.logs_in_to("PROD", host)
    project.secrets["DB_URL"] = SECRET

    untested = project.push("one")
    assert untested.code != 0
    assert untested.jobs() == {"Test": False}, "what is not tested is not built"
    assert containers(host) == {}

    first = project.push("1")
    assert first.code == 0, first.log
    assert (version(host, 8081), version(host, 8080)) == ("1", "")

    released = project.release("v1.0.0")
    assert released.code == 0, released.log
    assert "Deploy to staging" not in released.jobs()
    assert version(host, 8080) == "1"
    digest = bed.registry.digest(SLUG, "main")
    for container in ("shop-shop-1", "shop-staging-shop-1"):
        assert image_of(host, container) == f"ghcr.io/{SLUG}@{digest}"
    assert "already there, not built" in released.summary
    assert environment(host, "shop-shop-1")["DB_URL"] == SECRET

    second = project.push("2")
    assert second.code == 0, second.log
    assert (version(host, 8081), version(host, 8080)) == ("2", "1")
    for outcome in (first, released, second):
        assert SECRET not in outcome.log


class Site(BaseHTTPRequestHandler):
    """What users reach at shop.example.com, and who is told at pager.example.com."""

    host: ClassVar[Host]
    told: ClassVar[list[dict[str, Any]]]

    def do_GET(self) -> None:
        found = body(f"http://{self.host.ip}:8080{self.path}")
        self._answer(200 if found else 502)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append(json.loads(text))
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.mark.test_all
def test_what_users_do_not_reach_goes_back_and_a_person_puts_an_earlier_release_back(
    bed: Bed, host: Host, story: Story
) -> None:
    """On GitHub, a person starts the workflow for rollbacks in the tab *Actions*, by a form."""
    project = story("capability-health")
    project.change_the_spec("timeout: 20", "timeout: 6")
    project.secrets["PAGER_URL"] = "https://pager.example.com/hook?key=k3y"
    told: list[dict[str, Any]] = []
    site = type("Handler", (Site,), {"host": host, "told": told})
    names = ("shop.example.com", "pager.example.com")
    with sites(bed, site, *names, certificate="*.example.com"):
        first = project.push("1")
        assert first.code == 0, first.log
        assert version(host) == "1"
        assert told == [], "nobody is told of what went well"

        second = project.push("2", healthy=False)
        assert second.code != 0
        assert version(host) == "1", "the second step has put the release back"
        assert "Success - Main Put the release back" in second.log
        (message,) = told
        assert message["repository"] == SLUG
        assert message["result"] == "failure"
        assert message["jobs"] == [
            "Build and push the image: success",
            "Deploy to production: failure",
        ]
        assert "k3y" not in second.log

        third = project.push("3")
        assert third.code == 0, third.log
        assert version(host) == "3"

        back = project.by_hand("rollback.yml", release="previous")
        assert back.code == 0, back.log
        assert version(host) == "1"
    assert len(told) == 1


@pytest.mark.test_all
def test_environments_follow_each_other_and_production_is_chosen_by_hand(
    bed: Bed, host: Host, second_host: Host, story: Story
) -> None:
    """On GitHub the person chooses the environment in a form, and may be asked to approve it."""
    clean(second_host)
    project = story("environments")
    for name, there in (("STAGING", host), ("QA", host), ("PROD", second_host)):
        project.logs_in_to(name, there)
    project.secrets["DB_URL"] = SECRET

    first = project.push("1", "api")
    assert first.code == 0, first.log
    assert [version(host, 80), version(host, 81)] == ["1", "1"]
    assert containers(second_host) == {}

    second = project.push("2", "api", healthy=False)
    assert second.code != 0
    assert "Deploy to qa" not in second.jobs(), "staging has failed"
    assert [version(host, 80), version(host, 81)] == ["1", "1"]

    third = project.push("3", "api")
    assert third.code == 0, third.log
    chosen = project.by_hand(environment="production")
    assert chosen.code == 0, chosen.log
    assert set(chosen.jobs()) == {"Build and push the image", "Deploy to production"}
    assert version(second_host, 80) == "3"
    digest = bed.registry.digest(SLUG, "main")
    assert image_of(second_host, "shop") == f"ghcr.io/{SLUG}@{digest}"

    back = project.by_hand("rollback.yml", environment="qa", release="previous")
    assert back.code == 0, back.log
    assert set(back.jobs()) == {"Roll back qa"}
    assert [version(host, 80), version(host, 81)] == ["3", "1"]
    clean(second_host)


@pytest.mark.test_all
def test_commands_run_in_the_new_image_before_and_after_the_switch(
    host: Host, story: Story
) -> None:
    project = story("capability-commands")
    project.secrets["DB_URL"] = SECRET
    first = project.push("1")
    assert first.code == 0, first.log
    log = ("exec", "shop", "/bin/busybox", "cat", "/data/log")
    done = ["migrated to 1", f"warm with {SECRET}", "done"]
    assert host.docker(*log).stdout.splitlines() == done

    second = project.push("two")
    assert second.code != 0
    assert version(host) == "1"
    assert "there is no migration to this version" in second.log
    assert "the service was not touched" in second.summary
    assert host.docker(*log).stdout.splitlines() == done, "nothing runs after what has failed"
    assert SECRET not in first.log + second.log


@pytest.mark.test_all
def test_a_script_of_the_host_brings_the_version_of_the_commit(host: Host, story: Story) -> None:
    project = story("script-alone")
    folder_of_the_user(host, "/opt/shop")
    host.write("/opt/shop/deploy.sh", '#!/bin/sh\necho "$1" >/opt/shop/version\n', mode="755")
    first = project.push_files("Version 1")
    assert first.code == 0, first.log
    assert host.run("cat", "/opt/shop/version").stdout.strip() == project.git("rev-parse", "HEAD")

    host.write("/opt/shop/deploy.sh", "#!/bin/sh\necho it is closed; exit 3\n", mode="755")
    second = project.push_files("Version 2")
    assert second.code != 0
    assert "it is closed" in second.log
    assert "the script ended with exit code 3" in second.summary


@pytest.mark.test_all
@pytest.mark.needs("kustomize")
def test_the_digest_is_committed_to_the_repository_of_manifests(
    bed: Bed, story: Story, tmp_path: Path
) -> None:
    """The runner finds a git server of the test at github.com. Argo CD or Flux is not there.

    GitHub's `gh` for pull requests is played in tests/conformance/test_gitops.py, which also looks
    at the words of a step that fails: on a busy machine, act can lose the last ones.
    """
    project = story("capability-gitops")
    project.install(built("kustomize"))
    project.secrets["GITOPS_TOKEN"] = WRITES
    bare = manifests(tmp_path)
    with sites(bed, handler(bare.parents[1]), "github.com"):
        first = project.push("1")
        assert first.code == 0, first.log
        digest = bed.registry.digest(SLUG, "main")
        assert f"digest: {digest}" in shown(bare, "show", f"main:{OVERLAY}/kustomization.yaml")
        message = shown(bare, "log", "-1", "--format=%B", "main")
        assert message.startswith(f"Deploy {SLUG} to production\n\nghcr.io/{SLUG}@{digest}\n")
        assert project.git("rev-parse", "HEAD") in message

        project.secrets["GITOPS_TOKEN"] = "ghp_of_nobody"
        third = project.push("3")
        assert third.code != 0
        assert third.jobs() == {"Build and push the image": True, "Deploy to production": False}
        assert shown(bare, "log", "-1", "--format=%B", "main") == message
    assert WRITES not in first.log


def manifests(folder: Path) -> Path:
    """Make the repository of manifests, and return its folder on the server."""
    bare = folder / "git" / "acme" / "manifests.git"
    work = folder / "manifests"
    prod = work / OVERLAY
    prod.mkdir(parents=True)
    (prod / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    pod = {"containers": [{"name": "web", "image": f"ghcr.io/{SLUG}"}]}
    web = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod}
    (prod / "web.yaml").write_text(json.dumps(web))
    author = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-qm", "Begin")):
        subprocess.run(("git", *words), cwd=work, check=True)
    subprocess.run(("git", "clone", "-q", "--bare", str(work), str(bare)), check=True)
    subprocess.run(("git", "-C", str(bare), "config", "http.receivepack", "true"), check=True)
    return bare


def shown(bare: Path, *argv: str) -> str:
    return subprocess.check_output(("git", "-C", str(bare), *argv), text=True).strip()


@pytest.mark.test_all
def test_a_registry_of_ones_own_gets_a_user_and_a_token(bed: Bed, host: Host, story: Story) -> None:
    registry = bed.htpasswd_registry
    project = story("capability-registry")
    project.variables["ROBOT_NAME"] = registry.user
    project.secrets["ROBOT_TOKEN"] = registry.password
    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"
    digest = registry.digest("team/shop", "main")
    assert image_of(host, "shop") == f"{registry.name}/team/shop@{digest}"
    login = ("sh", "-c", f"cat /home/{host.user}/.docker/config.json")
    assert registry.name not in host.run(*login, check=False).stdout

    project.secrets["ROBOT_TOKEN"] = "wrong"
    second = project.push("2")
    assert second.code != 0
    assert second.jobs() == {"Build and push the image": False}
    assert version(host) == "1"


@pytest.mark.test_all
@pytest.mark.needs("buildkit")
def test_images_have_stages_arguments_platforms_and_tags(
    bed: Bed, host: Host, story: Story
) -> None:
    """Nothing runs in the build, so nothing is emulated: act cannot download what sets QEMU up."""
    bed.runner.add_buildkit_image()
    project = story("capability-images")
    project.replace("docker/setup-qemu-action", NO_ACTION)
    project.variables["REGION"] = "north"
    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"
    assert environment(host, "shop-api")["REGION"] == "north"
    assert {"main", "stable"} <= set(bed.registry.tags(f"{SLUG}/api"))
    index = bed.registry.manifest(f"{SLUG}/api", "stable")
    found = {each["platform"]["architecture"] for each in index["manifests"]}
    assert {"amd64", "arm64"} <= found
    tools = bed.registry.manifest(f"{SLUG}/tools", "main")
    assert "config" in tools, "it has one platform"


@pytest.mark.test_all
def test_only_what_paths_name_makes_a_new_image(host: Host, story: Story) -> None:
    project = story("capability-paths")
    first = project.push("1", "src")
    assert first.code == 0, first.log
    before = image_of(host, "shop")

    project.change("src/README.md", "work on", "break")
    second = project.push_files("Write documents")
    assert second.code == 0, second.log
    assert "unchanged, not built" in second.summary
    assert image_of(host, "shop") == before

    third = project.push("3", "src")
    assert third.code == 0, third.log
    assert version(host) == "3"


@pytest.mark.test_all
def test_a_container_has_all_that_the_spec_says_of_it(host: Host, story: Story) -> None:
    project = story("capability-host")
    host.docker("network", "create", "backend")
    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"
    assert host.run("curl", "-sf", "http://127.0.0.1:9090/version").stdout.strip() == "1"
    (found,) = json.loads(host.docker("inspect", "shop").stdout)
    made = found["HostConfig"]
    assert made["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert made["Memory"] == 64 * 1024 * 1024
    assert made["CapDrop"] == ["ALL"]
    assert made["Init"] is True
    assert set(found["NetworkSettings"]["Networks"]) == {"backend"}
    assert found["Config"]["Labels"]["com.example.team"] == "shop"
    assert {each["Destination"] for each in found["Mounts"]} == {"/data", "/www/host"}


@pytest.mark.test_all
def test_a_firewall_is_opened_before_the_deploy_goes_through_a_bastion(
    bed: Bed, host: Host, story: Story
) -> None:
    """The runner of the bed stands for the one in the office.

    Tailscale cannot be joined here: the case `connect` and its gates show what is rendered.
    """
    inner = bed.add_host(behind=host)
    project = story("capability-connect")
    project.platforms += ["self-hosted", "linux"]
    project.logs_in_to("VPS", inner)
    project.variables["VPS_KNOWN_HOSTS"] += host.known_hosts
    project.variables |= {"BASTION": f"{host.user}@{host.name}", "GATE": "https://gate.example.com"}
    project.secrets["GATE_TOKEN"] = "k3y"

    class Gate(Site):
        def do_POST(self) -> None:
            known = self.headers["Authorization"] == "Bearer k3y"
            if known:
                host.unblock_ssh()
            self._answer(204 if known else 403)

    host.block_ssh()
    try:
        with sites(bed, Gate, "gate.example.com"):
            first = project.push("1")
    finally:
        host.unblock_ssh()
    assert first.code == 0, first.log
    assert version(inner) == "1"
    inner.remove()
    bed.hosts.remove(inner)


@pytest.mark.test_all
def test_values_reach_the_app_as_the_spec_says_them(host: Host, story: Story) -> None:
    project = story("capability-env")
    project.secrets |= {"DB_URL": SECRET, "TOKEN": "t0ken"}
    project.variables["HOST"] = "shop.example.com"
    first = project.push("1")
    assert first.code == 0, first.log
    app = environment(host, "shop")
    sha = project.git("rev-parse", "HEAD")
    expected = {
        "DB_URL": SECRET,
        "PLAIN": "info",
        "EMPTY": "",
        "SWITCH": "on",
        "TIME": "12:30",
        "QUOTES": 'it\'s "quoted" $HOME `id` \\n',
        "HASH": "a # b: c",
        "BLANKS": "  kept  ",
        "LINES": "first\nsecond\n",
        "NO_END": "first\n  second",
        "RAGGED": "\n  first\n\n",
        "UNICODE": "grüße \U0001f600 \u2028 \x7f",
        "JOINED": "https://shop.example.com/t0ken",
        "NO": "my-secrets.example.com",
        "true": sha,
        "PATH": "/app/bin",
    }
    assert {name: app.get(name) for name in expected} == expected
    assert SECRET not in first.log
    assert "t0ken" not in first.log


@pytest.mark.test_all
def test_tests_run_beside_a_service_and_stop_what_fails(bed: Bed, host: Host, story: Story) -> None:
    """act starts services for jobs in a container only, and GitHub for all of them.

    The languages are set up by actions that act would have to download: the case
    `test-every-language` and its gates show what is rendered.
    """
    project = story("capability-test")
    for name, digest in push_tools(bed).items():
        spec = (project.folder / "gen-workflow.yml").read_text()
        (old,) = {each.split("@")[1][:71] for each in spec.split() if f"/{name}@" in each}
        project.change_the_spec(f"/{name}@{old}", f"/{name}@{digest}")

    wrong = project.push("one")
    assert wrong.code != 0
    assert wrong.jobs() == {"Test": False}
    assert containers(host) == {}

    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"


CATALOG = """\
mkdir /www
echo of-the-catalog >/www/version
touch /ready
exec httpd -f -p 8080 -h /www
"""
TOOLS = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY catalog /bin/catalog
CMD ["/bin/sh", "/bin/catalog"]
STOPSIGNAL SIGKILL
"""


def push_tools(bed: Bed) -> dict[str, str]:
    """Push the images of the test job and of its service; return their digests."""
    folder = bed.work / "tools"
    folder.mkdir(exist_ok=True)
    shutil.copy("/bin/busybox", folder)
    (folder / "catalog").write_text(CATALOG)
    (folder / "Dockerfile").write_text(TOOLS)
    names = ("tools", "catalog")
    bed.registry.allow(TOKEN, "acme/*:pull,push")
    bed.registry.allow("", *(f"acme/{name}:pull" for name in names))
    login = ("login", "ghcr.io", "-u", "octocat", "--password-stdin")
    bed.runner.run("docker", *login, input=TOKEN)
    found = {}
    for name in names:
        tag = f"ghcr.io/acme/{name}:1"
        bed.runner.run("docker", "build", "-q", "-t", tag, str(folder))
        bed.runner.run("docker", "push", "-q", tag)
        found[name] = str(bed.registry.digest(f"acme/{name}", "1"))
    bed.runner.run("docker", "logout", "ghcr.io")
    return found


@pytest.mark.test_all
def test_a_central_workflow_builds_for_a_repository_that_deploys(host: Host, story: Story) -> None:
    """act takes the central repository from a folder; GitHub checks that it may be called."""
    project = story("mode-caller")
    build = (CASES / "mode-central/build.yml").read_text()
    project.replace("example/workflows", {f"{WORKFLOWS}/build.yml": build})
    first = project.push("1")
    assert first.code == 0, first.log
    assert version(host) == "1"
    label = ("inspect", "--format", '{{index .Config.Labels "com.example.version"}}', "shop")
    assert host.docker(*label).stdout.strip() == "1.2", "what the caller gives is built"
