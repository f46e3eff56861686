"""What an answer of the API server means for a person; the texts are those of kubectl 1.32."""

from __future__ import annotations

import pytest

from ship.kube.client import Refused, Unanswered
from ship.kube.refusal import problem_of

SERVER = "https://k8s.example.com"


@pytest.mark.parametrize(
    ("said", "hint", "anchor"),
    [
        ("getting credentials: exec: executable aws not found", "login of the cloud", "login"),
        ("getting credentials: exec: executable aws failed with exit code 255", "cloud", "login"),
        ("dial tcp: lookup k8s.example.com: no such host", "does not know the name", "answer"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "such as a VPN", "answer"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "such as a VPN", "answer"),
        ("net/http: TLS handshake timeout", "such as a VPN", "answer"),
        ("tls: failed to verify certificate: x509: unknown authority", "another CA", "answer"),
        ("ConnectionError: the proxy of kubectl does not run any more (x)", "memory", "answer"),
        ("EOF", "look at the API server and at the network between", "answer"),
        ("", "look at the API server and at the network between", "answer"),
    ],
)
def test_no_answer_has_its_next_act(said: str, hint: str, anchor: str) -> None:
    problem = problem_of(Unanswered(said), SERVER)
    assert problem.what == f"the API server {SERVER} does not answer: {said or 'it gave no reason'}"
    assert hint in problem.hint
    assert anchor in problem.anchor


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [
        (401, "does not accept the login of the kubeconfig: no", "a token expires"),
        (403, "the cluster refuses it: no", "bind the Role"),
        (404, "the cluster refuses it: no", "run the step again"),
        (409, "the cluster refuses it: no", "run the step again"),
        (500, "the API server answered 500: no", "look at its log"),
    ],
)
def test_a_refusal_has_its_next_act(status: int, said: str, hint: str) -> None:
    problem = problem_of(Refused(status, "", "no"), SERVER)
    assert said in problem.what
    assert hint in problem.hint
    assert problem.anchor


def test_a_text_of_several_lines_becomes_one_of_a_length_that_can_be_read() -> None:
    problem = problem_of(Unanswered("a\n::error::b\r\n" + "x" * 5000), SERVER)
    assert "\n" not in problem.what
    assert len(problem.what) < 1200
