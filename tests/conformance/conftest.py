"""Fixtures of the gates."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from conformance.github_parser import GithubParser

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def github_parser() -> Iterator[GithubParser]:
    with closing(GithubParser()) as parser:
        yield parser
