"""What the docs name is there: files, links, targets of make, and the layers of the code."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import pytest

from conformance.structure import ACTIONS, GENERATOR, ROOT, Half

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("actions", "bench", "docs", "examples", "generator", "templates", "tests")
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "actions/*/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)
# Pages that describe the repository itself; the others name files of users too.
INTERNAL = ("docs/design.md", "docs/testing.md", "SECURITY.md")
# A file of a user that these pages name.
OF_A_USER = {"json.py"}
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)+/?|[\w.*-]+(/|\.(py|sh|md|json|toml|yml))")
# `test_all` is a mark.
TEST = re.compile(r"(?!test_all$)test_\w+")
NAME_IN_A_FILE = re.compile(r"`(\w+)` (?:in|of) `([\w/]+\.py)`")
# A function of the scripts with its arguments.
SHELL = re.compile(r"([a-z_]+) [A-Z]+(?: value)?")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
TARGET = re.compile(r"make ([a-z-]+)\b")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def there() -> list[str]:
    """Return the paths of the repository, with a `/` before each."""
    found = [path for folder in FOLDERS for path in (ROOT / folder, *(ROOT / folder).rglob("*"))]
    found += [path for path in ROOT.iterdir() if path.name != ".git"]
    found += (ROOT / ".ci").iterdir()
    return [f"/{path.relative_to(ROOT)}" for path in found]


def named_paths(text: str) -> set[str]:
    """Return the paths that a text names in code; `NAME` in one stands for any name."""
    spans = {span for span in CODE.findall(text) if PATH.fullmatch(span)}
    tests = {f"{span}.py" for span in CODE.findall(text) if TEST.fullmatch(span)}
    return {span.rstrip("/").replace("NAME", "*") for span in spans | tests} - OF_A_USER


def missing(names: set[str]) -> list[str]:
    paths = there()
    return sorted(name for name in names if not fnmatch.filter(paths, f"*/{name}"))


@pytest.mark.parametrize("page", INTERNAL)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    names = named_paths((ROOT / page).read_text("utf-8"))
    assert names
    assert missing(names) == []


def test_a_path_that_does_not_exist_is_found() -> None:
    text = "`ship/runner`, `ship/nothing`, `gone.py`, `test_gone`, `actions/NAME/action.yml`"
    assert missing(named_paths(text)) == ["gone.py", "ship/nothing", "test_gone.py"]


@pytest.mark.parametrize("page", INTERNAL)
def test_a_name_that_a_page_places_in_a_file_is_in_it(page: str) -> None:
    for name, path in NAME_IN_A_FILE.findall((ROOT / page).read_text("utf-8")):
        files = [ROOT / each[1:] for each in fnmatch.filter(there(), f"*/{path}")]
        assert any(re.search(rf"\b{name}\b", each.read_text("utf-8")) for each in files), name


def test_every_shell_function_that_the_design_calls_exists() -> None:
    spans = CODE.findall((ROOT / "docs" / "design.md").read_text("utf-8"))
    called = {match[1] for span in spans if (match := SHELL.fullmatch(span))}
    scripts = "".join(path.read_text("utf-8") for path in (ROOT / "actions").rglob("*.sh"))
    assert called
    assert called <= set(re.findall(r"^(\w+)\(\)", scripts, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"test", "help"} < targets
    spans = CODE.findall(page.read_text("utf-8"))
    assert {target for span in spans for target in TARGET.findall(span)} <= targets


def anchors(page: Path) -> set[str]:
    """Return what GitHub makes of the headings of a page."""
    return set(
        map(anchor_of_heading, re.findall(r"^#+ .*$", page.read_text("utf-8"), re.MULTILINE))
    )


def anchor_of_heading(line: str) -> str:
    return re.sub(r"[^\w -]", "", line.lstrip("#").strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_page_and_a_heading_of_it(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text("utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def layers(text: str) -> list[set[str]]:
    """Return what a table of layers holds, from bottom to top."""
    found: dict[str, set[str]] = {}
    layer = ""
    for row in re.findall(r"^\| (.*?) ?\| (`.*?) \| .* \|$", text, re.MULTILINE):
        layer = row[0] or layer
        names = (name.strip("/").removesuffix(".py") for name in CODE.findall(row[1]))
        found.setdefault(layer, set()).update(name.rpartition("/")[2] for name in names)
    return list(found.values())[::-1]


@pytest.mark.parametrize(
    ("half", "heading"),
    [(ACTIONS, "## The actions"), (GENERATOR, "## The generator")],
    ids=["actions", "generator"],
)
def test_the_design_has_the_layers_that_the_code_has(half: Half, heading: str) -> None:
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    section = text.partition(f"\n{heading}\n")[2].partition("### Layers")[2].partition("\n##")[0]
    assert layers(section) == [set(rooms) for rooms in half.layers]
