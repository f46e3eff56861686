"""The kubeconfig in all its forms, and what is wrong with one. kubectl's answers are real ones."""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import ScriptedRunner
from ship.kube.kubeconfig import (
    Access,
    Kubeconfig,
    folder_for,
    open_access,
    options_of,
    placed,
    read_kubeconfig,
)
from ship.runner.command import Secret
from ship.runner.errors import UserError
from ship.runner.process import Finished
from ship.runner.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = """\
apiVersion: v1
kind: Config
clusters:
- name: prod
  cluster: {server: "https://k8s.example.com"}
users:
- name: ci
  user: {token: s3cr3t-token}
contexts:
- name: prod
  context: {cluster: prod, user: ci, namespace: shop}
current-context: prod
"""
EMPTY: dict[str, Any] = {
    "kind": "Config", "apiVersion": "v1", "preferences": {}, "clusters": None, "users": None,
    "contexts": None, "current-context": "",
}  # fmt: skip


def config(text: str, workspace: str = ".") -> Kubeconfig:
    reader = Reader({"INPUT_KUBECONFIG": text})
    found = read_kubeconfig(reader, workspace)
    reader.done()
    return found


def view(
    *contexts: str,
    current: str = "prod",
    user: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what `kubectl config view --raw -o json` prints."""
    return {
        "kind": "Config",
        "apiVersion": "v1",
        "preferences": {},
        "clusters": [{"name": "c", "cluster": cluster or {"server": "https://k8s.example.com"}}],
        "users": [{"name": "u", "user": {"token": "s3cr3t"} if user is None else user}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u"}}
            for name in contexts or ("prod",)
        ],
        "current-context": current,
    }


def opened(
    printed: object,
    folder: Path,
    *,
    given: Kubeconfig | None = None,
    context: str = "",
    env: dict[str, str] | None = None,
) -> Access:
    runner = ScriptedRunner(Finished(0, json.dumps(printed)))
    kubeconfig = Kubeconfig(Secret(TEXT)) if given is None else given
    path = placed(kubeconfig, str(folder))
    return open_access(path, context, runner, env or {"PATH": os.environ["PATH"]})


@pytest.mark.parametrize(
    "given",
    [
        TEXT,
        f"\n{TEXT}\n\n",
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        json.dumps({"kind": "Config", "clusters": []}),
        "{apiVersion: v1, clusters: [], users: []}",
    ],
)
def test_a_kubeconfig_may_be_given_as_its_text(given: str) -> None:
    found = config(given)
    assert found.text.reveal() == given.removeprefix("\ufeff").strip() + "\n"
    assert found.path == ""


@pytest.mark.parametrize("width", [None, 76, 64])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_kubeconfig_may_be_given_as_base64_on_one_line_or_several(
    width: int | None, end: str
) -> None:
    code = base64.b64encode(TEXT.encode()).decode()
    lines = textwrap.wrap(code, width) if width else [code]
    assert config(end.join(lines)).text.reveal() == TEXT


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_base64_gives_the_very_text(more: str) -> None:
    text = f"clusters: []\nusers: []\n# {more}"
    assert config(base64.b64encode(text.encode()).decode()).text.reveal() == text


def test_a_kubeconfig_may_be_given_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").write_text(TEXT)
    whole = str(tmp_path / "config")
    assert config(whole).path == whole
    assert config("~/config").path == whole
    assert config("config", str(tmp_path)).path == whole
    assert config(f" {whole}\n").path == whole


def test_no_kubeconfig_is_left_to_kubectl() -> None:
    assert config(" \n") == Kubeconfig()


@pytest.mark.parametrize("given", ["/no/such/file", "~/no-such-file", "./config"])
def test_a_path_without_a_file_is_named(given: str) -> None:
    with pytest.raises(UserError, match=f"there is no file '{given}'"):
        config(given)


SECRETS = [
    "s3cr3t-token",
    "users:\n- user: {token: s3cr3t-token}",
    base64.b64encode(b"users: [s3cr3t-token]").decode(),
    base64.b64encode(TEXT.encode()).decode()[:-7],
    base64.b64encode(TEXT.encode()).decode().replace("A", "-"),
    base64.b64encode(b"\xff\xfe\x00" * 50).decode(),
    "s3cr3t-token" * 400,
    "a/s3cr3t-token",
]


@pytest.mark.parametrize("given", SECRETS)
def test_what_is_no_kubeconfig_is_refused_and_never_shown(given: str) -> None:
    with pytest.raises(UserError, match="is no kubeconfig, no base64 and no file") as raised:
        config(given)
    assert given[:6] not in str(raised.value)
    assert "kubectl config view --flatten --raw --minify" in str(raised.value)


def test_a_text_is_in_a_file_that_only_we_may_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        runner = ScriptedRunner(Finished(0, json.dumps(view())))
        open_access(placed(Kubeconfig(Secret(TEXT)), str(tmp_path)), "", runner, {})
    finally:
        os.umask(before)
    file = tmp_path / "config"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == TEXT
    [command] = runner.ran
    assert f"--kubeconfig={file}" in command.argv
    assert command.env == {"KUBERC": "off"}
    assert "s3cr3t" not in str(command)


def test_a_file_that_is_there_already_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "config").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        opened(view(), tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough for that of a socket in it."""
    with tempfile.TemporaryDirectory(prefix="ship-kube-tests-") as folder:
        yield Path(folder)


def test_the_folder_is_ours_alone_and_goes_away_whatever_happens(short: Path) -> None:
    with folder_for(str(short)) as folder:
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        assert Path(folder).parent == short
        (Path(folder) / "config").write_text("x")

    def fails() -> None:
        with folder_for(str(short)) as left:
            (Path(left) / "config").write_text("x")
            raise KeyError(left)

    with pytest.raises(KeyError):
        fails()
    assert list(short.iterdir()) == []


@pytest.mark.parametrize("temp", ["", "/no/such/folder", "long"])
def test_a_folder_whose_path_is_too_long_for_a_socket_is_not_used(
    tmp_path: Path, temp: str
) -> None:
    if temp == "long":
        deep = tmp_path / ("x" * 80)
        deep.mkdir()
        temp = str(deep)
    with folder_for(temp) as folder:
        assert len(f"{folder}/api.sock") < 104


def test_the_current_context_is_used(tmp_path: Path) -> None:
    access = opened(view(), tmp_path)
    assert access.options == (f"--kubeconfig={tmp_path}/config", "--context=prod")
    assert (access.server, access.namespace) == ("https://k8s.example.com", "default")
    assert access.is_verified
    assert [each.reveal() for each in access.secrets] == ["s3cr3t"]


def test_the_context_that_is_named_is_used(tmp_path: Path) -> None:
    access = opened(view("prod", "test"), tmp_path, context="test")
    assert access.options[-1] == "--context=test"


@pytest.mark.parametrize(
    ("path", "context", "options"),
    [
        ("", "", ()),
        ("/x/config", "", ("--kubeconfig=/x/config",)),
        ("", "prod", ("--context=prod",)),
        ("/x/config", "prod", ("--kubeconfig=/x/config", "--context=prod")),
    ],
)
def test_kubectl_is_told_what_was_named_and_looks_for_the_rest(
    path: str, context: str, options: tuple[str, ...]
) -> None:
    assert options_of(path, context) == options


def test_a_context_has_a_namespace(tmp_path: Path) -> None:
    printed = view()
    printed["contexts"][0]["context"]["namespace"] = "shop"
    assert opened(printed, tmp_path).namespace == "shop"


def test_a_server_that_is_not_verified_is_noted(tmp_path: Path) -> None:
    cluster = {"server": "https://k", "insecure-skip-tls-verify": True}
    assert not opened(view(cluster=cluster), tmp_path).is_verified


def refusal(printed: object, folder: Path, **changes: Any) -> str:
    with pytest.raises(UserError) as raised:
        opened(printed, folder, **changes)
    return str(raised.value)


def test_a_misspelt_context_has_a_near_match(tmp_path: Path) -> None:
    said = refusal(view("production", "test"), tmp_path, context="prodution")
    assert "input `context`: the kubeconfig has no context 'prodution'" in said
    assert "hint: set `context`: did you mean 'production'?" in said


def test_a_kubeconfig_without_a_current_context_lists_its_contexts(tmp_path: Path) -> None:
    said = refusal(view("a", "b", current=""), tmp_path)
    assert "input `kubeconfig`: names no current context" in said
    assert "hint: set `context`: use one of a, b" in said


def test_a_kubeconfig_without_any_context_is_told_what_it_should_be(tmp_path: Path) -> None:
    said = refusal(EMPTY, tmp_path)
    assert "names no current context" in said
    assert "hint: give the text of a kubeconfig" in said


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({"server": ""}, None, "names the cluster 'c', which has no server"),
        (None, {}, "names the user 'u', who has no login in it"),
        (None, {"token": "REDACTED"}, "holds the word REDACTED in the place of the login"),
        (None, {"username": "a", "password": "REDACTED"}, "the word REDACTED"),
        ({"server": "x", "certificate-authority": "/no/ca"}, None, "names the file /no/ca as cert"),
        (None, {"client-certificate": "/no/crt", "client-key": "/no/key"}, "/no/key as client-key"),
        (None, {"tokenFile": "/no/token"}, "names the file /no/token as tokenFile"),
        (None, {"client-key": "key"}, "names the file key as client-key"),
    ],
)
def test_what_is_missing_in_a_kubeconfig_is_named(
    tmp_path: Path, cluster: dict[str, Any] | None, user: dict[str, Any] | None, said: str
) -> None:
    found = refusal(view(cluster=cluster, user=user), tmp_path)
    assert said in found
    assert "s3cr3t" not in found


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("aws", "the AWS CLI is on GitHub-hosted runners"),
        ("gke-gcloud-auth-plugin", "google-github-actions/setup-gcloud"),
        ("kubelogin", "azure/use-kubelogin"),
        ("/opt/no/such/kubelogin", "azure/use-kubelogin"),
        ("tsh", "install tsh in a step before"),
    ],
)
def test_a_login_plugin_that_is_not_there_is_named_with_its_setup(
    tmp_path: Path, command: str, hint: str
) -> None:
    user = {"exec": {"command": command, "args": None, "env": None}}
    said = refusal(view(user=user), tmp_path, env={"PATH": str(tmp_path)})
    assert f"logs in with the program `{command}`, which is not on the PATH" in said
    assert hint in said


