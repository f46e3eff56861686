"""What the job that tells people sends: its own script, run against a server of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import Job, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unit.generator.conftest import Repository

pytestmark = pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("curl")), reason="needs jq and curl, as a runner has"
)
EVERY = "{slack: A, discord: B, teams: C, telegram: {}, webhook: D}"
# A name that git takes for a branch, and that a shell, Slack or JSON could take for more.
HOSTILE = "x-$(id)`id`\"'<!channel>&@here"
RUN = "https://github.com/acme/shop/actions/runs/7"


class Server:
    """A server that takes messages, and answers each with one status."""

    def __init__(self, address: str, taken: list[Any]) -> None:
        self.address = address
        self.taken = taken


@contextmanager
def serving(status: int) -> Iterator[Server]:
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}/hook", taken)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def job(repository: Repository, notify: str, more: str = "") -> Job:
    text = f"image: .\nnotify: {notify}\ndeploy: {{ssh: vps, run: {{}}}}\n{more}"
    spec = load(text.encode(), "gen-workflow.yml", str(repository.folder))
    (found,) = (one for one in pipeline.workflows(spec, table())[0].jobs if one.id == "notify")
    return found


def step(repository: Repository, title: str) -> Step:
    steps = (one for one in job(repository, EVERY).steps if isinstance(one, Step))
    return next(one for one in steps if one.name == f"Tell {title}")


def run(step: Step, webhook: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a step as the runner does, with what GitHub would put in its variables."""
    script = step.run.replace("https://api.telegram.org/bot%s/sendMessage", "%s")
    ended = "Build and push the image: success\nDeploy to production: failure\nSmoke: skipped\n"
    env = {
        "PATH": os.environ["PATH"],
        "WEBHOOK": webhook,
        "JOBS": ended,
        "RESULT": "failure",
        "RUN": RUN,
        "CHAT": "-100",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_REF_NAME": HOSTILE,
        "GITHUB_SHA": "1" * 40,
    }
    return subprocess.run(
        ("bash", "-e", "-c", script.replace("--retry 2", "")),
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


LINES = [
    f"acme/shop at {HOSTILE}: failure",
    "Build and push the image: success",
    "Deploy to production: failure",
    RUN,
]
ESCAPED = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
MESSAGES = {
    "Slack": {"text": "\n".join(LINES).replace(HOSTILE, ESCAPED)},
    "Discord": {"content": "\n".join(LINES), "allowed_mentions": {"parse": []}},
    "Telegram": {
        "chat_id": "-100",
        "text": "\n".join(LINES),
        "disable_web_page_preview": True,
    },
    "the webhook": {
        "repository": "acme/shop",
        "ref": HOSTILE,
        "commit": "1" * 40,
        "result": "failure",
        "jobs": LINES[1:3],
        "run": RUN,
        "text": "\n".join(LINES),
    },
}


@pytest.mark.parametrize("title", MESSAGES)
def test_a_service_gets_the_result_of_each_job(title: str, repository: Repository) -> None:
    with serving(200) as server:
        ended = run(step(repository, title), server.address)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert server.taken == [("application/json", MESSAGES[title])]


def test_teams_gets_a_card_with_a_block_for_each_line(repository: Repository) -> None:
    with serving(202) as server:
        assert run(step(repository, "Microsoft Teams"), server.address).returncode == 0
    ((_, message),) = server.taken
    (card,) = message["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["text"] for block in card["content"]["body"]] == LINES


@pytest.mark.parametrize("title", [*MESSAGES, "Microsoft Teams"])
def test_a_message_that_is_not_taken_is_a_warning_and_no_failure(
    title: str, repository: Repository
) -> None:
    with serving(404) as server:
        ended = run(step(repository, title), server.address)
    warning = f"::warning title=Nobody was told::{title} did not take the message"
    assert ended.returncode == 0
    assert ended.stdout == f"{warning}: is its secret right?\n"


def test_a_secret_that_is_not_there_is_a_warning(repository: Repository) -> None:
    ended = run(step(repository, "Slack"), "")
    assert ended.returncode == 0
    assert "::warning title=Nobody was told::Slack" in ended.stdout


def test_the_address_is_no_argument_of_a_program(repository: Repository) -> None:
    for one in job(repository, EVERY).steps:
        assert isinstance(one, Step)
        (line,) = (line for line in one.run.splitlines() if "WEBHOOK" in line)
        assert line.split()[0] == "printf", "a part of bash itself"


def test_it_waits_for_every_job_that_a_push_can_run(repository: Repository) -> None:
    more = "test: make\njobs: {a: {permissions: {}, runs-on: x, timeout-minutes: 5, steps: [a]}}\n"
    assert job(repository, "slack", more).needs == ("test", "build", "deploy", "a")


CONDITIONS = {
    "failure": "contains(needs.*.result, 'failure')",
    "success": "!contains(needs.*.result, 'failure') && !contains(needs.*.result, 'cancelled')"
    " && needs.deploy.result == 'success'",
    "always": "",
}


@pytest.mark.parametrize("when", CONDITIONS)
def test_it_runs_when_the_spec_says_and_never_for_what_is_only_proposed(
    when: str, repository: Repository
) -> None:
    proposed = "github.event_name != 'pull_request' && github.event_name != 'merge_group'"
    wanted = [part for part in ("always()", proposed, CONDITIONS[when]) if part]
    assert job(repository, f"{{slack: A, on: {when}}}").condition == " && ".join(wanted)
