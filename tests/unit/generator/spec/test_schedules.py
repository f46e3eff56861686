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
