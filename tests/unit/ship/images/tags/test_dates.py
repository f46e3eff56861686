"""Dates by their patterns, in the zones of the world."""

from __future__ import annotations

import pytest

from ship.images.tags.dates import UnknownZoneError, moment, written
from unit.ship.images.tags.runs import label

# 2026-07-05 01:20:45.678 in UTC, a Sunday in ISO week 27 and American week 28.
WHEN = 1783214445.678
TOKENS = {
    "YY YYYY YYYYY YYYYYY Y y yy yyyy yo": "26 2026 02026 +002026 2026 2026 2026 2026 2026th",
    "Q Qo M Mo MM MMM MMMM": "3 3rd 7 7th 07 Jul July",
    "D Do DD DDD DDDo DDDD": "5 5th 05 186 186th 186",
    "d do dd ddd dddd e E": "0 0th Su Sun Sunday 0 7",
    "w wo ww gg gggg ggggg": "28 28th 28 26 2026 02026",
    "W Wo WW GG GGGG GGGGG": "27 27th 27 26 2026 02026",
    "A a H HH h hh k kk": "AM am 1 01 1 01 1 01",
    "m mm s ss S SS SSS SSSS SSSSSSSSS": "20 20 45 45 6 67 678 6780 678000000",
    "hmm hmmss Hmm Hmmss": "120 12045 120 12045",
    "X x Z ZZ z zz": "1783214445 1783214445678 +00:00 +0000 UTC UTC",
    "LT LTS": "1:20 AM 1:20:45 AM",
    "L LL LLL LLLL": "07/05/2026 July 5, 2026 July 5, 2026 1:20 AM Sunday, July 5, 2026 1:20 AM",
    "l ll lll llll": "7/5/2026 Jul 5, 2026 Jul 5, 2026 1:20 AM Sun, Jul 5, 2026 1:20 AM",
    "N NN NNN NNNN NNNNN": "AD AD AD Anno Domini AD",
    "[YYYY] [] YYYY-[W]WW": "YYYY  2026-W27",
    "[a[b]c] [x]] [YYYY": "[amb]c x] [2026",
    r"\YYYY \LT \\Y [\Y]": r"YYYY LT 2026 \Y",
    "LLLLL lllll": "Sunday, July 5, 2026 1:20 AM07/05/2026 Sun, Jul 5, 2026 1:20 AM7/5/2026",
    "MMMMM DDDDD ddddd YYYYYYY ggg": "July7 1865 Sunday0 +0020262026 26g",
    "_-./ü": "_-./ü",
    "": "2026-07-05T01:20:45Z",
}


@pytest.mark.parametrize("pattern", TOKENS)
def test_a_pattern_has_tokens(pattern: str) -> None:
    assert written(moment(WHEN), pattern) == TOKENS[pattern]


@pytest.mark.parametrize(
    ("seconds", "pattern", "expected"),
    [
        (1783256399, "A h H k", "PM 12 12 12"),
        (1783296000, "A h hh H k kk", "AM 12 12 0 24 24"),
        (1767225600 + 86400 * 10, "Do", "11th"),
        (1767225600 + 86400 * 20, "Do", "21st"),
        (1767225600 + 86400 * 21, "Do", "22nd"),
        (1767225600 + 86400 * 22, "Do", "23rd"),
        (1767225600 + 86400 * 11, "Do", "12th"),
        # Around New Year the weeks belong to one year or the other.
        (1704067199, "gggg-ww GGGG-WW DDDD", "2024-01 2023-52 365"),
        (1609459200, "gggg-ww GGGG-WW DDDD", "2021-01 2020-53 001"),
        (1230768000, "gggg-ww GGGG-WW", "2009-01 2009-01"),
        (1735603200, "gggg-ww GGGG-WW DDDD", "2025-01 2025-01 366"),
        (0, "x X YYYY", "0 0 1970"),
    ],
)
def test_ordinals_and_weeks_around_new_year_are_right(
    seconds: float, pattern: str, expected: str
) -> None:
    assert written(moment(seconds), pattern) == expected


@pytest.mark.parametrize(
    ("seconds", "zone", "expected"),
    [
        (1774745999, "Europe/Berlin", "2026-03-29 01:59:59 CET +01:00"),
        (1774746000, "Europe/Berlin", "2026-03-29 03:00:00 CEST +02:00"),
        (1793491200, "America/New_York", "2026-10-31 20:00:00 EDT -04:00"),
        (1793512800, "America/New_York", "2026-11-01 01:00:00 EST -05:00"),
        (1783214445, "America/St_Johns", "2026-07-04 22:50:45 NDT -02:30"),
        (1783214445, "Asia/Kathmandu", "2026-07-05 07:05:45 +0545 +05:45"),
        (1783214445, "Pacific/Kiritimati", "2026-07-05 15:20:45 +14 +14:00"),
        (1783214445, "Etc/GMT+5", "2026-07-04 20:20:45 -05 -05:00"),
        (1783214445, "europe/BERLIN", "2026-07-05 03:20:45 CEST +02:00"),
        (1783214445, "GMT", "2026-07-05 01:20:45 GMT +00:00"),
        (1783214445, "utc", "2026-07-05 01:20:45 UTC +00:00"),
    ],
)
def test_a_zone_has_its_own_time(seconds: float, zone: str, expected: str) -> None:
    assert written(moment(seconds, zone), "YYYY-MM-DD HH:mm:ss z Z") == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1767225600, "2026-01-01T00:00:00Z"), (1783214445, "2026-07-05T02:20:45+01:00")],
)
def test_without_a_pattern_it_is_iso_with_the_offset(seconds: float, expected: str) -> None:
    assert written(moment(seconds, "Europe/London"), "") == expected


@pytest.mark.parametrize("zone", ["Nope/Zone", "Berlin", "Europe", "../etc/passwd", "+02:00", ""])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(UnknownZoneError):
        moment(0, zone)


def test_dates_use_the_clock_of_the_run_or_source_date_epoch() -> None:
    assert label("{{date 'YYYYMMDD-HHmm'}}") == "20260705-0120"
    assert label("{{date 'HH' tz='Asia/Tokyo'}}") == "10"
    assert label("{{date}}") == "2026-07-05T01:20:45Z"
    assert label("{{commit_date 'YYYYMMDD-HHmm' tz='Europe/Berlin'}}") == "20260329-0130"
    assert label("{{date 'YYYY'}}", env={"SOURCE_DATE_EPOCH": "0"}) == "1970"
    assert label("{{date 'w gg' tz='Pacific/Apia'}}", env={"SOURCE_DATE_EPOCH": "253370764799"})
