"""Who shares a host with a service: what is there before a deploy, and what comes in it.

A neighbour is set up beside a service that serves, or where the service shall be (`is_first`). It
may disturb the deploy in one of its phases. Afterwards it must be unharmed.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from bed.belongings import belongings
from bed.deploys import Deploy, served
from bed.label_proxy import LABELS, TRAEFIK, LabelProxy
from bed.shop import PORT, TOKEN, Shop
from bed.step import Run, RunningStep, StepResult, start_action
from forms import COMPOSE, FORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from typing_extensions import Self

    from bed import Bed, Host

HOME = "/home/deploy"
LABELS_OF_COMPOSE = "    labels:\n" + "".join(f"      - {line}\n" for line in LABELS.splitlines())
# The version of what others run.
OTHERS = "9"
STACK = """\
services:
  cache:
    image: {image}
    container_name: {name}
    env_file: [.env]
    volumes: ["data:/state", "./conf:/conf"]
    restart: unless-stopped
  queue:
    image: {image}
volumes:
  data:
"""
BY_HAND = """\
services:
  web:
    environment:
      GREETING: ${GREETING}
"""
WRONG_CLOCK = """\
#!/bin/sh
exec /usr/bin/date -d "@$(($(/usr/bin/date +%s) + {seconds}))" "$@"
"""
DATE = "/usr/local/bin/date"
DAY = 24 * 60 * 60


class App(NamedTuple):
    """A service: whose it is, and where its users ask. Those of one proxy share a port."""

    repository: str = "acme/shop"
    port: int = PORT
    site: str = ""


SHOP = App()
PRODUCTION = App(site="shop.example.com")
STAGING = App(port=8081, site="staging.example.com")
WORKER = App(port=8082, site="worker.example.com")
OTHER = App("acme/other", 8083, "other.example.com")


class Users:
    """Somebody who asks all the time. `seen` are the answers in order, each run of one once."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self.seen: list[str] = []
        self._ask = ask
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask_on(self) -> None:
        while not self._ended.is_set():
            answer = self._ask()
            if answer and self.seen[-1:] != [answer]:
                self.seen.append(answer)
            time.sleep(0.05)


