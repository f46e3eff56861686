"""The quick answer of `check` and `generate`: hashes say that all is in step."""

# ruff: noqa: PTH112, PTH113, PTH117, PTH118, PTH206 - pathlib is slow to load

from __future__ import annotations

import os

from gen_workflow import files
from gen_workflow.commands.options import Options  # noqa: TC001 - typing is slow to load
from gen_workflow.errors import UserError
from gen_workflow.sync import stamp
from gen_workflow.sync.fingerprint import fingerprint


def answer(options: Options) -> str:
    """Return what to print when the hashes say that all is in step; empty when they do not."""
    others = ("stdout", "diff", "dependabot")  # with these, more than the workflow is asked for
    if any(getattr(options, name, False) for name in others):
        return ""
    hashes_fit = _hashes_fit(options.folder, options.spec, options.templates)
    return sentence(options) if hashes_fit else ""


def sentence(options: Options, kept: tuple[str, ...] = (), workflow: str = files.WORKFLOW) -> str:
    """Return what a verb says about a workflow that is as it should be, and what that keeps."""
    more = f", and keeps {' and '.join(kept)}" if kept else ""
    return f"{workflow} {options.verb.in_step} {options.spec}{more}\n"


def _hashes_fit(folder: str, spec: str, templates: str) -> bool:
    inside = os.path.normpath(spec)
    if os.path.isabs(inside) or inside.split(os.sep)[0] == os.pardir:
        return False  # refused, whatever it holds
    try:
        if os.path.lexists(os.path.join(folder, files.LOCK)):
            return False  # whether GitHub's lock covers the workflow is another question
        wanted = stamp.digest(files.content(os.path.join(folder, spec)))
        found = _stamp(folder, files.WORKFLOW, wanted)
        if found is None or not _are_there(folder, found.paths):
            return False
        others = [_stamp(folder, name, wanted) for name in found.files]
        made_by = fingerprint(templates)
        fit = all(one is not None and one.generator == made_by for one in (found, *others))
        return fit and (not found.actions or _copy_fits(folder, found))
    except (OSError, UserError):
        return False  # the verb itself reports it


def _copy_fits(folder: str, about: stamp.Stamp) -> bool:
    """Tell whether the copy of our actions is current that workflows in step use."""
    import re  # noqa: PLC0415 - slow to load, as is what is below

    from gen_workflow.vendored.folder import is_current  # noqa: PLC0415

    paths = (os.path.join(folder, path) for path in (files.WORKFLOW, *about.files))
    text = b"\n".join(map(files.content, paths)).decode("utf-8", "replace")
    used = re.findall(rf"\buses: \./{re.escape(about.actions)}/([a-z-]+)$", text, re.MULTILINE)
    return is_current(folder, about.actions, sorted(set(used)))


def _stamp(folder: str, file: str, spec: str) -> stamp.Stamp | None:
    """Return the stamp of a file that was made from a spec and not edited; None of any other."""
    if files.link_on_the_way(folder, file):
        return None
    found = stamp.of(files.content(os.path.join(folder, file)))
    return found if found and not found.edited and found.spec == spec else None


def _are_there(folder: str, paths: tuple[str, ...] | None) -> bool:
    """Tell whether the files and folders that the spec names are there, as when it was read."""
    if paths is None:
        return False
    whole = [os.path.join(folder, path) for path in paths]
    return all(os.path.isdir(path) if path[-1:] == "/" else os.path.isfile(path) for path in whole)
