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
    "pull-limit": (
        "the registry gives the host no more images for now ({})",
        "log in with `registry-username` and `registry-password`: who is known may pull more",
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
    "start": (
        "Docker could not start the container ({})",
        "change the input that the words of Docker are about; or see: sudo journalctl -u docker",
    ),
    "stop": (
        "Docker could not stop the running container ({})",
        "look at the engine's log on the host (sudo journalctl -u docker), and deploy again",
    ),
    "rename": (
        "the new version serves, but its container could not be renamed ({})",
        "deploy again: the next run puts the names right",
    ),
    "other-repository": (
        "the service of this `name` on the host was deployed by the repository {}",
        "give another `name`; if that one was renamed, add it to ~/.gen-workflow/NAME/repositories",
    ),
    "no-flock": (
        "the host has no `flock` command, which keeps two deploys apart",
        "install util-linux there (Alpine has it in busybox)",
    ),
    "no-state": (
        "the host cannot keep its notes in {}",
        "let the user write to its home there, and free space",
    ),
    "locked": (
        "another deploy of this service runs: {}",
        "wait for its end and run this job again, or give it more time with `lock-timeout`",
    ),
    "locked-by-us": (
        "this very run holds the lock there already ({})",
        "are two of the hosts one machine under two names, or do two jobs deploy one `name`?",
    ),
    "no-release": (
        "the host knows no release {} to go back to",
        (
            "look at ~/.gen-workflow/NAME/history.jsonl there (of a compose project the last "
            "`keep` are left), or deploy an image by its digest"
        ),
    ),
    "same-release": (
        "the host serves {} already",
        "give another release to go back to: a digest or a tag",
    ),
    "command-before": (
        "the command {} of `before` failed in the new image",
        "its output is in the log above",
    ),
    "command-after": (
        "the command {} of `after` failed in the new image",
        "its output is in the log above; run it by hand, or deploy again",
    ),
    "script": (
        "the script ended with exit code {}",
        "its output is in the log above; it stops at the first command that fails",
    ),
    "unhealthy": (
        "the new version is not healthy: {}",
        "its last lines are in the job summary; a slow start needs a larger `health-timeout`",
    ),
    "no-http-client": (
        "the host has none of curl, bash and wget to ask the health path with",
        "install curl there, or leave `health` out and write a HEALTHCHECK in the Dockerfile",
    ),
    "interrupted": (
        "the script on the host was ended from outside, or ended by itself",
        "its last words are in the log above; run the job again: it puts right what is half done",
    ),
    "shell-killed": (
        "the shell on the host ended with exit code {}: it was killed, or crashed",
        "has the host run out of memory? Run the job again: it puts right what is half done",
    ),
    "proxy-image": (
        "the host could not pull the image of the proxy ({})",
        "can the host reach that registry? `proxy-image` takes it from another one",
    ),
    "proxy-ports": (
        "{}",
        "give those, or have it made anew by a deploy after: docker rm -f gen-workflow-proxy",
    ),
    "proxy-hosts": (
        "another service of the proxy has these hosts already ({})",
        "see who has which: docker exec gen-workflow-proxy kamal-proxy list",
    ),
    "proxy": (
        "the proxy of the host does not do what it has to ({})",
        "look at its log there: docker logs gen-workflow-proxy",
    ),
    "no-compose": (
        "the host has no Docker Compose of version 2 ({})",
        "install the plugin (docs.docker.com/compose/install/linux), try: docker compose version",
    ),
    "old-compose": (
        "Docker Compose on the host is too old ({})",
        "install a newer plugin: docs.docker.com/compose/install/linux",
    ),
    "no-tool": ("the host has no `{}` command", "install it there"),
    "no-folder": (
        "the user cannot write to the folder {} on the host",
        "make it there and give it to the user: sudo install -d -o USER FOLDER; or choose `dir`",
    ),
    "in-the-way": (
        "{} on the host cannot be replaced by a file",
        "look what is there, and move it away",
    ),
    "compose": (
        "compose refuses the project: {}",
        "mend the file; one that is missing on the host has to be in `files`",
    ),
    "other-project": (
        "another project was started in this folder of the host: {}",
        "leave `name` out or give that name, or choose another `dir`",
    ),
    "other-folder": (
        "the host runs this project from another folder: {}",
        "give that folder as `dir`, or give this project another `name`",
    ),
    "name-taken": (
        "this `name` is that of the project in {} on the host",
        "give this project its own `name`; or remove that folder there, if the project has moved",
    ),
    "not-uploaded": (
        "the project mounts {}, which is in the repository but not on the host",
        "add it to `files`; Docker would make an empty folder of that name",
    ),
    "inactive": (
        "the service {} would get the new image and not be started: its profile is not active",
        "give COMPOSE_PROFILES=… in `env`, or take the service out of its profile",
    ),
    "not-built": (
        "the service {} has no image, and the host builds none",
        "build it with build-push and give its digest in `images`",
    ),
    "start-project": (
        "compose could not bring the project up ({})",
        "change what the words of compose are about; or see there: docker compose logs SERVICE",
    ),
    "too-slow": (
        "compose could not bring the project up ({})",
        "give a larger `health-timeout`: compose has 60 s more than that, with all its tasks",
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
