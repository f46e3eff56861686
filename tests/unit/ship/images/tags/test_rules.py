"""How lines are read, and what is said of those that cannot be."""

from __future__ import annotations

import pytest

from ship.images.tags.lines import fields, lines, unquoted
from ship.runner.errors import UserError
from unit.ship.images.tags.runs import RUNS, TAG, described, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ["a", "b"]),
        ("a, b", ["a", " b"]),
        ("a,", ["a", ""]),
        ("", [""]),
        ('"a,b"', ["a,b"]),
        ('a,"b,c",d', ["a", "b,c", "d"]),
        ('"a ""b"" c",d', ['a "b" c', "d"]),
        ('"a=1,b=2"', ["a=1", "b=2"]),  # around all of a line, not around a value
        ('a="b"', ['a="b"']),
        ('"a', ['"a']),
        ('"a"b,c', ['"a"b', "c"]),
        ('"a""b"c', ['"a"b"c']),
        ('""', [""]),
    ],
)
def test_a_line_has_fields(text: str, expected: list[str]) -> None:
    assert fields(text) == expected


@pytest.mark.parametrize("text", ['{"a":"b"}', "it's", 'x=say "hi", then', "a,b", ' "', "=", ""])
def test_a_text_without_quotes_around_a_field_stays(text: str) -> None:
    assert unquoted(text) == text


def test_empty_lines_and_comments_are_skipped_but_counted() -> None:
    read = lines('\n# no\n  # nor this\na # b\r\n\t\n""\n  c  \n')
    assert [tuple(line) for line in read] == [(4, "a # b"), (7, "c")]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("foo", "foo"),
        ("type=raw,foo", "foo"),
        ("type=raw,value=a,value=b", "b"),
        ("value=x,prefix=p-", "p-x"),
        ("  TYPE = raw , VALUE = x ", "x"),
        ("type=raw,value=a=b", "a-b"),
        ("type=raw,value=x,suffix=-{{date 'YYYY'}}", "x-2026"),
        ('type=raw,value=x{{date ".MM"}}', "x.07"),
        ('type=raw,"value=a,b"', "a-b"),
        ('"type=raw,value=x"', "x"),
        ("{{date 'YYYY' tz='Asia/Tokyo'}}", "2026"),
        ("type=raw,value=x,priority=.5e1", "x"),
    ],
)
def test_a_rule_is_fields_with_a_name(rule: str, expected: str) -> None:
    assert names(rule) == (expected,)


def test_the_most_important_tag_is_the_first_and_decides_on_latest() -> None:
    rules = "type=sha,prefix=\ntype=raw,value=a\ntype=semver,pattern={{version}}\ntype=raw,value=b"
    assert names(rules, TAG) == ("1.2.3", "a", "b", "0123456", "latest")
    assert names(rules.replace("value=b", "value=b,priority=901"), TAG) == (
        "b", "1.2.3", "a", "0123456",
    )  # fmt: skip
    assert described(rules, TAG).version == "1.2.3"


def test_tags_that_are_the_same_are_one() -> None:
    assert names("latest\nmain\ntype=ref,event=branch", flavor="latest=true") == ("main", "latest")


@pytest.mark.parametrize(
    ("flavor", "expected"),
    [
        ("latest=true", ("x", "latest")),
        ("latest=false\nlatest=true", ("x", "latest")),
        ("prefix=p-", ("p-x",)),
        ("prefix=p-,suffix=-s", ("p-x-s",)),
        ("PREFIX = p-", ("p-x",)),
        ("latest=true\nprefix=p-", ("p-x", "latest")),
        ("latest=true\nprefix=p-,onlatest=true", ("p-x", "p-latest")),
        ("prefix=p-,latest=true,onlatest=true", ("p-x", "p-latest")),
        ("latest=true\nprefix=p-,onlatest=true\nsuffix=-s", ("p-x-s", "p-latest")),
        ("latest=true\nsuffix=-s,onlatest=true,prefix=p-,onlatest=false", ("p-x-s", "latest-s")),
        ("latest=true\nprefix=p-\nonlatest=true", ("p-x", "latest")),
        ("latest=true\nprefix={{branch}}-,onlatest=true", ("main-x", "main-latest")),
        ("prefix=a=b", ("ax",)),
        ("# prefix=p-\n\n", ("x",)),
        ('"prefix=a,b"', UserError),
    ],
)
def test_a_flavor_is_for_all_tags(flavor: str, expected: tuple[str, ...]) -> None:
    if not isinstance(expected, tuple):
        with pytest.raises(expected):
            names("x", flavor=flavor)
        return
    assert names("x", flavor=flavor) == expected


