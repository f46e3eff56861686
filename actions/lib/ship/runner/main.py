"""Entry point of the actions: the only place that reads the environment of the process."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING

from ship.runner import cancel
from ship.runner.command import HIDDEN
from ship.runner.context import is_input, read_context
from ship.runner.errors import REPOSITORY, ShipError, StepFailed
from ship.runner.step import Step
from ship.runner.summary import cell, fence
from ship.runner.workflow_commands import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.runner.process import Runner

ACTIONS = {
    "build-push": "ship.build_push.step",
    "ssh-deploy": "ship.ssh_deploy.step",
    "kubectl-set-image": "ship.kubectl_set_image.step",
}
REPORT_AT = f"{REPOSITORY}/issues"
EXIT_BUG = 3
# What the names of inputs have that may hold secrets.
MAY_HOLD_SECRETS = ("KEY", "PASS", "TOKEN", "SECRET", "ENV", "ARGS", "SCRIPT", "CACHE_")
# In characters: without shorter texts nobody could read the traceback any more.
SHORTEST_SECRET = 4
# The disk is full, or may not be written: not a bug of ours.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def main(arguments: Sequence[str]) -> int:
    """Run the action that is named by the only argument; returns the exit code of the step."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        print(f"usage: python3 -Iu lib {{{','.join(ACTIONS)}}}", file=sys.stderr)
        return 2
    # A character that the locale of the runner cannot print must not end a step.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    env = dict(os.environ)
    workflow = Workflow(env)
    cancel.listen()
    try:
        action = importlib.import_module(ACTIONS[arguments[0]])
        action.run(Step(env, read_context(env), lambda: _runner(env), workflow))
        cancel.ignore()
    except ShipError as error:
        return _tell(workflow, error)
    except OSError as error:
        if error.errno not in FULL:
            return _bug(workflow, env)
        return _tell(workflow, _full(error))
    except Exception:  # noqa: BLE001 - whatever it is, the person gets a report and not a traceback
        return _bug(workflow, env)
    return 0


def _runner(env: Mapping[str, str]) -> Runner:
    from ship.runner.process import ProcessRunner  # noqa: PLC0415 - 4 ms, not for a dry run

    return ProcessRunner(env)


def _full(error: OSError) -> StepFailed:
    return StepFailed.of(
        f"the runner cannot write {error.filename or 'to its disk'}: {error.strerror}",
        hint="free space on the disk of the runner, or give its user the right to write there",
        anchor="the-disk-of-the-runner-is-full",
    )


def _tell(workflow: Workflow, error: ShipError) -> int:
    """Show an error in the annotations of the run and in the job summary."""
    cancel.ignore()
    evidence = error.evidence
    if evidence:
        with workflow.group(evidence.title), workflow.untrusted():
            workflow.say(evidence.text)
    for problem in error.problems:
        workflow.error(str(problem), title=error.title)
    workflow.summary(summary_of(error))
    return error.exit_code


def summary_of(error: ShipError) -> str:
    """Return the Markdown of an error: the cause and the next act, and then the details."""
    # In the text no address can be clicked.
    links = dict.fromkeys(f"[{each.anchor}]({each.link})" for each in error.problems if each.anchor)
    evidence = error.evidence
    parts = (
        f"### ❌ {cell(error.title)}",
        fence(str(error)),
        f"More about this: {', '.join(links)}" if links else "",
        error.details.strip("\n"),
        f"**{evidence.title}**\n\n{fence(evidence.text)}" if evidence else "",
    )
    # Without a blank line between, a table would go on.
    return "\n\n".join(filter(None, parts))


def _bug(workflow: Workflow, env: Mapping[str, str]) -> int:
    import traceback  # noqa: PLC0415 - 2 ms, only for a bug

    with workflow.group("Traceback"), workflow.untrusted():
        workflow.say(without_secrets(traceback.format_exc(), env))
    workflow.error(
        "this is a bug of the action, not of your workflow\n  hint: please report it, with the "
        f"folded traceback above, at {REPORT_AT}",
        title="Bug",
    )
    return EXIT_BUG


def without_secrets(text: str, env: Mapping[str, str]) -> str:
    """Return a text without any line of an input that may hold secrets, and without their values.

    A message of the standard library may quote a value; the runner masks only what it knows.
    """
    hidden: set[str] = set()
    for name, value in env.items():
        if is_input(name) and any(word in name for word in MAY_HOLD_SECRETS):
            for line in value.splitlines():
                # `NAME=value`, or the name of a variable of the step.
                hidden |= {line, line.partition("=")[2], *env.get(line.strip(), "").splitlines()}
    for part in sorted((each.strip().strip('"') for each in hidden), key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, HIDDEN)
    return text
