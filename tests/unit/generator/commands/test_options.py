"""The table of verbs: every verb can run, and both readers of a command line agree."""

from __future__ import annotations

from importlib import import_module

import pytest

from gen_workflow.cli import VERBS
from gen_workflow.commands import arguments
from gen_workflow.commands.options import Options, Verb, parse

every_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))


@every_verb
def test_a_verb_has_a_module_that_runs_it(verb: Verb) -> None:
    assert callable(import_module(f"gen_workflow.commands.{verb.name}").run)


@every_verb
def test_an_option_of_a_verb_is_an_attribute_that_is_declared(verb: Verb) -> None:
    assert {option.name for option in verb.options} <= set(Options.__annotations__)


def command_lines(verb: Verb) -> list[list[str]]:
    """Return a command line for each option, one for all of them, and one for none.

    Names behind the options are left to argparse.
    """
    options = [option for option in verb.options if option.words]
    each = [[option.words[0], *(["x"] if option.metavar else [])] for option in options]
    every = [word for words in each for word in words]
    return [[verb.name, *words] for words in ([], *each, every)]


@pytest.mark.parametrize(
    "argv", [argv for verb in VERBS for argv in command_lines(verb)], ids=" ".join
)
def test_both_readers_of_a_command_line_say_the_same(argv: list[str]) -> None:
    quick = parse(argv, VERBS)
    assert quick is not None
    assert vars(quick) == vars(arguments.parse(argv, VERBS))


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["frobnicate"],
        ["--help"],
        ["check", "--help"],
        ["check", "--stdout"],
        ["check", "-C"],
        ["check", "-C", ""],
        ["check", "-C", "--spec"],
        ["check", "--spec=x"],
        ["check", "--spec", "a\nb"],
        ["generate", "x"],
        ["update", "actions/checkout"],
    ],
)
def test_what_is_not_plain_is_left_to_argparse(argv: list[str]) -> None:
    assert parse(argv, VERBS) is None
