"""Whatever is written and whatever GitHub sends: legal names, or one error that says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ship.images.reference import NAME, TAG
from ship.images.tags import Metadata, Wanted, describe, facts_of
from ship.images.tags.collation import collated
from ship.images.tags.dates import moment, written
from ship.images.tags.expressions import BadExpressionError, expand
from ship.images.tags.facts import LAST_SECOND
from ship.images.tags.lines import fields, lines
from ship.images.tags.regexes import groups
from ship.images.tags.rules import RuleError
from ship.images.tags.versions import pep440, semver
from ship.runner.context import Context
from ship.runner.errors import UserError
from unit.ship.images.tags.runs import BASE, COMMIT, PULL_REQUEST, RUNS, SHA

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
EXPRESSIONS = (
    "{{branch}}", "{{ tag }}", "{{{sha}}}", "{{base_ref}}", "{{is_default_branch}}",
    "{{is_not_default_branch}}", "{{date 'YYYYMMDD'}}", "{{date 'LLLL [x] w' tz='Asia/Kolkata'}}",
    "{{commit_date 'X'}}", "{{version}}", "{{raw}}", "{{major}}.{{minor}}", "{{nope}}", "{{", "}}",
    r"\{{", "{{date}}", "{{date 'a' tz='x'}}", "{{#if tag}}",
)  # fmt: skip
VALUES = (
    "", "x", "true", "false", "latest", "v1.2.3", "1.2.3-rc.1", "1!2.0.post1", "main", "pr", "tag",
    "branch", "short", "long", "0", "1", "900", "1e99", "-", ".", "--.", "ü", "a/b", "sha-",
    "y" * 130, r"v(\d+)", "(.*)", "/X(.)?/gi", "[a", "(?<n>a)|\\1",
)  # fmt: skip
TYPES = ("schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha", "nope", "")
KEYS = (
    "type", "value", "pattern", "prefix", "suffix", "enable", "priority", "group", "match", "event",
    "format", "branch", "onlatest", "latest", "name", "Type ", "",
)  # fmt: skip

# A surrogate is no text, and a program gets none from its environment but by accident.
text = st.text(max_size=12)
value = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(EXPRESSIONS),
    st.lists(st.sampled_from((*VALUES, *EXPRESSIONS)), max_size=3).map("".join),
    text,
)
field = st.one_of(st.tuples(st.sampled_from(KEYS), value).map("=".join), value)
quoted = field.map(lambda each: '"' + each.replace('"', '""') + '"')
rule = st.tuples(
    st.sampled_from(TYPES).map(lambda each: f"type={each}"),
    st.lists(st.one_of(field, quoted), max_size=4),
).map(lambda parts: ",".join((parts[0], *parts[1])))
# Rules that are right, in all their shapes.
good = st.sampled_from(
    (
        "type=schedule", "type=schedule,pattern={{date 'YYYY'}}", "type=edge",
        "type=semver,pattern={{version}}", "type=semver,pattern={{major}},priority=1",
        "type=pep440,pattern={{raw}},value={{tag}}", "type=match,pattern=(.+)/(.*),group=2",
        "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr", "type=sha",
        "type=sha,format=long,prefix={{branch}}-", "type=raw,value={{base_ref}}",
        "type=raw,value=latest,enable={{is_default_branch}}", "# none", "", "latest",
    )
)  # fmt: skip
rules = st.one_of(
    st.lists(good, max_size=6),
    st.lists(st.one_of(good, rule, quoted, text), max_size=5),
).map("\n".join)
flavor = st.one_of(
    st.just(""),
    st.sampled_from(("latest=true", "prefix=-,onlatest=true", "suffix={{tag}},onlatest=true")),
    st.lists(field, max_size=3).map(",".join),
)
labels = st.lists(st.one_of(st.just("a={{branch}}"), field, text), max_size=3).map("\n".join)
images = st.one_of(
    st.just("ghcr.io/acme/shop"),
    st.sampled_from(("a/b,C/D", "a\nname=b,enable=false\ndocker.io/library/a", "")),
    st.lists(st.one_of(field, text), max_size=3).map("\n".join),
)
wanted = st.builds(Wanted, images, rules, flavor, labels, labels)

any_text = st.text(st.characters(), max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def shaped(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return payloads like a sound one, in which any part may be anything else or missing."""
    parts = {
        key: st.one_of(
            st.just(part), anything, shaped(part) if isinstance(part, dict) else st.just(part)
        )
        for key, part in sound.items()
    }
    return st.fixed_dictionaries({}, optional=parts)


