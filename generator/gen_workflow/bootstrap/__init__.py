"""Prepares a repository on GitHub for its first deploy: facts, a pure plan, and what applies it."""
