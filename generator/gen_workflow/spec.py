"""The spec as data: YAML text in, named tuples out, or everything that is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import checks, document, keys, reading, variables
from gen_workflow.document import Problems, Value
from gen_workflow.errors import SpecError
from gen_workflow.images import Image, read_image
from gen_workflow.pins import Pin
from gen_workflow.ssh import Ssh, read_ssh

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.variables import Variable

EXAMPLE = """\
image: .
deploy:
  ssh: vps
  run: {ports: ["8080:8080"], env: [GREETING]}
  health: /health
"""

_REMOTE = re.compile(r"(?P<repository>[A-Za-z0-9][\w-]*/[\w.-]+)@(?P<sha>[0-9a-f]{40})")


class Run(NamedTuple):
    """A container started with docker run."""

    ports: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    volumes: tuple[str, ...] = ()
    network: str = ""
    restart: str = ""
    health_timeout: str = ""


class Deploy(NamedTuple):
    """A host and what runs there."""

    ssh: Ssh
    run: Run
    health: str = ""


class Spec(NamedTuple):
    """All that a spec says."""

    image: Image
    name: str = ""
    branches: tuple[str, ...] = ("main",)
    deploy: Deploy | None = None
    environment: str = "production"
    actions: Pin | None = None


def load(raw: bytes, source: str, folder: str) -> Spec:
    """Return the spec in `raw`, whose paths are relative to `folder`.

    Raises SpecError with every problem; `source` is how they name the file.
    """
    text = document.decode(raw, source)
    root = document.parse(text, source)
    if root is None or root.kind == "nothing":
        raise SpecError((f"{source}:1:1 is empty\n  hint: {how_to_write_one()}",))
    problems = Problems(source)
    spec = _Loader(problems, folder, text).spec(root)
    problems.raise_any()
    if spec is None:  # pragma: no cover - a spec that is refused has problems
        raise SpecError((f"{source}:1:1 cannot be read",))
    return spec


def how_to_write_one() -> str:
    """Return the hint for somebody who has no spec yet."""
    return "a spec can be as short as this:\n" + "".join(
        f"    {line}\n" for line in EXAMPLE.splitlines()
    ).rstrip("\n")


class _Loader:
    """Reads the sections of one spec; whatever is wrong goes to the problems."""

    def __init__(self, problems: Problems, folder: str, text: str) -> None:
        self._problems = problems
        self._folder = folder
        self._text = text

    def spec(self, root: Value) -> Spec | None:
        found = reading.section(root, self._problems, keys.SPEC)
        if found is None:
            return None
        said = self._says(root, "images") or reading.misspelt(root, "image", keys.SPEC)
        if "image" not in found and not said:
            hint = "`image: .` builds the Dockerfile in the root of the repository"
            self._problems.add(root, "`image` is missing", hint)
        image = (
            read_image(found["image"], self._folder, self._problems) if "image" in found else None
        )
        deploy = self._deploy(found["deploy"]) if "deploy" in found else None
        name = self._one(found, "name", checks.container)
        branches = self._branches(found["on"]) if "on" in found else ("main",)
        environment = self._one(found, "environment", checks.environment) or "production"
        actions = self._actions(found["actions"]) if "actions" in found else None
        if image is None:
            return None
        return Spec(image, name, branches, deploy, environment, actions)

    def _one(
        self, found: dict[str, Value], key: str, check: Callable[[Value, Problems], str | None]
    ) -> str:
        return (check(found[key], self._problems) or "") if key in found else ""

    @staticmethod
    def _says(section: Value, *keys: str) -> bool:
        return any(key.text in keys for key, _ in section.pairs())

    def _branches(self, value: Value) -> tuple[str, ...]:
        if value.kind == "a mapping":
            hint = "name a branch or a list of branches, such as main"
            self._problems.add(value, f"a mapping here {reading.NOT_YET}", hint)
            return ()
        if value.kind == "a list" and not value.items():
            self._problems.add(value, "is empty", "name at least one branch, or leave `on` out")
        return self._each(value.items() if value.kind == "a list" else [value], checks.branch)

    def _deploy(self, value: Value) -> Deploy | None:
        found = reading.section(value, self._problems, keys.DEPLOY)
        if found is None:
            return None
        self._missing(value, found)
        ssh = read_ssh(found["ssh"], self._problems) if "ssh" in found else None
        run = self._run(found["run"]) if "run" in found else None
        health = self._one(found, "health", checks.health)
        if health and run is not None:
            self._can_be_asked(found["health"], run, found["run"])
        return Deploy(ssh, run, health) if ssh and run else None

    def _missing(self, value: Value, found: dict[str, Value]) -> None:
        if self._says(value, *keys.DEPLOY.later):
            return  # it says what is deployed, and where, in a way that is refused already
        if "ssh" not in found and not reading.misspelt(value, "ssh", keys.DEPLOY):
            self._problems.add(value, "`ssh` is missing", "name the host to deploy to: ssh: vps")
        if "run" not in found and not reading.misspelt(value, "run", keys.DEPLOY):
            hint = 'say how the container runs: run: {ports: ["8080:8080"]}'
            self._problems.add(value, "`run` is missing", hint)

    def _can_be_asked(self, health: Value, run: Run, where: Value) -> None:
        if not run.ports and not self._says(where, "ports"):
            hint = 'publish one: run: {ports: ["8080:8080"]}'
            self._problems.add(health, "needs a published port to be asked at", hint)
        elif run.ports and run.ports[0].endswith("/udp"):
            what = f"is asked at the first published port, and {run.ports[0]} is not TCP"
            self._problems.add(health, what, "put a TCP port first")

    def _run(self, value: Value) -> Run | None:
        found = reading.section(value, self._problems, keys.RUN)
        if found is None:
            return None
        ports = self._list(found, "ports", checks.port, '["8080:8080"]', checks.port_taken)
        volumes = self._list(found, "volumes", checks.volume, '["data:/var/lib/app"]')
        env = variables.read_env(found["env"], self._problems) if "env" in found else ()
        network = self._one(found, "network", checks.network)
        restart = self._one(found, "restart", checks.restart)
        timeout = self._one(found, "health-timeout", checks.health_timeout)
        return Run(ports, env, volumes, network, restart, timeout)

    def _list(
        self,
        found: dict[str, Value],
        key: str,
        check: Callable[[Value, Problems], str | None],
        example: str,
        taken: Callable[[str], object] = str,
    ) -> tuple[str, ...]:
        if key not in found:
            return ()
        return self._each(reading.items(found[key], self._problems, example), check, taken)

    def _each(
        self,
        values: list[Value],
        check: Callable[[Value, Problems], str | None],
        taken: Callable[[str], object] = str,
    ) -> tuple[str, ...]:
        """Return the values that are right; `taken` tells what of each can be there only once."""
        seen: dict[object, str] = {}
        for value in values:
            one = check(value, self._problems)
            if one is None:
                continue
            if first := seen.get(taken(one)):
                what = "is there twice" if first == one else f"takes what {first!r} takes already"
                self._problems.add(value, f"{one!r} {what}", "keep one of them")
            else:
                seen[taken(one)] = one
        return tuple(seen.values())

    def _actions(self, value: Value) -> Pin | None:
        found = reading.section(value, self._problems, keys.ACTIONS)
        if not found:
            return None
        remote = found["remote"]
        written = reading.text(remote, self._problems, "owner/repository@<40 hex> # v1.2.3")
        if written is None:
            return None
        match = _REMOTE.fullmatch(written)
        if match is None:
            what = f"{written!r} is not a repository at a full commit"
            self._problems.add(remote, what, "write owner/repository@<40 hex digits> # v1.2.3")
            return None
        rest = self._text[remote.node.end_mark.index :].partition("\n")[0]
        comment = re.search(r"\s#\s*(v\d[\w.+-]*)\s*$", rest)
        if comment is None:
            hint = "end the line with the release that the commit is, such as # v1.2.3"
            self._problems.add(remote, "does not say its version", hint)
            return None
        return Pin(match["repository"], match["sha"], comment[1])
