"""What a Dockerfile takes from elsewhere: the images it names, and what cannot be known before.

As much of the grammar as that needs, by https://docs.docker.com/reference/dockerfile/ and, where it
is silent, by what github.com/moby/buildkit does (frontend/dockerfile). Only the stages that the
target needs count: BuildKit builds no others.

What an image does by itself is out of sight: a RUN may fetch anything, and a trigger (ONBUILD) of a
base image may name another image.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ship.reference import TAG, parse_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCRATCH = "scratch"
# Of https://hub.docker.com/r/docker/dockerfile: these read the grammar that is read here.
_FRONTEND = re.compile(r"(?:.+/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_DIRECTIVE = re.compile(r"(?:#|//)\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_HEREDOC = re.compile(r"\d*<<(-?)\s*([^<]*)")
_STAGE = re.compile(r"[a-z][a-z0-9_.-]*")
_GIT = re.compile(r"(?:git://|ssh://|[\w.-]+@[\w.-]+:|https?://[^?#]*\.git(?:[?#]|$))")
# A commit by its full name is always the same; a branch or a tag is not.
_COMMIT = re.compile(r"#[0-9a-f]{40}(?::|$)")
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_SPECIAL = "@*#?-$!0"
# By the names of https://github.com/containerd/platforms.
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_NO_VARIANT = {("arm64", "v8"), ("amd64", "v1")}
_ARM = {"armhf": "v7", "armel": "v6", "arm": "v7"}


class Unknown(NamedTuple):
    """Something that enters the build and cannot be known before, and the line that names it."""

    line: int
    what: str


class Sources(NamedTuple):
    """What a Dockerfile takes from elsewhere: images in the order they are named, as written."""

    images: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class Instruction(NamedTuple):
    """An instruction with its flags as written; `rest` is what follows them."""

    line: int
    name: str
    flags: tuple[str, ...]
    rest: str


class BrokenError(ValueError):
    """A Dockerfile that BuildKit does not take, with the line where that shows."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class _Stage(NamedTuple):
    """A stage: its base as written, what it starts from, and the instructions in it."""

    line: int
    base: str
    name: str
    instructions: list[Instruction]


def sources(
    text: str,
    *,
    build_args: Mapping[str, str] | None = None,
    target: str = "",
    platforms: Sequence[str] = (),
    build_platform: str = "",
    contexts: Sequence[str] = (),
) -> Sources:
    """Return what a Dockerfile takes from elsewhere, for all platforms together; it never raises.

    `build_platform` is the builder's own, which is also the target without `platforms`. An image or
    a stage with the name of one of the build `contexts` comes from there. What is wrong in the file
    is among the unknown: the build tells it better.
    """
    given = build_args or {}
    images: dict[str, None] = {}
    unknown: dict[Unknown, None] = {}
    try:
        escape, written = parse(text)
        _frontend(text, given, images, unknown)
        for platform in platforms or (build_platform,):
            arguments = _platform_args(platform, build_platform, target, written)
            file = _File(escape, written, given, arguments, contexts)
            file.follow(target, images, unknown)
    except BrokenError as reason:
        unknown[Unknown(reason.line, str(reason))] = None
    return Sources(tuple(images), tuple(sorted(unknown)))


def parse(text: str) -> tuple[str, list[Instruction]]:
    """Return the escape character and the instructions. Raises BrokenError."""
    return _Reader(text).read()


class _Reader:
    """Reads lines into instructions."""

    def __init__(self, text: str) -> None:
        self._lines = text.removeprefix("\ufeff").split("\n")
        self._at = 0
        directives, wrong = _directives(self._lines)
        self.escape = directives.get("escape", "\\")
        if self.escape not in ("\\", "`"):
            raise BrokenError(1, "the escape character is neither \\ nor `")
        if wrong:
            raise BrokenError(wrong, "a parser directive is there twice")
        mark = re.escape(self.escape)
        self._goes_on = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*$")

    def read(self) -> tuple[str, list[Instruction]]:
        found = []
        while self._at < len(self._lines):
            start = self._at + 1
            line = self._next_line()
            if not line:
                continue
            name, flags, rest = _split(line, self.escape)
            found.append(Instruction(start, name.upper(), flags, rest))
            for word, chomp in _heredocs(line, self.escape):
                self._skip_heredoc(word, start, chomp=chomp)
        return self.escape, found

    def _next_line(self) -> str:
        """Return a line and the ones that continue it, or nothing for a comment."""
        line = self._lines[self._at].rstrip("\r").lstrip()
        self._at += 1
        if line.startswith("#"):
            return ""
        whole, count = self._goes_on.subn("", line)
        while count and self._at < len(self._lines):
            more = self._lines[self._at].rstrip("\r")
            self._at += 1
            if more.lstrip().startswith("#") or not more.strip():
                continue
            more, count = self._goes_on.subn("", more)
            whole += more
        return whole

    def _skip_heredoc(self, word: str, start: int, *, chomp: bool) -> None:
        for at in range(self._at, len(self._lines)):
            line = self._lines[at].rstrip("\r")
            if (line.lstrip("\t") if chomp else line) == word:
                self._at = at + 1
                return
        raise BrokenError(start, f"the heredoc {word!r} has no end")


