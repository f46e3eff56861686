"""Running a verb: which code runs it, and how errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import DONE, OUR_BUG, Defect, GenWorkflowError
from gen_workflow.output import put, tell
from gen_workflow.quick import Options
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_REPORT = "https://github.com/gen-workflow/gen-workflow/issues/new"


def main(argv: Sequence[str], options: Options | None = None) -> int:
    """Run a verb and return its exit code; `options` are there when `quick` understood them."""
    try:
        return _run(list(argv), options)
    except SystemExit as ended:  # argparse printed help, or what is wrong
        return put("") or int(ended.code or DONE)
    except Defect:
        return _report()
    except GenWorkflowError as error:
        tell(str(error))
        return error.exit_code
    except Exception:  # noqa: BLE001 - the last line of defence: told as a bug, with the traceback
        return _report()


def _run(argv: list[str], options: Options | None) -> int:
    if options is None:
        from gen_workflow.arguments import parser  # noqa: PLC0415 - argparse: slow, rarely needed

        if argv[:1] == ["commit"]:
            from gen_workflow.commit import run  # noqa: PLC0415 - PyGithub: slow, only for this

            return run(parser(argv).parse_args(argv))
        options = parser(argv).parse_args(argv, namespace=Options())
    from gen_workflow import generate  # noqa: PLC0415 - not for --help and `commit`

    return generate.run(options)


def _report() -> int:
    import traceback  # noqa: PLC0415 - only for what should never happen

    tell(
        f"{traceback.format_exc()}\n"
        f"this is a bug of gen-workflow {__version__}, not of the spec\n"
        f"  hint: please report the lines above, with the spec, at {_REPORT}"
    )
    return OUR_BUG
