from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push import causes
from ship.build_push.inputs import INPUTS, Inputs, read_inputs
from ship.build_push.plan import Build, build
from ship.build_push.step import run
from ship.runner.command import Secret
from ship.runner.context import Context
from ship.runner.errors import ShipError, StepFailed, UserError
from ship.runner.process import Finished

SHA = "0123456789abcdef0123456789abcdef01234567"
SHORT = "sha-0123456789ab"
DIGEST = "sha256:" + "b" * 64


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def context(workspace: Path, **changes: Any) -> Context:
    facts: dict[str, Any] = {
        "repository": "Acme/App",
        "sha": SHA,
        "ref": "refs/heads/main",
        "event_name": "push",
        "workspace": str(workspace),
    }
    return Context(**{**facts, **changes})


def inputs(**changes: str) -> dict[str, str]:
    given = {
        "context": ".", "push": "auto", "cache": "none", "provenance": "false", "username": "me",
        "password": "t0ken", **{name.replace("_", "-"): value for name, value in changes.items()},
    }  # fmt: skip
    assert set(given) <= set(INPUTS)
    return {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}


def read(workspace: Path, **changes: str) -> Inputs:
    return read_inputs(inputs(**changes), context(workspace))


def argv(want: Inputs, builder: str = "") -> tuple[str, ...]:
    image = want.images[0]
    what = Build(image, image.metadata.tag_names, "m.json")
    return build(want, what, builder, "https://github.com/Acme/App/actions/runs/1").argv


def values(argv: tuple[str, ...], option: str) -> list[str]:
    return [word.partition("=")[2] for word in argv if word.startswith(f"--{option}=")]


# Commands


def test_the_defaults_name_the_image_after_the_repository_in_lower_case(workspace: Path) -> None:
    command = argv(read(workspace))
    assert values(command, "tag") == [f"ghcr.io/acme/app:{tag}" for tag in ("main", SHORT)]
    assert "--push" in command
    assert command[-1] == str(workspace)


def test_nothing_is_attached_to_a_plain_image(workspace: Path) -> None:
    command = argv(read(workspace))
    assert values(command, "provenance") == ["false"]
    for option in ("sbom", "annotation", "cache-from", "cache-to", "platform", "builder"):
        assert values(command, option) == []


def test_provenance_names_the_run_that_built(workspace: Path) -> None:
    run_url = "https://github.com/Acme/App/actions/runs/1"
    told = values(argv(read(workspace, provenance="true", sbom="true")), "provenance")
    assert told == [f"mode=min,builder-id={run_url}"]
    for written in ("max", "mode=max"):
        told = values(argv(read(workspace, provenance=written)), "provenance")
        assert told == [f"mode=max,builder-id={run_url}"]


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


def test_a_cache_that_would_have_no_effect_is_left_out_and_told(
    workspace: Path, tmp_path: Path
) -> None:
    given = {"cache_from": "type=gha\ntype=registry,ref=x/y", "cache_to": "type=gha,mode=max"}
    want = read(workspace, **given)
    assert values(argv(want), "cache-from") == ["type=registry,ref=x/y"]
    assert values(argv(want), "cache-to") == []
    log = Log(tmp_path)
    run(inputs(dry_run="true", **given), context(workspace), ScriptedRunner(), log.workflow)
    assert log.text.count("::warning::`cache-") == 2
    env = {**inputs(**given), "ACTIONS_RUNTIME_TOKEN": "t"}
    exposed = read_inputs(env, context(workspace))
    assert values(argv(exposed), "cache-to") == ["type=gha,mode=max"]


def test_no_part_of_the_command_is_ever_a_word_of_a_shell(workspace: Path) -> None:
    command = argv(read(workspace, build_args="A=$(id); `x` \"'", labels="note=a b\nx=;"))
    assert "--build-arg=A=$(id); `x` \"'" in command
    assert "--label=note=a b" in command
    assert "t0ken" not in " ".join(command)


def test_images_of_one_name_have_caches_of_their_own(workspace: Path) -> None:
    images = "a: {context: ., image: x/y, tags: a}\nb: {context: ., image: x/y, tags: b}"
    want = read(workspace, images=images, cache="auto")
    caches = [
        values(build(want, Build(image, ("t",), "m"), "", "").argv, "cache-from")[0]
        for image in want.images
    ]
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
    assert want.warnings == ("`cache-to` is left out: this run is for a pull request of a fork.",)


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
    run(inputs(dry_run="true"), facts, ScriptedRunner(), log.workflow)
    assert ("--push" in log.text) is pushes
    told = "Nothing is pushed: this run is for a pull request of a fork, which never pushes."
    assert (told in log.text) is not pushes


