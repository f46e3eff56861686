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
         "refused access to an image"),
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
        ("ERROR: something else", "the build failed with exit code 7: something else"),
    ],
)  # fmt: skip
def test_a_message_of_buildx_becomes_a_cause(said: str, reported: str) -> None:
    error = output.failed(Finished(7, "", said))
    assert reported in str(error)
    assert error.evidence
    assert said in error.evidence.text


OLD = "failed to solve with frontend dockerfile.v0: unsupported frontend capability"
LAGGING = "x.io/base:1@sha256:0123"
HEAD = 'failed to do request: Head "https://registry-1.docker.io/v2/{0}": dial tcp: lookup {1}'
LOOKUP = "registry-1.docker.io on 127.0.0.11:53: no such host"
COPIED = 'failed to calculate checksum of ref c92c::1rmn: "/nothere/x": not found'


# What buildx 0.13 and 0.29 print behind `ERROR: `, and what a person has to know of it.
@pytest.mark.parametrize(
    ("said", "reported", "next_act"),
    [
        ("dockerfile parse error on line 2: unknown instruction: COYP (did you mean COPY?)",
         "syntax error on line 2: unknown instruction: COYP (did you mean COPY?)", "this line"),
        ("dockerfile parse error line 2: unknown flag: nope", "line 2: unknown flag: nope", ""),
        (f"failed to compute cache key: {COPIED}", "not in the context: /nothere/x", "`context`"),
        ("alpine:3: failed to resolve source metadata for docker.io/library/alpine:3: "
         + HEAD.format("library/alpine/manifests/3", LOOKUP),
         ("registry-1.docker.io cannot be reached for the image docker.io/library/alpine:3: "
         "dial tcp: lookup registry-1.docker.io"), "no way to this host"),
        ("failed to resolve source metadata for docker.io/docker/dockerfile:1: "
         + HEAD.format("docker/dockerfile/manifests/1", LOOKUP),
         "for the image docker.io/docker/dockerfile:1", "`# syntax=`"),
        ("b: failed to resolve source metadata for docker.io/library/b:latest: "
         + HEAD.format("library/b/manifests/latest", f"{LOOKUP} (did you mean a?)"),
         "(did you mean a?)", ""),
        ("unset ssh forward key default", "an SSH agent that the step does not give: default",
         "input `ssh`"),
        ("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
         "none runs on this runner", "SSH_AUTH_SOCK"),
        ("base name (${BASE}) should not be blank", "`FROM ${BASE}` has no value", "`build-args`"),
        ('failed to parse stage name "ghcr.io/acme/x:": invalid reference format',
         "names no image: ghcr.io/acme/x: (invalid reference format)", "`build-args`"),
        (('failed to parse stage name "ghcr.io/Acme/X:1": invalid reference format: repository '
          "name (Acme/X) must be lowercase"), "(Acme/X) must be lowercase", "small letters"),
        (("failed to configure registry cache exporter: invalid reference format: repository name "
         "(Acme/x) must be lowercase"), "`cache-to` names no image", "`ref=`"),
        ("failed to read dockerfile: open Dockerfile: no such file or directory",
         "cannot read the Dockerfile: open Dockerfile", "a link must lead to a file in its own"),
        (("ghcr.io/other/private:1: failed to resolve source metadata for ghcr.io/other/private:1: "
         "pull access denied, repository does not exist or may require authorization: server "
         "message: insufficient_scope: authorization failed"),
         "refused access to the base image ghcr.io/other/private:1", "`Manage Actions access`"),
        (("x: failed to resolve source metadata for ghcr.io/x/y:1: failed to authorize: failed to "
         "fetch oauth token: unexpected status from POST request to https://ghcr.io/token: 403 "
         "Forbidden"), "the base image ghcr.io/x/y:1", "Log in to its registry in a step before"),
        (f"rpc error: code = Unknown desc = {OLD} moby.buildkit.frontend.contexts",
         "knows no build contexts by name", "Docker 23 or newer"),
        (f"failed to resolve source metadata for {LAGGING}: {LAGGING}: not found",
         f"the builder finds no image {LAGGING}", "a mirror that the builder uses lags behind"),
        ("the Dockerfile cannot be empty", "exit code 7: the Dockerfile cannot be empty", "ERROR"),
        ('invalid tag "x/y:-a": invalid reference format', 'exit code 7: invalid tag "x/y:-a"', ""),
        ("Cache export is not supported for the docker driver.\nSwitch to a different driver",
         "exit code 7: Cache export is not supported for the docker driver. Switch", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["ERROR: ", "ERROR: failed to solve: ",
                                    "ERROR: failed to build: failed to solve: "])  # fmt: skip
def test_the_error_names_what_buildx_names(
    said: str, reported: str, next_act: str, before: str
) -> None:
    [problem] = output.failed(Finished(7, "", f"#1 [internal] x\n{before}{said}")).problems
    assert reported in problem.what
    assert next_act in problem.hint
    assert "\n" not in problem.what


def test_a_command_that_failed_is_quoted_with_the_last_line_that_it_printed() -> None:
    said = (
        "#5 [build 1/2] RUN a\n#5 0.1 fine\n#5 DONE 0.2s\n#6 [build 2/2] RUN curl x\n"
        f"#6 0.12 connecting\n#6 0.31 no such host \n#6 0.32 \n#6 ERROR: {COMMAND}\n"
        f"#7 [other 1/1] RUN b\n#7 0.2 fine\n#7 CANCELED\nERROR: failed to solve: {COMMAND}"
    )
    [problem] = output.failed(Finished(1, "", said)).problems
    assert problem.what.endswith("exit code 22: /bin/sh -c curl x (no such host)")


def test_an_error_that_is_not_known_is_quoted_in_parts_only() -> None:
    [problem] = output.failed(Finished(1, "", f"ERROR: failed to solve: {'a b ' * 900}")).problems
    assert len(problem.what) < 400
    assert problem.what.endswith(" …")


EXPORTED = "#6 exporting to image\n#6 pushing manifest for x/y:1@sha256:a 0.1s done\n#6 DONE 0.2s\n"
WRITTEN = EXPORTED + "#8 exporting cache to registry\n#8 ERROR: {0}\nERROR: failed to solve: {0}"


@pytest.mark.parametrize(
    "said",
    [
        (
            "error writing layer blob: unexpected status from POST request to "
            "https://ghcr.io/v2/acme/cache/blobs/uploads/: 403 Forbidden"
        ),
        (
            'error writing manifest blob: failed commit on ref "a": unexpected status from PUT '
            "request to https://ghcr.io/v2/acme/cache/manifests/c: 400 Bad Request"
        ),
        (
            "error writing layer blob: push access denied, repository does not exist or may "
            "require authorization: server message: insufficient_scope: authorization failed"
        ),
    ],
)
def test_a_cache_that_is_refused_is_no_base_image_and_no_push(said: str) -> None:
    finished = Finished(1, "", WRITTEN.format(said))
    [problem] = output.failed(finished).problems
    assert (
        "the cache could not be written, after the image was pushed: error writing" in problem.what
    )
    assert "`ignore-error=true`" in problem.hint
    assert output.refused_push(finished) is None


UNEXPECTED = (
    'failed to push {0}: failed commit on ref "m": unexpected status from {1} request to '
    "https://ghcr.io/v2/acme/app/{2}: {3}"
)


# What Docker's own builder and BuildKit print of each answer to a push.
@pytest.mark.parametrize(
    ("said", "stage", "status", "words"),
    [
        (PUSH.format("tag invalid: The image tag 'x' cannot be overwritten"), "push", 0,
         "The image tag 'x' cannot be overwritten"),
        (PUSH.format("name unknown: The repository with name 'x' does not exist"), "push", 0,
         "The repository with name 'x' does not exist"),
        (PUSH.format("denied: permission_denied: write_package"), "push", 0,
         "permission_denied: write_package"),
        (PUSH.format("denied: requested access to the resource is denied"), "push", 0,
         "requested access to the resource is denied"),
        (PUSH.format("unauthorized"), "push", 0, ""),
        (PUSH.format("unsupported: read only"), "push", 0, "read only"),
        (PUSH.format("unknown: too large"), "push", 0, "too large"),
        (PUSH.format('error parsing HTTP 413 response body: unexpected end of JSON input: ""'),
         "push", 413, ""),
        (PUSH.format("received unexpected HTTP status: 503 Service Unavailable"), "push", 503, ""),
        (EXPORT.format(UNEXPECTED.format("x/y:z", "POST", "blobs/uploads/", "402 Payment")),
         "push", 402, ""),
        (EXPORT.format(UNEXPECTED.format("x/y:z", "PUT", "blobs/uploads/a?_s=b", "413 Request")),
         "push", 413, ""),
        (EXPORT.format(UNEXPECTED.format("x/y:z", "PUT", "manifests/z", "400 Bad Request")),
         "tag", 400, ""),
        (EXPORT.format("failed to push x/y:z: server message: insufficient_scope: authorization"),
         "push", 0, "authorization"),
    ],
)  # fmt: skip
def test_a_refused_push_is_read_as_buildx_prints_it(
    said: str, stage: str, status: int, words: str
) -> None:
    refused = output.refused_push(Finished(1, "", said.replace("ghcr.io/a/b:x", "x/y:z")))
    assert refused
    assert (refused.refusal.stage, refused.refusal.status) == (stage, status)
    assert refused.refusal.message == words
    assert (str(refused.name), refused.tag) == ("x/y", "z")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("errors:\ndenied: requested access is denied\nunauthorized: authentication required",
         "denied"),
        ("no basic auth credentials", "no basic auth credentials"),
        (("failed to push x/y:z: push access denied, repository does not exist or may require "
         "authorization: server message: insufficient_scope: authorization failed"),
         "insufficient_scope"),
    ],
)  # fmt: skip
def test_a_refusal_has_the_code_that_stands_first(said: str, code: str) -> None:
    refused = output.refused_push(Finished(1, "", PUSH.format(said)))
    assert refused
    assert refused.refusal.code == code


