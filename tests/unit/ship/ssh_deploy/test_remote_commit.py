"""No older commit replaces a newer one by itself, under real shells, with a stand-in for Docker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from script_host import COMMON, DASH_FIRST, IMAGE, PHASES, WANTED, ScriptHost
from ship.runner.context import Context
from ship.ssh_deploy.advice import advice
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port
from unit.ship.runner.test_commit import MAIN, NEWER, ORDERS, WORKFLOW
from unit.ship.ssh_deploy.test_remote_compose import ComposeSide, deployed

if TYPE_CHECKING:
    from pathlib import Path

    from ship.runner.commit import Commit
    from ship.ssh_deploy.program import Program

CHANGES = ("rm", "pull", "create", "stop", "start", "rename", "update")
TIME = "2026-11-30T05:10:00Z"
RUN = "https://github.com/Acme/Shop/actions/runs/77"
OLDER = f"detail bbbbbbbbbbbb of main, since {TIME}, by {RUN}"


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def run_for(commit: Commit | None) -> Context:
    path = commit.workflow.partition("Acme/Shop/")[2] if commit else ""
    return Context(
        repository="Acme/Shop",
        sha=commit.sha if commit else "",
        ref=commit.ref if commit else "",
        run_id="42",
        run_number=str(commit.number) if commit else "",
        workflow_ref=f"Acme/Shop/{path}@{commit.ref}" if commit else "",
        actor="octocat",
    )


def program(commit: Commit | None, *, rollback: str = "", may_be_older: bool = False) -> Program:
    common = COMMON._replace(may_be_older=may_be_older)
    return plan_run(common, WANTED._replace(rollback=rollback), run_for(commit))


def serve(host: ScriptHost, brought: Commit | None, serves: str = IMAGE, **changes: str) -> None:
    """Let the last deploy have brought a commit."""
    run = {"actor": "a", "run": RUN, "sha": "s", "ref": "r"}
    run |= {"commit": str(brought)} if brought else {}
    # Two parts in two forms, as the client and the host write them.
    noted = json.dumps({**run, **{key: changes.pop(key) for key in run if key in changes}})[1:-1]
    rest = {"image": IMAGE, "previous": "", "result": "deployed", "gap_ms": None, **changes}
    text = json.dumps(rest, separators=(",", ":"))[1:]
    host.make("image-of-app", serves)
    host.state.mkdir(parents=True, exist_ok=True)
    with (host.state / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(f'{{"time":"{TIME}",{noted},{text}\n')


def test_an_older_commit_is_refused_before_anything_is_touched(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    facts = script_host.run(*PHASES, program=program(MAIN))
    assert "failure older-commit" in facts, facts
    assert OLDER in facts
    assert script_host.boxes == {"app": "running"}
    assert not [each for each in script_host.calls if each.startswith(CHANGES)]
    assert len((script_host.state / "history.jsonl").read_text().splitlines()) == 1


def test_behind_the_proxy_too(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    web = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")
    proxy = ProxyForm(web, hosts=(), tls=False, image=IMAGE, drain_timeout=1)
    facts = script_host.run(*PHASES, program=plan_proxy(COMMON, proxy, run_for(MAIN)))
    assert "failure older-commit" in facts, facts


@pytest.mark.parametrize("case", ORDERS)
def test_the_host_orders_commits_as_the_runner_does(script_host: ScriptHost, case: str) -> None:
    ours, theirs, is_older = ORDERS[case]
    serve(script_host, theirs)
    facts = script_host.run(*PHASES, program=program(ours))
    assert ("failure older-commit" in facts, "committed yes" in facts) == (is_older, not is_older)


def test_the_person_may_deploy_an_older_commit_and_it_is_noted(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    facts = script_host.run(*PHASES, program=program(MAIN, may_be_older=True))
    assert "committed yes" in facts, facts
    assert "failure older-commit" not in script_host.run(*PHASES, program=program(MAIN))
    last = json.loads((script_host.state / "history.jsonl").read_text().splitlines()[1])
    assert last["commit"] == str(MAIN)


def test_a_rollback_is_not_refused_and_has_no_commit(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    made = program(MAIN, rollback="sha256:" + "c" * 64)
    assert (made.parameters["COMMIT"], '"commit"' in str(made.parameters["HISTORY"])) == ("", False)
    facts = script_host.run(*PHASES, program=made)
    assert "failure same-release" in facts, "the commits were not compared"


@pytest.mark.parametrize(
    "changes",
    [
        {"serves": "ghcr.io/acme/app:by-hand"},
        {"image": "ghcr.io/acme/app@sha256:" + "d" * 64},
        {"result": "rolled-back"},
        {"commit": "no commit"},
        {"commit": f"{WORKFLOW} refs/heads/main {'b' * 40} 8x"},
    ],
)
def test_where_it_is_not_known_which_commit_serves_nothing_is_refused(
    script_host: ScriptHost, changes: dict[str, str]
) -> None:
    serve(script_host, NEWER, **changes)
    assert "committed yes" in script_host.run(*PHASES, program=program(MAIN))


def test_the_last_deploy_decides_also_when_it_has_no_commit(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    serve(script_host, None)
    assert "committed yes" in script_host.run(*PHASES, program=program(MAIN))


def test_a_line_that_a_full_disk_has_cut_off_says_nothing(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    history = script_host.state / "history.jsonl"
    cut = history.read_text().partition(',"image"')[0]
    history.write_text(cut.replace(TIME, "2026-11-29T00:00:00Z"))
    serve(script_host, None)
    assert "committed yes" in script_host.run(*PHASES, program=program(MAIN))
    history.write_text(cut.replace(TIME, "2026-11-29T00:00:00Z"))
    serve(script_host, NEWER)
    assert OLDER in script_host.run(*PHASES, program=program(MAIN))


def test_a_run_of_which_less_is_known_deploys_as_before(script_host: ScriptHost) -> None:
    serve(script_host, NEWER)
    assert "committed yes" in script_host.run(*PHASES, program=program(None))


def test_a_service_that_is_not_there_is_deployed_whatever_was_there(
    script_host: ScriptHost,
) -> None:
    serve(script_host, NEWER)
    (script_host.folder / "box" / "app").unlink()
    assert "committed yes" in script_host.run(*PHASES, program=program(MAIN))


@pytest.mark.parametrize("shell", DASH_FIRST)
def test_an_older_commit_does_not_replace_a_project(tmp_path: Path, shell: str) -> None:
    side = ComposeSide(tmp_path, shell)
    side.put("compose.yml", "1")
    side.run_of = run_for(NEWER)
    assert deployed(side.deploy())
    side.put("compose.yml", "2")
    side.run_of = run_for(MAIN)
    facts = side.deploy()
    assert "failure older-commit" in facts, facts
    assert side.text("compose.yml") == "1"
    side.common = COMMON._replace(may_be_older=True)
    assert deployed(side.deploy())
    assert side.text("compose.yml") == "2"


@pytest.mark.parametrize("shell", DASH_FIRST)
def test_a_project_without_containers_is_deployed_whatever_was_there(
    tmp_path: Path, shell: str
) -> None:
    side = ComposeSide(tmp_path, shell)
    side.put("compose.yml", "1")
    side.run_of = run_for(NEWER)
    assert deployed(side.deploy())
    (side.folder / "web").unlink()
    side.run_of = run_for(MAIN)
    facts = side.deploy()
    assert deployed(facts), facts


def test_the_message_names_what_serves_and_all_ways_on() -> None:
    cause, hint, _ = advice("older-commit", OLDER.removeprefix("detail "))
    assert f"{cause}; {hint}" == (
        f"a newer commit serves (bbbbbbbbbbbb of main, since {TIME}, by {RUN}), and this run is "
        "for an older one; leave it as it is when the newer one is right; to go back, start a new "
        "run with `rollback: previous`; to deploy this commit anyway, set `older-commit: deploy`"
    )
