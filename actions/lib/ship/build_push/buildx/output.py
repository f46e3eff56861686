"""What buildx prints when it fails: the cause, the next act, and whether another try may help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.build_push.buildx.causes import (
    CACHE_FAILED,
    CAUSES,
    COMMAND_FAILED,
    NO_BUILDKIT,
    NO_ENGINE,
    OF_THE_ENGINE,
    PUSH_FAILED,
    UNKNOWN,
)
from ship.images.reference import Name, Reference
from ship.images.registry.refusal import PUSH, SET_TAG, Refusal
from ship.runner.errors import Evidence, Problem, StepFailed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.runner.process import Finished

FAILED = "The build failed"
CACHE_LOST = "The cache was not written"
# The lines of a failed build that are repeated in the summary.
LAST_LINES = 40
# The characters of a failed command that are repeated in the error.
LONGEST_COMMAND = 160
# The characters of an error of buildx that are repeated in ours.
LONGEST_ERROR = 300

_CACHE = "exporting cache"
_BOOT = "[internal] booting buildkit"
# Where the engine has no BuildKit, buildx starts one in a container by itself.
_OWN_BOOT = 'building with "default" instance using docker-container driver'
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
    r'|image "[^"]+": already exists'
    # A registry of several machines, one of which does not have the layer yet.
    r"|blob unknown|unknown blob|PUT request to \S+/manifests/\S+: 404"
    # The engine's clean-up takes a layer while it is unpacked: moby/buildkit#6521.
    r"|parent snapshot [^\n]*does not exist"
    r"|failed to fetch (oauth|anonymous) token[^\n]*(timeout|EOF|reset|5\d\d)"
)
# https://docs.docker.com/docker-hub/usage/: it counts over hours, so another try does not help.
_RATE_LIMIT = "pull rate limit"
# How BuildKit tells the answer to a push, of which it hides the words.
_ANSWER = re.compile(
    r"request to https?://(?P<registry>[^/\s]+)/v2/(?P<path>\S+?)/(?P<of>blobs|manifests)/\S*: "
    r"(?P<status>\d{3})"
)
# How the engine does: `tag invalid: words`, behind what the client says, or the status alone.
_CODE = re.compile(
    r"ERROR: (?:failed to (?:build|solve): |failed to push \S+: |errors:\s+"
    r"|(?:push access denied[^\n]*?: )?server message: )*"
    r"(?P<code>denied|unauthorized|(?:name|tag|manifest|digest|size) (?:unknown|invalid)"
    r"|unsupported|unknown|insufficient_scope|no basic auth credentials)\b(?:: (?P<words>[^\n]+))?"
)
_STATUS = re.compile(r"HTTP (?:status: )?(\d{3})|: (\d{3}) [A-Z]")
_PUSHED = re.compile(r"^#\d+ pushing (\S+) with docker|failed to push (\S+?): ", re.MULTILINE)


class RefusedPush(NamedTuple):
    """A push that was refused: the name and the tag, as far as buildx tells them, and why."""

    name: Name | None
    tag: str
    refusal: Refusal


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


def _failed_step(text: str) -> str:
    """Return the title of the step that failed, or else of the last one."""
    numbers = re.findall(r"^#(\d+) ERROR: ", text, re.MULTILINE)
    numbers = numbers or re.findall(r"^#(\d+) ", text, re.MULTILINE)
    title = re.search(rf"^#{numbers[-1]} (.+)$", text, re.MULTILINE) if numbers else None
    return title[1] if title else ""


def _is_push(text: str) -> bool:
    """Say whether it was the push that failed, by the step that did.

    Docker's own builder has a step for it, BuildKit's exporter only a message.
    """
    step = _failed_step(text)
    if step.startswith(("pushing ", _CACHE)):
        return step.startswith("pushing ")
    return bool(re.search(r"failed to push|/blobs/uploads/|push access denied", _last_error(text)))


def last_line(finished: Finished) -> str:
    """Return the last line that says something."""
    lines = [line for line in text_of(finished).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {finished.code}"


def _short(text: str, longest: int) -> str:
    """Return the beginning of a text, which may have many lines."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]} …"


def last_error(finished: Finished) -> str:
    """Return the last error of buildx, on one line and without what is in all of them."""
    words = re.sub(r"^ERROR: |failed to (build|solve): ", "", _last_error(text_of(finished)))
    return _short(words, LONGEST_ERROR)


def is_about_engine(finished: Finished) -> bool:
    """Say whether it is known why there was no engine to speak to, or none that is good for it."""
    text = text_of(finished)
    return any(re.search(each.pattern, text) for each in OF_THE_ENGINE)


