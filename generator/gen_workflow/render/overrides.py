"""The user's own templates: checks them, and says where one fails."""

# ruff: noqa: PTH118, PTH208 - pathlib is slow to load

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from jinja2 import FileSystemLoader, TemplateError, TemplateNotFound, TemplateSyntaxError

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.render import folder
from gen_workflow.spec.hints import near

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

_DELIMITERS = "delimiters are [[ value ]], [% statement %] and [# comment #]"


class Loader(FileSystemLoader):
    """Loads the user's own templates, and no other file: the hash of the generator has them all."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if template not in folder.names(str(self.searchpath[0])):
            raise TemplateNotFound(template)
        return super().get_source(environment, template)


def check(templates: str) -> None:
    """Raise UserError when a template cannot be read, or when nothing would ever use it."""
    texts = {name: _read(os.path.join(templates, name)) for name in _names(templates)}
    ours = tuple(sorted(name for name in os.listdir(folder.ours()) if name.endswith(".j2")))
    for name in texts:
        others = (text for other, text in texts.items() if other != name)
        if name not in ours and not any(name in text for text in others):
            what = "replaces none of our templates, and none of yours uses it"
            path = shown(os.path.join(templates, name))
            hint = near(name, ours) or f"ours are {', '.join(ours)}"
            raise UserError(what, where=path, hint=hint, anchor=Heading.TEMPLATE)


def _names(templates: str) -> list[str]:
    try:
        return folder.names(templates)
    except OSError as error:
        raise files.problem(error, "cannot be read", templates) from None


def _read(path: str) -> str:
    try:
        return files.content(path).decode()
    except OSError as error:
        raise files.problem(error, "cannot be read", path) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        where, hint = f"{shown(path)}:{line}", "save the file as UTF-8"
        raise UserError(
            "is not UTF-8 text", where=where, hint=hint, anchor=Heading.TEMPLATE
        ) from None


def failed(error: Exception, templates: str) -> UserError:
    """Return the error for a template that cannot be rendered, with its file and line."""
    if isinstance(error, TemplateSyntaxError):
        place = f"{shown(error.filename or templates)}:{error.lineno}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        at = [frame for frame in frames if frame.filename.endswith(".j2")]
        place = f"{shown(at[-1].filename)}:{at[-1].lineno}" if at else shown(templates)
    if isinstance(error, TemplateNotFound):
        what = f"cannot be rendered: there is no template {error.name!r}"
        hint = "the name of a template ends in .j2"
        return UserError(what, where=place, hint=hint, anchor=Heading.TEMPLATE)
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    what = f"cannot be rendered: {kind}{error}"
    return UserError(what, where=place, hint=_DELIMITERS, anchor=Heading.TEMPLATE)
