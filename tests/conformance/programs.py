"""One program of each form of deploy, and the parameters that the client sends for it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

from script_host import ACME, COMMON, IMAGE, WANTED
from ship.runner.command import Secret
from ship.ssh_deploy.compose.files import Upload
from ship.ssh_deploy.compose.inputs import ComposeForm, Task
from ship.ssh_deploy.compose.plan import plan_compose
from ship.ssh_deploy.facts import Facts
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port
from ship.ssh_deploy.script.inputs import ScriptForm
from ship.ssh_deploy.script.plan import plan_script

if TYPE_CHECKING:
    from ship.ssh_deploy.program import Program


# With every phase that there is.
WITH_TASKS = WANTED._replace(before=("migrate",), after=("warm up",))


class Sent(NamedTuple):
    """A program, and the names of the parameters that a host gets with it or during it."""

    program: Program
    parameters: frozenset[str]


def _behind_proxy() -> Program:
    wanted = WITH_TASKS._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")
    proxy = ProxyForm(wanted, hosts=(), tls=False, image=IMAGE, drain_timeout=1)
    return plan_proxy(COMMON, proxy, ACME)


def _compose() -> Program:
    form = ComposeForm(
        upload=Upload(""),
        folder="app",
        host_files={},
        project="",
        images={"web": IMAGE},
        image="",
        repository="",
        rollback="",
        login=WANTED.login,
        env=None,
        health="",
        health_port="",
        health_timeout=2,
        keep=3,
        before=(Task("web", "migrate"),),
        after=(Task("web", "warm up"),),
    )
    return plan_compose(COMMON, form, ACME)


def _facts() -> Facts:
    """What a host reports of the smallest project."""
    facts = Facts()
    facts.mark = "m"
    config = json.dumps({"name": "app", "services": {"web": {"image": IMAGE}}}).encode()
    facts.take(f"m config {base64.b64encode(config).decode()}")
    return facts


def _sent(program: Program) -> Sent:
    answered = (answer(_facts()) for answer in program.answers.values())
    return Sent(program, frozenset({"MARK", *program.parameters}.union(*answered)))


PROGRAMS = {
    "run": _sent(plan_run(COMMON, WITH_TASKS, ACME)),
    "run, adopting": _sent(plan_run(COMMON._replace(adopt=True), WITH_TASKS, ACME)),
    "proxy": _sent(_behind_proxy()),
    "script": _sent(plan_script(COMMON, ScriptForm(Secret("id"), {}), ACME)),
    "compose": _sent(_compose()),
}
