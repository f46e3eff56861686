"""What a job does with images: what it pushes, what it deploys, and where that goes."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gen_workflow.explain import tags, words
from gen_workflow.explain.events import Event
from gen_workflow.expressions.evaluate import Evaluator, alone, in_texts
from gen_workflow.expressions.reader import ExpressionError
from gen_workflow.expressions.values import Unknown, text
from gen_workflow.named_tuple import NamedTuple

_OUTPUT = re.compile(r"needs\.([\w-]+)\.outputs\.[\w-]+")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_NAME = "${{ github.event.repository.name }}"
_REPOSITORY = "ghcr.io/OWNER/REPOSITORY"
# By the action of a cloud's vendor, what says which cluster it gets.
_CLUSTERS = {
    "get-gke-credentials": ("cluster_name", "Google Cloud"),
    "aks-set-context": ("cluster-name", "Azure"),
}


class Deed(NamedTuple):
    """Something that a job does: a word for it, and what a person wants to know of it."""

    what: str
    says: str


def deeds(job: Mapping[str, Any], event: Event, reader: "Values") -> Iterator[Deed]:
    """Yield what a job does that follows from the workflow and the event."""
    if "uses" in job:
        yield Deed("calls", str(job["uses"]).partition("@")[0])
    if job.get("strategy"):
        yield Deed("matrix", "runs once for each combination of its matrix")
    for step in job.get("steps", ()):
        action = re.fullmatch(r"(?:\./.+|.+/actions)/([a-z-]+)(?:@.+)?", str(step.get("uses", "")))
        if action and action[1] in _ACTIONS:
            given = {name: str(value) for name, value in (step.get("with") or {}).items()}
            yield from _ACTIONS[action[1]](given, event, reader, job)
        if str(step.get("name", "")).startswith("Commit the image to ") and "env" in step:
            yield from _commit(step["env"], reader)


class Values:
    """Values of a workflow in words, as far as they are not known."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def shown(self, template: str) -> str:
        """Return a text with each expression in it as its value, or in words."""
        whole = template.strip()
        form = "{}" if alone(whole) else "<{}>"
        return _EXPRESSION.sub(lambda found: self._one(found[0], form), whole)

    def listed(self, value: str) -> str:
        """Return the lines of a text, each as it is shown."""
        return ", ".join(map(self.shown, _lines(value)))

    def _one(self, expression: str, form: str) -> str:
        try:
            value = self._evaluator.filled(expression)
        except ExpressionError:
            value = Unknown(tuple(one.strip().partition(" ")[0] for one in in_texts(expression)))
        if isinstance(value, Unknown):
            return form.format(words.listed(map(words.of, value.of), "and"))
        return text(value)


def _build(
    given: Mapping[str, str], event: Event, reader: Values, _job: Mapping[str, Any]
) -> Iterator[Deed]:
    image = ", ".join(map(reader.shown, _names(given)))
    pushed = given.get("push", "auto")
    if pushed == "false" or (pushed == "auto" and event.name in tags.NOT_PUSHED):
        yield Deed("builds", f"{image}, and pushes nothing")
        return
    if given.get("push-by-digest") == "True":
        yield Deed("pushes", f"{image}, without a tag")
        return
    rules = reader.listed(given.get("tags", ""))
    yield Deed("pushes", image)
    yield Deed("tags", rules or tags.of(event).says)


def _names(given: Mapping[str, str]) -> list[str]:
    """Return the names of the images; by default they follow from that of the repository."""
    named = _lines(given.get("image", "")) or [_REPOSITORY]
    images = _lines(given.get("images", ""))
    several = [line.partition(":")[0] for line in images if ":" in line]
    return [f"{named[0]}/{one}" for one in several] or [*named, *images]


def _ssh(
    given: Mapping[str, str], _event: Event, reader: Values, _job: Mapping[str, Any]
) -> Iterator[Deed]:
    hosts = given.get("host") or given.get("hosts") or ""
    yield Deed("host", f"{reader.listed(hosts)}, over SSH")
    if name := given.get("name") or given.get("compose") or _default_name(given):
        yield Deed("service", reader.shown(name))
    yield from _image(given, reader)


def _default_name(given: Mapping[str, str]) -> str:
    """Return the name that ssh-deploy gives to the container of the only image."""
    if given.get("script"):
        return ""
    environment = given.get("environment", "production")
    return _NAME if environment == "production" else f"{_NAME}-{environment.lower()}"


def _cluster(
    given: Mapping[str, str], _event: Event, reader: Values, job: Mapping[str, Any]
) -> Iterator[Deed]:
    yield Deed("cluster", _which(given, reader, job))
    if given.get("namespace"):
        yield Deed("namespace", reader.shown(given["namespace"]))
    if given.get("apply"):
        yield Deed("applies", ", ".join(_lines(given["apply"])))
    if given.get("workload"):
        yield Deed("workload", ", ".join(map(_workload, _lines(given["workload"]))))
    yield from _image(given, reader)


def _workload(line: str) -> str:
    """Return a workload, and which of its containers get an image, when it names them."""
    name, *images = _EXPRESSION.sub("", line).split()
    containers = ", ".join(each.partition("=")[0] for each in images)
    return f"{name} ({containers})" if containers else name


def _which(given: Mapping[str, str], reader: Values, job: Mapping[str, Any]) -> str:
    """Return which cluster it is, by the login to a cloud or the kubeconfig."""
    for step in job.get("steps", ()):
        if name := (step.get("env") or {}).get("CLUSTER"):
            return f"{reader.shown(str(name))} on AWS"
        for action, (key, cloud) in _CLUSTERS.items():
            if f"/{action}@" in str(step.get("uses", "")):
                return f"{reader.shown(str(step['with'][key]))} on {cloud}"
    place = f"the kubeconfig in {reader.shown(given.get('kubeconfig', ''))}"
    context = given.get("context")
    return f"context {reader.shown(context)} of {place}" if context else f"that of {place}"


def _commit(env: Mapping[str, str], reader: Values) -> Iterator[Deed]:
    """Yield what the script of a deploy by a commit does; its step has all in the environment."""
    yield Deed("commits", f"to {env['PLACE']} in {env['REPOSITORY']}, branch {env['BRANCH']}")
    yield from _image({"images": env["IMAGES"]}, reader)


def _image(given: Mapping[str, str], reader: Values) -> Iterator[Deed]:
    said = " ".join(given.get(name, "") for name in ("image", "images", "workload"))
    pushed = dict.fromkeys(_OUTPUT.findall(said))
    if given.get("rollback"):
        release = reader.shown(given["rollback"])
        before = "that of the release before the one that serves"
        yield Deed("image", before if release == "previous" else f"that of the release {release}")
    elif pushed:
        one = "the one that {} pushed, by its digest"
        several = "those that {} pushed, by their digests"
        form = one if len(pushed) == 1 else several
        yield Deed("image", form.format(words.listed(pushed, "and")))
    elif image := given.get("image"):
        yield Deed("image", reader.listed(image))


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


_ACTIONS = {"build-push": _build, "ssh-deploy": _ssh, "kubectl-set-image": _cluster}
