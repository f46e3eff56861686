"""The inputs of ssh-deploy, and the environment of its step, that follow from a spec."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.plan import registry, times
from gen_workflow.plan.build import job_of
from gen_workflow.plan.inputs import Given, image_of, lines, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.access import Ssh
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.host import SshDeploy
    from gen_workflow.spec.image import Image
    from gen_workflow.spec.variables import Variable
    from gen_workflow.workflow.records import Values

_PURPOSES = {
    "host": "name or address of the host",
    "user": "user on the host who may use Docker",
    "port": "port of its SSH server, when not 22",
    "ssh-key": "private key of the user",
    "ssh-key-passphrase": "passphrase of the private key",
    "known-hosts": "output of `ssh-keyscan HOST`, compared with the host's own keys",
    "host-fingerprints": "fingerprint of the key of the host",
    "host-ca": "public key that signed the key of the host",
    "jump": "host to jump over",
}


def of(spec: Spec, target: Environment, deploy: SshDeploy, rollback: str = "") -> Values:
    """Return the inputs for a deploy to an environment, or for a rollback to a release.

    A release is one that the hosts know, so nothing says which image it is.
    """
    return said(
        *_access(deploy.ssh),
        ("max-parallel", deploy.max_parallel),
        *_what(spec, deploy, rollback),
        ("name", name(spec, target, deploy)),
        ("environment", target.key),
        ("adopt", deploy.adopt),
        ("replaces", " ".join(deploy.replaces)),
        ("older-commit", _but(deploy.older_commit, "refuse")),
        ("ports", lines(deploy.run.ports)),
        ("env", lines(_environment(spec, deploy))),
        ("env-file", lines(deploy.env_file)),
        *_container(deploy),
        *_health(deploy),
        *_around(deploy),
        *login(spec, deploy),
        ("rollback", rollback),
    )


def login(spec: Spec, deploy: SshDeploy) -> Values:
    """Return the inputs with which the host logs in to the registry.

    Without any it is the token of the job for ghcr.io, and the login of the host for another.
    """
    user, password = ("", "") if deploy.script else registry.credentials(spec.registry)
    return said(("registry-username", user), ("registry-password", password))


def variables(spec: Spec, deploy: SshDeploy) -> Values:
    """Return the environment of the step: what the list of an input cannot hold."""
    given = (*deploy.variables, *deploy.run.secret_files)
    found = {one.name: one.value for one in given if not one.fits_a_line}
    if deploy.script:
        found |= _images_of_a_script(spec)
    return tuple(found.items())


def _images_of_a_script(spec: Spec) -> dict[str, str]:
    """Return the variables that have the images for the commands of a script."""
    return {_variable_of(image): image_of(job_of(image)) for image in spec.built}


def _variable_of(image: Image) -> str:
    return f"IMAGE_{image.key.upper().replace('-', '_')}" if image.key else "IMAGE"


def _environment(spec: Spec, deploy: SshDeploy) -> Iterator[str]:
    """Yield the lines of `env`."""
    yield from map(_listed, deploy.variables)
    if deploy.script:
        yield from _images_of_a_script(spec)


def _what(spec: Spec, deploy: SshDeploy, rollback: str) -> Values:
    """Return what is deployed: an image, a compose project with its images, or commands."""
    if deploy.script:
        return (("script", deploy.script),)
    return (
        ("image", "" if rollback else _image(spec, deploy)),
        ("compose", _one_or_lines(deploy.compose)),
        ("dir", deploy.dir),
        ("images", "" if rollback else lines(_images(spec, deploy))),
        ("files", lines(_files(deploy))),
        ("host-files", lines(one.line for one in deploy.host_files)),
    )


def _files(deploy: SshDeploy) -> Iterator[str]:
    """Yield what is uploaded, as the action takes it: from the folder of the first compose file."""
    folder = "".join(deploy.compose[:1]).rpartition("/")[0]
    return (path.removeprefix(f"{folder}/") for path in deploy.files)


def runs(spec: Spec, deploy: SshDeploy) -> Image:
    """Return the image that a single container runs."""
    return next((one for one in spec.built if one.key == deploy.run.image), spec.built[0])


def _image(spec: Spec, deploy: SshDeploy) -> str:
    """Return the one image, unless each service of a project is said."""
    named = next(_images(spec, deploy), "")
    return "" if named else image_of(job_of(runs(spec, deploy)))


def _images(spec: Spec, deploy: SshDeploy) -> Iterator[str]:
    """Yield `SERVICE=IMAGE` for each service that the spec says, or the names of images do."""
    if not deploy.compose:
        return
    images = {one.key: image_of(job_of(one)) for one in spec.built}
    for one in deploy.services:
        yield f"{one.service}={images[one.image]}"
    named = {one.image for one in deploy.services}
    yield from (f"{key}={image}" for key, image in images.items() if key and key not in named)


def name(spec: Spec, target: Environment, deploy: SshDeploy) -> str:
    """Return the name of the service, which another image or environment of it must not have.

    Without a name in the spec, the action gives one to a compose project and to commands: not
    every name of a repository is the name of a project. It does the same for the only image, which
    has the name of the repository: the event of a schedule may not say it.
    """
    environment = re.sub(r"[^a-z0-9_-]+", "-", target.key.lower()).strip("-_")
    own = spec.name
    if not own and deploy.form != "run":
        return ""
    if not own:
        image = runs(spec, deploy)
        if not (image.name or image.key):
            return ""
        default = f"${{{{ github.event.repository.name }}}}-{image.key}"
        own = image.name.rpartition("/")[2] or default
        environment = re.sub(r"[^a-z0-9_.-]+", "-", target.key.lower()).strip("-._")
    if target.key == "production" or (spec.name and not spec.environments):
        return own
    return f"{own}-{environment}"


def _container(deploy: SshDeploy) -> Values:
    run, proxy = deploy.run, deploy.strategy
    user = (f"--user={run.user}",) if run.user else ()
    return (
        ("secret-files", lines(map(_listed, run.secret_files))),
        ("volumes", lines(run.volumes)),
        ("networks", _one_or_lines(run.networks)),
        ("labels", lines(f"{one.name}={one.value}" for one in run.labels)),
        ("memory", run.memory),
        ("cpus", run.cpus),
        ("options", lines(map(_quoted, (*user, *run.options)))),
        ("command", run.command),
        ("restart", _but(run.restart, "unless-stopped")),
        ("strategy", "proxy" if proxy else ""),
        ("candidate", _but(run.candidate, "auto")),
        ("proxy-hosts", lines(proxy.hosts) if proxy else ""),
        ("proxy-tls", proxy.tls if proxy else ""),
        ("proxy-image", proxy.image if proxy else ""),
        ("drain-timeout", proxy.drain if proxy else ""),
    )


def _health(deploy: SshDeploy) -> Values:
    health = deploy.health
    return (
        ("health", health.path),
        ("health-host", health.host),
        ("health-status", _but(health.status, "200-299")),
        ("health-command", health.command),
        ("health-timeout", "" if deploy.script else health.timeout),
        ("stop-timeout", deploy.run.stop_timeout),
    )


def _around(deploy: SshDeploy) -> Values:
    """Return what runs and is kept before and after the switch, and how deploys wait."""
    limits = times.of(deploy)
    return (
        ("before", lines(task.line for task in deploy.before)),
        ("after", lines(task.line for task in deploy.after)),
        ("keep", deploy.keep),
        ("lock-timeout", limits.lock_timeout),
        ("lock-expiry", limits.lock_expiry),
    )


def _but(given: str, default: str) -> str:
    """Return what is given, and nothing when it is the default of the action."""
    return "" if given == default else given


def _access(ssh: Ssh) -> tuple[tuple[str, str], ...]:
    """Return the inputs that lead to the hosts, and prove that they are the right ones."""
    return (
        ("host", ssh.host or lines(ssh.hosts)),
        ("user", ssh.user),
        ("port", _but(ssh.port, "22")),
        ("ssh-key", ssh.key),
        ("ssh-key-passphrase", ssh.passphrase),
        ("known-hosts", ssh.known_hosts),
        ("host-fingerprints", _one_or_lines(ssh.fingerprints)),
        ("host-ca", _one_or_lines(ssh.host_ca)),
        ("insecure-host-key", ssh.insecure_host_key),
        ("jump", _one_or_lines(ssh.jump)),
        ("ssh-proxy-command", ssh.proxy_command),
    )


def _one_or_lines(given: tuple[str, ...]) -> str:
    return lines(given) if given[1:] else "".join(given)


def _listed(variable: Variable) -> str:
    return f"{variable.name}={variable.value}" if variable.fits_a_line else variable.name


def _quoted(option: str) -> str:
    """Return an option as the action splits it into words."""
    if re.fullmatch(r"[\w@%+=:,./-]+", option, re.ASCII):
        return option
    import shlex  # noqa: PLC0415 - few need it

    return shlex.quote(option)


def access_from_github(ssh: Ssh) -> Iterator[Given]:
    """Yield each value of the access, and what it is for."""
    for key, value in _access(ssh):
        if key in _PURPOSES:
            yield Given(value, _PURPOSES[key])
