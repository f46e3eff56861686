"""The machine line of a rendered workflow: what it was made from, and whether it was edited since.

The hash of the content is the name that git would give to the text without this line, so that git
finds the text again where it has it.

An up-to-date `check` runs little more than this, so it imports nothing that costs start-up time:
the hashes come from their own modules, because hashlib loads OpenSSL.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter that was built without it
    from hashlib import blake2b

try:
    from _sha1 import sha1  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha1

_BEGIN = b"# gen-workflow: "
_FIELDS = ("version", "spec", "generator", "content")
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"


class Stamp:
    """The machine line of a rendered workflow, and whether the content still fits it.

    `paths` are the files, and the folders with a `/` at the end, that the spec names and that have
    to be there; None in the line of a version that did not write them. `files` are the other
    workflows that the same spec gives, `actions` is the folder that our actions are copied into.
    """

    def __init__(self, fields: dict[str, str], content: str) -> None:
        self.version = fields["version"]
        self.spec = fields["spec"]
        self.generator = fields["generator"]
        self.content = fields["content"]
        self.edited = fields["content"] != content
        self.paths = _paths(fields["paths"]) if "paths" in fields else None
        self.files = _paths(fields.get("files", ""))
        self.actions = "".join(_paths(fields.get("actions", ""))[:1])


def digest(*parts: bytes) -> str:
    """Return a short hash of texts; how their lines end makes no difference."""
    state = blake2b(digest_size=10)
    for part in parts:
        text = part.replace(b"\r\n", b"\n")
        state.update(b"%d:" % len(text))
        state.update(text)
    return state.hexdigest()


def blob(text: bytes) -> str:
    """Return the name of a text in git: the SHA-1 of its blob, as `git hash-object` prints it."""
    return str(sha1(b"blob %d\0%b" % (len(text), text)).hexdigest())  # noqa: S324 - git's


def sign(
    text: str,
    *,
    version: str,
    spec: bytes,
    generator: str,
    paths: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    actions: str = "",
) -> str:
    """Return a rendered workflow with its machine line after the comment that begins it."""
    content = blob(text.encode())
    fields = f"version={version} spec={digest(spec)} generator={generator} content={content}"
    fields += f" paths={','.join(map(_word, paths))}"
    fields += f" files={','.join(map(_word, files))}" if files else ""
    fields += f" actions={_word(actions)}" if actions else ""
    raw = text.encode()
    end = place(raw)
    return f"{raw[:end].decode()}# gen-workflow: {fields}\n{raw[end:].decode()}"


def place(text: bytes) -> int:
    """Return where in a rendered text the machine line belongs: behind the comment at its top."""
    return text.find(b"\n\n") + 1 if text.startswith(b"#") else 0


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
    line = split(workflow)[1]
    words = line[len(_BEGIN) :].decode("ascii", "replace").split()
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    if not all(name in fields for name in _FIELDS):
        return None
    return Stamp(fields, blob(without_line(workflow)))


def split(workflow: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what is above the machine line, the line, and what is below; all above without one."""
    text = plain(workflow)
    begin = text.find(_BEGIN)
    if begin < 0 or (begin and text[begin - 1 : begin] != b"\n"):
        return text, b"", b""
    end = text.find(b"\n", begin) + 1
    return text[:begin], text[begin:end], text[end:]


def without_line(workflow: bytes) -> bytes:
    """Return a workflow without its machine line: what the hash of its content covers."""
    above, _, below = split(workflow)
    return above + below


def plain(workflow: bytes) -> bytes:
    """Return a workflow in the way in which we write it, however an editor saved it.

    That is with plain line ends, the last of which is there, and without a byte order mark.
    """
    text = workflow.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return text if text.endswith(b"\n") or not text else text + b"\n"


def body(workflow: bytes) -> bytes:
    """Return a workflow without the comment that begins it: what GitHub runs."""
    rest = plain(workflow)
    while rest.startswith((b"#", b"\n")):
        rest = rest.partition(b"\n")[2]
    return rest
