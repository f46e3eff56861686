"""Measures build-push, the `docker buildx build --push` that it wraps, and a rival.

It runs on the runner of a test bed, against its ghcr.io.

The rival consists of docker/login-action, setup-buildx-action, metadata-action and
build-push-action. It takes part when the variable QUARTET names a folder with these four, under
these names, each with its action.yml and dist. `node` is taken from the PATH. metadata-action asks
GitHub's API. Here this API answers on the loopback of the runner, so it costs almost no time.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from paired import ROOT, read_rounds

ROUNDS = 11
# Before the imports of what only .venv has, so that --help prints help with any Python.
ASKED_ROUNDS = read_rounds(__doc__, ROUNDS) if __name__ == "__main__" else ROUNDS

sys.path[:0] = [str(ROOT / "tests")]

from bed import Bed, Runner, Unavailable  # noqa: E402 - found in the folder of the tests
from bed.action_file import read_action  # noqa: E402
from bed.shop import Shop  # noqa: E402
from bed.step import Run, parse_outputs, start_action  # noqa: E402

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping

WARM_UPS = 2
REPOSITORY = "acme/bench"
IMAGE = f"ghcr.io/{REPOSITORY}"
TAGS = ("one", "two", "latest")
RUN = Run(repository=REPOSITORY)
# A tag that never moves, as the default tags and most rules have one. Where all tags can move,
# build-push starts buildx once more.
FIXED = f"sha-{RUN.sha[:7]}"
RULES = (*(f"type=raw,{tag}" for tag in TAGS), "type=sha")
API_PORT = 18099
# Answers every request as if it asked for the repository.
API = """\
import http.server, json
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"name": "bench", "description": "", "license": None,
                           "html_url": "https://github.com/acme/bench"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", %d), Api).serve_forever()
