"""Where the command starts."""

from __future__ import annotations

import gc
import sys

from gen_workflow import output, quick
from gen_workflow.errors import INTERRUPTED


def main() -> int:
    """Run the command line and return its exit code."""
    gc.disable()  # a run is over before there is anything to collect; looking costs a tenth of it
    try:
        return _main()
    except KeyboardInterrupt:
        output.tell("interrupted")
        return INTERRUPTED


def _main() -> int:
    """Answer the common case, for which next to nothing is loaded, or run the full command line."""
    options = quick.parse(sys.argv[1:])
    answer = quick.answer(options) if options else None
    if answer is not None:
        return output.put(answer)
    from gen_workflow import cli  # noqa: PLC0415 - slow to load, not needed above

    return cli.main(sys.argv[1:], options)


if __name__ == "__main__":
    sys.exit(main())
