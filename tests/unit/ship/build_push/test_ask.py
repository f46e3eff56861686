"""The versions in the registry, and what follows when not all of them are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles import Answer, Answers, HttpRegistry
from ship.build_push.ask import with_versions
from ship.build_push.inputs import read_inputs
from ship.images.registry.client import Client
from unit.ship.build_push.given import context, inputs

if TYPE_CHECKING:
    from pathlib import Path

    from ship.build_push.inputs import Inputs

ALL: Answer = (200, {}, '{"tags": ["1.2.2", "latest"]}')
PART: Answer = (200, {"Link": "<https://elsewhere.example.com/2?n=1>; rel=next"}, ALL[2])


def versions(workspace: Path, answer: Answer, times: int = 1) -> tuple[Inputs, str]:
    """Return the inputs of a run for the tag v1.2.3, and the address of the registry."""
    answers: Answers = {"GET /v2/acme/app/tags/list": [answer], "GET /v2/": [(200, {}, "")]}
    with HttpRegistry(answers) as server, Client(lambda _: None, {}, back_off=()) as client:
        run = context(workspace, ref="refs/tags/v1.2.3")
        want = read_inputs(inputs(image=f"{server.address}/acme/app"), run)
        for _ in range(times):
            want = with_versions(want, client)
    return want, server.address


def test_moving_tags_move_where_all_versions_are_known(workspace: Path) -> None:
    want, _ = versions(workspace, ALL)
    assert "latest" in want.images[0].metadata.tag_names
    assert want.notices == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (PART, "{0} lists only a part of the tags of acme/app: its next page is another list"),
        ((403, {}, ""), "{0} refuses acme/app (403)"),
    ],
)
def test_moving_tags_stay_where_not_all_versions_are_known_and_the_reason_is_said_once(
    workspace: Path, answer: Answer, why: str
) -> None:
    want, address = versions(workspace, answer, times=2)
    assert not {"latest", "1", "1.2"} & set(want.images[0].metadata.tag_names)
    said = f"The action does not know all the versions in the registry: {why.format(address)}"
    assert want.notices == (said,)
