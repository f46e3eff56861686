"""Changing a cluster: all workloads or none, and nothing of what others change meanwhile."""

from __future__ import annotations

import copy
import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from doubles import ScriptedRunner
from kube_api import Answer, Fault, KubeApi, Request, status
from ship.kube import client as kube_client
from ship.kube.client import Client, Refused, Unanswered
from ship.kube.kinds import CRON_JOB, DEPLOYMENT, KINDS
from ship.kube.templates import fingerprint
from ship.kubectl_set_image.apply import TRIES, Apply, Cluster
from ship.kubectl_set_image.back import Back
from ship.kubectl_set_image.manifests import Manifest
from ship.kubectl_set_image.plan import plan
from ship.kubectl_set_image.revisions import LEFT
from ship.runner.errors import Interrupted, ShipError, StepFailed, UserError
from ship.runner.process import Finished
from unit.ship.kubectl_set_image.given import (
    NEW,
    OLD,
    OTHER,
    context,
    facts,
    found,
    read,
    template,
    workload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ship.kubectl_set_image.facts import Found
    from ship.kubectl_set_image.plan import Change

Object = dict[str, Any]
CAUSE, COMMIT = "kubernetes.io/change-cause", "io.github.gen-workflow/commit"
LOST = Fault(cut="before", method="PATCH")
MADE = LOST._replace(done=True)
GONE = Fault(Answer(502, "EOF\n"))


class Bed:
    """A cluster with workloads, and what is to be changed in it."""

    def __init__(self, api: KubeApi, client: Client, patch: pytest.MonkeyPatch) -> None:
        self.api = api
        self.client = client
        self.patch = patch
        self.runner = ScriptedRunner()
        self.told: list[str] = []

    def has(self, *workloads: Object) -> list[Found]:
        """Put workloads into the cluster; return what is found of them."""
        return [found(copy.deepcopy(self.api.put(each))) for each in workloads]

    def apply(self, *all_found: Found, **changes: str) -> Apply:
        names = "\n".join(str(each.target) for each in all_found if not each.manifest)
        inputs = read(**{"workload": names, "image": f"app={NEW}", "JOB_TOKEN": "x", **changes})
        what = plan(inputs, facts(*all_found), context(), "2026-11-30T12:00:00Z")
        tell, wait = self.told.append, lambda _: None
        cluster = Cluster(self.client, self.runner, (), "https://k", "shop", tell, wait)
        return Apply(what, inputs, cluster)

    def is_impatient(self) -> None:
        """Let it give up at once when the server does not answer."""
        self.patch.setattr(kube_client, "PATIENCE_SECONDS", 0.05)

    def back(self) -> Back:
        return Back(self.client, "shop")

    def image(self, name: str, kind: str = "Deployment") -> str:
        kinds = {each.name: each for each in KINDS}
        pods = kinds[kind].template_of(self.api.get(kind, name))
        return str(pods["spec"]["containers"][0]["image"])


@pytest.fixture
def bed(api: KubeApi, client: Client, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return Bed(api, client, monkeypatch)


def edit_image(api: KubeApi, image: str, name: str = "web") -> None:
    def change(found: Object) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = image

    api.edit("Deployment", name, change)


def once(act: Callable[[], object], method: str = "PATCH") -> Callable[[Request], None]:
    """Act before the first request of a method."""
    left = [act]

    def before(request: Request) -> None:
        if left and request.method == method and request.query.get("dryRun") != "All":
            left.pop()()

    return before


def test_a_workload_gets_its_image_and_the_note_of_it_in_one_patch(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD, proxy=OTHER)))
    apply = bed.apply(web)
    apply.rehearse()
    assert bed.image("web") == OLD, "a rehearsal changes nothing"
    apply.run()
    there = bed.api.get("Deployment", "web")
    assert bed.image("web") == NEW
    assert there["metadata"]["annotations"][CAUSE].startswith(NEW)
    assert there["spec"]["template"]["spec"]["containers"][1] == {"name": "proxy", "image": OTHER}
    assert [str(each.change.target) for each in apply.applied] == ["deployment/web"]
    rehearsed, patched = bed.api.sent("PATCH")
    assert rehearsed.query["dryRun"] == "All"
    assert patched.query == {"fieldManager": "gen-workflow", "fieldValidation": "Strict"}
    assert bed.told == ["deployment/web was changed"]


