"""Which containers get which image, and the patch that says no more than that."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_patches import merged
from ship.kube.kinds import CRON_JOB, DEPLOYMENT
from ship.kube.templates import all_containers
from ship.kubectl_set_image.plan import Change, Plan, plan
from ship.runner.errors import UserError
from unit.ship.kubectl_set_image.given import (
    NEW,
    OLD,
    OTHER,
    REPOSITORY,
    context,
    facts,
    found,
    read,
    template,
    workload,
)

if TYPE_CHECKING:
    from ship.kubectl_set_image.facts import Found

NOW = "2026-11-30T12:00:00Z"
CAUSE = f"{NEW} 0123456789ab https://github.com/acme/app/actions/runs/77"
COMMIT = (
    "https://github.com/acme/app/.github/workflows/deploy.yml refs/heads/main "
    "0123456789abcdef0123456789abcdef01234567 7"
)
NOTED = {"kubernetes.io/change-cause": CAUSE, "io.github.gen-workflow/commit": COMMIT}


def planned(*all_found: Found, **changes: str) -> Plan:
    return plan(read(**{"JOB_TOKEN": "ghp_x", **changes}), facts(*all_found), context(), NOW)


def change(pods: dict[str, Any], **changes: str) -> Change:
    [only] = planned(found(workload(pods)), **changes).changes
    return only


def refusal(*all_found: Found, **changes: str) -> str:
    with pytest.raises(UserError) as raised:
        planned(*all_found, **changes)
    return str(raised.value)


@pytest.mark.parametrize(
    ("pods", "image", "images"),
    [
        (template(app=OLD), NEW, {"app": NEW}),
        (template(app=OLD, proxy=OTHER), NEW, {"app": NEW}),
        (template(app=OLD, worker=f"{REPOSITORY}:1.2"), NEW, {"app": NEW, "worker": NEW}),
        (template(app=f"{REPOSITORY}:${{TAG}}"), NEW, {"app": NEW}),
        (template(app=OLD, inits={"migrate": OLD}), NEW, {"migrate": NEW, "app": NEW}),
        (template(app="placeholder"), NEW, {"app": NEW}),
        (template(app="placeholder", inits={"wait": "busybox"}), NEW, {"app": NEW}),
        (template(app="x", proxy="y"), f"proxy={OTHER}", {"proxy": OTHER}),
        (template(app="x", inits={"migrate": "y"}), f"migrate={NEW}", {"migrate": NEW}),
        (template(app="x", proxy="y", inits={"i": "z"}), f"*={NEW}", {"app": NEW, "proxy": NEW}),
        (template(app="x", proxy="y"), f"*={NEW}\nproxy={OTHER}", {"app": NEW, "proxy": OTHER}),
        (template(app="x", proxy="y"), f"proxy={OTHER}\n*={NEW}", {"app": NEW, "proxy": OTHER}),
        (template(app=OLD, proxy="y"), f"{NEW}\nproxy={OTHER}", {"app": NEW, "proxy": OTHER}),
        (template(app="docker.io/library/nginx:1"), "nginx@sha256:" + "1" * 64, {"app"}),
    ],
)
def test_an_image_goes_to_the_containers_that_are_meant(
    pods: dict[str, Any], image: str, images: Any
) -> None:
    found_images = change(pods, image=image).images
    assert (set(found_images) if isinstance(images, set) else found_images) == images


def test_what_is_said_in_the_line_of_a_workload_goes_before_what_is_said_for_all() -> None:
    web = found(workload(template(app="x", proxy="y")))
    api = found(workload(template(app="x"), name="api"))
    inputs = read(workload=f"deploy/web app={OTHER}\ndeploy/api", image=f"app={NEW}\nproxy={NEW}")
    all_facts = facts(web._replace(target=inputs.targets[0]), api)
    made = plan(inputs, all_facts, context(), NOW)
    assert [dict(each.images) for each in made.changes] == [
        {"app": OTHER, "proxy": NEW},
        {"app": NEW},
    ]


@pytest.mark.parametrize(
    ("pods", "changes", "said"),
    [
        (
            template(app="x", proxy="y"),
            {},
            f"uses the repository of {NEW}; it has app (x), proxy (y)",
        ),
        (
            template(app=OLD),
            {"image": f"{NEW}\n{REPOSITORY}@sha256:{'e' * 64}"},
            f"container 'app' of deployment/web fits {NEW} and",
        ),
        (template(app=OLD), {"image": f"{NEW}\naap={NEW}"}, "did you mean 'app'?"),
        (template(app=OLD), {"image": f"{NEW}\nxyz={NEW}"}, "use one of app"),
        (
            template(app=OLD),
            {"image": f"{NEW}\n{OTHER}"},
            f"no container of deployment/web uses the repository of {OTHER}",
        ),
    ],
)
def test_an_image_that_nothing_uses_is_refused(
    pods: dict[str, Any], changes: dict[str, str], said: str
) -> None:
    assert said in refusal(found(workload(pods)), **changes)


def test_a_container_of_one_workload_alone_is_named_in_its_line() -> None:
    web = found(workload(template(app=OLD)))
    inputs = read(workload=f"deploy/web wrker={NEW}", image=NEW)
    with pytest.raises(UserError) as raised:
        plan(inputs, facts(web._replace(target=inputs.targets[0])), context(), NOW)
    said = str(raised.value)
    assert "input `workload`: deployment/web has no container 'wrker'" in said


def test_an_image_that_fits_one_workload_is_not_set_in_another_that_has_one_container() -> None:
    """The database beside the app is no placeholder."""
    web, db = found(workload(template(app=OLD))), found(workload(template(db="pg:16"), name="db"))
    said = refusal(web, db, workload="deploy/web\ndeploy/db")
    assert f"no container of deployment/db uses the repository of {NEW}" in said


def test_a_placeholder_may_stand_in_several_workloads() -> None:
    both = (
        found(workload(template(app="placeholder"))),
        found(workload(template(job="placeholder"), CRON_JOB, "jobs")),
    )
    changes = planned(*both, workload="deploy/web\ncronjob/jobs").changes
    assert [dict(each.images) for each in changes] == [{"app": NEW}, {"job": NEW}]


def test_the_patch_says_no_more_than_is_needed() -> None:
    pods = template(app=OLD, proxy=OTHER, inits={"wait": "busybox"})
    assert change(pods).patch == {
        "metadata": {"resourceVersion": "42", "annotations": NOTED},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": NEW}]}}},
    }


def test_the_patch_of_a_cron_job_is_in_its_job_template() -> None:
    [only] = planned(found(workload(template(app=OLD), CRON_JOB)), workload="cj/web").changes
    spec = only.patch["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert spec == {"containers": [{"name": "app", "image": NEW}]}


def test_init_containers_are_patched_as_such() -> None:
    patch = change(template(app="x", inits={"i": "y"}), image=f"i={NEW}").patch
    assert patch["spec"]["template"]["spec"] == {"initContainers": [{"name": "i", "image": NEW}]}


def test_a_pull_secret_is_added_only_where_it_is_missing() -> None:
    pods = template(app=OLD)
    added = change(pods, pull_secret="ghcr").patch["spec"]["template"]["spec"]
    assert added["imagePullSecrets"] == [{"name": "ghcr"}]
    pods["spec"]["imagePullSecrets"] = [{"name": "other"}, {"name": "ghcr"}]
    kept = change(pods, pull_secret="ghcr").patch["spec"]["template"]["spec"]
    assert "imagePullSecrets" not in kept
    assert change(template(app=NEW), pull_secret="ghcr").patch, "the image alone is as it was"


def test_what_has_its_images_already_is_not_changed() -> None:
    same = change(template(app=NEW))
    assert not same.patch
    assert "nothing to do, it has these images" in same.shown()


def test_what_has_its_images_already_may_be_restarted() -> None:
    patch = change(template(app=NEW), restart_on_no_change="true").patch
    template_patch = patch["spec"]["template"]
    assert template_patch["metadata"]["annotations"] == {"kubectl.kubernetes.io/restartedAt": NOW}
    moved = change(template(app=OLD), restart_on_no_change="true").patch
    assert "metadata" not in moved["spec"]["template"]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from([OLD, NEW, OTHER]), min_size=1),
    st.dictionaries(st.sampled_from("efg"), st.sampled_from([OLD, NEW, OTHER])),
    st.sampled_from([f"*={NEW}", f"a={NEW}", NEW]),
)
def test_the_patch_gives_the_template_of_the_plan(
    images: dict[str, str], inits: dict[str, str], image: str
) -> None:
    there = workload(template(inits=inits, **images))
    before = copy.deepcopy(there)
    try:
        [only] = planned(found(there), image=image).changes
    except UserError:
        return
    after = merged(there, only.patch)
    assert DEPLOYMENT.template_of(after) == only.template
    assert all_containers(only.template) == {**all_containers(only.found.live), **only.images}
    assert {name: only.previous[name] for name in images if name in only.images} == {
        name: image for name, image in images.items() if name in only.images
    }
    assert there == before, "the facts are not changed"
    assert bool(only.patch) == (only.template != only.found.live)


OLDER = "https://github.com/acme/app/.github/workflows/deploy.yml refs/heads/main {} {}"


@pytest.mark.parametrize(
    ("noted", "refused"),
    [
        (OLDER.format("f" * 40, 8), True),
        (OLDER.format("f" * 40, 6), False),
        (OLDER.format("0123456789abcdef0123456789abcdef01234567", 8), False),
        (OLDER.replace("main", "dev").format("f" * 40, 8), False),
        (OLDER.replace("deploy.yml", "other.yml").format("f" * 40, 8), False),
        ("nonsense\n::error::x", False),
        ("", False),
    ],
)
def test_a_newer_commit_is_not_replaced_by_an_older_one(noted: str, *, refused: bool) -> None:
    there = found(workload(template(app=OLD), annotations={"io.github.gen-workflow/commit": noted}))
    if refused:
        said = refusal(there)
        assert (
            "deployment/web has a newer commit (ffffffffffff of main), and this run is for" in said
        )
        assert "older-commit: deploy" in said
    else:
        assert planned(there).changes[0].patch
    assert planned(there, older_commit="deploy").changes[0].patch


def owned(fields: dict[str, Any], manager: str = "argocd", operation: str = "Apply") -> Found:
    there = workload(template(app=OLD, proxy=OTHER))
    there["metadata"]["managedFields"] = [
        {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": {"f:template": fields}}}
    ]
    return found(there)


def of_container(name: str, *fields: str) -> dict[str, Any]:
    return {
        "f:spec": {"f:containers": {f'k:{{"name":"{name}"}}': {".": {}, **{f: {} for f in fields}}}}
    }


def test_who_else_applies_the_image_is_told_before() -> None:
    [only] = planned(owned(of_container("app", "f:image", "f:name"))).changes
    [note] = only.notes
    assert note.startswith("argocd applies the image of app from elsewhere: it may set it back")


@pytest.mark.parametrize(
    "there",
    [
        owned(of_container("proxy", "f:image")),
        owned(of_container("app", "f:imagePullPolicy", "f:name")),
        owned(of_container("app", "f:image"), operation="Update"),
        owned(of_container("app", "f:image"), manager="gen-workflow"),
        owned(
            {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"app"}': {"f:resources": {}},
                        'k:{"name":"proxy"}': {"f:image": {}},
                    }
                }
            }
        ),
        owned({}),
    ],
)
def test_who_applies_something_else_is_not_in_the_way(there: Found) -> None:
    assert planned(there).changes[0].notes == ()


def test_a_volume_that_is_an_older_image_is_told() -> None:
    pods = template(app=OLD)
    pods["spec"]["volumes"] = [
        {"name": "assets", "image": {"reference": OLD}},
        {"name": "other", "image": {"reference": OTHER}},
        {"name": "tmp", "emptyDir": {}},
    ]
    assert change(pods).notes == (f"the volume assets is the image {OLD}, which is not changed",)


def test_an_unhealthy_workload_is_told_with_what_a_rollback_can_do() -> None:
    there = workload(template(app=OLD))
    good = template(app=OTHER)
    [back] = planned(found(there, healthy=False, serving=good)).changes
    assert back.notes == (
        "it is not healthy now: a rollback goes to the version whose pods are ready",
    )
    assert back.back == good
    [none] = planned(found(there, healthy=False)).changes
    assert "no pod is ready, so a rollback can only put back what is there now" in none.notes[0]
    assert none.back == template(app=OLD)


def test_manifests_get_the_images_and_the_others_stay_as_they_are() -> None:
    written = workload(template(app="placeholder", proxy=OTHER))
    service = {"kind": "Service", "metadata": {"name": "web"}}
    new = found(None, manifest=written)
    all_facts = facts(new)._replace(objects=(service, written))
    made = plan(read(workload="", apply=".", image=f"app={NEW}"), all_facts, context(), NOW)
    assert made.objects[0] == service
    images = all_containers(DEPLOYMENT.template_of(made.objects[1]))
    assert images == {"app": NEW, "proxy": OTHER}
    assert made.objects[1]["metadata"]["annotations"] == NOTED
    [only] = made.changes
    assert not only.patch
    assert only.back is None
    assert dict(only.previous) == {"app": ""}
    assert all_containers(DEPLOYMENT.template_of(written))["app"] == "placeholder"
    assert "create it from its manifest" in made.shown()


def test_a_workload_of_the_manifests_that_uses_no_image_is_applied_as_it_is() -> None:
    web = found(None, manifest=workload(template(app=OLD)))
    db = found(None, manifest=workload(template(db="pg:16"), name="db"))
    made = planned(web, db, workload="", apply=".")
    assert [str(each.target) for each in made.changes] == ["deployment/web", "deployment/db"]
    assert made.changes[1].images == {}


def test_a_manifest_keeps_a_container_without_an_image() -> None:
    """An image of null would take the place of what the server says of it."""
    written = workload(template(app=OLD))
    written["spec"]["template"]["spec"]["initContainers"] = [{"name": "wait"}]
    made = planned(found(None, manifest=written), workload="", apply=".")
    [wait] = made.objects[0]["spec"]["template"]["spec"]["initContainers"]
    assert wait == {"name": "wait"}


def test_a_plan_is_shown_to_a_person() -> None:
    shown = planned(found(workload(template(app=OLD, proxy=OTHER))), pull_secret="ghcr").shown()
    assert shown.split("\n") == [
        "namespace shop",
        "secret/ghcr: write it",
        "deployment/web: set images",
        f"  container app: {OLD} -> {NEW}",
    ]
