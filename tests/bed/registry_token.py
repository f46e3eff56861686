"""Makes tokens as the registry wants them: RS256, signed by the openssl command."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bed.registry_state import Access

SERVICE = "ghcr.io"
LIFE_SECONDS = 300
# The clocks of two machines can differ.
SLACK_SECONDS = 10


class Signer:
    """Signs the rights of a client, with the key that the registry trusts."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "sign.crt").read_text(encoding="utf-8").splitlines()
        self._certificate = "".join(line for line in lines if not line.startswith("-----"))
        self._key = folder / "sign.key"

    def sign(self, granted: Iterable[Access]) -> str:
        """Return a JSON Web Token for the accesses (distribution's token specification)."""
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._certificate]}
        claims = {
            "iss": SERVICE,
            "aud": SERVICE,
            "sub": "",
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now - SLACK_SECONDS,
            "exp": now + LIFE_SECONDS,
            "access": [
                {"type": access.kind, "name": access.name, "actions": sorted(access.actions)}
                for access in granted
            ],
        }
        signed = f"{_encode(header)}.{_encode(claims)}"
        return f"{signed}.{_base64(self._signature(signed))}"

    def _signature(self, text: str) -> bytes:
        command = ("openssl", "dgst", "-sha256", "-sign", str(self._key))
        return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


def _encode(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
