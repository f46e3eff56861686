"""NamedTuple as in `typing`, with classes that are made faster.

`typing` and `collections` compile a function for each class, and a text for each annotation that is
one. The records of the spec and of the workflow are so many that this took a third of the time that
`generate` needs for a small spec.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class NamedTuple(tuple):
        """A tuple whose items have names. Those without a default come first."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012 - each class below has its own

        def __init_subclass__(cls) -> None:
            fields = tuple(cls.__annotations__)
            cls._fields = cls.__match_args__ = fields
            cls._field_defaults = {
                name: cls.__dict__[name] for name in fields if name in cls.__dict__
            }
            for index, name in enumerate(fields):
                setattr(cls, name, property(itemgetter(index)))

        def __new__(cls, *values: Any, **named: Any) -> Any:
            fields = cls._fields
            if named or len(values) != len(fields):
                values = (*values, *cls._rest(values, named))
            return tuple.__new__(cls, values)

        @classmethod
        def _rest(cls, values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
            """Return the items behind those that are given by place."""
            rest, given = cls._fields[len(values) :], {**cls._field_defaults, **named}
            wrong = {*named}.difference(rest) or {*rest}.difference(given)
            if wrong or len(values) > len(cls._fields):
                what = f"{cls.__name__}: {', '.join(sorted(wrong)) or 'too many values'}"
                raise TypeError(what)
            return [given[name] for name in rest]

        @classmethod
        def _make(cls, values: Any) -> Any:
            return cls(*values)

        def _replace(self, **named: Any) -> Any:
            return type(self)(**{**self._asdict(), **named})

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            items = (f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({', '.join(items)})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)
