"""docs/spec.md says what the code knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gen_workflow import keys, spec

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "spec.md").read_text()
SECTIONS = {
    "## Keys": keys.SPEC,
    "### `image`": keys.IMAGE,
    "### `deploy`": keys.DEPLOY,
    "### `deploy/run`": keys.RUN,
}


def test_every_key_is_documented_and_no_other() -> None:
    for title, section in SECTIONS.items():
        body = re.split(r"\n##+ ", TEXT.split(f"\n{title}\n", 1)[1], maxsplit=1)[0]
        assert tuple(re.findall(r"^\| `([\w-]+)` \|", body, re.MULTILINE)) == section.known


def test_every_example_that_is_whole_is_a_spec(repository: Repository) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    whole = [text for text in blocks if not text.startswith("env:")]
    assert len(whole) == 3
    for text in whole:
        with_image = text if text.startswith("image:") else f"image: .\n{text}"
        spec.load(with_image.encode(), "docs/spec.md", str(repository.folder))


def test_the_example_is_the_one_that_messages_show() -> None:
    assert spec.EXAMPLE in TEXT
