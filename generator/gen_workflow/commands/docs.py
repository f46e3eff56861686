"""The verb `docs`: print a section of the spec, as an annotated example and a list of its keys."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, UserError
from gen_workflow.report.terminal import put
from gen_workflow.spec import examples
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.sections import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.commands.options import Options

_WIDTH = 80


def run(options: Options) -> int:
    """Print the sections that are named, or a list of all."""
    known = examples.names()
    for name in options.names:
        if name not in known:
            hint = near(name, known) or f"use one of {listed(known)}"
            what = f"{name!r} is not a section of the spec"
            raise UserError(what, where="docs", hint=hint, anchor=Heading.OPTION)
    if not options.names:
        width = max(map(len, known))
        lines = [f"{name:{width}}  {examples.title(name)}" for name in known]
        return put("\n".join([*lines, "", "gen-workflow docs SECTION prints one of them", ""]))
    return put("\n".join(_section(name) for name in options.names))


def _section(name: str) -> str:
    return "\n".join([examples.text(name), *_keys(name)])


def _keys(name: str) -> Iterator[str]:
    """Yield the lines of the keys that a section declares; none for one that is a part of it."""
    for path, section in sections(SPEC):
        if path in (name, f"{name}/NAME", f"deploy/{name}"):
            yield f"# The keys of `{path}`:"
            for key, declared in section.keys.items():
                default = re.sub(r"`|\*\*", "", declared.default)
                said = f"{declared.sentence}." + (f" Default: {default}." if default else "")
                yield textwrap.fill(
                    re.sub("`", "", said),
                    _WIDTH,
                    initial_indent=f"#   {key}: ",
                    subsequent_indent="#       ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            yield ""
