"""The REST operations that the server supports, by their names in GitHub's description."""

from __future__ import annotations

import base64
import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bed.github.state import NO_OID, Pull, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.github.schemas import Rest
    from bed.github.state import Repository, Token

_REPO = "/repos/{owner}/{repo}"
_REF = f"{_REPO}/git/ref/{{ref}}"
_REFS = f"{_REPO}/git/refs"
_PULLS = f"{_REPO}/pulls"
_PULL = f"{_PULLS}/{{pull_number}}"
_BLOB = f"{_REPO}/git/blobs/{{file_sha}}"
_CONTENT = f"{_REPO}/contents/{{path}}"
_COMPARE = f"{_REPO}/compare/{{basehead}}"
_EXAMPLE = "octocat/Hello-World"


@dataclass(frozen=True)
class Asked:
    """A request that was parsed: its repository, its token and its content."""

    repository: Repository
    token: Token
    url: str
    schema: Rest
    values: dict[str, str]  # what the path says in place of `{ref}` and the like
    query: dict[str, str]
    body: Any


def operation(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Return the template of a supported path, and the values in it."""
    for verb, template in _OPERATIONS:
        names = re.sub(r"\\{(\w+)\\}", _part, re.escape(template))
        if verb == method and (found := re.fullmatch(names, path)):
            return template, found.groupdict()
    return None


def answer(method: str, template: str, asked: Asked) -> tuple[int, Any]:
    """Carry out a request, and return status and body. Raises Refused."""
    status, handler = _OPERATIONS[(method, template)]
    return status, handler(asked)


def _part(found: re.Match[str]) -> str:
    return rf"(?P<{found[1]}>{'.+' if found[1] in ('ref', 'path') else '[^/]+'})"


def _get_repository(asked: Asked) -> Any:
    shown = _example(asked, "get", _REPO, 200)
    for unwanted in ("source", "parent", "template_repository"):
        shown.pop(unwanted, None)
    owner, name = asked.repository.slug.split("/")
    shown.update(name=name, full_name=asked.repository.slug, language=None)
    shown.update(default_branch=asked.repository.default_branch, archived=asked.repository.archived)
    shown["owner"]["login"] = owner
    return shown


def _get_ref(asked: Asked) -> Any:
    if asked.repository.empty:
        raise Refused(409, "Git Repository is empty.", kind="")
    ref = f"refs/{asked.values['ref']}"
    return _ref(asked, ref, asked.repository.git.oid(ref))


def _create_ref(asked: Asked) -> Any:
    ref, sha, git = asked.body["ref"], asked.body["sha"], asked.repository.git
    asked.repository.check_writable(asked.token)
    if asked.repository.empty:
        raise Refused(409, "Git Repository is empty.", kind="")
    if not ref.startswith("refs/") or not git.valid_ref(ref):
        raise Refused(422, f"{ref} is not a valid ref name.", kind="")
    if git.oid(ref):
        raise Refused(422, "Reference already exists", kind="")
    if not git.oid(f"{sha}^{{commit}}"):
        raise Refused(422, "Object does not exist", kind="")
    asked.repository.check_rules("creation")
    if git.blocks(ref):
        raise Refused(422, "Reference update failed", kind="")
    git.point(ref, sha, NO_OID)
    return _ref(asked, ref, sha)


def _ref(asked: Asked, ref: str, sha: str | None) -> Any:
    if sha is None:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    base = f"{asked.url}/repos/{asked.repository.slug}/git"
    target = {"type": "commit", "sha": sha, "url": f"{base}/commits/{sha}"}
    return {"ref": ref, "node_id": f"REF_{ref}", "url": f"{base}/{ref}", "object": target}


def _get_blob(asked: Asked) -> Any:
    content = asked.repository.git.content(asked.values["file_sha"])
    shown = _example(asked, "get", _BLOB, 200)
    shown.update(sha=asked.values["file_sha"], size=len(content))
    shown.update(content=base64.encodebytes(content).decode(), encoding="base64")
    return shown


def _get_content(asked: Asked) -> Any:
    git, path = asked.repository.git, asked.values["path"]
    branch = asked.query.get("ref", asked.repository.default_branch)
    oid = git.oid(f"refs/heads/{branch}:{path}")
    if oid is None or git.kind(oid) != "blob":
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    return _content(asked, _example(asked, "get", _CONTENT, 200), path, oid)


def _put_content(asked: Asked) -> Any:
    """Commit one file, as the contents API does; the commit of a user is not signed."""
    repository, path, body = asked.repository, asked.values["path"], asked.body
    repository.check_writable(asked.token)
    branch = body.get("branch", repository.default_branch)
    there = repository.git.oid(f"refs/heads/{branch}:{path}")
    if there != body.get("sha"):
        raise Refused(409, f"{path} does not match {body.get('sha')}", kind="")
    files = {path: base64.b64decode(body["content"])}
    asked.token.check_workflows(files)
    made = repository.change(branch, files, message=body["message"], author=asked.token.login)
    shown = _example(asked, "put", _CONTENT, 200)
    oid = repository.git.oid(f"{made}:{path}") or ""
    shown["content"] = _content(asked, shown["content"], path, oid)
    shown["commit"]["sha"] = made
    return shown


def _content(asked: Asked, shown: Any, path: str, oid: str) -> Any:
    content = asked.repository.git.content(oid)
    shown.update(name=path.rpartition("/")[2], path=path, sha=oid, size=len(content))
    if "content" in shown:
        shown.update(content=base64.encodebytes(content).decode(), encoding="base64")
    return shown


def _compare(asked: Asked) -> Any:
    git = asked.repository.git
    base, head = asked.values["basehead"].split("...")
    ahead, behind = git.history(head, without=base), git.history(base, without=head)
    shown = _example(asked, "get", _COMPARE, 200)
    model = shown["base_commit"]
    shown.update(base_commit=_commit(asked, model, base), ahead_by=len(ahead))
    shown.update(merge_base_commit=_commit(asked, model, git.fork(base, head)))
    shown.update(behind_by=len(behind), total_commits=len(ahead))
    shown["commits"] = [_commit(asked, model, one) for one in reversed(ahead[:250])]
    ways = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    shown["status"] = ways.get((bool(ahead), bool(behind)), "identical")
    shown["files"] = []  # nobody reads them
    return shown


def _commit(asked: Asked, model: Any, sha: str) -> Any:
    git, shown = asked.repository.git, copy.deepcopy(model)
    shown["sha"] = sha
    shown["commit"]["message"] = git.message(sha)
    shown["commit"]["committer"]["email"] = git.committer(sha)
    shown["parents"] = [{**model["parents"][0], "sha": one} for one in git.parents(sha)]
    return shown


def _list_pulls(asked: Asked) -> Any:
    state = asked.query.get("state", "open")
    head = asked.query.get("head", "").rpartition(":")[2]
    base = asked.query.get("base", "")
    return [
        _pull(asked, "get", _PULLS, one)
        for one in reversed(asked.repository.pulls)
        if state in (one.state, "all") and head in ("", one.head) and base in ("", one.base)
    ]


def _create_pull(asked: Asked) -> Any:
    repository, body = asked.repository, asked.body
    repository.check_writable(asked.token)
    head, base = body["head"].rpartition(":")[2], body["base"]
    title, text = body.get("title") or "", body.get("body") or ""
    pull = repository.open_pull(head, base, title=title, body=text)
    return _pull(asked, "post", _PULLS, pull)


def _get_pull(asked: Asked) -> Any:
    return _pull(asked, "get", _PULL, asked.repository.pull(int(asked.values["pull_number"])))


def _update_pull(asked: Asked) -> Any:
    asked.repository.check_writable(asked.token)
    pull = asked.repository.pull(int(asked.values["pull_number"]))
    for name in ("title", "body", "state", "base"):
        if name in asked.body:
            setattr(pull, name, asked.body[name])
    return _pull(asked, "patch", _PULL, pull)


def _pull(asked: Asked, method: str, template: str, pull: Pull) -> Any:
    status = 201 if method == "post" else 200
    shown = _example(asked, method, template, status)
    if isinstance(shown, list):
        shown = shown[0]
    repository = asked.repository
    web = f"https://github.com/{repository.slug}/pull/{pull.number}"
    api = f"{asked.url}/repos/{repository.slug}/pulls/{pull.number}"
    shown.update(number=pull.number, title=pull.title, body=pull.body, state=pull.state)
    shown.update(html_url=web, url=api, requested_teams=[])
    if "merged" in shown:
        shown["merged"] = pull.merged
    shown["head"].update(ref=pull.head, sha=repository.head_of(pull))
    shown["base"].update(ref=pull.base, sha=repository.git.head(pull.base))
    return shown


def _example(asked: Asked, method: str, template: str, status: int) -> Any:
    """Return GitHub's example, changed to this repository on this server."""
    text = json.dumps(asked.schema.example(method, template, status))
    text = text.replace("https://api.github.com", asked.url)
    return json.loads(text.replace(_EXAMPLE, asked.repository.slug))


_OPERATIONS: dict[tuple[str, str], tuple[int, Callable[[Asked], Any]]] = {
    ("get", _REPO): (200, _get_repository),
    ("get", _REF): (200, _get_ref),
    ("post", _REFS): (201, _create_ref),
    ("get", _BLOB): (200, _get_blob),
    ("get", _CONTENT): (200, _get_content),
    ("put", _CONTENT): (200, _put_content),
    ("get", _COMPARE): (200, _compare),
    ("get", _PULLS): (200, _list_pulls),
    ("post", _PULLS): (201, _create_pull),
    ("get", _PULL): (200, _get_pull),
    ("patch", _PULL): (200, _update_pull),
}
