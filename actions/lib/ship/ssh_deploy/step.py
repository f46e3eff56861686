"""The steps of ssh-deploy: read, plan, connect, roll out, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.errors import Interrupted
from ship.inputs import Reader
from ship.ssh_deploy.compose_form import ComposeForm, plan_compose, read_compose_form
from ship.ssh_deploy.inputs import Common, read_common
from ship.ssh_deploy.proxy_form import ProxyForm, is_wanted, plan_proxy, read_proxy_form
from ship.ssh_deploy.report import Report
from ship.ssh_deploy.rollout import Host, Rollout
from ship.ssh_deploy.run_form import RunForm, plan_run, read_run_form
from ship.ssh_deploy.script_form import ScriptForm, plan_script, read_script_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.command import Secret
    from ship.context import Context
    from ship.process import ProcessRunner
    from ship.ssh_deploy.remote_script import Program
    from ship.workflow import Workflow

INPUTS = (
    "host", "user", "port", "ssh-key", "ssh-key-passphrase", "known-hosts", "host-fingerprints",
    "host-ca", "insecure-host-key", "jump", "ssh-proxy-command", "image", "name", "ports", "env",
    "env-file", "secret-files", "volumes", "networks", "labels", "memory", "cpus", "options",
    "command", "restart", "health", "health-command", "health-timeout", "stop-timeout", "before",
    "after", "script", "rollback", "keep", "max-parallel", "lock-timeout", "lock-expiry",
    "registry-username", "registry-password", "dry-run", "strategy", "proxy-hosts", "proxy-tls",
    "proxy-image", "drain-timeout", "compose", "dir", "images", "files",
)  # fmt: skip


class Inputs(NamedTuple):
    """What the person asked for, checked and complete."""

    common: Common
    form: RunForm | ProxyForm | ComposeForm | ScriptForm

    def program(self, context: Context) -> Program:
        """Return what the hosts will be told."""
        if isinstance(self.form, ScriptForm):
            return plan_script(self.common, self.form, context)
        if isinstance(self.form, ComposeForm):
            return plan_compose(self.common, self.form, context)
        if isinstance(self.form, ProxyForm):
            return plan_proxy(self.common, self.form, context)
        return plan_run(self.common, self.form, context)

    def secrets(self) -> tuple[Secret, ...]:
        """Return what must not be shown.

        The values of `env` come from secrets, which GitHub masks, or are plain and may be words
        that the log needs.
        """
        access = self.common.access
        login = (
            (self.form.login.password, self.form.login.auth)
            if isinstance(self.form, (RunForm, ProxyForm, ComposeForm))
            else ()
        )
        return (access.key, access.passphrase, *login)


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env)
    common = read_common(read, context)
    form: RunForm | ProxyForm | ComposeForm | ScriptForm
    behind_proxy = is_wanted(read)
    if behind_proxy and (read.text("script") or read.text("compose")):
        read.problem("strategy", "`proxy` is for one container, which `image` names")
    if read.text("script"):
        form = read_script_form(read, context)
        for name in ("image", "rollback", "ports", "compose"):
            if read.text(name):
                read.problem(name, "cannot be together with `script`", "make two steps of it")
    elif read.text("compose"):
        form = read_compose_form(read, context)
    elif behind_proxy:
        form = read_proxy_form(read, context)
    else:
        form = read_run_form(read, context)
    read.done()
    return Inputs(common, form)


def run(
    env: Mapping[str, str], context: Context, runner: ProcessRunner, workflow: Workflow
) -> None:
    """Do the step. Raises ShipError."""
    workflow.output("result", "refused")
    want = read_inputs(env, context)
    for secret in want.secrets():
        workflow.mask(secret)
    program = want.program(context)
    if want.common.dry_run:
        workflow.quote(program.shown())
        return
    _roll_out(want.common, program, runner, workflow)


def _roll_out(common: Common, program: Program, runner: ProcessRunner, workflow: Workflow) -> None:
    # Imported here: a wrong input and a dry run need no connection.
    from ship.ssh import connect  # noqa: PLC0415

    hosts = [Host(target, program) for target in common.targets]
    report = Report(common, hosts, workflow)
    with (
        workflow.untrusted(),
        connect(common.targets, common.access, runner, workflow.say) as connector,
    ):
        rollout = Rollout(program, hosts, connector, common.group_size())
        try:
            done = rollout.run(report.line)
        except Interrupted as error:
            report.write()
            raise report.interrupted(error) from None
    report.write()
    if not done:
        raise report.failure()
