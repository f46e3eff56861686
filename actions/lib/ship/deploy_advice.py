"""What to do when a deploy fails on the host: one row for each code that a script can give."""

from __future__ import annotations

# code → cause, with the host's own words in place of {}, and the next act.
CAUSES = {
    "no-docker": (
        "there is no `docker` command on the host",
        "install Docker Engine (docs.docker.com/engine/install) and try: ssh HOST docker version",
    ),
    "docker-denied": (
        "the user may not use Docker on the host ({})",
        "add the user to the group: sudo usermod -aG docker USER, then deploy again",
    ),
    "docker-down": (
        "the Docker engine of the host does not answer ({})",
        "start it on the host: sudo systemctl start docker",
    ),
    "port-taken": (
        "port {} is taken on the host",
        "stop what holds it, or publish another port",
    ),
    "no-network": (
        "there is no Docker network {} on the host",
        "make it there: docker network create NAME",
    ),
    "disk": (
        "the disk of the host is full ({})",
        "free space there: docker system df shows what Docker holds",
    ),
    "pull-denied": (
        "the registry does not let the host pull the image ({})",
        "GHCR needs `permissions: packages: read` in the job, others the two `registry-…` inputs",
    ),
    "no-image": (
        "the registry has no such image ({})",
        "was it pushed by this run, and not deleted since?",
    ),
    "pull": ("the host could not pull the image ({})", "can the host reach the registry?"),
    "auto-remove": (
        "the running container {} was made with --rm: its stop would delete it",
        "replace it once by hand with one that has no --rm, then deploy again",
    ),
    "foreign": (
        "the host has a container {} that is not of this deploy",
        "rename or remove it, or give this service another `name`",
    ),
    "no-shell": (
        "the host did not run the script ({})",
        "give the user a login shell; it may be restricted to file transfer or to one command",
    ),
    "start": ("Docker could not start the container ({})", "see the words of Docker in brackets"),
    "stop": ("Docker could not stop the running container", "look at the engine's log on the host"),
    "rename": (
        "the new version serves, but its container could not be renamed",
        "deploy again: the next run puts the names right",
    ),
    "unhealthy": (
        "the new version is not healthy: {}",
        "its last lines are in the job summary; a slow start needs a larger `health-timeout`",
    ),
    "no-http-client": (
        "the host has none of curl, bash and wget to ask the health path with",
        "install curl there, or leave `health` out and write a HEALTHCHECK in the Dockerfile",
    ),
    "connection-lost": (
        "the connection to the host was lost in the middle of the deploy",
        "run the job again: it puts right whatever is half done",
    ),
}


def advice(code: str, detail: str) -> tuple[str, str]:
    """Return the cause and the next act for a code; an unknown code is shown as it is."""
    what, hint = CAUSES.get(code, (f"the host says {code!r} ({{}})", "look at the log above"))
    return what.replace("{}", detail or "no further words"), hint
