"""What `commit` says when something else than GitHub answers: it is never called our bug."""

from __future__ import annotations

import copy
import datetime as dt
import ipaddress
import json
import re
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bed.canned import HTML, JSON, Answer, CannedServer, as_json, page
from gen_workflow import cli
from gen_workflow.errors import Defect, GenWorkflowError
from gen_workflow.github.client import Repository
from gen_workflow.github.proposal import Branch, Since, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE, HEAD = "a" * 40, "b" * 40
READ: dict[str, Any] = {
    "data": {
        "viewer": {"login": "octocat"},
        "repository": {
            "id": "R_1",
            "nameWithOwner": "acme/app",
            "isArchived": False,
            "isEmpty": False,
            "base": {"name": "main", "target": {"oid": BASE}},
            "branch": {
                "name": "gen-workflow/update",
                "target": {"oid": HEAD, "history": {"nodes": [{"oid": BASE}]}},
                "open": {
                    "nodes": [
                        {
                            "number": 1,
                            "url": "https://github.com/acme/app/pull/1",
                            "id": "PR_1",
                            "body": "Text",
                            "baseRefName": "main",
                            "headRefOid": HEAD,
                        }
                    ]
                },
                "merged": {"nodes": [{"headRefOid": BASE}]},
            },
            "past": {
                "nodes": [
                    {
                        "number": 1,
                        "url": "https://github.com/acme/app/pull/1",
                        "id": "PR_1",
                        "body": None,
                        "headRefOid": HEAD,
                        "state": "CLOSED",
                        "baseRefName": "main",
                        "isCrossRepository": False,
                    }
                ]
            },
            "below": {"nodes": []},
            "above0": None,
            "base0": {"oid": BASE, "text": "image: .\n", "isTruncated": False},
            "baseFolder0": {"entries": [{"name": "a", "mode": 0o100755}]},
            "branch0": {"oid": HEAD, "text": "image: .\n", "isTruncated": False},
        },
    }
}
COMMIT = {"data": {"createCommitOnBranch": {"commit": {"oid": HEAD, "signature": None}}}}
OPENED = {"number": 1, "html_url": "https://github.com/acme/app/pull/1", "node_id": "PR_1"}