payload = st.one_of(
    st.sampled_from([run.payload for run in RUNS.values()]),
    shaped(
        {
            **BASE,
            **PULL_REQUEST,
            "base_ref": "refs/heads/main",
            "commits": [COMMIT],
            "head_commit": COMMIT,
            "merge_group": {"head_commit": COMMIT},
        }
    ),
    st.dictionaries(text, anything, max_size=3),
)
names = st.one_of(
    any_text,
    st.sampled_from(("main", "v1.2.3", "7/merge", "-rf", ".x", "a" * 200)),
    st.sampled_from(("$(id)", "`id`", "{{sha}}", "a=b&c", "'\"><")),
)
ref = st.one_of(
    st.tuples(st.sampled_from(("refs/heads/", "refs/tags/", "refs/pull/", "refs/", "")), names).map(
        "".join
    ),
    st.sampled_from([run.ref for run in RUNS.values()]),
)
context = st.builds(
    Context,
    repository=st.sampled_from(("Acme/Shop", "", "x\ny")),
    sha=st.one_of(st.just(SHA), any_text),
    ref=ref,
    event_name=st.one_of(st.sampled_from([run.event_name for run in RUNS.values()]), text),
    payload=payload,
)
number = st.one_of(st.integers(-1, 2**50).map(str), st.sampled_from((str(LAST_SECOND), "x")))
env = st.fixed_dictionaries(
    {"SOURCE_DATE_EPOCH": st.one_of(st.just("1783214445"), number)},
    optional={
        "DOCKER_METADATA_SHORT_SHA_LENGTH": st.one_of(st.sampled_from(("7", "64", "x")), number),
        "DOCKER_METADATA_PR_HEAD_SHA": st.sampled_from(("true", "false")),
        "DOCKER_METADATA_ANNOTATIONS_LEVELS": st.sampled_from(("index,manifest", "", "x")),
    },
)
published = st.one_of(st.none(), st.lists(st.sampled_from(VALUES) | text, max_size=3).map(tuple))


def outcome(
    wanted: Wanted, context: Context, env: dict[str, str], published: tuple[str, ...] | None
) -> Metadata | tuple[str, ...]:
    try:
        return describe(wanted, facts_of(context, env), published)
    except UserError as caught:
        problems = caught.problems
    assert problems
    assert all(problem.where and problem.what for problem in problems)
    return tuple(str(problem) for problem in problems)


def check(made: Metadata) -> None:
    assert all(TAG.fullmatch(tag) for tag in made.tag_names)
    assert all(NAME.fullmatch(str(name)) for name in made.names)
    assert len(set(made.references)) == len(made.references)
    assert len(made.references) == len(made.tag_names) * max(1, len(made.names))
    assert made.version == (made.tag_names[0] if made.tag_names else "")
    assert made.shown in made.tag_names if made.tag_names else made.shown == ""
    labels = (f"{name}={value}" for name, value in made.labels.items())
    for line in (*made.references, *made.leveled_annotations(), *labels):
        assert line.splitlines() == [line]
        assert line.encode()
    assert all(name and name == name.strip() and "=" not in name for name in made.labels)
    json.dumps(made.as_json()).encode()
    json.dumps(made.bake()).encode()


