"""What is uploaded with a compose project, and what is not let out of its folder."""

from __future__ import annotations

import base64
import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from ship.runner.command import Secret
from ship.runner.reader import Reader
from ship.ssh_deploy.compose import files as compose_files
from ship.ssh_deploy.compose.files import Upload, dotenv, read_upload

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for path in ("deploy/compose.yml", "deploy/conf/a.conf", "deploy/conf/sub/b.conf", "outside"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def upload(workspace: Path, compose: str = "deploy/compose.yml", files: str = "") -> Upload:
    read = Reader({"INPUT_COMPOSE": compose, "INPUT_FILES": files})
    found = read_upload(read, str(workspace))
    read.done()
    return found


def problems(workspace: Path, compose: str = "deploy/compose.yml", files: str = "") -> list[str]:
    read = Reader({"INPUT_COMPOSE": compose, "INPUT_FILES": files})
    read_upload(read, str(workspace))
    return [problem.what for problem in read.problems]


def unpacked(archive: Secret, folder: Path) -> None:
    subprocess.run(
        ["tar", "-xzpf", "-", "-C", str(folder)],
        input=base64.b64decode(archive.reveal()),
        check=True,
    )


def test_paths_are_relative_to_the_first_compose_file(workspace: Path) -> None:
    (workspace / "deploy" / "compose.prod.yml").write_text("x")
    found = upload(workspace, "deploy/compose.yml\ndeploy/compose.prod.yml", "conf")
    assert found.compose == ("compose.yml", "compose.prod.yml")
    assert found.paths == (
        "compose.yml", "compose.prod.yml", "conf/a.conf", "conf/sub/b.conf"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "paths"),
    [
        ("conf/a.conf", ["conf/a.conf"]),
        ("conf/", ["conf/a.conf", "conf/sub/b.conf"]),
        ("./conf/*.conf", ["conf/a.conf"]),
        ("**/*.conf", ["conf/a.conf", "conf/sub/b.conf"]),
    ],
)
def test_files_are_files_folders_and_patterns(
    workspace: Path, files: str, paths: list[str]
) -> None:
    assert list(upload(workspace, files=files).paths) == ["compose.yml", *paths]


def test_an_archive_is_the_same_each_time_and_keeps_modes(workspace: Path, tmp_path: Path) -> None:
    (workspace / "deploy" / "conf" / "run").write_text("#!/bin/sh")
    (workspace / "deploy" / "conf" / "run").chmod(0o755)
    found = upload(workspace, files="conf")
    packed = io.BytesIO(base64.b64decode(found.archive().reveal()))
    with tarfile.open(fileobj=packed) as archive:
        owners = {(each.uid, each.uname, each.mtime) for each in archive.getmembers()}
    assert owners == {(0, "", 0)}
    far = tmp_path / "far"
    far.mkdir()
    unpacked(found.archive(), far)
    assert (far / "conf" / "sub" / "b.conf").read_text() == "deploy/conf/sub/b.conf"
    assert (far / "conf" / "run").stat().st_mode & 0o777 == 0o755


def test_a_link_within_the_folder_is_uploaded_as_what_it_shows(
    workspace: Path, tmp_path: Path
) -> None:
    (workspace / "deploy" / "link.conf").symlink_to("conf/a.conf")
    far = tmp_path / "far"
    far.mkdir()
    unpacked(upload(workspace, files="link.conf").archive(), far)
    assert (far / "link.conf").read_text() == "deploy/conf/a.conf"
    assert not (far / "link.conf").is_symlink()


@pytest.mark.parametrize(
    ("files", "reported"),
    [
        ("../outside", "'../outside' is outside the folder that is uploaded"),
        ("/etc/passwd", "is outside the folder that is uploaded"),
        ("out", "'out' is outside the folder that is uploaded"),
        ("conf/out-folder", "'conf/out-folder' is outside the folder"),
        ("nothing", "'nothing' matches no file"),
        ("images.gen-workflow.yml", "is written by the deploy itself"),
        ("inner", "'inner' is a link to a folder"),
    ],
)
def test_what_cannot_be_uploaded_is_named(workspace: Path, files: str, reported: str) -> None:
    deploy = workspace / "deploy"
    (deploy / "out").symlink_to("../outside")
    (deploy / "conf" / "out-folder").symlink_to("../..")
    (deploy / "images.gen-workflow.yml").write_text("x")
    (deploy / "folder").mkdir()
    (deploy / "folder" / "inner").symlink_to("../conf")
    if files == "inner":
        files, reported = "folder", "'folder/inner' is a link to a folder"
    found = problems(workspace, files=files)
    assert found, files
    assert reported in found[0]


def test_a_compose_file_above_the_first_is_outside(workspace: Path) -> None:
    (workspace / "base.yml").write_text("x")
    assert problems(workspace, "deploy/compose.yml\nbase.yml") == [
        "'../base.yml' is outside the folder that is uploaded"
    ]


def test_what_is_too_large_is_named_with_the_largest(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose_files, "MOST_BYTES", 2 << 20)
    (workspace / "deploy" / "conf" / "dump.sql").write_bytes(b"x" * (3 << 20))
    reported = problems(workspace, files="conf")
    assert reported == [
        (
            "3 MiB are too much to upload with each deploy; "
            "the largest file is 'conf/dump.sql' with 3 MiB"
        )
    ]


def test_a_digest_changes_with_what_is_below_it(workspace: Path) -> None:
    found = upload(workspace, files="conf")
    before = found.digest("conf")
    assert found.digest("data") == ""
    (workspace / "deploy" / "conf" / "sub" / "b.conf").write_text("new")
    assert found.digest("conf") != before
    assert found.digest("conf/a.conf") == upload(workspace, files="conf").digest("conf/a.conf")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "A='plain'\n"),
        ('$a "b" #c\nd \\n', "A='$a \"b\" #c\nd \\n'\n"),
        ("it's $x", 'A="it\'s \\$x"\n'),
        ("end\\", 'A="end\\\\"\n'),
        ("a\r\nb", 'A="a\\r\\nb"\n'),
    ],
)
def test_a_value_is_quoted_as_compose_reads_it(value: str, text: str) -> None:
    # That it does is shown with the real one in tests/e2e/test_ssh_deploy_compose.py.
    assert dotenv({"A": Secret(value)}).reveal() == text


def test_a_file_that_can_be_run_now_has_another_digest(workspace: Path) -> None:
    found = upload(workspace, files="conf")
    before = found.digest("conf")
    (workspace / "deploy" / "conf" / "a.conf").chmod(0o600)
    assert found.digest("conf") == before
    (workspace / "deploy" / "conf" / "a.conf").chmod(0o744)
    assert found.digest("conf") != before
