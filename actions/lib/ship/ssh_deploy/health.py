"""Where the health path of an app is asked."""

from __future__ import annotations

import re

HEALTH = re.compile(r"/[!-~]*")
# The address where a port that is published on all addresses is asked.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104
