from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doubles import Log, ScriptedRunner
from ship.build_push.buildx.commands import build
from ship.build_push.inputs import Inputs, read_inputs
from ship.build_push.step import run
from ship.images.reference import Reference
from ship.runner.command import Command, Secret
from ship.runner.step import Step
from unit.ship.build_push.given import SHA, SHORT, context, inputs, read, values

if TYPE_CHECKING:
    from pathlib import Path


def command(want: Inputs, number: int = 0) -> Command:
    image = want.images[number]
    names = [(name, tag) for tag in image.metadata.tag_names for name in image.metadata.names]
    references = [Reference(*each) for each in names]
    return build(want, image, references, builder="", metadata_file="m.json", pull=False, env={})


def argv(want: Inputs) -> tuple[str, ...]:
    return command(want).argv


def run_of(workspace: Path, **changes: str) -> Inputs:
    return read_inputs(inputs(**changes), context(workspace, run_id="1"))


def test_the_defaults_name_the_image_after_the_repository_in_lower_case(workspace: Path) -> None:
    words = argv(read(workspace))
    assert values(words, "tag") == [f"ghcr.io/acme/app:{tag}" for tag in ("main", SHORT)]
    assert "--push" in words
    assert words[-1] == str(workspace)


def test_nothing_is_attached_to_a_plain_image(workspace: Path) -> None:
    words = argv(read(workspace))
    assert values(words, "provenance") == ["false"]
    for option in ("sbom", "annotation", "cache-from", "cache-to", "platform", "builder"):
        assert values(words, option) == []


def test_provenance_names_the_run_that_built(workspace: Path) -> None:
    run_url = "https://github.com/Acme/App/actions/runs/1"
    reported = values(argv(run_of(workspace, provenance="true", sbom="true")), "provenance")
    assert reported == [f"mode=min,builder-id={run_url}"]
    for written in ("max", "mode=max"):
        reported = values(argv(run_of(workspace, provenance=written)), "provenance")
        assert reported == [f"mode=max,builder-id={run_url}"]


def test_an_index_has_its_description_where_the_page_of_the_package_shows_it(
    workspace: Path,
) -> None:
    given = {"annotations": "org.opencontainers.image.description=A shop"}
    plain = argv(read(workspace, **given))
    assert "manifest:org.opencontainers.image.description=A shop" in values(plain, "annotation")
    index = argv(read(workspace, platforms="linux/amd64, linux/arm64", **given))
    assert "index:org.opencontainers.image.description=A shop" in values(index, "annotation")
    alone = argv(read(workspace, platforms="linux/amd64,linux/arm64"))
    assert f"index:org.opencontainers.image.revision={SHA}" in values(alone, "annotation")


def test_the_cache_is_only_read_when_nothing_is_pushed(workspace: Path) -> None:
    pushed = argv(read(workspace, cache="auto", target="serve"))
    assert values(pushed, "cache-from") == ["type=registry,ref=ghcr.io/acme/app:buildcache-serve"]
    how = "mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
    assert values(pushed, "cache-to") == [
        f"type=registry,ref=ghcr.io/acme/app:buildcache-serve,{how}"
    ]
    checked = argv(read(workspace, cache="auto", push="false"))
    assert values(checked, "cache-from") == ["type=registry,ref=ghcr.io/acme/app:buildcache"]
    assert values(checked, "cache-to") == []


def test_a_cache_that_would_have_no_effect_is_left_out_with_a_message(
    workspace: Path, tmp_path: Path
) -> None:
    given = {"cache_from": "type=gha\ntype=registry,ref=x/y", "cache_to": "type=gha,mode=max"}
    want = read(workspace, **given)
    assert values(argv(want), "cache-from") == ["type=registry,ref=x/y"]
    assert values(argv(want), "cache-to") == []
    log = Log(tmp_path)
    run(Step(inputs(dry_run="true", **given), context(workspace), ScriptedRunner, log.workflow))
    assert log.text.count("::warning::`cache-") == 2
    env = {**inputs(**given), "ACTIONS_RUNTIME_TOKEN": "t"}
    exposed = read_inputs(env, context(workspace))
    assert values(argv(exposed), "cache-to") == ["type=gha,mode=max"]


def test_no_part_of_the_command_is_ever_a_word_of_a_shell(workspace: Path) -> None:
    words = argv(read(workspace, build_args="A=$(id); `x` \"'", labels="note=a b\nx=;"))
    assert "--build-arg=A=$(id); `x` \"'" in words
    assert "--label=note=a b" in words
    assert "t0ken" not in " ".join(words)


def test_images_of_one_name_have_caches_of_their_own(workspace: Path) -> None:
    images = "a: {context: ., image: x/y, tags: a}\nb: {context: ., image: x/y, tags: b}"
    want = read(workspace, images=images, cache="auto")
    caches = [values(command(want, number).argv, "cache-from")[0] for number in (0, 1)]
    assert caches == [f"type=registry,ref=x/y:buildcache-{key}" for key in "ab"]


def test_a_file_with_a_comma_in_its_path_can_be_a_secret(workspace: Path) -> None:
    (workspace / 'a,"b').write_text("x")
    (secret,) = values(argv(read(workspace, secret_files='t=a,"b')), "secret")
    assert secret == f'id=t,"src={workspace}/a,""b"'


def test_a_fork_writes_no_cache_that_others_read(workspace: Path) -> None:
    payload = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
    facts = context(workspace, event_name="pull_request_target", payload=payload)
    want = read_inputs(inputs(cache_to="type=registry,ref=x/y\ntype=inline"), facts)
    assert values(argv(want), "cache-to") == ["type=inline"]
    assert want.warnings == (
        "`cache-to` is ignored: a pull request of a fork may not write a shared cache.",
    )


@pytest.mark.parametrize(
    ("payload", "pushes"),
    [
        ({"workflow_run": {"head_repository": {"full_name": "Acme/App"}}}, True),
        ({"workflow_run": {"head_repository": {"full_name": "mallory/app"}}}, False),
        ({"workflow_run": "x"}, False),
    ],
)
def test_a_run_after_that_of_a_fork_pushes_nothing(
    workspace: Path, payload: dict[str, Any], *, pushes: bool
) -> None:
    facts = context(workspace, event_name="workflow_run", payload=payload)
    log = Log(workspace.parent)
    run(Step(inputs(dry_run="true"), facts, ScriptedRunner, log.workflow))
    assert ("--push" in log.text) is pushes
    reported = "Nothing is pushed: this run is for a pull request of a fork, which never pushes."
    assert (reported in log.text) is not pushes


def test_a_secret_of_the_build_is_in_the_environment_and_in_no_argument(workspace: Path) -> None:
    want = read_inputs(
        {**inputs(secrets="TOKEN\nother.id=a=b c"), "TOKEN": "line 1\nline 2"}, context(workspace)
    )
    made = command(want)
    assert sorted(made.environment().values()) == ["a=b c", "line 1\nline 2"]
    assert "line 1" not in str(made)
    assert str(made.env) == str(dict.fromkeys(made.env, Secret("")))
    for word in values(made.argv, "secret"):
        assert word.partition("env=")[2] in made.env
