from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ship.build_push.dockerfile import is_image, read, sources

SHA = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def images(text: str, **options: Any) -> list[str]:
    """Return the images of a Dockerfile in which nothing is unknown."""
    found = sources(text, **options)
    assert found.unknown == ()
    return list(found.images)


def unknown(text: str, **options: Any) -> list[str]:
    return [f"{line}: {what}" for line, what in sources(text, **options).unknown]


def rows(*pairs: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("text", "expected"), pairs)


@rows(
    ("FROM alpine", "alpine"),
    ("from alpine as x", "alpine"),
    ("FROM scratch", ""),
    ("FROM ghcr.io/acme/base:1.2", "ghcr.io/acme/base:1.2"),
    (f"FROM alpine:3.20@sha256:{SHA}", f"alpine:3.20@sha256:{SHA}"),
    ("FROM localhost:5000/x:1", "localhost:5000/x:1"),
    ("FROM --platform=$BUILDPLATFORM golang AS build\nFROM alpine", "alpine"),
    ("FROM a\nCOPY --from=b:1 /a /b\nCOPY --link --from=c /a /b", "a b:1 c"),
    ('FROM a\nCOPY --from="b" ["/a", "/b"]', "a b"),
    ("FROM a\nCOPY --from=scratch /a /b", "a"),
    ("FROM a\nCOPY --from= /a /b", "a"),
    # In the order of the file, each once.
    ("FROM b AS x\nCOPY --from=c / /\nFROM a\nCOPY --from=x / /\nCOPY --from=c / /", "b c a"),
)
def test_the_images_that_are_named_are_found(text: str, expected: str) -> None:
    assert images(text) == expected.split()


@rows(
    ("FROM a AS x\nFROM x AS y\nFROM y", "a"),
    ("FROM a AS x\nFROM b\nCOPY --from=x /a /b", "a b"),
    ("FROM a AS x\nFROM b\nCOPY --from=X /a /b", "a b"),
    ("FROM a AS X\nFROM x", "a"),
    ("FROM a\nFROM b\nCOPY --from=0 /a /b", "a b"),
    ("FROM a AS a\nFROM a", "a"),
    # Of two with a name the later one is meant; a FROM sees only those before it.
    ("FROM a AS x\nFROM b AS x\nFROM c\nCOPY --from=x / /", "b c"),
    ("FROM a AS x\nFROM x AS y\nFROM c AS x\nFROM y", "a"),
)
def test_the_name_of_a_stage_is_not_an_image(text: str, expected: str) -> None:
    assert images(text) == expected.split()


@rows(
    ("--mount=type=bind,from=b,target=/b true", "b"),
    ('--mount="from=b,target=/b" --mount=type=cache,from=c,target=/c x', "b c"),
    ("--mount=from=x,target=/x true", ""),
    ("--mount=target=/b,FROM=b true", "b"),
    ("--mount=type=bind,\\\nfrom=b,target=/b \\\n  --mount=from=c,target=/c true", "b c"),
    ("--network=none --mount=from=b,target=/b -- --mount=from=c,target=/c", "b"),
    ("echo --mount=from=b --from=c", ""),
    ("--mount=type=secret,id=from=b true", ""),
)
def test_the_images_that_a_run_mounts_are_found(text: str, expected: str) -> None:
    assert images(f"FROM scratch AS x\nFROM a\nRUN {text}") == ["a", *expected.split()]


@rows(
    ("# syntax=docker/dockerfile:1.7\nFROM a", "docker/dockerfile:1.7 a"),
    ("#syntax = docker/dockerfile:1 x\nFROM a", "docker/dockerfile:1 a"),
    ("#!/x\n# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1 a"),
    ("# escape=`\n# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1 a"),
    ("# check=skip=all\n# Syntax=docker/dockerfile:1-labs\nFROM a", "docker/dockerfile:1-labs a"),
    ("\ufeff# syntax=h.example/docker/dockerfile\r\nFROM a", "h.example/docker/dockerfile a"),
    ("# a comment\n# syntax=docker/dockerfile:1\nFROM a", "a"),
    ("\n# syntax=docker/dockerfile:1\nFROM a", "a"),
    ("FROM a\n# syntax=docker/dockerfile:1", "a"),
)
def test_the_frontend_is_an_image_too(text: str, expected: str) -> None:
    assert images(text) == expected.split()


