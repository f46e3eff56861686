"""Measures the step of our own action, against a Python that does nothing.

In step, out of step with an environment that the runner kept, and, once each, the very first use:
with uv and with pip, from what their caches hold. A cache that is empty adds the download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from paired import INSTALLED, ROOT, compare, example, read_rounds

PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
BUDGET = 12.0  # a check that is out of step takes at most 0.2 s when Python takes 15 ms


def main() -> int:
    """Print the comparison. Return 1 when it is over the budget."""
    read_rounds(__doc__)
    kept = Path(tempfile.mkdtemp(prefix="gen-workflow-bench-"))
    folder, other = example(), example()
    for each in (folder, other):
        subprocess.run((str(INSTALLED), "generate", "-C", str(each)), check=True)
    with (other / "gen-workflow.yml").open("a", encoding="utf-8") as spec:
        spec.write("on: develop\n")
    for name in ("uv", "pip"):
        shutil.rmtree(kept)
        kept.mkdir()
        start = time.monotonic()
        subprocess.run(step(other, kept, uv=name == "uv"), check=False, capture_output=True)
        print(f"the first use, with {name}: {time.monotonic() - start:.1f} s")
    return compare(
        {
            "python3 -I -c pass": (PYTHON, "-I", "-c", "pass"),
            "in step": step(folder, kept),
            "not in step": ("sh", "-c", '"$@" 2>/dev/null; true', "-", *step(other, kept)),
        },
        BUDGET,
        runs=21,
    )


def step(folder: Path, kept: Path, *, uv: bool = True) -> tuple[str, ...]:
    """Return the command of the step, as a runner starts it in a clean environment."""
    with_uv = Path(sys.prefix) / "bin" / "uv"
    tools = Path(tempfile.mkdtemp(prefix="gen-workflow-bench-"))
    for name in ("sh", "cmp", "readlink", "bash"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").symlink_to(PYTHON)
    if uv:
        (tools / "uv").symlink_to(with_uv)
    given = {
        "PATH": str(tools),
        "HOME": os.environ.get("HOME", "/"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "RUNNER_TOOL_CACHE": str(kept),
        "INPUT_MODE": "check",
        "INPUT_DIRECTORY": str(folder),
        "INPUT_SPEC": "gen-workflow.yml",
    }
    line = 'exec "$GITHUB_ACTION_PATH/gen-workflow" step'
    return ("env", "-i", *(f"{k}={v}" for k, v in given.items()), "bash", "-e", "-c", line)


if __name__ == "__main__":
    sys.exit(main())
