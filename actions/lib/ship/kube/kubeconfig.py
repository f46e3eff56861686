"""The kubeconfig: as text, as base64, as a path, of an earlier step, or of the pod that we run in.

kubectl reads the YAML (`kubectl config view`), so that what it says of a file is what kubectl does.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from ship.kube.proxy import kubectl
from ship.runner import cancel
from ship.runner.command import Secret
from ship.runner.errors import Problem, UserError, near_match
from ship.runner.json_file import object_at
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ship.runner.process import Runner
    from ship.runner.reader import Reader

IN_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount"
# A socket has a path of 107 bytes at most, and we put one into the same folder.
LONGEST_FOLDER = 60
WHAT_IT_IS = (
    "give the text of a kubeconfig, the same in base64, or the path of such a file, as "
    "`kubectl config view --flatten --raw --minify` prints it"
)
PRINT_IT_RAW = (
    "print it with `kubectl config view --flatten --raw --minify`: without --raw the login is left "
    "out"
)
ANCHOR = "the-kubeconfig"
LONGEST_PATH = 255
# What installs a plugin that logs in.
PLUGINS = {
    "aws": "the AWS CLI is on GitHub-hosted runners; on your own runner install it",
    "gke-gcloud-auth-plugin": "use google-github-actions/get-gke-credentials with "
    "`use_auth_provider`, or install the plugin with google-github-actions/setup-gcloud",
    "kubelogin": "use azure/use-kubelogin in a step before",
}


class Kubeconfig(NamedTuple):
    """Where the kubeconfig is: its text, or a path; without both kubectl looks by itself."""

    text: Secret = Secret("")
    path: str = ""


class _Here(NamedTuple):
    """This runner, as a kubeconfig sees it: `folder` is where its paths begin, if that is known."""

    env: Mapping[str, str]
    folder: str

    def has_file(self, path: str) -> bool:
        known = os.path.isabs(path) or self.folder
        return not known or os.path.isfile(os.path.join(self.folder, path))

    def has_program(self, command: str) -> bool:
        """Say whether a program is there; kubectl takes a path from where the kubeconfig is."""
        if os.sep not in command:
            return bool(shutil.which(command, path=self.env.get("PATH")))
        return self.has_file(command)


class Access(NamedTuple):
    """The way to a cluster: options of kubectl, and what the kubeconfig says of the context."""

    options: tuple[str, ...]
    server: str
    namespace: str
    context: str = ""
    is_verified: bool = True
    # Tokens, passwords and keys, which GitHub does not know one by one.
    secrets: tuple[Secret, ...] = ()


def read_kubeconfig(read: Reader, workspace: str) -> Kubeconfig:
    """Return what the input `kubeconfig` is. Notes what is wrong, and never the value itself."""
    value = read.secret("kubeconfig").reveal()
    if not value:
        return Kubeconfig()
    if _is_text(value):
        return Kubeconfig(text=Secret(value + "\n"))
    if decoded := _decoded(value):
        return Kubeconfig(text=Secret(decoded))
    path = os.path.join(workspace, os.path.expanduser(value))
    if "\n" not in value and os.path.isfile(path):
        return Kubeconfig(path=path)
    no_file = f"there is no file {value!r}"
    what = no_file if _is_path(value) else "is no kubeconfig, no base64 and no file"
    read.problem("kubeconfig", what, WHAT_IT_IS, ANCHOR)
    return Kubeconfig()


def _is_text(value: str) -> bool:
    return "clusters" in value and ("\n" in value or value.startswith("{"))


def _is_path(value: str) -> bool:
    """Say whether a value may be shown: base64 and tokens may begin with a slash as well."""
    looks_so = value.startswith(("/", ".", "~")) and "\n" not in value
    return looks_so and len(value) <= LONGEST_PATH and not _bytes_of(value)


def _decoded(value: str) -> str:
    """Return the kubeconfig that a base64 text holds; nothing when it is none."""
    text = _bytes_of(value).decode("utf-8", "replace")
    return text if _is_text(text) else ""


def _bytes_of(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return b""


@contextlib.contextmanager
def folder_for(temp: str) -> Iterator[str]:
    """Make a folder that only our user may enter; it is removed afterwards, whatever happens."""
    import tempfile  # noqa: PLC0415 - 5 ms that a wrong input saves

    fits = os.path.isdir(temp) and len(temp) <= LONGEST_FOLDER
    folder = tempfile.mkdtemp(prefix="ship-", dir=temp if fits else None)
    try:
        yield folder
    finally:
        with cancel.held_off():
            shutil.rmtree(folder, ignore_errors=True)


def placed(config: Kubeconfig, folder: str) -> str:
    """Return the path of the kubeconfig; a text is written into the folder.

    Without a kubeconfig it is empty: then kubectl looks by itself.
    """
    if not config.text:
        return config.path
    path = os.path.join(folder, "config")
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(config.text.reveal())
    return path


def options_of(path: str, context: str) -> tuple[str, ...]:
    """Return the options of kubectl for a kubeconfig and, where one is named, a context of it."""
    file = (f"--kubeconfig={path}",) if path else ()
    return (*file, f"--context={context}") if context else file


def open_access(path: str, context: str, runner: Runner, env: Mapping[str, str]) -> Access:
    """Have kubectl read the kubeconfig, and choose the context. Raises UserError."""
    view = _view(options_of(path, ""), runner)
    if not path and not view.get("contexts"):
        return _in_cluster(context, env)
    return _chosen(view, context, path, _Here(env, _folder_of(path, env)))


def _folder_of(path: str, env: Mapping[str, str]) -> str:
    """Return the folder that paths in a kubeconfig begin at: the one that it is in."""
    path = path or env.get("KUBECONFIG") or os.path.join(env.get("HOME", ""), ".kube", "config")
    # Of several files that are merged, kubectl does not say which one a path is from.
    return "" if os.pathsep in path else os.path.dirname(path)


def _view(options: tuple[str, ...], runner: Runner) -> dict[str, Any]:
    done = runner.run(
        kubectl("config", "view", "--raw", "-o", "json", why="read the kubeconfig", options=options)
    )
    if done.code:
        raise UserError.of(
            f"kubectl cannot read it: {_without_values(done.stderr)}",
            where="input `kubeconfig`",
            hint=WHAT_IT_IS,
            anchor=ANCHOR,
        )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise UserError.of(
            "`kubectl config view` printed something that is not JSON",
            where="input `kubeconfig`",
            hint="look whether the kubectl of this runner is a script that prints more",
            anchor=ANCHOR,
        ) from None
    return found if isinstance(found, dict) else {}


def _without_values(said: str) -> str:
    """Return what kubectl says of a file, up to the value that it quotes.

    That may be a part of a secret, such as a password with a star in front: "unknown anchor '…'".
    """
    plain = re.sub(r'^error: |error loading config file ".*?": ', "", " ".join(said.split()))
    return re.split(r"(?<!\w)['`\"]", plain)[0].strip()[:300]


def _in_cluster(context: str, env: Mapping[str, str]) -> Access:
    """Return the access of a pod: its service account. Raises UserError where we run in none."""
    if not env.get("KUBERNETES_SERVICE_HOST"):
        raise UserError.of(
            "is empty, no earlier step has made one, and this runner is no pod of a cluster",
            where="input `kubeconfig`",
            hint=f"create a secret with the kubeconfig and pass it; {WHAT_IT_IS}",
            anchor=ANCHOR,
        )
    if context:
        raise UserError.of(
            f"there is no kubeconfig, so there is no context {context!r}",
            where="input `context`",
            hint="leave it out to use the service account of the pod, or give `kubeconfig`",
            anchor=ANCHOR,
        )
    if not os.access(f"{IN_CLUSTER}/token", os.R_OK):  # kubectl would ask localhost:8080 then
        raise UserError.of(
            f"is empty, and the pod of this runner has no token in {IN_CLUSTER}",
            where="input `kubeconfig`",
            hint="take `automountServiceAccountToken: false` away from the pod and its service "
            f"account, or pass a kubeconfig; {WHAT_IT_IS}",
            anchor=ANCHOR,
        )
    namespace = ""
    with contextlib.suppress(OSError), open(f"{IN_CLUSTER}/namespace", encoding="utf-8") as file:
        namespace = file.read().strip()
    server = f"https://{env['KUBERNETES_SERVICE_HOST']}"
    return Access((), server, namespace or "default", "the pod's own service account")


def _chosen(view: Mapping[str, Any], asked: str, path: str, here: _Here) -> Access:
    """Return the access that a context of a kubeconfig gives. Raises UserError."""
    contexts = _by_name(view, "contexts", "context")
    name = asked or str(view.get("current-context") or "")
    if name not in contexts:
        where = "input `context`" if asked else "input `kubeconfig`"
        what = f"has no context {name!r}" if name else "names no current context"
        hint = f"set `context`: {near_match(name, contexts)}" if contexts else WHAT_IT_IS
        what = f"the kubeconfig {what}" if asked else what
        raise UserError.of(what, where=where, hint=hint, anchor=ANCHOR)
    context = contexts[name]
    cluster = _by_name(view, "clusters", "cluster").get(str(context.get("cluster")), {})
    user = _by_name(view, "users", "user").get(str(context.get("user")), {})
    problems = [*_of_cluster(name, context, cluster, here), *_of_user(name, context, user, here)]
    if problems:
        raise UserError(*problems)
    return Access(
        options=options_of(path, name),
        server=str(cluster.get("server")),
        namespace=str(context.get("namespace") or "default"),
        context=name,
        is_verified=not cluster.get("insecure-skip-tls-verify"),
        secrets=tuple(Secret(str(user[key])) for key in ("token", "password") if user.get(key)),
    )


def _of_cluster(
    name: str, context: Mapping[str, Any], cluster: Mapping[str, Any], here: _Here
) -> Iterator[Problem]:
    if not cluster.get("server"):
        what = f"context {name!r} names the cluster {context.get('cluster')!r}, which has no server"
        yield Problem("input `kubeconfig`", what, WHAT_IT_IS, ANCHOR)
    yield from _missing_file(cluster, "certificate-authority", here)


def _of_user(
    name: str, context: Mapping[str, Any], user: Mapping[str, Any], here: _Here
) -> Iterator[Problem]:
    if not user:
        what = f"context {name!r} names the user {context.get('user')!r}, who has no login in it"
        yield Problem("input `kubeconfig`", what, PRINT_IT_RAW, ANCHOR)
    for key in ("client-certificate", "client-key", "tokenFile"):
        yield from _missing_file(user, key, here)
    if "REDACTED" in (user.get("token"), user.get("password")):
        what = "holds the word REDACTED in the place of the login"
        yield Problem("input `kubeconfig`", what, "print it with the option --raw", ANCHOR)
    command = str(object_at(user, "exec").get("command") or "")
    if command and not here.has_program(command):
        plugin = os.path.basename(command)
        hint = PLUGINS.get(plugin, f"install {plugin} in a step before")
        what = f"logs in with the program `{command}`, which is not on the PATH of the runner"
        yield Problem("input `kubeconfig`", what, hint, "a-login-plugin-is-missing")


def _missing_file(entry: Mapping[str, Any], key: str, here: _Here) -> Iterator[Problem]:
    path = str(entry.get(key) or "")
    if path and not here.has_file(path):
        what = f"names the file {path} as {key}, which this runner does not have"
        hint = "print it with `kubectl config view --flatten --raw --minify`, which has all in one"
        yield Problem("input `kubeconfig`", what, hint, ANCHOR)


def _by_name(view: Mapping[str, Any], plural: str, singular: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a list of a kubeconfig, by their names."""
    entries = [each for each in view.get(plural) or () if isinstance(each, dict)]
    return {str(each.get("name")): object_at(each, singular) for each in entries}
