"""What steps of a user read of other jobs: it is there, or the spec is refused at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

IMAGE = "${{ needs.build.outputs.image }}"
SSH = "deploy: {ssh: vps, run: {}}"


def problems(repository: Repository, text: str) -> list[str]:
    repository.spec.write_text(text)
    try:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    except SpecError as error:
        return [one.removeprefix("gen-workflow.yml:") for one in error.problems]
    return []


def job(rest: str) -> str:
    return f"{{permissions: {{}}, runs-on: x, timeout-minutes: 5, steps: [a]{rest}}}"


def reads(expression: str) -> str:
    return f"{{run: a, env: {{I: '{expression}'}}}}"


def unneeded(name: str, job: str) -> str:
    return f"reads `needs.{name}`, which is empty: the job {job!r} does not wait for {name!r}"


A_JOB_OF_BOTH = "do it in a job of `jobs` that needs both"
ALONE = "no other job runs beside it, so take the value from elsewhere"


@pytest.mark.parametrize(
    ("text", "place", "what", "hint"),
    [
        pytest.param(
            f"image: .\ntest:\n  steps:\n    - {reads(IMAGE)}\n",
            "4:25 test/steps/0/env/I",
            unneeded("build", "test"),
            A_JOB_OF_BOTH,
            id="a-test-reads-what-is-built-after-it",
        ),
        pytest.param(
            f"image: .\n{SSH}\nconnect: {{steps: [{reads('${{ matrix.broker }}')}]}}\n",
            "3:37 connect/steps/0/env/I",
            "reads `matrix.broker`, and the job 'deploy' has no matrix",
            "write the value itself; only the steps of a `test` with a matrix can read it",
            id="a-matrix-that-the-job-has-not",
        ),
        pytest.param(
            f"image: .\ntest: {reads(IMAGE)}\n",
            "2:25 test/env/I",
            unneeded("build", "test"),
            A_JOB_OF_BOTH,
            id="the-environment-of-a-test",
        ),
        pytest.param(
            "images:\n  web: .\n  api:\n    context: .\n"
            f"    prepare: {reads('${{ needs.build-web.outputs.image }}')}\n",
            "5:32 images/api/prepare/env/I",
            unneeded("build-web", "build-api"),
            "write extend: {build-api: {needs: build-web}}",
            id="one-build-reads-of-another",
        ),
        pytest.param(
            "image: {context: ., prepare: {run: a, if: needs.smoke.result == 'success'}}\n"
            f"extend: {{build: {{needs: smoke}}}}\njobs: {{smoke: {job('')}}}\n",
            "1:43 image/prepare/if",
            unneeded("smoke", "check"),
            A_JOB_OF_BOTH,
            id="the-build-of-a-pull-request-does-not-wait",
        ),
        pytest.param(
            f"image: .\nconnect:\n  steps: {reads(IMAGE)}\n{SSH}\n",
            "3:28 connect/steps/env/I",
            unneeded("build", "rollback"),
            ALONE,
            id="a-rollback-builds-nothing",
        ),
        pytest.param(
            "image: .\nrollback: false\nenvironments:\n  live: {ssh: vps, run: {}, connect:\n"
            f"    {{steps: {reads('${{ needs.bild.outputs.image }}')}}}}}\n",
            "5:31 environments/live/connect/steps/env/I",
            unneeded("bild", "deploy-live"),
            "perhaps you meant `build`",
            id="a-job-that-is-not-there",
        ),
        pytest.param(
            f"image: .\nextend:\n  rollback: {{before: {reads(IMAGE)}}}\n{SSH}\n",
            "3:40 extend/rollback/before/env/I",
            unneeded("build", "rollback"),
            ALONE,
            id="what-is-added-to-a-rollback",
        ),
        pytest.param(
            "image: .\nextend:\n  deploy: {before: "
            f"{reads('${{ needs.build.outputs.imag }}')}}}\n{SSH}\n",
            "3:38 extend/deploy/before/env/I",
            "reads `needs.build.outputs.imag`, and the job 'build' has no such output",
            "perhaps you meant `image`",
            id="an-output-that-is-not-there",
        ),
        pytest.param(
            "image: .\ntest: a\nextend:\n  build: {after: "
            f"{reads('${{ needs.test.outputs.a }}')}}}\n",
            "4:36 extend/build/after/env/I",
            "reads `needs.test.outputs.a`, and the job 'test' has no such output",
            "'test' has no outputs",
            id="a-job-without-outputs",
        ),
        pytest.param(
            "image: .\ntest: a\nextend:\n  build: {after: a}\n  build/push: {after: "
            f"{reads('${{ needs.test.outputs.a }}')}}}\n",
            "5:41 extend/build/push/after/env/I",
            "reads `needs.test.outputs.a`, and the job 'test' has no such output",
            "'test' has no outputs",
            id="in-a-step-beside-its-job",
        ),
    ],
)
def test_what_would_be_empty_is_refused_at_its_place(
    text: str, place: str, what: str, hint: str, repository: Repository
) -> None:
    assert problems(repository, text) == [f"{place}: {what}\n  hint: {hint}"]


@pytest.mark.parametrize(
    "text",
    [
        f"image: .\nconnect: {{steps: {reads(IMAGE)}}}\nrollback: false\n{SSH}\n",
        f"image: .\nextend: {{deploy: {{after: {reads(IMAGE)}}}}}\n{SSH}\n",
        "image: .\ntest: a\nextend: {build: {after: {run: a, if: needs.TEST.result != 'x'}}}\n",
        "image: .\ntest: {run: a, env: {I: \"${{ 'needs.build' }}\"}}\n",
        (
            f"image: {{context: ., prepare: {reads('${{ needs.s.outputs.o }}')}}}\n"
            "on: {branches: main, pull-request: false}\nextend: {build: {needs: s}}\n"
            f"jobs: {{s: {job(', outputs: {O: x}')}}}\n"
        ),
    ],
)
def test_what_a_job_waits_for_can_be_read(text: str, repository: Repository) -> None:
    assert problems(repository, text) == []
