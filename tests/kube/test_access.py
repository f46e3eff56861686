"""The ways to the cluster: kubeconfigs, rights, Secrets, and what is left behind."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from bed.action_file import ROOT
from bed.step import run_action
from kube.app import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
DOCS = (ROOT / "docs" / "kubectl-set-image.md").read_text("utf-8")
NOBODY = "no-such-token-0123456789"
# Python as it runs in a pod: with the files of a service account, which the kubelet mounts there.
IN_A_POD = """\
#!/bin/sh
exec unshare --mount sh -c '
  mount -t tmpfs none /var/run/ &&
    mkdir -p /var/run/secrets/kubernetes.io &&
    cp -r "$0" /var/run/secrets/kubernetes.io/serviceaccount &&
    exec "$@"' {account} {python} "$@"
"""


@pytest.mark.test_all
def test_a_kubeconfig_in_base64_and_as_a_file_is_taken(app: App) -> None:
    app.create()
    text = app.cluster.kubeconfig
    encoded = base64.encodebytes(text.encode()).decode()
    done = app.update(app.image("ok"), kubeconfig=encoded)
    assert done.code == 0, done.log
    (app.folder / "kube.conf").write_text(text, encoding="utf-8")
    done = app.update(app.image("ok"), kubeconfig="kube.conf")
    assert done.code == 0, done.log
    assert done.outputs["status"] == "unchanged"


def test_a_runner_in_a_pod_needs_no_kubeconfig(app: App) -> None:
    app.create()
    account = app.folder / "account"
    account.mkdir()
    (account / "token").write_text(allowed(app, documented("Deployment"), "runner"))
    (account / "ca.crt").write_bytes(app.cluster.authority.read_bytes())
    (account / "namespace").write_text(app.namespace)
    python = app.folder / "python3"
    python.write_text(IN_A_POD.format(account=account, python=sys.executable))
    python.chmod(0o755)
    programs = machine(app.cluster)["PATH"]
    host, _, port = app.cluster.server.removeprefix("https://").rpartition(":")
    done = run_action(
        "kubectl-set-image",
        {"workload": "deployment/web", "image": app.image("ok2"), "stability": "3"},
        workspace=app.folder,
        machine={
            "PATH": f"{app.folder}:{programs}",
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
        },
    )
    assert done.code == 0, done.log
    assert app.images() == {"app": app.image("ok2")}
    assert f"cluster https://{host}, namespace {app.namespace}" in done.log


@pytest.mark.test_all
def test_a_login_that_is_refused_is_told(app: App) -> None:
    done = app.update(app.image("ok"), kubeconfig=app.cluster.kubeconfig_for(NOBODY))
    assert done.code == 2, done.log
    assert "does not accept the login of the kubeconfig" in done.errors[0]
    assert NOBODY not in done.shown


@pytest.mark.test_all
def test_a_server_that_is_not_there_is_told(app: App) -> None:
    text = app.cluster.kubeconfig.replace(app.cluster.server, "https://127.0.0.1:1")
    done = app.update(app.image("ok"), kubeconfig=text)
    assert done.code == 2, done.log
    assert "connection refused" in done.errors[0]


def test_nothing_is_left_on_the_runner_and_no_secret_is_in_the_log(app: App) -> None:
    app.create()
    step = app.start(app.image("ok2"))
    done = step.result()
    assert done.code == 0, done.log
    token = re.findall(r'"token": "([^"]+)"', app.cluster.kubeconfig)[0]
    assert token not in done.shown
    assert not list(step.temp.parent.rglob("ship-*"))
    assert done.environment_file == ""


def test_secrets_of_the_app_and_the_pull_secret_are_written(app: App) -> None:
    app.cluster.registry.allow("a-lasting-token", "team/*:pull")
    app.create()
    done = app.update(
        f"app={app.image('ok', 'team/app')}",
        secret="app-env: [DB_URL]\nother: {key.txt: OTHER}",
        env={"DB_URL": "postgres://u:p@db/x", "OTHER": "two\nlines"},
        pull_secret="reg",
        registry_password="a-lasting-token",
    )
    assert done.code == 0, done.log
    path = f"/api/v1/namespaces/{app.namespace}/secrets/"
    found = app.cluster.api("GET", path + "app-env")["data"]
    assert base64.b64decode(found["DB_URL"]) == b"postgres://u:p@db/x"
    found = app.cluster.api("GET", path + "other")["data"]
    assert base64.b64decode(found["key.txt"]) == b"two\nlines"
    assert app.template()["spec"]["imagePullSecrets"] == [{"name": "reg"}]
    assert "postgres://u:p@db/x" not in done.log


@pytest.mark.test_all
def test_a_pull_secret_of_the_token_of_the_run_is_warned_of(app: App) -> None:
    app.create()
    done = app.update(app.image("ok"), pull_secret="reg")
    assert done.code == 0, done.log
    assert "dead when the job has ended" in done.log
    assert "dead when the job has ended" in done.summary


def documented(kind: str) -> list[dict[str, Any]]:
    """Return the rules of the Role that the docs give for a kind."""
    found = re.search(rf"```yaml\n(# A Role for a {kind}\n.*?)```", DOCS, re.DOTALL)
    assert found, f"the docs have no Role for a {kind}"
    return list(YAML(typ="safe").load(found[1])["rules"])


def without_each(rules: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the rules without one verb on one resource."""
    for number, rule in enumerate(rules):
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                others = [each for each in rule["verbs"] if each != verb]
                rest = [each for each in rule["resources"] if each != resource]
                less = [
                    {**rule, "resources": rest},
                    {**rule, "resources": [resource], "verbs": others},
                ]
                kept = [each for each in less if each["resources"] and each["verbs"]]
                yield f"{verb} {resource}", [*rules[:number], *kept, *rules[number + 1 :]]


