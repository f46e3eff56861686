"""What buildx prints when it fails: the cause, the next act, and whether another try may help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.errors import Evidence, StepFailed

if TYPE_CHECKING:
    from ship.runner.process import Finished

# The lines of a failed build that are repeated in the summary.
LAST_LINES = 40
# The characters of a failed command that are repeated in the error.
LONGEST_COMMAND = 160

_NO_ENGINE = (
    r"Cannot connect to the Docker daemon|failed to connect to the docker API"
    r"|permission denied while trying to connect|error during connect"
)
# What buildx prints → cause and next act. The first match is used.
_CAUSES = (
    (r"is not a docker command|unknown command: docker buildx|unknown flag: --",
     "Docker on this runner has no buildx plugin, or one that is too old",
     "install docker-buildx-plugin 0.13 or newer, or use a GitHub-hosted runner, which has it"),
    (_NO_ENGINE,
     "the Docker engine of the runner cannot be used",
     "start it, and give the runner's user access; a container job needs the Docker socket"),
    (r"no builder .* found",
     "buildx has no builder with this name",
     "check the input `builder`, or make the builder in a step before this one"),
    (r'image "([^"]+)": already exists',
     r"another run on this engine has used the name \1 for its own image",
     "run the job again; with a tag that never moves, such as `type=sha`, the runs do not collide"),
    (r"no space left on device",
     "the disk of the runner is full",
     "free space before the build, or use a larger runner"),
    (r"dockerfile parse error|unknown instruction",
     "the Dockerfile has a syntax error",
     "correct the line that the log names"),
    (r"target stage .* could not be found",
     "the Dockerfile has no stage with the name that `target` gives",
     "check the input `target` against the `FROM … AS name` lines"),
    (r"failed to calculate checksum of ref .*: not found",
     "a file that the Dockerfile copies is not in the context",
     "check its path, which is relative to the input `context`, and the .dockerignore"),
    (r"failed to resolve source metadata for (\S+): .*not found",
     r"there is no image \1",
     "check its name and tag where it stands: in the Dockerfile, or in the input `sbom`"),
    (r"exec format error",
     "the runner cannot run programs of another platform",
     "run docker/setup-qemu-action in an earlier step, or build on a runner of that platform"),
    (r"no match for platform",
     "a base image does not exist for one of the `platforms`",
     "leave that platform out, or take another base image"),
    (r"syft-scanner|sbom.*failed|failed to .*sbom",
     "the scanner that makes the SBOM failed",
     "read the last lines of the log; `sbom` can name another scanner"),
    (r"secret .*: not found",
     "the Dockerfile mounts a secret that the step does not give",
     "name it in `secrets` or `secret-files`"),
    (r"toomanyrequests|429 Too Many Requests",
     "a registry limits how often images may be pulled, and the limit is reached",
     "log in to the registry of the base image, or run the job again later"),
    (r"401 Unauthorized|403 Forbidden|denied|insufficient_scope",
     "a registry refused access to a base image",
     "a base image may be private: log in to its registry in a step before this one"),
)  # fmt: skip
_PUSH = (
    "the registry did not accept the image",
    "read its answer in the last lines of the log; if it was busy, run the job again",
)
_LOOK = "read the first line with ERROR in the log and the lines before it: they name the cause"
_COMMAND = re.compile(
    r'^ERROR: .*process "(.+)" did not complete successfully: exit code: (\d+)', re.MULTILINE
)
# Failures that may be temporary. An answer such as 401, 403 or 404 is none of them.
_TRANSIENT = (
    r"unexpected status[^\n]*: (408|429|5\d\d)|\b(429 Too Many|50[0234] )|toomanyrequests"
    r"|: EOF|unexpected EOF|connection reset|connection refused|broken pipe|i/o timeout"
    r"|TLS handshake timeout|request canceled|Client\.Timeout|deadline exceeded"
    r"|Temporary failure in name resolution|no route to host|server misbehaving"
    # Two runs on one engine that push one name at the same moment.
    r'|image "[^"]+": already exists|blob unknown to registry'
    # The engine's clean-up takes a layer while it is unpacked: moby/buildkit#6521.
    r"|parent snapshot [^\n]*does not exist"
    r"|failed to fetch (oauth|anonymous) token[^\n]*(timeout|EOF|reset|5\d\d)"
)
# https://docs.docker.com/docker-hub/usage/: it counts over hours, so another try does not help.
_RATE_LIMIT = "pull rate limit"
_REFUSED = r"401 Unauthorized|403 Forbidden|HTTP 40[13]|denied|insufficient_scope|unauthorized"


def text_of(finished: Finished) -> str:
    """Return all that buildx printed."""
    return f"{finished.stderr}\n{finished.stdout}".strip()


def _last_error(text: str) -> str:
    """Return the last error of buildx; what a command in a RUN printed is not about Docker."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("ERROR:")]
    words = "\n".join(lines[starts[-1] :]) if starts else text
    if "did not complete successfully" not in words:
        return words
    # What it printed may hold anything; only what no program can do anything about counts.
    found = re.search("no space left on device|exec format error", text)
    return found[0] if found else ""


