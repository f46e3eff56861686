"""Measures `generate`, cookiecutter, copier and projen, which all write the same workflows.

These are the two of the example. The templates of cookiecutter and copier are their text, and the
program for projen has their data; each fills in the same few values. So no rival checks a spec,
plans jobs, or reads again what it wrote. The rivals are installed from PyPI and npm into the
cache, outside of the checkout. One that cannot be installed is left out, and said so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from paired import INSTALLED, ROOT, example, measure, read_rounds, show

ROUNDS = 21
# Before the imports of what only .venv has, so that --help prints help with any Python.
ASKED_ROUNDS = read_rounds(__doc__, ROUNDS) if __name__ == "__main__" else ROUNDS

from ruamel.yaml import YAML  # noqa: E402 - as said above

sys.path[:0] = [str(ROOT / "tests")]

from bed import cache  # noqa: E402 - found in the folder of the tests

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "gen-workflow generate"
PYPI = ("cookiecutter==2.7.1", "copier==9.19.1")
NPM = ("projen@0.103.25", "constructs@10.4.2")
INSTALL_SECONDS = 600
# What the workflows say of the app, each as the name of a value and its text.
VALUES = {"host": "VPS", "port": "8080:8080", "variable": "GREETING", "health": "/health"}
WORKFLOWS = (".github/workflows/ci-cd.yml", ".github/workflows/rollback.yml")
# Jinja's own delimiters are those of GitHub's expressions.
DELIMITERS = {
    "variable_start_string": "[[",
    "variable_end_string": "]]",
    "block_start_string": "[%",
    "block_end_string": "%]",
    "comment_start_string": "[#",
    "comment_end_string": "#]",
}
# What projen calls otherwise than GitHub.
CAMEL = {"runs-on": "runsOn", "timeout-minutes": "timeoutMinutes", "on": "triggers"}
PROJEN = """\
const { Project } = require("projen");
const { GitHub } = require("projen/lib/github");

