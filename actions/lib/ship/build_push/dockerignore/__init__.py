r"""Which files of a build context Docker sends, by the rules of .dockerignore.

The file is read as github.com/moby/patternmatcher reads it (package `ignorefile`), a pattern means
what its PatternMatcher makes of it, and a folder is walked as github.com/tonistiigi/fsutil does for
BuildKit. In short, of https://docs.docker.com/build/concepts/context/#dockerignore-files:

- `*` and `?` stop at a slash, `**` does not, `[a-z]` and `[^a-z]` are one character, `\` takes the
  next one as it is; all patterns start at the root of the context.
- A pattern that matches a folder matches all below it. The last pattern that matches wins, and one
  with a `!` in front takes back what was ignored.
- `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the root.

Where the engine takes parts of a pattern for its own regular expressions the pattern is refused.

The Dockerfile and the .dockerignore reach the engine even when they are ignored, but by a way of
their own: ignored, they are no part of what COPY sees. So they are treated as any other file here.
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