def test_what_needs_no_change_is_left_alone(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=NEW)))
    apply = bed.apply(web)
    apply.rehearse()
    apply.run()
    assert bed.api.asked == []
    assert apply.applied == []


def test_all_that_the_server_would_refuse_is_told_before_anything_is_changed(bed: Bed) -> None:
    one, two = bed.has(workload(template(app=OLD)), workload(template(app=OLD), name="api"))
    webhook = 'admission webhook "policy.example.com" denied the request: no'
    bed.api.fail(
        Fault(status(403, "is forbidden"), method="PATCH", path="secrets"),
        Fault(status(400, webhook), path="deployments/web"),
        Fault(status(422, "spec.x: Invalid value"), path="deployments/api"),
    )
    with pytest.raises(UserError) as raised:
        bed.apply(one, two, pull_secret="ghcr").rehearse()
    said = str(raised.value)
    assert "the cluster does not accept the change of secret/ghcr: is forbidden" in said
    assert f"the change of deployment/web: {webhook}" in said
    assert "a webhook of the cluster decides about this" in said
    assert "the change of deployment/api: spec.x: Invalid value" in said
    assert bed.api.of_kind("Secret") == []


def test_secrets_are_written_before_the_pods_that_need_them(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web, secret="env: [KEY]", KEY="hunter2", pull_secret="ghcr")
    apply.run()
    assert [each.path.rpartition("/")[2] for each in bed.api.sent("PATCH")] == [
        "env",
        "ghcr",
        "web",
    ]
    assert bed.api.get("Secret", "env")["data"] == {"KEY": "aHVudGVyMg=="}
    assert bed.api.sent("PATCH", "secrets")[0].query["force"] == "true"
    assert "hunter2" not in str(bed.told)


def failing(apply: Apply) -> Exception:
    with pytest.raises((ShipError, Refused, Unanswered)) as raised:
        apply.run()
    apply.settle()
    return raised.value


def test_when_the_second_workload_is_refused_the_first_can_be_put_back_exactly(bed: Bed) -> None:
    noted = workload(template(app=OLD), annotations={CAUSE: "mine", "other": "x"})
    one, two = bed.has(noted, workload(template(app=OLD), name="api"))
    apply = bed.apply(one, two)
    bed.api.fail(Fault(status(422, "no"), method="PATCH", path="deployments/api"))
    assert isinstance(failing(apply), Refused)
    [applied] = apply.applied
    assert str(applied.change.target) == "deployment/web"
    assert bed.back().put(applied)
    there = bed.api.get("Deployment", "web")
    assert there["spec"]["template"] == one.live
    left = fingerprint(template(app=NEW))
    assert there["metadata"]["annotations"] == {CAUSE: "mine", "other": "x", LEFT: left}


def test_a_workload_that_another_one_has_changed_is_told_and_not_overwritten(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)

    def by_argo(found: Object) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = OTHER
        found["metadata"]["managedFields"] = [
            {"manager": "argocd", "operation": "Apply", "time": "2026-11-30T12:00:01Z"},
            {"manager": "kcm", "subresource": "status", "time": "2026-11-30T12:00:02Z"},
        ]

    bed.api.before = once(lambda: bed.api.edit("Deployment", "web", by_argo))
    error = failing(apply)
    assert (
        "deployment/web was changed by argocd at 2026-11-30T12:00:01Z while this step began; "
        "nothing was overwritten"
    ) in str(error)
    assert bed.image("web") == OTHER
    assert apply.applied == []


