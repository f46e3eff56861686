from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ship.build.dockerfile import BrokenError, Sources, is_image, parse, sources

SHA = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def images(text: str, **options: Any) -> list[str]:
    """Return the images of a Dockerfile in which nothing is unknown."""
    found = sources(text, **options)
    assert found.unknown == ()
    return list(found.images)


def unknown(text: str, **options: Any) -> list[str]:
    return [f"{line}: {what}" for line, what in sources(text, **options).unknown]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM alpine", ["alpine"]),
        ("from alpine as x", ["alpine"]),
        ("FROM scratch", []),
        ("FROM ghcr.io/acme/base:1.2", ["ghcr.io/acme/base:1.2"]),
        (f"FROM alpine:3.20@sha256:{SHA}", [f"alpine:3.20@sha256:{SHA}"]),
        ("FROM localhost:5000/x:1", ["localhost:5000/x:1"]),
        ("FROM --platform=$BUILDPLATFORM golang AS build\nFROM alpine", ["alpine"]),
        ("FROM a AS x\nFROM x AS y\nFROM y", ["a"]),
        ("FROM a AS x\nFROM b\nCOPY --from=x /a /b", ["a", "b"]),
        ("FROM a AS x\nFROM b\nCOPY --from=X /a /b", ["a", "b"]),
        ("FROM a AS X\nFROM x", ["a"]),
        ("FROM a\nFROM b\nCOPY --from=0 /a /b", ["a", "b"]),
        ("FROM a\nCOPY --from=b:1 /a /b\nCOPY --link --from=c /a /b", ["a", "b:1", "c"]),
        ('FROM a\nCOPY --from="b" ["/a", "/b"]', ["a", "b"]),
        ("FROM a\nCOPY --from=scratch /a /b", ["a"]),
        ("FROM a\nRUN --mount=type=bind,from=b,target=/b true", ["a", "b"]),
        ('FROM a\nRUN --mount="from=b,target=/b" --mount=type=cache,from=c,target=/c x', list("abc")),
        ("FROM a AS x\nFROM b\nRUN --mount=from=x,target=/x true", ["a", "b"]),
        ("FROM a\nRUN echo --mount=from=b --from=c", ["a"]),
        ("FROM a\nRUN --mount=type=secret,id=from=b true", ["a"]),
        # The order of the file, each once.
        ("FROM b AS x\nCOPY --from=c / /\nFROM a\nCOPY --from=x / /\nCOPY --from=c / /", list("bca")),
        # The frontend is an image too.
        ("# syntax=docker/dockerfile:1.7\nFROM a", ["docker/dockerfile:1.7", "a"]),
        ("#syntax = docker/dockerfile:1 x\nFROM a", ["docker/dockerfile:1", "a"]),
        ("#!/x\n# syntax=docker/dockerfile:1\nFROM a", ["docker/dockerfile:1", "a"]),
        ("\ufeff# Syntax=mirror.example/docker/dockerfile\r\nFROM a", ["mirror.example/docker/dockerfile", "a"]),
        ("# escape=`\n# syntax=docker/dockerfile:1\nFROM a", ["docker/dockerfile:1", "a"]),
        ("# a comment\n# syntax=docker/dockerfile:1\nFROM a", ["a"]),
        ("\n# syntax=docker/dockerfile:1\nFROM a", ["a"]),
        ("FROM a\n# syntax=docker/dockerfile:1", ["a"]),
        # Comments and lines that go on.
        ("# FROM x\nFROM a # no comment", []),
        ("FROM \\\n  a \\\n  AS x", ["a"]),
        ("FROM a\nCOPY \\\n  # FROM x\n\n  --from=b \\\n  /a /b", ["a", "b"]),
        ("FROM a\nRUN x \\\nFROM b", ["a"]),
        ("FROM a\nRUN x \\ \t\nFROM b", ["a"]),
        ("FROM a\nRUN x \\\\\nFROM b", ["b"]),
        ("# escape=`\nFROM a\nRUN x `\nFROM b", ["a"]),
        ("# escape=`\nFROM a\nRUN x \\\nFROM b", ["b"]),
        ("FROM a\r\nRUN x \\\r\n  y\r\nCOPY --from=b / /\r\n", ["a", "b"]),
        # Heredocs.
        ("FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c / /\nEOF\nCOPY --from=d / /", ["a", "d"]),
        ("FROM a\nRUN <<-'E O'\n\tFROM b\n\tE O\nCOPY --from=d / /", ["a", "d"]),
        ("FROM a\nCOPY <<a.txt <<b.txt /x/\nFROM b\na.txt\nFROM c\nb.txt\nCOPY --from=d / /", ["a", "d"]),
        ('FROM a\nRUN cat <<"X" && y 3<< Y\nFROM b\nX\nFROM c\nY\n', ["a"]),
        ("FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\n", ["a"]),
        ("FROM a\nRUN <<EOF\\\n\nFROM b\nEOF", ["a"]),
        ('FROM a\nRUN echo "<<EOF"\nFROM b', ["b"]),
        ("FROM a\nRUN cat <<< word\nFROM b", ["b"]),
        ('FROM a\nRUN ["cat", "<<EOF"]\nFROM b', ["b"]),
        ("FROM a\nCMD cat <<EOF\nFROM b", ["b"]),
        ("FROM a\nRUN echo it's <<EOF\nFROM b", ["b"]),
        # Variables.
        ("ARG V=3\nFROM a:$V", ["a:3"]),
        ("ARG V=3\nARG I=a:$V\nFROM ${I}-slim", ["a:3-slim"]),
        ("ARG I='a' V=\"2\"\nFROM $I:$V", ["a:2"]),
        ("FROM a:${V:-1}", ["a:1"]),
        ("ARG V=\nFROM a:${V:-1}${V-2}${V:+3}${V+4}", ["a:14"]),
        ("ARG S\nFROM a${S}", ["a"]),
        ("FROM a${NOWHERE}", ["a"]),
        ("FROM a${NOWHERE:+:1}", ["a"]),
        ("ARG V=3.12.1\nFROM a:${V%.*}-${V##*.}-${V/3/4}-${V//1/x}", ["a:3.12-1-4.12.1-3.x2.x"]),
        ("ARG V='a b'\nFROM x:${V// /-}", ["x:a-b"]),
        ("ARG V=1\nFROM a AS x\nARG V=2\nFROM b:$V", ["b:1"]),
        ("FROM a\nARG V=1\nFROM b:${V:-0}", ["b:0"]),
        ("FROM 'al'\"pine\"", ["alpine"]),
        (r"FROM a\:1", ["a:1"]),
        # Triggers run in what starts from the stage.
        ("FROM a AS x\nONBUILD COPY --from=b / /\nFROM x", ["a", "b"]),
        ("FROM a AS x\nONBUILD COPY --from=b / /\nFROM x AS y\nFROM y", ["a", "b"]),
        ("FROM a\nONBUILD COPY --from=b / /", ["a"]),
    ],
)  # fmt: skip
def test_the_images_a_dockerfile_names_are_found(text: str, expected: list[str]) -> None:
    found = sources(text)
    assert list(found.images) == expected
    assert bool(found.unknown) is ("no comment" in text)


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
        ("1", ["docker/dockerfile:1", "node:22", "tester:1"]),
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
    assert images("FROM a:${BUILDPLATFORM//\\//-}", build_platform="linux/amd64") == ["a:linux-amd64"]
    assert images("FROM a:$TARGETARCH", build_platform="linux/x86_64") == ["a:amd64"]
    assert images("ARG TARGETARCH\nFROM a:$TARGETARCH", platforms=["linux/arm64"]) == ["a:arm64"]
    given = {"TARGETARCH": "riscv64"}
    assert images("FROM a:$TARGETARCH", platforms=["linux/arm64"], build_args=given) == ["a:riscv64"]


