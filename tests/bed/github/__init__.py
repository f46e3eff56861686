"""A GitHub for tests: a real HTTP server over real bare git repositories.

    with FakeGitHub(tmp_path) as github:
        github.create_repository("acme/app", files={"Dockerfile": b"FROM scratch\n"})
        ...  # point a client at github.url with github.token
        number = github.repository("acme/app").pulls[0].number
        github.merge("acme/app", number)
        subprocess.run(("git", "clone", github.clone_url("acme/app"), "checkout"), check=True)

What makes it worth trusting:
- every REST request and response is validated against GitHub's OpenAPI description, and GraphQL is
  validated and executed against GitHub's published schema (npm packages, see `schemas`). What
  breaks them is answered with 599, noted in `violations`, and raised when the `with` block ends;
- a field or route that is not carried is such a violation too, never an invented answer;
- refs, trees, commits and merges are git's own; `git clone` gives what a client committed.

What GitHub says when it refuses was taken from public reports where there are any: 401, stale
heads, archived and empty repositories, missing scopes, rulesets. Assumed, because no report was
found: the text for a branch that does not exist, the types that GraphQL gives to a missing scope
and to an archived repository, and what `updateRefs` says when `beforeOid` does not fit.
Not carried: forks, teams, reviews, checks, the points of a rate limit.
"""

from bed.github.server import FakeGitHub
from bed.github.state import FINE_GRAINED, Pull, Repository, Token

__all__ = ["FINE_GRAINED", "FakeGitHub", "Pull", "Repository", "Token"]
