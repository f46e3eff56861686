"""Where the command starts."""

from __future__ import annotations

import gc
import sys

from gen_workflow import cli
from gen_workflow.errors import INTERRUPTED
from gen_workflow.report.terminal import log


def main() -> int:
    """Run the command line and return its exit code."""
    gc.disable()  # a run is over before there is anything to collect; looking costs a tenth of it
    try:
        return cli.main(sys.argv[1:])
    except KeyboardInterrupt:
        log("interrupted")
        return INTERRUPTED
    finally:
        gc.freeze()  # nor does Python look through all there is when it ends, a sixth of `generate`


if __name__ == "__main__":
    sys.exit(main())
