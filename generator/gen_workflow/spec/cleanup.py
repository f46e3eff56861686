"""Which images are deleted from ghcr.io when they are old."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.cron import CRON
from gen_workflow.spec.forms import Listed, Text, WholeNumber
from gen_workflow.spec.sections import Key, Section


class Cleanup(NamedTuple):
    """How many old images stay, and when the others are deleted."""

    keep: Annotated[
        str,
        Key(
            "How many of the older images stay, the newest of them",
            WholeNumber("a number of images", 1, 1000, 20),
            "50",
            "0.1.0",
        ),
    ] = "20"
    older_than: Annotated[
        str,
        Key(
            "Age up to which every image stays",
            Text("an age in days or weeks", r"[1-9][0-9]{0,3}[dw]", "30d or 8w"),
            "8w",
            "0.1.0",
        ),
    ] = "30d"
    keep_tags: Annotated[
        tuple[str, ...],
        Key(
            "Tags whose images always stay, with `*` for any text, beside those of versions, of "
            "`latest`, and of the branches of the spec",
            Listed(
                Text("a tag", r"[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,127}", "stable-*"),
                alone=True,
                empty="name a tag, or remove `keep-tags`",
            ),
            "[stable, edge-*]",
            "0.1.0",
        ),
    ] = ()
    schedule: Annotated[
        str,
        Key("When it runs, in the form of cron, in UTC", CRON, '"30 3 * * 6"', "0.1.0"),
    ] = "30 3 * * 0"


CLEANUP = Section(Cleanup)