def test_a_prefix_of_a_rule_replaces_the_common_one() -> None:
    rules = "x,prefix=\nx,suffix=-s\ntype=sha\ntype=ref,event=pr"
    assert names(rules, RUNS["pull request"], flavor="prefix=p-\nsuffix=-t") == (
        "pr-7-t", "x-t", "p-x-s", "sha-0123456-t",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("a/b", "a/b:x"),
        ("GHCR.io/Acme/Shop", "ghcr.io/acme/shop:x"),
        ("localhost:5000/a", "localhost:5000/a:x"),
        ("a/b,c/d", "a/b:x c/d:x"),
        ('a/b,"c/d",', "a/b:x c/d:x"),
        ("a/b\n# no\nname=c/d\nname=e/f,enable=false", "a/b:x c/d:x"),
        ("a/b\nA/B\ndocker.io/a/b", "a/b:x"),
        ("app\ndocker.io/library/app", "app:x"),
        ("name=a/b,enable=false", "x"),
    ],
)
def test_an_image_may_have_several_names(image: str, expected: str) -> None:
    assert " ".join(described(image=image).references) == expected


NO_QUOTES = (
    "there is a quote inside a field\n"
    '  hint: put the quotes around the whole field, as in type=raw,"value=a,b"'
)
EXPRESSIONS = (
    "use one of base_ref, branch, commit_date, date, is_default_branch, is_not_default_branch, "
    "sha, tag"
)
ERRORS = {
    "ghcr.io/acme/shop:1": "a tag does not contain the name of the image\n"
    "  hint: write only the tag; the part before the colon belongs into the input `image`",
    "type=sah": "'sah' is not a type of rule\n  hint: did you mean 'sha'?",
    "type=Raw,value=x": "'Raw' is not a type of rule\n  hint: did you mean 'raw'?",
    "type=": "'' is not a type of rule\n"
    "  hint: use one of schedule, semver, pep440, match, edge, ref, raw, sha",
    "type=sha,formt=long": "type sha has no attribute 'formt'\n  hint: did you mean 'format'?",
    "type=sha,x=y": "type sha has no attribute 'x'\n"
    "  hint: use one of enable, priority, prefix, suffix, format",
    "type=sha,long": "type sha takes no value, but there is 'long'\n"
    "  hint: use one of enable, priority, prefix, suffix, format",
    "type=sha,format=Long": "'Long' is not one of short, long",
    "type=ref": "`event` is missing\n  hint: a rule of type ref needs this attribute",
    "type=ref,event=branches": "'branches' is not one of branch, tag, pr",
    "type=semver": "`pattern` is missing\n  hint: a rule of type semver needs this attribute",
    "type=pep440,value=1": "`pattern` is missing\n"
    "  hint: a rule of type pep440 needs this attribute",
    "type=match": "`pattern` is missing\n  hint: a rule of type match needs this attribute",
    "type=raw": "`value` is missing\n  hint: a rule of type raw needs this attribute",
    "prefix=v": "`value` is missing\n  hint: a rule of type raw needs this attribute",
    "x,priority=high": "priority: 'high' is not a number\n  hint: write one such as 1",
    "x,priority=": "priority: '' is not a number\n  hint: write one such as 1",
    "type=match,pattern=x,group=-1": "group: '-1' is not a number\n  hint: write one such as 1",
    "x,enable=yes": "enable: 'yes' is neither true nor false",
    "x,enable=": "enable: '' is neither true nor false",
    'value="x"': NO_QUOTES,
    '"x': NO_QUOTES,
    "type=match,pattern=(": "'(' is not a regular expression that is supported here: "
    "missing ), unterminated subpattern at position 0",
    "type=match,pattern=/x/q": "'q' is not a flag\n  hint: the flags are i, m, s, u, d, g, y",
    r"type=match,pattern=\p{L}": r"'\\p{L}' is not a regular expression that is supported here: "
    "classes of Unicode are not supported",
    "type=semver,pattern={{raw}},match=v.*": "match: 'v.*' has no group\n"
    "  hint: put ( ) around the part that is the version",
    "type=semver,pattern={{raw}},value=v1,match=v(x)?":
    "match: its group 1 matches nothing in 'v1'",
    "x{{brnch}}": "`{{brnch}}` is unknown\n  hint: did you mean {{branch}}?",
    "x{{z}}": f"`{{{{z}}}}` is unknown\n  hint: {EXPRESSIONS}",
    "x{{#if branch}}y{{/if}}": f"`{{{{#if branch}}}}` is unknown\n  hint: {EXPRESSIONS}",
    "x{{branch": "`{{` is not closed\n"
    "  hint: close it with }}, or write \\{{ for the braces themselves",
    "x{{}}": "`{{}}` is not an expression\n  hint: write a name, such as {{branch}}",
    "x{{date 'YYYY' 'MM'}}": "`{{date 'YYYY' 'MM'}}` is not an expression\n"
    "  hint: write a name, such as {{branch}}",
    "x{{date 'YYYY' zone='UTC'}}": "a date has no option 'zone'\n"
    "  hint: its only option is tz, a time zone",
    "x{{date 'YYYY' tz='Berlin'}}": "'Berlin' is not a time zone\n"
    "  hint: use a name of the tz database, such as Europe/Berlin",
    # Also in rules that are for another run than this one.
    "type=schedule,pattern={{nightly}}": f"`{{{{nightly}}}}` is unknown\n  hint: {EXPRESSIONS}",
    "type=semver,pattern={{verison}}": "`{{verison}}` is unknown\n"
    "  hint: did you mean {{version}}?",
    "type=pep440,pattern={{build}}": "`{{build}}` is unknown\n  hint: use one of base_ref, "
    "branch, commit_date, date, is_default_branch, is_not_default_branch, major, minor, patch, "
    "raw, sha, tag, version",
    "type=ref,event=tag,suffix={{tga}}": "`{{tga}}` is unknown\n  hint: did you mean {{tag}}?",
    "x,enable=false,prefix={{shaa}}": "`{{shaa}}` is unknown\n  hint: did you mean {{sha}}?",
}  # fmt: skip


