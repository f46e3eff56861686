"""The spec, declared once: every key with its type, limits, default, meaning, example and version.

The reader, the near-match hints, the JSON Schema and the tables of docs/spec.md come from here, and
from the modules beside it that have the sections. To add a key: one field in its record, and one
line where the plan uses it.
"""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import rules, values
from gen_workflow.spec.actions import ACTIONS, Actions
from gen_workflow.spec.deploy import DEPLOY, GitopsDeploy, KubernetesDeploy
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.environments import ENVIRONMENTS, Environment
from gen_workflow.spec.events import ON, On, When
from gen_workflow.spec.forms import Elsewhere, Schema, part_of_a_whole
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.image import IMAGES, ONE, Image
from gen_workflow.spec.mode import MODE, Mode
from gen_workflow.spec.placement import images_fit
from gen_workflow.spec.registry import GHCR, REGISTRY, Registry, fits_the_spec
from gen_workflow.spec.sections import Fields, Key, Section

if TYPE_CHECKING:
    from gen_workflow.spec.cleanup import Cleanup
    from gen_workflow.spec.connect import Connect
    from gen_workflow.spec.extend import Addition
    from gen_workflow.spec.jobs import UserJob
    from gen_workflow.spec.notify import Notify
    from gen_workflow.spec.runner import Runner, Runners
    from gen_workflow.spec.test import Test


