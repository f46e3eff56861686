"""Runs one of our actions as the real runner does: through its shell step, in a clean environment.

act sets INPUT_* for the run steps of a composite action. GitHub's runner does not set these, and
does not give such steps ACTIONS_RUNTIME_TOKEN. So the environment here starts empty and gets only
four things: the variables of a hosted machine, those that the runner adds, the `env:` of the
caller, and the `env:` block of the step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bed.action_file import ROOT, ActionFile, evaluate, read_action
from bed.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bed.machines import Runner

# The runner starts `shell: bash` in this way, and waits so long between SIGINT and SIGTERM.
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
SECONDS_TO_TERM = 7.5
# On a machine of the bed: the process prints its number, and then becomes the step.
NOTE_PID = 'echo $$ >"$0"; exec "$@"'
# As a runner does at the end of a job: no program of a step may survive it or write any more.
KILL_ORPHANS = """\
grep -lsF -- "RUNNER_TEMP=$1" /proc/[0-9]*/environ | cut -d / -f 3 | xargs -r kill -9
"""
# What BuildKit says at the beginning of each build.
BUILDS = "[internal]"
COMMAND_FILES = (
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
)


class StepTimeoutError(AssertionError):
    """A step ran longer than its test allows."""


@dataclass(frozen=True)
class Run:
    """The workflow run of an action: the part of the `github` context that we read."""

    repository: str = "acme/shop"
    actor: str = "octocat"
    token: str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
    event_name: str = "push"
    ref: str = "refs/heads/main"
    sha: str = "0123456789abcdef0123456789abcdef01234567"
    run_id: str = "4711"
    # The number of the run among those of its workflow.
    run_number: str = "1"
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepResult:
    """The visible results of a finished step."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str
    environment_file: str = ""

    @property
    def shown(self) -> str:
        """The log as a person sees it. The runner hides values that `::add-mask::` named."""
        masks = re.findall(r"^::add-mask::(.+)$", self.log, re.MULTILINE)
        lines = [line for line in self.log.splitlines() if not line.startswith("::add-mask::")]
        text = "\n".join(lines)
        for mask in sorted(map(_decoded, masks), key=len, reverse=True):
            text = text.replace(mask, "***")
        return text

    @property
    def errors(self) -> list[str]:
        """The error annotations, without their titles. A text may have several lines."""
        return [
            _decoded(each) for each in re.findall(r"^::error[^:]*::(.*)$", self.log, re.MULTILINE)
        ]


def run_action(
    name: str,
    inputs: Mapping[str, str],
    *,
    workspace: Path,
    env: Mapping[str, str] | None = None,
    machine: Mapping[str, str] | None = None,
    run: Run | None = None,
    python: str | None = None,
    on: Runner | None = None,
    timeout: float = HANG_SECONDS,
) -> StepResult:
    """Run the action in `actions/<name>` (the root one for an empty name) until it ends.

    `env` is the `env:` of the step that uses the action. `machine` are variables that differ on the
    machine, such as HOME, DOCKER_HOST or PATH. `python` is the interpreter that `python3` finds;
    without it, the one that runs the tests.
    With `on` the action runs on that machine of a bed, and the workspace is in the work folder of
    the bed. Raises StepTimeoutError after `timeout` seconds, with the log so far.
    """
    step = start_action(
        name, inputs, workspace=workspace, env=env, machine=machine, run=run, python=python, on=on
    )
    return step.result(timeout)


def start_action(
    name: str,
    inputs: Mapping[str, str],
    *,
    workspace: Path,
    env: Mapping[str, str] | None = None,
    machine: Mapping[str, str] | None = None,
    run: Run | None = None,
    python: str | None = None,
    on: Runner | None = None,
) -> RunningStep:
    """Start an action, and return while it runs. For tests that cancel it."""
    action = read_action(ROOT / "actions" / name if name else ROOT)
    if unknown := set(inputs) - set(action.inputs):
        raise ValueError(f"{action.path} has no input {', '.join(sorted(unknown))}")
    folder = Path(tempfile.mkdtemp(prefix="runner-", dir=on.bed_folder / "work" if on else None))
    run = run or Run()
    base = _machine(folder, python) | dict(machine or {}) | _runner(folder, workspace, action, run)
    block = _env_block(action, inputs, run)
    if on:
        del base["PATH"]  # it has its own programs, in other folders
    return RunningStep(action, folder, workspace, base | dict(env or {}) | block, on)