@pytest.mark.parametrize("rule", ERRORS)
def test_a_wrong_rule_is_reported_with_its_line_and_what_was_meant(rule: str) -> None:
    with pytest.raises(UserError) as caught:
        described(f"# tags\n\n  {rule}\nok")
    (problem,) = caught.value.problems
    assert problem.where == "input `tags`, line 3"
    assert str(problem) == f"input `tags`, line 3: {rule!r}: {ERRORS[rule]}"


@pytest.mark.parametrize(
    ("flavor", "reported"),
    [
        ("latest=maybe", "line 1: 'latest=maybe': latest: 'maybe' is not one of auto, true, false"),
        ("\nprefix=v,onlatest=1", "line 2: 'prefix=v,onlatest=1': onlatest: '1' is not one of"),
        ("prefx=v", "line 1: 'prefx=v': 'prefx' is unknown\n  hint: did you mean 'prefix'?"),
        ("latest", "line 1: 'latest': 'latest' is not a setting\n  hint: write latest=, prefix="),
        ("prefix=v,", "line 1: 'prefix=v,': '' is not a setting"),
        ('prefix="v"', "line 1: 'prefix=\"v\"': there is a quote inside a field"),
    ],
)
def test_a_wrong_flavor_is_reported_with_its_line(flavor: str, reported: str) -> None:
    with pytest.raises(UserError) as caught:
        described(flavor=flavor)
    assert str(caught.value).startswith(f"input `flavor`, {reported}")


def test_a_wrong_expression_of_the_flavor_is_reported_once() -> None:
    with pytest.raises(UserError) as caught:
        described("x\ny", flavor="suffix=-{{shaa}}\nlatest=true")
    assert str(caught.value) == (
        "input `flavor`: '-{{shaa}}': `{{shaa}}` is unknown\n  hint: did you mean {{sha}}?"
    )


NAME = "write it with its registry and without a tag, such as ghcr.io/owner/name"