def _directives(lines: Sequence[str], mark: str = "#") -> tuple[dict[str, str], int]:
    """Return the parser directives, which come before all else, and the line of a second one."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match or not line.strip().startswith(mark):
            break
        name = match[1].lower()
        if name not in ("syntax", "escape", "check"):
            break
        if name in found:
            return found, number
        found[name] = match[2]
    return found, 0


def _frontend(
    text: str, given: Mapping[str, str], images: dict[str, None], unknown: dict[Unknown, None]
) -> None:
    """Note the image that reads the Dockerfile, where one is named."""
    lines = text.removeprefix("\ufeff").split("\n")
    shebang = lines[0].startswith("#!")
    found = [_directives(lines[shebang:], mark)[0].get("syntax", "") for mark in ("#", "//")]
    name = given.get("BUILDKIT_SYNTAX") or found[0] or found[1]
    name = name.split(" ", 1)[0]
    if not name:
        return
    _note(name, 1, images, unknown)
    if not _FRONTEND.fullmatch(name):
        what = f"the frontend {name!r} may read the file in another way"
        unknown[Unknown(1, what)] = None


def _note(name: str, line: int, images: dict[str, None], unknown: dict[Unknown, None]) -> None:
    if is_image(name):
        images[name] = None
    else:
        unknown[Unknown(line, f"{name!r} is not the name of an image")] = None


def is_image(text: str) -> bool:
    """Say whether a text is the name of an image, with or without tag and digest."""
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return False
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        name = head
        if not TAG.fullmatch(tag):
            return False
    return parse_name(name) is not None


def _familiar(name: str) -> str:
    """Return an image's name in its shortest form, by which a build context replaces it."""
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name.removesuffix(":latest")


