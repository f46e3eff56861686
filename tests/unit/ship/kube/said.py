"""What Kubernetes 1.37.2 with containerd 2.1.9 and runc 1.1.5 was heard to say."""

from __future__ import annotations

from unit.ship.kube.objects import BAD

UNPACK = f'failed to pull and unpack image "{BAD}": '
RESOLVE = f"{UNPACK}failed to resolve image: "
NOT_FOUND = f"rpc error: code = NotFound desc = {RESOLVE}{BAD}: not found"
MANIFEST = "https://ghcr.io/v2/acme/app/manifests/nope?ns=ghcr.io"
TOKEN = "https://ghcr.io/token?scope=repository%3Aacme%2Fapp%3Apull&service=ghcr.io"
ANONYMOUS = (
    f"{RESOLVE}failed to authorize: failed to fetch anonymous token: unexpected status from GET "
    f"request to {TOKEN}: 401 Unauthorized"
)
NO_PLATFORM = (
    "rpc error: code = NotFound desc = get image config descriptor: no match for platform in "
    "manifest sha256:0000: not found"
)
HUB_LIMIT = (
    "toomanyrequests: You have reached your pull rate limit as 'acmebot': dckr_jti_YWNtZQ-. You "
    "may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate"
)
# What the registry says, and the cause that it is.
PULLS = {
    NOT_FOUND: "image-not-found",
    f'failed to resolve reference "{BAD}": {BAD}: not found': "image-not-found",
    NO_PLATFORM: "wrong-architecture",
    "no match for platform in manifest: not found": "wrong-architecture",
    ANONYMOUS: "image-pull-denied",
    (
        f"{RESOLVE}failed to authorize: failed to fetch oauth token: unexpected status from GET "
        f"request to {TOKEN}: 403 Forbidden"
    ): "image-pull-denied",
    (
        f"{RESOLVE}pull access denied, repository does not exist or may require authorization: "
        "authorization failed: no basic auth credentials"
    ): "image-pull-denied",
    f"{RESOLVE}unexpected status from HEAD request to {MANIFEST}: 401 Unauthorized": (
        "image-pull-denied"
    ),
    f"{RESOLVE}unexpected status from HEAD request to {MANIFEST}: 403 Forbidden": (
        "image-pull-denied"
    ),
    f"{RESOLVE}unexpected status from HEAD request to {MANIFEST}: 429 Too Many Requests": (
        "registry-rate-limit"
    ),
    HUB_LIMIT: "registry-rate-limit",
    f"{RESOLVE}unexpected status from HEAD request to {MANIFEST}: 500 Internal Server Error": (
        "registry-error"
    ),
    f"{RESOLVE}unexpected status from HEAD request to {MANIFEST}: 503 Service Unavailable": (
        "registry-error"
    ),
    f'{RESOLVE}failed to do request: Head "{MANIFEST}": dial tcp 10.0.0.1:443: connect: '
    "connection refused": "registry-unreachable",
    f'{RESOLVE}failed to do request: Head "{MANIFEST}": dial tcp: lookup ghcr.io: no such host': (
        "registry-unreachable"
    ),
    f'{RESOLVE}failed to do request: Head "{MANIFEST}": dial tcp 10.0.0.1:443: i/o timeout': (
        "registry-unreachable"
    ),
    f'{RESOLVE}failed to do request: Head "{MANIFEST}": tls: failed to verify certificate: x509: '
    "certificate is valid for 127.0.0.1, 10.96.0.1, not 10.214.0.1": "registry-tls",
    f'{RESOLVE}failed to do request: Head "{MANIFEST}": tls: first record does not look like a '
    "TLS handshake": "registry-tls",
    f"{UNPACK}short read: expected 1094412 bytes but got 1000: unexpected EOF": "image-broken",
    f"rpc error: code = FailedPrecondition desc = {UNPACK}unexpected commit digest sha256:11, "
    "expected sha256:22: failed precondition": "image-broken",
    f"{UNPACK}write /var/lib/x: no space left on device": "node-disk-full",
    f"{UNPACK}something that nobody has heard of": "image-pull-failed",
}
FOR_GOOD = ("image-not-found", "wrong-architecture", "image-pull-denied")

