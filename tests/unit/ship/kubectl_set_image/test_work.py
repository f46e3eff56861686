"""The whole step against a cluster in memory: good, bad, overtaken, and cancelled anywhere."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kube_api import Answer, Fault, Request, status
from kube_world import crashes, is_not_found, runs, starts_slowly
from ship.kube import client
from ship.kube.kinds import CRON_JOB, STATEFUL_SET
from ship.kubectl_set_image.patches import COMMIT
from ship.runner.errors import Interrupted, UserError
from unit.ship.kubectl_set_image.given import NEW, OLD, OTHER, SHA, template, workload
from unit.ship.kubectl_set_image.step_bed import VIEW, Bed, cancelled, web

if TYPE_CHECKING:
    from collections.abc import Callable

    from kube_api import Request


WORKFLOW = "https://github.com/acme/app/.github/workflows/deploy.yml"


def test_a_good_rollout(bed: Bed) -> None:
    bed.has(web())
    bed.run()
    assert bed.outputs["status"] == "updated"
    assert bed.outputs["changed"] == "true"
    assert bed.outputs["image"] == NEW
    assert bed.outputs["previous-image"] == OLD
    [told] = json.loads(bed.outputs["workloads"])
    assert (told["workload"], told["status"], told["cause"]) == ("deployment/web", "updated", "")
    assert bed.world.pods() == [NEW]
    assert "### ✅ deployment/web: updated" in bed.log.summary
    assert bed.kubectl.proxy.ended


def test_nothing_of_the_login_is_left_or_shown(bed: Bed) -> None:
    bed.has(web())
    bed.run(secret="env: [KEY]", KEY="hunter2")
    assert not Path(bed.kubectl.folder).exists()
    log = bed.log.text.replace("::add-mask::s3cr3t-token", "")
    assert "s3cr3t-token" not in log + bed.log.summary
    assert "hunter2" not in log + bed.log.summary


def test_the_proxy_starts_before_the_kubeconfig_is_read_and_with_the_same_login(bed: Bed) -> None:
    bed.has(web())
    bed.run(context="x")
    proxy, view, *_ = bed.kubectl.ran
    assert (proxy.argv[1], view.argv[1]) == ("proxy", "config")
    assert proxy.argv[-2:] == (f"--kubeconfig={bed.kubectl.folder}/config", "--context=x")


def test_a_wrong_kubeconfig_is_told_and_not_what_the_proxy_says_of_it(bed: Bed) -> None:
    bed.kubectl.view = {**VIEW, "current-context": "y"}
    bed.kubectl.then = lambda _: bed.kubectl.proxy.end(1)
    error = bed.fails(UserError)
    assert "input `kubeconfig`: has no context 'y'" in str(error)
    assert "proxy" not in bed.log.text
    assert bed.api.asked == []
    assert bed.kubectl.proxy.ended


def test_no_request_is_sent_with_a_login_that_lacks_something(bed: Bed) -> None:
    login = {"exec": {"command": "no-such-plugin"}}
    bed.kubectl.view = {**VIEW, "users": [{"name": "u", "user": login}]}
    error = bed.fails(UserError)
    assert "logs in with the program `no-such-plugin`" in str(error)
    assert bed.api.asked == []
    assert bed.kubectl.proxy.ended


def test_a_bad_rollout_goes_back_with_its_cause(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = is_not_found
    error = bed.fails()
    assert error.exit_code == 4
    assert bed.outputs["status"] == "rolled-back"
    assert bed.outputs["cause"] == "image-not-found"
    assert bed.outputs["changed"] == "false"
    assert bed.image() == OLD
    assert bed.world.pods() == [OLD]
    assert "deployment/web: runs what ran before, and is healthy" in str(error)
    assert (
        "kubernetes.io/change-cause"
        not in bed.api.get("Deployment", "web")["metadata"]["annotations"]
    )


def test_a_crash_comes_with_its_log(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = crashes
    bed.api.any_log = "no database\n::error::gotcha\n"
    error = bed.fails()
    assert bed.outputs["cause"] == "crashed"
    assert error.evidence
    assert "no database" in error.evidence.text
    lines = bed.log.text.split("\n")
    assert not any(line.startswith("::error::gotcha") for line in lines)


@pytest.mark.parametrize(("lost", "is_back"), [(60, True), (900, False)])
def test_a_rollback_waits_for_a_server_that_is_gone_meanwhile(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, lost: int, *, is_back: bool
) -> None:
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.0)
    bed.has(web())
    bed.world.images[NEW] = is_not_found
    say = bed.log.workflow.say

    def go_down(text: str = "") -> None:
        say(text)
        if "rolling back" in text:
            bed.api.fail(Fault(Answer(502, "EOF\n")), times=lost)

    monkeypatch.setattr(bed.log.workflow, "say", go_down)
    error = bed.fails()
    assert (bed.image() == OLD) is is_back
    assert ("runs what ran before, and is healthy" in str(error)) is is_back


def test_a_bad_rollout_may_be_kept(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = is_not_found
    error = bed.fails(on_failure="keep")
    assert error.exit_code == 1
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("failed", "true")
    assert bed.image() == NEW


def test_a_second_bad_deploy_goes_back_to_what_really_runs(bed: Bed) -> None:
    bed.has(web())
    bed.world.images |= {OTHER: crashes, NEW: is_not_found}
    bed.api.edit(
        "Deployment", "web",
        lambda it: it["spec"]["template"]["spec"]["containers"][0].update(image=OTHER),
    )  # fmt: skip
    bed.world.settle(5)
    bed.fails(image=f"app={NEW}")
    assert bed.image() == OLD
    assert bed.outputs["status"] == "rolled-back"


def test_all_workloads_go_back_when_one_of_them_fails(bed: Bed) -> None:
    bed.has(web(), workload(template(app=OLD, side=OTHER), name="api"))
    bad = OTHER.replace("c" * 64, "9" * 64)
    bed.world.images[bad] = is_not_found
    error = bed.fails(
        workload=f"deploy/web\ndeploy/api side={bad}", image=NEW, rollback_timeout="60"
    )
    assert bed.image() == bed.image("api") == OLD
    assert str(error).count("runs what ran before, and is healthy") == 2
    statuses = [each["status"] for each in json.loads(bed.outputs["workloads"])]
    assert statuses == ["rolled-back", "rolled-back"]


def test_a_slow_start_is_no_failure(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.run()
    assert bed.outputs["status"] == "updated"


def set_image(bed: Bed, image: str) -> Callable[[], object]:
    def change(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = image

    return lambda: bed.api.edit("Deployment", "web", change)


def test_a_newer_deploy_meanwhile_is_not_overwritten(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[3] = set_image(bed, OTHER)
    error = bed.fails()
    assert error.exit_code == 5
    assert bed.outputs["status"] == "superseded"
    assert bed.image() == OTHER


def mirrored(image: str) -> str:
    return image.replace("ghcr.io", "mirror.example.com/ghcr")


MIRRORED = mirrored(NEW)


def mirror(bed: Bed) -> None:
    """Let a webhook of the cluster rewrite the images of all workloads, as for a mirror."""

    def rewrite(request: Request) -> None:
        if request.method == "PATCH" and "strategic" in request.media_type:
            [app] = request.body["spec"]["template"]["spec"]["containers"]
            app["image"] = MIRRORED
        elif request.method == "PATCH":
            [app] = request.body[1]["value"]["spec"]["containers"]
            app["image"] = mirrored(app["image"])

    bed.api.before = rewrite


def test_an_image_that_a_webhook_takes_from_a_mirror_is_ours(bed: Bed) -> None:
    bed.has(web())
    mirror(bed)
    bed.run()
    assert (bed.outputs["status"], bed.image()) == ("updated", MIRRORED)
    assert f"deployment/web: the cluster has made it app={MIRRORED}" in bed.log.text


@pytest.mark.parametrize("meanwhile", ["", "1"])
def test_an_image_that_a_webhook_takes_from_a_mirror_goes_back(bed: Bed, meanwhile: str) -> None:
    bed.has(web())
    mirror(bed)
    bed.world.images[MIRRORED] = is_not_found

    def change(found: dict[str, Any]) -> None:
        env = [{"name": "A", "value": meanwhile}]
        found["spec"]["template"]["spec"]["containers"][0]["env"] = env

    if meanwhile:
        bed.world.then[1] = lambda: bed.api.edit("Deployment", "web", change)
    bed.fails()
    assert bed.outputs["cause"] == "image-not-found"
    assert (bed.outputs["status"], bed.image()) == ("rolled-back", mirrored(OLD))


def test_an_image_that_fails_after_another_was_set_is_not_rolled_back(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = is_not_found
    bed.world.then[2] = set_image(bed, OTHER)
    assert bed.fails().exit_code == 5
    assert bed.image() == OTHER


def test_a_rollback_that_another_deploy_overtakes_says_so(bed: Bed) -> None:
    bed.has(web())
    bed.world.images |= {NEW: is_not_found, OLD: starts_slowly}
    bed.world.once.append((bed.goes_back, set_image(bed, OTHER)))
    error = bed.fails()
    assert bed.outputs["status"] == "failed"
    assert bed.image() == OTHER
    assert "was put back, and is not seen healthy" in str(error)


def test_a_workload_that_is_scaled_meanwhile_is_no_failure(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[4] = lambda: bed.api.edit(
        "Deployment", "web", lambda it: it["spec"].update(replicas=3)
    )
    bed.run()
    assert bed.world.pods() == [NEW] * 3


def test_a_workload_that_is_deleted_meanwhile_is_a_failure_that_says_so(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[4] = lambda: bed.api.remove("Deployment", "web")
    error = bed.fails()
    assert bed.outputs["cause"] == "deleted"
    assert "deployment/web was deleted while it was watched" in str(error)


def test_a_paused_workload_is_left_alone(bed: Bed) -> None:
    there = web()
    there["spec"]["paused"] = True
    bed.has(there)
    assert bed.fails().exit_code == 6
    assert bed.outputs["status"] == "paused"
    assert bed.image() == OLD


def test_it_looks_twice_a_second_at_first_and_then_once(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    slept: list[float] = []
    sleep = bed.world.sleep

    def noted(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    setattr(bed.world, "sleep", noted)  # noqa: B010 - it is a method
    bed.run()
    assert (slept[:20], set(slept[20:])) == ([0.5] * 20, {1.0})


def test_zero_replicas_are_no_success_unless_that_is_allowed(bed: Bed) -> None:
    there = web()
    there["spec"]["replicas"] = 0
    bed.has(there)
    assert bed.fails().exit_code == 7
    assert bed.outputs["status"] == "no-pods"
    assert bed.image() == NEW


def test_zero_replicas_may_be_allowed(bed: Bed) -> None:
    there = web()
    there["spec"]["replicas"] = 0
    bed.has(there)
    bed.run(no_pods="allow")
    assert bed.outputs["status"] == "no-pods"


def test_what_needs_no_change_and_is_healthy_is_not_touched(bed: Bed) -> None:
    bed.has(web(NEW))
    bed.run()
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("unchanged", "false")
    [note] = bed.api.sent("PATCH")
    assert list(note.body) == ["metadata"]
    assert bed.api.get("Deployment", "web")["metadata"]["generation"] == 1


def test_what_was_deployed_for_this_commit_already_is_not_even_noted(bed: Bed) -> None:
    bed.has(web(NEW, **{COMMIT: f"{WORKFLOW} refs/heads/main {SHA} 7"}))
    bed.run()
    assert bed.api.sent("PATCH") == []


def loops(age: int, _: str) -> dict[str, Any]:
    """Crash every few seconds, and run between; without a probe it is ready then."""
    ended = {"terminated": {"exitCode": 4, "reason": "Error"}}
    runs = age % 3 != 0
    state = {"running": {}} if runs else ended
    return {"state": state, "lastState": ended, "ready": runs, "restartCount": age // 3 + 1}


def test_what_crashes_again_and_again_is_not_called_unchanged_while_it_runs(bed: Bed) -> None:
    bed.world.images[NEW] = loops
    bed.has(web(NEW))
    assert bed.api.get("Deployment", "web")["status"]["availableReplicas"] == 1
    assert bed.fails().exit_code == 1
    assert bed.outputs["cause"] == "crashed"


def test_an_older_run_does_not_replace_what_a_newer_one_found_as_it_should_be(bed: Bed) -> None:
    """As when a commit is reverted while its run still builds."""
    bed.has(web(NEW, **{COMMIT: f"{WORKFLOW} refs/heads/main {'1' * 40} 5"}))
    bed.run()
    noted = bed.api.get("Deployment", "web")["metadata"]["annotations"][COMMIT]
    assert noted == f"{WORKFLOW} refs/heads/main {SHA} 7"


def test_a_note_that_another_run_has_made_meanwhile_is_not_overwritten(bed: Bed) -> None:
    newer = f"{WORKFLOW} refs/heads/main {'2' * 40} 8"

    def note(request: Request) -> None:
        if request.method == "PATCH":
            bed.api.before = lambda _: None
            bed.api.edit(
                "Deployment", "web", lambda it: it["metadata"].update(annotations={COMMIT: newer})
            )

    bed.has(web(NEW))
    bed.api.before = note
    bed.run()
    assert bed.api.get("Deployment", "web")["metadata"]["annotations"] == {COMMIT: newer}


def test_what_needs_no_change_and_is_sick_fails_and_is_never_rolled_back(bed: Bed) -> None:
    bed.world.images[NEW] = crashes
    bed.has(web(NEW))
    error = bed.fails()
    assert error.exit_code == 1
    assert "was not changed by this step, so it was not rolled back" in str(error)
    assert bed.api.sent("PATCH") == []


def test_a_dry_run_shows_the_patch_and_changes_nothing(bed: Bed) -> None:
    bed.has(web())
    bed.run(dry_run="true", pull_secret="ghcr", JOB_TOKEN="ghs_x")
    assert bed.image() == OLD
    assert bed.api.of_kind("Secret") == []
    assert f'"image": "{NEW}"' in bed.log.text
    assert all(each.query["dryRun"] == "All" for each in bed.api.sent("PATCH"))
    assert "ghs_x" not in bed.log.text.replace("::add-mask::ghs_x", "")


def test_a_cron_job_is_updated_without_a_watch(bed: Bed) -> None:
    bed.has(workload(template(app=OLD), CRON_JOB, "jobs"))
    bed.run(workload="cronjob/jobs")
    assert bed.outputs["status"] == "updated"


def test_a_stateful_set_is_healed_by_the_rollback(bed: Bed) -> None:
    """Its controller waits for a bad pod to become ready, for ever."""
    there = workload(template(app=OLD), STATEFUL_SET, "db")
    there["spec"]["replicas"] = 2
    bed.has(there)
    assert bed.world.pods() == [OLD, OLD]
    bed.world.images[NEW] = is_not_found
    bed.fails(workload="sts/db")
    assert bed.outputs["status"] == "rolled-back"
    assert bed.world.pods() == [OLD, OLD]


def test_a_stateful_set_gets_over_a_bad_version_that_it_has(bed: Bed) -> None:
    there = workload(template(app=OLD), STATEFUL_SET, "db")
    there["spec"]["replicas"] = 2
    bed.world.images[OLD] = crashes
    bed.has(there)
    bed.run(workload="sts/db")
    assert bed.outputs["status"] == "updated"
    assert bed.world.pods() == [NEW, NEW]


def test_pods_that_are_well_are_never_deleted(bed: Bed) -> None:
    there = workload(template(app=OLD), STATEFUL_SET, "db")
    there["spec"]["replicas"] = 3
    bed.has(there)
    bed.world.images[NEW] = starts_slowly
    bed.run(workload="sts/db")
    assert bed.outputs["status"] == "updated"
    assert bed.api.sent("DELETE") == []


def test_a_change_of_the_image_by_two_runs_at_once_is_one_change(bed: Bed) -> None:
    """As when somebody starts a run again that is still running."""
    bed.has(web())
    seen: list[str] = []

    def faster(request: Request) -> None:
        if request.method == "PATCH" and "dryRun" not in request.query and not seen:
            seen.append(request.path)
            bed.api.answer(request)

    bed.api.before = faster
    bed.run()
    assert bed.outputs["status"] == "updated"
    assert bed.image() == NEW


def database(bed: Bed, **spec: Any) -> None:
    there = workload(template(app=OLD), STATEFUL_SET, "db")
    there["spec"] |= {"replicas": 2, **spec}
    bed.has(there)


def recovers(age: int, _: str) -> dict[str, Any]:
    """Have been restarted long ago, and be busy for a while now."""
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    is_busy = 9 < age < 30
    return {"state": {"running": {}}, "lastState": ended, "restartCount": 1, "ready": not is_busy}


def test_what_the_last_pod_waited_for_is_not_all_that_is_told_when_the_time_is_over(
    bed: Bed,
) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    said = str(bed.fails(timeout="10"))
    assert "the rollout of deployment/web did not end within 10 s: the container runs, but" in said
    assert "a rollout that is only slow needs a longer `timeout`" in said


def test_a_pod_that_recovers_is_not_deleted_though_it_was_restarted_before(bed: Bed) -> None:
    bed.world.images[OLD] = recovers
    database(bed)
    bed.run(workload="sts/db")
    assert bed.world.pods() == [NEW, NEW]
    assert bed.api.sent("DELETE") == []


def test_a_pod_of_a_bad_version_that_is_in_the_way_is_deleted(bed: Bed) -> None:
    bed.world.images[OLD] = crashes
    database(bed)
    bed.run(workload="sts/db")
    assert bed.world.pods() == [NEW, NEW]
    assert bed.api.sent("DELETE")


def test_a_pod_below_the_partition_is_not_deleted_as_it_would_come_back_the_same(bed: Bed) -> None:
    bed.world.images[OLD] = crashes
    database(bed, updateStrategy={"rollingUpdate": {"partition": 1}})
    bed.fails(workload="sts/db", timeout="30")
    assert bed.api.sent("DELETE", "db-1")
    assert bed.api.sent("DELETE", "db-0") == []


def test_no_pod_is_deleted_before_the_controller_has_seen_the_change(bed: Bed) -> None:
    bed.world.images[OLD] = crashes
    database(bed)
    bed.world.then[1] = lambda: setattr(bed.world, "settle", lambda: None)
    bed.fails(workload="sts/db", timeout="30")
    assert bed.api.sent("DELETE") == []


@pytest.mark.parametrize("second", range(1, 6))
def test_a_run_that_is_cancelled_while_it_watches_goes_back(bed: Bed, second: int) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[second] = cancelled
    error = bed.fails(Interrupted)
    assert error.exit_code == 130
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("cancelled", "false")
    assert bed.image() == OLD
    assert "has its previous version again" in str(error)
    assert bed.kubectl.proxy.ended


def test_a_run_that_is_cancelled_may_leave_the_new_version(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[1] = cancelled
    error = bed.fails(Interrupted, on_failure="keep")
    assert bed.image() == NEW
    assert bed.outputs["changed"] == "true"
    assert "has the new version, and its rollout is not watched any more" in str(error)


def test_a_run_that_is_cancelled_before_the_change_has_changed_nothing(bed: Bed) -> None:
    bed.has(web())

    bed.kubectl.then = lambda _: cancelled()
    bed.fails(Interrupted)
    assert bed.image() == OLD


@pytest.mark.usefixtures("listens")
def test_a_run_that_is_cancelled_while_it_goes_back_leaves_nothing_at_the_bad_version(
    bed: Bed,
) -> None:
    bed.has(web(), web(name="api"))
    bed.world.images |= {NEW: is_not_found, OLD: starts_slowly}
    asked: list[str] = []

    def before(request: Any) -> None:
        if request.media_type == "application/json-patch+json":
            asked.append(request.path)
            if len(asked) == 1:
                os.kill(os.getpid(), signal.SIGINT)

    bed.api.before = before
    bed.fails(workload="deploy/web\ndeploy/api")
    assert bed.image() == bed.image("api") == OLD


def test_a_run_that_is_cancelled_while_the_rollback_is_watched_says_so(bed: Bed) -> None:
    bed.has(web())
    bed.world.images |= {NEW: is_not_found, OLD: starts_slowly}
    bed.world.once.append((bed.goes_back, cancelled))
    error = bed.fails()
    assert bed.image() == OLD
    assert bed.outputs["status"] == "failed"
    assert "was put back, and is not seen healthy: the run was cancelled" in str(error)
    assert bed.outputs["changed"] == "false"


def test_the_second_workload_is_refused_and_the_first_is_as_before(bed: Bed) -> None:
    bed.has(web(), web(name="api"))
    bed.api.before = lambda request: (
        bed.api.fail(Fault(status(422, "spec.x: no"), method="PATCH", path="deployments/api"))
        if request.method == "PATCH"
        and request.path.endswith("api")
        and "dryRun" not in request.query
        and not bed.api.faults
        else None
    )
    error = bed.fails(workload="deploy/web\ndeploy/api")
    assert bed.image() == bed.image("api") == OLD
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("failed", "false")
    assert "deployment/web: was put back, so that all workloads are as before" in str(error)


def test_a_server_that_is_away_for_a_while_is_waited_for(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    gone = Fault(Answer(403, "Forbidden"))
    bed.world.then[3] = lambda: bed.api.fail(gone, times=50)
    bed.run()
    assert bed.outputs["status"] == "updated"
    assert "the API server does not answer; trying again" in bed.log.text
    assert "the API server answers again" in bed.log.text


def test_a_server_that_stays_away_is_an_end_of_its_own(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = starts_slowly
    bed.world.then[3] = lambda: bed.api.fail(Fault(Answer(403, "Forbidden")), times=9999)
    error = bed.fails()
    assert bed.outputs["cause"] == "api-lost"
    assert "what became of the rollout is not known" in str(error)
    assert bed.outputs["status"] == "failed"


def test_a_right_that_is_missing_is_named_before_anything_is_changed(bed: Bed) -> None:
    bed.has(web())
    bed.api.forbidden |= {"patch deployments", "get pods/log"}
    error = bed.fails(UserError)
    assert "may not patch deployments in namespace 'shop'" in str(error)
    assert "may not get pods/log in namespace 'shop'" in str(error)
    assert bed.outputs["status"] == "refused"


@pytest.mark.parametrize(
    "right", ["list pods", "list replicasets", "list events", "get deployments"]
)
def test_a_right_to_look_that_is_missing_is_named(bed: Bed, right: str) -> None:
    bed.has(web())
    bed.api.forbidden.add(right)
    assert f"may not {right} in namespace 'shop'" in str(bed.fails(UserError))


def test_a_workload_that_is_not_there_has_a_near_match(bed: Bed) -> None:
    bed.has(web(name="website"))
    error = bed.fails(UserError, workload="deploy/webiste")
    assert "there is no deployment/webiste in namespace 'shop'" in str(error)
    assert "did you mean 'website'?" in str(error)


def test_text_of_the_cluster_is_no_workflow_command(bed: Bed) -> None:
    hostile = "x\n::error::gotcha\n::stop-commands::x"
    bed.has(web(hostile))
    bed.fails(UserError, workload="deploy/web", image=f"{NEW}\nxyz={NEW}")
    bed.log.workflow.say("end")
    assert "::error::gotcha" not in bed.log.text.split("\n")


def manifest(image: str = "placeholder", name: str = "web") -> dict[str, Any]:
    made = web(image, name)
    made["metadata"] = {"name": name, "namespace": "shop"}
    return made


def test_manifests_are_applied_with_the_image_and_watched(bed: Bed) -> None:
    bed.has(web())
    bed.kubectl.objects = [manifest(), manifest(name="new")]
    bed.run(workload="", apply=".", image=f"app={NEW}")
    assert bed.image() == bed.image("new") == NEW
    statuses = [each["status"] for each in json.loads(bed.outputs["workloads"])]
    assert statuses == ["updated", "updated"]


def test_manifests_of_a_bad_version_go_back_and_what_is_new_is_told(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = is_not_found
    bed.kubectl.objects = [manifest(), manifest(name="new")]
    error = bed.fails(workload="", apply=".", image=f"app={NEW}")
    assert (bed.image(), bed.image("new")) == (OLD, NEW)
    assert "deployment/web: runs what ran before, and is healthy" in str(error)
    assert "deployment/new: did not exist before, so it was not rolled back" in str(error)
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("failed", "true")


def test_manifests_that_change_nothing_are_no_change(bed: Bed) -> None:
    bed.has(web(NEW))
    bed.kubectl.objects = [manifest()]
    bed.run(workload="", apply=".", image=f"app={NEW}")
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("unchanged", "false")


def test_a_namespace_of_the_manifests_is_made_before_the_secrets_in_it(bed: Bed) -> None:
    bed.api.has_namespace = False
    space = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}
    bed.kubectl.objects = [space, manifest()]
    given = {"workload": "", "apply": ".", "image": f"app={NEW}", "JOB_TOKEN": "ghp_x"}
    bed.run(pull_secret="ghcr", secret="env: [KEY]", KEY="v", **given)
    assert bed.image() == NEW
    assert len(bed.api.of_kind("Secret")) == 2


def test_a_namespace_that_nobody_makes_is_told_before(bed: Bed) -> None:
    bed.api.has_namespace = False
    bed.kubectl.objects = [manifest()]
    given = {"workload": "", "apply": ".", "image": f"app={NEW}", "JOB_TOKEN": "ghp_x"}
    error = bed.fails(UserError, pull_secret="ghcr", **given)
    assert 'secret/ghcr: namespaces "shop" not found' in str(error)


def test_a_restart_that_fails_goes_back(bed: Bed) -> None:
    bed.has(web(NEW))
    old = bed.api.get("Deployment", "web")["spec"]["template"]
    restarted = bed.api.sent
    bed.world.images[NEW] = lambda age, image: (
        is_not_found(age, image) if restarted("PATCH") and not bed.goes_back() else runs(age, image)
    )
    bed.fails(restart_on_no_change="true")
    assert bed.api.get("Deployment", "web")["spec"]["template"] == old
    assert bed.outputs["status"] == "rolled-back"


def test_a_cancel_right_after_the_manifests_were_applied_takes_them_back(bed: Bed) -> None:
    bed.has(web())
    bed.kubectl.objects = [manifest()]
    bed.kubectl.then = lambda command: (
        cancelled()
        if command.argv[1] == "apply" and "--dry-run=server" not in command.argv
        else None
    )
    error = bed.fails(Interrupted, workload="", apply=".", image=f"app={NEW}")
    assert bed.image() == OLD
    assert "deployment/web: has its previous version again" in str(error)
    assert (bed.outputs["status"], bed.outputs["changed"]) == ("cancelled", "false")


@pytest.mark.parametrize("name", ["--all", "$(id)", "x\n::error::y"])
def test_a_hostile_name_reaches_no_program(bed: Bed, name: str) -> None:
    bed.has(web())
    bed.fails(UserError, workload=f"deploy/{name}")
    assert bed.kubectl.ran == []


def test_events_and_logs_of_a_hostile_pod_are_shown_as_they_are(bed: Bed) -> None:
    bed.has(web())
    bed.world.images[NEW] = lambda age, image: {
        **is_not_found(age, image),
        "state": {"waiting": {"reason": "ErrImagePull", "message": f"{HOSTILE}: not found"}},
    }
    error = bed.fails()
    log = bed.log.text
    guard = next(line for line in log.split("\n") if line.startswith("::stop-commands::"))
    begin = log.index(guard)
    end = log.index(f"\n::{guard.removeprefix('::stop-commands::')}::\n")
    before, after = log[:begin], log[end:]
    assert "gotcha" not in before + after
    assert all("\n" not in each.what for each in error.problems)
    table = error.details
    assert "<b>" not in table
    assert "[x](" not in table


HOSTILE = "a\n::error::gotcha\n::add-mask::x | <b>x</b> [x](y) `z`"
