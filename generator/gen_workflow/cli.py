"""The command line: the table of verbs, the exit codes, how an error is reported."""

from __future__ import annotations

import os

from gen_workflow.commands import in_step
from gen_workflow.commands.options import (
    API_URL,
    BRANCH,
    EVENT,
    FOLDER,
    HANDLING,
    JSON,
    PROJECT,
    REPORT,
    TEMPLATES,
    Option,
    Options,
    Verb,
    parse,
)
from gen_workflow.errors import DONE, NOT_IN_STEP, OUR_BUG, Defect, GenWorkflowError
from gen_workflow.report.terminal import log, put
from gen_workflow.version import __version__

_ISSUES = "https://github.com/gen-workflow/gen-workflow/issues/new"
_STEP = "step"  # what action.yml calls; no verb, because no person types it
_COMMIT_EPILOG = """\
environment: GH_TOKEN or GITHUB_TOKEN holds the token; GITHUB_API_URL holds the address of the API,
  which is only needed for a GitHub other than github.com

examples:
  gen-workflow commit --dry-run     print the steps, and do not run them
  gen-workflow commit               run the steps; a second run changes nothing
"""
_CHECK_EPILOG = """\
examples:
  gen-workflow check                                   say what is wrong, and what to do
  gen-workflow check --format sarif > check.sarif      for the code scanning of GitHub
  gen-workflow check --json                            for a program
"""
_UPDATE_EPILOG = """\
environment: GH_TOKEN or GITHUB_TOKEN holds the token for --online, which needs no permission for
  public actions; GITHUB_API_URL holds the address of the API of another GitHub

examples:
  gen-workflow update --dry-run           print what would move, and why the rest would not
  gen-workflow update actions/checkout    move one action, wherever it is used
  gen-workflow update --online --major    ask GitHub, and take new major versions as well
"""
_EXPLAIN_EPILOG = """\
examples:
  gen-workflow explain                              all events that matter, and what runs
  gen-workflow explain --event push --ref main      which jobs run, what goes where, and why
  gen-workflow explain --event pull_request --fork
  gen-workflow explain --event release --tag v1.2.3
  gen-workflow explain --event workflow_dispatch --input environment=staging
  gen-workflow explain --payload event.json         GitHub's own JSON of an event
"""
_GRAPH_EPILOG = """\
with an event, the jobs that do not run for it are grey

examples:
  gen-workflow graph                                draw on the terminal
  gen-workflow graph --event pull_request --fork    what runs for a pull request of a fork
  gen-workflow graph --format svg > workflow.svg    a picture for a page
  gen-workflow graph --format mermaid >> "$GITHUB_STEP_SUMMARY"   between lines of three backticks
"""

_FLEET_EPILOG = """\
environment: GH_TOKEN or GITHUB_TOKEN holds the token, which needs the rights of `commit` in each
  repository; GITHUB_API_URL holds the address of the API of another GitHub

exit codes: 0 all are in step, 1 some are not, 2 you have to change something for some of them

examples:
  gen-workflow fleet plan                     say where each repository stands, and change nothing
  gen-workflow fleet apply --limit 3          open the first three pull requests
  gen-workflow fleet apply acme/orders web    only for these repositories
  gen-workflow fleet apply --canary 3         wait for the checks of three before the others follow
  gen-workflow fleet status --ring first      how the pull requests and the last runs of a ring do
  gen-workflow fleet spec orders              print the spec that a repository gets
  gen-workflow fleet workflow                 print a workflow that runs `fleet apply` every night
"""

_BOOTSTRAP_EPILOG = """\
values: a secret or a variable that is missing gets the value that is exported under its name, or
  that of --values: a YAML file with NAME: value, and ENVIRONMENT: {NAME: value} for one environment

environment: GH_TOKEN or GITHUB_TOKEN holds the token; GITHUB_API_URL holds the address of the API
  of another GitHub

exit codes: 0 all is so, 1 something is to be done, 2 you have to change something first

examples:
  gen-workflow bootstrap acme/shop                      print the plan, and change nothing
  gen-workflow bootstrap acme/shop --yes --run          carry it out, and start the first run
  sops -d values.yml | gen-workflow bootstrap acme/shop --values - --yes
  gen-workflow bootstrap acme/shop --replace DB_URL --yes   a new value for what is there
"""

