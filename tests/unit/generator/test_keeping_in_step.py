"""What becomes of a workflow when people, bots, the spec and the generator all change it."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gen_workflow import cli
from gen_workflow.render import folder
from unit.generator.conftest import SPEC, see

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORKFLOW = ".github/workflows/ci-cd.yml"
CHECKOUT = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
BUMPED = f"{'1' * 40} # v7.2.0"
JOB = """
  mine:
    runs-on: ubuntu-24.04
    permissions: {}
    timeout-minutes: 5
    steps:
      - name: Say hello
        run: echo hello # from us
"""
COMMENT = "      # Ask the platform team before you change this.\n"


class Ran(NamedTuple):
    """What a verb returned and printed."""

    code: int
    out: str
    err: str


class Shop:
    """A repository in git with a spec, templates of its own, and a workflow."""

    def __init__(self, top: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.top = top
        self.spec = top / "gen-workflow.yml"
        self.workflow = top / WORKFLOW
        self.templates = top.parent / "templates"
        self._capture = capture
        top.mkdir()
        self.spec.write_text(SPEC)
        (top / "Dockerfile").write_text("FROM scratch\n")
        shutil.copytree(folder.ours(), self.templates, ignore=shutil.ignore_patterns("__*"))
        self.git("init", "-q", "-b", "main")

    def git(self, *argv: str) -> None:
        author = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
        subprocess.run(("git", "-C", str(self.top), *author, *argv), check=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def forget(self) -> None:
        """Remove what git has but no commit, as it is in a clone."""
        self.git("prune", "--expire=now")

    def run(self, *argv: str) -> Ran:
        code = cli.main([*argv, "-C", str(self.top), "--templates", str(self.templates)])
        said = self._capture.readouterr()
        return Ran(code, said.out, said.err.replace(f" -C {self.top}", ""))

    @property
    def text(self) -> str:
        return self.workflow.read_text()

    def edit(self, old: str, new: str) -> None:
        self.workflow.write_text(replaced(self.text, old, new))

    def change_the_spec(self, old: str = "/health", new: str = "/healthz") -> None:
        self.spec.write_text(replaced(self.spec.read_text(), old, new))

    def change_the_templates(self) -> None:
        step = self.templates / "step.j2"
        more = "[% if step.id %]\n        # of the template\n"
        step.write_text(replaced(step.read_text(), "[% if step.id %]\n", more))

    def given(self) -> str:
        """Return what the spec gives today."""
        return self.run("generate", "--stdout").out


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    made = Shop(tmp_path / "shop", capsys)
    assert made.run("generate").code == 0
    made.commit()
    made.forget()
    return made


class Change(NamedTuple):
    """A change of a repository: to what is rendered, or to the workflow that is there."""

    name: str
    of_what_is_rendered: Callable[[Shop], None] | None = None
    of_the_file: Callable[[str], str] | None = None
    is_edit: bool = False


def bump(text: str) -> str:
    return replaced(text, CHECKOUT, BUMPED)


def edited(text: str) -> str:
    return replaced(text, "timeout-minutes: 60", "timeout-minutes: 90")


def commented(text: str) -> str:
    at = text.index("      - ", text.index("\n  deploy:"))
    return text[:at] + COMMENT + text[at:]


def with_a_job(text: str) -> str:
    return text + JOB


CHANGES = (
    Change("spec changed", of_what_is_rendered=Shop.change_the_spec),
    Change("generator changed", of_what_is_rendered=Shop.change_the_templates),
    Change("hand edit", of_the_file=edited, is_edit=True),
    Change("pin bump", of_the_file=bump),
    Change("comment added", of_the_file=commented, is_edit=True),
    Change("job added by hand", of_the_file=with_a_job, is_edit=True),
    Change("file deleted"),
)
PAIRS = [*itertools.combinations(CHANGES, 2), *((change,) for change in CHANGES), CHANGES[:6]]


@pytest.mark.parametrize("changes", PAIRS, ids=lambda all_: " + ".join(one.name for one in all_))
def test_every_pair_of_changes_is_right(changes: tuple[Change, ...], shop: Shop) -> None:
    is_deleted = CHANGES[-1] in changes
    files = [one for one in changes if one.of_the_file and not is_deleted]
    for change in changes:
        if change.of_what_is_rendered:
            change.of_what_is_rendered(shop)
        if change.of_the_file:
            shop.workflow.write_text(change.of_the_file(shop.text))
    if is_deleted:
        shop.workflow.unlink()
    meant = shop.given()
    for change in files:
        assert change.of_the_file is not None
        meant = change.of_the_file(meant)
    is_current = [change.name for change in changes] == ["pin bump"]
    assert shop.run("check").code == (0 if is_current else 1)

    assert shop.run("generate").code == 0
    assert shop.text == meant
    assert shop.run("check").code == (1 if any(one.is_edit for one in files) else 0)
    before = shop.workflow.stat()
    assert shop.run("generate").code == 0
    assert shop.workflow.stat().st_mtime_ns == before.st_mtime_ns
    assert shop.run("diff") == (0, "", "")


CHAIN = tuple(itertools.product((True, False), repeat=3))


@pytest.mark.parametrize("commits", CHAIN, ids=lambda all_: "".join("-c"[one] for one in all_))
def test_an_edit_is_kept_over_three_changes_committed_or_not(
    commits: tuple[bool, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(tmp_path / "shop", capsys)
    shop.run("generate")
    shop.workflow.write_text(edited(with_a_job(shop.text)))
    healths = ("/health", "/a", "/b", "/c")
    for is_committed, old, new in zip(commits, healths, healths[1:], strict=False):
        if is_committed:
            shop.commit()
        shop.change_the_spec(old, new)
        assert shop.run("generate") == (
            0,
            f"wrote {shop.workflow}\nkept the edit made by hand\n",
            "",
        )
        assert shop.text == edited(with_a_job(shop.given()))


def test_an_edit_is_kept_in_a_clone_where_all_is_committed(shop: Shop) -> None:
    shop.workflow.write_text(edited(shop.text))
    for old, new in (("/health", "/a"), ("/a", "/b"), ("/b", "/c")):
        shop.commit()
        shop.forget()
        shop.change_the_spec(old, new)
        assert shop.run("generate").code == 0
        assert shop.text == edited(shop.given())


def test_an_edit_is_kept_over_generators_that_render_something_else(shop: Shop) -> None:
    """What was rendered in the meantime is in no commit, and no generator of today renders it."""
    shop.workflow.write_text(edited(shop.text))
    for _ in range(3):
        shop.commit()
        shop.forget()
        shop.change_the_templates()
        assert shop.run("generate").code == 0
        assert shop.text == edited(shop.given())


def test_an_edit_whose_base_is_nowhere_is_not_merged(shop: Shop) -> None:
    shop.change_the_spec()
    shop.run("generate")
    shop.workflow.write_text(edited(shop.text))
    shop.forget()  # what was written was not committed, and the spec of that time neither
    shop.change_the_spec("/healthz", "/z")
    before = shop.text
    ran = shop.run("generate")
    assert ran.code == 1
    assert "what gen-workflow wrote is not in the git history, so the edit cannot be" in ran.err
    assert shop.text == before


def test_a_shallow_clone_is_named_as_the_reason(shop: Shop, tmp_path: Path) -> None:
    shop.workflow.write_text(edited(shop.text))
    shop.change_the_spec()
    shop.commit()
    shop.git("clone", "-q", "--depth=1", f"file://{shop.top}", str(tmp_path / "clone"))
    shop.top = tmp_path / "clone"
    ran = shop.run("check")
    assert ran.code == 1
    assert "(this clone is shallow; `git fetch --unshallow` brings all commits)" in ran.err


def test_a_conflict_shows_both_sides_and_changes_nothing(shop: Shop) -> None:
    shop.edit("          health: /health\n", "          health: /mine\n")
    shop.edit("timeout-minutes: 60", "timeout-minutes: 90")
    shop.change_the_spec()
    before = shop.text
    line = before.split("\n").index("          health: /mine") + 1
    conflict = (
        f"{WORKFLOW}:{line}: conflict\n"
        "  it was generated as\n"
        "    |           health: /health\n"
        "  it was edited to\n"
        "    |           health: /mine\n"
        "  today it would be\n"
        "    |           health: /healthz\n"
    )
    for verb in ("generate", "check", "diff"):
        ran = shop.run(verb)
        assert (ran.code, ran.out) == (1, "")
        assert f"\n{conflict}  hint: change these lines" in ran.err
        assert ran.err.endswith(see("an-edit-that-conflicts-with-the-new-workflow"))
    assert shop.text == before

    shop.edit("health: /mine", "health: /healthz")  # as the hint says
    assert shop.run("generate").code == 0
    assert shop.text == edited(shop.given())


def test_a_step_that_both_sides_add_at_one_place_is_a_conflict(shop: Shop) -> None:
    shop.workflow.write_text(commented(shop.text).replace(COMMENT, "      - run: mine\n"))
    job = shop.templates / "job.j2"
    step = '[% for step in job.steps %]\n[% if job.id == "deploy" %]\n      - run: theirs\n'
    job.write_text(
        replaced(job.read_text(), "[% for step in job.steps %]\n", f"{step}[% endif %]\n")
    )
    ran = shop.run("generate")
    assert ran.code == 1
    assert "the edit and the new workflow both change jobs/deploy/steps (line " in ran.err


def test_a_workflow_that_is_no_yaml_is_named_before_it_is_merged(shop: Shop) -> None:
    shop.edit("permissions: {}", "permissions: {")
    shop.change_the_spec()
    ran = shop.run("generate")
    assert ran.code == 1
    assert "the edited workflow is not a workflow: " in ran.err


def test_comments_in_the_header_are_kept(shop: Shop) -> None:
    shop.workflow.write_text("# SPDX-License-Identifier: MIT\n" + shop.text)
    shop.edit("# gen-workflow: version", "# Of the shop team.\n# gen-workflow: version")
    shop.change_the_spec("[GREETING]", "[GREETING, ANOTHER]")
    assert shop.run("generate").code == 0
    assert shop.text.startswith("# SPDX-License-Identifier: MIT\n# Generated by gen-workflow ")
    assert "#   secret    ANOTHER: " in shop.text
    assert "\n# Of the shop team.\n# gen-workflow: version" in shop.text


def test_an_edit_that_the_spec_says_today_is_none_any_more(shop: Shop) -> None:
    shop.edit("          health: /health\n", "          health: /healthz\n")
    shop.change_the_spec()
    assert shop.run("generate") == (0, f"wrote {shop.workflow}\n", "")
    assert shop.text == shop.given()
    assert shop.run("check").code == 0


def test_moved_pins_are_in_step_and_said(shop: Shop) -> None:
    shop.workflow.write_text(bump(shop.text))
    keeps = "keeps actions/checkout v7.2.0 (this gen-workflow has v7.0.1)"
    assert shop.run("check") == (
        0,
        f"{WORKFLOW} is in step with gen-workflow.yml, and {keeps}\n",
        "",
    )


def test_a_pin_that_a_person_moved_back_is_an_edit(shop: Shop) -> None:
    shop.edit(CHECKOUT, f"{'1' * 40} # v6.0.0")
    assert shop.run("check").code == 1
    shop.edit("v6.0.0", "v7.0.1")
    ran = shop.run("check")
    assert ran.code == 1
    assert f"{WORKFLOW}: edited by hand\n" in ran.err


def test_a_bot_does_not_move_our_own_actions(shop: Shop) -> None:
    ours = "uses: gen-workflow/gen-workflow/actions/ssh-deploy@"
    at = shop.text.index(ours) + len(ours)
    meant = shop.text
    shop.workflow.write_text(meant[:at] + f"{'2' * 40} # v9.0.0\n" + meant[at:].partition("\n")[2])
    ran = shop.run("check")
    assert ran.code == 1
    moved = "pin moved: gen-workflow/gen-workflow is at v9.0.0, and this gen-workflow says v"
    assert f"{WORKFLOW}: {moved}" in ran.err
    assert "  hint: update gen-workflow, and run `gen-workflow generate" in ran.err
    assert ran.err.endswith(see("a-pin-that-a-bot-should-not-move"))
    assert shop.run("generate").code == 0
    assert shop.text == meant


def test_a_bot_does_not_move_what_the_spec_pins(shop: Shop) -> None:
    remote = f"acme/actions@{'3' * 40}"
    shop.spec.write_text(f"{shop.spec.read_text()}actions:\n  remote: {remote} # v1.0.0\n")
    shop.run("generate")
    meant = shop.text
    moved = meant.replace(f"{'3' * 40} # v1.0.0", f"{'4' * 40} # v1.1.0")
    assert moved != meant
    shop.workflow.write_text(moved)
    ran = shop.run("check")
    assert ran.code == 1
    said = f"{WORKFLOW}: pin moved: acme/actions is at v1.1.0, and the spec says v1.0.0\n"
    assert ran.err.startswith(f"{said}  hint: write the new commit into the spec, and run ")
    shop.change_the_spec(f"{'3' * 40} # v1.0.0", f"{'4' * 40} # v1.1.0")
    assert shop.run("generate").out == f"wrote {shop.workflow}\n"
    assert shop.text == shop.given()


def test_how_an_editor_saves_the_file_is_no_edit_and_stays(shop: Shop) -> None:
    windows = shop.workflow.read_bytes().replace(b"\n", b"\r\n")
    shop.workflow.write_bytes(b"\xef\xbb\xbf" + windows.removesuffix(b"\r\n"))
    assert shop.run("check").code == 0
    shop.change_the_spec()
    assert shop.run("generate").code == 0
    assert shop.workflow.read_bytes() == shop.given().encode().replace(b"\n", b"\r\n")
    windows = shop.workflow.read_bytes()
    shop.workflow.write_bytes(windows.replace(b"minutes: 60\r\n", b"minutes: 90\r\n", 1))
    shop.change_the_spec("/healthz", "/z")
    assert shop.run("generate").code == 0
    assert shop.workflow.read_bytes() == edited(shop.given()).encode().replace(b"\n", b"\r\n")


def test_diff_of_a_file_with_other_line_ends_is_a_patch_too(shop: Shop, tmp_path: Path) -> None:
    shop.workflow.write_bytes(shop.workflow.read_bytes().replace(b"\n", b"\r\n"))
    shop.change_the_spec()
    before = shop.workflow.read_bytes()
    patch = tmp_path / "patch"
    patch.write_bytes(shop.run("diff").out.encode())
    shop.git("apply", str(patch))
    patched = shop.workflow.read_bytes()
    assert patched != before
    shop.workflow.write_bytes(before)
    assert shop.run("generate").code == 0
    assert shop.workflow.read_bytes() == patched


def test_a_read_only_file_is_refused(shop: Shop) -> None:
    shop.workflow.chmod(0o444)
    shop.change_the_spec()
    before = shop.text
    ran = shop.run("generate")
    assert ran.code == 2
    assert "ci-cd.yml: is read-only, so it was not changed\n  hint: make it writable" in ran.err
    assert shop.text == before


def test_without_git_an_edit_is_kept_where_nothing_else_changed(shop: Shop) -> None:
    shutil.rmtree(shop.top / ".git")
    shop.workflow.write_text(edited(bump(shop.text)))
    before = shop.text
    assert shop.run("generate").code == 0
    assert shop.text == before
    shop.change_the_spec()
    ran = shop.run("generate")
    assert ran.code == 1
    assert "(this is not a git repository), so the edit cannot be merged" in ran.err


def test_diff_is_a_patch_of_what_generate_writes(shop: Shop, tmp_path: Path) -> None:
    shop.workflow.write_text(edited(shop.text))
    shop.change_the_spec()
    ran = shop.run("diff")
    assert (ran.code, ran.err) == (1, "")
    assert shop.run("generate", "--diff") == ran
    assert shop.run("generate", "--check").code == 1
    dry = f"would write {shop.workflow}\nkept the edit made by hand\n"
    assert shop.run("generate", "--dry-run") == (0, dry, "")
    patch = tmp_path / "patch"
    patch.write_text(ran.out)
    before = shop.text
    shop.git("apply", str(patch))
    patched = shop.text
    shop.workflow.write_text(before)
    assert shop.run("generate").code == 0
    assert shop.text == patched


@pytest.fixture
def both(shop: Shop) -> Path:
    """The second file of a project whose spec gives two."""
    shop.change_the_spec("rollback: false", "rollback: true")
    assert shop.run("generate").code == 0
    shop.commit()
    return shop.workflow.with_name("rollback.yml")


def test_an_edit_of_each_file_is_kept(shop: Shop, both: Path) -> None:
    shop.workflow.write_text(edited(shop.text))
    both.write_text(both.read_text() + JOB)
    shop.change_the_spec("vps", "web")
    assert shop.run("generate") == (
        0,
        f"wrote {shop.workflow}\nwrote {both}\nkept the edit made by hand\n",
        "",
    )
    assert "timeout-minutes: 90" in shop.text
    assert both.read_text().endswith(JOB)
    assert all("WEB_HOST" in text for text in (shop.text, both.read_text()))


def test_where_one_file_has_a_conflict_no_other_is_written(shop: Shop, both: Path) -> None:
    text = both.read_text()
    assert "vars.VPS_HOST" in text
    both.write_text(text.replace("vars.VPS_HOST", "vars.MINE"))
    shop.change_the_spec("vps", "web")
    before = shop.text, both.read_text()
    ran = shop.run("generate")
    assert ran.code == 1
    assert f"{WORKFLOW.replace('ci-cd', 'rollback')}: was edited by hand" in ran.err
    assert (shop.text, both.read_text()) == before
    forced = shop.run("generate", "--force")
    assert forced.out == f"wrote {shop.workflow}\nwrote {both}\n"


def test_a_file_that_the_spec_no_longer_gives_goes_when_nobody_edited_it(
    shop: Shop, both: Path
) -> None:
    shop.change_the_spec("rollback: true", "rollback: false")
    name = WORKFLOW.replace("ci-cd", "rollback")
    ran = shop.run("check")
    assert ran.code == 1
    assert f"{name}: no longer given: the spec does not give this file any more\n" in ran.err
    assert f"--- a/{name}\n+++ /dev/null\n" in shop.run("diff").out
    dry = shop.run("generate", "--dry-run")
    assert dry.out == f"would write {shop.workflow}\nwould remove {both}\n"
    assert shop.run("generate").out == f"wrote {shop.workflow}\nremoved {both}\n"
    assert not both.exists()
    assert shop.run("check").code == 0


def test_a_file_that_the_spec_no_longer_gives_stays_when_somebody_edited_it(
    shop: Shop, both: Path
) -> None:
    both.write_text(both.read_text() + JOB)
    shop.change_the_spec("rollback: true", "rollback: false")
    name = WORKFLOW.replace("ci-cd", "rollback")
    kept = f"kept {name}, which the spec does not give any more, because it was edited by hand\n"
    assert f"{name}: no longer given: " in shop.run("check").err
    assert shop.run("generate").out == f"wrote {shop.workflow}\n{kept}"
    assert both.exists()
    assert shop.run("check").code == 0


def test_no_other_file_than_a_workflow_of_ours_is_ever_removed(shop: Shop) -> None:
    theirs = shop.workflow.with_name("theirs.yml")
    theirs.write_text("name: theirs\n")
    line = next(one for one in shop.text.split("\n") if one.startswith("# gen-workflow: "))
    listed = (
        ".github/workflows/theirs.yml,../../gen-workflow.yml,Dockerfile,.github/workflows/x.yml"
    )
    shop.edit(line, f"{line} files={listed}")
    shop.change_the_spec()
    assert "removed" not in shop.run("generate").out
    assert theirs.exists()
    assert (shop.top / "Dockerfile").exists()