def changed(data: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    data = copy.deepcopy(data)
    inner = data
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return data


NEW = {**READ["data"]["repository"], "branch": None, "past": {"nodes": []}}
NO_BRANCH = {"data": {**READ["data"], "repository": NEW}}
# The answer to a comparison, and to the question for files that follows it.
COMPARED = {
    "merge_base_commit": {"sha": BASE},
    "total_commits": 1,
    "commits": [
        {
            "sha": HEAD,
            "commit": {"message": "Theirs", "committer": {"email": "me@example.com"}},
            "parents": [{"sha": BASE}],
        }
    ],
    "data": {"repository": {"file0": {"oid": BASE}}},
}
STOOD = Snapshot("acme/app", Branch("main", BASE, {}), Branch("b", HEAD, {}))
# A file that GraphQL cuts, and the file as REST gives it: one answer for both questions.
FILE = {"encoding": "base64", "content": "aW1hZ2U6IC4K"}
CUT = {"oid": BASE, "text": "image", "isTruncated": True}
LONG = {**changed(READ, ("data", "repository", "base0"), CUT), **FILE}


def broken(text: str, status: int = 200) -> Answer:
    return Answer(status, JSON, text.encode())


def moved(status: int, to: str) -> Answer:
    return Answer(status, {**HTML, "Location": to}, b"<html>moved</html>")


# What comes for the first question; what the error must say of it: what came, the cause, the act.
FOREIGN = {
    "a portal": (page("Sign in to Wi-Fi"), "status 200 and a web page (Sign in to Wi-Fi)"),
    "a page without a title": (Answer(200, HTML, b"<html></html>"), "status 200 and a web page"),
    "a page in XML": (Answer(200, HTML, b'<?xml version="1.0"?><a/>'), "and a web page"),
    "nothing": (Answer(200, JSON, b""), "status 200 and an empty body"),
    "blanks": (broken(" \n"), "and an empty body"),
    "no content": (Answer(204, JSON, b""), "status 204 and an empty body"),
    "a login page": (moved(302, "https://sso.example/login?token=s3cret"), "redirect to https://sso"),
    "another address": (moved(307, "http://me:s3cret@127.0.0.1/api/v3/graphql"), "/api/v3"),
    "another address for good": (moved(308, "/elsewhere"), "a redirect to /elsewhere"),
    "another server for good": (moved(301, "http://other.example/graphql"), "other.example"),
    "TLS for good": (moved(301, "https://127.0.0.1/graphql"), "a redirect to https"),
    "a redirect to itself": (moved(301, "/graphql"), "a redirect to nowhere"),
    "a redirect to nowhere": (Answer(302, HTML, b""), "a redirect to nowhere"),
    "a choice": (moved(300, "/a"), "status 300 and a redirect to /a"),
    "not modified": (Answer(304, {}, b""), "status 304"),
    "text": (Answer(200, {"Content-Type": "text/plain"}, b"It works!"), "It works!"),
    "bytes": (Answer(200, {"Content-Type": "image/png"}, bytes(range(256))), "no answer"),
    "another charset": (Answer(200, {"Content-Type": "a/b; charset=nope"}, b"\xff"), "no answer"),
    "a mark before JSON": (broken("\ufeff{}"), "broken or cut off"),
    "JSON cut off": (broken(json.dumps(READ)[:200]), "JSON that is broken or cut off"),
    "JSON too deep": (broken("[" * 100_000), "JSON that is broken or cut off"),
    "a number too long": (broken(f'{{"data": {"9" * 9000}}}'), "JSON that is broken or cut off"),
    "a list": (as_json([1]), "other JSON"),
    "a text in JSON": (as_json("yes"), "no answer of its API"),
    "null": (as_json(None), "no answer of its API"),
    "an empty mapping": (as_json({}), "JSON without `data`"),
    "no data": (as_json({"data": None}), "JSON without `data`"),
    "no repository": (as_json({"data": {"repository": None}}), "JSON without `repository`"),
    "data as a list": (as_json({"data": []}), "a list in place of a mapping"),
    "a health check": (as_json({"status": "ok"}), "JSON without `data`"),
    "a message with 200": (as_json({"message": "Hello"}), "JSON without `data`"),
    "an API without GraphQL": (as_json({"message": "Not Found"}, 404), "JSON (Not Found)"),
    "a page with 404": (page("Page not found", 404), "status 404 and a web page"),
    "a page with 401": (page("401", 401), "status 401 and a web page"),
    "a page with 403": (page("Blocked by Zscaler", 403), "and a web page (Blocked by Zscaler)"),
    "a proxy without a login": (page("Log in", 407), "status 407"),
    "a refusal in a list": (as_json(["no"], 403), "status 403 and other JSON"),
    "a refusal as a number": (as_json({"message": 5}, 403), "status 403 and other JSON"),
    "an unknown status": (Answer(999, JSON, b"{}"), "status 999"),
    "numbers that are none": (
        as_json(READ, 200, {"X-RateLimit-Remaining": "many", "X-RateLimit-Limit": "few"}),
        "headers that GitHub does not send",
    ),
}  # fmt: skip
# Answers that GitHub itself may give, as odd as they are.
REFUSED = {
    "no errors in words": (as_json({"errors": [{}]}), "GitHub answered with an error"),
    "errors as texts": (as_json({"data": None, "errors": ["no"]}), "with an error: no"),
    "errors as a text": (as_json({"errors": "no"}), "with an error: no"),
    "errors as a mapping": (as_json({"errors": {"message": "no"}}), "with an error: no"),
    "an error of no type": (as_json({"errors": [{"type": None, "message": "no"}]}), "error: no"),
    "an old server": (
        as_json({"errors": [{"message": "Field 'updateRefs' doesn't exist on type 'Mutation'"}]}),
        "this GitHub does not know what is asked for",
    ),
    "a fault with a page": (page("Unicorn!", 500), "GitHub answered 500 a web page (Unicorn!)"),
    "a fault with nothing": (Answer(500, {}, b""), "GitHub answered 500 an empty body"),
    "a fault in a list": (as_json([], 500), "GitHub answered 500 other JSON"),
    "a limit with a page": (page("Too many", 429, {"Retry-After": "9999"}), "rate limit"),
    "a limit without numbers": (
        as_json({"message": "rate limit"}, 403, {"Retry-After": "²"}), "rate limit is reached",
    ),
    "a limit until never": (
        as_json({"message": "rate limit"}, 403, {"Retry-After": "9" * 400}), "rate limit",
    ),
    "details of another shape": (
        as_json({"message": "No", "errors": [None, 5, {"message": None}]}, 422), "(No; 5)",
    ),
    "details as a text": (as_json({"message": "No", "errors": "why"}, 422), "(No; why)"),
    "no such token": (as_json({"message": "Bad credentials"}, 401), "does not accept the token"),
}  # fmt: skip


@pytest.fixture
def commit(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, str]]:
    monkeypatch.setenv("GH_TOKEN", "ghp_secret")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    def run(api: str) -> tuple[int, str]:
        code = cli.main(["commit", "-C", str(project), "--repo", "acme/app", "--api-url", api])
        said = capsys.readouterr()
        assert "ghp_secret" not in said.out + said.err
        assert "s3cret" not in said.out + said.err
        assert "Traceback" not in said.err
        assert code in (1, 2), said.err
        return code, said.err

    return run


