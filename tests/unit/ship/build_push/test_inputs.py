from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles import ScriptedRunner
from ship.build_push.inputs import read_inputs
from ship.images.login import JOB, Login
from ship.images.registry.credentials import Credential
from ship.runner.command import Secret
from ship.runner.errors import UserError
from unit.ship.build_push.given import context, inputs, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"image": "ghcr.io/acme/app:1"}, "not the name of an image"),
        ({"image": "acme/app,enable=false"}, "has no name that is enabled"),
        ({"context": "nowhere"}, "no folder 'nowhere'"),
        ({"context": "--help"}, "no folder '--help'"),
        ({"context": "{{defaultContext}}"}, "check it out in a step before"),
        ({"context": "https://github.com/a/b.git"}, "check it out in a step before"),
        (
            {"file": "a/Dockerfile"},
            r"no Dockerfile at 'a/Dockerfile'[\s\S]*write one of these into `file`: Dockerfile",
        ),
        ({"target": "--x"}, "not the name of a build stage"),
        ({"build_args": "--x"}, "line 1 does not have the form NAME or NAME=value"),
        ({"build_contexts": "--x=y"}, "not the name of a build context"),
        ({"platforms": ",linux/amd64,--load,"}, "not a platform such as"),
        ({"ssh": "--x"}, "line 1 is not an SSH agent or key"),
        ({"secrets": "--x"}, "line 1 does not have the form NAME or id=value"),
        ({"secrets": "MISSING"}, r"add `NAME: \$\{\{ secrets.NAME \}\}`"),
        ({"secrets": "A=1\nA=2"}, "line 2 repeats the name of an earlier line"),
        ({"secret_files": "a=nowhere"}, "line 1 names a file that does not exist"),
        ({"tags": "type=semvr"}, "did you mean 'semver'"),
        ({"tags": "latest,1.2.3"}, r"several tags on one line[\s\S]*one tag a line"),
        ({"tags": "type=raw,latest,1.2.3"}, "several tags on one line"),
        ({"tags": "type=semver,pattern={{version}}"}, r"`tags`: no rule gives a tag for this run"),
        ({"tags": "type=ref,event=pr\ntype=ref,event=tag"}, r"hint: .*`type=sha`"),
        (
            {"images": "a: {context: ., tags: 'type=ref,event=tag'}"},
            "`images.a.tags`: no rule gives a tag for this run: a push of main",
        ),
        ({"tags": "{{brnch}}"}, r"did you mean \{\{branch\}\}"),
        ({"flavor": "latest=maybe"}, "not one of auto, true, false"),
        ({"push": "maybe"}, "not one of auto, true, false"),
        ({"cache": "gha"}, "not one of none, auto"),
        ({"cache_to": "registry.example.com/x y"}, "line 1 is not a cache that buildx knows"),
        ({"max_age": "soon"}, "not a time such as 7d"),
        ({"builder": "-x"}, "not the name of a builder"),
        ({"sbom": "--x"}, "neither true nor false nor the image of a scanner"),
        ({"provenance": "mode=all"}, "not one of false, true, min, max"),
        ({"password": ""}, "`password`: is required but empty"),
        ({"username": ""}, "`username`: is required but empty"),
        ({"dry_run": "x"}, "neither true nor false"),
        ({"images": "a: nowhere"}, r"images.a.context`: there is no folder 'nowhere'"),
        (
            {"images": "a: {context: ., image: x/y}\nb: {context: ., image: x/y}"},
            r"a and b are both called x/y:main",
        ),
        (
            {"secrets": "A=1", "secret_files": "A=Dockerfile"},
            "the id on line 1 is also in `secrets`",
        ),
    ],
)
def test_a_wrong_input_is_named(workspace: Path, changes: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        read(workspace, **changes)


def test_all_that_is_wrong_is_reported_in_one_go(workspace: Path) -> None:
    with pytest.raises(UserError) as raised:
        read(workspace, push="maybe", tags="type=semvr\n{{brnch}}", labels="{{x", max_age="soon",
             context="nowhere")  # fmt: skip
    assert len(raised.value.problems) == 6


def test_all_that_is_wrong_with_several_images_is_reported_once(workspace: Path) -> None:
    text = "api: nowhere\nweb: {contxt: ., target: --x}\ncron: ."
    with pytest.raises(UserError) as raised:
        read(workspace, images=text, tags="type=semvr")
    reported = [f"{problem.where}: {problem.what}" for problem in raised.value.problems]
    assert len(reported) == 4
    assert "contxt" in reported[0]
    assert "semvr" in reported[1]
    assert "images.api.context" in reported[2]


def test_a_push_from_the_pull_request_of_a_fork_is_refused(workspace: Path) -> None:
    payload = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
    facts = context(workspace, event_name="pull_request", payload=payload)
    with pytest.raises(UserError, match="never pushed from the pull request of a fork"):
        read_inputs(inputs(push="true"), facts)


def test_the_token_of_the_job_goes_to_github_alone(workspace: Path) -> None:
    given = {**inputs(password=""), "JOB_TOKEN": "ghs_x"}
    want = read_inputs(given, context(workspace))
    runner = ScriptedRunner()
    assert want.offers.login("ghcr.io", {}, runner) == Login(JOB, Credential("me", Secret("ghs_x")))
    assert want.offers.login("registry.example.com", {}, runner) == Login()
    given["INPUT_IMAGE"] = "registry.example.com/acme/app"
    with pytest.raises(UserError, match=r"give the password for registry\.example\.com"):
        read_inputs(given, context(workspace))


def test_a_missing_dockerfile_names_those_that_are_there(workspace: Path) -> None:
    (workspace / "Dockerfile").unlink()
    (workspace / "docker").mkdir()
    (workspace / "docker" / "api.Dockerfile").touch()
    with pytest.raises(UserError, match=r"write one of these into `file`: docker/api.Dockerfile"):
        read(workspace)


def test_a_run_that_pushes_nothing_needs_no_tag(workspace: Path) -> None:
    for changes in ({"push": "false"}, {"dry_run": "true"}):
        want = read(workspace, tags="type=semver,pattern={{version}}", **changes)
        assert want.images[0].metadata.tag_names == ()
        assert any("no rule gives a tag" in each for each in want.notices) is ("dry_run" in changes)


def test_a_dockerfile_in_small_letters_is_found_as_buildx_finds_it(workspace: Path) -> None:
    (workspace / "Dockerfile").rename(workspace / "dockerfile")
    for changes in ({}, {"file": "Dockerfile"}, {"file": "dockerfile"}):
        assert read(workspace, **changes).images[0].file == str(workspace / "dockerfile")
    (workspace / "Dockerfile").touch()
    assert read(workspace).images[0].file == str(workspace / "Dockerfile")


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ("../../outside/Dockerfile", "is a link out of its folder"),
        ("../other/Dockerfile", r"is a link out of its folder[\s\S]*`file: other/Dockerfile`"),
        ("nowhere", "is a link to a file that does not exist"),
    ],
)
def test_a_dockerfile_that_is_a_link_out_of_its_folder_is_named(
    workspace: Path, to: str, what: str
) -> None:
    for folder in (workspace / "app", workspace / "other", workspace.parent / "outside"):
        folder.mkdir()
        (folder / "Dockerfile").write_text("FROM scratch\n")
    (workspace / "app" / "Dockerfile").unlink()
    (workspace / "app" / "Dockerfile").symlink_to(to)
    with pytest.raises(UserError, match=what):
        read(workspace, context="app")