def test_what_only_the_builder_knows_is_unknown() -> None:
    assert unknown("FROM a-$TARGETARCH") == [
        "1: FROM a-$TARGETARCH: TARGETARCH is known to the builder only"
    ]
    assert unknown("FROM a-${BUILDOS}", platforms=["linux/amd64"])
    assert unknown("ARG I=a-$TARGETARCH\nFROM $I") == ["2: FROM $I: I is known to the builder only"]
    assert images("FROM a-${TARGETARCH:+x}", platforms=["linux/amd64"]) == ["a-x"]
    assert images("FROM --platform=$BUILDPLATFORM a") == ["a"], "the name alone counts"


def test_a_build_context_takes_the_place_of_an_image_or_a_stage() -> None:
    text = "FROM node:22 AS build\nFROM alpine\nCOPY --from=build / /\nCOPY --from=tools / /"
    assert images(text, contexts=["tools"]) == ["node:22", "alpine"]
    assert images(text, contexts=["docker.io/library/alpine:latest"]) == ["node:22", "tools"]
    assert images(text, contexts=["build::linux/amd64"]) == ["alpine", "tools"]
    assert images(text, contexts=["node"]) == ["node:22", "alpine", "tools"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ADD https://example.com/x.tgz /", "ADD https://example.com/x.tgz is fetched"),
        ("ADD http://example.com/x /", "is fetched during the build"),
        ("ADD a https://example.com/x /", "is fetched during the build"),
        ('ADD ["https://example.com/x", "/"]', "is fetched during the build"),
        ("ADD https://github.com/a/b.git /", "is fetched during the build"),
        ("ADD https://github.com/a/b.git#main /", "is fetched during the build"),
        (f"ADD https://example.com/x#{COMMIT} /", "is fetched during the build"),
        ("ADD git@github.com:a/b.git /", "is fetched during the build"),
        ("ADD git://example.com/a /", "is fetched during the build"),
        ("ADD --chown=1 https://example.com/x /", "is fetched during the build"),
        ("ARG U=https://example.com/x\nADD $U /", "ADD https://example.com/x is fetched"),
        ("ENV U https://example.com\nADD ${U}/x /", "ADD https://example.com/x is fetched"),
        ("ENV A=1 U=https://example.com\nARG U=x\nADD ${U}/x /", "https://example.com/x is fetched"),
        ("ADD $FROM_THE_BASE /", "FROM_THE_BASE may be an address to fetch from"),
        ("ARG U\nADD $U/x /", "U may be an address to fetch from"),
        ("COPY --from=$V / /", "a variable cannot stand here"),
        ("COPY --from=7 / /", "there is no stage 7"),
        ("COPY --from=Bad! / /", "not the name of an image"),
        ("RUN --mount=from=${V},target=/x y", "a variable cannot stand here"),
    ],
)
def test_what_cannot_be_known_is_told_with_its_line(line: str, told: str) -> None:
    text = f"# syntax=docker/dockerfile:1\n\nFROM alpine AS base\n{line}\n"
    number = 4 + line.count("\n")
    found = unknown(text)
    assert len(found) == 1
    assert told in found[0]
    assert found[0].startswith(f"{number}: ")