VERBS = (
    Verb(
        "generate",
        "write the workflow that follows from the spec",
        *PROJECT,
        Option("stdout", "--stdout", says="print the workflows, and write no file"),
        Option("check", "--check", says="write nothing, as `check`"),
        Option("diff", "--diff", says="write nothing, as `diff`"),
        Option("dry_run", "--dry-run", says="name the files that would be written, and write none"),
        Option("force", "--force", says="overwrite edits made by hand"),
        Option(
            "dependabot",
            "--dependabot",
            says="also write a rule for actions into .github/dependabot.yml",
        ),
        *REPORT,
        in_step="is already in step with",
    ),
    Verb(
        "check",
        "check that the workflow is the one that follows from the spec",
        *PROJECT,
        *REPORT,
        epilog=_CHECK_EPILOG,
        in_step="is in step with",
    ),
    Verb(
        "diff",
        "show what `generate` would write, and exit with 1 when that is something",
        *PROJECT,
        Option("force", "--force", says="show what --force would write"),
        *REPORT,
    ),
    Verb(
        "commit",
        "commit spec and workflow on GitHub, and open a pull request",
        *PROJECT,
        Option(
            "repo",
            "--repo",
            metavar="OWNER/NAME",
            says="repository on GitHub; default: that of the git remote `origin`",
        ),
        BRANCH,
        Option(
            "base",
            "--base",
            metavar="NAME",
            says="branch to merge into; default: the default branch",
        ),
        Option("message", "--message", metavar="TEXT", says="message of the commit"),
        Option("title", "--title", metavar="TEXT", says="title of the pull request"),
        API_URL,
        Option("force", "--force", says="replace edits made by hand on GitHub"),
        Option("again", "--again", says="open a pull request again after somebody closed it"),
        *HANDLING,
        Option("dry_run", "--dry-run", says="print the steps, and do not run them"),
        JSON,
        epilog=_COMMIT_EPILOG,
    ),
    Verb(
        "update",
        "move the actions that workflows use to newer releases",
        FOLDER,
        Option("online", "--online", says="ask GitHub; default: the table of this version"),
        Option(
            "min_age",
            "--min-age",
            metavar="DAYS",
            default="7",
            says="with --online: leave releases that are younger; default: 7",
        ),
        Option("major", "--major", says="take new major versions as well"),
        Option("branches", "--branches", says="with --online: a release in place of a branch"),
        Option("check", "--check", says="write nothing, and exit with 1 when something would move"),
        Option("diff", "--diff", says="print the lines that would change, and write nothing"),
        Option("dry_run", "--dry-run", says="print what would move, and write nothing"),
        JSON,
        API_URL,
        Option("names", metavar="NAME", says="only this file, folder or action; default: all"),
        epilog=_UPDATE_EPILOG,
    ),
    Verb(
        "explain",
        "say what runs for an event, and why the rest does not",
        *PROJECT,
        *EVENT,
        JSON,
        epilog=_EXPLAIN_EPILOG,
    ),
    Verb(
        "graph",
        "draw the jobs, and which of them waits for which",
        *PROJECT,
        *EVENT,
        Option(
            "format",
            "--format",
            metavar="NAME",
            says="terminal, mermaid or svg; default: terminal on a terminal, else mermaid",
        ),
        epilog=_GRAPH_EPILOG,
    ),
    Verb(
        "fleet",
        "keep many repositories in step: `fleet plan` looks, `fleet apply` opens pull requests",
        Option(
            "file",
            "--file",
            metavar="FILE",
            default="fleet.yml",
            says="the file that names the repositories; default: fleet.yml",
        ),
        TEMPLATES,
        BRANCH,
        Option("message", "--message", metavar="TEXT", says="message of the commits"),
        Option("title", "--title", metavar="TEXT", says="title of the pull requests"),
        Option("ring", "--ring", metavar="NAME", says="only the repositories of this ring"),
        Option(
            "after",
            "--after",
            metavar="NAME",
            says="with apply: do nothing before this ring is merged, and its last runs were good",
        ),
        Option(
            "shard",
            "--shard",
            metavar="I/N",
            says="only the I-th of N parts, at the N-th part of the pace; for several machines",
        ),
        Option(
            "shards",
            "--shards",
            metavar="N",
            says="with workflow: how many parts are brought in step side by side; default: 1",
        ),
        Option(
            "only_failed",
            "--only-failed",
            says="only the repositories in which the last run failed",
        ),
        *HANDLING,
        Option("limit", "--limit", metavar="N", says="open or update so many at most"),
        Option(
            "per_hour",
            "--per-hour",
            metavar="N",
            says="branches, commits and pull requests in an hour; default: 500, GitHub's limit",
        ),
        Option(
            "spread", "--spread", metavar="SECONDS", says="time between two pull requests at least"
        ),
        Option(
            "canary",
            "--canary",
            metavar="N",
            says="open the first N, and the others only when the checks of those are green",
        ),
        Option(
            "within",
            "--within",
            metavar="MINUTES",
            says="with --canary: how long to wait for the checks; default: 60",
        ),
        Option(
            "stop_after",
            "--stop-after",
            metavar="MINUTES",
            says="with apply: begin no further pull request later than that, and say what is left",
        ),
        Option("again", "--again", says="open a pull request again after somebody closed it"),
        Option(
            "report_file",
            "--report",
            metavar="FILE",
            says="write a report as well: a web page to FILE.html, or data to FILE.json",
        ),
        API_URL,
        JSON,
        Option(
            "names",
            metavar="plan|apply|status|spec|workflow [REPOSITORY ...]",
            says="what to do, and with which repositories; default: plan, and all",
        ),
        epilog=_FLEET_EPILOG,
    ),
    Verb(
        "bootstrap",
        "set up a repository on GitHub: create it, its files, environments, secrets and rules",
        *PROJECT,
        Option(
            "settings",
            "--settings",
            metavar="FILE",
            says="who approves deploys, and what else the spec does not say; default: "
            "bootstrap.yml in DIR, if it is there",
        ),
        Option(
            "values",
            "--values",
            metavar="FILE",
            says="values of secrets and variables; `-` reads them from stdin",
        ),
        Option(
            "replace",
            "--replace",
            metavar="NAME",
            says="secret or variable to write again; may be given several times",
            several=True,
        ),
        BRANCH,
        Option("run", "--run", says="start the first run, and follow it to its end"),
        Option("yes", "--yes", says="carry the plan out; default: print it"),
        API_URL,
        JSON,
        Option("names", metavar="OWNER/NAME", says="the repository"),
        epilog=_BOOTSTRAP_EPILOG,
    ),
    Verb("schema", "print the JSON Schema of the spec, for editors"),
    Verb(
        "docs",
        "print a section of the spec as an annotated example",
        Option("names", metavar="SECTION", says="section of the spec; default: a list of them"),
    ),
    Verb("templates", "list the templates that your own can replace"),
)


