"""The table of states, of a rollout as a whole."""

from __future__ import annotations

from ship.kube.causes.finding import State

UNSTABLE = State(
    "unstable",
    "the pod was ready, and is not any more{said}",
    "look in its log what has happened since it was ready",
)
SUPERSEDED = State(
    "superseded",
    "another change has set the image of the container {container} to {image} meanwhile",
    "look which run or person deployed after this one",
)
PAUSED = State(
    "paused",
    "the rollout is paused, so that no pod takes the new template",
    "resume it: kubectl rollout resume deployment/{name}",
)
DEADLINE = State(
    "progress-deadline",
    "the controller has given the rollout up: no progress for {seconds} s",
    "look at the events and pods of the Deployment, or raise its `progressDeadlineSeconds`",
)
NO_PROGRESS = State(
    "no-progress",
    "nothing has moved: {shown}",
    "look at the events and pods of the workload, or give the rollout more time",
)
NOT_OBSERVED = State(
    "not-observed",
    "the cluster has not taken up the change: its controllers do not answer",
    "look at the controller manager of the cluster, and deploy again",
)
NOTHING_RUNS = {
    "zero replicas": State(
        "zero-replicas",
        "the workload has 0 replicas, so that nothing runs the new template",
        "scale it up to see whether the new image works",
    ),
    "no node": State(
        "no-node",
        "no node fits the DaemonSet, so that nothing runs the new template",
        "check `nodeSelector`, affinity and tolerations, if there should be one",
    ),
    "OnDelete": State(
        "on-delete",
        "the update strategy is OnDelete, so that pods take the new template when they are deleted",
        "delete them one by one, or set `updateStrategy: RollingUpdate`",
    ),
    "partition": State(
        "partition",
        "the partition of the StatefulSet is as high as its replicas, so no pod takes the template",
        "lower `updateStrategy.rollingUpdate.partition`",
    ),
    "schedule": State(
        "schedule",
        "a CronJob takes the new template when it runs the next time",
        "start a run by hand to see whether it works: kubectl create job --from=cronjob/{name}",
    ),
}
