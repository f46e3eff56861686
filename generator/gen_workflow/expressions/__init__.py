"""GitHub's expressions: read, and evaluated as far as their values are known."""
