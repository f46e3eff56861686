"""A step, the cluster in memory that it is for, and what it has said."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from doubles import Log, ScriptedProcess, ScriptedRunner
from kube_world import World
from ship.kube.client import Client
from ship.kubectl_set_image import work
from ship.kubectl_set_image.apply import Cluster
from ship.kubectl_set_image.step import run
from ship.kubectl_set_image.watch import Watch
from ship.runner.errors import Interrupted, ShipError, StepFailed
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.kubectl_set_image.given import OLD, context, inputs, template, workload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kube_api import KubeApi
    from ship.runner.command import Command

VIEW = {
    "kind": "Config", "apiVersion": "v1", "preferences": {},
    "clusters": [{"name": "c", "cluster": {"server": "https://k8s.example.com"}}],
    "users": [{"name": "u", "user": {"token": "s3cr3t-token"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    "current-context": "x",
}  # fmt: skip


class Kubectl(ScriptedRunner):
    """A kubectl whose proxy is the server of the test, and whose manifests are `objects`."""

    def __init__(self, api: KubeApi) -> None:
        self.proxy = ScriptedProcess("Starting to serve on api.sock")
        super().__init__(processes=[self.proxy])
        self.folder = ""
        # What `kubectl config view` prints.
        self.view = VIEW
        self.objects: list[dict[str, Any]] = []
        self.then: Callable[[Command], object] = lambda _: None
        self._api = api

    def start(self, command: Command, **sinks: Any) -> ScriptedProcess:
        self.folder = command.argv[2].partition("=")[2].removesuffix("/api.sock")
        self._api.serve_at(f"{self.folder}/api.sock")
        return super().start(command, **sinks)

    def run(self, command: Command, **_: Any) -> Finished:
        self.ran.append(command)
        said = ""
        if command.argv[1] == "config":
            said = json.dumps(self.view)
        elif command.argv[1] == "create":
            said = "\n".join(json.dumps(each) for each in self.objects)
        elif command.argv[1] == "apply" and "--dry-run=server" not in command.argv:
            assert command.stdin
            for each in json.loads(command.stdin.reveal())["items"]:
                if each["kind"] == "Namespace":
                    self._api.has_namespace = True
                else:
                    self._api.put(each)
                said += f"{each['metadata']['name']} serverside-applied\n"
        self.then(command)
        return Finished(0, said)


class Bed:
    """A step, the cluster that it is for, and what it has said."""

    def __init__(self, api: KubeApi, folder: Path) -> None:
        self.api = api
        self.world = World(api)
        self.log = Log(folder)
        self.kubectl = Kubectl(api)

    def has(self, *workloads: dict[str, Any]) -> None:
        for each in workloads:
            self.api.put(each)
        self.world.settle(9)

    def another_step(self) -> None:
        """Let the next run be a step of its own, with a kubectl of its own."""
        self.kubectl = Kubectl(self.api)

    def run(self, **changes: str) -> None:
        env = inputs(stability="2", kubeconfig="clusters:\n- x", **changes)
        watch = partial(Watch, clock=self.world.clock, sleep=self.world.sleep)
        with pytest.MonkeyPatch.context() as time:
            time.setattr(work, "Watch", watch)
            time.setattr(work, "Client", partial(Client, sleep=lambda _: None))
            time.setattr(work, "Cluster", partial(Cluster, sleep=lambda _: None))
            run(Step(env, context(), lambda: self.kubectl, self.log.workflow))

    def fails(self, expected: type[ShipError] = StepFailed, **changes: str) -> ShipError:
        with pytest.raises(expected) as raised:
            self.run(**changes)
        return raised.value

    def image(self, name: str = "web", kind: str = "Deployment") -> str:
        spec = self.api.get(kind, name)["spec"]["template"]["spec"]
        return str(spec["containers"][0]["image"])

    def goes_back(self) -> bool:
        """Say whether the step has begun to put something back."""
        return any("json-patch" in each.media_type for each in self.api.sent("PATCH"))

    @property
    def outputs(self) -> dict[str, str]:
        return self.log.outputs


def web(image: str = OLD, name: str = "web", **annotations: str) -> dict[str, Any]:
    return workload(template(app=image), name=name, annotations=annotations)


def cancelled() -> None:
    raise Interrupted.of("the run was cancelled (SIGINT)")
