"""Golden files: a folder here is a case, with a spec and the workflow that it must give.

`UPDATE_GOLDEN=1 pytest tests/cases` writes what the generator says today; the diff is the review.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow import files
from gen_workflow.commands.project import Project
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.render import scalars
from gen_workflow.spec import document
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.load import load
from gen_workflow.sync import stamp
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from gen_workflow.commands.rendering import File

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/gen-workflow.yml"))
# Its hashes change with every version of the generator, which says nothing about a case.
MACHINE_LINE = re.compile(
    r"^# gen-workflow: version=\S+ spec=\w+ generator=\w+ content=\w+ paths=\S*"
    r"(?: files=\S+)?(?: actions=\S+)?\n",
    re.MULTILINE,
)

OF_A_PULL_REQUEST = "github.event_name == 'pull_request'"

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))


@cache
def rendered_files(case: Path) -> tuple[File, ...]:
    return Project(str(case), files.SPEC).rendered().files


def rendered(case: Path) -> str:
    return rendered_files(case)[0].text


@cache
def jobs_of(case: Path) -> dict[str, Any]:
    """Return the jobs of the first workflow, which no test changes."""
    root = document.parse(rendered(case), "ci-cd.yml")
    assert root is not None
    jobs: dict[str, Any] = document.plain(root)["jobs"]
    return jobs


@every_case
def test_a_spec_gives_the_golden_workflows(case: Path) -> None:
    found = rendered_files(case)
    for file in found:
        text, machine_lines = MACHINE_LINE.subn("", file.text)
        golden = case / Path(file.path).name
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text)
        assert machine_lines == 1
        assert text == golden.read_text(), f"{golden} differs; review with UPDATE_GOLDEN=1"
    given = {Path(file.path).name for file in found}
    left_over = {"ci-cd.yml", "rollback.yml", "cleanup.yml", "build.yml"} - given
    assert not [name for name in left_over if (case / name).exists()]


@every_case
def test_another_reader_of_yaml_finds_what_the_plan_says(case: Path) -> None:
    spec = load((case / files.SPEC).read_bytes(), files.SPEC, str(case))
    for workflow in pipeline.workflows(spec, table()):
        found = YAML(typ="safe").load((case / Path(workflow.path).name).read_text())
        assert found == as_data(workflow)


@every_case
def test_a_workflow_holds_its_stamp(case: Path) -> None:
    found = stamp.of(rendered(case).encode())
    assert found is not None
    assert not found.edited
    assert found.spec == stamp.digest((case / files.SPEC).read_bytes())


@every_case
def test_every_action_is_pinned_to_a_commit_with_its_version(case: Path) -> None:
    known = {(pin.sha, pin.version) for pin in table().values()}
    loaded = load((case / files.SPEC).read_bytes(), files.SPEC, str(case))
    for given in (loaded.actions.remote, loaded.mode.caller):
        known |= {(given.sha, given.version)} if given else set()
    uses = re.findall(r"^ +(?:- )?uses: (.*)$", rendered(case), re.MULTILINE)
    assert uses
    folder = loaded.actions.vendored
    for line in uses:
        if folder and re.fullmatch(rf"\./{re.escape(folder)}/[a-z-]+", line):
            continue  # of the repository itself
        match = re.fullmatch(r"[\w./-]+@([0-9a-f]{40}) # (v?\d+(?:\.\d+){1,2})", line)
        assert match is not None, line
        assert match.groups() in known


@every_case
def test_a_job_that_reads_a_secret_has_an_environment(case: Path) -> None:
    for job in jobs_of(case).values():
        assert "secrets." not in str(job) or job.get("environment")


@every_case
def test_every_permission_says_why_on_its_line(case: Path) -> None:
    scopes = "contents|packages|id-token"
    text = rendered(case)
    lines = re.findall(rf"^ {{6}}(?:{scopes}): \w+.*$", text, re.MULTILINE)
    assert lines or not re.search(r"^ {4}permissions:$", text, re.MULTILINE)
    assert all(re.search(r"\w # \w", line) for line in lines)


@every_case
def test_only_a_job_that_no_pull_request_runs_may_write(case: Path) -> None:
    jobs = jobs_of(case)
    for name, job in jobs.items():
        if "write" in job["permissions"].values() and "uses" not in job:
            # The ref of a pull request is no branch, and it has no inputs.
            theirs = ("github.ref == 'refs/heads/", "inputs.environment == ")
            pushed = "github.event_name != 'pull_request'"
            assert job["if"].startswith((*theirs, pushed)), name
    checks = {name: job for name, job in jobs.items() if name.partition("-")[0] == "check"}
    for name, check in checks.items():
        assert check["if"].startswith(OF_A_PULL_REQUEST)
        build = (
            jobs.get(name.replace("check", "platforms", 1))
            or jobs[name.replace("check", "build", 1)]
        )
        of_ghcr = {"packages": "read"} if "packages" in build["permissions"] else {}
        assert check["permissions"] == {"contents": "read"} | of_ghcr
        assert check["steps"] == build["steps"]
    merges = sum(name.partition("-")[0] == "platforms" for name in jobs)
    builds = re.findall(r"/build-push(?:@.*)?$", rendered(case), re.MULTILINE)
    assert len(builds) == len(checks) + merges


@every_case
def test_no_script_holds_an_expression(case: Path) -> None:
    for job in jobs_of(case).values():
        for step in job.get("steps", ()):
            assert "${{" not in step.get("run", ""), step


@every_case
def test_a_build_and_a_deploy_run_no_more_than_one_command_of_a_tool(case: Path) -> None:
    spec = (case / files.SPEC).read_text()
    for name, job in jobs_of(case).items():
        for step in job.get("steps", ()):
            if name.startswith(("build", "check", "deploy")) and "run" in step:
                run = step["run"]
                asks = r'curl [a-z0-9 -]+ /dev/null [a-z0-9 -]+ "\$[A-Z_]+" "\$URL"'
                of_the_user = run.splitlines()[0] in spec
                is_ours = re.fullmatch(asks, run.strip()) or re.match(
                    r"(?:token=\$\()?(?:aws|az) ", run
                )
                # tests/conformance/test_gitops.py runs the script that makes a commit.
                commits = step.get("name", "").startswith("Commit the image to ")
                assert of_the_user or is_ours or commits


@every_case
def test_a_job_gets_an_identity_for_a_cloud_only_to_log_in_there(case: Path) -> None:
    for name, job in jobs_of(case).items():
        names = ("Log in to ", "Join the network of ")
        steps = job.get("steps", ())
        # A login with a secret needs no identity.
        steps = [step for step in steps if "oauth-secret" not in step.get("with", {})]
        logins = [step for step in steps if step.get("name", "").startswith(names)]
        if name.partition("-")[0] == "check":  # it has the steps of the build, and leaves these out
            assert all(step["if"].startswith("github.event_name != 'pull") for step in logins)
            assert "id-token" not in job["permissions"]
        else:
            assert ("id-token" in job["permissions"]) == bool(logins), name


def test_a_value_reaches_the_app_as_the_spec_says_it() -> None:
    case = Path(__file__).parent / "capability-env"
    loaded = load((case / files.SPEC).read_bytes(), files.SPEC, str(case))
    assert isinstance(loaded.deploy, SshDeploy)
    step = jobs_of(case)["deploy"]["steps"][-1]
    got = {}
    for line in step["with"]["env"].splitlines():
        name, equals, value = line.strip().partition("=")
        got[name] = value if equals else step["env"][name]
    assert got == {one.name: one.value for one in loaded.deploy.variables}
    assert scalars.scalar("on") == '"on"'