class _File:
    """The stages of a Dockerfile, for one platform."""

    def __init__(
        self,
        escape: str,
        written: Sequence[Instruction],
        given: Mapping[str, str],
        platform_args: Mapping[str, str | None],
        contexts: Sequence[str],
    ) -> None:
        self._escape = escape
        self._given = given
        self._contexts = {_familiar(name.partition("::")[0]) for name in contexts}
        self._global: dict[str, str | None] = {
            name: given.get(name, value) for name, value in platform_args.items()
        }
        self._stages: list[_Stage] = []
        for each in written:
            self._take(each)
        # A name that is there twice means the later stage.
        self._names = {stage.name: n for n, stage in enumerate(self._stages) if stage.name}
        self._images: dict[str, None] = {}
        self._unknown: dict[Unknown, None] = {}

    def _take(self, each: Instruction) -> None:
        if each.name == "FROM":
            self._stages.append(_stage(each))
        elif self._stages:
            self._stages[-1].instructions.append(each)
        elif each.name == "ARG":
            self._declare(each, self._global, {})
        else:
            raise BrokenError(each.line, f"{each.name} comes before the first FROM")

    def follow(self, target: str, images: dict[str, None], unknown: dict[Unknown, None]) -> None:
        """Note what the target and the stages it needs take from elsewhere."""
        self._images, self._unknown = images, unknown
        if not self._stages:
            raise BrokenError(1, "there is no FROM")
        needed: set[int] = set()
        waiting = [self._target(target)]
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                waiting += [other for _, other in self._needs(number) if isinstance(other, int)]
        # In a second go, so that images are in the order of the file.
        environments: dict[int, dict[str, str | None]] = {}
        for number in sorted(needed):
            for line, other in self._needs(number):
                if isinstance(other, str):
                    _note(other, line, images, unknown)
            self._remote(number, environments)

    def _target(self, name: str) -> int:
        if not name:
            return len(self._stages) - 1
        if name.lower() in self._names:
            return self._names[name.lower()]
        if name.isdecimal() and int(name) < len(self._stages):
            return int(name)
        raise BrokenError(1, f"there is no stage {name!r}")

    def _needs(self, number: int) -> Iterator[tuple[int, int | str]]:
        """Yield the stages, by number, and the images, by name, that a stage takes from."""
        stage = self._stages[number]
        if _familiar(stage.name) in self._contexts and stage.name:
            return
        base = self._base(number)
        if base is not None:
            yield stage.line, base
        for each in self._instructions(number, base):
            for source in _froms(each):
                other = self._other(source, each.line, numbered=each.name == "COPY")
                if other is not None:
                    yield each.line, other

    def _instructions(self, number: int, base: int | str | None) -> Iterator[Instruction]:
        """Yield what is done in a stage: the triggers of the stage it starts from come first."""
        for each in self._stages[base].instructions if isinstance(base, int) else ():
            if each.name == "ONBUILD":
                name, flags, rest = _split(each.rest, self._escape)
                yield Instruction(each.line, name.upper(), flags, rest)
        yield from (each for each in self._stages[number].instructions if each.name != "ONBUILD")

    def _base(self, number: int) -> int | str | None:
        stage = self._stages[number]
        missing: set[str] = set()
        try:
            name = expand(stage.base, self._global, self._escape, missing)
        except ValueError as error:
            self._unknown[Unknown(stage.line, f"FROM {stage.base}: {error}")] = None
            return None
        unsure = sorted(name for name in missing if name in self._global)
        if unsure:
            what = f"FROM {stage.base}: {', '.join(unsure)} is known to the builder only"
            self._unknown[Unknown(stage.line, what)] = None
            return None
        earlier = [n for n, other in enumerate(self._stages[:number]) if other.name == name]
        if name and earlier:
            return earlier[-1]
        return self._image(name, stage.line, stage.base)

    def _other(self, source: str, line: int, *, numbered: bool) -> int | str | None:
        """Return what is meant: a stage by its name, for COPY also by number, or else an image."""
        if source.lower() in self._names:
            return self._names[source.lower()]
        if numbered and source.isdecimal() and source.isascii():
            if int(source) < len(self._stages):
                return int(source)
            self._unknown[Unknown(line, f"there is no stage {source}")] = None
            return None
        if "$" in source:
            what = f"{source!r}: a variable cannot stand here, name a stage `FROM` it instead"
            self._unknown[Unknown(line, what)] = None
            return None
        return self._image(source, line, source)

    def _image(self, name: str, line: int, written: str) -> str | None:
        if name == SCRATCH or (name and _familiar(name) in self._contexts):
            return None
        if is_image(name):
            return name
        what = f"{written!r} is {name!r}, which is not the name of an image"
        self._unknown[Unknown(line, what)] = None
        return None

    def _remote(self, number: int, environments: dict[int, dict[str, str | None]]) -> None:
        """Note what the ADD of a stage fetches; on the way, keep the variables of the stage."""
        stage = self._stages[number]
        if _familiar(stage.name) in self._contexts and stage.name:
            return
        base = self._base(number)
        values = dict(environments.get(base, {})) if isinstance(base, int) else {}
        fixed: set[str] = set()
        for each in self._instructions(number, base):
            if each.name == "ARG":
                self._declare(each, values, self._global, fixed)
            elif each.name == "ENV":
                fixed |= self._set(each, values)
            for source in _added(each):
                self._add(source, each.line, values)
        environments[number] = values

    def _add(self, source: str, line: int, values: Mapping[str, str | None]) -> None:
        missing: set[str] = set()
        try:
            name = expand(source, values, self._escape, missing)
        except ValueError as error:
            self._unknown[Unknown(line, f"ADD {source}: {error}")] = None
            return
        is_remote = name.startswith(("http://", "https://")) or _GIT.match(name)
        if is_remote and not (_GIT.match(name) and _COMMIT.search(name)):
            self._unknown[Unknown(line, f"ADD {name} is fetched during the build")] = None
        elif missing and source.lstrip("\"'").startswith("$") and not is_remote:
            what = f"ADD {source}: {', '.join(sorted(missing))} may be an address to fetch from"
            self._unknown[Unknown(line, what)] = None

    def _declare(
        self,
        each: Instruction,
        values: dict[str, str | None],
        inherited: Mapping[str, str | None],
        fixed: set[str] | None = None,
    ) -> None:
        """Do an ARG: a build arg wins over its default, and that one over what was global."""
        for word in _words(each.rest, self._escape):
            name, equals, default = word.partition("=")
            if name in (fixed or ()):
                continue  # An ENV wins over an ARG.
            if name in self._given:
                values[name] = self._given[name]
            elif equals:
                values[name] = self._value(default, values, each)
            elif name in inherited:
                values[name] = inherited[name]

    def _set(self, each: Instruction, values: dict[str, str | None]) -> set[str]:
        words = _words(each.rest, self._escape)
        if words and "=" not in words[0]:
            name, *rest = _BLANKS.split(each.rest, maxsplit=1)
            pairs = [(name, rest[0] if rest else "")]
        else:
            pairs = [(name, value) for name, _, value in (word.partition("=") for word in words)]
        # All of one ENV see what was there before it.
        values.update([(name, self._value(value, dict(values), each)) for name, value in pairs])
        return {name for name, _ in pairs}

    def _value(self, text: str, values: Mapping[str, str | None], each: Instruction) -> str | None:
        """Return a value, or None where it hangs on one that is known to the builder only."""
        missing: set[str] = set()
        try:
            value = expand(text, values, self._escape, missing)
        except ValueError as error:
            raise BrokenError(each.line, f"{each.name} {each.rest}: {error}") from None
        return None if any(name in values for name in missing) else value