def test_a_login_plugin_that_is_there_is_fine(tmp_path: Path) -> None:
    user = {"exec": {"command": "sh"}}
    assert opened(view(user=user), tmp_path).secrets == ()


def test_files_are_looked_for_beside_the_kubeconfig_as_kubectl_does(tmp_path: Path) -> None:
    """`kubectl config view` shows a path as it is written, and not the whole of it."""
    for name in ("ca.crt", "login"):
        (tmp_path / name).write_text("x")
    user = {"exec": {"command": "./login"}}
    printed = view(user=user, cluster={"server": "x", "certificate-authority": "ca.crt"})
    assert opened(printed, tmp_path, given=Kubeconfig(path=f"{tmp_path}/config"))
    env = {"PATH": "", "KUBECONFIG": f"{tmp_path}/config"}
    assert opened(printed, tmp_path, given=Kubeconfig(), env=env).options == ("--context=prod",)
    several = {**env, "KUBECONFIG": f"/no/config:{tmp_path}/config"}
    assert opened(printed, tmp_path, given=Kubeconfig(), env=several)
    elsewhere = {**env, "KUBECONFIG": "", "HOME": str(tmp_path)}
    said = refusal(printed, tmp_path, given=Kubeconfig(), env=elsewhere)
    assert "names the file ca.crt" in said
    assert "the program `./login`" in said


