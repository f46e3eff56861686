"""The verb `update` on the files of a repository, with the table that is shipped."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gen_workflow import cli
from gen_workflow.pins.table import CHECKOUT, OURS, table

if TYPE_CHECKING:
    from pathlib import Path

PIN = table()[CHECKOUT]
MAJOR = PIN.version.partition(".")[0]
OLD = f"{CHECKOUT}@{MAJOR}"
NEW = f"{CHECKOUT}@{PIN.sha} # {PIN.version}"
CI = ".github/workflows/ci.yml"
LOCK = ".github/workflows/actions.lock"


def workflow(*uses: str) -> str:
    steps = "".join(f"      - uses: {each}\n" for each in uses)
    return f"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"


def action(*uses: str) -> str:
    steps = "".join(f"    - uses: {each}\n" for each in uses)
    return f"name: A\nruns:\n  using: composite\n  steps:\n{steps}"


@dataclass(frozen=True)
class Repository:
    """A folder, and what `gen-workflow` says about it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def read(self, path: str) -> str:
        return (self.folder / path).read_bytes().decode()

    def run(self, verb: str, *argv: str) -> tuple[int, str, str]:
        code = cli.main([verb, "-C", str(self.folder), *argv])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def update(self, *argv: str) -> tuple[int, str, str]:
        return self.run("update", *argv)

    def git(self, *argv: str, stdin: str = "") -> str:
        command = ("git", "-C", str(self.folder), *argv)
        ran = subprocess.run(command, check=True, capture_output=True, text=True, input=stdin)
        return ran.stdout


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repository:
    return Repository(tmp_path, capsys)


def test_workflows_of_both_endings_move_once(repository: Repository) -> None:
    paths = [".github/workflows/a.yml", ".github/workflows/b.yaml"]
    for path in paths:
        repository.write(path, workflow(OLD))
    code, out, err = repository.update()
    moves = "".join(f"{path}:6 {CHECKOUT} {MAJOR} → {PIN.version}\n" for path in paths)
    assert (code, out, err) == (0, f"{moves}moved 2 of 2 uses in 2 files\n", "")
    assert [repository.read(path) for path in paths] == [workflow(NEW)] * 2
    assert repository.update() == (0, "nothing to move: 2 uses\n", "")


def test_a_repository_without_workflows_has_nothing_to_move(repository: Repository) -> None:
    assert repository.update() == (0, "no workflow here uses an action\n", "")


def test_actions_that_git_knows_move_and_those_that_it_ignores_do_not(
    repository: Repository,
) -> None:
    repository.git("init", "-q")
    repository.write(".gitignore", "/build\n")
    for path in ("action.yml", "tools/deep/action.yaml", "build/action.yml"):
        repository.write(path, action(OLD))
    repository.git("add", "tools")
    assert repository.update()[1].endswith("moved 2 of 2 uses in 2 files\n")
    assert repository.read("tools/deep/action.yaml") == action(NEW)
    assert repository.read("build/action.yml") == action(OLD)


def test_an_action_that_git_ignores_is_left_also_when_there_is_no_other(
    repository: Repository,
) -> None:
    repository.git("init", "-q")
    repository.write(".gitignore", "action.yml\n")
    repository.write("action.yml", action(OLD))
    assert repository.update()[1] == "no workflow here uses an action\n"


def test_without_git_actions_are_where_github_wants_them(repository: Repository) -> None:
    for path in ("action.yml", ".github/actions/a/b/action.yml", "elsewhere/action.yml"):
        repository.write(path, action(OLD))
    assert repository.update()[1].endswith("moved 2 of 2 uses in 2 files\n")
    assert repository.read("elsewhere/action.yml") == action(OLD)


def test_a_workflow_behind_a_link_is_left(repository: Repository) -> None:
    repository.write("real.yml", workflow(OLD))
    repository.write(CI, workflow(NEW))
    (repository.folder / CI).with_name("link.yml").symlink_to(repository.folder / "real.yml")
    assert repository.update()[1] == "nothing to move: 1 use\n"
    assert repository.read("real.yml") == workflow(OLD)


@pytest.mark.parametrize("option", ["--check", "--dry-run", "--diff"])
def test_nothing_is_written(repository: Repository, option: str) -> None:
    repository.write(CI, workflow(OLD))
    code, out, err = repository.update(option)
    assert code == (1 if option == "--check" else 0)
    assert "would move 1 of 1 use in 1 file" in out + err
    assert repository.read(CI) == workflow(OLD)


def test_a_check_of_what_is_in_step_succeeds(repository: Repository) -> None:
    repository.write(CI, workflow(NEW))
    assert repository.update("--check")[0] == 0


