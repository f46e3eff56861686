"""The job that tells people how a run has ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan import runners
from gen_workflow.plan.build import PUSHED
from gen_workflow.plan.inputs import Given
from gen_workflow.workflow.records import Job, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.notify import Notify

_MINUTES = 5
_FAILED = "contains(needs.*.result, 'failure')"
_CANCELLED = "contains(needs.*.result, 'cancelled')"
_RESULT = f"${{{{ {_FAILED} && 'failure' || {_CANCELLED} && 'cancelled' || 'success' }}}}"
_RUN = "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}"
# jq reads each value from the environment: the name of a branch is never a part of a program.
_MESSAGE = r"""[$ENV.JOBS | split("\n")[] | select(test(": skipped$|^$") | not)] as $jobs
  | "\($ENV.GITHUB_REPOSITORY) at \($ENV.GITHUB_REF_NAME): \($ENV.RESULT)" as $title
  | ([$title, $jobs[], $ENV.RUN] | join("\n")) as $text"""
# The address is no argument of a program, which others on the runner could see.
_SCRIPT = """\
if ! {{
  message=$(jq --null-input '
  {message}
  | {form}
  ') &&
  printf 'url = "{address}"\\n' "$WEBHOOK" |
    curl --config - --fail --silent --show-error --output /dev/null --max-time 30 --retry 2 \\
      --header 'Content-Type: application/json' --data "$message"
}}; then
  echo '::warning title=Nobody was told::{title} did not take the message: is its secret right?'
fi
"""


class _Channel(NamedTuple):
    """A service: its name, what it takes in words of jq, and its address, `%s` for the secret."""

    title: str
    form: str
    address: str = "%s"


_CHANNELS = {
    # Slack reads <...> as a mention or a link.
    "slack": _Channel(
        "Slack",
        '{text: ($text | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;"))}',
    ),
    # Discord takes 2,000 characters, and here mentions nobody.
    "discord": _Channel("Discord", "{content: $text[:1900], allowed_mentions: {parse: []}}"),
    "teams": _Channel(
        "Microsoft Teams",
        '{type: "message", attachments: [{contentType: "application/vnd.microsoft.card.adaptive",\n'
        '      content: {type: "AdaptiveCard", version: "1.4",\n'
        '        body: [$text | split("\\n")[] | {type: "TextBlock", text: ., wrap: true}]}}]}',
    ),
    "telegram": _Channel(
        "Telegram",
        "{chat_id: $ENV.CHAT, text: $text[:4000], disable_web_page_preview: true}",
        "https://api.telegram.org/bot%s/sendMessage",
    ),
    "webhook": _Channel(
        "the webhook",
        "{repository: $ENV.GITHUB_REPOSITORY, ref: $ENV.GITHUB_REF_NAME,\n"
        "      commit: $ENV.GITHUB_SHA, result: $ENV.RESULT, jobs: $jobs, run: $ENV.RUN,\n"
        "      text: $text}",
    ),
}


def job(spec: Spec, jobs: Sequence[Job], frame: Frame) -> list[Job]:
    """Return the job, which waits for all others; none when nobody is told."""
    notify = spec.notify
    if notify is None:
        return []
    proposed = [one for one in jobs if one.alias]
    jobs = [one for one in jobs if not one.alias]
    told = Job(
        id="notify",
        name="Tell how it ended",
        origin="notify",
        needs=tuple(one.id for one in jobs),
        condition=_condition(notify, jobs, proposed=bool(proposed)),
        runs_on=frame.runner,
        timeout_minutes=_MINUTES,
        permissions=(),
        # It may keep the secret; no deployment is shown for it.
        more=(("environment", {"name": notify.environment, "deployment": False}),),
        steps=tuple(_steps(notify, jobs)),
    )
    return runners.placed([told], "", spec, frame)


def _condition(notify: Notify, jobs: Sequence[Job], *, proposed: bool) -> str:
    """Return when the job runs: also after a failure, and never for code that is only proposed."""
    found = ["always()", *([PUSHED, "github.event_name != 'merge_group'"] if proposed else [])]
    if notify.on == "failure":
        found.append(_FAILED)
    if notify.on == "success":
        last = [one.id for one in jobs if one.environment] or [one.id for one in jobs]
        any_of_them = " || ".join(f"needs.{name}.result == 'success'" for name in last)
        any_of_them = f"({any_of_them})" if len(last) > 1 else any_of_them
        found += [f"!{_FAILED}", f"!{_CANCELLED}", any_of_them]
    return " && ".join(found)


def _steps(notify: Notify, jobs: Sequence[Job]) -> Iterator[Step]:
    ended = "".join(f"{_plain(one.name)}: ${{{{ needs.{one.id}.result }}}}\n" for one in jobs)
    for name, channel in _CHANNELS.items():
        said = getattr(notify, name)
        if not said:
            continue
        of_telegram = (("CHAT", said.chat),) if name == "telegram" else ()
        yield Step(
            f"Tell {channel.title}",
            run=_SCRIPT.format(message=_MESSAGE, **channel._asdict()),
            env=(
                ("WEBHOOK", said.token if name == "telegram" else said),
                *of_telegram,
                ("JOBS", ended),
                ("RESULT", _RESULT),
                ("RUN", _RUN),
            ),
        )


def _plain(name: str) -> str:
    """Return the name of a job without what its matrix puts there, which other jobs cannot see."""
    return re.sub(r" (?:for )?\$\{\{.*?\}\}", "", name)


def values_from_github(notify: Notify) -> Iterator[Given]:
    """Yield each value that the job takes from GitHub."""
    for name, channel in _CHANNELS.items():
        if name == "telegram" and notify.telegram:
            yield Given(notify.telegram.token, "token of the bot of Telegram")
            yield Given(notify.telegram.chat, "number of the chat of Telegram")
        elif said := getattr(notify, name):
            yield Given(said, f"address that {channel.title} takes messages at")