@LARGE
@given(wanted, context, env, published)
def test_anything_gives_legal_names_or_one_error(
    wanted: Wanted, context: Context, env: dict[str, str], published: tuple[str, ...] | None
) -> None:
    made = outcome(wanted, context, env, published)
    if isinstance(made, Metadata):
        check(made)
    assert outcome(wanted, context, env, published) == made


@LARGE
@given(st.lists(good, max_size=6).map("\n".join), context, published)
def test_sound_rules_are_sound_for_every_run(
    tags: str, context: Context, published: tuple[str, ...] | None
) -> None:
    made = outcome(Wanted("a/b", tags), context, {"SOURCE_DATE_EPOCH": "1"}, published)
    assert isinstance(made, Metadata), made
    check(made)


@LARGE
@given(names, names)
def test_a_branch_has_a_tag_and_two_long_ones_have_two(one: str, other: str) -> None:
    def tags(name: str) -> tuple[str, ...]:
        facts = facts_of(Context(ref=f"refs/heads/{name}{'y' * 130}"), {"SOURCE_DATE_EPOCH": "0"})
        return describe(Wanted("", "type=ref,event=branch"), facts, None).tag_names

    assert len(tags(one)) == 1
    if facts_of(Context(ref=one), {}).ref != facts_of(Context(ref=other), {}).ref:
        assert tags(one) != tags(other)


@LARGE
@given(st.one_of(text, st.text('a,"= {}#\n', max_size=15)))
def test_any_line_can_be_read(text: str) -> None:
    for line in lines(text):
        assert line.text == text.splitlines()[line.number - 1].strip()
        assert fields(line.text)


@LARGE
@given(st.lists(st.text('a,"=x', max_size=6), min_size=1, max_size=4))
def test_fields_in_quotes_are_read_as_they_were(values: list[str]) -> None:
    text = ",".join('"' + each.replace('"', '""') + '"' for each in ("x", *values))
    assert fields(text) == ["x", *values]


def survives(act: Callable[[], object], *expected: type[Exception]) -> None:
    try:
        act()
    except expected as error:
        assert str(error)  # noqa: PT017 - that it may be raised is the point


@LARGE
@given(st.one_of(text, st.text("{}!#&~\\'\"= ab", max_size=15)))
def test_any_expression_is_a_text_or_an_error(text: str) -> None:
    survives(lambda: expand(text, {"a": lambda *_: "x"}), BadExpressionError)


@LARGE
@given(st.one_of(text, st.text(r"ab\[](){}?*+.^$|/-1pkn<>:=!,", max_size=12)), text)
def test_any_regular_expression_is_one_or_an_error(pattern: str, text: str) -> None:
    survives(lambda: groups(pattern, text), RuleError)


@LARGE
@given(
    st.integers(0, LAST_SECOND),
    st.sampled_from(("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Dublin")),
    st.one_of(text, st.text("YMDdgGwWEeHhkmsSaAZzXxLlTNyo[]\\ ", max_size=9)),
)
def test_any_pattern_is_a_date(seconds: int, zone: str, pattern: str) -> None:
    assert isinstance(written(moment(seconds, zone), pattern), str)
    assert len(written(moment(seconds, zone), "YYYY-MM-DD w W gggg GGGG")) >= len("YYYY-MM-DD")


@LARGE
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_version_is_read_as_it_is_written(major: int, minor: int, patch: int) -> None:
    text = f"{major}.{minor}.{patch}"
    for read in (semver, pep440):
        version = read(f"v{text}")
        assert version
        assert version.values["version"] == text
        assert version.triple == (major, minor, patch)


@LARGE
@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_versions(text: str) -> None:
    for read in (semver, pep440):
        version = read(text)
        assert version is None or version.values["raw"] == text


@LARGE
@given(st.lists(text))
def test_the_order_of_names_depends_on_nothing_else(names: list[str]) -> None:
    assert collated(names) == collated(reversed(names)) == collated(collated(names))
    assert sorted(collated(names)) == sorted(names)