def test_git_can_apply_the_diff(repository: Repository) -> None:
    repository.git("init", "-q")
    repository.write(CI, workflow(OLD).replace("\n", "\r\n") + "# \x85\u2028 end")
    repository.write("action.yml", action(OLD).rstrip("\n"))
    diff = repository.update("--diff")[1]
    repository.git("apply", "-", stdin=diff)
    assert repository.read(CI) == workflow(NEW).replace("\n", "\r\n") + "# \x85\u2028 end"
    assert repository.read("action.yml") == action(NEW).rstrip("\n")


def test_the_result_is_json_for_programs(repository: Repository) -> None:
    repository.write(CI, workflow(OLD, "nobody/knows@v1"))
    repository.write(".github/workflows/odd.yml", "uses: [\n")
    result = json.loads(repository.update("--json")[1])
    common = {"file": CI, "line": 6, "action": CHECKOUT, "was": MAJOR, "from": MAJOR}
    move = {**common, "to": PIN.sha, "version": PIN.version, "note": ""}
    assert result["moves"] == [move]
    assert [(one["line"], one["why"]) for one in result["left"]] == [(7, "unknown")]
    assert (result["uses"], result["written"], len(result["unread"])) == (2, True, 1)


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("actions/checkout", [CI, "action.yml"]),
        ("Actions", [CI, "action.yml"]),
        (CI, [CI]),
        (".github", [CI]),
        (".github/workflows/", [CI]),
        ("action.yml", ["action.yml"]),
        ("azure/login", []),
    ],
)
def test_names_choose_files_folders_and_actions(
    repository: Repository, name: str, moved: list[str]
) -> None:
    login = table()["azure/login"]
    repository.write(CI, workflow(OLD, f"azure/login@{login.sha} # {login.version}"))
    repository.write("action.yml", action(OLD))
    assert repository.update(name)[0] == 0
    assert [path for path in (CI, "action.yml") if NEW in repository.read(path)] == moved