@pytest.mark.parametrize(("answer", "said"), FOREIGN.values(), ids=FOREIGN)
def test_an_answer_that_github_never_gives_is_named_with_the_server_the_cause_and_the_act(
    commit: Callable[[str], tuple[int, str]], answer: Answer, said: str
) -> None:
    with CannedServer(answer) as server:
        code, err = commit(server.url)
    assert code == 2
    assert err.startswith(f"{server.url}: cannot read the repository: ")
    assert said in err.splitlines()[0]
    assert ": it answered with " in err.splitlines()[0]
    assert "\n  hint: the API of a GitHub Enterprise Server is at https://HOST/api/v3: " in err


@pytest.mark.parametrize(("answer", "said"), REFUSED.values(), ids=REFUSED)
def test_an_odd_refusal_is_quoted_with_the_server(
    commit: Callable[[str], tuple[int, str]], answer: Answer, said: str
) -> None:
    with CannedServer(answer) as server:
        _, err = commit(server.url)
    assert said in err
    assert err.startswith("acme/app: cannot read the repository: ")
    assert f"\n  server: {server.url}\n" in err


def test_the_address_of_an_enterprise_server_is_not_doubted(
    commit: Callable[[str], tuple[int, str]],
) -> None:
    with CannedServer(page("Sign in")) as server:
        _, err = commit(f"{server.url}/api/v3")
    assert "\n  hint: open the address in a browser on this machine" in err
    assert server.asked == ["POST /api/graphql"]


@pytest.mark.usefixtures("skipped")
def test_a_connection_that_ends_too_early_is_named(
    commit: Callable[[str], tuple[int, str]],
) -> None:
    with CannedServer(Answer(200, JSON, b'{"data"', length=5000)) as server:
        code, err = commit(server.url)
    assert code == 1
    assert f"{server.url}: cannot be reached: the connection ended before the answer was" in err


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: a\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
    ids=["ssh", "status", "long header", "many headers", "chunk", "two lengths"],
)
def test_what_is_no_http_is_named(commit: Callable[[str], tuple[int, str]], raw: bytes) -> None:
    with CannedServer(Answer(0, {}, raw)) as server:
        code, err = commit(server.url)
    assert code == 1
    assert f"{server.url}: cannot be reached: what answers there does not speak HTTP\n" in err


