"""Every input of ssh-deploy is reached from the spec, by the key that the table here names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.action_file import read_action
from conformance.subjects import ROOT
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.load import load
from gen_workflow.spec.sections import sections
from gen_workflow.workflow.records import Job, Step

if TYPE_CHECKING:
    from pathlib import Path

ACTION = read_action(ROOT / "actions" / "ssh-deploy")
VPS = "ssh: vps"
BY_HAND = "host: h1, user: u, key: '${{ secrets.K }}'"
KNOWN = f"{BY_HAND}, known-hosts: '${{{{ vars.K }}}}'"
RUN = f"{VPS}, run: {{ports: ['80:80']}}"
PROXY = f"{RUN}, health: /"
COMPOSE = f"{VPS}, compose: compose.yml"
PINNED = f"a/b@sha256:{'0' * 64}"

# By input: the key that reaches it, a deploy that says it, and what the step then gives. The last
# is without the line break at its end.
REACHED = {
    "host": ("deploy/ssh/host", f"ssh: {{{KNOWN}}}, run: {{}}", "h1"),
    "user": ("deploy/ssh/user", f"ssh: {{{KNOWN}}}, run: {{}}", "u"),
    "port": ("deploy/ssh/port", f"ssh: {{{KNOWN}, port: 2222}}, run: {{}}", "2222"),
    "ssh-key": ("deploy/ssh/key", f"ssh: {{{KNOWN}}}, run: {{}}", "${{ secrets.K }}"),
    "ssh-key-passphrase": (
        "deploy/ssh/passphrase",
        f"ssh: {{{KNOWN}, passphrase: '${{{{ secrets.P }}}}'}}, run: {{}}",
        "${{ secrets.P }}",
    ),
    "known-hosts": ("deploy/ssh/known-hosts", f"ssh: {{{KNOWN}}}, run: {{}}", "${{ vars.K }}"),
    "host-fingerprints": (
        "deploy/ssh/fingerprints",
        f"ssh: {{{BY_HAND}, fingerprints: ['${{{{ vars.A }}}}', '${{{{ vars.B }}}}']}}, run: {{}}",
        "${{ vars.A }}\n${{ vars.B }}",
    ),
    "host-ca": (
        "deploy/ssh/host-ca",
        f"ssh: {{{BY_HAND}, host-ca: '${{{{ vars.CA }}}}'}}, run: {{}}",
        "${{ vars.CA }}",
    ),
    "insecure-host-key": (
        "deploy/ssh/insecure-host-key",
        f"ssh: {{{BY_HAND}, insecure-host-key: true}}, run: {{}}",
        "true",
    ),
    "jump": ("deploy/ssh/jump", f"ssh: {{{KNOWN}, jump: [a, 'u@b:22']}}, run: {{}}", "a\nu@b:22"),
    "ssh-proxy-command": (
        "deploy/ssh/proxy-command",
        f"ssh: {{{KNOWN}, proxy-command: nc %h %p}}, run: {{}}",
        "nc %h %p",
    ),
    "image": ("image", RUN, "${{ needs.build.outputs.image }}"),
    "name": ("name", RUN, "shop"),
    "environment": ("environment", RUN, "production"),
    "adopt": ("deploy/adopt", f"{RUN}, adopt: true", "true"),
    "replaces": ("deploy/replaces", f"{RUN}, replaces: [8080, a/b]", "8080 a/b"),
    "older-commit": ("deploy/older-commit", f"{RUN}, older-commit: deploy", "deploy"),
    "compose": ("deploy/compose", COMPOSE, "compose.yml"),
    "dir": ("deploy/dir", f"{COMPOSE}, dir: /opt/app", "/opt/app"),
    "images": (
        "deploy/services",
        f"{COMPOSE}, services: [web]",
        "web=${{ needs.build.outputs.image }}",
    ),
    "files": ("deploy/files", f"{COMPOSE}, files: [nginx/, app.env]", "nginx\napp.env"),
    "host-files": ("deploy/host-files", f"{COMPOSE}, host-files: {{.env: merge}}", ".env=merge"),
    "ports": ("deploy/run/ports", RUN, "80:80"),
    "env": ("deploy/env", f"{RUN}, env: [A, {{B: x}}]", "A\nB=x"),
    "env-file": ("deploy/env-file", f"{RUN}, env-file: app.env", "app.env"),
    "secret-files": ("deploy/run/secret-files", f"{VPS}, run: {{secret-files: [A]}}", "A"),
    "volumes": ("deploy/run/volumes", f"{VPS}, run: {{volumes: ['da:/a']}}", "da:/a"),
    "networks": ("deploy/run/networks", f"{VPS}, run: {{networks: [a, b]}}", "a\nb"),
    "labels": ("deploy/run/labels", f"{VPS}, run: {{labels: {{a: b c}}}}", "a=b c"),
    "memory": ("deploy/run/memory", f"{VPS}, run: {{memory: 512m}}", "512m"),
    "cpus": ("deploy/run/cpus", f"{VPS}, run: {{cpus: 1.5}}", "1.5"),
    "options": ("deploy/run/options", f"{VPS}, run: {{options: [--init]}}", "--init"),
    "command": ("deploy/run/command", f"{VPS}, run: {{command: [a, b c]}}", "a 'b c'"),
    "restart": ("deploy/run/restart", f"{VPS}, run: {{restart: always}}", "always"),
    "strategy": ("deploy/strategy", f"{PROXY}, strategy: proxy", "proxy"),
    "candidate": ("deploy/run/candidate", f"{VPS}, run: {{candidate: never}}", "never"),
    "proxy-hosts": (
        "deploy/strategy/proxy/hosts",
        f"{PROXY}, strategy: {{proxy: [a.example, b.example]}}",
        "a.example\nb.example",
    ),
    "proxy-tls": (
        "deploy/strategy/proxy/tls",
        f"{PROXY}, strategy: {{proxy: {{hosts: a.example, tls: true}}}}",
        "true",
    ),
    "proxy-image": (
        "deploy/strategy/proxy/image",
        f"{PROXY}, strategy: {{proxy: {{image: '{PINNED}'}}}}",
        PINNED,
    ),
    "drain-timeout": (
        "deploy/strategy/proxy/drain",
        f"{PROXY}, strategy: {{proxy: {{drain: 60}}}}",
        "60",
    ),
    "health": ("deploy/health/path", f"{RUN}, health: /up", "/up"),
    "health-host": (
        "deploy/health/host",
        f"{RUN}, health: {{path: /, host: a.example}}",
        "a.example",
    ),
    "health-status": ("deploy/health/status", f"{RUN}, health: {{path: /, status: 200}}", "200"),
    "health-command": ("deploy/health/command", f"{RUN}, health: {{command: a -b}}", "a -b"),
    "health-timeout": ("deploy/health/timeout", f"{RUN}, health: {{timeout: 90}}", "90"),
    "stop-timeout": ("deploy/run/stop-timeout", f"{VPS}, run: {{stop-timeout: 30}}", "30"),
    "before": ("deploy/before", f"{COMPOSE}, before: {{web: [a, b c]}}", "web: a\nweb: b c"),
    "after": ("deploy/after", f"{RUN}, after: [a, b c]", "a\nb c"),
    "script": ("deploy/script", f"{VPS}, script: a && b", "a && b"),
    "keep": ("deploy/keep", f"{RUN}, keep: 5", "5"),
    "max-parallel": ("deploy/max-parallel", f"{RUN}, max-parallel: 25%", "25%"),
    "lock-timeout": ("deploy/lock-timeout", f"{RUN}, lock-timeout: 900", "900"),
    "lock-expiry": ("deploy/lock-expiry", f"{RUN}, lock-expiry: 7200", "7200"),
    "rollback": ("rollback", RUN, "${{ inputs.release }}"),
}
# Why a spec has no key for an input.
NOT_NEEDED = {
    "registry-username": "who started the run, for ghcr.io, the only registry of a spec",
    "registry-password": "the token of the job, for ghcr.io, the only registry of a spec",
    "dry-run": "a workflow deploys; a dry run is for the person who writes a step",
}


def test_the_tables_have_each_input_once() -> None:
    assert {*REACHED} | {*NOT_NEEDED} == {*ACTION.inputs}
    assert not {*REACHED} & {*NOT_NEEDED}


@pytest.mark.parametrize("key", sorted({key for key, _, _ in REACHED.values()}))
def test_a_key_of_the_table_is_one_of_the_spec(key: str) -> None:
    section, _, name = key.rpartition("/")
    assert name in dict(sections(SPEC))[section].keys


@pytest.mark.parametrize("name", REACHED)
def test_an_input_gets_what_the_spec_says(name: str, tmp_path: Path) -> None:
    (tmp_path / "nginx").mkdir()
    for path, text in {
        "Dockerfile": "FROM scratch\n",
        "app.env": "A=b\n",
        "nginx/a.conf": "",
        "compose.yml": "services: {web: {image: acme/shop}}\n",
    }.items():
        (tmp_path / path).write_text(text)
    _, deploy, expected = REACHED[name]
    spec = load(f"image: .\nname: shop\ndeploy: {{{deploy}}}\n".encode(), "spec", str(tmp_path))
    steps = [
        step
        for workflow in pipeline.workflows(spec, table())
        for job in workflow.jobs
        if isinstance(job, Job)
        for step in job.steps
        if isinstance(step, Step) and step.uses and "/ssh-deploy@" in step.uses.reference
    ]
    found = [
        str(dict(step.inputs)[name]).rstrip("\n") for step in steps if name in dict(step.inputs)
    ]
    assert found
    assert {*found} == {expected}
