"""The verb `templates`: list the templates that a folder of your own can replace."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.render import folder
from gen_workflow.report.terminal import put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options

_ABOUT = """
A file of one of these names in the folder of --templates goes before ours. Delimiters are
[[ value ]], [% statement %] and [# comment #]. Write values through the filters scalar,
block(INDENT) for texts of several lines, or tree(INDENT) for lists and mappings.
"""


def run(_options: Options) -> int:
    """Print each template with its contract, which is the comment that it begins with."""
    lines = []
    for name in folder.names(folder.ours()):
        text = files.content(os.path.join(folder.ours(), name)).decode()  # noqa: PTH118 - see files
        comment = re.match(r"\[#-? (.*?) -?#\]", text, re.DOTALL)
        said = re.sub(r"\s+", " ", comment[1]) if comment else ""
        lines.append(f"{name}\n    {said}")
    return put("\n".join([*lines, _ABOUT]))
