"""How a host is reached over SSH, as the spec says it, and what proves that it is the right one."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import hosts as reach
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Listed, text
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.values import Flag

_INSECURE = "insecure-host-key"
# The keys that say which key of a host is right.
_TRUST = ("known-hosts", "fingerprints", "host-ca")


def _name(value: Value, reading: Reading) -> str | None:
    """Return the name of a target, with which variables and secrets can begin."""
    if value.kind == "text" and "${{" in value.text:
        what = "an expression cannot name a target"
        reading.problem(value, what, reach.TARGET_HINT, Heading.NOT_ALLOWED)
        return None
    target = text(value, reading, "vps", reach.TARGET)
    if target is None:
        return None
    if not re.fullmatch(reach.TARGET, target):
        what = f"{target!r} is not the name of a target"
        reading.problem(value, what, reach.TARGET_HINT, Heading.ADDRESS)
    elif f"{target}_".upper().replace("-", "_").startswith("GITHUB_"):
        what = "GitHub reserves names that begin with GITHUB_"
        reading.problem(value, what, "choose another name, such as vps", Heading.RESERVED)
    else:
        return target
    return None


class Ssh(NamedTuple):
    """How hosts are reached; every value is literal or an expression of GitHub's."""

    name: Annotated[
        str,
        Key(
            "Name whose variables and secret are used for what is not said here",
            Checked(_name, reach.TARGET_SCHEMA),
            "vps",
            "0.1.0",
        ),
    ] = ""
    host: Annotated[
        str,
        Key(
            "Name or address of the host; an IPv6 address has no brackets",
            reach.HOST,
            "shop.example.com",
            "0.1.0",
            default="**required**, or `hosts`, or `name`",
            missing=reach.HOST.hint,
            unless="hosts name",
        ),
    ] = ""
    hosts: Annotated[
        tuple[str, ...],
        Key(
            "Several hosts, each as `HOST`, `HOST:PORT` or `USER@HOST:PORT`",
            Listed(reach.PLACE, "[app1.example.com, app2.example.com]"),
            '["app1.example.com", "admin@app2.example.com:2222"]',
            "0.1.0",
        ),
    ] = ()
    user: Annotated[
        str,
        Key(
            "User on the host who may use Docker",
            reach.USER,
            "deploy",
            "0.1.0",
            default="**required**, or `name`",
            missing=reach.USER.hint,
            unless="name",
        ),
    ] = ""
    port: Annotated[
        str,
        Key("Port of its SSH server", reach.PORT, "2222", "0.1.0", default="`22`"),
    ] = ""
    key: Annotated[
        str,
        Key(
            "Private key of the user, which must be a secret",
            reach.KEY,
            "${{ secrets.DEPLOY_KEY }}",
            "0.1.0",
            default="**required**, or `name`",
            missing=reach.KEY.hint,
            unless="name",
        ),
    ] = ""
    passphrase: Annotated[
        str,
        Key(
            "Passphrase of the private key, which must be a secret",
            reach.PASSPHRASE,
            "${{ secrets.DEPLOY_KEY_PASSPHRASE }}",
            "0.1.0",
        ),
    ] = ""
    known_hosts: Annotated[
        str,
        Key(
            "Keys of the host, as `ssh-keyscan HOST` prints them",
            reach.KNOWN_HOSTS,
            "${{ vars.KNOWN_HOSTS }}",
            "0.1.0",
            default="**required**, or `fingerprints`, `host-ca` or `name`",
            missing=reach.KNOWN_HOSTS.hint,
            unless=f"fingerprints host-ca {_INSECURE} name",
        ),
    ] = ""
    fingerprints: Annotated[
        tuple[str, ...],
        Key(
            "Fingerprints of the keys of the hosts, one or a list; with the name of a host in "
            "front, one is for that host alone",
            Listed(reach.FINGERPRINT, alone=True, empty="write SHA256:… or remove it"),
            "${{ vars.VPS_FINGERPRINT }}",
            "0.1.0",
        ),
    ] = ()
    host_ca: Annotated[
        tuple[str, ...],
        Key(
            "Public key of the authority that signed the keys of the hosts, one or a list",
            Listed(reach.AUTHORITY, alone=True, empty="write the public key, or remove it"),
            "${{ vars.HOST_CA }}",
            "0.1.0",
        ),
    ] = ()
    insecure_host_key: Annotated[
        str,
        Key(
            "Accept any host key, so that an attacker between the runner and the host could "
            "pretend to be the host; only for hosts that you throw away",
            Flag(_INSECURE),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    jump: Annotated[
        tuple[str, ...],
        Key(
            "Host to jump over, or a list in this order, each as `HOST`, `HOST:PORT` or "
            "`USER@HOST:PORT`",
            Listed(reach.PLACE, alone=True, empty="name the host, or remove `jump`"),
            "admin@bastion.example.com",
            "0.1.0",
        ),
    ] = ()
    proxy_command: Annotated[
        str,
        Key(
            "Command on the runner that makes the network connection for ssh",
            reach.PROXY_COMMAND,
            "cloudflared access ssh --hostname %h",
            "0.1.0",
        ),
    ] = ""


def _complete(fields: Fields, reading: Reading) -> None:
    """Fill in what the name of a target stands for, and note what does not fit; the rule of `ssh`.

    Without a check of the host key, whoever is on the route can be the host.
    """
    there, read = fields.values, fields.read
    for one, other, why in (
        ("host", "hosts", "it is one of them"),
        ("jump", "proxy-command", "both are the route to the host"),
    ):
        if one in there and other in there:
            what = f"cannot be beside `{other}`: {why}"
            reading.problem(there[one], what, f"remove `{one}`", Heading.TOGETHER)
    given = next((key for key in _TRUST if key in there), "")
    insecure = read.get(_INSECURE)
    if insecure and given:
        what = f"contradicts `{given}`, which says which key is right"
        reading.problem(there[_INSECURE], what, "remove it", Heading.TOGETHER)
    elif _INSECURE in there and not (insecure or given or "name" in there):
        hint = reach.KNOWN_HOSTS.hint
        reading.problem(fields.where, "`known-hosts` is missing", hint, Heading.MISSING_KEY)
    if read.get("name"):
        named = of_name(read["name"])
        skipped = {"host"} if "hosts" in there else set()
        skipped |= {"known-hosts"} if given or insecure else set()
        for key in ("host", "user", "port", "key", "known-hosts"):
            if key not in there and key not in skipped:
                read[key] = getattr(named, key.replace("-", "_"))


def of_name(target: str) -> Ssh:
    """Return the host whose variables and secret on GitHub begin with a name."""
    prefix = target.upper().replace("-", "_")
    return Ssh(
        host=f"${{{{ vars.{prefix}_HOST }}}}",
        user=f"${{{{ vars.{prefix}_USER }}}}",
        port=f"${{{{ vars.{prefix}_PORT || '22' }}}}",
        key=f"${{{{ secrets.{prefix}_SSH_KEY }}}}",
        known_hosts=f"${{{{ vars.{prefix}_KNOWN_HOSTS }}}}",
    )


def _short(value: Value, reading: Reading) -> Ssh | None:
    """Return the host of the short form, which is a name."""
    target = _name(value, reading)
    return of_name(target) if target else None


SSH = ShortOr(
    Checked(_short, reach.TARGET_SCHEMA), "a name", "ssh: vps", Section(Ssh, rule=_complete)
)
