"""The steps of ssh-deploy: read, plan, connect, roll out, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.runner.errors import Interrupted
from ship.runner.reader import Reader
from ship.ssh_deploy.inputs import Common, read_common, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ship.runner.command import Secret
    from ship.runner.context import Context
    from ship.runner.process import Runner
    from ship.runner.workflow_commands import Workflow
    from ship.ssh_deploy.inputs import Login
    from ship.ssh_deploy.program import Program

    class Form(Protocol):
        """A way to deploy."""

        @property
        def login(self) -> Login | None: ...

        def program(self, common: Common, context: Context) -> Program: ...


INPUTS = (
    "host", "user", "port", "ssh-key", "ssh-key-passphrase", "known-hosts", "host-fingerprints",
    "host-ca", "insecure-host-key", "jump", "ssh-proxy-command", "image", "name", "ports", "env",
    "env-file", "secret-files", "volumes", "networks", "labels", "memory", "cpus", "options",
    "command", "restart", "health", "health-command", "health-timeout", "stop-timeout", "before",
    "after", "script", "rollback", "keep", "max-parallel", "lock-timeout", "lock-expiry",
    "registry-username", "registry-password", "dry-run", "strategy", "proxy-hosts", "proxy-tls",
    "proxy-image", "drain-timeout", "compose", "dir", "images", "files",
)  # fmt: skip
# Everything else may be told in an error as it is, and GitHub masks only what is a secret there.
# A registry may take the key of a service account.
MAY_HOLD_A_KEY = ("ssh-key", "env", "secret-files", "script", "registry-password")
OF_THE_PROXY = ("proxy-hosts", "proxy-tls", "proxy-image", "drain-timeout")


class Inputs(NamedTuple):
    """What the person asked for, checked and complete."""

    common: Common
    form: Form

    def program(self, context: Context) -> Program:
        """Return what the hosts will be told."""
        return self.form.program(self.common, context)

    def secrets(self) -> tuple[Secret, ...]:
        """Return what must not be shown.

        The values of `env` come from secrets, which GitHub masks, or are plain and may be words
        that the log needs.
        """
        access, login = self.common.access, self.form.login
        return (access.key, access.passphrase, *((login.password, login.auth) if login else ()))


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env)
    _refuse_keys(read)
    common = read_common(read, context)
    form = _read_form(read, context)
    read.done()
    return Inputs(common, form)


def _refuse_keys(read: Reader) -> None:
    """Raise UserError at once when a private key is where others are told: none may be shown."""
    for name in INPUTS:
        if name not in MAY_HOLD_A_KEY and "PRIVATE KEY-----" in read.raw(name):
            hint = "it is for `ssh-key` alone; of a host key give the file that ends in .pub"
            read.problem(name, "holds a private key", hint)
    read.done()


def _read_form(read: Reader, context: Context) -> Form:
    # Each is imported where it is asked for: the others would cost each step their 5 ms.
    behind_proxy = read.choice("strategy", ("plain", "proxy")) == "proxy"
    if not behind_proxy:
        hint = "for a single container give `strategy: proxy` too; else leave it out"
        refuse(read, OF_THE_PROXY, "is for a container behind a proxy", hint)
    if behind_proxy and (read.text("script") or read.text("compose")):
        read.problem("strategy", "`proxy` is for one container, which `image` names")
    if read.text("script"):
        from ship.ssh_deploy.script.form import read_script_form  # noqa: PLC0415

        return read_script_form(read, context)
    if read.text("compose"):
        from ship.ssh_deploy.compose.form import read_compose_form  # noqa: PLC0415

        return read_compose_form(read, context)
    if behind_proxy:
        from ship.ssh_deploy.proxy.form import read_proxy_form  # noqa: PLC0415

        return read_proxy_form(read, context)
    from ship.ssh_deploy.run.form import read_run_form  # noqa: PLC0415

    return read_run_form(read, context)


def run(env: Mapping[str, str], context: Context, runner: Runner, workflow: Workflow) -> None:
    """Do the step. Raises ShipError."""
    workflow.output("result", "refused")
    want = read_inputs(env, context)
    for secret in want.secrets():
        workflow.mask(secret)
    program = want.program(context)
    if want.common.dry_run:
        workflow.quote(f"{want.common.shown()}\n{program.shown()}")
        return
    _roll_out(want.common, program, runner, workflow)


def _roll_out(common: Common, program: Program, runner: Runner, workflow: Workflow) -> None:
    # Imported here: a wrong input and a dry run need no connection.
    from ship.ssh.connector import connect  # noqa: PLC0415
    from ship.ssh_deploy.report import Report  # noqa: PLC0415
    from ship.ssh_deploy.rollout import Host, Rollout  # noqa: PLC0415

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
