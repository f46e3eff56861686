"""Environments that do not fit each other are told at their line; the others stay apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.environments import word_of
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import Filter

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.spec.declaration import Spec

HOST = "image: .\nname: shop\ndeploy: {ssh: vps, run: {}}\nenvironments:\n"
CLUSTER = "image: .\ndeploy: {kubernetes: deployment/web}\nenvironments:\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def loaded(text: str, repository: Path) -> Spec:
    return load(text.encode(), "gen-workflow.yml", str(repository))


def refused(text: str, repository: Path) -> str:
    with pytest.raises(SpecError) as caught:
        loaded(text, repository)
    (only,) = caught.value.problems
    return only.partition(" ")[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("staging-eu", "Staging EU"),
        ("staging", "Staging"),
        ("staging eu", "staging  eu"),
        ("staging.eu", "staging_eu"),
    ],
)
def test_two_names_that_github_or_a_host_would_take_for_one_are_refused(
    one: str, other: str, repository: Path
) -> None:
    text = f'{HOST}  "{one}": {{on: main}}\n  "{other}": {{on: manual}}\n'
    what = f"{other!r} cannot be told apart from {one!r}\n  hint: give it another name"
    assert refused(text, repository) == f"environments/{other}: {what}"


@pytest.mark.parametrize("name", ["as a push", "As A Push", "as-a-push"])
def test_the_choice_that_is_no_environment_is_no_name_of_one(name: str, repository: Path) -> None:
    assert refused(f"{HOST}  {name}: {{on: manual}}\n", repository) == (
        f"environments/{name}: {name!r} cannot be told apart from `as a push`, which a run by hand "
        "offers beside it\n  hint: give it another name"
    )


@pytest.mark.parametrize("name", ["0", "00", "0.0", "0x0", "0e5"])
def test_a_name_that_github_takes_for_no_choice_is_refused(name: str, repository: Path) -> None:
    assert refused(f'{HOST}  "{name}": {{on: manual}}\n', repository) == (
        f"environments/{name}: {name!r} is no choice: GitHub takes it for none\n"
        "  hint: give it another name"
    )


def test_a_name_of_which_the_id_of_a_job_would_be_too_long_is_refused(repository: Path) -> None:
    text = "{}  {}: {{on: main}}\n"
    loaded(text.format(HOST, "a" * 90), repository)
    assert refused(text.format(HOST, "a" * 91), repository) == (
        f"environments/{'a' * 91}: makes the id of a job too long: 91 characters, and 90 fit\n"
        "  hint: give it another name"
    )


def test_names_outside_ascii_stay_apart_in_a_cluster(repository: Path) -> None:
    spec = loaded(f"{CLUSTER}  東京: {{on: main}}\n  大阪: {{on: manual}}\n", repository)
    words = [word_of(one.key) for one in spec.environments]
    assert words == ["1lqs71d", "pssu33l"]


def test_names_outside_ascii_are_refused_on_a_host_also_with_a_name(repository: Path) -> None:
    assert refused(f"{HOST}  東京: {{on: main}}\n", repository) == (
        "environments/東京: '東京' cannot be a part of the container's name as it is\n"
        "  hint: give the environment a name of letters, digits and . _ - only"
    )


@pytest.mark.parametrize("on", ["{}", "{release: false}", "{manual: false, release: false}"])
def test_an_on_that_names_nothing_is_refused(on: str, repository: Path) -> None:
    assert refused(f"{HOST}  staging: {{on: {on}}}\n", repository) == (
        "environments/staging/on: names nothing that deploys\n"
        "  hint: name a branch, tags, release: true or manual: true; or remove `on`"
    )


@pytest.mark.parametrize("word", ["main", "tags"])
def test_a_branch_or_a_word_that_is_said_twice_is_refused(word: str, repository: Path) -> None:
    assert refused(f"{HOST}  staging: {{on: [{word}, {word}]}}\n", repository) == (
        f"environments/staging/on/1: {word!r} appears twice\n  hint: keep one of them"
    )


def test_an_address_with_a_secret_is_refused(repository: Path) -> None:
    text = f"{HOST}  staging: {{url: 'https://${{{{ secrets.NAME }}}}.example.com'}}\n"
    assert refused(text, repository) == (
        "environments/staging/url: GitHub shows this address, and takes no secret for it\n"
        "  hint: use a variable: ${{ vars.NAME }}"
    )


MERGED = "image: .\ndeploy: {{ssh: vps, run: {}}}\nenvironments:\n  staging: {{run: {}}}\n"


@pytest.mark.parametrize(
    ("shared", "own", "problem"),
    [
        ("{}", "{restart: no, restart: always}", "restart: appears twice, first on line 4"),
        ("{restart: no, restart: always}", "{}", "restart: appears twice, first on line 2"),
    ],
)
def test_a_key_that_appears_twice_is_told_also_where_mappings_are_merged(
    shared: str, own: str, problem: str, repository: Path
) -> None:
    assert refused(MERGED.format(shared, own), repository) == (
        f"environments/staging/run/{problem}\n  hint: keep one of them"
    )


@pytest.mark.parametrize(("shared", "own"), [("{}", "{? [a] : b}"), ("{? [a] : b}", "{}")])
def test_a_key_that_is_no_word_is_told_also_where_mappings_are_merged(
    shared: str, own: str, repository: Path
) -> None:
    assert "has a list as a key" in refused(MERGED.format(shared, own), repository)


def test_an_environment_after_a_wrong_one_is_no_second_problem(repository: Path) -> None:
    text = f"{HOST}  staging: {{on: {{}}, url: 5}}\n  live: {{after: staging}}\n"
    with pytest.raises(SpecError) as caught:
        loaded(text, repository)
    assert not [one for one in caught.value.problems if "environments/live" in one]


@pytest.mark.parametrize("section", ["images", "environments"])
def test_a_section_with_notes_alone_is_empty(section: str, repository: Path) -> None:
    text = f"{section}: {{x-base: {{}}}}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    text += "" if section == "images" else "image: .\n"
    assert refused(text, repository).startswith(f"{section}: is empty\n  hint: write for example ")


@pytest.mark.parametrize("on", ["{tags: 'a b'}", "{tags: []}", "{release: 1}"])
def test_an_on_that_is_wrong_is_one_problem(on: str, repository: Path) -> None:
    assert "names nothing" not in refused(f"{HOST}  staging: {{on: {on}}}\n", repository)


@pytest.mark.parametrize(
    ("on", "types", "condition"),
    [
        ("release", "released", " && !github.event.release.prerelease"),
        ("pre-release", "published", " && github.event.release.prerelease"),
        ("[release, pre-release]", "published", ""),
        ("{release: true, pre-release: false}", "released", " && !github.event.release.prerelease"),
    ],
)
def test_a_pre_release_is_deployed_only_where_the_spec_says_so(
    on: str, types: str, condition: str, repository: Path
) -> None:
    spec = loaded(f"{HOST}  live: {{on: {on}}}\n", repository)
    workflow, *_ = pipeline.workflows(spec, table())
    assert workflow.on.release == Filter(types=(types,))
    (deploy,) = (job for job in workflow.jobs if job.id == "deploy-live")
    assert deploy.condition == f"github.event_name == 'release'{condition}"


def test_a_pre_release_of_one_and_a_release_of_another_start_one_run_each(
    repository: Path,
) -> None:
    both = "  staging: {on: pre-release}\n  production: {on: release}\n"
    workflow, *_ = pipeline.workflows(loaded(f"{HOST}{both}", repository), table())
    assert workflow.on.release == Filter(types=("published",))


@pytest.mark.parametrize(
    ("on", "place"),
    [
        ("[tags, release]", "on/1"),
        ("[pre-release, tags]", "on/0"),
        ("{tags: 'v*', release: true}", "on/release"),
    ],
)
def test_a_release_and_its_tag_would_be_two_deploys_and_are_refused(
    on: str, place: str, repository: Path
) -> None:
    found = refused(f"{HOST}  live: {{on: {on}}}\n", repository)
    assert found.startswith(
        f"environments/live/{place}: cannot be beside `tags`: a release pushes its tag, so each "
        "would be deployed twice"
    )
    assert "for tags that are never released, make another one of `environments`" in found


def test_a_spec_without_environments_says_the_same_of_releases(repository: Path) -> None:
    text = "image: .\non: {tags: 'v*', release: true}\ndeploy: {ssh: vps, run: {}}\n"
    assert refused(text, repository).startswith("on/release: cannot be beside `tags`")


def test_what_every_environment_replaces_is_checked_too(repository: Path) -> None:
    text = (
        "image: .\ndeploy: {ssh: vps, run: {}, keep: none}\n"
        "environments:\n  a: {on: main, keep: 3}\n  b: {on: manual, keep: 5}\n"
    )
    assert refused(text, repository).startswith("deploy/keep: 'none' is not")


def test_what_one_environment_does_not_replace_is_told_once(repository: Path) -> None:
    text = (
        "image: .\ndeploy: {ssh: vps, run: {}, keep: none}\n"
        "environments:\n  a: {on: main, keep: 3}\n  b: {on: manual}\n"
    )
    assert refused(text, repository).startswith("deploy/keep: 'none' is not")


def test_a_shared_key_that_does_not_fit_is_told_at_the_key(repository: Path) -> None:
    text = (
        "image: .\ndeploy:\n  namespace: shop\nenvironments:\n  a: {on: main, ssh: vps, run: {}}\n"
    )
    with pytest.raises(SpecError) as caught:
        loaded(text, repository)
    (only,) = caught.value.problems
    assert only.startswith("gen-workflow.yml:3:3 deploy/namespace: ")


def test_an_unknown_name_in_after_is_told_together_with_what_else_is_wrong(
    repository: Path,
) -> None:
    text = (
        "image: .\nenvironments:\n  staging: {ssh: 3, run: {}}\n"
        "  live: {after: stagin, ssh: vps, run: {port: [80]}}\n  last: {after: live}\n"
    )
    with pytest.raises(SpecError) as caught:
        loaded(text, repository)
    said = [one.partition("\n")[0].partition(" ")[2] for one in caught.value.problems]
    assert said == [
        "environments/staging/ssh: should be a name or a mapping, but is a number",
        "environments/live/after: 'stagin' is not one of the environments",
        "environments/live/run/port: is not a key of the spec",
        "environments/last: `ssh` is missing",
        "environments/last: `run` is missing",
    ]
