"""Several images in one spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.deploy import KubernetesDeploy
from gen_workflow.spec.load import load
from gen_workflow.spec.workloads import Container, Workload

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.spec.kubernetes import Kubernetes


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    text = (
        "images:\n"
        "  api: {name: ghcr.io/example/shop}\n"
        "  web: {name: ghcr.io/example/shop, context: .}\n"
        "  other: .\n"
        "  debug: {name: ghcr.io/example/shop, context: ., tags: [debug]}\n"
    )
    with pytest.raises(SpecError) as caught:
        load(text.encode(), "gen-workflow.yml", str(tmp_path))
    (only,) = caught.value.problems
    assert only == (
        "gen-workflow.yml:3:15 images/web/name: 'ghcr.io/example/shop' is the name of 'api' too, "
        "and they would replace each other\n  hint: give one of them another name"
    )


def cluster_of(workload: str, folder: Path, rest: str = "") -> Kubernetes:
    """The cluster of a spec with two images, whose workloads are on line 3."""
    for name in ("api", "web"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "Dockerfile").touch()
    (folder / "k8s").mkdir(exist_ok=True)
    (folder / "k8s" / "app.yaml").touch()
    images, said = "images: {api: api, web: web}", f"{{workload: {workload}{rest}}}"
    text = f"{images}\ndeploy: {{kubernetes:\n {said}}}\n"
    deploy = load(text.encode(), "gen-workflow.yml", str(folder)).deploy
    assert isinstance(deploy, KubernetesDeploy)
    return deploy.kubernetes


def test_each_container_says_which_of_several_images_it_gets(tmp_path: Path) -> None:
    text = "[{deployment/front: {app: web, '*': api}}, {cronjob/report: {report: api}}]"
    assert cluster_of(text, tmp_path).workload == (
        Workload("deployment/front", (Container("app", "web"), Container("*", "api"))),
        Workload("cronjob/report", (Container("report", "api"),)),
    )


@pytest.mark.parametrize(
    ("workload", "messages"),
    [
        pytest.param(
            "{deployment/api: api, deployment/web: app}",
            [
                (
                    "3:30 deploy/kubernetes/workload/deployment/api: does not say which of `api` "
                    "and `web` the container 'api' gets\n  hint: write the image behind the "
                    "container: {deployment/api: {api: api}}"
                ),
                (
                    "3:51 deploy/kubernetes/workload/deployment/web: does not say which of `api` "
                    "and `web` the container 'app' gets\n  hint: write the image behind the "
                    "container: {deployment/web: {app: api}}"
                ),
            ],
            id="containers-alone",
        ),
        pytest.param(
            "[deployment/api, {deployment/web: [web]}]",
            [
                (
                    "3:48 deploy/kubernetes/workload/1/deployment/web/0: does not say which of "
                    "`api` and `web` the container 'web' gets\n  hint: write the image behind the "
                    "container: {deployment/web: {web: web}}"
                ),
            ],
            id="one-workload-of-several",
        ),
        pytest.param(
            "{deployment/web: {app: wep}}",
            [
                (
                    "3:36 deploy/kubernetes/workload/deployment/web/app: 'wep' is not one of "
                    "`images`\n  hint: perhaps you meant `web`"
                ),
            ],
            id="no-such-image",
        ),
        pytest.param(
            "{deployment/web: {}}",
            [
                (
                    "3:30 deploy/kubernetes/workload/deployment/web: is empty\n  hint: name a "
                    "container, or write the workload without a `:` behind it"
                ),
            ],
            id="no-container",
        ),
        pytest.param(
            "{deployment/web: {app: web}}",
            [
                (
                    "3:13 deploy/kubernetes/workload: gives the image 'api' to no container\n"
                    "  hint: say which gets it: {deployment/web: {CONTAINER: api}}"
                ),
            ],
            id="an-image-that-nothing-gets",
        ),
    ],
)
def test_which_of_several_images_a_container_gets_is_never_guessed(
    workload: str, messages: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        cluster_of(workload, tmp_path)
    assert [one.removeprefix("gen-workflow.yml:") for one in caught.value.problems] == messages


@pytest.mark.parametrize(
    ("images", "workload", "message"),
    [
        ("images: {api: .}", "{ds/a: b}", ""),
        ("images: {api: .}", "{ds/a: {b: api}}", ""),
        (
            "image: .",
            "{ds/a: {b: api}}",
            (
                "deploy/kubernetes/workload/ds/a/b: names the image 'api', but the spec has one "
                "`image`\n  hint: write the containers alone, such as {deployment/web: app}"
            ),
        ),
    ],
)
def test_the_only_image_needs_no_name_behind_a_container(
    images: str, workload: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").touch()
    text = f"{images}\ndeploy: {{kubernetes: {{workload: {workload}}}}}\n".encode()
    if not message:
        assert load(text, "gen-workflow.yml", str(tmp_path)).deploy
        return
    with pytest.raises(SpecError) as caught:
        load(text, "gen-workflow.yml", str(tmp_path))
    (only,) = caught.value.problems
    assert only.partition(" ")[2] == message


def test_manifests_may_have_what_no_container_is_named_for(tmp_path: Path) -> None:
    assert cluster_of("{deployment/web: {app: web}}", tmp_path, ", apply: k8s")
