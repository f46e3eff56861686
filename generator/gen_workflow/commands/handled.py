"""How the options of `commit` and `fleet` say that a pull request is to be handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.github import handling

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options
    from gen_workflow.github.handling import Handling


def of(options: Options) -> Handling:
    """Return what the options say; raises UserError for what GitHub would not take."""
    return handling.read(
        options.labels,
        options.reviewers,
        draft=options.draft,
        merges=options.auto_merge,
        closed=options.closed,
    )
