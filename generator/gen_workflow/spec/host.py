"""A deploy to a host over SSH, as the spec says it: which host, and what runs there."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated, NamedTuple

from gen_workflow.errors import Heading
from gen_workflow.spec import hosts, values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Listed, WholeNumber, text
from gen_workflow.spec.ports import PORT, port_taken, ports_collide
from gen_workflow.spec.sections import Key, Later, Section, ShortOr
from gen_workflow.spec.variables import ENV, Variable
from gen_workflow.spec.volumes import VOLUME, target_of


class Ssh(NamedTuple):
    """How a host is reached; every value is literal or an expression of GitHub's."""

    host: Annotated[
        str,
        Key(
            "Name or address of the host; an IPv6 address has no brackets",
            hosts.HOST,
            "shop.example.com",
            "0.1.0",
            missing=hosts.HOST.hint,
        ),
    ]
    user: Annotated[
        str,
        Key(
            "User on the host who may use Docker",
            hosts.USER,
            "deploy",
            "0.1.0",
            missing=hosts.USER.hint,
        ),
    ]
    key: Annotated[
        str,
        Key(
            "Private key of the user, which must be a secret",
            hosts.KEY,
            "${{ secrets.DEPLOY_KEY }}",
            "0.1.0",
            missing=hosts.KEY.hint,
        ),
    ]
    known_hosts: Annotated[
        str,
        Key(
            "Keys of the host, as `ssh-keyscan HOST` prints them",
            hosts.KNOWN_HOSTS,
            "${{ vars.KNOWN_HOSTS }}",
            "0.1.0",
            missing=hosts.KNOWN_HOSTS.hint,
        ),
    ]
    port: Annotated[
        str,
        Key("Port of its SSH server", hosts.PORT, "2222", "0.1.0", default="`22`"),
    ] = ""


SSH = Section(Ssh, Later("hosts jump fingerprint host-ca"))


def _host_of(name: Value, reading: Reading) -> Ssh | None:
    """Return the host whose variables and secret on GitHub begin with a name."""
    if name.kind == "text" and "${{" in name.text:
        what = "an expression cannot name a target"
        reading.problem(name, what, hosts.TARGET_HINT, Heading.NOT_ALLOWED)
        return None
    target = text(name, reading, "vps", hosts.TARGET)
    if target is None:
        return None
    prefix = target.upper().replace("-", "_")
    if not re.fullmatch(hosts.TARGET, target):
        what = f"{target!r} is not the name of a target"
        reading.problem(name, what, hosts.TARGET_HINT, Heading.ADDRESS)
    elif f"{prefix}_".startswith("GITHUB_"):
        what = "GitHub reserves names that begin with GITHUB_"
        reading.problem(name, what, "choose another name, such as vps", Heading.RESERVED)
    else:
        return Ssh(
            host=f"${{{{ vars.{prefix}_HOST }}}}",
            user=f"${{{{ vars.{prefix}_USER }}}}",
            port=f"${{{{ vars.{prefix}_PORT || '22' }}}}",
            key=f"${{{{ secrets.{prefix}_SSH_KEY }}}}",
            known_hosts=f"${{{{ vars.{prefix}_KNOWN_HOSTS }}}}",
        )
    return None


class Run(NamedTuple):
    """How the container runs."""

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
    network: Annotated[
        str,
        Key(
            "Docker network, which must exist on the host; not `host` or `none`",
            values.NETWORK,
            "web",
            "0.1.0",
            default="Docker's own",
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
    health_timeout: Annotated[
        str,
        Key(
            "Seconds within which the container must become healthy",
            WholeNumber("a time in seconds", 1, 3600, 60),
            "90",
            "0.1.0",
            default="`60`",
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


RUN = Section(Run, Later("command labels memory options user"))


class SshDeploy(NamedTuple):
    """A host, and what runs there."""

    ssh: Annotated[
        Ssh,
        Key(
            "The host: a name of your choice, or a mapping",
            ShortOr(
                Checked(_host_of, {"type": "string", "pattern": f"^{hosts.TARGET}$"}),
                "a name",
                "ssh: vps",
                SSH,
            ),
            "vps",
            "0.1.0",
            default="**required**, or `kubernetes`",
            missing="name the host to deploy to: ssh: vps; or what runs in a cluster: "
            "kubernetes: deployment/web",
        ),
    ]
    run: Annotated[
        Run,
        Key(
            "How the container runs; it may be empty: `{}`",
            RUN,
            '{ports: ["8080:8080"]}',
            "0.1.0",
            default="**required** with `ssh`",
            missing='say how the container runs: run: {ports: ["8080:8080"]}',
        ),
    ]
    health: Annotated[
        str,
        Key(
            "Path that must answer with a 2xx status. The host sends the request to the first "
            "published port: first of the candidate, if one is started, and then of the "
            "new container",
            values.HEALTH,
            "/health",
            "0.1.0",
            default="the image's HEALTHCHECK, or running without a restart",
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
