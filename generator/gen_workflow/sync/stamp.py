"""The machine line of a rendered workflow: what it was made from, and whether it was edited since.

An up-to-date `check` runs little more than this, so it imports nothing that costs start-up time:
BLAKE2 comes from its own module, because hashlib loads OpenSSL.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter that was built without it
    from hashlib import blake2b

_BEGIN = b"# gen-workflow: "
_FIELDS = ("version", "spec", "generator", "content")
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"


class Stamp:
    """The machine line of a rendered workflow, and whether the content still fits it.

    `paths` are the files, and the folders with a `/` at the end, that the spec names and that have
    to be there; None in the line of a version that did not write them. `files` are the other
    workflows that the same spec gives.
    """

    def __init__(self, fields: dict[str, str], content: str) -> None:
        self.version = fields["version"]
        self.spec = fields["spec"]
        self.generator = fields["generator"]
        self.edited = fields["content"] != content
        self.paths = _paths(fields["paths"]) if "paths" in fields else None
        self.files = _paths(fields.get("files", ""))


def digest(*parts: bytes) -> str:
    """Return a short hash of texts; how their lines end makes no difference."""
    state = blake2b(digest_size=10)
    for part in parts:
        text = part.replace(b"\r\n", b"\n")
        state.update(b"%d:" % len(text))
        state.update(text)
    return state.hexdigest()


def sign(
    text: str,
    *,
    version: str,
    spec: bytes,
    generator: str,
    paths: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> str:
    """Return a rendered workflow with its machine line after the comment that begins it."""
    content = digest(text.encode())
    fields = f"version={version} spec={digest(spec)} generator={generator} content={content}"
    fields += f" paths={','.join(map(_word, paths))}"
    fields += f" files={','.join(map(_word, files))}" if files else ""
    end = text.find("\n\n") + 1 if text.startswith("#") else 0
    return f"{text[:end]}# gen-workflow: {fields}\n{text[end:]}"


def _word(path: str) -> str:
    """Return a path as a word of ASCII, in the way of a URL (whose module is slow to load)."""
    return "".join(chr(one) if one in _PLAIN else f"%{one:02x}" for one in path.encode())


def _paths(words: str) -> tuple[str, ...]:
    """Return the paths that `_word` wrote; a word that it cannot have written names nothing."""
    found = []
    for word in filter(None, words.split(",")):
        first, *rest = word.split("%")
        try:
            parts = [bytes.fromhex(part[:2]) + part[2:].encode() for part in rest]
        except ValueError:
            parts = [b"\0"]
        found.append(b"".join([first.encode(), *parts]).decode("utf-8", "replace"))
    return tuple(found)


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


def body(workflow: bytes) -> bytes:
    """Return a workflow without the comment that begins it: what GitHub runs."""
    rest = workflow.replace(b"\r\n", b"\n")
    while rest.startswith((b"#", b"\n")):
        rest = rest.partition(b"\n")[2]
    return rest
