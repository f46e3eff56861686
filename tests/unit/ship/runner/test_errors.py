from __future__ import annotations

import pytest

from ship.runner.errors import near_match


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("contxt", "did you mean 'context'?"),
        ("dockrfile", "did you mean 'dockerfile'?"),
        ("zzz", "use one of context, dockerfile"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_or_with_all(word: str, hint: str) -> None:
    assert near_match(word, ("context", "dockerfile")) == hint


def test_the_nearest_word_is_shown_as_a_person_writes_it() -> None:
    assert near_match("brnch", ("branch",), "<{}>".format) == "did you mean <branch>?"
