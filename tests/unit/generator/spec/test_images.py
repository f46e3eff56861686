"""Several images in one spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    text = (
        "images:\n"
        "  api: {name: ghcr.io/example/shop}\n"
        "  web: {name: ghcr.io/example/shop, context: .}\n"
        "  other: .\n"
        "  debug: {name: ghcr.io/example/shop, context: ., tags: [debug]}\n"
    )
    with pytest.raises(SpecError) as caught:
        load(text.encode(), "gen-workflow.yml", str(tmp_path))
    (only,) = caught.value.problems
    assert only == (
        "gen-workflow.yml:3:15 images/web/name: 'ghcr.io/example/shop' is the name of 'api' too, "
        "and they would replace each other\n  hint: give one of them another name"
    )
