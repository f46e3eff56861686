"""What buildx prints when a build fails: the cause, the next act, and the page, as a table.

The page is a heading of docs/errors.md, as an anchor.
"""

from __future__ import annotations

from ship.runner.errors import Problem
from ship.runner.named_tuple import NamedTuple

NO_ENGINE = (
    r"Cannot connect to the Docker daemon|failed to connect to the docker API"
    r"|permission denied while trying to connect|error during connect"
)


class Cause(NamedTuple):
    """What buildx or Docker's client prints, as a pattern; then what it means.

    `cause` may refer to the groups of the pattern. `anchor` is the heading in docs/errors.md.
    """

    pattern: str
    cause: str
    act: str
    anchor: str


_SOURCE = r"failed to resolve source metadata for (\S+):"
# The first match is used.
OF_THE_ENGINE = (
    # Of podman-docker, of Podman's own help, and of its answer to `docker info`.
    Cause(r"Emulate Docker CLI using podman|['`]podman \w|in type \*?define\.",
     "the command `docker` of this runner is Podman, which is no Docker and has no buildx",
     ("install Docker's client with its buildx plugin and a Docker Engine, and remove "
      "podman-docker; or use a GitHub-hosted runner, which has them"),
     "docker-is-podman"),
    Cause(r"TLS data loaded from environment",
     ("the engine is reached over TLS with certificates that variables name (DOCKER_HOST, "
      "DOCKER_CERT_PATH), and buildx makes no builder from variables"),
     ("in steps before this one run `docker context create engine`, and docker/setup-buildx-action "
      "with `endpoint: engine`: its builder is then used"),
     "an-engine-over-tls"),
    Cause(r"(?:docker endpoint|ERROR|failed to build): open (\S*(?:ca|cert|key)\.pem): ([^\n]+)",
     r"the certificates of the engine cannot be read: \1 (\2)",
     ("let DOCKER_CERT_PATH name the folder that has ca.pem, cert.pem and key.pem; an engine in a "
      "container beside the runner (dind) writes them when it starts, into a volume of both"),
     "an-engine-over-tls"),
    Cause(r"(?:error during connect|failed to connect to the docker API)[^\n]*?"
     r"((?:x509|tls): [^\n]+|HTTP response to HTTPS client)|(HTTP request to an HTTPS server)",
     r"the runner and the engine do not agree on TLS: \1\2",
     ("port 2376 with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH is with TLS, port 2375 without them "
      "is not; a certificate must name the host that DOCKER_HOST has"),
     "an-engine-over-tls"),
    Cause(r"is not a docker command|unknown command: docker buildx|unknown flag: --",
     "Docker on this runner has no buildx plugin, or one that is too old",
     "install docker-buildx-plugin 0.13 or newer, or use a GitHub-hosted runner, which has it",
     "buildx-is-missing"),
    Cause(rf"(?:{NO_ENGINE})[^\n]*",
     r"the Docker engine of the runner cannot be used: \g<0>",
     "start it, and give the runner's user access; a container job needs the Docker socket",
     "the-engine-cannot-be-used"),
)  # fmt: skip
CAUSES = (
    *OF_THE_ENGINE,
    Cause(r"no builder .* found",
     "buildx has no builder with this name",
     "check the input `builder`, or make the builder in a step before this one",
     "a-builder-that-does-not-exist"),
    Cause(r'image "([^"]+)": already exists',
     r"another run on this engine has used the name \1 for its own image",
     "run the job again; with a tag that never moves, such as `type=sha`, the runs do not collide",
     "another-run-has-used-the-name"),
    Cause(r"no space left on device",
     "the disk of the runner is full",
     "free space before the build, or use a larger runner",
     "the-disk-of-the-runner-is-full"),
    Cause(r"dockerfile parse error (?:on )?line (\d+): ([^\n]+)",
     r"the Dockerfile has a syntax error on line \1: \2",
     "correct this line",
     "the-dockerfile-has-a-syntax-error"),
    Cause(r"dockerfile parse error|unknown instruction",
     "the Dockerfile has a syntax error",
     "correct the line that the log names",
     "the-dockerfile-has-a-syntax-error"),
    Cause(r"failed to read dockerfile: ([^\n]+)",
     r"buildx cannot read the Dockerfile: \1",
     "check the input `file`; a link must lead to a file in its own folder",
     "a-dockerfile-that-is-a-link"),
    Cause(r"base name \((.+?)\) should not be blank",
     r"the variable in `FROM \1` has no value",
     "give it in `build-args`, or give it a default in an ARG line before the first FROM",
     "a-from-line-that-names-no-image"),
    Cause(r'failed to parse stage name "([^"\n]*)": ([^\n]+)',
     r"a FROM line of the Dockerfile names no image: \1 (\2)",
     ("a name has small letters only; a variable in it needs a value in `build-args`, or a default "
      "in an ARG line before the first FROM"),
     "a-from-line-that-names-no-image"),
    Cause(r"failed to configure registry cache (?:im|ex)porter: ([^\n]+)",
     r"`cache-from` or `cache-to` names no image: \1",
     "correct its `ref=`, which has small letters only",
     "a-cache-that-is-not-accepted"),
    Cause(r"unset ssh forward key (\S+)",
     r"the Dockerfile mounts an SSH agent that the step does not give: \1",
     "name it in the input `ssh`",
     "an-ssh-agent-is-missing"),
    Cause(r"invalid empty ssh agent socket",
     "the input `ssh` names an SSH agent, and none runs on this runner",
     "start one in a step before this one, so that SSH_AUTH_SOCK is set",
     "an-ssh-agent-is-missing"),
    Cause(r"target stage .* could not be found",
     "the Dockerfile has no stage with the name that `target` gives",
     "check the input `target` against the `FROM … AS name` lines",
     "no-stage-of-this-name"),
    Cause(r'failed to calculate checksum of ref .*?(?:: "([^"\n]+)")?: not found',
     r"a file that the Dockerfile copies is not in the context: \1",
     "check its path, which is relative to the input `context`, and the .dockerignore",
     "a-file-that-is-not-in-the-context"),
    Cause(r"unsupported frontend capability \S+\.contexts",
     "this builder, or the frontend of the line `# syntax=`, knows no build contexts by name",
     ("`build-contexts` uses them, and so do `skip-unchanged` and `paths` for base images: take "
      "Docker 23 or newer and `# syntax=docker/dockerfile:1`, or leave these inputs out"),
     "a-builder-without-build-contexts"),
    Cause(r"failed to resolve source metadata for (\S+@sha256:\w+): .*not found",
     r"the builder finds no image \1",
     ("where the Dockerfile names this digest, correct it; else the registry has it and a mirror "
      "that the builder uses lags behind: run the job again later"),
     "an-image-that-does-not-exist"),
    Cause(rf"{_SOURCE} .*not found",
     r"there is no image \1",
     "check its name and tag where it stands: in the Dockerfile, or in the input `sbom`",
     "an-image-that-does-not-exist"),
    Cause(r"exec format error",
     "the runner cannot run programs of another platform",
     "run docker/setup-qemu-action in an earlier step, or build on a runner of that platform",
     "programs-of-another-platform"),
    Cause(r"no match for platform",
     "a base image does not exist for one of the `platforms`",
     "leave that platform out, or take another base image",
     "a-base-image-without-the-platform"),
    Cause(r"syft-scanner|sbom.*failed|failed to .*sbom",
     "the scanner that makes the SBOM failed",
     "read the last lines of the log; `sbom` can name another scanner",
     "the-scanner-of-the-sbom-failed"),
    Cause(r"secret .*: not found",
     "the Dockerfile mounts a secret that the step does not give",
     "name it in `secrets` or `secret-files`",
     "a-secret-that-the-step-does-not-give"),
    Cause(rf"{_SOURCE} failed to do request: \w+ \"https?://([^/\"]+)[^\"]*\": ([^\n]+)",
     r"\2 cannot be reached for the image \1: \3",
     ("check the name of the image, in the Dockerfile and in its line `# syntax=`; if it is right, "
      "the runner or its builder has no way to this host"),
     "a-host-that-cannot-be-reached"),
    Cause(r"toomanyrequests|429 Too Many Requests",
     "a registry limits how often images may be pulled, and the limit is reached",
     "log in to the registry of the base image, or run the job again later",
     "a-registry-limits-pulls"),
    Cause(rf"{_SOURCE} [^\n]*?(401 Unauthorized|403 Forbidden|denied|insufficient_scope)[^\n]*",
     r"the registry refused access to the base image \1",
     ("it may be private, or not exist. Log in to its registry in a step before this one, with a "
      "user who may read it: that login is used before the job's token. Or, on ghcr.io, give this "
      "repository access in the settings of the package, under `Manage Actions access`"),
     "a-base-image-without-access"),
    Cause(r"401 Unauthorized|403 Forbidden|denied|insufficient_scope",
     "a registry refused access to an image",
     "it may be private: log in to its registry in a step before this one",
     "a-base-image-without-access"),
)  # fmt: skip

# The causes that the steps of a build decide, and not its last words. buildx's own follow.
NO_BUILDKIT = Problem("",
    "the engine has no BuildKit, as Podman has none, and buildx could not start one in a container",
    "let DOCKER_HOST name a Docker Engine; or give the address of a BuildKit in `builder`",
    "docker-is-podman")  # fmt: skip
PUSH_FAILED = Problem("",
    "the registry did not accept the image",
    "if it was busy or the connection was lost, run the job again",
    "the-push-failed")  # fmt: skip
CACHE_FAILED = Problem("",
    "the cache could not be written",
    ("correct `cache-to`, or give the login the right to write there; with `ignore-error=true` in "
     "`cache-to` a cache that is lost does not fail the build"),
    "the-cache-could-not-be-written")  # fmt: skip
COMMAND_FAILED = Problem("",
    "a command of the Dockerfile failed with exit code",
    "read its output in the last lines of the log",
    "a-command-of-the-dockerfile-failed")  # fmt: skip
UNKNOWN = Problem("",
    "the build failed with exit code",
    "read the first line with ERROR in the log and the lines before it: they name the cause",
    "the-build-failed")  # fmt: skip
