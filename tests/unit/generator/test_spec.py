"""What a spec that is right means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow import keys, spec
from gen_workflow.document import Mark
from gen_workflow.variables import Variable

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ROOT = "gen-workflow.yml"


def load(repository: Repository, text: str) -> spec.Spec:
    return spec.load(text.encode(), ROOT, str(repository.folder))


def test_five_lines_are_enough(repository: Repository) -> None:
    loaded = load(repository, spec.EXAMPLE)
    assert loaded.branches == ("main",)
    assert loaded.environment == "production"
    assert loaded.image.context == "."
    assert loaded.deploy is not None
    assert loaded.deploy.health == "/health"
    assert loaded.deploy.run.ports == ("8080:8080",)
    assert loaded.deploy.run.env == (Variable("GREETING", "${{ secrets.GREETING }}"),)
    assert loaded.deploy.ssh.port == "${{ vars.VPS_PORT || '22' }}"
    assert loaded.deploy.ssh.key == "${{ secrets.VPS_SSH_KEY }}"


def test_sections_know_where_they_stand(repository: Repository) -> None:
    loaded = load(repository, spec.EXAMPLE)
    assert loaded.image.mark == Mark(1, 8)
    assert loaded.deploy is not None
    assert loaded.deploy.mark == Mark(3, 3)
    assert loaded.deploy.ssh.mark == Mark(3, 8)
    assert loaded.deploy.run.mark == Mark(4, 8)


def test_values_stay_as_they_were_written(repository: Repository) -> None:
    text = "image: {args: {A: 1.10, B: 010, C: yes, D: True, E: 2026-11-23, F: '', G: 1e3}}\n"
    values = [one.value for one in load(repository, text).image.args]
    assert values == ["1.10", "010", "yes", "True", "2026-11-23", "", "1e3"]


def test_on_is_a_key_and_no_is_a_text(repository: Repository) -> None:
    text = "on: release\nimage: .\ndeploy: {ssh: vps, run: {restart: no}}\n"
    loaded = load(repository, text)
    assert loaded.branches == ("release",)
    assert loaded.deploy is not None
    assert loaded.deploy.run.restart == "no"


def test_line_ends_a_byte_order_mark_and_own_keys_are_free(repository: Repository) -> None:
    raw = b"\xef\xbb\xbfx-team: [a, {b: c}]\r\nimage: .\r\n"
    assert spec.load(raw, ROOT, str(repository.folder)).image.context == "."


def test_paths_are_in_their_shortest_form(repository: Repository) -> None:
    (repository.folder / "a" / "b").mkdir(parents=True)
    (repository.folder / "a" / "b" / "Dockerfile").write_text("FROM scratch\n")
    assert load(repository, "image: ./a//b/\n").image.context == "a/b"


def test_no_section_has_a_key_twice() -> None:
    for section in (keys.SPEC, keys.ACTIONS, *keys.SECTIONS.values()):
        both = section.known + section.later
        assert len(set(both)) == len(both)