const values = VALUES;
const filled = (text) => text.replace(/\\[\\[ (\\w+) ]]/g, (_, name) => values[name]);
const project = new Project({ name: "shop", outdir: FOLDER });
const github = new GitHub(project, { mergify: false, pullRequestLint: false });
for (const [name, said] of Object.entries(JSON.parse(filled(TEXT)))) {
  const workflow = github.addWorkflow(name);
  workflow.on(said.triggers);
  workflow.addJobs(said.jobs);
  for (const key of ["name", "on", "permissions", "concurrency"]) {
    workflow.file.addOverride(key, said[key]);
  }
}
project.synth();
"""


class Rival(NamedTuple):
    """A rival: what starts it, and where it writes the workflows."""

    argv: tuple[str, ...]
    output: Path


def main() -> int:
    """Print the table. Return 1 when a rival is not slower than we are, or none was measured."""
    work = Path(tempfile.mkdtemp(prefix="gen-workflow-bench-"))
    folder = example()
    ours = (str(INSTALLED), "generate", "-C", str(folder))
    subprocess.run(ours, check=True, stdout=subprocess.DEVNULL)
    texts = {name: (folder / name).read_text("utf-8") for name in WORKFLOWS}
    rivals = {
        **_installed("pip", PYPI, lambda installed: _of_python(installed, work, texts)),
        **_installed("npm", NPM, lambda installed: _of_node(installed, work, texts)),
    }
    os.environ["HOME"] = str(work)  # where cookiecutter looks for settings, and keeps answers
    for name, rival in rivals.items():
        subprocess.run(rival.argv, check=True, stdout=subprocess.DEVNULL)
        _same(name, rival.output, texts)

    def clean() -> None:
        for output in (folder, *(rival.output for rival in rivals.values())):
            shutil.rmtree(output / ".github", ignore_errors=True)

    imports = "import jinja2, ruamel.yaml"
    floors = {
        "python -c pass": (sys.executable, "-c", "pass"),
        f"python -c '{imports}'": (sys.executable, "-c", imports),
    }
    commands = {name: rival.argv for name, rival in rivals.items()}
    ratios = show(measure({OURS: ours, **commands, **floors}, ASKED_ROUNDS, clean))
    faster = [name for name in rivals if ratios[name] <= 1]
    print(f"as fast as {OURS}, or faster: {', '.join(faster) or 'none'}")
    return int(bool(faster) or not rivals)


def _installed(
    installer: str, packages: tuple[str, ...], of: Callable[[Path], dict[str, Rival]]
) -> dict[str, Rival]:
    """Install packages into the cache, unless they are there, and return their programs."""
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    folder = cache.folder() / f"rivals-{installer}-{digest}"
    ready = folder / "ready"  # written last
    try:
        with cache.lock("rivals"):
            if not ready.exists():
                _install(installer, packages, folder)
                ready.touch()
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        print(f"SKIPPED: {installer} cannot install {', '.join(packages)}: {said[-1]}")
        return {}
    return of(folder)


def _install(installer: str, packages: tuple[str, ...], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    commands = {
        "pip": (
            (sys.executable, "-m", "venv", str(folder)),
            (str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *packages),
        ),
        "npm": (("npm", "install", "--prefix", str(folder), "--no-audit", *packages),),
    }
    folder.mkdir()
    for argv in commands[installer]:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)


def _of_python(installed: Path, work: Path, texts: dict[str, str]) -> dict[str, Rival]:
    """Return cookiecutter and copier, each with a template that gives the workflows."""
    cookie, copied = work / "cookiecutter", work / "copier"
    settings = {"name": "shop", **VALUES, "_jinja2_env_vars": DELIMITERS}
    _write(cookie / "cookiecutter.json", json.dumps(settings))
    questions = {name: {"type": "str", "default": value} for name, value in VALUES.items()}
    _write(copied / "copier.yml", json.dumps({"_envops": DELIMITERS, **questions}))
    for name, text in texts.items():
        _write(cookie / "[[cookiecutter.name]]" / name, _template(text, "[[ cookiecutter.{} ]]"))
        _write(copied / f"{name}.jinja", _template(text, "[[ {} ]]"))
    made, where = work / "cookiecutter-made", work / "copier-made"
    return {
        "cookiecutter": Rival(
            (str(installed / "bin/cookiecutter"), "--no-input", "-f", "-o", str(made), str(cookie)),
            made / "shop",
        ),
        "copier": Rival(
            (str(installed / "bin/copier"), "copy", "--defaults", "--force", "--quiet",
             str(copied), str(where)),
            where,
        ),
    }  # fmt: skip


def _of_node(installed: Path, work: Path, texts: dict[str, str]) -> dict[str, Rival]:
    """Return projen, with a program that gives the workflows."""
    where = work / "projen-made"
    said = {Path(name).stem: _for_projen(_data(text)) for name, text in texts.items()}
    program = PROJEN.replace("VALUES", json.dumps(VALUES)).replace("FOLDER", json.dumps(str(where)))
    text = _template(json.dumps(said), "[[ {} ]]")
    _write(work / "projenrc.js", program.replace("TEXT", json.dumps(text)))
    os.environ["NODE_PATH"] = str(installed / "node_modules")
    return {"projen": Rival(("node", str(work / "projenrc.js")), where)}


def _for_projen(workflow: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a workflow in the form in which projen wants it."""
    triggers = {_camel(key): value or {} for key, value in workflow["on"].items()}
    jobs = {}
    for name, job in workflow["jobs"].items():
        outputs = {key: _output(value) for key, value in job.get("outputs", {}).items()}
        jobs[name] = {CAMEL.get(key, key): value for key, value in job.items()}
        jobs[name] |= {"outputs": outputs} if outputs else {}
    return {**workflow, "triggers": triggers, "jobs": jobs}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(map(str.capitalize, rest))


def _output(value: str) -> dict[str, str]:
    """Return the step and the name of an output, from `${{ steps.STEP.outputs.NAME }}`."""
    _, step, _, name = value.strip("${ }").split(".")
    return {"stepId": step, "outputName": name}


def _template(text: str, form: str) -> str:
    """Return a text with the names of the values in place of the values."""
    for name, value in VALUES.items():
        text = text.replace(value, form.format(name))
    return text


def _same(name: str, output: Path, texts: dict[str, str]) -> None:
    """Make sure that a rival has written the workflows: the text, or what GitHub does with it."""
    for path, text in texts.items():
        there = (output / path).read_text("utf-8")
        assert there == text or _meaning(there) == _meaning(text), f"{name}: {path}"


def _meaning(text: str) -> Any:
    """Return the data of a workflow, but for what projen always adds and leaves out.

    It gives every step an id, and writes no empty `permissions`.
    """
    found = _data(text)
    if not found.get("permissions"):
        found.pop("permissions", None)
    for job in found["jobs"].values():
        for step in job["steps"]:
            step.pop("id", None)
    return found


def _data(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
