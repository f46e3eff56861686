"""`gen-workflow bootstrap`: a repository that is ready for its first deploy, from any state."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed.github.kept import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.github import FakeGitHub

    Bootstrap = Callable[..., Any]

WORKFLOW = ".github/workflows/ci-cd.yml"
SPEC = """\
image: .
deploy: {run: {ports: ["8080:8080"], env: [DB_URL]}, health: /health}
environments:
  staging: {on: main, ssh: staging}
  production: {on: [release, manual], ssh: prod}
notify: {slack: SLACK_URL}
"""
# A password with everything that a shell, YAML or a log could trip over.
PASSWORD = "p4$$w0rd '\"\\ ü\n::error::two lines"
KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END OPENSSH PRIVATE KEY-----\n"
)
VALUES = {
    "SLACK_URL": "https://hooks.slack.example/T0/B0/x",
    "staging": {
        "STAGING_HOST": "staging.example.com",
        "STAGING_USER": "app",
        "STAGING_KNOWN_HOSTS": "staging ssh-ed25519 AAAA",
        "STAGING_SSH_KEY": KEY,
        "DB_URL": "postgres://staging",
    },
    "production": {
        "PROD_HOST": "example.com",
        "PROD_USER": "app",
        "PROD_KNOWN_HOSTS": "prod ssh-ed25519 BBBB",
        "PROD_SSH_KEY": KEY,
        "DB_URL": PASSWORD,
    },
}


@pytest.fixture
def values(folder: Path) -> str:
    """Return a file with all that the large spec needs, which the folder has from now on."""
    (folder / "gen-workflow.yml").write_text(SPEC)
    file = folder.parent / "values.yml"
    file.write_text(json.dumps(VALUES))  # JSON is YAML
    return str(file)


def settings(github: FakeGitHub) -> dict[str, Any]:
    return github.repository("acme/shop").kept.settings()


@pytest.mark.usefixtures("acme")
def test_a_plan_says_what_would_be_done_and_writes_nothing(
    github: FakeGitHub, bootstrap: Bootstrap, values: str, folder: Path
) -> None:
    gates = "environments: {production: {reviewers: [octocat, acme/platform], wait: 10}}\n"
    (folder / "bootstrap.yml").write_text(f"approvals: 1\n{gates}")
    token = github.add_token("ghp_" + "org" * 12, scopes=("repo", "workflow", "read:org"))
    ran = bootstrap("--values", values, token=token)
    assert ran.code == 1
    for line in (
        "create the repository, private, with a first commit of GitHub",
        "let workflows only read by default; each job says what it writes",
        "create the environment production, approved by octocat or acme/platform, after 10 minutes",
        "limit deploys to production to the branch main and the tag *",
        f"store the secret DB_URL of production, from {values}:1",
        "add a ruleset by which the default branch cannot be deleted or moved back, and needs",
        "push Dockerfile and what it builds: without it every run fails",
        "`--yes` does what is listed under `would`; nothing was changed yet",
    ):
        assert line in ran.stdout
    assert github.writes == []
    assert not github.has("acme/shop")


@pytest.mark.usefixtures("acme")
def test_a_new_repository_gets_everything_and_a_second_run_writes_nothing(
    github: FakeGitHub, bootstrap: Bootstrap, values: str, folder: Path, tmp_path: Path
) -> None:
    (folder / "bootstrap.yml").write_text("environments: {production: {reviewers: octocat}}\n")
    ran = bootstrap("--values", values, "--yes")
    assert ran.stdout.splitlines()[0] == "left for you:"
    shop = github.repository("acme/shop")
    kept = shop.kept
    assert shop.private
    assert kept.actions["sha_pinning_required"]
    assert kept.token == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": False,
    }
    assert kept.immutable
    custom = {"protected_branches": False, "custom_branch_policies": True}
    production = [{"type": "User", "id": 1}]
    assert kept.environments == {
        "staging": Environment("staging", policy=custom, branches=[("main", "branch")]),
        "production": Environment(
            "production",
            reviewers=production,
            policy=custom,
            branches=[("main", "branch"), ("*", "tag")],
        ),
        "notifications": Environment("notifications"),
    }
    given = {
        (place, name): value
        for place in ("staging", "production")
        for name, value in VALUES[place].items()  # type: ignore[attr-defined]
    }
    given["notifications", "SLACK_URL"] = VALUES["SLACK_URL"]
    assert kept.secrets | kept.variables == given
    assert {name for _, name in kept.secrets} == {
        "DB_URL", "STAGING_SSH_KEY", "PROD_SSH_KEY", "SLACK_URL",
    }  # fmt: skip
    assert [one["rules"] for one in kept.rulesets] == [
        [{"type": "deletion"}, {"type": "non_fast_forward"}]
    ]
    keys = [one for one in github.operations if one.endswith("secrets/public-key")]
    assert len(keys) == 3  # one for each place
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", github.clone_url("acme/shop"), clone), check=True)
    assert (clone / "gen-workflow.yml").read_text() == SPEC
    assert (clone / WORKFLOW).read_text().startswith("# ")
    assert "github-actions" in (clone / ".github/dependabot.yml").read_text()
    assert shop.git.head("main") in shop.signed
    assert "[skip ci]" in shop.git.message("main")
    assert kept.runs == []
    before = len(github.writes)
    again = bootstrap("--yes")
    assert github.writes[before:] == []
    assert again.stdout.splitlines()[-1] == "acme/shop: nothing to do"
    shop.change("main", {"Dockerfile": b"FROM scratch\n"})
    done = bootstrap("--yes")
    assert (done.code, done.stdout) == (0, "acme/shop: nothing to do\n")


@pytest.mark.usefixtures("acme")
def test_no_value_is_told_and_one_that_is_there_is_replaced_by_name_alone(
    github: FakeGitHub, bootstrap: Bootstrap, values: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = bootstrap("--values", values, "--yes")
    told = bootstrap("--values", values, "--json")
    kept = github.repository("acme/shop").kept
    monkeypatch.setenv("SLACK_URL", "https://hooks.slack.example/new")
    monkeypatch.setenv("PROD_HOST", "new.example.com")
    bootstrap("--yes")
    assert kept.secrets["notifications", "SLACK_URL"] == VALUES["SLACK_URL"]
    assert kept.variables["production", "PROD_HOST"] == "example.com"
    again = bootstrap("--yes", "--replace", "SLACK_URL", "--replace", "PROD_HOST")
    assert kept.secrets["notifications", "SLACK_URL"] == "https://hooks.slack.example/new"
    assert kept.variables["production", "PROD_HOST"] == "new.example.com"
    assert "done: replace the secret SLACK_URL of notifications" in again.stderr
    said = "".join(one.stdout + one.stderr for one in (ran, told, again))
    secrets = (*kept.secrets.values(), PASSWORD.partition("\n")[0], "b3BlbnNzaC1rZXktdjE")
    assert [one for one in secrets if one in said] == []


def test_values_come_from_stdin_and_what_is_wrong_with_them_is_told_by_name(
    bootstrap: Bootstrap,
    command: Callable[..., Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_stdin(text: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        ran = bootstrap("--values", "-")
        assert ran.code == 2
        assert "hidden" not in ran.stdout + ran.stderr
        return ran

    ran = of_stdin("VPS_HOTS: hidden\nvps: {DB_URL: hidden}\nVPS_USER: [hidden]\n")
    assert "stdin:1:1 VPS_HOTS: is nothing that the spec needs here" in ran.stderr
    assert "perhaps you meant `VPS_HOST`" in ran.stderr
    assert "stdin:2:1 vps: is no environment of the spec that needs values" in ran.stderr
    assert "stdin:3:1 VPS_USER: should be a text, but is a list" in ran.stderr
    assert "stdin:1:1 is nothing that" in of_stdin("postgres://me:hidden@host/x: y\n").stderr
    assert "stdin:4:1 is not YAML" in of_stdin("VPS_SSH_KEY: |\n hid\nden: {hidden: [\n").stderr
    assert "should be a mapping, but is text" in of_stdin("VPS_HOST=hidden\n").stderr
    assert "--replace: 'DB' is nothing that the spec needs" in bootstrap("--replace", "DB").stderr
    assert "--replace: VPS_USER has no value" in bootstrap("--replace", "VPS_USER").stderr
    monkeypatch.setattr("sys.stdin", None)  # it was closed
    assert "nor its owner acme is there" in bootstrap("--values", "-").stderr
    (folder / "bootstrap.yml").write_text("environments: {prod: {wait: 10}}\napproval: 1\n")
    file = folder / "hidden.yml"
    file.write_text("VPS_HOTS: x\n")
    file.chmod(0o644)
    ran = bootstrap("--values", str(file), "--replace", "A", "--replace", "B", "--branch", "a..b")
    assert f"warning: other users of this machine may read {file}" in ran.stderr
    for name in ("", "acme", "https://github.com/acme/shop", "acme/shop.git"):
        assert f"{name!r} is not one OWNER/NAME" in command("bootstrap", name).stderr
    for line in ("--replace: 'A' is", "--replace: 'B' is", "VPS_HOTS: is", "--branch: 'a..b' is"):
        assert line in ran.stderr
    assert (
        "bootstrap.yml:1:16 environments/prod: 'prod' is no environment of the spec" in ran.stderr
    )
    assert "perhaps you meant `approvals`" in ran.stderr


@pytest.mark.usefixtures("acme")
def test_neither_values_nor_token_are_seen_in_processes_output_or_files(
    github: FakeGitHub, folder: Path, values: str, tmp_path: Path
) -> None:
    """Both verbs that hold a token for long, as processes of their own: what others can see."""
    env = {
        **{name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"},
        "GH_TOKEN": github.token,
        "GITHUB_API_URL": github.url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    spec = "{image: ., deploy: {ssh: vps, run: {ports: ['8080:8080']}}}"
    (folder / "fleet.yml").write_text(f"owner: acme\ndefaults: {spec}\nrepos: [web]\n")
    github.create_repository("acme/web", {"Dockerfile": b"FROM scratch\n"})
    made = ("bootstrap", "acme/shop", "-C", ".", "--values", values, "--yes")
    applied = ("fleet", "apply", "--report", "report.html")
    seen = ""
    for argv in (made, applied):
        command = (sys.executable, "-m", "gen_workflow", *argv)
        log = tmp_path / "log"
        with log.open("wb") as out:
            run = subprocess.Popen(
                command, cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True
            )
            while run.poll() is None:
                seen += words_of(run.pid)
        assert run.returncode in (0, 1), log.read_text()
        seen += log.read_text()
    assert "gen_workflow\0bootstrap" in seen
    assert "gen_workflow\0fleet" in seen
    journal = next((tmp_path / "state").rglob("*.jsonl"))
    written = seen + journal.read_text() + (folder / "report.html").read_text()
    secrets = [VALUES["SLACK_URL"], KEY.splitlines()[1], "postgres://staging", github.token]
    assert [one for one in (*secrets, *PASSWORD.splitlines()) if str(one) in written] == []


def words_of(session: int) -> str:
    """Return the command lines of a session's processes, with a zero byte between two words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
    return "\n".join(found)
