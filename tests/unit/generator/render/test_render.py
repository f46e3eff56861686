"""What is rendered is what was meant; templates can be replaced one by one."""

import random
from pathlib import Path
from typing import Annotated, NamedTuple

import pytest

from gen_workflow.errors import Defect, UserError
from gen_workflow.render import folder, template
from gen_workflow.render.proof import difference
from gen_workflow.workflow.records import (
    Apart,
    Concurrency,
    Environment,
    Filter,
    In,
    Job,
    Need,
    Needs,
    Permission,
    Step,
    Triggers,
    Uses,
    Workflow,
    as_data,
)

CHECK_OUT = Step("Check out", uses=Uses("actions/checkout@" + "0" * 40, "v7.0.1"))
BUILD = Job(
    id="build",
    name="Build",
    timeout_minutes=5,
    permissions=(Permission("contents", "read", "check out"),),
    steps=(CHECK_OUT,),
)
GROUP = Concurrency("${{ github.run_id }}", "false", "nothing")
WORKFLOW = Workflow("Build", Triggers(Filter(("main",))), GROUP, (BUILD,))


def rendered(workflow: Workflow, templates: str = "") -> str:
    return template.render(workflow, source="gen-workflow.yml", templates=templates)


def any_workflow(seed: int) -> Workflow:
    chance = random.Random(seed)  # noqa: S311 - not a secret

    def text() -> str:
        letters = "ab 01.:-#'\"\\{}[]&*!|>%@,?~$=é/"
        return "".join(chance.choices(letters, k=chance.randrange(1, 20)))

    def lines() -> str:
        return "".join(f"{text()}\n" for _ in range(chance.randrange(1, 4)))

    steps = tuple(
        Step(
            text(),
            uses=Uses(f"a/b@{number}", "v1.0.0"),
            id=chance.choice(("", "push")),
            inputs=tuple((f"in-{i}", chance.choice((text(), lines(), False))) for i in range(3)),
            env=tuple((f"NAME_{i}", lines()) for i in range(chance.randrange(3))),
        )
        for number in range(chance.randrange(1, 4))
    )
    anchor = chance.choice(("", "steps"))
    jobs = tuple(
        Job(
            id=f"job-{number}",
            name=text(),
            timeout_minutes=chance.randrange(1, 99),
            permissions=(Permission("packages", "read", "reasons"),),
            steps=steps,
            anchor="" if number else anchor,
            alias=anchor if number else "",
            needs=chance.choice(((), ("job-0",), ("job-0", "job-1"))),
            condition=text(),
            environment=chance.choice((None, Environment(text()), Environment(text(), text()))),
            outputs=(("image", text()),),
        )
        for number in range(chance.randrange(1, 3))
    )
    needs = (Needs("Settings", (Need("A", "why"),), (Need("B", "why"),)),)
    group = Concurrency(text(), text(), "a build")
    return Workflow(text(), Triggers(Filter((text(), text()))), group, jobs, needs)


@pytest.mark.parametrize("seed", range(60))
def test_any_workflow_is_rendered_as_it_was_meant(seed: int) -> None:
    workflow = any_workflow(seed)
    assert rendered(workflow) == rendered(workflow)  # Defect, when it says something else


@pytest.mark.parametrize(
    ("meant", "said", "found"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1}, {"a": "1"}, "/a: 1 became '1'"),
        ({"a": 1}, {"a": 1, "b": 2}, "/: the keys ['a'] became ['a', 'b']"),
        ({"a": [1, 2]}, {"a": [1]}, "/a: [1, 2] became [1]"),
        ({"a": [{"b": True}]}, {"a": [{"b": False}]}, "/a/0/b: True became False"),
        ({}, None, "/: {} became None"),
    ],
)
def test_a_difference_is_named_by_its_path(meant: object, said: object, found: str | None) -> None:
    assert difference(meant, said) == found


class Wider(NamedTuple):
    """A record that is added later; nothing else has to know its fields."""

    new_key: str
    steps: tuple[Step, ...] = ()
    not_said: str = ""
    renamed: Annotated[bool, In("if")] = False
    comment: Annotated[str, Apart()] = "why"


