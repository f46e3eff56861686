"""The REST operations that the server supports, by their names in GitHub's description."""

from __future__ import annotations

import base64
import copy
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from bed.github import accounts, owners, runs, settings
from bed.github.asked import Asked, example
from bed.github.state import NO_OID, Pull, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.github.store import Store

_REPO = "/repos/{owner}/{repo}"
_REF = f"{_REPO}/git/ref/{{ref}}"
_REFS = f"{_REPO}/git/refs"
_PULLS = f"{_REPO}/pulls"
_PULL = f"{_PULLS}/{{pull_number}}"
_BLOB = f"{_REPO}/git/blobs/{{file_sha}}"
_COMPARE = f"{_REPO}/compare/{{basehead}}"
_PROPERTIES = "/orgs/{org}/properties/values"
_CONTENT = f"{_REPO}/contents/{{path}}"
_TREES = f"{_REPO}/git/trees"
_COMMITS = f"{_REPO}/git/commits"
_COMMIT = f"{_COMMITS}/{{commit_sha}}"
_MOVE = f"{_REFS}/{{ref}}"
_LABELS = f"{_REPO}/issues/{{issue_number}}/labels"
_REVIEWERS = f"{_PULL}/requested_reviewers"


def operation(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Return the template of a supported path, and the values in it."""
    for verb, template in _OPERATIONS:
        names = re.sub(r"\\{(\w+)\\}", _part, re.escape(template))
        if verb == method and (found := re.fullmatch(names, path)):
            return template, {name: unquote(text) for name, text in found.groupdict().items()}
    return None


def answer(method: str, template: str, asked: Asked) -> tuple[int, Any]:
    """Carry out a request, and return status and body. Raises Refused."""
    status, handler = _OPERATIONS[(method, template)]
    if handler is _put_content and "sha" in asked.body:
        status = 200  # the file is there already
    body = handler(asked)
    return (204 if body is None else status), body


def _part(found: re.Match[str]) -> str:
    return rf"(?P<{found[1]}>{'.+' if found[1] in ('ref', 'path') else '[^/]+'})"


def _get_repository(asked: Asked) -> Any:
    return accounts.repository(asked, asked.repository, example(asked, "get", _REPO, 200))


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
    shown = example(asked, "get", _BLOB, 200)
    shown.update(sha=asked.values["file_sha"], size=len(content))
    shown.update(content=base64.encodebytes(content).decode(), encoding="base64")
    return shown


def _get_content(asked: Asked) -> Any:
    git, path = asked.repository.git, asked.values["path"]
    branch = asked.query.get("ref", asked.repository.default_branch)
    oid = git.oid(f"refs/heads/{branch}:{path}")
    if oid is None or git.kind(oid) != "blob":
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    return _content(asked, example(asked, "get", _CONTENT, 200), path, oid)


def _put_content(asked: Asked) -> Any:
    """Commit one file; in an empty repository it is the first one. That of a user is not signed.

    Sources: https://github.com/abapGit/abapGit/pull/7390, https://github.com/CATcher-org/CATcher/pull/1234.
    """
    repository, path, body = asked.repository, asked.values["path"], asked.body
    repository.check_writable(asked.token)
    asked.token.check_workflows([path])
    branch = body.get("branch", repository.default_branch)
    there = repository.git.oid(f"refs/heads/{branch}:{path}")
    if there and "sha" not in body:
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.', kind="")
    if there != body.get("sha"):
        raise Refused(409, f"{path} does not match {body.get('sha')}", kind="")
    content = base64.b64decode(body["content"], validate=True)
    made = repository.change(branch, {path: content}, message=body["message"])
    shown = example(asked, "put", _CONTENT, 200 if there else 201)
    oid = repository.git.oid(f"{made}:{path}") or ""
    shown["content"] = _content(asked, shown["content"], path, oid)
    shown["commit"].update(sha=made, message=body["message"])
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
    shown = example(asked, "get", _COMPARE, 200)
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


def _get_commit(asked: Asked) -> Any:
    git, sha = _with_commits(asked), asked.values["commit_sha"]
    shown = example(asked, "get", _COMMIT, 200)
    shown.update(sha=sha, message=git.message(sha))
    shown["tree"].update(sha=git.oid(f"{sha}^{{tree}}"))
    return shown


def _create_tree(asked: Asked) -> Any:
    git = _with_commits(asked)
    asked.repository.check_writable(asked.token)
    entries = asked.body["tree"]
    tree = git.tree(
        asked.body["base_tree"],
        {one["path"]: one["content"].encode() for one in entries if "content" in one},
        [one["path"] for one in entries if "content" not in one],
        [one["path"] for one in entries if one["mode"] == "100755"],
    )
    return {**example(asked, "post", _TREES, 201), "sha": tree}


def _create_commit(asked: Asked) -> Any:
    """Make a commit. GitHub signs it for an App that names no author and no committer.

    Source: https://github.com/peter-evans/create-pull-request/blob/main/docs/concepts-guidelines.md.
    """
    git, body = _with_commits(asked), asked.body
    asked.repository.check_writable(asked.token)
    signed = asked.token.app and not {"author", "committer"} & set(body)
    by = body.get("committer", {}).get("email")
    made = git.commit(
        body["parents"],
        body["message"],
        tree=body["tree"],
        author=asked.token.login,
        committer=by or ("noreply@github.com" if signed else f"{asked.token.login}@example.com"),
    )
    shown = example(asked, "post", _COMMITS, 201)
    shown["verification"].update(verified=signed, reason="valid" if signed else "unsigned")
    shown.update(sha=made, message=body["message"])
    return shown


def _move_ref(asked: Asked) -> Any:
    ref, sha, git = f"refs/{asked.values['ref']}", asked.body["sha"], _with_commits(asked)
    asked.repository.check_writable(asked.token)
    head = git.oid(ref)
    if head is None:
        raise Refused(422, "Reference does not exist", kind="")
    if not asked.body.get("force") and not git.reaches(sha, head):
        raise Refused(422, "Update is not a fast forward", kind="")
    asked.token.check_workflows(git.changed(head, sha))
    asked.repository.check_rules("update")
    git.point(ref, sha, head)
    return _ref(asked, ref, sha)


def _with_commits(asked: Asked) -> Store:
    """Return the git of a repository that has a commit.

    Source: https://github.com/github/rest-api-description/issues/637.
    """
    if asked.repository.empty:
        raise Refused(409, "Git Repository is empty.", kind="")
    return asked.repository.git


def _add_labels(asked: Asked) -> Any:
    asked.repository.check_writable(asked.token)
    pull = asked.repository.pull(int(asked.values["issue_number"]))
    pull.labels = list(dict.fromkeys([*pull.labels, *asked.body["labels"]]))
    model = example(asked, "post", _LABELS, 200)[0]
    return [{**model, "name": one} for one in pull.labels]


def _ask_for_review(asked: Asked) -> Any:
    repository, number = asked.repository, int(asked.values["pull_number"])
    repository.check_writable(asked.token)
    repository.ask_for_review(number, [*asked.body["reviewers"], *asked.body["team_reviewers"]])
    return _pull(asked, "post", _REVIEWERS, repository.pull(number))


def _list_commits(asked: Asked) -> Any:
    repository = asked.repository
    if repository.empty:
        raise Refused(409, "Git Repository is empty.", kind="")
    (model,) = example(asked, "get", f"{_REPO}/commits", 200)
    history = repository.git.history(repository.git.head(repository.default_branch) or "")
    many = int(asked.query.get("per_page", "30"))
    return [_commit(asked, model, one) for one in history[:many]]


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
    draft = bool(body.get("draft"))
    pull = repository.open_pull(head, base, title=title, body=text, draft=draft)
    return _pull(asked, "post", _PULLS, pull)


def _get_pull(asked: Asked) -> Any:
    return _pull(asked, "get", _PULL, asked.repository.pull(int(asked.values["pull_number"])))


def _update_pull(asked: Asked) -> Any:
    asked.repository.check_writable(asked.token)
    pull = asked.repository.pull(int(asked.values["pull_number"]))
    if asked.body.get("state") == "open" and pull.state == "closed":
        asked.repository.reopen(pull.number)
    if asked.body.get("state") == "closed":
        asked.repository.close(pull.number)
    for name in ("title", "body", "base"):
        if name in asked.body:
            setattr(pull, name, asked.body[name])
    return _pull(asked, "patch", _PULL, pull)


def _pull(asked: Asked, method: str, template: str, pull: Pull) -> Any:
    status = 201 if method == "post" else 200
    shown = example(asked, method, template, status)
    if isinstance(shown, list):
        shown = shown[0]
    repository = asked.repository
    web = f"https://github.com/{repository.slug}/pull/{pull.number}"
    api = f"{asked.url}/repos/{repository.slug}/pulls/{pull.number}"
    shown.update(number=pull.number, title=pull.title, body=pull.body, state=pull.state)
    shown.update(html_url=web, url=api, requested_teams=[], draft=pull.draft)
    shown["node_id"] = repository.node_of(pull)
    if "merged" in shown:
        shown["merged"] = pull.merged
    shown["head"].update(ref=pull.head, sha=repository.head_of(pull))
    shown["base"].update(ref=pull.base, sha=repository.git.head(pull.base))
    return shown


_OPERATIONS: dict[tuple[str, str], tuple[int, Callable[[Asked], Any]]] = {
    ("get", _REPO): (200, _get_repository),
    ("get", _REF): (200, _get_ref),
    ("post", _REFS): (201, _create_ref),
    ("get", _BLOB): (200, _get_blob),
    ("get", _CONTENT): (200, _get_content),
    ("get", _COMPARE): (200, _compare),
    ("get", _PULLS): (200, _list_pulls),
    ("post", _PULLS): (201, _create_pull),
    ("get", _PULL): (200, _get_pull),
    ("patch", _PULL): (200, _update_pull),
    ("get", _PROPERTIES): (200, lambda asked: owners.properties(asked.owned, asked.query)),
    ("post", _REVIEWERS): (201, _ask_for_review),
    ("post", _LABELS): (200, _add_labels),
    ("put", _CONTENT): (201, _put_content),
    ("get", _COMMIT): (200, _get_commit),
    ("post", _TREES): (201, _create_tree),
    ("post", _COMMITS): (201, _create_commit),
    ("patch", _MOVE): (200, _move_ref),
    ("get", f"{_REPO}/commits"): (200, _list_commits),
    **accounts.OPERATIONS,
    **settings.OPERATIONS,
    **runs.OPERATIONS,
}
