"""Finds out why an image cannot be pulled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.kube import events as of
from ship.kube.causes.finding import Finding
from ship.kube.causes.image_states import (
    BAD_IMAGE_NAME,
    BAD_SIGNATURE,
    NEVER_PULLED,
    PULL_FAILED,
    PULLING,
    PULLS,
)
from ship.kube.causes.rows import row_for
from ship.kube.words import without_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kube.causes.finding import State
    from ship.kube.events import Event
    from ship.kube.pod import Container
    from ship.kube.snapshot import Object

_AT_ONCE = {
    "InvalidImageName": BAD_IMAGE_NAME,
    "ErrImageNeverPull": NEVER_PULLED,
    "SignatureValidationFailed": BAD_SIGNATURE,
}
_BACK_OFF = "ImagePullBackOff"
_PULL = frozenset({"ErrImagePull", _BACK_OFF, "RegistryUnavailable", "ImageInspectError"})
_FAILED = "Failed to pull image"
_QUOTED = re.compile(r"image \"([^\"]*)\"")
_MISSING_SECRETS = re.compile(r"image pull secrets \(([^)]*)\)")


def image_finding(pod: Object, container: Container, events: Sequence[Event]) -> Finding | None:
    """Return what hinders the image of a container, if anything."""
    waits, said = container.waits_for, container.message
    if state := _AT_ONCE.get(waits):
        return _finding(state, pod, container, said)
    failed = of.last_of(events, "Failed", _FAILED, container.name)
    pulling = of.last_of(events, "Pulling", "", container.name)
    # While another try goes on, the words are still those of the last one.
    tries_again = pulling.last > failed.last
    if waits in _PULL:
        if waits == _BACK_OFF and "ErrImagePull:" not in said:
            said = failed.message or said
        return _pull(pod, container, said, events)._replace(held=tries_again)
    if waits not in ("ContainerCreating", "PodInitializing", "") or container.ends:
        return None
    # The status may lag behind the events by seconds.
    if failed.message and not tries_again:
        return _pull(pod, container, failed.message, events)
    pulled = of.last_of(events, "Pulled", "", container.name)
    if pulling.last > pulled.last:
        return _finding(PULLING, pod, container, pulling.message)
    return None


def _pull(pod: Object, container: Container, said: str, events: Sequence[Event]) -> Finding:
    image = _image(container, said)
    # The names of repositories may hold any word.
    row = row_for(PULLS, without_addresses(said.replace(image, "")))
    if _is_bare(said):
        row = PULL_FAILED
    login, act = _login(pod, events)
    fields = {"login": login, "act": act}
    return _finding(row, pod, container, said, fields)


def _is_bare(said: str) -> bool:
    """Return whether only a back-off is told of, and not its reason, as before 1.32."""
    return said.startswith("Back-off") and "ErrImagePull:" not in said


def _finding(
    state: State,
    pod: Object,
    container: Container,
    said: str,
    fields: dict[str, str] | None = None,
) -> Finding:
    image = _image(container, said)
    volumes = pod["spec"].get("volumes") or ()
    of_volumes = {(each.get("image") or {}).get("reference"): each["name"] for each in volumes}
    volume = f" of the volume {of_volumes[image]}" if image in of_volumes else ""
    return Finding(
        state,
        pod["metadata"]["uid"],
        pod["metadata"]["name"],
        container.name,
        said,
        {"image": image + volume, **(fields or {})},
        on_node=True,
    )


def _image(container: Container, said: str) -> str:
    """Return the image that is meant: that of an image volume is named by the message alone."""
    match = _QUOTED.search(said)
    return match[1] if match and match[1] else container.image


def _login(pod: Object, events: Sequence[Event]) -> tuple[str, str]:
    """Return with which pull secret the node has asked, and the next act."""
    names = [each.get("name", "") for each in pod["spec"].get("imagePullSecrets") or ()]
    told = of.last_of(events, "FailedToRetrieveImagePullSecret").message
    match = _MISSING_SECRETS.search(told)
    if match:
        missing = match[1]
        return (
            f"(the pull secret {missing} that the pod names is not there)",
            (
                f"create the pull secret {missing} in the namespace of the workload "
                "(kubectl create secret docker-registry)"
            ),
        )
    if not names:
        return (
            "(the pod names no pull secret)",
            (
                "create a pull secret (kubectl create secret docker-registry) and name it in "
                "`imagePullSecrets` of the template or its service account; or let everyone read "
                "the image"
            ),
        )
    return (
        f"with the pull secret {', '.join(names)}",
        (
            "check that the password in the pull secret has not expired and may read this image, "
            "and that the secret is for this registry"
        ),
    )
