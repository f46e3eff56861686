"""What a Dockerfile takes from elsewhere: the images it names, and what cannot be known before.

As much of https://docs.docker.com/reference/dockerfile/ is read as that needs, and for the rest the
answer is "unknown", which costs a build: a flag or an instruction of a later version, a variable
that takes more than `${NAME:-default}`. What is read means what BuildKit takes it for, which is
github.com/moby/buildkit, frontend/dockerfile. Only the stages that the target needs count.

What an image does by itself is out of sight: a RUN may fetch anything, and a trigger (ONBUILD) of a
base image may name another image.
"""

from ship.build_push.dockerfile.origins import is_image
from ship.build_push.dockerfile.reader import read
from ship.build_push.dockerfile.stages import Sources, Unknown, sources

__all__ = ["Sources", "Unknown", "is_image", "read", "sources"]
