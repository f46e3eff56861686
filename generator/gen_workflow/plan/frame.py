"""What all jobs of a spec share: where actions come from, and the runner."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Mapping

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import CHECKOUT
from gen_workflow.workflow.records import Data, Permission, Pin, Step, Uses

CONTENTS = Permission("contents", "read", "check the repository out")


class Frame(NamedTuple):
    """Where actions come from, `ours` the ones of this project, and the label of the runner.

    With a `folder` ours come from there, as a copy in the repository itself.
    """

    pins: Mapping[str, Pin]
    ours: Pin
    runner: Data = "ubuntu-24.04"
    folder: str = ""

    def uses(self, repository: str) -> Uses:
        """Return what a step says to use an action of another project."""
        return self.pins[repository].uses()

    def own(self, action: str) -> Uses:
        """Return what a step says to use one of our actions."""
        if self.folder:
            # GitHub's `$/` needs no checkout, but GitHub Enterprise Server does not have it.
            return Uses(f"./{self.folder}/{action}", "")
        return self.ours.uses(f"actions/{action}")

    def checkout(self) -> Step:
        """Return the step that checks the repository out."""
        inputs = (("persist-credentials", False),)
        return Step("Check out the repository", uses=self.uses(CHECKOUT), inputs=inputs)
