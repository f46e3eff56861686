"""A command that has nothing to do loads nothing slow, and no verb loads what another needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gen_workflow

FOLDER = Path(gen_workflow.__file__).parents[1]
SLOW = (
    "argparse",
    "dataclasses",
    "github",
    "hashlib",
    "jinja2",
    "json",
    "pathlib",
    "ruamel.yaml",
    "typing",
)


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_where_all_is_in_step_nothing_slow_is_imported(verb: str, tmp_path: Path) -> None:
    (tmp_path / "gen-workflow.yml").write_text("image: .\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    program = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r}); base = set(sys.modules);"
        f"sys.argv[1:] = [{verb!r}, '-C', {str(tmp_path)!r}];"
        "from gen_workflow.__main__ import main; main(); print(*(set(sys.modules) - base))"
    )
    python = (sys.executable, "-I", "-c", program)
    subprocess.run(python, check=True, capture_output=True)
    subprocess.run(
        (sys.executable, "-m", "gen_workflow", "generate", "-C", str(tmp_path)),
        check=True,
        capture_output=True,
    )
    done = subprocess.run(python, check=True, capture_output=True, text=True)
    modules = done.stdout.splitlines()[-1].split()
    assert "gen_workflow.sync.stamp" in modules
    assert not {name for name in modules if name in SLOW}


def test_generate_never_imports_what_only_commit_needs() -> None:
    program = (
        "import sys; from gen_workflow import cli;"
        "from gen_workflow.commands import check, generate;"
        "print('github' in sys.modules, 'requests' in sys.modules, 'argparse' in sys.modules)"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False"] * 3


def test_a_deploy_to_a_host_loads_nothing_of_clusters_and_clouds(tmp_path: Path) -> None:
    (tmp_path / "gen-workflow.yml").write_text("image: .\ndeploy: {ssh: vps, run: {}}\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    modules = printed_by("", "print(*sys.modules, file=sys.stderr)", tmp_path)
    assert "gen_workflow.plan.ssh" in modules
    rooms = {f"gen_workflow.{room}" for room in ("spec", "plan")}
    others = ("kubernetes", "workloads", "clouds", "cloud", "gitops")
    assert not {f"{room}.{name}" for room in rooms for name in others} & {*modules}
    assert "gen_workflow.uses.places" not in modules  # there is no lock of GitHub's


def test_a_compose_file_is_read_once_for_all_environments(tmp_path: Path) -> None:
    names = [f"region-{number}" for number in range(4)]
    (tmp_path / "gen-workflow.yml").write_text(
        "images: {api: ., web: .}\ndeploy: {compose: compose.yml, dir: /opt/shop}\nenvironments:\n"
        + "".join(f"  {name}: {{on: main, ssh: {name}}}\n" for name in names)
    )
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "compose.yml").write_text("services: {api: {image: api}, web: {image: web}}\n")
    note = (
        "opened = []; sys.addaudithook("
        "lambda event, given: opened.append(given[0]) if event == 'open' else None);"
    )
    opened = printed_by(note, "print(*opened, file=sys.stderr)", tmp_path)
    assert opened.count(str(tmp_path / "compose.yml")) == 1


def printed_by(before: str, after: str, folder: Path) -> list[str]:
    """Return what `after` prints to stderr, word by word; `before` runs before a `generate`."""
    program = (
        f"import sys; {before} sys.argv[1:] = ['generate', '--stdout', '-C', {str(folder)!r}];"
        f"from gen_workflow.__main__ import main; main(); {after}"
    )
    argv = (sys.executable, "-c", program)
    return subprocess.run(argv, check=True, capture_output=True, text=True).stderr.split()