def test_a_newer_deploy_of_the_same_image_by_another_run_is_a_conflict(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)

    def note(found: Object) -> None:
        found["metadata"]["annotations"] = {COMMIT: "a b c 9"}

    bed.api.before = once(lambda: bed.api.edit("Deployment", "web", note))
    assert "was changed" in str(failing(apply))
    assert bed.image("web") == OLD


RUNS = "https://github.com/acme/app/.github/workflows/deploy.yml refs/heads/main"


@pytest.mark.parametrize(
    ("number", "field", "wins"), [(6, "image", True), (6, "command", False), (8, "image", False)]
)
def test_a_run_for_an_older_commit_that_was_faster_by_moments_does_not_win(
    bed: Bed, number: int, field: str, *, wins: bool
) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)

    def by_another_run(found: Object) -> None:
        found["spec"]["template"]["spec"]["containers"][0][field] = OTHER
        found["metadata"]["annotations"] = {COMMIT: f"{RUNS} {'1' * 40} {number}"}

    bed.api.before = once(lambda: bed.api.edit("Deployment", "web", by_another_run))
    if wins:
        apply.run()
        assert bed.image("web") == NEW
        assert bed.back().put(apply.applied[0])
        assert bed.image("web") == OLD, "nobody has seen the other image healthy"
    else:
        assert "was changed" in str(failing(apply))
        assert bed.image("web") != NEW


def scale(found: Object) -> None:
    found["spec"]["replicas"] += 1


def tick(found: Object) -> None:
    found["status"] = {"replicas": found.get("status", {}).get("replicas", 0) + 1}


@pytest.mark.parametrize("change", [scale, tick])
def test_a_change_of_something_else_is_no_conflict(
    bed: Bed, change: Callable[[Object], None]
) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    bed.api.before = once(lambda: bed.api.edit("Deployment", "web", change))
    bed.apply(web).run()
    assert bed.image("web") == NEW
    assert len(bed.api.sent("PATCH")) == 2


def test_a_workload_that_changes_all_the_time_is_given_up(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    bed.api.before = lambda request: (
        bed.api.edit("Deployment", "web", tick) if request.method == "PATCH" else None
    )
    assert f"changes all the time: {TRIES} tries to set the image" in str(failing(bed.apply(web)))
    assert bed.image("web") == OLD


@pytest.mark.parametrize(
    "fault",
    [
        MADE,
        MADE._replace(cut="within"),
        Fault(Answer(200, "<html>"), done=True, method="PATCH"),
        Fault(Answer(502, "EOF\n"), done=True, method="PATCH"),
        Fault(status(504, "request did not complete in time"), done=True, method="PATCH"),
        Fault(status(500, "etcdserver: request timed out"), done=True, method="PATCH"),
    ],
)
def test_a_change_whose_answer_is_lost_counts_as_made(bed: Bed, fault: Fault) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)
    bed.api.fail(fault)
    apply.run()
    assert [each.change.target.name for each in apply.applied] == ["web"]
    assert apply.applied[0].template["spec"]["containers"][0]["image"] == NEW
    assert len(bed.api.sent("PATCH")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        Fault(Answer(502, "dial tcp: connection refused\n"), method="PATCH"),
        Fault(status(500, "etcdserver: leader changed"), method="PATCH"),
        Fault(status(503, "the server is currently unable"), method="PATCH"),
    ],
)
def test_a_change_that_was_lost_before_it_was_made_is_made(bed: Bed, fault: Fault) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)
    bed.api.fail(fault, times=2)
    apply.run()
    assert bed.image("web") == NEW
    assert len(apply.applied) == 1


