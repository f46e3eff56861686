"""What the steps that a user has written take from GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.plan.inputs import Given
from gen_workflow.spec import raw
from gen_workflow.spec.expressions import EXPRESSION
from gen_workflow.workflow.records import RawStep, Step, as_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME = r"(?<![\w.'-])(secrets|vars)\.([A-Za-z_][A-Za-z0-9_]*)(\s*\|\|)?"


def values_of(steps: Iterable[Step | RawStep], where: str) -> Iterator[Given]:
    """Yield each variable and secret that steps of a user take; `where` says whose steps."""
    for step in steps:
        if isinstance(step, RawStep):
            yield from values_in(as_data(step), f"for a step of `{where}`")


def values_in(content: Any, purpose: str) -> Iterator[Given]:
    """Yield each variable and secret in plain data; one with a default may be missing."""
    for text in raw.texts(content):
        for inside in EXPRESSION.findall(text):
            for source, name, default in re.findall(_NAME, inside):
                yield Given(f"${{{{ {source}.{name} }}}}", purpose, optional=bool(default))
