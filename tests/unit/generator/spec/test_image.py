"""How an image is built, as a spec says it: what the keys mean, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gen_workflow.commands.project import Project
from gen_workflow.errors import SpecError

if TYPE_CHECKING:
    from unit.generator.conftest import Repository


def build_step(repository: Repository, image: str) -> dict[str, Any]:
    """Return the step that builds the image of a spec."""
    found: dict[str, Any] = job(repository, f"image: {image}\n")["steps"][-1]
    return found


def job(repository: Repository, spec: str, name: str = "build") -> dict[str, Any]:
    repository.spec.write_text(spec)
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    found: dict[str, Any] = YAML(typ="safe").load(text)["jobs"][name]
    return found


def refused(repository: Repository, spec: str) -> list[str]:
    repository.spec.write_text(spec)
    with pytest.raises(SpecError) as caught:
        Project(str(repository.folder), "gen-workflow.yml").rendered()
    return [text.partition("gen-workflow.yml:")[2] for text in caught.value.problems]


@pytest.mark.parametrize(
    ("image", "inputs"),
    [
        ("{cache: auto}", {"cache": "auto"}),
        ("{cache: none}", None),
        ("{skip: unchanged}", {"skip-unchanged": "true"}),
        ("{skip: never}", None),
        ("{skip: {unchanged: false}}", None),
        ("{skip: {max-age: 12h}}", {"skip-unchanged": "true", "max-age": "12h"}),
        ("{paths: backend}", {"paths": "backend\n"}),
        ("{provenance: false, sbom: false, pull: false, no-cache: false}", None),
        ("{provenance: true}", {"provenance": "true"}),
        ("{sbom: docker/scout-sbom-indexer}", {"sbom": "docker/scout-sbom-indexer"}),
        ("{builder: big}", {"builder": "big"}),
        ("{builder: {image: mirror/buildkit}}", {"builder-image": "mirror/buildkit"}),
        ("{older-commit: keep}", None),
        ("{tags: latest}", {"tags": "latest\n"}),
        (
            "{tags: [1.2, 'x${{ github.run_number }}']}",
            {"tags": "1.2\nx${{ github.run_number }}\n"},
        ),
        ("{ssh: [default, 'key=/run/agent.sock']}", {"ssh": "default\nkey=/run/agent.sock\n"}),
    ],
)
def test_a_short_form_gives_the_inputs(
    image: str, inputs: dict[str, str] | None, repository: Repository
) -> None:
    assert build_step(repository, image).get("with") == inputs


def test_a_secret_of_the_build_travels_in_the_env_of_the_step_where_it_can(
    repository: Repository,
) -> None:
    ids = ("NPM_TOKEN", "npm-token", "DOCKER_HOST", "HOME", "GITHUB_TOKEN", "github_token")
    pairs = ", ".join(f'{one}: "${{{{ secrets.A }}}}"' for one in ids)
    step = build_step(repository, f"{{secrets: {{{pairs}}}}}")
    value = "${{ secrets.A }}"
    assert step["env"] == {"NPM_TOKEN": value, "github_token": value}
    lines = step["with"]["secrets"].splitlines()
    assert lines == [one if one in step["env"] else f"{one}={value}" for one in ids]


def test_a_build_that_reads_a_secret_has_an_environment_and_records_no_deployment(
    repository: Repository,
) -> None:
    spec = "image: {secrets: [NPM_TOKEN]}\n"
    environment = {"name": "build", "deployment": False}
    assert job(repository, spec)["environment"] == environment
    assert job(repository, spec, "check")["environment"] == environment
    for other in ("{secrets: {a: '${{ github.token }}'}}", "{args: {A: '${{ vars.B }}'}}", "."):
        assert "environment" not in job(repository, f"image: {other}\n")


@pytest.mark.parametrize(
    ("platforms", "emulated"),
    [
        ("linux/amd64", None),
        ("[linux/amd64, linux/386, linux/amd64/v2]", None),
        ("[linux/amd64, linux/arm64, linux/arm/v6, linux/arm/v7]", "arm64,arm"),
        ("linux/riscv64", "riscv64"),
    ],
)
def test_platforms_that_the_runner_cannot_run_are_emulated(
    platforms: str, emulated: str | None, repository: Repository
) -> None:
    steps = job(repository, f"image: {{platforms: {platforms}}}\n")["steps"]
    found = [one["with"]["platforms"] for one in steps if one["name"].startswith("Emulate")]
    assert found == ([emulated] if emulated else [])


def test_of_several_images_one_that_has_not_changed_is_not_built(repository: Repository) -> None:
    spec = "images: {api: backend, web: {context: backend, skip: never}}\n"
    (repository.folder / "backend").mkdir()
    (repository.folder / "backend" / "Dockerfile").touch()
    assert job(repository, spec, "build-api")["steps"][-1]["with"]["skip-unchanged"] == "true"
    assert "skip-unchanged" not in job(repository, spec, "build-web")["steps"][-1]["with"]


@pytest.mark.parametrize(
    ("image", "usual"),
    [
        ("{}", "false"),
        ("{skip: unchanged}", "true"),
        ("{skip: {unchanged: false}}", "false"),
        ("{paths: x}", "true"),
    ],
)
@pytest.mark.parametrize("on", ["release", "tags", "manual", "{tags: v*}"])
def test_a_run_for_a_tag_takes_the_image_that_the_branch_has_built(
    image: str, usual: str, on: str, repository: Repository
) -> None:
    spec = f"image: {image}\nenvironments: {{a: {{on: {on}, ssh: vps, run: {{}}}}}}\n"
    step = job(repository, spec)["steps"][-1]
    found = step["with"]["skip-unchanged"]
    assert found == f"${{{{ github.ref_type == 'tag' && 'commit' || '{usual}' }}}}"


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("a", "a\ntype=sha,format=long\n"),
        ("[a, 'type=sha,prefix=c-']", "a\ntype=sha,prefix=c-\n"),
    ],
)
def test_rules_of_tags_have_one_by_which_the_image_of_a_commit_is_found(
    tags: str, found: str, repository: Repository
) -> None:
    environments = "environments: {a: {on: release, ssh: vps, run: {}}}\n"
    spec = f"image: {{tags: {tags}}}\n"
    assert job(repository, spec + environments)["steps"][-1]["with"]["tags"] == found
    alone = found.replace("type=sha,format=long\n", "")
    assert job(repository, spec)["steps"][-1]["with"]["tags"] == alone


WRONG = {
    "{secrets: [A=b]}": "1:19 image/secrets/0: 'A=b': a name alone in this list is a secret\n"
    "  hint: write a value as a mapping: {A: b}",
    "{secrets: {a: b}}": "1:19 image/secrets/a: the value of 'a' stands in the spec, so it is no "
    "secret\n  hint: take it from a secret: {a: ${{ secrets.NAME }}}; or write it into `args`",
    "{secrets: {'a b': '${{ secrets.A }}'}}": "1:19 image/secrets/a b: 'a b' is not an id of a "
    "secret\n  hint: use letters, digits and _ . -",
    "{secrets: [A], secret-files: {A: x}}": "1:41 image/secret-files/A: 'A' is also an id in "
    "`secrets`\n  hint: give one of them another id",
    "{args: {A: '${{ secrets.A }}'}}": "1:19 image/args/A: a secret cannot be a build argument: "
    "everyone who can pull the image can read it\n  hint: give it to the build with `secrets: "
    "[NAME]`, which the Dockerfile mounts and the image does not contain; or to the app when it "
    "runs, with `deploy: {run: {env: [NAME]}}`",
    "{args: {A: '${{ github.token }}'}}": "1:19 image/args/A: `${{ github.token }}` is not allowed "
    "here\n  hint: use ${{ secrets.NAME }}, ${{ vars.NAME }}, ${{ vars.NAME || 'default' }} or "
    "${{ github.sha }}",
    "{secret-files: {a: ../b}}": "1:27 image/secret-files/a: '../b' leads out of the repository\n"
    "  hint: paths begin at the root of the repository",
    "{platforms: 'linux/amd64, linux/arm64'}": "1:20 image/platforms: 'linux/amd64, linux/arm64' "
    "is several platforms\n  hint: write a list: [linux/amd64, linux/arm64]",
    "{platforms: arm64}": "1:20 image/platforms: 'arm64' is not a platform\n"
    "  hint: write for example linux/arm64",
    "{platforms: []}": "1:20 image/platforms: is empty\n"
    "  hint: name a platform, or remove `platforms`",
    "{tags: 'type=semvr,pattern=x'}": "1:15 image/tags: 'semvr' is not a type of rule\n"
    "  hint: perhaps you meant `semver`",
    "{tags: []}": "1:15 image/tags: is empty\n  hint: write for example type=ref,event=branch",
    "{tags: '# none'}": "1:15 image/tags: is empty\n"
    "  hint: write for example type=ref,event=branch",
    "{tags: [a, a]}": "1:19 image/tags/1: 'a' appears twice\n  hint: keep one of them",
    "{tags: {a: b}}": "1:15 image/tags: should be a value, but is a mapping\n"
    '  hint: write one text; put one that holds brackets into quotes: "{a: b}"',
    "{flavor: slim}": "1:17 image/flavor: 'slim' is not a setting of all tags\n"
    "  hint: write for example latest=false, prefix=v or suffix=-slim",
    "{labels: [a]}": "1:17 image/labels: should be a mapping, but is a list\n"
    "  hint: write labels: {team: shop}",
    "{labels: {'a b': c}}": "1:18 image/labels/a b: 'a b' is not the name of a label\n"
    "  hint: write labels: {team: shop}",
    "{labels: {a: ' b'}}": "1:21 image/labels/a: should be one line, without blanks around it and "
    'without `,"` in it\n  hint: write a shorter or simpler text',
    "{contexts: {a: nowhere}}": "1:23 image/contexts/a: there is no folder FOLDER/nowhere\n"
    "  hint: name a folder of the repository, such as .",
    "{skip: always}": "1:15 image/skip: 'always' is neither 'unchanged' nor 'never'\n"
    "  hint: use one of `unchanged` and `never`",
    "{skip: {max-age: week}}": "1:25 image/skip/max-age: 'week' is not an age\n"
    "  hint: write for example 7d, 12h or 30m",
    "{skip: never, paths: x}": "1:29 image/paths: has no effect where the image is always built\n"
    "  hint: remove it, or change `skip`",
    "{skip: {unchanged: false, salt: 1}}": "1:40 image/skip/salt: has no effect where the image is "
    "always built\n  hint: remove it, or change `skip`",
    "{cache: gha}": "1:16 image/cache: 'gha' is neither 'auto' nor 'none'\n"
    "  hint: use one of `auto` and `none`",
    "{cache: {read-from: type=gha}}": "1:28 image/cache/read-from: GitHub gives the token for "
    "type=gha to JavaScript actions only, and buildx is none\n"
    "  hint: write cache: auto, which keeps the cache in the registry",
    "{cache: {write-to: a b}}": "1:27 image/cache/write-to: 'a b' is not a cache of buildx\n"
    "  hint: begin with type=, such as type=registry,ref=ghcr.io/example/shop:cache",
    "{provenance: full}": "1:21 image/provenance: 'full' is neither 'min' nor 'max'\n"
    "  hint: use one of `min` and `max`",
    "{sbom: 3}": "1:15 image/sbom: should be true, false or the image of a scanner, but is a number"
    "\n  hint: write sbom: true",
    "{builder: ftp://x}": "1:18 image/builder: 'ftp://x' is not the name of a builder or an address"
    "\n  hint: write for example tcp://buildkit:1234",
}


@pytest.mark.parametrize(("image", "problem"), WRONG.items(), ids=WRONG)
def test_a_wrong_image_is_refused_with_what_to_write(
    image: str, problem: str, repository: Repository
) -> None:
    found = refused(repository, f"image: {image}\n")
    assert found == [problem.replace("FOLDER", str(repository.folder))]


def test_steps_before_a_build_stand_between_the_check_out_and_the_login(
    repository: Repository,
) -> None:
    image = "image: {prepare: [make generate, {name: Pack, run: make pack}]}\n"
    pool = "projects/1/locations/global/workloadIdentityPools/github/providers/github"
    google = f"{{provider: {pool}, service-account: ci@shop.iam.gserviceaccount.com}}"
    registry = (
        f"registry: {{host: europe-docker.pkg.dev/shop/images, login: {{google: {google}}}}}\n"
    )
    for name in ("build", "check"):
        steps = job(repository, f"{image}{registry}", name)["steps"]
        titles = [step.get("name", step.get("run")) for step in steps]
        assert titles[:4] == [
            "Check out the repository", "make generate", "Pack", "Log in to Google Cloud",
        ]  # fmt: skip


def test_a_build_gets_the_time_that_its_steps_need(repository: Repository) -> None:
    for step, minutes in (("make", 70), ("{run: make, timeout-minutes: 45}", 105)):
        assert job(repository, f"image: {{prepare: {step}}}\n")["timeout-minutes"] == minutes


def test_a_step_before_a_build_has_no_secret_and_the_place_is_told(repository: Repository) -> None:
    step = '{run: make, env: {TOKEN: "${{ secrets.TOKEN }}"}}'
    (problem,) = refused(repository, f"image:\n  prepare:\n    - {step}\n")
    assert problem.startswith(
        "3:24 image/prepare/0/env: takes the secret TOKEN, but the build of a pull request"
    )


def test_a_build_with_steps_of_its_own_stays_inline_and_the_header_says_why(
    repository: Repository,
) -> None:
    central = f"example/workflows/.github/workflows/build.yml@{'a' * 40} # v1.0.0"
    repository.spec.write_text(f"image: {{prepare: make}}\nmode:\n  caller: {central}\n")
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    assert "no caller can give steps of its own (prepare, extend)" in text
    assert "- run: make" in text


TWO = "platforms: [linux/amd64, linux/arm64]"


def test_each_platform_has_its_runner_and_the_build_waits_for_all(repository: Repository) -> None:
    spec = f"image: {{{TWO}, runners: native}}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    each, build = job(repository, spec, "platforms"), job(repository, spec)
    assert [tuple(one.values()) for one in each["strategy"]["matrix"]["include"]] == [
        ("linux/amd64", "ubuntu-24.04"), ("linux/arm64", "ubuntu-24.04-arm"),
    ]  # fmt: skip
    assert each["runs-on"] == "${{ matrix.runner }}"
    assert build["needs"] == "platforms"
    assert build["outputs"] == {"image": "${{ steps.push.outputs.image }}"}
    assert job(repository, spec, "deploy")["needs"] == "build"
    check = job(repository, spec, "check")
    assert (check["steps"], check["strategy"]) == (each["steps"], each["strategy"])
    names = [step["name"] for step in each["steps"]]
    assert names == ["Check out the repository", "Build the image"], "nothing is emulated"


def test_the_job_that_merges_needs_no_secret_and_no_steps_of_a_build(
    repository: Repository,
) -> None:
    more = "secrets: [NPM_TOKEN], prepare: make, cache: auto, target: run, tags: type=sha"
    spec = f"image: {{{TWO}, runners: native, {more}}}\n"
    build = job(repository, spec)
    assert "environment" not in build
    assert job(repository, spec, "platforms")["environment"]["name"] == "build"
    assert [step["name"] for step in build["steps"]] == [
        "Check out the repository", "Merge the platforms of the image",
    ]  # fmt: skip
    assert build["steps"][-1]["with"].keys() == {"tags", "merge"}


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("{runners: native}", "1:18 image/runners: has no effect without several `platforms`"),
        (
            f"{{{TWO}, runners: all}}",
            "image/runners: should be `native` or a mapping, but is 'all'",
        ),
        (f"{{{TWO}, runners: {{}}}}", "image/runners: should be `native` or a mapping"),
        (
            "{platforms: [linux/amd64, linux/s390x], runners: native}",
            "image/runners: GitHub has no runner for linux/s390x",
        ),
        (
            f"{{{TWO}, runners: {{linux/amd64: ubuntu-24.04}}}}",
            "image/runners: there is no runner for linux/arm64",
        ),
        (
            f"{{{TWO}, runners: {{linux/amd64: a, linux/arm64: b, linux/arm: c}}}}",
            "image/runners/linux/arm: 'linux/arm' is not one of `platforms`",
        ),
        (
            f"{{{TWO}, runners: {{linux/amd64: ubuntu-latest, linux/arm64: b}}}}",
            "image/runners/linux/amd64: 'ubuntu-latest' is another system",
        ),
    ],
)
def test_runners_that_are_not_those_of_the_platforms_are_told(
    image: str, problem: str, repository: Repository
) -> None:
    found = refused(repository, f"image: {image}\n")
    assert any(problem in each for each in found), found


def test_runners_of_platforms_are_in_no_central_workflow(repository: Repository) -> None:
    (problem,) = refused(repository, f"image: {{{TWO}, runners: native}}\nmode: central\n")
    assert "image/runners: cannot be in a central workflow" in problem
    central = f"example/workflows/.github/workflows/build.yml@{'a' * 40} # v1.0.0"
    repository.spec.write_text(f"image: {{{TWO}, runners: native}}\nmode:\n  caller: {central}\n")
    text = Project(str(repository.folder), "gen-workflow.yml").rendered().text
    assert "no caller can give runners for its platforms" in text
    assert "runs-on: ${{ matrix.runner }}" in text
