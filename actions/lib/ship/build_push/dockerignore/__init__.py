r"""Decides which files of a build context Docker sends, by the rules of .dockerignore.

The file is read as github.com/moby/patternmatcher reads it (package `ignorefile`). A pattern means
what its PatternMatcher matches. A folder is walked as github.com/tonistiigi/fsutil does it for
BuildKit. A summary of https://docs.docker.com/build/concepts/context/#dockerignore-files:

- `*` and `?` stop at a slash, `**` does not. `[a-z]` and `[^a-z]` are one character. `\` means
  that the next character has no special meaning. All patterns start at the root of the context.
- A pattern that matches a folder matches everything below it. The last pattern that matches
  decides. A pattern with `!` in front includes files that were ignored.
- `<Dockerfile>.dockerignore` beside the Dockerfile takes precedence over `.dockerignore` in the
  root.

A pattern is refused when the engine would read a part of it as its own regular expression.

The engine gets the Dockerfile and the .dockerignore even when they are ignored, but separately.
COPY does not see them then. So this package treats them like any other file.
"""

from ship.build_push.dockerignore.file import NAME, load, read, resolved
from ship.build_push.dockerignore.patterns import BadPatternError, Patterns, fault
from ship.build_push.dockerignore.walk import Found, pick, walk

__all__ = [
    "NAME",
    "BadPatternError",
    "Found",
    "Patterns",
    "fault",
    "load",
    "pick",
    "read",
    "resolved",
    "walk",
]
