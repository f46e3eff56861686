"""The records a workflow is made of, each in the shape that GitHub gives it.

The key of a field in the YAML is its name, with `-` for `_`; where it is not, an `In` says what it
is. `as_data` follows the fields, so the data that a rendered workflow is compared with lacks none.
"""

from collections.abc import Callable
from typing import Annotated, Any

from gen_workflow.named_tuple import NamedTuple

# No `from __future__ import annotations` here: `as_data` reads the annotations.

Scalar = str | int | bool
# Any value of YAML, as plain data.
Data = Any


class In(NamedTuple):
    """A field in the YAML: its key, its form, and whether it is there when it is empty."""

    key: str = ""
    form: Callable[[Any], Any] | None = None
    always: bool = False


class Apart(NamedTuple):
    """A field that is no key of the record: it is the key of the record itself, or a comment."""


class Spread(NamedTuple):
    """A field whose entries are keys of the record itself."""


Further = tuple[tuple[str, Data], ...]
Values = Annotated[tuple[tuple[str, Scalar], ...], In(form=dict)]


class Uses(NamedTuple):
    """The value of `uses:`, and the version, which is a comment behind it; `./…` has none."""

    reference: str
    version: Annotated[str, Apart()]

    @property
    def folder(self) -> str:
        """The folder that the action is in, by its name; its repository when it is at the top."""
        return self.reference.partition("@")[0].rpartition("/")[2]


class Pin(NamedTuple):
    """A repository of actions at one commit."""

    repository: str
    sha: str
    version: str

    def uses(self, folder: str = "") -> Uses:
        """Return what a step says to use the action in a folder of the repository."""
        name = f"{self.repository}/{folder}" if folder else self.repository
        return Uses(f"{name}@{self.sha}", self.version)


class Permission(NamedTuple):
    """One permission of the token of a job, and why the job needs it."""

    scope: str
    level: str
    reason: str


Permissions = Annotated[
    tuple[Permission, ...],
    In(form=lambda permissions: {one.scope: one.level for one in permissions}, always=True),
]


class Concurrency(NamedTuple):
    """A group of runs, of which one goes on at a time, and what a newer one cancels."""

    group: str
    cancel_in_progress: Scalar
    cancelled: Annotated[str, Apart()]


class Step(NamedTuple):
    """A step that runs an action, or a command of a shell.

    `more` holds further keys in GitHub's own syntax, such as `shell` and `working-directory`.
    """

    name: str
    id: str = ""
    condition: Annotated[str, In("if")] = ""
    uses: Annotated[Uses | None, In(form=lambda uses: uses.reference)] = None
    run: str = ""
    inputs: Annotated[Values, In("with", dict)] = ()
    env: Values = ()
    more: Annotated[Further, Spread()] = ()


class RawStep(NamedTuple):
    """A step in GitHub's own syntax, as the spec has it; `version` is the comment behind `uses`."""

    content: Annotated[tuple[tuple[str, Data], ...], Spread()]
    version: Annotated[str, Apart()] = ""


class Environment(NamedTuple):
    """The environment of a job on GitHub, and the address that its deployment shows.

    A job without `deployment` only takes secrets and variables from it (GitHub's changelog of
    2026-03-19).
    """

    name: str
    url: str = ""
    deployment: bool = True


def _one_or_all(jobs: tuple[str, ...]) -> Data:
    return jobs[0] if len(jobs) == 1 else [*jobs]


def _environment(environment: Environment) -> Data:
    if not environment.deployment:
        return {"name": environment.name, "deployment": False}
    if environment.url:
        return {"name": environment.name, "url": environment.url}
    return environment.name


class Job(NamedTuple):
    """A job; an empty string, an empty tuple and None mean that it does not have the key.

    `anchor` is the name under which the YAML has the steps, and `alias` that of an earlier job
    with the same steps, which are then not written again. `order` is a comment on how the deploys
    to the environment get in order. `more` holds further keys in GitHub's own syntax, such as
    `strategy`, `services` and `container`. `origin` is the path of the section of the spec that
    the job comes from.

    A job that calls another workflow has `uses` and no steps.
    """

    id: Annotated[str, Apart()]
    name: str
    permissions: Permissions
    origin: Annotated[str, Apart()] = ""
    needs: Annotated[
        tuple[str, ...], In(form=lambda jobs: jobs[0] if jobs[1:] == () else [*jobs])
    ] = ()
    condition: Annotated[str, In("if")] = ""
    timeout_minutes: int | None = None
    steps: tuple[Step | RawStep, ...] = ()
    anchor: Annotated[str, Apart()] = ""
    alias: Annotated[str, Apart()] = ""
    runs_on: Annotated[Data, In("runs-on")] = "ubuntu-24.04"
    environment: Annotated[Environment | None, In(form=_environment)] = None
    order: Annotated[str, Apart()] = ""
    outputs: Values = ()
    more: Annotated[Further, Spread()] = ()
    uses: Annotated[Uses | None, In(form=lambda uses: uses.reference)] = None
    inputs: Annotated[Values, In("with", dict)] = ()
    secrets: Values = ()


