"""A copy of our actions in a repository: what is copied, and what becomes of it afterwards."""

from __future__ import annotations

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.step import run_action
from gen_workflow import cli
from gen_workflow.pins.table import OURS, table
from gen_workflow.vendored import lock, ours
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[["Shop"], object]

ROOT = Path(__file__).parents[4]
FOLDER = ".github/actions/gen-workflow"
BUILD = "image: .\nactions: vendored\n"
DEPLOY = f"{BUILD}deploy: {{ssh: vps, run: {{}}}}\nrollback: false\n"
MAIN = "lib/ship/runner/main.py"


class Ran(NamedTuple):
    """What a verb returned and printed."""

    code: int
    out: str
    err: str


class Shop:
    """A repository whose spec asks for a copy of our actions."""

    def __init__(self, top: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.top = top
        self.copy = top / FOLDER
        self._capture = capture
        (top / "Dockerfile").write_text("FROM scratch\n")
        self.says(BUILD)

    def says(self, spec: str) -> None:
        (self.top / "gen-workflow.yml").write_text(spec)

    def run(self, *argv: str) -> Ran:
        code = cli.main([*argv, "-C", str(self.top)])
        said = self._capture.readouterr()
        return Ran(code, said.out, said.err.replace(f" -C {self.top}", ""))

    def files(self) -> dict[str, bytes]:
        """Return the content of every file of the copy."""
        found = (path for path in self.copy.rglob("*") if path.is_file())
        return {path.relative_to(self.copy).as_posix(): path.read_bytes() for path in found}

    def edit(self, path: str = MAIN) -> None:
        """Change a file as a person does."""
        file = self.copy / path
        file.write_text(f"{file.read_text()}# mine\n")

    def age(self, path: str = MAIN) -> None:
        """Let a file be as an older version of gen-workflow copied it."""
        content = b"# of an older version\n"
        new = hashlib.sha256((self.copy / path).read_bytes()).hexdigest()
        (self.copy / path).write_bytes(content)
        text = self.lock.read_text().replace(new, hashlib.sha256(content).hexdigest())
        self.lock.write_text(text.replace(f" # v{__version__}\n", " # v0.0.9\n"))

    @property
    def lock(self) -> Path:
        return self.copy / lock.NAME


@pytest.fixture(name="shop")
def _shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    shop = Shop(tmp_path, capsys)
    assert shop.run("generate").code == 0
    return shop


def test_generate_copies_what_the_workflow_uses_and_nothing_else(shop: Shop) -> None:
    held = set(shop.files())
    assert {"build-push/action.yml", "lib/__main__.py", MAIN, "LICENSE"} < held
    assert not any(
        name.startswith(("ssh-deploy", "lib/ship/ssh", "lib/ship/kube")) for name in held
    )
    shop.says(DEPLOY)
    assert shop.run("generate").code == 0
    assert {"ssh-deploy/action.yml", "lib/ship/ssh_deploy/step.py"} < set(shop.files())


def test_each_file_of_the_copy_is_ours_byte_for_byte(shop: Shop) -> None:
    made = {lock.NAME, ".gitattributes"}
    for path, content in shop.files().items():
        source = ROOT / path if path == "LICENSE" else ROOT / "actions" / path
        assert path in made or content == source.read_bytes(), path


def test_no_file_of_ours_is_executable_so_that_a_commit_by_github_keeps_each_mode(
    shop: Shop,
) -> None:
    modes = {path.stat().st_mode & 0o777 for path in shop.copy.rglob("*") if path.is_file()}
    argv = ("git", "ls-files", "--stage", "actions")
    listed = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert modes == {0o644}
    assert {line.split()[0] for line in listed.splitlines()} == {"100644"}


def test_the_lock_can_be_checked_by_sha256sum(shop: Shop) -> None:
    argv = ("sha256sum", "--check", "--strict", "--quiet", lock.NAME)
    assert subprocess.run(argv, cwd=shop.copy, check=False).returncode == 0
    shop.edit()
    assert subprocess.run(argv, cwd=shop.copy, capture_output=True, check=False).returncode == 1


def test_the_lock_holds_every_other_file_sorted_and_the_version(shop: Shop) -> None:
    held = lock.read(shop.lock.read_bytes())
    assert held is not None
    assert [*held.hashes] == sorted(set(shop.files()) - {lock.NAME})
    assert held.version == __version__
    assert f"# from {OURS}@{held.commit} # v{__version__}\n" in shop.lock.read_text()
    assert held.commit == table()[OURS].sha


def test_a_second_copy_is_the_same(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Shop(tmp_path_factory.mktemp("other"), shop._capture)  # noqa: SLF001 - of one test
    other.run("generate")
    assert other.files() == shop.files()
    assert shop.run("generate").out.endswith("is already in step with gen-workflow.yml\n")


def test_the_quick_answer_needs_no_package_and_does_not_pass_over_the_copy(shop: Shop) -> None:
    check = ["check", "-C", str(shop.top)]
    script = "import sys; from gen_workflow.cli import quick; sys.exit(quick(sys.argv[1:]))"
    argv = (sys.executable, "-SB", "-c", script, *check)  # -S: without the packages installed
    env = {"PYTHONPATH": str(ROOT / "generator")}
    assert subprocess.run(argv, env=env, check=False, stdout=subprocess.DEVNULL).returncode == 0
    for path in (MAIN, lock.NAME, "lib/new.py"):
        (shop.copy / path).touch()
        before = (shop.copy / path).read_bytes()
        shop.edit(path)
        assert cli.quick(check) == 1, path
        (shop.copy / path).write_bytes(before)
    assert cli.quick(check) == 1
    (shop.copy / "lib/new.py").unlink()
    assert cli.quick(check) == 0
    (shop.copy / MAIN).rename(shop.top / "main.py")
    (shop.copy / MAIN).symlink_to(shop.top / "main.py")
    assert cli.quick(check) == 1


def _age_and_edit(shop: Shop) -> None:
    shop.age()
    shop.edit()


FINDINGS: dict[str, tuple[Edit, str, str]] = {
    "edited": (
        Shop.edit,
        f"{FOLDER}/{MAIN}: edited by hand\n",
        "; to keep it, put the edited actions into a repository of your own, and name that in the ",
    ),
    "missing": (
        lambda shop: (shop.copy / MAIN).unlink(),
        f"{FOLDER}/{MAIN}: missing: it was copied, and is not there any more\n",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
    "surplus": (
        lambda shop: (shop.copy / "lib/json.py").write_text("print('mine')\n"),
        f"{FOLDER}/lib/json.py: surplus: gen-workflow did not copy it, and an action may run it\n",
        "  hint: remove it, or give the actions a folder of their own: ",
    ),
    "surplus link": (
        lambda shop: (shop.copy / "lib/json").symlink_to("/tmp"),
        f"{FOLDER}/lib/json: surplus: ",
        "  hint: remove it, ",
    ),
    "older": (
        Shop.age,
        f"gen-workflow 0.0.9 copied it, and gen-workflow {__version__} has other files (2 files ",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
    "older and edited": (
        _age_and_edit,
        f"{FOLDER}/{MAIN}: edited by hand, and this gen-workflow has another version of it\n",
        "  hint: to lose the edit, run `gen-workflow generate --force`; ",
    ),
    "other line ends": (
        lambda shop: (shop.copy / MAIN).write_bytes(
            (shop.copy / MAIN).read_bytes().replace(b"\n", b"\r\n")
        ),
        f"{FOLDER}/{MAIN}: edited by hand\n",
        "  hint: to lose the edit, ",
    ),
    "no copy": (
        lambda shop: shutil.rmtree(shop.copy),
        f"{FOLDER}: missing: the actions were not copied yet\n",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
    "no lock": (
        lambda shop: shop.lock.unlink(),
        f"{FOLDER}: missing: its {lock.NAME} is not there (1 file to add)\n",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
    "a lock with marks of a merge": (
        lambda shop: shop.lock.write_text(f"<<<<<<< HEAD\n{shop.lock.read_text()}"),
        f"{FOLDER}/{lock.NAME}: was not written by gen-workflow\n",
        "  hint: move it away, or overwrite it with `gen-workflow generate --force`\n",
    ),
    "other actions": (
        lambda shop: shop.says(DEPLOY),
        f"{FOLDER}: spec changed: it uses other actions than were copied (1 file to change, ",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
    "no actions": (
        lambda shop: shop.says("image: .\n"),
        f"{FOLDER}: no longer given: the spec does not copy actions there any more\n",
        "  hint: run `gen-workflow generate` and commit the result\n",
    ),
}


@pytest.mark.parametrize("case", FINDINGS)
def test_check_says_what_is_wrong_with_the_copy(shop: Shop, case: str) -> None:
    spoil, says, hint = FINDINGS[case]
    spoil(shop)
    found = shop.run("check")
    assert found.code == 1
    assert says in found.err
    assert hint in found.err
    assert found.err.endswith("#a-copy-of-the-actions-that-is-not-in-step\n")


def test_a_finding_is_an_annotation_on_github(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.edit()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = shop.run("check").out
    assert f"::error title=gen-workflow::{FOLDER}/{MAIN}: edited by hand%0A" in said


@pytest.mark.parametrize(
    "case", ["missing", "older", "no copy", "no lock", "other actions", "no actions"]
)
def test_generate_brings_an_unedited_copy_in_step(shop: Shop, case: str) -> None:
    FINDINGS[case][0](shop)
    assert shop.run("generate").code == 0
    assert shop.run("check").code == 0


def test_generate_keeps_an_edit_of_a_file_that_is_as_new_as_ours(shop: Shop) -> None:
    shop.edit()
    before = shop.files()
    said = shop.run("generate")
    assert said.code == 0
    assert f"keeps the edit made by hand in {FOLDER}/{MAIN}" in said.out
    assert shop.files() == before
    assert shop.run("check").code == 1


@pytest.mark.parametrize("case", ["older and edited", "a lock with marks of a merge"])
def test_generate_writes_nothing_at_all_where_an_edit_would_be_lost(shop: Shop, case: str) -> None:
    shop.says(f"{BUILD}on: release\n")  # so that the workflow has to change as well
    FINDINGS[case][0](shop)
    before = shop.files(), (shop.top / ".github/workflows/ci-cd.yml").read_bytes()
    said = shop.run("generate")
    assert said.code == 1
    assert "; nothing was changed\n" in said.err
    assert (shop.files(), (shop.top / ".github/workflows/ci-cd.yml").read_bytes()) == before


@pytest.mark.parametrize(
    "case", ["edited", "older and edited", "a lock with marks of a merge", "other line ends"]
)
def test_force_copies_anew(shop: Shop, case: str) -> None:
    before = shop.files()
    FINDINGS[case][0](shop)
    assert shop.run("generate", "--force").code == 0
    assert shop.files() == before
    assert shop.run("check").code == 0


def test_a_file_that_nobody_copied_is_never_removed(shop: Shop) -> None:
    (shop.copy / "mine.txt").write_text("mine\n")
    shop.says("image: .\n")
    for argv in (["generate"], ["generate", "--force"]):
        assert shop.run(*argv).code == 0
        assert shop.files() == {"mine.txt": b"mine\n"}
    assert shop.run("check").code == 0


def test_an_edited_file_that_is_no_longer_copied_stays(shop: Shop) -> None:
    shop.says(DEPLOY)
    shop.run("generate")
    shop.edit("lib/ship/ssh_deploy/step.py")
    shop.says(BUILD)
    said = shop.run("generate")
    assert "lib/ship/ssh_deploy/step.py, which is no longer copied, because it was" in said.out
    assert "lib/ship/ssh_deploy/step.py" in shop.files()
    assert "lib/ship/ssh_deploy/common.py" not in shop.files()
    assert "lib/ship/ssh_deploy/step.py: surplus: " in shop.run("check").err


def test_a_copy_that_moves_leaves_nothing_behind(shop: Shop) -> None:
    before = shop.files()
    shop.says("image: .\nactions: {vendored: tools/actions}\n")
    assert shop.run("generate").code == 0
    assert not shop.copy.exists()
    shop.copy = shop.top / "tools/actions"
    assert shop.files() == before
    assert shop.run("check").code == 0


@pytest.mark.parametrize("path", ["../../../outside", "/etc/hosts", "a/../../b", lock.NAME])
def test_a_lock_names_nothing_outside_of_its_folder(shop: Shop, path: str) -> None:
    outside = shop.top / "outside"
    outside.write_bytes(b"mine\n")
    entry = f"{hashlib.sha256(b'mine' + bytes([10])).hexdigest()}  {path}\n"
    assert lock.read(f"{shop.lock.read_text()}{entry}".encode()) is None
    shop.lock.write_text(f"{shop.lock.read_text()}{entry}")
    shop.says("image: .\n")
    shop.run("generate")
    assert outside.exists()


def test_a_link_in_the_place_of_a_file_is_refused(shop: Shop) -> None:
    target = shop.top / "elsewhere.py"
    (shop.copy / MAIN).rename(target)
    (shop.copy / MAIN).symlink_to(target)
    said = shop.run("generate", "--force")
    assert said.code == 2
    assert "main.py: is a link to " in said.err
    assert "outside of the repository" in said.err


def test_diff_shows_a_copy_in_short_and_the_rest_can_be_applied(shop: Shop) -> None:
    subprocess.run(("git", "init", "-q", str(shop.top)), check=True)
    shop.says(DEPLOY)
    said = shop.run("diff")
    assert said.code == 1
    first, second = said.out.splitlines()[:2]
    assert first.startswith(f"# {FOLDER}: 1 file to change, ")
    assert second.startswith("#   A ")
    assert said.out.count("\n#   ") == 21  # the first 20, and how many more there are
    apply = ("git", "-C", str(shop.top), "apply", "-")
    subprocess.run(apply, input=said.out.encode(), check=True)
    assert "ssh-deploy" in (shop.top / ".github/workflows/ci-cd.yml").read_text()


def test_dry_run_names_the_copy_and_writes_nothing(shop: Shop) -> None:
    before = shop.files()
    shop.says("image: .\nactions: {vendored: tools/actions}\n")
    said = shop.run("generate", "--dry-run").out
    assert f"would copy {len(before)} files into tools/actions\n" in said
    assert f"would remove {len(before)} files of {FOLDER}\n" in said
    assert shop.files() == before


def test_update_names_a_copy_that_is_older_and_leaves_it(shop: Shop) -> None:
    assert "gen-workflow" not in shop.run("update").out
    shop.age()
    before = shop.files()
    said = shop.run("update")
    assert said.code == 0
    assert f"left {OURS} at v0.0.9: `gen-workflow generate` writes it; install a " in said.out
    assert f"({FOLDER}/{lock.NAME}:3)" in said.out
    assert shop.files() == before


def test_dependabot_is_not_sent_into_the_copy(shop: Shop) -> None:
    assert shop.run("generate", "--dependabot").code == 0
    assert FOLDER not in (shop.top / ".github/dependabot.yml").read_text()


def test_an_action_runs_from_its_copy_and_leaves_nothing_beside_it(shop: Shop) -> None:
    # What it left there would be in the next build of the job, which then is another one.
    before = shop.files()
    dry = {"dry-run": "true"}
    copied = run_action(str(shop.copy / "build-push"), dry, workspace=shop.top)
    assert copied.code == 0, copied.log
    assert copied.outputs["tags"].startswith("ghcr.io/acme/shop:main\n")
    assert shop.files() == before


@pytest.mark.parametrize("action", ours.PACKAGES)
def test_a_copy_has_the_packages_that_its_action_imports_and_no_other(action: str) -> None:
    held = ours.files([action])
    imported = {f"ship.{action.replace('-', '_')}"}
    for path, content in held.items():
        nodes = ast.walk(ast.parse(content)) if path.endswith(".py") else ()
        named = (node.module or "" for node in nodes if isinstance(node, ast.ImportFrom))
        imported |= {".".join(name.split(".")[:2]) for name in named if name.startswith("ship.")}
    packages = {path.split("/")[2] for path in held if path.count("/") > 2}
    assert imported == {f"ship.{name}" for name in packages}


def test_every_file_of_the_library_is_of_a_kind_that_is_copied() -> None:
    argv = ("git", "ls-files", "actions/lib")
    listed = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    every = ours.files(ours.PACKAGES)
    tracked = {path.removeprefix("actions/") for path in listed.splitlines()}
    assert {path for path in every if path.startswith("lib/")} == tracked
