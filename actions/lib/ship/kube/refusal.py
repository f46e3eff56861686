"""What an answer of the API server, or none, means for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.kube.client import CONFLICT, ENDED, FORBIDDEN, NOT_FOUND, UNAUTHORIZED, Refused
from ship.runner.errors import Problem

if TYPE_CHECKING:
    from ship.kube.client import Unanswered

LONGEST = 1000
UNREACHED = "the-api-server-does-not-answer"
LOGIN = "the-cluster-refuses-the-login"
LOG_IN_BEFORE = "run the login of the cloud in a step before, and look at what it printed"
UNKNOWN_NAME = (
    "this runner does not know the name of the server in the kubeconfig: check it, or use a runner "
    "inside of its network"
)
NO_WAY = (
    "check that this runner may connect to the API server: a private one needs a runner inside of "
    "its network, or a step before that connects to it, such as a VPN"
)
OTHER_CA = (
    "the kubeconfig has another CA than the server, or its certificate has expired: make a new one"
)
PROXY_ENDED = "look for what ends programs on this runner, such as too little memory"
# What kubectl says when it cannot connect or log in, and the next act.
CAUSES = (
    (ENDED, PROXY_ENDED, UNREACHED),
    (r"exec plugin|getting credentials|executable \S+ (failed|not found)", LOG_IN_BEFORE, LOGIN),
    (r"no such host|server misbehaving", UNKNOWN_NAME, UNREACHED),
    (r"connection refused|i/o timeout|no route to host|deadline exceeded", NO_WAY, UNREACHED),
    (r"TLS handshake timeout|network is unreachable", NO_WAY, UNREACHED),
    (r"x509|certificate", OTHER_CA, UNREACHED),
)


def problem_of(error: Refused | Unanswered, server: str) -> Problem:
    """Return the problem, with the next act."""
    said = _one_line(error.message)
    if not isinstance(error, Refused):
        hint, anchor = next(
            ((hint, anchor) for form, hint, anchor in CAUSES if re.search(form, said)),
            ("look at the API server and at the network between", UNREACHED),
        )
        return Problem("", f"the API server {server} does not answer: {said}", hint, anchor)
    if error.status == UNAUTHORIZED:
        what = f"the API server {server} does not accept the login of the kubeconfig: {said}"
        hint = "a token expires: make a new kubeconfig, or let a login step make one in each run"
        return Problem("input `kubeconfig`", what, hint, LOGIN)
    if error.status == FORBIDDEN:
        hint = "bind the Role of docs/kubectl-set-image.md to the login of the kubeconfig"
        anchor = "a-right-that-is-missing-in-the-cluster"
        return Problem("input `kubeconfig`", f"the cluster refuses it: {said}", hint, anchor)
    if error.status in (NOT_FOUND, CONFLICT):
        hint = "another run or person has changed or deleted it meanwhile: run the step again"
        return Problem("", f"the cluster refuses it: {said}", hint, "a-workload-that-others-change")
    return Problem(
        "", f"the API server answered {error.status}: {said}", "look at its log", UNREACHED
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST] or "it gave no reason"