@pytest.mark.parametrize(
    "said",
    [
        PUSH.format("read tcp: connection reset by peer"),
        PUSH.format('Head "https://r/v2/": tls: x509: certificate signed by unknown authority'),
        PUSH.format("open /var/lib/docker/x: permission denied"),
        "ERROR: denied",
        "ERROR: x",
    ],
)
def test_what_is_no_refusal_of_a_push_is_none(said: str) -> None:
    assert output.refused_push(Finished(1, "", said)) is None


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
        (PUSH.format("blob unknown"), True),
        (PUSH.format("unknown blob"), True),
        (PUSH.format("manifest blob unknown: manifest blob unknown"), True),
        (EXPORT.format(UNEXPECTED.format("x/y:z", "PUT", "manifests/z", "404 Not Found")), True),
        (
            EXPORT.format(UNEXPECTED.format("x/y:z", "POST", "blobs/uploads/", "404 Not Found")),
            False,
        ),
        (PUSH.format("name unknown: The repository does not exist"), False),
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
    said = (
        "#2 [context a/b:1] load metadata for a/b:1@sha256:0\n#2 DONE 0.1s\n"
        "#3 [context a/b:1] a/b:1@sha256:0\n#3 CACHED\n#4 [1/1] RUN y\n#4 DONE 0.1s\n"
    )
    assert output.counted(Finished(0, "", said)) == (2, 1)


def test_a_cache_that_was_not_written_is_reported() -> None:
    said = "#9 exporting cache to registry\n#9 error writing layer blob: 403 Forbidden\n#9 DONE"
    assert output.lost_cache(Finished(0, "", said)) == "403 Forbidden"
    assert output.lost_cache(Finished(0, "", "#9 exporting cache to registry\n#9 DONE")) == ""
