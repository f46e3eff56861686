"""Verified sessions on hosts, with OpenSSH's own client.

The key is in an agent and never on disk; each host must prove that it is the right one; what it
runs travels over stdin; every file lives in a folder that is gone when the connections end.
"""

from ship.ssh.access import Access, read_access
from ship.ssh.target import Target, read_targets

# `connect` is in `ship.ssh.connector`: a wrong input is reported without it.
__all__ = ["Access", "Target", "read_access", "read_targets"]
