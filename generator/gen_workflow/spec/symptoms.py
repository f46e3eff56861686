"""What a text that is no YAML has wrong: the place, the cause and the next act, in our words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.nodes import Mark, OutOfBounds, mark_of

if TYPE_CHECKING:
    from collections.abc import Callable

_OPENS = {"}": "{", "]": "["}
_EXPRESSION_IN = re.compile(
    r"[^\s,\[\]{}\"']*(?P<opens>\$\{\{?)(?:(?<=\{\{).*?\}|[^{}\s]*)\}[^\s,\[\]{}\"']*"
)
_KEY_WITHOUT_BLANK = re.compile(r"\s*(?:- +)?([A-Za-z][\w-]*):(?!//)(?=[^\s:])(.*)")
_KEY_WITHOUT_COLON = re.compile(r"\s*([A-Za-z][\w-]*)(?:\s+([^\s:#][^:#]{0,80}?))?\s*")
# Input methods and web pages give these in place of a blank and of a colon.
_COLONS = "\uff1a\ufe55"
_BLANKS = "\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_NOT_OF_YAML = re.compile(rf"[ -]*(?:[\w.-]+:[ ]*|[\w.-]+(?=[{_COLONS}]))?([{_COLONS}{_BLANKS}])")
# A quote that begins a text, and is not closed on its line.
_OPEN_QUOTE = re.compile(r"""(?:^|[-:,\[{]) *(["'])(?:(?!\1).)*$""")
_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")

# What ruamel says, what that means, and the next act.
_SYMPTOMS = (
    (
        "mapping values are not allowed",
        "a `:` is in a place where YAML allows no key",
        "begin keys of one level in the same column; quote a text that holds `: `",
    ),
    (
        "expected a single document",
        "a second document begins here",
        "a spec is one document; remove the `---`",
    ),
    (
        "expected <block end>",
        "begins in a column in which no line above begins",
        "begin keys, or items, of one level in the same column",
    ),
    ("cannot start any token", "begins with a character that YAML reserves", "quote it"),
    (
        "expected alphabetic or numeric character",
        "an `&` or `*` begins the name of an anchor or alias, and there is none",
        "quote a text that begins with `&` or `*`",
    ),
)


class Fault(NamedTuple):
    """What is wrong with a text: where, what, what to do, and the page that says more."""

    mark: Mark
    what: str
    hint: str
    anchor: str = Heading.NO_YAML


class _Error(NamedTuple):
    """An error of YAML: its place, where what it is about begins, what ruamel says, the lines."""

    mark: Mark
    begin: Mark
    said: str
    lines: list[str]

    @property
    def line(self) -> str:
        return self.lines[self.mark.line - 1] if self.mark.line <= len(self.lines) else ""

    @property
    def before(self) -> str:
        return self.line[: self.mark.column - 1]

    @property
    def character(self) -> str:
        return self.line[self.mark.column - 1 : self.mark.column]


def explain(error: Exception, text: str) -> Fault:
    """Return what an error means that was raised while a text was read."""
    if isinstance(error, OutOfBounds):
        return Fault(error.mark, error.what, error.hint, Heading.TOO_LARGE)
    if isinstance(error, ReaderError):
        return _forbidden(error, text)
    if isinstance(error, MarkedYAMLError):
        return _of_syntax(error, text)
    if isinstance(error, ValueError):
        return _no_character(text)
    return Fault(Mark(1, 1), f"is not YAML: {error}", "compare it with an example of the docs")


def _forbidden(error: ReaderError, text: str) -> Fault:
    number = ord(text[error.position])
    what = f"holds the character U+{number:04X}, which YAML forbids"
    hint = "remove it"
    if number:  # no value of a spec may hold U+0000, in whatever way it is written
        hint += f', or write it as an escape in double quotes: "\\u{number:04x}"'
    return Fault(_mark_at(text, error.position), what, hint)


def _of_syntax(error: MarkedYAMLError, text: str) -> Fault:
    begin = error.context_mark or error.problem_mark
    said = " ".join(str(part) for part in (error.problem, error.context) if part)
    at = error.problem_mark or error.context_mark
    found = _Error(_mark(at), _mark(begin), said, text.split("\n"))
    for look in _LOOKS:
        if fault := look(found):
            return fault
    for symptom, what, hint in _SYMPTOMS:
        if symptom in said:
            return Fault(found.mark, what, hint)
    return Fault(found.mark, said, "check the indentation, the quotes and the brackets here")


def _no_character(text: str) -> Fault:
    match = _NO_CHARACTER.search(text)
    what = "is an escape of a character that does not exist"
    hint = "the last character of Unicode is \\U0010ffff"
    return Fault(_mark_at(text, match.start() if match else 0), what, hint)


def _mark_at(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _mark(mark: object) -> Mark:
    return mark_of(mark) if mark else Mark(1, 1)


def _tab(error: _Error) -> Fault | None:
    if error.character == "\t" and error.before.strip():
        what = "there is a tab where YAML wants a space"
        return Fault(error.mark, what, "replace it with a space")
    if "\t" in error.line[: _indent(error.line)]:
        what = "there is a tab where YAML wants spaces"
        return Fault(error.mark, what, "indent with two spaces for each level")
    return None


def _directive(error: _Error) -> Fault | None:
    number = next((n for n, line in enumerate(error.lines, 1) if line.startswith("%")), 0)
    if not number or number > error.mark.line:
        return None
    what = "a line that begins with `%` speaks to the reader of YAML and is no key"
    return Fault(Mark(number, 1), what, "remove the `%`, or the line")


def _expression(error: _Error) -> Fault | None:
    if not error.before.endswith(("$", "${")):
        return None
    for match in _EXPRESSION_IN.finditer(error.line):
        if match.start() < error.mark.column <= match.end():
            written = "${{ }}" if match["opens"] == "${{" else "${ }"
            what = (
                f"a value with `{written}` is not in quotes, so YAML takes its brackets for its own"
            )
            mark = Mark(error.mark.line, match.start() + 1)
            return Fault(mark, what, f'quote it: "{match[0]}"')
    return None


def _blank_before_the_first_key(error: _Error) -> Fault | None:
    lines = enumerate(error.lines, 1)
    number, first = next(
        ((n, line) for n, line in lines if line.strip() and line.lstrip()[0] != "#"), (0, "")
    )
    if "<document start>" not in error.said or not first.startswith(" "):
        return None
    what = "begins with a blank, and a line below begins without one"
    hint = "remove the blank, so that the keys of one level begin in one column"
    return Fault(Mark(number, _indent(first) + 1), what, hint)


def _blank_behind_a_colon(error: _Error) -> Fault | None:
    """Look for `key:value`, in brackets before the place, else in the lines up to it."""
    if error.before.endswith(":") and error.character in ("[", "{", '"', "'"):
        key = re.findall(r"[\w-]+$", error.before[:-1])[-1:] or [""]
        return _no_blank(key[0], error.mark, error.line[error.mark.column - 1 :])
    symptoms = ("could not find expected ':'", "mapping values are not allowed")
    if not _any_in(symptoms, error.said):
        return None
    for number in (error.mark.line, error.mark.line - 1, error.begin.line):
        line = error.lines[number - 1] if 0 < number <= len(error.lines) else ""
        if match := _KEY_WITHOUT_BLANK.fullmatch(line):
            return _no_blank(match[1], Mark(number, match.start(2) + 1), match[2])
    return None


def _no_blank(key: str, mark: Mark, value: str) -> Fault:
    what = f"`{key}` has no blank behind its `:`, so YAML takes it for a part of a text"
    return Fault(mark, what, f"write `{key}: {value.rstrip()}`")


def _key_without_a_colon(error: _Error) -> Fault | None:
    if "could not find expected ':'" not in error.said:
        return None
    line = error.lines[error.begin.line - 1] if error.begin.line <= len(error.lines) else ""
    if fault := _no_colon(line, error.begin.line):
        return fault
    what = "a key of more than one line, or of more than 1,024 characters, begins here"
    return Fault(error.begin, what, "write a shorter key with `:` behind it; quote a long text")


def _line_above_without_a_colon(error: _Error) -> Fault | None:
    """Look for `key value` above a key of the same column, which YAML takes for one text."""
    symptoms = ("mapping values are not allowed", "expected <block end>")
    above = [
        (number, line)
        for number, line in enumerate(error.lines[: error.mark.line - 1], 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    # With a key before its colon, the line itself has the mistake.
    if not above or re.search(r":\s", error.before) or not _any_in(symptoms, error.said):
        return None
    number, line = above[-1]
    return _no_colon(line, number) if _indent(line) == _indent(error.line) else None


def _no_colon(line: str, number: int) -> Fault | None:
    """Return the fault of a line that is a key, or a key and its value, without the colon."""
    match = _KEY_WITHOUT_COLON.fullmatch(line)
    if not match:
        return None
    key, value = match.groups()
    hint = f"write `{key}: {value}`" if value else f"write `{key}:` and its value"
    return Fault(Mark(number, _indent(line) + 1), f"`{key}` has no `:` behind it", hint)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _any_in(symptoms: tuple[str, ...], said: str) -> bool:
    return any(symptom in said for symptom in symptoms)


def _bracket(error: _Error) -> Fault | None:
    opens = _OPENS.get(error.character)
    if not opens:
        return None
    if "but got" in error.said:
        other = "[" if opens == "{" else "{"
        what = (
            f"a `{error.character}` is here, but the `{other}` of column {error.begin.column} is "
            "still open"
        )
        hint = "close the brackets in the order in which they were opened"
        return Fault(error.mark, what, hint)
    what = f"there is one `{error.character}` too many"
    return Fault(error.mark, what, f"remove it, or add the `{opens}` that it closes")


def _not_closed(error: _Error) -> Fault | None:
    if "stream end" not in error.said and "end of stream" not in error.said:
        return None
    what = "a quote or bracket is opened here and not closed"
    return Fault(error.begin, what, "add the missing quote or bracket")


def _alias(error: _Error) -> Fault | None:
    match = re.match(r"found undefined alias '(.*)'", error.said)
    if not match:
        return None
    what = f"`*{match[1]}` is an alias, and no `&{match[1]}` is above it"
    hint = "put the anchor before it, or quote a text that begins with `*`"
    return Fault(error.mark, what, hint)


def _escape(error: _Error) -> Fault | None:
    if "found unknown escape character" not in error.said:
        return None
    what = f"`\\{error.character}` is no escape of YAML"
    hint = f"write `\\\\{error.character}` for a backslash, or put the text into single quotes"
    return Fault(error.mark, what, hint)


def _looks_like_yaml(error: _Error) -> Fault | None:
    """Look for a blank or a colon of another kind, in the lines that led to the place."""
    for number in sorted({error.begin.line, error.mark.line - 1, error.mark.line}):
        line = error.lines[number - 1] if 0 < number <= len(error.lines) else ""
        if match := _NOT_OF_YAML.match(line):
            found, meant = match[1], "a `:`" if match[1] in _COLONS else "a blank"
            what = f"U+{ord(found):04X} looks like {meant}, but YAML takes it for a letter"
            return Fault(Mark(number, match.start(1) + 1), what, f"replace it with {meant}")
    return None


def _quote_before(error: _Error) -> Fault | None:
    """Look for a quote that is not closed on its line, so that the next quote closes it."""
    if "expected <block end>" not in error.said or error.before[-1:] not in ('"', "'"):
        return None
    for number in range(error.mark.line - 1, 0, -1):
        if match := _OPEN_QUOTE.search(error.lines[number - 1]):
            if match[1] != error.before[-1]:
                return None
            what = f"a quote is opened here, and closed by the next one, on line {error.mark.line}"
            return Fault(Mark(number, match.start(1) + 1), what, "add the missing quote")
    return None


def _behind_a_quote(error: _Error) -> Fault | None:
    """Look for a quoted text that something follows, as in `'it's'`."""
    match = re.search(r"""(?::|-|^)[ ]+((["']).*\2)[ ]*$""", error.before)
    if "expected <block end>" not in error.said or not match or error.character in ("", "#"):
        return None
    what = f"there is more behind the {match[2]} that ends the text"
    hint = "quote the whole value; in single quotes, write '' for an apostrophe"
    return Fault(error.mark, what, hint)


def _key_among_items(error: _Error) -> Fault | None:
    """Look for a key in the column of the items of a list."""
    if "block collection" not in error.said or error.begin.column != error.mark.column:
        return None
    what = f"is no item of the list that begins on line {error.begin.line}"
    hint = "begin an item with `- `, and a key in the column of the other keys"
    return Fault(error.mark, what, hint)


def _bracket_before(error: _Error) -> Fault | None:
    """Look for a bracket that is open where a line below goes on as if it were closed."""
    match = re.search(r"flow (mapping|sequence)", error.said)
    if not match or "but got" not in error.said or error.begin.line == error.mark.line:
        return None
    opens = "{" if match[1] == "mapping" else "["
    what = f"a `{opens}` is opened here, and not closed before line {error.mark.line}"
    return Fault(error.begin, what, "add the missing bracket, or the comma before that line")


_LOOKS: tuple[Callable[[_Error], Fault | None], ...] = (
    _looks_like_yaml,
    _tab,
    _directive,
    _expression,
    _blank_before_the_first_key,
    _blank_behind_a_colon,
    _key_without_a_colon,
    _line_above_without_a_colon,
    _bracket,
    _not_closed,
    _bracket_before,
    _quote_before,
    _behind_a_quote,
    _key_among_items,
    _alias,
    _escape,
)