def test_a_dockerfile_that_is_a_link_in_its_folder_is_used(workspace: Path) -> None:
    (workspace / "Dockerfile").rename(workspace / "real")
    (workspace / "Dockerfile").symlink_to("real")
    assert read(workspace).images[0].file == str(workspace / "Dockerfile")


def test_build_args_are_read_as_docker_s_action_reads_them(workspace: Path) -> None:
    text = '# a comment\nA=1\n"B=two\nlines"\n"C=a ""quoted"" word"\nFROM_ENV\nUNSET\nD=1,E=2\nF='
    env = {**inputs(build_args=text), "FROM_ENV": "x=y"}
    want = read_inputs(env, context(workspace))
    assert want.images[0].build_args == {
        "A": "1",
        "B": "two\nlines",
        "C": 'a "quoted" word',
        "FROM_ENV": "x=y",
        "D": "1,E=2",
        "F": "",
    }
    unset, one = want.notices
    assert "line 7: the `env:` of this step has no variable of this name" in unset
    assert "line 8: this is one argument" in one


def test_build_args_of_an_image_may_have_comments_and_quotes(workspace: Path) -> None:
    images = 'a:\n  context: .\n  build-args: |\n    # a comment\n    "A=1"\n    B=2\n'
    assert read(workspace, images=images).images[0].build_args == {"A": "1", "B": "2"}


def test_a_login_of_a_step_before_is_enough(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"registry.example.com": {"auth": "eDp5"}}}')
    env = {**inputs(image="registry.example.com/x", password=""), "DOCKER_CONFIG": str(tmp_path)}
    assert read_inputs(env, context(workspace)).push
    (tmp_path / "config.json").write_text('{"auths": []}')
    with pytest.raises(UserError, match="required but empty"):
        read_inputs(env, context(workspace))


def test_a_folder_through_a_link_is_where_the_link_leads(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "Dockerfile").write_text("FROM scratch\n")
    (workspace / "link").symlink_to(tmp_path / "real" / "deep")
    assert read(workspace, context="link/..").images[0].context == str(tmp_path / "real")


@pytest.mark.parametrize("head", ["x", [], {"repo": "x"}, None, {}])
def test_an_odd_payload_is_that_of_a_fork(workspace: Path, head: object) -> None:
    payload = {"pull_request": {"head": head}}
    facts = context(workspace, event_name="pull_request", payload=payload)
    assert facts.is_fork
    assert not read_inputs(inputs(), facts).push
