"""Who is told how a run has ended."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

import re
from typing import Annotated, Any

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import FromSecret, OrExpression, source_name
from gen_workflow.spec.forms import Checked, Form, Schema
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr

CHANNELS = ("slack", "discord", "teams", "telegram", "webhook")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


class _Secret(Form[str]):
    """The name of a secret, or an expression that is one."""

    def __init__(self, name: str) -> None:
        self._hint = f"write the name of a secret, such as {name}"
        self._expression = FromSecret("it", self._hint)

    def read(self, value: Value, reading: Reading) -> str | None:
        if value.kind == "text" and re.fullmatch(_NAME, value.text):
            named = source_name(value, value.text, reading)
            return f"${{{{ secrets.{value.text} }}}}" if named else None
        return self._expression.read(value, reading)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string", "pattern": f"^{_NAME}$"}, self._expression.schema()]}


def _channel(title: str, name: str) -> Key:
    says = f"{title}: the secret that holds the address of its webhook"
    return Key(says, _Secret(name), name, "0.1.0")


class Telegram(NamedTuple):
    """A bot of Telegram, and the chat that it writes to."""

    token: Annotated[
        str,
        Key(
            "Secret that holds the token of the bot",
            _Secret("TELEGRAM_TOKEN"),
            "TELEGRAM_TOKEN",
            "0.1.0",
        ),
    ] = "${{ secrets.TELEGRAM_TOKEN }}"  # noqa: S105 - its name
    chat: Annotated[
        str,
        Key(
            "Number of the chat, or the name of a public one",
            OrExpression(
                "a chat", r"-?[0-9]+|@[A-Za-z0-9_]+", 'write its number in quotes: "-1001234567890"'
            ),
            '"-1001234567890"',
            "0.1.0",
        ),
    ] = "${{ vars.TELEGRAM_CHAT }}"


class Notify(NamedTuple):
    """What is told, and through which services."""

    on: Annotated[
        str,
        Key(
            "When: `failure` if a job has failed, `success` if something was deployed and nothing "
            "has failed, or `always`",
            values.OneOf("failure", "success", "always"),
            "always",
            "0.1.0",
        ),
    ] = "failure"
    slack: Annotated[str, _channel("Slack", "SLACK_WEBHOOK")] = ""
    discord: Annotated[str, _channel("Discord", "DISCORD_WEBHOOK")] = ""
    teams: Annotated[str, _channel("Microsoft Teams", "TEAMS_WEBHOOK")] = ""
    telegram: Annotated[
        Telegram | None,
        Key("Telegram: `{}`, or a mapping", Section(Telegram), "{}", "0.1.0"),
    ] = None
    webhook: Annotated[str, _channel("Any other service that takes JSON", "NOTIFY_WEBHOOK")] = ""
    environment: Annotated[
        str,
        Key(
            "Environment of GitHub that the job has, and may keep its secrets",
            values.ENVIRONMENT,
            "operations",
            "0.1.0",
        ),
    ] = "notifications"


def _has_a_channel(fields: Fields, reading: Reading) -> None:
    if not ({*CHANNELS} & {*fields.values} or fields.has_others):
        hint = f"name one of {listed(CHANNELS)}, such as slack: SLACK_WEBHOOK"
        reading.problem(fields.where, "tells nobody", hint, Heading.MISSING_KEY)


NOTIFY = Section(Notify, rule=_has_a_channel)


def _of_word(value: Value, reading: Reading) -> Notify | None:
    """Return what one word says: a channel, with its usual secret."""
    if value.text == "telegram":
        return Notify(telegram=Telegram())
    if value.text in CHANNELS:
        usual = "NOTIFY" if value.text == "webhook" else value.text.upper()
        address: dict[str, Any] = {value.text: f"${{{{ secrets.{usual}_WEBHOOK }}}}"}
        return Notify(**address)
    hint = near(value.text, CHANNELS) or f"use one of {listed(CHANNELS)}"
    reading.problem(value, f"{value.text!r} is no such service", hint, Heading.WRONG_VALUE)
    return None


NOTIFICATIONS = ShortOr(
    Checked(_of_word, {"enum": [*CHANNELS]}), "a service", "notify: slack", NOTIFY
)
