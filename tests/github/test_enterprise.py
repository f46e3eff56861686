"""`commit` and a GitHub Enterprise Server: its own authority, a proxy before it, and tokens."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bed import keys
from bed.github import FINE_GRAINED, FakeGitHub
from bed.tunnel import Tunnel
from gen_workflow import cli
from gen_workflow.github.tokens import Token
from unit.generator.conftest import see

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed.github import Repository

pytestmark = pytest.mark.needs("npm")

API = "https://ghe.example/api/v3"
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")  # the first two are alike


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority of a company, and the certificate that it gave to its server."""
    folder = tmp_path_factory.mktemp("authority")
    keys.make_authority(folder)
    keys.make_server_certificate(folder, folder, "ghe.example")
    return folder


@pytest.fixture
def server(tmp_path: Path, authority: Path) -> Iterator[FakeGitHub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.crt", authority / "server.key")
    with FakeGitHub(tmp_path / "ghe", tls=context) as there:
        there.create_repository("acme/app", files={"Dockerfile": b"FROM scratch\n"})
        yield there


@pytest.mark.parametrize("variable", BUNDLES[1:])
def test_a_server_behind_a_proxy_is_trusted_by_the_authority_that_a_variable_names(
    server: FakeGitHub,
    authority: Path,
    project: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
) -> None:
    for name in (*BUNDLES, "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    git = ("git", "-C", project)
    subprocess.run((*git, "init", "--quiet"), check=True)
    subprocess.run((*git, "remote", "add", "origin", "git@ghe.example:acme/app"), check=True)
    monkeypatch.setenv("GH_TOKEN", server.token)
    monkeypatch.setenv("GITHUB_API_URL", API)
    with Tunnel(int(server.url.rpartition(":")[2]), "me:s3cret") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        assert cli.main(["commit", "-C", str(project)]) == 2
        assert "its certificate is not trusted" in (said := capsys.readouterr().err)
        assert "s3cret" not in said
        monkeypatch.setenv(variable, str(authority / "ca.crt"))
        assert cli.main(["commit", "-C", str(project)]) == 0
    assert set(proxy.asked) == {"ghe.example:443"}
    assert [pull.state for pull in server.repository("acme/app").pulls] == ["open"]


def test_a_file_that_ssl_cert_file_names_wrongly_is_named(
    commit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in BUNDLES[:2]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    ran = commit("--api-url", "https://127.0.0.1:9")
    assert ran.code == 2
    assert f"the file of certificates that SSL_CERT_FILE={tmp_path}/none names" in ran.stderr


def test_the_token_of_a_run_is_refused_before_anything_is_written_with_what_to_do(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    token = github.add_token(
        "ghs_of_the_run", scopes=FINE_GRAINED, classic=False, login="github-actions[bot]"
    )
    ran = commit(token=token)
    assert ran.code == 2
    assert ran.stderr == (
        "acme/app: the GITHUB_TOKEN of a run may not write workflows, whatever permissions the "
        "job has\n  hint: give a token of a GitHub App that may write Contents, Workflows and Pull "
        "requests (actions/create-github-app-token makes one in a run), or a personal one from a "
        f"secret\n{see('a-token-that-may-not-do-this')}"
    )
    assert github.operations == ["graphql repository"]
    assert app.git.head("gen-workflow/update") is None


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        ("ghp_x", "give GH_TOKEN a classic token with the scopes `repo` and `workflow`, or a fine"),
        ("github_pat_x", "edit the token at https://ghe.example/settings/personal-access-tokens"),
        ("ghs_x", "give the GitHub App of the token read and write for Contents, Workflows and"),
        ("gho_x", "with GitHub's own tool, run `gh auth refresh --scopes repo,workflow` and set"),
    ],
)
def test_each_kind_of_token_is_told_how_it_gets_its_rights(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], token: str, hint: str
) -> None:
    github.add_token(token, scopes=("metadata",), classic=False)
    ran = commit(token=token)
    assert ran.code == 2
    hint = hint.replace("https://ghe.example", github.url)
    assert "the token may not do that (Resource not accessible by personal" in ran.stderr
    assert f"  hint: {hint}" in ran.stderr
    assert app.pulls == []


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        ("ghs_ended", "make a new token: one of a GitHub App ends after an hour"),
        ("github_pat_ended", "check GH_TOKEN, or make a new token at URL/settings/personal-access"),
    ],
)
def test_a_token_that_has_ended_is_told_how_it_gets_a_successor(
    github: FakeGitHub, commit: Callable[..., Any], token: str, hint: str
) -> None:
    ran = commit(token=token)
    assert ran.code == 2
    assert f"  hint: {hint.replace('URL', github.url)}" in ran.stderr


@pytest.mark.parametrize(
    ("text", "api", "kind", "page"),
    [
        ("ghp_1", "https://api.github.com", "classic", "https://github.com/settings/tokens"),
        ("a" * 40, API, "classic", "https://ghe.example/settings/tokens"),
        ("ghs_1.2.3", API, "installation", "https://ghe.example/settings/tokens"),
        (
            "github_pat_1",
            "https://api.corp.ghe.com",
            "fine-grained",
            "https://corp.ghe.com/settings/personal-access-tokens",
        ),
        ("gho_1", "https://api.github.com", "login", "https://github.com/settings/tokens"),
        ("what", "https://api.github.com", "", "https://github.com/settings/tokens"),
    ],
)
def test_a_token_is_known_by_its_beginning(text: str, api: str, kind: str, page: str) -> None:
    found = Token.of(text, api)
    assert (found.kind, found.page) == (kind, page)
    assert text not in repr(found)
