"""The files that enter the content address against those that COPY sees on a real engine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import tarfile
from typing import TYPE_CHECKING

import pytest

from ship.build_push import content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed

pytestmark = pytest.mark.needs("packages", "engine")

TREE = (
    "README.md", "README-secret.md", "a b/c d.txt", "app/main.py", "app/__pycache__/main.pyc",
    "app/deep/er/keep.log", "app/deep/er/drop.log", "docs/a.md", "docs/img/logo.png",
    "docs/img/keep/me.png", "foo/bar/x", "foo/bar/y", "foobar/z", "été/ça.txt", "[x]/y", "x{1}/y",
    "node_modules/one/index.js", "node_modules/one/LICENSE", "secret.env", "conf/secret.env",
    "tmp/1", "tmpx/1", "build/out", "src/build/out", "#hash", "!bang", "a^b", "a+b", "-dash",
    "back\\slash", "new\nline", "empty/.keep", "z/1/2/3/4", "Makefile", "keep/only/this",
    "keep/only/that", ".git/config", "pipe|d", "q?", "star*",
)  # fmt: skip
IGNORES = {
    "nothing": "",
    "everything": "*\n",
    "usual": ".git\n**/__pycache__\n*.md\n!README*.md\nREADME-secret.md\nnode_modules\n**/*.env\n",
    "exceptions deep inside": "*\n!keep/only/this\n!app/**/keep.log\n!z/1/2\nz/1/2/3\n!z/1/2/3/4\n",
    "exceptions with wildcards": "docs\nnode_modules\n!**/LICENSE\n!docs/img/k*\ntmp?\n",
    "blanks and a mark": "\ufeff/foo/bar/ \r\n\n#hash\n\\#hash\n  a b/  \n!  \\!x\n",
    "sets and escapes": "[a-d]*\n\\[x\\]\n[^a-z]dash\nback\\\\slash\nq\\?\nstar\\*\nx[^y]1}\n",
    "what means something elsewhere": "a^b\na+b*\n*.{md,env}\nx{1}\npipe|d\nnew?line\n",
    "stars": "**/out\nfoo/**\n**/deep/**/drop.log\nconf**\n**z\n",
    "the files of the build themselves": "Dockerfile\n.dockerignore\nM*\n",
}


@pytest.fixture
def folder(bed: Bed, request: pytest.FixtureRequest) -> Path:
    path = bed.work / f"context-{abs(hash(request.node.name))}"
    path.mkdir()
    return path


@pytest.fixture
def tree(folder: Path) -> Path:
    for number, name in enumerate(TREE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number} {name}")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return folder


def built(bed: Bed, folder: Path, dockerfile: str = "Dockerfile") -> set[content.Entry]:
    """Return what the engine makes of `COPY . /`, in our words."""
    out = folder.with_name(f"{folder.name}.tar")
    bed.runner.run(
        "docker", "buildx", "build", "--provenance=false", "--output", f"type=tar,dest={out}",
        "--file", str(folder / dockerfile), str(folder),
    )  # fmt: skip
    with tarfile.open(out, errors="surrogateescape") as tar:
        return set(_of_tar(tar))


def _of_tar(tar: tarfile.TarFile) -> Iterator[content.Entry]:
    for member in tar:
        path = member.name.removeprefix("./").rstrip("/")
        entry = content.Entry(path, "folder", member.mode, attributes=_attributes(member))
        file = tar.extractfile(member) if member.isreg() or member.islnk() else None
        if file:
            text = file.read()
            digest = hashlib.sha256(text).hexdigest()
            entry = entry._replace(kind="file", content=digest, size=len(text))
        elif member.issym():
            entry = entry._replace(kind="link", mode=0o777, content=member.linkname)
        elif member.isfifo():
            entry = entry._replace(kind="pipe", content="0:0")
        if path:
            yield entry


def _attributes(member: tarfile.TarInfo) -> tuple[tuple[str, bytes], ...]:
    mark = "SCHILY.xattr."
    headers = member.pax_headers.items()
    return tuple((k.removeprefix(mark), v.encode()) for k, v in headers if k.startswith(mark))


def ours(folder: Path, dockerfile: str = "Dockerfile") -> set[content.Entry]:
    return set(content.files(str(folder), str(folder / dockerfile)))


@pytest.mark.parametrize("name", IGNORES)
def test_a_dockerignore_means_what_it_means_to_the_engine(bed: Bed, tree: Path, name: str) -> None:
    (tree / ".dockerignore").write_text(IGNORES[name], newline="")
    assert ours(tree) == built(bed, tree)


def test_a_file_that_the_engine_finds_and_then_sends_empty_is_found(bed: Bed, tree: Path) -> None:
    (tree / ".dockerignore").write_text("foo*\n!foo/bar/x\nfoo/bar\n")
    found = {(each.path, each.kind, each.mode) for each in ours(tree)}
    assert found == {(each.path, each.kind, each.mode) for each in built(bed, tree)}
    assert "foo/bar/x" in {path for path, _, _ in found}


def test_copy_sees_kinds_modes_and_attributes_as_we_do(bed: Bed, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    for mode in (0o600, 0o644, 0o664, 0o755, 0o4750, 0o2755):
        (folder / f"file {mode:o}").write_text("x")
        (folder / f"file {mode:o}").chmod(mode)
    for mode in (0o700, 0o755, 0o775, 0o1777):
        (folder / f"folder {mode:o}").mkdir()
        (folder / f"folder {mode:o}").chmod(mode)
    for name, target in {"out": "/etc/passwd", "loop": "loop", "up": "../..", "in": "b/c"}.items():
        (folder / name).symlink_to(target)
    (folder / "hard").hardlink_to(folder / "file 755")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    with contextlib.suppress(OSError):  # not every file system has them
        os.setxattr(folder / "file 644", "user.origin", b"here")
    with open(os.fsencode(folder) + b"/not utf-8 \xff", "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"x")
    assert ours(folder) == built(bed, folder)


@pytest.mark.parametrize("own", [None, "", "a\n", "*\n!b\n"])
def test_the_engine_takes_the_same_dockerignore(bed: Bed, folder: Path, own: str | None) -> None:
    for name in ("a", "b", "ci/Dockerfile"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("FROM scratch\nCOPY . /\n")
    (folder / ".dockerignore").write_text("b\n")
    if own is not None:
        (folder / "ci/Dockerfile.dockerignore").write_text(own)
    assert ours(folder, "ci/Dockerfile") == built(bed, folder, "ci/Dockerfile")


LINKS = ["../outside", "ci/ignore", "/ci/ignore", "ci/../../ci/ignore", ".dockerignore", "none"]


@pytest.mark.parametrize("target", LINKS)
def test_a_dockerignore_that_is_a_link_is_followed_within_the_context(
    bed: Bed, folder: Path, target: str
) -> None:
    (folder / "context/ci").mkdir(parents=True)
    for name in ("outside", "context/ci/ignore", "context/a"):
        (folder / name).write_text("a\n")
    (folder / "context/.dockerignore").symlink_to(target)
    (folder / "context/Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    assert ours(folder / "context") == built(bed, folder / "context")


def test_an_absolute_link_into_the_context_leads_nowhere(bed: Bed, folder: Path) -> None:
    for name in ("ignore", "a"):
        (folder / name).write_text("a\n")
    (folder / ".dockerignore").symlink_to(folder / "ignore")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    assert "a" in {each.path for each in ours(folder)}
    assert ours(folder) == built(bed, folder)
