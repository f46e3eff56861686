"""Our answer to the project that compose has read on the host: which service gets which image."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ship.runner.errors import UserError
from ship.ssh_deploy.compose import project as compose_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.ssh_deploy.compose.files import Upload
    from ship.ssh_deploy.compose.inputs import ComposeForm, Task
    from ship.ssh_deploy.compose.project import Place, Project
    from ship.ssh_deploy.facts import Facts
    from ship.ssh_deploy.program import Value


@compose_project.reading()
def answer(want: ComposeForm, facts: Facts) -> dict[str, Value]:
    """Return the parameters that follow from the output of compose. Raises ShipError."""
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
        # An older release may have had other ports.
        "PORTS": "" if want.rollback else " ".join(project.ports()),
        "TASKS": " ".join(project.tasks()),
        "OVERRIDE": "" if want.rollback else _override(want.upload, images, mounts),
        "IMAGE": " ".join(dict.fromkeys(images.values())),
        "OTHERS": " ".join(project.others(pinned)),
        "BUILT": " ".join(project.built(pinned)),
        "MOUNTED": "\n".join(_not_uploaded(want.upload, mounts)),
        "HEALTH_SERVICE": place.service,
        "ADDRESS": place.address,
        "HEALTH_HOST_PORT": place.port,
        "BEFORE": _task_lines(project, "before", want.before),
        "AFTER": _task_lines(project, "after", want.after),
        "TASK_OVERRIDE": compose_project.override_of_tasks(
            project, tuple(dict.fromkeys(task.service for task in (*want.before, *want.after)))
        ),
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
    """Return files that a service mounts and the repository has, but that are not uploaded.

    Where the host does not have them either, Docker would create a folder with that name.
    """
    paths = dict.fromkeys(path for each in mounts.values() for path in each)
    return [path for path in paths if path not in upload.paths and upload.has_in_repository(path)]


def _place(want: ComposeForm, project: Project, pinned: tuple[str, ...]) -> Place:
    """Return where the health path is asked."""
    if want.health_port or not want.health:
        # The host takes the first of our services that starts: it knows which profiles are active.
        return compose_project.Place("", "127.0.0.1", want.health_port)
    place = project.published(pinned)
    if not place:
        raise UserError.of(
            f"{want.health!r} needs a published TCP port of "
            f"{', '.join(pinned) or 'a service'} for its request, and there is none",
            where="input `health`",
            hint=f"write the port of the host before the path: :8080{want.health}",
        )
    return place


def _task_lines(project: Project, name: str, tasks: tuple[Task, ...]) -> str:
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