def is_transient(finished: Finished) -> bool:
    """Say whether the same command may succeed in a moment: a registry or the network failed."""
    error = _last_error(text_of(finished))
    return bool(finished.code and re.search(_TRANSIENT, error)) and not re.search(
        f"{NO_ENGINE}|no space left|{_RATE_LIMIT}", error
    )


def refused_push(finished: Finished) -> RefusedPush | None:
    """Return which push a registry refused and why; None where it was no push, or had no answer."""
    text = text_of(finished)
    error = _last_error(text)
    if not _is_push(text):
        return None
    names = [Reference.parse(found[1] or found[2]) for found in _PUSHED.finditer(text)]
    of = names[-1] if names else None
    name, tag = (of.name, of.tag) if of else (None, "")
    if answer := _ANSWER.search(error):
        stage = SET_TAG if answer["of"] == "manifests" else PUSH
        return RefusedPush(name, tag, Refusal(stage, int(answer["status"]), ""))
    status, code = _STATUS.search(error), _CODE.match(error)
    if not status and not code:
        return None
    number = int(status[1] or status[2]) if status else 0
    words, kind = (code["words"] or "", code["code"]) if code else ("", "")
    return RefusedPush(name, tag, Refusal(PUSH, number, _short(words, LONGEST_ERROR), kind))


def failed(finished: Finished, what: str = "") -> StepFailed:
    """Return the error for a command that failed, with its last lines."""
    text = text_of(finished)
    words = last_error(finished)
    unknown = UNKNOWN._replace(what=what or f"{UNKNOWN.what} {finished.code}")
    problem = _cause(text, words) or _with_words(unknown, words)
    tail = "\n".join(text.splitlines()[-LAST_LINES:])
    evidence = Evidence("Last lines of the build", tail)
    # The image is there, and only the cache is not.
    title = CACHE_LOST if problem.anchor == CACHE_FAILED.anchor else FAILED
    return StepFailed(problem, title=title, evidence=evidence)


def _with_words(problem: Problem, words: str) -> Problem:
    return problem._replace(what=f"{problem.what}: {words}") if words else problem


def _cause(text: str, words: str) -> Problem | None:
    """Return cause and next act, if what buildx says is known."""
    error = _last_error(text)
    if _is_push(text) and not re.search(NO_ENGINE, error):
        return _with_words(PUSH_FAILED, words)
    step = _failed_step(text)
    if step.startswith(_CACHE):
        is_pushed = re.search(r"^#\d+ pushing ", text, re.MULTILINE)
        pushed = f"{CACHE_FAILED.what}, after the image was pushed"
        cache = CACHE_FAILED._replace(what=pushed) if is_pushed else CACHE_FAILED
        return _with_words(cache, words)
    if step == _BOOT and _OWN_BOOT in text:
        return _with_words(NO_BUILDKIT, words)
    for each in CAUSES:
        if match := re.search(each.pattern, error):
            what = match.expand(each.cause).removesuffix(": ")
            return Problem("", what, each.act, each.anchor)
    if match := _COMMAND.search(text):
        command, printed = _short(match[1], LONGEST_COMMAND), _last_printed(text)
        said = f" ({_short(printed, LONGEST_COMMAND)})" if printed else ""
        return COMMAND_FAILED._replace(what=f"{COMMAND_FAILED.what} {match[2]}: {command}{said}")
    return None


def _last_printed(text: str) -> str:
    """Return the last line that the command printed in whose step the build failed."""
    failed = re.findall(r"^(#\d+) ERROR: ", text, re.MULTILINE)
    lines = re.findall(rf"^{failed[-1]} \d+\.\d+ (.*\S)", text, re.MULTILINE) if failed else []
    return str(lines[-1]) if lines else ""


def counted(finished: Finished) -> tuple[int, int]:
    """Return how many steps of the Dockerfile there were and how many came from a cache.

    Of the plain progress of buildx: `#7 [build 2/4] RUN make`, `#7 CACHED`. A build context is a
    step where it is taken, and not where its metadata is loaded.
    """
    text = text_of(finished)
    steps = set(re.findall(r"^(#\d+) \[(?!internal|auth)[^\]]+\] (?!load )", text, re.MULTILINE))
    cached = set(re.findall(r"^(#\d+) CACHED$", text, re.MULTILINE))
    return len(steps), len(steps & cached)


def lost_cache(finished: Finished) -> str:
    """Return why a cache could not be written, which does not fail the build; mostly nothing."""
    text = text_of(finished)
    exports = re.findall(r"^(#\d+) exporting cache", text, re.MULTILINE)
    errors = re.findall(r"^(#\d+) (?:ERROR|error writing[^:]*): (.+)$", text, re.MULTILINE)
    return next((what for number, what in errors if number in exports), "")
