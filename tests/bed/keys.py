"""Makes the keys and certificates of a bed, with openssl and ssh-keygen."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

from bed.command import run

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
# The token of the registry has to be signed with RS256.
RSA = ("-newkey", "rsa:2048", "-noenc")
DAYS = ("-days", "30")
HOST_KEYS = {"ed25519": (), "rsa": ("-b", "2048"), "ecdsa": ("-b", "256")}


def make_authority(folder: Path) -> None:
    """Write ca.crt and ca.key: the only authority that the machines of the bed trust."""
    files = ("-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.crt")
    run("openssl", "req", "-x509", *EC, *DAYS, "-subj", "/CN=bed", *files)


def make_server_certificate(authority: Path, folder: Path, name: str, ip: str = "") -> None:
    """Write server.crt and server.key for a name, signed by the authority of the bed.

    With an address, clients may call the server by it too.
    """
    issuer = ("-CA", f"{authority}/ca.crt", "-CAkey", f"{authority}/ca.key")
    names = f"subjectAltName=DNS:{name}" + (f",IP:{ip}" if ip else "")
    extensions = ("-addext", names, "-addext", "extendedKeyUsage=serverAuth")
    leaf = ("-addext", "basicConstraints=critical,CA:false")
    files = ("-keyout", f"{folder}/server.key", "-out", f"{folder}/server.crt")
    subject = ("-subj", f"/CN={name}")
    run("openssl", "req", "-x509", *EC, *DAYS, *subject, *issuer, *extensions, *leaf, *files)


def make_token_signer(folder: Path) -> None:
    """Write sign.crt and sign.key, with which the registry's tokens are signed."""
    files = ("-keyout", f"{folder}/sign.key", "-out", f"{folder}/sign.crt")
    run("openssl", "req", "-x509", *RSA, *DAYS, "-subj", "/CN=tokens", *files)


def make_signing_key(path: Path) -> None:
    """Write a key that signs the tokens of service accounts."""
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path))


def make_htpasswd(folder: Path, user: str, password: str) -> None:
    """Write an htpasswd file with one user. A registry accepts bcrypt only, and Perl has it."""
    hashed = ("perl", "-e", 'print crypt($ARGV[0], "\\$2y\\$05\\$" . $ARGV[1])')
    salt = secrets.token_hex(11)
    line = f"{user}:{run(*hashed, password, salt).stdout}\n"
    (folder / "htpasswd").write_text(line, encoding="utf-8")


def make_host_keys(folder: Path) -> None:
    """Write the host keys of an sshd into its folder."""
    for kind, size in HOST_KEYS.items():
        make_ssh_key(folder / f"ssh_host_{kind}_key", kind, size)


def make_ssh_key(path: Path, kind: str = "ed25519", size: tuple[str, ...] = ()) -> None:
    """Write an OpenSSH private key and, beside it, the public key."""
    run("ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "bed", "-f", str(path))


def known_hosts(folder: Path, *names: str) -> str:
    """Return the known_hosts lines of a host for all of its names and keys."""
    lines = ""
    for kind in HOST_KEYS:
        public = (folder / f"ssh_host_{kind}_key.pub").read_text(encoding="utf-8")
        lines += "".join(f"{name} {' '.join(public.split()[:2])}\n" for name in names)
    return lines


def hash_names(known: str) -> str:
    """Return known_hosts lines with their names hashed, as Debian's clients write them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "known_hosts")
        path.write_text(known, encoding="utf-8")
        run("ssh-keygen", "-q", "-H", "-f", str(path))
        return path.read_text(encoding="utf-8")


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the SHA256 fingerprints of a host's keys by type, such as `ED25519`."""
    found = {}
    for kind in HOST_KEYS:
        said = run("ssh-keygen", "-l", "-f", f"{folder}/ssh_host_{kind}_key.pub").stdout
        found[kind.upper()] = said.split()[1]
    return found
