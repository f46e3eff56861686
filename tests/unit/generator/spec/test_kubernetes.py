"""What a spec says of a cluster, and every way to get that wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.clouds import Aws
from gen_workflow.spec.deploy import KubernetesDeploy
from gen_workflow.spec.kubernetes import Kubernetes, PullSecret
from gen_workflow.spec.load import load
from gen_workflow.spec.variables import AppSecret, Variable
from gen_workflow.spec.workloads import Container, Workload

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "gen-workflow.yml"
ARN = "arn:aws:iam::123456789012:role/deploy"
AWS = f'{{aws: {{role: "{ARN}", region: eu-central-1, cluster: shop}}}}'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").touch()
    (tmp_path / "k8s" / "base").mkdir(parents=True)
    (tmp_path / "k8s" / "web.yml").touch()
    (tmp_path / "k8s" / "base" / "web.yaml").touch()
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "empty" / "below" / "web.yaml").touch()
    return tmp_path


def spec(kubernetes: str) -> str:
    """A spec whose line 3 is `  kubernetes: …`, so that the value begins in column 15."""
    return f"image: .\ndeploy:\n  kubernetes: {kubernetes}\n"


def cluster(kubernetes: str, repository: Path) -> Kubernetes:
    deploy = load(spec(kubernetes).encode(), SOURCE, str(repository)).deploy
    assert isinstance(deploy, KubernetesDeploy)
    return deploy.kubernetes


def problems(text: str, repository: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load(text.encode(), SOURCE, str(repository))
    return [one.removeprefix(f"{SOURCE}:") for one in caught.value.problems]


def test_a_workload_is_enough(repository: Path) -> None:
    found = cluster("deployment/web", repository)
    assert found.workload == (Workload("deployment/web"),)
    assert found.kubeconfig == "${{ secrets.KUBE_CONFIG }}"
    assert found == cluster("{workload: deployment/web}", repository)


@pytest.mark.parametrize("name", ["Deployment/a", "sts/a-b.c", "ds/0", "cronjobs.batch/a"])
def test_a_kind_has_the_words_that_kubectl_takes(name: str, repository: Path) -> None:
    assert cluster(name, repository).workload == (Workload(name),)


def test_containers_are_named_beside_their_workload(repository: Path) -> None:
    text = "{workload: [deployment/a, {sts/b: b, ds/c: [c, d]}, {cj/e: '*'}]}"
    assert cluster(text, repository).workload == (
        Workload("deployment/a"),
        Workload("sts/b", (Container("b"),)),
        Workload("ds/c", (Container("c"), Container("d"))),
        Workload("cj/e", (Container("*"),)),
    )


def test_a_folder_of_manifests_has_a_slash_at_its_end(repository: Path) -> None:
    assert cluster("{apply: ./k8s}", repository).apply == ("k8s/",)
    both = cluster("{apply: [k8s//base/, k8s/base/web.yaml]}", repository)
    assert both.apply == ("k8s/base/", "k8s/base/web.yaml")


def test_a_pull_secret_names_the_secret_that_it_is_made_from(repository: Path) -> None:
    found = cluster("{workload: ds/a, pull-secret: my-ghcr.read}", repository)
    assert found.pull_secret == PullSecret(
        "my-ghcr.read", password="${{ secrets.MY_GHCR_READ_TOKEN }}", by_name=True
    )
    text = "{workload: ds/a, pull-secret: {name: 1-github, user: a, password: '${{ secrets.P }}'}}"
    own = PullSecret("1-github", "a", "${{ secrets.P }}")
    assert cluster(text, repository).pull_secret == own


def test_secrets_have_keys_that_are_secrets_or_values(repository: Path) -> None:
    text = "{workload: ds/a, secret: {a.b: [X, {tls.crt: '${{ vars.Y }}'}], c: {on: yes, -: x}}}"
    assert cluster(text, repository).secret == (
        AppSecret("a.b", (Variable("X", "${{ secrets.X }}"), Variable("tls.crt", "${{ vars.Y }}"))),
        AppSecret("c", (Variable("on", "yes"), Variable("-", "x"))),
    )


def test_a_value_of_a_login_may_be_an_expression(repository: Path) -> None:
    text = "{workload: ds/a, login: {aws: {role: '${{ secrets.R }}', region: us-gov-west-1, "
    login = cluster(text + "cluster: '${{ vars.C }}'}}}", repository).login
    assert login is not None
    assert login.aws == Aws("${{ secrets.R }}", "us-gov-west-1", "${{ vars.C }}")
    assert login[1:] == (None, None)


def test_false_is_the_default_of_a_flag(repository: Path) -> None:
    text = "{workload: ds/a, restart-on-no-change: true, force-conflicts: false}"
    found = cluster(text, repository)
    assert (found.restart_on_no_change, found.force_conflicts) == ("true", "")


WRONG = [
    pytest.param(
        "{namespace: shop}",
        "3:15 deploy/kubernetes: `workload` is missing\n  hint: name what gets the image: "
        "workload: deployment/web; or the manifests: apply: k8s/",
        id="neither-workload-nor-manifests",
    ),
    pytest.param(
        "[deployment/web]",
        "3:15 deploy/kubernetes: should be a workload or a mapping, but is a list\n"
        "  hint: write for example kubernetes: deployment/web",
        id="a-list",
    ),
    pytest.param(
        "web",
        "3:15 deploy/kubernetes: 'web' does not say its kind\n"
        "  hint: write KIND/NAME: deployment/web",
        id="no-kind",
    ),
    pytest.param(
        "k8s/",
        "3:15 deploy/kubernetes: 'k8s/' is not a workload\n"
        "  hint: manifests are the key `apply`: apply: k8s/",
        id="manifests",
    ),
    pytest.param(
        "dployment/web",
        "3:15 deploy/kubernetes: 'dployment' is not a kind of workload\n"
        "  hint: perhaps you meant `deployment`",
        id="near-kind",
    ),
    pytest.param(
        "service/web",
        "3:15 deploy/kubernetes: 'service' is not a kind of workload\n"
        "  hint: use one of `deployment`, `statefulset`, `daemonset` and `cronjob`",
        id="far-kind",
    ),
    pytest.param(
        "job/migrate",
        "3:15 deploy/kubernetes: 'job/migrate': the template of a Job cannot be changed\n  hint: "
        "name its CronJob, or give the Job a new name in the manifests of `apply`",
        id="job",
    ),
    pytest.param(
        "po/web-0",
        "3:15 deploy/kubernetes: 'po/web-0': a pod is not rolled out\n"
        "  hint: name the workload that owns it",
        id="pod",
    ),
    pytest.param(
        "deployment/Web",
        "3:15 deploy/kubernetes: 'Web' is not a name of a workload\n"
        "  hint: use small letters, digits, - and . with a letter or digit at both ends",
        id="name",
    ),
    pytest.param(
        "${{ vars.WORKLOAD }}",
        "3:15 deploy/kubernetes: an expression is not allowed here\n  hint: write the value itself",
        id="expression-as-workload",
    ),
    pytest.param(
        "{workload: []}",
        "3:26 deploy/kubernetes/workload: is empty\n"
        "  hint: write KIND/NAME, such as deployment/web",
        id="no-workload",
    ),
    pytest.param(
        "{workload: [deploy/a, deployments.apps/a]}",
        "3:37 deploy/kubernetes/workload/1: 'deployments.apps/a' appears twice\n"
        "  hint: keep one of them",
        id="workload-twice",
    ),
    pytest.param(
        "{workload: {ds/a: []}}",
        "3:33 deploy/kubernetes/workload/ds/a: is empty\n"
        "  hint: name a container, or write the workload without a `:` behind it",
        id="no-container",
    ),
    pytest.param(
        "{workload: {ds/a: [b, b]}}",
        "3:37 deploy/kubernetes/workload/ds/a/1: 'b' appears twice\n  hint: keep one of them",
        id="container-twice",
    ),
    pytest.param(
        "{workload: {ds/a: A}}",
        "3:33 deploy/kubernetes/workload/ds/a: 'A' is not a name of a container\n"
        "  hint: use small letters, digits and -, or * for all but init containers",
        id="container",
    ),
    pytest.param(
        "{apply: nowhere}",
        "3:23 deploy/kubernetes/apply: there is no file and no folder {0}/nowhere\n"
        "  hint: name a manifest or a folder with manifests, such as k8s/",
        id="no-manifests",
    ),
    pytest.param(
        "{apply: [empty, .]}",
        "3:24 deploy/kubernetes/apply/0: there is no manifest in the folder {0}/empty\n"
        "  hint: name files that end in .yaml, .yml or .json; those in folders below are not read",
        "3:31 deploy/kubernetes/apply/1: is the whole repository\n"
        "  hint: put the manifests into a folder, such as k8s/",
        id="folders-without-manifests-alone",
    ),
    pytest.param(
        "{apply: ../k8s}",
        "3:23 deploy/kubernetes/apply: '../k8s' leads out of the repository\n"
        "  hint: paths begin at the root of the repository",
        id="outside",
    ),
    pytest.param(
        "{apply: [k8s, k8s/]}",
        "3:29 deploy/kubernetes/apply/1: 'k8s/' appears twice\n  hint: keep one of them",
        id="folder-twice",
    ),
    pytest.param(
        "{apply: k8s, namespace: My Shop}",
        "3:39 deploy/kubernetes/namespace: 'My Shop' is not a name of a namespace\n"
        "  hint: use small letters, digits and - with a letter or digit at both ends; or take it "
        "from a variable: ${{{{ vars.NAMESPACE }}}}",
        id="namespace",
    ),
    pytest.param(
        "{apply: k8s, kubeconfig: ~/.kube/config}",
        "3:40 deploy/kubernetes/kubeconfig: the kubeconfig must come from a secret\n"
        "  hint: write for example kubeconfig: ${{{{ secrets.KUBE_CONFIG }}}}",
        id="kubeconfig",
    ),
    pytest.param(
        "{apply: k8s, secret: [DB_URL]}",
        "3:36 deploy/kubernetes/secret: should be a mapping, but is a list\n"
        "  hint: write for example {{app-env: [DB_URL, JWT_SECRET]}}, a Secret and its keys",
        id="secret-without-a-name",
    ),
    pytest.param(
        "{apply: k8s, secret: {}}",
        "3:36 deploy/kubernetes/secret: is empty\n"
        "  hint: write for example {{app-env: [DB_URL, JWT_SECRET]}}, a Secret and its keys",
        id="no-secret",
    ),
    pytest.param(
        "{apply: k8s, secret: {App: [A], b: []}}",
        "3:37 deploy/kubernetes/secret/App: 'App' is not a name of a Secret\n"
        "  hint: use small letters, digits, - and . with a letter or digit at both ends",
        "3:50 deploy/kubernetes/secret/b: is empty\n"
        "  hint: write for example {{app-env: [DB_URL, JWT_SECRET]}}, a Secret and its keys",
        id="secrets",
    ),
    pytest.param(
        "{apply: k8s, secret: {a: {'b c': 1}, d: [E, {E: f}]}}",
        "3:41 deploy/kubernetes/secret/a/b c: 'b c' is not a key that a Secret can have\n"
        "  hint: use letters, digits, and - _ .",
        "3:60 deploy/kubernetes/secret/d/1/E: 'E' appears twice\n  hint: keep one of them",
        id="keys-of-secrets",
    ),
    pytest.param(
        "{apply: k8s, secret: {a: {B: ''}}}",
        "3:41 deploy/kubernetes/secret/a/B: is empty, and the deploy takes this for a secret that "
        "does not exist\n  hint: write a value, or remove the key",
        id="empty-value",
    ),
    pytest.param(
        "{apply: k8s, pull-secret: github}",
        "3:41 deploy/kubernetes/pull-secret: no secret of GitHub can be called GITHUB_TOKEN\n"
        "  hint: write a mapping: {{name, password: ${{{{ secrets.GHCR_TOKEN }}}}}}",
        id="reserved-pull-secret",
    ),
    pytest.param(
        "{apply: k8s, pull-secret: GHCR}",
        "3:41 deploy/kubernetes/pull-secret: 'GHCR' is not a name of a Secret\n  hint: write for "
        "example ghcr; use small letters, digits, - and . with a letter or digit at both ends",
        id="pull-secret",
    ),
    pytest.param(
        "{apply: k8s, pull-secret: a, secret: {a: [B]}}",
        "3:41 deploy/kubernetes/pull-secret: 'a' is also a Secret of the app\n"
        "  hint: give it another name",
        id="one-name-for-two-secrets",
    ),
    pytest.param(
        "{apply: k8s, on-failure: rolback, no-pods: maybe}",
        "3:40 deploy/kubernetes/on-failure: 'rolback' is neither 'rollback' nor 'keep'\n"
        "  hint: perhaps you meant `rollback`",
        "3:58 deploy/kubernetes/no-pods: 'maybe' is neither 'fail' nor 'allow'\n"
        "  hint: use one of `fail` and `allow`",
        id="words",
    ),
    pytest.param(
        "{apply: k8s, timeout: 5m, restart-on-no-change: yes}",
        "3:37 deploy/kubernetes/timeout: '5m' is not a time in seconds\n"
        "  hint: write a whole number from 10 to 21600, such as 900",
        "3:63 deploy/kubernetes/restart-on-no-change: should be true or false, but is text\n"
        "  hint: write restart-on-no-change: true",
        id="time-and-flag",
    ),
    pytest.param(
        "{apply: k8s, restart-on-no-change: true}",
        "3:50 deploy/kubernetes/restart-on-no-change: has no effect without `workload`\n"
        "  hint: remove it",
        id="nothing-to-restart",
    ),
    pytest.param(
        "{workload: ds/a, force-conflicts: true}",
        "3:49 deploy/kubernetes/force-conflicts: has no effect without `apply`\n  hint: remove it",
        id="nothing-to-apply",
    ),
    pytest.param(
        "{apply: k8s, progress-timeout: 900}",
        "3:46 deploy/kubernetes/progress-timeout: 900 is never reached: the whole rollout has 900 "
        "seconds\n  hint: write a longer `timeout`, or a shorter `progress-timeout`",
        id="progress-timeout",
    ),
    pytest.param(
        "{apply: k8s, timeout: 60, stability: 60}",
        "3:52 deploy/kubernetes/stability: 60 s do not fit into the 60 s of the whole rollout\n"
        "  hint: write a longer `timeout`, or a shorter `stability`",
        id="stability",
    ),
    pytest.param(
        "{apply: k8s, timeout: 10}",
        "3:37 deploy/kubernetes/timeout: 10 s do not fit into the 10 s of the whole rollout\n"
        "  hint: write a longer `timeout`, or a shorter `stability`",
        id="no-room-for-the-default-stability",
    ),
    pytest.param(
        f"{{apply: k8s, context: a, kubeconfig: '${{{{{{{{ secrets.K }}}}}}}}', login: {AWS}}}",
        "3:37 deploy/kubernetes/context: cannot be beside `login`, which makes a kubeconfig with "
        "one context\n  hint: remove one of them",
        "3:52 deploy/kubernetes/kubeconfig: cannot be beside `login`, which makes a kubeconfig "
        "with one context\n  hint: remove one of them",
        id="kubeconfig-and-login",
    ),
    pytest.param(
        f"{{apply: k8s, timeout: 3600, login: {AWS}}}",
        "3:50 deploy/kubernetes/login: lasts an hour, and a rollout with its rollback may take "
        "3910 seconds\n  hint: write a shorter `timeout` or `rollback-timeout`",
        id="login-that-is-too-short",
    ),
    pytest.param(
        "{apply: k8s, login: {x-cloud: aws}}",
        "3:35 deploy/kubernetes/login: names no cloud\n"
        "  hint: name the cloud: `aws`, `google` or `azure`",
        id="no-cloud",
    ),
    pytest.param(
        "{apply: k8s, login: {eks: {}}}",
        "3:36 deploy/kubernetes/login/eks: is not a key of the spec\n"
        "  hint: use one of `aws`, `google` and `azure`; a key of your own must begin with `x-`",
        id="far-cloud",
    ),
    pytest.param(
        f"{{apply: k8s, login: {AWS[:-1]}, azure: {{tenant: x}}}}}}",
        "3:134 deploy/kubernetes/login/azure: `client` is missing\n"
        "  hint: write for example client: 00000000-0000-0000-0000-000000000000",
        "3:134 deploy/kubernetes/login/azure: `subscription` is missing\n"
        "  hint: write for example subscription: 00000000-0000-0000-0000-000000000000",
        "3:134 deploy/kubernetes/login/azure: `resource-group` is missing\n"
        "  hint: write for example resource-group: shop",
        "3:134 deploy/kubernetes/login/azure: `cluster` is missing\n"
        "  hint: write for example cluster: shop",
        "3:134 deploy/kubernetes/login/azure: cannot be beside `aws`: a job logs in to one cloud\n"
        "  hint: keep one of them",
        "3:143 deploy/kubernetes/login/azure/tenant: 'x' is not an id of Azure\n"
        "  hint: write for example tenant: 00000000-0000-0000-0000-000000000000",
        id="two-clouds",
    ),
]


@pytest.mark.parametrize("case", [pytest.param(each.values, id=each.id) for each in WRONG])
def test_each_problem_of_a_cluster_is_told_with_its_place(
    case: tuple[str, ...], repository: Path
) -> None:
    kubernetes, *messages = case
    text = spec(kubernetes.replace("{{{{", "{{").replace("}}}}", "}}"))
    assert problems(text, repository) == [each.format(repository) for each in messages]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image: .\ndeploy: {ssh: vps, run: {}, kubernetes: ds/a}\n",
            (
                "2:29 deploy/kubernetes: cannot be beside `ssh`: a deploy goes to a host, into a "
                "cluster, or into a repository of manifests\n  hint: remove it, or remove `ssh`"
            ),
        ),
        (
            "image: .\ndeploy: {kubernetes: ds/a, run: {}}\n",
            (
                "2:28 deploy/run: cannot be beside `kubernetes`: a deploy goes to a host, into a "
                "cluster, or into a repository of manifests\n"
                "  hint: remove it, or remove `kubernetes`"
            ),
        ),
        (
            "image: .\nname: shop\ndeploy: {kubernetes: ds/a}\n",
            (
                "2:7 name: is that of a container on a host; in a cluster the manifests have the "
                "names\n  hint: remove it"
            ),
        ),
    ],
)
def test_keys_of_a_host_and_of_a_cluster_are_not_mixed(
    text: str, message: str, repository: Path
) -> None:
    assert problems(text, repository) == [message]


def test_a_cluster_needs_no_name_for_an_environment_in_another_script(repository: Path) -> None:
    text = "image: .\nenvironment: 本番\ndeploy: {kubernetes: ds/a}\n"
    assert load(text.encode(), SOURCE, str(repository)).environment == "本番"
