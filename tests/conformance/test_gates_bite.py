"""Each fault that a rendered workflow could have is seen by a gate, which shows that gates bite.

A fault is an edit of what a case renders. The gates that see it are named, all others that see it
as well are welcome.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from conformance import rules
from conformance.gates import Gates, Remarks
from conformance.subjects import rendered

if TYPE_CHECKING:
    from conformance.github_parser import GithubParser
    from conformance.subjects import Subject

pytestmark = pytest.mark.needs("npm", "actionlint", "packages")

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
SSH, CLOUD, MANY = "everything", "kubernetes-aws", "environments"
CALLER, IMAGES = "mode-caller", "several-images"


class Fault(NamedTuple):
    """What is wrong, the case, the text and what is there instead, and the gates that see it."""

    what: str
    case: str
    old: str
    new: str
    gates: str


FAULTS = (
    # What a job may do.
    Fault("all is permitted", SSH, "permissions: {}", "permissions: write-all", "zizmor rules"),
    Fault("the workflow permits nothing to all no more", SSH, "permissions: {}\n\n", "", "rules"),
    Fault("a job says nothing of what it may do", SSH,
          "    permissions:\n      packages: read # let the host pull the image\n", "", "rules"),
    Fault("a deploy may write", SSH, "packages: read # let", "contents: write # let", "rules"),
    Fault("a pull request may write", SSH, "packages: read # pull", "packages: write # pull",
          "rules"),
    Fault("a permission without a reason", SSH, " # let the host pull the image", "", "rules"),
    Fault("a permission that there is not", SSH, "packages: read # let", "packges: read # let",
          "schema actionlint github"),
    Fault("a level that there is not", SSH, "packages: read # let", "packages: raed # let",
          "schema actionlint github"),
    # What is used.
    Fault("a tag in place of a commit", SSH, CHECKOUT, "actions/checkout@v7", "zizmor pins"),
    Fault("a branch in place of a commit", SSH, CHECKOUT, "actions/checkout@main", "zizmor pins"),
    Fault("half of a commit", SSH, CHECKOUT, "actions/checkout@3d3c42e # v7.0.1", "pins"),
    Fault("no version behind the commit", SSH, " # v7.0.1", "", "pins"),
    Fault("a version that is not that of the commit", SSH, "# v7.0.1", "# v6.0.0", "pins"),
    Fault("a commit that nobody has looked at", SSH, "@3d3c42e5", "@00000000", "pins"),
    Fault("a container at a tag", CLOUD, "    environment: production # a",
          "    container: node:latest\n    environment: production # a", "zizmor"),
    # What a stranger writes becomes a command, or gets a secret.
    Fault("the name of a branch in a command", CLOUD, '"$CLUSTER"', "${{ github.head_ref }}",
          "actionlint zizmor"),
    Fault("a variable without quotes", CLOUD, '"$CLUSTER"', "$CLUSTER", "actionlint"),
    Fault("a target that runs code of strangers with secrets", SSH, "  pull_request:\n",
          "  pull_request_target:\n", "zizmor"),
    Fault("a run after that of a stranger", SSH, "  pull_request:\n",
          "  workflow_run:\n    workflows: [CI]\n    types: [completed]\n", "zizmor"),
    Fault("a secret in a job without an environment", SSH,
          "    environment: shop production # its deploys wait for each other on the host\n", "",
          "zizmor rules"),
    Fault("a secret for all jobs", SSH, "permissions: {}\n",
          "permissions: {}\n\nenv:\n  DB_URL: ${{ secrets.DB_URL }}\n", "rules"),
    Fault("all secrets at once", SSH, "DB_URL: ${{ secrets.DB_URL }}",
          "DB_URL: ${{ toJSON(secrets) }}", "zizmor"),
    Fault("all secrets for a called workflow", CALLER, "    with:\n      target: runtime\n",
          "    secrets: inherit\n    with:\n      target: runtime\n", "zizmor"),
    Fault("the token stays in the checkout", SSH,
          "        with:\n          persist-credentials: false\n", "", "zizmor"),
    Fault("a runner of one's own for pull requests", SSH, "    runs-on: ubuntu-24.04",
          "    runs-on: [self-hosted, linux]", "zizmor"),
    Fault("commands in the log", SSH, "permissions: {}\n",
          "permissions: {}\n\nenv:\n  ACTIONS_ALLOW_UNSECURE_COMMANDS: true\n", "zizmor"),
    Fault("a cache that a pull request can fill", IMAGES, "      - name: Build api\n",
          "      - uses: actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0\n"
          "        with: {path: ~/.cache, key: build}\n      - name: Build api\n", "zizmor pins"),
    Fault("a bot that anybody can be", SSH, "    if: github.event_name == 'pull_request'\n",
          "    if: github.actor == 'dependabot[bot]'\n", "zizmor"),
    # What is deployed, and when.
    Fault("a deploy from any branch", SSH, "    if: github.ref == 'refs/heads/release'\n", "",
          "rules"),
    Fault("every branch starts a run that deploys", MANY,
          "if: github.ref == 'refs/heads/main' && (github.event_name != 'workflow_dispatch' || "
          "inputs.environment == 'as a push')",
          "if: github.event_name != 'workflow_dispatch' && github.event_name != 'pull_request'",
          "rules"),
    Fault("a deploy from a pull request", SSH, "if: github.ref == 'refs/heads/release'",
          "if: github.base_ref == 'release' || github.event_name == 'pull_request'", "rules"),
    Fault("a part of a name in place of the name", SSH, "github.ref == 'refs/heads/release'",
          "contains('refs/heads/release refs/heads/main', github.ref)", "zizmor"),
    Fault("a deploy after a build that failed", SSH, "if: github.ref == 'refs/heads/release'",
          "if: always() && github.ref == 'refs/heads/release'", "rules"),
    Fault("a deploy without an environment", CLOUD,
          "    environment: production # a newer deploy supersedes one that still runs\n", "",
          "rules"),
    Fault("a moving tag is deployed", SSH, "image: ${{ needs.build.outputs.image }}",
          "image: ghcr.io/example/shop:latest", "rules"),
    Fault("the commit's tag is deployed in place of the digest", SSH,
          "image: ${{ needs.build.outputs.image }}",
          "image: ghcr.io/example/shop:sha-${{ github.sha }}", "rules"),
    Fault("a deploy is green when it failed", SSH, "      - name: Deploy over SSH\n",
          "      - name: Deploy over SSH\n        continue-on-error: true\n", "rules"),
    Fault("a deploy is skipped in silence", SSH, "      - name: Deploy over SSH\n",
          "      - name: Deploy over SSH\n        if: vars.DEPLOY == 'yes'\n", "rules"),
    Fault("a command of a deploy may fail", CLOUD, '--name "$CLUSTER"',
          '--name "$CLUSTER" || true', "rules"),
    Fault("a push cancels a deploy", SSH,
          "cancel-in-progress: ${{ github.event_name == 'pull_request' }}",
          "cancel-in-progress: true", "rules"),
    Fault("a deploy cancels a deploy", CLOUD, "    environment: production # a",
          "    concurrency: {group: deploy, cancel-in-progress: true}\n"
          "    environment: production # a", "rules"),
    Fault("no time limit", SSH, "    timeout-minutes: 28\n", "", "schema"),
    # What leads nowhere.
    Fault("a job that is not needed gives the image", SSH, "    needs: build\n", "",
          "actionlint github"),
    Fault("a job that there is not is needed", SSH, "    needs: build\n", "    needs: biuld\n",
          "actionlint github"),
    Fault("a circle of jobs", SSH, "    name: Build and push the image\n",
          "    name: Build and push the image\n    needs: deploy\n", "actionlint github"),
    Fault("an input that our action has not", MANY, "          ports:", "          prots:",
          "github"),
    Fault("an input that our action must have", MANY, "          host: ${{ vars.QA_HOST }}\n", "",
          "github"),
    Fault("an action of ours that there is not", MANY, "actions/ssh-deploy@", "actions/ssh-depoly@",
          "github"),
    Fault("an output of a step that there is not", SSH, "steps.push.outputs", "steps.psuh.outputs",
          "actionlint github"),
    Fault("an output of a job that there is not", SSH, "needs.build.outputs.image",
          "needs.build.outputs.picture", "actionlint github"),
    Fault("an input that the called workflow has not", CALLER, "      target: runtime\n",
          "      tarrget: runtime\n", "github"),
    Fault("a context that there is not", SSH, "github.ref ==", "githb.ref ==",
          "actionlint github"),
    Fault("a property that there is not", SSH, "github.ref ==", "github.reff ==",
          "actionlint github"),
    Fault("a function that there is not", SSH, "if: github.ref ==",
          "if: startWith(github.ref, 'x') && github.ref ==", "actionlint github"),
    Fault("a runner that there is not", SSH, "runs-on: ubuntu-24.04", "runs-on: ubuntu-24.40",
          "actionlint"),
    Fault("an event that there is not", SSH, "  pull_request:\n", "  pull_reqest:\n",
          "schema actionlint github"),
    Fault("a time that there is not", IMAGES, "cron: 0 4 * * 1", "cron: 0 4 * * 8",
          "actionlint github"),
    Fault("a shell that there is not", CLOUD, "        env:\n          CLUSTER:",
          "        shell: bahs\n        env:\n          CLUSTER:", "actionlint"),
    # What is no YAML, or another YAML for another reader.
    Fault("a key twice", SSH, "    needs: build\n", "    needs: build\n    needs: build\n",
          "another-reader actionlint github"),
    Fault("a job twice", SSH, "  check:\n", "  build:\n", "another-reader actionlint github"),
    Fault("a tab", SSH, "    needs: build\n", "\tneeds: build\n",
          "another-reader actionlint github"),
    Fault("steps one level too far left", SSH, "      - name: Deploy over SSH\n",
          "    - name: Deploy over SSH\n", "another-reader actionlint github"),
    Fault("an alias of nothing", SSH, "*build #", "*biuld #", "another-reader actionlint github"),
    Fault("a branch that is false in YAML 1.1", SSH, "      - release\n", "      - no\n",
          "another-reader"),
    Fault("a number in base 60 in YAML 1.1", SSH, 'port: "2222"', "port: 22:22", "another-reader"),
    Fault("a number that loses its zero", SSH, 'port: "2222"', "port: 0o22", "another-reader"),
)  # fmt: skip


@pytest.fixture(scope="module")
def seen(
    github_parser: GithubParser, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """What each fault makes the gates say: their names, by what is wrong."""
    subjects = [_faulty(fault) for fault in FAULTS]
    gates = Gates(tmp_path_factory.mktemp("faults"), github_parser, strict=False)
    remarks: Remarks = gates.remarks(subjects)
    return {
        fault.what: {gate.replace(" ", "-") for gate, found in remarks.items() if found[n]}
        for n, fault in enumerate(FAULTS)
    }


def _faulty(fault: Fault) -> Subject:
    (subject,) = (one for one in rendered() if one.name == f"tests/cases/{fault.case}")
    assert fault.old in subject.text, f"{fault.what}: {fault.old!r} is not in {fault.case}"
    return replace(subject, text=subject.text.replace(fault.old, fault.new))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_seen(fault: Fault, seen: dict[str, set[str]]) -> None:
    assert {*fault.gates.split()} <= seen[fault.what], seen[fault.what]


def test_what_is_rendered_passes_all_gates(
    github_parser: GithubParser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Else a gate would see each fault because it sees something in everything.
    cases = {f"tests/cases/{fault.case}" for fault in FAULTS}
    subjects = [one for one in rendered() if one.name in cases]
    found = Gates(tmp_path_factory.mktemp("right"), github_parser).remarks(subjects)
    assert {gate: [each for each in some if each] for gate, some in found.items()} == {
        gate: [] for gate in found
    }


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: each.name)
def test_what_is_rendered_breaks_no_rule(subject: Subject, github_parser: GithubParser) -> None:
    assert list(rules.broken(subject.document, subject.text, github_parser)) == []
