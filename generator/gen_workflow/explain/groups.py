"""What a concurrency group does to runs that go on and to runs that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.explain import words
from gen_workflow.expressions.reader import ExpressionError
from gen_workflow.expressions.values import Unknown, text, truth

if TYPE_CHECKING:
    from gen_workflow.expressions.evaluate import Evaluator

# What no two runs share.
_OF_ONE_RUN = ("github.run_id", "github.run_number")


def says(concurrency: Any, evaluator: Evaluator, who: str) -> str:
    """Return in words what a group means for `who`: a run or a job. Empty without a group.

    Source: GitHub's page "Control the concurrency of workflows and jobs".
    """
    if not concurrency:
        return ""
    if isinstance(concurrency, str):
        concurrency = {"group": concurrency}
    try:
        group = evaluator.filled(str(concurrency["group"]))
        cancels = evaluator.filled(str(concurrency.get("cancel-in-progress", "false")))
    except ExpressionError as error:
        return f"its group cannot be read: {error}"
    if isinstance(group, Unknown):
        return _unknown(group, who)
    name = text(group)
    if truth(cancels) and text(cancels).lower() != "false":
        return f"{who} cancels an older one of the group {name!r} that goes on or waits"
    if concurrency.get("queue") == "max":
        return f"{who} waits its turn in the group {name!r}: up to 100 wait, first in, first out"
    return (
        f"{who} waits while another one of the group {name!r} goes on; "
        "a newer one takes the place of one that waits, which GitHub cancels"
    )


def _unknown(group: Unknown, who: str) -> str:
    if any(name in _OF_ONE_RUN for name in group.of):
        return f"{who} is alone in its group: it waits for no other, and none cancels it"
    return f"which group {who} is in depends on {words.listed(map(words.of, group.of), 'and')}"
