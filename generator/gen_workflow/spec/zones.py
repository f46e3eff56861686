"""The time zone of a schedule, by its name in the database of the IANA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import Checked, Text
from gen_workflow.spec.hints import MEANT, near

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

_EXAMPLE = "Europe/Berlin"
_NAME = Text("a time zone", r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*", _EXAMPLE)


def _zone(value: Value, reading: Reading) -> str | None:
    """Return the name of a time zone; a machine without the database knows only its form."""
    name = _NAME.read(value, reading)
    if name is None or _exists(name):
        return name
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads each file of the database

    known = tuple(sorted(available_timezones()))
    if not known:
        return name
    hint = _of_the_city(name, known) or near(name, known) or f"write for example {_EXAMPLE}"
    reading.problem(value, f"there is no time zone {name!r}", hint, Heading.WRONG_VALUE)
    return None


def _exists(name: str) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - for schedules with a time zone

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: of a folder, such as Europe
        return False
    return True


def _of_the_city(name: str, known: tuple[str, ...]) -> str:
    """Return the hint that names a zone with the same last part."""
    city = f"/{name.rpartition('/')[2]}".lower()
    match = next((one for one in known if f"/{one}".lower().endswith(city)), "")
    return MEANT.format(match) if match else ""


ZONE = Checked(_zone, _NAME.schema())