CONFIGS = {
    'configmap "conf" not found': "config-missing",
    "couldn't find key b in ConfigMap shop/conf": "config-missing",
    'secret "sec" not found': "config-missing",
    "couldn't find key b in Secret shop/sec": "config-missing",
    'container has runAsNonRoot and image will run as root (pod: "web-1_shop(3ed901df-b0b0-485e-'
    '9f81-52ced086a404)", container: app)': "runs-as-root",
    "container has runAsNonRoot and image has non-numeric user (root), cannot verify user is "
    "non-root": "runs-as-root",
    "something else is wrong with it": "container-config",
}
CREATES = {
    f'failed to generate container "{"1b" * 32}" spec: failed to generate spec: no command '
    "specified": "no-command",
    "failed to create containerd container: mount callback failed on /run/containerd/tmpmounts/"
    "containerd-mount2910034336: no users found": "unknown-user",
    "failed to create containerd container: something else": "container-not-created",
}
_RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc "
    "create failed: unable to start container process: "
)
STARTS = {
    f'{_RUNC}exec: "nope": executable file not found in $PATH': "command-not-found",
    f'{_RUNC}exec: "/bin/nothere": stat /bin/nothere: no such file or directory: unknown': (
        "command-not-found"
    ),
    f'{_RUNC}exec: "/bin/app": permission denied': "command-not-executable",
    f"{_RUNC}error during container init: mkdir /bin/app: not a directory": (
        "container-cannot-start"
    ),
    f"{_RUNC}exec /bin/app: exec format error": "wrong-architecture",
}
MOUNTS = {
    'MountVolume.SetUp failed for volume "v" : secret "sec" not found': ("config-missing", 20),
    'MountVolume.SetUp failed for volume "v" : configmap "conf" not found': ("config-missing", 20),
    'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: b': (
        "config-missing", 20,
    ),
    'MountVolume.SetUp failed for volume "v" : hostPath type check failed, /nothere is not a '
    'directory, unable to determine its type: path "/nothere" does not exist': (
        "volume-not-mounted", 30,
    ),
    'MountVolume.SetUp failed for volume "kube-api-access-tvqbp" : failed to sync configmap cache: '
    "timed out waiting for the condition": ("config-not-synced", 120),
    'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice '
    "failed: rpc error: code = DeadlineExceeded desc = context deadline exceeded": (
        "volume-not-mounted", 120,
    ),
    'MountVolume.SetUp failed for volume "pvc-1" : driver name ebs.csi.aws.com not found in the '
    "list of registered CSI drivers": ("volume-not-attached", 120),
}  # fmt: skip
REFUSALS = {
    'pods "web-7d9f-6zdk5" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, '
    "limited: pods=1": ("quota-exceeded", 15),
    'pods "web-7d9f-fck6c" is forbidden: failed quota: q: must specify requests.cpu for: app': (
        "quota-exceeded", 15,
    ),
    'pods "web-7d9f-v2n86" is forbidden: maximum memory usage per Container is 1Gi, but limit is '
    "2Gi": ("limit-range", 15),
    'pods "web-7d9f-c97cl" is forbidden: violates PodSecurity "restricted:latest": '
    "allowPrivilegeEscalation != false": ("pod-security", 15),
    "pods \"web-7d9f-c97cl\" is forbidden: ValidatingAdmissionPolicy 'digest' with binding 'digest'"
    " denied request: images must be pinned by digest": ("admission-denied", 15),
    'admission webhook "policy.example.com" denied the request: no latest': (
        "admission-denied", 15,
    ),
    'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: '
    'Post "https://hook.svc/x?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused': (
        "webhook-unreachable", 60,
    ),
    'pods "web-7d9f-" is forbidden: error looking up service account shop/nobody: serviceaccount '
    '"nobody" not found': ("service-account-missing", 15),
    'pods "web-7d9f-" is forbidden: pod rejected: RuntimeClass "gvisor" not found': (
        "runtime-class-missing", 15,
    ),
    'Pod "web-7d9f-jvfwc" is invalid: spec.containers[0].image: Invalid value: " ghcr.io/acme/app:'
    'ok": must not have leading or trailing whitespace': ("pod-invalid", 15),
    'pods "web-7d9f-x" is forbidden: unable to create new content in namespace shop because it is '
    "being terminated": ("namespace-terminating", 15),
    'Operation cannot be fulfilled on resourcequotas "q": the object has been modified': (
        "pod-refused", 60,
    ),
    "something that nobody has heard of": ("pod-refused", 30),
}  # fmt: skip
NO_ROOM = (
    "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 "
    "Preemption is not helpful for scheduling."
)
UNSCHEDULABLE = {
    NO_ROOM: "unschedulable",
    "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.": "unschedulable",
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.": (
        "unschedulable"
    ),
    "0/1 nodes are available: 1 node(s) had untolerated taint(s).": "unschedulable",
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.": "unschedulable",
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.": (
        "unschedulable"
    ),
    '0/1 nodes are available: persistentvolumeclaim "data" not found. not found': (
        "volume-claim-missing"
    ),
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found": (
        "volume-claim-missing"
    ),
}
SYSCTL = 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'
HOOK = (
    'Exec lifecycle hook ([sh -c echo hook says no; exit 9]) for Container "app" in Pod "web-1" '
    "failed - error: command 'sh -c echo hook says no; exit 9' exited with 9: , message: "
    '"hook says no\\n"'
)
