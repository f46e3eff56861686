"""The actions that this gen-workflow has in it, and which of its files each of them needs."""

# ruff: noqa: PTH100, PTH110, PTH112, PTH118, PTH120 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files as own_files
from gen_workflow.errors import Heading, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# By action, the packages of actions/lib/ship that it imports; a test walks the imports.
PACKAGES = {
    "build-push": ("build_push", "images", "runner"),
    "kubectl-set-image": ("images", "kube", "kubectl_set_image", "runner"),
    "ssh-deploy": ("images", "runner", "ssh", "ssh_deploy"),
}
_ENDINGS = (".py", ".sh")
# git would else change the ends of lines where the repository or a person asks for it.
_ATTRIBUTES = b"* -text linguist-vendored\n"
_ELSEWHERE = (
    "install gen-workflow from PyPI or run it from a checkout, or use `actions: {remote: …}`"
)


def files(actions: Iterable[str]) -> dict[str, bytes]:
    """Return the content of every file that a copy of actions holds, by its path in there.

    The folders are those of this project below `actions`. Names that are none of ours are left out;
    without any of ours nothing is copied. Raises UserError when this installation has no actions.
    """
    known = [name for name in actions if name in PACKAGES]
    if not known:
        return {}
    top = _folder()
    wanted = [f"{name}/action.yml" for name in known]
    wanted += ["lib/__main__.py", "lib/ship/__init__.py"]
    for package in {package for name in known for package in PACKAGES[name]}:
        wanted += _below(top, f"lib/ship/{package}")
    found = {path: own_files.content(os.path.join(top, path)) for path in wanted}
    found |= {".gitattributes": _ATTRIBUTES, "LICENSE": _licence(top)}
    return dict(sorted(found.items()))


def _folder() -> str:
    """Return the folder of our actions: in the package, or beside it in a checkout."""
    for folder in (os.path.join(_PACKAGE, "actions"), os.path.abspath(f"{_PACKAGE}/../../actions")):
        if os.path.isdir(os.path.join(folder, "lib", "ship")):
            return folder
    what = "this gen-workflow was installed without the actions, so it cannot copy them"
    raise UserError(what, hint=_ELSEWHERE, anchor=Heading.COPY)


def _licence(top: str) -> bytes:
    """Return the licence, of which each copy has to hold one (Apache-2.0, 4a)."""
    inside = os.path.join(top, "LICENSE")
    return own_files.content(inside if os.path.exists(inside) else f"{top}/../LICENSE")


def _below(top: str, folder: str) -> Iterator[str]:
    """Yield the path of each source file below a folder, from the top."""
    for where, _, names in os.walk(os.path.join(top, folder)):
        for name in names:
            if name.endswith(_ENDINGS):
                yield os.path.relpath(os.path.join(where, name), top).replace(os.sep, "/")
