"""Measures processes in turns, so that all of them have the same noise of the machine."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "ssh-run"
INSTALLED = Path(sys.executable).with_name("gen-workflow")
LAUNCHER = ROOT / "gen-workflow"
_WARM_UPS = 3


def read_rounds(about: str | None, rounds: int = 0) -> int:
    """Read the command line: `--help`, and the number of rounds when a bench has a default."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if rounds:
        parser.add_argument(
            "rounds", nargs="?", type=int, default=rounds, help=f"how many rounds ({rounds})"
        )
    asked = parser.parse_args()
    # Those with rounds work with the bed of the tests.
    if rounds and not importlib.util.find_spec("ruamel"):
        parser.error(
            f"this Python lacks what a bench needs: run it as .venv/bin/python {sys.argv[0]}"
        )
    return int(getattr(asked, "rounds", 0))


def example() -> Path:
    """Return a copy of the example, without its workflow."""
    folder = Path(tempfile.mkdtemp(prefix="gen-workflow-bench-")) / EXAMPLE.name
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".github"))
    return folder


def compare(commands: dict[str, tuple[str, ...]], budget: float, runs: int = 41) -> int:
    """Print each command's median and its ratio to the first one. Return 1 over the budget."""
    worst = max(show(measure(commands, runs)).values())
    print(f"worst x {worst:.2f}, budget x {budget}")
    return int(worst > budget)


def measure(
    commands: dict[str, tuple[str, ...]], runs: int, before: Callable[[], None] = lambda: None
) -> dict[str, list[float]]:
    """Return the milliseconds of each command, turn by turn; `before` runs before each of them."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + _WARM_UPS):
        for name, argv in commands.items():
            before()
            one = _milliseconds(argv)
            if turn >= _WARM_UPS:
                times[name].append(one)
    return times


def show(times: dict[str, list[float]]) -> dict[str, float]:
    """Print each command's median and its ratio to the first one; return these ratios.

    A ratio is computed within each turn, and the median of these ratios counts.
    """
    base = next(iter(times.values()))
    ratios = {}
    for name, taken in times.items():
        ratio = statistics.median(mine / first for mine, first in zip(taken, base, strict=True))
        ratios[name] = ratio
        print(f"{name:40} {statistics.median(taken):7.1f} ms  min {min(taken):7.1f}  x {ratio:.2f}")
    return ratios


def _milliseconds(argv: tuple[str, ...]) -> float:
    # With compiled modules, as after a user's first run. Some machines turn them off.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, env=env, check=True)
    return (time.perf_counter() - begin) * 1000