@pytest.mark.parametrize("head", ["x", [], {"repo": "x"}, None, {}])
def test_an_odd_payload_is_that_of_a_fork(workspace: Path, head: object) -> None:
    payload = {"pull_request": {"head": head}}
    facts = context(workspace, event_name="pull_request", payload=payload)
    assert facts.is_fork
    assert not read_inputs(inputs(), facts).push


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


def test_a_secret_of_the_build_is_in_the_environment_and_in_no_argument(workspace: Path) -> None:
    want = read_inputs(
        {**inputs(secrets="TOKEN\nother.id=a=b c"), "TOKEN": "line 1\nline 2"}, context(workspace)
    )
    what = Build(want.images[0], ("x",), "m.json")
    command = build(want, what, "", "")
    assert sorted(command.environment().values()) == ["a=b c", "line 1\nline 2"]
    assert "line 1" not in str(command)
    assert str(command.env) == str(dict.fromkeys(command.env, Secret("")))
    for word in values(command.argv, "secret"):
        assert word.partition("env=")[2] in command.env


# Inputs


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": "ghcr.io/acme/app:1"}, "not the name of an image"),
        ({"image": "acme/app,enable=false"}, "leaves no name that is enabled"),
        ({"context": "nowhere"}, "no folder 'nowhere'"),
        ({"context": "--help"}, "no folder '--help'"),
        ({"context": "{{defaultContext}}"}, "check it out in a step before"),
        ({"context": "https://github.com/a/b.git"}, "check it out in a step before"),
        (
            {"file": "a/Dockerfile"},
            r"no Dockerfile at 'a/Dockerfile'[\s\S]*there is Dockerfile",
        ),
        ({"target": "--x"}, "not the name of a build stage"),
        ({"build_args": "TOKEN"}, "not of the form NAME=value"),
        ({"build_contexts": "--x=y"}, "not the name of a build context"),
        ({"platforms": ",linux/amd64,--load,"}, "not a platform such as"),
        ({"ssh": "--x"}, "not an SSH agent or key"),
        ({"secrets": "--x"}, "line 1 is neither NAME nor id=value"),
        ({"secrets": "MISSING"}, r"have `MISSING: \$\{\{ secrets.MISSING \}\}` in the `env:`"),
        ({"secrets": "A=1\nA=2"}, "A is there twice"),
        ({"secret_files": "a=nowhere"}, "there is no file 'nowhere'"),
        ({"tags": "type=semvr"}, "did you mean 'semver'"),
        ({"tags": "{{brnch}}"}, r"did you mean \{\{branch\}\}"),
        ({"flavor": "latest=maybe"}, "not one of auto, true, false"),
        ({"push": "maybe"}, "not one of auto, true, false"),
        ({"cache": "gha"}, "not one of none, auto"),
        ({"cache_to": "registry.example.com/x y"}, "is no cache of buildx"),
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
        ({"secrets": "A=1", "secret_files": "A=Dockerfile"}, "A is in `secrets` too"),
    ],
)
def test_a_wrong_input_is_named(workspace: Path, changes: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        read(workspace, **changes)


def test_all_that_is_wrong_is_told_in_one_go(workspace: Path) -> None:
    with pytest.raises(UserError) as raised:
        read(workspace, push="maybe", tags="type=semvr\n{{brnch}}", labels="{{x", max_age="soon",
             context="nowhere")  # fmt: skip
    assert len(raised.value.problems) == 6


def test_all_that_is_wrong_with_several_images_is_told_once(workspace: Path) -> None:
    text = "api: nowhere\nweb: {contxt: ., target: --x}\ncron: ."
    with pytest.raises(UserError) as raised:
        read(workspace, images=text, tags="type=semvr")
    told = [f"{problem.where}: {problem.what}" for problem in raised.value.problems]
    assert len(told) == 4
    assert "contxt" in told[0]
    assert "semvr" in told[1]
    assert "images.api.context" in told[2]


def test_a_value_that_may_be_a_secret_is_in_no_message(workspace: Path) -> None:
    with pytest.raises(UserError) as raised:
        read(workspace, secrets="TOKEN=\n-----BEGIN KEY-----\nMIIEpQ\nx=y=z")
    told = str(raised.value)
    assert "BEGIN" not in told
    assert "MIIEpQ has no value" in told, "a word alone is a name, and names are told"
    assert "line 2 is neither" in told


def test_a_push_from_the_pull_request_of_a_fork_is_refused(workspace: Path) -> None:
    payload = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
    facts = context(workspace, event_name="pull_request", payload=payload)
    with pytest.raises(UserError, match="never pushed from the pull request of a fork"):
        read_inputs(inputs(push="true"), facts)


def test_the_token_of_the_job_goes_to_github_alone(workspace: Path) -> None:
    given = {**inputs(password=""), "JOB_TOKEN": "ghs_x"}
    assert read_inputs(given, context(workspace)).password == Secret("ghs_x")
    given["INPUT_IMAGE"] = "registry.example.com/acme/app"
    with pytest.raises(UserError, match=r"give the password for registry\.example\.com"):
        read_inputs(given, context(workspace))


def test_a_missing_dockerfile_names_those_that_are_there(workspace: Path) -> None:
    (workspace / "Dockerfile").unlink()
    (workspace / "docker").mkdir()
    (workspace / "docker" / "api.Dockerfile").touch()
    with pytest.raises(UserError, match=r"there is docker/api.Dockerfile: name it in `file`"):
        read(workspace)


# The step


def test_a_dry_run_sets_what_is_known_and_starts_nothing(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    run(inputs(dry_run="true", password=""), context(workspace), ScriptedRunner(), log.workflow)
    assert log.outputs["tag"] == SHORT
    assert log.outputs["version"] == "main"
    assert log.outputs["tags"].split() == ["ghcr.io/acme/app:main", f"ghcr.io/acme/app:{SHORT}"]
    assert log.outputs["image"] == "ghcr.io/acme/app"
    assert json.loads(log.outputs["json"])["tag-names"] == ["main", SHORT]
    assert "1. build app and push it to ghcr.io/acme/app" in log.text


def test_a_build_for_a_pull_request_leaves_no_login_behind(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0, "", "#1 done\n::warning::x"))
    env = {**inputs(), "RUNNER_TEMP": str(tmp_path), "HOME": str(tmp_path)}
    run(env, context(workspace, event_name="pull_request"), runner, log.workflow)
    assert "Built, not pushed" in log.summary
    config = runner.ran[0].env["DOCKER_CONFIG"]
    assert isinstance(config, str)
    assert not Path(config).exists()


def _wrote(digest: str) -> Any:
    """Do what buildx does: write down the digest."""

    def build(command: Any) -> None:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": digest}))

    return build


def test_the_tag_that_stays_is_pushed_by_buildx_and_the_others_are_set_later(
    workspace: Path, tmp_path: Path
) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0), then=_wrote(DIGEST))
    answers: Answers = {
        **OPEN_REGISTRY,
        "GET /v2/acme/app/manifests": [(200, {"Content-Type": "application/json"}, "{}")],
        "PUT /v2/acme/app/manifests": [(201, {}, "")],
    }
    with HttpRegistry(answers) as registry:
        image = f"{registry.address}/acme/app"
        given = inputs(image=image, tags="type=raw,latest\ntype=ref,event=branch\ntype=sha")
        with pytest.raises(ShipError, match="gave another manifest"):
            run(given, context(workspace), runner, log.workflow)
    assert values(runner.ran[0].argv, "tag") == [f"{image}:sha-0123456"]
    assert log.outputs["image"] == f"{image}@{DIGEST}"
    assert log.outputs["digest"] == DIGEST


