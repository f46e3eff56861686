"""Writes the tables of the docs, and the JSON Schema of the spec: `make docs`.

The tables of inputs and outputs in the README of every action, and in docs/action.md for our own,
come from its action.yml. The tables of keys in docs/spec.md and the JSON Schema come from the
declaration of the spec. The tables of causes in docs/kubectl-set-image.md come from the tables of
states in `ship/kube/causes`. What docs/explain.md and docs/stories.md show are specs of
`tests/cases`, what the commands print for them, and the workflows that the tests of these cases
compare with what is rendered. The lengths in docs/lengths.md are counted in `tests/cases`. With
`--check` nothing is written, and the exit code is 1 when something would be.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML

from gen_workflow.spec import reference, schema

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "actions" / "lib")]

from ship.kube.causes import (  # noqa: E402 - found in the folder of the actions
    container_states,
    image_states,
    pod_states,
)
from ship.kube.causes.finding import NEVER, RESTARTS, State  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

ACTION = ROOT / "docs" / "action.md"
SPEC = ROOT / "docs" / "spec.md"
SCHEMA = ROOT / "docs" / "spec.schema.json"
BEGIN = "<!-- reference: made from action.yml by `make docs` -->\n"
END = "<!-- end of reference -->"
BETWEEN = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
KEYS = re.compile(
    rf"(<!-- keys of ([^\n]*): made from the spec by `make docs` -->\n).*?(?={re.escape(END)})",
    re.DOTALL,
)
TOP = "the top level"
KUBECTL_SET_IMAGE = ROOT / "docs" / "kubectl-set-image.md"
CAUSES = re.compile(
    rf"(<!-- causes of ([^\n]*): made from ship/kube/causes by `make docs` -->\n).*?(?={END})",
    re.DOTALL,
)
EXPLAIN = ROOT / "docs" / "explain.md"
STORIES = ROOT / "docs" / "stories.md"
PICTURE = ROOT / "docs" / "explain.svg"
CASES = ROOT / "tests" / "cases"
USUAL_CASE = "environments"
# What a command prints for a case, or a file of the case.
PRINTED = re.compile(
    r"(?P<head><!-- (?:output of `gen-workflow (?P<words>[^`\n]*)`|the (?P<file>spec|[\w-]+\.yml))"
    r"(?: of (?P<case>[\w-]+))?: made by `make docs` -->\n```\w+\n)"
    rf".*?(?=```\n{END})",
    re.DOTALL,
)
LENGTHS = ROOT / "docs" / "lengths.md"
COUNTED = re.compile(
    rf"(<!-- lengths: counted in tests/cases by `make docs` -->\n).*?(?={END})", re.DOTALL
)
STATES = {"images": image_states, "containers": container_states, "pods": pod_states}
# What stands in a message where the name or the words of a case would be.
EXAMPLE = {"image": "IMAGE", "code": "exit code 1", "times": "2 times", "gates": "GATES",
           "scheduler": "NAME", "node": "NODE"}  # fmt: skip


class Story(NamedTuple):
    """What is deployed where, the case that has it, and the lengths of files written by hand.

    Those belong to other projects, and were counted once: nothing of them is in this repository.
    """

    says: str
    case: str
    by_hand: str


BY_HAND = (
    Story("one app on one host", "story-one-host", "62, 88"),
    Story("a compose project on one host", "story-compose", "92"),
    Story("several images of a compose project", "story-monorepo", "293"),
    Story("one image, to staging and to production", "story-staging-production", "463, 215 + 215"),
    Story("manifests of Kubernetes in the repository", "story-kubernetes", "157"),
)


def main(arguments: list[str]) -> int:
    """Bring every document up to date, or say which is not."""
    wanted = {path: with_tables(path) for path in readmes()}
    wanted |= {SPEC: with_keys(SPEC.read_text("utf-8")), SCHEMA: schema.text()}
    wanted[KUBECTL_SET_IMAGE] = with_causes(KUBECTL_SET_IMAGE.read_text("utf-8"))
    wanted |= {page: with_output(page.read_text("utf-8")) for page in (EXPLAIN, STORIES)}
    wanted |= {LENGTHS: with_lengths(LENGTHS.read_text("utf-8"))}
    wanted |= {PICTURE: printed("graph --format svg")}
    stale = [path for path, text in wanted.items() if not is_file_with(path, text)]
    for path in stale:
        print(path.relative_to(ROOT))
        if "--check" not in arguments:
            path.write_text(wanted[path], encoding="utf-8")
    if stale and "--check" in arguments:
        print("differ from what they are made from; run `make docs`", file=sys.stderr)
        return 1
    return 0


def is_file_with(path: Path, text: str) -> bool:
    """Tell whether a file is there and has a text."""
    return path.exists() and path.read_text("utf-8") == text


def with_keys(text: str) -> str:
    """Return the text of docs/spec.md with the tables that the declaration gives."""
    tables = reference.tables()
    return KEYS.sub(lambda at: at[1] + tables["" if at[2] == TOP else at[2].strip("`")], text)


def with_output(text: str) -> str:
    """Return the text of a page with the files of its cases, and what its commands print."""
    return PRINTED.sub(lambda at: at["head"] + _of_case(at["case"] or USUAL_CASE, at), text)


def _of_case(case: str, at: re.Match[str]) -> str:
    if at["words"] is not None:
        return printed(at["words"], case)
    name = at["file"] if at["file"] != "spec" else "gen-workflow.yml"
    return (CASES / case / name).read_text("utf-8")


def printed(words: str, case: str = USUAL_CASE) -> str:
    """Return what gen-workflow prints for a case."""
    argv = (sys.executable, "-m", "gen_workflow", *words.split(), "-C", str(CASES / case))
    done = subprocess.run(argv, cwd=ROOT / "generator", check=True, capture_output=True)
    return done.stdout.decode()


def with_causes(text: str) -> str:
    """Return the text of docs/kubectl-set-image.md with the tables of states in the code."""
    return CAUSES.sub(lambda at: at[1] + _causes(STATES[at[2]]), text)


def with_lengths(text: str) -> str:
    """Return the text of docs/lengths.md with the lengths of the specs and their workflows."""
    head = (
        "What is deployed",
        "Spec",
        "`ci-cd.yml`",
        "of it comments",
        "`rollback.yml`",
        "By hand",
    )
    rows = [head, ("---",) * len(head), *map(_lengths, BY_HAND)]
    return COUNTED.sub(lambda at: at[1] + "".join(f"| {' | '.join(row)} |\n" for row in rows), text)


def _lengths(story: Story) -> tuple[str, ...]:
    folder = ROOT / "tests" / "cases" / story.case
    spec, build, rollback = (
        (folder / name).read_text("utf-8").splitlines() if (folder / name).exists() else []
        for name in ("gen-workflow.yml", "ci-cd.yml", "rollback.yml")
    )
    comments = [line for line in build if line.lstrip().startswith("#") or not line.strip()]
    counts = [str(len(lines) or "none") for lines in (spec, build, comments, rollback)]
    link = f"[{story.says}](../tests/cases/{story.case}/gen-workflow.yml)"
    return (link, *counts, story.by_hand)


def states(module: ModuleType) -> Iterator[State]:
    """Yield the states that a module has, alone and in lists."""
    for value in vars(module).values():
        listed = value if isinstance(value, tuple) and not isinstance(value, State) else (value,)
        yield from (each for each in listed if isinstance(each, State))


def _causes(module: ModuleType) -> str:
    by_key: dict[str, list[State]] = defaultdict(list)
    for each in states(module):
        if each not in by_key[each.key]:
            by_key[each.key].append(each)
    rows = [
        f"| [`{key}`](errors.md#rollout-{key}) | {_cell(message(each))} | {patience(each)} |"
        for key, same in by_key.items()
        for each in same
    ]
    head = ["| Cause | What the message says | Fails the rollout |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def message(state: State) -> str:
    """Return the message of a state, with examples in the place of what a cluster says."""
    said = state.text.format_map(defaultdict(str, EXAMPLE))
    return re.sub(r" +", " ", said).replace(" ,", ",").rstrip(" :")


def patience(state: State) -> str:
    """Return in words when a state fails a rollout."""
    if state.grace == NEVER:
        return "only [without progress](#time)"
    if state.times == RESTARTS:
        return "when it has ended more than `restarts` times"
    seconds = f"after {state.grace:.0f} s" if state.grace else ""
    seconds += " in which no other pod moves" if state.patient else ""
    times = f"when seen {state.times} times" if state.times > 1 else ""
    return ", ".join(filter(None, (seconds, times))) or "at once"


def readmes() -> list[Path]:
    """Return each page with the tables of an action: a README beside its action.yml, or our own."""
    paths = [path.with_name("README.md") for path in ROOT.glob("actions/*/action.yml")]
    return [
        each
        for each in (*sorted(paths), ACTION)
        if each.exists() and BEGIN in each.read_text("utf-8")
    ]


def with_tables(readme: Path) -> str:
    """Return the text of a README with the tables from its action.yml."""
    folder = ROOT if readme == ACTION else readme.parent
    document = YAML(typ="safe").load((folder / "action.yml").read_text("utf-8"))
    tables = _inputs(document.get("inputs") or {}) + _outputs(document.get("outputs") or {})
    return BETWEEN.sub(lambda _: tables, readme.read_text("utf-8"))


def _inputs(inputs: Mapping[str, Mapping[str, Any]]) -> str:
    if not inputs:
        return ""
    rows = [
        f"| `{name}` | {_cell(each['description'])} | {_default(each)} |"
        for name, each in inputs.items()
    ]
    return "\n".join(["| Input | What it is | Default |", "| --- | --- | --- |", *rows, "", ""])


def _outputs(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    if not outputs:
        return ""
    rows = [f"| `{name}` | {_cell(each['description'])} |" for name, each in outputs.items()]
    return "\n".join(["| Output | What it is |", "| --- | --- |", *rows, ""])


def _default(given: Mapping[str, Any]) -> str:
    if given.get("required"):
        return "**required**"
    return f"`{_cell(given['default'])}`" if given.get("default") else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