def test_the_data_that_is_compared_follows_the_fields_of_the_records() -> None:
    assert as_data(Wider("x")) == {"new-key": "x", "if": False}
    steps = as_data(Wider("x", (CHECK_OUT,)))["steps"]
    assert steps == [{"name": "Check out", "uses": "actions/checkout@" + "0" * 40}]


def test_what_a_template_cannot_carry_is_our_bug() -> None:
    broken = BUILD._replace(id="build: x")
    with pytest.raises(Defect, match="rendered workflow"):
        rendered(WORKFLOW._replace(jobs=(broken,)))


def test_steps_that_two_jobs_share_are_written_once() -> None:
    first, second = BUILD._replace(anchor="steps"), BUILD._replace(id="check", alias="steps")
    text = rendered(WORKFLOW._replace(jobs=(first, second)))
    assert text.count("uses: actions/checkout@") == 1
    with pytest.raises(Defect, match="/jobs/check/steps/0/name: 'Look' became 'Check out'"):
        rendered(
            WORKFLOW._replace(
                jobs=(first, second._replace(steps=(CHECK_OUT._replace(name="Look"),)))
            )
        )


def test_a_single_template_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "header.j2").write_text("# Ask the platform team ([[ source ]]).\n")
    text = rendered(WORKFLOW, str(tmp_path))
    assert text.startswith("# Ask the platform team (gen-workflow.yml).\n\nname: Build\n")
    assert "${{ github.run_id }}" in text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("# a\n[% if %]\n", r"header.j2:2: cannot be rendered: Expected an expression"),
        ("[[ nothing.there ]]\n", r"header.j2:1: cannot be rendered: 'nothing' is undefined"),
        ("# a\n\n[[ 1/0 ]]\n", r"header.j2:3: cannot be rendered: ZeroDivisionError: division"),
        ('[% include "none.j2" %]', r"header.j2:1: cannot be rendered: there is no .* 'none.j2'"),
        ('[% include "a.txt" %]', r"no template 'a.txt'\n  hint: the name .* ends in .j2"),
        ('[% include "header.j2" %]', r"header.j2:1: cannot be rendered: RecursionError"),
    ],
)
def test_a_template_that_is_wrong_is_reported(template: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "header.j2").write_text(template)
    (tmp_path / "a.txt").write_text("# No template.\n")
    with pytest.raises(UserError, match=message):
        rendered(WORKFLOW, str(tmp_path))


def test_a_template_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "header.j2").write_bytes(b"# a\n# caf\xe9\n")
    with pytest.raises(UserError, match=r"header.j2:2: is not UTF-8 text"):
        rendered(WORKFLOW, str(tmp_path))


def test_a_folder_that_is_called_like_a_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "header.j2").mkdir()
    with pytest.raises(UserError, match=r"header.j2: cannot be read: Is a directory"):
        rendered(WORKFLOW, str(tmp_path))


def test_a_template_that_replaces_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "heder.j2").write_text("# Ours.\n")
    with pytest.raises(UserError, match=r"heder.j2: replaces none .*\n.*you meant `header.j2`"):
        rendered(WORKFLOW, str(tmp_path))


def test_a_template_that_another_one_uses_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "header.j2").write_text('[% include "team.j2" %]\n')
    (tmp_path / "team.j2").write_text("# Of the team.\n")
    assert rendered(WORKFLOW, str(tmp_path)).startswith("# Of the team.\n")


def test_nothing_of_a_template_of_the_user_is_kept(tmp_path: Path) -> None:
    cache = Path(folder.ours()) / "__pycache__"
    rendered(WORKFLOW)
    before = sorted(cache.iterdir())
    (tmp_path / "header.j2").write_text("# Ours.\n")
    rendered(WORKFLOW, str(tmp_path))
    assert sorted(cache.iterdir()) == before


@pytest.mark.parametrize("name", ["NO", "true", "null", "on", "Y"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    step = CHECK_OUT._replace(env=((name, "x"),))
    text = rendered(WORKFLOW._replace(jobs=(BUILD._replace(steps=(step,)),)))
    assert f'          "{name}": x\n' in text