def test_a_digest_that_buildx_does_not_tell_is_an_error(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    with HttpRegistry(OPEN_REGISTRY) as registry:
        given = inputs(image=f"{registry.address}/acme/app")
        with pytest.raises(StepFailed, match="did not say under which digest"):
            run(given, context(workspace), ScriptedRunner(Finished(0)), log.workflow)


# Causes

COMMAND = 'process "/bin/sh -c curl x" did not complete successfully: exit code: 22'
PUSH = "#8 pushing ghcr.io/a/b:x with docker\n#8 ERROR: {0}\nERROR: {0}"
EXPORT = "#9 exporting to image\n#9 ERROR: {0}\nERROR: failed to solve: {0}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: no space left on device", "disk of the runner is full"),
        (PUSH.format("received unexpected HTTP status: 503 x"), "did not take the image"),
        (EXPORT.format("failed to push ghcr.io/a/b: 429 Too Many Requests"), "did not take"),
        ("#2 x\n#2 ERROR: b: 403 Forbidden\nERROR: failed to solve: ghcr.io/b: 403 Forbidden",
         "refused access to a base image"),
        (f"#6 0.1 curl: 403 Forbidden\nERROR: failed to solve: {COMMAND}",
         "a command of the Dockerfile failed with exit code 22: /bin/sh -c curl x"),
        ("#6 0.1 ERROR: no space left on device\nERROR: x did not complete successfully: 1",
         "disk of the runner is full"),
        ("Cannot connect to the Docker daemon at unix://", "engine of the runner cannot be used"),
        ("docker: 'buildx' is not a docker command.", "no buildx plugin"),
        ('ERROR: no builder "x" found', "no such builder"),
        ("Dockerfile:3\nERROR: dockerfile parse error on line 3", "syntax error"),
        ('ERROR: target stage "x" could not be found', "no such stage"),
        ("ERROR: failed to resolve source metadata for x/y:1: x/y:1: not found", "no image x/y:1"),
        ("ERROR: exec /bin/sh: exec format error", "programs of another platform"),
        ("ERROR: toomanyrequests: You have reached your pull rate limit", "more pulls for now"),
        ('ERROR: failed to solve: image "ghcr.io/a/b:main": already exists',
         "another run on this engine gave ghcr.io/a/b:main its own image"),
        ("#7 pushing ghcr.io/a/b:x with docker\n#7 DONE 0.1s\nERROR: 403 Forbidden",
         "did not take the image"),
        ("ERROR: something else", "the build failed with exit code 7"),
    ],
)  # fmt: skip
def test_what_buildx_says_is_told_as_a_cause(said: str, told: str) -> None:
    error = causes.failed(Finished(7, "", said))
    assert told in str(error)
    assert error.evidence
    assert said in error.evidence.text


