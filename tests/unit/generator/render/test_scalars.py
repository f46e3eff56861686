"""Values survive YAML, whichever version of it reads them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.render.scalars import block, scalar

TRAPS = [
    "", " ", "on", "Yes", "no", "~", "null", "True", "y", "1.10", "010", "0o17", "0x1F", "1e3",
    "+1", ".5", "-.inf", ".nan", "12:30", "12:30:45", "8080:80", "22:22", "2026-11-23", "1_000",
    "=", "<<", "-", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a", "a#b", "&a", "*a", "!a", "%a",
    "@a", "`a", "[a", "]a", "{a", "}a", ",a", "|", ">", "'a'", '"a"', "a'b\"c", "a\\b", "$a",
    "${{ github.sha }}", "${{ vars.A || '22' }}", "github.ref == 'refs/heads/main'", "---", "...",
    "--- a", "a\tb", "\ta", "a ", " a", "é", "😀", "\u2028", "\x85", "\x7f", "\ufeff", "a\rb",
    "\x01", "ghcr.io/a/b", "127.0.0.1:8080:80", "[::1]:80:80", "C:\\x", "~/x", "0", "-1", "1,000",
    "0b1", "1.2.3",
]  # fmt: skip
TEXTS = [
    "a\nb", "a\nb\n", "a\n\nb\n", "a\nb\n\n", "\na\n", " a\nb\n", "a\n  b\n", "a \nb\n", "a\n#b\n",
    "\n", "\n\n", "a\n \n", "a\n\t\n", "a\n---\nb\n", "a\r\nb\r\n", "a\n\x01\n", "a\n\u2028b\n",
    "- a\n- b\n", "a: b\nc: d\n", "${{ a }}\n${{ b }}\n",
]  # fmt: skip


def read(text: str, version: tuple[int, int]) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return yaml.load(text)


@pytest.mark.parametrize("version", [(1, 1), (1, 2)])
@pytest.mark.parametrize("value", TRAPS)
def test_a_text_of_one_line_is_read_as_itself(value: str, version: tuple[int, int]) -> None:
    assert read(f"a:\n  b: {scalar(value)}\n", version) == {"a": {"b": value}}
    assert read(f"a:\n  - {scalar(value)} # why\n", version) == {"a": [value]}


@pytest.mark.parametrize("version", [(1, 1), (1, 2)])
@pytest.mark.parametrize("value", [*TRAPS, *TEXTS])
def test_a_text_of_several_lines_is_read_as_itself(value: str, version: tuple[int, int]) -> None:
    assert read(f"a:\n  b: {block(value, 4)}\n  c: d\n", version) == {"a": {"b": value, "c": "d"}}


def test_texts_made_by_chance_are_read_as_themselves() -> None:
    chance = random.Random(20261123)  # noqa: S311 - not a secret
    letters = "ab 01.:-#'\"\\\n\t{}[]&*!|>%@`,?~$=é\u2028"
    for _ in range(400):
        value = "".join(chance.choices(letters, k=chance.randrange(12)))
        assert read(f"a:\n  b: {block(value, 4)}\n  c: d\n", (1, 2)) == {
            "a": {"b": value, "c": "d"}
        }, repr(value)


def test_truth_and_numbers_are_written_as_such() -> None:
    assert (scalar(False), scalar(True), scalar(60)) == ("false", "true", "60")  # noqa: FBT003


def test_what_everyone_reads_alike_is_left_plain() -> None:
    for value in ("main", "${{ vars.VPS_PORT || '22' }}", "/health", "on-failure:3", "a b"):
        assert scalar(value) == value


def test_lines_become_a_literal_block() -> None:
    assert block("8080:80\n", 4) == "|\n    8080:80"
    assert block("a\n\n b", 4) == "|-\n    a\n\n     b"
