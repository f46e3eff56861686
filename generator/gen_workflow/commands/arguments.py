"""The command line by argparse, for all that `options.parse` leaves: help, and mistakes."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from gen_workflow.commands.options import Options
from gen_workflow.spec.hints import listed, near
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from gen_workflow.commands.options import Option, Verb

_EXAMPLES = """\
examples:
  gen-workflow generate             write .github/workflows/ci-cd.yml from gen-workflow.yml
  gen-workflow generate --stdout    print the workflows, and write no file
  gen-workflow diff                 print what generate would write, as a patch
  gen-workflow check -C ../shop     exit 1 when the workflow there does not follow from its spec
  gen-workflow VERB --help          the options of a verb

exit codes: 0 done, 1 the workflow is not in step with the spec, 2 you have to change something,
  3 a bug of gen-workflow, 4 it cannot start, because Python or its packages are missing
"""


def parse(argv: list[str], verbs: tuple[Verb, ...]) -> Options:
    """Return what a command line says; raises SystemExit after help, or what is wrong."""
    top, parsers = _parsers(verbs)
    _check_verb(argv, verbs, top)
    try:
        found, unknown = top.parse_known_args(argv)
    except OSError:  # of the help: newer Pythons pass over it, and who called us sees it as well
        raise SystemExit(0) from None
    if "names" in found and not any(word.startswith("-") for word in unknown):
        found.names = (*found.names, *unknown)  # argparse leaves those that stand behind an option
        unknown = []
    if unknown or "verb" not in found:
        word = (unknown or argv)[0]
        of_the_verb = found.verb.options if "verb" in found else ()
        meant = near(word, tuple(name for one in of_the_verb for name in one.words))
        what = f"{word!r} is no option{f'; {meant}' if meant else ''}"
        parsers.get(argv[0], top).error(what)
    options = Options(found.verb)
    vars(options).update(vars(found))
    return options


def _parsers(verbs: tuple[Verb, ...]) -> tuple[ArgumentParser, dict[str, ArgumentParser]]:
    """Return the parser of the whole command line, and those of the verbs by their names."""
    top = ArgumentParser(
        prog="gen-workflow",
        description="Renders a hardened GitHub workflow from a small spec.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"gen-workflow {__version__}")
    under = top.add_subparsers(title="verbs", metavar="VERB")
    parsers = {}
    for verb in verbs:
        parser = parsers[verb.name] = under.add_parser(
            verb.name,
            help=verb.says,
            description=f"{verb.says[0].upper()}{verb.says[1:]}.",
            epilog=verb.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,  # an option of tomorrow would change what an abbreviation means
        )
        parser.set_defaults(verb=verb)
        for option in verb.options:
            _add(parser, option)
    return top, parsers


def _check_verb(argv: list[str], verbs: tuple[Verb, ...], top: ArgumentParser) -> None:
    """End with an error when a command line does not begin with a verb, or with --help."""
    if argv and argv[0] in {word for verb in verbs for one in verb.options for word in one.words}:
        top.error(f"an option stands behind the verb: gen-workflow VERB {argv[0]} ...")
    if not argv:
        top.error("say what to do, such as `gen-workflow generate`; --help lists the verbs")
    names = tuple(verb.name for verb in verbs)
    if argv[0] not in names and not argv[0].startswith("-"):
        meant = near(argv[0], names) or f"use one of {listed(names)}"
        top.error(f"{argv[0]!r} is no verb; {meant}")


class _Appended(argparse.Action):
    """Adds a value to those that were given before."""

    def __call__(self, _parser: Any, found: Any, value: Any, _word: str | None = None) -> None:
        setattr(found, self.dest, (*getattr(found, self.dest), value))


def _add(parser: ArgumentParser, option: Option) -> None:
    if not option.words:
        parser.add_argument(
            option.name,
            nargs="*",
            metavar=option.metavar,
            default=option.default,
            help=option.says,
        )
    elif option.metavar:
        parser.add_argument(
            *option.words,
            dest=option.name,
            metavar=option.metavar,
            default=option.default,
            help=option.says,
            action=_Appended if option.several else "store",
        )
    else:
        parser.add_argument(*option.words, dest=option.name, action="store_true", help=option.says)
