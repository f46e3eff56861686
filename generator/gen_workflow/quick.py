"""The command line as it is nearly always written, understood before anything slow is imported."""

from __future__ import annotations

from gen_workflow import stamp

_IN_STEP = {
    "check": "is in step with",
    "generate": "is already in step with",
}


class Options:
    """What `generate` and `check` are asked to do."""

    verb = ""
    folder = "."
    spec = stamp.SPEC
    templates = ""
    stdout = False
    force = False


_VALUES = {"-C": "folder", "--spec": "spec", "--templates": "templates"}
_FLAGS = {"--stdout": "stdout", "--force": "force"}


def parse(argv: list[str]) -> Options | None:
    """Return the options; None for everything that argparse should look at, and explain."""
    options = Options()
    words = iter(argv)
    options.verb = next(words, "")
    if options.verb not in _IN_STEP:
        return None
    for word in words:
        if word in _VALUES:
            value = next(words, "")
            if not value.isprintable() or value[:1] in ("", "-"):
                return None
            setattr(options, _VALUES[word], value)
        elif word in _FLAGS and options.verb == "generate":
            setattr(options, _FLAGS[word], True)
        else:
            return None
    return options


def answer(options: Options) -> str | None:
    """Return what to print when all is in step; None when there is work to do."""
    if options.stdout or not stamp.in_step(options.folder, options.spec, options.templates):
        return None
    return in_step(options)


def in_step(options: Options) -> str:
    """Return what a verb says about a workflow that is as it should be."""
    return f"{stamp.WORKFLOW} {_IN_STEP[options.verb]} {options.spec}\n"
