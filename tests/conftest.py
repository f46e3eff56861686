"""Selects the tests that a machine can run, and prints the table of what ran and why not.

A tier is the first folder below tests/. A test names what it needs, as in
`@pytest.mark.needs("engine", "npm")`. It is skipped, with the reason, when that is missing. Under
CI a skip is a failure, unless its reason is one of `bed.tools.Cannot`.

`make test` runs what proves each promise once. `make test-all` adds the tests that are marked
`test_all`, which show the same for more cases, and more examples of the property tests.
"""

from __future__ import annotations

import gc
import os
import signal
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from bed import components
from bed.tools import is_allowed
from once import have_folder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

pytest_plugins = ["bed.plugin"]

TESTS = Path(__file__).parent
# In the order in which they run: fast tiers first. Any other folder is a tier at the end.
TIERS = ("unit", "cases", "conformance", "github", "kube", "e2e")
# Of the last two tiers the files that take longest start first, so that no worker has one of them
# left at the end. What takes longest is at the end of the log of CI.
LONGEST = (
    "test_update.py",
    "test_states.py",
    "test_ssh_deploy_compose.py",
    "test_ssh_deploy_proxy.py",
    "test_ssh_deploy.py",
    "test_build_push_builders.py",
    "test_the_path_into_a_cluster.py",
    "test_ssh_deploy_kills.py",
    "test_stories.py",
    "test_the_path.py",
    "test_build_push_tags.py",
    "test_ssh_deploy_releases.py",
    "test_ssh_deploy_hosts.py",
    "test_ssh_deploy_secrets.py",
    "test_ssh_deploy_undo.py",
    "test_ssh_deploy_faults.py",
    "test_ssh_deploy_options.py",
    "test_build_push_images.py",
    "test_ssh_connection.py",
    "test_build_push_faults.py",
    "test_ssh_deploy_neighbours.py",
    "test_ssh_deploy_foreign.py",
    "test_build_push.py",
    "test_ssh_deploy_volumes.py",
    "test_ssh_deploy_guests.py",
    "test_build_push_promotion.py",
    "test_content_address.py",
)
# The files of a group run on one worker, one after another. They share a cluster: each one takes as
# long to start as three tests, and a part of a processor as long as it runs.
TOGETHER = {
    "tests/kube/test_access.py": "the first cluster",
    "tests/kube/test_rollback.py": "the first cluster",
    "tests/kube/test_update.py": "the first cluster",
    "tests/kube/test_faults.py": "the second cluster",
    "tests/kube/test_neighbours.py": "the second cluster",
    "tests/kube/test_states.py": "the second cluster",
}
TEST_ALL = "test_all: shows for more cases what other tests show; runs in `make test-all` alone"
# Examples for each property: the same ones every time in `make test`, new ones in `make test-all`.
FEW = hypothesis.settings(max_examples=100, derandomize=True, deadline=None, database=None)
MANY = hypothesis.settings(max_examples=2000, print_blob=True, deadline=None, database=None)
MARKER = "needs(*components): what must be on the machine, by the names of bed.components"

why_missing = cache(components.why_missing)


def pytest_configure(config: pytest.Config) -> None:
    have_folder(config)
    config.addinivalue_line("markers", MARKER)
    config.addinivalue_line("markers", TEST_ALL)
    hypothesis.settings.register_profile("test", FEW)
    hypothesis.settings.register_profile("test-all", MANY)
    hypothesis.settings.load_profile("test-all" if _runs_all(config) else "test")
    # A shell starts its background processes with SIGINT ignored. The programs that tests start
    # and interrupt would inherit this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Table(), "tiers")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--test-all", action="store_true", help="run what `make test-all` runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_rank(_tier(item.nodeid)), _turn(item.path.name)))
    if not _runs_all(config):
        kept: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for item in items:
            kept[item.get_closest_marker("test_all") is None].append(item)
        items[:] = kept[True]
        config.hook.pytest_deselected(items=kept[False])


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may be switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give whole files to the workers, as `--dist loadfile` says, and a group as one file.

    In `make test-all` a file takes hours, which are more than the start of a cluster.
    """
    if config.getoption("dist") != "loadfile" or _runs_all(config):
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # noqa: PLC0415

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return Scheduling(config, log)


def _turn(file: str) -> int:
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


def _runs_all(config: pytest.Config) -> bool:
    return bool(config.getoption("--test-all"))


def pytest_collection_finish() -> None:
    _look_no_more_at_what_stays()


@pytest.fixture(autouse=True, scope="module")
def _what_a_module_has_loaded_stays() -> Iterator[None]:
    yield
    _look_no_more_at_what_stays()


def _look_no_more_at_what_stays() -> None:
    """Let `gc.collect()` after a test look at what the test has made, and not at all modules."""
    gc.collect()
    gc.freeze()


# When a test leaves more objects than this, `gc.collect()` looks at them no more after the tests
# that follow. They are then a table that the other tests of its file read too.
_MUCH = 5_000


@pytest.fixture(autouse=True)
def _leaks_are_found_in_the_test_that_makes_them() -> Iterator[None]:
    """Who leaves a file or a process open fails, and not a later test that happens to run then.

    So does who leaves a signal ignored: all programs that are started later ignore it too.
    """
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    gc.collect()
    if len(gc.get_objects()) > _MUCH:
        gc.freeze()
    left = [each.name for each, handler in handlers.items() if signal.getsignal(each) != handler]
    for each, handler in handlers.items():
        signal.signal(each, handler)
    assert left == [], "the test has changed what these signals do"


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            if reason := why_missing(name):
                pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_a_skip_under_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_a_skip_under_ci(report)
    return report


def _fail_a_skip_under_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get("CI") != "true":
        return
    if not is_allowed(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure under CI: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def _tier(node: str) -> str:
    parts = Path(node.partition("::")[0]).parts
    return parts[1] if len(parts) > 2 else TESTS.name


def _rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


class Table:
    """Counts what each tier ran and prints it before pytest's own last line."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: dict[str, float] = defaultdict(float)
        self.reasons: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tier = _tier(report.nodeid)
        self.seconds[tier] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.counts[tier][report.outcome] += 1
        if report.skipped:
            self.reasons[tier][_reason(report)] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.counts:
            return
        terminalreporter.section("tiers")
        terminalreporter.line(
            f"{'tier':<12} {'ran':>6} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}"
        )
        for tier in self._tiers():
            terminalreporter.line(self._row(tier))
            for reason, number in self.reasons[tier].most_common():
                terminalreporter.line(f"{'':12} {number} skipped: {reason}")
        if not _runs_all(terminalreporter.config):
            terminalreporter.line(
                "left out: the tests marked test_all, which show the same for more cases; "
                "`make test-all` runs them (docs/testing.md)"
            )

    def _tiers(self) -> list[str]:
        on_disk = {path.parent for path in TESTS.glob("*/**/test_*.py")}
        known = {path.relative_to(TESTS).parts[0] for path in on_disk} | set(self.counts)
        return sorted(known, key=lambda tier: (_rank(tier), tier))

    def _row(self, tier: str) -> str:
        if tier not in self.counts:
            return f"{tier:<12} not asked for"
        count = self.counts[tier]
        passed, failed = count["passed"], count["failed"]
        ran, skipped = f"{passed + failed:>6} {passed:>7} {failed:>7}", f"{count['skipped']:>8}"
        return f"{tier:<12} {ran} {skipped} {self.seconds[tier]:>8.1f}"