def test_a_path_is_also_found_from_where_the_command_runs(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(CI, workflow(OLD))
    monkeypatch.chdir(repository.folder.parent)
    assert repository.update(f"{repository.folder.name}/{CI}")[1].endswith("in 1 file\n")


def test_a_name_that_is_not_used_is_refused_before_anything_moves(repository: Repository) -> None:
    repository.write(CI, workflow(OLD))
    code, _, err = repository.update(CHECKOUT, "actions/chekout", "docs", "", "/")
    assert code == 2
    assert "no workflow and no action here is or uses actions/chekout, docs, '', /" in err
    assert repository.read(CI) == workflow(OLD)


@pytest.mark.parametrize("days", ["-1", "seven", "1.5", "9" * 20, "٣"])
def test_an_age_is_a_number_of_days(repository: Repository, days: str) -> None:
    code, _, err = repository.update(f"--min-age={days}")
    assert code == 2
    assert f"--min-age: {days!r} is not a number of days" in err


def test_a_folder_that_is_not_there_is_refused(repository: Repository) -> None:
    assert cli.main(["update", "-C", str(repository.folder / "none")]) == 2


def test_a_file_that_cannot_be_read_is_named_and_the_others_move(repository: Repository) -> None:
    repository.write(CI, workflow(OLD))
    repository.write(".github/workflows/odd.yml", "jobs: {uses\n  a: ]\n")
    repository.write(".github/workflows/tabs.yml", "\tuses: a/b@v1\n")
    (repository.folder / ".github/workflows/latin.yml").write_bytes(b"# caf\xe9 uses\n")
    (repository.folder / ".github/workflows/nul.yml").write_bytes(b"# \0 uses\n")
    code, out, err = repository.update()
    assert (code, out.splitlines()[-1]) == (0, "moved 1 of 1 use in 1 file")
    assert "latin.yml: is not in UTF-8; it is left as it is" in err
    assert "odd.yml:2: is not YAML" in err
    assert "nul.yml:1: is not YAML" in err


def test_when_a_file_cannot_be_written_none_is_changed(repository: Repository) -> None:
    # The name has no room left for the draft that a whole file is written to first.
    long = f".github/workflows/{'z' * 250}.yml"
    repository.write(CI, workflow(OLD))
    repository.write(long, workflow(OLD))
    code, out, _ = repository.update()
    assert (code, out) == (2, "")
    assert repository.read(CI) == workflow(OLD)


def test_our_actions_in_a_generated_workflow_are_left_to_generate(repository: Repository) -> None:
    repository.write("Dockerfile", "FROM scratch\n")
    repository.write("gen-workflow.yml", "image: .\n")
    assert repository.run("generate")[0] == 0
    path = ".github/workflows/ci-cd.yml"
    ours, old = table()[OURS], "0" * 40
    text = repository.read(path).replace(ours.sha, old).replace(ours.version, "v0.0.1")
    text = text.replace(f"@{PIN.sha} # {PIN.version}", f"@{MAJOR}")
    repository.write(path, text)
    _, out, _ = repository.update()
    assert "`gen-workflow generate` writes it; install a newer gen-workflow" in out
    after = repository.read(path)
    assert after == text.replace(OLD, NEW)
    assert f"@{old} # v0.0.1" in after


def test_update_undoes_what_a_bot_has_done_to_a_comment_alone(repository: Repository) -> None:
    repository.write(CI, workflow(f"{CHECKOUT}@{PIN.sha} # {MAJOR}"))
    _, out, _ = repository.update()
    assert f"{CHECKOUT} {MAJOR} → {PIN.version} (the commit stays)" in out
    assert repository.read(CI) == workflow(NEW)


def lock(*names: str) -> str:
    listed = "".join(f"        - '{name}'\n" for name in names)
    return f"version: 'v0.0.2'\nworkflows:\n    '{CI}':\n{listed}dependencies: {{}}\n"


def test_a_lock_that_does_not_cover_what_moved_is_reported_with_the_command(
    repository: Repository,
) -> None:
    repository.write(CI, workflow(OLD))
    repository.write(LOCK, lock(OLD))
    code, out, err = repository.update()
    assert (code, out.splitlines()[-1]) == (1, "moved 1 of 1 use in 1 file")
    assert f"{LOCK}: does not hold {CHECKOUT}@{PIN.sha} of {CI}" in err
    assert "run `gh actions-lock`" in err
    assert repository.read(LOCK) == lock(OLD)


@pytest.mark.parametrize(
    "content",
    [
        lock(OLD, f"{CHECKOUT}@{PIN.sha}".upper()),
        "version: 'v0.0.2'\nworkflows: {}\ndependencies: {}\n",
        "workflows: [a]\n",
        "[",
        "",
    ],
    ids=["covers it", "knows no workflow", "other form", "no yaml", "empty"],
)
def test_a_lock_is_no_obstacle_when(repository: Repository, content: str) -> None:
    repository.write(CI, workflow(OLD))
    repository.write(LOCK, content)
    assert repository.update()[0] == 0


def test_what_an_action_uses_is_looked_for_among_all_that_is_locked(repository: Repository) -> None:
    repository.write("action.yml", action(OLD))
    repository.write(LOCK, lock(OLD))
    assert f"does not hold {CHECKOUT}@{PIN.sha} of action.yml" in repository.update()[2]


@pytest.mark.parametrize("verb", ["generate", "check"])
def test_generate_and_check_hold_the_lock_to_the_workflow(
    repository: Repository, verb: str
) -> None:
    repository.write("Dockerfile", "FROM scratch\n")
    repository.write("gen-workflow.yml", "image: .\n")
    assert repository.run("generate")[0] == 0
    repository.write(LOCK, lock(OLD).replace("ci.yml", "ci-cd.yml"))
    code, _, err = repository.run(verb)
    assert code == 1
    assert f"{CHECKOUT}@{PIN.sha}" in err


def test_dependabot_is_configured_when_it_is_asked_for(repository: Repository) -> None:
    repository.write("Dockerfile", "FROM scratch\n")
    repository.write("gen-workflow.yml", "image: .\n")
    repository.write(".github/actions/setup/action.yml", action(OLD))
    repository.write(".github/actions/plain/action.yml", action())
    assert repository.run("generate")[0] == 0
    assert not (repository.folder / ".github/dependabot.yml").exists()
    code, out, _ = repository.run("generate", "--dependabot")
    assert (code, out.splitlines()[-1]) == (
        0,
        f"wrote {repository.folder}/.github/dependabot.yml",
    )
    text = repository.read(".github/dependabot.yml")
    assert "      - /.github/actions/setup\n" in text
    assert "plain" not in text
    assert f'- dependency-name: "{OURS}*"' in text
    assert "nothing to add to" in repository.run("generate", "--dependabot")[1]
    assert repository.read(".github/dependabot.yml") == text


def test_a_configuration_that_cannot_be_extended_leaves_all_as_it_was(
    repository: Repository,
) -> None:
    repository.write("Dockerfile", "FROM scratch\n")
    repository.write("gen-workflow.yml", "image: .\n")
    repository.write(".github/dependabot.yml", "version: 2\nupdates: []\n")
    code, _, err = repository.run("generate", "--dependabot")
    assert code == 2
    assert "write the rule by hand" in err
    assert not (repository.folder / ".github/workflows").exists()
