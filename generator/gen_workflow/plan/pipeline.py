"""The workflows of a spec: their jobs, their triggers, and what their headers list as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import OURS
from gen_workflow.plan import (
    build,
    central,
    deploy,
    needs,
    notify,
    rollback,
    runners,
    test,
    user_jobs,
)
from gen_workflow.plan.extended import extended
from gen_workflow.plan.frame import Frame
from gen_workflow.spec.environments import AS_PUSHED
from gen_workflow.workflow.records import (
    Concurrency,
    Dispatch,
    Filter,
    Input,
    Pin,
    Schedule,
    Triggers,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.events import On, When

# The files that only some specs give, beside the workflow that builds and deploys.
OTHERS = (rollback.PATH, ".github/workflows/cleanup.yml")
# GitHub lets one run of a group go on and one wait, and a newer one takes the place of the one that
# waits, in all workflows of the repository. So the name begins with a word of ours, and only the
# first attempts for a pull request share a group. Deploys have none: a group knows which deploy
# began to wait last, not which commit is newer, and one that nobody approves would hold it. They
# wait for each other at the lock of the host. docs/spec.md says what follows for each event.
_SHARED = "github.event_name == 'pull_request' && github.run_attempt == 1 && github.ref"
_GROUP = Concurrency(
    f"gen-workflow ${{{{ {_SHARED} || github.run_id }}}}",
    "${{ github.event_name == 'pull_request' }}",
    "the older build of a pull request; any other run is alone in its group",
)


def workflows(spec: Spec, pins: Mapping[str, Pin]) -> tuple[Workflow, ...]:
    """Return the workflows for a spec, with actions at the commits of the pins.

    The first is the one that builds and deploys.
    """
    ours = Pin(*spec.actions.remote) if spec.actions.remote else pins[OURS]
    frame = Frame(pins, ours, folder=spec.actions.vendored)
    if spec.mode.central:
        return (_central(spec, frame),)
    others = [rollback.workflow(spec, frame)] if rollback.targets(spec) else []
    if spec.cleanup:
        from gen_workflow.plan import cleanup  # noqa: PLC0415 - most specs have none

        whole = cleanup.workflow(spec, spec.cleanup, frame)
        jobs = runners.placed(whole.jobs, "build", spec, frame)
        others.append(whole._replace(jobs=tuple(jobs)))
    return (_main(spec, frame), *others)


def _central(spec: Spec, frame: Frame) -> Workflow:
    tests = runners.placed(test.jobs(spec, frame), "test", spec, frame)
    whole = central.workflow(spec, frame, tuple(tests))
    jobs = runners.placed(whole.jobs, "build", spec, frame)
    return whole._replace(jobs=extended(jobs, spec.extend))


def _main(spec: Spec, frame: Frame) -> Workflow:
    tests = test.jobs(spec, frame)
    first = tuple(one.id for one in tests)
    kept = central.kept_inline(spec, frame) if spec.mode.caller else []
    builds = central.calls if spec.mode.caller and spec.built and not kept else build.jobs
    jobs = [
        *runners.placed(tests, "test", spec, frame),
        *runners.placed(builds(spec, frame, first), "build", spec, frame),
        *runners.placed(deploy.jobs(spec, frame), "deploy", spec, frame),
        *user_jobs.jobs(spec),
    ]
    parts = ["build"] * bool(spec.built) + ["deploy"] * bool(spec.targets)
    return Workflow(
        name=" and ".join(parts).capitalize(),
        on=_triggers(spec),
        concurrency=_GROUP,
        jobs=extended([*jobs, *notify.job(spec, jobs, frame)], spec.extend),
        needs=needs.of(spec),
        notes=(_STAYS.format(", ".join(kept)),) if kept else (),
    )


_STAYS = "The build stays in this workflow: no caller can give {} to a central one."


def _triggers(spec: Spec) -> Triggers:
    on, push = spec.on, _push(spec)
    return Triggers(
        push=push if any(push) else None,
        # Where nothing is built, nothing of a pull request can be checked.
        pull_request=Filter() if on.pull_request and spec.built else None,
        merge_group=Filter() if on.merge_queue and spec.built else None,
        release=_releases(spec),
        schedule=tuple(Schedule(*one) for one in on.schedule),
        workflow_dispatch=Dispatch(_asked(deploy.chosen_by_hand(spec))),
    )


def _releases(spec: Spec) -> Filter | None:
    """Return which releases start a run.

    A pre-release that becomes a release is `released` then, and `published` only as a pre-release;
    and `prereleased` leaves out what was a draft:
    docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#release
    """
    whens: list[On | When] = [spec.on, *(one.on for one in spec.targets)]
    if any(one.pre_release for one in whens):
        return Filter(types=("published",))
    return Filter(types=("released",)) if any(one.release for one in whens) else None


def _push(spec: Spec) -> Filter:
    """Return the branches and tags of the spec and of its environments."""
    branches, tags = [*spec.branches], [*spec.on.tags]
    for target in spec.targets:
        branches += target.on.branches
        tags += target.on.tags
    return Filter(_patterns(branches), tuple(map(_beginning, dict.fromkeys(tags))))


def _beginning(tag: str) -> str:
    """Return a pattern of tags that matches what its condition matches.

    A single `*` of GitHub's ends at the next `/`, and the condition of a job can only ask how the
    name of a tag begins.
    """
    return f"{tag}*" if tag.endswith("*") else tag


def _patterns(names: list[str]) -> tuple[str, ...]:
    """Return names as GitHub's filters take them, where `+` would be a repetition."""
    return tuple(name.replace("+", r"\+") for name in dict.fromkeys(names))


def _asked(environments: tuple[str, ...]) -> tuple[Input, ...]:
    """Return what a person who starts a run is asked for."""
    if not environments:
        return ()
    return (
        Input(
            id="environment",
            description="Where to deploy",
            type="choice",
            default=AS_PUSHED,
            options=(AS_PUSHED, *environments),
        ),
    )
