"""All inputs: those that every form has, and those of the chosen form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple
from ship.runner.reader import Reader
from ship.ssh_deploy.common import Common, read_common, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.command import Secret
    from ship.runner.context import Context
    from ship.ssh_deploy.compose.inputs import ComposeForm
    from ship.ssh_deploy.proxy.inputs import ProxyForm
    from ship.ssh_deploy.run.inputs import RunForm
    from ship.ssh_deploy.script.inputs import ScriptForm

INPUTS = (
    "host", "user", "port", "ssh-key", "ssh-key-passphrase", "known-hosts", "host-fingerprints",
    "host-ca", "insecure-host-key", "jump", "ssh-proxy-command", "image", "name", "ports", "env",
    "env-file", "secret-files", "volumes", "networks", "labels", "memory", "cpus", "options",
    "command", "restart", "health", "health-command", "health-timeout", "stop-timeout", "before",
    "after", "script", "rollback", "keep", "max-parallel", "lock-timeout", "lock-expiry",
    "registry-username", "registry-password", "dry-run", "strategy", "candidate", "proxy-hosts",
    "proxy-tls", "proxy-image", "drain-timeout", "compose", "dir", "images", "files", "health-host",
    "health-status", "environment", "adopt", "replaces", "host-files", "older-commit",
)  # fmt: skip
# An error may show every other input as it is, and GitHub masks only its own secrets. A registry
# may accept the key of a service account.
MAY_HOLD_A_KEY = ("ssh-key", "env", "secret-files", "script", "registry-password")
OF_THE_PROXY = ("proxy-hosts", "proxy-tls", "proxy-image", "drain-timeout")


class Inputs(NamedTuple):
    """The inputs of the step, checked and complete."""

    common: Common
    form: RunForm | ProxyForm | ComposeForm | ScriptForm

    def secrets(self) -> tuple[Secret, ...]:
        """Return what must not be shown.

        The values of `env` are not among them: GitHub masks those that come from secrets, and the
        log may need the plain ones.
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
    """Raise UserError at once when an input that errors may show holds a private key."""
    for name in INPUTS:
        if name not in MAY_HOLD_A_KEY and "PRIVATE KEY-----" in read.raw(name):
            hint = (
                "use `ssh-key` for a private key; for a host key, give the file that ends in .pub"
            )
            read.problem(name, "holds a private key", hint)
    read.done()


def _read_form(read: Reader, context: Context) -> RunForm | ProxyForm | ComposeForm | ScriptForm:
    behind_proxy = read.choice("strategy", ("plain", "proxy")) == "proxy"
    if not behind_proxy:
        hint = "for a single container give `strategy: proxy` as well; otherwise leave it out"
        refuse(read, OF_THE_PROXY, "is only for a container behind a proxy", hint)
    if behind_proxy and (read.text("script") or read.text("compose")):
        read.problem(
            "strategy",
            "`proxy` cannot be used together with `script` or `compose`",
            "leave one of them out",
        )
    # Only the chosen form is loaded, here and in `plan`: all of them take 6 ms of 40.
    if read.text("script"):
        from ship.ssh_deploy.script.inputs import read_script_form  # noqa: PLC0415

        return read_script_form(read, context)
    if read.text("compose"):
        from ship.ssh_deploy.compose.inputs import read_compose_form  # noqa: PLC0415

        return read_compose_form(read, context)
    if behind_proxy:
        from ship.ssh_deploy.proxy.inputs import read_proxy_form  # noqa: PLC0415

        return read_proxy_form(read, context)
    from ship.ssh_deploy.run.inputs import read_run_form  # noqa: PLC0415

    return read_run_form(read, context)
