"""Values of secrets and variables: what is refused, and that no message shows any of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.bootstrap import values
from gen_workflow.errors import SpecError
from gen_workflow.workflow.records import Need, Needs

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = "Settings > Environments > production"
NEEDS = (Needs(PLACE, (Need("HOST", "host"),), (Need("DB_URL", "url"), Need("KEY", "key"))),)


def said(text: bytes, environ: Mapping[str, str] | None = None) -> str:
    """Return what is said of a file and an environment; it never shows a value."""
    with pytest.raises(SpecError) as refused:
        values.read(text, "values.yml", NEEDS, environ or {})
    told = f"{refused.value.report}"
    assert "hidden" not in told
    return told


def test_what_github_would_refuse_of_the_environment_is_told_before_anything_is_sent() -> None:
    environ = {"DB_URL": "hidden\udcff", "KEY": "hidden" * 9000, "HOST": "h", "PATH": "x" * 60_000}
    told = said(b"HOTS: hidden\n", environ)
    for line in (
        "values.yml:1:1 HOTS: is nothing that the spec needs here",
        "DB_URL of the environment is not UTF-8 text",
        "KEY of the environment is longer than the 48 KB that GitHub takes",
    ):
        assert line in told
    found = values.read(b"DB_URL: x\nKEY: y\n", "values.yml", NEEDS, environ)
    assert [given.source for name in ("DB_URL", "KEY", "HOST")
            if (given := found.of("production", name))] == [
        "values.yml:1", "values.yml:2", "the environment",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"HOST: a\nhost: hidden\n", "values.yml:2:1 host: appears twice"),
        (b"production: {KEY: a, KEY: hidden}\n", "1:22 production/KEY: appears twice"),
        (b"production: {KEY: a}\nproduction: {KEY: hidden}\n", "2:1 production: appears twice"),
        (b"production: hidden\n", "1:1 production: should be a mapping of names, but is text"),
        (b"KEY: !hidden\n", "1:1 KEY: begins with !, which YAML reads as a tag, not as text"),
        (b"KEY: &hidden b\n", "1:1 KEY: begins with &, which YAML reads as an anchor, not"),
        (b"KEY: !!binary aGlkZGVu\n", "1:1 KEY: begins with !, which YAML reads as a tag, not"),
        ("KEY: hidden\n".encode("utf-16"), "values.yml:1:1 is not UTF-8 text\n  hint: save the"),
        (b"KEY: hidden\xff\n", "values.yml:1:12 is not UTF-8 text\n  hint: save the file as"),
        (b"KEY: [hidden\n", "is not YAML\n  hint: quote the value there"),
    ],
)
def test_what_would_be_read_in_another_way_than_it_was_meant_is_refused(
    text: bytes, told: str
) -> None:
    assert told in said(text)
