"""The plan of `bootstrap`, from plain facts: what is stricter stays, and nothing is set twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gen_workflow.bootstrap import actions, environments, rules, settings
from gen_workflow.bootstrap.actions import Others
from gen_workflow.bootstrap.environments import Ref, There
from gen_workflow.bootstrap.files import Held
from gen_workflow.bootstrap.settings import Gate, Settings
from gen_workflow.bootstrap.values import Hidden, Values
from gen_workflow.errors import SpecError

ROOT = Path(__file__).parents[4]
PATH = "/repos/acme/shop"
MAIN, TAGS = Ref("main"), Ref("v*", "tag")
OCTOCAT = ("User", 1)


def planned(known: There | None, *refs: Ref, limited: str = "", **gate: Any) -> Any:
    wanted = environments.Wanted("production", refs, Gate(**gate))
    held = {"production": known} if known else {}
    found = environments.Found(held, {"octocat": OCTOCAT})
    return environments.plan(PATH, [wanted], found, limited)


def there(
    reviewers: tuple[tuple[str, int], ...], policy: str, *refs: Ref, wait: int = 10, **more: bool
) -> There:
    return There(wait, reviewers=reviewers, policy=policy, refs=refs, **more)


def bodies(part: Any) -> list[Any]:
    return [step.body for step in part.steps]


def test_an_environment_is_made_before_it_is_limited() -> None:
    part = planned(None, MAIN, TAGS, reviewers=("octocat",), wait="10")
    gate = {"wait_timer": 10, "reviewers": [{"type": "User", "id": 1}]}
    custom = {"protected_branches": False, "custom_branch_policies": True}
    assert bodies(part) == [
        gate,
        {**gate, "deployment_branch_policy": custom},
        {"name": "main", "type": "branch"},
        {"name": "v*", "type": "tag"},
    ]
    assert [bool(step.spare) for step in part.steps] == [False, True, True, True]


@pytest.mark.parametrize(
    ("held", "steps"),
    [
        (
            there((OCTOCAT, ("Team", 5)), "custom", MAIN, TAGS, wait=30, prevent_self_review=True),
            [],
        ),
        (there((OCTOCAT,), "protected", wait=30), []),
        (there((OCTOCAT,), "custom", Ref("*"), Ref("*", "tag")), []),
        (there((OCTOCAT,), "custom", MAIN), [{"name": "v*", "type": "tag"}]),
        (
            there((("Team", 5),), "custom", MAIN, TAGS, wait=5, prevent_self_review=True),
            [
                {
                    "wait_timer": 10,
                    "prevent_self_review": True,
                    "reviewers": [{"type": "Team", "id": 5}, {"type": "User", "id": 1}],
                    "deployment_branch_policy": {
                        "protected_branches": False,
                        "custom_branch_policies": True,
                    },
                }
            ],
        ),
    ],
)
def test_of_an_environment_that_is_there_the_stricter_stays(held: There, steps: list[Any]) -> None:
    assert bodies(planned(held, MAIN, TAGS, reviewers=("octocat",), wait="10")) == steps


def test_branches_that_somebody_has_chosen_are_told_and_left() -> None:
    part = planned(There(policy="custom", refs=(MAIN, Ref("hotfix/*"))), MAIN, TAGS)
    assert part.steps == ()
    (left,) = part.left
    assert left.startswith("production takes deploys from the branch main and the branch hotfix/*")
    assert "add the tag v* under Settings > Environments > production" in left


def test_more_reviewers_than_github_takes_are_refused() -> None:
    many = tuple(("User", number) for number in range(2, 8))
    (refused,) = planned(There(reviewers=many), MAIN, reviewers=("octocat",)).refused
    assert refused.startswith("production would have more than 6 reviewers")


@pytest.mark.parametrize("level", ["free", "pro", "team"])
def test_a_plan_without_reviewers_is_told_and_public_repositories_have_them(level: str) -> None:
    (refused,) = planned(None, MAIN, limited=level, reviewers=("octocat",)).refused
    assert f"the plan is {level}" in refused
    assert not planned(None, MAIN, reviewers=("octocat",)).refused


def test_rules_that_hold_already_need_no_ruleset_whoever_has_made_them() -> None:
    wanted = Settings(approvals="1")
    strict = {"required_approving_review_count": 2}
    active = {"deletion": {}, "non_fast_forward": {}, "pull_request": strict}
    assert rules.plan(PATH, rules.Found(active), wanted, "").steps == ()
    (step,) = rules.plan(PATH, rules.Found({**active, "pull_request": {}}), wanted, "").steps
    assert (step.verb, step.path) == ("POST", f"{PATH}/rulesets")


def test_our_ruleset_keeps_what_somebody_has_made_stricter() -> None:
    own = {
        "deletion": {},
        "required_signatures": {},
        "pull_request": {
            "required_approving_review_count": 3,
            "require_code_owner_review": True,
            "allowed_merge_methods": ["squash"],
        },
    }
    (step,) = rules.plan(PATH, rules.Found({}, 7, own), Settings(approvals="1"), "").steps
    assert (step.verb, step.path) == ("PUT", f"{PATH}/rulesets/7")
    assert step.body
    found = {one["type"]: one.get("parameters", {}) for one in step.body["rules"]}
    assert {*found} == {"deletion", "non_fast_forward", "pull_request", "required_signatures"}
    assert found["pull_request"]["required_approving_review_count"] == 3
    assert found["pull_request"]["require_code_owner_review"]
    assert found["pull_request"]["allowed_merge_methods"] == ["squash"]


def test_actions_that_are_off_or_limited_are_told_and_left() -> None:
    strict = actions.Found(
        enabled=False, allowed="selected", pinning=True, token="read", immutable=True,
        approval="all_external_contributors",
    )  # fmt: skip
    part = actions.plan(PATH, strict, Others())
    assert part.steps == ()
    assert part.left == (
        "turn GitHub Actions on under Settings > Actions > General: no workflow runs without it",
    )
    some = actions.plan(PATH, strict._replace(enabled=True), Others())
    assert some.left[0].startswith("Settings > Actions > General allows only some actions")
    unknown = actions.Found(pinning=None, token=None, approval=None, immutable=None)
    assert actions.plan(PATH, unknown, Others()).steps == ()


def test_a_plan_says_what_other_workflows_feel_of_it_and_leaves_what_is_to_be_left() -> None:
    text = "jobs: {a: {steps: [{uses: actions/checkout@v4}, {run: gh release create v1}]}}\n"
    ours = ".github/workflows/ci-cd.yml"
    others = Held({".github/workflows/x.yml": text, ours: text}).others((ours,))
    assert others == Others(("actions/checkout@v4",), ("x.yml",), ("x.yml",))
    part = actions.plan(PATH, actions.Found(approval=None), others)
    token, releases = (step.says for step in part.steps)
    assert token.endswith(" (no permissions are named in x.yml)")
    assert releases == "make releases immutable (x.yml may only add files to a draft then)"
    assert len(part.left) == 1
    leave = ("permissions", "pinning", "forks", "releases")
    assert actions.plan(PATH, actions.Found(), others, leave).steps == ()
    assert {*leave} <= {*settings.DEFAULTS}


def test_approvals_need_the_rules_that_they_are_a_part_of() -> None:
    raw = b"leave: rules\napprovals: 1\n"
    with pytest.raises(SpecError, match=r"bootstrap\.yml:2:12 approvals: cannot be beside"):
        settings.read(raw, "bootstrap.yml", ())


def test_the_token_of_the_run_is_no_value_for_the_workflow() -> None:
    exported = Values({}, {}, {"GH_TOKEN": "ghp_x", "DB_URL": "postgres://"})
    assert exported.of("production", "GH_TOKEN") is None
    assert exported.of("production", "DB_URL")


def test_no_representation_of_a_value_shows_it() -> None:
    assert [f"{Hidden('pass')}", repr([Hidden("pass")])] == ["***", "[***]"]


def test_the_settings_of_the_docs_say_what_they_explain() -> None:
    page = (ROOT / "docs" / "bootstrap.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(# bootstrap\.yml\n.*?)```", page, re.DOTALL)
    found = settings.read(example.encode(), "bootstrap.yml", ("production",))
    assert (found.visibility, found.template, found.approvals) == ("private", "acme/template", "1")
    assert found.leave == ("pinning", "releases")
    gate = found.gate("production")
    assert gate == Gate(("octocat", "acme/platform"), "10", "true", "production")
