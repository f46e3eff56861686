"""A project as `docker compose config` prints it, and which of its images we choose."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ship.images.reference import Name, Reference
from ship.runner.errors import Problem, StepFailed, UserError
from ship.runner.named_tuple import NamedTuple
from ship.ssh_deploy.common import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,500}")
LABEL = "io.github.gen-workflow.files"
# What users and neighbours find a container by: of a service, and of a service in a network.
FOUND_BY = ("labels", "hostname", "mac_address")
ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
# The tag of compose that removes a value.
RESET = "!reset"


class Place(NamedTuple):
    """Where on the host the health path is asked: a service, an address and a port."""

    service: str
    address: str
    port: str


class Project(NamedTuple):
    """A project with all variables resolved; it may hold secrets, so it is never shown."""

    name: str
    services: Mapping[str, Mapping[str, Any]]
    # Named files of the project, such as `configs`: name → path.
    files: Mapping[str, str]

    def image(self, service: str) -> str:
        """Return the image as in the compose files; compose doubles each `$` in its output."""
        return str(self.services[service].get("image") or "").replace("$$", "$")

    def described(self) -> str:
        """Return the services and their images, for a person."""
        words = [f"{name} ({self._origin(name)})" for name in self.services]
        return ", ".join(words) or "none"

    def _origin(self, service: str) -> str:
        built = "build" in self.services[service]
        return self.image(service) or ("no image, it is built" if built else "no image")

    def with_repository(self, name: Name) -> tuple[str, ...]:
        """Return the services whose image is of a repository."""
        return tuple(each for each in self.services if name.is_same(_repository(self.image(each))))

    def active(self) -> tuple[str, ...]:
        """Return the services that start without a profile, and then the others."""
        return tuple(sorted(self.services, key=lambda each: bool(self._list(each, "profiles"))))

    def running(self) -> tuple[str, ...]:
        """Return the services that have a container once the project is up."""
        names = (name for name in self.services if not self._list(name, "profiles"))
        return tuple(name for name in names if self._replicas(name) not in (0, "0"))

    def _replicas(self, service: str) -> object:
        deploy = self.services[service].get("deploy") or {}
        return deploy.get("replicas", self.services[service].get("scale", 1))

    def published(self, services: Sequence[str]) -> Place | None:
        """Return where the first of some services that publishes a TCP port is reached."""
        for service in self.active():
            for port in self._list(service, "ports") if service in services else ():
                number = str(port.get("published") or "").partition("-")[0]
                if port.get("protocol", "tcp") == "tcp" and number.isdecimal() and number != "0":
                    return Place(service, _address(str(port.get("host_ip") or "")), number)
        return None

    def ports(self) -> tuple[str, ...]:
        """Return the ports of the host that the running services publish."""
        found = (
            str(port.get("published") or "")
            for service in self.running()
            for port in self._list(service, "ports")
        )
        return tuple(dict.fromkeys(each for each in found if each.isdecimal() and each != "0"))

    def needed_by(self, service: str) -> tuple[str, ...]:
        """Return the services that a service depends on."""
        needed = self.services.get(service, {}).get("depends_on") or {}
        return tuple(name for name in needed if name in self.services)

    def tasks(self) -> tuple[str, ...]:
        """Return the services that others wait for until they end, such as a migration."""
        running = self.running()
        found = {
            name: None
            for service in running
            for name, how in (self.services[service].get("depends_on") or {}).items()
            if name in running and how.get("condition") == "service_completed_successfully"
        }
        return tuple(found)

    def mounted(self, service: str) -> Iterator[str]:
        """Yield the paths on the host that a service sees."""
        for mount in self._list(service, "volumes"):
            if mount.get("type") == "bind":
                yield str(mount.get("source") or "")
        for kind in ("configs", "secrets"):
            for used in self._list(service, kind):
                yield self.files.get(f"{kind} {used.get('source')}", "")

    def others(self, pinned: Sequence[str]) -> tuple[str, ...]:
        """Return the images of the services that do not get one from us."""
        images = [
            self.image(name)
            for name in self.services
            if name not in pinned and not self._list(name, "profiles")
        ]  # fmt: skip
        return tuple(image for image in dict.fromkeys(images) if REFERENCE.fullmatch(image))

    def built(self, pinned: Sequence[str]) -> tuple[str, ...]:
        """Return the services without an image, which only a build on the host could create."""
        return tuple(
            name
            for name, service in self.services.items()
            if name not in pinned
            and "build" in service
            and not self.image(name)
            and not self._list(name, "profiles")
        )

    def _list(self, service: str, key: str) -> Sequence[Any]:
        found = self.services[service].get(key)
        return found if isinstance(found, list) else ()


def _repository(image: str) -> Name | None:
    # The digest is replaced, so it may be anything: a variable of the file that is not set.
    return Name.of(image.partition("@")[0])


def _address(host_ip: str) -> str:
    bracketed = f"[{host_ip}]" if ":" in host_ip else host_ip
    return EVERYWHERE.get(bracketed, bracketed)


@contextmanager
def reading() -> Iterator[None]:
    """Raise StepFailed when the output is not that of compose."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # The output itself is not shown: it may hold a secret.
        raise StepFailed.of(
            f"the output of `docker compose config` cannot be read ({type(error).__name__})",
            hint="run it on the host and read its output: docker compose config --format json",
        ) from None


