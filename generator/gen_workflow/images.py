"""The `image` section: what is built."""

# ruff: noqa: PTH112, PTH113, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import checks, keys, reading
from gen_workflow.errors import shown
from gen_workflow.variables import Variable, read_args

if TYPE_CHECKING:
    from gen_workflow.document import Problems, Value


class Image(NamedTuple):
    """An image and where its Dockerfile is; paths are relative to the root of the repository."""

    context: str = "."
    dockerfile: str = ""
    target: str = ""
    args: tuple[Variable, ...] = ()
    name: str = ""


def read_image(value: Value, folder: str, problems: Problems) -> Image | None:
    """Return the image, a folder or a mapping; its folder and Dockerfile must exist."""
    if value.kind == "text":
        context = _context(value, folder, problems)
        if context is not None:
            _dockerfile_of(value, context, folder, problems)
        return Image(context) if context else None
    if value.kind != "a mapping":
        problems.add(value, f"should be a folder or a mapping, is {value.kind}", "such as image: .")
        return None
    found = reading.section(value, problems, keys.IMAGE) or {}
    context = _context(found["context"], folder, problems) if "context" in found else "."
    dockerfile = ""
    if "dockerfile" in found:
        dockerfile = _dockerfile(found["dockerfile"], context, folder, problems) or ""
    elif context is not None:
        _dockerfile_of(found.get("context", value), context, folder, problems)
    target = (checks.stage(found["target"], problems) or "") if "target" in found else ""
    args = read_args(found["args"], problems) if "args" in found else ()
    name = (checks.image_name(found["name"], problems) or "") if "name" in found else ""
    return Image(context, dockerfile, target, args, name) if context else None


def _context(value: Value, folder: str, problems: Problems) -> str | None:
    path = _path(value, problems)
    if path is not None and not os.path.isdir(os.path.join(folder, path)):
        hint = "name a folder of the repository, such as ."
        problems.add(value, f"there is no folder {_shown(folder, path)}", hint)
        return None
    return path


def _dockerfile_of(value: Value, context: str, folder: str, problems: Problems) -> None:
    path = context.rstrip("/") + "/Dockerfile" if context != "." else "Dockerfile"
    if not os.path.isfile(os.path.join(folder, path)):
        hint = (
            f"write one, or say where it is: image: {{context: {context}, dockerfile: path/of/it}}"
        )
        problems.add(value, f"there is no Dockerfile at {_shown(folder, path)}", hint)


def _dockerfile(value: Value, context: str | None, folder: str, problems: Problems) -> str | None:
    path = _path(value, problems)
    if path is None or os.path.isfile(os.path.join(folder, path)):
        return path
    hint = "the path begins at the root of the repository"
    if context and os.path.isfile(os.path.join(folder, context, path)):
        hint += f"; perhaps you meant `{context.rstrip('/')}/{path}`"
    problems.add(value, f"there is no Dockerfile at {_shown(folder, path)}", hint)
    return None


def _path(value: Value, problems: Problems) -> str | None:
    """Return a path that stays in the repository, in its shortest form."""
    written = reading.text(value, problems, "backend")
    if written is None:
        return None
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if re.match(r"[a-z]+://|git@", written):
        problems.add(value, f"{written!r} is an address", "name a folder of this repository")
    elif written.startswith(("/", "~")) or ".." in parts:
        what = f"{written!r} leads out of the repository"
        problems.add(value, what, "paths begin at the root of the repository")
    elif not written.isprintable() or "\\" in written or written != written.strip():
        problems.add(value, f"{written!r} is not a path", "separate folders with /")
    else:
        return "/".join(parts) or "."
    return None


def _shown(folder: str, path: str) -> str:
    return shown(os.path.normpath(os.path.join(folder, path)))
