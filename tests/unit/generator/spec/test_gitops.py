"""What `gitops` of the spec takes and refuses, and what its step gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.plan.gitops import expression
from gen_workflow.spec.deploy import GitopsDeploy
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.spec.gitops import Gitops

ONE, TWO = "image: .", "images: {api: ., web: .}"
WHOLE = "repository: acme/manifests, kustomize: apps/shop"


def read(folder: Path, inside: str, images: str = ONE) -> Gitops:
    (folder / "Dockerfile").touch()
    text = f"{images}\ndeploy:\n  gitops: {{{inside}}}\n"
    deploy = load(text.encode(), "gen-workflow.yml", str(folder)).deploy
    assert isinstance(deploy, GitopsDeploy)
    return deploy.gitops


def test_the_short_forms_say_a_folder_and_a_file(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert found.kustomize
    assert (found.kustomize.folder, found.branch) == ("apps/shop", "main")
    found = read(tmp_path, "repository: acme/manifests, values: ./apps/v.yaml")
    assert found.values
    assert (found.values.file, found.values.what) == ("apps/v.yaml", "digest")


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("kustomize: a", "3:11 deploy/gitops: `repository` is missing"),
        ("repository: acme/manifests", "`kustomize` is missing\n  hint: say where the image is"),
        (f"{WHOLE}, values: b", "values: cannot be beside `kustomize`"),
        (f"{WHOLE}, token: abc", "token: the token must come from a secret"),
        (
            f"{WHOLE}, token: '${{{{ secrets.A }}}}', key: '${{{{ secrets.B }}}}'",
            "key: cannot be beside `token`",
        ),
        (
            f"{WHOLE}, pull-request: true, key: '${{{{ secrets.B }}}}'",
            "key: cannot be beside `pull-request`: no deploy key can open one",
        ),
        ("repository: acme, kustomize: a", "'acme' is not a repository on GitHub"),
        ("repository: -a/b, kustomize: a", "'-a/b' is not a repository on GitHub"),
        ("repository: a/b, kustomize: ../a", "'../a' leads out of the repository"),
        ("repository: a/b, kustomize: ':(top)a'", "would be an option or a pattern for git"),
        ("repository: a/b, values: -n", "would be an option or a pattern for git"),
        (f"{WHOLE}, branch: 'a;b'", "'a;b' is not a name of a branch"),
        ("repository: a/b, values: {file: f, digest: 'a[\"b\"]'}", "is not a path to a value"),
        ("repository: a/b, values: {file: f, digest: 'a|env'}", "is not a path to a value"),
        ("repository: a/b, values: {file: f, tag: a, digest: b}", "tag: cannot be beside `digest`"),
        ("repository: a/b, kustomize: {folder: f, image: 'a=b'}", "is not a name of an image"),
        ("repository: a/b, kustomize: {folder: f, image: {api: a}}", "but there is one image"),
        (f"{WHOLE}, health: /", "deploy/gitops/health: is not a key"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, inside: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        read(tmp_path, inside)
    assert said in str(raised.value)
    assert len(raised.value.problems) == 1, raised.value


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("shop", "is one text, but there are several images\n  hint: write one for each: {api: "),
        ("{api: a}", "names api, but the images are api, web"),
        ("{api: a, web: b, c: d}", "names api, web, c, but the images are api, web"),
    ],
)
def test_each_of_several_images_is_named_once(tmp_path: Path, image: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        read(tmp_path, f"repository: a/b, kustomize: {{folder: f, image: {image}}}", TWO)
    assert f"deploy/gitops/kustomize/image: {said}" in str(raised.value)


def test_a_name_of_a_container_is_refused_beside_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    text = f"image: .\nname: shop\ndeploy: {{gitops: {{{WHOLE}}}, run: {{}}}}\n"
    with pytest.raises(SpecError) as raised:
        load(text.encode(), "gen-workflow.yml", str(tmp_path))
    assert "name: is that of a container on a host" in str(raised.value)
    assert "run: cannot be beside `gitops`" in str(raised.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("image.digest", ".image.digest"),
        (".image.digest", ".image.digest"),
        ("my-app.containers.0.image", '."my-app".containers[0].image'),
        ("0.a", ".[0].a"),
    ],
)
def test_a_place_is_an_expression_of_yq(place: str, said: str) -> None:
    assert expression(place) == said
