"""Commands over SSH: what can be asked for, and what the commands find on the host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.action_file import ROOT, read_action
from bed.waiting import PATIENCE_SECONDS
from script_host import ACME, COMMON, ScriptHost, listen, say
from ship.runner.command import Secret
from ship.runner.errors import UserError
from ship.ssh_deploy import program as remote_script
from ship.ssh_deploy.apply import Host
from ship.ssh_deploy.common import DEFAULTS
from ship.ssh_deploy.facts import Facts
from ship.ssh_deploy.inputs import Inputs, read_inputs
from ship.ssh_deploy.program import call
from ship.ssh_deploy.script.inputs import ScriptForm
from ship.ssh_deploy.script.plan import plan_script

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
IMAGE = "ghcr.io/acme/app@sha256:" + "c" * 64
SHELLS = ("dash", "bash", "busybox")
# What a shell has by itself, as far as it is another one when it reads its script from a pipe.
OF_THE_SHELL = {"_", "BASH_LINENO", "FUNCNAME", "PIPESTATUS"}


def inputs(**changes: str) -> Inputs:
    given = {
        "host": "h1", "user": "deploy", "ssh-key": KEY, "known-hosts": "h1 ssh-ed25519 AAAA",
        "script": "id", **{name.replace("_", "-"): value for name, value in changes.items()},
    }  # fmt: skip
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return read_inputs(env, ACME)


@pytest.fixture(params=SHELLS)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def run_script(script_host: ScriptHost, script: str, **env: str) -> list[str]:
    """Run a script; returns what came back after its phase had begun."""
    secrets = {name: Secret(value) for name, value in env.items()}
    program = plan_script(COMMON, ScriptForm(Secret(script), secrets), ACME)
    facts = script_host.run("lock", "script", "leave", program=program)
    return facts[facts.index("script yes") + 1 :]


OURS = ("SCRIPT", "MARK", "UMASK", "STATE", "NAME", "finished", "app_environment")


@pytest.mark.parametrize("name", OURS)
def test_a_variable_of_the_app_may_have_a_name_of_ours(script_host: ScriptHost, name: str) -> None:
    said = run_script(script_host, f'echo "has ${name}"', **{name: "echo not the script"})
    assert said[:2] == ["has echo not the script", "exit-code 0"]
    assert said[-2:] == ["finished 0", "ship-gone word 0"]


def test_a_script_finds_no_variable_and_no_argument_of_ours(script_host: ScriptHost) -> None:
    names = "set | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'"
    said = run_script(script_host, f'echo "${{NAME:-none}} $#"\n{names}')
    assert said[0] == "none 0"
    sh = str(script_host.folder / "bin" / "sh")
    plain = subprocess.run((sh, "-c", names), capture_output=True, text=True, check=True).stdout
    found = set(said[1 : said.index("exit-code 0")])
    assert found - set(plain.split()) - OF_THE_SHELL == set()


def test_no_function_of_ours_stands_in_for_a_program_of_the_host(script_host: ScriptHost) -> None:
    files = plan_script(COMMON, ScriptForm(Secret(""), {}), ACME).files
    texts = [(Path(remote_script.FOLDER) / f"{name}.sh").read_text() for name in files]
    names = re.findall(r"^(\w+)\(\)", "\n".join(texts), re.MULTILINE)
    assert {"clean_up", "take_lock", "phase_script"} < set(names)
    names += ["app_environment", "secret_files"]
    for name in names:
        program = script_host.folder / "bin" / name
        program.write_text("#!/bin/sh\necho the program of the host\n")
        program.chmod(0o755)
    said = run_script(script_host, "\n".join(names))
    assert said[: len(names)] == ["the program of the host"] * len(names)


def test_output_without_an_end_hides_no_exit_code(script_host: ScriptHost) -> None:
    said = run_script(script_host, "printf 1.2.3; exit 3")
    facts = Facts()
    facts.mark = "m"
    assert said[0] == "1.2.3m exit-code 3"
    assert facts.take(said[0]) == "1.2.3"
    assert facts.get("exit-code") == "3"


def test_a_script_stops_at_the_first_command_that_fails(script_host: ScriptHost) -> None:
    said = run_script(script_host, 'echo "[$FOO]"\nfalse | true\n(exit 3)\necho not reached')
    assert said[:2] == ["[]", "exit-code 3"]
    assert "failure script" in said


def test_the_errors_of_a_script_are_a_stream_of_their_own(script_host: ScriptHost) -> None:
    script = "echo out; echo err >&2; { true >&3; } 2>/dev/null || echo no third stream"
    process = script_host.start(plan_script(COMMON, ScriptForm(Secret(script), {}), ACME))
    say(process, call("lock", "script", "leave"))
    said = listen(process, "ship-gone")
    assert said[said.index("script yes") + 1 :][:3] == ["out", "no third stream", "exit-code 0"]
    assert process.communicate(timeout=PATIENCE_SECONDS)[1] == b"err\n"


def test_only_what_the_commands_print_is_their_output() -> None:
    host = Host(COMMON.targets[0], plan_script(COMMON, ScriptForm(Secret("id"), {}), ACME))
    shown: list[str] = []
    connector = Lines()
    host.open(connector, shown.append)  # type: ignore[arg-type]
    for line in (
        "waiting: app is locked", "m begin script", "m script yes", "uid=0", "no end m exit-code 0",
        "the session ended",
    ):  # fmt: skip
        connector.on_line(line)
    assert list(host.output) == ["uid=0", "no end "]
    assert shown == [
        "waiting: app is locked", "script: run the commands, up to the first that fails", "uid=0",
        "no end ", "the session ended",
    ]  # fmt: skip


class Lines:
    """What a host opens its session with: it only gives out lines."""

    def open(
        self,
        _: object,
        preamble: Callable[[str], Secret],
        *,
        on_line: Callable[[str], None],
        **_more: object,
    ) -> None:
        preamble("m")
        self.on_line = on_line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image", IMAGE), ("rollback", "previous"), ("compose", "compose.yml"), ("dir", "/srv"),
        ("images", f"web={IMAGE}"), ("files", "nginx"), ("ports", "80:80"), ("before", "migrate"),
        ("after", "warm"), ("health", "/up"), ("health-host", "a"), ("health-status", "200"),
        ("health-command", "true"), ("volumes", "data:/data"),
        ("secret-files", "CERT=x"), ("networks", "web"), ("labels", "a=b"), ("memory", "1g"),
        ("cpus", "1"), ("options", "--init"), ("command", "serve"), ("restart", "always"),
        ("health-timeout", "90"), ("stop-timeout", "60"), ("keep", "5"), ("candidate", "never"),
        ("registry-password", "hunter2"), ("proxy-image", IMAGE), ("drain-timeout", "5"),
    ],
)  # fmt: skip
def test_an_input_that_would_do_nothing_is_refused(name: str, value: str) -> None:
    with pytest.raises(UserError) as raised:
        inputs(**{name: value})
    assert f"input `{name}`" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_all_inputs_that_would_do_nothing_are_reported_at_once() -> None:
    with pytest.raises(UserError) as raised:
        inputs(before="migrate", health="/up", keep="5")
    assert [problem.where for problem in raised.value.problems] == [
        "input `health`", "input `before`", "input `keep`",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"script": "", "image": IMAGE},
        {"script": "", "image": IMAGE, "compose": "c.yml", "rollback": "previous"},
    ],
    ids=["script", "image", "compose"],
)
def test_what_action_yml_gives_by_itself_is_no_problem(changes: dict[str, str]) -> None:
    declared = read_action(ROOT / "actions" / "ssh-deploy").inputs
    given = {name: str(each["default"]) for name, each in declared.items() if each.get("default")}
    assert {name: given[name] for name in DEFAULTS} == DEFAULTS
    inputs(**{**given, "registry-username": "octocat", **changes})
