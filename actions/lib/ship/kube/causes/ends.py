"""Finds containers that end, and tells crashes from ends that are nobody's fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube import events as of
from ship.kube import words
from ship.kube.causes.container_states import (
    CRASHED,
    EXITED,
    LIVENESS,
    OUT_OF_MEMORY,
    POST_START,
    STARTS,
    STARTUP,
)
from ship.kube.causes.finding import WEAK, Finding
from ship.kube.causes.rows import row_for
from ship.kube.pod import ALWAYS, INIT, SIDECAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kube.causes.finding import State
    from ship.kube.events import Event
    from ship.kube.pod import Container
    from ship.kube.snapshot import Object

# The node lost sight of the container, as after a restart of the machine.
_OUT_OF_SIGHT = ("ContainerStatusUnknown", "Unknown")
_BY_PLAN = "RestartingAllContainers"
_NOT_STARTED = ("StartError", "ContainerCannotRun")
_PROBES = {"liveness": LIVENESS, "startup": STARTUP}
# How a container ends that the kubelet stops: 128 and the number of the signal, or as it likes.
_STOPPED = (0, 137, 143)
_SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 4: "SIGILL, an instruction that the processor does not know",
    6: "SIGABRT, it gave up by itself", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL, killed from outside", 11: "SIGSEGV, it used memory that is not its own",
    13: "SIGPIPE", 15: "SIGTERM, stopped from outside",
}  # fmt: skip
_OF_SHELL = {126: "a command cannot be executed", 127: "a command was not found"}
# A restart can be seen before the event that says why.
_WAIT_FOR_EVENTS = 3.0
_LAST_WORDS = 200
# A program leaves last words only if it wants to.
_OWN_WORDS = (CRASHED.key, EXITED.key)


def end_finding(pod: Object, container: Container, events: Sequence[Event]) -> Finding | None:
    """Return how often and why a container has ended; None where that is as it should be."""
    ended, times = container.ended, container.ends
    if not ended or _is_as_wanted(pod, container, int(ended.get("exitCode") or 0)):
        return None
    state, said = _state(container, events)
    if state in (CRASHED, EXITED) and _may_be_a_probe(container):
        state = state._replace(grace=_WAIT_FOR_EVENTS)
    if container.is_running:
        # It may have been allowed, and long ago: what hinders the pod now says more.
        state = state._replace(rank=WEAK)
    # The last words are those that tell.
    shown = words.short(said.rstrip()[-_LAST_WORDS:])
    return Finding(
        state,
        pod["metadata"]["uid"],
        pod["metadata"]["name"],
        container.name,
        said,
        {
            "code": exit_in_words(int(ended.get("exitCode") or 0)),
            "limit": _memory_limit(pod, container),
            "image": container.image,
            **({"said": f": {shown}" if shown else ""} if state.key in _OWN_WORDS else {}),
        },
        times,
        logs="" if ended.get("reason") in _NOT_STARTED else _log(container),
        of_end=True,
        excused=_is_excused(container, events),
        on_node=True,
    )


def exit_in_words(code: int) -> str:
    """Return an exit code, with its signal or what a shell means by it."""
    meaning = _SIGNALS.get(code - 128) or _OF_SHELL.get(code)
    return f"exit code {code}" + (f" ({meaning})" if meaning else "")


def _state(container: Container, events: Sequence[Event]) -> tuple[State, str]:
    """Return why a container has ended, and the words that say it."""
    ended = container.ended
    reason, said = ended.get("reason"), str(ended.get("message") or "")
    if reason == "OOMKilled":
        return OUT_OF_MEMORY, said
    if reason in _NOT_STARTED:
        return row_for(STARTS, said), said
    hook = of.last_of(events, "FailedPostStartHook", "", container.name)
    if container.waits_for == "PostStartHookError" or hook.message:
        return POST_START, container.message or hook.message
    for probe, state in _PROBES.items():
        if of.last_of(events, "Killing", f"failed {probe} probe", container.name).message:
            told = of.last_of(events, "Unhealthy", f"{probe.title()} probe", container.name)
            return state, told.message
    return (CRASHED if ended.get("exitCode") else EXITED), said


def _is_as_wanted(pod: Object, container: Container, code: int) -> bool:
    """Return whether a container ends as it is to: an init container, or one that runs once."""
    own = container.spec.get("restartPolicy")
    policy = own or pod["spec"].get("restartPolicy") or ALWAYS
    runs_once = container.role == INIT or (container.role != SIDECAR and policy != ALWAYS)
    return code == 0 and runs_once


def _is_excused(container: Container, events: Sequence[Event]) -> bool:
    """Return whether the last end was planned, a resize, or the fault of the node."""
    ended = container.ended
    if ended.get("reason") in (_BY_PLAN, *_OUT_OF_SIGHT) or _has_a_rule(container):
        return True
    resize = of.last_of(events, "Killing", "resize requires restart", container.name)
    sandbox = of.last_of(events, "SandboxChanged")
    return max(resize.times, sandbox.times) >= container.ends


def _has_a_rule(container: Container) -> bool:
    """Return whether the container asks to be restarted after this very exit code."""
    code = container.ended.get("exitCode")
    for rule in container.spec.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        listed = code in (codes.get("values") or ())
        if listed == (codes.get("operator") == "In"):
            return True
    return False


def _may_be_a_probe(container: Container) -> bool:
    has_probe = {"livenessProbe", "startupProbe"} & set(container.spec)
    return bool(has_probe) and container.ended.get("exitCode") in _STOPPED


def _memory_limit(pod: Object, container: Container) -> str:
    for spec in (container.spec, pod["spec"]):
        limits = (spec.get("resources") or {}).get("limits") or {}
        if "memory" in limits:
            return f", {limits['memory']},"
    return ""


def _log(container: Container) -> str:
    """Return which log has the last words.

    As long as nothing runs again, the plain log is that of the run that ended; the one before it
    is gone by then.
    """
    return "previous" if container.is_running else "current"
