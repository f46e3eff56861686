"""Verbs and their options as data: what a command line may say, and what it said.

Every run loads this, so it imports nothing and its records are plain classes: `typing` is slow.
"""

from __future__ import annotations

from gen_workflow import files


class Option:
    """An option of a verb: a flag, or with a `metavar` an option that takes a value.

    Without words it is what stands behind the options: as many names as are given.
    One that may be given `several` times has all its values, in a tuple.
    """

    def __init__(
        self,
        name: str,
        *words: str,
        says: str,
        metavar: str = "",
        default: str = "",
        several: bool = False,
    ) -> None:
        self.name = name
        self.words = words
        self.says = says
        self.metavar = metavar
        self.several = several or not words
        one: str | bool = default if metavar else False
        self.default: str | bool | tuple[str, ...] = () if self.several else one


class Verb:
    """A verb: `commands/NAME.py` runs it. `in_step` is what it says when there is nothing to do."""

    def __init__(
        self, name: str, says: str, *options: Option, in_step: str = "", epilog: str = ""
    ) -> None:
        self.name = name
        self.says = says
        self.options = options
        self.in_step = in_step
        self.epilog = epilog


class Options:
    """What a command line said; every verb sets the attributes of its own options."""

    folder: str
    spec: str
    templates: str
    stdout: bool
    force: bool
    check: bool
    diff: bool
    repo: str
    branch: str
    base: str
    message: str
    title: str
    api_url: str
    again: bool
    labels: tuple[str, ...]
    reviewers: tuple[str, ...]
    draft: bool
    auto_merge: bool
    closed: str
    dry_run: bool
    json: bool
    report: str
    names: tuple[str, ...] | list[str]
    online: bool
    min_age: str
    major: bool
    branches: bool
    dependabot: bool
    event: str
    ref: str
    tag: str
    fork: bool
    given: tuple[str, ...]
    workflow: str
    payload: str
    format: str
    file: str
    limit: str
    per_hour: str
    ring: str
    after: str
    shard: str
    shards: str
    spread: str
    canary: str
    within: str
    stop_after: str
    only_failed: bool
    settings: str
    values: str
    replace: tuple[str, ...]
    run: bool
    yes: bool
    report_file: str

    def __init__(self, verb: Verb) -> None:
        self.verb = verb
        for option in verb.options:
            setattr(self, option.name, option.default)


FOLDER = Option(
    "folder",
    "-C",
    metavar="DIR",
    default=".",
    says="folder of the repository; default: the current one",
)
TEMPLATES = Option(
    "templates",
    "--templates",
    metavar="DIR",
    says="folder of your own templates; each replaces ours of the same name",
)
PROJECT = (
    FOLDER,
    Option(
        "spec",
        "--spec",
        metavar="FILE",
        default=files.SPEC,
        says=f"path of the spec in DIR; default: {files.SPEC}",
    ),
    TEMPLATES,
)

_BRANCH = "gen-workflow/update"
BRANCH = Option(
    "branch",
    "--branch",
    metavar="NAME",
    default=_BRANCH,
    says=f"branch to commit on; default: {_BRANCH}",
)
API_URL = Option(
    "api_url", "--api-url", metavar="URL", says="API of GitHub; default: GITHUB_API_URL"
)
JSON = Option("json", "--json", says="print the result as JSON, also when it is an error")
REPORT = (
    JSON,
    Option(
        "report",
        "--format",
        metavar="NAME",
        says="how to print what is wrong: text, json, sarif or github; default: text",
    ),
)
EVENT = (
    Option("event", "--event", metavar="NAME", says="event as GitHub names it, such as push"),
    Option("ref", "--ref", metavar="REF", says="branch, or refs/tags/NAME; default: main branch"),
    Option("tag", "--tag", metavar="NAME", says="tag of a push or a release"),
    Option("base", "--base", metavar="BRANCH", says="branch that a pull request is for"),
    Option("fork", "--fork", says="the pull request is one of a fork"),
    Option(
        "given",
        "--input",
        metavar="NAME=VALUE",
        says="input of a run by hand; may be given several times",
        several=True,
    ),
    Option("workflow", "--workflow", metavar="FILE", says="workflow that a person starts"),
    Option("payload", "--payload", metavar="FILE", says="the event as JSON, as GitHub gives it"),
)

# How `github.handling` handles a pull request.
HANDLING = (
    Option(
        "closed",
        "--closed",
        metavar="WHAT",
        default="stop",
        says="when somebody closed the last one: stop, leave or reopen; default: stop",
    ),
    Option(
        "labels",
        "--label",
        metavar="NAME",
        says="label of the pull request; may be given several times",
        several=True,
    ),
    Option(
        "reviewers",
        "--reviewer",
        metavar="WHO",
        says="user or ORG/TEAM that is asked for a review; may be given several times",
        several=True,
    ),
    Option("draft", "--draft", says="open a new pull request as a draft"),
    Option(
        "auto_merge",
        "--auto-merge",
        says="let GitHub merge it as soon as checks and reviews allow it",
    ),
)


def parse(argv: list[str], verbs: tuple[Verb, ...]) -> Options | None:
    """Return what a plain command line says; None for all that argparse should explain."""
    words = iter(argv)
    name = next(words, "")
    verb = next((one for one in verbs if one.name == name), None)
    if verb is None:
        return None
    options = Options(verb)
    known = {word: option for option in verb.options for word in option.words}
    for word in words:
        option = known.get(word)
        if option is None:
            return None
        value = next(words, "") if option.metavar else "yes"
        if value[:1] in ("", "-") or not value.isprintable():
            return None
        found = (*getattr(options, option.name), value) if option.several else value
        setattr(options, option.name, found if option.metavar else True)
    return options