@pytest.mark.parametrize(
    "line",
    [
        f"ADD --checksum=sha256:{SHA} https://example.com/x /",
        f"ADD https://github.com/a/b.git#{COMMIT} /",
        f"ADD https://github.com/a/b.git#{COMMIT}:docs /",
        "ADD x.tgz /",
        "ADD files/$X /",
        "ADD <<EOF /x\nhttps://example.com\nEOF",
        "RUN curl https://example.com/x",
        "ENV U=https://example.com/x",
    ],
)
def test_what_is_pinned_or_local_is_known(line: str) -> None:
    assert images(f"FROM a\n{line}") == ["a"]


def test_what_a_stage_inherits_decides_what_is_fetched() -> None:
    text = "ARG H=https://example.com\nFROM a AS x\nARG H\nENV U=$H/y\nFROM x\nADD $U /"
    assert unknown(text) == ["6: ADD https://example.com/y is fetched during the build"]


def test_what_is_fetched_in_a_stage_that_is_not_built_does_not_matter() -> None:
    assert images("FROM a AS x\nADD https://example.com/x /\nFROM b") == ["b"]


def test_another_frontend_may_read_the_file_in_another_way() -> None:
    found = sources("# syntax=ghcr.io/acme/frontend:1\nFROM a")
    assert found.images == ("ghcr.io/acme/frontend:1", "a")
    assert "may read the file in another way" in found.unknown[0].what
    given = {"BUILDKIT_SYNTAX": "docker/dockerfile-upstream:master"}
    assert images("# syntax=x\nFROM a", build_args=given)[0] == "docker/dockerfile-upstream:master"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "there is no FROM"),
        ("ARG X=1", 1, "there is no FROM"),
        ("\nRUN x\nFROM a", 2, "RUN comes before the first FROM"),
        ("FROM a\nRUN <<EOF\nx", 2, "the heredoc 'EOF' has no end"),
        ("# escape=x\nFROM a", 1, "the escape character"),
        ("# escape=`\n# escape=`\nFROM a", 2, "there twice"),
        ("FROM a b", 1, "neither `FROM image` nor `FROM image AS name`"),
        ("FROM", 1, "neither `FROM image` nor"),
        ("FROM a AS 9x", 1, "neither `FROM image` nor"),
        ("FROM $X", 1, "'$X' is '', which is not the name of an image"),
        ("FROM a:$X", 1, "'a:$X' is 'a:', which is not the name of an image"),
        ("FROM ${X", 1, "FROM ${X: "),
        ("FROM ${X:?what}", 1, "X is not set: what"),
        ("FROM Not/Valid", 1, "which is not the name of an image"),
        ("ARG A=${B\nFROM a", 1, "ARG A=${B: "),
    ],
)
def test_a_broken_dockerfile_is_told_and_never_raises(text: str, line: int, told: str) -> None:
    found = sources(text)
    assert [each.line for each in found.unknown] == [line]
    assert told in found.unknown[0].what