def _is_push(text: str) -> bool:
    """Say whether it was the push that failed, by the step that did.

    Docker's own builder has a step for it, BuildKit's exporter only a message.
    """
    numbers = re.findall(r"^#(\d+) ERROR: ", text, re.MULTILINE)
    # Without it, the last step is the one after which something failed.
    numbers = numbers or re.findall(r"^#(\d+) ", text, re.MULTILINE)
    title = re.search(rf"^#{numbers[-1]} (.+)$", text, re.MULTILINE) if numbers else None
    if title and title[1].startswith("pushing "):
        return True
    return bool(re.search(r"failed to push|/blobs/uploads/|push access denied", _last_error(text)))


def last_line(finished: Finished) -> str:
    """Return the last line that says something."""
    lines = [line for line in text_of(finished).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {finished.code}"


def _short(text: str) -> str:
    """Return the beginning of a command, which may be a script of many lines."""
    return text if len(text) <= LONGEST_COMMAND else f"{text[:LONGEST_COMMAND]} …"


def is_without_engine(finished: Finished) -> bool:
    """Say whether there was no engine to speak to."""
    return bool(re.search(_NO_ENGINE, text_of(finished)))


def is_transient(finished: Finished) -> bool:
    """Say whether the same command may succeed in a moment: a registry or the network failed."""
    error = _last_error(text_of(finished))
    return bool(finished.code and re.search(_TRANSIENT, error)) and not re.search(
        f"{_NO_ENGINE}|no space left|{_RATE_LIMIT}", error
    )


def is_refused_push(finished: Finished) -> bool:
    """Say whether a registry refused a push."""
    text = text_of(finished)
    return _is_push(text) and bool(re.search(_REFUSED, _last_error(text)))


def refusal_words(finished: Finished) -> str:
    """Return the registry's own words for a refused push, if buildx has not hidden them."""
    found = re.search(r"\bdenied: (.+)$", _last_error(text_of(finished)))
    return found[1] if found else ""


def failed(finished: Finished, what: str = "") -> StepFailed:
    """Return the error for a command that failed, with its last lines."""
    text = text_of(finished)
    cause = _cause(text) or (what or f"the build failed with exit code {finished.code}", _LOOK)
    tail = "\n".join(text.splitlines()[-LAST_LINES:])
    evidence = Evidence("Last lines of the build", tail)
    return StepFailed.of(cause[0], hint=cause[1], evidence=evidence)


def _cause(text: str) -> tuple[str, str] | None:
    """Return cause and next act, if what buildx says is known."""
    error = _last_error(text)
    if _is_push(text) and not re.search(_NO_ENGINE, error):
        return _PUSH
    for pattern, cause, act in _CAUSES:
        if match := re.search(pattern, error):
            return match.expand(cause), act
    if match := _COMMAND.search(text):
        what = f"a command of the Dockerfile failed with exit code {match[2]}: {_short(match[1])}"
        return what, "read its output in the last lines of the log"
    return None


def counted(finished: Finished) -> tuple[int, int]:
    """Return how many steps of the Dockerfile there were and how many came from a cache.

    Of the plain progress of buildx: `#7 [build 2/4] RUN make`, `#7 CACHED`.
    """
    text = text_of(finished)
    steps = set(re.findall(r"^(#\d+) \[(?!internal|auth)[^\]]+\] ", text, re.MULTILINE))
    cached = set(re.findall(r"^(#\d+) CACHED$", text, re.MULTILINE))
    return len(steps), len(steps & cached)


def lost_cache(finished: Finished) -> str:
    """Return why a cache could not be written, which does not fail the build; mostly nothing."""
    text = text_of(finished)
    exports = re.findall(r"^(#\d+) exporting cache", text, re.MULTILINE)
    errors = re.findall(r"^(#\d+) (?:ERROR|error writing[^:]*): (.+)$", text, re.MULTILINE)
    return next((what for number, what in errors if number in exports), "")