FAILS = 'error: error loading config file "/tmp/ship-1/config": '
# What kubectl 1.32 says after that, and what of it may be shown.
SAID = [
    ("yaml: unknown anchor 'hunter2' referenced", "yaml: unknown anchor"),
    ("yaml: cannot decode !!str `hunter2` as a !!int", "yaml: cannot decode !!str"),
    ('no kind "hunter2" is registered for version "v9" in scheme "k8s.io/latest.go:50"', "no kind"),
    (
        'couldn\'t get version/kind; json: cannot unmarshal string into Go value of type "x"',
        "couldn't get version/kind; json: cannot unmarshal string into Go value of type",
    ),
    ("yaml: line 7: did not find expected ',' or '}'", "yaml: line 7: did not find expected"),
]


@pytest.mark.parametrize(("stderr", "shown"), SAID)
def test_what_kubectl_cannot_read_is_told_without_the_values_that_it_quotes(
    stderr: str, shown: str
) -> None:
    runner = ScriptedRunner(Finished(1, "", f"{FAILS}{stderr}\n"))
    with pytest.raises(UserError) as raised:
        open_access("config", "", runner, {})
    assert f"input `kubeconfig`: kubectl cannot read it: {shown}" in str(raised.value)
    assert "hunter2" not in str(raised.value)


POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}


def test_a_pod_without_a_token_is_told(tmp_path: Path) -> None:
    """One with a token is in tests/kube."""
    said = refusal(EMPTY, tmp_path, given=Kubeconfig(), env=POD)
    assert "input `kubeconfig`: is empty, and the pod of this runner has no token in /var" in said
    assert "automountServiceAccountToken: false" in said


def test_outside_of_a_cluster_a_kubeconfig_is_needed(tmp_path: Path) -> None:
    said = refusal(EMPTY, tmp_path, given=Kubeconfig())
    assert "is empty, no earlier step has made one, and this runner is no pod" in said


def test_a_pod_has_no_contexts(tmp_path: Path) -> None:
    said = refusal(EMPTY, tmp_path, given=Kubeconfig(), env=POD, context="prod")
    assert "input `context`: there is no kubeconfig, so there is no context 'prod'" in said


def test_the_kubeconfig_of_an_earlier_step_goes_before_the_pod(tmp_path: Path) -> None:
    access = opened(view(), tmp_path, given=Kubeconfig(), env=POD)
    assert (access.options, access.context) == (("--context=prod",), "prod")


@pytest.mark.parametrize(
    "printed",
    [
        {"contexts": [None, 4, {"name": "prod"}], "current-context": "prod"},
        {"contexts": [{"name": "prod", "context": None}], "current-context": "prod"},
        {"contexts": [{"name": "prod", "context": "x"}], "users": "x", "current-context": "prod"},
        {"contexts": {}, "clusters": {}, "users": {}, "current-context": None},
        [],
    ],
)
def test_an_odd_kubeconfig_is_refused_and_is_no_bug(tmp_path: Path, printed: object) -> None:
    assert "input `kubeconfig`" in refusal(printed, tmp_path)


def test_what_is_no_json_is_refused_and_is_no_bug() -> None:
    runner = ScriptedRunner(Finished(0, "Fetching cluster endpoint and auth data.\n{}"))
    with pytest.raises(UserError, match="input `kubeconfig`"):
        open_access("config", "", runner, {})
