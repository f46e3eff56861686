"""Finds the row of a list of states that fits the words of the cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ship.kube.causes.finding import State

# No message that tells apart is longer, and the patterns need the square of its length.
_LONGEST = 4000


def row_for(rows: tuple[State, ...], said: str) -> State:
    """Return the row that fits what the cluster says; the last row of a list fits everything."""
    said = said[-_LONGEST:]
    return next(row for row in rows if re.search(row.said, said, re.IGNORECASE))
