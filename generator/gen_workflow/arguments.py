"""The full command line, for everything that `quick` leaves: help, `commit`, mistakes."""

from __future__ import annotations

import argparse

from gen_workflow import stamp
from gen_workflow.version import __version__

_EXAMPLES = """\
examples:
  gen-workflow generate             write .github/workflows/ci-cd.yml from gen-workflow.yml
  gen-workflow generate --stdout    print it and write nothing
  gen-workflow check -C ../shop     exit 1 when the workflow there is not what its spec gives
  gen-workflow VERB --help          the options of a verb

exit codes: 0 done, 1 not in step, 2 something has to be changed, 3 a bug of gen-workflow
"""


def parser(argv: list[str]) -> argparse.ArgumentParser:
    """Return the parser; the options of `commit` are only there when it is asked for."""
    top = argparse.ArgumentParser(
        prog="gen-workflow",
        description="Renders a hardened GitHub workflow from a small spec.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"gen-workflow {__version__}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    generate = verbs.add_parser("generate", help="write the workflow that the spec gives")
    _add_project(generate)
    generate.add_argument("--stdout", action="store_true", help="print it and write nothing")
    generate.add_argument("--force", action="store_true", help="overwrite edits made by hand")
    _add_project(verbs.add_parser("check", help="tell whether the workflow is what the spec gives"))
    commit = verbs.add_parser("commit", help="bring the files to GitHub as a pull request")
    if argv[:1] == ["commit"]:
        from gen_workflow.commit import add_arguments  # noqa: PLC0415 - loads PyGithub: slow

        add_arguments(commit)
    return top


def _add_project(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "-C", dest="folder", default=".", metavar="DIR", help="the repository; default: here"
    )
    verb.add_argument(
        "--spec", default=stamp.SPEC, metavar="FILE", help=f"the spec in DIR; default: {stamp.SPEC}"
    )
    verb.add_argument(
        "--templates", default="", metavar="DIR", help="templates that replace ours by their names"
    )
