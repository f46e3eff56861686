"""Private keys as people paste them: corrected where that is safe, reported where it is not."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from ship.runner.command import Secret

if TYPE_CHECKING:
    from ship.runner.reader import Reader

BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]+ )?PRIVATE KEY)-----")
PUBLIC = re.compile(r"(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+) AAAA")
PASTE = "paste the whole file, from the line -----BEGIN to the line -----END, into the secret"


def read_private_key(read: Reader, name: str, passphrase_name: str) -> tuple[Secret, Secret]:
    """Return the key as ssh-add takes it, with Unix line ends and a last newline; its passphrase.

    The passphrase is empty for a key that needs none.
    """
    secret = read.secret(
        name,
        required_hint="create the secret; runs of forks and of Dependabot get no secrets",
    )
    # No line of a key begins or ends with a blank; a key that was pasted into YAML is indented.
    text = "\n".join(line.strip() for line in secret.reveal().splitlines()).strip()
    # A blank can be part of a passphrase, a line break cannot.
    passphrase = Secret(read.raw(passphrase_name).strip("\r\n"))
    if text:
        what, hint = _fault(text)
        if what:
            read.problem(name, what, hint)
        elif _is_locked(text):
            _check_passphrase(read, passphrase_name, passphrase)
    return Secret(text + "\n"), passphrase


def _check_passphrase(read: Reader, name: str, passphrase: Secret) -> None:
    if not passphrase:
        hint = (
            "give the passphrase, or make a key for deploys only: "
            "ssh-keygen -t ed25519 -N '' -f deploy_key"
        )
        read.problem(name, "is empty, and the key is protected by a passphrase", hint)
    elif not passphrase.reveal().isprintable():
        read.problem(name, "holds more than one line", "paste the passphrase alone")


def _fault(text: str) -> tuple[str, str]:
    """Return what is wrong with a key and what to do; two empty strings for a good key."""
    begin = BEGIN.search(text)
    if PUBLIC.match(text):
        fault = "holds a public key", "the secret needs the private one, the file without .pub"
    elif text.startswith("PuTTY-User-Key-File"):
        fault = "holds a key of PuTTY", "in PuTTYgen choose Conversions, Export OpenSSH key"
    elif not begin and b"PRIVATE KEY-----" in _decoded(text):
        fault = "holds a key that was encoded in base64 once more", PASTE
    elif not begin:
        fault = "holds no private key", PASTE
    elif f"-----END {begin[1]}-----" not in text:
        fault = "holds a truncated key: its last line is missing", PASTE
    elif "\n" not in text or "\\n" in text:
        fault = "holds a key without its line breaks", PASTE
    else:
        fault = "", ""
    return fault


def _is_locked(text: str) -> bool:
    return "ENCRYPTED" in text or _openssh_cipher(text) not in ("", "none")


def _decoded(text: str) -> bytes:
    """Return the content of a text in base64; nothing for any other text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _openssh_cipher(text: str) -> str:
    """Return the cipher that an OpenSSH key is encrypted with.

    The form is openssh-key-v1 of PROTOCOL.key in OpenSSH: a magic word, then the cipher as a
    length of four bytes and that many characters.
    """
    raw = _decoded("".join(line for line in text.splitlines() if not line.startswith("-----")))
    magic = b"openssh-key-v1\0"
    if not raw.startswith(magic):
        return ""
    start = len(magic) + 4
    return raw[start : start + int.from_bytes(raw[len(magic) : start], "big")].decode(
        "ascii", "replace"
    )
