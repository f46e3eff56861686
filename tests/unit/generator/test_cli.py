"""The command line from outside: what it prints, writes, and returns."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from bed.waiting import PATIENCE_SECONDS, wait_until
from gen_workflow.render import folder
from gen_workflow.version import __version__
from unit.generator.conftest import COMMAND, Ended, see

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

WORKFLOW = ".github/workflows/ci-cd.yml"
NOT_IN_STEP = see("the-workflow-is-not-in-step")
OPTION = see("an-option-that-is-not-accepted")
FILE = see("a-file-or-folder-that-cannot-be-used")
IN_C = f"  hint: give -C the folder of a repository\n{OPTION}"
IN_TEMPLATES = f"  hint: give --templates a folder with files that end in .j2\n{OPTION}"
HUGE = (
    "cannot be read: it is larger than 1 MB\n"
    f"  hint: a spec and a workflow are far smaller; name another file\n{FILE}"
)
ENDLESS = f"cannot be read: it is not a regular file\n  hint: name a file that has an end\n{FILE}"


def test_generate_writes_the_workflow_and_check_finds_it_in_step(repository: Repository) -> None:
    assert repository.run("generate") == (0, f"wrote {WORKFLOW}\n", "")
    in_step = f"{WORKFLOW} is in step with gen-workflow.yml\n"
    assert repository.run("check") == (0, in_step, "")


def test_a_second_generate_touches_nothing(repository: Repository) -> None:
    repository.run("generate")
    before = repository.workflow.stat()
    already = f"{WORKFLOW} is already in step with gen-workflow.yml\n"
    assert repository.run("generate") == (0, already, "")
    assert repository.run("generate", "--force") == (0, already, "")
    after = repository.workflow.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_stdout_gets_the_same_text_and_nothing_is_written(repository: Repository) -> None:
    printed = repository.run("generate", "--stdout")
    assert not repository.workflow.exists()
    repository.run("generate")
    assert printed == (0, repository.workflow.read_text(), "")


def test_stdout_gets_several_files_as_documents_that_say_their_names(
    repository: Repository,
) -> None:
    repository.spec.write_text(repository.spec.read_text().replace("rollback: false\n", ""))
    printed = repository.run("generate", "--stdout").out
    repository.run("generate")
    names = (WORKFLOW, ".github/workflows/rollback.yml")
    texts = [(repository.folder / name).read_text() for name in names]
    assert printed == "".join(
        f"--- # {name}\n{text}" for name, text in zip(names, texts, strict=True)
    )
    assert len(list(YAML(typ="safe").load_all(printed))) == 2


def test_the_central_workflow_of_a_team_is_named_as_what_it_is(repository: Repository) -> None:
    repository.spec.write_text("image: .\nmode: central\n")
    central = ".github/workflows/build.yml"
    assert repository.run("generate") == (0, f"wrote {central}\n", "")
    assert repository.run("check") == (0, f"{central} is in step with gen-workflow.yml\n", "")
    already = f"{central} is already in step with gen-workflow.yml\n"
    assert repository.run("generate") == (0, already, "")


def test_nothing_else_is_left_in_the_folder(repository: Repository) -> None:
    repository.run("generate")
    repository.spec.write_text(repository.spec.read_text() + "name: shop\n")
    repository.run("generate")
    assert os.listdir(repository.workflow.parent) == ["ci-cd.yml"]  # noqa: PTH208 - names
    assert repository.workflow.stat().st_mode & 0o777 == 0o644


def test_a_folder_and_another_spec_can_be_named(repository: Repository, tmp_path: Path) -> None:
    repository.spec.rename(repository.folder / "other.yml")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ("-C", str(repository.folder), "--spec", "other.yml")
    assert repository.run("generate", *options).code == 0
    assert "from other.yml" in repository.workflow.read_text()
    assert repository.run("check", *options).code == 0


def test_check_says_that_the_workflow_is_missing(repository: Repository) -> None:
    assert repository.run("check") == (
        1,
        "",
        (
            f"{WORKFLOW}: missing: it was not generated yet\n"
            f"  hint: run `gen-workflow generate` and commit the result\n{NOT_IN_STEP}"
        ),
    )


def test_check_says_that_the_spec_changed(repository: Repository) -> None:
    repository.run("generate")
    repository.spec.write_text(repository.spec.read_text() + "name: shop\n")
    ended = repository.run("check")
    assert (ended.code, ended.out) == (1, repository.run("diff").out)
    assert ended.err == (
        f"{WORKFLOW}: spec changed: the workflow was made from "
        "another version of gen-workflow.yml\n"
        f"  hint: run `gen-workflow generate` and commit the result\n{NOT_IN_STEP}"
    )
    assert repository.run("generate").code == 0
    assert repository.run("check").code == 0


def test_check_says_that_the_generator_changed(repository: Repository, tmp_path: Path) -> None:
    repository.run("generate")
    templates = tmp_path / "templates"
    templates.mkdir()
    step = (Path(folder.ours()) / "step.j2").read_text()
    (templates / "step.j2").write_text(step.replace("- name:", "- # ours\n        name:"))
    ended = repository.run("check", "--templates", str(templates))
    assert ended.code == 1
    assert "\n+      - # ours\n" in ended.out
    assert ended.err == (
        f"{WORKFLOW}: generator changed: gen-workflow {__version__} wrote it, and this "
        f"gen-workflow {__version__}, with other templates, pins or sources, renders another "
        "workflow\n"
        f"  hint: run `gen-workflow generate --templates {templates}` and commit the result\n"
        f"{NOT_IN_STEP}"
    )
    assert repository.run("generate", "--templates", str(templates)).code == 0
    assert repository.run("check", "--templates", str(templates)).code == 0
    assert "- # ours\n        name: Build the image\n" in repository.workflow.read_text()


def test_another_header_is_in_step_until_generate_refreshes_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.run("generate")
    before = repository.workflow.read_text()
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "header.j2").write_text("# Of the platform team.\n")
    options = ("--templates", str(templates))
    assert repository.run("check", *options).code == 0
    assert repository.workflow.read_text() == before
    assert repository.run("generate", *options) == (0, f"wrote {WORKFLOW}\n", "")
    assert repository.workflow.read_text().startswith("# Of the platform team.\n")


def test_a_template_below_the_folder_is_part_of_the_generator(
    repository: Repository, tmp_path: Path
) -> None:
    part = tmp_path / "templates" / "parts" / "team.j2"
    part.parent.mkdir(parents=True)
    part.write_text("# Of the platform team.\n")
    header = '[% include "parts/team.j2" %]\n# gen-workflow\n'
    (tmp_path / "templates" / "header.j2").write_text(header)
    options = ("--templates", str(tmp_path / "templates"))
    assert repository.run("generate", *options).code == 0
    assert repository.run("generate", *options).out.endswith(
        "already in step with gen-workflow.yml\n"
    )
    part.write_text("# Of the shop team.\n")
    assert repository.run("generate", *options) == (0, f"wrote {WORKFLOW}\n", "")
    assert repository.workflow.read_text().startswith("# Of the shop team.\n")


def copied(tmp_path: Path, *edits: tuple[str, str, str]) -> tuple[str, ...]:
    """A generator of other sources, as arguments of Python: a file, what it has, what it gets."""
    copy = tmp_path / "copy"
    for part in ("generator", "templates"):
        shutil.copytree(Path(folder.ours()).parent / part, copy / part)
    for name, old, new in edits:
        text = (copy / name).read_text()
        assert old in text
        (copy / name).write_text(text.replace(old, new))
    program = (
        f"import sys; sys.path.insert(0, {str(copy / 'generator')!r});"
        "from gen_workflow.__main__ import main; sys.exit(main())"
    )
    return ("-c", program)


NEXT = ("generator/gen_workflow/version.py", f'"{__version__}"', '"9.9.9"')


def test_a_generator_of_another_version_that_renders_the_same_is_in_step(
    repository: Repository, tmp_path: Path
) -> None:
    repository.run("generate")
    python = copied(tmp_path, NEXT, ("generator/gen_workflow/plan/build.py", '"""The', '"""A'))
    in_step = f"{WORKFLOW} is in step with gen-workflow.yml\n"
    command = COMMAND.with_name("python")
    assert repository.run(*python, "check", command=command) == (0, in_step, "")


def test_a_generator_of_another_version_that_renders_something_else_is_drift(
    repository: Repository, tmp_path: Path
) -> None:
    repository.run("generate")
    python = copied(tmp_path, NEXT, ("generator/gen_workflow/plan/build.py", "= 60", "= 61"))
    ended = repository.run(*python, "check", command=COMMAND.with_name("python"))
    assert ended.code == 1
    assert "\n-    timeout-minutes: 60\n+    timeout-minutes: 61\n" in ended.out
    assert ended.err == (
        f"{WORKFLOW}: generator changed: gen-workflow {__version__} wrote it, "
        "and gen-workflow 9.9.9 renders another workflow\n"
        f"  hint: run `gen-workflow generate` and commit the result\n{NOT_IN_STEP}"
    )


def test_an_edit_and_a_moved_pin_are_kept_when_a_release_of_ours_moves_pins(
    repository: Repository, tmp_path: Path
) -> None:
    """There is no git here: what the older version wrote is rendered with its version and pins."""
    repository.run("generate")
    checkout = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
    bumped = repository.workflow.read_text().replace(checkout, f"{'1' * 40} # v7.9.0")
    repository.workflow.write_text(bumped)
    ours = re.findall(r"gen-workflow/actions/[a-z-]+@(\w{40} # v[0-9.]+)", bumped)[0]
    sha, _, version = ours.partition(" # ")
    release = (
        NEXT,
        ("generator/gen_workflow/pins/pins.json", sha, "2" * 40),
        ("generator/gen_workflow/pins/pins.json", f'"{version}"', '"v9.9.9"'),
    )
    python = copied(tmp_path, *release)
    command = COMMAND.with_name("python")
    assert "generator changed: " in repository.run(*python, "check", command=command).err
    ended = repository.run(*python, "generate", command=command)
    kept = "kept actions/checkout v7.9.0 (this gen-workflow has v7.0.1)\n"
    assert ended == (0, f"wrote {WORKFLOW}\n{kept}", "")
    moved = bumped.replace(ours, f"{'2' * 40} # v9.9.9").replace(__version__, "9.9.9")
    assert without_the_line(repository.workflow.read_text()) == without_the_line(moved)

    repository.run("generate", "--force")
    edited = repository.workflow.read_text().replace("timeout-minutes: 60", "timeout-minutes: 90")
    repository.workflow.write_text(edited)
    ended = repository.run(*python, "generate", command=command)
    assert ended == (0, f"wrote {WORKFLOW}\nkept the edit made by hand\n", "")
    moved = edited.replace(ours, f"{'2' * 40} # v9.9.9").replace(__version__, "9.9.9")
    assert without_the_line(repository.workflow.read_text()) == without_the_line(moved)


def without_the_line(text: str) -> str:
    return re.sub(r"(?m)^# gen-workflow: .*\n", "", text)


def test_a_comment_in_the_spec_is_no_drift(repository: Repository) -> None:
    repository.run("generate")
    repository.spec.write_text("# Of the shop team.\n" + repository.spec.read_text())
    assert repository.run("check").code == 0
    assert repository.run("generate") == (0, f"wrote {WORKFLOW}\n", "")


def test_schema_prints_the_schema_of_the_spec(repository: Repository) -> None:
    ended = repository.run("schema")
    assert (ended.code, ended.err) == (0, "")
    assert "image" in json.loads(ended.out)["properties"]


def test_check_says_that_the_workflow_was_edited(repository: Repository) -> None:
    repository.run("generate")
    text = repository.workflow.read_text().replace("timeout-minutes: 60", "timeout-minutes: 90")
    repository.workflow.write_text(text)
    ended = repository.run("check")
    assert ended.code == 1
    assert "\n-    timeout-minutes: 60\n+    timeout-minutes: 90\n" in ended.out
    assert ended.err.startswith(f"{WORKFLOW}: edited by hand\n  hint: ")


def test_check_reports_every_reason(repository: Repository) -> None:
    repository.run("generate")
    repository.workflow.write_text(repository.workflow.read_text() + "# mine\n")
    repository.spec.write_text(repository.spec.read_text() + "name: shop\n")
    ended = repository.run("check")
    assert ended.code == 1
    assert ended.err == (
        f"{WORKFLOW}: edited by hand, and what gen-workflow wrote is not in the git history "
        "(this is not a git repository), so the edit cannot be merged\n"
        f"{WORKFLOW}: spec changed: the workflow was made from "
        "another version of gen-workflow.yml\n"
        "  hint: put the edit into the spec, then remove it from the workflow with "
        "`gen-workflow generate --force`\n"
        f"{see('an-edit-that-cannot-be-merged')}"
    )


@pytest.mark.parametrize(
    ("image", "gone", "message"),
    [
        (".", "Dockerfile", "1:8 image: there is no Dockerfile at Dockerfile"),
        ("{context: my app, dockerfile: d}", "my app", "1:18 image/context: there is no folder "),
        ("{context: my app, dockerfile: d}", "d", "1:38 image/dockerfile: there is no Dockerfile "),
        ("größe/%41", "größe/%41/Dockerfile", "1:8 image: there is no Dockerfile at größe/%41/"),
    ],
)
def test_a_workflow_is_not_in_step_when_what_it_builds_is_gone(
    image: str, gone: str, message: str, repository: Repository
) -> None:
    for folder_of_image in ("my app", "größe/%41"):
        (repository.folder / folder_of_image).mkdir(parents=True)
    for name in ("d", "größe/%41/Dockerfile"):
        (repository.folder / name).touch()
    repository.spec.write_text(f"image: {image}\n")
    assert repository.run("generate").code == 0
    path = repository.folder / gone
    (path.rmdir if path.is_dir() else path.unlink)()
    for verb in ("check", "generate"):
        ended = repository.run(verb)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"gen-workflow.yml:{message}")


@pytest.mark.parametrize("gone", ["compose.yml", "app.env"])
def test_a_workflow_is_not_in_step_when_a_file_that_it_uploads_is_gone(
    gone: str, repository: Repository
) -> None:
    (repository.folder / "compose.yml").write_text("services: {web: {image: acme/shop}}\n")
    (repository.folder / "app.env").touch()
    deploy = "{ssh: vps, compose: compose.yml, env-file: app.env}"
    repository.spec.write_text(f"image: .\ndeploy: {deploy}\n")
    assert repository.run("generate").code == 0
    assert repository.run("check").code == 0
    (repository.folder / gone).unlink()
    ended = repository.run("check")
    assert ended.code == 2
    assert f": there is no file {gone}\n" in ended.err


def test_other_line_ends_are_no_edit(repository: Repository) -> None:
    repository.run("generate")
    for file in (repository.workflow, repository.spec):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert repository.run("check").code == 0


def test_an_edit_is_not_overwritten_without_force(repository: Repository) -> None:
    repository.run("generate")
    edited = repository.workflow.read_text() + "# mine\n"
    repository.workflow.write_text(edited)
    kept = f"{WORKFLOW} is already in step with gen-workflow.yml, and keeps the edit made by hand\n"
    assert repository.run("generate") == (0, kept, "")
    assert repository.workflow.read_text() == edited
    assert repository.run("generate", "--force").code == 0
    assert "# mine" not in repository.workflow.read_text()


def test_an_edit_that_cannot_be_merged_is_not_overwritten_without_force(
    repository: Repository,
) -> None:
    repository.run("generate")
    edited = repository.workflow.read_text() + "# mine\n"
    repository.workflow.write_text(edited)
    repository.spec.write_text(repository.spec.read_text() + "name: shop\n")
    for argv in (("generate",), ("generate", "--dry-run"), ("generate", "--diff"), ("diff",)):
        ended = repository.run(*argv)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == (
            f"{WORKFLOW}: was edited by hand since gen-workflow wrote it, and what gen-workflow "
            "wrote is not in the git history (this is not a git repository), so the edit cannot "
            "be merged; nothing was changed\n"
            "  hint: put the edit into the spec, then remove it from the workflow with "
            "`gen-workflow generate --force`\n"
            f"{see('an-edit-that-cannot-be-merged')}"
        )
    assert repository.workflow.read_text() == edited
    assert repository.run("generate", "--force").code == 0
    assert "# mine" not in repository.workflow.read_text()


def test_a_file_that_is_not_ours_is_not_overwritten_without_force(repository: Repository) -> None:
    repository.workflow.parent.mkdir(parents=True)
    repository.workflow.write_text("name: by hand\n")
    message = (
        f"{WORKFLOW}: was not written by gen-workflow; nothing was changed\n"
        "  hint: move it away, or overwrite it with `gen-workflow generate --force`\n"
        f"{see('a-workflow-that-gen-workflow-did-not-write')}"
    )
    assert repository.run("generate") == (1, "", message)
    assert repository.workflow.read_text() == "name: by hand\n"
    assert repository.run("check").code == 1
    assert repository.run("generate", "--force").code == 0


def test_many_problems_have_one_link_for_each_kind_below_them(repository: Repository) -> None:
    repository.spec.write_text(
        "imag: .\n"
        "color: red\n"
        "deploy:\n"
        "  ssh: vps\n"
        '  run: {ports: [8080, 99999, "1:0"], env: 5, nam: x}\n'
        "  health: 7\n"
    )
    ended = repository.run("check")
    *problems, unknown, address, kind = ended.err.splitlines(keepends=True)
    assert [line.partition(" ")[0] for line in problems[::2]] == [
        f"gen-workflow.yml:{place}"
        for place in ("1:1", "2:1", "5:17", "5:23", "5:30", "5:43", "5:46", "6:11")
    ]
    assert all(line.startswith("  hint: ") for line in problems[1::2])
    assert f"{unknown}{address}{kind}" == see(
        "a-key-that-is-not-known", "a-host-an-address-or-a-port", "a-value-of-the-wrong-kind"
    )


def test_a_spec_that_is_wrong_changes_nothing(repository: Repository) -> None:
    repository.run("generate")
    before = repository.workflow.read_text()
    repository.spec.write_text("imag: .\n")
    for verb in ("generate", "check"):
        ended = repository.run(verb)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("gen-workflow.yml:1:1 ")
        assert "Traceback" not in ended.err
    assert repository.workflow.read_text() == before


@pytest.mark.parametrize("verb", ["generate", "check"])
def test_a_missing_spec_shows_how_to_write_one(verb: str, repository: Repository) -> None:
    repository.spec.unlink()
    ended = repository.run(verb)
    assert ended.code == 2
    assert ended.err.startswith("there is no spec gen-workflow.yml\n  hint: a spec can be as short")
    assert "    image: .\n    deploy:\n      ssh: vps\n" in ended.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("check", "-C", "nowhere"), f"nowhere: is not a folder\n{IN_C}"),
        (
            ("check", "--templates", "nowhere"),
            f"nowhere: is not a folder of templates\n{IN_TEMPLATES}",
        ),
        (
            ("check", "--spec", "."),
            f".: cannot be read: Is a directory\n  hint: name a file\n{FILE}",
        ),
        (("check", "-C", ""), f"'': is not a folder\n{IN_C}"),
        (("check", "-C", "::warning::x"), f"\\::warning::x: is not a folder\n{IN_C}"),
        (("check", "-C", "a\n::b"), f"'a\\n::b': is not a folder\n{IN_C}"),
        (("check", "--spec", "pipe"), f"pipe: {ENDLESS}"),
        (("check", "--spec", "zero"), f"zero: {ENDLESS}"),
        (
            ("check", "--spec", "huge"),
            f"huge: {HUGE}",
        ),
    ],
)
def test_a_wrong_argument_is_reported(
    argv: tuple[str, ...], message: str, repository: Repository
) -> None:
    os.mkfifo(repository.folder / "pipe")
    (repository.folder / "zero").symlink_to("/dev/zero")
    with (repository.folder / "huge").open("wb") as file:
        file.truncate(2_000_000_000)
    assert repository.run(*argv) == (2, "", message)


def test_a_workflow_that_is_no_file_is_reported(repository: Repository) -> None:
    repository.workflow.parent.mkdir(parents=True)
    os.mkfifo(repository.workflow)
    for verb in ("check", "generate"):
        message = f"{WORKFLOW}: {ENDLESS}"
        assert repository.run(verb) == (2, "", message)


@pytest.mark.parametrize("spec", ["../other.yml", "/etc/hostname", "a\nb", "a/../../b"])
@pytest.mark.parametrize("verb", ["generate", "check", "commit"])
def test_a_spec_outside_of_the_repository_is_refused(
    verb: str, spec: str, repository: Repository
) -> None:
    message = (
        f"--spec: {spec!r} is not in the repository\n"
        f"  hint: give a path inside DIR, as it is in the repository\n{OPTION}"
    )
    assert repository.run(verb, "--spec", spec) == (2, "", message)


def test_a_spec_outside_of_the_repository_is_refused_also_where_all_is_in_step(
    repository: Repository,
) -> None:
    assert repository.run("generate").code == 0
    for verb in ("check", "generate"):
        ended = repository.run(verb, "--spec", str(repository.spec))
        assert (ended.code, ended.out) == (2, "")
        assert "is not in the repository" in ended.err


def test_a_hint_leads_to_the_same_project(repository: Repository, tmp_path: Path) -> None:
    repository.spec.rename(repository.folder / "other.yml")
    ended = repository.run("check", "-C", str(tmp_path), "--spec", "other.yml")
    assert f"run `gen-workflow generate -C {tmp_path} --spec other.yml` and" in ended.err


def test_a_workflow_below_the_top_of_a_repository_is_warned_of(repository: Repository) -> None:
    below = repository.folder / "services" / "api"
    below.mkdir(parents=True)
    shutil.copy(repository.folder / "Dockerfile", below)
    shutil.copy(repository.spec, below)
    assert repository.run("generate", "-C", str(below)).err == ""
    (repository.folder / ".git").mkdir()
    ended = repository.run("generate", "-C", str(below), "--force")
    (below / WORKFLOW).unlink()
    ended = repository.run("generate", "-C", str(below))
    assert ended.code == 0
    assert ended.err == (
        "warning: GitHub reads workflows at the top of a repository only, which is "
        f"{str(repository.folder)!r}\n"
    )
    assert repository.run("generate").err == ""


def shell(repository: Repository, line: str) -> Ended:
    done = subprocess.run(
        ("bash", "-c", line.replace("gen-workflow ", f"{COMMAND} ")),
        cwd=repository.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("line", ["check", "generate", "generate --stdout", "--help"])
def test_an_output_that_is_full_is_reported(line: str, repository: Repository) -> None:
    repository.run("generate")
    message = f"the standard output cannot be written: No space left on device\n{FILE}"
    assert shell(repository, f"gen-workflow {line} >/dev/full") == (2, "", message)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("verb", "code"), [("check", 1), ("generate", 0), ("check -C no", 2)])
def test_an_output_that_is_closed_changes_nothing(
    verb: str, code: int, redirection: str, repository: Repository
) -> None:
    ended = shell(repository, f"gen-workflow {verb} {redirection}")
    assert ended.code == code
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("line", ["check", "generate --stdout", "--help"])
def test_a_reader_that_never_reads_is_no_error(line: str, repository: Repository) -> None:
    repository.run("generate")
    ended = shell(repository, f"gen-workflow {line} | true; echo ${{PIPESTATUS[0]}}")
    assert ended == (0, "0\n", "")


def test_a_key_of_the_spec_gives_no_orders_to_the_runner(repository: Repository) -> None:
    repository.spec.write_text('"a\\n::error::b": 1\n"##[add-mask]c": 1\n"\\e[2J": 1\nimage: .\n')
    err = repository.run("check").err
    assert not [line for line in err.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in err
    assert "\x1b" not in err


@pytest.mark.parametrize("name", [".github", ".github/workflows"])
def test_a_file_in_the_way_is_reported(name: str, repository: Repository) -> None:
    path = repository.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    message = (
        f"{name}: is a file, and the workflow needs a folder of this name\n"
        "  hint: move it away, or give it another name\n"
        f"{see('a-link-or-a-file-in-the-way')}"
    )
    for verb in ("check", "generate"):
        assert repository.run(verb) == (2, "", message)


def test_a_folder_in_place_of_the_workflow_is_reported(repository: Repository) -> None:
    repository.workflow.mkdir(parents=True)
    message = (
        f"{WORKFLOW}: is a folder, and the workflow needs a file of this name\n"
        "  hint: move it away, or give it another name\n"
        f"{see('a-link-or-a-file-in-the-way')}"
    )
    for verb in ("check", "generate"):
        assert repository.run(verb) == (2, "", message)


def test_a_spec_above_is_named(repository: Repository) -> None:
    (repository.folder / ".git").mkdir()
    below = repository.folder / "src" / "app"
    below.mkdir(parents=True)
    done = subprocess.run(
        (str(COMMAND), "check"), cwd=below, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        (
            "there is no spec gen-workflow.yml\n"
            "  hint: there is one in ../..; run it there, or say `-C ../..`\n"
            f"{see('no-spec')}"
        ),
    )


def test_a_spec_of_another_repository_above_is_not_named(repository: Repository) -> None:
    below = repository.folder / "other"
    (below / ".git").mkdir(parents=True)
    ended = repository.run("check", "-C", "other")
    assert ended.err.startswith("there is no spec other/gen-workflow.yml\n  hint: a spec can be")


def test_a_spec_with_the_other_ending_is_named(repository: Repository) -> None:
    repository.spec.rename(repository.folder / "gen-workflow.yaml")
    assert repository.run("check").err == (
        "there is no spec gen-workflow.yml\n"
        "  hint: there is gen-workflow.yaml; give it this name, or say `--spec gen-workflow.yaml`\n"
        f"{see('no-spec')}"
    )


def test_a_spec_that_is_a_link_to_nothing_is_told_as_one(repository: Repository) -> None:
    repository.spec.unlink()
    repository.spec.symlink_to("shared/gen-workflow.yml")
    assert repository.run("check").err == (
        "gen-workflow.yml: is a link to 'shared/gen-workflow.yml', where no file is\n"
        f"  hint: write that file, or put the spec in place of the link\n{see('no-spec')}"
    )


def test_a_current_folder_that_was_removed_is_no_bug(repository: Repository) -> None:
    line = f"mkdir gone && cd gone && rmdir ../gone && exec {COMMAND} check"
    for more in ("", " --format sarif"):
        done = subprocess.run(
            ("sh", "-c", line + more),
            cwd=repository.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (
            2,
            (
                "the current folder does not exist any more\n"
                f"  hint: change into a folder that is there, or give -C one\n{OPTION}"
            ),
        )


def test_a_reader_that_stops_early_is_no_error(repository: Repository) -> None:
    line = f"{COMMAND} generate --stdout | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ("bash", "-c", line), cwd=repository.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


def test_an_interrupt_is_reported_in_a_word(repository: Repository) -> None:
    templates = repository.folder / "templates"
    templates.mkdir()
    (templates / "header.j2").write_text("[% for i in range(10 ** 12) %][% endfor %]")
    # The kernel sends us a signal when a program reads in the folder.
    is_read = threading.Event()
    before = signal.signal(signal.SIGIO, lambda *_: is_read.set())
    watched = os.open(templates, os.O_RDONLY)
    fcntl.fcntl(watched, fcntl.F_NOTIFY, fcntl.DN_ACCESS)
    with subprocess.Popen(
        (str(COMMAND), "generate", "--stdout", "--templates", "templates"),
        cwd=repository.folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(is_read.is_set, "the template is read")
        os.close(watched)
        signal.signal(signal.SIGIO, before)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 130
        assert process.stderr is not None
        assert process.stderr.read() == "interrupted\n"


@pytest.mark.parametrize("argv", [("--help",), ("generate", "--help"), ("check", "-h")])
def test_help_has_the_options(argv: tuple[str, ...], repository: Repository) -> None:
    ended = repository.run(*argv)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("usage: gen-workflow")


def test_help_has_examples_and_exit_codes(repository: Repository) -> None:
    out = repository.run("--help").out
    assert "examples:\n  gen-workflow generate" in out
    assert "exit codes: 0 done" in out


def test_the_version_is_that_of_the_package(repository: Repository) -> None:
    assert repository.run("--version").out.startswith("gen-workflow 0.")


@pytest.mark.parametrize("linked", [".github", ".github/workflows", WORKFLOW])
def test_a_link_on_the_way_to_the_workflow_is_not_followed(
    linked: str, repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository.run("generate")
    outside = tmp_path_factory.mktemp("outside") / "there"
    path = repository.folder / linked
    path.rename(outside)
    path.symlink_to(outside)
    before = (outside / WORKFLOW.removeprefix(linked).lstrip("/")).stat()
    repository.spec.write_text(repository.spec.read_text() + "name: shop\n")
    message = (
        f"{linked}: is a link to {str(outside)!r}, and GitHub follows no link to a workflow\n"
        "  hint: put a folder or a file of its own there\n"
        f"{see('a-link-or-a-file-in-the-way')}"
    )
    for argv in (("check",), ("generate",), ("generate", "--force")):
        assert repository.run(*argv) == (2, "", message)
    after = (outside / WORKFLOW.removeprefix(linked).lstrip("/")).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_workflow_that_is_in_step_behind_a_link_is_reported(repository: Repository) -> None:
    repository.run("generate")
    (repository.folder / ".github").rename(repository.folder / "there")
    (repository.folder / ".github").symlink_to("there")
    assert repository.run("check").err.startswith(".github: is a link to 'there', and GitHub ")


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("frobnicate",),
        ("check", "--stdout"),
        ("generate", "x"),
        ("generate", "--f"),
        ("generate", "--std"),
        ("--vers",),
    ],
)
def test_what_is_no_command_is_refused(argv: tuple[str, ...], repository: Repository) -> None:
    ended = repository.run(*argv)
    assert ended.code == 2
    assert "usage: gen-workflow" in ended.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "gen-workflow: error: say what to do, such as `gen-workflow generate`; "),
        (("chekc",), "gen-workflow: error: 'chekc' is no verb; perhaps you meant `check`\n"),
        (("zzz",), "gen-workflow: error: 'zzz' is no verb; use one of `generate`, `check`, "),
        (
            ("check", "--jsno"),
            "gen-workflow check: error: '--jsno' is no option; perhaps you meant `--json`\n",
        ),
        (("check", "--zzz=1"), "gen-workflow check: error: '--zzz=1' is no option\n"),
        (("check", "shop"), "gen-workflow check: error: 'shop' is no option\n"),
    ],
)
def test_a_misspelt_word_of_the_command_line_is_told_with_what_was_meant(
    argv: tuple[str, ...], message: str, repository: Repository
) -> None:
    ended = repository.run(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert f"\n{message}" in ended.err
    assert ended.err.startswith(f"usage: {message.partition(':')[0]}")


def test_an_option_before_the_verb_is_told_as_one(repository: Repository) -> None:
    ended = repository.run("-C", "there", "check")
    assert ended.code == 2
    assert "an option stands behind the verb: gen-workflow VERB -C ..." in ended.err


def test_python_can_run_it_as_a_module(repository: Repository) -> None:
    python = COMMAND.with_name("python")
    ended = repository.run("-m", "gen_workflow", "generate", "--stdout", command=python)
    assert ended.out.startswith("# Generated by gen-workflow ")


def test_a_template_of_ours_that_says_something_else_is_reported_as_a_bug(
    repository: Repository, tmp_path: Path
) -> None:
    python = copied(tmp_path, ("templates/job.j2", "[[ job.timeout_minutes ]]", "61"))
    ended = repository.run(*python, "generate", command=COMMAND.with_name("python"))
    assert (ended.code, ended.out) == (3, "")
    assert "does not say what was meant at /jobs/build/timeout-minutes: 60 became 61" in ended.err
    assert "hint: please report the lines above" in ended.err
    assert not repository.workflow.exists()
