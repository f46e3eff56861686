"""The tags of an image without any rule."""

from __future__ import annotations

import pytest

from ship.images.tags import Wanted, needs_published
from unit.ship.images.tags.runs import REPOSITORY, RUNS, SHA, Run, described, push

FIXED = f"sha-{SHA[:12]}"


def defaults(run: Run, published: tuple[str, ...] | None = (), flavor: str = "") -> tuple[str, ...]:
    return described("", run, flavor=flavor, published=published).tag_names


def version(text: str) -> Run:
    return push(f"refs/tags/{text}")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("push to the default branch", ("main", FIXED)),
        ("push to another branch", ("dev", FIXED)),
        ("push of a version", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("push of a pre-release", ("2.0.0-rc.1", FIXED)),
        ("push of another tag", ("20260705-fix", FIXED)),
        ("pull request", ("pr-7", FIXED)),
        ("pull request with the rights of its target", ("pr-7", FIXED)),
        ("review", ("pr-7", FIXED)),
        ("schedule", ("nightly", "main", FIXED)),
        ("release", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("run by hand", ("main", FIXED)),
        ("run by hand on a tag", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("branch was made", ("dev", FIXED)),
        ("tag was made", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("merge queue", ("gh-readonly-queue-main-pr-7-abc", FIXED)),
        ("nothing but a ref", ("main", FIXED)),
    ],
)
def test_each_event_has_its_tags(run: str, expected: tuple[str, ...]) -> None:
    assert defaults(RUNS[run]) == expected
    assert described("  \n# none\n", RUNS[run], published=()).tag_names == expected


@pytest.mark.parametrize(
    ("pushed", "published", "moved"),
    [
        ("v1.2.3", (), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.3", "1.2", "1", "latest", "main"), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.2", "v1.2.2", "1.1.9", "0.9.0"), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.10",), ()),
        ("v1.2.3", ("1.3.0",), ("1.2",)),
        ("v1.2.3", ("2.0.0",), ("1.2", "1")),
        ("v1.2.3", ("v2.0.0",), ("1.2", "1")),
        ("v1.2.3", ("2.0.0-rc.1", "9.9", "20260705", "sha-99", "03.0.0"), ("1.2", "1", "latest")),
        ("v0.3.1", (), ("0.3", "latest")),
        ("v0.3.1", ("0.4.0",), ("0.3",)),
        ("v0.3.1", ("0.3.2", "1.0.0"), ()),
        ("v1.2.3-rc.1", (), ()),
        ("1.2.3+build.7", (), ("1.2", "1", "latest")),
    ],
)
def test_what_moves_only_moves_forward(
    pushed: str, published: tuple[str, ...], moved: tuple[str, ...]
) -> None:
    tags = defaults(version(pushed), published)
    assert tuple(tag for tag in tags if tag in ("1.2", "1", "0.3", "0", "latest")) == moved
    assert tags[0] == pushed.removeprefix("v").partition("+")[0]


def test_when_the_registry_cannot_tell_nothing_moves_and_a_notice_says_so() -> None:
    made = described("", version("v1.2.3"), published=None)
    assert made.tag_names == ("1.2.3", FIXED)
    (notice,) = made.notices
    assert notice == (
        "1.2, 1, latest stay where they are, because it is not known whether the registry has a "
        "higher version than v1.2.3"
    )
    (notice,) = described("", version("v0.3.1"), published=None).notices
    assert notice.startswith("0.3, latest stay where they are")
    assert described("", RUNS["push to the default branch"], published=None).notices == ()
    assert described("", version("v1.2.3-rc.1"), published=None).notices == ()


@pytest.mark.parametrize(
    ("flavor", "published", "expected"),
    [
        ("prefix=a-", ("a-2.0.0",), ("a-1.2.3", "a-1.2", "a-1", FIXED)),
        ("prefix=a-", ("2.0.0", "b-2.0.0"), ("a-1.2.3", "a-1.2", "a-1", FIXED, "latest")),
        ("suffix=-s", ("1.3.0-s",), ("1.2.3-s", "1.2-s", f"{FIXED}-s")),
        ("suffix=-s,onlatest=true", ("2.0.0",),
         ("1.2.3-s", "1.2-s", "1-s", f"{FIXED}-s", "latest-s")),
        ("prefix={{date 'YYYY'}}/", ("2026-2.0.0",),
         ("2026-1.2.3", "2026-1.2", "2026-1", FIXED)),
        ("latest=false", (), ("1.2.3", "1.2", "1", FIXED)),
        ("latest=true", ("2.0.0",), ("1.2.3", "1.2", "1", FIXED, "latest")),
    ],
)  # fmt: skip
def test_versions_are_compared_only_with_those_of_the_same_flavor(
    flavor: str, published: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    # The prefix `sha-` is one of the rule, so a common prefix is not for it.
    assert defaults(version("v1.2.3"), published, flavor) == expected


def test_latest_can_be_set_without_a_version() -> None:
    assert defaults(RUNS["push to the default branch"], None, "latest=true") == (
        "main", FIXED, "latest",
    )  # fmt: skip


def test_the_registry_is_asked_only_when_tags_depend_on_it() -> None:
    stable = version("v1.2.3").facts()
    assert needs_published(Wanted(), stable)
    assert not needs_published(Wanted(tags="x"), stable)
    assert not needs_published(Wanted(), version("v1.2.3-rc.1").facts())
    assert not needs_published(Wanted(), version("nightly").facts())
    assert not needs_published(Wanted(), RUNS["push to the default branch"].facts())


def test_the_default_tags_have_at_least_twelve_digits_of_the_commit() -> None:
    run = RUNS["push to the default branch"]
    for asked, digits in (("7", 12), ("16", 16)):
        env = {"DOCKER_METADATA_SHORT_SHA_LENGTH": asked}
        assert described("", run, env=env).tag_names == ("main", f"sha-{SHA[:digits]}")


@pytest.mark.parametrize(
    ("tags", "run", "shown"),
    [
        ("", "push to the default branch", FIXED),
        ("", "push of a version", "1.2.3"),
        ("", "pull request", FIXED),
        ("type=ref,event=branch\nlatest", "push to the default branch", "main"),
        ("type=ref,event=branch\ntype=sha", "push to the default branch", f"sha-{SHA[:7]}"),
        ("type=semver,pattern={{major}}\ntype=semver,pattern={{version}}", "push of a version",
         "1.2.3"),
        ("type=semver,pattern={{major}}", "push of a version", "1"),
        ("type=semver,pattern={{major}}", "run by hand", ""),
    ],
)  # fmt: skip
def test_the_tag_to_show_is_a_fixed_one_when_there_is_one(tags: str, run: str, shown: str) -> None:
    assert described(tags, RUNS[run], published=()).shown == shown


def release(**changes: object) -> Run:
    about = {"tag_name": "v1.2.3", "draft": False, "prerelease": False, **changes}
    payload = {"action": "published", "repository": REPOSITORY, "release": about}
    return Run("release", "refs/tags/v1.2.3", payload)


@pytest.mark.parametrize("changes", [{"prerelease": True}, {"draft": True}])
def test_a_release_that_is_marked_as_a_pre_release_moves_no_tag(changes: dict[str, bool]) -> None:
    made = described("", release(**changes), published=())
    assert made.tag_names == ("1.2.3", FIXED)
    assert made.notices == (
        "1.2, 1, latest stay where they are, because this release is marked as a pre-release",
    )
    assert not needs_published(Wanted(), release(**changes).facts())
    assert "latest" in defaults(release())
    assert "latest" in defaults(release(**changes), flavor="latest=true"), "the person says so"
    theirs = described("type=semver,pattern={{version}}", release(**changes))
    assert theirs.tag_names == ("1.2.3", "latest"), "rules mean what they mean elsewhere"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("latest", "branch-latest"),
        ("99.0.0", "branch-99.0.0"),
        ("v99.0.0", "branch-v99.0.0"),
        ("2.0.0-rc.1", "branch-2.0.0-rc.1"),
        ("1.2", "branch-1.2"),
        ("1", "branch-1"),
        ("pr-7", "branch-pr-7"),
        (FIXED, f"branch-{FIXED}"),
        ("content-0123", "branch-content-0123"),
        ("buildcache-api", "branch-buildcache-api"),
        ("1.x", "1.x"),
        ("v1.2", "v1.2"),
        ("Latest", "Latest"),
        ("feat/latest", "feat-latest"),
        ("nightly", "nightly"),
    ],
)
def test_a_branch_does_not_take_a_tag_of_another_kind(name: str, tag: str) -> None:
    made = described("", push(f"refs/heads/{name}"), published=())
    assert made.tag_names == (tag, FIXED)
    expected = f"the branch {name} gives the tag {tag}, because {name} is kept for versions, "
    expected += "pull requests or commits"
    assert made.notices == ((expected,) if tag.startswith("branch-") else ())
    theirs = described("type=ref,event=branch", push(f"refs/heads/{name}")).tag_names
    assert theirs == (name.replace("/", "-"),), "rules mean what they mean elsewhere"


@pytest.mark.parametrize(("name", "tag"), [("latest", "tag-latest"), ("1.2", "tag-1.2")])
def test_neither_does_a_git_tag_that_is_no_version(name: str, tag: str) -> None:
    assert defaults(version(name)) == (tag, FIXED)


@pytest.mark.parametrize("branch", ["dev", "v1.2.3"])
def test_after_another_workflow_a_notice_says_whose_tags_these_are(branch: str) -> None:
    run = Run("workflow_run", "refs/heads/main", {"workflow_run": {"head_branch": branch}})
    assert described("", run).tag_names == ("main", FIXED)
    (notice,) = described("", run).notices
    assert notice == (
        f"the tags are those of main, though this run comes after a workflow for {branch}: if you "
        "check out that one, write rules into `tags`"
    )
    assert described("type=ref,event=branch", run).notices == ()
    of_main = Run("workflow_run", "refs/heads/main", {"workflow_run": {"head_branch": "main"}})
    assert described("", of_main).notices == ()


def test_a_comment_on_a_pull_request_is_not_for_the_default_branch() -> None:
    issue = {"number": 7, "pull_request": {"url": "https://x.io"}}
    run = Run("issue_comment", "refs/heads/main", {"issue": issue})
    assert defaults(run) == ("pr-7",)
    assert described("type=ref,event=branch", run).tag_names == ("main",)
    on_an_issue = Run("issue_comment", "refs/heads/main", {"issue": {"number": 7}})
    assert defaults(on_an_issue) == ("main", FIXED)
