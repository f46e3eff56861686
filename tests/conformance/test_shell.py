"""shellcheck has nothing to say of any shell text: steps, scripts, and what is sent to a host."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.programs import PROGRAMS
from conformance.subjects import ROOT, Subject, everything
from ship.ssh_deploy import program as remote_script

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("packages")

REMOTE = Path(remote_script.FOLDER)
SHEBANG = re.compile(rb"#!\s*/(?:usr/)?bin/(?:env )?(?P<shell>sh|bash|dash)\b")
# Folders that hold nothing of ours; `.git` and its kind begin with a dot, and so does `.ci`.
SKIPPED = {".venv", ".git", "build", "dist", "node_modules", "__pycache__"}
SHELLCHECK = ("shellcheck", "--severity=style", "--format=gcc")
PARAMETER = re.compile(r"\$\{?([A-Z][A-Z_]+)\b")
OF_THE_HOST = {"PATH", "HOME", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST"}
FUNCTIONS = "app_environment() { :; }\nsecret_files() { :; }\n"
# Only for what is sent to a host, where one shared part meets one phase: functions that a trap or
# another phase calls, and results that another phase reads.
ONLY_ELSEWHERE = "--exclude=SC2317,SC2034"


@cache  # the same step is in many workflows
def remarks(text: str, shell: str, *options: str) -> tuple[str, ...]:
    done = subprocess.run(
        (*SHELLCHECK, *options, f"--shell={shell}", "-"),
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return tuple(done.stdout.splitlines())


def scripts() -> Iterator[Path]:
    """Every file of the checkout that a shell runs, but the parts of the remote scripts."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED]
        paths = (Path(folder) / name for name in files)
        yield from (path for path in paths if REMOTE not in path.parents and _shell(path))


def _shell(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        found = SHEBANG.match(file.readline(100))
    return found["shell"].decode() if found else "sh" if path.suffix == ".sh" else ""


@pytest.mark.parametrize("path", sorted(scripts()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_has_no_remark(path: Path) -> None:
    assert remarks(path.read_text(encoding="utf-8"), _shell(path)) == ()


# "run, adopting" has all of "run".
@pytest.mark.parametrize(
    "form",
    [pytest.param(form, marks=pytest.mark.test_all if form == "run" else ()) for form in PROGRAMS],
)
def test_what_is_sent_to_a_host_has_no_remark(form: str) -> None:
    files = PROGRAMS[form].program.files
    text = "".join((REMOTE / f"{name}.sh").read_text(encoding="utf-8") for name in files)
    variables = "".join(
        f"{name}=''\n" for name in sorted(set(PARAMETER.findall(text)) - OF_THE_HOST)
    )
    # dash has what POSIX has, and `local`; the other shells of a host have it too.
    assert remarks(variables + FUNCTIONS + text, "dash", ONLY_ELSEWHERE) == ()


def test_every_part_of_the_remote_scripts_is_looked_at() -> None:
    assert {str(path.relative_to(REMOTE).with_suffix("")) for path in REMOTE.rglob("*.sh")} == {
        name for each in PROGRAMS.values() for name in each.program.files
    }


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_the_shell_of_every_step_has_no_remark(subject: Subject) -> None:
    for step in subject.steps():
        shell = step.get("shell", "bash")
        if "run" in step and shell in ("bash", "sh"):
            assert remarks(step["run"], shell) == ()
