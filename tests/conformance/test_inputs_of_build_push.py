"""Every input of build-push can be reached from the spec, or it is said why it need not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.commands.project import Project
from gen_workflow.spec import values
from ship.images import reference

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = read_action(ROOT / "actions" / "build-push").inputs
NATIVE = "platforms: [linux/amd64, linux/arm64], runners: native"
# By input: a spec that has the key which reaches it, and what the step then says.
REACHED: dict[str, tuple[str, str]] = {
    "image": ("image: {name: ghcr.io/acme/shop}", "ghcr.io/acme/shop"),
    "images": ("images: {shop: backend}", "shop: backend\n"),
    "context": ("image: {context: backend}", "backend"),
    "file": ("image: {dockerfile: backend/Dockerfile}", "backend/Dockerfile"),
    "target": ("image: {target: runtime}", "runtime"),
    "build-args": ("image: {args: {A: b}}", "A=b\n"),
    "build-contexts": ("image: {contexts: {a: backend}}", "a=backend\n"),
    "secrets": ("image: {secrets: [A]}", "A\n"),
    "secret-files": ("image: {secret-files: {a: b}}", "a=b\n"),
    "ssh": ("image: {ssh: default}", "default\n"),
    "platforms": ("image: {platforms: [linux/amd64, linux/arm64]}", "linux/amd64,linux/arm64"),
    "push-by-digest": (f"image: {{{NATIVE}}}", "true"),
    "merge": (
        f"image: {{{NATIVE}}}",
        "".join(
            f"linux/{name}=${{{{ needs.platforms.outputs.linux-{name} }}}}\n"
            for name in ("amd64", "arm64")
        ),
    ),
    "tags": ("image: {tags: type=sha}", "type=sha\n"),
    "older-commit": ("image: {older-commit: move}", "move"),
    "flavor": ("image: {flavor: latest=false}", "latest=false\n"),
    "labels": ("image: {labels: {a: b}}", "a=b\n"),
    "annotations": ("image: {annotations: {a: b}}", "a=b\n"),
    "skip-unchanged": ("image: {skip: unchanged}", "true"),
    "paths": ("image: {paths: backend}", "backend\n"),
    "salt": ("image: {skip: {salt: 2}}", "2"),
    "max-age": ("image: {skip: {max-age: 7d}}", "7d"),
    "cache": ("image: {cache: auto}", "auto"),
    "cache-from": ("image: {cache: {read-from: type=inline}}", "type=inline\n"),
    "cache-to": ("image: {cache: {write-to: type=inline}}", "type=inline\n"),
    "builder": ("image: {builder: tcp://buildkit:1234}", "tcp://buildkit:1234"),
    "builder-image": ("image: {builder: {image: mirror/buildkit}}", "mirror/buildkit"),
    "provenance": ("image: {provenance: max}", "max"),
    "sbom": ("image: {sbom: true}", "true"),
    "pull": ("image: {pull: true}", "true"),
    "no-cache": ("image: {no-cache: true}", "true"),
    "username": ("image: .\nregistry: quay.io/acme", "${{ vars.REGISTRY_USERNAME }}"),
    "password": ("image: .\nregistry: quay.io/acme", "${{ secrets.REGISTRY_TOKEN }}"),
}
NOT_NEEDED = {
    "push": "`auto` pushes in exactly the job that may write, and the check has the same steps",
    "dry-run": "a job that builds nothing is no use in a workflow",
}


def test_every_input_is_reached_or_need_not_be() -> None:
    assert {*REACHED, *NOT_NEEDED} == {*INPUTS}
    assert not {*REACHED} & {*NOT_NEEDED}


@pytest.mark.parametrize("name", REACHED)
def test_an_input_is_reached(name: str, tmp_path: Path) -> None:
    spec, value = REACHED[name]
    for folder in (tmp_path, tmp_path / "backend"):
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").touch()
    (tmp_path / "gen-workflow.yml").write_text(spec + "\n")
    text = Project(str(tmp_path), "gen-workflow.yml").rendered().text
    jobs: dict[str, Any] = YAML(typ="safe").load(text)["jobs"]
    job = jobs["build"] if name == "merge" else next(iter(jobs.values()))
    found = job["steps"][-1]["with"][name]
    assert (str(found).lower() if isinstance(found, bool) else found) == value


def test_a_name_of_an_image_may_be_as_long_for_both_halves() -> None:
    assert values.LONGEST_IMAGE == reference.LONGEST_PATH
