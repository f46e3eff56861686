"""Filters of branches, tags and paths, by the examples of GitHub's own cheat sheet."""

from __future__ import annotations

import pytest

from gen_workflow.explain.filters import matches, only_name

TAKEN = {
    "feature/*": "feature/my-branch feature/your-branch",
    "feature/**": "feature/beta-a/my-branch feature/your-branch feature/mona/the/octocat",
    "main": "main",
    "releases/mona-the-octocat": "releases/mona-the-octocat",
    "*": "main releases README.md server.rb",
    "**": "all/the/branches every/tag main README.md",
    "*feature": "mona-feature feature ver-10-feature",
    "v2*": "v2 v2.0 v2.9",
    "v[12].[0-9]+.[0-9]+": "v1.10.1 v2.0.0",
    "*.jsx?": "page.js page.jsx",
    "**.js": "index.js js/index.js src/js/app.js",
    "docs/*": "docs/README.md docs/file.txt",
    "docs/**": "docs/README.md docs/mona/octocat.txt",
    "docs/**/*.md": "docs/README.md docs/mona/hello-world.md docs/a/markdown/file.md",
    "**/docs/**": "docs/hello.md dir/docs/my-file.txt space/docs/plan/space.doc",
    "**/README.md": "README.md js/README.md",
    "**/*src/**": "a/src/app.js my-src/code/js/app.js",
    "**/*-post.md": "my-post.md path/their-post.md",
    "**/migrate-*.sql": "migrate-10909.sql db/migrate-v1.0.sql db/sept/migrate-v1.sql",
    r"c\+\+": "c++",
    r"v1.\*": "v1.*",
    "a+": "a aa",
    "[a-c]x": "ax cx",
    "+x": "+x",
    "a.b": "a.b",
    "feature/**/x?": "feature/x feature/ feature/a/b/x",
}
NOT_TAKEN = {
    "feature/*": "feature/a/b feature other/feature/x",
    "feature/**": "feature other",
    "main": "Main main2 a/main",
    "*": "a/b",
    "v2*": "v1 v2/0",
    "v[12].[0-9]+.[0-9]+": "v3.1.1 v1.1 v1.10.1-rc v1x10.1",
    "*.jsx?": "page.jsxx a/page.js",
    "docs/*": "docs/mona/octocat.txt",
    "**/docs/**": "docs dir/mydocs/x",
    "**/README.md": "myREADME.md",
    r"c\+\+": "cc c+ cccc",
    r"v1.\*": "v1.2",
    "a.b": "axb",
}


@pytest.mark.parametrize("pattern", TAKEN)
def test_a_pattern_takes_what_github_says(pattern: str) -> None:
    assert [name for name in TAKEN[pattern].split() if not matches((pattern,), name)] == []


@pytest.mark.parametrize("pattern", NOT_TAKEN)
def test_a_pattern_takes_nothing_else(pattern: str) -> None:
    assert [name for name in NOT_TAKEN[pattern].split() if matches((pattern,), name)] == []


def test_the_last_pattern_that_matches_decides() -> None:
    but_one = ("*.md", "!README.md")
    assert matches(but_one, "hello.md")
    assert not matches(but_one, "README.md")
    assert not matches(but_one, "docs/hello.md")
    again = (*but_one, "README*")
    assert matches(again, "README.md")
    assert matches(again, "README.doc")
    assert not matches(("!main",), "topic")


def test_a_pattern_without_a_special_character_is_one_name() -> None:
    names = {pattern: only_name(pattern) for pattern in ("main", r"c\+\+", "v*", "!main", "a[b]c")}
    assert names == {"main": "main", r"c\+\+": "c++", "v*": "", "!main": "", "a[b]c": ""}