def _stage(each: Instruction) -> _Stage:
    words = _BLANKS.split(each.rest)
    if len(words) == 3 and words[1].lower() == "as" and _STAGE.fullmatch(words[2].lower()):  # noqa: PLR2004
        return _Stage(each.line, words[0], words[2].lower(), [])
    if len(words) == 1 and words[0]:
        return _Stage(each.line, words[0], "", [])
    what = f"FROM {each.rest} is neither `FROM image` nor `FROM image AS name`"
    raise BrokenError(each.line, what)


def _froms(each: Instruction) -> Iterator[str]:
    """Yield what the flags of an instruction name as another stage or image."""
    for flag in each.flags:
        name, _, value = flag.partition("=")
        if name == "--from" and each.name == "COPY" and value:
            yield value
        elif name == "--mount" and each.name == "RUN":
            yield from _mount_froms(value)


def _mount_froms(value: str) -> Iterator[str]:
    for field in _COMMA.split(value):
        key, _, source = field.strip('"').partition("=")
        if key.lower() == "from" and source:
            yield source


def _added(each: Instruction) -> list[str]:
    """Return the sources of an ADD; one with a checksum cannot fetch anything else."""
    if each.name != "ADD" or any(flag.startswith("--checksum=") for flag in each.flags):
        return []
    return (_json_words(each.rest) or _BLANKS.split(each.rest))[:-1]


def _json_words(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(each, str) for each in found) else None


def _platform_args(
    platform: str, build_platform: str, target: str, written: Sequence[Instruction]
) -> dict[str, str | None]:
    """Return the predefined arguments; None is a value that only the builder knows."""
    last = [_BLANKS.split(each.rest) for each in written if each.name == "FROM"][-1:]
    name = last[0][2].lower() if last and len(last[0]) == 3 else ""  # noqa: PLR2004
    found: dict[str, str | None] = {"TARGETSTAGE": target or name or "default"}
    for prefix, text in (("BUILD", build_platform), ("TARGET", platform)):
        os_name, architecture, variant = _platform(text)
        whole = "/".join(part for part in (os_name, architecture, variant) if part)
        values = (whole, os_name, "", architecture, variant)
        for suffix, value in zip(("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"), values):  # noqa: B905
            found[prefix + suffix] = value if text else None
    return found


def _platform(text: str) -> tuple[str, str, str]:
    """Return system, architecture and variant, by their usual names."""
    parts = text.lower().split("/")
    system, *rest = parts if len(parts) > 1 else ("linux", *parts)
    architecture = _ARCHITECTURES.get(rest[0], rest[0])
    variant = rest[1] if len(rest) > 1 else ""
    if architecture in _ARM:
        architecture, variant = "arm", variant or _ARM[architecture]
    return system, architecture, "" if (architecture, variant) in _NO_VARIANT else variant


