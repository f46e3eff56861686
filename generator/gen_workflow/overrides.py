"""A person's own templates: what must be true of them, and where they fail."""

# ruff: noqa: PTH118, PTH208 - pathlib is slow to load

from __future__ import annotations

import os
import traceback

from jinja2 import TemplateError, TemplateSyntaxError

from gen_workflow import stamp
from gen_workflow.errors import UserError, shown
from gen_workflow.reading import near

_DELIMITERS = "delimiters are [[ value ]], [% statement %] and [# comment #]"


def check(folder: str) -> None:
    """Raise UserError when a template cannot be read, or when nothing would ever use it."""
    texts = {name: _read(os.path.join(folder, name)) for name in _names(folder)}
    ours = tuple(sorted(os.listdir(stamp.templates())))
    for name in texts:
        others = (text for other, text in texts.items() if other != name)
        if name not in ours and not any(name in text for text in others):
            what = "replaces none of our templates, and none of yours uses it"
            known = ", ".join(one for one in ours if one.endswith(".j2"))
            path = shown(os.path.join(folder, name))
            raise UserError(what, where=path, hint=near(name, ours) or f"ours are {known}")


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".j2"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=shown(folder)) from None


def _read(path: str) -> str:
    try:
        return stamp.read(path).decode()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=shown(path)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8"
        raise UserError("is not UTF-8 text", where=f"{shown(path)}:{line}", hint=hint) from None


def failed(error: Exception, folder: str) -> UserError:
    """Return the error for a template that cannot be rendered, with its file and line."""
    if isinstance(error, TemplateSyntaxError):
        place = f"{shown(error.filename or folder)}:{error.lineno}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        at = [frame for frame in frames if frame.filename.endswith(".j2")]
        place = f"{shown(at[-1].filename)}:{at[-1].lineno}" if at else shown(folder)
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    return UserError(f"cannot be rendered: {kind}{error}", where=place, hint=_DELIMITERS)
