"""The step that commits an image to a repository of manifests, as rendered, on real parts.

Git serves over HTTP or SSH, kustomize and yq are those of the runners; `gh` alone is a script that
writes down what it was called with, because it speaks to github.com only.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from bed import keys
from bed.tools import built
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.render.template import render
from gen_workflow.spec.load import load
from git_server import READS, WRITES, GitServer
from local_sshd import USER, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs("kustomize", "yq", "packages")

NAME = "ghcr.io/acme/shop"
FIRST, SECOND = (f"{NAME}@sha256:{letter * 64}" for letter in "ab")
RUN = 1000
OVERLAY = """\
# The shop in production.
resources:
  - deployment.yaml

namespace: shop
"""
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  template:
    spec:
      containers:
        - {{name: shop, image: "{NAME}:main"}}
"""
VALUES = """\
replicas:   2 # enough

image:
    repository: ghcr.io/acme/shop
    tag: v1.0 # written by CI
    digest: ""

web: {image: {digest: "none"}}
"""
KUSTOMIZE = "gitops: {repository: acme/manifests, kustomize: apps/shop}"
IN_VALUES = "gitops: {repository: acme/manifests, values: apps/values.yaml}"


class Done(NamedTuple):
    code: int
    log: str


class World:
    """The repository of manifests, and a runner that runs the step of a spec."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.bare = folder / "git" / "acme" / "manifests.git"
        self.temp = folder / "temp"
        self.home = folder / "home"
        self.programs = folder / "bin"
        for each in (self.temp, self.home, self.programs):
            each.mkdir()
        for name in ("kustomize", "yq"):
            (self.programs / name).symlink_to(built(name))
        self.program("sleep", "true")
        git("init", "-q", "--bare", "-b", "main", str(self.bare))
        self.write({"apps/shop/kustomization.yaml": OVERLAY, "apps/values.yaml": VALUES,
                    "apps/shop/deployment.yaml": DEPLOYMENT})  # fmt: skip

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.unlink(missing_ok=True)  # a link to the program of the bed is not followed
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def write(self, files: dict[str, str], branch: str = "main") -> None:
        """Let a person commit files to a branch."""
        clone = self.folder / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        git("clone", "-q", str(self.bare), str(clone))
        git("checkout", "-q", "-B", branch, cwd=clone)
        for name, text in files.items():
            path = clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "-A", cwd=clone)
        git("commit", "-qm", "By hand", cwd=clone)
        git("push", "-q", "origin", branch, cwd=clone)

    def read(self, path: str, branch: str = "main") -> str:
        return git("show", f"{branch}:{path}", cwd=self.bare)

    def commits(self, branch: str = "main") -> list[str]:
        return git("log", "--format=%s", branch, cwd=self.bare).splitlines()

    def deploy(
        self,
        spec: str = KUSTOMIZE,
        images: dict[str, str] | str = FIRST,
        *,
        number: int = RUN,
        **changed: str,
    ) -> Done:
        """Run the step of a spec, in which the build has given these images."""
        step = step_of(spec, self.folder, several=not isinstance(images, str))
        needs = {"build": images} if isinstance(images, str) else images
        env = dict(step["env"])
        for job, image in needs.items():
            there = f"${{{{ needs.{job}.outputs.image }}}}"
            env["IMAGES"] = env["IMAGES"].replace(there, image)
        assert "${{" not in env["IMAGES"] + step["run"]
        token = {"GH_TOKEN": WRITES} if "GH_TOKEN" in env else {}
        runner = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.home),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_SERVER_URL": self.url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SHA": "0123456789" * 4,
            "GITHUB_RUN_ID": str(number),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "deploy",
        }
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)),
            cwd=self.folder, env=runner | env | token | changed, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout + done.stderr)


def git(*argv: str, cwd: Path | None = None) -> str:
    who = ("-c", "user.name=Person", "-c", "user.email=person@example.com")
    return subprocess.run(
        ("git", *who, *argv), cwd=cwd, capture_output=True, text=True, check=True
    ).stdout


def step_of(deploy: str, folder: Path, *, several: bool = False) -> dict[str, Any]:
    """Return the only step of the deploy job that a spec gives, from the text of the workflow."""
    (folder / "Dockerfile").touch()
    image = "images: {api: ., web: .}" if several else "image: ."
    text = f"{image}\ndeploy:\n  {deploy}\n"
    spec = load(text.encode(), "gen-workflow.yml", str(folder))
    (workflow,) = pipeline.workflows(spec, table())
    job = YAML(typ="safe").load(render(workflow, source="gen-workflow.yml"))["jobs"]["deploy"]
    assert job["permissions"] == {}
    (step,) = job["steps"]
    assert step["shell"] == "bash"
    return dict(step)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "git").mkdir()
    with GitServer(tmp_path / "git") as server:
        yield World(tmp_path, server.url)


def test_the_first_deploy_commits_the_digest(world: World) -> None:
    done = world.deploy()
    assert done.code == 0, done.log
    assert world.commits() == ["Deploy acme/shop to production", "By hand"]
    text = world.read("apps/shop/kustomization.yaml")
    assert text.startswith(OVERLAY.partition("resources")[0])
    (image,) = YAML(typ="safe").load(text)["images"]
    assert image == {"name": NAME, "newName": NAME, "digest": FIRST.partition("@")[2]}
    message = git("log", "-1", "--format=%an <%ae>%n%B", "main", cwd=world.bare)
    bot = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
    assert message.startswith(f"{bot}\nDeploy acme/shop to production\n\n{FIRST}\n\n")
    assert f"Run: {world.url}/acme/shop/actions/runs/{RUN}\n" in message


def test_the_token_is_in_no_file_and_masked_in_its_other_form(world: World) -> None:
    done = world.deploy()
    assert WRITES not in done.log
    (mask,) = (line for line in done.log.splitlines() if line.startswith("::add-mask::"))
    login = mask.removeprefix("::add-mask::")
    assert done.log.count(login) == 1
    for path in (*world.temp.rglob("*"), *world.home.rglob("*")):
        if path.is_file():
            assert WRITES.encode() not in path.read_bytes()
            assert login.encode() not in path.read_bytes()


def test_the_same_digest_again_makes_no_commit(world: World) -> None:
    world.deploy()
    done = world.deploy(number=RUN + 1)
    assert done.code == 0
    assert "acme/manifests has this image already; nothing to do" in done.log
    assert len(world.commits()) == 2


def test_a_push_that_comes_first_is_kept_and_ours_comes_after_it(world: World) -> None:
    hook = world.bare / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\n[ -e came ] && exit 0\ntouch came\nunset GIT_QUARANTINE_PATH\n"
        "git='git -c user.name=Person -c user.email=person@example.com'\n"
        "git update-ref refs/heads/main"
        " $($git commit-tree -p main -m 'Of another service' 'main^{tree}')\n"
    )
    hook.chmod(0o755)
    done = world.deploy()
    assert done.code == 0, done.log
    assert world.commits() == ["Deploy acme/shop to production", "Of another service", "By hand"]


def test_an_older_run_does_not_put_its_image_over_a_newer_one(world: World) -> None:
    assert world.deploy(images=SECOND, number=RUN + 1).code == 0
    done = world.deploy(images=FIRST, number=RUN)
    assert done.code == 1
    assert (
        f"::error::a newer run has deployed: {world.url}/acme/shop/actions/runs/1001." in done.log
    )
    again = world.deploy(images=FIRST, number=RUN, GITHUB_RUN_ATTEMPT="2")
    assert again.code == 0, again.log
    assert FIRST.partition("@")[2] in world.read("apps/shop/kustomization.yaml")


def test_another_environment_or_repository_is_no_newer_run(world: World) -> None:
    world.write({"apps/eu/kustomization.yaml": OVERLAY, "apps/eu/deployment.yaml": DEPLOYMENT})
    assert world.deploy(KUSTOMIZE.replace("apps/shop", "apps/eu"), number=RUN + 1).code == 0
    assert world.deploy(number=RUN).code == 0
    assert world.deploy(images=SECOND, number=RUN + 2, GITHUB_REPOSITORY="acme/web").code == 0
    assert world.deploy(images=FIRST, number=RUN + 1).code == 0


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "the token is empty: GitHub has no such secret for production"),
        ("ghp_wrong", "cannot read the branch main of acme/manifests"),
        (READS, "acme/manifests refuses the push, as git says above. May the login write there?"),
    ],
)
def test_a_token_without_rights_is_named_as_the_cause(world: World, token: str, said: str) -> None:
    done = world.deploy(GH_TOKEN=token)
    assert done.code == 1
    assert f"::error::{said}" in done.log
    assert len(world.commits()) == 1


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (KUSTOMIZE.replace("apps/", "app/"), "acme/manifests has no app/shop on the branch main"),
        (KUSTOMIZE.replace("apps/shop", "apps"), "apps has no kustomization that kustomize can"),
        (
            KUSTOMIZE.replace("apps/shop", "{folder: apps/shop, image: shop}"),
            "no manifest of apps/shop uses the image shop",
        ),
        (KUSTOMIZE.replace("}", ", branch: live}"), "cannot read the branch live of acme/manif"),
        (IN_VALUES.replace("values.y", "value.y"), "acme/manifests has no apps/value.yaml on the"),
        (
            IN_VALUES.replace("apps/values.yaml", "{file: apps/values.yaml, digest: image.sha}"),
            "apps/values.yaml has no value at .image.sha; write one there once",
        ),
        (
            IN_VALUES.replace("apps/values.yaml", "{file: apps/values.yaml, digest: image}"),
            "apps/values.yaml has no single text at .image, on a line of its own",
        ),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_pushed(world: World, spec: str, said: str) -> None:
    done = world.deploy(spec)
    assert done.code == 1
    assert f"::error::{said}" in done.log
    assert len(world.commits()) == 1


def test_a_build_that_gave_no_image_changes_nothing(world: World) -> None:
    for given in ("", "ghcr.io/acme/shop:latest", f"{FIRST};touch x", f"$(touch x){FIRST}"):
        done = world.deploy(images=given)
        assert (done.code, "::error::the build gave no image" in done.log) == (1, True), given
    assert len(world.commits()) == 1


def test_a_tool_that_a_runner_does_not_have_is_named(world: World) -> None:
    (world.programs / "kustomize").unlink()
    world.program("yq", "echo yq 3.1.0")
    for spec, tool in ((KUSTOMIZE, "kustomize"), (IN_VALUES, "yq")):
        done = world.deploy(spec)
        assert done.code == 1
        assert f"::error::this runner has no {tool}" in done.log


@pytest.mark.parametrize("folder", ["a b", "$(touch pwned)", "`touch pwned`", "a'b", "a;b", "-n"])
def test_a_hostile_name_of_a_folder_is_a_name(world: World, folder: str) -> None:
    inside = f"apps/{folder}"
    files = {"kustomization.yaml": OVERLAY, "deployment.yaml": DEPLOYMENT}
    world.write({f"{inside}/{name}": text for name, text in files.items()})
    spec = f'gitops: {{repository: acme/manifests, kustomize: "{inside}"}}'
    done = world.deploy(spec)
    assert done.code == 0, done.log
    assert FIRST.partition("@")[2] in world.read(f"{inside}/kustomization.yaml")
    assert not list(world.folder.rglob("pwned"))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ("apps/values.yaml", '    digest: "{digest}"'),
        ("{file: apps/values.yaml, digest: .image.digest}", '    digest: "{digest}"'),
        ("{file: apps/values.yaml, tag: image.tag}", "    tag: 0123456@{digest} # written by CI"),
        ("{file: apps/values.yaml, image: image.repository}", "    repository: {image}"),
    ],
)
def test_of_a_file_of_values_one_line_changes(world: World, values: str, line: str) -> None:
    done = world.deploy(IN_VALUES.replace("apps/values.yaml", values))
    assert done.code == 0, done.log
    before, after = VALUES.splitlines(), world.read("apps/values.yaml").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [line.format(image=FIRST, digest=FIRST.partition("@")[2])]


def test_the_same_image_of_another_commit_is_no_new_tag(world: World) -> None:
    spec = IN_VALUES.replace("apps/values.yaml", "{file: apps/values.yaml, tag: image.tag}")
    world.deploy(spec)
    done = world.deploy(spec, GITHUB_SHA="9" * 40)
    assert "nothing to do" in done.log
    assert len(world.commits()) == 2


def test_several_images_go_each_to_its_place(world: World) -> None:
    images = {f"build-{key}": FIRST.replace("shop", f"shop-{key}") for key in ("api", "web")}
    values = "{file: v.yaml, digest: {api: api.digest, web: my-web.0.digest}}"
    world.write({"v.yaml": "api:\n  digest: x\nmy-web:\n- digest: 'y'\n"})
    done = world.deploy(IN_VALUES.replace("apps/values.yaml", values), images)
    assert done.code == 0, done.log
    digest = FIRST.partition("@")[2]
    assert world.read("v.yaml") == f"api:\n  digest: {digest}\nmy-web:\n- digest: '{digest}'\n"
    kustomize = "{folder: apps/shop, image: {api: ghcr.io/acme/shop, web: sidecar}}"
    more = "        - {name: web, image: sidecar}\n"
    world.write({"apps/shop/deployment.yaml": DEPLOYMENT + more})
    done = world.deploy(KUSTOMIZE.replace("apps/shop", kustomize), images)
    assert done.code == 0, done.log
    found = YAML(typ="safe").load(world.read("apps/shop/kustomization.yaml"))["images"]
    assert {one["name"]: one["newName"] for one in found} == {
        NAME: f"{NAME}-api",
        "sidecar": f"{NAME}-web",
    }


def test_a_pull_request_gets_a_branch_and_takes_the_place_of_an_older_one(world: World) -> None:
    calls = world.folder / "calls"
    mine = "gen-workflow/acme/shop/deploy"
    world.program(
        "gh",
        f'printf "%s\\n" "$GH_TOKEN" "$@" - >> "{calls}"\n'
        f'case "$1 $2" in "pr list") printf "%s\\n" {mine}/999-1 {mine}/1001-1 {mine}/1000-1 a/b ;;'
        ' "pr create") echo https://github.com/acme/manifests/pull/7 ;; esac',
    )
    done = world.deploy(KUSTOMIZE.replace("}", ", pull-request: true}"))
    assert done.code == 0, done.log
    assert world.commits() == ["By hand"]
    assert world.commits(f"{mine}/1000-1")[0] == "Deploy acme/shop to production"
    said = calls.read_text()
    created, listed, *closed = said.split("\n-\n")
    assert created.splitlines()[:8] == [WRITES, "pr", "create", "--repo", "acme/manifests",
                                        "--base", "main", "--head"]  # fmt: skip
    assert f"{mine}/1000-1\n--title\nDeploy acme/shop to production\n--body\n{FIRST}" in created
    assert "pr\nlist" in listed
    assert [one.splitlines()[3] for one in closed if one] == [f"{mine}/999-1"]


def test_a_deploy_key_is_held_by_an_agent_and_the_host_is_verified(
    world: World, tmp_path: Path
) -> None:
    keys.make_host_keys(tmp_path)
    keys.make_ssh_key(tmp_path / "user", "ed25519")
    spec = KUSTOMIZE.replace("}", ', key: "${{ secrets.KEY }}"}')
    with Sshd(tmp_path, tmp_path / "user.pub") as sshd:
        where = f"-p {sshd.port} -o HostName=127.0.0.1 -o HostKeyAlias=github.com -l {USER}"
        # The name of the user in the address is what ssh takes, so it is cut off.
        world.program("ssh", f'set -- "$@"; exec /usr/bin/ssh -F none {where} "$@"')
        base = f"ssh://github.com{world.folder}/git/"
        settings = f'[url "{base}"]\n\tinsteadOf = ssh://git@github.com/\n'
        (world.home / ".gitconfig").write_text(settings)
        key = (tmp_path / "user").read_text()
        refused = world.deploy(spec, KEY=key)
        assert refused.code == 1
        assert "Host key verification failed" in refused.log
        host_key = (tmp_path / "ssh_host_ed25519_key.pub").read_text()
        done = world.deploy(spec, KEY=key, HOST_KEY=f"github.com {host_key}")
    assert done.code == 0, done.log
    assert len(world.commits()) == 2
    assert not [path for path in world.temp.rglob("*") if path.is_file() and key in _text(path)]
    wrong = world.deploy(spec, KEY="no key")
    assert "::error::the key is not a private key without a passphrase" in wrong.log


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")
