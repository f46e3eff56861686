"""Every type of rule for every event."""

from __future__ import annotations

import pytest

from unit.ship.images.tags.runs import HEAD, RUNS, SHA, described, names

# The rules of the table, by a short name. All others than the expected ones give no tag.
RULES = {
    "schedule": "type=schedule",
    "semver": "type=semver,pattern={{major}}.{{minor}}",
    "pep440": "type=pep440,pattern={{version}}",
    "match": r"type=match,pattern=v(\d+),group=1",
    "edge": "type=edge",
    "dev": "type=edge,branch=dev",
    "branch": "type=ref,event=branch",
    "tag": "type=ref,event=tag",
    "pr": "type=ref,event=pr",
    "raw": "type=raw,value=x",
    "sha": "type=sha",
    "default": "type=raw,value=d,enable={{is_default_branch}}",
    "other": "type=raw,value=o,enable={{is_not_default_branch}}",
}
Tags = dict[str, tuple[str, ...]]
ALWAYS: Tags = {"raw": ("x",), "sha": (f"sha-{SHA[:7]}",)}
IS_DEFAULT: Tags = {"default": ("d",)}
IS_OTHER: Tags = {"other": ("o",)}
MAIN: Tags = {"edge": ("edge",), "branch": ("main",), **IS_DEFAULT}
DEV: Tags = {"dev": ("edge",), "branch": ("dev",), **IS_OTHER}
VERSION: Tags = {
    "semver": ("1.2", "latest"),
    "pep440": ("1.2.3", "latest"),
    "match": ("1", "latest"),
    "tag": ("v1.2.3", "latest"),
}
PR: Tags = {"pr": ("pr-7",), **IS_OTHER}
EXPECTED: dict[str, Tags] = {
    "push to the default branch": MAIN,
    "push to another branch": DEV,
    "push of a version": {**VERSION, **IS_OTHER},
    "push of a pre-release": {
        "semver": ("2.0.0-rc.1",),
        "pep440": ("2.0.0rc1",),
        "match": ("2", "latest"),
        "tag": ("v2.0.0-rc.1", "latest"),
        **IS_OTHER,
    },
    "push of another tag": {"tag": ("20260705-fix", "latest"), **IS_OTHER},
    "pull request": PR,
    "pull request with the rights of its target": PR,
    "review": PR,
    "schedule": {"schedule": ("nightly",), **MAIN},
    "schedule without its repository": {
        "schedule": ("nightly",),
        "branch": ("main",),
        **IS_DEFAULT,
    },
    "release": {**VERSION, **IS_OTHER},
    "run by hand": MAIN,
    "run by hand on another branch": DEV,
    "run by hand on a tag": {**VERSION, **IS_OTHER},
    "run by another program": MAIN,
    # Whatever was made: the run is for the last commit of the default branch.
    "branch was made": {**DEV, "default": ("d",), "other": ()},
    "tag was made": {**VERSION, **IS_DEFAULT},
    "merge queue": {"branch": ("gh-readonly-queue-main-pr-7-abc",), **IS_OTHER},
    "another workflow ended": MAIN,
    "issue": MAIN,
    "nothing but a ref": {"branch": ("main",), **IS_OTHER},
}


def test_every_run_has_an_expectation() -> None:
    assert EXPECTED.keys() == RUNS.keys()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("run", RUNS)
def test_a_type_gives_its_tag_for_the_events_it_is_for(run: str, rule: str) -> None:
    expected = {**ALWAYS, **EXPECTED[run]}.get(rule, ())
    assert names(RULES[rule], RUNS[run]) == expected


@pytest.mark.parametrize(
    ("rule", "run", "expected"),
    [
        ("type=schedule,pattern={{date 'YYYYMMDD'}}", "schedule", ("20260705",)),
        ("type=semver,pattern={{raw}}", "push of a pre-release", ("v2.0.0-rc.1",)),
        ("type=semver,pattern={{major}}", "push of a pre-release", ("2.0.0-rc.1",)),
        ("type=semver,pattern={{version}},value=v9.8.7", "run by hand", ("9.8.7", "latest")),
        (r"type=semver,pattern={{version}},value=app-1.2.3,match=-(.+)", "run by hand",
         ("1.2.3", "latest")),
        ("type=semver,pattern={{patch}}.{{prerelease}}{{build}}", "push of a version",
         ("3.", "latest")),
        ("type=semver,pattern={{version}},value=app-1.2.3,match=x(.+)", "run by hand", ()),
        ("type=pep440,pattern={{raw}}", "push of a pre-release", ("v2.0.0-rc.1",)),
        ("type=pep440,pattern={{major}},value=1.2.post3", "run by hand", ("1.2.post3",)),
        ("type=pep440,pattern={{major}}.{{minor}}.{{patch}}", "push of a version",
         ("1.2.3", "latest")),
        (r"type=match,pattern=\d{8}", "push of another tag", ("20260705", "latest")),
        (r"type=match,pattern=/FIX$/i", "push of another tag", ("fix", "latest")),
        (r"type=match,pattern=(x)?fix,group=1", "push of another tag", ()),
        (r"type=match,pattern=fix,group=1", "push of another tag", ()),
        ("type=match,pattern=^m,value={{branch}}", "run by hand", ("m", "latest")),
        ("type=edge,branch=main", "nothing but a ref", ("edge",)),
        ("type=ref,event=pr,prefix=", "pull request", ("7",)),
        ("type=sha,format=long", "run by hand", (f"sha-{SHA}",)),
        ("type=sha,prefix={{branch}}-,suffix=.{{base_ref}}", "pull request",
         (f"{SHA[:7]}.rel-1.x",)),
        ("type=raw,value={{base_ref}}", "push of a version", ("main",)),
        ("type=raw,value={{tag}}", "push of a version", ("v1.2.3",)),
        ("type=raw,value={{tag}}", "run by hand", ()),
    ],
)  # fmt: skip
def test_attributes_change_the_tag_of_a_rule(
    rule: str, run: str, expected: tuple[str, ...]
) -> None:
    assert names(rule, RUNS[run]) == expected


def test_the_head_of_a_pull_request_can_be_asked_for() -> None:
    run = RUNS["pull request"]
    env = {"DOCKER_METADATA_PR_HEAD_SHA": "true"}
    made = described("type=sha", run, env=env)
    assert made.tag_names == (f"sha-{HEAD[:7]}",)
    assert made.labels["org.opencontainers.image.revision"] == HEAD
    assert described("type=sha", env=env).tag_names == (f"sha-{SHA[:7]}",)