def _split(line: str, escape: str) -> tuple[str, tuple[str, ...], str]:
    """Return the name of an instruction, its flags without their quotes, and the rest."""
    name, *more = _BLANKS.split(line.strip(), maxsplit=1)
    rest = more[0] if more else ""
    flags: list[str] = []
    while True:
        rest = rest.lstrip()
        if not rest.startswith("--"):
            return name, tuple(flags), rest.strip()
        flag, rest = _flag(rest, escape)
        if flag == "--":
            return name, tuple(flags), rest.strip()
        flags.append(flag)


def _flag(text: str, escape: str) -> tuple[str, str]:
    """Return the first word of a text, without quotes and escapes, and what follows it."""
    word, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape:
            word += text[at + 1 : at + 2]
            at += 1
        elif quote or char in "\"'":
            word += char if quote and char != quote else ""
            quote = "" if char == quote else quote or char
        elif char.isspace():
            break
        else:
            word += char
        at += 1
    return word, text[at:]


def _words(text: str, escape: str) -> list[str]:
    """Return words with the quotes that hold them together."""
    found, word, quote, at = [], "", "", 0
    while at < len(text):
        char = text[at]
        if char.isspace() and not quote:
            found += [word] if word else []
            word = ""
        elif char == escape and quote != "'":
            word += text[at : at + 2] if at + 1 < len(text) else ""
            at += 1
        else:
            quote = "" if char == quote else quote or (char if char in "\"'" else "")
            word += char
        at += 1
    return found + ([word] if word else [])


def _heredocs(line: str, escape: str) -> Iterator[tuple[str, bool]]:
    """Yield the words that end the heredocs of a line, and whether tabs before them are dropped."""
    if "<<" not in line:
        return
    name, _, rest = _split(line, escape)
    if name.upper() == "ONBUILD":
        name, _, rest = _split(rest, escape)
    if name.upper() not in ("ADD", "COPY", "RUN") or _json_words(rest) is not None:
        return
    for word in _Lexer(line, raw=True).words():
        match = _HEREDOC.fullmatch(word)
        ends = _Lexer(match[2]).words() if match else []
        if match and len(ends) == 1:
            yield ends[0], bool(match[1])


def expand(text: str, values: Mapping[str, str | None], escape: str, missing: set[str]) -> str:
    """Return a word with its variables replaced and without quotes.

    A variable that is not set, or None, is empty and put among the missing. Raises ValueError.
    """
    return _Lexer(text, values, escape, missing).word()


