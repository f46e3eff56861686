"""Names of environments that look like something else: a number, a path, a key of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

SOURCE = "gen-workflow.yml"
NAMES = ("3", "2026/11", "eu/3", "eu/west", "on", "run")
RUN = "    ssh: vps\n    run: {}\n"


def problems(repository: Repository, environments: str) -> tuple[str, ...]:
    text = f"image: .\nname: shop\nenvironments:\n{environments}"
    with pytest.raises(SpecError) as caught:
        load(text.encode(), SOURCE, str(repository.folder))
    return caught.value.problems


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_key_below_any_name_is_reported_with_what_was_meant(
    name: str, repository: Repository
) -> None:
    found = problems(repository, f'  "{name}":\n{RUN}    heath: /up\n')
    what = f"{SOURCE}:7:5 environments/{name}/heath: is not a key of the spec"
    assert found == (f"{what}\n  hint: perhaps you meant `health`",)
    found = problems(repository, f'  "{name}":\n    ssh: vps\n    run: {{port: [80]}}\n')
    what = f"{SOURCE}:6:11 environments/{name}/run/port: is not a key of the spec"
    assert [one.partition("\n")[0] for one in found] == [what]


def test_an_environment_that_is_wrong_is_there_for_the_one_after_it(
    repository: Repository,
) -> None:
    (found,) = problems(repository, f"  staging: {{ssh: vps}}\n  live:\n    after: staging\n{RUN}")
    assert ":4:12 environments/staging: `run` is missing" in found


def test_the_only_environment_comes_after_no_other(repository: Repository) -> None:
    (found,) = problems(repository, f"  live:\n    after: staging\n{RUN}")
    what = "5:12 environments/live/after: 'staging' is not one of the environments"
    assert found == f"{SOURCE}:{what}\n  hint: remove it: there is no other environment"