@rows(
    ("# FROM x\nFROM a", "a"),
    ("FROM \\\n  a \\\n  AS x", "a"),
    ("FROM a\nCOPY \\\n  # FROM x\n\n  --from=b \\\n  /a /b", "a b"),
    ("FROM a\nRUN x \\\nFROM b", "a"),
    ("FROM a\nRUN x \\ \t\nFROM b", "a"),
    ("FROM a\nRUN x \\\\\nFROM b", "b"),
    ("# escape=`\nFROM a\nRUN x `\nFROM b", "a"),
    ("# escape=`\nFROM a\nRUN x \\\nFROM b", "b"),
    ("FROM a\r\nRUN x \\\r\n  y\r\nCOPY --from=b / /\r\n", "a b"),
)
def test_a_line_may_go_on_and_a_comment_does_not_count(text: str, expected: str) -> None:
    assert images(text) == expected.split()


@rows(
    ("RUN <<EOF\nFROM b\nCOPY --from=c / /\nEOF\nCOPY --from=d / /", "a d"),
    ("RUN <<-'E O'\n\tFROM b\n\tE O\nCOPY --from=d / /", "a d"),
    ("COPY <<a.txt <<b.txt /x/\nFROM b\na.txt\nFROM c\nb.txt\nCOPY --from=d / /", "a d"),
    ('RUN cat <<"X" && y 3<< Y\nFROM b\nX\nFROM c\nY\n', "a"),
    ("RUN cat <<EOF > ${D:-/x}/y\nFROM b\nEOF\nCOPY --from=d / /", "a d"),
    ("RUN cat <<EOF>x\nFROM b\nEOF>x\nCOPY --from=d / /", "a d"),
    ("ONBUILD RUN <<EOF\nFROM b\nEOF\n", "a"),
    # None of these is one.
    ('RUN echo "<<EOF"\nFROM b', "b"),
    ("RUN cat <<< word\nFROM b", "b"),
    ('RUN ["cat", "<<EOF"]\nFROM b', "b"),
    ("CMD cat <<EOF\nFROM b", "b"),
    ("RUN echo it's <<EOF\nFROM b", "b"),
    ("RUN cat<<EOF\nFROM b", "b"),
    ("RUN echo $((1<<2)) \\<<EOF <<\nFROM b", "b"),
)
def test_the_text_of_a_heredoc_is_no_instruction(text: str, expected: str) -> None:
    assert images(f"FROM a\n{text}") == expected.split()


@rows(
    ("ARG V=3\nFROM a:$V", "a:3"),
    ("ARG V=3\nARG I=a:$V\nFROM ${I}-slim", "a:3-slim"),
    ("ARG I='a' V=\"2\"\nFROM $I:$V", "a:2"),
    ('ARG V=1\nARG I="a:${V}"\nFROM "$I"', "a:1"),
    ("FROM 'alpine'", "alpine"),
    ("FROM a:${V:-1}", "a:1"),
    ("ARG B=b\nFROM ${A:-${B}:${V-1}}", "b:1"),
    ("ARG V=\nFROM a:${V:-1}${V-2}${V:+3}${V+4}", "a:14"),
    ("ARG S\nFROM a${S}", "a"),
    ("FROM a${NOWHERE}", "a"),
    ("FROM a${NOWHERE:+:1}", "a"),
    ("ARG V=1\nFROM a AS x\nARG V=2\nFROM b:$V", "b:1"),
    ("FROM a\nARG V=1\nFROM b:${V:-0}", "b:0"),
    # Only what is used has to be understood.
    ('ARG V=1.2\nARG M=${V%.*} O=\'a b\'\nARG P="a \\"b"\nFROM a:$V', "a:1.2"),
    ('FROM a\nARG X=${V^^}\nENV Y=\'z"\'\nLABEL z="\\""\nRUN echo "it\'s"', "a"),
)
def test_an_arg_before_the_first_from_may_be_part_of_a_name(text: str, expected: str) -> None:
    assert images(text) == expected.split()


