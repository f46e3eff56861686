"""The spec, declared once: every key with its type, limits, default, meaning, example and version.

The reader, the near-match hints, the JSON Schema and the tables of docs/spec.md come from here, and
from the modules beside it that have the sections. To add a key: one field in its record, and one
line where the plan uses it.
"""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated, NamedTuple

from gen_workflow.spec import rules, values
from gen_workflow.spec.actions import ACTIONS, Actions
from gen_workflow.spec.deploy import DEPLOY, KubernetesDeploy
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.environments import ENVIRONMENTS, Environment
from gen_workflow.spec.events import ON, On, When
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.image import IMAGES, ONE, Image
from gen_workflow.spec.mode import MODE, Mode
from gen_workflow.spec.sections import Key, Later, Section


class Spec(NamedTuple):
    """All that a spec says."""

    image: Annotated[
        Image | None,
        Key(
            "What is built: a folder with a Dockerfile, or a mapping",
            ONE,
            "backend",
            "0.1.0",
            default="**required**, or `images`",
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
    deploy: Annotated[
        SshDeploy | KubernetesDeploy | None,
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
    actions: Annotated[
        Actions,
        Key(
            "Where our actions come from", ACTIONS, "{}", "0.1.0", default="this project's release"
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
            return tuple(one._replace(on=self._when(one)) for one in self.environments)
        on = When(self.branches, self.on.tags, self.on.release)
        return (Environment(on=on, key=self.environment, deploy=self.deploy),)

    def _when(self, environment: Environment) -> When:
        """Return what deploys to an environment: that of the first one, or `main`."""
        first = self.first_before(environment)
        return first.on if first.on != When() else When(branches=("main",))

    def first_before(self, environment: Environment) -> Environment:
        """Return the environment with which the run that deploys to this one begins."""
        while environment.after:
            environment = next(one for one in self.environments if one.key == environment.after)
        return environment

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches whose pushes start a run."""
        others = () if self.environments else ("main",)
        return self.on.branches or (() if self.on.tags or self.on.release else others)


class _Spec(Section[Spec]):
    """The whole spec: with environments, `deploy` is read as a part of each of them."""

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> Spec | None:
        deploy = values.get("deploy")
        if "environments" in values and deploy and deploy.kind == "a mapping":
            reading.shared = DEPLOY.known(deploy, reading)
            values = {name: item for name, item in values.items() if name != "deploy"}
        return super().of(where, values, reading)


SPEC = _Spec(
    Spec,
    Later("registry test cleanup notify runner connect extend jobs defaults repos"),
    rule=rules.of_the_spec,
)