class Scene:
    """A host, a form of deploy, and the app that is deployed."""

    def __init__(self, bed: Bed, host: Host, shop: Shop, workspace: Path, form: str) -> None:
        self.bed = bed
        self.host = host
        self.shop = shop
        self.form = form
        self.exits = ExitStack()
        # What the point deploys; a neighbour may change it.
        self.app = SHOP
        self.changes: dict[str, str] = {}
        self.image = ""
        self.ask: Callable[[], str] = self.served
        # What was there before the deploy, and is not of the service.
        self.theirs: Mapping[str, str] = {}
        self.others: RunningStep | None = None
        self._workspace = workspace

    def start(self, app: App, image: str, **changes: str) -> RunningStep:
        """Start to deploy an app."""
        folder = self._workspace / f"{app.repository.replace('/', '-')}-{app.port}"
        folder.mkdir(exist_ok=True)
        service = "worker" if app is WORKER else "web"
        text = COMPOSE.replace("web:", f"{service}:").replace("ghcr.io/acme/shop", Shop.name)
        text = text.replace(Shop.name, image.partition("@")[0] or Shop.name)
        text = text.replace(f"{PORT}:{PORT}", f"{app.port}:{PORT}") + LABELS_OF_COMPOSE
        (folder / "compose.yml").write_text(text)
        inputs = {
            **Deploy(self.host, folder).inputs(image, health_timeout="20", lock_timeout="120"),
            **FORMS[self.form],
            **self._inputs_of(app, service),
            "volumes": "",
            "health": "/cgi-bin/up",
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return start_action(
            "ssh-deploy",
            inputs,
            env={"GREETING": "hello"},
            workspace=folder,
            run=Run(repository=app.repository),
        )

    def _inputs_of(self, app: App, service: str) -> dict[str, str]:
        if self.form == "compose":
            # Another port alone may be a change of the file: here the environment says it.
            staging = {"environment": "staging"} if app is STAGING else {}
            return {**staging, "before": f"{service}: true", "after": f"{service}: true"}
        if self.form == "proxy":
            proxy = self.bed.kamal_proxy_image()
            return {"proxy-image": proxy, "proxy-hosts": app.site, "drain-timeout": "5"}
        return {"ports": f"{app.port}:{PORT}", "labels": LABELS}

    def deploy(self, app: App, image: str, **changes: str) -> StepResult:
        """Deploy an app, which must work."""
        result = self.start(app, image, **changes).result()
        assert result.code == 0, result.log
        return result

    def served(self, app: App | None = None, path: str = "/") -> str:
        """Return what the users of an app get, or nothing."""
        app = app or self.app
        if self.form != "proxy" or not app.site:
            return served(self.host, path, PORT if self.form == "proxy" else app.port)
        asked = ("curl", "-sf", "-H", f"Host: {app.site}", f"http://127.0.0.1:{PORT}{path}")
        return self.host.run(*asked, check=False).stdout.strip()

    def pulled(self, version: str = OTHERS) -> str:
        """Return the image of a version, which then is on the host."""
        image = self.shop.push(version)
        login = ("docker", "--config", "/run/login", "login", "ghcr.io", "-u", "octocat")
        self.host.run(*login, "--password-stdin", input=TOKEN)
        self.host.docker("--config", "/run/login", "pull", "-q", image)
        return image

    def compose_up(self, folder: str, user: str) -> None:
        up = ("docker", "compose", "up", "-d", "--pull", "never")
        self.host.run(*up, cwd=folder, user=user)


def nothing(scene: Scene) -> None:
    del scene


def has_nothing(scene: Scene) -> list[str]:
    """What it has set up is ours."""
    del scene
    return []


def keeps_all(scene: Scene) -> list[str]:
    """Return what of the neighbour has changed."""
    now = belongings(scene.host) if scene.theirs else {}
    return [
        f"{name} was {value}\nand is {now[name]}" if name in now else f"{name} is gone"
        for name, value in scene.theirs.items()
        if now.get(name) != value
    ]


class Neighbour(NamedTuple):
    """`is_unharmed` returns what was harmed. `phases` are those in which it disturbs.

    The neighbour may stop the deploy, where `may_stop` is set, and changes the container of the
    service itself, where `touches_us` is set.
    """

    set_up: Callable[[Scene], None] = nothing
    disturb: Callable[[Scene], None] | None = None
    is_unharmed: Callable[[Scene], list[str]] = keeps_all
    is_first: bool = False
    forms: tuple[str, ...] = tuple(FORMS)
    phases: tuple[str, ...] = ()
    versions: tuple[str, ...] = ("good",)
    may_stop: bool = False
    touches_us: bool = False


def start_label_proxy(scene: Scene) -> None:
    """Users come through a proxy that reads the labels of containers."""
    proxy = scene.exits.enter_context(LabelProxy(scene.host))
    if scene.form == "proxy":  # there a service has none otherwise
        scene.changes["labels"] = LABELS
        scene.deploy(SHOP, scene.shop.push("1"), labels=LABELS)
    scene.ask = lambda: proxy.ask(TRAEFIK).partition("200 ")[2]


def start_stack_beside(scene: Scene) -> None:
    start_stack(scene, "redis")


def start_stack_of_our_name(scene: Scene) -> None:
    start_stack(scene, "shop-web-1" if scene.form == "compose" else "shop")


def start_stack(scene: Scene, name: str) -> None:
    """A compose project of another person, in a folder of theirs."""
    host = scene.host
    host.write("/srv/stack/compose.yml", STACK.format(image=scene.pulled(), name=name))
    host.write("/srv/stack/.env", "GREETING=of the stack\n")
    host.write("/srv/stack/conf/cache.conf", "size = 3\n")
    scene.compose_up("/srv/stack", "root")


def deploy_production(scene: Scene) -> None:
    scene.deploy(PRODUCTION, scene.shop.push("1"))
    scene.app = STAGING


def deploy_shop_before_worker(scene: Scene) -> None:
    """A second service of the repository, with an image of its own."""
    scene.deploy(PRODUCTION, scene.shop.push("1"))
    scene.shop.push("2")
    tag = "ghcr.io/acme/worker:2"
    scene.bed.runner.docker("tag", f"{Shop.name}:2", tag)
    scene.bed.runner.run("docker", "push", "-q", tag)
    scene.image = f"ghcr.io/acme/worker@{scene.bed.registry.digest('acme/worker', '2')}"
    scene.app = WORKER


def run_beside(scene: Scene) -> None:
    """Containers whose names begin like ours, with a network, a volume and files."""
    host, image = scene.host, scene.pulled()
    host.write("/srv/hand/app.conf", "by hand\n")
    host.docker("network", "create", "hand")
    own = ("--network", "hand", "-v", "hand:/state", "-v", "/srv/hand:/conf", "-e", "GREETING=hand")
    host.docker("run", "-d", "--name", "shop-tool", "--restart", "always", *own, image)
    host.docker("create", "--name", "shop.old", *own, image)


def run_in_our_place(scene: Scene) -> None:
    """What a person made where the service shall be: a container, or a project in its folder."""
    host, image = scene.host, scene.pulled()
    if scene.form != "compose":
        host.docker("run", "-d", "--name", "shop", "-v", "hand:/state", "-e", "A=B", image)
        return
    for name, text in (
        ("compose.yml", COMPOSE.replace(Shop.name, image)),
        ("compose.override.yml", BY_HAND),
        (".env", "GREETING=by hand\n"),
    ):
        host.write(f"{HOME}/shop/{name}", text, owner=host.user)
    host.run("chown", "deploy:deploy", f"{HOME}/shop")
    scene.compose_up(f"{HOME}/shop", host.user)


def keeps_files_of_person(scene: Scene) -> list[str]:
    """The container may be replaced; what it was made of has to stay, and in effect."""
    if scene.form != "compose":
        return keeps_all(scene)
    names = (f"content {HOME}/shop/.env", f"content {HOME}/shop/compose.override.yml")
    lost = [each for each in keeps_all(scene) if each.startswith(names)]
    greeting = scene.served(path="/greeting")
    return lost + ([] if greeting == "by hand" else [f"the environment is {greeting!r}"])


def deploy_other_of_our_name(scene: Scene) -> None:
    scene.deploy(OTHER, scene.shop.push(OTHERS), name="shop")


def prune(scene: Scene) -> None:
    scene.host.docker("system", "prune", "-af", "--volumes")


def container_of_service(host: Host) -> str:
    """Return the name of the container that serves, or of the one that did."""
    names = host.docker("ps", "-a", "--format", "{{.Names}}").stdout.splitlines()
    found = [name for name in ("shop", "shop-web-1") if name in names]
    return found[0] if found else ""


def recreate(scene: Scene) -> None:
    """Make the container of the service again when it runs, as a person or a tool does."""
    name = container_of_service(scene.host)
    found = scene.host.docker("inspect", name, check=False)
    if found.returncode or not json.loads(found.stdout)[0]["State"]["Running"]:
        return
    old = json.loads(found.stdout)[0]
    body = {**old["Config"], "HostConfig": old["HostConfig"]}
    networks: dict[str, Any] = old["NetworkSettings"]["Networks"]
    body["NetworkingConfig"] = {
        "EndpointsConfig": {
            name: {"Aliases": [alias for alias in each["Aliases"] or () if alias not in old["Id"]]}
            for name, each in networks.items()
        }
    }
    # The deploy may do the same at this moment. Then the tool fails, as it may.
    scene.host.docker("stop", name, check=False)
    scene.host.docker("rm", name, check=False)
    api = ("curl", "-sf", "--unix-socket", "/var/run/docker.sock", "-d", "@-")
    create = ("-H", "Content-Type: application/json", f"http://d/containers/create?name={name}")
    scene.host.run(*api, *create, input=json.dumps(body), check=False)
    scene.host.docker("start", name, check=False)


def set_clock(host: Host, seconds: int) -> None:
    """Let the clock of a host go wrong by so many seconds, as its programs read it."""
    host.write(DATE, WRONG_CLOCK.format(seconds=seconds), mode="755")


def right_clock(host: Host) -> None:
    host.run("rm", "-f", DATE)


def jump_ahead(scene: Scene) -> None:
    set_clock(scene.host, DAY)


def jump_back(scene: Scene) -> None:
    set_clock(scene.host, -DAY)


def was_wrong_by(seconds: int) -> Callable[[Scene], None]:
    """Two releases with a clock that was wrong for the first of them."""

    def deploy_both(scene: Scene) -> None:
        set_clock(scene.host, seconds)
        scene.deploy(SHOP, scene.shop.push("4"))
        right_clock(scene.host)
        for version in ("2", "1"):
            scene.deploy(SHOP, scene.shop.push(version))

    return deploy_both


def reboot(scene: Scene) -> None:
    scene.host.power_off()
    scene.host.power_on()


def start_other(scene: Scene) -> None:
    scene.others = scene.start(OTHER, scene.shop.push(OTHERS))


def other_is_deployed(scene: Scene) -> list[str]:
    assert scene.others
    result = scene.others.result()
    found = scene.served(OTHER)
    return [] if (result.code, found) == (0, OTHERS) else [f"it serves {found!r}:\n{result.log}"]


EVERY = ("every",)
SICK = ("good", "sick", "sick-in-public")
NEIGHBOURS = {
    "a proxy that reads labels": Neighbour(
        start_label_proxy, is_unharmed=has_nothing, versions=SICK
    ),
    "a stack beside": Neighbour(start_stack_beside, versions=SICK),
    "a stack of our name": Neighbour(start_stack_of_our_name, is_first=True, may_stop=True),
    "a second environment": Neighbour(deploy_production, is_first=True, may_stop=True),
    "a second service": Neighbour(deploy_shop_before_worker, is_first=True, may_stop=True),
    "containers beside": Neighbour(run_beside, versions=SICK),
    "what a person made": Neighbour(
        run_in_our_place, is_unharmed=keeps_files_of_person, is_first=True, may_stop=True
    ),
    "another repository of our name": Neighbour(
        deploy_other_of_our_name, is_first=True, may_stop=True
    ),
    "another repository deploys": Neighbour(
        disturb=start_other, is_unharmed=other_is_deployed, phases=("look", "prepare", "switch")
    ),
    "another repository is first too": Neighbour(
        disturb=start_other, is_unharmed=other_is_deployed, phases=("look",), is_first=True
    ),
    "a prune": Neighbour(disturb=prune, phases=EVERY, may_stop=True),
    "a prune, and a sick version": Neighbour(
        disturb=prune, phases=("switch", "stopped"), versions=("sick-in-public",)
    ),
    "a container is made again": Neighbour(
        disturb=recreate, phases=EVERY, may_stop=True, touches_us=True
    ),
    "a reboot": Neighbour(disturb=reboot, phases=EVERY, may_stop=True, touches_us=True),
    "a clock jumps ahead": Neighbour(disturb=jump_ahead, phases=EVERY),
    "a clock jumps back": Neighbour(disturb=jump_back, phases=EVERY),
    "a clock was ahead": Neighbour(
        was_wrong_by(DAY), is_unharmed=has_nothing, versions=("good", "previous")
    ),
    "a clock was back": Neighbour(
        was_wrong_by(-DAY), is_unharmed=has_nothing, versions=("good", "previous")
    ),
}
