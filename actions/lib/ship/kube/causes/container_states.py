"""The table of states, of containers.

The words of the cluster are those of Kubernetes 1.37 with containerd 2.1 and runc 1.1, and where
they differ those of 1.33 with containerd 1.7. In a list the first row that fits is used.
"""

from __future__ import annotations

from ship.kube.causes.finding import NEVER, RESTARTS, SOFT, WEAK, State
from ship.kube.causes.image_states import ARCHITECTURE

# The kubelet tries again after a second, and then every 11 to 15 s: by 20 s it has tried thrice.
CONFIGS = (
    State("config-not-synced",
          "the node has not got the Secrets and ConfigMaps of the pod yet: {said}",
          "this passes by itself; if not, look at the node and its link to the API server",
          r"failed to sync .*cache", grace=60, rank=SOFT),
    State("config-missing",
          "the pod refers to a Secret or ConfigMap that is not there: {said}",
          "create it in the namespace of the workload, or correct its name and key in the template",
          r"(?:secret|configmap) \"[^\"]*\" not found|couldn't find key|non-existent .*key",
          grace=20),
    State("runs-as-root",
          "the pod asks for a user that is not root, and the image does not promise that: {said}",
          "give the image a numeric `USER`, such as USER 10001, or set `runAsUser`",
          r"runAsNonRoot", grace=20),
    State("container-config",
          "the node cannot make the container as it is described: {said}",
          "correct what the message names in the template", "", grace=20),
)  # fmt: skip
CREATES = (
    State("container-not-created",
          "the node cannot make the container: {said}",
          "if it lasts, look at the container runtime of the node",
          r"deadline exceeded|is reserved for|connection refused|connection error", grace=120,
          rank=SOFT),
    State("no-command",
          "the image names no command, and the pod gives none",
          "give the image an ENTRYPOINT or CMD, or the container a `command`",
          r"no command specified", grace=20),
    State("unknown-user",
          "the image has no such user: {said}",
          "correct USER in the Dockerfile or `runAsUser`; a number needs no entry in /etc/passwd",
          r"no users found|unable to find user|no matching entries in passwd", grace=20),
    State("container-not-created",
          "the node cannot make the container: {said}",
          "correct what the message names in the template or the image", "", grace=20),
)  # fmt: skip
# Kubelets to come may have more reasons.
OTHER_WAIT = State(
    "container-not-created",
    "the container waits: {said}",
    "look at the events of the pod and at the node",
    grace=60,
    rank=SOFT,
)
# A start that fails ends the container, and is counted: no time passes between the two.
STARTS = (
    State("wrong-architecture",
          "the program of the image {image} is for another processor than the node has",
          ARCHITECTURE, r"exec format error", times=2),
    State("command-not-found",
          "the command of the container is not in the image: {said}",
          "correct `command` in the template or ENTRYPOINT in the Dockerfile; a script also needs "
          "the interpreter that its first line names",
          r"executable file not found|no such file or directory", times=2),
    State("command-not-executable",
          "the command of the container may not be executed: {said}",
          "make the file executable in the image: RUN chmod +x, or git update-index --chmod=+x",
          r"permission denied", times=2),
    State("container-cannot-start",
          "the container cannot start: {said}",
          "correct what the message names in the template or the image", "", times=2),
)  # fmt: skip

# Containers that end.
CRASHED = State(
    "crashed",
    "the program has ended with {code}, {times}{said}",
    "the log of the container says why, in its last lines",
    times=RESTARTS,
)
EXITED = State(
    "exited",
    "the program ends by itself with exit code 0, {times}, though it is to run on{said}",
    "let the main program stay in the foreground; what ends on purpose belongs into a Job",
    times=RESTARTS,
)
OUT_OF_MEMORY = State(
    "out-of-memory",
    "the container used more memory than it may have{limit} and was killed (OOMKilled), {times}",
    "raise `resources.limits.memory`, or let the program use less",
    times=RESTARTS,
)
LIVENESS = State(
    "liveness-failing",
    "the kubelet restarts the container as its liveness probe fails, {times}: {said}",
    "check the path, port and times of `livenessProbe`; a slow start belongs into `startupProbe`",
    times=RESTARTS,
)
STARTUP = State(
    "startup-failing",
    "the kubelet restarts the container as its startup probe fails, {times}: {said}",
    "check the path and port of `startupProbe`, or give it more tries (`failureThreshold`)",
    times=RESTARTS,
)
POST_START = State(
    "post-start-failed",
    "the postStart hook fails, so that the container is killed, {times}: {said}",
    "correct the command in `lifecycle.postStart`",
    times=RESTARTS,
)

# Containers that run, and are waited for.
READINESS = State(
    "readiness-failing",
    "the container runs, but its readiness probe fails ({times}): {said}",
    "check the path and port of `readinessProbe`, and in the log what the program waits for",
    grace=NEVER,
    rank=SOFT,
)
STARTING_UP = State(
    "startup-probe-not-passed",
    "the container runs, but its startup probe has not passed ({times}): {said}",
    "check the path and port of `startupProbe`, and in the log what the program waits for",
    grace=NEVER,
    rank=SOFT,
)
INIT_RUNS = State(
    "init-container-running",
    "the init container still runs, and the others wait for it",
    "look in its log what it waits for",
    grace=NEVER,
    rank=WEAK,
)
NOT_READY = State(
    "not-ready",
    "the container runs, but is not ready yet",
    "look in its log what it waits for, or give the rollout more time",
    grace=NEVER,
    rank=WEAK,
)
