"""The job that deploys into a cluster: what follows from the spec, beside the golden files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

LOGIN = (
    "login: {google: {provider: '${{ vars.A }}', service-account: '${{ vars.B }}', "
    "location: europe-west3, cluster: shop}}"
)


def rendered(repository: Repository, kubernetes: str) -> str:
    (repository.folder / "k8s").mkdir(exist_ok=True)
    (repository.folder / "k8s" / "web.yaml").touch()
    repository.spec.write_text(f"image: .\ndeploy:\n  kubernetes: {kubernetes}\n")
    return Project(str(repository.folder), "gen-workflow.yml").rendered().text


def step(repository: Repository, kubernetes: str) -> dict[str, dict[str, str]]:
    found = YAML(typ="safe").load(rendered(repository, kubernetes))
    last: dict[str, dict[str, str]] = found["jobs"]["deploy"]["steps"][-1]
    return last


@pytest.mark.parametrize(
    ("kubernetes", "permissions"),
    [
        ("ds/a", {}),
        ("{apply: k8s}", {"contents": "read"}),
        ("{workload: ds/a, pull-secret: a}", {"packages": "read"}),
        (f"{{workload: ds/a, {LOGIN}}}", {"id-token": "write"}),
    ],
)
def test_the_token_of_the_job_may_do_what_the_spec_needs(
    kubernetes: str, permissions: dict[str, str], repository: Repository
) -> None:
    found = YAML(typ="safe").load(rendered(repository, kubernetes))
    assert found["jobs"]["deploy"]["permissions"] == permissions


def test_the_image_is_given_once_where_every_workload_names_its_containers(
    repository: Repository,
) -> None:
    image = "${{ needs.build.outputs.image }}"
    named = step(repository, "{workload: {ds/a: [b, c], sts/d: e}, apply: k8s}")["with"]
    assert named["workload"] == f"ds/a b={image} c={image}\nsts/d e={image}\n"
    assert "image" not in named
    assert step(repository, "{workload: [ds/a, sts/d: e]}")["with"]["image"] == image
    assert step(repository, "{apply: k8s}")["with"]["image"] == image


API, WEB = (f"${{{{ needs.build-{name}.outputs.image }}}}" for name in ("api", "web"))


@pytest.mark.parametrize(
    ("kubernetes", "workload", "image"),
    [
        pytest.param(
            "{workload: {ds/web: {web: web}, ds/api: {api: api, '*': web}}}",
            f"ds/web web={WEB}\nds/api api={API} *={WEB}\n",
            None,
            id="every-image-at-its-container",
        ),
        pytest.param(
            "{workload: {ds/web: {app: web}}, apply: k8s}",
            f"ds/web app={WEB}\n",
            API,
            id="the-other-one-for-the-manifests",
        ),
        pytest.param(
            "{workload: [ds/api, {ds/web: {app: web}}]}",
            f"ds/api\nds/web app={WEB}\n",
            f"{API}\n{WEB}\n",
            id="a-workload-without-containers",
        ),
        pytest.param(
            "{workload: [ds/api, ds/web]}",
            "ds/api\nds/web\n",
            f"{API}\n{WEB}\n",
            id="no-containers",
        ),
        pytest.param("{apply: k8s}", None, f"{API}\n{WEB}\n", id="manifests-alone"),
    ],
)
def test_each_workload_gets_the_image_that_is_named_for_it(
    kubernetes: str, workload: str | None, image: str | None, repository: Repository
) -> None:
    for name in ("api", "web", "k8s"):
        (repository.folder / name).mkdir()
        (repository.folder / name / "Dockerfile").touch()
    (repository.folder / "k8s" / "web.yaml").touch()
    repository.spec.write_text(
        f"images: {{api: api, web: web}}\ndeploy:\n  kubernetes: {kubernetes}\n"
    )
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    given = YAML(typ="safe").load(text)["jobs"]["deploy"]["steps"][-1]["with"]
    assert (given.get("workload"), given.get("image")) == (workload, image)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "KUBECONFIG",
        "JOB_TOKEN",
        "AWS_REGION",
        "https_proxy",
        "BASH_ENV",
        "a.b",
        "1",
    ],
)
def test_a_key_that_would_change_the_step_has_another_variable_there(
    name: str, repository: Repository
) -> None:
    found = step(repository, f"{{workload: ds/a, secret: {{s: {{'{name}': x}}}}}}")
    variable = f"SECRET_S_{name.upper().replace('.', '_')}"
    assert found["env"] == {variable: "x"}
    assert found["with"]["secret"].rstrip().endswith(f": {variable}}}")


def test_two_values_never_share_a_variable_of_the_step(repository: Repository) -> None:
    secrets = "{s: {A: x, a: y, b.c: z, b-c: w}, t: {A: x}, u: {A: other, a: y}}"
    found = step(repository, f"{{workload: ds/a, secret: {secrets}}}")
    assert found["with"]["secret"] == (
        "s: {A: A, a: SECRET_S_A, b.c: SECRET_S_B_C, b-c: SECRET_S_B_C_2}\n"
        "t: [A]\n"
        "u: {A: SECRET_U_A, a: SECRET_U_A_2}\n"
    )
    assert found["env"] == {
        "A": "x",
        "SECRET_S_A": "y",
        "SECRET_S_B_C": "z",
        "SECRET_S_B_C_2": "w",
        "SECRET_U_A": "other",
        "SECRET_U_A_2": "y",
    }


def test_a_value_that_linux_would_not_take_is_told_at_the_secrets(repository: Repository) -> None:
    long = "x" * 131_070
    with pytest.raises(SpecError) as caught:
        rendered(repository, f"\n    workload: ds/a\n    secret:\n      s:\n        A: {long}")
    (only,) = caught.value.problems
    assert only.startswith("gen-workflow.yml:6:7 deploy/kubernetes/secret: is 131,072 bytes in one")


def test_the_workflow_knows_the_manifests_that_have_to_be_there(repository: Repository) -> None:
    assert " paths=./,Dockerfile,k8s/\n" in rendered(repository, "{apply: k8s}")


def test_the_header_marks_the_token_of_a_pull_secret_as_optional(repository: Repository) -> None:
    text = rendered(repository, "{workload: ds/a, namespace: '${{ vars.N }}', pull-secret: ghcr}")
    assert "#   variable  N: namespace of the workloads\n" in text
    assert "#   secret    KUBE_CONFIG: kubeconfig of the cluster, as its text" in text
    assert "#   secret    GHCR_TOKEN (optional): token that may read packages, for the pull" in text
    login = rendered(repository, f"{{workload: ds/a, {LOGIN}}}")
    assert "KUBE_CONFIG" not in login
    assert "#   variable  B: service account of the login to the cloud\n" in login
