from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ship.build_push import dockerignore
from ship.build_push.dockerignore import BadPatternError, Patterns
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

# What is written in the file, a path, and whether the engine ignores it. Each row was put to
# moby's own patternmatcher as well.
TABLE = [
    # A name matches at the root only, and all that is below it.
    ("foo", "foo", True),
    ("foo", "foo/bar/baz", True),
    ("foo", "a/foo", False),
    ("foo", "foobar", False),
    ("foo/bar", "foo/bar/x", True),
    ("foo/bar", "foo", False),
    # Slashes and dots around it say nothing.
    ("/foo", "foo", True),
    ("foo/", "foo", True),
    ("./foo", "foo", True),
    ("a/../foo", "foo", True),
    ("//foo", "foo", True),
    ("../foo", "foo", False),
    (".", "foo", False),
    ("/", "foo", False),
    # Blanks and comments.
    ("  foo  ", "foo", True),
    ("foo\t", "foo", True),
    ("foo\r", "foo", True),
    ("a b", "a b", True),
    ("#foo", "#foo", False),
    (" #foo", "#foo", True),
    ("foo #bar", "foo", False),
    ("\ufefffoo", "foo", True),
    ("\n\n  \nfoo", "foo", True),
    # `*` and `?` stop at a slash.
    ("*", "foo", True),
    ("*", ".hidden", True),
    ("*", "a/b", True),
    ("*/b", "a/b", True),
    ("*/b", "a/x/b", False),
    ("*.md", "README.md", True),
    ("*.md", "docs/README.md", False),
    ("fo?", "foo", True),
    ("fo?", "fo", False),
    ("a?b", "a/b", False),
    ("temp?", "tempa/x", True),
    ("a*c", "abbc", True),
    ("a*c", "ab/c", False),
    # `**` does not.
    ("**", "a/b/c", True),
    ("**/foo", "foo", True),
    ("**/foo", "a/b/foo", True),
    ("**/foo", "a/b/foo/c", True),
    ("**/foo", "xfoo", False),
    ("**foo", "xfoo", True),
    ("**foo", "a/xfoo", True),
    ("foo/**", "foo/a/b", True),
    ("foo/**", "foo", False),
    ("foo**", "foobar/baz", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("a/**/z", "az", False),
    ("**/*.go", "a/b.go", True),
    ("**/*.go", "b.go", True),
    ("**/x*/y", "a/xb/y", True),
    ("**/**", "a", True),
    # One character of a set; a set may match a slash, and only `^` negates.
    ("[ab].txt", "a.txt", True),
    ("[ab].txt", "c.txt", False),
    ("[a-c]x", "bx", True),
    ("[^a-c]x", "dx", True),
    ("[^a-c]x", "bx", False),
    ("x[^a]y", "x/y", True),
    ("[!a]x", "!x", True),
    ("[!a]x", "bx", False),
    ("*.py[co]", "x.pyc", True),
    # A backslash.
    (r"\*x", "*x", True),
    (r"\*x", "ax", False),
    (r"\#x", "#x", True),
    (r"a\ b*", "a bc", True),
    # What means something in regular expressions only.
    ("a.c", "abc", False),
    ("a.c*", "abc", False),
    ("a+b*", "a+b", True),
    ("(x)*", "(x)y", True),
    ("$x*", "$xy", True),
    ("a^b", "a^b", True),
    ("{a,b}", "a", False),
    ("*.{js,ts}", "x.js", False),
    ("*.{js,ts}", "x.{js,ts}", True),
    ("a|b", "a|b", True),
    ("x{2}", "x{2}", True),
    # Exceptions: the last that matches wins.
    ("*\n!keep", "keep", False),
    ("*\n!keep", "other", True),
    ("!keep\n*", "keep", True),
    ("*\n! keep", "keep", False),
    ("*\n!/keep/", "keep", False),
    ("foo\n!foo/bar", "foo/bar", False),
    ("foo\n!foo/bar", "foo/bar/baz", False),
    ("foo\n!foo/bar", "foo/x", True),
    ("foo\n!foo/bar\nfoo/bar/secret", "foo/bar/secret", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-x.md", False),
    ("**/*.md\n!docs/**", "docs/a/b.md", False),
    ("!!x", "!x", False),
    ("*\n!!x", "!x", False),
    ("*\n/!x", "x", False),
    # BuildKit does not come back to a pattern that could change nothing for the folder.
    ("foo*\n!foo/bar/x\nfoo/bar", "foo/bar/x", False),
    ("foo*\n!foo/bar/x\nfoo/bar", "foo/bar/y", True),
    # Names that are not of ASCII, and bytes that are not UTF-8.
    ("é?", "éx", True),
    ("??", "é", False),
    ("f?o", "f\udcffo", True),
    ("f[^x]o", "f\udcffo", True),
    ("a*", "a\nb", True),
    ("**/b*c", "a\nb/bc", False),
]


@pytest.mark.parametrize(("text", "path", "ignored"), TABLE)
def test_a_path_is_ignored_as_the_engine_does(text: str, path: str, *, ignored: bool) -> None:
    assert matches(Patterns(dockerignore.read(text)), path) is ignored


def matches(patterns: Patterns, path: str) -> bool:
    """Say whether a path is matched, by what a walk down to it would find."""
    matched, state = False, patterns.top
    for end in [*(i for i, char in enumerate(path) if char == "/"), len(path)]:
        matched, state = patterns.step(path[:end], state)
    return matched


@pytest.mark.parametrize(
    "text", ["[", "[]", "[]a]", "[a", "[a-]", "[^]", "a\\", "!", "!/", "[\\", "[-x]", "a]"]
)
def test_a_pattern_that_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(BadPatternError):
        Patterns(dockerignore.read(text))


@pytest.mark.parametrize(
    "text",
    [
        "*a|b", "a^b*", "x{2}*", r"\d", r"a\b*", r"[\]]x", "[[:alpha:]]", "[a*b]", "[z-a]", "[é]x",
        "x\n\ufefffoo", "f\udcff*", "a\x00b",
    ],
)  # fmt: skip
def test_a_pattern_whose_meaning_would_have_to_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(BadPatternError):
        Patterns(dockerignore.read(text))


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def walked(root: Path, dockerfile: str = "") -> set[str]:
    ignored = dockerignore.load(str(root), dockerfile)
    return {found.path for found in dockerignore.walk(str(root), ignored)}


def test_a_folder_that_is_ignored_is_there_when_an_exception_is_in_it(tmp_path: Path) -> None:
    make(tmp_path, "a/b/keep", "a/b/drop", "a/c/drop", "d/drop")
    (tmp_path / ".dockerignore").write_text("*\n!a/b/keep\n")
    assert walked(tmp_path) == {"a", "a/b", "a/b/keep"}


def test_an_ignored_folder_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "node_modules/x/y", "src/a", "docs/b.md", ".dockerignore")
    (tmp_path / ".dockerignore").write_text("node_modules\ndocs\n!*.md\n!src/a\n!src/x/*\n")
    read: list[bytes] = []
    scandir = os.scandir

    def seen(path: bytes) -> Any:
        read.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", seen)
    assert walked(tmp_path) == {".dockerignore", "src", "src/a"}
    assert read == [os.fsencode(tmp_path), os.fsencode(tmp_path / "src")]


def test_an_ignored_folder_need_not_be_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "data/x", "src/a")
    (tmp_path / ".dockerignore").write_text("data\n!**/*.md\n")
    scandir = os.scandir

    def refused(path: bytes) -> Any:
        if path.endswith((b"data", b"src")):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    closed: list[OSError] = []
    found = dockerignore.walk(str(tmp_path), dockerignore.load(str(tmp_path)), closed)
    assert {each.path for each in found} == {".dockerignore", "src"}
    assert [error.filename for error in closed] == [os.fsencode(tmp_path / "src")]