def test_a_target_that_is_not_there_is_told() -> None:
    assert unknown("FROM a AS x", target="y") == ["1: there is no stage 'y'"]


def test_stages_in_a_circle_come_to_an_end() -> None:
    text = "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /"
    assert images(text) == ["a", "b"]


def test_instructions_keep_their_line_and_flags() -> None:
    escape, found = parse("# escape=`\n\nFROM a\nrun --x='1 2' `\n --y z\n\nCMD x")
    assert escape == "`"
    assert [(each.line, each.name, each.flags, each.rest) for each in found] == [
        (3, "FROM", (), "a"),
        (4, "RUN", ("--x=1 2", "--y"), "z"),
        (7, "CMD", (), "x"),
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
    ["FROM ", "COPY ", "RUN ", "ADD ", "ARG ", "ENV ", "ONBUILD ", "--from=", "--mount=from=", "a", "x",
     " AS x", "\n", "\n", "\n", "\\\n", "\r\n", "#", "# syntax=", "# escape=`\n", "$", "${", "}", ":-",
     ":", "%", "/", "'", '"', "\\", "`", "<<EOF", "EOF\n", "<<-", "[", "]", '["', " ", "\t", "=", "1",
     "https://x", "é", "\udcff", "\x00", "\ufeff", "--"]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.one_of(st.lists(TOKENS, max_size=25).map("".join), st.text(max_size=60)), st.text(max_size=3))
def test_no_text_leads_to_a_crash(text: str, target: str) -> None:
    found = sources(text, target=target, build_args={"x": text[:5]}, platforms=["linux/amd64"])
    assert isinstance(found, Sources)
    assert all(is_image(name) for name in found.images)
    try:
        parse(text)
    except BrokenError as reason:
        assert 1 <= reason.line <= text.count("\n") + 1
