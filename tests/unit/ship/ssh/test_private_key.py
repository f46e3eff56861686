from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest

from ship.runner.errors import UserError
from ship.runner.reader import Reader
from ship.ssh.private_key import read_private_key

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    kinds = {
        "plain": ("-t", "ed25519", "-N", ""),
        "locked": ("-t", "ed25519", "-N", "secret"),
        "pem": ("-t", "rsa", "-m", "PEM", "-N", "secret"),
    }
    for name, options in kinds.items():
        argv = ("ssh-keygen", "-q", *options, "-f", str(folder / name))
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return folder


def read(text: str, passphrase: str = "") -> str:
    reader = Reader({"INPUT_SSH_KEY": text, "INPUT_SSH_KEY_PASSPHRASE": passphrase})
    key, _ = read_private_key(reader, "ssh-key", "ssh-key-passphrase")
    reader.done()
    return key.reveal()


def encoded(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def indented(text: str) -> str:
    return "".join(f"  \t{line} \n" for line in text.splitlines())


@pytest.mark.parametrize(
    "change",
    [
        str,
        str.strip,
        lambda text: text.replace("\n", "\r\n"),
        indented,
        lambda text: f"\ufeff{text}",
        lambda text: f"\ufeff{indented(text)}".replace("\n", "\r\n"),
    ],
)
def test_a_pasted_key_is_corrected(keys: Path, change: object) -> None:
    text = (keys / "plain").read_text()
    assert callable(change)
    assert read(change(text)) == text


@pytest.mark.parametrize(
    ("name", "change", "reported"),
    [
        pytest.param("plain.pub", str, "holds a public key", id="public"),
        pytest.param("plain", lambda text: text[: len(text) // 2], "truncated", id="truncated"),
        pytest.param("plain", lambda text: text.replace("\n", " "), "line breaks", id="one line"),
        pytest.param("plain", lambda text: text.replace("\n", "\\n"), "line breaks", id="escaped"),
        pytest.param(
            "locked",
            str,
            "`ssh-key-passphrase`: is empty, and the key is protected",
            id="no passphrase",
        ),
        pytest.param(
            "pem",
            str,
            "`ssh-key-passphrase`: is empty, and the key is protected",
            id="no passphrase in PEM",
        ),
        pytest.param("plain", encoded, "encoded in base64 once more", id="base64"),
        pytest.param("plain", lambda _: "PuTTY-User-Key-File-3: ssh-ed25519", "PuTTY", id="PuTTY"),
        pytest.param("plain", lambda _: "hello", "no private key", id="something else"),
        pytest.param("plain", lambda _: "", "required but empty", id="empty"),
    ],
)
def test_a_key_that_cannot_work_is_named(
    keys: Path, name: str, change: object, reported: str
) -> None:
    assert callable(change)
    with pytest.raises(UserError, match=reported) as raised:
        read(change((keys / name).read_text()))
    assert "hint: " in str(raised.value)
    assert "AAAA" not in str(raised.value)


@pytest.mark.parametrize("name", ["locked", "pem", "plain"])
def test_a_key_is_taken_with_its_passphrase(keys: Path, name: str) -> None:
    text = (keys / name).read_text()
    assert read(text, "secret") == text


def test_a_passphrase_keeps_its_blanks_and_loses_its_line_end(keys: Path) -> None:
    text = (keys / "locked").read_text()
    reader = Reader({"INPUT_SSH_KEY": text, "INPUT_SSH_KEY_PASSPHRASE": " two words \r\n"})
    _, passphrase = read_private_key(reader, "ssh-key", "ssh-key-passphrase")
    assert passphrase.reveal() == " two words "
    with pytest.raises(UserError, match="holds more than one line"):
        read(text, "one\ntwo")
