"""The registry of the images, as a spec says it: who logs in, what the images are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = 'aws: {role: "arn:aws:iam::123456789012:role/deploy"}'
AZURE = "azure: {client: '${{ vars.A }}', tenant: '${{ vars.B }}', subscription: '${{ vars.C }}'}"
REPOSITORY = "${{ github.event.repository.name }}"
HUB = ("${{ vars.DOCKERHUB_USERNAME }}", "${{ secrets.DOCKERHUB_TOKEN }}")
OTHER = ("${{ vars.REGISTRY_USERNAME }}", "${{ secrets.REGISTRY_TOKEN }}")


def jobs(repository: Repository, spec: str) -> dict[str, Any]:
    (repository.folder / "backend").mkdir(exist_ok=True)
    (repository.folder / "backend" / "Dockerfile").touch()
    repository.spec.write_text(spec)
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    found: dict[str, Any] = YAML(typ="safe").load(text)["jobs"]
    return found


def given(repository: Repository, spec: str, job: str = "build") -> dict[str, str]:
    """Return the inputs of the last step of a job."""
    found: dict[str, str] = jobs(repository, spec)[job]["steps"][-1].get("with", {})
    return found


@pytest.mark.parametrize(
    ("registry", "user", "password"),
    [
        ("docker.io/acme", *HUB),
        ("quay.io/acme", *OTHER),
        ("registry.example.com:5000/team", *OTHER),
        ("ghcr.io/acme", None, None),
        ("{host: docker.io/acme, user: robot}", "robot", HUB[1]),
        ("{host: quay.io/acme, password: '${{ secrets.A }}'}", OTHER[0], "${{ secrets.A }}"),
        ("{host: ghcr.io/acme, password: '${{ secrets.A }}'}", None, "${{ secrets.A }}"),
        (f"{{host: {ECR}, login: {{{ROLE}}}}}", "AWS", "${{ steps.registry.outputs.token }}"),
    ],
)
def test_who_logs_in_follows_from_the_host(
    registry: str, user: str | None, password: str | None, repository: Repository
) -> None:
    spec = f"image: .\nregistry: {registry}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    build, deploy = given(repository, spec), given(repository, spec, "deploy")
    assert (build.get("username"), build.get("password")) == (user, password)
    found = (deploy.get("registry-username"), deploy.get("registry-password"))
    assert found == (user, password)


@pytest.mark.parametrize(
    ("images", "registry", "names"),
    [
        ("image: .", "ghcr.io", {"build": None}),
        ("image: .", "ghcr.io/acme", {"build": f"ghcr.io/acme/{REPOSITORY}"}),
        ("image: .", "docker.io/acme", {"build": f"docker.io/acme/{REPOSITORY}"}),
        ("image: {name: docker.io/acme/x}", "docker.io/acme", {"build": "docker.io/acme/x"}),
        ("images: {a: backend}", "ghcr.io", {"build-a": None}),
        ("images: {a: backend}", "quay.io/acme", {"build-a": f"quay.io/acme/{REPOSITORY}/a"}),
        ("images: {a: backend}", "docker.io/acme", {"build-a": f"docker.io/acme/{REPOSITORY}-a"}),
    ],
)
def test_the_name_of_an_image_begins_with_the_registry(
    images: str, registry: str, names: dict[str, str | None], repository: Repository
) -> None:
    for job, name in names.items():
        step = given(repository, f"{images}\nregistry: {registry}\n", job)
        assert step.get("image") == name
        assert ("images" in step) == (name is None and job != "build")


@pytest.mark.parametrize(
    ("registry", "build", "deploy"),
    [
        ("ghcr.io", {"packages": "write"}, {"packages": "read"}),
        ("{host: ghcr.io, password: '${{ secrets.A }}'}", {}, {}),
        ("docker.io/acme", {}, {}),
        (f"{{host: {ECR}, login: {{{ROLE}}}}}", {"id-token": "write"}, {"id-token": "write"}),
    ],
)
def test_a_token_may_do_what_the_registry_needs(
    registry: str, build: dict[str, str], deploy: dict[str, str], repository: Repository
) -> None:
    spec = f"image: .\nregistry: {registry}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    found = jobs(repository, spec)
    assert found["build"]["permissions"] == {"contents": "read"} | build
    assert found["deploy"]["permissions"] == deploy
    assert "write" not in found["check"]["permissions"].values()


def pull_secret(repository: Repository, registry: str, secret: str) -> dict[str, str]:
    kubernetes = f"{{workload: ds/a, pull-secret: {secret}}}"
    spec = f"image: .\nregistry: {registry}\ndeploy: {{kubernetes: {kubernetes}}}\n"
    return given(repository, spec, "deploy")


@pytest.mark.parametrize(
    ("registry", "secret", "user", "password"),
    [
        ("ghcr.io", "ghcr", None, "${{ secrets.GHCR_TOKEN }}"),
        ("docker.io/acme", "hub", *HUB),
        ("docker.io/acme", "{name: hub}", *HUB),
        ("docker.io/acme", "{name: hub, user: me}", "me", HUB[1]),
        ("docker.io/acme", "{name: hub, password: '${{ secrets.A }}'}", HUB[0], "${{ secrets.A }}"),
        (
            f"{{host: {ECR}, login: {{{ROLE}}}}}",
            "{name: ecr, user: me, password: '${{ secrets.A }}'}",
            "me",
            "${{ secrets.A }}",
        ),
    ],
)
def test_a_pull_secret_has_what_logs_in_to_the_registry(
    registry: str, secret: str, user: str | None, password: str, repository: Repository
) -> None:
    found = pull_secret(repository, registry, secret)
    assert (found.get("registry-username"), found["registry-password"]) == (user, password)


def test_a_check_of_a_pull_request_does_not_log_in_to_a_cloud(repository: Repository) -> None:
    spec = f"image: .\nregistry: {{host: {ECR}, login: {{{ROLE}}}}}\n"
    steps = jobs(repository, spec)["check"]["steps"]
    conditions = {step["name"]: step.get("if") for step in steps}
    assert conditions == {
        "Check out the repository": None,
        "Log in to AWS": "github.event_name != 'pull_request'",
        "Get a password for the registry": "github.event_name != 'pull_request'",
        "Build the image": None,
    }


WRONG = {
    "image: .\nregistry: dockerhub\n": "2:11 registry: 'dockerhub' is not the host of a registry\n"
    "  hint: write docker.io/acme",
    "image: .\nregistry: https://quay.io/acme/\n": "2:11 registry: 'https://quay.io/acme/' is not "
    "the host of a registry\n  hint: write quay.io/acme",
    "image: .\nregistry: acme\n": "2:11 registry: 'acme' is not the host of a registry\n"
    "  hint: write for example docker.io/acme or registry.example.com/team",
    f"image: .\nregistry: quay.io/{'a' * 256}\n": "2:11 registry: has 256 characters behind the "
    "host, and a registry takes 255\n  hint: write a shorter name",
    f"image: {{name: ghcr.io/a/{'b' * 254}}}\n": "1:15 image/name: has 256 characters behind the "
    "host, and a registry takes 255\n  hint: write a shorter name",
    "image: .\nregistry: docker.io\n": "2:11 registry: 'docker.io': a name on Docker Hub is "
    "docker.io, an owner and a name\n  hint: write for example docker.io/acme",
    "image: .\nregistry: {user: a}\n": "2:11 registry: `host` is missing\n"
    "  hint: say where it is: host: docker.io/acme",
    "image: .\nregistry: {host: quay.io/a, password: x}\n": "2:39 registry/password: the password "
    "must come from a secret\n  hint: write for example password: ${{ secrets.REGISTRY_TOKEN }}",
    "image: .\nregistry: {host: quay.io/a, user: '${{ secrets.A }}'}\n": "2:35 registry/user: "
    "should not be a secret: GitHub drops an output of a job that holds a secret, and the name of "
    "the image may hold the user\n  hint: make it a variable: ${{ vars.REGISTRY_USERNAME }}",
    f"image: .\nregistry: {ECR}\n": "2:11 registry: has passwords that live for twelve hours, so "
    f"no secret can hold one\n  hint: let the job log in: {{host: {ECR}, login: {{{ROLE}}}}}",
    f"image: .\nregistry: {{host: quay.io/a, login: {{{ROLE}}}}}\n": "2:42 registry/login/aws: "
    f"'quay.io' is not a registry of this cloud, such as {ECR}\n"
    "  hint: correct `host`, or log in with `user` and `password`",
    f"image: .\nregistry: {{host: {ECR}, login: {{{ROLE}}}, user: a}}\n": "2:136 registry/user: "
    "cannot be beside `login`, which makes a password\n  hint: remove one of them",
    f"image: .\nregistry: {{host: a.azurecr.io, login: {{{AZURE}, {ROLE}}}}}\n": "2:47 "
    "registry/login/azure: cannot be beside `aws`: a job logs in to one cloud\n"
    "  hint: keep one of them",
    "image: {name: docker.io/acme/x}\n": "1:15 image/name: 'docker.io/acme/x' is not in ghcr.io, "
    "where the jobs log in\n  hint: write registry: docker.io/acme, or change the name",
    "images: {a: {name: ghcr.io/a/b}}\nregistry: quay.io/a\n": "1:20 images/a/name: 'ghcr.io/a/b' "
    "is not in quay.io, where the jobs log in\n  hint: write registry: ghcr.io, or change the name",
    "image: .\nmode: central\nregistry: quay.io/a\n": "3:11 registry: cannot be in a central "
    "workflow, which builds and tests for other repositories\n"
    "  hint: remove it here, and write it into the specs of those",
    "image: {secrets: [A]}\nmode: central\n": "1:18 image/secrets: cannot be in a central "
    "workflow, which builds and tests for other repositories\n"
    "  hint: remove it here, and write it into the specs of those",
    f"image: .\nregistry: {{host: {ECR}, login: {{{ROLE}}}}}\n"
    "deploy: {kubernetes: {workload: ds/a, pull-secret: a}}\n": "3:52 "
    "deploy/kubernetes/pull-secret: would be dead after some hours: a login to a cloud makes no "
    "lasting password\n  hint: remove it, and let the nodes pull by the identity that the cloud "
    "gives them; or write a `user` and a `password` that last",
}


@pytest.mark.parametrize(("spec", "problem"), WRONG.items(), ids=WRONG)
def test_a_wrong_registry_is_refused_with_what_to_write(
    spec: str, problem: str, repository: Repository
) -> None:
    repository.spec.write_text(spec)
    with pytest.raises(SpecError) as caught:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    found = [text.partition("gen-workflow.yml:")[2] for text in caught.value.problems]
    assert problem in found
