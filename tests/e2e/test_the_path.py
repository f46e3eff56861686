"""The whole path: spec, pull request, workflow, image, host; nothing of it is played.

`gen-workflow commit` opens a pull request at a GitHub-shaped server over real git; it is merged;
what a clone of that repository holds is executed by act: the image is built by a real engine,
pushed to a registry that answers as ghcr.io, and deployed over SSH to a host, where it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.action_file import ROOT
from bed.deploys import clean
from bed.http import body
from project import GREETING, SLUG, TOKEN, Project, project_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed

pytestmark = pytest.mark.needs("packages", "engine", "npm")

EXAMPLE = ROOT / "examples/ssh-run"


@pytest.fixture(scope="module")
def project(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    host = bed.host
    with project_of(EXAMPLE, bed, tmp_path_factory.mktemp("path")) as made:
        made.logs_in_to("VPS", host)
        yield made
        clean(host)


def wait_less(project: Project) -> None:
    """Let a sick version be found out within seconds instead of the whole minute."""
    project.change_the_spec("health: /health", "health: {path: /health, timeout: 6}")


def write_to_a_volume(project: Project) -> None:
    """Change the spec so that no candidate runs: both containers would write to the volume."""
    project.change_the_spec("[GREETING]", '[GREETING], volumes: ["state:/s"]')


def logins(bed: Bed) -> list[str]:
    """Return the configurations of Docker's client that are on the runner and the host."""
    show = ("sh", "-c", "cat /root/.docker/config.json /home/*/.docker/config.json")
    return [machine.run(*show, check=False).stdout for machine in (bed.runner, bed.host)]


def answer(bed: Bed, path: str = "/version") -> str:
    return body(f"http://{bed.host.ip}:8080{path}")


def test_from_five_lines_to_a_running_healthy_container(bed: Bed, project: Project) -> None:
    """One story, because each part stands on the one before."""
    before = logins(bed)
    spec = (project.folder / "gen-workflow.yml").read_text()
    assert len([line for line in spec.splitlines() if line and not line.startswith("#")]) <= 5

    project.commit_the_workflow()
    assert project.gen_workflow("check").returncode == 0
    again = project.gen_workflow("commit", "--repo", SLUG)
    assert again.returncode == 0
    assert len(project.github.repository(SLUG).pulls) == 1

    # Version 1.
    first = project.push("1")
    assert first.code == 0, first.log
    assert answer(bed) == "1"
    assert answer(bed, "/cgi-bin/index.cgi") == f"{GREETING} from version 1"
    digest = bed.registry.digest(SLUG, "main")
    image = bed.host.docker("inspect", "--format", "{{.Config.Image}}", "shop").stdout.strip()
    assert image == f"ghcr.io/{SLUG}@{digest}", "deployed by the digest that was pushed"

    # Version 2 replaces it.
    second = project.push("2")
    assert second.code == 0, second.log
    assert answer(bed) == "2"

    # Version 3 is broken: version 2 serves, the step is red, and the summary says why.
    wait_less(project)
    third = project.push("3", healthy=False)
    assert third.code != 0
    assert answer(bed) == "2"
    assert "the new version is not healthy: GET /health gave status 404" in third.summary
    assert "the service was not touched" in third.summary, "the candidate was found out"
    assert "version 3 listens on port 8080" in third.summary, "the dead container's last words"

    # Version 4 is broken too, and has no candidate: version 2 is brought back.
    write_to_a_volume(project)
    fourth = project.push("4", healthy=False)
    assert fourth.code != 0
    assert answer(bed) == "2"
    assert "the previous version serves again" in fourth.summary, fourth.log
    assert "both would write to state:/s" in fourth.summary
    assert "version 4 listens on port 8080" in fourth.summary

    # No login is left on either machine, and no secret in any log.
    assert logins(bed) == before
    for log in (first.log, second.log, third.log, fourth.log):
        assert bed.host.name in log or bed.host.ip in log, "it is the log of a deploy"
        for secret in (TOKEN, GREETING, bed.host.private_key.splitlines()[2]):
            assert secret not in log


def test_a_host_that_shows_another_key_gets_nothing(bed: Bed, project: Project) -> None:
    before = bed.host.docker("ps", "-a", "--format", "{{.ID}} {{.Names}}").stdout
    wrong = (bed.authority.parent / "deploy.pub").read_text().strip()
    project.variables["VPS_KNOWN_HOSTS"] = f"{bed.host.name} {wrong}"
    outcome = project.push("5")
    assert outcome.code != 0
    assert "shows another host key: seen ED25519" in outcome.summary
    assert bed.host.docker("ps", "-a", "--format", "{{.ID}} {{.Names}}").stdout == before
