from __future__ import annotations

import pytest

from ship.build_push.buildx import output
from ship.runner.process import Finished

COMMAND = 'process "/bin/sh -c curl x" did not complete successfully: exit code: 22'
PUSH = "#8 pushing ghcr.io/a/b:x with docker\n#8 ERROR: {0}\nERROR: {0}"
EXPORT = "#9 exporting to image\n#9 ERROR: {0}\nERROR: failed to solve: {0}"


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        ("ERROR: no space left on device", "disk of the runner is full"),
        (PUSH.format("received unexpected HTTP status: 503 x"), "did not accept the image"),
        (EXPORT.format("failed to push ghcr.io/a/b: 429 Too Many Requests"), "did not accept"),
        ("#2 x\n#2 ERROR: b: 403 Forbidden\nERROR: failed to solve: ghcr.io/b: 403 Forbidden",
         "refused access to a base image"),
        (f"#6 0.1 curl: 403 Forbidden\nERROR: failed to solve: {COMMAND}",
         "a command of the Dockerfile failed with exit code 22: /bin/sh -c curl x"),
        ("#6 0.1 ERROR: no space left on device\nERROR: x did not complete successfully: 1",
         "disk of the runner is full"),
        ("Cannot connect to the Docker daemon at unix://", "engine of the runner cannot be used"),
        ("docker: 'buildx' is not a docker command.", "no buildx plugin"),
        ('ERROR: no builder "x" found', "no builder with this name"),
        ("Dockerfile:3\nERROR: dockerfile parse error on line 3", "syntax error"),
        ('ERROR: target stage "x" could not be found', "no stage with the name"),
        ("ERROR: failed to resolve source metadata for x/y:1: x/y:1: not found", "no image x/y:1"),
        ("ERROR: exec /bin/sh: exec format error", "programs of another platform"),
        ("ERROR: toomanyrequests: You have reached your pull rate limit", "limits how often"),
        ('ERROR: failed to solve: image "ghcr.io/a/b:main": already exists',
         "another run on this engine has used the name ghcr.io/a/b:main"),
        ("#7 pushing ghcr.io/a/b:x with docker\n#7 DONE 0.1s\nERROR: 403 Forbidden",
         "did not accept the image"),
        ("ERROR: something else", "the build failed with exit code 7"),
    ],
)  # fmt: skip
def test_a_message_of_buildx_becomes_a_cause(said: str, reported: str) -> None:
    error = output.failed(Finished(7, "", said))
    assert reported in str(error)
    assert error.evidence
    assert said in error.evidence.text


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (PUSH.format("received unexpected HTTP status: 503 Service Unavailable"), True),
        (EXPORT.format("failed to push x: unexpected status from PUT request to x: 429 Too"), True),
        (EXPORT.format('failed to do request: Head "https://x": EOF'), True),
        (
            EXPORT.format("failed to fetch oauth token: Post x: net/http: TLS handshake timeout"),
            True,
        ),
        (EXPORT.format("read tcp: connection reset by peer"), True),
        (EXPORT.format('image "ghcr.io/a/b:main": already exists'), True),
        (
            PUSH.format("errors:\ndigest invalid\nmanifest blob unknown: blob unknown to registry"),
            True,
        ),
        (
            EXPORT.format(
                'failed to prepare extraction snapshot "x": parent snapshot sha256:a does not '
                "exist: not found"
            ),
            True,
        ),
        (PUSH.format("denied: permission_denied: write_package"), False),
        (EXPORT.format("failed to push: 401 Unauthorized"), False),
        ("ERROR: toomanyrequests: You have reached your pull rate limit. 429 Too Many", False),
        ("ERROR: Cannot connect to the Docker daemon: connection refused", False),
        ("#6 0.1 curl: connection reset\nERROR: process x did not complete successfully", False),
        ("ERROR: write /var/lib/x: no space left on device: unexpected EOF", False),
    ],
)
def test_only_what_may_pass_is_tried_again(said: str, *, passes: bool) -> None:
    assert output.is_transient(Finished(1, "", said)) is passes


def test_steps_and_those_of_them_that_came_from_a_cache_are_counted() -> None:
    said = (
        "#1 [internal] load build definition\n#5 [build 1/2] FROM x\n#5 CACHED\n"
        "#6 [build 2/2] RUN y\n#6 DONE 0.1s\n#7 [auth] a/b:pull token\n#8 exporting to image\n"
    )
    assert output.counted(Finished(0, "", said)) == (2, 1)


def test_a_cache_that_was_not_written_is_reported() -> None:
    said = "#9 exporting cache to registry\n#9 error writing layer blob: 403 Forbidden\n#9 DONE"
    assert output.lost_cache(Finished(0, "", said)) == "403 Forbidden"
    assert output.lost_cache(Finished(0, "", "#9 exporting cache to registry\n#9 DONE")) == ""
