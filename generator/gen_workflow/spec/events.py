"""When a run starts, and which of them deploys: branches, tags, releases, schedules, by hand."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Elsewhere, Form, Listed, Schema, Text
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr

_BRANCHES = Listed(values.BRANCH, alone=True, empty="name at least one branch, or remove `on`")
# What GitHub takes for a pattern of tags, as far as a condition of a job can say the same.
_TAG = Text(
    "a tag, or the beginning of tags with * at its end",
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]|/(?=[A-Za-z0-9_*]))*)?\*?(?<!^)",
    'v*, in quotes: "v*"',
)
_TAGS = Listed(_TAG, alone=True, empty="name at least one tag, or remove `tags`")
WORDS = ("tags", "release", "pre-release", "manual")
# Events that a workflow of GitHub lists where a spec has its branches.
_EVENTS = ("push", "pull_request", "pull_request_target", "merge_group", "workflow_dispatch",
           "workflow_call", "repository_dispatch", "schedule")  # fmt: skip


class Schedule(NamedTuple):
    """A time at which a run starts."""

    cron: Annotated[
        str,
        Key(
            "When it starts: minute, hour, day of the month, month, day of the week",
            Elsewhere("gen_workflow.spec.cron", "CRON"),
            "0 4 * * 1",
            "0.1.0",
            missing='say when: {cron: "0 4 * * 1"}',
        ),
    ]
    timezone: Annotated[
        str,
        Key(
            "Time zone of the schedule, by its IANA name",
            Elsewhere("gen_workflow.spec.zones", "ZONE"),
            "Europe/Berlin",
            "0.1.0",
            default="UTC",
        ),
    ] = ""


SCHEDULE = Section(Schedule)


class _OneTime(Form[Schedule]):
    """The short form: a time in UTC."""

    def read(self, value: Value, reading: Reading) -> Schedule | None:
        return SCHEDULE.of(value, {"cron": value}, reading)

    def schema(self) -> Schema:
        return SCHEDULE.keys["cron"].form.schema()


_TIME = ShortOr(_OneTime(), "a time", 'schedule: "0 4 * * 1"', SCHEDULE)


class On(NamedTuple):
    """What starts a run. A person can start one by hand for any branch."""

    branches: Annotated[
        tuple[str, ...],
        Key("Branches that are built, and deployed", _BRANCHES, "[main, release]", "0.1.0"),
    ] = ()
    tags: Annotated[
        tuple[str, ...],
        Key("Tags of git that are built, and deployed", _TAGS, '"v*"', "0.1.0"),
    ] = ()
    release: Annotated[
        str,
        Key(
            "Build and deploy when a release is published on GitHub that is no pre-release",
            values.Flag("release"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    pre_release: Annotated[
        str,
        Key(
            "Build and deploy when a pre-release is published on GitHub",
            values.Flag("pre-release"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    pull_request: Annotated[
        str,
        Key(
            "Build and test pull requests; nothing is pushed or deployed from them",
            values.Flag("pull-request"),
            "false",
            "0.1.0",
            default="`true`",
        ),
    ] = "true"
    merge_queue: Annotated[
        str,
        Key(
            "Build and test what a merge queue is about to merge",
            values.Flag("merge-queue"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    schedule: Annotated[
        tuple[Schedule, ...],
        Key(
            "Times at which the default branch is built, and deployed where it is one of the "
            "branches",
            Listed(_TIME, alone=True),
            '[{cron: "0 4 * * 1", timezone: Europe/Berlin}]',
            "0.1.0",
        ),
    ] = ()


def _note_events(value: Value, reading: Reading) -> None:
    """Note a problem for each event in the short form; a branch of that name has the long one."""
    for item in value.items() if value.kind == "a list" else [value]:
        if item.kind == "text" and item.text in _EVENTS:
            what = f"{item.text!r} is an event of GitHub, and branches are named here"
            hint = (
                "name a branch, such as main, and leave out push, pull requests and runs by hand, "
                f"which a spec has by itself; a branch of this name is {{branches: {item.text}}}"
            )
            reading.problem(item, what, hint, Heading.WRONG_VALUE)


class _Branches(Form[On]):
    """The short form: a branch, or a list of branches."""

    def read(self, value: Value, reading: Reading) -> On | None:
        _note_events(value, reading)
        names = _BRANCHES.read(value, reading)
        return None if names is None else On(branches=names)

    def schema(self) -> Schema:
        return _BRANCHES.schema()


def _note_twice(where: Value, word: str, reading: Reading) -> None:
    """Note that one release would be deployed by two runs."""
    what = "cannot be beside `tags`: a release pushes its tag, so each would be deployed twice"
    hint = f"keep `tags` for every tag, or `{word}` for what is published on GitHub; for tags that "
    hint += "are never released, make another one of `environments`"
    reading.problem(where, what, hint, Heading.TOGETHER)


def _deploys_once(fields: Fields, reading: Reading) -> None:
    """Note a problem for releases beside tags, which two runs would deploy; the rule of `on`."""
    for name in ("release", "pre-release"):
        if fields.read.get("tags") and fields.read.get(name):
            _note_twice(fields.where.named(name), name, reading)


ON = ShortOr(_Branches(), "a branch", "on: main", Section(On, rule=_deploys_once), lists=True)


def _names_something(fields: Fields, reading: Reading) -> None:
    """Note a problem for a mapping after which nothing would deploy; the rule of such an `on`."""
    # A list that is read without any item has a problem of its own.
    if all(one == "" for one in fields.read.values()):
        hint = "name a branch, tags, release: true or manual: true; or remove `on`"
        reading.problem(fields.where, "names nothing that deploys", hint, Heading.WRONG_VALUE)
    _deploys_once(fields, reading)


class When(NamedTuple):
    """What deploys to an environment."""

    branches: Annotated[
        tuple[str, ...],
        Key("Branches whose commits are deployed", _BRANCHES, "main", "0.1.0"),
    ] = ()
    tags: Annotated[
        tuple[str, ...],
        Key("Tags of git that are deployed", _TAGS, '"v*"', "0.1.0"),
    ] = ()
    release: Annotated[
        str,
        Key(
            "Deploy a release when it is published on GitHub and is no pre-release",
            values.Flag("release"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    pre_release: Annotated[
        str,
        Key(
            "Deploy a pre-release when it is published on GitHub",
            values.Flag("pre-release"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    manual: Annotated[
        str,
        Key(
            "Deploy when a person starts a run and chooses this environment",
            values.Flag("manual"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""


class _Words(Form[When]):
    """The short form: a branch, or one of the words, or several of them in a list."""

    def read(self, value: Value, reading: Reading) -> When | None:
        items = value.items() if value.kind == "a list" else [value]
        words = [item.text if item.kind == "text" else "" for item in items]
        _note_events(value, reading)
        for index, item in enumerate(items):
            if words[index] and words[index] in words[:index]:
                what = f"{words[index]!r} appears twice"
                reading.problem(item, what, "keep one of them", Heading.TWICE)
            if words[index] in WORDS[1:3] and "tags" in words:
                _note_twice(item, words[index], reading)
        names = [
            values.BRANCH.read(item, reading)
            for item, word in zip(items, words, strict=True)
            if word not in WORDS
        ]
        if not items:
            hint = "name a branch, or write tags, release, pre-release or manual"
            reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
        return When(
            branches=tuple(name for name in names if name),
            tags=("*",) if "tags" in words else (),
            release="true" if "release" in words else "",
            pre_release="true" if "pre-release" in words else "",
            manual="true" if "manual" in words else "",
        )

    def schema(self) -> Schema:
        item = values.BRANCH.schema()
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


WHEN = ShortOr(_Words(), "a branch", "on: main", Section(When, rule=_names_something), lists=True)
