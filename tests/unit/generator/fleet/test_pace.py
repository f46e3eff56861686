"""The limits that GitHub documents for what creates content."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from gen_workflow.fleet.pace import Pace


def test_what_fits_into_both_windows_goes_at_once() -> None:
    assert Pace().wait(1000.0, 80) == 0.0


def test_the_minute_that_is_full_is_waited_for_until_its_oldest_change_has_left_it() -> None:
    pace = Pace([(1000.0, 40), (1030.0, 40)])
    assert pace.wait(1040.0, 3) == 30.0
    assert pace.wait(1040.0, 41) == 60.0


def test_the_hour_that_is_full_is_waited_for() -> None:
    pace = Pace([(0.0, 250), (1800.0, 250)])
    assert pace.wait(3000.0, 3) == 610.0


def test_changes_of_an_earlier_run_count() -> None:
    assert Pace([(990.0, 79)]).wait(1000.0, 3) == 60.0


def test_how_long_many_changes_take_is_known_before() -> None:
    pace = Pace(per_minute=6, per_hour=1000)
    assert pace.lasts(0.0, [3] * 5) == 140.0
    assert pace.wait(0.0, 6) == 0.0


@given(st.lists(st.tuples(st.floats(0, 200), st.integers(1, 5), st.floats(0, 9.9)), max_size=60))
def test_no_window_ever_holds_more_than_is_allowed_however_late_a_change_counts(
    asked: list[tuple[float, int, float]],
) -> None:
    pace, counted, now = Pace(per_minute=10, per_hour=40), list[tuple[float, int]](), 0.0
    starts = accumulate(gap for gap, _, _ in asked)
    for start, (_, count, late) in zip(starts, asked, strict=True):
        now = max(now, start)
        now += pace.wait(now, count)
        pace.note(now, count)
        counted.append((now + late, count))
        for end, _ in counted:
            for seconds, most in ((60.0, 10), (3600.0, 40)):
                assert sum(many for at, many in counted if end - seconds < at <= end) <= most