class Filter(NamedTuple):
    """Which pushes or pull requests start a run; without any key, all of them.

    These are patterns: GitHub takes `+` for a repetition there unless a backslash is before it.
    """

    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Schedule(NamedTuple):
    """A time at which a run starts, in the syntax of cron."""

    cron: str
    timezone: str = ""


class Input(NamedTuple):
    """What a person who starts a run by hand is asked for."""

    id: Annotated[str, Apart()]
    description: str
    type: str
    required: Annotated[bool, In(always=True)] = False
    default: Scalar = ""
    options: tuple[str, ...] = ()


Inputs = Annotated[tuple[Input, ...], In(form=lambda ones: {one.id: as_data(one) for one in ones})]


class Dispatch(NamedTuple):
    """A run that a person starts by hand."""

    inputs: Inputs = ()


def _outputs(values: tuple[tuple[str, str], ...]) -> Data:
    return {name: {"value": value} for name, value in values}


class Call(NamedTuple):
    """A run as a part of another workflow."""

    inputs: Inputs = ()
    outputs: Annotated[tuple[tuple[str, str], ...], In(form=_outputs)] = ()


class Triggers(NamedTuple):
    """What starts a run; None for what does not."""

    push: Annotated[Filter | None, In("push")] = None
    pull_request: Annotated[Filter | None, In("pull_request")] = None
    merge_group: Annotated[Filter | None, In("merge_group")] = None
    release: Annotated[Filter | None, In("release")] = None
    schedule: Annotated[tuple[Schedule, ...], In("schedule")] = ()
    workflow_dispatch: Annotated[Dispatch | None, In("workflow_dispatch")] = None
    workflow_call: Annotated[Call | None, In("workflow_call")] = None


class Need(NamedTuple):
    """A variable or secret that has to exist on GitHub, or may, and what it is for."""

    name: str
    purpose: str
    optional: bool = False


class Needs(NamedTuple):
    """What must exist in one place of GitHub's settings: of the repository, or an environment."""

    place: str
    variables: tuple[Need, ...]
    secrets: tuple[Need, ...]

    @property
    def environment(self) -> str:
        """The environment that has them; empty for the repository itself."""
        return self.place.partition("Settings > Environments > ")[2]


Jobs = Annotated[tuple[Job, ...], In(form=lambda jobs: {one.id: as_data(one) for one in jobs})]


class Workflow(NamedTuple):
    """A whole workflow, with what its header lists as needed; `path` is that of its file.

    `notes` are sentences that its header and the user get. `remade` is the command that writes it,
    for one that does not follow from a spec.
    """

    name: str
    on: Triggers
    concurrency: Concurrency | None
    jobs: Jobs
    needs: Annotated[tuple[Needs, ...], Apart()] = ()
    permissions: Permissions = ()
    path: Annotated[str, Apart()] = ".github/workflows/ci-cd.yml"
    notes: Annotated[tuple[str, ...], Apart()] = ()
    remade: Annotated[str, Apart()] = ""


def as_data(value: Any) -> Any:
    """Return what a reader of the rendered YAML must find for a record, a list or a value.

    A record without any key is nothing, as `pull_request:` is.
    """
    if hasattr(value, "_fields"):
        found = {key: item for name in value._fields for key, item in _entry(value, name)}
        return found or None
    if isinstance(value, tuple):
        return [as_data(item) for item in value]
    return value


def _entry(record: Any, field: str) -> list[tuple[str, Any]]:
    """Return the key and the value that a field has in the YAML; none when it is not there."""
    value = getattr(record, field)
    how = next(iter(getattr(type(record).__annotations__[field], "__metadata__", ())[-1:]), In())
    if isinstance(how, Spread):
        return [*value]
    if isinstance(how, Apart) or (value in ("", (), None) and not how.always):
        return []
    return [(how.key or field.replace("_", "-"), how.form(value) if how.form else as_data(value))]
