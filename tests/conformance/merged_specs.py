"""Changes one value of a spec, and looks at what becomes of the workflow and of an edit in it."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.drawn_repository import SPEC
from conformance.said_lines import Change, unsaid
from conformance.written_specs import Written, below

if TYPE_CHECKING:
    from random import Random

    from conformance.drawn_repository import Accepted, Repository

COMMENT = "# A person wrote this."
_STAMP = "# gen-workflow: "
# Lines before which a comment can be: keys of the workflow and of its jobs.
_KEY = re.compile(r"(?P<indent>(?:  ){0,2})(?:name|on|permissions|jobs|runs-on|steps|[a-z-]+):")
_TIMES = 6


class _Other(NamedTuple):
    """A spec with another value at a place."""

    change: Change
    accepted: Accepted


def what_is_lost(repository: Repository, accepted: Accepted, chance: Random) -> list[str]:
    """Change a value of a spec whose workflow a person has edited; return what is not as it should.

    The comment of the person is kept, all else is as if it was rendered anew, and a second run
    finds nothing to do.
    """
    other = _other(repository, accepted, chance)
    if other is None:
        return []
    path = repository.folder / accepted.files[0].path
    repository.has(accepted)
    path.unlink()  # so that it is written, and git knows it
    codes = [repository.run("generate")]
    before = path.read_text("utf-8").split("\n")
    after = other.accepted.files[0].text.split("\n")
    line = _place(before, after, chance)
    path.write_text("\n".join(_commented(before, line)), encoding="utf-8")
    (repository.folder / SPEC).write_text(other.accepted.text, encoding="utf-8")
    codes.append(repository.run("generate"))
    merged = path.read_text("utf-8").split("\n")
    codes.append(repository.run("generate"))
    said = [f"exit codes {codes}"] if codes != [0, 0, 0] else []
    if _plain(merged) != _plain(_commented(after, line)):
        said.append(
            "the merged workflow is not the new one with the comment:\n" + "\n".join(merged)
        )
    if path.read_text("utf-8").split("\n") != merged:
        said.append("a second run changes the workflow")
    said += unsaid(_plain(before), _plain(after), other.change)
    place, old, new = other.change
    return [f"{place}: {old!r} became {new!r}", *said] if said else []


def _other(repository: Repository, accepted: Accepted, chance: Random) -> _Other | None:
    """Return the spec with another value that it accepts; None when chance finds none."""
    places = [line.path for line in Written.of(accepted.spec).lines if line.has_a_value]
    for place in chance.sample(places, min(_TIMES, len(places))):
        spec = deepcopy(accepted.spec)
        old = below(spec, place)
        inside = below(spec, place[:-1])
        for new in _others(old, chance):
            inside[place[-1]] = new
            text = Written.of(spec).text
            if repository.refusal(text) is None:
                files = repository.rendered(text)
                found = accepted._replace(spec=spec, text=text, files=files)
                return _Other(Change(place, old, new), found)
    return None


def _others(old: Any, chance: Random) -> list[Any]:
    if isinstance(old, bool):
        return [not old]
    if isinstance(old, int):
        return [old + 1, old - 1]
    if isinstance(old, str) and old:
        return [f"{old}{chance.choice('xyz')}", f"{old}2", f"2{old}"]
    return []


def _place(before: list[str], after: list[str], chance: Random) -> str:
    """Return a line that is once in both texts."""
    once = [each for each in before if _KEY.match(each) and before.count(each) == 1]
    return chance.choice([each for each in once if after.count(each) == 1])


def _commented(lines: list[str], line: str) -> list[str]:
    match = _KEY.match(line)
    assert match
    place = lines.index(line)
    return [*lines[:place], f"{match['indent']}{COMMENT}", *lines[place:]]


def _plain(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(_STAMP)]
