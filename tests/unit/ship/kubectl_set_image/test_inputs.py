"""The inputs of kubectl-set-image: what they mean, and what is said of wrong ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ship.kube.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from ship.kubectl_set_image.inputs import Limits, read_inputs
from ship.runner.errors import Problem, UserError
from unit.ship.kubectl_set_image.given import NEW, OLD, OTHER, SHA, context, inputs, read, refusal

if TYPE_CHECKING:
    from pathlib import Path


def test_the_least_that_is_needed_gives_a_careful_deploy() -> None:
    found = read()
    assert [str(each) for each in found.targets] == ["deployment/web"]
    assert found.images.by_repository == (NEW,)
    assert found.limits == Limits(900, None, 10, 300, 1)
    assert found.rolls_back
    choices = (found.restarts, found.dry_run, found.force_conflicts, found.may_be_older)
    assert not any((*choices, found.allows_no_pods))
    assert (found.namespace, found.context, found.secrets, found.pull_secret) == ("", "", (), None)
    assert found.commit
    assert found.commit.sha == SHA


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, DEPLOYMENT) for word in ("deploy", "deployment", "deployments", "Deployment")),
        *((word, DEPLOYMENT) for word in ("deployment.apps", "deployments.apps", "deploy.v1.apps")),
        *((word, STATEFUL_SET) for word in ("sts", "statefulset", "StatefulSets")),
        *((word, DAEMON_SET) for word in ("ds", "daemonset", "daemonsets.apps")),
        *((word, CRON_JOB) for word in ("cj", "cronjob", "cronjobs.batch")),
    ],
)
def test_a_kind_may_be_written_as_for_kubectl(word: str, kind: Kind) -> None:
    [target] = read(workload=f"{word}/web").targets
    assert (target.kind, target.name) == (kind, "web")


@pytest.mark.parametrize(
    ("workload", "said", "hint"),
    [
        ("job/migrate", "'job' is not a kind that can be updated", "name its CronJob, or give the"),
        ("jobs.batch/x", "'jobs.batch' is not a kind", "the template of a Job cannot be changed"),
        ("pod/web-1", "'pod' is not a kind", "name the workload that owns it"),
        ("po/web-1", "'po' is not a kind", "name the workload that owns it"),
        ("rs/web-1", "'rs' is not a kind", "name the Deployment"),
        ("rc/web", "'rc' is not a kind", "use a Deployment"),
        ("service/web", "'service' is not a kind", "use one of deployment, statefulset"),
        ("deplyment/web", "'deplyment' is not a kind", "did you mean 'deployment'?"),
        ("web", "'web' has no kind before the name", "write KIND/NAME, such as deployment/web"),
        ("/web", "'' is not a kind", "use one of"),
        ("deployment/", "'' is not a name that Kubernetes accepts", "small letters"),
        ("deployment/Web", "'Web' is not a name that Kubernetes accepts", "small letters"),
        ("deployment/web/app", "'web/app' is not a name", "small letters"),
        ("deployment/web_1", "'web_1' is not a name", "small letters"),
        (f"deployment/{'x' * 254}", "is not a name that Kubernetes accepts", "small letters"),
        ("deployment web", "'deployment' has no kind before the name", "write a slash"),
        ("deployment/web\ndeploy/web", "line 2 names deployment/web a second time", ""),
        ("deployment/web app", "'app' is not of the form CONTAINER=IMAGE", "name the container"),
        ("deployment/web app=", "there is no image for the container 'app'", "may be empty"),
        ("deployment/web App=x", "'App=x' is not of the form CONTAINER=IMAGE", "pod template"),
        ("deployment/web app=ghcr.io/a/b:1", "'ghcr.io/a/b:1' has no digest", "a tag can move"),
        (f"deployment/web a={NEW} a={OTHER}", "line 1 names container 'a' a second time", ""),
    ],
)
def test_a_workload_that_cannot_be_updated_is_named_with_the_reason(
    workload: str, said: str, hint: str
) -> None:
    found = refusal(workload=workload)
    assert "input `workload`: " in found
    assert said in found
    assert hint in found


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("ghcr.io/acme/app:1.2", "'ghcr.io/acme/app:1.2' has no digest"),
        ("ghcr.io/acme/app", "'ghcr.io/acme/app' has no digest"),
        ("ghcr.io/acme/app@sha256:12", "has no digest of the form sha256: and 64 digits"),
        (NEW.replace("acme", "Acme"), "has capital letters"),
        (NEW.replace("/acme", "//acme"), "is not the name of an image"),
        (f"app={NEW.replace('app@', 'App@')}", "has capital letters"),
        ("app=", "there is no image for the container 'app'"),
        ("=x", "'=x' is not of the form CONTAINER=IMAGE"),
        (f"app={NEW}\napp={OLD}", "line 2 names container 'app' a second time"),
        (f"my app={NEW}", "is not of the form CONTAINER=IMAGE"),
        ("", "input `image`: is required but empty"),
    ],
)
def test_an_image_that_is_not_accepted_is_named_with_the_reason(image: str, said: str) -> None:
    assert said in refusal(image=image)


def test_images_are_for_repositories_or_for_containers() -> None:
    tagged = OTHER.replace("@", ":1.2@")
    found = read(image=f"{NEW}\n\n init = {tagged}\n*={OLD}\n{NEW}").images
    assert found.by_repository == (NEW,)
    assert found.by_container == {"init": OTHER, "*": OLD}


def test_a_workload_may_have_images_of_its_own() -> None:
    [target] = read(workload=f"deploy/web app={NEW}  *={OTHER}", image="").targets
    assert target.images == {"app": NEW, "*": OTHER}


def test_a_workload_without_an_image_of_its_own_needs_the_input() -> None:
    said = refusal(workload=f"deploy/web app={NEW}\ndeploy/api", image="")
    assert "input `image`: is required but empty" in said
    assert "it is empty when nothing was pushed" in said


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("web", "write KIND/NAME, such as deployment/web"),
        ("deployment web", "write a slash between: deployment/web"),
        ("- deployment/web", "leave the dash out: deployment/web"),
        ("deployment/web deployment/api", "write each workload on a line of its own"),
    ],
)
def test_a_line_in_the_form_of_another_tool_is_told_once_with_ours(line: str, hint: str) -> None:
    said = refusal(workload=line)
    assert f"hint: {hint}\n" in said
    assert said.count("input `workload`") == 1


def test_a_workload_or_manifests_are_needed() -> None:
    assert "input `workload`: is required but empty" in refusal(workload="")


def test_manifests_need_no_workload(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    found = read(tmp_path, workload="", apply="k8s\n./k8s/\n")
    assert found.targets == ()
    assert found.manifests == (f"{tmp_path}/k8s", f"{tmp_path}/k8s")


def test_manifests_that_are_not_there_are_named_with_their_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, apply="\nk8s/web.yaml")
    assert "input `apply`: line 2: there is no file or folder 'k8s/web.yaml'" in said
    assert "check that actions/checkout runs before" in said


def test_a_pattern_of_manifests_is_told_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    said = refusal(tmp_path, apply="k8s/*.yaml")
    assert "there is no file or folder 'k8s/*.yaml'\n  hint: name the folder" in said


def test_a_stability_that_does_not_fit_into_the_timeout_would_take_a_good_release_back() -> None:
    said = refusal(stability="900")
    assert "input `stability`: 900 s do not fit into a `timeout` of 900 s" in said
    assert read(stability="900", timeout="1200").limits.stability == 900


def test_all_problems_are_told_at_once() -> None:
    said = refusal(
        workload="job/x\npod/y", image="app", namespace="Shop!", kubeconfig="nonsense", apply="no",
        secret="x", pull_secret="X", timeout="9", progress_timeout="1m", stability="-1",
        restarts="many", on_failure="undo", rollback_timeout="0", restart_on_no_change="si",
        no_pods="maybe", older_commit="never", dry_run="2", force_conflicts="x",
    )  # fmt: skip
    named = re.findall(r"input `([a-z-]+)`", said)
    assert set(named) == {
        "workload", "image", "namespace", "kubeconfig", "apply", "secret", "pull-secret", "timeout",
        "progress-timeout", "stability", "restarts", "on-failure", "rollback-timeout",
        "restart-on-no-change", "no-pods", "older-commit", "dry-run", "force-conflicts",
        "registry-password",
    }  # fmt: skip
    assert named.count("workload") == 2


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("timeout", "9", "'9' is not a whole number from 10 to 21600"),
        ("timeout", "15m", "write only digits, without a unit"),
        ("progress_timeout", "4", "'4' is not a whole number from 5 to 21600"),
        ("stability", "3601", "'3601' is not a whole number from 0 to 3600"),
        ("stability", "900", "900 s do not fit into a `timeout` of 900 s"),
        ("restarts", "101", "'101' is not a whole number from 0 to 100"),
        ("rollback_timeout", "٣٠٠", "is not a whole number from 10 to 21600"),
        ("on_failure", "undo", "'undo' is not one of rollback, keep"),
        ("no_pods", "warn", "'warn' is not one of fail, allow"),
        ("older_commit", "skip", "'skip' is not one of refuse, deploy"),
        ("dry_run", "server", "'server' is neither true nor false"),
        ("namespace", "my shop", "'my shop' is not the name of a namespace"),
        ("namespace", "a,b", "'a,b' is not the name of a namespace"),
    ],
)
def test_a_wrong_value_is_quoted_with_what_is_right(name: str, wrong: str, said: str) -> None:
    found = refusal(**{name: wrong})
    assert f"input `{name.replace('_', '-')}`: " in found
    assert said in found


def test_every_problem_has_a_page(tmp_path: Path) -> None:
    given = inputs(workload="x", image="y", kubeconfig="z", secret="- a", timeout="0", apply="no")
    with pytest.raises(UserError) as raised:
        read_inputs(given, context(tmp_path))
    problems: tuple[Problem, ...] = raised.value.problems
    assert len(problems) == 6
    assert all(each.anchor for each in problems)


HOSTILE = (
    "::error::x", "$(id)", "`id`", "a;id", "a b", "../../x", "%0a", "a\u2028b", "-n", "--all",
    "a\tb", "\x1b[31m", "{{x}}", "web?x=1", "web#x", "web%2Fx", "é", "'", '"', "\\", ",", "=",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("where", ["deployment/{}", "deployment/web {}=" + NEW, "{}/web"])
def test_a_hostile_name_is_refused(name: str, where: str) -> None:
    assert "input `workload`" in refusal(workload=where.format(name))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", ["namespace", "pull_secret"])
def test_a_hostile_name_of_a_namespace_or_a_secret_is_refused(name: str, place: str) -> None:
    said = refusal(**{place: name}, JOB_TOKEN="x")
    assert f"input `{place.replace('_', '-')}`" in said


@given(st.text(), st.text())
def test_whatever_is_accepted_as_a_name_is_one(name: str, container: str) -> None:
    try:
        targets = read(workload=f"deploy/{name} {container}={NEW}").targets
        said = []
    except UserError as error:
        targets, said = (), str(error).split("\n")
    for target in targets:
        assert re.fullmatch(r"[a-z0-9.-]+", target.name)
        assert all(re.fullmatch(r"[a-z0-9-]+|\*", each) for each in target.images)
    # With a line of its own, a text from elsewhere could begin with the mark of a command.
    assert all(line.startswith(("input `", "  hint: ", "  see: ")) for line in said)
