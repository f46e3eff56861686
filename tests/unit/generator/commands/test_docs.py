"""`docs` prints sections of the spec, `templates` what can be replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from gen_workflow import cli
from gen_workflow.render import folder
from gen_workflow.spec import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    def ran(*argv: str) -> tuple[int, str, str]:
        code = cli.main(list(argv))
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return ran


def test_docs_lists_the_sections(run: Run) -> None:
    code, out, _ = run("docs")
    assert code == 0
    assert re.search(
        "^environments +Three environments: a push of main goes to staging", out, re.MULTILINE
    )
    assert all(f"\n{name} " in f"\n{out}" for name in examples.names())


def test_docs_prints_a_section_that_is_a_spec_and_its_keys(run: Run) -> None:
    code, out, _ = run("docs", "environments")
    assert code == 0
    assert "needs:" not in out
    assert set(YAML(typ="safe").load(out)["environments"]) == {"staging", "qa", "production"}
    assert "#   url: Address that GitHub shows for the deployment.\n" in out


def test_a_misspelt_section_is_answered_with_the_right_one(run: Run) -> None:
    code, out, err = run("docs", "enviroments")
    assert (code, out) == (2, "")
    assert "'enviroments' is not a section of the spec" in err
    assert "perhaps you meant `environments`" in err


def test_templates_lists_each_template_with_its_contract(run: Run) -> None:
    code, out, _ = run("templates")
    assert code == 0
    for name in folder.names(folder.ours()):
        contract = out.partition(f"{name}\n    ")[2].partition("\n")[0]
        assert contract.endswith("."), name