class RunningStep:
    """A started step. `result()` waits for it, and removes what the runner would remove."""

    process: subprocess.Popen[bytes] | subprocess.Popen[str]

    def __init__(
        self,
        action: ActionFile,
        folder: Path,
        workspace: Path,
        env: Mapping[str, str],
        on: Runner | None = None,
    ) -> None:
        self._action = action
        self._folder = folder
        script = folder / "temp" / "step.sh"
        script.write_text(str(action.steps[0]["run"]) + "\n", encoding="utf-8")
        self._log = folder / "log"
        self._on = on
        argv = (*BASH, str(script))
        with self._log.open("wb") as log:
            if on:
                self.process = on.popen(
                    "sh", "-c", NOTE_PID, str(self._pid), *argv,
                    env=env, cwd=workspace, stdout=log, start_new_session=True,
                )  # fmt: skip
            else:
                self.process = subprocess.Popen(
                    argv,
                    cwd=workspace,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    @property
    def temp(self) -> Path:
        """The RUNNER_TEMP of the step. Its programs are found by this value."""
        return self._folder / "temp"

    def cancel(self, seconds_to_term: float = SECONDS_TO_TERM) -> None:
        """Cancel as the runner does: SIGINT, and SIGTERM when the step still runs after 7.5 s."""
        self.signal(signal.SIGINT)
        try:
            self.process.wait(seconds_to_term)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process of the step only."""
        if self._on:
            # The process on this machine is only a client, and it does not forward signals.
            self._on.run("kill", f"-{number.value}", self._pid.read_text().strip())
        else:
            self.process.send_signal(number)

    @property
    def _pid(self) -> Path:
        return self._folder / "pid"

    def result(self, timeout: float = HANG_SECONDS) -> StepResult:
        """Wait for the end. A step that takes too long is killed, with everything it started."""
        try:
            return self._result(self.process.wait(timeout))
        except subprocess.TimeoutExpired as error:
            raise StepTimeoutError(f"{error}; its log so far:\n{self.log()}") from error
        finally:
            self._end()

    def log(self) -> str:
        """Return what the step has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _result(self, code: int) -> StepResult:
        read = {name: (self._folder / name).read_text(encoding="utf-8") for name in COMMAND_FILES}
        step_id = self._action.steps[0].get("id", "")
        steps = {step_id: {"outputs": parse_outputs(read["GITHUB_OUTPUT"])}}
        return StepResult(
            code=code,
            log=self.log(),
            outputs={
                name: evaluate(each["value"], {"steps": steps})
                for name, each in self._action.outputs.items()
            },
            summary=read["GITHUB_STEP_SUMMARY"],
            environment_file=read["GITHUB_ENV"] + read["GITHUB_PATH"],
        )

    def _end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._on:
            self._on.run("sh", "-c", KILL_ORPHANS, "-", str(self.temp), check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


def parse_outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file by the runner's rules: NAME=value, or NAME<<END … END.

    Raises ValueError when the runner would fail the step.
    """
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        match = re.match(r"(?P<name>[^=]*?)(?P<mark>=|<<)(?P<rest>.*)", line)
        if not line:
            continue
        if not match or not match["name"]:
            raise ValueError(f"invalid format {line!r}")
        value = match["rest"] if match["mark"] == "=" else _heredoc(lines, match["rest"])
        found[match["name"]] = value
    return found


def _heredoc(lines: Iterator[str], end: str) -> str:
    held: list[str] = []
    for line in lines:
        if line == end:
            return "\n".join(held)
        held.append(line)
    raise ValueError(f"matching delimiter not found {end!r}")


def machine_path() -> str:
    """Return the PATH of the machine of a user, without the Python environment of this project.

    It is also without the shims of a version manager, when `python3` is found without them. Such a
    shim is a script that looks for the program: that takes ten times as long as Python to start.
    """
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    usual = [each for each in path if "/.venv/" not in f"{each}/"]
    direct = [each for each in usual if Path(each).name != "shims"]
    found = shutil.which("python3", path=os.pathsep.join(direct))
    return os.pathsep.join(direct if found else usual)


def _machine(folder: Path, python: str | None) -> dict[str, str]:
    """Return the variables of a hosted machine, before the runner adds its own."""
    home = folder / "home"
    home.mkdir()
    # By its real path, our own interpreter has no environment of this project either.
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(python or Path(sys.executable).resolve())
    path = f"{folder / 'bin'}{os.pathsep}{machine_path()}"
    return {"PATH": path, "HOME": str(home), "USER": "runner", "LANG": "C.UTF-8", "CI": "true"}


def _runner(folder: Path, workspace: Path, action: ActionFile, run: Run) -> dict[str, str]:
    """Return the variables that the runner adds for a step, and create their files."""
    temp = folder / "temp"
    temp.mkdir()
    event = folder / "event.json"
    event.write_text(json.dumps(run.event), encoding="utf-8")
    files = {name: folder / name for name in COMMAND_FILES}
    for path in files.values():
        path.touch()
    kind, _, short = run.ref.removeprefix("refs/").partition("/")
    return {
        **{name: str(path) for name, path in files.items()},
        "GITHUB_ACTION": "__gen-workflow_gen-workflow",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(action.folder),
        "GITHUB_ACTOR": run.actor,
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_EVENT_NAME": run.event_name,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
        "GITHUB_JOB": "deploy",
        "GITHUB_REF": run.ref,
        "GITHUB_REF_NAME": short,
        "GITHUB_REF_TYPE": "tag" if kind == "tags" else "branch",
        "GITHUB_REPOSITORY": run.repository,
        "GITHUB_REPOSITORY_OWNER": run.repository.partition("/")[0],
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": run.run_id,
        "GITHUB_RUN_NUMBER": run.run_number,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": run.sha,
        "GITHUB_WORKFLOW": "Build and deploy",
        "GITHUB_WORKFLOW_REF": f"{run.repository}/.github/workflows/ci-cd.yml@{run.ref}",
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_ARCH": "X64",
        "RUNNER_ENVIRONMENT": "github-hosted",
        "RUNNER_NAME": "GitHub Actions 1",
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(temp),
        "RUNNER_TOOL_CACHE": str(folder / "tools"),
    }


def _env_block(action: ActionFile, given: Mapping[str, str], run: Run) -> dict[str, str]:
    github = {
        "actor": run.actor,
        "token": run.token,
        "repository": run.repository,
        "sha": run.sha,
        "ref": run.ref,
        "event_name": run.event_name,
        "action_path": str(action.folder),
    }
    contexts: dict[str, Any] = {"github": github}
    contexts["inputs"] = action.with_defaults(given, contexts)
    return {
        name: evaluate(str(value), contexts)
        for name, value in (action.steps[0].get("env") or {}).items()
    }


def _decoded(text: str) -> str:
    return text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
