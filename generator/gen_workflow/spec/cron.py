"""A time in the form of cron, as GitHub takes it.

The rules are those of docs.github.com/en/actions/reference/workflows-and-actions/
events-that-trigger-workflows#schedule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import Checked, Text

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

# "The shortest interval you can run scheduled workflows is once every 5 minutes."
SHORTEST_MINUTES = 5


def _field(number: str, step: str) -> str:
    """Return the pattern of a field of cron: numbers, ranges and steps of them.

    GitHub takes no step that is longer than the field.
    """
    one = rf"(?:\*|{number}(?:-{number})?)(?:/(?:{step}))?"
    return f"{one}(?:,{one})*"


_MINUTE, _HOUR, _DAY = "[0-5]?[0-9]", "(?:[01]?[0-9]|2[0-3])", "(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = "(?:0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_WEEKDAY = "(?:[0-6]|SUN|MON|TUE|WED|THU|FRI|SAT)"
_STEPS = (
    "[1-5]?[1-9]|[1-5]0",
    "1?[1-9]|10|2[0-3]",
    "[12]?[1-9]|[123]0|31",
    "[1-9]|1[0-2]",
    "[1-6]",
)
_MONTHS = _MONTH[_MONTH.index("JAN") : -1].split("|")
_WEEKDAYS = _WEEKDAY[_WEEKDAY.index("SUN") : -1].split("|")
_NUMBERS = {name: at + 1 for at, name in enumerate(_MONTHS)}
_NUMBERS |= {name: at for at, name in enumerate(_WEEKDAYS)}


_FORM = Text(
    "a time in the form of cron",
    " ".join(map(_field, (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY), _STEPS)),
    '"0 4 * * 1", each Monday at four',
)


def _time(value: Value, reading: Reading) -> str | None:
    """Return a time whose ranges go upwards, and that does not come too often for GitHub."""
    found = _FORM.read(value, reading)
    if not found:
        return None
    for first, last in re.findall(r"(\w+)-(\w+)", found):
        if _number(first) > _number(last):
            what = f"the range {first}-{last} goes downwards"
            hint = "write two ranges: 22-23,0-4 for the hours from 22 to 4"
            reading.problem(value, what, hint, Heading.WRONG_VALUE)
            return None
    minutes, _, rest = found.partition(" ")
    between = _least_between(minutes)
    if between < SHORTEST_MINUTES:
        what = (
            f"starts runs {between} minute{'s' * (between > 1)} apart, and GitHub starts those of "
            f"a schedule at least {SHORTEST_MINUTES} minutes apart"
        )
        hint = f'write "*/{SHORTEST_MINUTES} {rest}" for every {SHORTEST_MINUTES} minutes, or '
        hint += f'"0 {rest}" for once an hour'
        reading.problem(value, what, hint, Heading.LIMIT)
        return None
    return found


def _number(word: str) -> int:
    """Return the number of a month or of a day of the week, or any other."""
    return int(word) if word.isdigit() else _NUMBERS[word]


def _least_between(field: str) -> int:
    """Return the least minutes between two runs, for the minutes of an hour that starts some.

    Like GitHub's language service: each hour counts, and so does a step that is taken only once.
    """
    minutes: set[int] = set()
    steps = [60]
    for part in field.split(","):
        numbers, _, step = part.partition("/")
        first, _, last = numbers.replace("*", "0-59").partition("-")
        # In cron, a number with a step goes on to the end of the hour.
        end = int(last or (59 if step else first))
        minutes |= {*range(int(first), end + 1, int(step or 1))}
        steps += [int(step)] if step else []
    once = sorted(minutes)
    nexts = [*once[1:], once[0] + 60]
    return min(*steps, *(after - one for one, after in zip(once, nexts, strict=True)))


CRON = Checked(_time, _FORM.schema())