def test_a_server_error_that_stays_is_told_in_its_words(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    down = 'Internal error occurred: failed calling webhook "hook.example.com"'
    bed.api.fail(Fault(status(500, down), method="PATCH"), times=99)
    apply = bed.apply(web)
    assert down in str(failing(apply))
    assert apply.applied == []


def test_a_restart_that_was_lost_is_made(bed: Bed) -> None:
    """The images and the note of a run that is started again are the same before and after."""
    [web] = bed.has(workload(template(app=NEW)))
    bed.apply(web, restart_on_no_change="true").run()
    bed.api.edit(
        "Deployment", "web", lambda it: it["spec"]["template"]["metadata"].pop("annotations")
    )
    again = found(copy.deepcopy(bed.api.get("Deployment", "web")))
    apply = bed.apply(again, restart_on_no_change="true")
    bed.api.fail(LOST)
    apply.run()
    restarted = bed.api.get("Deployment", "web")["spec"]["template"]["metadata"]["annotations"]
    assert restarted == {"kubectl.kubernetes.io/restartedAt": "2026-11-30T12:00:00Z"}


@pytest.mark.parametrize("made", [True, False])
def test_a_server_that_is_gone_right_after_the_change_leaves_no_workload_unknown(
    bed: Bed, *, made: bool
) -> None:
    """What nobody could see is looked at again before anything is said of it."""
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)
    bed.is_impatient()
    bed.api.fail(LOST._replace(done=made))
    bed.api.fail(GONE, times=9999)
    with pytest.raises(Unanswered):
        apply.run()
    bed.api.faults.clear()
    apply.settle()
    assert [each.change.target.name for each in apply.applied] == ["web"] * made
    if made:
        assert bed.back().put(apply.applied[0])
    assert bed.image("web") == OLD


def test_a_server_that_stays_away_is_told_and_the_workload_can_be_put_back_later(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)
    bed.is_impatient()
    bed.api.fail(MADE)
    bed.api.fail(GONE, times=9999)
    with pytest.raises(Unanswered):
        apply.run()
    apply.settle()
    bed.api.faults.clear()
    [applied] = apply.applied
    assert bed.back().put(applied)
    assert bed.image("web") == OLD


@pytest.mark.usefixtures("listens")
def test_a_cancel_does_not_wait_for_a_server_that_hangs(bed: Bed) -> None:
    """GitHub kills a step ten seconds after the signal. What was sent is looked after then."""
    [web] = bed.has(workload(template(app=OLD)))
    apply = bed.apply(web)
    released, seen = threading.Event(), list[bool]()

    def hang() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        seen.append(released.wait(20))

    bed.api.before = once(hang)
    with pytest.raises(Interrupted):
        apply.run()
    released.set()
    apply.settle()
    assert seen == [True]
    assert bed.back().put(apply.applied[0])
    assert bed.image("web") == OLD


def test_a_workload_that_is_deleted_meanwhile_is_told(bed: Bed) -> None:
    [web] = bed.has(workload(template(app=OLD)))
    bed.api.before = once(lambda: bed.api.remove("Deployment", "web"))
    error = failing(bed.apply(web))
    assert isinstance(error, Refused)
    assert error.status == 404


def test_a_cron_job_gets_its_image_and_goes_back(bed: Bed) -> None:
    [jobs] = bed.has(workload(template(app=OLD), CRON_JOB, "jobs"))
    apply = bed.apply(jobs)
    apply.run()
    assert bed.image("jobs", "CronJob") == NEW
    assert bed.back().put(apply.applied[0])
    assert bed.image("jobs", "CronJob") == OLD


def applied(bed: Bed, there: Object | None = None, **changes: str) -> Any:
    """Change a workload; return the note of that."""
    [web] = bed.has(there or workload(template(app=OLD)))
    apply = bed.apply(web, **changes)
    apply.run()
    return apply.applied[0]


