"""A GitHub for tests: a real HTTP server over real bare git repositories.

    with FakeGitHub(tmp_path) as github:
        github.create_repository("acme/app", files={"Dockerfile": b"FROM scratch\n"})
        ...  # point a client at github.url with github.token
        number = github.repository("acme/app").pulls[0].number
        github.merge("acme/app", number)
        subprocess.run(("git", "clone", github.clone_url("acme/app"), "checkout"), check=True)

These are the reasons to trust it:
- Every REST request and response is validated against GitHub's OpenAPI description. GraphQL is
  validated and executed against GitHub's published schema (npm packages, see `schemas`). A
  violation is answered with 599, recorded in `violations`, and raised when the `with` block ends.
- A field or route that is not supported is such a violation too. No answer is invented.
- Where recorded answers of the real one are to be had, its own have their form
  (tests/github/test_recorded.py).
- Refs, trees, commits and merges are made by git. `git clone` gives what a client committed.

The texts of GitHub's refusals are from public reports, when there are any: 401, stale heads,
archived and empty repositories, missing scopes, rulesets. No report was found for three texts, so
they are assumed: the text for a branch that does not exist; the types that GraphQL gives to a
missing scope and to an archived repository; the text of `updateRefs` when `beforeOid` does not
match. Settings, environments, secrets, rulesets and runs are those of `settings`, `accounts` and
`runs`, which name their sources; a body that is sealed with another key is refused, as there. `cut`
kills the connection of a request. `limits` says how GitHub's limits are counted: what was asked for
is in `FakeGitHub.limits`, and what is over one is refused. Not supported: commits to forks, single
check runs. Of a review only the number is kept, of a team its name.
"""

from bed.github.server import FakeGitHub
from bed.github.state import FINE_GRAINED, Pull, Release, Repository, Run, Token

__all__ = ["FINE_GRAINED", "FakeGitHub", "Pull", "Release", "Repository", "Run", "Token"]