"""
# Records the start and the end of a program, on the machine that runs it.
CLOCK = 'began=$EPOCHREALTIME; "${@:2}"; code=$?; echo "$began $EPOCHREALTIME" >>"$1"; exit $code'
# Records a start of `docker`, and then becomes `docker`.
COUNTING = '#!/bin/sh\necho "$*" >>{log}\nexec /opt/docker/bin/docker "$@"\n'
DOCKER = "/usr/local/bin/docker"


class Mode(NamedTuple):
    """A kind of build: further arguments and inputs, and the time that we may add."""

    name: str
    plain: tuple[str, ...]
    inputs: Mapping[str, str]
    setup: Mapping[str, str]
    budget_ms: float


class TimedRunner(Runner):
    """The runner of a bed, which also measures every program that is started on it."""

    @property
    def clock(self) -> Path:
        return self.bed_folder / "work" / "clock"

    def popen(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        return super().popen("bash", "-c", CLOCK, "-", str(self.clock), *argv, **options)

    def seconds(self) -> float:
        """Return how long all programs took that were started since the last call."""
        spans = [line.split() for line in self.clock.read_text(encoding="utf-8").splitlines()]
        self.clock.unlink()
        return sum(float(end) - float(begin) for begin, end in spans)


class Contest:
    """The contestants. Each builds its own context, which is new in every round."""

    def __init__(self, bed: Bed, mode: Mode, quartet: Path | None) -> None:
        self._bed = bed
        self._mode = mode
        self._quartet = quartet
        self._on = TimedRunner(bed.engine, "runner")
        self._workspace = bed.work / "workspace"

    def contestants(self) -> dict[str, Callable[[], None]]:
        found: dict[str, Callable[[], None]] = {"plain": self._plain, "ours": self._ours}
        if self._quartet:
            found["quartet"] = self._rival
        return found

    def measure(self, contestant: Callable[[], None]) -> float:
        """Return the seconds of one contestant. No contestant has built this source before."""
        Shop.write_context(self._workspace)
        (self._workspace / "serve").write_text(f"# {uuid.uuid4()}\n", encoding="utf-8")
        contestant()
        return self._on.seconds()

    def count(self, contestant: Callable[[], None]) -> int:
        """Return how often a contestant starts `docker`."""
        log = self._bed.work / "started"
        self._on.run("rm", DOCKER)
        self._on.write(DOCKER, COUNTING.format(log=log), mode="755")
        try:
            self.measure(contestant)
            return len(log.read_text(encoding="utf-8").splitlines())
        finally:
            log.unlink(missing_ok=True)
            self._on.run("ln", "-sf", "/opt/docker/bin/docker", DOCKER)

    def _plain(self) -> None:
        tags = [f"--tag={IMAGE}:{tag}" for tag in (*TAGS, FIXED)]
        build = ("docker", "buildx", "build", "--progress=plain", "--provenance=false", "--push")
        env = {"HOME": "/root"}
        self._start((*build, *self._mode.plain, *tags, str(self._workspace)), env)

    def _ours(self) -> None:
        inputs = {"tags": "\n".join(RULES), **self._mode.inputs}
        step = start_action(
            "build-push", inputs, workspace=self._workspace, run=RUN, on=self._on
        ).result()
        if step.code:
            raise SystemExit(f"build-push failed:\n{step.log}")

    def _rival(self) -> None:
        assert self._quartet
        home = self._bed.work / "home"
        home.mkdir()
        steps = _Steps(self._on, self._quartet, home, self._workspace)
        steps.main("login-action", registry="ghcr.io", username=RUN.actor, password=RUN.token)
        builder = steps.main("setup-buildx-action", **self._mode.setup)["name"]
        metadata = steps.main(
            "metadata-action",
            images=IMAGE,
            tags="\n".join(RULES),
            flavor="latest=false",
        )
        steps.main(
            "build-push-action",
            context=".", push="true", provenance="false", builder=builder,
            tags=metadata["tags"], labels=metadata["labels"],
        )  # fmt: skip
        for name in ("build-push-action", "setup-buildx-action", "login-action"):
            steps.post(name)
        shutil.rmtree(home)

    def _start(self, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
        process = self._on.popen(*argv, env=env)
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{' '.join(argv)} failed:\n{said}")


class _Steps:
    """Runs JavaScript actions as the real runner does, with their post steps."""

    def __init__(self, on: Runner, actions: Path, home: Path, workspace: Path) -> None:
        self._on = on
        self._actions = actions
        self._home = home
        self._workspace = workspace
        self._states: dict[str, dict[str, str]] = {}

    def main(self, name: str, **inputs: str) -> dict[str, str]:
        """Run the main program of an action, and return its outputs."""
        contexts = {"github": {"token": RUN.token}}
        full = read_action(self._actions / name).with_defaults(inputs, contexts)
        given = {f"INPUT_{each.upper()}": value for each, value in full.items()}
        self._states[name] = given
        self._run(name, "main", given)
        state = parse_outputs((self._home / "GITHUB_STATE").read_text(encoding="utf-8"))
        self._states[name] |= {f"STATE_{each}": value for each, value in state.items()}
        return parse_outputs((self._home / "GITHUB_OUTPUT").read_text(encoding="utf-8"))

    def post(self, name: str) -> None:
        self._run(name, "post", self._states[name])

    def _run(self, name: str, stage: str, env: Mapping[str, str]) -> None:
        program = self._actions / name / read_action(self._actions / name).document["runs"][stage]
        node = self._actions / "node"
        process = self._on.popen(str(node), str(program), env={**self._env(), **env},
                                 cwd=self._workspace)  # fmt: skip
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{name} failed in its {stage}:\n{said}")

    def _env(self) -> dict[str, str]:
        files = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_ENV", "GITHUB_PATH",
                 "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")  # fmt: skip
        for file in files:
            text = "{}" if file == "GITHUB_EVENT_PATH" else ""
            (self._home / file).write_text(text, encoding="utf-8")
        return {
            **{file: str(self._home / file) for file in files},
            "HOME": str(self._home),
            "RUNNER_TEMP": str(self._home),
            "RUNNER_TOOL_CACHE": str(self._home),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": RUN.actor,
            "GITHUB_API_URL": f"http://127.0.0.1:{API_PORT}",
            "GITHUB_EVENT_NAME": RUN.event_name,
            "GITHUB_REF": RUN.ref,
            "GITHUB_REPOSITORY": RUN.repository,
            "GITHUB_RUN_ID": RUN.run_id,
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": RUN.sha,
            "GITHUB_WORKFLOW": "bench",
            "GITHUB_JOB": "bench",
            "GITHUB_WORKSPACE": str(self._workspace),
            # It needs GitHub itself.
            "DOCKER_BUILD_RECORD_UPLOAD": "false",
        }


def main() -> int:
    """Print the comparisons. Return 1 when one is over its budget."""
    rounds = ASKED_ROUNDS
    with Bed(0) as bed:
        bed.registry.allow(RUN.token, f"{REPOSITORY}:pull,push")
        login = ("docker", "login", "ghcr.io", "-u", RUN.actor, "--password-stdin")
        bed.runner.run(*login, input=RUN.token)
        quartet = _quartet(bed)
        return max(_compare(Contest(bed, mode, quartet), mode, rounds) for mode in _modes(bed))


def _modes(bed: Bed) -> list[Mode]:
    modes = [Mode("docker's own builder", (), {}, {"driver": "docker"}, 120)]
    try:
        endpoint = bed.builder.endpoint
    except Unavailable as reason:
        print(f"skipped: a new builder: {reason}")
        return modes
    # It stays for the whole bench. build-push creates its own each time, and so does the rival.
    create = ("docker", "buildx", "create", "--name", "bench", "--driver", "remote", endpoint)
    bed.runner.run(*create)
    setup = {"driver": "remote", "endpoint": endpoint}
    own = Mode("a new builder", ("--builder=bench",), {"builder": endpoint}, setup, 400)
    return [*modes, own]


def _quartet(bed: Bed) -> Path | None:
    """Return the folder of the rival on the runner, or print why it does not take part."""
    given, node = os.environ.get("QUARTET"), shutil.which("node")
    if not given or not node:
        print(f"skipped: the quartet: {'no node on the PATH' if given else 'QUARTET is not set'}")
        return None
    folder = bed.work / "quartet"
    shutil.copytree(given, folder)
    shutil.copy(Path(node).resolve(), folder / "node")
    bed.runner.popen("python3", "-c", API % API_PORT)
    return folder


def _compare(contest: Contest, mode: Mode, rounds: int) -> int:
    """Print the medians of ratios within a round. Return 1 when a budget is exceeded."""
    contestants = contest.contestants()
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    began = os.getloadavg()[0]
    for turn in range(rounds + WARM_UPS):
        # Every second round has the reverse order, so that no contestant always comes last.
        order = list(contestants)[:: 1 if turn % 2 else -1]
        for name in order:
            milliseconds = contest.measure(contestants[name]) * 1000
            if turn >= WARM_UPS:
                taken[name].append(milliseconds)
    load = f"load {began:.1f} to {os.getloadavg()[0]:.1f}"
    print(f"{mode.name}: {rounds} rounds of one changed layer and {len(RULES)} tags, {load}")
    cost: dict[str, float] = {}
    for name, times in taken.items():
        more = [mine - plain for mine, plain in zip(times, taken["plain"], strict=True)]
        cost[name] = statistics.median(more)
        print(
            f"  {name:8} {statistics.median(times):7.0f} ms   beyond plain {cost[name]:6.0f} ms "
            f"({min(more):.0f} to {max(more):.0f})   "
            f"starts docker {contest.count(contestants[name])} times"
        )
    print(f"  ours costs {cost['ours']:.0f} ms, budget {mode.budget_ms:.0f} ms")
    return int(cost["ours"] > mode.budget_ms)


if __name__ == "__main__":
    sys.exit(main())
