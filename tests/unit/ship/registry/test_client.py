from __future__ import annotations

import pytest

from doubles import CHALLENGE, OPEN_REGISTRY, TOKEN, UPLOAD, Answer, Answers, HttpRegistry
from ship.command import Secret
from ship.context import Context
from ship.errors import StepFailed
from ship.push_advice import advice
from ship.reference import Name
from ship.registry import Client, Credential, Refusal

UNLINKED = "permission_denied: write_package"
TOO_WEAK = "installation not allowed to Write organization package"
DENIED: Answer = (403, {}, f'{{"errors": [{{"code": "DENIED", "message": "{UNLINKED}"}}]}}')
ACME = Context(repository="Acme/App")


def ask(server: HttpRegistry) -> Refusal | None:
    me = Credential("me", Secret("t0ken"))
    return Client(lambda _: me, {}, back_off=(0, 0)).check_push(Name(server.address, "acme/app"))


def test_a_push_that_is_allowed_leaves_no_upload_behind() -> None:
    with HttpRegistry(OPEN_REGISTRY) as server:
        assert ask(server) is None
    assert server.asked[-1] == "DELETE /v2/acme/app/blobs/uploads/1"


def test_a_token_is_fetched_where_the_registry_says() -> None:
    answers: Answers = {"GET /v2/": [CHALLENGE], "GET /token": [TOKEN], "POST /v2/": [UPLOAD]}
    with HttpRegistry(answers) as server:
        assert ask(server) is None
    assert server.asked[:3] == ["GET /v2/", "GET /token", "POST /v2/acme/app/blobs/uploads/"]


def test_the_registrys_own_words_for_a_refusal_are_kept() -> None:
    answers: Answers = {"GET /v2/": [CHALLENGE], "GET /token": [TOKEN], "POST /v2/": [DENIED]}
    with HttpRegistry(answers) as server:
        assert ask(server) == Refusal("push", 403, UNLINKED)
    assert len(server.asked) == 3, "a refusal is final and is not asked for again"


def test_a_wrong_password_is_told_from_a_missing_right() -> None:
    refused: Answer = (403, {}, '{"errors": [{"code": "DENIED", "message": "denied"}]}')
    with HttpRegistry({"GET /v2/": [CHALLENGE], "GET /token": [refused]}) as server:
        assert ask(server) == Refusal("login", 403, "denied")


def test_a_busy_registry_is_asked_again() -> None:
    answers: Answers = {**OPEN_REGISTRY, "POST /v2/": [(429, {}, ""), (503, {}, ""), UPLOAD]}
    with HttpRegistry(answers) as server:
        assert ask(server) is None


def test_a_registry_that_is_away_is_given_up_with_its_name() -> None:
    with HttpRegistry({}) as server:
        pass
    with pytest.raises(StepFailed, match=f"{server.address} does not answer"):
        ask(server)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_that_stays_busy_is_not_the_users_fault(status: int) -> None:
    told = pytest.raises(StepFailed, match=f"is busy or broken .{status}")
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [(status, {}, "")]}) as server, told:
        ask(server)


def test_an_upload_that_cannot_be_taken_back_is_no_failure() -> None:
    with HttpRegistry({**OPEN_REGISTRY, "DELETE /v2/": [(500, {}, "")]}) as server:
        assert ask(server) is None
    assert len(server.asked) == 3


@pytest.mark.parametrize("host", ["127.evil.example", "localhost.example.com", "127.0.0.1.nip.io"])
def test_a_password_goes_in_clear_to_this_machine_only(host: str) -> None:
    answer = (401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="s"'}, "")
    with HttpRegistry({"GET /v2/": [answer]}) as server:
        refusal = ask(server)
    assert refusal
    assert refusal.message == "the registry names no token service"


def test_a_password_does_not_follow_a_redirect() -> None:
    away: Answer = (302, {"Location": "http://127.0.0.1:1/elsewhere"}, "")
    with HttpRegistry({"GET /v2/": [CHALLENGE], "GET /token": [away]}) as server:
        assert ask(server) == Refusal("login", 302, "")


@pytest.mark.parametrize(
    ("refusal", "path", "told"),
    [
        (
            Refusal("push", 403, UNLINKED),
            "acme/app",
            "Manage Actions access",
        ),
        (
            Refusal("push", 403, TOO_WEAK),
            "acme/app",
            "packages: write",
        ),
        (Refusal("push", 401, ""), "acme/app", "packages: write"),
        (Refusal("push", 403, "denied"), "other/app", "can push below ghcr.io/acme/ only"),
        (Refusal("login", 403, "denied"), "acme/app", "leave `password` out"),
    ],
)
def test_a_refusal_of_ghcr_names_the_next_act(refusal: Refusal, path: str, told: str) -> None:
    problem = advice(refusal, Name("ghcr.io", path), "me", ACME)
    assert told in problem.hint
    assert str(refusal.status) in problem.what


def test_a_refusal_of_another_registry_speaks_of_that_one() -> None:
    problem = advice(Refusal("login", 401, "no"), Name("docker.io", "acme/app"), "me", ACME)
    assert "docker.io does not let 'me' in (401 no)" in problem.what
    assert "GHCR" not in problem.hint
