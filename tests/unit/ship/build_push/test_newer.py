"""A tag that a newer commit has stays where it is, whatever the tags are made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.step import run
from ship.runner.commit import LABEL, Commit
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import SHA, SHORT, context, inputs, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKFLOW = "https://github.com/Acme/App/.github/workflows/ci.yml"
OURS = Commit(WORKFLOW, "refs/heads/main", SHA, 7)
NEWER = OURS._replace(sha="b" * 40, number=8)
OLDER = OURS._replace(sha="a" * 40, number=6)
JSON = {"Content-Type": "application/json"}
BRANCH = "type=ref,event=branch"
MINE = "{}"


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def config(label: str) -> str:
    return json.dumps({"config": {"Labels": {LABEL: label}}})


def image(label: str, *, text: str = "", platforms: bool = False, path: str = "app") -> Answers:
    """Return what a registry answers for an image with a label, as its tag `main`."""
    blob = text or config(label)
    manifest = json.dumps({"config": {"digest": digest_of(config(label))}})
    base = f"GET /v2/acme/{path}"
    parts = {"manifests": [
        {"digest": digest_of("provenance"), "platform": {"os": "unknown"}},
        {"digest": digest_of(manifest), "platform": {"os": "linux"}},
    ]}  # fmt: skip
    return {
        f"{base}/manifests/main": [(200, JSON, json.dumps(parts) if platforms else manifest)],
        f"{base}/manifests/{digest_of(manifest)}": [(200, JSON, manifest)],
        f"{base}/blobs/": [(200, {}, blob)],
    }


class Pushed(NamedTuple):
    """What came of a step."""

    log: Log
    asked: list[str]
    builds: list[tuple[str, ...]]
    name: str

    @property
    def tagged(self) -> list[list[str]]:
        """The tags that each build has pushed."""
        return [[each.removeprefix(f"{self.name}:") for each in values(argv, "tag")]
                for argv in self.builds]  # fmt: skip

    @property
    def set(self) -> list[str]:
        """The tags that we have set."""
        return [path.rpartition("/")[2] for path in self.asked if path.startswith("PUT")]


BUILT = (Finished(0),) * 4


def push(
    workspace: Path,
    tmp_path: Path,
    answers: Mapping[str, Any],
    number: str = "7",
    builds: Sequence[Finished] = BUILT,
    **given: str,
) -> Pushed:
    """Run the step of a push to main whose image is known as `{}`."""
    log = Log(tmp_path)

    def build(command: Any) -> None:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": digest_of(MINE)}))

    runner = ScriptedRunner(*builds, then=build)
    mine: Answers = {
        "GET /v2/acme/app/manifests": [(404, {}, "")],
        "PUT /v2/acme": [(201, {}, "")],
        f"GET /v2/acme/app/manifests/{digest_of(MINE)}": [(200, JSON, MINE)],
        f"GET /v2/acme/app/api/manifests/{digest_of(MINE)}": [(200, JSON, MINE)],
        f"GET /v2/acme/app/web/manifests/{digest_of(MINE)}": [(200, JSON, MINE)],
    }
    # The first that fits is the answer.
    known = {**dict(list(mine.items())[1:]), **answers, **dict(list(mine.items())[:1])}
    with HttpRegistry({**known, **OPEN_REGISTRY}) as registry:
        name = f"{registry.address}/acme/app"
        made = context(
            workspace, run_number=number, workflow_ref="Acme/App/.github/workflows/ci.yml@x"
        )
        run(Step(inputs(image=name, **given), made, lambda: runner, log.workflow))
    return Pushed(
        log, registry.asked, [each.argv for each in runner.ran if "buildx" in each.argv], name
    )


def test_a_tag_that_a_newer_commit_has_is_not_moved_and_all_reports_say_so(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(NEWER)))
    assert (step.tagged, step.set) == ([[SHORT]], [])
    main = f"{step.name}:main"
    assert (
        "::notice::These tags are not moved, because a newer commit has them (bbbbbbbbbbbb of "
        f"main): {main}. To move them back, set `older-commit: move`." in step.log.text
    )
    assert (
        f"`{main}` was not moved: the newer commit bbbbbbbbbbbb of main has it." in step.log.summary
    )
    assert step.log.outputs["tags"] == f"{step.name}:{SHORT}"
    result = json.loads(step.log.outputs["results"])["app"]
    assert (result["kept"], result["pushed"]) == ([main], [f"{step.name}:{SHORT}"])


@pytest.mark.parametrize(
    "theirs",
    [
        image(str(OLDER)),
        image(str(NEWER._replace(ref="refs/heads/dev"))),
        image(str(OURS)),
        image("no commit"),
        # What a registry sends in place of the configuration, or does not send.
        image(str(NEWER), text=config(str(NEWER)) + " "),
        image(str(NEWER), text="[]"),
        {**image(str(NEWER)), "GET /v2/acme/app/blobs/": [(404, {}, "")]},
        {"GET /v2/acme/app/manifests/main": [(503, {}, "")]},
        {"GET /v2/acme/app/manifests/main": [(403, {}, "")]},
        {"GET /v2/acme/app/manifests/main": [(200, JSON, "[]")]},
        {"GET /v2/acme/app/manifests/main": [(200, JSON, '{"config": {"digest": "../x"}}')]},
        {},
    ],
    ids=str,
)  # fmt: skip
def test_where_no_newer_commit_is_known_the_tag_moves(
    workspace: Path, tmp_path: Path, theirs: Answers
) -> None:
    step = push(workspace, tmp_path, theirs)
    assert (step.tagged, step.set) == ([[SHORT]], ["main"])
    assert "newer commit" not in step.log.text + step.log.summary
    assert json.loads(step.log.outputs["results"])["app"]["kept"] == []


def test_of_an_image_for_platforms_the_first_platform_tells_the_commit(
    workspace: Path, tmp_path: Path
) -> None:
    assert push(workspace, tmp_path, image(str(NEWER), platforms=True)).set == []


def test_the_person_may_move_a_tag_back_and_nothing_is_looked_at(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(NEWER)), older_commit="move")
    assert step.set == ["main"]
    assert not any(path.endswith("/main") for path in step.asked if path.startswith("GET"))
    assert f"--label={LABEL}={OURS}" in step.builds[0]


def test_without_the_number_of_the_run_nothing_is_looked_at(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(NEWER)), number="", tags=BRANCH)
    assert step.tagged == [["main"]]
    assert not any(LABEL in word for word in step.builds[0])


def test_tags_that_all_move_are_looked_at_when_the_image_is_built_and_not_pushed(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(OLDER)), tags=f"{BRANCH}\nlatest", no_cache="true")
    assert (step.tagged, step.set) == ([[], ["main"]], ["latest"])
    assert ["--push" in argv for argv in step.builds] == [False, True]
    assert ["--no-cache" in argv for argv in step.builds] == [True, False], "it is built once"


def test_what_is_built_before_it_is_pushed_has_the_time_of_both_and_the_steps_of_the_first(
    workspace: Path, tmp_path: Path
) -> None:
    steps = "#5 [1/2] RUN a\n#6 [2/2] RUN b\n#5 CACHED\n"
    builds = (Finished(0, "", steps, 30), Finished(0, "", f"{steps}#6 CACHED\n", 1.5))
    step = push(workspace, tmp_path, {}, tags=BRANCH, builds=builds)
    assert "| 31.5 s | 1 of 2 steps |" in step.log.summary


def test_of_tags_that_all_move_one_that_need_not_stay_is_pushed(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(NEWER)), tags=f"{BRANCH}\nlatest")
    assert (step.tagged, step.set) == ([[], ["latest"]], [])
    assert step.log.outputs["tag"] == "latest"


def test_an_image_whose_tags_all_stay_gets_that_of_its_commit(
    workspace: Path, tmp_path: Path
) -> None:
    step = push(workspace, tmp_path, image(str(NEWER)), tags=BRANCH)
    assert (step.tagged, step.set) == ([[], [SHORT]], [])
    assert step.log.outputs["image"] == f"{step.name}@{digest_of(MINE)}"
    assert (step.log.outputs["tag"], step.log.outputs["version"]) == (SHORT, "main")


def test_a_tag_that_stays_for_one_image_stays_for_all(workspace: Path, tmp_path: Path) -> None:
    theirs = image(str(NEWER), path="app/api")
    step = push(workspace, tmp_path, theirs, images="api: .\nweb: .")
    assert step.set == []
    results = json.loads(step.log.outputs["results"])
    assert results["api"]["kept"] == [f"{step.name}/api:main"]
    assert [name for each in results.values() for name in each["tags"] if "main" in name] == []
