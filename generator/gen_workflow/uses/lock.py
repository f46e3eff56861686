"""GitHub's lock of workflow dependencies: whether it knows what a workflow uses now.

`gh actions-lock` writes `.github/workflows/actions.lock`, and asks GitHub for what is in it: the
numbers of owners and of repositories, and a branch or tag that reaches each commit. Its README says
not to edit it, and its format still changes, so it is only read here. A workflow that is listed
there and uses an action that is not does not start (https://github.com/github/gh-actions-lock).
"""

# ruff: noqa: PTH118 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gen_workflow.errors import Drift, Heading
from gen_workflow.files import LOCK, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.uses.places import Use

_HINT = "run `gh actions-lock`, look at what it changed, and commit it together with this"


def check(folder: str, texts: Mapping[str, str]) -> bytes | None:
    """Return the lock of a repository, None without one; the texts are files by their paths.

    Raises Drift when it lacks what they use. One of a form that is not known is taken for whole.
    """
    content = read(os.path.join(folder, LOCK))
    if content is None:
        return None
    from gen_workflow.uses.places import find  # noqa: PLC0415 - for repositories with a lock

    lacking = missing(content, {path: find(text) for path, text in texts.items()})
    if lacking:
        what = "\n".join(
            f"{LOCK}: does not hold {', '.join(names)} of {path}" for path, names in lacking.items()
        )
        what += "\nGitHub starts no job of a workflow that its lock does not cover"
        raise Drift(what, hint=_HINT, anchor=Heading.LOCK)
    return content


def missing(content: bytes, uses: Mapping[str, Iterable[Use]]) -> dict[str, list[str]]:
    """Return by path what files use and a lock does not hold for them.

    A workflow has its own list; what an action uses is somewhere among all dependencies. Reusable
    workflows are in the lock of their own repository.
    """
    lock = _loaded(content)
    workflows, dependencies = _mapping(lock, "workflows"), _mapping(lock, "dependencies")
    found = {}
    for path, of_file in uses.items():
        is_workflow = path.startswith(".github/workflows/")
        if is_workflow and path not in workflows:
            continue
        held = workflows[path] if is_workflow else dependencies
        there = {f"{one}".lower() for one in held} if isinstance(held, (list, dict)) else set()
        named = [f"{one.repository}@{one.ref}" for one in _actions(of_file)]
        lacking = [name for name in dict.fromkeys(named) if name.lower() not in there]
        if lacking and workflows:
            found[path] = lacking
    return found


def _actions(uses: Iterable[Use]) -> list[Any]:
    return [use.reference for use in uses if not use.reference.is_workflow]


def _loaded(content: bytes) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(content)
    except (YAMLError, ValueError):
        return None


def _mapping(lock: Any, name: str) -> dict[str, Any]:
    found = lock.get(name) if isinstance(lock, dict) else None
    return found if isinstance(found, dict) else {}