def main(argv: list[str]) -> int:
    """Run a verb and return its exit code."""
    if argv == [_STEP]:
        from gen_workflow.commands import step  # noqa: PLC0415 - for the action alone

        return step.run(VERBS, _attempt)
    try:
        options = parse(argv, VERBS) or _by_argparse(argv)
    except SystemExit as ended:  # argparse printed help, or what is wrong
        return put("") or int(ended.code or DONE)
    if _asks_for_a_report(options):
        from gen_workflow.commands import reports  # noqa: PLC0415 - only when it is asked for

        return reports.report(options, lambda: _attempt(options))
    code, error = _attempt(options)
    if error:
        _report_elsewhere(error, options)
    return code


def quick(argv: list[str]) -> int:
    """Run a verb that the hashes answer; return NOT_IN_STEP, and print nothing, for all others.

    The launcher asks this first where no package is installed yet.
    """
    if argv == [_STEP]:
        from gen_workflow.commands import inputs  # noqa: PLC0415 - for the action alone

        return inputs.quick(VERBS)
    options = parse(argv, VERBS)
    is_plain = options and options.verb.in_step and not _asks_for_a_report(options)
    answer = in_step.answer(options) if options and is_plain else ""
    return put(answer) if answer else NOT_IN_STEP


def _by_argparse(argv: list[str]) -> Options:
    from gen_workflow.commands import arguments  # noqa: PLC0415 - slow to load, and rarely needed

    return arguments.parse(argv, VERBS)


def _asks_for_a_report(options: Options) -> bool:
    """Tell whether --format or --json asks for a document in place of the text of the verb."""
    return hasattr(options, "report") and bool(options.report or options.json)


def _attempt(options: Options) -> tuple[int, GenWorkflowError | None]:
    """Run a verb; return its exit code, and the error that it ended with, which is logged."""
    try:
        return _run(options), None
    except Defect:
        return _report_bug(), None
    except GenWorkflowError as error:
        log(error.report)
        return error.exit_code, error
    except Exception:  # noqa: BLE001 - whatever else fails is our bug
        return _report_bug(), None


def _run(options: Options) -> int:
    """Answer at once when the hashes say that all is in step; else load the verb and run it."""
    if options.verb.in_step and (answer := in_step.answer(options)):
        return put(answer)
    from importlib import import_module  # noqa: PLC0415 - slow to load

    code: int = import_module(f"gen_workflow.commands.{options.verb.name}").run(options)
    return code


def _report_elsewhere(error: GenWorkflowError, options: Options) -> None:
    """Tell an error to the run of GitHub, and to a program that wants JSON."""
    if getattr(options, "json", False):
        from gen_workflow.report import as_json  # noqa: PLC0415 - for that option alone

        put(as_json.of(error, error.exit_code))
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        from gen_workflow.report import annotations  # noqa: PLC0415 - for runs of GitHub alone

        put(annotations.of(error, getattr(options, "folder", ".")))


def _report_bug() -> int:
    import traceback  # noqa: PLC0415 - only for what should never happen

    log(
        f"{traceback.format_exc()}\n"
        f"this is a bug of gen-workflow {__version__}, not of the spec\n"
        f"  hint: please report the lines above, with the spec, at {_ISSUES}"
    )
    return OUR_BUG