class _Lexer:
    """Reads words as BuildKit's own small shell does.

    Without `values` a variable stays as it is written; with `raw` so do quotes and escapes.
    """

    def __init__(
        self,
        text: str,
        values: Mapping[str, str | None] | None = None,
        escape: str = "\\",
        missing: set[str] | None = None,
        *,
        raw: bool = False,
    ) -> None:
        self._text = text
        self._at = 0
        self._values = values
        self._escape = escape
        self._missing = set() if missing is None else missing
        self._raw = raw

    def word(self) -> str:
        return "".join(part for part, _ in self._parts("", raw=self._raw))

    def words(self) -> list[str]:
        """Return the words, or none where the quotes or braces do not match."""
        found, word = [], ""
        try:
            for part, may_split in self._parts("", raw=self._raw):
                for char in part if may_split else (part,):
                    if may_split and char.isspace():
                        found += [word] if word else []
                        word = ""
                    else:
                        word += char
        except ValueError:
            return []
        return found + ([word] if word else [])

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += len(char)
        return char

    def _until(self, end: str, *, raw: bool = False) -> str:
        return "".join(part for part, _ in self._parts(end, raw=raw))

    def _parts(self, end: str, *, raw: bool) -> Iterator[tuple[str, bool]]:
        """Yield parts up to a character, and whether blanks in them end a word."""
        while char := self._peek():
            if char == end:
                self._next()
                return
            if char == "'":
                yield self._single(), False
            elif char == '"':
                yield self._double(raw=raw), False
            elif char == "$":
                yield self._dollar(), True
            elif char == "<":
                yield self._angle(), False
            elif char == self._escape:
                self._next()
                escaped = self._next()
                yield (char if raw else "") + escaped, False
            else:
                yield self._next(), True
        if end:
            raise ValueError(f"{end!r} is missing")

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ValueError("a single quote is missing")
        found = self._text[self._at : end + 1]
        self._at = end + 1
        return found if self._raw else found[1:-1]

    def _double(self, *, raw: bool) -> str:
        quote = self._next() if self._raw else self._next()[:0]
        made = quote
        while char := self._peek():
            if char == '"':
                self._next()
                return made + quote
            if char == "$":
                made += self._dollar()
                continue
            self._next()
            if char == self._escape:
                follows = self._peek()
                made += char if raw else ""
                if not follows:
                    continue
                char = self._next() if follows in ('"', "$", self._escape) else char
            made += char
        raise ValueError("a double quote is missing")

    def _angle(self) -> str:
        """Return `<`, or `<<` with the blanks after it, which belong to the word of a heredoc."""
        start = self._at
        self._next()
        if self._peek() == "<":
            self._next()
            while self._peek() and self._peek() in "\t\r ":
                self._next()
        return self._text[start : self._at]

    def _dollar(self) -> str:
        start = self._at
        self._next()
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            return self._text[start : self._at] if self._values is None else self._get(name)[0]
        self._next()
        if self._peek() in ("", "{", "}", ":"):
            raise ValueError("a substitution has no name")
        name = self._name()
        mark = self._next()
        made = self._get(name)[0] if mark == "}" else self._modified(name, mark)
        return self._text[start : self._at] if self._values is None else made

    def _name(self) -> str:
        start = self._at
        if self._peek().isdigit():
            while self._peek().isdigit():
                self._next()
        elif self._peek() and self._peek() in _SPECIAL:
            self._next()
        else:
            while self._peek().isalnum() or self._peek() == "_":
                self._next()
        return self._text[start : self._at]

    def _get(self, name: str) -> tuple[str, bool]:
        """Return a value and whether it is set."""
        value = (self._values or {}).get(name)
        if value is None:
            self._missing.add(name)
        return value or "", value is not None

    def _modified(self, name: str, mark: str) -> str:
        """Return `${name…}` after a mark: `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `%` or `/`."""
        empty_is_unset = mark == ":"
        mark = self._next() if empty_is_unset else mark
        if mark == "/" and not empty_is_unset:
            return self._replaced(name)
        if mark not in ("-", "+", "?", "#", "%") or (empty_is_unset and mark in "#%"):
            raise ValueError(f"the substitution of {name} is not supported")
        word = self._until("}", raw=mark in "#%")
        value, is_set = self._get(name)
        if self._values is None:
            return ""
        if mark in "#%":
            return _trimmed(value, word, mark)
        has_value = is_set and not (empty_is_unset and not value)
        if has_value or mark == "+":
            return word if has_value and mark == "+" else value if has_value else ""
        if mark == "?":
            raise ValueError(f"{name} is not set: {word}")
        # The default decides, so that the name itself is not missed.
        if name not in self._values:
            self._missing.discard(name)
        return word

    def _replaced(self, name: str) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._next()
        pattern = self._until("/", raw=True)
        replacement = self._until("}", raw=True)
        if self._values is None:
            return ""
        value, _ = self._get(name)
        return re.sub(
            _shell_regex(pattern, greedy=True),
            lambda _: replacement,
            value,
            count=0 if everywhere else 1,
        )


def _trimmed(value: str, pattern: str, mark: str) -> str:
    """Return a value without what a pattern matches at its start or end: the shortest, or longest.

    A mark that is doubled asks for the longest.
    """
    greedy = pattern.startswith(mark)
    regex = _shell_regex(pattern[greedy:], greedy=True)
    ends = range(len(value) + 1)
    if mark == "#":
        for end in reversed(ends) if greedy else ends:
            if re.fullmatch(regex, value[:end]):
                return value[end:]
    else:
        for start in ends if greedy else reversed(ends):
            if re.fullmatch(regex, value[start:]):
                return value[:start]
    return value


def _shell_regex(pattern: str, *, greedy: bool) -> str:
    made, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            made += ".*" if greedy else ".*?"
        elif char == "?":
            made += "."
        elif char == "\\":
            escaped = pattern[at : at + 1]
            if escaped not in ("*", "?", "\\", "}", "/"):
                raise ValueError(f"a backslash before {escaped!r} has no meaning in a pattern")
            made += re.escape(escaped)
            at += 1
        else:
            made += re.escape(char)
    return made
