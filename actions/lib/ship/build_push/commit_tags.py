"""The tags that say for which commit an image was built; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.tags.lines import lines
from ship.runner.commit import SHOWN_DIGITS

if TYPE_CHECKING:
    from ship.build_push.inputs import Image, Inputs

# The digits of `type=sha`, when nothing else is asked for.
FEWEST_DIGITS = 7


def commit_tags(want: Inputs, image: Image) -> tuple[str, ...]:
    """Return the tags of this image that a run for the same commit has pushed.

    With rules of the person these are what `type=sha` gives. No other tag is looked at: the name of
    the image may be shared by images that only their tags tell apart.
    """
    digits = want.revision[: min(FEWEST_DIGITS, want.event.short_sha)]
    found = tuple(tag for tag in image.metadata.fixed if digits and digits in tag)
    return tuple(dict.fromkeys((*found, *full_tag(want, image))))


def full_tag(want: Inputs, image: Image) -> tuple[str, ...]:
    """Return the default tag of the commit with all digits; none where the person has rules.

    An image that a run has found unchanged gets it: its label names the commit that it was built
    for, and the twelve digits alone do not prove for which commit it was found.
    """
    if lines(image.wanted.tags) or not want.revision:
        return ()
    digits = want.revision[: max(SHOWN_DIGITS, want.event.short_sha)]
    # The flavor may have added to it.
    short = (tag for tag in image.metadata.fixed if digits in tag)
    return tuple(tag.replace(digits, want.revision) for tag in short)