@rows(
    ("FROM a AS x\nONBUILD COPY --from=b / /\nFROM x", "a b"),
    ("FROM a AS x\nONBUILD COPY --from=b / /\nFROM x AS y\nFROM y", "a b"),
    ("FROM a\nONBUILD COPY --from=b / /", "a"),
)
def test_a_trigger_runs_in_the_stages_that_start_from_its_stage(text: str, expected: str) -> None:
    assert images(text) == expected.split()


FILE = """\
# syntax=docker/dockerfile:1
ARG NODE=22
FROM node:$NODE AS deps
FROM deps AS test
COPY --from=tester:1 / /
FROM deps AS build
RUN --mount=from=tools:2,target=/t true
FROM nginx AS web
COPY --from=build /dist /srv
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", ["docker/dockerfile:1", "node:22", "tools:2", "nginx"]),
        ("web", ["docker/dockerfile:1", "node:22", "tools:2", "nginx"]),
        ("WEB", ["docker/dockerfile:1", "node:22", "tools:2", "nginx"]),
        ("deps", ["docker/dockerfile:1", "node:22"]),
        ("test", ["docker/dockerfile:1", "node:22", "tester:1"]),
    ],
)
def test_only_the_stages_that_the_target_needs_count(target: str, expected: list[str]) -> None:
    assert images(FILE, target=target) == expected


def test_a_build_arg_wins_over_a_default_and_only_where_it_is_declared() -> None:
    assert "node:20" in images(FILE, build_args={"NODE": "20"})
    assert images("FROM a${V:-x}", build_args={"V": "y"}) == ["ax"]
    assert images("ARG V\nFROM a:$V", build_args={"V": "1"}) == ["a:1"]
    assert images("ARG V=1\nARG W=$V\nFROM a:$W", build_args={"V": "2"}) == ["a:2"]


def test_each_platform_may_have_an_image_of_its_own() -> None:
    text = "FROM a-${TARGETARCH}${TARGETVARIANT}\nCOPY --from=b / /"
    platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/amd64"]
    assert images(text, platforms=platforms) == ["a-amd64", "b", "a-arm64", "a-armv7"]
    assert images("FROM a:$TARGETOS-$TARGETSTAGE AS z", platforms=["linux/arm"]) == ["a:linux-z"]
    assert images("FROM a:$BUILDOS-$BUILDARCH", build_platform="linux/amd64") == ["a:linux-amd64"]
    assert images("FROM a/$TARGETPLATFORM", platforms=["linux/arm/v7"]) == ["a/linux/arm/v7"]
    assert images("FROM a:$TARGETARCH", build_platform="linux/x86_64") == ["a:amd64"]
    assert images("ARG TARGETARCH\nFROM a:$TARGETARCH", platforms=["linux/arm64"]) == ["a:arm64"]
    given = {"TARGETARCH": "riscv64"}
    assert images("FROM a:$TARGETARCH", platforms=["linux/arm64"], build_args=given) == [
        "a:riscv64"
    ]


def test_what_only_the_builder_knows_is_unknown() -> None:
    assert unknown("FROM a-$TARGETARCH") == [
        "1: FROM a-$TARGETARCH: the value of TARGETARCH is not known before the build"
    ]
    assert unknown("FROM a-${BUILDOS}", platforms=["linux/amd64"])
    assert unknown("ARG I=a-$TARGETARCH\nFROM $I") == [
        "2: FROM $I: the value of I is not known before the build"
    ]
    assert unknown("FROM a-${TARGETARCH:-x}"), "the default is not known to be meant"
    assert images("FROM a-${TARGETARCH:+x}", platforms=["linux/amd64"]) == ["a-x"]
    assert images("FROM --platform=$BUILDPLATFORM a") == ["a"], "the name alone counts"


def test_a_build_context_replaces_an_image_or_a_stage() -> None:
    text = "FROM node:22 AS build\nFROM alpine\nCOPY --from=build / /\nCOPY --from=tools / /"
    assert images(text, contexts=["tools"]) == ["node:22", "alpine"]
    assert images(text, contexts=["docker.io/library/alpine:latest"]) == ["node:22", "tools"]
    assert images(text, contexts=["build"]) == ["alpine", "tools"]
    assert images(text, contexts=["node"]) == ["node:22", "alpine", "tools"]


def test_some_names_are_never_replaced_by_a_build_context() -> None:
    text = "FROM a AS build\nFROM alpine\nCOPY --from=build / /\nCOPY --from=context / /"
    everything = ["a", "alpine", "context"]
    # For one platform only; and BuildKit looks for no context of the name `context`.
    assert images(text, contexts=["build::linux/arm64", "context", "scratch"]) == everything


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.com/x.tgz /",
        "ADD http://example.com/x /",
        "ADD HTTPS://example.com/x.git /",
        "ADD a https://example.com/x /",
        "ADD --chown=1 https://example.com/x /",
        'ADD ["https://example.com/x", "/"]',
        'ADD "https://example.com/x" /',
        'ADD ht"tp"s://example.com/x /',
        r"ADD h\ttps://example.com/x /",
        "ADD https://github.com/a/b.git /",
        "ADD https://github.com/a/b.git#main /",
        "ADD https://github.com/a/b.git?tag=v1 /",
        f"ADD https://example.com/x#{COMMIT} /",
        "ADD git@github.com:a/b.git /",
        "ADD git://example.com/a /",
        "ADD Ssh://git@example.com/a /",
        # An empty checksum is none, and a variable may be empty.
        "ADD --checksum= https://example.com/x /",
        "ADD --checksum=$SUM https://example.com/x /",
        'ADD --checksum="${SUM:-}" https://example.com/x /',
        # A variable may stand for all of an address, or for its start.
        "ADD $U /",
        "ADD ${U}/x /",
        "ADD http$S://example.com/x /",
        "ADD git@$H:a/b /",
        "ADD https://github.com/a/b.git#$COMMIT /",
        # An ARG after an ENV wins, whatever the reference says.
        "ENV U=files\nARG U=https://example.com\nADD $U/x /",
    ],
)
def test_what_may_be_fetched_is_reported_with_its_line(line: str) -> None:
    found = unknown(f"# syntax=docker/dockerfile:1\n\nFROM alpine AS base\n{line}\n")
    assert len(found) == 1
    assert "may be downloaded during the build" in found[0]
    assert found[0].startswith(f"{4 + line.count(chr(10))}: ADD ")


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("COPY --from=$V / /", "a variable is not allowed here"),
        ("COPY --from=7 / /", "there is no stage 7"),
        ("COPY --from=Bad! / /", "not the name of an image"),
        ("RUN --mount=from=${V},target=/x y", "a variable is not allowed here"),
        # A later version of the grammar may have more.
        ("IMPORT x", "'IMPORT' is not an instruction that is supported here"),
        ("ONBUILD IMPORT x", "'IMPORT' is not an instruction that is supported here"),
        ("ONBUILD", "'' is not an instruction"),
        ("COPY --image=x / /", "'--image=x' is not a flag of COPY that is supported here"),
        ("RUN --with=x y", "is not a flag of RUN"),
        (r"COPY --from=\b / /", "the flags of COPY cannot be read"),
        ("RUN --mount=from='b y", "the flags of RUN cannot be read"),
        ("RUN x <<$V\n$V", "the heredoc <<$V is not supported here"),
        ('RUN x <<E"O"F\nEOF', "is not supported here"),
        ("RUN x ${V^^} <<EOF\nEOF", "it is not clear whether a heredoc starts here"),
        ("RUN x \x1a", "there is a control character"),
    ],
)
def test_what_cannot_be_known_is_reported_with_its_line(line: str, reported: str) -> None:
    found = unknown(f"# syntax=docker/dockerfile:1\n\nFROM alpine AS base\n{line}\n")
    assert len(found) == 1
    assert reported in found[0]
    assert found[0].startswith("4: ")


@pytest.mark.parametrize(
    "line",
    [
        f"ADD --checksum=sha256:{SHA} https://example.com/x /",
        "ADD --checksum=sha256:${SUM} https://example.com/x /",
        f"ADD --checksum={COMMIT} https://github.com/a/b.git#v1 /",
        f"ADD https://github.com/a/b.git#{COMMIT} /",
        f"ADD https://github.com/a/b.git#{COMMIT}:docs /",
        "ADD x.tgz /",
        "ADD x@1.tgz /",
        "ADD files/$X app-${V}.tgz /",
        "ADD <<EOF /x\nhttps://example.com\nEOF",
        "RUN curl https://example.com/x",
        "ENV U=https://example.com/x",
        "ONBUILD ADD https://example.com/x /",
    ],
)
def test_what_is_pinned_or_local_is_known(line: str) -> None:
    assert images(f"FROM a\n{line}") == ["a"]


def test_what_is_fetched_in_a_stage_that_is_not_built_does_not_matter() -> None:
    assert images("FROM a AS x\nADD https://example.com/x /\nFROM b") == ["b"]


def test_what_a_trigger_fetches_is_reported() -> None:
    assert unknown("FROM a AS x\nONBUILD ADD https://e.com/x /\nFROM x")[0].startswith("2: ADD ")


def test_another_frontend_may_read_the_file_differently() -> None:
    found = sources("# syntax=ghcr.io/acme/frontend:1\nFROM a")
    assert found.images == ("ghcr.io/acme/frontend:1", "a")
    assert "may read the file differently" in found.unknown[0].what
    for name in ("docker/dockerfile-upstream:master", " docker/dockerfile-upstream:master x=y"):
        given = {"BUILDKIT_SYNTAX": name}
        assert images("# syntax=x\nFROM a", build_args=given) == [name.split()[0], "a"]


@pytest.mark.parametrize("text", ['{"syntax": "acme/x"}', "// syntax=acme/x\nFROM a"])
def test_a_text_that_is_no_dockerfile_is_unknown(text: str) -> None:
    assert "is not an instruction that is supported here" in unknown(text)[0]


@pytest.mark.parametrize(
    ("text", "line", "reported"),
    [
        ("", 1, "there is no FROM"),
        ("ARG X=1", 1, "there is no FROM"),
        ("\nRUN x\nFROM a", 2, "RUN comes before the first FROM"),
        ("ONBUILD FROM x\nFROM a", 1, "FROM comes before the first FROM"),
        ("FROM a\nRUN <<EOF\nx", 2, "the heredoc 'EOF' has no end"),
        ("FROM a\nRUN <<EOF\\\n\nFROM b\nEOF", 2, "the heredoc 'EOFFROM' has no end"),
        ("# escape=x\nFROM a", 1, "the escape character"),
        ("# escape=`\n# escape=`\nFROM a", 2, "there are two parser directives"),
        ("FROM a b", 1, "neither `FROM image` nor `FROM image AS name`"),
        ("FROM", 1, "neither `FROM image` nor"),
        ("FROM a AS 9x", 1, "neither `FROM image` nor"),
        ("FROM $X", 1, "'$X' becomes '', which is not the name of an image"),
        ("FROM a:$X", 1, "'a:$X' becomes 'a:', which is not the name of an image"),
        ("FROM Not/Valid", 1, "'Not/Valid' is not the name of an image"),
        ("ARG A='b\nFROM a", 1, "a quote is not closed"),
        # BuildKit would expand it, but real Dockerfiles do not have it.
        ("FROM ${X", 1, "only $NAME and ${NAME:-default} are supported"),
        ("FROM ${X:?what}", 1, "only $NAME and"),
        ("ARG V=1.2\nFROM a:${V%.*}", 2, "only $NAME and"),
        ("ARG V=1.2\nARG M=${V%.*}\nFROM a:$M", 3, "M is not known before the build"),
        ("FROM a:$1", 1, "only $NAME and"),
        ("FROM a:$é", 1, "are not supported here"),
        (r"FROM a\:1", 1, "quotes and escapes are not supported here"),
        ("FROM 'al'pine", 1, "quotes and escapes are not supported here"),
        ("ARG V='$W'\nFROM a:$V", 2, "V is not known before the build"),
    ],
)
def test_a_broken_dockerfile_is_reported_and_never_raises(
    text: str, line: int, reported: str
) -> None:
    found = sources(text)
    assert [each.line for each in found.unknown] == [line]
    assert reported in found.unknown[0].what


def test_a_value_is_not_expanded_again() -> None:
    given = {"V": "$W", "W": "1", "Q": '"a"'}
    assert (
        "the value of V contains a quote" in unknown("ARG V\nARG W\nFROM a:$V", build_args=given)[0]
    )
    assert "the value of Q contains a quote" in unknown("ARG Q\nFROM $Q", build_args=given)[0]


@pytest.mark.parametrize("target", ["y", "0", "2"])
def test_a_target_that_is_not_there_is_reported(target: str) -> None:
    assert unknown("FROM a AS x", target=target) == [f"1: there is no stage {target!r}"]


def test_stages_in_a_circle_come_to_an_end() -> None:
    text = "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /"
    assert images(text) == ["a", "b"]


def test_instructions_keep_their_line_and_flags() -> None:
    text = "# escape=`\n\nFROM a\nrun --mount='1 2' `\n --network=x z\n\nOnbuild copy -- x y"
    found = read(text)
    assert (found.escape, found.syntax) == ("`", "")
    assert [tuple(each) for each in found.instructions] == [
        (3, "FROM", (), "a", False),
        (4, "RUN", ("--mount=1 2", "--network=x"), "z", False),
        (7, "COPY", (), "x y", True),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", True), ("alpine:3", True), (f"a@sha256:{SHA}", True), ("h:1/a:b", True),
        ("", False), ("a:", False), ("A", False), ("a@sha256:1", False), ("-a", False),
        ("a b", False), ("a:b:c", False), ("https://a/b", False), ("a:" + "x" * 129, False),
    ],
)  # fmt: skip
def test_the_name_of_an_image_is_known_when_it_is_seen(text: str, *, expected: bool) -> None:
    assert is_image(text) is expected


TOKENS = st.sampled_from(
    ["FROM ", "COPY ", "RUN ", "ADD ", "ARG ", "ENV ", "ONBUILD ", "--from=", "--mount=from=",
     "a", "x", " AS x", "\n", "\n", "\n", "\\\n", "\r\n", "#", "# syntax=", "# escape=`\n", "$",
     "${", "}", ":-", ":", "%", "/", "'", '"', "\\", "`", "<<EOF", "EOF\n", "<<-", "[", "]",
     '["', " ", "\t", "=", "1", "https://x", "é", "\udcff", "\x00", "\ufeff", "--"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(TOKENS, max_size=25).map("".join), st.text(max_size=60))


@given(TEXTS, st.text(max_size=3))
def test_no_text_leads_to_a_crash(text: str, target: str) -> None:
    found = sources(text, target=target, build_args={"x": text[:5]}, platforms=["linux/amd64"])
    assert all(is_image(name) for name in found.images)
    assert all(1 <= each.line <= text.count("\n") + 1 for each in found.unknown)
