"""What is known before anything is done, as data; `ask.py` gets it from registry and engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push.buildx.builder import Choice, choose_unasked
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.build_push.buildx.leftovers import Leftover
    from ship.build_push.inputs import Inputs

# In a dry run, which computes no content address.
ANY_ADDRESS = "content-ADDRESS"


class Found(NamedTuple):
    """The content address of an image and the digest it has in the registry.

    Either is empty where it is not known. `contexts` and `build_args` let the build take exactly
    the images that the address names. One that `is_of_commit` was pushed for the commit of this
    run, and needs no address. In a dry run the registry is not asked, and `is_sure` is False: then
    the image may be there.
    """

    address: str = ""
    digest: str = ""
    contexts: Mapping[str, str] = {}
    build_args: Mapping[str, str] = {}
    is_sure: bool = True
    is_of_commit: bool = False


class Facts(NamedTuple):
    """What the plan follows from, beside the inputs.

    `sets_tags` says that we can set tags in the registry ourselves. `found` is by the key of an
    image. `folder` is Docker's configuration for this step, and has the files of the builds.
    Whether the runner `has_engine` is only asked where an image is to be loaded into it. The
    `leftovers` are of builders whose runs were killed.
    """

    sets_tags: bool = False
    found: Mapping[str, Found] = {}
    choice: Choice = Choice()
    has_engine: bool = True
    folder: str = ""
    new_builder: str = "ship-NAME"
    leftovers: tuple[Leftover, ...] = ()


def unasked(want: Inputs) -> Facts:
    """Return what the inputs alone say, for a dry run: no registry and no engine is asked."""
    found = {
        image.key: Found(
            ANY_ADDRESS if want.skips(image) else "", is_sure=False, is_of_commit=want.promotes
        )
        for image in want.images
        if want.looks(image)
    }
    return Facts(sets_tags=want.push, found=found, choice=choose_unasked(want))
