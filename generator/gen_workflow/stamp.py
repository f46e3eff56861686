"""The machine line of a rendered workflow: what it was made of, and whether it was edited since.

This is all that an up-to-date `check` runs, so it imports nothing that costs start-up time:
os.path in place of pathlib, and BLAKE2 from its own module, because hashlib loads OpenSSL.
"""

# ruff: noqa: PTH100, PTH112, PTH116, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import errno
import os
import stat

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter that was built without it
    from hashlib import blake2b

SPEC = "gen-workflow.yml"
LARGEST = 1_000_000  # bytes of a spec, a workflow or a template
WORKFLOW = os.path.join(".github", "workflows", "ci-cd.yml")

_HERE = os.path.dirname(os.path.abspath(__file__))
_BEGIN = b"# gen-workflow: "
_FIELDS = ("spec", "generator", "content")
# Everything that decides what is rendered from a spec; a test walks the imports to keep it whole.
_RENDERING = (
    "checks document images keys overrides pins plan reading render scalars spec ssh stamp"
    " variables version workflow"
)
RENDERING = ("pins.json", *(f"{name}.py" for name in _RENDERING.split()))


class Stamp:
    """The hashes in the machine line of a rendered workflow, and whether its content fits them."""

    def __init__(self, fields: dict[str, str], content: str) -> None:
        self.spec = fields["spec"]
        self.generator = fields["generator"]
        self.edited = fields["content"] != content


def digest(*parts: bytes) -> str:
    """Return a short hash of texts, whichever way their lines end."""
    state = blake2b(digest_size=10)
    for part in parts:
        text = part.replace(b"\r\n", b"\n")
        state.update(b"%d:" % len(text))
        state.update(text)
    return state.hexdigest()


def templates() -> str:
    """Return the folder of our templates: in the package, or beside it in a checkout."""
    packaged = os.path.join(_HERE, "templates")
    return packaged if os.path.isdir(packaged) else os.path.abspath(f"{_HERE}/../../templates")


def fingerprint(override: str = "") -> str:
    """Return a hash of everything but the spec that decides what is rendered."""
    paths = [os.path.join(_HERE, name) for name in RENDERING]
    for folder in (templates(), override):
        if folder:
            paths += sorted(os.path.join(folder, name) for name in os.listdir(folder))
    return digest(*(read(path) for path in paths if path.endswith((".j2", ".py", ".json"))))


def read(path: str) -> bytes:
    """Return the content of a file; raises OSError, also for what never ends or is too large."""
    found = os.stat(path)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if found.st_size > LARGEST and not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST // 1_000_000} MB")
    with open(path, "rb") as file:
        return file.read()


def sign(body: str, *, spec: bytes, generator: str) -> str:
    """Return a rendered workflow with its machine line after the comment that begins it."""
    content = digest(body.encode())
    line = f"# gen-workflow: spec={digest(spec)} generator={generator} content={content}\n"
    end = body.find("\n\n") + 1 if body.startswith("#") else 0
    return body[:end] + line + body[end:]


def of(workflow: bytes) -> Stamp | None:
    """Return the stamp of a workflow; None when gen-workflow did not write it."""
    text = workflow.replace(b"\r\n", b"\n")
    begin = text.find(_BEGIN)
    if begin < 0 or (begin and text[begin - 1 : begin] != b"\n"):
        return None
    end = text.find(b"\n", begin) + 1 or len(text)
    words = text[begin + len(_BEGIN) : end].decode("ascii", "replace").split()
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    if not all(name in fields for name in _FIELDS):
        return None
    return Stamp(fields, digest(text[:begin] + text[end:]))


def in_step(folder: str, spec: str, override: str = "") -> bool:
    """Tell whether the workflow is what the spec in `folder` gives today, and unedited."""
    try:
        found = of(read(os.path.join(folder, WORKFLOW)))
        if found is None or found.edited:
            return False
        wanted = digest(read(os.path.join(folder, spec)))
        return found.spec == wanted and found.generator == fingerprint(override)
    except OSError:
        return False  # told in words by the caller
