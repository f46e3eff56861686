"""What a person is told when a registry refuses a push: each row of the table, each login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.images.login import GIVEN, JOB, NONE, STORED, Login
from ship.images.push_advice import ROWS, Adviser, row_for
from ship.images.reference import Name
from ship.images.registry.credentials import Credential
from ship.images.registry.refusal import API, LOGIN, PUSH, SET_TAG, Refusal
from ship.runner.command import Secret
from ship.runner.context import Context

if TYPE_CHECKING:
    from ship.runner.errors import Problem

ACME = Context(repository="Acme/App")
UNLINKED = "permission_denied: write_package"
TOO_WEAK = "installation not allowed to Write organization package"
ECR = "1.dkr.ecr.eu-west-1.amazonaws.com"
SHOP = "registry.example.com"


def advised(
    refusal: Refusal,
    name: str = "ghcr.io/acme/app",
    source: str = JOB,
    context: Context = ACME,
    given_for: str = "ghcr.io",
) -> Problem:
    known = Name.parse(name)
    assert known
    credential = None if source == NONE else Credential("me", Secret("t0ken"))
    logins = {known.registry: Login(source, credential)}
    return Adviser(logins, given_for, context).advise(refusal, known)


# Answers of registries, with the number of the row of the table that is meant for them.
CASES = [
    (0, SHOP, Refusal(PUSH, 400, "The image tag cannot be overwritten because the tag is "
                      "immutable.", "TAG_INVALID"), "has this tag of acme/app already", "type=sha"),
    (0, SHOP, Refusal(SET_TAG, 412, "Failed to process request due to 'app:1' configured as "
                      "immutable.", "PRECONDITION"), "lets no tag be overwritten", "started again"),
    (0, SHOP, Refusal(SET_TAG, 400, "repository does not allow updating assets: docker"),
     "lets no tag be overwritten", "`type=sha`"),
    (0, SHOP, Refusal(PUSH, 0, "The image tag 'x' exists", "tag invalid"), "already", ""),
    (1, SHOP, Refusal(PUSH, 403, "adding 3 MiB of storage resource exceeds the configured upper "
                      "limit", "DENIED"), "a quota or limit is reached", "delete old images"),
    (2, SHOP, Refusal(PUSH, 402, "pay"), "before something is paid", "the plan and the bills"),
    (2, "ghcr.io", Refusal(PUSH, 402, "pay"), "before something is paid", "bills"),
    (3, "ghcr.io", Refusal(PUSH, 404, ""), "ghcr.io does not find acme/app", "the owner"),
    (4, "ghcr.io", Refusal(PUSH, 403, "not_found: owner not found", "DENIED"),
     "knows no owner acme", "correct the owner"),
    (5, ECR, Refusal(PUSH, 404, "The repository with name 'acme/app' does not exist in the "
                     "registry with id '1'", "NAME_UNKNOWN"), "has no repository acme/app",
     "aws ecr create-repository --repository-name acme/app"),
    (5, SHOP, Refusal(PUSH, 0, "The repository with name 'x' does not exist", "name unknown"),
     "has no repository acme/app", "create the repository acme/app there, or"),
    (6, SHOP, Refusal(PUSH, 404, ""), "does not create it by a push", "create the repository"),
    (7, SHOP, Refusal(PUSH, 400, "invalid repository name", "NAME_INVALID"),
     "does not accept acme/app as a name", "a project or an owner"),
    (8, SHOP, Refusal(PUSH, 0, "read only", "unsupported"), "it is read-only", "a mirror"),
    (8, SHOP, Refusal(PUSH, 405, "The operation is unsupported.", "UNSUPPORTED"),
     "it is read-only", "a mirror"),
    (9, "ghcr.io", Refusal(PUSH, 405, ""), "it is read-only", "maintenance"),
    (10, SHOP, Refusal(PUSH, 413, ""), "it is too large", "client_max_body_size"),
    (10, "ghcr.io", Refusal(PUSH, 413, ""), "it is too large", "make the layer smaller"),
    (11, "ghcr.io", Refusal(PUSH, 451, "legal", "DENIED"), "legal reasons", "the operator"),
    (12, SHOP, Refusal(SET_TAG, 400, "manifest invalid", "MANIFEST_INVALID"),
     "this kind of image", "`provenance`"),
    (12, SHOP, Refusal(SET_TAG, 415, "unsupported media type"), "this kind of image", "`sbom`"),
    (13, ECR, Refusal(PUSH, 403, "Your authorization token has expired. Reauthenticate and try "
                      "again.", "DENIED"), "has expired", "12 hours"),
    (14, "ghcr.io", Refusal(PUSH, 403, "denied"), "refuses a push to acme/app", "packages: write"),
    (14, SHOP, Refusal(PUSH, 403, "denied"), "refuses a push to acme/app", "the right to write"),
    (14, SHOP, Refusal(PUSH, 401, ""), "refuses a push to acme/app", "the right to write"),
    (15, SHOP, Refusal(PUSH, 503, "busy"), "busy or broken", "run the job again"),
    (16, "ghcr.io", Refusal(PUSH, 0, UNLINKED, "denied"), "refuses a push", "as Write"),
    (17, "ghcr.io", Refusal(PUSH, 400, "odd"), "does not accept a push to acme/app", "(400 odd)"),
    (17, SHOP, Refusal(PUSH, 418, ""), "does not accept a push to acme/app", "documentation"),
    (17, SHOP, Refusal(PUSH, 0, "pay", "unknown"), "does not accept a push to acme/app (pay)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("row", "registry", "refusal", "cause", "act"), CASES)
def test_an_answer_of_a_registry_has_its_cause_and_next_act(
    row: int, registry: str, refusal: Refusal, cause: str, act: str
) -> None:
    name = Name(registry, "acme/app")
    assert ROWS.index(row_for(refusal, name)) == row
    problem = advised(refusal, f"{registry}/acme/app", GIVEN if registry != "ghcr.io" else JOB)
    assert cause in problem.what
    assert registry in problem.what
    assert act in str(problem)
    if refusal.status != 403 and row not in (14, 16):
        assert "packages: write" not in str(problem) or row == 3
    if refusal.message:
        assert refusal.message in problem.what


def test_each_row_of_the_table_has_a_case() -> None:
    assert {row for row, *_ in CASES} == set(range(len(ROWS)))


@pytest.mark.parametrize(
    ("refusal", "path", "reported"),
    [
        (Refusal(PUSH, 403, UNLINKED), "acme/app", "Manage Actions access"),
        (Refusal(PUSH, 403, TOO_WEAK), "acme/app", "packages: write"),
        (Refusal(PUSH, 403, TOO_WEAK), "acme/app", "Acme/settings/actions, Workflow permissions"),
        (Refusal(PUSH, 403, TOO_WEAK.replace("Write", "Create")), "acme/app", "new packages"),
        (Refusal(PUSH, 401, ""), "acme/app", "packages: write"),
        (Refusal(PUSH, 403, "denied"), "other/app", "can push below ghcr.io/acme/ only"),
        (Refusal(PUSH, 403, "denied"), "other/app", "or log in to ghcr.io in a step before"),
        (Refusal(LOGIN, 403, "denied"), "acme/app", "packages: write"),
    ],
)
def test_a_refusal_of_ghcr_names_the_next_act(refusal: Refusal, path: str, reported: str) -> None:
    problem = advised(refusal, f"ghcr.io/{path}")
    assert reported in problem.hint
    assert str(refusal.status) in problem.what


@pytest.mark.parametrize("refusal", [Refusal(LOGIN, 401, "no"), Refusal(PUSH, 403, "denied")])
@pytest.mark.parametrize(
    ("registry", "source", "reported"),
    [
        ("ghcr.io", GIVEN, "leave `password` out, so that the job's token is used"),
        ("ghcr.io", STORED, "the login of an earlier step is used, as 'me'"),
        ("ghcr.io", STORED, "or remove that login"),
        ("ghcr.io", JOB, "packages: write"),
        (SHOP, STORED, "the login of an earlier step is used, as 'me'"),
        (SHOP, NONE, "there is no login to registry.example.com: log in in a step"),
        ("docker.io", NONE, "there is no login to docker.io"),
    ],
)
def test_a_refusal_speaks_of_the_login_that_was_used(
    refusal: Refusal, registry: str, source: str, reported: str
) -> None:
    problem = advised(refusal, f"{registry}/acme/app", source)
    assert reported in problem.hint
    assert registry in problem.what


def test_a_wrong_password_is_named_as_the_input_that_it_is() -> None:
    problem = advised(Refusal(LOGIN, 401, "no"), "docker.io/acme/app", GIVEN)
    assert problem.where == "input `password`"
    assert "docker.io refuses the login of 'me', for acme/app (401 no)" in problem.what
    assert "token of docker.io" in problem.hint
    assert advised(Refusal(LOGIN, 401, "no"), "docker.io/acme/app", STORED).where == ""


def test_the_registry_of_the_password_is_told_that_it_may_have_one() -> None:
    of_it = advised(Refusal(PUSH, 403, ""), f"{SHOP}/a/b", NONE, given_for=SHOP)
    other = advised(Refusal(PUSH, 403, ""), f"{SHOP}/a/b", NONE)
    assert "give `username` and `password`, or log in" in of_it.hint
    assert "`password`" not in other.hint


def test_a_run_without_rights_is_named_as_the_cause() -> None:
    payload = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
    fork = Context(repository="Acme/App", event_name="pull_request", payload=payload)
    assert (
        "a run for a fork gets no write access"
        in advised(Refusal(PUSH, 403, ""), context=fork).hint
    )
    robot = ACME._replace(actor="dependabot[bot]")
    assert "Dependabot" in advised(Refusal(PUSH, 403, ""), context=robot).hint


def test_what_is_no_registry_is_told_as_that() -> None:
    problem = advised(Refusal(API, 404, ""), "www.example.com/a/b")
    assert "www.example.com does not answer as a registry does (404)" in problem.what
