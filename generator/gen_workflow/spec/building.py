"""How an image is built: what is not built again, the cache, the builder, and what it is given."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from collections.abc import Mapping
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import runner, values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import EXPRESSION, OrExpression
from gen_workflow.spec.forms import Checked, Form, Listed, Schema, Text, entries
from gen_workflow.spec.hints import near
from gen_workflow.spec.lines import Lines, Pairs
from gen_workflow.spec.paths import folder_in, path_in
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.variables import Variable, variables

_REFERENCE = r"[A-Za-z0-9][A-Za-z0-9._:/@-]*"
_ID = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_KINDS_OF_TAGS = ("schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha")
# Those that BuildKit builds for and the kernel can emulate.
_PROCESSORS = "amd64|arm64|arm|386|loong64|mips64le|mips64|ppc64le|riscv64|s390x"
# The job's own token; elsewhere it would end with the run, and a build ends before it.
JOB_TOKEN = "github.token"  # noqa: S105 - an expression


class FlagOr(Form[str]):
    """True, false, or a text of one form; false is the default of the action, and empty."""

    def __init__(self, other: Form[str], what: str, hint: str) -> None:
        self._other = other
        self._what = what
        self._hint = hint

    def read(self, value: Value, reading: Reading) -> str | None:
        if value.kind == "true or false":
            return "true" if value.text.lower() == "true" else ""
        if value.kind == "text":
            return self._other.read(value, reading)
        what = f"should be true, false or {self._what}, but is {value.kind}"
        reading.problem(value, what, self._hint, Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, self._other.schema()]}


class Skip(NamedTuple):
    """When an image is not built again. `unchanged` is `true`, or empty when it always is."""

    unchanged: Annotated[
        str,
        Key(
            "Take the image from the registry when it has one of the same content",
            values.Flag("unchanged"),
            "false",
            "0.1.0",
        ),
    ] = "true"
    max_age: Annotated[
        str,
        Key(
            "Age after which an unchanged image is built again, for newer packages",
            Text("an age", r"[1-9][0-9]{0,5}[mhdw]", "7d, 12h or 30m"),
            "7d",
            "0.1.0",
            default="never",
        ),
    ] = ""
    salt: Annotated[
        str,
        Key(
            "Any text; when you change it, every image counts as changed",
            OrExpression("a text of one line", r".+", "write for example salt: 2"),
            "2",
            "0.1.0",
        ),
    ] = ""


SKIP = Section(Skip)
_SKIP_WORD = values.OneOf("unchanged", "never")


def _skip(value: Value, reading: Reading) -> Skip | None:
    word = _SKIP_WORD.read(value, reading)
    return None if word is None else Skip("true" if word == "unchanged" else "")


def _explain_cache(value: Value, line: str, reading: Reading) -> bool:
    if not line.startswith("type=gha"):
        return False
    what = "GitHub gives the token for type=gha to JavaScript actions only, and buildx is none"
    hint = "write cache: auto, which keeps the cache in the registry"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return True


_CACHES = Lines(
    "a cache of buildx",
    rf"type=(?!gha(?:,|$))[a-z0-9]+(?:,.*)?|(?!type=){_REFERENCE}",
    "begin with type=, such as type=registry,ref=ghcr.io/example/shop:cache",
    _explain_cache,
)


class Cache(NamedTuple):
    """The cache of a build: `auto`, or where it is read and written."""

    read_from: Annotated[
        tuple[str, ...],
        Key(
            "Caches that the build reads, in the syntax of buildx",
            _CACHES,
            "type=registry,ref=ghcr.io/example/shop:cache",
            "0.1.0",
        ),
    ] = ()
    write_to: Annotated[
        tuple[str, ...],
        Key(
            "Places where the cache is written, in the syntax of buildx",
            _CACHES,
            '"type=registry,ref=ghcr.io/example/shop:cache,mode=max"',
            "0.1.0",
        ),
    ] = ()
    mode: str = ""


_CACHE_WORD = values.OneOf("auto", "none")


def _cache(value: Value, reading: Reading) -> Cache | None:
    word = _CACHE_WORD.read(value, reading)
    return None if word is None else Cache(mode="" if word == "none" else word)


class Builder(NamedTuple):
    """Which BuildKit builds; each key may be empty."""

    name: Annotated[
        str,
        Key(
            "Name of a builder of buildx, or the address of a BuildKit",
            OrExpression(
                "the name of a builder or an address",
                r"[A-Za-z0-9][A-Za-z0-9_.-]*|(?:tcp|unix)://[^\s,]+",
                "write for example tcp://buildkit:1234",
            ),
            "tcp://buildkit:1234",
            "0.1.0",
            default="Docker's own, and a new one where a key needs it",
        ),
    ] = ""
    image: Annotated[
        str,
        Key(
            "Image of BuildKit for a new builder, such as one in a mirror",
            OrExpression(
                "the name of an image", _REFERENCE, "write for example mirror.example.com/buildkit"
            ),
            "mirror.example.com/moby/buildkit:v0.30.0",
            "0.1.0",
            default="the one that buildx chooses",
        ),
    ] = ""


BUILDER = Section(Builder)


def _builder(value: Value, reading: Reading) -> Builder | None:
    return BUILDER.of(value, {"name": value}, reading)


def _secrets(value: Value, reading: Reading) -> tuple[Variable, ...]:
    """Return the secrets of a build, each an id with its value."""
    found = []
    for place, one in variables(value, reading, _is_id, (JOB_TOKEN,)):
        if EXPRESSION.search(one.value):
            found.append(one)
        else:
            what = f"the value of {one.name!r} stands in the spec, so it is no secret"
            hint = f"take it from a secret: {{{one.name}: ${{{{ secrets.NAME }}}}}}"
            reading.problem(place, what, f"{hint}; or write it into `args`", Heading.SECRET)
    return tuple(found)


def _is_id(value: Value, name: str, reading: Reading) -> bool:
    if re.fullmatch(_ID, name):
        return True
    what, hint = f"{name!r} is not an id of a secret", "use letters, digits and _ . -"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return False


def _is_path(value: Value, text: str, reading: Reading) -> bool:
    del text  # a step before the build may make the file, so it need not be there
    return path_in(value, reading, ".npmrc") is not None


def _is_source(value: Value, text: str, reading: Reading) -> bool:
    """Tell whether a build context is an image, an address, or a folder that is there."""
    if "${{" in text or re.fullmatch(r"(?:docker-image|https?|git|oci-layout)://\S+", text):
        return True
    return folder_in(value, reading) is not None


def _is_line(value: Value, text: str, reading: Reading) -> bool:
    """Tell whether a value fits a line of labels, as the action reads it."""
    if text.isprintable() and text == text.strip() and ',"' not in text:
        return True
    what = 'should be one line, without blanks around it and without `,"` in it'
    reading.problem(value, what, "write a shorter or simpler text", Heading.WRONG_VALUE)
    return False


def _explain_tag(value: Value, line: str, reading: Reading) -> bool:
    kind = re.match(r"type=([^,]*)", line)
    hint = near(kind[1], _KINDS_OF_TAGS) if kind else ""
    if kind:
        what = f"{kind[1]!r} is not a type of rule"
        hint = hint or f"use one of {', '.join(_KINDS_OF_TAGS)}"
        reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return bool(kind)


def _explain_platform(value: Value, found: str, reading: Reading) -> bool:
    if "," not in found:
        return False
    hint = f"write a list: [{', '.join(part.strip() for part in found.split(','))}]"
    reading.problem(value, f"{found!r} is several platforms", hint, Heading.WRONG_VALUE)
    return True


_PAIR = {"additionalProperties": {"type": ["string", "number", "boolean"]}}
_NAMES = {"type": "object", "propertyNames": {"pattern": f"^{_ID}$"}, **_PAIR}
_A_SECRET = {"anyOf": [{"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, _NAMES]}
SECRETS = Checked(_secrets, {"anyOf": [{"type": "array", "items": _A_SECRET}, _NAMES]})
SECRET_FILES = Pairs("an id of a secret", _ID, "secret-files: {npmrc: .npmrc}", _is_path)
SSH = Lines("an agent or a key of SSH", r"[A-Za-z0-9_]\S*", "write default, or id=path")
CONTEXTS = Pairs(
    "the name of a build context",
    r"[a-z0-9][A-Za-z0-9._/:@-]*",
    "contexts: {shared: libs/shared, base: 'docker-image://alpine:3.22'}",
    _is_source,
)
PLATFORMS = Listed(
    Text("a platform", rf"linux/(?:{_PROCESSORS})(?:/v[0-9]+)?", "linux/arm64", _explain_platform),
    alone=True,
    empty="name a platform, or remove `platforms`",
)
# GitHub's own runners, by the platforms whose programs their processors run.
_NATIVE = {
    "linux/amd64": (runner.HOSTED[0],),
    "linux/386": (runner.HOSTED[0],),
    "linux/arm64": (f"{runner.HOSTED[0]}-arm",),
    "linux/arm64/v8": (f"{runner.HOSTED[0]}-arm",),
}
_RUNNERS = "runners: {linux/amd64: ubuntu-24.04, linux/arm64: [self-hosted, linux, arm64]}"


class _Runners(Form[Mapping[str, tuple[str, ...]]]):
    """The word `native`, or a mapping of platforms to labels of runners."""

    def read(self, value: Value, reading: Reading) -> Mapping[str, tuple[str, ...]] | None:
        if value.kind == "text" and value.text == "native":
            return _NATIVE
        if value.kind != "a mapping" or not value.pairs():
            found = repr(value.text) if value.kind == "text" else value.kind
            what = f"should be `native` or a mapping, but is {found}"
            reading.problem(value, what, f"write for example {_RUNNERS}", Heading.WRONG_KIND)
            return None
        labels = runner.LABELS
        given = {key.text: labels.read(item, reading) for key, item in entries(value, reading)}
        return {platform: found for platform, found in given.items() if found}

    def schema(self) -> Schema:
        labels = runner.LABELS.schema()
        mapping = {"type": "object", "additionalProperties": labels, "minProperties": 1}
        return {"anyOf": [{"const": "native"}, mapping]}


RUNNERS = _Runners()


def fit_the_platforms(fields: Fields, reading: Reading) -> None:
    """Note a problem for runners that are not those of the platforms; a rule of an image."""
    where, runners = fields.values["runners"], fields.read["runners"] or {}
    platforms = fields.read.get("platforms") or ()
    if len(platforms) < 2 and runners:  # noqa: PLR2004 - one platform is one job
        what = "has no effect without several `platforms`"
        hint = "name them: platforms: [linux/amd64, linux/arm64]; or use `runner` for all builds"
        reading.problem(where, what, hint, Heading.TOGETHER)
        return
    for platform in (one for one in platforms if runners and one not in runners):
        whose = "GitHub has no runner" if where.kind == "text" else "there is no runner"
        hint = f"name one of your own: runners: {{{platform}: [self-hosted, linux]}}; or remove "
        hint += "`runners`, and all platforms are built in one job, emulated where needed"
        reading.problem(where, f"{whose} for {platform}", hint, Heading.WRONG_VALUE)
    for key, _ in where.pairs() if where.kind == "a mapping" else ():
        if key.text not in platforms:
            hint = near(key.text, platforms) or "remove it, or add it to `platforms`"
            what = f"{key.text!r} is not one of `platforms`"
            reading.problem(key, what, hint, Heading.WRONG_VALUE)


TAGS = Lines(
    "a rule of tags",
    rf"(?!type=).+|type=(?:{'|'.join(_KINDS_OF_TAGS)})(?:,.*)?",
    "write for example type=ref,event=branch",
    _explain_tag,
)
FLAVOR = Lines(
    "a setting of all tags",
    r"(?:latest|prefix|suffix)=.*",
    "write for example latest=false, prefix=v or suffix=-slim",
)
LABELS = Pairs(
    "the name of a label", r"[A-Za-z0-9][A-Za-z0-9._/-]*", "labels: {team: shop}", _is_line
)
PATHS = Lines("a pattern of paths", r"[^\x00-\x1f]+", "write for example [backend, go.mod]")
PROVENANCE = FlagOr(values.OneOf("min", "max"), "`min` or `max`", "write provenance: max")
SBOM = FlagOr(
    Text("the image of a scanner", _REFERENCE, "docker/scout-sbom-indexer"),
    "the image of a scanner",
    "write sbom: true",
)
OLDER_COMMIT = values.OneOf("keep", "move")
SKIPS = ShortOr(
    Checked(_skip, _SKIP_WORD.schema()), "`unchanged` or `never`", "skip: unchanged", SKIP
)
CACHE = ShortOr(Checked(_cache, _CACHE_WORD.schema()), "`auto`", "cache: auto", Section(Cache))
BUILDERS = ShortOr(
    Checked(_builder, BUILDER.keys["name"].form.schema()),
    "a name",
    "builder: tcp://buildkit:1234",
    BUILDER,
)
