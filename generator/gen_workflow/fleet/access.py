"""The token of the nightly workflow: one of a GitHub App, made in each job, or one of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import APP_TOKEN
from gen_workflow.workflow.records import Need, Needs, Step

if TYPE_CHECKING:
    from gen_workflow.fleet.roster import Roster
    from gen_workflow.plan.frame import Frame

_CLIENT = "FLEET_CLIENT_ID"
_KEY = "FLEET_PRIVATE_KEY"
_TOKEN = "FLEET_TOKEN"  # noqa: S105 - the name of a secret
_STEP = "app"
_WRITES = ("contents", "pull-requests", "workflows")
_READS = ("metadata",)
_OF_RINGS = ("actions", "checks", "statuses")  # tell whether the ring before is through
_OF_PROPERTIES = ("organization-custom-properties",)


class Access(NamedTuple):
    """How the workflow gets its token; besides what it writes, the token has to read `reads`.

    The token of an App is for the repositories of one owner, so with several a person gives one.
    """

    owners: tuple[str, ...]
    reads: tuple[str, ...]

    @classmethod
    def of(cls, fleet: Roster) -> Access:
        """Return the least that `fleet apply` needs for a fleet."""
        rings = _OF_RINGS if fleet.rings else ()
        selected = any(one.properties for one in fleet.selections)
        reads = (*_READS, *rings, *(_OF_PROPERTIES if selected else ()))
        return cls(fleet.owners, reads)

    @property
    def is_of_an_app(self) -> bool:
        """Whether an App can give the token."""
        return len(self.owners) == 1

    @property
    def token(self) -> str:
        """The expression for the token; that of the App, where there is one."""
        ones = (f"steps.{_STEP}.outputs.token", f"secrets.{_TOKEN}")
        return f"${{{{ {' || '.join(ones if self.is_of_an_app else ones[1:])} }}}}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the header says when an App cannot give the token."""
        if self.is_of_an_app:
            return ()
        ones = ", ".join(self.owners)
        said = f"The repositories are of {ones}. The token of a GitHub App is for one owner, so"
        return (f"{said} {_TOKEN} is one of a person.",)

    def steps(self, frame: Frame) -> tuple[Step, ...]:
        """Return the step that makes the token of the App, which GitHub lets live for an hour.

        Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
        """
        if not self.is_of_an_app:
            return ()
        levels = {**dict.fromkeys(_WRITES, "write"), **dict.fromkeys(self.reads, "read")}
        inputs = (
            ("client-id", f"${{{{ vars.{_CLIENT} }}}}"),
            ("private-key", f"${{{{ secrets.{_KEY} }}}}"),
            ("owner", self.owners[0]),
            *((f"permission-{scope}", level) for scope, level in levels.items()),
        )
        there = f"${{{{ vars.{_CLIENT} != '' }}}}"
        name, uses = "Make a token of the GitHub App", frame.uses(APP_TOKEN)
        return (Step(name, id=_STEP, condition=there, uses=uses, inputs=inputs),)

    def needs(self, place: str) -> Needs:
        """Return what has to exist in a place of GitHub's settings."""
        may = f"may write {_listed(_WRITES)}, and read {_listed(self.reads)}"
        if not self.is_of_an_app:
            return Needs(place, (), (Need(_TOKEN, f"token of a person that {may}"),))
        client = Need(_CLIENT, f"client ID of a GitHub App that {may}")
        token = Need(_TOKEN, "token of a person, in place of the App", optional=True)
        return Needs(place, (client,), (Need(_KEY, "private key of the App"), token))


def _listed(scopes: tuple[str, ...]) -> str:
    return ", ".join(one.replace("-", " ") for one in scopes)
