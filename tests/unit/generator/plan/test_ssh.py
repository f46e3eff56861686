"""The job that deploys to hosts: what follows from the spec, beside the golden files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.commands.project import Project

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

COMPOSE = "services: {api: {image: acme/shop-api}, web: {image: acme/shop-web}}\n"
BOTH = "images: {api: ., web-site: .}\n"


def jobs(repository: Repository, text: str, file: str = "ci-cd.yml") -> dict[str, Any]:
    (repository.folder / "compose.yml").write_text(COMPOSE)
    (repository.folder / "app.env").touch()
    repository.spec.write_text(text)
    files = Project(str(repository.folder), "gen-workflow.yml").rendered().files
    named = {Path(each.path).name: each.text for each in files}
    found: dict[str, Any] = YAML(typ="safe").load(named[file])["jobs"]
    return found


def deploy(repository: Repository, text: str, file: str = "ci-cd.yml") -> dict[str, Any]:
    """Return the inputs of our action in the only job that deploys."""
    named = jobs(repository, text, file)
    (job,) = (job for name, job in named.items() if name.startswith(("deploy", "rollback")))
    step = next(step for step in job["steps"] if "/ssh-deploy@" in step.get("uses", ""))
    return {"env of the step": step.get("env", {}), **step["with"]}


@pytest.mark.parametrize(
    ("what", "permissions", "steps"),
    [
        ("run: {}", {"packages": "read"}, 1),
        ("run: {}, env-file: app.env", {"contents": "read", "packages": "read"}, 2),
        ("compose: compose.yml", {"contents": "read", "packages": "read"}, 2),
        ("script: a", {}, 1),
        ("script: a, env-file: app.env", {"contents": "read"}, 2),
        ("run: {}, health: https://a.example", {"packages": "read"}, 3),
        ("script: a, health: https://a.example", {}, 2),
    ],
)
def test_the_job_has_the_steps_and_permissions_that_the_deploy_needs(
    what: str, permissions: dict[str, str], steps: int, repository: Repository
) -> None:
    job = jobs(repository, f"image: .\ndeploy: {{ssh: vps, {what}}}\n")["deploy"]
    assert (job["permissions"], len(job["steps"])) == (permissions, steps)


def test_a_project_has_the_name_of_the_spec_alone(repository: Repository) -> None:
    """The name of a repository may be none that a project can have."""
    where = "deploy: {ssh: vps, compose: compose.yml}\n"
    assert "name" not in deploy(repository, f"image: .\n{where}")
    assert deploy(repository, f"image: .\nname: shop\n{where}")["name"] == "shop"
    several = "deploy: {compose: compose.yml}\nenvironments: {Test 1.5: {ssh: vps}}\n"
    found = deploy(repository, f"image: .\nname: shop\n{several}")
    assert (found["name"], found["environment"]) == ("shop-test-1-5", "Test 1.5")


def test_one_of_several_images_names_the_container(repository: Repository) -> None:
    found = deploy(repository, f"{BOTH}deploy: {{ssh: vps, run: {{image: web-site}}}}\n")
    assert found["image"] == "${{ needs.build-web-site.outputs.image }}"
    assert found["name"] == "${{ github.event.repository.name }}-web-site"


def test_commands_find_each_image_in_a_variable(repository: Repository) -> None:
    found = deploy(repository, f"{BOTH}deploy: {{ssh: vps, script: a, env: [B]}}\n")
    assert found["env"].split() == ["B", "IMAGE_API", "IMAGE_WEB_SITE"]
    assert found["env of the step"] == {
        "B": "${{ secrets.B }}",
        "IMAGE_API": "${{ needs.build-api.outputs.image }}",
        "IMAGE_WEB_SITE": "${{ needs.build-web-site.outputs.image }}",
    }


def test_a_rollback_brings_nothing_of_the_new_version(repository: Repository) -> None:
    more = "env: [A], env-file: app.env, before: {web: a}, after: {web: b}, services: [web]"
    text = f"image: .\ndeploy: {{ssh: vps, compose: compose.yml, files: app.env, {more}}}\n"
    found = deploy(repository, text, "rollback.yml")
    assert found["compose"] == "compose.yml"
    gone = {"image", "images", "files", "env", "env-file", "before", "after"}
    assert not gone & {*found}
    assert found["env of the step"] == {}


def test_a_rollback_of_a_container_gives_it_the_environment(repository: Repository) -> None:
    """The host keeps the image of a release, and not how its container was made."""
    text = "image: .\ndeploy: {ssh: vps, run: {env: [A]}, env-file: app.env, before: a}\n"
    found = deploy(repository, text, "rollback.yml")
    assert (found["env"], found["env-file"]) == ("A\n", "app.env\n")
    assert found["env of the step"] == {"A": "${{ secrets.A }}"}
    assert not {"image", "before"} & {*found}
    steps = jobs(repository, text, "rollback.yml")["rollback"]["steps"]
    assert steps[0]["uses"].startswith("actions/checkout@")


def test_commands_alone_leave_no_release_to_put_back(repository: Repository) -> None:
    repository.spec.write_text("deploy: {ssh: vps, script: a}\n")
    (only,) = Project(str(repository.folder), "gen-workflow.yml").rendered().files
    assert only.path.endswith("/ci-cd.yml")


def test_the_hosts_roll_back_when_the_address_does_not_answer_after_a_change(
    repository: Repository,
) -> None:
    text = "image: .\ndeploy: {ssh: vps, run: {}, health: https://a.example}\n"
    first, asks, back = jobs(repository, text)["deploy"]["steps"]
    assert (first["id"], asks["id"]) == ("deploy", "ask")
    assert back["if"] == (
        "failure() && steps.ask.outcome == 'failure' && "
        "steps.deploy.outputs.previous-image != steps.deploy.outputs.image"
    )
    assert back["with"]["rollback"] == "previous"


def test_an_option_with_blanks_is_one_word(repository: Repository) -> None:
    options = "[--init, '--health-cmd=a \"b\"']"
    text = f"image: .\ndeploy: {{ssh: vps, run: {{user: app, options: {options}}}}}\n"
    found = deploy(repository, text)
    assert found["options"] == "--user=app\n--init\n'--health-cmd=a \"b\"'\n"
