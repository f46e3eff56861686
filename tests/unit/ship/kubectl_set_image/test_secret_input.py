"""Secrets that the step writes into the cluster: of the app, and to pull images with."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ship.kubectl_set_image.secret_input import ClusterSecret
from ship.runner.command import Secret
from unit.ship.kubectl_set_image.given import NEW, OTHER, read, refusal

VALUES = {"DB_URL": "postgres://app:hunter2@db/app", "JWT_KEY": "s3cr3t"}


def values(secret: ClusterSecret) -> dict[str, str]:
    return {key: value.reveal() for key, value in secret.values.items()}


@pytest.mark.parametrize(
    "text",
    [
        "app-env: [DB_URL, JWT_KEY]",
        "app-env:\n  - DB_URL\n  - JWT_KEY\n",
        "app-env: DB_URL, JWT_KEY",
        "app-env: DB_URL JWT_KEY",
        "app-env: {DB_URL: DB_URL, JWT_KEY: JWT_KEY}",
        '{"app-env": ["DB_URL", "JWT_KEY"]}',
        "# those of the app\napp-env: |\n  DB_URL\n  JWT_KEY\n",
    ],
)
def test_a_secret_is_written_as_a_name_and_its_keys(text: str) -> None:
    [secret] = read(secret=text, **VALUES).secrets
    assert (secret.name, secret.type, values(secret)) == ("app-env", "Opaque", VALUES)


def test_a_key_may_have_another_name_than_the_variable() -> None:
    text = "app-files:\n  tls.crt: TLS_CRT\nother: [JWT_KEY]"
    one, two = read(secret=text, TLS_CRT="a\nb\n", **VALUES).secrets
    assert values(one) == {"tls.crt": "a\nb\n"}
    assert values(two) == {"JWT_KEY": "s3cr3t"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app-env", "is not a mapping of names to keys"),
        ("- app-env", "is not a mapping of names to keys"),
        ("[]", "is not a mapping"),
        ("app-env:", "the keys of app-env are not a list of names"),
        ("app-env: []", "the keys of app-env are not a list of names"),
        ("app-env: [[DB_URL]]", "the keys of app-env are not a list of names"),
        ("app-env: {DB_URL: [x]}", "the keys of app-env are not a list of names"),
        ("App_Env: [DB_URL]", "'App_Env' is not a name that Kubernetes accepts"),
        ("app-env: [DB_URL]\napp-env: [JWT_KEY]", "line 2, column 1"),
        ("app-env: [MISSING]", "MISSING, for app-env, has no value in the `env:` of the step"),
        ("app-env: {db: MISSING}", "MISSING, for app-env, has no value"),
        ("app-env: {'a b': DB_URL}", "'a b' in app-env is not a key that a Secret can have"),
        ("a\tb: x", "there is a tab"),
    ],
)
def test_a_secret_that_cannot_be_written_is_named_with_the_reason(text: str, said: str) -> None:
    found = refusal(secret=text, **VALUES)
    assert "input `secret`: " in found
    assert said in found
    assert not any(value in found for value in VALUES.values())


def test_a_variable_without_a_value_is_told_with_the_line_to_add() -> None:
    said = refusal(secret="app-env: [DB_URL]", DB_URL="")
    assert "add `DB_URL: ${{ secrets.DB_URL }}` to the `env:` of this step" in said


@pytest.mark.parametrize(
    "text",
    [
        "app-env: {DB_URL: 'postgres://app:hunter2@db/app'}",
        "app-env: ['postgres://app:hunter2@db/app']",
        "app-env: postgres://app:hunter2@db/app",
        "app-env: {DB_URL: hunter2/}",
        "DB_URL: postgres://app:hunter2@db/app",
    ],
)
def test_a_value_in_the_place_of_a_variable_is_not_shown(text: str) -> None:
    """`${{ secrets.DB_URL }}` in the wrong place; GitHub masks a secret only as a whole."""
    said = refusal(secret=text)
    assert "hunter2" not in said
    assert "input `secret`: " in said


@given(st.dictionaries(st.sampled_from(("a", "TLS.crt", "-_")), st.text()))
def test_the_object_has_the_very_values(given: dict[str, str]) -> None:
    made = ClusterSecret("x", {key: Secret(value) for key, value in given.items()}).body()
    found: dict[str, Any] = json.loads(made.reveal())
    assert {
        key: base64.b64decode(value).decode("utf-8", "surrogatepass")
        for key, value in found["data"].items()
    } == given
    assert found["kind"] == "Secret"


def test_bytes_that_are_no_text_come_as_they_are() -> None:
    made = ClusterSecret("x", {"k": Secret(b"\xff\x00a".decode("utf-8", "surrogateescape"))}).body()
    assert json.loads(made.reveal())["data"]["k"] == base64.b64encode(b"\xff\x00a").decode()


def auths(secret: ClusterSecret | None) -> dict[str, Any]:
    assert secret
    assert secret.type == "kubernetes.io/dockerconfigjson"
    found: dict[str, Any] = json.loads(secret.values[".dockerconfigjson"].reveal())["auths"]
    return found


HUB = "app2=acme/app@sha256:" + "d" * 64


def test_a_pull_secret_is_for_the_registry_of_the_images() -> None:
    given = {"registry_username": "ci", "registry_password": "pw"}
    found = auths(read(image=HUB, pull_secret="hub", **given).pull_secret)
    login = {"username": "ci", "password": "pw", "auth": base64.b64encode(b"ci:pw").decode()}
    assert found == {"https://index.docker.io/v1/": login}


def test_the_password_of_one_registry_is_not_sent_to_another() -> None:
    said = refusal(image=f"{NEW}\n{HUB}", pull_secret="ghcr", registry_password="pw")
    assert "input `pull-secret`: the images are of ghcr.io and docker.io" in said


def test_for_ghcr_the_token_of_the_job_is_the_default_and_is_known_as_short_lived() -> None:
    secret = read(pull_secret="ghcr", JOB_TOKEN="ghs_abc").pull_secret
    assert auths(secret)["ghcr.io"]["username"] == "octocat"
    assert auths(secret)["ghcr.io"]["password"] == "ghs_abc"
    assert secret
    assert secret.is_short_lived


def test_a_token_of_the_job_that_is_given_is_short_lived_as_well() -> None:
    secret = read(pull_secret="ghcr", registry_password="ghs_abc").pull_secret
    assert secret
    assert secret.is_short_lived
    lasting = read(pull_secret="ghcr", registry_password="ghp_abc").pull_secret
    assert lasting
    assert not lasting.is_short_lived


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/app@sha256:" + "d" * 64,
        f"{NEW}\nregistry.example.com/app@sha256:" + "d" * 64,
        "ghcr.io.example.com/acme/app@sha256:" + "d" * 64,
        "acme/app@sha256:" + "d" * 64,
    ],
)
def test_the_token_of_the_job_goes_to_no_other_registry(image: str) -> None:
    said = refusal(image=image, pull_secret="reg", JOB_TOKEN="ghs_abc")
    assert "input `registry-password`: is required for `pull-secret` but empty" in said
    assert "ghs_abc" not in said


def test_a_pull_secret_without_any_image_has_no_registry(tmp_path: Any) -> None:
    (tmp_path / "k8s").mkdir()
    given = {"workload": "", "image": "", "apply": "k8s", "registry_password": "pw"}
    said = refusal(tmp_path, pull_secret="reg", **given)
    assert "input `image`: is required but empty" in said


def test_a_login_without_a_pull_secret_has_no_use() -> None:
    said = refusal(registry_username="ci", registry_password="s3cr3t")
    assert "input `registry-username`: has no use without `pull-secret`" in said
    assert "input `registry-password`: has no use without `pull-secret`" in said
    assert "s3cr3t" not in said


def test_two_secrets_of_one_name_would_overwrite_each_other() -> None:
    said = refusal(secret="reg: [DB_URL]", pull_secret="reg", JOB_TOKEN="x", **VALUES)
    assert "input `pull-secret`: 'reg' is also in `secret`" in said


def test_the_login_of_a_pull_secret_is_hidden_and_plain_values_stay_readable() -> None:
    """To mask a 1 would make the log of the job unreadable."""
    found = read(secret="app-env: [DEBUG]", DEBUG="1", pull_secret="ghcr", JOB_TOKEN="ghs_x")
    auth = base64.b64encode(b"octocat:ghs_x").decode()
    assert [each.reveal() for each in found.hidden()] == ["ghs_x", auth]


def test_no_value_is_shown_by_the_inputs_themselves() -> None:
    found = read(
        secret="app-env: [DB_URL]", pull_secret="ghcr", JOB_TOKEN="ghs_x", image=OTHER, **VALUES
    )
    assert "hunter2" not in repr(found)
    assert "ghs_x" not in repr(found)
