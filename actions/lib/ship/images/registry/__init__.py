"""Speaking to registries: whether a push will be taken, what is there, and setting tags.

The protocol is https://github.com/opencontainers/distribution-spec/blob/main/spec.md with the token
flow of https://distribution.github.io/distribution/spec/auth/token/. Docker's clients hide the
words of a refusal, and cannot set a tag without a build, so both are done here.
"""

from ship.images.registry.client import Client, Manifest, Refusal, Refused
from ship.images.registry.credentials import Credential, stored
from ship.images.registry.transport import CannotAsk

__all__ = ["CannotAsk", "Client", "Credential", "Manifest", "Refusal", "Refused", "stored"]
