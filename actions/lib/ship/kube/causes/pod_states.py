"""The table of states, of pods.

The words of the cluster are those of Kubernetes 1.37 with containerd 2.1 and runc 1.1, and where
they differ those of 1.33 with containerd 1.7. In a list the first row that fits is used.
"""

from __future__ import annotations

from ship.kube.causes.finding import HARD, LAST, NEVER, SOFT, WEAK, State

# Only events tell of volumes and sandboxes.
VOLUMES = (
    State("config-not-synced",
          "the node has not got the Secrets and ConfigMaps of the pod yet: {said}",
          "this passes by itself; if not, look at the node and its link to the API server",
          r"failed to sync .*cache|not registered$", grace=120, times=3, rank=SOFT),
    State("config-missing",
          "a volume refers to a Secret or ConfigMap that is not there: {said}",
          "create it in the namespace of the workload, or correct its name and key in the template",
          r"(?:secret|configmap) \"[^\"]*\" not found|non-existent .*key", grace=20, times=3),
    State("volume-in-use",
          "another node still has a volume of the pod: {said}",
          "wait until the old pod has gone; a Deployment with a volume of one node needs "
          "`strategy: Recreate`",
          r"Multi-Attach|already (?:exclusively )?attached|still in use", grace=NEVER, rank=SOFT),
    State("volume-not-attached",
          "the node cannot attach a volume of the pod: {said}",
          "look at the volume and at the CSI driver of the node",
          r"AttachVolume|driver name .* not found", grace=120, times=3, rank=SOFT),
    State("volume-not-mounted",
          "the node cannot mount a volume of the pod: {said}",
          "look at the server of the volume, and at the network of the node",
          r"timed? ?out|deadline ?exceeded|connection (?:refused|reset)", grace=120, times=3,
          rank=SOFT),
    State("volume-not-mounted",
          "the node cannot mount a volume of the pod: {said}",
          "correct the volume that the message names", "", grace=30, times=3),
)  # fmt: skip
SANDBOXES = (
    State("out-of-memory",
          "the memory limit of the pod is too low to start anything in it: {said}",
          "raise `resources.limits.memory`", r"OOM-killed|memory limit too low", grace=30, times=3),
    State("sandbox-failed",
          "the node cannot make the sandbox of the pod: {said}",
          "look at the network plugin (CNI) and the container runtime of the node",
          "", grace=120, times=3, rank=SOFT),
)  # fmt: skip
CREATING = State(
    "container-creating",
    "the node has not started the container yet, and does not say why",
    "look at the events of the pod and at the node",
    grace=NEVER,
    rank=LAST,
)

# Pods that are not made at all.
REFUSALS = (
    State("webhook-unreachable",
          "an admission webhook cannot be asked, so that no pod can be made: {said}",
          "bring the service of the webhook up again, or ask the operator of the cluster",
          r"failed calling webhook|failed to call webhook", grace=60),
    State("quota-exceeded",
          "a quota of the namespace lets no further pod be made: {said}",
          "raise the quota, free some of it, or ask for less in `resources`; a rolling update "
          "needs room for the pods of `maxSurge`",
          r"exceeded quota|failed quota|insufficient quota", grace=15, patient=True),
    State("limit-range",
          "a LimitRange of the namespace does not allow the pod: {said}",
          "change `resources` in the template to what the range allows",
          r"(?:maximum|minimum) \S+ usage per|limit to request ratio", grace=15),
    State("pod-security",
          "the Pod Security level of the namespace does not allow the pod: {said}",
          "set the `securityContext` that the message asks for",
          r"violates PodSecurity", grace=15),
    State("admission-denied",
          "a policy of the cluster denies the pod: {said}",
          "change the template or the image as the policy asks",
          r"denied (?:the )?request|ValidatingAdmissionPolicy|denied by", grace=15),
    State("service-account-missing",
          "the service account of the pod does not exist: {said}",
          "create it in the namespace, or correct `serviceAccountName`",
          r"service ?account .*not found", grace=15),
    State("runtime-class-missing",
          "the RuntimeClass of the pod does not exist: {said}",
          "create it, or correct `runtimeClassName`",
          r"RuntimeClass .*not found", grace=15),
    State("namespace-terminating",
          "the namespace is being deleted, so that no pod can be made",
          "deploy to another namespace, or create this one again when it has gone",
          r"is being terminated", grace=15),
    State("pod-invalid",
          "the API server does not accept the pods of this template: {said}",
          "correct the field that the message names",
          r"\bis invalid: ", grace=15),
    State("pod-refused",
          "the API server did not make a pod for a moment: {said}",
          "this passes by itself; if not, look at the API server",
          r"etcdserver|timed? ?out|deadline exceeded|Internal error|object has been modified"
          r"|Operation cannot be fulfilled|connection refused", grace=60, rank=SOFT),
    State("pod-refused",
          "the API server makes no pod of this template: {said}",
          "correct what the message names", "", grace=30),
)  # fmt: skip

# Pods that get no node.
SCALING_UP = State(
    "waiting-for-a-node",
    "the autoscaler is adding a node for the pod: {said}",
    "if no node comes, look at the limits of its node groups",
    grace=NEVER,
    rank=WEAK,
)
UNSCHEDULABLE = (
    State("volume-claim-missing",
          "no node can take the pod, as its volume claim is not there or not bound: {said}",
          "create the PersistentVolumeClaim, or a volume or StorageClass that fits it",
          r"persistentvolumeclaim|unbound .*PersistentVolumeClaim", grace=60, patient=True),
    State("unschedulable",
          "no node can take the pod: {said}",
          "ask for less in `resources`, add nodes, or correct `nodeSelector`, affinity and "
          "tolerations: the message counts the nodes by reason",
          "", grace=60, patient=True),
)  # fmt: skip
GATED = State(
    "scheduling-gated",
    "the pod waits for its scheduling gates: {gates}",
    "look why the controller that set the gates does not remove them",
    grace=NEVER,
    rank=SOFT,
)
NO_SCHEDULER = State(
    "no-scheduler",
    "the pod has no node, and its scheduler {scheduler} does not say why",
    "look whether this scheduler runs; a pod of another name of `schedulerName` waits for ever",
    grace=NEVER,
    rank=WEAK,
)

# Pods that have failed as a whole.
REJECTED = State(
    "pod-rejected",
    "the node does not accept the pod: {said}",
    "correct what the message names in the template; the pod would be made again and again",
)
EVICTED = State(
    "evicted",
    "the node has evicted pods of this template: {said}",
    "raise the limit that the message names, or let the program use less",
    times=3,
)
REPLACED = State(
    "pod-replaced",
    "the pod ended for a reason outside of it, and another takes its place: {said}",
    "look at the nodes of the cluster",
    grace=NEVER,
    rank=LAST,
)
NODE_LOST = State(
    "node-lost",
    "the node {node} of the pod is not ready",
    "look at this node: the rollout waits for it, or for another pod in its place",
    grace=NEVER,
    rank=LAST,
)

# Pods that are waited for.
READINESS_GATE = State(
    "readiness-gate",
    "the containers are ready, but a readiness gate of the pod is not: {said}",
    "look at the controller that sets this condition, such as that of the load balancer",
    grace=NEVER,
    rank=SOFT,
)
OLD_POD = State(
    "stuck-on-an-old-pod",
    "a pod of another template is broken, and the StatefulSet replaces no pod before it is "
    "ready: {why}",
    "delete this pod: it then comes back with the new template",
    grace=NEVER,
    rank=HARD,
)