@pytest.mark.parametrize(
    ("image", "reported"),
    [
        ("A/b:1", f": 'A/b:1' is not the name of an image\n  hint: {NAME}"),
        ("{{branch}}", f": '{{{{branch}}}}' is not the name of an image\n  hint: {NAME}"),
        (
            "a\nb,c",
            ", line 2: 'b,c': there are two names on the line\n  hint: write one name per line",
        ),
        (
            "enable=true",
            ", line 1: 'enable=true': the name is missing\n  hint: write name=ghcr.io/owner/name",
        ),
        (
            "a,enabel=true",
            ", line 1: 'a,enabel=true': 'enabel' is unknown\n  hint: did you mean 'enable'?",
        ),
        ("a,enable=yes", ", line 1: 'a,enable=yes': enable: 'yes' is not one of true, false"),
    ],
)
def test_a_wrong_name_is_reported(image: str, reported: str) -> None:
    with pytest.raises(UserError) as caught:
        described(image=image)
    assert str(caught.value) == f"input `image`{reported}"


def test_all_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(UserError) as caught:
        described(
            "type=x\nok\nraw{{x}}", flavor="a=b", labels="c={{y}}", annotations="{{z}}", image="A:b"
        )
    assert [problem.where for problem in caught.value.problems] == [
        "input `image`", "input `flavor`, line 1", "input `tags`, line 1", "input `tags`, line 3",
        "input `labels`, line 1", "input `annotations`, line 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "run", "tags", "reported"),
    [
        ("type=sha,prefix={{branch}}-", "pull request", ("0123456",),
         "'-0123456' cannot be a tag, so 0123456 is used instead"),
        ("..--.x.", "run by hand", ("x.",), "'..--.x.' cannot be a tag, so x. is used instead"),
        ("type=raw,value=#12-ü", "run by hand", ("12--",), "'#12-ü' cannot be a tag, so 12-- is"),
        ("--", "run by hand", (), "'--' gives no tag: it has no character that a tag may have"),
        ("type=raw,value=🎉", "run by hand", (),
         "'🎉' gives no tag: it has no character that a tag may have"),
        ("y" * 129, "run by hand", ("y" * 119 + "-35152bb0",), "is used instead"),
        ("y" * 128, "run by hand", ("y" * 128,), None),
        ("a b/c", "run by hand", ("a-b-c",), None),
    ],
)  # fmt: skip
def test_a_tag_is_legal_and_a_change_is_reported(
    rule: str, run: str, tags: tuple[str, ...], reported: str | None
) -> None:
    made = described(rule, RUNS[run])
    assert made.tag_names == tags
    assert reported in made.notices[0] if reported else made.notices == ()


def test_latest_is_legal_too() -> None:
    made = described("x", flavor="latest=true\nprefix=-,onlatest=true")
    assert made.tag_names == ("x", "latest")
    assert made.notices[1] == "'-latest' cannot be a tag, so latest is used instead"


def notices(tags: str, run: str = "push to the default branch") -> tuple[str, ...]:
    return described(tags, RUNS[run]).notices


@pytest.mark.parametrize(
    ("rule", "run", "reported"),
    [
        ("type=semver,pattern={{version}}", "push of another tag",
         "'20260705-fix' is not a version of https://semver.org"),
        ("type=pep440,pattern={{version}}", "push of another tag",
         "'20260705-fix' is not a version of PEP 440"),
        ("type=match,pattern=v1", "push of another tag", "v1 does not match '20260705-fix'"),
        ("type=match,pattern=fix,group=2", "push of another tag",
         "there is no group 2, or it matches nothing"),
        ("type=semver,pattern={{version}},match=app-(.*)", "push of a version",
         "app-(.*) does not match 'v1.2.3'"),
    ],
)  # fmt: skip
def test_a_rule_that_finds_nothing_says_so(rule: str, run: str, reported: str) -> None:
    assert notices(rule, run) == (f"{rule}: {reported}",)


def test_a_fact_that_is_missing_is_reported() -> None:
    run = "nothing but a ref"
    assert notices("type=edge", run) == (
        "the event does not name the default branch, so there is no tag `edge`",
    )
    assert notices("x,enable={{is_default_branch}}", run) == (
        "the event does not name the default branch, so is_default_branch is false",
    )
    assert notices("{{commit_date 'YYYY'}}", run) == (
        "the event has no time of the commit, so commit_date is the time of the run",
    )


def test_a_rule_for_another_run_is_no_reason_for_a_notice() -> None:
    rules = "type=semver,pattern={{version}}\ntype=match,pattern=v1\ntype=ref,event=pr\ntype=edge"
    assert notices(f"{rules}\n{{{{commit_date 'X'}}}},enable=false") == ()
