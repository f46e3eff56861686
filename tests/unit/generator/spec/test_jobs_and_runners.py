"""The sections `runner`, `connect`, `notify`, `extend` and `jobs`: what is read, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError
from gen_workflow.spec.load import load
from gen_workflow.spec.notify import Telegram
from gen_workflow.spec.runner import Runner, of_kind
from gen_workflow.workflow.records import Permission, Uses

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Spec
    from unit.generator.conftest import Repository

SHA = "1234567890abcdef1234567890abcdef12345678"
STEPS = "runs-on: ubuntu-24.04, timeout-minutes: 5, steps: [a]"


def read(repository: Repository, text: str) -> Spec:
    return load(f"image: .\n{text}\n".encode(), "gen-workflow.yml", str(repository.folder))


def problems(repository: Repository, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(repository, text)
    return [one.removeprefix("gen-workflow.yml:") for one in caught.value.problems]


def test_a_label_is_that_of_every_kind_of_job(repository: Repository) -> None:
    spec = read(repository, "runner: ubuntu-26.04")
    for kind in ("test", "build", "deploy"):
        assert of_kind(spec.runner, kind) == Runner(labels=("ubuntu-26.04",))


@pytest.mark.parametrize("group", ["big", "org/big", "enterprise/Big ones 2"])
def test_a_group_may_be_of_the_organization_or_of_the_enterprise(
    repository: Repository, group: str
) -> None:
    spec = read(repository, f"runner: {{group: {group}}}")
    assert of_kind(spec.runner, "build") == Runner(group=group)


def test_each_kind_of_job_can_have_its_own_runner(repository: Repository) -> None:
    spec = read(repository, "runner: {test: {group: big, labels: x}, deploy: [self-hosted, linux]}")
    assert of_kind(spec.runner, "test") == Runner(("x",), "big")
    assert of_kind(spec.runner, "build") == Runner()
    assert of_kind(spec.runner, "deploy") == Runner(("self-hosted", "linux"))


def test_a_service_is_told_by_its_usual_secret(repository: Repository) -> None:
    notify = read(repository, "notify: slack").notify
    assert notify is not None
    assert (notify.on, notify.slack) == ("failure", "${{ secrets.SLACK_WEBHOOK }}")
    notify = read(repository, "notify: telegram").notify
    assert notify is not None
    assert notify.telegram == Telegram("${{ secrets.TELEGRAM_TOKEN }}", "${{ vars.TELEGRAM_CHAT }}")


def test_the_name_of_a_secret_and_an_expression_are_the_same(repository: Repository) -> None:
    notify = read(repository, "notify: {discord: OPS, teams: '${{ secrets.OPS }}'}").notify
    assert notify is not None
    assert notify.discord == notify.teams == "${{ secrets.OPS }}"


def test_the_comment_behind_a_permission_is_its_reason(repository: Repository) -> None:
    text = """jobs:
  a:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
      packages: read # pull the image
    steps: [a]"""
    (job,) = read(repository, text).jobs
    assert job.permissions == (
        Permission("contents", "read", "as the spec says"),
        Permission("packages", "read", "pull the image"),
    )
    assert job.name == "a"


def test_a_job_can_call_a_workflow(repository: Repository) -> None:
    text = f"""jobs:
  a:
    uses: example/ci/.github/workflows/report.yml@{SHA} # v2.1.0
    needs: build
    permissions: {{}}
    with: {{where: production}}"""
    (job,) = read(repository, text).jobs
    reference = f"example/ci/.github/workflows/report.yml@{SHA}"
    assert (job.uses, job.needs) == (Uses(reference, "v2.1.0"), ("build",))
    assert job.content == {"with": {"where": "production"}}


def test_an_addition_is_of_a_job_or_of_one_of_its_steps(repository: Repository) -> None:
    text = "extend: {build/push: {after: a}, deploy: {needs: [x, y]}}"
    step, job = read(repository, text).extend
    assert (step.job, step.step) == ("build", "push")
    assert (job.job, job.step, job.needs) == ("deploy", "", ("x", "y"))


WRONG = [
    pytest.param(
        "runner: ubuntu-latest",
        "2:9 runner: 'ubuntu-latest' is another system from one day to the next\n"
        "  hint: write a version, such as ubuntu-24.04",
        id="moving-runner",
    ),
    pytest.param(
        "runner: ubuntu-22.04",
        "2:9 runner: 'ubuntu-22.04' goes away, or has no Docker\n  hint: use one of "
        "`ubuntu-24.04`, `ubuntu-26.04`, `ubuntu-24.04-arm` and `ubuntu-26.04-arm`",
        id="old-runner",
    ),
    pytest.param(
        "runner: windows-2025",
        "2:9 runner: 'windows-2025' has no Docker for Linux, which builds and deploys need\n"
        "  hint: use one of `ubuntu-24.04`, `ubuntu-26.04`, `ubuntu-24.04-arm` and "
        "`ubuntu-26.04-arm`",
        id="runner-without-linux",
    ),
    pytest.param(
        "runner: []",
        "2:9 runner: is empty\n  hint: name at least one label",
        id="no-label",
    ),
    pytest.param(
        "runner: {group: a, test: b}",
        "2:10 runner/group: cannot be beside `test`: it says the runner of all jobs, and the "
        "others those of one kind\n  hint: remove it, or remove `test`",
        id="one-runner-and-several",
    ),
    pytest.param(
        "runner: {group: team/big}",
        "2:17 runner/group: 'team/big' is not a name of a group\n"
        "  hint: write for example large-runners or organization/large-runners",
        id="group-of-nobody",
    ),
    pytest.param(
        "runner: {container: node}",
        "2:21 runner/container: 'node' has no version, so that the newest one comes whenever it "
        "is released\n  hint: write for example node:17",
        id="container-without-version",
    ),
    pytest.param(
        "connect: {}",
        "2:10 connect: says nothing\n  hint: write for example connect: {tailscale: {}}",
        id="no-connection",
    ),
    pytest.param(
        "connect: {tailscale: {secret: abc}}",
        "2:31 connect/tailscale/secret: it must come from a secret\n"
        "  hint: write ${{ secrets.TS_OAUTH_SECRET }}",
        id="secret-in-the-spec",
    ),
    pytest.param(
        "connect: {tailscale: {secret: '${{ secrets.A }}', audience: b}}",
        "2:31 connect/tailscale/secret: cannot be beside `audience`: the job shows one or the "
        "other\n  hint: remove one of them",
        id="two-identities",
    ),
    pytest.param(
        "connect: {steps: 'vpn up || true'}",
        "2:18 connect/steps: `|| true` hides a failure, so a deploy that has failed would look "
        "good\n  hint: let the command fail; or ask before it whether there is anything to do",
        id="failure-that-is-hidden",
    ),
    pytest.param(
        "notify: slak",
        "2:9 notify: 'slak' is no such service\n  hint: perhaps you meant `slack`",
        id="misspelt-service",
    ),
    pytest.param(
        "notify: {on: always}",
        "2:9 notify: tells nobody\n  hint: name one of `slack`, `discord`, `teams`, `telegram` "
        "and `webhook`, such as slack: SLACK_WEBHOOK",
        id="no-service",
    ),
    pytest.param(
        "notify: {slakc: SLACK_WEBHOOK}",
        "2:10 notify/slakc: is not a key of the spec\n  hint: perhaps you meant `slack`",
        id="misspelt-service-of-several",
    ),
    pytest.param(
        "test: {steps: [{rnu: a}]}",
        "2:17 test/steps/0/rnu: is not a key of a step\n  hint: perhaps you meant `run`",
        id="misspelt-key-of-a-step",
    ),
    pytest.param(
        "notify: {slack: 'https://hooks.slack.com/services/T/B/x'}",
        "2:17 notify/slack: it must come from a secret\n"
        "  hint: write the name of a secret, such as SLACK_WEBHOOK",
        id="address-in-the-spec",
    ),
    pytest.param(
        "extend: {}",
        "2:9 extend: should be a mapping of jobs, but is empty\n"
        "  hint: write for example {build: {before: [npm run generate]}}",
        id="no-addition",
    ),
    pytest.param(
        "extend: {build: {}}",
        "2:17 extend/build: adds nothing\n  hint: say `before`, `after` or `needs`",
        id="empty-addition",
    ),
    pytest.param(
        "extend: {build: {befor: a}}",
        "2:18 extend/build/befor: is not a key of the spec\n  hint: perhaps you meant `before`",
        id="misspelt-addition",
    ),
    pytest.param(
        "extend: {build: {before: {run: a, env: {A: '${{ secrets.A }}'}}}}",
        "2:40 extend/build/before/env: takes the secret A, but the job has no environment, and "
        "pull requests run its steps or could come to\n  hint: use it in a step of a deploy, "
        "whose job has an environment that keeps secrets",
        id="secret-in-a-build",
    ),
    pytest.param(
        "extend: {deploy: {after: 'a || true'}}",
        "2:26 extend/deploy/after: `|| true` hides a failure, so a deploy that has failed would "
        "look good\n  hint: let the command fail; or ask before it whether there is anything to do",
        id="failure-of-a-deploy-that-is-hidden",
    ),
    pytest.param(
        "extend: {build/push: {before: a, needs: x}}",
        "2:41 extend/build/push/needs: is of a whole job\n  hint: write it below build",
        id="step-that-waits",
    ),
    pytest.param(
        "jobs: {a: []}",
        "2:11 jobs/a: should be a mapping, but is a list\n  hint: write it as GitHub takes it",
        id="job-is-a-list",
    ),
    pytest.param(
        f"jobs: {{a: {{{STEPS}}}}}",
        "2:11 jobs/a: `permissions` is missing\n"
        "  hint: say what the job may do: permissions: {contents: read}, or {}",
        id="job-without-permissions",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: write-all, {STEPS}}}}}",
        "2:25 jobs/a/permissions: gives the job more than it needs, or is no mapping\n"
        "  hint: name each: {contents: read}",
        id="all-permissions",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{contents: raed}}, {STEPS}}}}}",
        "2:36 jobs/a/permissions/contents: 'raed' is not a level\n  hint: perhaps you meant `read`",
        id="level",
    ),
    pytest.param(
        "jobs: {a: {permissions: {}, runs-on: ubuntu-24.04, steps: [a]}}",
        "2:11 jobs/a: `timeout-minutes` is missing\n"
        "  hint: GitHub would let it run for six hours: timeout-minutes: 15",
        id="job-without-limit",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, needs: true, {STEPS}}}}}",
        "2:36 jobs/a/needs: should be the id of a job, but is true or false\n"
        "  hint: write for example needs: build",
        id="needs-is-no-id",
    ),
    pytest.param(
        "jobs: {a: {permissions: {}, runs-on: {}, timeout-minutes: 5, steps: [a]}}",
        "2:38 jobs/a/runs-on: names no runner\n  hint: write for example {group: large-runners}",
        id="no-runner",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, outputs: b, {STEPS}}}}}",
        "2:38 jobs/a/outputs: should be a mapping, but is text\n"
        "  hint: write it as GitHub takes it",
        id="outputs-are-a-text",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, stratgy: {{}}, {STEPS}}}}}",
        "2:29 jobs/a/stratgy: is not a key of a job\n  hint: perhaps you meant `strategy`",
        id="misspelt-key-of-a-job",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, env: {{A: '${{{{ secrets.A }}}}'}}, {STEPS}}}}}",
        "2:34 jobs/a/env: takes the secret A, but the job has no `environment`, which would keep "
        "it from other branches\n  hint: use it in a step of a deploy, whose job has an "
        "environment that keeps secrets",
        id="secret-without-environment",
    ),
    pytest.param(
        "jobs: {a: {permissions: {}, uses: example/ci/.github/workflows/a.yml@v1}}",
        "2:35 jobs/a/uses: 'example/ci/.github/workflows/a.yml@v1' is not an action at a full "
        "commit, and a tag or branch can be moved\n  hint: write owner/name@<40 hex digits> "
        "# v1.2.3; `gen-workflow update` finds both",
        id="workflow-at-a-tag",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, secrets: inherit, uses: a/b/c.yml@{SHA}}}}} # v1.0.0",
        "2:38 jobs/a/secrets: gives the workflow every secret that there is\n"
        "  hint: name each: {TOKEN: '${{ secrets.TOKEN }}'}",
        id="every-secret",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, steps: [a], uses: a/b/c.yml@{SHA}}}}} # v1.0.0",
        "2:36 jobs/a/steps: cannot be beside `uses`\n  hint: remove it",
        id="steps-beside-uses",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, with: {{a: b}}, {STEPS}}}}}",
        "2:35 jobs/a/with: cannot be beside `steps`: it belongs to a job with `uses`\n"
        "  hint: remove it",
        id="with-beside-steps",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, environment: b, concurrency: {{group: c, "
        f"cancel-in-progress: true}}, {STEPS}}}}}",
        "2:89 jobs/a/concurrency/cancel-in-progress: would end a deploy in the middle\n"
        "  hint: let it end: cancel-in-progress: false",
        id="deploy-that-is-cancelled",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_said_at_its_place(
    text: str, message: str, repository: Repository
) -> None:
    assert problems(repository, text) == [message]


# What needs the ids of all jobs, and so is found when they are there.
NAMES = [
    pytest.param(
        "extend: {biuld: {before: a}}",
        "2:17 extend/biuld: there is no job 'biuld'\n  hint: perhaps you meant `build`",
        id="misspelt-job",
    ),
    pytest.param(
        "extend: {build/psuh: {before: a}}",
        "2:22 extend/build/psuh: build has no step 'psuh'\n  hint: perhaps you meant `push`",
        id="misspelt-step",
    ),
    pytest.param(
        "extend: {build: {before: a}, build/psuh: {after: a}}",
        "2:42 extend/build/psuh: build has no step 'psuh'\n  hint: perhaps you meant `push`",
        id="misspelt-step-beside-its-job",
    ),
    pytest.param(
        "extend: {build: {before: a}, build/push: {after: [a, {id: push, run: a}]}}",
        "2:59 extend/build/push/after/1/id: two steps of the job have the id 'push'\n"
        "  hint: choose another id",
        id="id-of-one-of-ours-beside-its-job",
    ),
    pytest.param(
        "extend: {check: {before: a}}",
        "2:17 extend/check: has the steps of 'build'\n"
        "  hint: extend build; if: github.event_name == 'pull_request' is for this job",
        id="steps-of-another-job",
    ),
    pytest.param(
        "extend: {build: {before: {id: push, run: a}}}",
        "2:31 extend/build/before/id: two steps of the job have the id 'push'\n"
        "  hint: choose another id",
        id="id-of-one-of-ours",
    ),
    pytest.param(
        "extend: {deploy: {needs: smoke}}",
        "2:26 extend/deploy/needs: there is no job 'smoke'\n  hint: use one of `build` and `check`",
        id="needs-nothing",
    ),
    pytest.param(
        f"jobs: {{build: {{permissions: {{}}, {STEPS}}}}}",
        "2:15 jobs/build: 'build' is the id of another job\n  hint: give this one another id",
        id="id-twice",
    ),
    pytest.param(
        f"jobs: {{a: {{permissions: {{}}, needs: biuld, {STEPS}}}}}",
        "2:36 jobs/a/needs: there is no job 'biuld'\n  hint: perhaps you meant `build`",
        id="needs-a-misspelt-job",
    ),
    pytest.param(
        "extend: {build: {needs: a}}\n"
        f"jobs: {{a: {{permissions: {{}}, needs: deploy, {STEPS}}}}}",
        "2:25 extend/build/needs: goes in a circle: build needs a needs deploy needs build\n"
        "  hint: remove one of these from `needs`",
        id="circle",
    ),
]


@pytest.mark.parametrize(("text", "message"), NAMES)
def test_a_name_that_is_wrong_is_found_when_the_jobs_are_known(
    text: str, message: str, repository: Repository
) -> None:
    repository.spec.write_text(f"image: .\n{text}\ndeploy: {{ssh: vps, run: {{}}}}\n")
    with pytest.raises(SpecError) as caught:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    assert list(caught.value.problems) == [f"gen-workflow.yml:{message}"]


@pytest.mark.parametrize(
    "runners", ["", ", platforms: [linux/amd64, linux/arm64], runners: native"]
)
def test_the_id_of_one_of_our_steps_is_refused_before_the_build(
    runners: str, repository: Repository
) -> None:
    text = f"image: {{context: ., prepare: [a, {{id: Push, run: a}}]{runners}}}\n"
    repository.spec.write_text(text)
    with pytest.raises(SpecError) as caught:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    (only,) = caught.value.problems
    assert only == (
        "gen-workflow.yml:1:39 image/prepare/1/id: two steps of the job have the id 'Push'\n"
        "  hint: choose another id"
    )


JOB = "permissions: {}, runs-on: ubuntu-24.04, timeout-minutes: 5"


@pytest.mark.parametrize(
    ("job", "place"),
    [
        ('{%s, steps: [{run: a, env: {I: "${{ needs.build.outputs.image }}"}}]}', "steps/0/env/I"),
        ("{%s, if: needs.build.result == 'success', steps: [a]}", "if"),
        ("{%s, steps: [{run: a, if: always() && needs.build.result}]}", "steps/0/if"),
        ('{%s, needs: test, env: {I: "${{ needs.build.result }}"}, steps: [a]}', "env/I"),
    ],
)
def test_a_job_that_reads_another_one_has_to_wait_for_it(
    job: str, place: str, repository: Repository
) -> None:
    spec = f"image: .\ntest: make\njobs:\n  smoke: {job % JOB}\n"
    with pytest.raises(SpecError) as caught:
        load(spec.encode(), "gen-workflow.yml", str(repository.folder))
    (problem,) = caught.value.problems
    assert f"jobs/smoke/{place}: reads `needs.build`, which is empty" in problem
    needs = "test, build" if "needs: test" in job else "build"
    assert f"hint: write needs: [{needs}]" in problem
    waits = spec.replace("needs: test, ", "").replace("{permis", f"{{needs: [{needs}], permis")
    load(waits.encode(), "gen-workflow.yml", str(repository.folder))
