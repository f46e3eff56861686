"""Finds what a Dockerfile takes from outside: the images it names, and what cannot be known.

It reads only the part of https://docs.docker.com/reference/dockerfile/ that this needs. For the
rest the answer is "unknown", and then the image is built. Examples are a flag or an instruction of
a later version, and a variable in another form than `${NAME:-default}`. Everything is read as
BuildKit reads it (github.com/moby/buildkit, frontend/dockerfile). Only the stages that the target
needs count.

Two things cannot be seen here: what a RUN downloads, and an image that a trigger (ONBUILD) of a
base image names.
"""

from ship.build_push.dockerfile.origins import familiar, is_image, is_old_frontend
from ship.build_push.dockerfile.reader import read
from ship.build_push.dockerfile.stages import SYNTAX, Sources, Unknown, sources

__all__ = [
    "SYNTAX",
    "Sources",
    "Unknown",
    "familiar",
    "is_image",
    "is_old_frontend",
    "read",
    "sources",
]
