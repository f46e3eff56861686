"""The package that people install has the actions in it, and copies what a checkout copies."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gen_workflow.vendored import lock, ours

ROOT = Path(__file__).parents[4]
FOLDER = ".github/actions/gen-workflow"


@pytest.fixture(name="installed", scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package, and unpack it as an installation does."""
    top = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(top))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = top.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(top / "site")
    return top / "site"


def generate(site: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    spec = "image: .\nactions: vendored\ndeploy: {ssh: vps, run: {}}\n"
    (folder / "gen-workflow.yml").write_text(spec)
    script = "import sys; sys.path.insert(0, sys.argv.pop(1)); from gen_workflow.cli import main; "
    argv = (sys.executable, "-IB", "-c", f"{script}sys.exit(main(sys.argv[1:]))", str(site))
    return subprocess.run(
        (*argv, "generate", "-C", str(folder)), check=False, capture_output=True, text=True
    )


def test_an_installed_package_copies_what_a_checkout_copies(
    installed: Path, tmp_path: Path
) -> None:
    done = generate(installed, tmp_path)
    assert done.returncode == 0, done.stderr
    copy = tmp_path / FOLDER
    held = {
        path.relative_to(copy).as_posix(): path.read_bytes()
        for path in copy.rglob("*")
        if path.is_file() and path.name != lock.NAME
    }
    assert held == ours.files(["build-push", "ssh-deploy"])


def test_a_package_without_the_actions_says_what_to_do(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path / "site", ignore=shutil.ignore_patterns("actions"))
    done = generate(tmp_path / "site", tmp_path)
    assert done.returncode == 2
    assert "was installed without the actions, so it cannot copy them\n  hint: " in done.stderr
    assert not (tmp_path / ".github").exists()
