"""Deploying a compose project: its files, and the images by digest that it runs."""

from __future__ import annotations

import posixpath
import re
import shlex
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ship.images.reference import Name, split_digest
from ship.runner.command import Secret
from ship.runner.errors import UserError
from ship.ssh_deploy.compose import files as compose_files
from ship.ssh_deploy.compose import project as compose_project
from ship.ssh_deploy.compose.files import OVERRIDE, Upload
from ship.ssh_deploy.inputs import MISSING, history, lines_of_file, read_files, refuse
from ship.ssh_deploy.program import Phase, Program
from ship.ssh_deploy.run.form import (
    HEALTH,
    LAST_PORT,
    LEAVE,
    read_login_for,
    read_repository,
    read_rollback,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.compose.project import Place, Project
    from ship.ssh_deploy.facts import Facts
    from ship.ssh_deploy.inputs import Common, Login
    from ship.ssh_deploy.program import Value

SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
# https://docs.docker.com/compose/how-tos/project-name/
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
FOLDER = re.compile(r"(?![-~])[A-Za-z0-9/._@+ ~:-]+")
# What decides which engine and which compose read the file, before they do.
RESERVED = re.compile(r"DOCKER_.*|LD_.*|HOME|PATH|UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO")
# These are said in the compose file, where everybody looks for them.
ELSEWHERE = (
    "ports", "volumes", "networks", "labels", "memory", "cpus", "options", "command",
    "secret-files", "health-command", "restart",
)  # fmt: skip

LOOK = Phase("look", "see that Docker and compose answer", "nothing was touched")
LOCK = Phase("lock", "lock the project", "nothing was touched")
PREPARE = Phase(
    "prepare",
    "mend what a killed deploy left, upload the files beside the live ones, let compose read them",
    "nothing was touched",
)
PULL = Phase(
    "pull",
    "put the digests into the project, look at the disk, pull what is missing",
    "nothing was touched",
)
BEFORE = Phase(
    "before",
    "install the files, start what the commands of `before` need and run them",
    "the previous files come back, and what was started stops",
    first_host=True,
)
SWITCH = Phase(
    "switch",
    "install the files, bring the project up and wait until all of it is healthy",
    "the previous files and images come back",
    in_groups=True,
)
COMMIT = Phase("commit", "note the release, remove old ones and their images", "it goes on")
AFTER = Phase(
    "after",
    "run the commands of `after`",
    "the new version goes on serving",
    first_host=True,
)


class Task(NamedTuple):
    """A command line for a container of a service that is gone afterwards."""

    service: str
    command: str


class ComposeForm(NamedTuple):
    """A compose project as the person wants it, checked and complete."""

    upload: Upload
    folder: str
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

    def program(self, common: Common, context: Context) -> Program:
        return plan_compose(common, self, context)


def read_compose_form(read: Reader, context: Context) -> ComposeForm:
    """Read the inputs of a compose project; notes every problem."""
    rollback = read_rollback(read)
    images, image = _images(read, rollback)
    repository = read_repository(read, image) if rollback else _repository(image, images)
    health, health_port = _health(read)
    refuse(read, ELSEWHERE, "cannot be together with `compose`", "say it in the compose file")
    hint = "say it in the compose file, as `stop_grace_period` of the service"
    refuse(read, ("stop-timeout",), "cannot be together with `compose`", hint)
    return ComposeForm(
        # What goes back has its files on the host, and often no checkout here.
        upload=Upload("") if rollback else compose_files.read_upload(read, context.workspace),
        folder=_folder(read, read.text("name", default=context.name)),
        project=read.matching("name", PROJECT, "the name of a compose project", read.text("name")),
        images=images,
        image=image,
        repository=str(repository) if repository.registry else "",
        rollback=rollback,
        login=read_login_for(read, repository, context.actor),
        env=None if rollback else _env(read, context.workspace),
        health=health,
        health_port=health_port,
        health_timeout=read.number("health-timeout", 1, 3600, 60),
        keep=read.number("keep", 1, 1000, 3),
        before=_tasks(read, "before"),
        after=_tasks(read, "after"),
    )


def _images(read: Reader, rollback: str) -> tuple[dict[str, str], str]:
    image, named = read.text("image"), read.pairs("images")
    if rollback:
        if named:
            read.problem("images", "cannot be together with `rollback`", "leave one of them out")
        return {}, image
    for service in named:
        if not SERVICE.fullmatch(service):
            read.problem("images", f"{service!r} is not the name of a service")
    images = {name: _digest(read, "images", value.strip()) for name, value in named.items()}
    if image and images:
        read.problem("image", "cannot be together with `images`", "leave one of them out")
    if not image and not images:
        hint = "give the output `image` of build-push, or `images` as SERVICE=NAME@sha256:… lines"
        read.problem("image", "is required but empty", f"{hint}; {MISSING}")
    return images, _digest(read, "image", image) if image else ""


def _digest(read: Reader, name: str, text: str) -> str:
    parsed = split_digest(text)
    if not parsed:
        hint = "a tag can move; give name@sha256:…, such as the output `image` of build-push"
        read.problem(name, f"{text!r} names no digest", hint)
        return text
    return f"{parsed[0]}@{parsed[1]}"


def _repository(image: str, images: Mapping[str, str]) -> Name:
    """Return the repository whose registry the login is for; nothing where no digest is named."""
    parsed = split_digest(image or next(iter(images.values()), ""))
    return parsed[0] if parsed else Name("", "")


def _folder(read: Reader, name: str) -> str:
    text = read.text("dir", default=name)
    text = text.removeprefix("~/")
    folder = posixpath.normpath(read.matching("dir", FOLDER, "a folder of the host", text) or ".")
    if folder.startswith("..") or folder == "/":
        read.problem("dir", f"{text!r} is no folder for a project", "give one such as /opt/shop")
    return folder


def _env(read: Reader, workspace: str) -> dict[str, Secret] | None:
    """Return what `.env` will hold; None leaves the one of the host alone."""
    if not read.lines("env") and not read.lines("env-file"):
        return None
    files = read_files(read, "env-file", workspace)
    env: dict[str, Secret] = {}
    for name, text in files.items():
        env.update(lines_of_file(read, name, text))
    env.update(read.environment("env"))
    for name in filter(RESERVED.fullmatch, env):
        hint = "give it another name in the compose file, such as APP_NAME: ${OTHER_NAME}"
        read.problem("env", f"{name} would change which Docker is asked on the host", hint)
    return env


def _health(read: Reader) -> tuple[str, str]:
    """Return the path to ask, and the port if the person says it."""
    text = read.text("health")
    match = re.fullmatch(r"(?::([0-9]{1,5}))?(/[!-~]*)", text)
    if text and not (match and HEALTH.fullmatch(match[2])):
        read.problem("health", f"{text!r} is neither a path such as /health nor :8080/health")
    if not match:
        return "", ""
    if match[1] and not 0 < int(match[1]) <= LAST_PORT:
        read.problem("health", f"{match[1]} is not a port")
    return match[2], match[1] or ""


def _tasks(read: Reader, name: str) -> tuple[Task, ...]:
    return tuple(task for line in read.lines(name) if (task := _task(read, name, line)))


def _task(read: Reader, name: str, line: str) -> Task | None:
    service, colon, command = (part.strip() for part in line.partition(":"))
    if not colon or not command or not SERVICE.fullmatch(service):
        hint = "with `compose` a command says its service: SERVICE: COMMAND"
        read.problem(name, f"{line!r} does not say in which service it runs", hint)
        return None
    try:
        return Task(service, shlex.join(shlex.split(command)))
    except ValueError as error:
        read.problem(name, f"{line!r} cannot be split into words ({error})", "close the quotes")
        return None


def plan_compose(common: Common, want: ComposeForm, context: Context) -> Program:
    """Return the program that brings the project to a new release."""
    before = (BEFORE,) if want.before else ()
    after = (AFTER,) if want.after else ()
    env = want.env
    return Program(
        files=(
            "host/common",
            "host/state",
            "host/history",
            "host/health",
            "host/image",
            "compose/compose",
            "compose/compose_release",
            "compose/compose_undo",
        ),
        phases=(LOOK, LOCK, PREPARE, PULL, *before, SWITCH, COMMIT, *after, LEAVE),
        parameters={
            **common.parameters(context),
            **history(context),
            **want.login.parameters(),
            "SOURCE": context.repository,
            "FOLDER": want.folder,
            "FILES": _as_options(want.upload.compose),
            "ARCHIVE": Secret("") if want.rollback else want.upload.archive(),
            "OVERRIDE": compose_project.override(want.images, {}) if want.images else "",
            "OVERRIDE_FILE": OVERRIDE,
            "PROJECT": want.project,
            "SAID_PROJECT": want.project,
            "BEFORE": _as_asked(want.before),
            "AFTER": _as_asked(want.after),
            "IMAGE": " ".join(dict.fromkeys(want.images.values())) or want.image,
            "REPOSITORY": want.repository,
            "ROLLBACK": want.rollback,
            "ENV_NAMES": " ".join(env or ()),
            "HEALTH_PATH": want.health,
            "HEALTH_TIMEOUT": str(want.health_timeout),
            "KEEP": str(want.keep),
        },
        secret_files={} if env is None else {".env": compose_files.dotenv(env)},
        answers={PREPARE.name: partial(answer, want)},
    )


def _as_asked(tasks: tuple[Task, ...]) -> str:
    return "\n".join(f"{task.service}: {task.command}" for task in tasks)


def _as_options(files: tuple[str, ...]) -> str:
    # A name that begins with a dash is no option after this.
    return shlex.join(word for name in files for word in ("-f", f"./{name}"))


@compose_project.reading()
def answer(want: ComposeForm, facts: Facts) -> dict[str, Value]:
    """Work out of what compose told which service gets which image. Raises ShipError."""
    project = compose_project.read_project(facts.decoded("config"))
    if want.rollback:
        images = compose_project.images_of_override(facts.decoded("override"))
    else:
        images = compose_project.choose_images(project, want.images, want.image)
    pinned = tuple(images)
    mounts = {} if want.rollback else _mounts(project, facts.get("folder"))
    place = _place(want, project, pinned)
    return {
        "PROJECT": project.name,
        "PINNED": " ".join(pinned),
        "EXPECTED": " ".join(project.running()),
        "TASKS": " ".join(project.tasks()),
        "OVERRIDE": "" if want.rollback else _override(want.upload, images, mounts),
        "IMAGE": " ".join(dict.fromkeys(images.values())),
        "OTHERS": " ".join(project.others(pinned)),
        "BUILT": " ".join(project.built(pinned)),
        "MOUNTED": "\n".join(_not_uploaded(want.upload, mounts)),
        "HEALTH_SERVICE": place.service,
        "ADDRESS": place.address,
        "HEALTH_HOST_PORT": place.port,
        "BEFORE": _told(project, "before", want.before),
        "AFTER": _told(project, "after", want.after),
    }


def _mounts(project: Project, folder: str) -> dict[str, tuple[str, ...]]:
    """Return which paths below the folder of the project each service sees."""
    return {
        name: tuple(
            posixpath.relpath(path, folder)
            for path in project.mounted(name)
            if path.startswith(f"{folder}/")
        )
        for name in project.services
    }


def _override(
    upload: Upload, images: Mapping[str, str], mounts: Mapping[str, tuple[str, ...]]
) -> str:
    digests = {
        name: "-".join(digest for path in paths if (digest := upload.digest(path)))
        for name, paths in mounts.items()
    }
    return compose_project.override(images, {name: each for name, each in digests.items() if each})


def _not_uploaded(upload: Upload, mounts: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return files that a service mounts and the repository has, but nobody uploads.

    Where the host has none either, Docker would make a folder of that name.
    """
    paths = dict.fromkeys(path for each in mounts.values() for path in each)
    return [path for path in paths if path not in upload.paths and upload.has_in_repository(path)]


def _place(want: ComposeForm, project: Project, pinned: tuple[str, ...]) -> Place:
    """Return where the health path is asked."""
    if want.health_port or not want.health:
        # Of the first service of ours that starts: the host knows which profiles are active.
        return compose_project.Place("", "127.0.0.1", want.health_port)
    place = project.published(pinned)
    if not place:
        raise UserError.of(
            f"{want.health!r} is asked on the first published TCP port of "
            f"{', '.join(pinned) or 'a service'}, and there is none",
            where="input `health`",
            hint=f"say the port of the host: :8080{want.health}",
        )
    return place


def _told(project: Project, name: str, tasks: tuple[Task, ...]) -> str:
    """Return a line for each task: the service, what it needs, the command."""
    for task in tasks:
        if task.service not in project.services:
            raise UserError.of(
                f"the project has no service {task.service}",
                where=f"input `{name}`",
                hint=f"its services are {project.described()}",
            )
    return "\n".join(
        f"{task.service} {','.join(project.needed_by(task.service)) or '-'} {task.command}"
        for task in tasks
    )
