"""The inputs of a compose project: its files, and the images by digest that it runs."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from ship.images.pinned import read_pinned
from ship.images.reference import Name, Reference
from ship.runner.named_tuple import NamedTuple
from ship.ssh.target import LAST_PORT, MISSING
from ship.ssh_deploy.common import default_name, refuse
from ship.ssh_deploy.compose.files import Upload, read_upload
from ship.ssh_deploy.environment import check_lengths, lines_of_file, read_files
from ship.ssh_deploy.health import GOOD, read_health_host, read_health_status
from ship.ssh_deploy.image import Login, read_login_for, read_repository, read_rollback
from ship.ssh_deploy.words import read_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ship.runner.command import Secret
    from ship.runner.context import Context
    from ship.runner.reader import Reader

SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
# https://docs.docker.com/compose/how-tos/project-name/
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
FOLDER = re.compile(r"(?![-~])[A-Za-z0-9/._@+ ~:-]+")
# These decide which engine and which compose are used, before the file is read.
RESERVED = re.compile(r"DOCKER_.*|LD_.*|HOME|PATH|UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO")
# The files that compose reads beside its compose file: two of them can be merged.
MERGED = re.compile(r"\.env|(?:docker-)?compose\.override\.ya?ml")
HOST_FILES = ("refuse", "keep", "merge", "replace")
# These belong in the compose file.
ELSEWHERE = (
    "ports", "volumes", "networks", "labels", "memory", "cpus", "options", "command",
    "secret-files", "health-command", "restart",
)  # fmt: skip


class Task(NamedTuple):
    """A command line for a temporary container of a service."""

    service: str
    command: str


class ComposeForm(NamedTuple):
    """The inputs of a compose project, checked and complete."""

    upload: Upload
    folder: str
    # What to do with a file of the host that no deploy wrote, by its path; "" is for all others.
    host_files: Mapping[str, str]
    project: str
    images: Mapping[str, str]
    image: str
    repository: str
    rollback: str
    login: Login
    env: Mapping[str, Secret] | None
    health: str
    health_port: str
    health_timeout: int
    keep: int
    before: tuple[Task, ...]
    after: tuple[Task, ...]
    health_host: str = ""
    health_status: str = GOOD
    kind: Literal["compose"] = "compose"


def read_compose_form(read: Reader, context: Context) -> ComposeForm:
    """Read the inputs of a compose project; notes every problem."""
    rollback = read_rollback(read)
    images, image = _images(read, rollback)
    repository = read_repository(read, image) if rollback else _repository(image, images)
    health, health_port = _health(read)
    refuse(read, ELSEWHERE, "cannot be used together with `compose`", "set it in the compose file")
    refuse(read, ("adopt",), "is only for a single container", "leave it out")
    hint = "set it in the compose file, as `stop_grace_period` of the service"
    told = "leave it out: compose stops the old container of a service before it starts the new one"
    refuse(read, ("candidate",), "is only for a single container", told)
    refuse(read, ("stop-timeout",), "cannot be used together with `compose`", hint)
    return ComposeForm(
        # The host has the files for a rollback, and there is often no checkout here.
        upload=Upload("") if rollback else read_upload(read, context.workspace),
        folder=_folder(read, read.text("name", default=default_name(read, context))),
        host_files=_host_files(read),
        project=read.matching("name", PROJECT, "the name of a compose project", read.text("name")),
        images=images,
        image=image,
        repository=str(repository) if repository.registry else "",
        rollback=rollback,
        login=read_login_for(read, repository, context),
        env=None if rollback else _env(read, context.workspace),
        health=health,
        health_port=health_port,
        health_host=read_health_host(read),
        health_status=read_health_status(read),
        health_timeout=read.number("health-timeout", 1, 3600, 60),
        keep=read.number("keep", 1, 1000, 3),
        before=_tasks(read, "before"),
        after=_tasks(read, "after"),
    )


def _images(read: Reader, rollback: str) -> tuple[dict[str, str], str]:
    image, named = read.text("image"), read.pairs("images")
    if rollback:
        if named:
            read.problem(
                "images", "cannot be used together with `rollback`", "leave one of them out"
            )
        return {}, image
    for service in named:
        if not SERVICE.fullmatch(service):
            read.problem("images", f"{service!r} is not the name of a service")
    images = {name: read_pinned(read, "images", value.strip()) for name, value in named.items()}
    if image and images:
        read.problem("image", "cannot be used together with `images`", "leave one of them out")
    if not image and not images:
        hint = "give the output `image` of build-push, or `images` as SERVICE=NAME@sha256:… lines"
        read.problem("image", "is required but empty", f"{hint}; {MISSING}")
    return images, read_pinned(read, "image", image) if image else ""


def _repository(image: str, images: Mapping[str, str]) -> Name:
    """Return the repository whose registry the login is for; empty where no digest is named."""
    parsed = Reference.parse_pinned(image or next(iter(images.values()), ""))
    return parsed.name if parsed else Name("", "")


def _folder(read: Reader, name: str) -> str:
    text = read.text("dir", default=name)
    text = text.removeprefix("~/")
    folder = posixpath.normpath(read.matching("dir", FOLDER, "a folder of the host", text) or ".")
    if folder.startswith("..") or folder == "/":
        read.problem("dir", f"{text!r} is not a folder for a project", "give one such as /opt/shop")
    return folder


def _host_files(read: Reader) -> dict[str, str]:
    found = {}
    for line in read.lines("host-files"):
        path, _, word = line.rpartition("=")
        path = posixpath.normpath(path.strip()) if path.strip() else ""
        if word.strip() not in HOST_FILES:
            hint = "write refuse, keep, merge or replace, for one file as .env=keep"
            read.problem("host-files", f"{line!r} does not say what to do with files", hint)
        elif path and word.strip() == "merge" and not MERGED.fullmatch(path):
            hint = f"write {path}=keep or {path}=replace"
            read.problem("host-files", f"only .env can be merged, and not {path!r}", hint)
        elif path in found:
            read.problem("host-files", f"{line!r} is about {path or 'all files'} once more")
        found[path] = word.strip()
    return found


def _env(read: Reader, workspace: str) -> dict[str, Secret] | None:
    """Return the content of `.env`; None does not change the one on the host."""
    if not read.lines("env") and not read.lines("env-file"):
        return None
    files = read_files(read, "env-file", workspace)
    env: dict[str, Secret] = {}
    for name, text in files.items():
        env.update(lines_of_file(read, name, text))
    env.update(read.environment("env"))
    check_lengths(read, env)
    for name in filter(RESERVED.fullmatch, env):
        hint = "give it another name in the compose file, such as APP_NAME: ${OTHER_NAME}"
        read.problem("env", f"{name} would change which Docker engine is used on the host", hint)
    return env


def _health(read: Reader) -> tuple[str, str]:
    """Return the path to ask, and the port if it is given."""
    text = read.text("health")
    match = re.fullmatch(r"(?::([0-9]{1,5}))?(/[!-~]*)", text)
    if text and not match:
        read.problem("health", f"{text!r} is neither a path such as /health nor :8080/health")
    if not match:
        return "", ""
    if match[1] and not 0 < int(match[1]) <= LAST_PORT:
        read.problem("health", f"{match[1]} is not a port")
    return match[2], match[1] or ""


def _tasks(read: Reader, name: str) -> tuple[Task, ...]:
    given = read.numbered_lines(name)
    return tuple(task for number, line in given if (task := _task(read, name, number, line)))


def _task(read: Reader, name: str, number: int, line: str) -> Task | None:
    service, colon, command = (part.strip() for part in line.partition(":"))
    if not colon or not command or not SERVICE.fullmatch(service):
        hint = "with `compose` write SERVICE: COMMAND"
        # The line is not shown: a command may hold a secret.
        what = f"line {number} does not name the service that runs the command"
        read.problem(name, what, hint)
        return None
    words = read_command(read, name, command, prefix=f"{service}: ")
    return Task(service, shlex.join(words)) if words else None
