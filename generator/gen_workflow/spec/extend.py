"""What is added to the jobs that are rendered: steps, and further jobs that they wait for."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.connect import OF_A_DEPLOY
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Listed, Text, entries
from gen_workflow.spec.jobs import NAME
from gen_workflow.spec.sections import Key, Named, Section
from gen_workflow.spec.step_keys import Place
from gen_workflow.spec.steps import Steps
from gen_workflow.workflow.records import RawStep

_OTHER = Place(
    no_secrets="the job has no environment, and pull requests run its steps or could come to"
)
_STEPS = "[{run: npm run generate}]"


class Addition(NamedTuple):
    """What is added to a job, or around one of its steps; `key` is `JOB` or `JOB/STEP`."""

    before: Annotated[
        tuple[RawStep, ...],
        Key(
            "Steps before the first one, after the check-out; or before the step",
            Steps(Place()),
            _STEPS,
            "0.1.0",
        ),
    ] = ()
    after: Annotated[
        tuple[RawStep, ...],
        Key("Steps after the last one, or after the step", Steps(Place()), _STEPS, "0.1.0"),
    ] = ()
    needs: Annotated[
        tuple[str, ...],
        Key(
            "Jobs of `jobs` that the job waits for",
            Listed(Text("an id of a job", NAME, "smoke"), alone=True),
            "smoke",
            "0.1.0",
        ),
    ] = ()
    key: str = ""

    @property
    def job(self) -> str:
        """The id of the job."""
        return self.key.partition("/")[0]

    @property
    def step(self) -> str:
        """The id or the name of the step; empty for the whole job."""
        return self.key.partition("/")[2]


ADDITION = Section(Addition)


class _Additions(Named[Addition]):
    """A mapping of jobs, or of jobs and steps, to what is added there."""

    def read(self, value: Value, reading: Reading) -> tuple[Addition, ...] | None:
        if value.kind != "a mapping" or not value.pairs():
            kind = "empty" if value.kind == "a mapping" else value.kind
            hint = "write for example {build: {before: [npm run generate]}}"
            what = f"should be a mapping of jobs, but is {kind}"
            reading.problem(value, what, hint, Heading.WRONG_KIND)
            return None
        found = [_addition(key, item, reading) for key, item in entries(value, reading)]
        return tuple(one for one in found if one)


def _addition(key: Value, value: Value, reading: Reading) -> Addition | None:
    one = ADDITION.read(value, reading)
    if one is None:
        return None
    if not value.pairs():
        hint = "say `before`, `after` or `needs`"
        reading.problem(value, "adds nothing", hint, Heading.MISSING_KEY)
    place = OF_A_DEPLOY if re.match(r"deploy|rollback", key.text) else _OTHER
    for name in ("before", "after"):
        item = value.below([name])
        if item is not value:
            Steps(place).read(item, reading)
    if "/" in key.text and one.needs:
        what, hint = "is of a whole job", f"write it below {key.text.partition('/')[0]}"
        reading.problem(value.below(["needs"]), what, hint, Heading.TOGETHER)
    return one._replace(key=key.text)


ADDITIONS = _Additions(
    Text("a job, or a job and a step", rf"{NAME}(?:/.+)?", "build or build/push"),
    ADDITION,
    "extend: {build: {before: [npm run generate]}}",
)