@pytest.mark.parametrize("exception", ["!**/*.md", "!docs/**", "!docs/*/x.md", "!do*/a/x.md"])
def test_an_exception_with_wildcards_is_found(tmp_path: Path, exception: str) -> None:
    make(tmp_path, "docs/a/x.md", "docs/a/y")
    (tmp_path / ".dockerignore").write_text(f"docs\n{exception}\n")
    assert {"docs", "docs/a", "docs/a/x.md"} <= walked(tmp_path)


def test_the_file_beside_the_dockerfile_wins_even_when_it_is_empty(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "ci/Dockerfile")
    (tmp_path / ".dockerignore").write_text("a\n")
    assert "a" not in walked(tmp_path, str(tmp_path / "ci/Dockerfile"))
    (tmp_path / "ci/Dockerfile.dockerignore").write_text("b\n")
    assert {"a", "b"} & walked(tmp_path, str(tmp_path / "ci/Dockerfile")) == {"a"}
    (tmp_path / "ci/Dockerfile.dockerignore").write_text("")
    assert {"a", "b"} <= walked(tmp_path, str(tmp_path / "ci/Dockerfile"))


def test_the_dockerfile_and_the_dockerignore_are_ignored_as_any_other_file(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile", "a")
    (tmp_path / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    assert walked(tmp_path, str(tmp_path / "Dockerfile")) == {"a"}


def test_without_a_dockerignore_everything_is_sent(tmp_path: Path) -> None:
    make(tmp_path, ".git/config", "a/b")
    assert walked(tmp_path) == {".git", ".git/config", "a", "a/b"}


def test_a_dockerignore_that_is_a_folder_or_leads_out_of_the_context_is_none(
    tmp_path: Path,
) -> None:
    make(tmp_path, "one/a", "two/a", "outside")
    (tmp_path / "one/.dockerignore").mkdir()
    (tmp_path / "outside").write_text("a\n")
    (tmp_path / "two/.dockerignore").symlink_to("../outside")
    assert walked(tmp_path / "one") == {"a", ".dockerignore"}
    assert walked(tmp_path / "two") == {"a", ".dockerignore"}


def test_a_dockerignore_may_be_a_link_within_the_context(tmp_path: Path) -> None:
    make(tmp_path, "a", "ci/ignore")
    (tmp_path / "ci/ignore").write_text("a\n")
    (tmp_path / ".dockerignore").symlink_to("ci/ignore")
    assert walked(tmp_path) == {".dockerignore", "ci", "ci/ignore"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "a/b")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "root").symlink_to("/")
    assert walked(tmp_path) == {"a", "a/b", "a/loop", "root"}


def test_all_wrong_patterns_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n[b\n!\n")
    with pytest.raises(UserError) as reported:
        dockerignore.load(str(tmp_path))
    assert [problem.where for problem in reported.value.problems] == [".dockerignore"] * 2
    assert "the pattern '[b' is not supported" in str(reported.value)


def test_a_folder_that_is_very_deep_is_walked(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(1200):
        folder /= "d"
        folder.mkdir()
    count = len(walked(tmp_path))
    # By a program, because Python's own way of removing it is recursive.
    subprocess.run(("rm", "-rf", str(tmp_path / "d")), check=True)
    assert count == 1200


PARTS = st.sampled_from(["a", "b", "*", "**", "?", "[ab]", "[^a]", "a*", "**a", "x.y", "..", "é"])
NAMES = st.sampled_from(["a", "b", "ab", "x.y", "é", ".a", "a\udcff", "*", "[", "a b"])
LINES = st.tuples(
    st.sampled_from(["", "", "!", "/", "! ", "#", " "]),
    st.one_of(
        st.lists(PARTS, min_size=1, max_size=4).map("/".join),
        st.text(alphabet="ab*?[]^-!\\/.{}|()+$# \t,2", max_size=8),
        st.text(max_size=6),
    ),
).map("".join)


@given(
    st.lists(LINES, max_size=5).map("\n".join),
    st.lists(NAMES, min_size=1, max_size=4).map("/".join),
)
def test_no_pattern_and_no_path_lead_to_a_crash(text: str, path: str) -> None:
    try:
        patterns = Patterns(dockerignore.read(text))
    except BadPatternError:
        return
    assert isinstance(matches(patterns, path), bool)


@given(
    st.lists(LINES, max_size=5).map("\n".join),
    st.sets(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=6),
)
def test_pruning_never_changes_what_is_found(
    tmp_path_factory: pytest.TempPathFactory, text: str, paths: set[str]
) -> None:
    try:
        patterns = Patterns(dockerignore.read(text))
    except BadPatternError:
        return
    root = str(tmp_path_factory.mktemp("tree"))
    for path in paths:
        raw = os.fsencode(root) + b"/" + path.encode("utf-8", "surrogateescape")
        os.makedirs(raw, exist_ok=True)  # noqa: PTH103 - bytes
    found = {each.path for each in dockerignore.walk(root, patterns)}
    every = {each.path for each in dockerignore.walk(root, Patterns(()))}
    kept = {path for path in every if not matches(patterns, path)}
    above = {path[:i] for path in kept for i, char in enumerate(path) if char == "/"}
    assert found == kept | above
