"""Tags, labels and annotations: the language of docker/metadata-action, without network access.

The rules mean what they mean in https://github.com/docker/metadata-action. Where that action makes
a name that no registry accepts, this package makes a legal one. docs/tags.md lists all differences.
"""

from ship.images.tags.facts import Facts, facts_of
from ship.images.tags.metadata import Metadata, Wanted, describe, needs_published

__all__ = ["Facts", "Metadata", "Wanted", "describe", "facts_of", "needs_published"]
