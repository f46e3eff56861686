"""The table of states, of images.

The words of the cluster are those of Kubernetes 1.37 with containerd 2.1 and runc 1.1, and where
they differ those of 1.33 with containerd 1.7. In a list the first row that fits is used.
"""

from __future__ import annotations

from ship.kube.causes.finding import NEVER, SOFT, WEAK, State

ARCHITECTURE = (
    "build it for the processor of the nodes too (`platforms` of build-push, such as "
    "linux/amd64,linux/arm64), or let the pods run only on nodes that fit (`nodeSelector`)"
)
# The second try of a pull was seen 12 to 16 s after the first: by then it has failed too.
PULLS = (
    State("wrong-architecture",
          "the image {image} was not built for the processor of the node",
          ARCHITECTURE,
          r"no match for platform|does not match the specified platform|no matching manifest",
          grace=20),
    State("registry-rate-limit",
          "the registry limits how often the cluster may pull {image}, and the limit is reached",
          "give the pods a pull secret, as a known user may pull more; or deploy again later",
          r"\b429 |toomanyrequests|too many requests|rate limit",
          grace=120, rank=SOFT),
    State("image-pull-denied",
          "the registry does not let the cluster pull the image {image} {login}: {said}",
          "{act}",
          r": 40[13] |: 40[13]$|\bdenied\b|no basic auth|unauthorized|authorization failed"
          r"|authentication required|insufficient_scope|permission_denied",
          grace=20),
    State("registry-tls",
          "the node and the registry do not agree on TLS for {image}: {said}",
          "check the certificate of the registry, and that the nodes trust its authority",
          r"x509:|tls: |TLS handshake|HTTP response to HTTPS client", grace=120, rank=SOFT),
    State("registry-unreachable",
          "the node cannot reach the registry of {image}: {said}",
          "check the name of the registry in the image, and the network and DNS of the nodes",
          r"no such host|dial tcp|i/o timeout|connection re(?:fused|set)|deadline exceeded"
          r"|Client\.Timeout|registry is unavailable|no route to host", grace=120, rank=SOFT),
    State("registry-error",
          "the registry answers with an error for {image}: {said}",
          "look at the state of the registry, and deploy again later",
          r"(?:: |status code )5\d\d\b|internal server error|service unavailable|bad gateway",
          grace=120, rank=SOFT),
    State("image-broken",
          "the node gets other bytes of {image} than the registry promises: {said}",
          "push the image again; if that does not help, look at the registry or its mirror",
          r"short read|unexpected EOF|\bEOF$|unexpected commit digest|failed precondition"
          r"|failed size validation|invalid (?:tar|checksum)", grace=120, rank=SOFT),
    State("node-disk-full",
          "the disk of a node is full, so that it cannot pull {image}",
          "free space on the node, or let it delete unused images earlier",
          r"no space left on device", grace=120, rank=SOFT),
    State("image-not-found",
          "the image {image} does not exist: the registry says not found",
          "check its name and its tag or digest, and that an earlier step has pushed it there",
          r"not found|manifest unknown|name unknown|does not exist|NAME_UNKNOWN|MANIFEST_UNKNOWN",
          grace=20),
    State("image-pull-failed",
          "the node cannot pull the image {image}: {said}",
          "the words of the registry name the reason; deploy again later if it is busy",
          "", grace=120, rank=SOFT),
)  # fmt: skip
NEVER_PULLED = State(
    "image-never-pulled",
    "the image {image} is not on the node, and `imagePullPolicy: Never` forbids to pull it",
    "set `imagePullPolicy: IfNotPresent`, or bring the image to the nodes before",
)
BAD_IMAGE_NAME = State(
    "image-name-invalid",
    "the image has no valid name, {image}: {said}",
    "correct the name: small letters, no blanks, one colon before the tag",
)
BAD_SIGNATURE = State(
    "image-signature-invalid",
    "the node does not accept the signature of {image}: {said}",
    "sign the image as the policy of the nodes asks, or change the policy",
    grace=20,
)
# Before 1.32 a back-off does not say what failed before it.
PULL_FAILED = PULLS[-1]
PULLING = State(
    "image-pulling",
    "the node is still pulling the image {image}",
    "if it is large, give the rollout more time; else look whether the registry hangs",
    grace=NEVER,
    rank=WEAK,
)
