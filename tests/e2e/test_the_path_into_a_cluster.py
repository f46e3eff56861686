"""The whole path into a cluster: spec, pull request, workflow, image, pods; nothing is played.

As in test_the_path.py, up to the image. It is then deployed to a real cluster, whose node pulls it
from that registry with the pull secret, and the pods answer.
"""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bed.action_file import ROOT
from bed.http import body
from bed.waiting import wait_until
from project import GREETING, SLUG, TOKEN, Project, project_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed
    from bed.kube.cluster import Cluster

pytestmark = pytest.mark.needs("packages", "engine", "npm", "engine-forky", "kubebed")

EXAMPLE = ROOT / "examples/kubernetes"
TWO_IMAGES = ROOT / "tests/cases/story-kubernetes"
ROLE = EXAMPLE / "role.yaml"
READER = "ghp_token_that_reads_packages_0123456789"


class Shop(NamedTuple):
    """The namespace of the app, with what a person looks up in it."""

    cluster: Cluster
    namespace: str

    def kubectl(self, *argv: str) -> str:
        return self.cluster.kubectl("-n", self.namespace, *argv)

    def get(self, *what: str) -> Any:
        return json.loads(self.kubectl("get", *what, "-o", "json"))

    def secret(self, name: str) -> dict[str, str]:
        data: dict[str, str] = self.get("secret", name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def image(self, name: str = "web") -> str:
        """Return the image of a Deployment."""
        (container,) = self.get("deployment", name)["spec"]["template"]["spec"]["containers"]
        return str(container["image"])

    def answers(self, path: str) -> list[str]:
        """Return what each pod answers that gets requests of the Service."""
        slices = self.get("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
        ports = {port["port"] for each in slices for port in each["ports"] or ()}
        return [
            body(f"http://{endpoint['addresses'][0]}:{port}{path}")
            for port in ports
            for each in slices
            for endpoint in each["endpoints"] or ()
            if endpoint["conditions"]["ready"]
        ]

    def await_answers(self, answer: str, path: str = "/version") -> None:
        """Wait until both pods give an answer, and no other pod gets requests.

        Who sends the requests of a Service learns a moment later which pods are ready.
        """
        wait_until(
            lambda: self.answers(path) == [answer] * 2,
            f"two pods answer {answer!r}",
            seen=lambda: str(self.answers(path)),
        )


@pytest.fixture(scope="module")
def shop(kube_beside_the_bed: Cluster) -> Iterator[Shop]:
    """A namespace that takes only pods under the strictest of the standards of Kubernetes."""
    strict = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    with kube_beside_the_bed.namespace() as namespace:
        kube_beside_the_bed.api("PATCH", f"/api/v1/namespaces/{namespace}", strict)
        yield Shop(kube_beside_the_bed, namespace)


@pytest.fixture(scope="module")
def project(bed: Bed, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The repository, whose workflow may do in the cluster what the role of the example says."""
    with project_of(EXAMPLE, bed, tmp_path_factory.mktemp("kube-path")) as made:
        made.install(shop.cluster.programs.kubectl)
        made.secrets["KUBE_CONFIG"] = login_to(shop)
        made.secrets["GHCR_TOKEN"] = READER
        bed.registry.allow(READER, f"{SLUG}:pull")
        yield made


def login_to(shop: Shop) -> str:
    """Return the kubeconfig of the account that the example makes in a namespace."""
    shop.kubectl("apply", "-f", str(ROLE))
    token = shop.cluster.account_token(shop.namespace, "deploy")
    return shop.cluster.kubeconfig_for(token, shop.namespace)


def built(bed: Bed) -> str:
    """Return the image that was built for the branch main, by its digest."""
    return f"ghcr.io/{SLUG}@{bed.registry.digest(SLUG, 'main')}"


def login(project: Project) -> str:
    """Return the token in the kubeconfig."""
    (user,) = json.loads(project.secrets["KUBE_CONFIG"])["users"]
    return str(user["user"]["token"])


def files_with(text: str, bed: Bed) -> list[str]:
    """Return the names of the files on the runner that hold a text."""
    return [PurePath(each).name for each in bed.runner.files_with(text, "/root", "/home", "/tmp")]


def test_from_a_spec_to_pods_that_answer_and_back_from_a_bad_version(
    bed: Bed, shop: Shop, project: Project
) -> None:
    """One story, because each part stands on the one before."""
    project.commit_the_workflow()

    # Version 1: there is nothing in the namespace yet.
    first = project.push("1")
    assert first.code == 0, first.log
    assert "deployment/web: updated" in first.summary
    assert shop.image() == built(bed)
    shop.await_answers("1")
    shop.await_answers(f"{GREETING} from version 1", "/")
    assert shop.secret("app-env") == {"GREETING": GREETING}

    # Version 2 replaces it.
    project.change_the_spec("ghcr", "ghcr\n    stability: 3")
    second = project.push("2")
    assert second.code == 0, second.log
    good = shop.image()
    assert good == built(bed)
    shop.await_answers("2")

    # Version 3 is bad: version 2 serves, the step is red, and the summary says why. This takes
    # seconds here and not ten minutes.
    project.change_the_spec("stability: 3", "stability: 3\n    progress-timeout: 10")
    third = project.push("3", healthy=False)
    assert third.code != 0
    assert shop.image() == good
    shop.await_answers("2")
    assert "deployment/web: rolled-back" in third.summary
    assert "Readiness probe failed: HTTP probe failed with statuscode: 404" in third.summary
    assert "deployment/web: runs what ran before, and is healthy" in third.summary
    assert "version 3 listens on port 8080" in third.summary, "the last words of the bad version"
    for outcome in (first, second, third):
        assert "dead when the job has ended" not in outcome.log, "the pull secret lasts"

    # Version 4 is good again. There is no token for the pull secret any more.
    project.change_the_spec("\n    progress-timeout: 10", "")
    del project.secrets["GHCR_TOKEN"]
    fourth = project.push("4")
    assert fourth.code == 0, fourth.log
    assert shop.image() == built(bed)
    shop.await_answers("4")
    assert "The pull secret ghcr is made from a token that is dead" in fourth.summary

    # No secret is in any log, and no login stays on the runner.
    for log in (first.log, second.log, third.log, fourth.log):
        assert shop.cluster.server in log, "it is the log of a deploy"
        for secret in (TOKEN, READER, f"octocat:{READER}", GREETING, login(project)):
            assert secret not in log
            assert base64.b64encode(secret.encode()).decode() not in log
    assert files_with(login(project), bed) == ["secrets"], "what GitHub holds"


@pytest.mark.test_all
def test_two_images_go_into_the_namespace_of_their_environment(
    bed: Bed, kube_beside_the_bed: Cluster, tmp_path: Path
) -> None:
    """On GitHub each environment holds a kubeconfig of its own; act gets the one that is meant.

    The account of a kubeconfig has rights in its own namespace alone.
    """
    with contextlib.ExitStack() as stack:
        staging, production = (
            Shop(kube_beside_the_bed, stack.enter_context(kube_beside_the_bed.namespace()))
            for _ in range(2)
        )
        project = stack.enter_context(project_of(TWO_IMAGES, bed, tmp_path))
        project.install(kube_beside_the_bed.programs.kubectl)
        project.secrets |= {"DB_URL": GREETING, "GHCR_TOKEN": READER}
        bed.registry.allow(READER, f"{SLUG}/*:pull")
        for name, shop in (("STAGING", staging), ("PRODUCTION", production)):
            project.variables[f"{name}_NAMESPACE"] = shop.namespace
        project.generate()

        project.secrets["KUBE_CONFIG"] = login_to(staging)
        first = project.push("1", "backend", "frontend", branch="staging")
        assert first.code == 0, first.log
        backend, frontend = images_of(bed, "staging")
        assert (staging.image("backend"), staging.image("frontend")) == (backend, frontend)
        assert staging.secret("app-env") == {"DB_URL": GREETING}
        assert production.get("deployments")["items"] == []

        project.secrets["KUBE_CONFIG"] = login_to(production)
        second = project.push("2", "frontend")
        assert second.code == 0, second.log
        assert "backend is unchanged" in second.log
        assert images_of(bed, "main")[0] == backend
        assert production.image("backend") == backend
        assert production.image("frontend") == images_of(bed, "main")[1]
        assert staging.image("frontend") == frontend


def images_of(bed: Bed, tag: str) -> list[str]:
    """Return the two images of the story that a tag stands for, by digest."""
    names = [f"{SLUG}/{name}" for name in ("backend", "frontend")]
    return [f"ghcr.io/{name}@{bed.registry.digest(name, tag)}" for name in names]
