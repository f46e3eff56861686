"""The records a workflow is made of, each in the shape that GitHub gives it.

The key of a field in the YAML is its name, with `-` for `_`; where it is not, an `In` says what it
is. `as_data` follows the fields, so the data that a rendered workflow is compared with lacks none.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

# No `from __future__ import annotations` here: `as_data` reads the annotations.

Scalar = str | int | bool


class In(NamedTuple):
    """A field in the YAML: its key, its form, and whether it is there when it is empty."""

    key: str = ""
    form: Callable[[Any], Any] | None = None
    always: bool = False


class Apart(NamedTuple):
    """A field that is no key of the record: it is the key of the record itself, or a comment."""


Values = Annotated[tuple[tuple[str, Scalar], ...], In(form=dict)]


class Uses(NamedTuple):
    """The value of `uses:`, and the version, which is a comment behind it."""

    reference: str
    version: Annotated[str, Apart()]


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
    cancel_in_progress: str
    cancelled: Annotated[str, Apart()]


class Step(NamedTuple):
    """A step that runs an action, or a command of a shell."""

    name: str
    uses: Annotated[Uses | None, In(form=lambda uses: uses.reference)] = None
    id: str = ""
    run: str = ""
    inputs: Annotated[Values, In("with", dict)] = ()
    env: Values = ()


class Job(NamedTuple):
    """A job; an empty string, an empty tuple and None mean that it does not have the key.

    `anchor` is the name under which the YAML has the steps, and `alias` that of an earlier job
    with the same steps, which are then not written again. `order` is a comment on how the deploys
    to the environment get in order.
    """

    id: Annotated[str, Apart()]
    name: str
    timeout_minutes: int
    permissions: Permissions
    steps: tuple[Step, ...]
    anchor: Annotated[str, Apart()] = ""
    alias: Annotated[str, Apart()] = ""
    runs_on: str = "ubuntu-24.04"
    needs: str = ""
    condition: Annotated[str, In("if")] = ""
    environment: str = ""
    order: Annotated[str, Apart()] = ""
    outputs: Values = ()


class Push(NamedTuple):
    """A push to one of some branches.

    These are filters: GitHub takes `+` for a repetition there unless a backslash is before it.
    """

    branches: tuple[str, ...]


class Triggers(NamedTuple):
    """What starts a run; the last two have no settings."""

    push: Push
    pull_request: Annotated[None, In("pull_request", always=True)] = None
    workflow_dispatch: Annotated[None, In("workflow_dispatch", always=True)] = None


class Need(NamedTuple):
    """A variable or secret that has to exist on GitHub, or may, and what it is for."""

    name: str
    purpose: str
    optional: bool = False


class Needs(NamedTuple):
    """What must exist in one place of GitHub's settings."""

    place: str
    variables: tuple[Need, ...]
    secrets: tuple[Need, ...]


class Workflow(NamedTuple):
    """The whole workflow, with what its header lists as needed."""

    name: str
    on: Triggers
    concurrency: Concurrency
    jobs: Annotated[tuple[Job, ...], In(form=lambda jobs: {job.id: as_data(job) for job in jobs})]
    needs: Annotated[tuple[Needs, ...], Apart()] = ()
    permissions: Permissions = ()


def as_data(value: Any) -> Any:
    """Return what a reader of the rendered YAML must find for a record, a list or a value."""
    if hasattr(value, "_fields"):
        return {key: item for name in value._fields for key, item in _entry(value, name)}
    if isinstance(value, tuple):
        return [as_data(item) for item in value]
    return value


def _entry(record: Any, field: str) -> list[tuple[str, Any]]:
    """Return the key and the value that a field has in the YAML; none when it is not there."""
    value = getattr(record, field)
    how = next(iter(getattr(type(record).__annotations__[field], "__metadata__", ())[-1:]), In())
    if isinstance(how, Apart) or (value in ("", (), None) and not how.always):
        return []
    return [(how.key or field.replace("_", "-"), how.form(value) if how.form else as_data(value))]
