"""What to do when a deploy fails on the host: one row for each code that a script can give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Whatever a run leaves behind, the next one handles it.
NOT_HEALTHY = "the new version is not healthy: {}"
_RUN_AGAIN = "run the job again: it first cleans up what this run left unfinished"
# code → cause and next act, with the details that the host gives in place of {}. Each code is a
# heading of docs/errors.md.
CAUSES = {
    "no-docker": (
        "there is no `docker` command on the host",
        "install Docker Engine (docs.docker.com/engine/install) and try: ssh HOST docker version",
    ),
    "podman": (
        "the command `docker` of the host is Podman, which a deploy does not work with",
        (
            "install Docker Engine (docs.docker.com/engine/install), remove the package "
            "podman-docker, and unset DOCKER_HOST where it names Podman; or call `podman` in "
            "`script`, which needs no Docker"
        ),
    ),
    "docker-denied": (
        "the user may not use Docker on the host ({})",
        "add the user to the group `docker`: sudo usermod -aG docker USER, then deploy again",
    ),
    "docker-config": (
        "the user cannot read Docker's configuration on the host, where a login may be ({})",
        (
            "give the folder back to the user: sudo chown -R USER ~USER/.docker; it belongs to "
            "root after `sudo docker login`"
        ),
    ),
    "docker-down": (
        "the Docker engine of the host does not answer ({})",
        "start it on the host: sudo systemctl start docker",
    ),
    "port-taken": (
        "the host cannot publish the port {}",
        (
            "find out what uses it (docker ps, and sudo ss -ltnp), and stop that, or publish "
            "another port"
        ),
    ),
    "no-network": (
        "there is no Docker network {} on the host",
        "create it there: docker network create {}",
    ),
    "disk": (
        "the disk of the host is full ({})",
        "free space on the host: docker system df shows what Docker stores",
    ),
    "pull-denied": (
        "the registry does not let the host pull the image ({})",
        (
            "for GHCR give the job `permissions: packages: read`; for another registry fill in "
            "`registry-username` and `registry-password`"
        ),
    ),
    "pull-denied-to-host": (
        "the registry does not let the host pull the image with the host's own login ({})",
        (
            "log in again on the host, as the user of the deploy and with a token that may read "
            "the image; or give `registry-username` and `registry-password`, which then go first"
        ),
    ),
    "no-image": (
        "the registry has no such image ({})",
        "check that an earlier step has pushed it, and that it was not deleted afterwards",
    ),
    "no-platform": (
        "the image was not built for the platform of the host ({})",
        (
            "add the platform to `platforms` of build-push, such as linux/arm64; on the host "
            "`docker version` shows which it needs"
        ),
    ),
    "exec-format": (
        "the program of the image is for another processor than the host's, or no program ({})",
        (
            "build the image for the platform of the host (`platforms` of build-push); if a script "
            "is the ENTRYPOINT, its first line must be such as #!/bin/sh"
        ),
    ),
    "too-long": (
        "the environment is longer than a program on the host can be given ({})",
        "put long values of `env` into files that the app reads, with `secret-files`",
    ),
    "pull-limit": (
        "the registry limits how often the host may pull, and the limit is reached ({})",
        "log in with `registry-username` and `registry-password`: a known user may pull more",
    ),
    "pull": (
        "the host could not pull the image ({})",
        "check that the host can reach the registry",
    ),
    "auto-remove": (
        "the running container {} was started with --rm: Docker would delete it when it stops",
        "replace it once by hand with a container without --rm, then deploy again",
    ),
    "foreign": (
        "the container {} on the host was not made by a deploy of this service",
        "rename or remove it, or give this service another `name`",
    ),
    "not-adopted": (
        "the container {} on the host was not made by a deploy, and this deploy would replace it",
        (
            "give this service another `name`; if this container is the service, set `adopt: true`:"
            " the log then says what will differ, and the host keeps its definition"
        ),
    ),
    "other-service": (
        "what runs on the host under this `name` seems to be another service: it has {}",
        (
            "give this deploy a `name` of its own; if it is the same service and is meant to "
            "change, set `replaces: {old}`"
        ),
    ),
    "earlier-name": (
        "the host runs this service as {}, and the default `name` of this deploy is another one",
        "set `name` to the name on the host; or rename the container and its folder there",
    ),
    "name-lost": (
        "the new version serves as {}, because another container has got its name meanwhile",
        "rename or remove that container, and deploy again",
    ),
    "start": (
        "Docker could not start the container ({})",
        (
            "correct the input that Docker's message names; Docker's log on the host may say more: "
            "sudo journalctl -u docker"
        ),
    ),
    "nobody-serves": (
        "nobody serves: {}",
        (
            "deploy a version that works, or go back to one with `rollback`; on the host, "
            "`docker ps -a` and `docker logs` show what is left"
        ),
    ),
    "removed": (
        "another program has removed a container of this deploy ({})",
        (
            "look for `docker system prune` in the cron jobs of the host, and let it run when "
            "there is no deploy; then run this job again"
        ),
    ),
    "stop": (
        "Docker could not stop the running container ({})",
        "read Docker's log on the host (sudo journalctl -u docker), and deploy again",
    ),
    "rename": (
        "the new version serves, but its container could not be renamed ({})",
        "deploy again: the next run corrects the name",
    ),
    "other-repository": (
        "the service with this `name` on the host was deployed by the repository {}",
        (
            "choose another `name`; if this repository had that name before, add it as a line to "
            "~/.gen-workflow/NAME/repositories on the host"
        ),
    ),
    "older-commit": (
        "a newer commit serves ({}), and this run is for an older one",
        (
            "leave it as it is when the newer one is right; to go back, start a new run with "
            "`rollback: previous`; to deploy this commit anyway, set `older-commit: deploy`"
        ),
    ),
    "no-flock": (
        "the host has no `flock` command, which stops two deploys from running at the same time",
        "install util-linux on the host (on Alpine, busybox has the command)",
    ),
    "no-state": (
        "the deploy cannot write its lock and its history to {} on the host",
        "let the user write to its home folder there, and free space on the disk",
    ),
    "locked": (
        "another deploy of this service is running: {}",
        "wait until it ends and run this job again, or let it wait longer with `lock-timeout`",
    ),
    "locked-by-us": (
        "this run itself already holds the lock on the host ({})",
        (
            "check whether two of the hosts are the same machine, or whether two jobs of this run "
            "deploy the same `name`"
        ),
    ),
    "no-release": (
        "the host has no release {} to roll back to",
        (
            "choose one from ~/.gen-workflow/NAME/history.jsonl on the host (of a compose project, "
            "only the last `keep` releases are stored); or deploy an image by its digest"
        ),
    ),
    "same-release": (
        "the host already serves {}",
        "name another release to roll back to: a digest or a tag",
    ),
    "command-before": (
        "the command {} of `before` failed in the new image",
        "read its output in the log above, and correct the command or the image",
    ),
    "command-after": (
        "the command {} of `after` failed in the new image",
        "read its output in the log above; then run it by hand, or deploy again",
    ),
    "script": (
        "the script ended with exit code {}",
        "read its output in the log above; the script stops at the first command that fails",
    ),
    "unhealthy": (
        NOT_HEALTHY,
        "read its last log lines in the job summary; if it starts slowly, raise `health-timeout`",
    ),
    "unhealthy-redirect": (
        NOT_HEALTHY,
        (
            "give a path that answers without a redirect to HTTPS or to a login page; or, if the "
            "redirect is right, accept it: `health-status: 200-399`"
        ),
    ),
    "unhealthy-login": (
        NOT_HEALTHY,
        (
            "give a path that needs no login; or, if the refusal shows that the app serves, accept "
            "it: `health-status: 200,401,403`"
        ),
    ),
    "unhealthy-site": (
        NOT_HEALTHY,
        (
            "the app may refuse the name of the site in the request: give a name that it accepts "
            "in `health-host`, such as shop.example.com"
        ),
    ),
    "unhealthy-path": (
        NOT_HEALTHY,
        (
            "check that the app has the path of `health`, and that the first line of `ports` is "
            "its port; an app with several sites needs `health-host`"
        ),
    ),
    "unhealthy-error": (
        NOT_HEALTHY,
        (
            "the app answers with an error of its own: read its last log lines in the job summary, "
            "and check its variables and its database"
        ),
    ),
    "unhealthy-silent": (
        NOT_HEALTHY,
        (
            "check that the app listens on 0.0.0.0 and on the container's port in `ports`; if it "
            "starts slowly, raise `health-timeout`"
        ),
    ),
    "unhealthy-slow": (
        NOT_HEALTHY,
        (
            "give a path that answers faster, without a database or another service; one answer "
            "gets 30 s at most, and no more than `health-timeout`"
        ),
    ),
    "unhealthy-check": (
        NOT_HEALTHY,
        (
            "run the command of the HEALTHCHECK in the container to see why it fails; if it needs "
            "more time, raise `health-timeout`, or let a path decide with `health`"
        ),
    ),
    "unhealthy-command": (
        NOT_HEALTHY,
        (
            "run the command of `health-command` in the container to see why it fails; if the app "
            "starts slowly, raise `health-timeout`"
        ),
    ),
    "unhealthy-ended": (
        NOT_HEALTHY,
        (
            "read its last log lines in the job summary: the program of the image must keep "
            "running, and often a variable or a file is missing"
        ),
    ),
    "unhealthy-killed": (
        NOT_HEALTHY,
        (
            "it was killed, most often because it had no memory left: raise `memory`, or free "
            "memory on the host"
        ),
    ),
    "unhealthy-proxy": (
        NOT_HEALTHY,
        (
            "the host could ask the path and the proxy could not: read the log of the proxy on the "
            "host (docker logs gen-workflow-proxy)"
        ),
    ),
    "no-http-client": (
        "the host needs curl, bash or wget to ask the health path, and has none of them",
        "install curl there, or leave `health` out and write a HEALTHCHECK in the Dockerfile",
    ),
    "interrupted": (
        "the script on the host was stopped, or ended too early",
        f"its last lines are in the log above; {_RUN_AGAIN}",
    ),
    "shell-killed": (
        "the shell on the host ended with exit code {}: it was killed, or it crashed",
        f"check whether the host has run out of memory, and {_RUN_AGAIN}",
    ),
    "proxy-image": (
        "the host could not pull the image of the proxy ({})",
        (
            "check that the host can reach that registry, or name the image in another "
            "registry with `proxy-image`"
        ),
    ),
    "proxy-ports": (
        "{}",
        (
            "publish with the ports of the proxy; or run `docker rm -f gen-workflow-proxy` on "
            "the host and deploy again: the deploy then starts the proxy with the new ports"
        ),
    ),
    "proxy-hosts": (
        "another service behind the proxy already uses these host names ({})",
        "list which service uses which host name: docker exec gen-workflow-proxy kamal-proxy list",
    ),
    "proxy": (
        "the proxy on the host failed ({})",
        "read its log on the host: docker logs gen-workflow-proxy",
    ),
    "no-compose": (
        "the host has no Docker Compose of version 2 ({})",
        "install the plugin (docs.docker.com/compose/install/linux), try: docker compose version",
    ),
    "old-compose": (
        "Docker Compose on the host is too old ({})",
        "install a newer plugin: docs.docker.com/compose/install/linux",
    ),
    "no-tool": ("the host has no `{}` command", "install it on the host"),
    "no-folder": (
        "the user cannot write to the folder {} on the host",
        "create it for the user: sudo install -d -o USER {}; or choose another `dir`",
    ),
    "snap-folder": (
        "the Docker of the host is a snap, which cannot read the folder {}",
        (
            "choose a `dir` below the home of the user that begins with no dot, such as `app`; or "
            "install Docker Engine from docs.docker.com/engine/install"
        ),
    ),
    "host-files": (
        "files that people wrote or changed on the host would be overwritten or no longer read: {}",
        (
            "say in `host-files` what to do with each, in lines such as .env=keep (the host's file "
            "stays), .env=merge (its variables stay, those of `env` win) or compose.yml=replace (a "
            "copy stays on the host); a word alone, such as keep, is for all files"
        ),
    ),
    "in-the-way": (
        "the host cannot write the file {}",
        "check what is at this path (a folder, or a file of another user), and move it away",
    ),
    "compose": (
        "Docker Compose rejects the project: {}",
        "correct the compose file; a file that is missing on the host must be listed in `files`",
    ),
    "other-project": (
        "the folder on the host already runs another project: {}",
        "leave `name` out, or set it to that name, or choose another `dir`",
    ),
    "other-folder": (
        "the host runs this project from another folder: {}",
        "set `dir` to that folder, or give this project another `name`",
    ),
    "name-taken": (
        "the project in {} on the host already has this `name`",
        "give this project another `name`; or remove that folder, if the project has moved",
    ),
    "not-uploaded": (
        "the project mounts {}, which is in the repository but not on the host",
        "add it to `files`; otherwise Docker would create an empty folder with that name",
    ),
    "inactive": (
        "the service {} would not start: its profile is not active",
        "set COMPOSE_PROFILES=… in `env`, or remove the profile of the service",
    ),
    "not-built": (
        "the service {} has no image, and a deploy does not build images on the host",
        "build it with build-push and give its digest in `images`",
    ),
    "start-project": (
        "compose could not start the project ({})",
        (
            "correct the cause that compose names; the logs on the host may say more: "
            "docker compose logs SERVICE"
        ),
    ),
    "too-slow": (
        "compose could not start the project in time ({})",
        (
            "raise `health-timeout`: compose has 60 s more than that for the whole project, "
            "also for services that run once and end"
        ),
    ),
    "connection-lost": (
        "the connection to the host was lost in the middle of the deploy",
        _RUN_AGAIN,
    ),
}


# What the host found of a new version → the code whose next act fits it.
OF_HEALTH = (
    (r"gave status 3\d\d", "unhealthy-redirect"),
    (r"gave status (401|403|407)", "unhealthy-login"),
    (r"gave status (400|421)", "unhealthy-site"),
    (r"gave status 4\d\d", "unhealthy-path"),
    (r"gave status 5\d\d", "unhealthy-error"),
    (r"gave no answer within", "unhealthy-slow"),
    (r"gave no answer|has no answer yet", "unhealthy-silent"),
    (r"ended with exit code 137", "unhealthy-killed"),
    (r"its health command", "unhealthy-command"),
    (r"its HEALTHCHECK", "unhealthy-check"),
    (r"ended with exit code|it crashed", "unhealthy-ended"),
    (r"the proxy asked for", "unhealthy-proxy"),
)
NO_PROGRAM = "exec format error"


class Advice(NamedTuple):
    """A cause, the next act, and the heading of docs/errors.md that says more."""

    cause: str
    hint: str
    anchor: str


def advice(code: str, detail: str, logs: Sequence[str] = ()) -> Advice:
    """Return the advice for a code; an unknown code is shown as it is.

    `logs` are the last lines of the container that failed.
    """
    code = _of_health(detail, logs) if code == "unhealthy" else code
    what, hint = CAUSES.get(
        code, (f"the host reports the unknown error {code!r} ({{}})", "read the log above")
    )
    anchor = code if code in CAUSES else ""
    words = detail or "no details"
    return Advice(what.replace("{}", words), hint.replace("{}", words), anchor)


def _of_health(detail: str, logs: Sequence[str]) -> str:
    if any(NO_PROGRAM in line for line in logs[-3:]):
        return "exec-format"
    return next((code for words, code in OF_HEALTH if re.search(words, detail)), "unhealthy")
