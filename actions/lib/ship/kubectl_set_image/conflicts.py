"""Why the cluster does not take a change: refusals, and others who change the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ship.kube.client import FIELD_MANAGER
from ship.runner.errors import Problem, StepFailed, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.kubectl_set_image.plan import Change
    from ship.runner.errors import ShipError

    Object = Mapping[str, Any]

MOVED = "a-workload-that-others-change"
OWNED = "fields-of-another-tool"
LONGEST = 2000
OTHER_TOOL = (
    "change them where this tool gets them from; or take them over with `force-conflicts: true`"
)
# kubectl-client-side-apply, kubectl-set, kubectl-edit and so on.
KUBECTL = re.compile("kubectl")
BY_HAND = (
    "kubectl has set them, by hand or in a workflow of before: when these manifests are to have "
    "the last word from now on, run this once with `force-conflicts: true`"
)
# As kubectl prints the owners of fields: conflict with "argocd-controller" using apps/v1: …
OWNER = re.compile(r'conflicts? with "([^"]+)"')
# Its advice is for who has the command line before him.
ADVICE = re.compile(r"\s*Please review the fields above--.*?(?:#conflicts|\Z)", re.DOTALL)
# As the server quotes what is no text where a text must be, such as the PIN in a Secret.
VALUE = re.compile(r"(Unstructured\{Value:)[^}]*")


def refused(message: str, anchor: str) -> Problem:
    """Return the problem that the words of the API server are."""
    text = " ".join(message.split())[:LONGEST]
    return Problem("", f"the cluster does not accept the change of {text}", _hint(text), anchor)


def _hint(text: str) -> str:
    if "admission webhook" in text or "failed calling webhook" in text:
        return "a webhook of the cluster decides about this: ask who runs it, or look at its log"
    if "ValidatingAdmissionPolicy" in text or "PodSecurity" in text:
        return "change the workload so that it follows this policy of the cluster"
    if "being terminated" in text:
        return "the namespace is being deleted: wait until it is gone, or use another one"
    if "exceeded quota" in text:
        return "ask for less, or have the quota of the namespace raised"
    if "is forbidden" in text:
        return "bind the Role of docs/kubectl-set-image.md to the login of the kubeconfig"
    return "change what the message names; nothing was changed in the cluster"


def are_ours(text: str) -> bool:
    """Say whether all fields in conflict were set by us, as by a rollback."""
    owners = OWNER.findall(text)
    return bool(owners) and all(owner == FIELD_MANAGER for owner in owners)


def is_new_namespace(text: str, objects: Sequence[Object]) -> bool:
    """Say whether the only reason is a namespace that the manifests create."""
    missing = re.findall(r'namespaces "([^"]+)" not found', text)
    made = {
        str((each.get("metadata") or {}).get("name"))
        for each in objects
        if each.get("kind") == "Namespace"
    }
    return bool(missing) and set(missing) <= made


def not_applied(text: str, *, dry_run: bool) -> ShipError:
    """Return the error for manifests that were not applied, or not whole."""
    text = VALUE.sub(r"\1…", ADVICE.sub("", text))
    said = " ".join(text.split())[:LONGEST] or "kubectl gave no reason"
    owners = list(dict.fromkeys(OWNER.findall(text)))
    kind = UserError if dry_run else StepFailed
    done = "" if dry_run else "; some of them may be applied"
    if owners:
        return kind.of(
            f"fields of the manifests belong to {', '.join(owners)}{done}: {said}",
            where="input `apply`",
            hint=BY_HAND if all(map(KUBECTL.match, owners)) else OTHER_TOOL,
            anchor=OWNED,
        )
    return kind.of(
        f"the cluster does not accept the manifests{done}: {said}",
        where="input `apply`",
        hint=_hint(said),
        anchor="manifests-that-are-not-accepted",
    )


def moved(change: Change, now: Object) -> ShipError:
    """Return the error for a workload that somebody else has changed since we looked."""
    listed: list[Object] = now["metadata"].get("managedFields") or []
    entries = [each for each in listed if not each.get("subresource")]
    last: Object = max(entries, key=lambda each: str(each.get("time")), default={})
    who = f" by {last.get('manager')} at {last.get('time')}" if last.get("manager") else ""
    return StepFailed.of(
        f"{change.target} was changed{who} while this step began; nothing was overwritten",
        hint="run the step again; if another tool sets the image as well, let only one of them",
        anchor=MOVED,
    )
