"""The workflow that deletes old images: what it deletes, and what always stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from unit.generator.conftest import Repository


def job(repository: Repository, spec: str) -> dict[str, Any]:
    repository.spec.write_text(spec)
    files = Project(str(repository.folder), "gen-workflow.yml").rendered().files
    (text,) = (file.text for file in files if file.path == ".github/workflows/cleanup.yml")
    found: dict[str, Any] = YAML(typ="safe").load(text)["jobs"]["cleanup"]
    return found


def inputs(repository: Repository, spec: str) -> dict[str, Any]:
    """Return the inputs of the last step of the job."""
    found: dict[str, Any] = job(repository, spec)["steps"][-1]["with"]
    return found


def test_without_anything_said_the_newest_and_what_is_young_stay(repository: Repository) -> None:
    found = inputs(repository, "image: .\ncleanup: {}\n")
    assert (found["keep-n-tagged"], found["older-than"]) == (20, "30 days")
    assert "token" not in found
    assert job(repository, "image: .\ncleanup: {}\n")["permissions"] == {"packages": "write"}


def test_a_run_of_the_schedule_deletes_and_one_by_hand_is_asked(repository: Repository) -> None:
    assert (
        inputs(repository, "image: .\ncleanup: {}\n")["dry-run"] == "${{ inputs.dry-run || false }}"
    )


def test_images_that_may_run_somewhere_stay(repository: Repository) -> None:
    spec = (
        "image: .\ndeploy: {ssh: vps, run: {}}\n"
        "environments: {a: {on: [main, fix/x]}, b: {on: stage}}\ncleanup: {keep-tags: [edge-*]}\n"
    )
    tags = inputs(repository, spec)["exclude-tags"].split(",")
    assert tags == ["latest", "*.*.*", "buildcache*", "main", "fix-x", "stage", "edge-*"]


@pytest.mark.parametrize(
    ("spec", "owner", "packages"),
    [
        ("image: .", None, "${{ steps.repository.outputs.name }}"),
        ("images: {a: ., b: .}", None, "NAME/a,NAME/b"),
        ("image: .\nregistry: ghcr.io/acme", "acme", "${{ steps.repository.outputs.name }}"),
        ("image: {name: ghcr.io/acme/team/shop}", "acme", "team/shop"),
    ],
)
def test_the_packages_are_those_of_the_images(
    spec: str, owner: str | None, packages: str, repository: Repository
) -> None:
    found = inputs(repository, f"{spec}\ncleanup: {{}}\n")
    name = "${{ steps.repository.outputs.name }}"
    assert (found.get("owner"), found["packages"]) == (owner, packages.replace("NAME", name))


WRONG = {
    "registry: quay.io/acme\ncleanup: {}": "3:10 cleanup: deletes images of ghcr.io, and these are "
    "in quay.io\n  hint: remove it, and set a rule for old images in that registry",
    "cleanup: {older-than: 12h}": "2:23 cleanup/older-than: '12h' is not an age in days or weeks\n"
    "  hint: write for example 30d or 8w",
    "cleanup: {keep: 0}": "2:17 cleanup/keep: '0' is not a number of images\n"
    "  hint: write a whole number from 1 to 1000, such as 20",
    "cleanup: {keep-tags: 'a,b'}": "2:22 cleanup/keep-tags: 'a,b' is not a tag\n"
    "  hint: write for example stable-*",
}


@pytest.mark.parametrize(("text", "problem"), WRONG.items(), ids=WRONG)
def test_a_wrong_cleanup_is_refused(text: str, problem: str, repository: Repository) -> None:
    repository.spec.write_text(f"image: .\n{text}\n")
    with pytest.raises(SpecError) as caught:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    assert list(caught.value.problems) == [f"gen-workflow.yml:{problem}"]