@pytest.mark.usefixtures("skipped")
def test_an_answer_that_cannot_be_unpacked_is_named(
    commit: Callable[[str], tuple[int, str]],
) -> None:
    packed = Answer(200, {**JSON, "Content-Encoding": "gzip"}, b"not packed")
    with CannedServer(packed) as server:
        code, err = commit(server.url)
    assert code == 1
    assert "cannot be reached: the connection ended before the answer was complete" in err


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(pem, form, plain))
    (folder / "cert").write_bytes(made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


def test_a_certificate_that_is_not_trusted_is_named_with_the_variable_that_helps(
    commit: Callable[[str], tuple[int, str]], tls: ssl.SSLContext
) -> None:
    with CannedServer(as_json({}), tls=tls) as server:
        code, err = commit(server.url)
    assert code == 2
    assert err.startswith(f"{server.url}: cannot be reached: its certificate is not trusted\n")
    assert "hint: set REQUESTS_CA_BUNDLE to a file" in err


def test_a_server_without_tls_is_named(commit: Callable[[str], tuple[int, str]]) -> None:
    with CannedServer(as_json({})) as server:
        code, err = commit(f"https://{server.host}")
    assert code == 2
    assert f"https://{server.host}: cannot be reached: it does not speak TLS as GitHub does" in err


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "holds no certificates"), (b"x\n", "holds no certificates")],
    ids=["missing", "empty", "not PEM"],
)
def test_a_file_of_certificates_that_is_not_one_is_named(
    commit: Callable[[str], tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    variable: str,
    content: bytes | None,
    said: str,
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    monkeypatch.setenv(variable, str(bundle))
    with CannedServer(as_json({})) as server:
        code, err = commit(f"https://{server.host}")
    assert code == 2
    assert err.startswith(f"https://{server.host}: cannot be reached: ")
    assert f"{variable}={bundle}" in err
    assert said in err


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("http://me:s3cret@127.0.0.1:9", "the proxy 127.0.0.1:9 does not answer"),
        ("http://me:s3cret@HOST", "the proxy HOST answered 407"),
        ("socks5://127.0.0.1:9", "is of a kind that is not supported"),
        ("http://", "the proxy"),
        ("http://[", "the proxy"),
    ],
)
def test_a_proxy_that_does_not_help_is_named_without_its_password(
    commit: Callable[[str], tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    proxy: str,
    said: str,
) -> None:
    with CannedServer(page("Log in", 407)) as server:
        monkeypatch.setenv("https_proxy", proxy.replace("HOST", server.host))
        code, err = commit("https://github.invalid/api/v3")
    assert code == 2
    assert err.startswith("https://github.invalid/api/v3: cannot be reached: ")
    assert said.replace("HOST", server.host) in err


@pytest.mark.parametrize(
    "api",
    ["https://a..b", "https://" + "a" * 64 + ".example", "https://.example", "https://a b",
     "https://*", "https://xn--", "https://\u2024x"],
)  # fmt: skip
def test_a_name_that_no_server_has_is_named(
    commit: Callable[[str], tuple[int, str]], api: str
) -> None:
    _, err = commit(api)
    assert "is not an https URL of an API" in err or "cannot be reached" in err


@pytest.mark.parametrize(
    ("api", "hint"),
    [
        ("https://github.com", "https://api.github.com, which needs no option"),
        ("https://github.com/api/v3", "https://api.github.com, which needs no option"),
        ("https://api.github.com/graphql", "https://api.github.com, which needs no option"),
        ("https://corp.ghe.com", "give https://api.corp.ghe.com"),
        ("https://ghe.example/api/graphql", "give https://ghe.example/api/v3"),
    ],
)
def test_an_address_that_is_known_to_be_wrong_is_not_asked(
    commit: Callable[[str], tuple[int, str]], api: str, hint: str
) -> None:
    code, err = commit(api)
    assert code == 2
    assert f"{api!r} is not an address of an API" in err
    assert hint in err


@pytest.mark.parametrize("fault", ["page", "list", "nothing", "redirect"])
@pytest.mark.parametrize("before", [1, 2, 3])
def test_what_was_done_before_a_foreign_answer_is_said(
    commit: Callable[[str], tuple[int, str]], before: int, fault: str
) -> None:
    bad = {
        "page": page("Sign in"),
        "list": as_json([]),
        "nothing": Answer(200, JSON, b""),
        "redirect": moved(307, "/elsewhere"),
    }[fault]
    made = as_json({"ref": "refs/heads/gen-workflow/update"}, 201)
    with CannedServer(*[as_json(NO_BRANCH), made, as_json(COMMIT)][:before], bad) as server:
        code, err = commit(server.url)
    assert code == 2
    assert f"{server.url}: cannot " in err
    assert ("done before that: created the branch" in err) is (before > 1)


def paths(data: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value in JSON."""
    yield above
    for key in (
        data if isinstance(data, dict) else range(len(data) if isinstance(data, list) else 0)
    ):
        yield from paths(data[key], *above, key)


ASK: dict[str, tuple[Any, Callable[[Repository], object]]] = {
    "read": (READ, lambda it: it.read(base="", branch="gen-workflow/update", paths=("a",))),
    "long": (LONG, lambda it: it.read(base="main", branch="a", paths=("a",))),
    "since": (COMPARED, lambda it: it.since(STOOD, ("a",))),
    "commit": (COMMIT, lambda it: it.commit("b", onto=BASE, message="m", files={"a": b"a"})),
    "create": ({"ref": "refs/heads/b"}, lambda it: it.create_branch("b", BASE)),
    "move": ({"data": {"updateRefs": {}}}, lambda it: it.move_branch("b", before=BASE, after=HEAD)),
    "open": (OPENED, lambda it: it.open_pull_request("b", base="main", title="t", body="b")),
    "describe": (OPENED, lambda it: it.describe_pull_request(1, "b")),
}


@pytest.mark.parametrize("committer", [None, {}, {"name": "A"}, {"email": "noreply@github.com"}])
def test_a_commit_without_a_committer_is_taken_for_that_of_a_person(committer: Any) -> None:
    at = ("commits", 0, "commit")
    commit = {"message": "A\n\nMade-by: gen-workflow 0.1.0", "committer": committer}
    with CannedServer(as_json(changed(COMPARED, at, commit))) as server:
        repository = Repository("acme/app", "t", server.url, print)
        since = repository.since(STOOD, ("a",))
        repository.close()
    ours = committer is not None and "email" in committer
    assert since == Since(("a",), "" if ours else f"{HEAD[:7]} (A)")


def what_is_told(question: Callable[[Repository], object], repository: Repository) -> str | None:
    """Return the error of a question; None when it is answered. Whatever else fails is our bug."""
    try:
        question(repository)
    except Defect:
        raise
    except GenWorkflowError as error:
        return f"{error}"
    return None


VALUES: list[Any] = [None, [], "\ud800\n::error::", 5]
MORE_VALUES: list[Any] = [{}, "../..", True, [None]]


@pytest.mark.parametrize(
    "value",
    [*VALUES, *(pytest.param(value, marks=pytest.mark.test_all) for value in MORE_VALUES)],
    ids=repr,
)
@pytest.mark.parametrize("ask", ASK)
def test_no_value_in_an_answer_is_taken_for_granted(ask: str, value: Any) -> None:
    good, question = ASK[ask]
    with CannedServer(as_json(good)) as server:
        repository = Repository("acme/app", "t", server.url, print)
        question(repository)
        for at in paths(good):
            server.answers[:] = [as_json(changed(good, at, value))]
            told = what_is_told(question, repository)
            no_base = r"the repository has no commit yet|there is no branch main"
            assert told is None or server.url in told or re.search(no_base, told)
            assert told is None or "\n::error::" not in told
        repository.close()
