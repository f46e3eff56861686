"""Each section of the spec has an annotated example that says every key, and is right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from conformance.spec_examples import FILES, ROOT, content, repository
from gen_workflow.commands.project import Project
from gen_workflow.fleet import roster, specs
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.commands.rendering import File

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
# A file for each key of the top level that is a section, and one more for each kind of deploy.
# `image` is short for one of `images`, and a name is all that `name` and `environment` are.
SECTIONS = {name for name in SPEC.keys if name not in ("name", "environment", "rollback")}
DEPLOYS = {"ssh", "compose", "kubernetes", "gitops"}


@each_file
def test_an_example_is_a_spec(file: Path) -> None:
    spec = load(file.read_bytes(), file.name, str(repository(file)))
    assert spec.built


@each_file
def test_an_example_explains_its_keys_in_comments(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    comments = [line for line in lines if line.lstrip().startswith("#")]
    assert len(comments) >= len(keys(YAML(typ="safe").load(file.read_text("utf-8")))) / 3


def test_each_section_has_an_example() -> None:
    names = {file.stem for file in FILES}
    assert (SECTIONS - {"deploy"}) | DEPLOYS <= names


@pytest.mark.parametrize("name", sorted(SECTIONS - {"deploy"}))
def test_the_example_of_a_section_shows_every_key(name: str) -> None:
    # Keys that cannot be beside each other are in files such as registry-cloud.yml.
    files = [file for file in FILES if file.stem == name or file.stem.startswith(f"{name}-")]
    documents = [YAML(typ="safe").load(file.read_text("utf-8")) for file in files]
    said = set().union(*(keys(document[name]) for document in documents))
    declared = {
        key
        for path, section in sections(SPEC)
        if path in (name, f"{name}/NAME") and path != "images/NAME"  # as in image.yml
        for key in section.keys
        if not (name == "environments" and key not in ("on", "after", "url"))
    }
    assert declared <= said


def test_the_examples_of_hosts_show_every_key() -> None:
    """Some stand in comments: they cannot be beside others."""
    named = (file for file in FILES if file.stem in ("ssh", "compose", "script"))
    text = "\n".join(file.read_text("utf-8") for file in named)
    inside = re.compile(r"deploy(?:/(?:ssh|run|health|strategy)(?:/.*)?)?")
    declared = {
        key
        for path, section in sections(SPEC)
        if inside.fullmatch(path)
        for key in section.keys
        if key not in ("kubernetes", "gitops")
    }
    assert not_shown(declared, text) == set()


def test_the_examples_of_a_cluster_show_every_key() -> None:
    """Some stand in comments: a job logs in to one cloud."""
    named = (file for file in FILES if file.stem.startswith("kubernetes"))
    text = "\n".join(file.read_text("utf-8") for file in named)
    inside = [section for path, section in sections(SPEC) if path.startswith("deploy/kubernetes")]
    declared = {key for section in inside for key in section.keys}
    assert not_shown(declared, text) == set()


def test_the_example_of_a_commit_shows_every_key() -> None:
    """Some stand in comments: they cannot be beside others."""
    (file,) = (file for file in FILES if file.stem == "gitops")
    inside = [section for path, section in sections(SPEC) if path.startswith("deploy/gitops")]
    declared = {key for section in inside for key in section.keys}
    assert not_shown(declared, file.read_text("utf-8")) == set()


def not_shown(keys: set[str], text: str) -> set[str]:
    """Return the keys that a text shows neither in use nor in a comment."""
    return {key for key in keys if not re.search(rf"(?m)^[ #]*{key}:|[{{,]{key}:", text)}


SHOWN = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
FLEET = [one for one in SHOWN if one.startswith("# fleet.yml\n")]
BLOCKS = [one for one in SHOWN if one not in FLEET]


@pytest.mark.parametrize("block", BLOCKS)
def test_each_spec_of_the_readme_renders(block: str, tmp_path: Path) -> None:
    assert files_of(block, tmp_path)


def test_each_repository_of_the_fleet_in_the_readme_has_a_spec_that_renders(tmp_path: Path) -> None:
    (block,) = FLEET
    (tmp_path / "package.json").write_text("{}")
    for member in roster.read(block.encode(), roster.FILE).members:
        assert member.spec, member.slug
        assert files_of(specs.text(member.spec, roster.FILE).decode(), tmp_path)


def files_of(spec: str, tmp_path: Path) -> tuple[File, ...]:
    for name in ("Dockerfile", "backend/Dockerfile", "frontend/Dockerfile", "k8s/web.yaml",
                 "gradlew", "build.gradle"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content(name))
    for name, services in (("compose.yml", ("api", "web")), ("compose.prod.yml", ("web",))):
        lines = [f"  {one}: {{image: ghcr.io/acme/shop/{one}}}\n" for one in services]
        (tmp_path / name).write_text("services:\n" + "".join(lines))
    (tmp_path / "gen-workflow.yml").write_text(spec)
    return Project(str(tmp_path), "gen-workflow.yml").rendered().files


def test_each_spec_of_the_readme_is_shown_with_its_workflow() -> None:
    """The cases of docs/stories.md are rendered, and compared, by tests/cases."""
    text = (ROOT / "docs" / "stories.md").read_text("utf-8")
    cases = re.findall(r"<!-- the spec of ([\w-]+): made by `make docs` -->", text)
    specs = [
        (ROOT / "tests/cases" / case / "gen-workflow.yml").read_text("utf-8") for case in cases
    ]
    read = YAML(typ="safe").load
    assert sorted(map(str, map(read, specs))) == sorted(map(str, map(read, BLOCKS)))
    for case in cases:
        assert f"<!-- the ci-cd.yml of {case}: made by `make docs` -->" in text


def test_the_readme_shows_the_ways_in_which_most_people_deploy() -> None:
    assert len(BLOCKS) == 6


def keys(value: Any) -> set[str]:
    """Return every key of a document, at any depth."""
    if isinstance(value, dict):
        return {*map(str, value)}.union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()
