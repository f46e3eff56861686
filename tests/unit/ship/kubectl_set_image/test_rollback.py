"""`rollback`: a run that a person starts puts an earlier version back, and builds nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kube_api import Fault
from kube_world import crashes, is_not_found
from ship.kube.kinds import CRON_JOB, DEPLOYMENT, STATEFUL_SET
from ship.kube.templates import RESTARTED, fingerprint, with_images
from ship.kubectl_set_image.patches import CAUSE, COMMIT
from ship.kubectl_set_image.revisions import LEFT
from ship.runner.errors import StepFailed, UserError
from unit.ship.kubectl_set_image.given import DIGEST, NEW, OLD, REPOSITORY, template, workload
from unit.ship.kubectl_set_image.given import refusal as refusal_of
from unit.ship.kubectl_set_image.step_bed import Bed, web

if TYPE_CHECKING:
    from ship.kube.kinds import Kind

FIRST, SECOND, THIRD = (f"{REPOSITORY}@sha256:{digit * 64}" for digit in "123")
ALSO = "ghcr.io/acme/proxy@sha256:" + "c" * 64
NEWER = "https://github.com/acme/app/.github/workflows/deploy.yml refs/heads/main " + "f" * 40


def refusal(**changes: str) -> str:
    """Return what is said of wrong inputs of a rollback, with no image unless one is given."""
    return refusal_of(**{"image": "", **changes})


def rolls_back(bed: Bed, to: str = "previous", **changes: str) -> None:
    bed.another_step()
    bed.run(**{"image": "", "rollback": to, **changes})


def refused(bed: Bed, **changes: str) -> str:
    """Return why a rollback is refused, with nothing touched."""
    bed.another_step()
    before = len(bed.api.sent("PATCH"))
    error = bed.fails(UserError, **{"image": "", "rollback": "previous", **changes})
    assert len(bed.api.sent("PATCH")) == before
    assert bed.outputs["status"] == "refused"
    return str(error)


def has_had(
    bed: Bed,
    *images: str,
    kind: Kind = DEPLOYMENT,
    annotations: dict[str, str] | None = None,
) -> None:
    """Let a workload be rolled out with these images, one after the other."""
    made = workload(template(app=images[0]), kind, annotations=annotations)
    bed.has(made)
    for image in images[1:]:
        sets(bed, image, made["kind"])


def sets(bed: Bed, image: str, kind: str = "Deployment", **notes: str) -> None:
    """Change the template as a person does, and let it be rolled out."""

    def change(it: dict[str, Any]) -> None:
        it["spec"]["template"]["spec"]["containers"][0]["image"] = image
        it["spec"]["template"]["metadata"]["annotations"] = notes

    bed.api.edit(kind, "web", change)
    bed.world.settle(9)


def notes_of(bed: Bed, kind: str = "Deployment") -> dict[str, str]:
    return dict(bed.api.get(kind, "web")["metadata"].get("annotations") or {})


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET], ids=lambda kind: kind.word)
def test_the_template_of_the_revision_before_comes_back_and_is_watched(
    bed: Bed, kind: Kind
) -> None:
    has_had(bed, FIRST, SECOND, THIRD, kind=kind, annotations={COMMIT: f"{NEWER} 9"})
    rolls_back(bed, workload=f"{kind.word}/web")
    assert bed.image(kind=kind.name) == SECOND
    assert bed.world.pods() == [SECOND]
    assert (bed.outputs["status"], bed.outputs["cause"]) == ("updated", "rollback")
    assert (bed.outputs["image"], bed.outputs["previous-image"]) == (SECOND, THIRD)
    notes = notes_of(bed, kind.name)
    assert notes[CAUSE] == f"rollback to {SECOND} https://github.com/acme/app/actions/runs/77"
    # No later run is for an older commit than what a rollback brought.
    assert COMMIT not in notes
    assert f"{kind.word}/web: it goes back to revision 2\n" in bed.log.text


def test_the_whole_template_comes_back_and_not_the_images_alone(bed: Bed) -> None:
    before = template(app=FIRST, inits={"init": SECOND})
    before["spec"]["containers"][0]["args"] = ["--one", "--two"]
    bed.has(workload(before))
    after = template(app=SECOND, proxy=ALSO)
    bed.api.edit("Deployment", "web", lambda it: it["spec"].update(template=after))
    bed.world.settle(9)
    rolls_back(bed)
    assert bed.api.get("Deployment", "web")["spec"]["template"] == before
    assert bed.outputs["image"].split() == [SECOND, FIRST]


def test_a_second_rollback_goes_further_back_and_a_deploy_goes_on_as_usual(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND, THIRD)
    rolls_back(bed)
    rolls_back(bed)
    assert bed.image() == FIRST
    assert "it has no other" not in refused(bed)
    assert "its earlier revisions (2) were put back or left by a rollback" in refused(bed)
    bed.another_step()
    bed.run()
    assert (bed.image(), bed.outputs["status"], bed.outputs["cause"]) == (NEW, "updated", "")
    rolls_back(bed)
    assert bed.image() == FIRST


def test_a_version_that_has_failed_is_passed_over(bed: Bed) -> None:
    has_had(bed, FIRST)
    bed.world.images[NEW] = is_not_found
    bed.fails()
    assert notes_of(bed)[LEFT] == fingerprint(template(app=NEW))
    sets(bed, THIRD)
    rolls_back(bed)
    assert bed.image() == FIRST


def test_a_version_that_has_failed_and_is_healthy_later_is_a_version_to_go_back_to(
    bed: Bed,
) -> None:
    has_had(bed, FIRST)
    bed.world.images[NEW] = is_not_found
    bed.fails()
    del bed.world.images[NEW]
    bed.another_step()
    bed.run()
    assert LEFT not in notes_of(bed)
    sets(bed, THIRD)
    rolls_back(bed)
    assert bed.image() == NEW


def test_from_a_version_that_was_kept_though_it_failed_it_goes_to_what_serves(bed: Bed) -> None:
    has_had(bed, FIRST)
    bed.world.images |= {SECOND: crashes, THIRD: is_not_found}
    sets(bed, SECOND)
    sets(bed, THIRD)
    rolls_back(bed)
    assert (bed.image(), bed.world.pods()) == (FIRST, [FIRST])


def test_a_restart_is_no_version(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND)
    sets(bed, SECOND, **{RESTARTED: "2026-11-30T12:00:00Z"})
    rolls_back(bed)
    assert bed.image() == FIRST


def test_a_rollback_that_fails_goes_back_to_where_it_began(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND, annotations={COMMIT: f"{NEWER} 9", CAUSE: "mine"})
    bed.world.images[FIRST] = is_not_found
    error = bed.fails(image="", rollback="previous")
    assert error.exit_code == 4
    assert (bed.image(), bed.outputs["status"]) == (SECOND, "rolled-back")
    assert bed.outputs["cause"] == "image-not-found"
    notes = notes_of(bed)
    assert (notes[COMMIT], notes[CAUSE]) == (f"{NEWER} 9", "mine")
    assert notes[LEFT] == fingerprint(template(app=FIRST))


def test_all_workloads_go_back_or_none(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND)
    bed.has(web(FIRST, name="worker"))
    both = "deployment/web\ndeployment/worker"
    said = refused(bed, workload=both)
    assert "no version of deployment/worker to go back to: it has no other revision" in said
    assert "name the digest of the image instead of `previous`" in said
    assert bed.image() == SECOND


def test_another_change_in_between_is_not_overwritten(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND)

    def overtake(request: Any) -> None:
        if request.method == "PATCH" and not request.query.get("dryRun"):
            bed.api.before = lambda _: None
            sets(bed, THIRD)

    bed.api.before = overtake
    error = bed.fails(StepFailed, image="", rollback="previous")
    assert "was changed" in str(error)
    assert bed.image() == THIRD


def test_a_lost_answer_is_looked_after(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND)
    bed.api.edit(
        "Deployment", "web",
        lambda it: it["spec"]["template"]["spec"].update(
            containers=[{"name": "app", "image": THIRD, "args": ["--one"], "ports": [{"x": 1}]}]
        ),
    )  # fmt: skip
    bed.world.settle(9)
    sets(bed, NEW)
    lost = Fault(cut="before", method="PATCH", done=True)

    def lose(request: Any) -> None:
        if request.method == "PATCH" and not request.query.get("dryRun"):
            bed.api.before = lambda _: None
            bed.api.fail(lost)

    bed.api.before = lose
    rolls_back(bed)
    assert (bed.image(), bed.outputs["status"]) == (THIRD, "updated")


def test_a_cron_job_has_no_version_before_and_takes_a_digest(bed: Bed) -> None:
    bed.has(workload(template(app=OLD), CRON_JOB))
    assert "a CronJob keeps no revisions" in refused(bed, workload="cronjob/web")
    rolls_back(bed, DIGEST, workload="cronjob/web")
    spec = bed.api.get("CronJob", "web")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == NEW


@pytest.mark.parametrize("image", ["", REPOSITORY, f"app={REPOSITORY}"])
def test_a_digest_is_that_of_the_image_that_is_named_or_used(bed: Bed, image: str) -> None:
    bed.has(web(OLD, **{COMMIT: f"{NEWER} 9"}))
    rolls_back(bed, DIGEST, image=image)
    assert (bed.image(), bed.outputs["status"], bed.outputs["cause"]) == (
        NEW, "updated", "rollback"
    )  # fmt: skip
    notes = notes_of(bed)
    assert COMMIT not in notes
    assert notes[CAUSE].startswith(f"rollback to {NEW} ")
    assert notes[LEFT] == fingerprint(template(app=OLD))
    rolls_back(bed, DIGEST, image=image)
    assert (bed.outputs["status"], bed.outputs["cause"]) == ("unchanged", "")


def test_a_digest_for_several_images_is_refused(bed: Bed) -> None:
    bed.has(workload(template(app=OLD, proxy=ALSO)))
    said = refused(bed, rollback=DIGEST)
    assert f"the digest is for one: {REPOSITORY}, ghcr.io/acme/proxy" in said
    rolls_back(bed, DIGEST, image=REPOSITORY)
    assert bed.image() == NEW


def test_a_dry_run_shows_where_it_goes_and_no_values(bed: Bed) -> None:
    before = template(app=FIRST)
    before["spec"]["containers"][0]["env"] = [{"name": "PASSWORD", "value": "hunter2"}]
    bed.has(workload(before))
    sets(bed, SECOND)
    rolls_back(bed, dry_run="true")
    assert bed.image() == SECOND
    assert "deployment/web: go back to revision 1\n" in bed.log.text
    assert f"container app: {SECOND} -> {FIRST}" in bed.log.text
    assert "hunter2" not in bed.log.text


def test_the_answer_says_that_it_was_a_rollback(bed: Bed) -> None:
    has_had(bed, FIRST, SECOND)
    rolls_back(bed)
    [told] = json.loads(bed.outputs["workloads"])
    assert (told["status"], told["cause"], told["rollback"]) == ("updated", "rollback", "")


def test_what_is_not_about_the_workloads_is_refused() -> None:
    said = refusal(rollback="previous", apply=".", secret="env: [KEY]", KEY="x")
    for name in ("apply", "secret"):
        assert f"input `{name}`: has no use together with `rollback`" in said
    assert "input `pull-secret`: has no use" in refusal(
        rollback=DIGEST, pull_secret="pull", registry_password="x"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rollback": "v1"}, "'v1' is neither `previous` nor a digest"),
        ({"rollback": "previous", "image": NEW}, "input `image`: has no use together with"),
        ({"rollback": DIGEST, "image": NEW}, "is not a name alone"),
        ({"rollback": DIGEST, "image": f"{REPOSITORY}:main"}, "is not a name alone"),
        ({"rollback": DIGEST, "image": "ghcr.io/Acme/app"}, "write ghcr.io/acme/app"),
        (
            {"rollback": "previous", "workload": f"deployment/web app={NEW}"},
            "deployment/web has images, and `rollback` is given",
        ),
        ({"rollback": "previous", "workload": ""}, "input `workload`: is required"),
    ],
)
def test_inputs_that_do_not_go_together(given: dict[str, str], said: str) -> None:
    assert said in refusal(**given)


def test_a_fingerprint_is_about_what_the_pods_are() -> None:
    one = template(app=FIRST)
    same = {**one, "metadata": {**one["metadata"], "creationTimestamp": None, "annotations": {}}}
    assert fingerprint(same) == fingerprint(one)
    assert fingerprint(with_images(one, {"app": SECOND})) != fingerprint(one)
