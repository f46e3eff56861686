from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.runner.command import Command, Secret
from ship.runner.errors import UserError
from ship.runner.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable


def read(**inputs: str) -> Reader:
    return Reader({f"INPUT_{name.upper()}": value for name, value in inputs.items()})


def test_all_problems_are_reported_at_once() -> None:
    reader = read(push="perhaps", port="x")
    reader.required("host", "name it")
    reader.choice("push", ("auto", "true"))
    reader.number("port", 1, 65535, 22)
    with pytest.raises(UserError) as raised:
        reader.done()
    assert [problem.where for problem in raised.value.problems] == [
        "input `host`",
        "input `push`",
        "input `port`",
    ]


def test_a_byte_order_mark_belongs_to_no_input() -> None:
    reader = read(host="\ufeffh1\nh2", key="\ufeffsecret", count="\ufeff22", env="\ufeffA=1")
    assert reader.lines("host") == ("h1", "h2")
    assert reader.secret("key") == Secret("secret")
    assert reader.number("count", 1, 99, 0) == 22
    assert reader.environment("env") == {"A": Secret("1")}
    reader.done()


def test_a_required_input_that_is_empty_says_what_to_do() -> None:
    reader = read(host="  ")
    reader.required("host", "a misspelt variable expands to nothing")
    with pytest.raises(UserError, match="is required but empty\n  hint: a misspelt variable"):
        reader.done()


@pytest.mark.parametrize("value", ["0", "65536", "-1", "1e3", "22 22", "٢٢"])
def test_a_port_out_of_bounds_is_refused(value: str) -> None:
    reader = read(port=value)
    assert reader.number("port", 1, 65535, 22) == 22
    with pytest.raises(UserError, match="not a whole number from 1 to 65535"):
        reader.done()


def test_an_app_variable_takes_its_value_from_the_step_or_from_the_line() -> None:
    reader = Reader({"INPUT_ENV": "TOKEN\nLEVEL=info\nEMPTY=\n", "TOKEN": "a\nb"})
    env = reader.environment("env")
    reader.done()
    assert {name: value.reveal() for name, value in env.items()} == {
        "TOKEN": "a\nb",
        "LEVEL": "info",
        "EMPTY": "",
    }


@pytest.mark.parametrize("name", ["JOB_TOKEN", "INPUT_SSH_KEY"])
def test_what_action_yml_adds_for_us_is_no_variable_of_the_app(name: str) -> None:
    reader = Reader({"INPUT_ENV": name, "JOB_TOKEN": "ghs_x", "INPUT_SSH_KEY": "key"})
    reader.environment("env")
    with pytest.raises(UserError, match="has no value for"):
        reader.done()


def test_an_app_variable_without_a_value_says_what_to_create() -> None:
    reader = Reader({"INPUT_ENV": "A=1\nTOKEN", "TOKEN": ""})
    reader.environment("env")
    with pytest.raises(UserError, match=r"line 2 is a name[\s\S]*NAME: \$\{\{ secrets.NAME \}\}"):
        reader.done()


@pytest.mark.parametrize("text", ["KEY=first\nhunter2\nhunter3", "hunter2", "A=1\nhunter2="])
def test_a_part_of_a_secret_that_looks_like_a_name_is_not_shown(text: str) -> None:
    reader = Reader({"INPUT_ENV": text})
    reader.environment("env")
    assert "hunter" not in str(reader.problems)


def test_only_a_line_break_ends_a_value() -> None:
    reader = Reader({"INPUT_ENV": "A=a\u2028b\x0cc\x85d\r\nB=e"})
    assert {name: value.reveal() for name, value in reader.environment("env").items()} == {
        "A": "a\u2028b\x0cc\x85d",
        "B": "e",
    }


@pytest.mark.parametrize("line", ["A B=1", "1A", "a-b=1", "=x", "$(id)=1"])
def test_an_illegal_name_of_an_app_variable_is_refused(line: str) -> None:
    reader = Reader({"INPUT_ENV": line})
    reader.environment("env")
    with pytest.raises(UserError, match="line 1 does not have the form NAME or NAME=value"):
        reader.done()


@pytest.mark.parametrize("read", [Reader.environment, Reader.pairs])
def test_a_line_that_may_be_part_of_a_secret_is_reported_by_its_number(
    read: Callable[[Reader, str], object],
) -> None:
    reader = Reader({"INPUT_ENV": "A=1\n\npostgres://u:hunter2/db\nhunter2/QQ"})
    read(reader, "env")
    with pytest.raises(UserError, match="line 3") as error:
        reader.done()
    reported = [f"{problem.what}{problem.hint}" for problem in error.value.problems]
    assert "hunter2" not in str(reported)


PEM = "-----BEGIN KEY-----\nMIIBsecretsecret\nx/y+z=\nQUJD\n-----END KEY-----"


def test_a_secret_of_several_lines_that_is_no_variable_is_one_problem() -> None:
    reader = Reader({"INPUT_SECRET_FILES": f"LEVEL=1\nCERT={PEM}"})
    reader.environment("secret-files")
    [problem] = reader.problems
    assert problem.what == "line 4 and 1 more do not have the form NAME or NAME=value"
    assert "or only NAME" in problem.hint
    assert not [line for line in PEM.splitlines() if line in f"{problem}"]


def test_a_name_that_is_there_twice_is_reported_by_its_line() -> None:
    reader = Reader({"INPUT_ENV": "A=1\n\nA=hunter2"})
    reader.environment("env")
    assert [problem.what for problem in reader.problems] == [
        "line 3 repeats the name of an earlier line"
    ]


def test_a_secret_hides_itself_wherever_it_is_printed() -> None:
    secret = Secret("hunter2")
    command = Command(("login",), why="log in", stdin=secret)
    assert "hunter2" not in f"{secret} {secret!r} {command} {command!r} {[secret]}"
    assert secret.reveal() == "hunter2"