@reading()
def read_project(text: bytes) -> Project:
    """Read the output of compose. Raises StepFailed."""
    found = json.loads(text)
    services = {name: dict(each or {}) for name, each in (found.get("services") or {}).items()}
    files = {
        f"{kind} {name}": str(each["file"])
        for kind in ("configs", "secrets")
        for name, each in (found.get(kind) or {}).items()
        if each and each.get("file")
    }
    return Project(str(found["name"]), services, files)


def choose_images(project: Project, images: Mapping[str, str], image: str) -> dict[str, str]:
    """Return which service gets which image: those that are named, or those of its repository.

    Raises UserError when there is no such service.
    """
    unknown = [name for name in images if name not in project.services]
    if unknown:
        raise _mismatch("images", f"the project has no service {', '.join(unknown)}", project)
    if images:
        return dict(images)
    parsed = Reference.parse_pinned(image)
    services = project.with_repository(parsed.name) if parsed else ()
    if not services:
        name = str(parsed.name) if parsed else image
        raise _mismatch("image", f"no service of the project has an image of {name}", project)
    return dict.fromkeys(services, image)


def _mismatch(name: str, what: str, project: Project) -> UserError:
    hint = (
        f"its services are {project.described()}; list those that get an image in "
        "`images`, one SERVICE=NAME@sha256:… a line"
    )
    return UserError(Problem(f"input `{name}`", what, hint))


def override(images: Mapping[str, str], digests: Mapping[str, str]) -> str:
    """Return a compose file in JSON, which is YAML too, that overrides the others.

    A service whose uploaded files changed gets another label, so that compose replaces its
    container: the old one would keep using the files that it has open.
    """
    services: dict[str, dict[str, Any]] = {}
    for name, image in images.items():
        # The image is already pulled; a policy to pull at each start would have no login here.
        services.setdefault(name, {}).update(image=image, pull_policy="missing")
    for name, digest in digests.items():
        services.setdefault(name, {})["labels"] = {LABEL: digest}
    return json.dumps({"services": services})


def override_of_tasks(project: Project, services: Sequence[str]) -> str:
    """Return a compose file that removes what others find the containers of some services by.

    The container of a command runs beside that of its service, which has the users.
    """
    removed = {name: found for name in services if (found := _removed(project.services[name]))}
    # JSON has no tags, but YAML takes JSON for the rest.
    return json.dumps({"services": removed}).replace(json.dumps(RESET), f"{RESET} null")


def _removed(service: Mapping[str, Any]) -> dict[str, Any]:
    networks = {
        network: found
        for network, given in (service.get("networks") or {}).items()
        if (found := _resets(given or {}, ADDRESSES))
    }
    return _resets(service, FOUND_BY) | ({"networks": networks} if networks else {})


def _resets(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: RESET for name in names if given.get(name)}


def images_of_override(text: bytes) -> dict[str, str]:
    """Return the images in the override of an earlier release."""
    services = json.loads(text or b"{}").get("services") or {}
    return {name: each["image"] for name, each in services.items() if each.get("image")}
