"""Measures kubectl-set-image against `kubectl set image` with `kubectl rollout status`.

It runs on a real cluster of the test bed. For a good rollout both do the same: they set the image,
and end when the new pods are ready. `stability` is 0, as kubectl does not wait any longer. For bad
rollouts the time counts until the cause is named, which kubectl never does: it ends at its timeout.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

from paired import ROOT, read_rounds

ROUNDS = 7
# Before the imports of what only .venv has, so that --help prints help with any Python.
ASKED_ROUNDS = read_rounds(__doc__, ROUNDS) if __name__ == "__main__" else ROUNDS

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "actions" / "lib")]

from bed.command import CommandFailed  # noqa: E402 - found in the folder of the tests
from bed.kube.cluster import Cluster  # noqa: E402
from kube.app import ABSENT, App  # noqa: E402

WARM_UPS = 1
# The action may take this much longer than kubectl for a good rollout: 150 ms and one poll.
OVERHEAD_BUDGET_MS = 1150
# After a state shows on a pod, its cause has to be named within this time and the grace of it.
VERDICT_BUDGET_SECONDS = 5
KUBECTL_TIMEOUT_SECONDS = 60
# Bad versions, with the seconds after which their states show and count: a crash counts twice, and
# an image that is missing has a grace of 20 s, as the node has tried it a second time by then.
BAD = {"crash": 3, "missing": 21}


class Contest:
    """A Deployment of two replicas, and both ways to update it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._tags = itertools.cycle(("ok2", "ok3"))
        app.create()

    def good(self) -> dict[str, float]:
        """Return the milliseconds of each contestant for a good rollout."""
        return {
            "kubectl": self._kubectl(self._image()) * 1000,
            "kubectl-set-image": self._ours(self._image(), stability="0")[0] * 1000,
        }

    def bad(self, name: str) -> dict[str, float]:
        """Return the seconds until each contestant ends for a bad version."""
        image = ABSENT if name == "missing" else self._app.image(name)
        seconds, cause = self._ours(image, on_failure="keep")
        print(f"  kubectl-set-image says {cause}")
        self._ours(self._image())
        found = {"kubectl-set-image": seconds, "kubectl": self._kubectl(image)}
        self._ours(self._image())
        return found

    def _image(self) -> str:
        return self._app.image(next(self._tags))

    def _ours(self, image: str, **inputs: str) -> tuple[float, str]:
        begin = time.perf_counter()
        done = self._app.update(f"app={image}", **inputs)
        seconds = time.perf_counter() - begin
        self._app.wait_gone()
        return seconds, done.outputs["cause"]

    def _kubectl(self, image: str) -> float:
        here = ("-n", self._app.namespace)
        begin = time.perf_counter()
        kubectl = self._app.cluster.kubectl
        kubectl(*here, "set", "image", "deployment/web", f"app={image}")
        try:
            limit = f"--timeout={KUBECTL_TIMEOUT_SECONDS}s"
            kubectl(*here, "rollout", "status", "deployment/web", limit)
        except CommandFailed as error:
            print(f"  kubectl says {str(error).strip().splitlines()[-1]}")
        seconds = time.perf_counter() - begin
        self._app.wait_gone()
        return seconds


def main() -> int:
    """Print the comparisons. Return 1 when one is over its budget."""
    with (
        Cluster() as cluster,
        cluster.namespace() as namespace,
        tempfile.TemporaryDirectory() as folder,
    ):
        contest = Contest(App(cluster, namespace, Path(folder)))
        return overhead(contest) | verdicts(contest)


def overhead(contest: Contest) -> int:
    """Compare good rollouts, in turns."""
    rounds = [contest.good() for _ in range(ASKED_ROUNDS + WARM_UPS)][WARM_UPS:]
    for name in rounds[0]:
        print(f"{name:40} {statistics.median(each[name] for each in rounds):7.0f} ms")
    more = statistics.median(each["kubectl-set-image"] - each["kubectl"] for each in rounds)
    print(f"a good rollout: {more:.0f} ms more than kubectl, budget {OVERHEAD_BUDGET_MS} ms")
    return int(more > OVERHEAD_BUDGET_MS)


def verdicts(contest: Contest) -> int:
    """Compare the time to a verdict."""
    worst = 0
    for name, shows in BAD.items():
        found = contest.bad(name)
        budget = shows + VERDICT_BUDGET_SECONDS
        for who, seconds in found.items():
            print(f"{name:8} {who:31} {seconds:7.1f} s")
        print(f"{name}: budget {budget} s")
        worst |= int(found["kubectl-set-image"] > budget)
    return worst


if __name__ == "__main__":
    sys.exit(main())
