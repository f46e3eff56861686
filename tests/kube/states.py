"""The states that a real node produces, and the cause that the action has to name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kube.app import ABSENT, PROBE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kube.app import App

LIMIT = {"resources": {"limits": {"memory": "24Mi"}}}
CONFIG = {"envFrom": [{"configMapRef": {"name": "conf"}}]}
SECRET_VOLUME = {"volumes": [{"name": "v", "secret": {"secretName": "sec"}}]}
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
FAILING = {"httpGet": PROBE["httpGet"], "periodSeconds": 1, "failureThreshold": 2}


def _nothing(_: App) -> None:
    return


@dataclass(frozen=True)
class State:
    """A way to fail: the image of the new version, and what the workload or its namespace has.

    `before` makes what the first version needs, `after` takes it away. `seen` is a part of the
    error that a person reads.
    """

    cause: str
    tag: str = "ok2"
    seen: str = ""
    image: str = ""
    repository: str = "acme/app"
    probe: bool = True
    pod: Mapping[str, Any] = field(default_factory=dict)
    container: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[App], None] = _nothing
    after: Callable[[App], None] = _nothing

    def new_image(self, app: App) -> str:
        return self.image or app.image(self.tag, self.repository)


def _make(kind: str, name: str) -> Callable[[App], None]:
    def make(app: App) -> None:
        body = {"metadata": {"name": name}, "data": {"a": "MQ=="}}
        app.cluster.api("POST", f"/api/v1/namespaces/{app.namespace}/{kind}", body)

    return make


def _remove(kind: str, name: str) -> Callable[[App], None]:
    def remove(app: App) -> None:
        app.cluster.api("DELETE", f"/api/v1/namespaces/{app.namespace}/{kind}/{name}")

    return remove


def _quota(app: App) -> None:
    body = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    app.cluster.api("POST", f"/api/v1/namespaces/{app.namespace}/resourcequotas", body)


def _pod_security(app: App) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    app.cluster.api(
        "PATCH", f"/api/v1/namespaces/{app.namespace}", {"metadata": {"labels": labels}}
    )


def _limit_range(app: App) -> None:
    limits = [{"type": "Container", "max": {"memory": "1Mi"}}]
    body = {"metadata": {"name": "l"}, "spec": {"limits": limits}}
    app.cluster.api("POST", f"/api/v1/namespaces/{app.namespace}/limitranges", body)


def _private(app: App) -> None:
    app.cluster.registry.allow("a-token-of-others", "private/*:pull")


STATES: dict[str, State] = {
    "no such image": State("image-not-found", image=ABSENT, seen=ABSENT),
    "a private image without a login": State(
        "image-pull-denied", repository="private/app", seen="401", after=_private
    ),
    "an index for another processor": State("wrong-architecture", "arm-index"),
    "a program for another processor": State("wrong-architecture", "arm-plain"),
    "a crash": State("crashed", "crash", "exit code 3"),
    "a crash without a probe": State(
        "crashed", "crash", "exit code 3", probe=False, inputs={"stability": "15"}
    ),
    "a wrong access to memory": State("crashed", "segv", "SIGSEGV"),
    "a program that ends": State("exited", "done", "exit code 0"),
    "too much memory": State("out-of-memory", "oom", "24Mi", container=LIMIT),
    "a command that may not run": State("command-not-executable", "noexec"),
    "a command that is not there": State("command-not-found", "nocmd", "/bin/nothere"),
    "no command": State("no-command", "empty"),
    "an unknown user": State("unknown-user", "baduser"),
    "a ConfigMap that is gone": State(
        "config-missing", seen='"conf"', container=CONFIG,
        before=_make("configmaps", "conf"), after=_remove("configmaps", "conf"),
    ),
    "a volume of a Secret that is gone": State(
        "config-missing", seen='"sec"', pod=SECRET_VOLUME, container=MOUNT,
        before=_make("secrets", "sec"), after=_remove("secrets", "sec"),
    ),
    "a readiness probe that fails": State(
        "readiness-failing", "unready", "404", inputs={"progress_timeout": "12"}
    ),
    "a liveness probe that fails": State(
        "liveness-failing", "unready", "404", probe=False, container={"livenessProbe": FAILING},
        inputs={"stability": "15"},
    ),
    "a startup probe that fails": State(
        "startup-failing", "unready", "404", probe=False, container={"startupProbe": FAILING},
        inputs={"stability": "15"},
    ),
    "ready, and then a crash": State(
        "crashed", "late", "exit code 4", inputs={"stability": "25", "restarts": "0"}
    ),
    "a quota": State("quota-exceeded", seen="pods=2", after=_quota),
    "a limit range": State("limit-range", container=LIMIT, after=_limit_range),
    "Pod Security": State("pod-security", seen="restricted", after=_pod_security),
}  # fmt: skip
