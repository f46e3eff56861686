"""Measures `generate`, against a Python that only imports the packages that it needs.

First with the spec of the example, then with one that gives 60 jobs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from paired import INSTALLED, LAUNCHER, compare, example, read_rounds

BUDGET = 1.5
# 60 jobs take at most a second when the imports take 100 ms.
BUDGET_OF_60_JOBS = 10.0
IMAGES, ENVIRONMENTS = 24, 12  # each image has two jobs: one for pull requests
IMPORTS = (sys.executable, "-c", "import jinja2, ruamel.yaml")
SHARED = "{compose: compose.yml, dir: /opt/shop, env: [DB_URL], health: https://example.com/health}"


def main() -> int:
    """Print the comparisons. Return 1 when one is over its budget."""
    read_rounds(__doc__)
    small = compare(_commands(example()), BUDGET)
    folder = monorepo()
    print(f"{_jobs(folder)} jobs")
    return small | compare(_commands(folder), BUDGET_OF_60_JOBS, runs=11)


def _commands(folder: Path) -> dict[str, tuple[str, ...]]:
    options = ("generate", "--stdout", "-C", str(folder))
    return {
        "python -c 'import jinja2, ruamel.yaml'": IMPORTS,
        "gen-workflow generate --stdout": (str(INSTALLED), *options),
        "./gen-workflow generate --stdout": (str(LAUNCHER), *options),
    }


def monorepo() -> Path:
    """Return a folder with a spec of many images, which go to many environments."""
    folder = Path(tempfile.mkdtemp(prefix="gen-workflow-bench-"))
    images = [f"service-{number:02}" for number in range(IMAGES)]
    for name in images:
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    services = [f"  {name}:\n    image: ghcr.io/acme/shop/{name}\n" for name in images]
    (folder / "compose.yml").write_text("services:\n" + "".join(services), encoding="utf-8")
    regions = [f"region-{number:02}" for number in range(ENVIRONMENTS)]
    spec = ["images:", *(f"  {name}: {name}" for name in images), f"deploy: {SHARED}"]
    spec += ["environments:", *(f"  {name}: {{on: main, ssh: {name}}}" for name in regions)]
    (folder / "gen-workflow.yml").write_text("\n".join(spec) + "\n", encoding="utf-8")
    return folder


def _jobs(folder: Path) -> int:
    """Return how many jobs the workflow has that builds and deploys."""
    argv = (str(INSTALLED), "generate", "-C", str(folder))
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    text = (folder / ".github/workflows/ci-cd.yml").read_text("utf-8")
    return text.count("\n    runs-on: ")


if __name__ == "__main__":
    sys.exit(main())
