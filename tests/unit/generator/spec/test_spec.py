"""What a spec that is right means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_workflow.spec.declaration import SPEC, Spec
from gen_workflow.spec.host import Run, SshDeploy
from gen_workflow.spec.load import EXAMPLE
from gen_workflow.spec.load import load as load_spec
from gen_workflow.spec.sections import sections
from gen_workflow.spec.variables import Variable

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ROOT = "gen-workflow.yml"


def load(repository: Repository, text: str) -> Spec:
    return load_spec(text.encode(), ROOT, str(repository.folder))


def test_five_lines_are_enough(repository: Repository) -> None:
    loaded = load(repository, EXAMPLE)
    assert loaded.branches == ("main",)
    assert loaded.environment == "production"
    assert loaded.built[0].context == "."
    assert isinstance(loaded.deploy, SshDeploy)
    assert loaded.deploy.health.path == "/health"
    assert loaded.deploy.run.ports == ("8080:8080",)
    assert loaded.deploy.run.env == (Variable("GREETING", "${{ secrets.GREETING }}"),)
    assert loaded.deploy.ssh.port == "${{ vars.VPS_PORT || '22' }}"
    assert loaded.deploy.ssh.key == "${{ secrets.VPS_SSH_KEY }}"


def test_values_stay_as_they_were_written(repository: Repository) -> None:
    text = "image: {args: {A: 1.10, B: 010, C: yes, D: True, E: 2026-11-23, F: '', G: 1e3}}\n"
    values = [one.value for one in load(repository, text).built[0].args]
    assert values == ["1.10", "010", "yes", "True", "2026-11-23", "", "1e3"]


def test_on_is_a_key_and_no_is_a_text(repository: Repository) -> None:
    text = "on: release\nimage: .\ndeploy: {ssh: vps, run: {restart: no}}\n"
    loaded = load(repository, text)
    assert loaded.branches == ("release",)
    assert isinstance(loaded.deploy, SshDeploy)
    assert loaded.deploy.run.restart == "no"


def test_line_ends_a_byte_order_mark_and_own_keys_are_free(repository: Repository) -> None:
    raw = b"\xef\xbb\xbfx-team: [a, {b: c}]\r\nimage: .\r\n"
    assert load_spec(raw, ROOT, str(repository.folder)).built[0].context == "."


def test_line_ends_of_old_macs_are_line_ends(repository: Repository) -> None:
    raw = f"image: .\ractions:\r  remote: a/b@{'0' * 40} # v1.2.3\r".encode()
    loaded = load_spec(raw, ROOT, str(repository.folder))
    assert loaded.actions.remote is not None
    assert loaded.actions.remote.version == "v1.2.3"


def test_the_version_of_an_action_is_found_behind_any_character(repository: Repository) -> None:
    text = f'image: .\nx-a: "\x85\u2028"\nactions: {{remote: a/b@{"0" * 40}}} # v1.2.3\n'
    loaded = load(repository, text)
    assert loaded.actions.remote is not None
    assert loaded.actions.remote.version == "v1.2.3"


def test_an_anchor_may_be_set_twice(repository: Repository) -> None:
    assert load(repository, "x-a: &a .\nx-b: &a .\nimage: *a\n").built[0].context == "."


def run(repository: Repository, text: str) -> Run:
    deploy = load(repository, f"image: .\ndeploy: {{ssh: vps, run: {text}}}\n").deploy
    assert isinstance(deploy, SshDeploy)
    return deploy.run


def test_a_name_of_the_runner_is_free_where_the_value_is_not_in_the_env_of_the_step(
    repository: Repository,
) -> None:
    names = ("PATH", "ENV", "GITHUB_SHA", "SSH_PORT", "RUNNER_NAME")
    found = run(repository, f"{{env: {{{', '.join(f'{name}: x' for name in names)}}}}}")
    assert tuple(one.name for one in found.env) == names
    args = load(repository, "image: {args: {PATH: /x, GITHUB_SHA: '${{ github.sha }}'}}\n")
    assert [one.name for one in args.built[0].args] == ["PATH", "GITHUB_SHA"]


def test_a_port_may_be_published_for_each_protocol_and_address(repository: Repository) -> None:
    ports = ("127.0.0.1:53:53", "127.0.0.1:53:53/udp", "127.0.0.2:53:53", "[::]:53:53")
    assert run(repository, f"{{ports: {list(ports)}}}").ports == ports


@pytest.mark.parametrize("name", ["가", "prüfung/größe", "feature/日本語-1", "हिन्दी", "_x"])
def test_a_branch_may_have_letters_of_every_script(name: str, repository: Repository) -> None:
    assert load(repository, f"image: .\non: {name}\n").branches == (name,)


@pytest.mark.parametrize("name", ["本番", "prüfung", "Größe 2/test", "x" * 255, "🚀 live 🚀"])
def test_an_environment_may_have_letters_of_every_script(name: str, repository: Repository) -> None:
    text = f"image: .\nname: shop\nenvironment: {name}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    assert load(repository, text).environment == name


def test_a_target_may_begin_as_a_name_that_github_reserves(repository: Repository) -> None:
    loaded = load(repository, "image: .\ndeploy: {ssh: githubx, run: {}}\n")
    assert isinstance(loaded.deploy, SshDeploy)
    assert loaded.deploy.ssh.host == "${{ vars.GITHUBX_HOST }}"


@pytest.mark.parametrize("inside", ["secrets.B", "  secrets.B\t", "\n secrets.B \n"])
def test_plain_blanks_around_an_expression_are_free(inside: str, repository: Repository) -> None:
    (found,) = run(repository, f"{{env: {json.dumps({'A': f'${{{{{inside}}}}}'})}}}").env
    assert found.value == f"${{{{{inside}}}}}"


def test_paths_are_in_their_shortest_form(repository: Repository) -> None:
    (repository.folder / "a" / "b").mkdir(parents=True)
    (repository.folder / "a" / "b" / "Dockerfile").write_text("FROM scratch\n")
    assert load(repository, "image: ./a//b/\n").built[0].context == "a/b"


def test_no_section_has_a_key_twice() -> None:
    for _, section in sections(SPEC):
        both = section.names.known + section.names.later
        assert len(set(both)) == len(both)


@pytest.mark.parametrize("folder", [".", "Dockerfiles"])
def test_a_dockerfile_in_small_letters_is_named_in_the_workflow(
    folder: str, repository: Repository
) -> None:
    (repository.folder / "Dockerfile").unlink()
    (repository.folder / folder).mkdir(exist_ok=True)
    (repository.folder / folder / "dockerfile").touch()
    path = "dockerfile" if folder == "." else f"{folder}/dockerfile"
    image = load(repository, f"image: {folder}\n").built[0]
    assert (image.dockerfile, image.sources) == (path, (f"{folder}/", path))


def test_a_dockerfile_goes_before_one_in_small_letters(repository: Repository) -> None:
    (repository.folder / "dockerfile").touch()
    assert load(repository, "image: .\n").built[0].sources == ("./", "Dockerfile")