def test_a_failed_build_sets_what_is_known(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(7, "", "ERROR: failed to solve: something"))
    with pytest.raises(StepFailed, match="failed with exit code 7"):
        run(inputs(), context(workspace, event_name="pull_request"), runner, log.workflow)
    assert (log.outputs["tag"], log.outputs["image"]) == (SHORT, "")
    assert log.summary == "", "a table of nothing helps nobody; the error is told by main"


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (PUSH.format("received unexpected HTTP status: 503 Service Unavailable"), True),
        (EXPORT.format("failed to push x: unexpected status from PUT request to x: 429 Too"), True),
        (EXPORT.format('failed to do request: Head "https://x": EOF'), True),
        (
            EXPORT.format("failed to fetch oauth token: Post x: net/http: TLS handshake timeout"),
            True,
        ),
        (EXPORT.format("read tcp: connection reset by peer"), True),
        (EXPORT.format('image "ghcr.io/a/b:main": already exists'), True),
        (
            PUSH.format("errors:\ndigest invalid\nmanifest blob unknown: blob unknown to registry"),
            True,
        ),
        (
            EXPORT.format(
                'failed to prepare extraction snapshot "x": parent snapshot sha256:a does not '
                "exist: not found"
            ),
            True,
        ),
        (PUSH.format("denied: permission_denied: write_package"), False),
        (EXPORT.format("failed to push: 401 Unauthorized"), False),
        ("ERROR: toomanyrequests: You have reached your pull rate limit. 429 Too Many", False),
        ("ERROR: Cannot connect to the Docker daemon: connection refused", False),
        ("#6 0.1 curl: connection reset\nERROR: process x did not complete successfully", False),
        ("ERROR: write /var/lib/x: no space left on device: unexpected EOF", False),
    ],
)
def test_only_what_may_pass_is_tried_again(said: str, *, passes: bool) -> None:
    assert causes.is_transient(Finished(1, "", said)) is passes


def test_steps_and_those_of_them_that_came_from_a_cache_are_counted() -> None:
    said = (
        "#1 [internal] load build definition\n#5 [build 1/2] FROM x\n#5 CACHED\n"
        "#6 [build 2/2] RUN y\n#6 DONE 0.1s\n#7 [auth] a/b:pull token\n#8 exporting to image\n"
    )
    assert causes.counted(Finished(0, "", said)) == (2, 1)


def test_a_cache_that_was_not_written_is_told() -> None:
    said = "#9 exporting cache to registry\n#9 error writing layer blob: 403 Forbidden\n#9 DONE"
    assert causes.lost_cache(Finished(0, "", said)) == "403 Forbidden"
    assert causes.lost_cache(Finished(0, "", "#9 exporting cache to registry\n#9 DONE")) == ""
