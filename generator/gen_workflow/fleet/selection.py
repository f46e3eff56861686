"""The key `select` of the file of a fleet: repositories by what GitHub says of them."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.fleet.differences import Difference
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import SCALARS, Form, Listed, Schema, Text, entries
from gen_workflow.spec.sections import Key, Section
from gen_workflow.spec.values import Flag

OWNER = Text("the name of an owner", r"[A-Za-z0-9][A-Za-z0-9_-]*", "acme")
PATTERN = r"[A-Za-z0-9._*?-]+"
# Source: GitHub's page "Classifying your repository with topics".
_TOPIC = r"[a-z0-9][a-z0-9-]{0,49}"
_PATH = r"[^/\s:][^\s:]*"

Properties = tuple[tuple[str, tuple[str, ...]], ...]


class Found(NamedTuple):
    """A repository of an owner, with what GitHub says of it.

    `language` is the main one, `files` are the paths that were asked for and are there.
    """

    slug: str
    archived: bool
    fork: bool
    language: str
    topics: frozenset[str]
    files: frozenset[str]
    properties: dict[str, frozenset[str]]


class _Properties(Form[Properties]):
    """The custom properties of an organisation by name, each with the values that will do."""

    limits = ""

    def read(self, value: Value, reading: Reading) -> Properties | None:
        if value.kind != "a mapping":
            what = f"should be a mapping of custom properties, but is {value.kind}"
            hint = "write for example properties: {team: payments}"
            reading.problem(value, what, hint, Heading.WRONG_KIND)
            return None
        return tuple(
            (key.text, self._values(item, reading)) for key, item in entries(value, reading)
        )

    def _values(self, value: Value, reading: Reading) -> tuple[str, ...]:
        items = value.items() if value.kind == "a list" else [value]
        for item in items:
            if item.kind not in SCALARS:
                what = f"should be the value of a property, but is {item.kind}"
                hint = "write for example team: payments, or a list of values"
                reading.problem(item, what, hint, Heading.WRONG_KIND)
        return tuple(item.text for item in items if item.kind in SCALARS)

    def schema(self) -> Schema:
        one: Schema = {"type": ["string", "number", "boolean"]}
        many = {"type": "array", "items": one}
        return {"type": "object", "additionalProperties": {"anyOf": [one, many]}}


def _some(what: str, pattern: str, example: str) -> Listed[str]:
    return Listed(Text(what, pattern, example), example, alone=True)


_A_NAME = ("a name, in which `*` stands for anything", PATTERN, "svc-*")


class Selection(NamedTuple):
    """Which repositories of an owner are in the fleet; `where` is its place in the file.

    Of the values of a key one has to fit, and all keys together.
    """

    owner: Annotated[
        str,
        Key("Owner of the repositories", OWNER, "acme", "0.2.0", "the key `owner` of the file"),
    ] = ""
    name: Annotated[
        tuple[str, ...],
        Key("Names, in which `*` stands for anything", _some(*_A_NAME), "svc-*", "0.2.0"),
    ] = ()
    topic: Annotated[
        tuple[str, ...],
        Key(
            "Topics, of which a repository has one",
            _some("a topic of small letters, digits and `-`", _TOPIC, "deploy"),
            "deploy",
            "0.2.0",
        ),
    ] = ()
    language: Annotated[
        tuple[str, ...],
        Key(
            "Main languages as GitHub names them",
            _some("the name of a language", r"\S(?:.{0,60}\S)?", "Go"),
            "[Go, TypeScript]",
            "0.2.0",
        ),
    ] = ()
    properties: Annotated[
        Properties,
        Key(
            "Custom properties of the organisation, with the values that will do",
            _Properties(),
            "{team: [payments, shop]}",
            "0.2.0",
        ),
    ] = ()
    has: Annotated[
        tuple[str, ...],
        Key(
            "Files on the default branch, of which a repository has one",
            _some("the path of a file", _PATH, "gen-workflow.yml"),
            "gen-workflow.yml",
            "0.2.0",
        ),
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        Key("Names of those that are left out", _some(*_A_NAME), "[svc-old, svc-*-test]", "0.2.0"),
    ] = ()
    archived: Annotated[
        str, Key("Archived ones as well", Flag("archived"), "true", "0.2.0", "not")
    ] = ""
    forks: Annotated[str, Key("Forks as well", Flag("forks"), "true", "0.2.0", "not")] = ""
    spec: Annotated[
        Value | None,
        Key(
            "What is different in their specs; `own` when each has a spec of its own",
            Difference(),
            "own",
            "0.2.0",
            "the defaults, or a spec of its own where the file has none",
        ),
    ] = None
    where: Value | None = None

    def fits(self, found: Found) -> bool:
        """Tell whether a repository is one of these."""
        name = found.slug.partition("/")[2]
        return (
            found.slug.partition("/")[0].lower() == self.owner.lower()
            and (bool(self.archived) or not found.archived)
            and (bool(self.forks) or not found.fork)
            and (not self.name or _is_like(name, self.name))
            and (not self.topic or bool(found.topics & {*self.topic}))
            and (not self.language or found.language.lower() in map(str.lower, self.language))
            and (not self.has or bool(found.files & {*self.has}))
            and all(found.properties.get(key, set()) & {*some} for key, some in self.properties)
            and not _is_like(name, self.exclude)
        )


def _is_like(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name fits a pattern; to GitHub small and large letters are the same."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


class _Selected(Section[Selection]):
    """One selection, which knows its place in the file."""

    def read(self, value: Value, reading: Reading) -> Selection | None:
        found = super().read(value, reading)
        return found and found._replace(where=value)

    @property
    def section(self) -> Section[Selection]:
        """The section itself, for the list that it stands in."""
        return self


SELECT = Listed(_Selected(Selection), "{topic: deploy}", alone=True, empty="write {topic: deploy}")
