"""Rules of a deploy over SSH: which keys fit what runs there, and each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.variables import OF_FORM, fits_the_host

if TYPE_CHECKING:
    from gen_workflow.spec.commands import Task
    from gen_workflow.spec.document import Reading, Value
    from gen_workflow.spec.sections import Fields

FORMS = ("run", "compose", "script")
# Keys that mean something for these forms only, and what to do for the others.
_ONLY = {
    "dir": ("compose", "leave it out"),
    "services": ("compose", "leave it out"),
    "files": ("compose", "put the files into the image, or mount a folder with `volumes`"),
    "host-files": ("compose", "leave it out"),
    "strategy": ("run", "leave it out"),
    "adopt": ("run", "leave it out"),
    "before": ("run compose", "write the command into the script"),
    "after": ("run compose", "write the command into the script"),
    "keep": ("run compose", "leave it out"),
    "replaces": ("run compose", "leave it out"),
    "older-commit": ("run compose", "leave it out"),
}  # fmt: skip
_THE_FORM = {
    "run": "a single container",
    "compose": "a compose project",
    "script": "commands alone",
}


def what_runs_there(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of a deploy to hosts that do not fit; its rule."""
    first, *others = [form for form in FORMS if form in fields.values] or ["run"]
    for other in others:
        what = f"cannot be beside `{first}`: one of them says what runs there"
        reading.problem(fields.values[other], what, "keep one of them", Heading.TOGETHER)
    if others:
        return
    for name, (forms, hint) in _ONLY.items():
        if name in fields.values and first not in forms.split():
            what = f"has no meaning for {_THE_FORM[first]}"
            reading.problem(fields.values[name], what, hint, Heading.TOGETHER)
    _environment_fits(first, fields, reading)
    _health_fits(first, fields, reading)
    if first == "run":
        _proxy_fits(fields, reading)
    for name in ("before", "after"):
        _commands_fit(name, first, fields, reading)
    if first == "compose" and fields.read.get("compose"):
        _files_fit(fields, reading)


def _environment_fits(form: str, fields: Fields, reading: Reading) -> None:
    """Note a variable that what runs there cannot have, or that two keys say."""
    run = fields.read.get("run")
    in_run = {one.name: one for one in run.env} if run else {}
    given = fields.read.get("env") or ()
    for one in given:
        where = fields.values["env"]
        if fits_the_host(where, one.name, OF_FORM[form], reading) and one.name in in_run:
            what = f"{one.name!r} is in `env` of `run` too"
            reading.problem(where.named(one.name), what, "keep one of them", Heading.TWICE)
    in_the_step = {one.name.upper(): one for one in (*given, *in_run.values())}
    for one in run.secret_files if run else ():
        other = in_the_step.get(one.name.upper())
        travel = other and not (one.fits_a_line or other.fits_a_line)
        if other and travel and (other.name, other.value) != (one.name, one.value):
            what = f"`{one.name}` has another value in `env`, and both travel under this name"
            where = fields.values["run"].below(["secret-files"])
            reading.problem(
                where.named(one.name), what, "give one of them another name", Heading.TWICE
            )


def _health_fits(form: str, fields: Fields, reading: Reading) -> None:
    """Note a problem when nothing could be asked in the way that `health` says."""
    health = fields.read.get("health")
    if not health:
        return
    where = fields.values["health"]
    if form != "run" and health.command:
        hint = "write it as HEALTHCHECK of the image, or as `healthcheck` of the service"
        what = f"a command has no meaning for {_THE_FORM[form]}"
        reading.problem(where.below(["command"]), what, hint, Heading.TOGETHER)
    if form == "script" and (health.path or (health.timeout and not health.url)):
        what = "the host asks nothing after commands"
        hint = "let the script ask, or write an address, which the runner asks"
        reading.problem(where, what, hint, Heading.TOGETHER)
    if form == "run" and health.path:
        _path_has_a_port(health.path, where, fields, reading)


def _path_has_a_port(path: str, where: Value, fields: Fields, reading: Reading) -> None:
    """Note a problem when a health check has no port to ask."""
    run = fields.read.get("run")
    if run is None:
        return
    if path.startswith(":"):
        what = "names a port, and the first published port is asked"
        hint = f"write {path[path.index('/') :]}"
        reading.problem(where, what, hint, Heading.ADDRESS)
    elif not run.ports and _are_none(fields.values["run"]):
        hint = 'publish one: run: {ports: ["8080:8080"]}'
        reading.problem(where, "needs a published port, and there is none", hint, Heading.ADDRESS)
    elif run.ports and run.ports[0].endswith("/udp"):
        what = f"the request needs TCP, but the first published port is {run.ports[0]}"
        reading.problem(where, what, "put a TCP port first", Heading.ADDRESS)


def _are_none(run: Value) -> bool:
    """Tell whether no port is meant: what is wrong in `ports` is a problem of its own."""
    said = [item for key, item in run.pairs() if key.text == "ports"]
    return all(item.kind == "a list" and not item.items() for item in said)


def _proxy_fits(fields: Fields, reading: Reading) -> None:
    """Note what a proxy could not do, or the old and the new container beside each other."""
    proxy, run, health = (fields.read.get(name) for name in ("strategy", "run", "health"))
    if not proxy or run is None:
        return
    from gen_workflow.spec.host_proxy import against  # noqa: PLC0415 - few have a proxy

    for what, hint in against(proxy, run, health):
        reading.problem(fields.values["strategy"], what, hint, Heading.TOGETHER)


def _commands_fit(name: str, form: str, fields: Fields, reading: Reading) -> None:
    """Note a command that names a service where there is none, or none where there are some."""
    tasks: tuple[Task, ...] = fields.read.get(name) or ()
    if not tasks or form == "script":
        return
    named = [task for task in tasks if task.service]
    where = fields.values[name]
    if form == "run" and named:
        what = "names a service, and there is one container"
        reading.problem(where, what, f"write {named[0].command}", Heading.TOGETHER)
    elif form == "compose" and not named:
        what = "does not name the service that runs the command"
        hint = f"write {name}: {{SERVICE: {tasks[0].command}}}"
        reading.problem(where, what, hint, Heading.TOGETHER)
    elif form == "compose" and fields.read.get("compose"):
        from gen_workflow.spec.compose import is_service  # noqa: PLC0415 - only for compose

        for task in named:
            is_service(task.service, where, fields.read["compose"], reading)


def _files_fit(fields: Fields, reading: Reading) -> None:
    """Note a file that is not in the folder of the first compose file, which is uploaded."""
    from gen_workflow.spec.compose import folder_of  # noqa: PLC0415 - only for compose

    folder = folder_of(fields.read["compose"])
    for name in ("compose", "files"):
        for path in fields.read.get(name) or ():
            if not path.startswith(folder):
                what = f"{path!r} is not in the folder of the first compose file, {folder}"
                hint = "move it there: this folder is uploaded"
                reading.problem(fields.values[name], what, hint, Heading.NOT_THERE)
