"""`kubectl proxy` beside us: when it serves, why it does not, and that it is ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles import ScriptedProcess, ScriptedRunner
from ship.kube import proxy as module
from ship.kube.proxy import proxy
from ship.runner.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = ("--kubeconfig=/tmp/x/config", "--context=prod")


class Ending(ScriptedProcess):
    """A program that prints and ends at once."""

    def __init__(self, *lines: str, to_stderr: bool = True) -> None:
        super().__init__()
        self._lines = lines
        self._to_stderr = to_stderr

    def begin(
        self,
        on_stdout: Callable[[str], None] | None,
        on_stderr: Callable[[str], None] | None,
        on_end: Callable[[], None] | None,
    ) -> None:
        super().begin(on_stdout, on_stderr, on_end)
        for line in self._lines:
            self.print(line, to_stderr=self._to_stderr)
        self.end(1)


def test_the_proxy_listens_on_a_socket_and_never_on_a_port() -> None:
    process = ScriptedProcess("Starting to serve on /tmp/x/api.sock")
    runner = ScriptedRunner(processes=[process])
    with proxy(runner, "/tmp/x", OPTIONS) as when_it_serves:
        assert when_it_serves() == "/tmp/x/api.sock"
        assert not process.ended
    assert process.ended
    [command] = runner.ran
    assert command.argv == ("kubectl", "proxy", "--unix-socket=/tmp/x/api.sock", *OPTIONS)
    assert command.env == {"KUBERC": "off"}


def test_the_proxy_is_ended_whatever_happens_meanwhile() -> None:
    process = ScriptedProcess("Starting to serve on /tmp/x/api.sock")

    def fails() -> None:
        with proxy(ScriptedRunner(processes=[process]), "/tmp/x", ()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert process.ended


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ('error: context "nope" does not exist',),
            'could not start its proxy: error: context "nope" does not exist',
        ),
        (
            (
                "error: The gcp auth plugin has been removed.",
                'Please use the "gke-gcloud-auth-plugin" kubectl/client-go plugin instead.',
                "See https://cloud.google.com/blog/ for further details",
            ),
            "The gcp auth plugin has been removed.",
        ),
        ((), "it said nothing"),
    ],
)
def test_a_proxy_that_does_not_start_says_why(lines: tuple[str, ...], said: str) -> None:
    with (
        pytest.raises(StepFailed, match=said),
        proxy(ScriptedRunner(processes=[Ending(*lines)]), "/tmp/x", ()) as when_it_serves,
    ):
        when_it_serves()


def test_a_proxy_that_does_not_start_is_told_when_it_is_needed_and_not_before() -> None:
    with proxy(ScriptedRunner(processes=[Ending("error: no")]), "/tmp/x", ()):
        pass


def test_a_proxy_that_says_nothing_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.01)
    process = ScriptedProcess()
    with (
        pytest.raises(StepFailed, match="it said nothing within"),
        proxy(ScriptedRunner(processes=[process]), "/tmp/x", ()) as when_it_serves,
    ):
        when_it_serves()
    assert process.ended
