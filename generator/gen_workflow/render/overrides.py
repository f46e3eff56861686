"""The user's own templates: checks them, and says where one fails."""

# ruff: noqa: PTH118, PTH208 - pathlib is slow to load

from __future__ import annotations

import os
import traceback

from jinja2 import TemplateError, TemplateSyntaxError

from gen_workflow import files
from gen_workflow.errors import UserError, shown
from gen_workflow.render import folder
from gen_workflow.spec.hints import near

_DELIMITERS = "delimiters are [[ value ]], [% statement %] and [# comment #]"


def check(templates: str) -> None:
    """Raise UserError when a template cannot be read, or when nothing would ever use it."""
    texts = {name: _read(os.path.join(templates, name)) for name in _names(templates)}
    ours = tuple(sorted(name for name in os.listdir(folder.ours()) if name.endswith(".j2")))
    for name in texts:
        others = (text for other, text in texts.items() if other != name)
        if name not in ours and not any(name in text for text in others):
            what = "replaces none of our templates, and none of yours uses it"
            path = shown(os.path.join(templates, name))
            raise UserError(
                what, where=path, hint=near(name, ours) or f"ours are {', '.join(ours)}"
            )


def _names(templates: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(templates) if name.endswith(".j2"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=shown(templates)) from None


def _read(path: str) -> str:
    try:
        return files.content(path).decode()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=shown(path)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8"
        raise UserError("is not UTF-8 text", where=f"{shown(path)}:{line}", hint=hint) from None


def failed(error: Exception, templates: str) -> UserError:
    """Return the error for a template that cannot be rendered, with its file and line."""
    if isinstance(error, TemplateSyntaxError):
        place = f"{shown(error.filename or templates)}:{error.lineno}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        at = [frame for frame in frames if frame.filename.endswith(".j2")]
        place = f"{shown(at[-1].filename)}:{at[-1].lineno}" if at else shown(templates)
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    return UserError(f"cannot be rendered: {kind}{error}", where=place, hint=_DELIMITERS)
