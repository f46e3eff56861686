"""Our NamedTuple is as that of typing, and looks at no annotation."""

from __future__ import annotations

import pickle
import typing
from types import new_class
from typing import Any

from ship.runner.named_tuple import NamedTuple


class Ours(NamedTuple):
    """A place."""

    host: str
    port: int = 22
    path: str = "/"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}{self.path}"

    @property
    def is_usual(self) -> bool:
        return self.port == 22


class Theirs(typing.NamedTuple):
    host: str
    port: int = 22
    path: str = "/"


def test_a_class_has_the_fields_the_defaults_and_what_else_is_in_its_body() -> None:
    ours, theirs = Ours("h1", path="/up"), Theirs("h1", path="/up")
    assert tuple(ours) == tuple(theirs) == ("h1", 22, "/up")
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (Ours._fields, Ours._field_defaults) == (Theirs._fields, Theirs._field_defaults)
    assert (str(ours), ours.is_usual, Ours.__doc__) == ("h1:22/up", True, "A place.")
    assert (Ours.__module__, Ours.__qualname__) == (__name__, "Ours")


def test_a_changed_copy_is_of_the_same_class() -> None:
    changed = Ours("h1")._replace(port=2222)
    assert type(changed) is Ours
    assert str(changed) == "h1:2222/"
    assert not changed.is_usual


def test_a_class_without_defaults_takes_all_its_fields() -> None:
    class Pair(NamedTuple):
        left: str
        right: str

    assert Pair("a", "b")._asdict() == {"left": "a", "right": "b"}


def test_no_annotation_is_looked_at() -> None:
    body = {"__annotations__": {"a": "?"}}
    made: Any = new_class("Odd", (NamedTuple,), {}, lambda names: names.update(body))
    assert made("b")._asdict() == {"a": "b"}


def test_it_can_be_given_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Ours("h1"))) == Ours("h1")  # noqa: S301 - it is our own
