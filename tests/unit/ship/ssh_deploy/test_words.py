"""Command lines of a user: how they are split, and what only a shell would understand."""

from __future__ import annotations

import pytest

from ship.runner.reader import Reader
from ship.ssh_deploy.words import read_command


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("migrate && seed", "&&"),
        ("migrate||true", "||"),
        ("pg_dump | gzip", "|"),
        ("migrate; seed", ";"),
        ("warm &", "&"),
        ("dump >/tmp/x", ">"),
        ("dump > x", ">"),
        ("dump 2>&1", ">&"),
        ("load <x", "<"),
    ],
)
def test_an_operator_of_a_shell_is_refused_with_the_way_to_write_it(
    text: str, operator: str
) -> None:
    read = Reader({})
    read_command(read, "before", text, prefix="web: ")
    [problem] = read.problems
    assert problem.what == (
        f"a command has the shell operator {operator}, and no shell reads the command"
    )
    assert problem.hint == f"let a shell run it: web: sh -c '… {operator} …'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sh -c 'a && b; c | d > e'", ("sh", "-c", "a && b; c | d > e")),
        ('echo "a && b" it\\\'s', ("echo", "a && b", "it's")),
        ("find . -exec rm {} \\;", ("find", ".", "-exec", "rm", "{}", ";")),
        ("get http://x/?a=1&b=2 --dsn=a;b --only=a|b", None),
        ("php -r 'echo 1;'", ("php", "-r", "echo 1;")),
    ],
)
def test_a_part_of_an_argument_is_no_operator(text: str, words: tuple[str, ...] | None) -> None:
    read = Reader({})
    assert read_command(read, "before", text) == (words or tuple(text.split()))
    assert not read.problems
