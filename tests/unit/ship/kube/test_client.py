"""Requests to the API server: what is sent again, what is not, and what an answer means."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_api import Answer, Fault, KubeApi, Request, status
from ship.kube import client as module
from ship.kube.client import (
    APPLY,
    JSON_PATCH,
    STRATEGIC,
    Client,
    Refused,
    Unanswered,
)
from ship.kube.kinds import DEPLOYMENT, path
from ship.runner.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = DEPLOYMENT.path("shop", "web")
PATCH = {"metadata": {"annotations": {"a": "b"}}}
LOST = Fault(cut="before")


@pytest.fixture(autouse=True)
def _web(api: KubeApi) -> None:
    api.put({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1}})


def test_an_object_is_read_and_one_connection_serves_all_requests(
    client: Client, api: KubeApi
) -> None:
    assert client.get(WEB)["spec"] == {"replicas": 1}
    assert client.get(WEB)["metadata"]["name"] == "web"
    assert len(api.asked) == 2


def test_a_refusal_has_the_reason_and_the_words_of_the_server(client: Client) -> None:
    with pytest.raises(Refused) as raised:
        client.get(DEPLOYMENT.path("shop", "wbe"))
    assert (raised.value.status, raised.value.reason) == (404, "NotFound")
    assert raised.value.message == 'deployments.apps "wbe" not found'


@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        Fault(cut="within"),
        Fault(status(429, "slow down", Retry_After="2")),
        Fault(status(500, "etcdserver: leader changed")),
        Fault(status(503, "the server is currently unable to handle the request")),
        Fault(status(504, "the request did not complete within the requested timeout")),
        Fault(Answer(502, "dial tcp 10.0.0.1:6443: connect: connection refused\n")),
        Fault(Answer(500, "dial tcp 10.0.0.1:6443: connect: connection refused\n")),
        Fault(status(401, "Unauthorized")),
    ],
)
def test_a_question_is_asked_again_after_a_fault_that_passes(
    client: Client, api: KubeApi, fault: Fault
) -> None:
    api.fail(fault, times=2)
    assert client.get(WEB)["metadata"]["name"] == "web"
    assert len(api.asked) == 3


def test_the_server_says_how_long_we_wait(client: Client, api: KubeApi, slept: list[float]) -> None:
    api.fail(Fault(status(429, "slow down", Retry_After="3")), Fault(status(429, "slow down")))
    api.fail(Fault(status(503, "busy", Retry_After="3600")))
    api.fail(Fault(status(503, "busy", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")))
    client.get(WEB)
    assert slept == [3.0, 0.5, module.LONGEST_WAIT_SECONDS, 2.0]


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 410, 422])
def test_a_refusal_that_stays_is_told_at_once(client: Client, api: KubeApi, code: int) -> None:
    api.fail(Fault(status(code, "no")))
    with pytest.raises(Refused, match="no"):
        client.get(WEB)
    assert len(api.asked) == 1


def test_a_token_that_is_refused_is_tried_three_times_and_then_told(
    client: Client, api: KubeApi
) -> None:
    api.fail(Fault(status(401, "Unauthorized")), times=9)
    with pytest.raises(Refused, match="Unauthorized"):
        client.get(WEB)
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        LOST._replace(done=True),
        Fault(cut="within"),
        Fault(Answer(200, "garbage"), done=True),
        Fault(Answer(200, "[1]"), done=True),
        Fault(Answer(502, "EOF\n"), done=True),
    ],
)
def test_a_change_whose_answer_is_lost_is_sent_once(
    client: Client, api: KubeApi, fault: Fault
) -> None:
    api.fail(fault)
    with pytest.raises(Unanswered):
        client.patch(WEB, PATCH, STRATEGIC)
    assert len(api.sent("PATCH")) == 1
    assert client.get(WEB)["metadata"]["name"] == "web", "the next request has a new connection"


@pytest.mark.parametrize("code", [500, 503, 504])
def test_a_change_that_the_server_could_not_end_is_sent_once(
    client: Client, api: KubeApi, code: int
) -> None:
    api.fail(Fault(status(code, "etcdserver: request timed out"), done=True))
    with pytest.raises((Refused, Unanswered), match="timed out"):
        client.patch(WEB, PATCH, STRATEGIC)
    assert len(api.sent("PATCH")) == 1


@pytest.mark.parametrize("code", [401, 429])
def test_a_change_that_was_refused_before_it_was_made_is_sent_again(
    client: Client, api: KubeApi, code: int
) -> None:
    api.fail(Fault(status(code, "not now")))
    changed = client.patch(WEB, PATCH, STRATEGIC)
    assert changed["metadata"]["annotations"] == {"a": "b"}
    assert len(api.sent("PATCH")) == 2


def test_a_rehearsal_is_sent_again_and_changes_nothing(client: Client, api: KubeApi) -> None:
    api.fail(LOST._replace(done=True), Fault(status(500, "leader changed"), done=True))
    rehearsed = client.patch(WEB, PATCH, STRATEGIC, query={"dryRun": "All"})
    assert rehearsed["metadata"]["annotations"] == {"a": "b"}
    assert "annotations" not in client.get(WEB)["metadata"]


def test_an_apply_is_sent_again_as_it_does_no_more_the_second_time(
    client: Client, api: KubeApi
) -> None:
    api.fail(LOST._replace(done=True))
    where = path("api/v1", "shop", "secrets", "env")
    body = {"kind": "Secret", "metadata": {"name": "env"}, "data": {}}
    assert client.patch(where, body, APPLY, is_safe=True)["data"] == {}
    assert len(api.sent("PATCH")) == 2


def test_every_change_names_who_makes_it(client: Client, api: KubeApi) -> None:
    client.patch(WEB, PATCH, STRATEGIC)
    assert api.sent("PATCH")[0].query == {"fieldManager": "gen-workflow"}


def test_a_stale_version_is_a_conflict(client: Client, api: KubeApi) -> None:
    version = client.get(WEB)["metadata"]["resourceVersion"]
    api.edit("Deployment", "web", lambda found: found["spec"].update(replicas=2))
    patches: list[tuple[object, str]] = [
        ({"metadata": {"resourceVersion": version}}, STRATEGIC),
        ([{"op": "replace", "path": "/metadata/resourceVersion", "value": version}], JSON_PATCH),
    ]
    for body, media_type in patches:
        with pytest.raises(Refused, match="has been modified") as raised:
            client.patch(WEB, body, media_type)
        assert raised.value.status == 409


def test_a_list_comes_page_by_page(client: Client, api: KubeApi) -> None:
    for number in range(7):
        api.put({"kind": "Pod", "metadata": {"name": f"p{number}", "labels": {"app": "web"}}})
    pods = path("api/v1", "shop", "pods")
    found = client.items(pods, labelSelector="app=web", limit="3")
    assert [each["metadata"]["name"] for each in found] == [f"p{number}" for number in range(7)]
    assert [each.query.get("continue") for each in api.asked] == [None, "3", "6"]
    assert {each.query["labelSelector"] for each in api.asked} == {"app=web"}


def test_a_fault_in_the_midst_of_a_list_loses_no_object(client: Client, api: KubeApi) -> None:
    for number in range(5):
        api.put({"kind": "Pod", "metadata": {"name": f"p{number}"}})
    pods = path("api/v1", "shop", "pods")
    found: Iterator[object] = client.items(pods, limit="2")
    next(found)
    api.fail(Fault(cut="within"), LOST)
    assert len(list(found)) == 4


@pytest.mark.parametrize("body", [{"items": None, "metadata": None}, {}, {"items": []}])
def test_a_list_without_anything_is_empty(
    client: Client, api: KubeApi, body: dict[str, object]
) -> None:
    api.fail(Fault(Answer(200, body)))
    assert list(client.items("/api/v1/namespaces/shop/pods")) == []


@pytest.mark.parametrize("text", ["<html>", "[]", '"x"', "null", "", "[" * 100_000])
def test_what_is_no_object_is_no_answer(
    client: Client, api: KubeApi, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fail(Fault(Answer(200, text)))
    assert client.get(WEB)["metadata"]["name"] == "web", "it is asked again"
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    api.fail(Fault(Answer(200, text)), times=9999)
    with pytest.raises(Unanswered, match=r"^the API server sent something that is not an object$"):
        client.get(WEB)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "Table", "message": "x"}, '{"kind": "Table", "message": "x"}'),
        ({"kind": "Status"}, ""),
        ({"kind": "Status", "message": None, "reason": 4}, ""),
        ("<html>\n<b>no</b>\n", "<html> <b>no</b>"),
        ("[" * 100_000, "[" * 2000),
    ],
)
def test_a_refusal_in_another_form_is_quoted_on_one_line(
    client: Client, api: KubeApi, body: dict[str, object] | str, said: str
) -> None:
    api.fail(Fault(Answer(403, body)))
    with pytest.raises(Refused) as raised:
        client.get(WEB)
    assert raised.value.message == said


def test_an_answer_without_end_does_not_fill_the_memory(
    client: Client, api: KubeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BODY_LIMIT", 1000)
    api.fail(Fault(Answer(200, {"x": "y" * 2000})), Fault(Answer(200, {"x": "y" * 900})))
    assert len(client.get(WEB)["x"]) == 900


def test_a_log_is_text_whatever_bytes_it_has(client: Client, api: KubeApi) -> None:
    api.put({"kind": "Pod", "metadata": {"name": "p"}})
    api.logs["p app previous"] = "exec /bin/app: exec format error\n::error::no\n"
    where = path("api/v1", "shop", "pods", "p") + "/log"
    said = client.text(where, container="app", previous="true")
    assert said == "exec /bin/app: exec format error\n::error::no\n"


def test_a_server_that_is_not_there_is_told_after_our_patience(tmp_path: object) -> None:
    client = Client(f"{tmp_path}/nothing")
    client.hurry(0.05)
    with pytest.raises(Unanswered, match="the proxy of kubectl does not run any more"):
        client.get(WEB)


def test_after_a_cancel_no_request_begins_when_the_time_is_over(
    client: Client, api: KubeApi, slept: list[float]
) -> None:
    """GitHub kills a step ten seconds after the signal, however many requests are left."""
    client.get(WEB)
    api.fail(Fault(status(503, "busy", Retry_After="9")))
    client.hurry(5)
    with pytest.raises(Refused, match="busy"):
        client.get(WEB)
    assert slept == [], "the server wants us to wait for longer than there is time"
    assert client.get(WEB)["metadata"]["name"] == "web"
    client.hurry(0)
    with pytest.raises(Unanswered, match="no time is left for another request"):
        client.get(WEB)
    assert len(api.asked) == 3


def test_a_pod_is_deleted_only_if_it_is_still_the_same(client: Client, api: KubeApi) -> None:
    api.put({"kind": "Pod", "metadata": {"name": "p", "uid": "new"}})
    where = path("api/v1", "shop", "pods", "p")
    client.delete(where, "old")
    assert api.of_kind("Pod"), "another pod has the name by now"
    client.delete(where, "new")
    client.delete(where, "new")
    assert not api.of_kind("Pod")


def test_a_pod_that_we_may_not_delete_is_told(client: Client, api: KubeApi) -> None:
    api.put({"kind": "Pod", "metadata": {"name": "p", "uid": "u"}})
    api.forbidden.add("delete pods")
    with pytest.raises(Refused, match="cannot delete"):
        client.delete(path("api/v1", "shop", "pods", "p"), "u")


def test_after_an_interruption_no_answer_is_taken_for_that_of_another_request(
    client: Client, api: KubeApi
) -> None:
    """The interrupted request was answered, and nobody has read that."""

    def interrupt(_: int, __: object) -> None:
        raise Interrupted.of("the run was cancelled")

    def signal_us(_: Request) -> None:
        api.before = lambda _: None
        os.kill(os.getpid(), signal.SIGUSR1)

    api.put({"kind": "Deployment", "metadata": {"name": "api"}, "spec": {}})
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        api.before = signal_us
        with pytest.raises(Interrupted):
            client.get(WEB)
    finally:
        signal.signal(signal.SIGUSR1, before)
    changed = client.patch(DEPLOYMENT.path("shop", "api"), PATCH, STRATEGIC)
    assert changed["metadata"]["name"] == "api"


@given(st.text(min_size=1))
def test_no_name_leaves_its_place_in_a_path(name: str) -> None:
    try:
        found = path("api/v1", name, "pods", name)
    except UnicodeEncodeError:  # a lone surrogate, which no input holds
        return
    assert found.isascii()
    assert found.count("/") == 6
    assert not set(found) & set(" \r\n?#")
