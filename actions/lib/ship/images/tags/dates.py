"""Formats dates with the tokens of https://momentjs.com/docs/#/displaying/format/, in English."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
LONG = {
    "LTS": "h:mm:ss A", "LT": "h:mm A", "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "LLL": "MMMM D, YYYY h:mm A", "LL": "MMMM D, YYYY", "L": "MM/DD/YYYY",
    "llll": "ddd, MMM D, YYYY h:mm A", "lll": "MMM D, YYYY h:mm A", "ll": "MMM D, YYYY",
    "l": "M/D/YYYY",
}  # fmt: skip
NOON = 12
# A text in brackets or after a backslash is not a token.
_LONG = re.compile(r"\[[^\[]*\]|\\?(?:LTS|LT|LL?L?L?|l{1,4})")


class UnknownZoneError(ValueError):
    """The time zone is unknown to this machine."""


def moment(seconds: float, zone: str = "UTC") -> datetime:
    """Return a time in a zone of the tz database; raises UnknownZoneError."""
    if zone.upper() == "UTC":
        return datetime.fromtimestamp(seconds, timezone.utc)
    import zoneinfo  # noqa: PLC0415 - 10 ms, needed for other zones than UTC only

    try:
        known = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        by_name = {name.lower(): name for name in zoneinfo.available_timezones()}
        if zone.lower() not in by_name:
            raise UnknownZoneError(zone) from None
        known = zoneinfo.ZoneInfo(by_name[zone.lower()])
    return datetime.fromtimestamp(seconds, known)


def written(when: datetime, pattern: str) -> str:
    """Return a date in the form of a pattern. Text that is not a token stays as it is.

    Without a pattern the form is ISO 8601, with the offset of the zone.
    """
    expanded = _LONG.sub(lambda match: LONG.get(match[0], match[0]), pattern or _iso(when))
    return _TOKEN.sub(lambda match: _token(when, match[0]), expanded)


def _iso(when: datetime) -> str:
    return f"YYYY-MM-DDTHH:mm:ss{'Z' if when.utcoffset() else '[Z]'}"


def _token(when: datetime, token: str) -> str:
    if token.startswith("[") and len(token) > 1:
        return token[1:-1]
    if token.startswith("\\"):
        return token[1:].lstrip("\\")
    make = _TOKENS.get(token)
    return make(when) if make else token


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 // 10 == 1 else ending}"


def _weekday(when: datetime) -> int:
    return when.isoweekday() % 7


def _day_of_year(when: datetime) -> int:
    return when.timetuple().tm_yday


def _week(when: datetime) -> tuple[int, int]:
    """Return year and week by the American rule: weeks begin on Sunday, week 1 has January 1st."""
    saturday = when.date() + timedelta(days=6 - _weekday(when))
    start = date(saturday.year, 1, 1)
    first = start - timedelta(days=start.isoweekday() % 7)
    return saturday.year, (saturday - first).days // 7 + 1


def _hour12(when: datetime) -> int:
    return when.hour % NOON or NOON


def _offset(when: datetime, colon: str) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def _quarter(when: datetime) -> int:
    return (when.month + 2) // 3


def _fraction(digits: int) -> Callable[[datetime], str]:
    return lambda t: f"{t.microsecond // 1000:03}000000"[:digits]


_TOKENS: dict[str, Callable[[datetime], str]] = {
    "YYYYYY": lambda t: f"+{t.year:06}",
    "YYYYY": lambda t: f"{t.year:05}",
    "YYYY": lambda t: f"{t.year:04}",
    "YY": lambda t: f"{t.year % 100:02}",
    **dict.fromkeys(("Y", "y", "yy", "yyy", "yyyy"), lambda t: f"{t.year}"),
    "yo": lambda t: _ordinal(t.year),
    **dict.fromkeys(("N", "NN", "NNN", "NNNNN"), lambda _: "AD"),
    "NNNN": lambda _: "Anno Domini",
    "Q": lambda t: f"{_quarter(t)}",
    "Qo": lambda t: _ordinal(_quarter(t)),
    "M": lambda t: f"{t.month}",
    "Mo": lambda t: _ordinal(t.month),
    "MM": lambda t: f"{t.month:02}",
    "MMM": lambda t: MONTHS[t.month - 1][:3],
    "MMMM": lambda t: MONTHS[t.month - 1],
    "D": lambda t: f"{t.day}",
    "Do": lambda t: _ordinal(t.day),
    "DD": lambda t: f"{t.day:02}",
    "DDD": lambda t: f"{_day_of_year(t)}",
    "DDDo": lambda t: _ordinal(_day_of_year(t)),
    "DDDD": lambda t: f"{_day_of_year(t):03}",
    "d": lambda t: f"{_weekday(t)}",
    "do": lambda t: _ordinal(_weekday(t)),
    "dd": lambda t: DAYS[_weekday(t)][:2],
    "ddd": lambda t: DAYS[_weekday(t)][:3],
    "dddd": lambda t: DAYS[_weekday(t)],
    "e": lambda t: f"{_weekday(t)}",
    "E": lambda t: f"{t.isoweekday()}",
    "w": lambda t: f"{_week(t)[1]}",
    "wo": lambda t: _ordinal(_week(t)[1]),
    "ww": lambda t: f"{_week(t)[1]:02}",
    "W": lambda t: f"{t.isocalendar()[1]}",
    "Wo": lambda t: _ordinal(t.isocalendar()[1]),
    "WW": lambda t: f"{t.isocalendar()[1]:02}",
    "gg": lambda t: f"{_week(t)[0] % 100:02}",
    "gggg": lambda t: f"{_week(t)[0]:04}",
    "ggggg": lambda t: f"{_week(t)[0]:05}",
    "GG": lambda t: f"{t.isocalendar()[0] % 100:02}",
    "GGGG": lambda t: f"{t.isocalendar()[0]:04}",
    "GGGGG": lambda t: f"{t.isocalendar()[0]:05}",
    "A": lambda t: "AM" if t.hour < NOON else "PM",
    "a": lambda t: "am" if t.hour < NOON else "pm",
    "H": lambda t: f"{t.hour}",
    "HH": lambda t: f"{t.hour:02}",
    "h": lambda t: f"{_hour12(t)}",
    "hh": lambda t: f"{_hour12(t):02}",
    "k": lambda t: f"{t.hour or 24}",
    "kk": lambda t: f"{t.hour or 24:02}",
    "hmm": lambda t: f"{_hour12(t)}{t.minute:02}",
    "hmmss": lambda t: f"{_hour12(t)}{t.minute:02}{t.second:02}",
    "Hmm": lambda t: f"{t.hour}{t.minute:02}",
    "Hmmss": lambda t: f"{t.hour}{t.minute:02}{t.second:02}",
    "m": lambda t: f"{t.minute}",
    "mm": lambda t: f"{t.minute:02}",
    "s": lambda t: f"{t.second}",
    "ss": lambda t: f"{t.second:02}",
    "z": lambda t: t.tzname() or "",
    "zz": lambda t: t.tzname() or "",
    "Z": lambda t: _offset(t, ":"),
    "ZZ": lambda t: _offset(t, ""),
    "X": lambda t: f"{int(t.timestamp())}",
    "x": lambda t: f"{int(t.timestamp()) * 1000 + t.microsecond // 1000}",
    **{"S" * digits: _fraction(digits) for digits in range(1, 10)},
}
_TOKEN = re.compile(
    rf"\[[^\[]*\]|\\?(?:{'|'.join(sorted(_TOKENS, key=len, reverse=True))}|.)", re.DOTALL
)
