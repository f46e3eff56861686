"""Tags, labels and annotations: the language of docker/metadata-action, without its network.

The meaning of the rules is that of https://github.com/docker/metadata-action; where it makes a name
that no registry takes, a legal one is made here. docs/tags.md lists every difference.
"""

from ship.images.tags.facts import Facts, facts_of
from ship.images.tags.metadata import Metadata, Wanted, describe, needs_published

__all__ = ["Facts", "Metadata", "Wanted", "describe", "facts_of", "needs_published"]
