"""How a container runs on a host, as the spec says it."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.forms import Elsewhere, Listed, WholeNumber
from gen_workflow.spec.ports import PORT, port_taken, ports_collide
from gen_workflow.spec.sections import Key, Section
from gen_workflow.spec.variables import ENV, SECRET_FILES, Variable
from gen_workflow.spec.volumes import VOLUME, target_of

# Loaded only for a spec that has such a key.
_OPTIONS = "gen_workflow.spec.options"


class Run(NamedTuple):
    """How the container runs."""

    image: Annotated[
        str,
        Key(
            "Which of several `images` runs",
            values.IMAGE_KEY,
            "api",
            "0.1.0",
            default="the only one",
        ),
    ] = ""
    ports: Annotated[
        tuple[str, ...],
        Key(
            "Ports to publish, each `HOST:CONTAINER`, with an address before it and `/udp` behind "
            "it where needed; each address, port of the host and protocol once",
            Listed(PORT, '["8080:8080"]', taken=port_taken, collide=ports_collide),
            '["8080:80", "127.0.0.1:9090:90", "53:53/udp"]',
            "0.1.0",
        ),
    ] = ()
    env: Annotated[
        tuple[Variable, ...],
        Key(
            "Environment of the app: names of secrets, values by name, or both in a list",
            ENV,
            "[DB_URL, {LOG_LEVEL: info}]",
            "0.1.0",
        ),
    ] = ()
    secret_files: Annotated[
        tuple[Variable, ...],
        Key(
            "Files for the app in `/run/secrets`, each a name and its content, as `env` says them; "
            "`docker inspect` does not show them",
            SECRET_FILES,
            "[TLS_KEY]",
            "0.1.0",
        ),
    ] = ()
    volumes: Annotated[
        tuple[str, ...],
        Key(
            "Volumes, each `SOURCE:TARGET[:ro]` without spaces; the source is a name of two "
            "characters or more, or an absolute path of the host",
            Listed(VOLUME, '["data:/var/lib/app"]', taken=target_of),
            '["data:/var/lib/app", "/srv/app:/data:ro"]',
            "0.1.0",
        ),
    ] = ()
    networks: Annotated[
        tuple[str, ...],
        Key(
            "Docker network, or a list, which must exist on the host; not `host` or `none`",
            Listed(values.NETWORK, alone=True),
            "[web, database]",
            "0.1.0",
            default="Docker's own",
        ),
    ] = ()
    user: Annotated[
        str,
        Key(
            "User that the app runs as, by name or number, with `:` and a group where needed",
            Elsewhere(_OPTIONS, "USER"),
            '"1000:1000"',
            "0.1.0",
            default="that of the image",
        ),
    ] = ""
    memory: Annotated[
        str, Key("Maximum memory of the container", Elsewhere(_OPTIONS, "MEMORY"), "512m", "0.1.0")
    ] = ""
    cpus: Annotated[
        str,
        Key(
            "Maximum number of processors of the container",
            Elsewhere(_OPTIONS, "CPUS"),
            "1.5",
            "0.1.0",
        ),
    ] = ""
    labels: Annotated[
        tuple[Variable, ...],
        Key(
            "Labels of the container, none of them a secret",
            Elsewhere(_OPTIONS, "LABELS"),
            "{com.example.team: shop}",
            "0.1.0",
        ),
    ] = ()
    options: Annotated[
        tuple[str, ...],
        Key(
            "Further options of `docker create` in their long form",
            Elsewhere(_OPTIONS, "OPTIONS"),
            "[--cap-drop=ALL, --init]",
            "0.1.0",
        ),
    ] = ()
    command: Annotated[
        str,
        Key(
            "Command and arguments to use instead of those of the image, as a text or as a list of "
            "words",
            Elsewhere("gen_workflow.spec.commands", "COMMAND"),
            "[node, server.js]",
            "0.1.0",
        ),
    ] = ""
    restart: Annotated[
        str,
        Key(
            "Restart policy: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
            values.RESTART,
            "always",
            "0.1.0",
            default="`unless-stopped`",
        ),
    ] = ""
    candidate: Annotated[
        str,
        Key(
            "Whether a candidate is checked beside the service before the old container stops: "
            "`auto` unless both would write to a volume, `always`, or `never`",
            values.OneOf("auto", "always", "never"),
            "never",
            "0.1.0",
            default="`auto`",
        ),
    ] = ""
    stop_timeout: Annotated[
        str,
        Key(
            "Seconds that the old container gets to stop by itself",
            WholeNumber("a time in seconds", 0, 3600, 30),
            "30",
            "0.1.0",
            default="`10`",
        ),
    ] = ""


RUN = Section(Run)