def test_a_field_that_another_one_has_changed_stays_when_the_image_goes_back(bed: Bed) -> None:
    done = applied(bed)

    def add(found: Object) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]

    bed.api.edit("Deployment", "web", add)
    assert bed.back().put(done)
    [app] = bed.api.get("Deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert app == {"name": "app", "image": OLD, "env": [{"name": "A", "value": "1"}]}


def test_an_image_that_another_one_has_set_is_not_overwritten_by_a_rollback(bed: Bed) -> None:
    done = applied(bed)
    edit_image(bed.api, OTHER)
    assert bed.back().put(done) is None
    assert bed.image("web") == OTHER


def test_a_workload_that_is_back_already_is_not_changed(bed: Bed) -> None:
    done = applied(bed)
    edit_image(bed.api, OLD)
    assert bed.back().put(done)
    assert len(bed.api.sent("PATCH")) == 1


def test_a_rollback_goes_to_what_really_ran_and_not_to_another_bad_version(bed: Bed) -> None:
    bad = bed.api.put(workload(template(app=OTHER), annotations={CAUSE: "bad", COMMIT: "a b c 1"}))
    web = found(copy.deepcopy(bad), healthy=False, serving=template(app=OLD))
    apply = bed.apply(web)
    apply.run()
    assert bed.back().put(apply.applied[0])
    assert bed.image("web") == OLD
    left = f"{fingerprint(template(app=NEW))} {fingerprint(template(app=OTHER))}"
    there = bed.api.get("Deployment", "web")["metadata"]["annotations"]
    assert there == {COMMIT: "a b c 1", LEFT: left}


@pytest.mark.parametrize("change", [scale, tick])
def test_a_rollback_is_tried_again_when_something_else_changes(
    bed: Bed, change: Callable[[Object], None]
) -> None:
    done = applied(bed)
    bed.api.before = once(lambda: bed.api.edit("Deployment", "web", change))
    assert bed.back().put(done)
    assert bed.image("web") == OLD


def test_a_rollback_gets_through_while_the_status_changes_all_the_time(bed: Bed) -> None:
    """As that of a rollout of many pods does, when the server is far away."""
    done = applied(bed)
    ticks = iter(range(10))

    def disturb(request: Request) -> None:
        if request.method == "PATCH" and next(ticks, None) is not None:
            bed.api.edit("Deployment", "web", tick)

    bed.api.before = disturb
    assert bed.back().put(done)
    assert bed.image("web") == OLD


@pytest.mark.parametrize(
    "fault",
    [
        MADE,
        LOST,
        Fault(status(504, "timeout"), done=True, method="PATCH"),
        Fault(status(503, "busy"), method="PATCH"),
        Fault(Answer(502, "EOF\n"), done=True, method="PATCH"),
    ],
)
def test_a_rollback_whose_answer_is_lost_is_looked_after(bed: Bed, fault: Fault) -> None:
    done = applied(bed)
    bed.api.fail(fault)
    assert bed.back().put(done)
    assert bed.image("web") == OLD


def test_a_rollback_that_is_refused_is_told(bed: Bed) -> None:
    done = applied(bed)
    bed.api.forbidden.add("patch deployments")
    with pytest.raises(Refused, match="cannot patch"):
        bed.back().put(done)


def test_a_rollback_against_a_server_that_is_gone_is_told(bed: Bed) -> None:
    done = applied(bed)
    bed.is_impatient()
    bed.api.fail(GONE, times=9999)
    with pytest.raises(Unanswered):
        bed.back().put(done)


def manifest(pods: Object, name: str = "web") -> Object:
    made = workload(pods, name=name)
    del made["metadata"]["uid"], made["metadata"]["resourceVersion"], made["metadata"]["generation"]
    return made


def applies(bed: Bed, *, code: int = 0, said: str = "", only: int | None = None) -> ScriptedRunner:
    """Return a kubectl that applies the objects that it is given, or the first of them."""

    def act(command: Any) -> None:
        if "--dry-run=server" not in command.argv:
            for each in json.loads(command.stdin.reveal())["items"][:only]:
                bed.api.put(each)

    bed.runner = ScriptedRunner(Finished(code, "web serverside-applied", said), then=act)
    return bed.runner


def with_manifest(there: Object | None, written: Object) -> Found:
    one = found(copy.deepcopy(there)) if there else found(None, manifest=written)
    return one._replace(manifest=Manifest(DEPLOYMENT, one.target.name, written))


def by_manifests(bed: Bed, *all_found: Found, **changes: str) -> Apply:
    return bed.apply(*all_found, workload="", apply=".", **changes)


def test_manifests_are_applied_with_the_image_and_what_they_changed_is_known(bed: Bed) -> None:
    there = bed.api.put(workload(template(app=OLD)))
    new = with_manifest(None, manifest(template(app="x"), "new"))
    web = with_manifest(there, manifest(template(app="x", proxy=OTHER)))
    applies(bed)
    apply = by_manifests(bed, web, new)
    apply.run()
    assert [each.change.target.name for each in apply.applied] == ["web", "new"]
    assert bed.image("web") == bed.image("new") == NEW
    assert bed.told == ["web serverside-applied"]
    assert bed.back().put(apply.applied[0])
    assert bed.api.get("Deployment", "web")["spec"]["template"] == web.live


def test_a_manifest_that_changes_nothing_is_no_change(bed: Bed) -> None:
    there = bed.api.put(workload(template(app=NEW)))
    applies(bed)
    apply = by_manifests(bed, with_manifest(there, manifest(template(app=OLD))))
    apply.run()
    assert apply.applied == []


def test_manifests_that_are_applied_in_part_are_known_and_can_be_put_back(bed: Bed) -> None:
    one, two = (bed.api.put(workload(template(app=OLD), name=name)) for name in ("web", "api"))
    written = [manifest(template(app=OLD), name) for name in ("web", "api")]
    applies(bed, code=1, said="Error from server (Forbidden): no", only=1)
    apply = by_manifests(bed, with_manifest(one, written[0]), with_manifest(two, written[1]))
    assert "some of them may be applied" in str(failing(apply))
    assert [each.change.target.name for each in apply.applied] == ["web"]
    assert bed.back().put(apply.applied[0])
    assert bed.image("web") == bed.image("api") == OLD


def test_what_was_applied_before_a_cancel_is_known(bed: Bed) -> None:
    there = bed.api.put(workload(template(app=OLD)))
    applying = applies(bed)

    def interrupted(command: Any) -> None:
        applying.run(command)
        raise Interrupted.of("the run was cancelled")

    bed.runner = ScriptedRunner(Finished(0), then=interrupted)
    apply = by_manifests(bed, with_manifest(there, manifest(template(app=OLD))))
    with pytest.raises(Interrupted):
        apply.run()
    apply.settle()
    apply.settle()
    assert [each.change.target.name for each in apply.applied] == ["web"]


def test_a_server_that_is_gone_after_the_manifests_is_no_reason_to_forget_them(bed: Bed) -> None:
    there = bed.api.put(workload(template(app=OLD)))
    bed.is_impatient()
    applies(bed)
    bed.api.fail(GONE, times=9999)
    apply = by_manifests(bed, with_manifest(there, manifest(template(app=OLD))))
    apply.run()
    bed.api.faults.clear()
    [done] = apply.applied
    assert bed.back().put(done)
    assert bed.image("web") == OLD


def test_a_manifest_without_an_image_of_ours_is_not_said_to_be_back_when_it_is_not(
    bed: Bed,
) -> None:
    there = bed.api.put(workload(template(app=OLD)))
    db = with_manifest(there, manifest(template(app="pg:17")))
    bed.runner = applies(bed)
    other = with_manifest(None, manifest(template(app=OLD), "other"))
    apply = by_manifests(bed, db, other, image=NEW)
    apply.run()
    change: Change = apply.applied[0].change
    assert change.images == {}

    def restart(found: Object) -> None:
        found["spec"]["template"]["metadata"]["annotations"] = {"restartedAt": "now"}

    bed.api.edit("Deployment", "web", restart)
    assert bed.back().put(apply.applied[0]) is None
    assert bed.image("web") == "pg:17"


CONFLICT = (
    'error: Apply failed with 1 conflict: conflict with "{}" using apps/v1: '
    '.spec.template.spec.containers[name="app"].image\nPlease review the fields above'
)


def test_fields_of_another_tool_are_told_and_not_taken(bed: Bed) -> None:
    bed.runner = ScriptedRunner(Finished(1, "", CONFLICT.format("argocd-controller")))
    apply = by_manifests(bed, with_manifest(None, manifest(template(app=OLD))))
    with pytest.raises(UserError) as raised:
        apply.rehearse()
    assert "fields of the manifests belong to argocd-controller: error: Apply failed" in str(
        raised.value
    )
    assert "`force-conflicts: true`" in str(raised.value)
    assert "--force-conflicts" not in bed.runner.ran[0].argv


def rehearsal(bed: Bed, said: str) -> str:
    """Return what is told when kubectl refuses the manifests with these words."""
    bed.runner = ScriptedRunner(Finished(1, "", said))
    with pytest.raises(UserError) as raised:
        by_manifests(bed, with_manifest(None, manifest(template(app=OLD)))).rehearse()
    return str(raised.value)


def test_fields_that_were_set_with_kubectl_before_are_told_with_the_way_out(bed: Bed) -> None:
    said = rehearsal(bed, CONFLICT.format("kubectl-client-side-apply"))
    assert "hint: kubectl has set them, by hand or in a workflow of before" in said
    both = CONFLICT.format("kubectl-edit") + "\n" + CONFLICT.format("flux")
    assert "hint: change them where this tool gets them from" in rehearsal(bed, both)


def test_the_advice_of_kubectl_for_its_own_command_line_is_left_out(bed: Bed) -> None:
    advice = "--they currently have other managers. Re-run with `--force-conflicts`.\n#conflicts"
    said = rehearsal(bed, f"{CONFLICT.format('flux')}{advice}\nError: another one")
    assert "--force-conflicts" not in said
    assert said.split("\n")[0].endswith(".image Error: another one")


def test_a_value_of_a_secret_that_is_no_text_is_not_shown(bed: Bed) -> None:
    said = rehearsal(
        bed, ".stringData.PIN: expected string, got &value.valueUnstructured{Value:4711}"
    )
    assert "4711" not in said
    assert ".stringData.PIN: expected string" in said


def test_fields_that_our_own_rollback_has_set_are_taken(bed: Bed) -> None:
    bed.runner = ScriptedRunner(
        Finished(1, "", CONFLICT.format("gen-workflow")), Finished(0), Finished(0)
    )
    new = with_manifest(None, manifest(template(app=OLD)))
    apply = by_manifests(bed, new)
    apply.rehearse()
    apply.run()
    assert ["--force-conflicts" in each.argv for each in bed.runner.ran] == [False, True, True]


def test_manifests_for_a_namespace_that_they_make_cannot_be_rehearsed(bed: Bed) -> None:
    missing = 'Error from server (NotFound): namespaces "shop" not found'
    bed.runner = ScriptedRunner(Finished(1, "", missing), Finished(1, "", missing))
    new = with_manifest(None, manifest(template(app=OLD)))
    apply = by_manifests(bed, new)
    with pytest.raises(UserError, match='namespaces "shop" not found'):
        apply.rehearse()
    space = {"kind": "Namespace", "metadata": {"name": "shop"}}
    apply.plan = apply.plan._replace(objects=(space, *apply.plan.objects))
    apply.rehearse()
    assert bed.told == ["the namespace is new, so the cluster cannot be asked before"]


def test_the_manifests_go_over_stdin_and_name_their_namespace(bed: Bed) -> None:
    runner = applies(bed)
    by_manifests(bed, with_manifest(None, manifest(template(app=OLD)))).run()
    [command] = runner.ran
    assert command.argv[:4] == (
        "kubectl", "apply", "--server-side", "--field-manager=gen-workflow",
    )  # fmt: skip
    assert "--namespace=shop" in command.argv
    assert command.why == "apply 1 object"
    assert "--request-timeout=60s" in command.argv


def test_an_error_of_the_step_is_not_hidden(bed: Bed) -> None:
    bed.runner = ScriptedRunner(Finished(1, "", ""))
    apply = by_manifests(bed, with_manifest(None, manifest(template(app=OLD))))
    with pytest.raises(StepFailed, match="kubectl gave no reason"):
        apply.run()
