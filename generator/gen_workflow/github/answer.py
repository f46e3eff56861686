"""Reads an answer as GitHub's: JSON, in the shape that was asked for.

The address may be another server's, and between us and GitHub may be a proxy or a portal that
answers in its place. So nothing in an answer is taken for granted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OID = r"[0-9a-f]{40}|[0-9a-f]{64}"  # git's SHA-1, and its SHA-256
_LONGEST = 300  # characters of a text from outside that a message holds


class Foreign(Exception):  # noqa: N818 - named after what it is
    """An answer that GitHub does not give; the message says what came."""


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    def data(self) -> Any:
        """Return the JSON of the answer, None for anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def json(self, kind: type = dict) -> Part:
        """Return the JSON of the answer, a mapping or a list; raises Foreign for anything else."""
        data = self.data()
        if not isinstance(data, kind):
            raise Foreign(self.described())
        return Part(data, "the top")

    def listed(self) -> list[Part]:
        """Return the items of a JSON list; raises Foreign for anything else."""
        data = self.data()
        if not isinstance(data, list):
            raise Foreign(self.described())
        return [Part(one, "the top") for one in data]

    def described(self) -> str:
        """Return in words what came, without the text of a page."""
        return f"status {self.status} and {self.content()}"

    def content(self) -> str:
        """Return in words what the body is, or where a redirect leads."""
        if 300 <= self.status < 400:  # noqa: PLR2004 - the redirects of HTTP
            # A query or a login in the address may be a secret.
            to = re.sub(r"[?#].*|(?<=//)[^/@]*@", "", self.headers.get("location", ""))
            return f"a redirect to {flat(to) or 'nowhere'}"
        text = self.body.lstrip("\ufeff \t\r\n")
        if not text:
            return "an empty body"
        data = self.data()
        if isinstance(data, dict) and isinstance(data.get("message"), str):
            return f"JSON ({flat(data['message'])})"
        if text.startswith(("{", "[")):
            return "JSON that is broken or cut off" if data is None else "other JSON"
        if re.match(r"<!doctype html|<html|<\?xml|<!--", text, re.IGNORECASE):
            title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
            return f"a web page ({flat(title[1])})" if title and flat(title[1]) else "a web page"
        return f"a text that is no answer of its API ({flat(text)[:80]})"


@dataclass(frozen=True)
class Part:
    """A value in an answer and its path in it; what is not as it should be is Foreign."""

    value: Any
    path: str

    def part(self, name: str) -> Part:
        """Return a value that must be there."""
        found = self.maybe(name)
        if found is None:
            raise Foreign(f"JSON without `{name}` at {self.path}")
        return found

    def maybe(self, name: str) -> Part | None:
        """Return a value that may be missing or null; None then."""
        if not isinstance(self.value, dict):
            raise Foreign(f"JSON with {_kind(self.value)} in place of a mapping at {self.path}")
        value = self.value.get(name)
        return None if value is None else Part(value, f"{self.path} > {name}")

    def parts(self, name: str) -> list[Part]:
        """Return the items of a list; GraphQL gives null for one that the token may not see."""
        found = self.part(name)
        if not isinstance(found.value, list):
            raise Foreign(f"JSON with {_kind(found.value)} in place of a list at {found.path}")
        return [Part(one, found.path) for one in found.value if one is not None]

    def text(self, name: str, pattern: str = "") -> str:
        """Return a text, which fits the pattern as a whole, if there is one."""
        found = self.part(name)
        if not isinstance(found.value, str):
            raise Foreign(f"JSON with {_kind(found.value)} in place of a text at {found.path}")
        if pattern and not re.fullmatch(pattern, found.value):
            raise Foreign(f"JSON with the text {flat(found.value)!r} at {found.path}")
        return found.value

    def number(self, name: str) -> int:
        """Return a whole number."""
        found = self.part(name)
        if type(found.value) is not int:
            raise Foreign(f"JSON with {_kind(found.value)} in place of a number at {found.path}")
        return found.value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        found = self.part(name)
        if not isinstance(found.value, bool):
            raise Foreign(f"JSON with {_kind(found.value)} in place of true or false: {found.path}")
        return found.value


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), "true or false" if isinstance(value, bool) else "a number")


def flat(text: str) -> str:
    """Return a text in one line, without control characters, and not too long."""
    one_line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip().rstrip(".")
    return one_line[:_LONGEST].encode("utf-8", "replace").decode()
