"""The verb `update`: move the actions that workflows use to newer releases."""

from __future__ import annotations

import os
import time
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import changes
from gen_workflow.errors import DONE, NOT_IN_STEP, Heading, UserError, shown
from gen_workflow.pins.reference import Reference
from gen_workflow.pins.table import OURS, table
from gen_workflow.report.terminal import log, put
from gen_workflow.spec.actions import is_folder
from gen_workflow.sync import stamp
from gen_workflow.sync.writing import write
from gen_workflow.uses import lock, moves, report
from gen_workflow.uses.choice import Policy
from gen_workflow.uses.files import File, with_uses
from gen_workflow.uses.places import Use
from gen_workflow.uses.releases import of_table
from gen_workflow.vendored import lock as copied

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen_workflow.commands.options import Options
    from gen_workflow.uses.moves import Move
    from gen_workflow.uses.releases import Known

_OLDEST = 3650  # days


def run(options: Options) -> int:
    """Move what can move, and print it; return 1 when `--check` found something to move.

    Raises UserError before anything is written, and Drift when GitHub's lock has to follow.
    """
    policy = _policy(options)
    read, unread = with_uses(options.folder)
    for each in unread:
        log(f"warning: {each}; it is left as it is")
    read += _copies(options.folder, read)
    chosen = _chosen(read, options.names, options.folder)
    known = _known(options, chosen)
    found = moves.moves(chosen, known, policy)
    changed = [
        (file, after) for file in chosen if (after := moves.edited(file, found)) != file.text
    ]
    writes = not (options.check or options.diff or options.dry_run)
    if writes:
        _write(options.folder, changed)
    _print(options, found, changed, unread, writes=writes)
    if writes:
        lock.check(options.folder, {file.path: after for file, after in changed})
    return NOT_IN_STEP if options.check and changed else DONE


def _policy(options: Options) -> Policy:
    days = options.min_age
    if not (days.isascii() and days.isdigit() and int(days) <= _OLDEST):
        what, hint = f"{days!r} is not a number of days", "write a whole number, such as 7"
        raise UserError(what, where="--min-age", hint=hint, anchor=Heading.OPTION)
    return Policy(time.time(), int(days), options.major, options.branches, options.online)


def _copies(folder: str, read: list[File]) -> list[File]:
    """Return the lock of each copy of our actions that a workflow uses, with what it is a copy of.

    It is a use of a generated workflow: `generate` alone moves it.
    """
    about = filter(None, (stamp.of(file.text.encode()) for file in read))
    found = []
    for actions in dict.fromkeys(one.actions for one in about if is_folder(one.actions)):
        path = f"{actions}/{copied.NAME}"
        text = (files.read(str(Path(folder, path))) or b"").decode("utf-8", "replace")
        if origin := copied.ORIGIN.search(text):
            line = text.count("\n", 0, origin.start()) + 1
            places = (slice(*origin.span("commit")), slice(*origin.span("comment")))
            use = Use(Reference(OURS, "", origin["commit"]), line, *places)
            found.append(File(path, text, (use,), generated=True))
    return found


def _chosen(read: list[File], names: Sequence[str], folder: str) -> list[File]:
    """Return the files with the uses that the names choose: files, folders and actions."""
    if not names:
        return read
    used = [(file.path, use.reference.action) for file in read for use in file.uses]
    unknown = [name for name in names if not any(_fits(name, *each, folder) for each in used)]
    if unknown:
        what = f"no workflow and no action here is or uses {', '.join(map(shown, unknown))}"
        hint = "name a file, a folder, or an action as in actions/checkout"
        raise UserError(what, hint=hint, anchor=Heading.NO_SUCH_USE)
    chosen = []
    for file in read:
        fits = [
            any(_fits(name, file.path, use.reference.action, folder) for name in names)
            for use in file.uses
        ]
        chosen.append(file._replace(uses=tuple(compress(file.uses, fits))))
    return [file for file in chosen if file.uses]


def _fits(name: str, path: str, action: str, folder: str) -> bool:
    """Tell whether a name is that of a file, of a folder above it, or of an action or its owner.

    A path is one in the folder of the repository, or from where the command runs.
    """
    bare = name.rstrip("/")
    if not bare:
        return False
    inside = os.path.relpath(bare, folder).replace(os.sep, "/")
    as_path = any(f"{path}/".startswith(f"{one}/") for one in (bare, inside))
    return as_path or inside == "." or f"{action}/".lower().startswith(f"{bare}/".lower())


def _known(options: Options, chosen: Sequence[File]) -> dict[str, Known]:
    """Return what the table knows, or with --online what GitHub does."""
    if not options.online:
        return of_table(table())
    from gen_workflow.github import releases, remote, tokens  # noqa: PLC0415 - slow, and rarely needed

    token = tokens.given(os.environ)
    api = remote.check_api(options.api_url or os.environ.get("GITHUB_API_URL", ""))
    wanted = [use.reference for file in chosen for use in file.uses]
    return releases.ask(wanted, token, api, log)


def _write(folder: str, changed: Iterable[tuple[File, str]]) -> None:
    """Write all files, or none."""
    write({str(Path(folder, file.path)): after.encode() for file, after in changed})


def _print(
    options: Options,
    found: Sequence[Move],
    changed: Iterable[tuple[File, str]],
    unread: Sequence[str],
    *,
    writes: bool,
) -> None:
    if options.json:
        import json  # noqa: PLC0415 - only for programs

        put(f"{json.dumps(report.as_data(found, unread, written=writes))}\n")
        return
    lines = list(report.lines(found, written=writes))
    if not options.diff:
        put("".join(f"{line}\n" for line in lines))
        return
    for file, after in changed:  # so that `git apply` can read it
        changes.show_one(file.path, file.text.encode(), after.encode())
    log("\n".join(lines))
