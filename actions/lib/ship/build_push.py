"""build-push: build an image and push it, in one step."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from ship.command import Command, Secret
from ship.docker_config import docker_config
from ship.errors import Evidence, StepFailed, UserError
from ship.inputs import Reader
from ship.json_file import read_object
from ship.push_advice import advice
from ship.reference import DIGEST, TAG, Name, legal_tag, parse_name
from ship.workflow import cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.context import Context
    from ship.process import Finished, Runner
    from ship.workflow import Workflow

INPUTS = (
    "image", "context", "file", "target", "build-args", "tags", "labels", "push",
    "username", "password", "dry-run",
)  # fmt: skip
BUILD_ARG = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LABEL = re.compile(r"[a-z0-9][A-Za-z0-9._/-]*")
SHORT_SHA = 12
# The lines of a failed build that are repeated in the summary.
LAST_LINES = 40


class Inputs(NamedTuple):
    """What the person asked for, checked and complete."""

    name: Name
    context: str
    file: str
    target: str
    build_args: Mapping[str, str]
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    push: bool
    username: str
    password: Secret
    dry_run: bool

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(f"{self.name}:{tag}" for tag in self.tags)


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env)
    folder = _folder(read, context)
    push = _push(read, context)
    needed = push and not read.flag("dry-run")
    name = _name(read, context)
    wanted = Inputs(
        name=name,
        context=folder,
        file=_dockerfile(read, context, folder),
        target=read.matching("target", TARGET, "the name of a build stage", read.text("target")),
        build_args=_names(read, "build-args", BUILD_ARG, "a build argument"),
        tags=_tags(read, context),
        labels=_standard_labels(context) | _names(read, "labels", LABEL, "a label"),
        push=push,
        username=read.required("username", "name the user who logs in")
        if needed
        else read.text("username"),
        password=_password(read, name) if needed else Secret(""),
        dry_run=read.flag("dry-run"),
    )
    read.done()
    return wanted


def _password(read: Reader, name: Name) -> Secret:
    password = read.registry_password("password", name.registry)
    if not password:
        hint = f"give the password for {name.registry}; a misspelt secret expands to nothing"
        read.problem("password", "is required but empty", hint)
    return password


def _name(read: Reader, context: Context) -> Name:
    text = read.text("image", default=f"ghcr.io/{context.repository}").lower()
    name = parse_name(text)
    if name is None:
        hint = "write the registry and the path, such as ghcr.io/owner/name; tags go into `tags`"
        read.problem("image", f"{text!r} is not the name of an image", hint)
        return Name("ghcr.io", "invalid")
    return name


def _folder(read: Reader, context: Context) -> str:
    text = read.text("context", default=".")
    folder = os.path.join(context.workspace, text)
    if text.startswith("-") or not os.path.isdir(folder):
        hint = "give a folder relative to the workspace, and check the repository out before"
        read.problem("context", f"there is no folder {text!r} in the workspace", hint)
    return os.path.normpath(folder)


def _dockerfile(read: Reader, context: Context, folder: str) -> str:
    text = read.text("file")
    path = os.path.join(context.workspace, text) if text else os.path.join(folder, "Dockerfile")
    if os.path.isdir(folder) and not os.path.isfile(path):
        shown = os.path.relpath(path, context.workspace)
        found = _dockerfiles(context.workspace)
        hint = f"there is {', '.join(found)}: name it in `file`" if found else _CHECK_OUT
        read.problem("file", f"there is no Dockerfile at {shown!r}", hint)
    return os.path.normpath(path)


_CHECK_OUT = "write a Dockerfile, or check the repository out in a step before this one"


def _dockerfiles(workspace: str) -> list[str]:
    """Return the Dockerfiles that a person may have meant, down to two folders deep."""
    found: list[str] = []
    for root, folders, files in os.walk(workspace):
        inside = os.path.relpath(root, workspace)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "node_modules")))
        found += [
            os.path.normpath(os.path.join(inside, name)) for name in files if "Dockerfile" in name
        ]
        if inside.count(os.sep):
            folders.clear()
    return sorted(found)[:5]


def _push(read: Reader, context: Context) -> bool:
    choice = read.choice("push", ("auto", "true", "false"))
    if choice == "true" and context.is_fork:
        read.problem(
            "push",
            "images are never pushed from the pull request of a fork",
            "leave `push` out: the image is then built as a check and not pushed",
        )
    return choice == "true" or (choice == "auto" and not context.is_pull_request)


def _names(read: Reader, name: str, pattern: re.Pattern[str], what: str) -> dict[str, str]:
    pairs = read.pairs(name)
    for key in pairs:
        if not pattern.fullmatch(key):
            read.problem(name, f"{key!r} is not the name of {what}")
    return pairs


def _tags(read: Reader, context: Context) -> tuple[str, ...]:
    tags = read.lines("tags") or _default_tags(context)
    for tag in tags:
        if not TAG.fullmatch(tag):
            hint = "at most 128 letters, digits, `_`, `.` and `-`; not `.` or `-` at the start"
            read.problem("tags", f"{tag!r} is not a legal tag", hint)
    if not tags:
        read.problem(
            "tags", "is empty, and the run has no branch, tag or commit to name", "give a tag"
        )
    return tuple(dict.fromkeys(tags))


def _default_tags(context: Context) -> tuple[str, ...]:
    """Name an image by what it was built from; the first is the one to show to a person."""
    kind, _, rest = context.ref.removeprefix("refs/").partition("/")
    named = {"heads": rest, "tags": rest, "pull": f"pr-{rest.partition('/')[0]}"}.get(kind, "")
    sha = f"sha-{context.sha[:SHORT_SHA]}" if context.sha else ""
    return tuple(tag for tag in (sha, legal_tag(named)) if tag)


def _standard_labels(context: Context) -> dict[str, str]:
    """Return the labels of https://github.com/opencontainers/image-spec/blob/main/annotations.md.

    The time of the build is left out: it would give each build of the same source another digest.
    """
    labels = {
        "org.opencontainers.image.title": context.name,
        "org.opencontainers.image.source": f"{context.server}/{context.repository}",
        "org.opencontainers.image.revision": context.sha,
    }
    return {name: value for name, value in labels.items() if value}


def plan(want: Inputs, metadata_file: str) -> Command:
    """Return the one command that builds, tags and pushes."""
    argv = ["docker", "buildx", "build", "--progress", "plain", "--file", want.file]
    # Without this BuildKit adds an entry `unknown/unknown` to what should be a plain image.
    argv += ["--provenance=false", "--metadata-file", metadata_file]
    argv += ["--target", want.target] if want.target else []
    argv += [f"--build-arg={name}={value}" for name, value in want.build_args.items()]
    argv += [f"--label={name}={value}" for name, value in want.labels.items()]
    argv += [f"--tag={reference}" for reference in want.references]
    argv += ["--push"] if want.push else []
    where = f"push it to {want.name}" if want.push else "check that it builds"
    return Command((*argv, want.context), why=f"build the image and {where}")


def run(env: Mapping[str, str], context: Context, runner: Runner, workflow: Workflow) -> None:
    """Do the step: read, plan, build, push, tell. Raises ShipError."""
    want = read_inputs(env, context)
    workflow.mask(want.password)
    _known_outputs(want, workflow)
    if want.dry_run:
        command = plan(want, "metadata.json")
        workflow.quote(f"1. {command.why}\n   $ {command}")
        return
    if want.push:
        _check_push(want, context, workflow)
    elif context.is_pull_request:
        workflow.notice("The image is built and not pushed: this run is for a pull request.")
    with docker_config(env, want.name.registry, want.username, want.password) as config:
        digest = _build(want, config, runner, workflow)
    _done(want, digest, workflow)


def _known_outputs(want: Inputs, workflow: Workflow) -> None:
    workflow.output("tags", "\n".join(want.references))
    workflow.output("tag", want.tags[0])


def _check_push(want: Inputs, context: Context, workflow: Workflow) -> None:
    # Imported here: HTTP costs 50 ms of start-up, which a dry run and a wrong input need not pay.
    from ship.registry import CannotAsk, push_refusal  # noqa: PLC0415

    try:
        refusal = push_refusal(want.name, want.username, want.password)
    except CannotAsk as reason:
        # Docker may trust an authority, or a plain connection, that this Python does not know.
        workflow.notice(f"The registry was not asked whether it takes the push: {reason}")
        return
    if refusal:
        raise UserError(advice(refusal, want.name, want.username, context))


def _build(want: Inputs, config: str, runner: Runner, workflow: Workflow) -> str:
    metadata_file = os.path.join(config, "metadata.json")
    command = plan(want, metadata_file)
    command = Command(command.argv, command.why, env={"DOCKER_CONFIG": config})
    with workflow.group(command.why), workflow.untrusted():
        finished = runner.run(command, on_stdout=workflow.say, on_stderr=workflow.say)
    if finished.code:
        raise _failed(finished)
    return _digest(metadata_file) if want.push else ""


def _digest(metadata_file: str) -> str:
    digest = str(read_object(metadata_file).get("containerimage.digest", ""))
    if not DIGEST.fullmatch(digest):
        raise StepFailed.of(
            "the image was pushed, but buildx did not say under which digest",
            hint="update Docker's buildx plugin on the runner to 0.10 or newer",
        )
    return digest


# What buildx prints → cause and next act. The first that is found is told.
_NO_ENGINE = (
    r"Cannot connect to the Docker daemon|failed to connect to the docker API"
    r"|permission denied while trying to connect"
)
_CAUSES = (
    (r"is not a docker command|unknown command: docker buildx|unknown flag: --",
     "Docker on this runner has no buildx plugin",
     "install docker-buildx-plugin, or use a GitHub-hosted runner, which has it"),
    (_NO_ENGINE,
     "the Docker engine of the runner cannot be used",
     "start it, and let the runner's user use it; a container job needs the socket of the host"),
    (r"no space left on device",
     "the disk of the runner is full",
     "free space before the build, or use a larger runner"),
    (r"dockerfile parse error|unknown instruction",
     "the Dockerfile has a syntax error",
     "see the line that the log names"),
    (r"target stage .* could not be found",
     "the Dockerfile has no such stage",
     "check the input `target` against the `FROM … AS name` lines"),
    (r"failed to push",
     "the registry did not take the image",
     "see its words in the last lines of the log; run the job again if it was busy"),
    (r"toomanyrequests|429 Too Many Requests",
     "a registry refuses more pulls for now",
     "log in to the registry of the base image, or run the job again later"),
    (r"401 Unauthorized|403 Forbidden|denied|insufficient_scope",
     "a registry refused access to a base image",
     "a base image may be private: log in to its registry in a step before this one"),
)  # fmt: skip


def _failed(finished: Finished) -> StepFailed:
    text = f"{finished.stderr}\n{finished.stdout}".strip()
    what = f"the build failed with exit code {finished.code}"
    hint = "the first line with ERROR in the log, and the lines before it, say why"
    for pattern, cause, act in _CAUSES:
        if re.search(pattern, _last_error(text)):
            what, hint = cause, act
            break
    tail = "\n".join(text.splitlines()[-LAST_LINES:])
    return StepFailed.of(what, hint=hint, evidence=Evidence("Last lines of the build", tail))


def _last_error(text: str) -> str:
    """Return buildx's own last words; those of a command in a RUN are not about Docker."""
    line = next((x for x in reversed(text.splitlines()) if x.startswith("ERROR:")), text)
    return "" if "did not complete successfully" in line and "no space" not in line else line


def _done(want: Inputs, digest: str, workflow: Workflow) -> None:
    if not want.push:
        workflow.summary(f"### ✅ Built, not pushed\n\n`{want.name}`\n")
        return
    image = f"{want.name}@{digest}"
    workflow.output("digest", digest)
    workflow.output("image", image)
    tags = " ".join(f"`{tag}`" for tag in want.tags)
    workflow.summary(
        f"### ✅ Pushed {cell(str(want.name))}\n\n| | |\n| --- | --- |\n"
        f"| Image | `{image}` |\n| Tags | {tags} |\n"
    )
    workflow.say(f"pushed {image}")
