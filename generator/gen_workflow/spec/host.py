"""A deploy to hosts over SSH, as the spec says it: which hosts, and what runs there."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import TYPE_CHECKING, Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.access import SSH, Ssh
from gen_workflow.spec.container import RUN, Run
from gen_workflow.spec.forms import Elsewhere, Listed, WholeNumber
from gen_workflow.spec.health import HEALTH, Health
from gen_workflow.spec.sections import Key
from gen_workflow.spec.variables import ENV_OF_DEPLOY, Variable

if TYPE_CHECKING:
    from gen_workflow.spec.commands import Task
    from gen_workflow.spec.compose import HostFile, Pinned
    from gen_workflow.spec.strategy import Proxy

__all__ = ["Run", "Ssh", "SshDeploy"]

# Loaded only for a spec that has such a key.
_COMPOSE = "gen_workflow.spec.compose"
_COMMANDS = "gen_workflow.spec.commands"
_SECONDS = "a time in seconds"
_DAY = 86_400


class SshDeploy(NamedTuple):
    """Hosts, and what runs there."""

    ssh: Annotated[
        Ssh,
        Key(
            "The host: a name of your choice, or a mapping",
            SSH,
            "vps",
            "0.1.0",
            default="**required**, or `kubernetes` or `gitops`",
            missing="name the host to deploy to: ssh: vps; or what runs in a cluster: "
            "kubernetes: deployment/web",
        ),
    ]
    run: Annotated[
        Run,
        Key(
            "How a single container runs; it may be empty: `{}`",
            RUN,
            '{ports: ["8080:8080"]}',
            "0.1.0",
            default="**required** with `ssh`, or `compose`, or `script`",
            missing='say what runs there: run: {ports: ["8080:8080"]}, or compose: compose.yml, or '
            "script: sudo systemctl restart shop",
            unless="compose script",
        ),
    ] = Run()
    compose: Annotated[
        tuple[str, ...],
        Key(
            "Compose file of the repository, or a list; the project is started on the host",
            Elsewhere(_COMPOSE, "FILES"),
            "compose.yml",
            "0.1.0",
        ),
    ] = ()
    script: Annotated[
        str,
        Key(
            "Shell commands to run on the hosts instead of an image; the image that was built is "
            "in `$IMAGE`, or one of several in `$IMAGE_NAME`",
            Elsewhere(_COMMANDS, "SCRIPT"),
            "sudo systemctl restart shop",
            "0.1.0",
        ),
    ] = ""
    dir: Annotated[
        str,
        Key(
            "Folder of the compose project on the host, absolute or in the home of the user",
            Elsewhere(_COMPOSE, "DIR"),
            "/opt/app",
            "0.1.0",
            default="the name of the repository, and after it the environment if that is not "
            "`production`",
        ),
    ] = ""
    services: Annotated[
        "tuple[Pinned, ...]",
        Key(
            "Services of the compose project that get the image, as a list; with several `images` "
            "a mapping of services to images",
            Elsewhere(_COMPOSE, "SERVICES"),
            "[web, worker]",
            "0.1.0",
            default="those with an image of the same name in another version; with several "
            "`images`, each goes to the service of its name",
        ),
    ] = ()
    files: Annotated[
        tuple[str, ...],
        Key(
            "Further files, folders and patterns to upload with the compose files, one or a list",
            Elsewhere(_COMPOSE, "UPLOADS"),
            "[nginx/, prometheus.yml]",
            "0.1.0",
        ),
    ] = ()
    host_files: Annotated[
        "tuple[HostFile, ...]",
        Key(
            "What to do with files in `dir` that no deploy wrote: `refuse`, `keep`, `merge` or "
            "`replace`; for single files a mapping",
            Elsewhere(_COMPOSE, "HOST_FILES_OF"),
            "{.env: merge}",
            "0.1.0",
            default="`refuse`",
        ),
    ] = ()
    env: Annotated[
        tuple[Variable, ...],
        Key(
            "Environment of what runs there, as `env` of `run`; with `compose` it becomes the file "
            "`.env`",
            ENV_OF_DEPLOY,
            "[DB_URL, {LOG_LEVEL: info}]",
            "0.1.0",
        ),
    ] = ()
    env_file: Annotated[
        tuple[str, ...],
        Key(
            "File of the repository with lines NAME=value for the environment, or a list; `env` "
            "goes before it",
            Elsewhere(_COMPOSE, "ENV_FILES"),
            "app.env",
            "0.1.0",
        ),
    ] = ()
    health: Annotated[
        Health,
        Key(
            "What must answer: a path on the host, an address that the runner asks after the "
            "deploy, or a mapping",
            HEALTH,
            "/health",
            "0.1.0",
            default="the image's HEALTHCHECK, or running without a restart",
        ),
    ] = Health()
    strategy: Annotated[
        "Proxy | None",
        Key(
            "How a new container takes over: `plain` stops the old one and starts the new one, "
            "`proxy` moves the users over without a gap; a mapping says more of the proxy",
            Elsewhere("gen_workflow.spec.strategy", "STRATEGY"),
            "{proxy: shop.example.com}",
            "0.1.0",
            default="`plain`",
        ),
    ] = None
    before: Annotated[
        "tuple[Task, ...]",
        Key(
            "Command to run in the new image before anything is touched, such as a migration, or a "
            "list; with `compose` a mapping of services to commands",
            Elsewhere(_COMMANDS, "TASKS"),
            "npx prisma migrate deploy",
            "0.1.0",
        ),
    ] = ()
    after: Annotated[
        "tuple[Task, ...]",
        Key(
            "Command to run in the new image when it serves on all hosts, as `before`",
            Elsewhere(_COMMANDS, "TASKS"),
            "npm run warm-up",
            "0.1.0",
        ),
    ] = ()
    keep: Annotated[
        str,
        Key(
            "Number of releases whose images stay on the hosts",
            WholeNumber("a number of releases", 1, 1000, 5),
            "5",
            "0.1.0",
            default="`3`",
        ),
    ] = ""
    max_parallel: Annotated[
        str,
        Key(
            "Number or percentage of the hosts that are switched at the same time",
            values.GROUP,
            "25%",
            "0.1.0",
            default="all",
        ),
    ] = ""
    adopt: Annotated[
        str,
        Key(
            "Replace a container with this `name` that was made by hand",
            values.ADOPT,
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    replaces: Annotated[
        tuple[str, ...],
        Key(
            "What the service has on the host and the next deploy changes, as the deploy that "
            "stopped has named it: a port, an image, an environment",
            Listed(values.REPLACED, "[8080]"),
            "[8080, ghcr.io/example/old-shop]",
            "0.1.0",
        ),
    ] = ()
    older_commit: Annotated[
        str,
        Key(
            "What happens when a newer commit of the branch serves already: `refuse` or `deploy`",
            values.OneOf("refuse", "deploy"),
            "deploy",
            "0.1.0",
            default="`refuse`",
        ),
    ] = ""
    lock_timeout: Annotated[
        str,
        Key(
            "Seconds to wait until another deploy of the service has ended",
            WholeNumber(_SECONDS, 0, _DAY, 900),
            "900",
            "0.1.0",
            default="`600`, and more when a deploy may take longer",
        ),
    ] = ""
    lock_expiry: Annotated[
        str,
        Key(
            "Seconds after which a deploy that has not ended counts as dead",
            WholeNumber(_SECONDS, 60, _DAY, 7200),
            "7200",
            "0.1.0",
            default="`3600`, and more when a deploy may take longer",
        ),
    ] = ""

    @property
    def form(self) -> str:
        """What runs there: `run`, `compose` or `script`."""
        return "compose" if self.compose else "script" if self.script else "run"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The environment, wherever the spec says it."""
        return (*self.env, *self.run.env)
