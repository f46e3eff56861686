"""The file `bootstrap.yml`: what only a person can decide, and neither the spec nor GitHub says."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.errors import Heading, SpecError
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document, values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Listed, Text, WholeNumber
from gen_workflow.spec.hints import Keys, listed, near
from gen_workflow.spec.sections import Fields, Key, Named, Section, sections

FILE = "bootstrap.yml"
_REVIEWER = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9_.-]+)?"
_MOST_MINUTES = 43_200  # 30 days: docs.github.com/en/rest/deployments/environments
MOST_REVIEWERS = 6  # the same page


# What is set unless it is left; each is a word of `leave`.
PERMISSIONS, PINNING, FORKS, RELEASES, RULES, DEPENDABOT = DEFAULTS = (
    "permissions", "pinning", "forks", "releases", "rules", "dependabot",
)  # fmt: skip


class Gate(NamedTuple):
    """What a deploy to an environment has to wait for; `wait` is in minutes, as it was written."""

    reviewers: Annotated[
        tuple[str, ...],
        Key(
            "Who may approve a deploy: a user, or a team as ORGANISATION/TEAM",
            Listed(
                Text("a user, or ORGANISATION/TEAM", _REVIEWER, "octocat"),
                "[octocat, acme/platform]",
                alone=True,
                taken=str.lower,
            ),
            "[octocat, acme/platform]",
            "0.2.0",
        ),
    ] = ()
    wait: Annotated[
        str,
        Key(
            "Minutes that each deploy waits",
            WholeNumber("a number of minutes", 1, _MOST_MINUTES, 10),
            "10",
            "0.2.0",
        ),
    ] = ""
    prevent_self_review: Annotated[
        str,
        Key(
            "Whether who started a run may not approve it",
            values.Flag("prevent-self-review"),
            "true",
            "0.2.0",
            default="`false`",
        ),
    ] = ""
    key: str = ""


class Settings(NamedTuple):
    """What `bootstrap.yml` says; without the file, its defaults."""

    visibility: Annotated[
        str,
        Key(
            "Who sees the repository when it is created: `private` or `public`",
            values.OneOf("private", "public"),
            "public",
            "0.2.0",
            default="`private`",
        ),
    ] = ""
    template: Annotated[
        str,
        Key(
            "The template repository that a new repository is made from",
            Text("OWNER/NAME", SLUG, "acme/template"),
            "acme/template",
            "0.2.0",
        ),
    ] = ""
    approvals: Annotated[
        str,
        Key(
            "Changes of the default branch need a pull request with so many approvals",
            WholeNumber("a number of approvals", 0, 10, 1),
            "1",
            "0.2.0",
            default="no pull request is needed",
        ),
    ] = ""
    leave: Annotated[
        tuple[str, ...],
        Key(
            "What is not set, and stays as it is",
            Listed(values.OneOf(*DEFAULTS), "[releases]", alone=True),
            "[pinning, releases]",
            "0.2.0",
        ),
    ] = ()
    environments: Annotated[
        tuple[Gate, ...],
        Key(
            "What deploys wait for, by environment",
            Named(
                values.ENVIRONMENT,
                Section(Gate),
                "environments: {production: {reviewers: [octocat], wait: 10}}",
            ),
            "{production: {reviewers: [octocat], wait: 10}}",
            "0.2.0",
        ),
    ] = ()

    def gate(self, environment: str) -> Gate:
        """Return what deploys to an environment wait for."""
        return next((one for one in self.environments if one.key == environment), Gate())


def _fit(fields: Fields, reading: Reading) -> None:
    """Note keys that cannot be together."""
    if fields.read.get("approvals") and RULES in (fields.read.get("leave") or ()):
        what = f"cannot be beside `leave: [{RULES}]`: it is one of the rules"
        hint = "remove one of the two"
        reading.problem(fields.values["approvals"], what, hint, Heading.TOGETHER)


SETTINGS = Section(Settings, rule=_fit)


def read(raw: bytes, source: str, environments: tuple[str, ...]) -> Settings:
    """Return what the file says; raises SpecError with everything that is wrong.

    `environments` are those of the spec: no other one is known.
    """
    root = document.parse(document.decode(raw, source), source)
    if root is None or root.kind == "nothing":
        return Settings()
    reading = Reading(source, keys=_keys)
    reading.kind = "bootstrap.yml"
    found = SETTINGS.read(root, reading)
    _note_unknown(root, environments, reading)
    reading.raise_problems()
    if found is None:  # pragma: no cover - a file that is refused has problems
        raise SpecError({f"{source}:1:1 cannot be read": Heading.WRONG_VALUE})
    return found


def _keys() -> dict[str, Keys]:
    return {path: section.names for path, section in sections(SETTINGS)}


def _note_unknown(root: Value, known: tuple[str, ...], reading: Reading) -> None:
    """Note each environment that no job of the spec has."""
    where = root.below(["environments"])
    if root.kind != "a mapping" or where.kind != "a mapping" or where == root:
        return
    for key, _ in where.pairs():
        if key.text not in known:
            some = f"the spec has {listed(known)}" if known else "the spec has none"
            what = f"{key.text!r} is no environment of the spec"
            reading.problem(key, what, near(key.text, known) or some, Heading.WRONG_VALUE)
