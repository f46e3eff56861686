"""The inputs and outputs of the action of this repository, and its quick answer.

Inputs come as variables `INPUT_…`, and outputs and the job summary go into files, as a runner has
it. The quick answer loads nothing slow.
"""

from __future__ import annotations

import os

from gen_workflow.commands import in_step
from gen_workflow.commands.options import Options, Verb
from gen_workflow.errors import NOT_IN_STEP, Heading, UserError
from gen_workflow.report.terminal import put

_VERBS = {"check": "check", "update": "commit"}
_FLAGS = ("draft", "auto_merge")
_LINES = ("labels", "reviewers")


def quick(verbs: tuple[Verb, ...]) -> int:
    """Answer `check` when the hashes say that all is in step; return NOT_IN_STEP if not."""
    if _input("mode") not in ("", "check"):
        return NOT_IN_STEP
    options = options_of(verbs)
    return _in_step(answer) if (answer := in_step.answer(options)) else NOT_IN_STEP


def _in_step(answer: str) -> int:
    tell({"in-step": "true"})
    summarize(f"### gen-workflow: in step\n\n{answer}")
    return put(answer)


def options_of(verbs: tuple[Verb, ...]) -> Options:
    """Return what the inputs say as options of a verb; raises UserError."""
    mode = _input("mode") or "check"
    if mode not in _VERBS:
        what, hint = f"{mode!r} is no mode", f"say one of {', '.join(_VERBS)}"
        raise UserError(what, where="mode", hint=hint, anchor=Heading.OPTION)
    options = Options(next(verb for verb in verbs if verb.name == _VERBS[mode]))
    options.folder = _input("directory") or "."
    options.spec = _input("spec") or options.spec
    options.templates = _input("templates")
    if mode == "update":
        _update(options)
    return options


def _update(options: Options) -> None:
    """Complete the options of an update, and see that its token is one that can do it."""
    from gen_workflow.github import tokens  # noqa: PLC0415 - for updates alone

    token = _input("token")
    if not token:
        what = "is empty, and an update needs a token that may write workflows"
        hint = tokens.of_a_run("").hint
        raise UserError(what, where="token", hint=hint, anchor=Heading.NO_TOKEN)
    if token == os.environ.get("JOB_TOKEN"):
        raise tokens.of_a_run("token")
    os.environ["GH_TOKEN"] = token
    options.repo = os.environ.get("GITHUB_REPOSITORY", "")
    options.json = True
    for name in ("branch", "base", "title", "message", "closed"):
        setattr(options, name, _input(name) or getattr(options, name))
    for name in _FLAGS:
        setattr(options, name, _flag(name))
    for name in _LINES:
        setattr(options, name, tuple(filter(None, map(str.strip, _input(name).splitlines()))))


def _flag(name: str) -> bool:
    value = _input(name) or "false"
    if value not in ("true", "false"):
        where = name.replace("_", "-")
        raise UserError(f"{value!r} is neither true nor false", where=where, anchor=Heading.OPTION)
    return value == "true"


def _input(name: str) -> str:
    return os.environ.get(f"INPUT_{name.upper()}", "").strip()


def tell(outputs: dict[str, str]) -> None:
    """Write the outputs of the step; none of them has a line break."""
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))


def summarize(text: str) -> None:
    """Add a text to the job summary."""
    _append("GITHUB_STEP_SUMMARY", text)


def _append(variable: str, text: str) -> None:
    if path := os.environ.get(variable):
        with open(path, "ab") as file:  # noqa: PTH123 - pathlib is slow to load
            file.write(text.encode("utf-8", "surrogateescape"))
