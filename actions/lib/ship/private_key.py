"""Private keys as people paste them: mended where that is safe, named where it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.command import Secret

if TYPE_CHECKING:
    from ship.inputs import Reader

BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]+ )?PRIVATE KEY)-----")
PASTE = "paste the whole file, from the line -----BEGIN to the line -----END, into the secret"


def read_private_key(read: Reader, name: str) -> Secret:
    """Return the key as ssh-add takes it: Unix line ends and a last newline."""
    secret = read.secret(
        name,
        required_hint="create the secret; runs for forks and for Dependabot get none",
    )
    text = secret.reveal().replace("\r\n", "\n").replace("\r", "\n").strip()
    if text:
        what, hint = _fault(text)
        if what:
            read.problem(name, what, hint)
    return Secret(text + "\n")


PUBLIC = re.compile(r"(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+) AAAA")


def _fault(text: str) -> tuple[str, str]:
    """Return what is wrong with a key and the next act; two empty strings for a good one."""
    begin = BEGIN.search(text)
    if PUBLIC.match(text):
        fault = "holds a public key", "the secret needs the private one, the file without .pub"
    elif text.startswith("PuTTY-User-Key-File"):
        fault = "holds a key of PuTTY", "in PuTTYgen choose Conversions, Export OpenSSH key"
    elif not begin:
        fault = "holds no private key", PASTE
    elif f"-----END {begin[1]}-----" not in text:
        fault = "holds a truncated key: its last line is missing", PASTE
    elif "\n" not in text or "\\n" in text:
        fault = "holds a key without its line breaks", PASTE
    elif "ENCRYPTED" in text or _openssh_cipher(text) not in ("", "none"):
        hint = "make one for deploys only: ssh-keygen -t ed25519 -N '' -f deploy_key"
        fault = "holds a key that is protected by a passphrase", hint
    else:
        fault = "", ""
    return fault


def _openssh_cipher(text: str) -> str:
    """Return the cipher that an OpenSSH key says it is encrypted with.

    The form is openssh-key-v1 of PROTOCOL.key in OpenSSH: a magic word, then the cipher as a
    length of four bytes and that many characters.
    """
    import base64  # noqa: PLC0415 - needed for this alone

    body = "".join(line for line in text.splitlines() if not line.startswith("-----"))
    try:
        raw = base64.b64decode(body)
    except ValueError:
        return ""
    magic = b"openssh-key-v1\0"
    if not raw.startswith(magic):
        return ""
    start = len(magic) + 4
    return raw[start : start + int.from_bytes(raw[len(magic) : start], "big")].decode(
        "ascii", "replace"
    )
