"""The time zone of a schedule."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def zone_of(name: str, folder: Path) -> str:
    (folder / "Dockerfile").touch()
    text = f'image: .\non: {{branches: main, schedule: {{cron: "0 4 * * 1", timezone: {name}}}}}\n'
    return load(text.encode(), "gen-workflow.yml", str(folder)).on.schedule[0].timezone


@pytest.fixture
def _no_database() -> Iterator[None]:
    """A machine that has no list of time zones."""
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+5"])
def test_a_time_zone_of_the_database_is_taken(name: str, tmp_path: Path) -> None:
    assert zone_of(name, tmp_path) == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Berln", "perhaps you meant `Europe/Berlin`"),
        ("Europe/berlin", "perhaps you meant `Europe/Berlin`"),
        ("Berlin", "perhaps you meant `Europe/Berlin`"),
        ("Europe", "write for example Europe/Berlin"),
        ("Xyzzy/Plugh", "write for example Europe/Berlin"),
    ],
)
def test_a_time_zone_that_does_not_exist_is_refused(name: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        zone_of(name, tmp_path)
    (only,) = caught.value.problems
    assert only == (
        f"gen-workflow.yml:2:62 on/schedule/timezone: there is no time zone {name!r}\n"
        f"  hint: {hint}"
    )


@pytest.mark.usefixtures("_no_database")
def test_without_the_database_only_the_form_of_a_time_zone_is_known(tmp_path: Path) -> None:
    assert zone_of("Europe/Berln", tmp_path) == "Europe/Berln"
    with pytest.raises(SpecError, match="is not a time zone"):
        zone_of("+02:00", tmp_path)


BOTH = "images: {api: ., web: .}\n"
RUN = "deploy: {ssh: vps, run: {image: api}}\n"
WHY = "starts runs that may not know the name of the repository, which is in the name of"


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        ("image: .\nregistry: quay.io/acme\n", {"the image": "image: {name: quay.io/acme/shop}"}),
        (
            f"{BOTH}registry: docker.io/acme\n",
            {
                "the image 'api'": "images: {api: {name: docker.io/acme/shop-api}}",
                "the image 'web'": "images: {web: {name: docker.io/acme/shop-web}}",
            },
        ),
        (BOTH + RUN, {"the container": "name: shop-api"}),
        ("images: {web: .}\ndeploy: {ssh: vps, run: {}}\n", {"the container": "name: shop-web"}),
        (
            f"{BOTH}environments: {{qa: {{ssh: vps, run: {{image: web}}}}}}\n",
            {"the container": "name: shop-web"},
        ),
        (f"{BOTH}environments: {{qa: {{on: manual, ssh: vps, run: {{image: web}}}}}}\n", {}),
        (f"{BOTH}name: shop\n{RUN}", {}),
        ("images: {api: {name: ghcr.io/acme/api}, web: .}\n" + RUN, {}),
        ("image: .\ndeploy: {ssh: vps, run: {}}\n", {}),
        ("image: {name: quay.io/acme/shop}\nregistry: quay.io/acme\n", {}),
        (BOTH + "deploy: {kubernetes: deployment/web}\n", {}),
    ],
)
def test_names_that_a_scheduled_run_may_not_know_have_to_be_said(
    spec: str, problems: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").touch()
    assert load(spec.encode(), "gen-workflow.yml", str(tmp_path)), "it needs no name otherwise"
    text = f'on: {{branches: main, schedule: "0 4 * * 1"}}\n{spec}'.encode()
    if not problems:
        assert load(text, "gen-workflow.yml", str(tmp_path))
        return
    with pytest.raises(SpecError) as caught:
        load(text, "gen-workflow.yml", str(tmp_path))
    assert list(caught.value.problems) == [
        f"gen-workflow.yml:1:32 on/schedule: {WHY} {what}\n  hint: say it: {hint}"
        for what, hint in problems.items()
    ]


@pytest.mark.parametrize("time", ["0 22-4 * * *", "0 4 * * FRI-1", "0 4 * 12-AUG *"])
def test_a_range_that_goes_downwards_is_refused(time: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    text = f'image: .\non: {{branches: main, schedule: "{time}"}}\n'
    with pytest.raises(SpecError, match=r"2:32 on/schedule: the range \S+ goes downwards\n"):
        load(text.encode(), "gen-workflow.yml", str(tmp_path))


@pytest.mark.parametrize("time", ["0 0-4 * * MON-5", "*/5 4 1-31 JAN-12 SUN-SAT", "9-9 * * * *"])
def test_a_range_that_goes_upwards_is_taken(time: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    text = f'image: .\non: {{branches: main, schedule: "{time}"}}\n'
    assert load(text.encode(), "gen-workflow.yml", str(tmp_path)).on.schedule[0].cron == time


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        *((f"{field} * * * *", "1 minute") for field in ("*", "5-7", "0,30-31", "*/59", "59,0")),
        *((f"{field} 3 * * MON", "4 minutes") for field in ("*/4", "10/4", "0-2/4", "6,*/10")),
        ("*/7 * * * *", "4 minutes"),
    ],
)
def test_a_time_that_comes_too_often_for_github_is_refused(
    time: str, minutes: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").touch()
    rest = time.partition(" ")[2]
    for place, before in (
        ("2:32 on/schedule", "on: {branches: main, schedule: "),
        ("2:21 cleanup/schedule", "cleanup: {schedule: "),
    ):
        with pytest.raises(SpecError) as caught:
            load(f'image: .\n{before}"{time}"}}\n'.encode(), "gen-workflow.yml", str(tmp_path))
        (only,) = caught.value.problems
        assert only == (
            f"gen-workflow.yml:{place}: starts runs {minutes} apart, and GitHub starts those of a "
            f'schedule at least 5 minutes apart\n  hint: write "*/5 {rest}" for every 5 minutes, '
            f'or "0 {rest}" for once an hour'
        )


@pytest.mark.parametrize("minutes", ["*/5", "3/5", "0-59/6", "5,0,10-11/5", "0,55", "*/10,5", "59"])
def test_a_time_may_come_every_five_minutes(minutes: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    text = f'image: .\non: {{branches: main, schedule: "{minutes} * * * *"}}\n'
    found = load(text.encode(), "gen-workflow.yml", str(tmp_path)).on.schedule[0].cron
    assert found == f"{minutes} * * * *"
