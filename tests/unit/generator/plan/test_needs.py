"""The header of each workflow lists every variable and secret that its jobs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path


def test_a_variable_in_the_address_of_an_environment_is_listed(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    text = (
        "image: .\nenvironments:\n"
        "  staging: {ssh: vps, run: {}, url: 'https://${{ vars.SITE }}'}\n"
        "  live: {kubernetes: deployment/web, url: 'https://${{ vars.SITE || 'a.example' }}'}\n"
    )
    spec = load(text.replace("'a.example'", "''a.example''").encode(), "spec", str(tmp_path))
    for workflow in pipeline.workflows(spec, table()):
        found = [
            (one.name, one.optional)
            for need in workflow.needs
            for one in need.variables
            if one.purpose == "part of the address of the deployment"
        ]
        assert found == [("SITE", False), ("SITE", True)], workflow.path
