"""The jobs that test, before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.plan import of_user
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.workflow.records import Job, RawStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.plan.inputs import Given
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.events import On, When
    from gen_workflow.spec.test import Test


def jobs(spec: Spec, frame: Frame) -> list[Job]:
    """Return the jobs, which run for every event: what fails here is neither built nor deployed."""
    return [_job(one, spec, frame) for one in spec.test]


def job_of(test: Test) -> str:
    """Return the id of the job of a test."""
    return f"test-{test.name}" if test.name else "test"


def _job(test: Test, spec: Spec, frame: Frame) -> Job:
    return Job(
        id=job_of(test),
        name=f"Test {test.name}" if test.name else "Test",
        origin="test",
        runs_on=frame.runner,
        timeout_minutes=int(test.timeout),
        permissions=(CONTENTS,),
        more=tuple(_more(test).items()),
        steps=(frame.checkout(), *_steps(test, frame, caches=not releases(spec))),
    )


def releases(spec: Spec) -> bool:
    """Tell whether a run can be that of a release, by a tag, a release, or the name of its branch.

    What is released should not depend on a cache that another run has written. zizmor looks for
    the same (docs.zizmor.sh/audits/#cache-poisoning), and the tests of a run share its triggers.
    """
    whens = [one.on for one in spec.targets]
    branches = {*spec.branches, *(branch for on in whens for branch in on.branches)}
    named = any("release" in branch.lower() for branch in branches)
    asked: list[On | When] = [spec.on, *whens]
    return named or any(on.tags or on.release or on.pre_release for on in asked)


def values_from_github(spec: Spec) -> Iterator[Given]:
    """Yield each variable that the jobs take from GitHub."""
    for one in spec.test:
        where = f"test {one.name}".rstrip()
        yield from of_user.values_in([value for _, value in one.env], f"for `{where}`")
        yield from of_user.values_of(one.steps, where)


def _more(test: Test) -> dict[str, Any]:
    """Return the keys of the job that only some tests have."""
    from gen_workflow.plan import services  # noqa: PLC0415 - for specs with tests

    versions = {name: [*many] for name, many in test.languages.items() if len(many) > 1}
    matrix = {**versions, **dict(test.matrix)}
    folder = {"run": {"working-directory": test.folder}}
    return {
        **({"strategy": {"matrix": matrix}} if matrix else {}),
        **({"services": services.of(test.services)} if test.services else {}),
        **({"env": dict(test.env)} if test.env else {}),
        **({"defaults": folder} if test.folder != "." else {}),
    }


def _steps(test: Test, frame: Frame, *, caches: bool) -> tuple[Step | RawStep, ...]:
    """Return what sets the languages up, and what tests."""
    from gen_workflow.plan.presets import Project, preset  # noqa: PLC0415 - for specs with tests

    found: list[Step | RawStep] = []
    commands: list[Step] = []
    for language, versions in test.languages.items():
        version = versions[0] if len(versions) == 1 else f"${{{{ matrix.{language} }}}}"
        project = Project(version, frozenset(test.found), test.folder, caches=caches)
        one = preset(language, project, frame)
        found += one.setup
        commands += one.commands
    if test.steps:
        return (*found, *test.steps)
    return (*found, *([Step("Test", run=test.run)] if test.run else commands))
