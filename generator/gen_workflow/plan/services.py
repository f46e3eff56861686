"""Services of a test as GitHub takes them; a known image brings what it needs to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.spec.services import Service

# How long a service may take to start: two minutes.
_PATIENCE = "--health-interval 5s --health-timeout 5s --health-retries 24"


class _Known(NamedTuple):
    """What an image of a database needs, and the command that tells when it can be used."""

    port: str
    health: str
    env: tuple[tuple[str, str], ...] = ()


# By TCP: while they set themselves up, the databases answer at their socket already.
_POSTGRES = _Known("5432:5432", "pg_isready -h localhost", (("POSTGRES_PASSWORD", "postgres"),))
_KNOWN = {
    "postgres": _POSTGRES,
    "postgis": _POSTGRES,
    "pgvector": _POSTGRES,
    "timescaledb": _POSTGRES,
    "mysql": _Known(
        "3306:3306", "mysqladmin ping -h 127.0.0.1", (("MYSQL_ROOT_PASSWORD", "mysql"),)
    ),
    "mariadb": _Known(
        "3306:3306",
        "healthcheck.sh --connect --innodb_initialized",
        (("MARIADB_ROOT_PASSWORD", "mariadb"),),
    ),
    "redis": _Known("6379:6379", "redis-cli ping"),
    "valkey": _Known("6379:6379", "valkey-cli ping"),
    "mongo": _Known("27017:27017", "mongosh --quiet --eval 'db.runCommand({ping: 1})'"),
    "rabbitmq": _Known("5672:5672", "rabbitmq-diagnostics -q ping"),
}
_OTHER = _Known("", "")


def of(services: tuple[Service, ...]) -> dict[str, Any]:
    """Return the services of a job, by their names."""
    return {one.key: _service(one) for one in services}


def _service(service: Service) -> dict[str, Any]:
    name = service.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    known = _KNOWN.get(name, _OTHER)
    env = {**dict(known.env), **dict(service.env)}
    ports = [*service.ports] or [known.port] if known.port or service.ports else []
    health = service.health or known.health
    options = f"--health-cmd {_quoted(health)} {_PATIENCE}" if health else ""
    options = " ".join(filter(None, (options, service.options)))
    return {
        "image": service.image,
        **({"env": env} if env else {}),
        **({"ports": ports} if ports else {}),
        **({"options": options} if options else {}),
    }


def _quoted(text: str) -> str:
    """Return a text as one word of the options, which the runner splits as a command line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
