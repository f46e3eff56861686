"""No text of a stranger is ever run, and no secret is seen where it does not belong."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.shop import Shop
from bed.step import Run, StepResult, run_action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Secrets"
PATH = "acme/secrets"
# All that a shell, Docker, YAML, CSV or a workflow command could take for its own.
SECRET = """a"b'c`id`$(touch /tmp/pwned)${HOME};|&<>*?~#!\\%,=: {[(])} ::error::x é"""
LINES = f"{SECRET}\n::set-output name=digest::x\nlast line"
# As docker/build-push-action wants a value of several lines.
PEM = '-----BEGIN "KEY"-----\nMIIEpQIBAAKC\nQUJDREVG=\n-----END KEY-----'
QUOTED = '"quoted=' + PEM.replace('"', '""') + '"'
READS = """\
FROM scratch
COPY busybox /bin/busybox
RUN --mount=type=secret,id=LINES --mount=type=secret,id=given --mount=type=secret,id=file \
 --mount=type=secret,id=quoted \
 ["/bin/busybox", "sh", "-c", "cd /run/secrets && /bin/busybox sha256sum * >/sums"]
"""


@pytest.fixture
def runner(bed: Bed, registry: Registry) -> Iterator[Runner]:
    registry.allow(Run().token, f"{PATH}:pull,push")
    yield bed.runner
    registry.revoke(Run().token)


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = bed.work / f"secrets-{abs(hash(request.node.name))}"
    Shop.write_context(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def watched(bed: Bed, runner: Runner) -> Iterator[dict[str, str]]:
    """A PATH on which `docker` writes down how it is called, and then does what it is asked."""
    folder = bed.work / "watched"
    folder.mkdir(exist_ok=True)
    real = runner.run("sh", "-c", "command -v docker").stdout.strip()
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" >>{folder}/argv\nexec {real} "$@"\n'
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    path = runner.run("sh", "-c", 'printf %s "$PATH"').stdout
    yield {"PATH": f"{folder}:{path}"}
    shutil.rmtree(folder)


def calls(watched: dict[str, str]) -> str:
    return (Path(watched["PATH"].split(":")[0]) / "argv").read_text()


def build(
    on: Runner, workspace: Path, env: dict[str, str], run: Run | None = None, **inputs: str
) -> StepResult:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    run = run or Run(repository=REPOSITORY)
    return run_action("build-push", given, workspace=workspace, env=env, run=run, on=on)


def test_a_secret_reaches_the_build_and_nothing_else(
    runner: Runner, workspace: Path, watched: dict[str, str]
) -> None:
    (workspace / "Dockerfile").write_text(READS)
    (workspace / "token.txt").write_text("in a file")
    step = build(
        runner,
        workspace,
        {**watched, "LINES": LINES},
        secrets=f"LINES\ngiven={SECRET}\n{QUOTED}",
        secret_files="file=token.txt",
        password="p$(touch /tmp/pwned)'\"",
    )
    # The bed's registry knows the job's token only: so the login fails, and leaves no trace.
    assert "touch /tmp/pwned" not in step.shown
    step = build(
        runner,
        workspace,
        {**watched, "LINES": LINES},
        secrets=f"LINES\ngiven={SECRET}\n{QUOTED}",
        secret_files="file=token.txt",
    )
    assert step.code == 0, step.log
    image = step.outputs["image"]
    sums = runner.docker("run", "--rm", image, "/bin/busybox", "cat", "/sums").stdout
    for text in (LINES, SECRET, "in a file", PEM):
        assert hashlib.sha256(text.encode()).hexdigest() in sums
    history = runner.docker("history", "--no-trunc", image).stdout
    inspected = runner.docker("image", "inspect", image).stdout
    for where in (step.shown, step.summary, calls(watched), history, inspected):
        parts = ("last line", "in a file", "MIIEpQIBAAKC", "QUJDREVG")
        for secret in (SECRET, "touch /tmp/pwned", *parts, Run().token):
            assert secret not in where
    assert str(step.outputs).count("touch /tmp") == 0
    assert runner.run("ls", "/tmp/pwned", check=False).returncode != 0


# For a shell, for the options of a program, for the runner, and with quotes.
HOSTILE = ("$(touch${IFS}/tmp/pwned)", "--push=false", "x%0A::set-output-name=digest::x", "a'b\"c")
MORE_HOSTILE = (
    "`touch$IFS/tmp/pwned`",
    "a;touch${IFS}/tmp/pwned",
    "-h",
    "::error::x",
    "<script>|&",
    "ünï/#1",
    "x" * 240,
)


@pytest.mark.parametrize(
    "name",
    [*HOSTILE, *(pytest.param(each, marks=pytest.mark.test_all) for each in MORE_HOSTILE)],
)
def test_the_name_of_a_branch_is_only_ever_a_name(
    runner: Runner, workspace: Path, watched: dict[str, str], name: str
) -> None:
    run = Run(repository=REPOSITORY, ref=f"refs/heads/{name}")
    step = build(runner, workspace, watched, run, labels=f"branch={name}")
    assert step.code == 0, step.log
    assert step.outputs["digest"].startswith("sha256:")
    assert runner.run("ls", "/tmp/pwned", check=False).returncode != 0
    assert step.errors == []
    assert "\n--push=false\n" not in calls(watched)
    shown = runner.docker(
        "image", "inspect", "--format", '{{index .Config.Labels "branch"}}', step.outputs["image"]
    ).stdout
    assert shown.removesuffix("\n") == name


def test_a_description_of_several_lines_is_one_line(
    runner: Runner, workspace: Path, watched: dict[str, str]
) -> None:
    event = {
        "repository": {
            "name": "x",
            "full_name": REPOSITORY,
            "description": "two\nlines\n::error::injected\n| a | b |",
            "default_branch": "main",
        }
    }
    run = Run(repository=REPOSITORY, event=event)
    step = build(runner, workspace, watched, run)
    assert step.code == 0, step.log
    label = '{{index .Config.Labels "org.opencontainers.image.description"}}'
    shown = runner.docker("image", "inspect", "--format", label, step.outputs["image"]).stdout
    assert shown == "two lines ::error::injected | a | b |\n"
    assert step.errors == []