def allow(app: App, rules: list[dict[str, Any]], name: str) -> str:
    """Give a service account exactly these rights; return a kubeconfig of it."""
    return app.cluster.kubeconfig_for(allowed(app, rules, name), app.namespace)


def allowed(app: App, rules: list[dict[str, Any]], name: str) -> str:
    """Give a service account exactly these rights; return a token of it."""
    api = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{app.namespace}"
    token = app.cluster.account_token(app.namespace, name)
    app.cluster.api("POST", f"{api}/roles", {"metadata": {"name": name}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": app.namespace}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    binding = {"metadata": {"name": name}, "roleRef": ref, "subjects": [subject]}
    app.cluster.api("POST", f"{api}/rolebindings", binding)
    return token


@pytest.mark.parametrize(
    "kind",
    [
        "Deployment",
        *(
            pytest.param(kind, marks=pytest.mark.test_all)
            for kind in ("StatefulSet", "DaemonSet", "CronJob")
        ),
    ],
)
def test_the_role_in_the_docs_is_enough_and_every_verb_of_it_is_needed(app: App, kind: str) -> None:
    app.create(kind)
    workload, rules = f"{kind.lower()}/web", documented(kind)
    config = allow(app, rules, "whole")
    done = app.update(app.image("ok2"), workload=workload, kubeconfig=config)
    assert done.code == 0, done.log
    if kind != "CronJob":
        done = app.update(app.image("crash"), workload=workload, kubeconfig=config)
        assert done.outputs["status"] == "rolled-back", done.log
    for number, (lacking, less) in enumerate(without_each(rules)):
        config = allow(app, less, f"less-{number}")
        done = app.update(app.image("ok3"), workload=workload, kubeconfig=config)
        assert done.code == 2, f"{lacking} is not needed:\n{done.log}"
        assert any(f"may not {lacking}" in each for each in done.errors), done.log
    assert app.images(kind) == {"app": app.image("ok2")}


@pytest.mark.test_all
def test_a_role_that_is_limited_to_the_workload_is_enough(app: App) -> None:
    app.create()
    rules = [
        {**rule, "resourceNames": ["web"]} if rule["resources"] == ["deployments"] else rule
        for rule in documented("Deployment")
    ]
    done = app.update(app.image("ok2"), kubeconfig=allow(app, rules, "named"))
    assert done.code == 0, done.log


def test_all_rights_that_are_missing_are_named_at_once(app: App) -> None:
    app.create()
    config = allow(app, [], "nothing")
    done = app.update(app.image("ok2"), kubeconfig=config)
    assert done.code == 2, done.log
    said = json.dumps(done.errors)
    for right in (
        "get deployments",
        "patch deployments",
        "list pods",
        "get pods/log",
        "list events",
    ):
        assert f"may not {right}" in said, done.log


def test_the_recipe_for_a_kubeconfig_in_the_docs_gives_one_that_works(app: App) -> None:
    app.create()
    allow(app, documented("Deployment"), "deploy")
    found = re.search(r"```sh\n(kubectl -n shop create serviceaccount.*?)```", DOCS, re.DOTALL)
    assert found
    # The Role and its binding are there already.
    lines = [line for line in found[1].splitlines() if " create serviceaccount" not in line]
    lines = [line for line in lines if " create rolebinding" not in line]
    config = app.folder / "admin"
    config.write_text(app.cluster.kubeconfig, encoding="utf-8")
    recipe = "set -e\n" + "\n".join(lines).replace("shop", app.namespace)
    env = {**machine(app.cluster), "KUBECONFIG": str(config), "HOME": str(app.folder)}
    subprocess.run(("sh", "-c", recipe), cwd=app.folder, env=env, check=True)
    made = (app.folder / "deploy.kubeconfig").read_text("utf-8")
    done = app.update(app.image("ok2"), kubeconfig=made)
    assert done.code == 0, done.log