class Spec(NamedTuple):
    """All that a spec says."""

    image: Annotated[
        Image | None,
        Key(
            "What is built: a folder with a Dockerfile, or a mapping",
            ONE,
            "backend",
            "0.1.0",
            default="**required**, or `images`, unless `script` is all that is deployed",
            missing="`image: .` builds the Dockerfile in the root of the repository",
            unless="images",
        ),
    ] = None
    images: Annotated[
        tuple[Image, ...],
        Key(
            "Several images, each a name and what `image` takes; only what has changed is built",
            IMAGES,
            "{api: backend, web: backend}",
            "0.1.0",
        ),
    ] = ()
    name: Annotated[
        str,
        Key(
            "Name of the container on a host, of 2 to 101 letters, digits and `. _ -`",
            values.CONTAINER,
            "shop",
            "0.1.0",
            default="name of the image or of the repository, and after it the environment if that "
            "is not `production`",
        ),
    ] = ""
    on: Annotated[
        On,
        Key(
            "What starts a run, and is built and deployed: a branch, a list of branches, or a "
            "mapping",
            ON,
            "[main, release]",
            "0.1.0",
            default="`main`, or what the environments say",
        ),
    ] = On()
    test: Annotated[
        "tuple[Test, ...]",
        Key(
            "What has to succeed before anything is built: commands, a mapping, or a list of "
            "mappings with names",
            Elsewhere("gen_workflow.spec.test", "TESTS"),
            "{python: 3.13, run: python -m unittest}",
            "0.1.0",
        ),
    ] = ()
    deploy: Annotated[
        SshDeploy | KubernetesDeploy | GitopsDeploy | None,
        Key(
            "Where and how the app runs; with `environments`, what they share",
            DEPLOY,
            "{ssh: vps, run: {}}",
            "0.1.0",
            default="the image is only built and pushed",
        ),
    ] = None
    environment: Annotated[
        str,
        Key(
            "Name of the GitHub environment of the deploy job, when there is one",
            values.ENVIRONMENT,
            "shop",
            "0.1.0",
        ),
    ] = "production"
    environments: Annotated[
        tuple[Environment, ...],
        Key(
            "Several environments, each a name and what differs from `deploy` there",
            ENVIRONMENTS,
            "{staging: {ssh: vps, run: {}}, production: {on: release, ssh: prod, run: {}}}",
            "0.1.0",
        ),
    ] = ()
    rollback: Annotated[
        str,
        Key(
            "Write a second workflow, with which a person puts a release back without a build",
            values.Flag("rollback"),
            "false",
            "0.1.0",
            default="`true`",
        ),
    ] = "true"
    mode: Annotated[
        Mode,
        Key(
            "Where the build is: `inline`, or in a central workflow that is called: a mapping with "
            "`caller`; `central` makes that workflow",
            MODE,
            "inline",
            "0.1.0",
            default="`inline`",
        ),
    ] = Mode(None)
    notify: Annotated[
        "Notify | None",
        Key(
            "Who is told how a run has ended: a service, or a mapping",
            Elsewhere("gen_workflow.spec.notify", "NOTIFICATIONS"),
            "{on: always, slack: SLACK_WEBHOOK}",
            "0.1.0",
        ),
    ] = None
    runner: Annotated[
        "Runner | Runners | None",
        Key(
            "Where the jobs run: a label, a list of labels, or a mapping",
            Elsewhere("gen_workflow.spec.runner", "RUNNERS"),
            "ubuntu-26.04",
            "0.1.0",
            default="`ubuntu-24.04`",
        ),
    ] = None
    connect: Annotated[
        "Connect | None",
        Key(
            "What lets the runner reach the target, before each deploy and each rollback",
            Elsewhere("gen_workflow.spec.connect", "CONNECT"),
            "{tailscale: {}}",
            "0.1.0",
        ),
    ] = None
    extend: Annotated[
        "tuple[Addition, ...]",
        Key(
            "What is added to a job, or around one of its steps, by their names",
            Elsewhere("gen_workflow.spec.extend", "ADDITIONS"),
            "{build: {before: [npm run generate]}}",
            "0.1.0",
        ),
    ] = ()
    jobs: Annotated[
        "tuple[UserJob, ...]",
        Key(
            "Further jobs, in GitHub's own syntax",
            Elsewhere("gen_workflow.spec.jobs", "JOBS"),
            "{a: {runs-on: ubuntu-24.04, timeout-minutes: 5, permissions: {}, steps: [make]}}",
            "0.1.0",
        ),
    ] = ()
    registry: Annotated[
        Registry,
        Key(
            "Registry that has the images: its host and an owner there, or a mapping",
            REGISTRY,
            "docker.io/acme",
            "0.1.0",
            default="`ghcr.io`, with the token of the job",
        ),
    ] = Registry(GHCR)
    cleanup: Annotated[
        "Cleanup | None",
        Key(
            "Delete old images from ghcr.io by a schedule, and never a part of one that stays",
            Elsewhere("gen_workflow.spec.cleanup", "CLEANUP"),
            "{keep: 20, older-than: 30d}",
            "0.1.0",
            default="nothing is deleted",
        ),
    ] = None
    actions: Annotated[
        Actions,
        Key(
            "Where our actions come from: `vendored` copies them into the repository",
            ACTIONS,
            "vendored",
            "0.1.0",
            default="this project's release",
        ),
    ] = Actions()

    @property
    def built(self) -> tuple[Image, ...]:
        """The images, whichever way the spec names them."""
        return (self.image,) if self.image else self.images

    @property
    def targets(self) -> tuple[Environment, ...]:
        """The environments with their deploys, whichever way the spec names them."""
        if self.environments or self.deploy is None:
            known = {one.key: one for one in self.environments}
            return tuple(
                _started(one, known)._replace(connect=one.connect or self.connect)
                for one in self.environments
            )
        on = When(self.branches, self.on.tags, self.on.release, self.on.pre_release)
        key = self.environment
        return (Environment(on=on, key=key, first=key, deploy=self.deploy, connect=self.connect),)

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches whose pushes start a run."""
        others = () if self.environments else ("main",)
        named = self.on.tags or self.on.release or self.on.pre_release
        return self.on.branches or (() if named else others)


def _started(one: Environment, known: Mapping[str, Environment]) -> Environment:
    """Return an environment with what deploys to it: that of the first one, or `main`."""
    first = one
    while first.after:
        first = known[first.after]
    on = first.on if first.on != When() else When(branches=("main",))
    return one._replace(on=on, first=first.key)


class _Spec(Section[Spec]):
    """The whole spec: with environments, `deploy` is read as a part of each of them."""

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> Spec | None:
        deploy = values.get("deploy")
        reading.commands_alone = _commands_alone(values)
        reading.images = _names_of_images(values)
        if "environments" in values and deploy and deploy.kind == "a mapping":
            reading.shared = DEPLOY.known(deploy, reading)
            reading.shared_keys = {key.text: key for key, _ in deploy.pairs()}
            values = {name: item for name, item in values.items() if name != "deploy"}
            _check_replaced(values["environments"], reading)
        return super().of(where, values, reading)

    def lacking(self, there: set[str], reading: Reading) -> list[str]:
        """Return what is missing: an image is not, where nothing but commands is deployed."""
        found = super().lacking(there, reading)
        return [name for name in found if name != "image" or not reading.commands_alone]

    def schema(self) -> Schema:
        """Return a schema in which `deploy` is whole only where there are no environments."""
        found = super().schema()
        for needed in found["allOf"]:
            needed["anyOf"].append({"required": ["deploy"], "properties": {"deploy": _COMMANDS}})
        whole = found["properties"]["deploy"]
        found["properties"]["deploy"] = part_of_a_whole(whole)
        alone = {"properties": {"deploy": {"anyOf": whole["anyOf"]}}}
        return {**found, "if": {"required": ["environments"]}, "else": alone}


def _check_replaced(environments: Value, reading: Reading) -> None:
    """Check what `deploy` says and every environment replaces, so that nothing else reads it."""
    places = environments.pairs() if environments.kind == "a mapping" else []
    for name, item in reading.shared.items():
        theirs = [one.below([name]) for _, one in places]
        if theirs and all(
            one.path.endswith(f"/{name}") and not one.kind == item.kind == "a mapping"
            for one in theirs
        ):
            DEPLOY.keys[name].form.read(item, reading)


_COMMANDS = {"required": ["script"]}


def _commands_alone(values: dict[str, Value]) -> bool:
    """Tell whether nothing but commands is deployed, to any environment."""
    shared, several = values.get("deploy"), values.get("environments")
    in_all = shared is not None and shared.below(["script"]) is not shared
    places = several.pairs() if several and several.kind == "a mapping" else []
    return in_all or (bool(places) and all(one.below(["script"]) is not one for _, one in places))


def _names_of_images(values: dict[str, Value]) -> tuple[str, ...]:
    """Return the names of several images, which deploys refer to."""
    images = values.get("images")
    pairs = images.pairs() if images and images.kind == "a mapping" else []
    return tuple(key.text for key, _ in pairs if key.kind == "text" and key.text[:2] != "x-")


def _rule(fields: Fields, reading: Reading) -> None:
    rules.of_the_spec(fields, reading)
    images_fit(fields, reading)
    fits_the_spec(fields, reading)
    on = fields.read.get("on")
    if on and on.schedule:
        from gen_workflow.spec import scheduled  # noqa: PLC0415 - few specs have a schedule

        scheduled.names_are_said(fields, reading)


SPEC = _Spec(Spec, rule=_rule)
